/*
 * Password schemes: one table (scheme.c), one file per family. To add a
 * scheme is to add a row there. What Dovecot calls `{SCHEME}data`.
 */
#ifndef VMAIL_SCHEME_SCHEME_H
#define VMAIL_SCHEME_SCHEME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/admin/secret.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

enum vmail_strength { VMAIL_PLAINTEXT, VMAIL_WEAK, VMAIL_FAIR, VMAIL_STRONG };

enum { VMAIL_HASH_MAX = 512, VMAIL_COST_MAX = 64 };

/*
 * One scheme. `data` is what stands behind `{NAME}`, `params` what stands
 * behind it in a cost (`{NAME}PARAMETERS`). verify's result starts as failure:
 * VMAIL_OK only when the password is the one; VMAIL_MISMATCH;
 * VMAIL_MALFORMED: not a hash of this scheme; VMAIL_UNSUPPORTED: asks for more
 * than the caps allow, or this host's library refuses it; VMAIL_NO_MEMORY.
 * Only VMAIL_OK and VMAIL_MISMATCH have spent the hash's cost. Functions see
 * no empty password and none over password_max.
 */
struct vmail_scheme {
	const char *name;
	enum vmail_strength strength;
	unsigned rank;	     /* order of preference: rehash goes upwards only */
	const char *note;    /* one line for `hash --list` */
	size_t password_max; /* longer ones are never hashed; 0: no limit */
	enum vmail_rc (*verify)(
	    struct vmail_str data, const struct vmail_secret *password);
	/* Writes data (no {NAME}) for a new password, by conf's costs.
	 * VMAIL_INVALID: those are out of the caps. */
	enum vmail_rc (*make)(const struct vmail_scheme *self,
	    const struct vmail_conf *conf, const struct vmail_secret *password,
	    struct vmail_buf *data);
	/* The parameters that decide what a verify costs, for `cost=`:
	 * "rounds=5000", "12", "m=19456,t=2"; enough for spend, and nothing
	 * of salt or hash. Judges the data's form and caps as verify does. */
	enum vmail_rc (*cost)(struct vmail_str data, struct vmail_buf *params);
	/* The same for what conf would make now. */
	void (*conf_cost)(const struct vmail_scheme *self,
	    const struct vmail_conf *conf, struct vmail_buf *params);
	/* Pays exactly what verifying a hash of these parameters costs. Not
	 * VMAIL_OK: nothing was paid. */
	enum vmail_rc (*spend)(const struct vmail_scheme *self,
	    struct vmail_str params, const struct vmail_secret *password);
	/* A number to compare two costs of this scheme by; 0: unreadable.
	 * NULL: a scheme whose hashes are never replaced at a login. */
	uint64_t (*work)(
	    const struct vmail_scheme *self, struct vmail_str params);
	/* The scheme that data really is of: {CRYPT}$6$... is SHA512-CRYPT.
	 * NULL: always this one. */
	const struct vmail_scheme *(*kin)(
	    const struct vmail_scheme *self, struct vmail_str data);
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

/* Verifies a password field: VMAIL_OK alone means "this is the password".
 * VMAIL_MISMATCH; all others (an empty or over-long password is
 * VMAIL_UNSUPPORTED) have spent nothing. */
enum vmail_rc vmail_scheme_verify(
    struct vmail_str field, const struct vmail_secret *password);

/* Writes `{NAME}data`, terminated. VMAIL_INVALID: the password cannot be kept
 * in this scheme (too long; PLAIN with ':'), or conf's cost is out of the
 * caps, the reason in err; VMAIL_NO_MEMORY; VMAIL_IO: no randomness;
 * VMAIL_TOO_SMALL. */
enum vmail_rc vmail_scheme_make(const struct vmail_scheme *scheme,
    const struct vmail_conf *conf, const struct vmail_secret *password,
    struct vmail_buf *field, struct vmail_err *err);

/* `{NAME}PARAMETERS` of a password field, terminated, for the map's cost=;
 * NAME is the scheme that the data really is of. VMAIL_MALFORMED and
 * VMAIL_UNSUPPORTED as cut and verify say; VMAIL_TOO_SMALL. */
enum vmail_rc vmail_scheme_cost(struct vmail_str field, struct vmail_buf *cost);
/* The same for what conf would make now. VMAIL_UNSUPPORTED: its scheme is
 * unknown. */
enum vmail_rc vmail_scheme_cost_of_conf(
    const struct vmail_conf *conf, struct vmail_buf *cost);

/* Spends what `cost` says on this password and throws the result away. An
 * unreadable cost is spent as conf's own. */
void vmail_scheme_spend(struct vmail_str cost, const struct vmail_conf *conf,
    const struct vmail_secret *password);

/*
 * Is this hash below what conf would make: a lower-ranked crypt or argon2
 * scheme, or the same with a lower cost? (rehash_on_login)
 */
bool vmail_scheme_below(struct vmail_str field, const struct vmail_conf *conf);

/* May it be written as an imported password field (`{NAME}` of a recognised
 * scheme in front, data of its form and within the caps, no ':' or control
 * byte; or `{CRYPT}*`, which never matches)? NULL, or the reason. */
const char *vmail_scheme_fault(struct vmail_str field);

/* For the families: could so many bytes be had now? Libraries tell a lack of
 * memory and a wrong password apart badly. */
bool vmail_scheme_room(uint64_t bytes);

#endif
