#include "common/admin/idmaps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/core/file.h"

enum {
	MAP_TEXT = 16384,
	PROC_PATH = 64,
	WORD = 16,
	DEPTH_MAX = 64,
	TRIES = 64
};

static int
by_inside(const void *a, const void *b)
{
	const struct vmail_idmaps_range *x = a, *y = b;

	return x->inside < y->inside ? -1 : x->inside > y->inside;
}

static bool
follows(const struct vmail_idmaps_range *a, const struct vmail_idmaps_range *b)
{
	return (uint64_t)a->inside + a->count == b->inside &&
	       (uint64_t)a->outside + a->count == b->outside;
}

static void
normalise(struct vmail_idmaps *map)
{
	size_t kept = 0;

	qsort(map->range, map->n, sizeof(map->range[0]), by_inside);
	for (size_t i = 0; i < map->n; i++) {
		struct vmail_idmaps_range *last =
		    kept > 0 ? &map->range[kept - 1] : NULL;

		if (last != NULL && follows(last, &map->range[i]))
			last->count += map->range[i].count;
		else
			map->range[kept++] = map->range[i];
	}
	map->n = kept;
}

static bool
is_number(struct vmail_str s, uint32_t *out)
{
	uint64_t n;

	if (!vmail_text_number(s, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

/* Three numbers, and that they stay below 2^32. */
static bool
is_range(const struct vmail_str word[3], struct vmail_idmaps_range *r)
{
	return is_number(word[0], &r->inside) &&
	       is_number(word[1], &r->outside) &&
	       is_number(word[2], &r->count) && r->count > 0 &&
	       (uint64_t)r->inside + r->count <= (uint64_t)UINT32_MAX + 1;
}

static struct vmail_str
next_word(struct vmail_str *rest)
{
	while (rest->n > 0 && *rest->p == ' ') {
		rest->p++;
		rest->n--;
	}
	return vmail_text_cut(rest, ' ');
}

enum vmail_rc
vmail_idmaps_of_kernel(struct vmail_str text, struct vmail_idmaps *map)
{
	bool nowhere = false;

	map->n = 0;
	while (text.n > 0) {
		struct vmail_str line = vmail_text_cut(&text, '\n'), word[3];
		struct vmail_idmaps_range *r = &map->range[map->n];

		for (int i = 0; i < 3; i++)
			word[i] = next_word(&line);
		if (map->n == VMAIL_IDMAPS_MAX || !is_range(word, r))
			return VMAIL_MALFORMED;
		/* The kernel's word for "no such number where you are". */
		nowhere = nowhere || r->outside == UINT32_MAX;
		map->n++;
	}
	normalise(map);
	return nowhere ? VMAIL_UNSUPPORTED : VMAIL_OK;
}

enum vmail_rc
vmail_idmaps_of_ranges(struct vmail_str ranges, struct vmail_idmaps *map)
{
	map->n = 0;
	while (ranges.n > 0) {
		struct vmail_str range = vmail_text_cut(&ranges, ','), word[3];

		for (int i = 0; i < 3; i++)
			word[i] = vmail_text_cut(&range, ':');
		if (map->n == VMAIL_IDMAPS_MAX || range.p != NULL ||
		    !is_range(word, &map->range[map->n]))
			return VMAIL_MALFORMED;
		map->n++;
	}
	normalise(map);
	return VMAIL_OK;
}

bool
vmail_idmaps_same(const struct vmail_idmaps *a, const struct vmail_idmaps *b)
{
	return a->n == b->n &&
	       memcmp(a->range, b->range, a->n * sizeof(a->range[0])) == 0;
}

bool
vmail_idmaps_outside(
    const struct vmail_idmaps *map, uint32_t inside, uint32_t *outside)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct vmail_idmaps_range *r = &map->range[i];

		if (inside >= r->inside && inside - r->inside < r->count) {
			*outside = r->outside + (inside - r->inside);
			return true;
		}
	}
	return false;
}

bool
vmail_idmaps_inside(
    const struct vmail_idmaps *map, uint32_t outside, uint32_t *inside)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct vmail_idmaps_range *r = &map->range[i];

		if (outside >= r->outside && outside - r->outside < r->count) {
			*inside = r->inside + (outside - r->outside);
			return true;
		}
	}
	return false;
}

void
vmail_idmaps_put(const struct vmail_idmaps *map, struct vmail_buf *out)
{
	for (size_t i = 0; i < map->n; i++) {
		if (i > 0)
			vmail_buf_char(out, ',');
		vmail_buf_num(out, map->range[i].inside, 1);
		vmail_buf_char(out, ':');
		vmail_buf_num(out, map->range[i].outside, 1);
		vmail_buf_char(out, ':');
		vmail_buf_num(out, map->range[i].count, 1);
	}
}

/* A process that has ended meanwhile, or is about to. */
static bool
gone(int error)
{
	return error == ENOENT || error == ESRCH;
}

static enum vmail_rc
fail(const struct vmail_idmaps_process *p, const char *name,
    struct vmail_err *err)
{
	char path[PROC_PATH];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)p->pid, name);
	if (gone(errno))
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, path, 0, "no such process");
	return vmail_fail_sys(err, path, "open");
}

