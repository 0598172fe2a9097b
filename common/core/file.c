#include "common/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { USUAL_LINE = 1024 };

void
vmail_file_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

struct vmail_stamp
vmail_file_stamp(const struct stat *st)
{
	return (struct vmail_stamp){
		.size = (uint64_t)st->st_size,
		.sec = st->st_mtim.tv_sec,
		.nsec = (uint32_t)st->st_mtim.tv_nsec,
		.ino = st->st_ino,
	};
}

static bool
equal(const struct vmail_stamp *a, const struct vmail_stamp *b)
{
	return a->size == b->size && a->sec == b->sec && a->nsec == b->nsec &&
	       a->ino == b->ino;
}

bool
vmail_file_same(const struct vmail_stamp *a, const struct vmail_stamp *b)
{
	return a->sec >= 0 && equal(a, b);
}

static enum vmail_rc
open_failed(const char *path, struct vmail_err *err)
{
	switch (errno) {
	case ENOENT:
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, path, 0, "no such file");
	case ELOOP:
		return vmail_fail(
		    err, VMAIL_UNSAFE, path, 0, "a symbolic link");
	case EISDIR:
		return vmail_fail(err, VMAIL_UNSAFE, path, 0, "a directory");
	case ENXIO:
	case ENODEV:
		return vmail_fail(
		    err, VMAIL_UNSAFE, path, 0, "not a regular file");
	default:
		return vmail_fail_sys(err, path, "open");
	}
}

static enum vmail_rc
must_be_file(int fd, const char *path, struct stat *st, struct vmail_err *err)
{
	struct stat found;

	if (fstat(fd, &found) != 0)
		return vmail_fail_sys(err, path, "stat");
	if (S_ISDIR(found.st_mode))
		return vmail_fail(err, VMAIL_UNSAFE, path, 0, "a directory");
	if (!S_ISREG(found.st_mode))
		return vmail_fail(
		    err, VMAIL_UNSAFE, path, 0, "not a regular file");
	*st = found;
	return VMAIL_OK;
}

enum vmail_rc
vmail_file_open(const char *path, int flags, int *fd, struct stat *st,
    struct vmail_err *err)
{
	int opened =
	    open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	enum vmail_rc rc;

	if (opened < 0)
		return open_failed(path, err);
	rc = must_be_file(opened, path, st, err);
	if (rc != VMAIL_OK) {
		vmail_file_close(&opened);
		return rc;
	}
	*fd = opened;
	return VMAIL_OK;
}

/* As which uid the kernel shows ids that this namespace does not hold. */
static uid_t
overflow_uid(void)
{
	char text[16];
	uint64_t n = 65534;
	ssize_t got = -1;
	VMAIL_AUTOCLOSE int fd =
	    open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		got = vmail_file_pread(fd, text, sizeof(text), 0);
	if (got > 0) {
		struct vmail_str rest = { text, (size_t)got };

		(void)vmail_text_number(
		    vmail_text_cut(&rest, '\n'), UINT32_MAX, &n);
	}
	return (uid_t)n;
}

/* Is this owner the host's root, who has no number here? The overflow id
 * alone does not say so: every unmapped user shows like that. */
