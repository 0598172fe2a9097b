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

enum { RETRY_NSEC = 20000000 };

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
	vmail_store_end_ahead(s);
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

struct timespec
vmail_store_next_time(const struct stat *old)
{
	struct timespec next = old->st_mtim, now;

	next.tv_sec++;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec > next.tv_sec ||
	    (now.tv_sec == next.tv_sec && now.tv_nsec > next.tv_nsec))
		next = now;
	return next;
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
		rc = vmail_fail(err, VMAIL_IO, path, 0, VMAIL_STORE_EMPTY);
	return rc;
}

enum vmail_rc
vmail_store_lock(const struct vmail_conf *conf, unsigned wait,
    struct vmail_store **store, struct vmail_err *err)
{
	VMAIL_STORE *s = NULL;
	struct timespec end = patience(wait);
	enum vmail_rc rc = store_new(conf, &s, err);

	if (rc == VMAIL_OK)
		rc = open_folder(s, err);
	if (rc == VMAIL_OK)
		rc = take_lock(s, &end, err);
	if (rc != VMAIL_OK)
		return rc;
	*store = s;
	s = NULL;
	return VMAIL_OK;
}

enum vmail_rc
vmail_store_take(struct vmail_store *s, unsigned wait, struct vmail_err *err)
{
	struct timespec end = patience(wait);
	enum vmail_rc rc = take_file(s, &end, err);

	if (rc == VMAIL_OK)
		rc = judge_file(s, err);
	if (rc == VMAIL_OK)
		vmail_store_sweep(s);
	return rc;
}

enum vmail_rc
vmail_store_open(const struct vmail_conf *conf, unsigned wait,
    struct vmail_store **store, struct vmail_err *err)
{
	VMAIL_STORE *s = NULL;
	enum vmail_rc rc = vmail_store_lock(conf, wait, &s, err);

	if (rc == VMAIL_OK)
		rc = vmail_store_take(s, wait, err);
	if (rc != VMAIL_OK)
		return rc;
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

void
vmail_store_expect(struct vmail_store *store, struct vmail_str name)
{
	vmail_nameset_expect(&store->edits.names, name);
}

bool
vmail_store_added(
    const struct vmail_store *store, struct vmail_str name, size_t *index)
{
	return vmail_edits_added(&store->edits, name, index);
}

enum vmail_rc
vmail_store_replace_all(
    struct vmail_store *store, int fd, struct vmail_err *err)
{
	return vmail_edits_whole(&store->edits, fd, err);
}
