/* The inside of fixperms: one thing, by its descriptor; and how it is told. */
#ifndef VMAIL_ADMIN_FIXPERMS_FIX_H
#define VMAIL_ADMIN_FIXPERMS_FIX_H

#include <sys/stat.h>

#include "common/admin/fixperms.h"

struct vmail_fixperms_perms vmail_fixperms_is(const struct statx *sx);

/*
 * What fd (O_PATH will do) is open on, *is having just been read from it: made
 * as *want says where it is not, and told. First the bits that must not be,
 * then the owner, then - of what the kernel made of it - the bits that must
 * be: at no moment may anybody do more than before or after.
 */
void vmail_fixperms_fix(struct vmail_fixperms *f, int fd,
    const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is, const char *path);

/* is may be NULL. */
void vmail_fixperms_leave(struct vmail_fixperms *f, const char *path,
    const struct vmail_fixperms_perms *is, const char *why);
void vmail_fixperms_miss(struct vmail_fixperms *f, const char *path);

/* Counts what was looked at. */
void vmail_fixperms_count(struct vmail_fixperms *f);

#endif
