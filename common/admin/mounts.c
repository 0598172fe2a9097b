#include "common/admin/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/file.h"

#define GONE	"was replaced behind this mount: mount its folder, not the file"
#define DELETED "//deleted"

enum { MOUNTINFO_CHUNK = 4096, PLACE_MAX = PATH_MAX, PROC_PATH = 64 };

/* A line of mountinfo: `ID PARENT MAJOR:MINOR ROOT POINT ...`, its names with
 * spaces and the like as \040. */
struct mount_line {
	uint64_t id;
	struct vmail_str device, root, point;
};

/* Which file of which device, as mountinfo names a mount's root. */
struct place {
	char device[32], root[PLACE_MAX];
};

static bool
cut_line(struct vmail_str line, struct mount_line *m)
{
	bool numbered =
	    vmail_text_number(vmail_text_cut(&line, ' '), UINT64_MAX, &m->id);

	(void)vmail_text_cut(&line, ' ');
	m->device = vmail_text_cut(&line, ' ');
	m->root = vmail_text_cut(&line, ' ');
	m->point = vmail_text_cut(&line, ' ');
	return numbered && m->point.n != 0;
}

/* Whole lines of a chunk are asked, the rest is kept; a line longer than the
 * chunk cannot be ours to judge and is passed over. False: the callback
 * stopped. */
static bool
each_line(
    int fd, bool (*each)(const struct mount_line *line, void *arg), void *arg)
{
	char chunk[MOUNTINFO_CHUNK];
	size_t have = 0;
	ssize_t got;
	bool go_on = true;

	while (
	    go_on && (got = read(fd, chunk + have, sizeof(chunk) - have)) > 0) {
		struct vmail_str rest = { chunk, have + (size_t)got };
		struct mount_line line;

		while (go_on && memchr(rest.p, '\n', rest.n) != NULL)
			if (cut_line(vmail_text_cut(&rest, '\n'), &line))
				go_on = each(&line, arg);
		have = rest.n < sizeof(chunk) ? rest.n : 0;
		memmove(chunk, rest.p, have);
	}
	return go_on;
}

static bool
ends_with(struct vmail_str s, const char *z)
{
	size_t n = strlen(z);

	return s.n >= n && memcmp(s.p + s.n - n, z, n) == 0;
}

/* As mountinfo writes a name. */
static void
put_escaped(struct vmail_buf *b, const char *z)
{
	static const char digits[] = "01234567";

	for (; *z != '\0'; z++) {
		unsigned char c = (unsigned char)*z;

		if (c != ' ' && c != '\t' && c != '\n' && c != '\\') {
			vmail_buf_char(b, *z);
			continue;
		}
		vmail_buf_char(b, '\\');
		vmail_buf_char(b, digits[c >> 6]);
		vmail_buf_char(b, digits[c >> 3 & 7]);
		vmail_buf_char(b, digits[c & 7]);
	}
}

/* Our own mount of the file, and from it the file's place. */
struct search {
	uint64_t id;
	const char *path; /* absolute, as this system sees it */
	struct place *place;
	bool found, deleted;
};

/* The file's path below the mount point. */
static const char *
below(const char *path, struct vmail_str point)
{
	if (vmail_str_is(point, "/"))
		return path;
	return strncmp(path, point.p, point.n) == 0 ? path + point.n : NULL;
}

static bool
is_ours(const struct mount_line *line, void *arg)
{
	struct search *s = arg;
	struct vmail_buf device = { s->place->device, sizeof(s->place->device),
		0, false };
	struct vmail_buf root = { s->place->root, sizeof(s->place->root), 0,
		false };
	char escaped[PLACE_MAX];
	struct vmail_buf path = { escaped, sizeof(escaped), 0, false };
	const char *rest;

	if (line->id != s->id)
		return true;
	s->deleted = ends_with(line->root, DELETED);
	put_escaped(&path, s->path);
	rest = vmail_buf_end(&path) == VMAIL_OK ? below(escaped, line->point)
						: NULL;
	vmail_buf_str(&device, line->device);
	if (!vmail_str_is(line->root, "/"))
		vmail_buf_str(&root, line->root);
	vmail_buf_z(&root, rest != NULL ? rest : "");
	s->found = rest != NULL && vmail_buf_end(&device) == VMAIL_OK &&
		   vmail_buf_end(&root) == VMAIL_OK;
	return false;
}

/* Looks for the mount through which fd was opened. */
static void
find_ours(int fd, uint64_t id, struct search *s, struct place *place)
{
	static const char gone[] = " (deleted)";
	char link[PROC_PATH], path[PATH_MAX];
	VMAIL_AUTOCLOSE int mountinfo =
	    open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*s = (struct search){ .id = id, .path = path, .place = place };
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || mountinfo < 0)
		return;
	path[n] = '\0';
	if (ends_with((struct vmail_str){ path, (size_t)n }, gone))
		path[(size_t)n - (sizeof(gone) - 1)] = '\0';
	(void)each_line(mountinfo, is_ours, s);
	s->path = NULL;
}

