#include "cli/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/say.h"

/* Whom a signal is handed on to. */
static volatile sig_atomic_t child;

static void
hand_on(int number)
{
	if (child > 0)
		kill((pid_t)child, number);
}

static const struct {
	int number;
	void (*handler)(int);
} held[] = {
	{ SIGINT, SIG_IGN },
	{ SIGQUIT, SIG_IGN },
	{ SIGTERM, hand_on },
	{ SIGHUP, hand_on },
};
enum { HELD = sizeof(held) / sizeof(held[0]) };

/* In the child: all as it was for us, but for SIGPIPE, which is ours alone to
 * ignore. */
__attribute__((noreturn)) static void
become(char *const *argv, const struct sigaction old[HELD],
    const sigset_t *mask, pid_t parent)
{
	for (size_t i = 0; i < HELD; i++)
		sigaction(held[i].number, &old[i], NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (getppid() != parent)
		_exit(CHILD_SIGNAL + SIGTERM);
	execvp(argv[0], argv);
	say_fail(0, "%s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_EXECUTABLE);
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return say_fail(
			    STATUS_FAILED, "wait: %s", strerror(errno));
	}
	if (WIFSIGNALED(status))
		return CHILD_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int
child_run(char *const *argv)
{
	struct sigaction old[HELD], new = { .sa_flags = SA_RESTART };
	pid_t parent = getpid(), pid;
	sigset_t all, mask;
	int status;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	for (size_t i = 0; i < HELD; i++) {
		new.sa_handler = held[i].handler;
		sigaction(held[i].number, &new, &old[i]);
	}
	pid = fork();
	if (pid == 0)
		become(argv, old, &mask, parent);
	child = pid;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	status = pid < 0 ? say_fail(STATUS_FAILED, "fork: %s", strerror(errno))
			 : wait_for(pid);
	child = 0;
	for (size_t i = 0; i < HELD; i++)
		sigaction(held[i].number, &old[i], NULL);
	return status;
}
