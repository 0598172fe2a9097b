/*
 * How secrets are held and wiped: on every path, by a cleanup attribute.
 */
#ifndef VMAIL_ADMIN_SECRET_H
#define VMAIL_ADMIN_SECRET_H

#include <stddef.h>

#include "common/core/err.h"
#include "common/core/text.h"

enum { VMAIL_SECRET_MAX = 1024 };

struct vmail_secret {
	size_t len;
	char bytes[VMAIL_SECRET_MAX + 1]; /* terminated */
};

/* VMAIL_INVALID: empty, longer than VMAIL_SECRET_MAX, or with NUL or LF. */
enum vmail_rc vmail_secret_set(
    struct vmail_secret *s, const char *p, size_t n, struct vmail_err *err);

/* Wipes so that no optimiser takes it away; safe twice, safe on NULL. */
void vmail_secret_wipe(struct vmail_secret *s);

#define VMAIL_SECRET                                                           \
	struct vmail_secret __attribute__((cleanup(vmail_secret_wipe)))

/* A heap block of secrets: wiped, then freed. Safe on NULL. */
void vmail_wipe_block(void *block, size_t n);

/* The same of the pointer at p, which becomes NULL: safe twice. p is looked at
 * more than once; the block itself in its place does not compile. */
#define vmail_wipe_free(p, n)                                                  \
	((void)sizeof(**(p)), vmail_wipe_block(*(p), (n)), (void)(*(p) = NULL))

#endif
