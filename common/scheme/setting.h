/*
 * The settings of crypt(3): by which of libxcrypt's methods a hash is made,
 * what its parameters ask for, and a setting that asks for as much. A hash is
 * chosen by who wrote the file: what is beyond our caps is VMAIL_UNSUPPORTED.
 */
#ifndef VMAIL_SCHEME_SETTING_H
#define VMAIL_SCHEME_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/scheme/scheme.h"

/* What a setting asks for. */
struct vmail_demand {
	uint64_t work;	 /* to compare two of one method by; never 0 */
	uint64_t memory; /* bytes */
};

/*
 * One of libxcrypt's methods. `read` takes the parameters off the front of
 * what follows the prefix; `tail` are the characters of the hash itself, with
 * `mark` before them; `salt` makes a setting of prefix and parameters alone.
 */
struct vmail_method {
	const char *prefix;
	const struct vmail_scheme *scheme; /* that its hashes count as */
	enum vmail_rc (*read)(struct vmail_str *rest, struct vmail_demand *d);
	size_t tail;
	size_t total; /* 0: any */
	char mark;    /* '\0': none */
	const char *salt;
};

/* The method of a hash, or of a setting; NULL: none that we know. */
const struct vmail_method *vmail_method_of(struct vmail_str setting);
/* The one that a scheme makes its hashes by. */
const struct vmail_method *vmail_method_made(const struct vmail_scheme *scheme);
/* It alone knows hashes of several lengths, and no parameters. */
bool vmail_method_is_des(const struct vmail_method *method);

/* Reads the parameters of a setting: their length (with the prefix) and what
 * they ask for. VMAIL_MALFORMED; VMAIL_UNSUPPORTED. */
enum vmail_rc vmail_setting_read(const struct vmail_method *method,
    struct vmail_str setting, size_t *params, struct vmail_demand *demand);

/* Parameters as the map keeps them (cost=): of the beginning of a hash, as
 * vmail_setting_read measured it; or those that the scheme takes of conf. */
void vmail_setting_put(const struct vmail_method *method, struct vmail_str text,
    const struct vmail_demand *demand, struct vmail_buf *params);
void vmail_setting_conf(const struct vmail_scheme *scheme,
    const struct vmail_conf *conf, struct vmail_buf *params);

/* A setting with nobody's salt that costs what params say, in b. Codes as
 * above. */
enum vmail_rc vmail_setting_compose(const struct vmail_scheme *scheme,
    struct vmail_str params, struct vmail_buf *b, struct vmail_demand *demand);

#endif
