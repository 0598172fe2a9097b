#include "common/admin/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/admin/derive.h"
#include "common/admin/inplace.h"
#include "common/admin/maphead.h"
#include "common/admin/mapmake.h"
#include "common/admin/mappatch.h"
#include "common/admin/perm.h"
#include "common/core/file.h"

enum { MAP_PATH = VMAIL_CONF_PATH_MAX + 16 };

/* A commit on its way: nothing of it counts before `renamed`. */
struct commit {
	struct vmail_store *store;
	int fd, map; /* the new files; map stays -1 for a restamp */
	struct vmail_edits_base base; /* the old file */
	struct stat st;
	uint64_t drift;
	bool built;		 /* the new map, from all lines */
	bool torn;		 /* neither old nor new: the journal tells */
	char map_path[MAP_PATH]; /* P.cdb, where it is now */
};

static enum vmail_rc
path_with(const struct vmail_store *s, const char *suffix, char out[MAP_PATH],
    struct vmail_err *err)
{
	struct vmail_buf b = { .p = out, .size = MAP_PATH };

	vmail_buf_z(&b, s->conf.passwd_file);
	vmail_buf_z(&b, suffix);
	if (vmail_buf_end(&b) == VMAIL_OK)
		return VMAIL_OK;
	return vmail_fail(
	    err, VMAIL_TOO_SMALL, s->conf.passwd_file, 0, "a path too long");
}

static int
rename_to(const struct vmail_store *s, const char *from, const char *to)
{
	struct vmail_store_name a = vmail_store_beside(s, from);
	struct vmail_store_name b = vmail_store_beside(s, to);

	return renameat(s->folder, a.text, s->folder, b.text);
}

static void
drop(const struct vmail_store *s, const char *suffix)
{
	struct vmail_store_name name = vmail_store_beside(s, suffix);

	(void)unlinkat(s->folder, name.text, 0);
}

/* Nobody without our lock may have written since: offsets would be wrong, and
 * the change would be lost. */
static enum vmail_rc
still_the_same(const struct vmail_store *s, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	struct vmail_stamp then = vmail_file_stamp(&s->st), now;
	struct stat open_one, named;

	if (fstat(s->fd, &open_one) != 0 ||
	    fstatat(s->folder, s->base, &named, AT_SYMLINK_NOFOLLOW) != 0)
		return vmail_fail_sys(err, path, "stat");
	now = vmail_file_stamp(&open_one);
	if (now.size == then.size && now.sec == then.sec &&
	    now.nsec == then.nsec && named.st_ino == then.ino &&
	    named.st_dev == s->st.st_dev)
		return VMAIL_OK;
	return vmail_fail(err, VMAIL_BUSY, path, 0,
	    "was changed meanwhile by somebody without the lock");
}

static bool
count_user(const struct vmail_walk_line *line, void *arg)
{
	struct vmail_entry e;
	uint64_t *users = arg;

	*users += line->whole == line->text.n &&
		  vmail_entry_parse(line->text, &e, NULL) == VMAIL_OK;
	return true;
}

/* A bulk result of fewer than half the users is more often a slip. */
static enum vmail_rc
judge_bulk(const struct vmail_store *s, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	const struct vmail_edits *e = &s->edits;
	uint64_t removed = vmail_edits_removed(e), users = 0, left = 0;
	enum vmail_rc rc;

	if (removed <= 1 && !e->whole)
		return VMAIL_OK;
	rc = vmail_store_walk_fd(s->fd, path, count_user, &users, err);
	if (rc == VMAIL_OK && e->whole)
		rc = vmail_store_walk_fd(
		    e->whole_fd, path, count_user, &left, err);
	else
		left = users - removed + e->adds;
	if (rc != VMAIL_OK)
		return rc;
	if (2 * left >= users)
		return VMAIL_OK;
	return vmail_fail(err, VMAIL_INVALID, path, 0,
	    "fewer than half of the users would be left (--force)");
}

enum vmail_rc
vmail_store_base(const struct vmail_store *s, struct vmail_edits_base *base,
    struct vmail_err *err)
{
	uint64_t size = (uint64_t)s->st.st_size;
	char last;

	if (vmail_file_pread(s->fd, &last, 1, size - 1) != 1)
		return vmail_fail_sys(err, s->conf.passwd_file, "read");
	*base = (struct vmail_edits_base){ .fd = s->fd,
		.path = s->conf.passwd_file,
		.size = size,
		.open_end = last != '\n' };
	return VMAIL_OK;
}

