#include "common/admin/secret.h"

#include <stdlib.h>
#include <string.h>

static const char *
fault(const char *p, size_t n)
{
	if (n == 0)
		return "an empty password";
	if (n > VMAIL_SECRET_MAX)
		return "a password longer than 1024 bytes";
	if (memchr(p, '\0', n) || memchr(p, '\n', n))
		return "a NUL byte or a line feed in a password";
	return NULL;
}

enum vmail_rc
vmail_secret_set(
    struct vmail_secret *s, const char *p, size_t n, struct vmail_err *err)
{
	const char *why = fault(p, n);

	if (why)
		return vmail_fail(err, VMAIL_INVALID, NULL, 0, why);
	memset(s, 0, sizeof(*s));
	memcpy(s->bytes, p, n);
	s->len = n;
	return VMAIL_OK;
}

void
vmail_secret_wipe(struct vmail_secret *s)
{
	if (s)
		explicit_bzero(s, sizeof(*s));
}

void
vmail_wipe_block(void *block, size_t n)
{
	if (!block)
		return;
	explicit_bzero(block, n);
	free(block);
}
