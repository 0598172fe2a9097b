#include "common/admin/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/admin/commit.h"
#include "common/admin/derive.h"
#include "common/admin/inplace.h"
#include "common/admin/perm.h"
#include "common/admin/secret.h"
#include "common/core/db.h"
#include "common/core/file.h"
#include "common/core/ids.h"

#define EMPTY                                                                  \
	"empty: restore the backup beside it (its name with a '-' behind it)"

enum {
	WALK_CHUNK = 262144,
	RETRY_NSEC = 20000000,
	SECOND = 1000000000,
	CONF_TEXT = 16384,
	LINE_TEXT = 256,
};

_Static_assert(WALK_CHUNK > 2 * VMAIL_LINE_MAX, "the longest line fits");

struct vmail_store_name
vmail_store_beside(const struct vmail_store *store, const char *suffix)
{
	struct vmail_store_name name;
	struct vmail_buf b = { .p = name.text, .size = sizeof(name.text) };

	vmail_buf_z(&b, store->base);
	vmail_buf_z(&b, suffix);
	(void)vmail_buf_end(&b); /* the longest one was tried at first */
	return name;
}

void
vmail_store_sweep(const struct vmail_store *store)
{
	static const char *const suffixes[] = { ".tmp", "-.tmp", ".cdb.tmp" };
	char text[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		struct vmail_store_name name =
		    vmail_store_beside(store, suffixes[i]);

		(void)unlinkat(store->folder, name.text, 0);
	}
	for (size_t i = 0; vmail_derive_name(i) != NULL; i++) {
		struct vmail_buf b = { .p = text, .size = sizeof(text) };

		vmail_buf_z(&b, vmail_derive_name(i));
		vmail_buf_z(&b, ".tmp");
		if (vmail_buf_end(&b) == VMAIL_OK)
			(void)unlinkat(store->folder, text, 0);
	}
}

void
vmail_store_forget(struct vmail_store *store)
{
	if (store->map_asked)
		vmail_map_close(&store->map);
	store->map_asked = store->map_usable = false;
}

void
vmail_store_close(struct vmail_store **store)
{
	struct vmail_store *s = *store;

	if (s == NULL)
		return;
	vmail_store_forget(s);
	vmail_edits_clear(&s->edits);
	vmail_file_close(&s->fd);
	vmail_file_close(&s->lock);
	vmail_file_close(&s->folder);
	vmail_wipe_free(store, sizeof(*s));
}

static enum vmail_rc
store_new(const struct vmail_conf *conf, struct vmail_store **store,
    struct vmail_err *err)
{
	struct vmail_store *s = calloc(1, sizeof(*s));
	const char *slash;

	if (s == NULL)
		return vmail_fail_sys(err, conf->passwd_file, "open");
	s->folder = s->lock = s->fd = -1;
	s->conf = *conf;
	slash = strrchr(s->conf.passwd_file, '/');
	s->base = slash == NULL ? s->conf.passwd_file : slash + 1;
	*store = s;
	if (slash != NULL && *s->base != '\0' &&
	    strlen(s->base) + strlen(".cdb.tmp") <= NAME_MAX)
		return VMAIL_OK;
	vmail_store_close(store);
	return vmail_fail(err, VMAIL_INVALID, conf->passwd_file, 0,
	    "not the path of a file, or too long a name");
}

static enum vmail_rc
open_folder(struct vmail_store *s, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	char folder[VMAIL_CONF_PATH_MAX + 1];
	size_t n = (size_t)(s->base - path);
	enum vmail_rc rc = vmail_file_trust_folder(path, err);

	errno = ENOENT;
	if (rc == VMAIL_NOT_FOUND)
		return vmail_fail(err, VMAIL_IO, path, 0, "missing");
	if (rc != VMAIL_OK)
		return rc;
	memcpy(folder, path, n);
	folder[n] = '\0';
	s->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->folder < 0 ? vmail_fail_sys(err, folder, "open") : VMAIL_OK;
}

/* Until when somebody waits for locks. */
static struct timespec
patience(unsigned seconds)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	return end;
}

