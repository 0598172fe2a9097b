/*
 * One login's questions in the order that tells an onlooker nothing: lookup,
 * then a hash computation whatever the lookup said, then policy. The PAM
 * module and `vmailadm auth` both ask here, so that they cannot differ.
 */
#ifndef VMAIL_ADMIN_AUTH_H
#define VMAIL_ADMIN_AUTH_H

#include <stdbool.h>

#include "common/admin/secret.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

/* The login's name as the record has it: lower-cased, default_domain put
 * behind a name without '@'. VMAIL_INVALID: cannot be a name. */
enum vmail_rc vmail_auth_name(const struct vmail_conf *conf, const char *login,
    char name[VMAIL_NAME_MAX + 1]);

/* Turns conf to the passwd-file of that name's domain, where there is one per
 * domain. VMAIL_NOT_FOUND: no domain that could have one; conf as it is then
 * answers so too. */
enum vmail_rc vmail_auth_enter(struct vmail_conf *conf, const char *name);

/*
 * VMAIL_OK: the password is right and policy lets the user in.
 * VMAIL_MISMATCH: wrong password, or a field that never matches.
 * VMAIL_DENIED: right or wrong, policy refuses (or a name without a domain
 * that this system's accounts own); *err says why, for a log.
 * VMAIL_NOT_FOUND: unknown user. Each of these four has spent one hash.
 * Others (VMAIL_IO, UNSAFE, BUSY, NO_MEMORY ...): unavailable.
 */
enum vmail_rc vmail_auth_check(const struct vmail_conf *conf, const char *name,
    const struct vmail_secret *password, struct vmail_err *err);

/* Policy alone, for acct_mgmt: VMAIL_OK, VMAIL_DENIED, VMAIL_NOT_FOUND,
 * others as above. */
enum vmail_rc vmail_auth_account(
    const struct vmail_conf *conf, const char *name, struct vmail_err *err);

#endif
