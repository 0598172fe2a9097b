#include <security/pam_modules.h>

#include "pam/log.h"
#include "pam/login.h"
#include "pam/passwd.h"
#include "pam/session.h"

#define VMAIL_EXPORT __attribute__((visibility("default")))

VMAIL_EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct vmail_login l;
	int code = vmail_login_begin(&l, pamh, argc, argv);

	(void)flags;
	if (code == PAM_SUCCESS)
		code = vmail_login_delay(&l, vmail_login_authenticate(&l));
	return vmail_log_leave(&l, "authenticate", code);
}

VMAIL_EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct vmail_login l;
	int code = vmail_login_begin(&l, pamh, argc, argv);

	(void)flags;
	return vmail_log_leave(&l, "setcred", code);
}

VMAIL_EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct vmail_login l;
	int code = vmail_login_begin(&l, pamh, argc, argv);

	(void)flags;
	if (code == PAM_SUCCESS)
		code = vmail_login_account(&l);
	return vmail_log_leave(&l, "acct_mgmt", code);
}

VMAIL_EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct vmail_login l;
	int code = vmail_login_begin(&l, pamh, argc, argv);

	(void)flags;
	if (code == PAM_SUCCESS && l.args.mkhome)
		code = vmail_session_open(&l);
	return vmail_log_leave(&l, "open_session", code);
}

VMAIL_EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct vmail_login l;
	int code = vmail_login_begin(&l, pamh, argc, argv);

	(void)flags;
	return vmail_log_leave(&l, "close_session", code);
}

VMAIL_EXPORT int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct vmail_login l;
	int code = vmail_login_begin(&l, pamh, argc, argv);

	if (code != PAM_SUCCESS)
		return vmail_log_leave(&l, "chauthtok", code);
	if ((unsigned)flags & PAM_PRELIM_CHECK)
		code = vmail_passwd_check(&l, (unsigned)flags);
	else
		code = vmail_passwd_update(&l, (unsigned)flags);
	return vmail_log_leave(&l, "chauthtok", vmail_login_delay(&l, code));
}
