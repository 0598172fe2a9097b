/*
 * A question asked from another process's place: in its mount and user
 * namespaces, below its root, with its ids, groups and capabilities. A forked
 * child goes there and asks; it holds no descriptor of ours by then, is not
 * to be traced or dumped, and its exit status is all that comes back.
 */
#ifndef VMAIL_ADMIN_INSIDE_H
#define VMAIL_ADMIN_INSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/err.h"

/* Whose rights. Numbers are those that *this* system sees, whatever the
 * process calls itself in its own user namespace: so groups that are not
 * mapped there count too. */
struct vmail_who {
	uid_t uid; /* for files: the fsuid */
	gid_t gid;
	const gid_t *groups; /* supplementary */
	size_t ngroups;
	uint64_t caps; /* effective, one bit each; a user's are 0. Taken are
			* those that bear on reading files */
};

enum { VMAIL_INSIDE_MAX = 191, VMAIL_INSIDE_LIMIT = 2000 };

/*
 * Calls ask(arg) from the place of the process whose /proc/PID is open at
 * proc, and tells what it returned, 0 to VMAIL_INSIDE_MAX. ask makes system
 * calls and nothing else: no heap, stdio, locale, NSS or dlopen, all of which
 * might load what lies there.
 *
 * VMAIL_OK and *answer. VMAIL_NOT_FOUND: the process has ended.
 * VMAIL_DENIED: it cannot be asked, since we may not enter there, or the ids
 * have no number in our own user namespace. VMAIL_BUSY: no answer within
 * limit milliseconds; the child was killed. VMAIL_IO, VMAIL_NO_MEMORY.
 */
enum vmail_rc vmail_inside_ask(int proc, const struct vmail_who *who, int limit,
    int (*ask)(const void *arg), const void *arg, int *answer,
    struct vmail_err *err);

#endif
