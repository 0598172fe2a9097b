/* check: who has one of the files mounted alone, and sees no change of it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/derived.h"
#include "common/admin/derive.h"
#include "common/admin/mounts.h"
#include "common/admin/procname.h"
#include "common/core/file.h"

enum { PROCESS_ROOM = 256, TEXT_ROOM = 768 };

struct look {
	struct check *check;
	const char *path;
};

/* "process PID (NAME)", and its container. */
static void
put_process(pid_t pid, char text[PROCESS_ROOM])
{
	char path[32], name[VMAIL_PROCNAME_MAX];
	char container[VMAIL_CONTAINER_MAX] = "";
	VMAIL_AUTOCLOSE int proc = -1;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vmail_procname(proc, name);
	if (vmail_procname_contained(proc))
		vmail_procname_container(proc, container);
	snprintf(text, PROCESS_ROOM, "process %d (%s)%s%s", (int)pid, name,
	    container[0] ? " in container " : "", container);
}

static void
say(const struct look *l, enum severity severity, const char *code,
    const char *message)
{
	char fix[DERIVED_PATH_MAX + 64];
	int folder = (int)(strrchr(l->path, '/') - l->path);

	snprintf(fix, sizeof(fix),
	    "mount its folder %.*s there instead of the file, and start it "
	    "again",
	    folder, l->path);
	check_say(l->check, &(struct finding){ severity, code, l->path, 0,
				{ NULL, 0 }, message, fix });
}

static bool
each(const struct vmail_mounts_holder *holder, void *arg)
{
	const struct look *l = arg;
	char process[PROCESS_ROOM], text[TEXT_ROOM];

	put_process(holder->pid, process);
	snprintf(text, sizeof(text),
	    holder->stale
		? "%s has an old one mounted alone, at %.*s, and sees no change"
		: "%s has it mounted alone, at %.*s: changes are written in "
		  "place, not at once",
	    process, (int)holder->point.n, holder->point.p);
	say(l, holder->stale ? SEVERITY_ERROR : SEVERITY_WARN,
	    holder->stale ? "mount-stale" : "mount-alone", text);
	return l->check->good;
}

/* How it is mounted here, where that is alone. */
static void
look_here(const struct look *l, int fd)
{
	struct vmail_mounts_verdict verdict;
	struct vmail_err err;

	switch (vmail_mounts_judge(fd, l->path, &verdict, &err)) {
	case VMAIL_OK:
		if (verdict.way == VMAIL_MOUNTS_ITSELF)
			say(l, SEVERITY_WARN, "mount-alone",
			    "it is itself a mount point: changes are written "
			    "in place, not at once");
		return;
	case VMAIL_UNSUPPORTED:
		say(l, SEVERITY_ERROR, "mount-stale",
		    "it was replaced behind this mount: no change is seen "
		    "here, and none can be made");
		return;
	case VMAIL_NOT_FOUND:
	case VMAIL_EXISTS:
	case VMAIL_MISMATCH:
	case VMAIL_DENIED:
	case VMAIL_INVALID:
	case VMAIL_MALFORMED:
	case VMAIL_UNSAFE:
	case VMAIL_BUSY:
	case VMAIL_TOO_SMALL:
	case VMAIL_NO_MEMORY:
	case VMAIL_IO:
		return;
	}
}

/* Nothing was found, but not everybody was looked at. */
static void
say_unseen(const struct look *l, const struct vmail_mounts_unseen *unseen)
{
	char process[PROCESS_ROOM], text[TEXT_ROOM];
	const char *why = unseen->why ? strerror(unseen->why)
				      : "it hides processes (hidepid)";

	l->check->unseen = true;
	put_process(unseen->pid, process);
	if (unseen->all)
		snprintf(text, sizeof(text),
		    "who else has it mounted cannot be told: /proc: %s", why);
	else
		snprintf(text, sizeof(text),
		    "who else has it mounted cannot be told of %lu processes, "
		    "as %s: %s",
		    unseen->n, process, why);
	check_say(l->check, &(struct finding){ SEVERITY_WARN, "mount-unseen",
				l->path, 0, { NULL, 0 }, text,
				"check it once more on the host, as a root "
				"who may see all of /proc" });
}

static void
check_file(struct check *c, const char *path)
{
	struct vmail_mounts_unseen unseen = { .all = false };
	struct look l = { c, path };
	VMAIL_AUTOCLOSE int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) /* said elsewhere */
		return;
	look_here(&l, fd);
	(void)vmail_mounts_holders(fd, path, each, &l, &unseen, NULL);
	if ((unseen.all || unseen.n != 0) && !c->unseen)
		say_unseen(&l, &unseen);
}

void
check_mounts(struct check *c)
{
	char path[DERIVED_PATH_MAX];
	const char *name;

	check_file(c, c->conf->passwd_file);
	for (size_t i = 0; (name = vmail_derive_name(i)) != NULL; i++) {
		derived_beside(c->conf, name, path);
		check_file(c, path);
	}
}
