/*
 * vmail.conf: `key = value`, one a line, through one table that parses,
 * fills in defaults and prints (formats.md, "vmail.conf"). A new setting is
 * one member here and one row in conf.c.
 */
#ifndef VMAIL_CORE_CONF_H
#define VMAIL_CORE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/err.h"
#include "common/core/text.h"

#define VMAIL_CONF_PATH "/etc/vmail/vmail.conf"

enum { VMAIL_CONF_PATH_MAX = 512, VMAIL_CONF_WORD_MAX = 32 };

enum vmail_id_style { VMAIL_IDS_EMPTY, VMAIL_IDS_NAMES, VMAIL_IDS_NUMBERS };
enum vmail_dialect { VMAIL_DOVECOT_23, VMAIL_DOVECOT_24 };

struct vmail_conf {
	char passwd_file[VMAIL_CONF_PATH_MAX + 1];
	char home[VMAIL_CONF_PATH_MAX + 1];	    /* template: %u %n %d */
	char owner[2 * VMAIL_CONF_WORD_MAX + 2];    /* "user:group" */
	char reader_group[VMAIL_CONF_WORD_MAX + 1]; /* "" = not set */
	enum vmail_id_style id_style;
	uint32_t first_valid_uid, last_valid_uid;
	char scheme[VMAIL_CONF_WORD_MAX + 1]; /* known to be one: see admin */
	uint32_t argon2_memory;		      /* KiB */
	uint32_t argon2_time;
	uint32_t crypt_rounds;
	uint32_t bcrypt_cost;
	bool rehash_on_login;
	uint32_t min_password_length;
	char default_domain[VMAIL_NAME_MAX + 1];
	bool nss_mailboxes, nss_enumerate;
	uint32_t lock_wait; /* seconds */
	enum vmail_dialect dovecot;
	/* Not keys. passwd_file was a template, and is one domain's now: */
	bool entered;
	/* where this was read from; "views" and the map's header
	 * lie beside it. */
	char path[VMAIL_CONF_PATH_MAX + 1];
};

void vmail_conf_defaults(struct vmail_conf *conf);

/*
 * Reads the file at path (NULL: the default path, which alone may be
 * missing) over the defaults. The file must be trusted. VMAIL_MALFORMED with
 * file, line and reason for an unknown or repeated key or a value out of its
 * form; VMAIL_IO if a named file is missing; VMAIL_UNSAFE, VMAIL_DENIED.
 */
enum vmail_rc vmail_conf_load(
    struct vmail_conf *conf, const char *path, struct vmail_err *err);

/* The same over text in memory; path is for messages. */
enum vmail_rc vmail_conf_parse(struct vmail_conf *conf, struct vmail_str text,
    const char *path, struct vmail_err *err);

/* One setting. VMAIL_NOT_FOUND: no such key; VMAIL_INVALID: bad value, the
 * accepted form in err->what. */
enum vmail_rc vmail_conf_set(struct vmail_conf *conf, struct vmail_str key,
    struct vmail_str value, struct vmail_err *err);

/* The keys in the table's order, for printing: NULL past the last. */
const char *vmail_conf_key(size_t index);
/* The value of key `index` as it would stand in the file. */
void vmail_conf_value(
    const struct vmail_conf *conf, size_t index, struct vmail_buf *out);
/* What the key means, one line, for `config show` and vmail.conf's comments. */
const char *vmail_conf_help(size_t index);

/* The two halves of `owner`. */
struct vmail_str vmail_conf_owner_user(const struct vmail_conf *conf);
struct vmail_str vmail_conf_owner_group(const struct vmail_conf *conf);

/* One passwd-file per domain: `%d` in passwd_file, not entered yet? */
bool vmail_conf_has_domains(const struct vmail_conf *conf);

/* Makes passwd_file that of the domain; nothing to do where it is no template.
 * VMAIL_NOT_FOUND: no domain, or none that may be a folder's name, or too
 * long a path: nobody can be found there. */
enum vmail_rc vmail_conf_enter(
    struct vmail_conf *conf, struct vmail_str domain);

/* The folder that holds the domains' folders, without its last '/'.
 * VMAIL_TOO_SMALL. */
enum vmail_rc vmail_conf_domains_folder(
    const struct vmail_conf *conf, char *out, size_t size);

/* The same substitution for any path with one `%d`, in out[size]. */
enum vmail_rc vmail_conf_domain_path(
    const char *tmpl, struct vmail_str domain, char *out, size_t size);

/* The path of `name` beside vmail.conf ("views", "passwd.cdb"). */
enum vmail_rc vmail_conf_beside(
    const struct vmail_conf *conf, const char *name, char *out, size_t size);

#endif
