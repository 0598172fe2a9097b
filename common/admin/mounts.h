/*
 * Who else sees this file: a file that is itself a mount point cannot be
 * replaced by rename, one that others have mounted singly must not be (they
 * would keep the old one for ever), and one that was replaced behind our mount
 * is no longer the file others see.
 */
#ifndef VMAIL_ADMIN_MOUNTS_H
#define VMAIL_ADMIN_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/core/err.h"
#include "common/core/text.h"

/* A mount of one file alone, in another mount namespace or in ours. */
struct vmail_mounts_holder {
	pid_t pid;		/* the first process seen in that namespace */
	struct vmail_str point; /* where, as that process sees it */
	bool stale; /* it is what the file was before it was replaced */
};

/* Who could not be looked at, and so may be such a holder. */
struct vmail_mounts_unseen {
	bool all;	 /* /proc shows no processes, or hides some */
	unsigned long n; /* processes whose mounts may not be read */
	pid_t pid;	 /* the first one of them */
	int why;	 /* errno, of that one or of /proc; 0: hidden */
};

/*
 * Calls each for every such mount of the file open at fd (as
 * /proc/PID/mountinfo tells); false stops the search. VMAIL_OK also where
 * /proc shows little or nothing: *unseen says so. VMAIL_NO_MEMORY, VMAIL_IO.
 */
enum vmail_rc vmail_mounts_holders(int fd, const char *path,
    bool (*each)(const struct vmail_mounts_holder *holder, void *arg),
    void *arg, struct vmail_mounts_unseen *unseen, struct vmail_err *err);

/*
 * Calls each with every path at which a process has that file in its mounts,
 * by a folder or alone, as the process sees it (proc: its /proc/PID, open);
 * another mount may lie over it there. False stops. VMAIL_OK also where there
 * is none. VMAIL_IO.
 */
enum vmail_rc vmail_mounts_paths(int fd, const char *path, int proc,
    bool (*each)(const char *seen, void *arg), void *arg,
    struct vmail_err *err);

/* How a file may be changed. */
enum vmail_mounts_way {
	VMAIL_MOUNTS_RENAME,   /* replaced by a new one */
	VMAIL_MOUNTS_ITSELF,   /* in place: it is itself a mount point */
	VMAIL_MOUNTS_BY_OTHERS /* in place: others have it mounted singly */
};
struct vmail_mounts_verdict {
	enum vmail_mounts_way way;
	pid_t holder; /* one of the others */
};

/* VMAIL_UNSUPPORTED: it was replaced (no link left; `//deleted` in our
 * mountinfo), with the mend in err. VMAIL_NO_MEMORY, VMAIL_IO. */
enum vmail_rc vmail_mounts_judge(int fd, const char *path,
    struct vmail_mounts_verdict *verdict, struct vmail_err *err);

#endif
