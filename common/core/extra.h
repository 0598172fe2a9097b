/*
 * The extra fields of a line: finding one, judging the whole, and the lock
 * token, whose taking away restores the line byte for byte (formats.md,
 * "Extra fields we write").
 */
#ifndef VMAIL_CORE_EXTRA_H
#define VMAIL_CORE_EXTRA_H

#include <stdbool.h>

#include "common/core/err.h"
#include "common/core/text.h"

struct vmail_extra {
	struct vmail_str key, value; /* value.p == NULL: no '=' */
};

/* Takes the next field off *rest (spaces separate). False at the end. */
bool vmail_extra_next(struct vmail_str *rest, struct vmail_extra *field);

/* The value of the first field of that key (whole key, as written). */
bool vmail_extra_find(
    struct vmail_str extra, const char *key, struct vmail_str *value);

/*
 * The first field that restricts who may log in and that this version cannot
 * judge finer than "no": fail, nologin, allow_nets, vmail_*; with any suffix,
 * and behind colons too many (Dovecot would lose those in silence). False if
 * there is none.
 */
bool vmail_extra_restriction(struct vmail_str extra, struct vmail_str *key);

enum vmail_lock {
	VMAIL_LOCK_NONE,
	VMAIL_LOCK_OURS,    /* fail=vmail... in front */
	VMAIL_LOCK_FOREIGN, /* a hand-written fail or nologin: obeyed */
};

enum vmail_lock vmail_extra_lock_state(struct vmail_str extra);

/*
 * The whole line (no line feed) with the lock token put in front of its
 * extras; missing colons are added and counted in the token. VMAIL_EXISTS:
 * ours is there already, nothing written. VMAIL_TOO_SMALL.
 */
enum vmail_rc vmail_extra_lock(struct vmail_str line, struct vmail_buf *out);

/* The exact inverse. VMAIL_NOT_FOUND: no token of ours. */
enum vmail_rc vmail_extra_unlock(struct vmail_str line, struct vmail_buf *out);

#endif