/* All of a small file of /proc/PID, in one read, as the kernel makes it. */
static enum vmail_rc
read_small(const struct vmail_idmaps_process *p, const char *name, char *text,
    size_t size, struct vmail_str *out, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = openat(p->proc, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : vmail_file_pread(fd, text, size, 0);

	if (n < 0)
		return fail(p, name, err);
	*out = (struct vmail_str){ text, (size_t)n };
	return VMAIL_OK;
}

static enum vmail_rc
read_map(const struct vmail_idmaps_process *p, const char *name,
    struct vmail_idmaps *map, struct vmail_err *err)
{
	char text[MAP_TEXT];
	struct vmail_str s;
	enum vmail_rc rc = read_small(p, name, text, sizeof(text), &s, err);

	if (rc != VMAIL_OK)
		return rc;
	rc = vmail_idmaps_of_kernel(s, map);
	if (rc == VMAIL_UNSUPPORTED)
		return vmail_fail(err, rc, name, 0,
		    "some of its numbers have none on this system: ask on the "
		    "one that holds both");
	if (rc != VMAIL_OK)
		return vmail_fail(err, rc, name, 0, "not as the kernel has it");
	if (map->n == 0)
		return vmail_fail(err, VMAIL_UNSUPPORTED, name, 0,
		    "its user namespace has no numbers yet");
	return VMAIL_OK;
}

static bool
same_namespace(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

/* Up the parents until ours is met. */
static enum vmail_rc
climb(int ns, int own, struct vmail_idmaps_process *p, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int at = fcntl(ns, F_DUPFD_CLOEXEC, 0);

	for (p->depth = 0; at >= 0 && p->depth < DEPTH_MAX; p->depth++) {
		int parent;

		if (same_namespace(at, own))
			return VMAIL_OK;
		parent = ioctl(at, NS_GET_PARENT);
		vmail_file_close(&at);
		at = parent;
	}
	return vmail_fail(err, VMAIL_UNSUPPORTED, "", 0,
	    "its user namespace does not lie below this system's, which "
	    "therefore cannot know its numbers: ask on the host");
}

static enum vmail_rc
place(struct vmail_idmaps_process *p, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int own =
	    open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	VMAIL_AUTOCLOSE int ns =
	    openat(p->proc, "ns/user", O_RDONLY | O_CLOEXEC);
	enum vmail_rc rc;

	if (own < 0)
		return vmail_fail_sys(err, "/proc/self/ns/user", "open");
	if (ns < 0)
		return fail(p, "ns/user", err);
	rc = climb(ns, own, p, err);
	p->ours = rc == VMAIL_OK && p->depth == 0;
	return rc;
}

static enum vmail_rc
read_setgroups(struct vmail_idmaps_process *p, struct vmail_err *err)
{
	char text[WORD];
	struct vmail_str s;
	enum vmail_rc rc =
	    read_small(p, "setgroups", text, sizeof(text), &s, err);

	p->setgroups_denied = rc == VMAIL_OK && vmail_str_starts(s, "deny");
	return rc;
}

static enum vmail_rc
examine(struct vmail_idmaps_process *p, struct vmail_err *err)
{
	enum vmail_rc rc = place(p, err);

	if (rc == VMAIL_OK)
		rc = read_setgroups(p, err);
	if (rc == VMAIL_OK && p->ours) {
		p->uids.n = p->gids.n = 1;
		p->uids.range[0] = p->gids.range[0] =
		    (struct vmail_idmaps_range){ 0, 0, UINT32_MAX };
		return VMAIL_OK;
	}
	if (rc == VMAIL_OK)
		rc = read_map(p, "uid_map", &p->uids, err);
	return rc == VMAIL_OK ? read_map(p, "gid_map", &p->gids, err) : rc;
}

enum vmail_rc
vmail_idmaps_open(
    pid_t pid, struct vmail_idmaps_process *p, struct vmail_err *err)
{
	char path[PROC_PATH];
	enum vmail_rc rc;

	*p = (struct vmail_idmaps_process){ .pid = pid };
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	p->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->proc < 0)
		return fail(p, "", err);
	rc = examine(p, err);
	if (rc != VMAIL_OK)
		vmail_idmaps_close(p);
	return rc;
}

void
vmail_idmaps_close(struct vmail_idmaps_process *p)
{
	vmail_file_close(&p->proc);
}

/* A rename or a mount somewhere on the machine in the middle of a ".." has
 * the kernel say EAGAIN. */
static int
open_below(int root, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

enum vmail_rc
vmail_idmaps_open_place(const struct vmail_idmaps_process *p, const char *path,
    int *fd, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int root =
	    openat(p->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int got;

	if (root < 0)
		return fail(p, "root", err);
	got = open_below(root, path);
	if (got >= 0) {
		*fd = got;
		return VMAIL_OK;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return vmail_fail(err, VMAIL_NOT_FOUND, path, 0, "missing");
	return vmail_fail_sys(err, path, "look for it in there");
}

enum vmail_rc
vmail_idmaps_open_file(const struct vmail_idmaps_process *p, const char *path,
    int *fd, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int at = -1;
	char self[PROC_PATH];
	struct stat st;
	enum vmail_rc rc = vmail_idmaps_open_place(p, path, &at, err);

	if (rc != VMAIL_OK)
		return rc;
	if (fstat(at, &st) != 0)
		return vmail_fail_sys(err, path, "stat");
	/* To open a device is to do something to it. */
	if (!S_ISREG(st.st_mode))
		return vmail_fail(
		    err, VMAIL_UNSAFE, path, 0, "not a regular file");
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	*fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return *fd < 0 ? vmail_fail_sys(err, path, "open") : VMAIL_OK;
}
