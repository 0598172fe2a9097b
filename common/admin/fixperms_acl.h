/* A reader of a file of hashes by a POSIX ACL, where it is not in its group. */
#ifndef VMAIL_ADMIN_FIXPERMS_ACL_H
#define VMAIL_ADMIN_FIXPERMS_ACL_H

#include "common/admin/fixperms.h"

/*
 * fd: of a file that has its mode already. May guest read what fd is open on
 * (not with O_PATH)? If not, an entry u:UID:r-- is added, told and counted; a
 * mask lets it through and gives nobody else more.
 */
void vmail_fixperms_let_read(struct vmail_fixperms *f, int fd,
    const struct vmail_ids *guest, const char *path);

#endif
