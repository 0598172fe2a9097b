/*
 * The passwd-file line: cutting one (as leniently as Dovecot does), laying
 * one out (strictly), and what of it is public. The grammar is in dovecot.md;
 * vmail_passwd(5) says it for users.
 */
#ifndef VMAIL_CORE_ENTRY_H
#define VMAIL_CORE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/err.h"
#include "common/core/text.h"

enum {
	VMAIL_LINE_MAX = 20480,	 /* a longer line is malformed */
	VMAIL_PUBLIC_MAX = 1536, /* name, ids, gecos, home, shell together */
	VMAIL_PASSWORD_FIELD_MAX = 512,
};

/* Strings point into the line; a missing field is empty with p == NULL. */
struct vmail_entry {
	struct vmail_str name, password, uid, gid, gecos, home, shell, extra;
	unsigned colons; /* of the first seven: fewer make no userdb entry */
};

/*
 * Cuts a line (without its line feed; a final CR is not part of it).
 * VMAIL_OK; VMAIL_NOT_FOUND: skipped by everybody (empty, '#' or ':' first);
 * VMAIL_MALFORMED: hides itself and nobody else, *why (may be NULL) in words:
 * a NUL byte, a line or public fields too long, an id that Dovecot would drop
 * the line for whatever system reads it (0, root, -1, 0x.., too large).
 */
enum vmail_rc vmail_entry_parse(
    struct vmail_str line, struct vmail_entry *e, const char **why);

/* The fault of a name already in a line, as Dovecot and we read it, is no
 * matter for parse: `check` asks vmail_name_fault. */

/* NULL if this may be written as gecos, home or shell; else the reason: no
 * ':', no control byte; a home must be absolute without "..". */
const char *vmail_entry_gecos_fault(struct vmail_str s);
const char *vmail_entry_home_fault(struct vmail_str s);

/* NULL if this may be written as uid or gid: empty, a name, or a number in
 * first..last; never 0. */
const char *vmail_entry_id_fault(
    struct vmail_str s, uint32_t first, uint32_t last);

/* Lays out seven colons and the extras, no line feed. Does not judge. */
void vmail_entry_put(const struct vmail_entry *e, struct vmail_buf *b);

/* The map's value: uid:gid:gecos:home:shell:OFFSET. */
void vmail_entry_put_public(
    const struct vmail_entry *e, uint64_t offset, struct vmail_buf *b);
bool vmail_entry_public_same(
    const struct vmail_entry *a, const struct vmail_entry *b);

#endif
