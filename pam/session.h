/*
 * What a session needs: with the argument `mkhome`, the user's home.
 */
#ifndef VMAIL_PAM_SESSION_H
#define VMAIL_PAM_SESSION_H

#include "pam/login.h"

/* Makes the home if it is missing, for the user's ids on this system.
 * PAM_SESSION_ERR, logged, if that is not possible. */
int vmail_session_open(struct vmail_login *l);

#endif
