#include "nss/status.h"

#include <errno.h>

int
vmail_nss_begin(void)
{
	int kept = errno;

	errno = 0;
	return kept;
}

static int
errno_of_io(int said)
{
	if (said == 0 || said == ERANGE || said == EINVAL)
		return EIO;
	return said;
}

static enum nss_status
translate(enum vmail_rc rc, int said, int *number)
{
	switch (rc) {
	case VMAIL_OK:
		return NSS_STATUS_SUCCESS;
	case VMAIL_NOT_FOUND:
		*number = ENOENT;
		return NSS_STATUS_NOTFOUND;
	case VMAIL_TOO_SMALL:
		*number = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	case VMAIL_BUSY:
		*number = EAGAIN;
		return NSS_STATUS_TRYAGAIN;
	case VMAIL_NO_MEMORY:
		*number = ENOMEM;
		return NSS_STATUS_TRYAGAIN;
	case VMAIL_DENIED:
	case VMAIL_UNSAFE:
		*number = EACCES;
		return NSS_STATUS_UNAVAIL;
	case VMAIL_MALFORMED:
	case VMAIL_INVALID:
		*number = EBADMSG;
		return NSS_STATUS_UNAVAIL;
	case VMAIL_UNSUPPORTED:
		*number = ENOTSUP;
		return NSS_STATUS_UNAVAIL;
	case VMAIL_EXISTS:
	case VMAIL_MISMATCH:
	case VMAIL_IO:
		*number = errno_of_io(said);
		return NSS_STATUS_UNAVAIL;
	}
	*number = EIO;
	return NSS_STATUS_UNAVAIL;
}

enum nss_status
vmail_nss_end(enum vmail_rc rc, int kept, int *errnop)
{
	int number = 0;
	enum nss_status status = translate(rc, errno, &number);

	/* In this order: errnop is &errno when glibc asks. */
	errno = kept;
	if (status != NSS_STATUS_SUCCESS)
		*errnop = number;
	return status;
}
