#include "pam/rc.h"

#include <security/_pam_types.h>

static const struct {
	int unknown, mismatch, denied, busy, broken;
} answers[] = {
	[VMAIL_ASK_CONF] = {
		.unknown = PAM_SERVICE_ERR,
		.mismatch = PAM_SERVICE_ERR,
		.denied = PAM_SERVICE_ERR,
		.busy = PAM_SERVICE_ERR,
		.broken = PAM_SERVICE_ERR,
	},
	/* A refused user looks like a wrong password from outside. */
	[VMAIL_ASK_LOGIN] = {
		.unknown = PAM_USER_UNKNOWN,
		.mismatch = PAM_AUTH_ERR,
		.denied = PAM_AUTH_ERR,
		.busy = PAM_AUTHINFO_UNAVAIL,
		.broken = PAM_AUTHINFO_UNAVAIL,
	},
	[VMAIL_ASK_ACCOUNT] = {
		.unknown = PAM_USER_UNKNOWN,
		.mismatch = PAM_AUTH_ERR,
		.denied = PAM_PERM_DENIED,
		.busy = PAM_AUTHINFO_UNAVAIL,
		.broken = PAM_AUTHINFO_UNAVAIL,
	},
	[VMAIL_ASK_CHANGE] = {
		.unknown = PAM_USER_UNKNOWN,
		.mismatch = PAM_AUTH_ERR,
		.denied = PAM_PERM_DENIED,
		.busy = PAM_AUTHTOK_LOCK_BUSY,
		.broken = PAM_AUTHTOK_ERR,
	},
	[VMAIL_ASK_SESSION] = {
		.unknown = PAM_USER_UNKNOWN,
		.mismatch = PAM_SESSION_ERR,
		.denied = PAM_SESSION_ERR,
		.busy = PAM_SESSION_ERR,
		.broken = PAM_SESSION_ERR,
	},
};

int
vmail_pam_code(enum vmail_rc rc, enum vmail_ask ask)
{
	switch (rc) {
	case VMAIL_OK:
		return PAM_SUCCESS;
	case VMAIL_NOT_FOUND:
		return answers[ask].unknown;
	case VMAIL_MISMATCH:
		return answers[ask].mismatch;
	case VMAIL_DENIED:
		return answers[ask].denied;
	case VMAIL_BUSY:
		return answers[ask].busy;
	case VMAIL_EXISTS:
	case VMAIL_INVALID:
	case VMAIL_MALFORMED:
	case VMAIL_UNSAFE:
	case VMAIL_UNSUPPORTED:
	case VMAIL_TOO_SMALL:
	case VMAIL_NO_MEMORY:
	case VMAIL_IO:
		return answers[ask].broken;
	}
	return PAM_SYSTEM_ERR;
}