/* Every mount namespace once, by the first process seen in it. */
struct survey {
	const struct place *place;
	pid_t pid;
	bool (*each)(const struct vmail_mounts_holder *holder, void *arg);
	void *arg;
	struct vmail_mounts_unseen *unseen;
	uint64_t *seen;
	size_t n, room;
	bool first;   /* init is among the processes */
	bool unnamed; /* known by its first mount, which is yet to come */
	bool known;   /* that was met before */
	enum vmail_rc rc;
};

/* Beside the inodes of namespaces: a mount's number. */
#define BY_MOUNT (UINT64_C(1) << 63)

/* 1: new to us, 0: known; -1: no memory. */
static int
meet(struct survey *s, uint64_t namespace)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seen[i] == namespace)
			return 0;
	if (s->n == s->room) {
		size_t room = s->room != 0 ? 2 * s->room : 64;
		uint64_t *seen = reallocarray(s->seen, room, sizeof(*seen));

		if (seen == NULL) {
			s->rc = VMAIL_NO_MEMORY;
			return -1;
		}
		s->seen = seen;
		s->room = room;
	}
	s->seen[s->n++] = namespace;
	return 1;
}

static bool
is_holder(const struct mount_line *line, void *arg)
{
	struct survey *s = arg;
	struct vmail_mounts_holder holder = { .pid = s->pid,
		.point = line->point,
		.stale = ends_with(line->root, DELETED) };
	struct vmail_str root = line->root;

	if (s->unnamed) {
		s->unnamed = false;
		s->known = meet(s, line->id | BY_MOUNT) == 0;
		if (s->known || s->rc != VMAIL_OK)
			return false;
	}
	if (!vmail_str_is(line->device, s->place->device))
		return true;
	if (holder.stale)
		root.n -= sizeof(DELETED) - 1;
	if (!vmail_str_is(root, s->place->root))
		return true;
	return s->each(&holder, s->arg);
}

static void
note_unseen(struct survey *s)
{
	/* Gone, or about to be. */
	if (errno == ENOENT || errno == ESRCH || errno == EINVAL)
		return;
	if (s->unseen->n++ != 0)
		return;
	s->unseen->pid = s->pid;
	s->unseen->why = errno;
}

/* False: the callback stopped, or s->rc. */
static bool
ask_mounts(struct survey *s)
{
	char path[PROC_PATH];
	VMAIL_AUTOCLOSE int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)s->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		note_unseen(s);
		return true;
	}
	s->known = false;
	return each_line(fd, is_holder, s) || s->known;
}

/* The same. Its namespace's name takes more rights than its mounts do. */
static bool
ask_process(struct survey *s, const char *name)
{
	char path[PROC_PATH];
	struct vmail_str digits = vmail_str(name);
	struct stat st;
	uint64_t pid;
	int met;

	if (!vmail_text_number(digits, INT_MAX, &pid))
		return true;
	s->pid = (pid_t)pid;
	s->first |= pid == 1;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	s->unnamed = stat(path, &st) != 0;
	if (s->unnamed)
		return ask_mounts(s);
	met = meet(s, st.st_ino);
	return met > 0 ? ask_mounts(s) : met == 0;
}

static enum vmail_rc
holders_of(const struct place *place,
    bool (*each)(const struct vmail_mounts_holder *holder, void *arg),
    void *arg, struct vmail_mounts_unseen *unseen, const char *path,
    struct vmail_err *err)
{
	struct survey s = {
		.place = place, .each = each, .arg = arg, .unseen = unseen
	};
	DIR *proc = opendir("/proc");
	struct dirent *entry = NULL;

	if (proc == NULL) {
		*unseen =
		    (struct vmail_mounts_unseen){ .all = true, .why = errno };
		return VMAIL_OK;
	}
	while ((entry = readdir(proc)) != NULL)
		if (!ask_process(&s, entry->d_name))
			break;
	(void)closedir(proc);
	free(s.seen);
	/* No system is without one: /proc hides processes. */
	unseen->all = entry == NULL && !s.first;
	errno = ENOMEM;
	return s.rc == VMAIL_OK ? s.rc
				: vmail_fail_sys(err, path, "look for mounts");
}

/* The file as it is mounted here. */
struct here {
	struct statx st;
	struct place place;
	struct search ours;
};

