/*
 * Password schemes: one table (scheme.c), one file per family. To add a
 * scheme is to add a row there. What Dovecot calls `{SCHEME}data`.
 */
#ifndef VMAIL_SCHEME_SCHEME_H
#define VMAIL_SCHEME_SCHEME_H

#include <stdbool.h>

#include "common/admin/secret.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

enum vmail_strength { VMAIL_PLAINTEXT, VMAIL_WEAK, VMAIL_FAIR, VMAIL_STRONG };

enum { VMAIL_HASH_MAX = 512, VMAIL_COST_MAX = 64 };

/*
 * One scheme. `data` is what stands behind `{NAME}`. verify's result starts
 * as failure: VMAIL_OK only when the password is the one; VMAIL_MISMATCH;
 * VMAIL_MALFORMED: not a hash of this scheme; VMAIL_UNSUPPORTED: asks for more
 * than the caps allow, or this host's library refuses it; VMAIL_NO_MEMORY.
 * A verify that fails for its form has not spent the hash's cost.
 */
struct vmail_scheme {
	const char *name;
	enum vmail_strength strength;
	unsigned rank; /* order of preference: rehash goes upwards only */
	const char *note; /* one line for `hash --list` */
	size_t password_max; /* longer ones are never hashed; 0: no limit */
	enum vmail_rc (*verify)(struct vmail_str data,
	    const struct vmail_secret *password);
	/* Writes data (no {NAME}) for a new password, by conf's costs. */
	enum vmail_rc (*make)(const struct vmail_conf *conf,
	    const struct vmail_secret *password, struct vmail_buf *data);
	/* The parameters that decide what a verify costs, for `cost=`:
	 * "rounds=5000", "12", "m=19456,t=2"; enough for spend. */
	enum vmail_rc (*cost)(struct vmail_str data, struct vmail_buf *params);
	/* Pays exactly what verifying a hash of these parameters costs. */
	void (*spend)(struct vmail_str params,
	    const struct vmail_secret *password);
};

/* The table, in order of strength; NULL past the last. */
const struct vmail_scheme *vmail_scheme_at(size_t index);
/* By name, in any case. NULL: unknown. */
const struct vmail_scheme *vmail_scheme_named(struct vmail_str name);

/*
 * Cuts a password field: `{NAME}data`, or a bare hash, read as {CRYPT}.
 * VMAIL_OK; VMAIL_MALFORMED: empty, `!...`, `*`, no closing brace, nothing
 * behind the brace; VMAIL_UNSUPPORTED: no such scheme.
 */
enum vmail_rc vmail_scheme_cut(struct vmail_str field,
    const struct vmail_scheme **scheme, struct vmail_str *data);

/* Verifies a password field: VMAIL_OK alone means "this is the password". */
enum vmail_rc vmail_scheme_verify(struct vmail_str field,
    const struct vmail_secret *password);

/* Writes `{NAME}data`. VMAIL_INVALID: the password cannot be kept in this
 * scheme (too long; PLAIN with ':'), the reason in err; VMAIL_NO_MEMORY;
 * VMAIL_IO: no randomness. */
enum vmail_rc vmail_scheme_make(const struct vmail_scheme *scheme,
    const struct vmail_conf *conf, const struct vmail_secret *password,
    struct vmail_buf *field, struct vmail_err *err);

/* `{NAME}PARAMETERS` of a password field, for the map's cost=. */
enum vmail_rc vmail_scheme_cost(struct vmail_str field,
    struct vmail_buf *cost);
/* The same for what conf would make now. */
enum vmail_rc vmail_scheme_cost_of_conf(const struct vmail_conf *conf,
    struct vmail_buf *cost);

/* Spends what `cost` says on this password and throws the result away. An
 * unreadable cost is spent as conf's own. */
void vmail_scheme_spend(struct vmail_str cost, const struct vmail_conf *conf,
    const struct vmail_secret *password);

/*
 * Is this hash below what conf would make: a lower-ranked crypt or argon2
 * scheme, or the same with a lower cost? (rehash_on_login)
 */
bool vmail_scheme_below(struct vmail_str field, const struct vmail_conf *conf);

/* May it be written as an imported password field (a recognised scheme with
 * data of its form, no ':' or control byte)? NULL, or the reason. */
const char *vmail_scheme_fault(struct vmail_str field);

#endif
