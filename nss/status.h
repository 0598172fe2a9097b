/*
 * The one switch that turns an answer of the library into NSS's language.
 */
#ifndef VMAIL_NSS_STATUS_H
#define VMAIL_NSS_STATUS_H

#include <nss.h>

#include "common/core/err.h"

/* A lookup begins: the caller's errno is kept, and errno is 0 until a system
 * call fails. */
int vmail_nss_begin(void);

/*
 * And ends: errno is the caller's again; on failure *errnop says why. It is
 * never 0, ERANGE means "buffer too small" alone, and EINVAL is never said:
 * Dovecot takes it for "no such user" and would bounce what should wait.
 */
enum nss_status vmail_nss_end(enum vmail_rc rc, int kept, int *errnop);

#endif
