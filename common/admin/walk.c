#include "common/admin/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/admin/commit.h"
#include "common/admin/domains.h"
#include "common/admin/secret.h"
#include "common/core/file.h"

enum { WALK_CHUNK = 262144 };

_Static_assert(WALK_CHUNK > 2 * VMAIL_LINE_MAX, "the longest line fits");

/* A walk: the buffer holds the file's bytes from `at` on. */
struct walk {
	int fd;
	char *buf;
	size_t have;
	uint64_t at;
	bool eof, stop;
	struct vmail_walk_line line;
	bool (*each)(const struct vmail_walk_line *line, void *arg);
	void *arg;
};

static void
walk_end(struct walk *w)
{
	vmail_wipe_free(&w->buf, WALK_CHUNK);
}

static bool
walk_fill(struct walk *w)
{
	ssize_t got = vmail_file_pread(
	    w->fd, w->buf + w->have, WALK_CHUNK - w->have, w->at + w->have);

	if (got < 0)
		return false;
	w->eof = (size_t)got < WALK_CHUNK - w->have;
	w->have += (size_t)got;
	return true;
}

static void
walk_say(struct walk *w, const char *p, uint64_t whole, bool ended)
{
	size_t n = whole < VMAIL_LINE_MAX ? (size_t)whole : VMAIL_LINE_MAX;

	w->line.number++;
	w->line.text = (struct vmail_str){ p, n };
	w->line.whole = whole;
	w->line.ended = ended;
	w->stop = !w->each(&w->line, w->arg);
	w->line.offset += whole + (ended ? 1 : 0);
}

/* A line longer than the buffer: its beginning stays, the rest is counted. */
static bool
walk_long(struct walk *w)
{
	char *rest = w->buf + VMAIL_LINE_MAX;
	uint64_t whole = w->have;
	const char *lf = NULL;
	ssize_t got;

	while (lf == NULL) {
		got = vmail_file_pread(
		    w->fd, rest, WALK_CHUNK - VMAIL_LINE_MAX, w->at + whole);
		if (got < 0)
			return false;
		if (got == 0)
			break;
		lf = memchr(rest, '\n', (size_t)got);
		whole += lf == NULL ? (uint64_t)got : (uint64_t)(lf - rest);
	}
	walk_say(w, w->buf, whole, lf != NULL);
	w->at += whole + (lf != NULL ? 1 : 0);
	w->have = 0;
	return true;
}

/* The whole lines in the buffer; what is left of it moves to the front. */
static void
walk_lines(struct walk *w)
{
	const char *p = w->buf, *end = w->buf + w->have, *lf;

	while (!w->stop && p < end &&
	       (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		walk_say(w, p, (uint64_t)(lf - p), true);
		p = lf + 1;
	}
	if (!w->stop && w->eof && p < end) {
		walk_say(w, p, (uint64_t)(end - p), false);
		p = end;
	}
	w->at += (uint64_t)(p - w->buf);
	w->have = (size_t)(end - p);
	memmove(w->buf, p, w->have);
}

enum vmail_rc
vmail_store_walk_fd(int fd, const char *path,
    bool (*each)(const struct vmail_walk_line *line, void *arg), void *arg,
    struct vmail_err *err)
{
	__attribute__((cleanup(walk_end))) struct walk w = { .fd = fd,
		.each = each,
		.arg = arg,
		.line.path = path,
		.buf = malloc(WALK_CHUNK) };
	struct vmail_stamp before;
	struct stat st;
	bool good = w.buf != NULL;

	if (fstat(fd, &st) != 0)
		return vmail_fail_sys(err, path, "stat");
	before = vmail_file_stamp(&st);
	while (good && !w.stop && !w.eof) {
		good = walk_fill(&w);
		if (good && w.have == WALK_CHUNK &&
		    memchr(w.buf, '\n', w.have) == NULL)
			good = walk_long(&w);
		else if (good)
			walk_lines(&w);
	}
	if (!good)
		return vmail_fail_sys(err, path, "read");
	if (w.stop || vmail_file_steady(fd, &before) == VMAIL_OK)
		return VMAIL_OK;
	return vmail_fail(
	    err, VMAIL_BUSY, path, 0, "was changed in place meanwhile");
}

static enum vmail_rc
walk_one(const struct vmail_conf *conf,
    bool (*each)(const struct vmail_walk_line *line, void *arg), void *arg,
    struct vmail_err *err)
{
	const char *path = conf->passwd_file;
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	enum vmail_rc rc = vmail_file_open(path, O_RDONLY, &fd, &st, err);

	errno = ENOENT;
	if (rc == VMAIL_NOT_FOUND)
		return vmail_fail(err, VMAIL_IO, path, 0, "missing");
	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, path, err);
	errno = 0;
	if (rc == VMAIL_OK && st.st_size == 0)
		rc = vmail_fail(err, VMAIL_IO, path, 0, VMAIL_STORE_EMPTY);
	if (rc != VMAIL_OK)
		return rc;
	return vmail_store_walk_fd(fd, path, each, arg, err);
}

/* All domains' files, one after the other. */
struct tour {
	bool (*each)(const struct vmail_walk_line *line, void *arg);
	void *arg;
	bool stopped;
	enum vmail_rc rc;
	struct vmail_err *err;
};

static bool
note_stop(const struct vmail_walk_line *line, void *arg)
{
	struct tour *t = arg;

	t->stopped = !t->each(line, t->arg);
	return !t->stopped;
}

static bool
walk_domain(const struct vmail_conf *conf, struct vmail_str domain, void *arg)
{
	struct tour *t = arg;

	(void)domain;
	t->rc = walk_one(conf, note_stop, t, t->err);
	return t->rc == VMAIL_OK && !t->stopped;
}

enum vmail_rc
vmail_store_walk(const struct vmail_conf *conf,
    bool (*each)(const struct vmail_walk_line *line, void *arg), void *arg,
    struct vmail_err *err)
{
	struct tour t = { .each = each, .arg = arg, .err = err };
	enum vmail_rc rc = vmail_domains_each(conf, walk_domain, &t, err);

	return rc == VMAIL_OK ? t.rc : rc;
}