static bool
host_root(uid_t owner)
{
	struct statfs fs;
	struct stat proc;

	if (owner == 0 || owner != overflow_uid())
		return false;
	return statfs("/proc", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       stat("/proc", &proc) == 0 && proc.st_uid == owner;
}

static enum vmail_rc
distrust(const struct stat *st, const char *path, const char *why,
    struct vmail_err *err)
{
	char what[VMAIL_ERR_WHAT];
	struct vmail_buf b = { what, sizeof(what), 0, false };

	vmail_buf_z(&b, "owner ");
	vmail_buf_num(&b, st->st_uid, 1);
	vmail_buf_z(&b, ", mode ");
	vmail_buf_mode(&b, st->st_mode & 07777);
	vmail_buf_z(&b, ": ");
	vmail_buf_z(&b, why);
	(void)vmail_buf_end(&b);
	return vmail_fail(err, VMAIL_UNSAFE, path, 0, what);
}

enum vmail_rc
vmail_file_trust(const struct stat *st, const char *path, struct vmail_err *err)
{
	if (st->st_uid != 0 && !host_root(st->st_uid))
		return distrust(st, path, "not root's", err);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return distrust(st, path, "group or others may write", err);
	return VMAIL_OK;
}

static void
put_folder(struct vmail_buf *b, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		vmail_buf_char(b, '.');
	else if (slash == path)
		vmail_buf_char(b, '/');
	else
		vmail_buf_put(b, path, (size_t)(slash - path));
}

enum vmail_rc
vmail_file_trust_folder(const char *path, struct vmail_err *err)
{
	char folder[VMAIL_ERR_PATH];
	struct vmail_buf b = { folder, sizeof(folder), 0, false };
	struct stat st;

	put_folder(&b, path);
	if (vmail_buf_end(&b) != VMAIL_OK) {
		errno = ENAMETOOLONG;
		return vmail_fail_sys(err, path, "stat");
	}
	if (stat(folder, &st) != 0) {
		if (errno != ENOENT)
			return vmail_fail_sys(err, folder, "stat");
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, folder, 0, "no such directory");
	}
	if (!S_ISDIR(st.st_mode))
		return vmail_fail(
		    err, VMAIL_UNSAFE, folder, 0, "not a directory");
	return vmail_file_trust(&st, folder, err);
}

bool
vmail_file_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

ssize_t
vmail_file_pread(int fd, void *buf, size_t n, uint64_t off)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(
		    fd, (char *)buf + have, n - have, (off_t)(off + have));

		if (got == 0)
			break;
		if (got > 0)
			have += (size_t)got;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)have;
}

enum vmail_rc
vmail_file_steady(int fd, const struct vmail_stamp *before)
{
	/* Whom would a read lock meet? Only a writer: other readers' locks
	 * must not be able to hold us up. */
	struct flock byte = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = 1,
		.l_len = 1,
	};
	struct vmail_stamp now;
	struct stat st;

	if (fcntl(fd, F_OFD_GETLK, &byte) != 0 || byte.l_type != F_UNLCK)
		return VMAIL_BUSY;
	if (fstat(fd, &st) != 0)
		return VMAIL_BUSY;
	now = vmail_file_stamp(&st);
	return equal(&now, before) ? VMAIL_OK : VMAIL_BUSY;
}

/* A scan: the window's bytes are those of the file from `from` on. */
struct scan {
	struct vmail_str name;
	const char *window;
	size_t n;      /* bytes in the window */
	size_t starts; /* a line may begin before this one of them */
	bool eof;      /* nothing follows the window */
	bool inside;   /* the window begins inside a line */
};

/* Does the line at p, which ends somewhere before `end`, have that name? */
static bool
has_name(const struct scan *s, const char *p)
{
	const char *end = s->window + s->n;

	if (*p != *s->name.p || (size_t)(end - p) < s->name.n ||
	    memcmp(p, s->name.p, s->name.n) != 0)
		return false;
	p += s->name.n;
	if (p < end && *p == ':')
		return true;
	if (p < end && *p == '\r')
		p++;
	else if (p[-1] == '\r')
		return false; /* that CR is the line's end, not the name's */
	return p == end || *p == '\n';
}

/* The line of that name in the window, or NULL and in *used how many bytes
 * are done with. */
static const char *
scan_window(struct scan *s, size_t *used)
{
	const char *p = s->window, *end = p + s->n, *lf;
	size_t need = s->name.n + 2;

	if (s->inside) {
		lf = memchr(p, '\n', s->n);
		*used = s->n;
		if (lf == NULL)
			return NULL;
		p = lf + 1;
		s->inside = false;
	}
	while (p < s->window + s->starts) {
		*used = (size_t)(p - s->window);
		if ((size_t)(end - p) < need && !s->eof)
			return NULL;
		if (has_name(s, p))
			return p;
		*used = s->n;
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL) {
			s->inside = true;
			return NULL;
		}
		p = lf + 1;
	}
	*used = (size_t)(p - s->window);
	return NULL;
}

