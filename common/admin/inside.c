#include "common/admin/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/file.h"

/* Exit statuses: what ask said, else an errno from here on. */
enum { NOT_ASKED = VMAIL_INSIDE_MAX + 1, ERRNO_MAX = 255 - NOT_ASKED };
/* How long a killed child may take, in milliseconds. */
enum { KILL_WAIT = 200 };

/* Where the process is; -1: where we are too. */
struct place {
	int mount, user, root;
};

static void
place_close(struct place *p)
{
	vmail_file_close(&p->mount);
	vmail_file_close(&p->user);
	vmail_file_close(&p->root);
}

/* Opens what the process has there; nothing is left open where we have the
 * same. False with errno. */
static bool
open_other(int proc, const char *name, const char *ours, int *fd)
{
	struct stat theirs, mine;

	*fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &theirs) != 0)
		return false;
	if (stat(ours, &mine) == 0 && mine.st_dev == theirs.st_dev &&
	    mine.st_ino == theirs.st_ino)
		vmail_file_close(fd);
	return true;
}

static enum vmail_rc
place_open(int proc, struct place *p, struct vmail_err *err)
{
	if (open_other(proc, "ns/mnt", "/proc/self/ns/mnt", &p->mount) &&
	    open_other(proc, "ns/user", "/proc/self/ns/user", &p->user) &&
	    open_other(proc, "root", p->mount < 0 ? "/" : "", &p->root))
		return VMAIL_OK;
	if (errno == ENOENT || errno == ESRCH)
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, NULL, 0, "the process has ended");
	return vmail_fail_sys(err, NULL, "open its namespaces");
}

/* All that bears on reading a file. */
#define CAPS_TAKEN                                                             \
	(UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_DAC_READ_SEARCH)

/* All of ours in effect, after a change of ids took that away; or no more than
 * `only`. */
static bool
set_caps(const uint64_t *only)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &head, caps) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (only != NULL)
			caps[i].permitted =
			    (uint32_t)((*only & CAPS_TAKEN) >> 32 * i);
		caps[i].effective = caps[i].permitted;
		caps[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, caps) == 0;
}

/* The mounts first, with the rights that we still have; the ids as we see
 * them, before the user namespace translates them; nothing of ours last. */
static bool
go(const struct place *p, const struct vmail_who *who)
{
	return prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       (p->mount < 0 || setns(p->mount, CLONE_NEWNS) == 0) &&
	       (p->root < 0 || (fchdir(p->root) == 0 && chroot(".") == 0)) &&
	       prctl(PR_SET_KEEPCAPS, 1) == 0 &&
	       setgroups(who->ngroups, who->groups) == 0 &&
	       setresgid(who->gid, who->gid, who->gid) == 0 &&
	       setresuid(who->uid, who->uid, who->uid) == 0 && set_caps(NULL) &&
	       (p->user < 0 || setns(p->user, CLONE_NEWUSER) == 0) &&
	       close_range(0, ~0U, 0) == 0 && set_caps(&who->caps) &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

__attribute__((noreturn)) static void
child(const struct place *p, const struct vmail_who *who,
    int (*ask)(const void *arg), const void *arg)
{
	if (!go(p, who))
		_exit(NOT_ASKED + (errno < ERRNO_MAX ? errno : ERRNO_MAX));
	_exit(ask(arg));
}

/* Our handlers are not for the child to run. */
static pid_t
fork_quietly(const struct place *p, const struct vmail_who *who,
    int (*ask)(const void *arg), const void *arg)
{
	sigset_t all, mask;
	pid_t pid;
	int saved;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &mask);
	pid = fork();
	if (pid == 0)
		child(p, who, ask, arg);
	saved = errno;
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	errno = saved;
	return pid;
}

/* False: it has not ended within that time. */
static bool
ends_within(int pidfd, int limit)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	int got;

	do
		got = poll(&wait, 1, limit);
	while (got < 0 && errno == EINTR);
	return got > 0;
}

static enum vmail_rc
judge(int status, int *answer, struct vmail_err *err)
{
	if (!WIFEXITED(status))
		return vmail_fail(
		    err, VMAIL_IO, NULL, 0, "the child was killed there");
	if (WEXITSTATUS(status) <= VMAIL_INSIDE_MAX) {
		*answer = WEXITSTATUS(status);
		return VMAIL_OK;
	}
	errno = WEXITSTATUS(status) - NOT_ASKED;
	/* An id without a number in our user namespace. */
	if (errno == EINVAL)
		return vmail_fail(err, VMAIL_DENIED, NULL, 0,
		    "its ids have no number in our user namespace");
	return vmail_fail_sys(err, NULL, "enter its namespaces");
}

/* A child that even SIGKILL does not end at once, in a file system that does
 * not answer, is not waited for. */
static enum vmail_rc
wait_for(pid_t pid, int limit, int *answer, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool in_time = pidfd >= 0 && ends_within(pidfd, limit);
	enum vmail_rc rc = VMAIL_OK;
	int status;

	if (!in_time) {
		rc = vmail_fail(err, VMAIL_BUSY, NULL, 0, "no answer in time");
		(void)kill(pid, SIGKILL);
		if (pidfd >= 0 && !ends_within(pidfd, KILL_WAIT))
			return rc;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return vmail_fail_sys(err, NULL, "wait");
	return in_time ? judge(status, answer, err) : rc;
}

enum vmail_rc
vmail_inside_ask(int proc, const struct vmail_who *who, int limit,
    int (*ask)(const void *arg), const void *arg, int *answer,
    struct vmail_err *err)
{
	__attribute__((cleanup(place_close))) struct place place = { -1, -1,
		-1 };
	enum vmail_rc rc = place_open(proc, &place, err);
	pid_t pid;

	if (rc != VMAIL_OK)
		return rc;
	pid = fork_quietly(&place, who, ask, arg);
	if (pid < 0)
		return vmail_fail_sys(err, NULL, "fork");
	return wait_for(pid, limit, answer, err);
}
