/*
 * Which component of a path lacks which bit for whom, as Dovecot says it. What
 * owner, mode and POSIX ACL grant is worked out here, not tried: security
 * modules and the file system's own rules are not asked.
 */
#ifndef VMAIL_ADMIN_LACKING_H
#define VMAIL_ADMIN_LACKING_H

#include <stddef.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/core/err.h"

/* Numbers as they are on the system that asks. groups: those besides gid. */
struct vmail_lacking_who {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
};

/*
 * Of wanted (R_OK, W_OK and X_OK, or'ed), what owner and mode of *st, and the
 * ACL (NULL: there is none), do not grant; 0: nothing is lacking. uid 0 lacks
 * nothing but an X_OK that nobody has on what is no folder.
 */
int vmail_lacking_bits(const struct stat *st, acl_t acl,
    const struct vmail_lacking_who *who, int wanted);

/*
 * Walks the path from the folder open at dirfd_root, which is its "/" (that of
 * another process, say), following links as the kernel would: X_OK on every
 * folder on the way, `wanted` on what it leads to.
 * VMAIL_OK: nothing is lacking; room is "". VMAIL_DENIED: room says, as Dovecot
 * does within its brackets,
 *   euid=1000 egid=1000 missing +x perm: /var/mail, dir owned by 5000:5000
 *   mode=0700
 * on one line, cut where it does not fit. VMAIL_NOT_FOUND: room names the
 * component that is not there. VMAIL_INVALID: too many links. VMAIL_IO (errno),
 * VMAIL_NO_MEMORY: room says what could not be looked at.
 */
enum vmail_rc vmail_lacking_explain(int dirfd_root, const char *path,
    const struct vmail_lacking_who *who, int wanted, char *room, size_t size);

#endif