/* No line has such a name, whatever its bytes. */
static bool
never_a_name(struct vmail_str name)
{
	return name.n == 0 || name.p[0] == '#' ||
	       memchr(name.p, ':', name.n) != NULL ||
	       memchr(name.p, '\n', name.n) != NULL;
}

enum vmail_rc
vmail_file_find(int fd, uint64_t from, uint64_t to, struct vmail_str name,
    char *window, size_t size, uint64_t *at)
{
	struct scan s = { .name = name, .window = window };
	size_t need = name.n + 2, used = 0;

	if (never_a_name(name) || need > size)
		return VMAIL_NOT_FOUND;
	while (from < to) {
		uint64_t left = to - from;
		size_t want = left > size - need ? size : (size_t)left + need;
		ssize_t got = vmail_file_pread(fd, window, want, from);
		const char *line;

		if (got < 0)
			return VMAIL_IO;
		s.n = (size_t)got;
		s.starts = left < s.n ? (size_t)left : s.n;
		s.eof = s.n < want;
		line = scan_window(&s, &used);
		if (line != NULL) {
			*at = from + (uint64_t)(line - window);
			return VMAIL_OK;
		}
		if (s.eof)
			return VMAIL_NOT_FOUND;
		from += used;
	}
	return VMAIL_NOT_FOUND;
}

/* As vmail_file_pread; a line is seldom long, and a login pays for what is
 * read behind it. */
static ssize_t
read_line(int fd, char *buf, size_t size, uint64_t at)
{
	size_t first = size < USUAL_LINE ? size : USUAL_LINE;
	ssize_t got = vmail_file_pread(fd, buf, first, at), more;

	if (got < (ssize_t)first || memchr(buf, '\n', first) != NULL)
		return got;
	more = vmail_file_pread(fd, buf + first, size - first, at + first);
	return more < 0 ? more : got + more;
}

/* The offset behind the first line feed at or after pos, or the file's end. */
static enum vmail_rc
next_line(int fd, uint64_t pos, char *window, size_t size, uint64_t *next)
{
	for (;;) {
		ssize_t got = vmail_file_pread(fd, window, size, pos);
		const char *lf;

		if (got < 0)
			return VMAIL_IO;
		lf = memchr(window, '\n', (size_t)got);
		if (lf != NULL || (size_t)got < size) {
			*next =
			    pos + (lf == NULL ? (uint64_t)got
					      : (uint64_t)(lf - window) + 1);
			return VMAIL_OK;
		}
		pos += size;
	}
}

enum vmail_rc
vmail_file_line(int fd, uint64_t at, char *buf, size_t size,
    struct vmail_str *line, uint64_t *next)
{
	ssize_t got = read_line(fd, buf, size, at), more = 0;
	size_t n = got < 0 ? 0 : (size_t)got;
	const char *lf = memchr(buf, '\n', n);
	char beyond = '\n';

	if (got < 0)
		return VMAIL_IO;
	if (n == 0)
		return VMAIL_NOT_FOUND;
	if (lf == NULL && n == size)
		more = vmail_file_pread(fd, &beyond, 1, at + n);
	if (more < 0)
		return VMAIL_IO;
	if (beyond != '\n') {
		enum vmail_rc rc = next_line(fd, at + n, buf, size, next);

		return rc == VMAIL_OK ? VMAIL_TOO_SMALL : rc;
	}
	*line = (struct vmail_str){ buf, lf == NULL ? n : (size_t)(lf - buf) };
	*next = at + line->n + (lf != NULL || more > 0 ? 1 : 0);
	return VMAIL_OK;
}
