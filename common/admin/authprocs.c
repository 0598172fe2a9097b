#include "common/admin/authprocs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/procname.h"
#include "common/core/file.h"
#include "common/core/text.h"

/* A status holds 65,536 groups at most. */
enum { STATUS_ROOM = 1 << 20, NAME_ROOM = 32 };

/* A file of /proc, terminated; its length, -1 with errno. */
static ssize_t
slurp(int dir, const char *name, char *room, size_t size)
{
	VMAIL_AUTOCLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t got = 1;

	while (fd >= 0 && got > 0 && have < size - 1) {
		got = read(fd, room + have, size - 1 - have);
		have += got > 0 ? (size_t)got : 0;
	}
	room[have] = '\0';
	return fd < 0 || got < 0 ? -1 : (ssize_t)have;
}

static bool
is_called(int dir, const char *name)
{
	char comm[VMAIL_PROCNAME_MAX];

	vmail_procname(dir, comm);
	return strcmp(comm, name) == 0;
}

/* Is that the last component of its program, be it replaced meanwhile? */
static bool
runs(int dir, const char *name)
{
	static const char gone[] = " (deleted)";
	char exe[PATH_MAX];
	ssize_t n = readlinkat(dir, "exe", exe, sizeof(exe) - 1);
	size_t len;
	const char *last;

	if (n <= 0)
		return false;
	len = (size_t)n;
	exe[len] = '\0';
	if (len > sizeof(gone) - 1 &&
	    strcmp(exe + len - (sizeof(gone) - 1), gone) == 0)
		exe[len - (sizeof(gone) - 1)] = '\0';
	last = strrchr(exe, '/');
	return last != NULL && strcmp(last + 1, name) == 0;
}

/* What stands behind `key` in a status, without white space around it; empty
 * if the line is not there. */
static struct vmail_str
value_of(struct vmail_str status, const char *key)
{
	while (status.n > 0) {
		struct vmail_str line = vmail_text_cut(&status, '\n');

		if (!vmail_str_starts(line, key))
			continue;
		line.p += strlen(key);
		line.n -= strlen(key);
		while (line.n > 0 && (*line.p == '\t' || *line.p == ' ')) {
			line.p++;
			line.n--;
		}
		return line;
	}
	return (struct vmail_str){ NULL, 0 };
}

/* The next number of "1\t2\t3" or "1 2 3 ". */
static bool
next_id(struct vmail_str *s, uint32_t *id)
{
	uint64_t number;
	struct vmail_str word = vmail_text_cut(
	    s, s->p != NULL && memchr(s->p, '\t', s->n) != NULL ? '\t' : ' ');

	if (!vmail_text_number(word, UINT32_MAX, &number))
		return false;
	*id = (uint32_t)number;
	return true;
}

/* Of "real effective saved fs" the last, which is asked for files. */
static bool
fs_id(struct vmail_str value, uint32_t *id)
{
	for (int i = 0; i < 4; i++)
		if (!next_id(&value, id))
			return false;
	return true;
}

static bool
parse_caps(struct vmail_str value, uint64_t *caps)
{
	*caps = 0;
	for (size_t i = 0; i < value.n; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, value.p[i], 16);

		if (digit == NULL)
			return false;
		*caps = *caps << 4 | (uint64_t)(digit - digits);
	}
	return value.n != 0;
}

static bool
parse_groups(struct vmail_str value, struct vmail_proc *p)
{
	uint32_t group;
	size_t n = 0;

	/* A digit and a space each, at least. */
	p->groups = calloc(value.n / 2 + 1, sizeof(*p->groups));
	if (p->groups == NULL)
		return false;
	while (next_id(&value, &group))
		p->groups[n++] = group;
	p->who.groups = p->groups;
	p->who.ngroups = n;
	return true;
}

static void
proc_close(struct vmail_proc *p)
{
	vmail_file_close(&p->dir);
	free(p->groups);
	p->groups = NULL;
}

/* False: it has ended, or no memory (errno). */
static bool
proc_rights(struct vmail_proc *p, char *room)
{
	ssize_t n = slurp(p->dir, "status", room, STATUS_ROOM);
	struct vmail_str status = { room, n > 0 ? (size_t)n : 0 };

	return fs_id(value_of(status, "Uid:"), &p->who.uid) &&
	       fs_id(value_of(status, "Gid:"), &p->who.gid) &&
	       parse_caps(value_of(status, "CapEff:"), &p->who.caps) &&
	       parse_groups(value_of(status, "Groups:"), p);
}

