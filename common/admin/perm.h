/*
 * Whose file is whose: taking over owner, mode and attributes, and walking a
 * mail home without following links. No path is walked by name where a user
 * owns the folder.
 */
#ifndef VMAIL_ADMIN_PERM_H
#define VMAIL_ADMIN_PERM_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/ids.h"

/* Owner, mode, ACL and security label of `from` onto `to`. A label the
 * file system cannot keep is passed over (ENOTSUP). */
enum vmail_rc vmail_perm_like(
    int from, int to, const char *path, struct vmail_err *err);

/* The group that may read the passwd-file, here. VMAIL_INVALID: there is none
 * of that name; VMAIL_IO. */
enum vmail_rc vmail_perm_reader(
    const struct vmail_conf *conf, gid_t *gid, struct vmail_err *err);

/* Are ids here the host's own: is this no user namespace? */
bool vmail_perm_on_host(void);

/* A mail home and who may stand on the way to it: the home is the user's, the
 * folders above it are root's, the owner's (the identity that owns mail) or
 * the user's. */
struct vmail_perm_home {
	const char *path;
	struct vmail_ids owner, user;
};

/*
 * Makes the mail home, 0700 for the user, and missing folders above it, 0711
 * for the owner: users with numbers of their own pass through them and list
 * nothing. VMAIL_OK and *made (may be NULL); VMAIL_EXISTS: something else
 * stands there; VMAIL_UNSAFE: a component is a link, or belongs to somebody
 * unexpected; VMAIL_IO.
 */
enum vmail_rc vmail_perm_make_home(
    const struct vmail_perm_home *home, bool *made, struct vmail_err *err);

/*
 * Removes the home and all below it, on its file system only, following no
 * link. VMAIL_NOT_FOUND: nothing there. VMAIL_UNSAFE: a component is a link,
 * the home is not the user's, or is `/` or directly below it. VMAIL_BUSY: it
 * is being filled again, or a folder in it was moved meanwhile.
 */
enum vmail_rc vmail_perm_remove_home(
    const struct vmail_perm_home *home, struct vmail_err *err);

#endif
