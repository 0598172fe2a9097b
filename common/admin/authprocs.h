/*
 * The auth processes of every Dovecot that runs here, in whatever container:
 * they are who must be able to read the passwd-file. Found through /proc.
 */
#ifndef VMAIL_ADMIN_AUTHPROCS_H
#define VMAIL_ADMIN_AUTHPROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/admin/inside.h"
#include "common/admin/procname.h"
#include "common/core/err.h"

/* A process and its rights. /proc/PID is held open: whoever gets the same
 * number later is not taken for it. */
struct vmail_proc {
	pid_t pid;
	int dir;
	struct vmail_who who;
	gid_t *groups; /* who's */
};

struct vmail_authproc {
	struct vmail_proc self, master; /* `auth`, and the `dovecot` above it */
	/* In namespaces of its own. */
	bool other_pids, other_users, other_mounts;
	char container[VMAIL_CONTAINER_MAX]; /* its name, or "" */
};

struct vmail_authprocs {
	struct vmail_authproc *list;
	size_t n;
};

/*
 * All there are now; auth workers with the same rights as another one of the
 * same Dovecot once. VMAIL_OK also where /proc shows none: then n is 0.
 * VMAIL_NO_MEMORY.
 */
enum vmail_rc vmail_authprocs_open(
    struct vmail_authprocs *procs, struct vmail_err *err);
void vmail_authprocs_close(struct vmail_authprocs *procs);

#endif