static pid_t
parent_of(const struct vmail_proc *p, char *room)
{
	ssize_t n = slurp(p->dir, "status", room, STATUS_ROOM);
	struct vmail_str status = { room, n > 0 ? (size_t)n : 0 };
	uint64_t pid;

	if (!vmail_text_number(value_of(status, "PPid:"), INT_MAX, &pid))
		return 0;
	return (pid_t)pid;
}

static int
open_proc(pid_t pid)
{
	char path[NAME_ROOM];

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* It was its parent before and after it was looked at: so it is the one that
 * was looked at. */
static bool
find_master(struct vmail_authproc *a, char *room)
{
	a->master.pid = parent_of(&a->self, room);
	if (a->master.pid == 0)
		return false;
	a->master.dir = open_proc(a->master.pid);
	return a->master.dir >= 0 && is_called(a->master.dir, "dovecot") &&
	       proc_rights(&a->master, room) &&
	       parent_of(&a->self, room) == a->master.pid;
}

static bool
elsewhere(int dir, const char *theirs, const char *ours)
{
	struct stat a, b;

	return fstatat(dir, theirs, &a, 0) == 0 && stat(ours, &b) == 0 &&
	       (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

static void
authproc_close(struct vmail_authproc *a)
{
	proc_close(&a->self);
	proc_close(&a->master);
}

/* False: it is none, or is gone, or no memory. */
static bool
authproc_open(pid_t pid, struct vmail_authproc *a, char *room)
{
	*a = (struct vmail_authproc){ .self = { .pid = pid,
					  .dir = open_proc(pid) },
		.master = { .dir = -1 } };
	if (a->self.dir < 0 || !is_called(a->self.dir, "auth") ||
	    !runs(a->self.dir, "auth") || !proc_rights(&a->self, room) ||
	    !find_master(a, room)) {
		authproc_close(a);
		return false;
	}
	a->other_pids = vmail_procname_contained(a->self.dir);
	a->other_users =
	    elsewhere(a->self.dir, "ns/user", "/proc/self/ns/user");
	a->other_mounts = elsewhere(a->self.dir, "ns/mnt", "/proc/self/ns/mnt");
	vmail_procname_container(a->self.dir, a->container);
	return true;
}

static bool
same_rights(const struct vmail_who *a, const struct vmail_who *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->caps == b->caps &&
	       a->ngroups == b->ngroups &&
	       memcmp(a->groups, b->groups, a->ngroups * sizeof(gid_t)) == 0;
}

static bool
is_known(const struct vmail_authprocs *procs, const struct vmail_authproc *a)
{
	for (size_t i = 0; i < procs->n; i++)
		if (procs->list[i].master.pid == a->master.pid &&
		    same_rights(&procs->list[i].self.who, &a->self.who))
			return true;
	return false;
}

static bool
keep(struct vmail_authprocs *procs, const struct vmail_authproc *a)
{
	struct vmail_authproc *list =
	    reallocarray(procs->list, procs->n + 1, sizeof(*list));

	if (list == NULL)
		return false;
	procs->list = list;
	list[procs->n++] = *a;
	return true;
}

static bool
gather(DIR *proc, struct vmail_authprocs *procs, char *room)
{
	struct vmail_authproc a;
	struct dirent *entry;
	uint64_t pid;

	while ((entry = readdir(proc)) != NULL) {
		if (!vmail_text_number(
			vmail_str(entry->d_name), INT_MAX, &pid) ||
		    !authproc_open((pid_t)pid, &a, room))
			continue;
		if (is_known(procs, &a)) {
			authproc_close(&a);
		} else if (!keep(procs, &a)) {
			authproc_close(&a);
			return false;
		}
	}
	return true;
}

enum vmail_rc
vmail_authprocs_open(struct vmail_authprocs *procs, struct vmail_err *err)
{
	struct vmail_authprocs found = { NULL, 0 };
	char *room = malloc(STATUS_ROOM);
	DIR *proc = room != NULL ? opendir("/proc") : NULL;
	bool good = room != NULL;

	if (proc != NULL) {
		good = gather(proc, &found, room);
		(void)closedir(proc);
	}
	free(room);
	if (!good) {
		vmail_authprocs_close(&found);
		errno = ENOMEM;
		return vmail_fail_sys(err, "/proc", "look for Dovecot");
	}
	*procs = found;
	return VMAIL_OK;
}

void
vmail_authprocs_close(struct vmail_authprocs *procs)
{
	for (size_t i = 0; i < procs->n; i++)
		authproc_close(&procs->list[i]);
	free(procs->list);
	*procs = (struct vmail_authprocs){ NULL, 0 };
}
