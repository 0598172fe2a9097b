/*
 * Can a process read this file? Tested by doing it, from its place and with
 * its rights (inside.h): what modes, ACLs, mounts and id maps amount to, the
 * kernel says. What a security module adds for its program alone (AppArmor,
 * SELinux) is not tested.
 */
#ifndef VMAIL_ADMIN_ACCESS_H
#define VMAIL_ADMIN_ACCESS_H

#include <sys/stat.h>

#include "common/admin/inside.h"
#include "common/core/err.h"

enum vmail_access {
	VMAIL_ACCESS_READABLE,
	VMAIL_ACCESS_REFUSED, /* the file, or a folder on the way */
	VMAIL_ACCESS_MISSING, /* nothing of that name there */
	VMAIL_ACCESS_OTHER,   /* there, but not the file that is meant */
	VMAIL_ACCESS_FAILED   /* sys_errno */
};

struct vmail_access_answer {
	enum vmail_access verdict;
	int sys_errno; /* of VMAIL_ACCESS_FAILED */
};

/*
 * proc: /proc/PID of the process, open; path: as that process sees it, links
 * followed, as it would; file: the file meant, NULL for any regular one.
 *
 * VMAIL_OK and *answer; else it could not be tested, with the codes of
 * vmail_inside_ask; VMAIL_BUSY: the file does not answer.
 */
enum vmail_rc vmail_access_test(int proc, const struct vmail_who *who,
    const char *path, const struct stat *file,
    struct vmail_access_answer *answer, struct vmail_err *err);

#endif
