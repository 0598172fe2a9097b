/*
 * Whose file is whose: taking over owner, mode and attributes, and walking a
 * mail home without following links. No path is walked by name where a user
 * owns the folder.
 */
#ifndef VMAIL_ADMIN_PERM_H
#define VMAIL_ADMIN_PERM_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/core/err.h"

/* Owner, mode, ACL and security label of `from` onto `to`. A label the
 * file system cannot keep is passed over (ENOTSUP). */
enum vmail_rc vmail_perm_like(
    int from, int to, const char *path, struct vmail_err *err);

/* Are ids here the host's own: is this no user namespace? */
bool vmail_perm_on_host(void);

/*
 * Makes the mail home: missing folders 0700 for uid:gid. VMAIL_OK and *made
 * (may be NULL); VMAIL_EXISTS: something else stands there; VMAIL_UNSAFE: a
 * component is a link, or belongs to somebody unexpected; VMAIL_IO.
 */
enum vmail_rc vmail_perm_make_home(
    const char *home, uid_t uid, gid_t gid, bool *made, struct vmail_err *err);

/*
 * Removes the home and all below it, on its file system only, following no
 * link. VMAIL_NOT_FOUND: nothing there. VMAIL_UNSAFE: a component is a link,
 * the home does not belong to uid, or is `/` or directly below it.
 */
enum vmail_rc vmail_perm_remove_home(
    const char *home, uid_t uid, struct vmail_err *err);

#endif
