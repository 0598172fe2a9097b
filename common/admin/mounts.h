/*
 * Who else sees this file: a file that is itself a mount point cannot be
 * replaced by rename, and one that was replaced behind our mount is no longer
 * the file others see.
 */
#ifndef VMAIL_ADMIN_MOUNTS_H
#define VMAIL_ADMIN_MOUNTS_H

#include "common/core/err.h"

/* VMAIL_OK; VMAIL_UNSUPPORTED: a mount point itself (statx), or replaced
 * (no link left; `//deleted` in our mountinfo), with the mend in err. */
enum vmail_rc vmail_mounts_replaceable(
    int fd, const char *path, struct vmail_err *err);

#endif
