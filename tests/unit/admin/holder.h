/*
 * A process that stands where a test wants one: in namespaces of its own, say.
 */
#ifndef VMAIL_TESTS_ADMIN_HOLDER_H
#define VMAIL_TESTS_ADMIN_HOLDER_H

#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

struct holder {
	pid_t pid;
	int proc; /* /proc/PID */
};

UNUSED static int
proc_of(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The child goes where go leads (false: it could not) and stays there. */
UNUSED static struct holder
hold(bool (*go)(const struct fixture *f), const struct fixture *f)
{
	struct holder h;
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	h.pid = fork();
	if (h.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!go(f) || write(ready[1], "", 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	h.proc = proc_of(h.pid);
	assert_true(h.proc >= 0);
	return h;
}

UNUSED static void
end_process(struct holder *h)
{
	kill(h->pid, SIGKILL);
	(void)outcome(h->pid);
}

UNUSED static void
release(struct holder *h)
{
	end_process(h);
	close(h->proc);
}

#endif
