/*
 * What may stand in the system's log: through pam_syslog alone; never a
 * password, a hash, or a name that is no user's (people type their password
 * there); every control byte shown as \xNN.
 */
#ifndef VMAIL_PAM_LOG_H
#define VMAIL_PAM_LOG_H

#include "common/core/err.h"
#include "pam/login.h"

/* How a question about the user ended, l->err saying why; the name only
 * where the answer proves that it is one. VMAIL_OK says nothing. */
void vmail_log_answer(const struct vmail_login *l, enum vmail_rc rc);

/* A failure of ours in a step ("new password"), whoever the user is. */
void vmail_log_failure(
    const struct vmail_login *l, const char *step, const struct vmail_err *err);

/* What happened to a user known to be one: "password changed". */
void vmail_log_user(const struct vmail_login *l, const char *what);

/* With the argument `debug`: what an entry point answers. Returns code. */
int vmail_log_leave(const struct vmail_login *l, const char *entry, int code);

#endif
