/*
 * The order of steps of a login: arguments, vmail.conf, the user's name, the
 * password (always asked for), one check that costs the same whoever it is,
 * the answer.
 *
 * Functions return PAM's codes. Those of their own come from vmail_pam_code.
 */
#ifndef VMAIL_PAM_LOGIN_H
#define VMAIL_PAM_LOGIN_H

#include <security/pam_modules.h>

#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/err.h"
#include "common/core/text.h"
#include "pam/args.h"

/* One call of one entry point. Holds no secret, owns nothing. */
struct vmail_login {
	pam_handle_t *pamh;
	struct vmail_args args;
	struct vmail_conf conf;
	char name[VMAIL_NAME_MAX + 1]; /* as a record has it; "": none can */
	struct vmail_err err;
};

/* Arguments and vmail.conf: PAM_SERVICE_ERR, logged, if either is wrong. */
int vmail_login_begin(
    struct vmail_login *l, pam_handle_t *pamh, int argc, const char **argv);

/* The user's name, into l->name. */
int vmail_login_user(struct vmail_login *l);

/* Logs how a question about the user ended, and returns it. The kernel's no to
 * this process says nothing of the user: it is VMAIL_IO. */
enum vmail_rc vmail_login_answer(struct vmail_login *l, enum vmail_rc rc);

/* Shows the user's record to take, which says what it made of it; logged.
 * Nothing of the record stays in memory. */
enum vmail_rc vmail_login_record(struct vmail_login *l,
    enum vmail_rc (*take)(
	struct vmail_login *l, const struct vmail_entry *entry, void *arg),
    void *arg);

/* Is this the user's password, and may the user in? Logged. A password that
 * cannot be one (empty, over-long) costs what any other does. */
enum vmail_rc vmail_login_verify(struct vmail_login *l, const char *password);

/* May the user in? Logged. */
enum vmail_rc vmail_login_policy(struct vmail_login *l);

/* Asks libpam for its delay, unless `nodelay`, if code is a failure that a
 * guesser could repeat. Returns code. */
int vmail_login_delay(const struct vmail_login *l, int code);

int vmail_login_authenticate(struct vmail_login *l);
int vmail_login_account(struct vmail_login *l);

#endif