/* A moment's sleep; false when the time is over. */
static bool
wait_a_moment(const struct timespec *end)
{
	const struct timespec moment = { .tv_nsec = RETRY_NSEC };
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > end->tv_sec ||
	    (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec))
		return false;
	(void)nanosleep(&moment, NULL);
	return true;
}

bool
vmail_store_lock_fd(int fd)
{
	struct flock byte = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_len = 1,
	};

	return fcntl(fd, F_OFD_SETLK, &byte) == 0;
}

static enum vmail_rc
lock_within(int fd, const struct timespec *end, const char *path,
    const char *what, struct vmail_err *err)
{
	while (!vmail_store_lock_fd(fd)) {
		if (errno != EAGAIN && errno != EACCES)
			return vmail_fail_sys(err, path, "lock");
		if (!wait_a_moment(end))
			return vmail_fail(err, VMAIL_BUSY, path, 0, what);
	}
	return VMAIL_OK;
}

/* Is `name` in the folder still what fd is open on? */
static bool
still_named(const struct vmail_store *s, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	       fstatat(s->folder, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static enum vmail_rc
open_lock(struct vmail_store *s, struct vmail_err *err)
{
	struct stat st;

	s->lock = openat(s->folder, ".lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (s->lock < 0 && errno == ELOOP)
		return vmail_fail(
		    err, VMAIL_UNSAFE, ".lock", 0, "a symbolic link");
	if (s->lock < 0)
		return vmail_fail_sys(err, s->conf.passwd_file, "open .lock");
	if (fstat(s->lock, &st) != 0)
		return vmail_fail_sys(err, s->conf.passwd_file, "stat .lock");
	if (!S_ISREG(st.st_mode))
		return vmail_fail(
		    err, VMAIL_UNSAFE, ".lock", 0, "not a regular file");
	return VMAIL_OK;
}

static enum vmail_rc
take_lock(
    struct vmail_store *s, const struct timespec *end, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	enum vmail_rc rc = open_lock(s, err);

	while (rc == VMAIL_OK) {
		rc = lock_within(s->lock, end, path,
		    "another program is changing it (.lock)", err);
		if (rc != VMAIL_OK || still_named(s, ".lock", s->lock))
			return rc;
		vmail_file_close(&s->lock);
		if (!wait_a_moment(end))
			return vmail_fail(err, VMAIL_BUSY, path, 0,
			    "its .lock is being replaced");
		rc = open_lock(s, err);
	}
	return rc;
}

/* The file itself is locked too: a container that has only this file mounted
 * shares no .lock with us. */
static enum vmail_rc
take_file(
    struct vmail_store *s, const struct timespec *end, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	enum vmail_rc rc;

	for (;;) {
		rc = vmail_file_open(path, O_RDWR, &s->fd, &s->st, err);
		errno = ENOENT;
		if (rc == VMAIL_NOT_FOUND)
			return vmail_fail(err, VMAIL_IO, path, 0, "missing");
		if (rc == VMAIL_OK)
			rc = lock_within(s->fd, end, path,
			    "another program is changing it", err);
		if (rc != VMAIL_OK || still_named(s, s->base, s->fd))
			return rc;
		vmail_file_close(&s->fd);
		if (!wait_a_moment(end))
			return vmail_fail(
			    err, VMAIL_BUSY, path, 0, "is being replaced");
	}
}

/* Is the file's inode also known by this name in its folder? */
static bool
also_named(const struct vmail_store *s, const char *suffix)
{
	struct vmail_store_name name = vmail_store_beside(s, suffix);

	return still_named(s, name.text, s->fd);
}

/* A second name is refused, but for our own backup's: a writer killed between
 * link and rename leaves that. */
static enum vmail_rc
judge_links(struct vmail_store *s, struct vmail_err *err)
{
	static const char *const ours[] = { "-", "-.tmp" };
	nlink_t explained = 1;

	for (int i = 0; i < 2; i++)
		explained += also_named(s, ours[i]);
	if (s->st.st_nlink > explained)
		return vmail_fail(err, VMAIL_UNSAFE, s->conf.passwd_file, 0,
		    "has another hard link");
	for (int i = 0; i < 2; i++) {
		struct vmail_store_name name = vmail_store_beside(s, ours[i]);

		if (also_named(s, ours[i]))
			(void)unlinkat(s->folder, name.text, 0);
	}
	return VMAIL_OK;
}

static enum vmail_rc
judge_file(struct vmail_store *s, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	enum vmail_rc rc;

	/* What stood there when it was opened may have waited for a lock. */
	if (fstat(s->fd, &s->st) != 0)
		return vmail_fail_sys(err, path, "stat");
	rc = vmail_file_trust(&s->st, path, err);
	if (rc == VMAIL_OK)
		rc = vmail_mounts_judge(s->fd, path, &s->mounts, err);
	if (rc == VMAIL_OK)
		rc = vmail_inplace_recover(s, err);
	if (rc == VMAIL_OK)
		rc = judge_links(s, err);
	errno = 0;
	if (rc == VMAIL_OK && s->st.st_size == 0)
		rc = vmail_fail(err, VMAIL_IO, path, 0, EMPTY);
	return rc;
}

enum vmail_rc
vmail_store_open(const struct vmail_conf *conf, unsigned wait,
    struct vmail_store **store, struct vmail_err *err)
{
	VMAIL_STORE *s = NULL;
	struct timespec end = patience(wait);
	enum vmail_rc rc = store_new(conf, &s, err);

	if (rc == VMAIL_OK)
		rc = open_folder(s, err);
	if (rc == VMAIL_OK)
		rc = take_lock(s, &end, err);
	if (rc == VMAIL_OK)
		rc = take_file(s, &end, err);
	if (rc == VMAIL_OK)
		rc = judge_file(s, err);
	if (rc != VMAIL_OK)
		return rc;
	vmail_store_sweep(s);
	*store = s;
	s = NULL;
	return VMAIL_OK;
}

static void
ask_map(struct vmail_store *s)
{
	char path[VMAIL_CONF_PATH_MAX + sizeof(".cdb")];

	if (s->map_asked)
		return;
	s->map.cdb.fd = -1;
	s->map_asked = true;
	s->map_usable = vmail_map_path(s->conf.passwd_file, path,
			    sizeof(path)) == VMAIL_OK &&
			vmail_map_open(path, &s->map, NULL) == VMAIL_OK &&
			s->map.nss_mailboxes &&
			vmail_map_fresh(&s->map, &s->st);
}

/* The well-formed record's offset: by the map's hint, else by a scan. */
static enum vmail_rc
locate(struct vmail_store *s, struct vmail_str name, uint64_t *offset)
{
	struct vmail_record record;
	struct vmail_public public;
	uint64_t hint = VMAIL_NO_HINT;
	uint32_t drift = 0;
	enum vmail_rc rc;

	ask_map(s);
	if (s->map_usable && vmail_name_askable(name)) {
		drift = s->map.stamp.drift;
		rc = vmail_map_find(&s->map, name, s->window, &public);
		if (rc == VMAIL_NOT_FOUND)
			return rc;
		if (rc == VMAIL_OK && !(s->map.stamp.dups && drift > 0))
			hint = public.offset;
	}
	rc = vmail_db_locate(s->fd, (uint64_t)s->st.st_size, name, hint, drift,
	    s->line, &record);
	if (rc == VMAIL_OK)
		*offset = record.offset;
	return rc;
}

/* Fields as they stand, sound or not. */
static struct vmail_entry
cut_by_hand(struct vmail_str line)
{
	struct vmail_entry e = { .colons = 0 };
	struct vmail_str *const fields[] = { &e.name, &e.password, &e.uid,
		&e.gid, &e.gecos, &e.home, &e.shell };

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	for (size_t i = 0; i < 7 && line.p != NULL; i++) {
		*fields[i] = vmail_text_cut(&line, ':');
		e.colons += line.p != NULL;
	}
	e.extra = line;
	return e;
}

/* The line at offset into the store's buffer. */
static enum vmail_rc
read_line(struct vmail_store *s, uint64_t offset, struct vmail_line *line,
    uint64_t *next)
{
	enum vmail_rc rc = vmail_file_line(
	    s->fd, offset, s->line, sizeof(s->line), &line->text, next);

	if (rc != VMAIL_OK)
		return rc;
	line->offset = offset;
	line->malformed =
	    vmail_entry_parse(line->text, &line->entry, NULL) != VMAIL_OK;
	if (line->malformed)
		line->entry = cut_by_hand(line->text);
	return VMAIL_OK;
}

/* The first line of that name that can be cut at all. */
static enum vmail_rc
find_malformed(
    struct vmail_store *s, struct vmail_str name, struct vmail_line *line)
{
	uint64_t size = (uint64_t)s->st.st_size, from = 0, at;
	enum vmail_rc rc;

	for (;;) {
		rc = vmail_file_find(
		    s->fd, from, size, name, s->line, sizeof(s->line), &at);
		if (rc == VMAIL_OK)
			rc = read_line(s, at, line, &from);
		if (rc == VMAIL_TOO_SMALL)
			continue;
		if (rc != VMAIL_OK ||
		    memchr(line->text.p, '\0', line->text.n) == NULL)
			return rc;
	}
}

/* The map answered that there is none, and that every line can be read. */
static bool
ruled_out(const struct vmail_store *s, struct vmail_str name)
{
	return s->map_usable && s->map.malformed == 0 &&
	       vmail_name_askable(name);
}

enum vmail_rc
vmail_store_find(struct vmail_store *store, struct vmail_str name,
    struct vmail_line *line, struct vmail_err *err)
{
	const char *path = store->conf.passwd_file;
	struct vmail_line found;
	uint64_t offset, next;
	enum vmail_rc rc = locate(store, name, &offset);

	if (rc == VMAIL_OK)
		rc = read_line(store, offset, &found, &next);
	else if (rc == VMAIL_NOT_FOUND && !ruled_out(store, name))
		rc = find_malformed(store, name, &found);
	if (rc == VMAIL_NOT_FOUND)
		return vmail_fail(err, rc, path, 0, "no such user");
	if (rc != VMAIL_OK)
		return vmail_fail_sys(err, path, "read");
	*line = found;
	return VMAIL_OK;
}

enum vmail_rc
vmail_store_replace(struct vmail_store *store, const struct vmail_line *line,
    struct vmail_str text, struct vmail_err *err)
{
	return vmail_edits_replace(&store->edits, line->offset, line->text,
	    !line->malformed, text, err);
}

enum vmail_rc
vmail_store_remove(struct vmail_store *store, const struct vmail_line *line,
    struct vmail_err *err)
{
	bool ended = line->offset + line->text.n < (uint64_t)store->st.st_size;

	return vmail_edits_remove(&store->edits, line->offset, line->text,
	    !line->malformed, ended, err);
}

enum vmail_rc
vmail_store_add(
    struct vmail_store *store, struct vmail_str text, struct vmail_err *err)
{
	return vmail_edits_add(&store->edits, text, err);
}

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
	__attribute__((cleanup(walk_end))) struct walk w = {
		.fd = fd, .each = each, .arg = arg, .buf = malloc(WALK_CHUNK)
	};
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

enum vmail_rc
vmail_store_walk(const struct vmail_conf *conf,
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
		rc = vmail_fail(err, VMAIL_IO, path, 0, EMPTY);
	if (rc != VMAIL_OK)
		return rc;
	return vmail_store_walk_fd(fd, path, each, arg, err);
}

/* An init on its way. */
struct init {
	const struct vmail_conf *conf;
	bool dry_run;
	void (*made)(const char *path, void *arg);
	void *arg;
	struct vmail_err *err;
};

static void
tell(const struct init *in, const char *path)
{
	if (in->made != NULL)
		in->made(path, in->arg);
}

static enum vmail_rc
missing(const struct init *in, const char *path, bool *is)
{
	struct stat st;

	*is = lstat(path, &st) != 0;
	if (*is && errno != ENOENT)
		return vmail_fail_sys(in->err, path, "stat");
	return VMAIL_OK;
}

/* The folder of path, and the file `name` in it. */
static enum vmail_rc
in_folder(const struct init *in, const char *path, const char *name,
    char out[VMAIL_CONF_PATH_MAX + 16])
{
	struct vmail_buf b = { .p = out, .size = VMAIL_CONF_PATH_MAX + 16 };
	const char *slash = strrchr(path, '/');

	if (slash != NULL)
		vmail_buf_put(&b, path, (size_t)(slash - path) + 1);
	if (name == NULL && b.len > 1)
		b.len--;
	if (name != NULL)
		vmail_buf_z(&b, name);
	if (vmail_buf_end(&b) == VMAIL_OK)
		return VMAIL_OK;
	return vmail_fail(in->err, VMAIL_TOO_SMALL, path, 0, "a path too long");
}

/* The folder of the file at path, 0755 whatever the umask is. */
static enum vmail_rc
init_folder(const struct init *in, const char *path)
{
	char folder[VMAIL_CONF_PATH_MAX + 16];
	bool is;
	enum vmail_rc rc = in_folder(in, path, NULL, folder);

	if (rc == VMAIL_OK)
		rc = missing(in, folder, &is);
	if (rc != VMAIL_OK)
		return rc;
	if (is && !in->dry_run &&
	    (mkdir(folder, 0755) != 0 || chmod(folder, 0755) != 0))
		return vmail_fail_sys(in->err, folder, "make directory");
	if (is)
		tell(in, folder);
	return is && in->dry_run ? VMAIL_OK
				 : vmail_file_trust_folder(path, in->err);
}

/* The whole file at once: what a killed one leaves is no file of that name. */
static enum vmail_rc
put_file(const struct init *in, const char *path, struct vmail_str text,
    gid_t gid, mode_t mode)
{
	char temporary[VMAIL_CONF_PATH_MAX + 16];
	struct vmail_buf b = { .p = temporary, .size = sizeof(temporary) };
	VMAIL_AUTOCLOSE int fd = -1;
	enum vmail_rc rc = VMAIL_OK;

	vmail_buf_z(&b, path);
	vmail_buf_z(&b, ".tmp");
	if (vmail_buf_end(&b) != VMAIL_OK)
		return vmail_fail(
		    in->err, VMAIL_TOO_SMALL, path, 0, "a path too long");
	(void)unlink(temporary);
	fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return vmail_fail_sys(in->err, path, "make");
	if (!vmail_edits_pwrite(fd, text.p, text.n, 0) ||
	    fchown(fd, 0, gid) != 0 || fchmod(fd, mode) != 0 ||
	    fsync(fd) != 0 || rename(temporary, path) != 0) {
		rc = vmail_fail_sys(in->err, path, "make");
		(void)unlink(temporary);
	}
	if (rc == VMAIL_OK)
		tell(in, path);
	return rc;
}

/* Every key with what it means and its default, as comments. */
static void
put_conf_text(struct vmail_buf *b)
{
	struct vmail_conf defaults;

	vmail_conf_defaults(&defaults);
	vmail_buf_z(b, "# vmail's settings: see vmail.conf(5)\n");
	for (size_t i = 0; vmail_conf_key(i) != NULL; i++) {
		vmail_buf_z(b, "\n# ");
		vmail_buf_z(b, vmail_conf_help(i));
		vmail_buf_z(b, "\n#");
		vmail_buf_z(b, vmail_conf_key(i));
		vmail_buf_z(b, " = ");
		vmail_conf_value(&defaults, i, b);
		vmail_buf_char(b, '\n');
	}
}

static enum vmail_rc
init_conf(const struct init *in)
{
	const char *path = in->conf->path;
	struct vmail_buf b = { .size = CONF_TEXT };
	bool is;
	enum vmail_rc rc = missing(in, path, &is);

	if (rc != VMAIL_OK || !is)
		return rc;
	if (in->dry_run) {
		tell(in, path);
		return VMAIL_OK;
	}
	if ((b.p = malloc(b.size)) == NULL)
		return vmail_fail_sys(in->err, path, "make");
	put_conf_text(&b);
	rc = put_file(in, path, (struct vmail_str){ b.p, b.len }, 0, 0644);
	free(b.p);
	return rc;
}

static enum vmail_rc
init_views(const struct init *in)
{
	char path[VMAIL_CONF_PATH_MAX + 16], text[LINE_TEXT];
	struct vmail_buf b = { .p = text, .size = sizeof(text) };
	struct vmail_str owner = vmail_conf_owner_user(in->conf);
	struct vmail_ids ids;
	bool is;
	enum vmail_rc rc = in_folder(in, in->conf->path, "views", path);

	if (rc == VMAIL_OK)
		rc = missing(in, path, &is);
	if (rc != VMAIL_OK || !is)
		return rc;
	if (in->dry_run) {
		tell(in, path);
		return VMAIL_OK;
	}
	vmail_buf_z(&b, "# view identity uid:gid namespace\n");
	if (vmail_perm_on_host() &&
	    vmail_ids_account(owner, &ids) == VMAIL_OK) {
		vmail_buf_z(&b, "host ");
		vmail_buf_str(&b, owner);
		vmail_buf_char(&b, ' ');
		vmail_buf_num(&b, ids.uid, 1);
		vmail_buf_char(&b, ':');
		vmail_buf_num(&b, ids.gid, 1);
		vmail_buf_z(&b, " -\n");
	}
	return put_file(in, path, (struct vmail_str){ text, b.len }, 0, 0644);
}

/* Who may read the passwd-file: a group's name or number. */
static enum vmail_rc
reader_group(const struct init *in, gid_t *gid)
{
	struct vmail_str group = vmail_str(in->conf->reader_group);
	uint64_t n;

	if (vmail_text_number(group, UINT32_MAX - 2, &n)) {
		*gid = (gid_t)n;
		return VMAIL_OK;
	}
	if (group.n != 0) {
		if (vmail_ids_system_group(group, gid) == VMAIL_OK)
			return VMAIL_OK;
		return vmail_fail(in->err, VMAIL_INVALID, in->conf->path, 0,
		    "reader_group: no such group");
	}
	if (vmail_ids_system_group(VMAIL_STR("dovecot"), gid) != VMAIL_OK)
		*gid = 0;
	return VMAIL_OK;
}

/* An empty passwd-file is filled where no backup says that it held more. */
static enum vmail_rc
fill_empty(const struct init *in, const struct vmail_store *s)
{
	const char *path = in->conf->passwd_file;
	struct vmail_store_name backup = vmail_store_beside(s, "-");
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st, old;
	enum vmail_rc rc = vmail_file_open(path, O_RDWR, &fd, &st, in->err);

	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, path, in->err);
	if (rc != VMAIL_OK || st.st_size != 0)
		return rc;
	errno = 0;
	if (fstatat(s->folder, backup.text, &old, AT_SYMLINK_NOFOLLOW) == 0)
		return vmail_fail(in->err, VMAIL_IO, path, 0, EMPTY);
	if (!vmail_edits_pwrite(
		fd, VMAIL_EMPTY_FILE, sizeof(VMAIL_EMPTY_FILE) - 1, 0) ||
	    fsync(fd) != 0)
		return vmail_fail_sys(in->err, path, "fill");
	tell(in, path);
	return VMAIL_OK;
}

static enum vmail_rc
init_passwd(const struct init *in, const struct vmail_store *s)
{
	const char *path = in->conf->passwd_file;
	gid_t gid;
	bool is;
	enum vmail_rc rc = missing(in, path, &is);

	if (rc == VMAIL_OK && !is)
		return fill_empty(in, s);
	if (rc == VMAIL_OK)
		rc = reader_group(in, &gid);
	if (rc != VMAIL_OK)
		return rc;
	return put_file(in, path, VMAIL_STR(VMAIL_EMPTY_FILE), gid, 0640);
}

/* P.cdb, and the header beside vmail.conf where that is another file. */
static enum vmail_rc
init_maps(const struct init *in, struct vmail_store *s)
{
	char path[VMAIL_CONF_PATH_MAX + 16];
	bool map, header;
	enum vmail_rc rc =
	    vmail_map_path(in->conf->passwd_file, path, sizeof(path));

	if (rc == VMAIL_OK)
		rc = missing(in, path, &map);
	if (rc == VMAIL_OK && map) {
		rc = vmail_store_put_map(s, in->err);
		if (rc == VMAIL_OK)
			tell(in, path);
	}
	if (rc == VMAIL_OK)
		rc = in_folder(in, in->conf->path, "passwd.cdb", path);
	if (rc == VMAIL_OK)
		rc = missing(in, path, &header);
	if (rc == VMAIL_OK && header) {
		rc = vmail_store_put_header(s, in->err);
		if (rc == VMAIL_OK)
			tell(in, path);
	}
	return rc;
}

/* What lies in the passwd-file's folder, under the lock. */
static enum vmail_rc
init_files(const struct init *in, unsigned wait)
{
	VMAIL_STORE *s = NULL;
	const char *path = in->conf->passwd_file;
	struct timespec end = patience(wait);
	char lock[VMAIL_CONF_PATH_MAX + 16];
	bool is = false;
	enum vmail_rc rc = in_folder(in, path, ".lock", lock);

	if (rc == VMAIL_OK)
		rc = missing(in, lock, &is);
	if (rc == VMAIL_OK)
		rc = store_new(in->conf, &s, in->err);
	if (rc == VMAIL_OK)
		rc = open_folder(s, in->err);
	if (rc == VMAIL_OK)
		rc = take_lock(s, &end, in->err);
	if (rc == VMAIL_OK && is)
		tell(in, lock);
	if (rc == VMAIL_OK)
		rc = init_passwd(in, s);
	if (rc == VMAIL_OK)
		rc = take_file(s, &end, in->err);
	if (rc == VMAIL_OK)
		rc = judge_file(s, in->err);
	if (rc != VMAIL_OK)
		return rc;
	vmail_store_sweep(s);
	rc = vmail_derive_missing(path, s->fd, in->made, in->arg, in->err);
	if (rc == VMAIL_OK)
		rc = init_maps(in, s);
	if (rc == VMAIL_OK && fsync(s->folder) != 0)
		rc = vmail_fail_sys(in->err, path, "fsync the folder");
	return rc;
}

/* Only says what is not there. */
static enum vmail_rc
list_missing(const struct init *in)
{
	static const char *const names[] = { ".lock", "apppw", "deny" };
	char path[VMAIL_CONF_PATH_MAX + 16], own[VMAIL_CONF_PATH_MAX + 16];
	const char *passwd = in->conf->passwd_file;
	bool is;
	enum vmail_rc rc = missing(in, passwd, &is);

	if (rc == VMAIL_OK && is)
		tell(in, passwd);
	for (size_t i = 0; rc == VMAIL_OK && i < 3; i++) {
		rc = in_folder(in, passwd, names[i], path);
		if (rc == VMAIL_OK)
			rc = missing(in, path, &is);
		if (rc == VMAIL_OK && is)
			tell(in, path);
	}
	if (rc == VMAIL_OK)
		rc = vmail_map_path(passwd, own, sizeof(own));
	if (rc == VMAIL_OK)
		rc = missing(in, own, &is);
	if (rc == VMAIL_OK && is)
		tell(in, own);
	if (rc == VMAIL_OK)
		rc = in_folder(in, in->conf->path, "passwd.cdb", path);
	if (rc != VMAIL_OK || strcmp(path, own) == 0)
		return rc;
	rc = missing(in, path, &is);
	if (rc == VMAIL_OK && is)
		tell(in, path);
	return rc;
}

enum vmail_rc
vmail_store_init(const struct vmail_conf *conf, unsigned wait, bool dry_run,
    void (*made)(const char *path, void *arg), void *arg, struct vmail_err *err)
{
	const struct init in = { conf, dry_run, made, arg, err };
	char one[VMAIL_CONF_PATH_MAX + 16], two[VMAIL_CONF_PATH_MAX + 16];
	enum vmail_rc rc = in_folder(&in, conf->path, NULL, one);

	if (rc == VMAIL_OK)
		rc = in_folder(&in, conf->passwd_file, NULL, two);
	if (rc == VMAIL_OK)
		rc = init_folder(&in, conf->path);
	if (rc == VMAIL_OK && strcmp(one, two) != 0)
		rc = init_folder(&in, conf->passwd_file);
	if (rc == VMAIL_OK)
		rc = init_conf(&in);
	if (rc == VMAIL_OK)
		rc = init_views(&in);
	if (rc != VMAIL_OK)
		return rc;
	return dry_run ? list_missing(&in) : init_files(&in, wait);
}
