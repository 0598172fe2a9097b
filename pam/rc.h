/*
 * What PAM is told: the one place where the library's answers become PAM's,
 * and the only one that says PAM_SUCCESS.
 */
#ifndef VMAIL_PAM_RC_H
#define VMAIL_PAM_RC_H

#include "common/core/err.h"

/* What was asked; it decides how a failure is called. */
enum vmail_ask {
	VMAIL_ASK_CONF,	   /* module arguments and vmail.conf */
	VMAIL_ASK_LOGIN,   /* authenticate */
	VMAIL_ASK_ACCOUNT, /* acct_mgmt; who may change a password */
	VMAIL_ASK_CHANGE,  /* writing the new password */
	VMAIL_ASK_SESSION,
};

int vmail_pam_code(enum vmail_rc rc, enum vmail_ask ask);

#endif