bool
vmail_store_in_place(const struct vmail_store *s)
{
	return s->mounts.way != VMAIL_MOUNTS_RENAME;
}

static bool
in_place(const struct commit *c)
{
	return vmail_store_in_place(c->store);
}

/* Whole seconds must grow: Dovecot compares nothing finer (step 5). */
static enum vmail_rc
set_mtime(struct commit *c, struct vmail_err *err)
{
	const char *path = c->store->conf.passwd_file;
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
		vmail_store_next_time(&c->store->st) };

	if (futimens(c->fd, times) != 0 || fstat(c->fd, &c->st) != 0)
		return vmail_fail_sys(err, path, "set the time");
	errno = EOVERFLOW;
	return c->st.st_mtim.tv_sec > c->store->st.st_mtim.tv_sec
		   ? VMAIL_OK
		   : vmail_fail_sys(err, path, "let the time grow");
}

/* The new file as others are to see it; in place they never see this one. */
static enum vmail_rc
dress(struct commit *c, struct vmail_err *err)
{
	enum vmail_rc rc;

	if (in_place(c))
		return VMAIL_OK;
	rc = set_mtime(c, err);
	/* The disk works while the map is made. */
	if (rc == VMAIL_OK)
		(void)sync_file_range(c->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return rc;
}

enum vmail_rc
vmail_store_new_file(
    const struct vmail_store *s, int *fd, struct vmail_err *err)
{
	bool over = vmail_store_in_place(s);
	struct vmail_store_name name =
	    vmail_store_beside(s, over ? VMAIL_INPLACE_JOURNAL : ".tmp");
	const char *path = s->conf.passwd_file;

	*fd = openat(s->folder, name.text,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return vmail_fail_sys(err, path, "make the new file");
	return over ? VMAIL_OK : vmail_perm_like(s->fd, *fd, path, err);
}

void
vmail_store_undo(const struct vmail_store *s)
{
	vmail_store_sweep(s);
	if (vmail_store_in_place(s))
		vmail_inplace_drop(s);
}

static bool
begun_ahead(const struct vmail_store *s)
{
	return s->ahead != NULL && s->ahead->begun;
}

void
vmail_store_end_ahead(struct vmail_store *s)
{
	if (s->ahead != NULL)
		s->ahead->close(s->ahead);
	s->ahead = NULL;
}

/* Steps 4 and 5; the new file may have been begun when lines were added. */
static enum vmail_rc
write_file(struct commit *c, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	enum vmail_rc rc = vmail_store_base(s, &c->base, err);

	if (rc == VMAIL_OK && begun_ahead(s)) {
		c->fd = s->ahead->fd;
		s->ahead->fd = -1;
	} else if (rc == VMAIL_OK) {
		rc = vmail_store_new_file(s, &c->fd, err);
	}
	if (rc == VMAIL_OK)
		rc = vmail_edits_compose(&s->edits, &c->base, c->fd, err);
	if (rc == VMAIL_OK)
		rc = dress(c, err);
	if (rc == VMAIL_OK)
		rc = vmail_edits_verify(&s->edits, &c->base, c->fd, err);
	return rc;
}

/* A patched copy of the live map where one can be, else one from all lines. */
static enum vmail_rc
new_map(struct commit *c, const char *path, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	const struct vmail_mappatch patch = { .live = c->map_path,
		.old = &s->st,
		.edits = &s->edits,
		.base = &c->base,
		.new = &c->st };
	enum vmail_rc rc = VMAIL_MISMATCH;

	if (begun_ahead(s) && s->conf.nss_mailboxes) {
		c->built = true;
		return s->ahead->map(s->ahead, &c->st, &c->map, err);
	}
	if (!s->edits.whole && !begun_ahead(s))
		rc = vmail_mappatch_copy(&s->conf, &patch, path, &c->map, err);

	c->built = rc == VMAIL_MISMATCH;
	if (!c->built)
		return rc;
	return vmail_mapmake_build(&s->conf, in_place(c) ? s->fd : c->fd,
	    s->conf.passwd_file, path, &c->map, err);
}

/* Step 6. Without mailboxes the map has nothing that an edit could change. */
static enum vmail_rc
write_map(struct commit *c, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	bool mailboxes = s->conf.nss_mailboxes;
	char path[MAP_PATH];
	enum vmail_rc rc = path_with(s, ".cdb", c->map_path, err);

	if (rc == VMAIL_OK)
		rc = path_with(s, ".cdb.tmp", path, err);
	if (rc != VMAIL_OK)
		return rc;
	c->drift = mailboxes ? vmail_edits_drift(&s->edits) : 0;
	if (!(mailboxes && vmail_edits_public(&s->edits)) &&
	    vmail_mappatch_can_restamp(&s->conf, c->map_path, &s->st, c->drift))
		return VMAIL_OK;
	return new_map(c, path, err);
}

/* Step 7, up to the rename that counts. */
static enum vmail_rc
sync_files(struct commit *c, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	struct vmail_store_name backup = vmail_store_beside(s, "-.tmp");
	const char *path = s->conf.passwd_file;

	if (fsync(c->fd) != 0 || (c->map >= 0 && fsync(c->map) != 0))
		return vmail_fail_sys(err, path, "fsync");
	if (!vmail_store_lock_fd(c->fd))
		return vmail_fail_sys(err, path, "lock the new file");
	if (linkat(s->folder, s->base, s->folder, backup.text, 0) != 0)
		return vmail_fail_sys(err, path, "keep a backup");
	return still_the_same(s, err);
}

/* Steps 6 and 7 of a commit by rename. */
static enum vmail_rc
replace(struct commit *c, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	enum vmail_rc rc = write_map(c, err);

	if (rc == VMAIL_OK)
		rc = sync_files(c, err);
	if (rc == VMAIL_OK && rename_to(s, ".tmp", "") != 0)
		rc = vmail_fail_sys(
		    err, s->conf.passwd_file, "rename into place");
	return rc;
}

static enum vmail_rc
write_over(struct commit *c, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	const char *path = s->conf.passwd_file;
	struct stat st;
	enum vmail_rc rc = still_the_same(s, err);

	if (rc == VMAIL_OK && fstat(c->fd, &st) != 0)
		rc = vmail_fail_sys(err, path, "stat the journal");
	if (rc == VMAIL_OK)
		rc = vmail_inplace_write(
		    s, c->fd, (uint64_t)st.st_size, &c->torn, err);
	/* From here on it is done, whatever else cannot be. */
	if (rc == VMAIL_OK && fstat(s->fd, &c->st) != 0)
		c->st.st_ino = 0;
	return rc;
}

static enum vmail_rc
prepare(struct commit *c, struct vmail_err *err)
{
	struct vmail_store *s = c->store;
	enum vmail_rc rc = write_file(c, err);

	if (rc == VMAIL_OK)
		rc = vmail_derive_missing(
		    s->conf.passwd_file, s->fd, NULL, NULL, err);
	if (rc == VMAIL_OK)
		rc = in_place(c) ? write_over(c, err) : replace(c, err);
	return rc;
}

/* The first thing that went wrong after the change was done. */
static void
warn(struct vmail_commit *done, const char *path, const char *what)
{
	if (done->warning.rc == VMAIL_OK)
		(void)vmail_fail_sys(&done->warning, path, what);
}

/* The old content under its lasting name; closed to others only now, when it
 * is no longer what readers open. */
static void
keep_backup(const struct vmail_store *s, struct vmail_commit *done)
{
	const char *path = s->conf.passwd_file;

	if (fchmod(s->fd, 0600) != 0)
		warn(done, path, "chmod the backup");
	if (rename_to(s, "-.tmp", "-") == 0)
		return;
	warn(done, path, "rename the backup into place");
	drop(s, "-.tmp");
}

static void
warn_of(struct vmail_commit *done, const struct vmail_err *err)
{
	if (done->warning.rc == VMAIL_OK)
		done->warning = *err;
}

/* The new map into place, or the live one restamped. */
static void
publish_map(struct commit *c, struct vmail_commit *done)
{
	struct vmail_store *s = c->store;
	struct vmail_err err;

	done->map_rebuilt = c->built;
	if (c->map >= 0 && rename_to(s, ".cdb.tmp", ".cdb") != 0) {
		warn(done, c->map_path, "rename into place");
		drop(s, ".cdb.tmp");
	}
	if (c->map < 0 && vmail_mappatch_restamp(
			      c->map_path, &c->st, c->drift, &err) != VMAIL_OK)
		warn_of(done, &err);
}

/* Steps 7 to 9 behind the rename: whatever fails now, the change is done. */
static void
publish(struct commit *c, struct vmail_commit *done)
{
	struct vmail_store *s = c->store;

	keep_backup(s, done);
	publish_map(c, done);
	if (fsync(s->folder) != 0)
		(void)vmail_fail_sys(
		    &done->unsynced, s->conf.passwd_file, "fsync the folder");
}

/* The same behind a commit in place: the map is made only now, from what the
 * file has become. */
static void
publish_in_place(struct commit *c, struct vmail_commit *done)
{
	struct vmail_store *s = c->store;
	struct vmail_err err;

	done->in_place = true;
	done->holder = s->mounts.holder;
	errno = EIO;
	if (c->st.st_ino == 0)
		warn(done, s->conf.passwd_file, "stat");
	else if (write_map(c, &err) != VMAIL_OK)
		warn_of(done, &err);
	else if (c->map >= 0 && fsync(c->map) != 0)
		warn(done, c->map_path, "fsync");
	else
		publish_map(c, done);
	vmail_store_sweep(s);
	vmail_inplace_drop(s);
}

/* The store goes on with the new file, which it has locked. */
static void
adopt(struct commit *c)
{
	struct vmail_store *s = c->store;

	vmail_store_forget(s);
	s->st = c->st;
	if (in_place(c))
		return;
	vmail_file_close(&s->fd);
	s->fd = c->fd;
	c->fd = -1;
}

enum vmail_rc
vmail_store_commit(struct vmail_store *store, bool force,
    struct vmail_commit *done, struct vmail_err *err)
{
	struct commit c = { .store = store, .fd = -1, .map = -1 };
	struct vmail_commit result = { .mtime = store->st.st_mtim.tv_sec };
	enum vmail_rc rc = still_the_same(store, err);

	if (rc == VMAIL_OK && vmail_edits_any(&store->edits)) {
		if (!force)
			rc = judge_bulk(store, err);
		if (rc == VMAIL_OK)
			rc = prepare(&c, err);
		result.changed = rc == VMAIL_OK;
	}
	if (result.changed) {
		result.mtime = c.st.st_mtim.tv_sec;
		if (in_place(&c))
			publish_in_place(&c, &result);
		else
			publish(&c, &result);
		adopt(&c);
	} else if (c.fd >= 0) {
		if (c.torn)
			vmail_store_sweep(store);
		else
			vmail_store_undo(store);
	}
	vmail_file_close(&c.fd);
	vmail_file_close(&c.map);
	vmail_store_end_ahead(store);
	if (rc != VMAIL_OK)
		return rc;
	vmail_edits_clear(&store->edits);
	*done = result;
	return VMAIL_OK;
}

enum vmail_rc
vmail_store_put_map(struct vmail_store *s, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = -1;
	char path[MAP_PATH];
	enum vmail_rc rc = path_with(s, ".cdb.tmp", path, err);

	if (rc == VMAIL_OK)
		rc = vmail_mapmake_build(
		    &s->conf, s->fd, s->conf.passwd_file, path, &fd, err);
	if (rc != VMAIL_OK)
		return rc;
	if (fsync(fd) != 0 || rename_to(s, ".cdb.tmp", ".cdb") != 0 ||
	    fsync(s->folder) != 0) {
		rc = vmail_fail_sys(err, path, "put the map into place");
		drop(s, ".cdb.tmp");
	}
	return rc;
}

enum vmail_rc
vmail_store_header(const struct vmail_conf *conf, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = -1;
	char path[MAP_PATH], temporary[MAP_PATH];
	bool apart;
	enum vmail_rc rc =
	    vmail_maphead_first(conf, path, sizeof(path), &apart);

	if (rc == VMAIL_OK)
		rc = vmail_conf_beside(
		    conf, "passwd.cdb.tmp", temporary, sizeof(temporary));
	if (rc != VMAIL_OK)
		return vmail_fail(
		    err, VMAIL_TOO_SMALL, conf->path, 0, "a path too long");
	if (!apart)
		return VMAIL_OK;
	rc = vmail_file_trust_folder(path, err);
	if (rc != VMAIL_OK)
		return rc;
	(void)unlink(temporary);
	rc = vmail_mapmake_header(conf, temporary, &fd, err);
	if (rc == VMAIL_OK &&
	    (fsync(fd) != 0 || rename(temporary, path) != 0)) {
		rc = vmail_fail_sys(err, path, "put into place");
		(void)unlink(temporary);
	}
	return rc;
}

enum vmail_rc
vmail_store_rebuild(struct vmail_store *store, struct vmail_err *err)
{
	enum vmail_rc rc = vmail_derive_missing(
	    store->conf.passwd_file, store->fd, NULL, NULL, err);

	if (rc == VMAIL_OK)
		rc = vmail_store_put_map(store, err);
	/* The header of all domains is not one domain's to write. */
	if (rc == VMAIL_OK && !store->conf.entered)
		rc = vmail_store_header(&store->conf, err);
	return rc;
}
