/*
 * How a user changes the own password through PAM: libpam asks twice, first
 * whether it could be done, then for it to be done.
 */
#ifndef VMAIL_PAM_PASSWD_H
#define VMAIL_PAM_PASSWD_H

#include "pam/login.h"

/* PAM_PRELIM_CHECK: the old password is right (a process of root is not
 * asked), the user may, the file can be locked and written. Changes nothing. */
int vmail_passwd_check(struct vmail_login *l, unsigned flags);

/* PAM_UPDATE_AUTHTOK: all that again, and the change. */
int vmail_passwd_update(struct vmail_login *l, unsigned flags);

#endif