static enum vmail_rc
look(int fd, const char *path, struct here *here, struct vmail_err *err)
{
	unsigned mask = STATX_NLINK | STATX_MNT_ID;

	if (statx(fd, "", AT_EMPTY_PATH, mask, &here->st) != 0)
		return vmail_fail_sys(err, path, "statx");
	find_ours(fd, here->st.stx_mnt_id, &here->ours, &here->place);
	return VMAIL_OK;
}

enum vmail_rc
vmail_mounts_holders(int fd, const char *path,
    bool (*each)(const struct vmail_mounts_holder *holder, void *arg),
    void *arg, struct vmail_mounts_unseen *unseen, struct vmail_err *err)
{
	struct vmail_mounts_unseen none = { .all = false };
	struct here here;
	enum vmail_rc rc = look(fd, path, &here, err);

	if (rc != VMAIL_OK)
		return rc;
	if (here.ours.found)
		rc = holders_of(&here.place, each, arg, &none, path, err);
	else
		none =
		    (struct vmail_mounts_unseen){ .all = true, .why = ENOENT };
	if (rc == VMAIL_OK)
		*unseen = none;
	return rc;
}

/* One process's paths of a place. */
struct sight {
	const struct place *place;
	bool (*each)(const char *seen, void *arg);
	void *arg;
};

/* An octal digit, or 8. */
static unsigned
octal(char c)
{
	return c >= '0' && c <= '7' ? (unsigned)(c - '0') : 8;
}

/* The name itself: \040 and the like undone. */
static void
put_plain(struct vmail_buf *b, struct vmail_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *p = s.p + i;

		if (*p == '\\' && s.n - i > 3 && octal(p[1]) < 4 &&
		    octal(p[2]) < 8 && octal(p[3]) < 8) {
			vmail_buf_char(
			    b, (char)(octal(p[1]) << 6 | octal(p[2]) << 3 |
				      octal(p[3])));
			i += 3;
		} else {
			vmail_buf_char(b, *p);
		}
	}
}

/* The mount shows the place if its root is it, or a folder above it. */
static bool
is_sight(const struct mount_line *line, void *arg)
{
	const struct sight *s = arg;
	struct vmail_str rest = vmail_str(s->place->root);
	struct vmail_str root = line->root, point = line->point;
	char path[PLACE_MAX];
	struct vmail_buf b = { path, sizeof(path), 0, false };

	if (vmail_str_is(root, "/"))
		root.n = 0;
	if (vmail_str_is(point, "/"))
		point.n = 0;
	if (!vmail_str_is(line->device, s->place->device) || root.n > rest.n ||
	    memcmp(rest.p, root.p, root.n) != 0)
		return true;
	rest.p += root.n;
	rest.n -= root.n;
	if (rest.n != 0 && *rest.p != '/')
		return true;
	put_plain(&b, point);
	put_plain(&b, rest);
	return vmail_buf_end(&b) != VMAIL_OK || s->each(path, s->arg);
}

enum vmail_rc
vmail_mounts_paths(int fd, const char *path, int proc,
    bool (*each)(const char *seen, void *arg), void *arg, struct vmail_err *err)
{
	struct here here;
	struct sight sight = { &here.place, each, arg };
	enum vmail_rc rc = look(fd, path, &here, err);

	VMAIL_AUTOCLOSE int mountinfo = -1;

	if (rc != VMAIL_OK || !here.ours.found)
		return rc;
	/* Its process may be gone. */
	mountinfo = openat(proc, "mountinfo", O_RDONLY | O_CLOEXEC);
	if (mountinfo >= 0)
		(void)each_line(mountinfo, is_sight, &sight);
	return VMAIL_OK;
}

/* The first one that a rename would leave behind. */
static bool
note_holder(const struct vmail_mounts_holder *holder, void *arg)
{
	pid_t *pid = arg;

	if (!holder->stale)
		*pid = holder->pid;
	return holder->stale;
}

enum vmail_rc
vmail_mounts_judge(int fd, const char *path,
    struct vmail_mounts_verdict *verdict, struct vmail_err *err)
{
	struct vmail_mounts_verdict v = { .way = VMAIL_MOUNTS_RENAME };
	struct vmail_mounts_unseen unseen = { .all = false };
	struct here here;
	enum vmail_rc rc = look(fd, path, &here, err);

	if (rc != VMAIL_OK)
		return rc;
	if (here.st.stx_nlink == 0 || here.ours.deleted)
		return vmail_fail(err, VMAIL_UNSUPPORTED, path, 0, GONE);
	if ((here.st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		v.way = VMAIL_MOUNTS_ITSELF;
	else if (here.ours.found)
		rc = holders_of(
		    &here.place, note_holder, &v.holder, &unseen, path, err);
	if (v.holder != 0)
		v.way = VMAIL_MOUNTS_BY_OTHERS;
	if (rc == VMAIL_OK)
		*verdict = v;
	return rc;
}
