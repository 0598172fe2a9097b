#include "common/admin/perm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "common/core/file.h"
#include "common/core/text.h"

#define ACL "system.posix_acl_access"

enum {
	ATTR_NAMES = 4096,
	ATTR_VALUE = 4096,
	REMOVE_TRIES = 5,
	TEMPORARY_NAME = 64,
	ID_MAP = 256,
};

/* Labels are taken over; what vouches for the content (ima, evm) or gives
 * power to a program (capability) is not a label. */
static bool
is_label(const char *name)
{
	return strncmp(name, "security.", 9) == 0 &&
	       strcmp(name, "security.ima") != 0 &&
	       strcmp(name, "security.evm") != 0 &&
	       strcmp(name, "security.capability") != 0;
}

/* What the file system cannot keep is passed over, and so is a label that
 * stands there already: setting it may need more power than we have. */
static enum vmail_rc
attr_like(
    int from, int to, const char *name, const char *path, struct vmail_err *err)
{
	char value[ATTR_VALUE], now[ATTR_VALUE];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));
	ssize_t has;

	if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return VMAIL_OK;
	if (n < 0)
		return vmail_fail_sys(err, path, name);
	has = fgetxattr(to, name, now, sizeof(now));
	if (has == n && memcmp(value, now, (size_t)n) == 0)
		return VMAIL_OK;
	if (fsetxattr(to, name, value, (size_t)n, 0) != 0 &&
	    errno != EOPNOTSUPP)
		return vmail_fail_sys(err, path, name);
	return VMAIL_OK;
}

static enum vmail_rc
attrs_like(int from, int to, const char *path, struct vmail_err *err)
{
	char names[ATTR_NAMES];
	ssize_t n = flistxattr(from, names, sizeof(names));

	if (n < 0 && errno == EOPNOTSUPP)
		return VMAIL_OK;
	if (n < 0)
		return vmail_fail_sys(err, path, "list attributes");
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		enum vmail_rc rc = VMAIL_OK;

		if (strcmp(p, ACL) == 0 || is_label(p))
			rc = attr_like(from, to, p, path, err);
		if (rc != VMAIL_OK)
			return rc;
	}
	return VMAIL_OK;
}

enum vmail_rc
vmail_perm_like(int from, int to, const char *path, struct vmail_err *err)
{
	struct stat st;

	if (fstat(from, &st) != 0)
		return vmail_fail_sys(err, path, "stat");
	if (fchown(to, st.st_uid, st.st_gid) != 0)
		return vmail_fail_sys(err, path, "chown");
	/* A new file may have got an ACL from its folder's default one. */
	if (fremovexattr(to, ACL) != 0 && errno != ENODATA &&
	    errno != EOPNOTSUPP)
		return vmail_fail_sys(err, path, "remove ACL");
	if (fchmod(to, st.st_mode & 07777) != 0)
		return vmail_fail_sys(err, path, "chmod");
	return attrs_like(from, to, path, err);
}

bool
vmail_perm_on_host(void)
{
	char text[ID_MAP];
	ssize_t n = -1;
	VMAIL_AUTOCLOSE int fd =
	    open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	uint64_t number[3] = { 1, 1, 0 };
	size_t i = 0;

	if (fd >= 0)
		n = vmail_file_pread(fd, text, sizeof(text), 0);
	for (struct vmail_str rest = { text, n > 0 ? (size_t)n : 0 };
	     rest.n > 0 && i < 3;) {
		struct vmail_str word = vmail_text_cut(&rest, ' ');

		if (word.n > 0 && word.p[word.n - 1] == '\n')
			word.n--;
		if (word.n > 0 &&
		    !vmail_text_number(word, UINT32_MAX, &number[i++]))
			return false;
	}
	return number[0] == 0 && number[1] == 0 && number[2] == UINT32_MAX;
}

/* A walk down a path: the folder it stands in, and the component to come. */
struct walk {
	int fd;
	struct vmail_str rest;
	char name[NAME_MAX + 1];
	bool last;
};

static void
walk_end(struct walk *w)
{
	vmail_file_close(&w->fd);
}

/* The next component of the path into w->name; false at the end. */
static bool
walk_next(struct walk *w)
{
	struct vmail_str part = { NULL, 0 };

	while (part.n == 0) {
		if (w->rest.p == NULL)
			return false;
		part = vmail_text_cut(&w->rest, '/');
	}
	while (w->rest.p != NULL && w->rest.n > 0 && *w->rest.p == '/') {
		w->rest.p++;
		w->rest.n--;
	}
	w->last = w->rest.p == NULL || w->rest.n == 0;
	memcpy(w->name, part.p, part.n);
	w->name[part.n] = '\0';
	return true;
}

/* Absolute, with no "." or ".." and no component too long. */
static enum vmail_rc
judge_path(const char *home, unsigned *depth, struct vmail_err *err)
{
	struct vmail_str rest = vmail_str(home);

	*depth = 0;
	if (home[0] != '/')
		return vmail_fail(
		    err, VMAIL_UNSAFE, home, 0, "not an absolute path");
	while (rest.p != NULL) {
		struct vmail_str part = vmail_text_cut(&rest, '/');

		if (vmail_str_is(part, "..") || vmail_str_is(part, "."))
			return vmail_fail(err, VMAIL_UNSAFE, home, 0,
			    "'.' or '..' in the path");
		if (part.n > NAME_MAX)
			return vmail_fail(err, VMAIL_INVALID, home, 0,
			    "a component too long");
		if (part.n > 0)
			++*depth;
	}
	return VMAIL_OK;
}

static enum vmail_rc
walk_begin(struct walk *w, const char *home, struct vmail_err *err)
{
	w->rest = vmail_str(home);
	w->fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->fd < 0 ? vmail_fail_sys(err, "/", "open") : VMAIL_OK;
}

/* Why is it not a folder that we could open? */
static enum vmail_rc
no_folder(const struct walk *w, const char *home, struct vmail_err *err)
{
	int error = errno;
	struct stat st;

	if (error == ENOENT)
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, home, 0, "no such directory");
	if ((error == ENOTDIR || error == ELOOP) &&
	    fstatat(w->fd, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return vmail_fail(err, VMAIL_UNSAFE, home, 0,
			    "a component is a symbolic link");
		return vmail_fail(err, VMAIL_EXISTS, home, 0,
		    "a component is not a directory");
	}
	errno = error;
	return vmail_fail_sys(err, home, "open");
}

static int
open_folder(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* May that uid own w->name, the home itself or a folder above it? */
static bool
may_own(const struct walk *w, const struct vmail_perm_home *h, uid_t uid)
{
	if (uid == h->user.uid)
		return true;
	return !w->last && (uid == 0 || uid == h->owner.uid);
}

/* Steps into w->name, which must belong to whom it should. */
static enum vmail_rc
walk_into(
    struct walk *w, const struct vmail_perm_home *h, struct vmail_err *err)
{
	struct stat st;
	int fd = open_folder(w->fd, w->name);

	if (fd < 0)
		return no_folder(w, h->path, err);
	vmail_file_close(&w->fd);
	w->fd = fd;
	if (fstat(fd, &st) != 0)
		return vmail_fail_sys(err, h->path, "stat");
	if (!may_own(w, h, st.st_uid))
		return vmail_fail(err, VMAIL_UNSAFE, h->path, 0,
		    w->last ? "belongs to somebody else"
			    : "a component belongs to somebody else");
	return VMAIL_OK;
}

/* A name that two logins at once do not share. */
static void
temporary_name(char name[TEMPORARY_NAME])
{
	struct vmail_buf b = { .p = name, .size = TEMPORARY_NAME };
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	vmail_buf_z(&b, ".vmail-");
	vmail_buf_num(&b, (uint64_t)getpid(), 1);
	vmail_buf_char(&b, '-');
	vmail_buf_num(&b, (uint64_t)now.tv_sec, 1);
	vmail_buf_num(&b, (uint64_t)now.tv_nsec, 9);
	(void)vmail_buf_end(&b);
}

/* Gives the folder just made away by its descriptor, once it is seen to be
 * the one we made. */
static enum vmail_rc
give_away(int fd, const struct walk *w, const struct vmail_perm_home *h,
    struct vmail_err *err)
{
	const struct vmail_ids *to = w->last ? &h->user : &h->owner;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return vmail_fail_sys(err, h->path, "stat");
	if (st.st_uid != geteuid() || st.st_nlink > 2)
		return vmail_fail(
		    err, VMAIL_UNSAFE, h->path, 0, "was replaced meanwhile");
	if (fchown(fd, to->uid, to->gid) != 0)
		return vmail_fail_sys(err, h->path, "chown");
	if (fchmod(fd, w->last ? 0700 : 0711) != 0)
		return vmail_fail_sys(err, h->path, "chmod");
	return VMAIL_OK;
}

static int
rename_new(int at, const char *from, const char *to)
{
	int rc = renameat2(at, from, at, to, RENAME_NOREPLACE);

	if (rc != 0 && (errno == EINVAL || errno == ENOSYS))
		rc = renameat(at, from, at, to);
	return rc;
}

/* A folder that was not there. It appears with its owner: one left half made
 * would be refused for ever. VMAIL_EXISTS: somebody else was faster. */
static enum vmail_rc
make_folder(
    struct walk *w, const struct vmail_perm_home *h, struct vmail_err *err)
{
	char name[TEMPORARY_NAME];
	enum vmail_rc rc;
	int fd;

	temporary_name(name);
	if (mkdirat(w->fd, name, 0700) != 0)
		return vmail_fail_sys(err, h->path, "make directory");
	fd = open_folder(w->fd, name);
	if (fd < 0)
		return vmail_fail_sys(err, h->path, "open");
	rc = give_away(fd, w, h, err);
	if (rc == VMAIL_OK && rename_new(w->fd, name, w->name) != 0)
		rc = errno == EEXIST || errno == ENOTEMPTY
			 ? VMAIL_EXISTS
			 : vmail_fail_sys(err, h->path, "rename into place");
	if (rc != VMAIL_OK) {
		(void)unlinkat(w->fd, name, AT_REMOVEDIR);
		vmail_file_close(&fd);
		return rc;
	}
	vmail_file_close(&w->fd);
	w->fd = fd;
	return VMAIL_OK;
}

/* Steps into w->name, made if it is missing. */
static enum vmail_rc
walk_or_make(struct walk *w, const struct vmail_perm_home *h, bool *made,
    struct vmail_err *err)
{
	enum vmail_rc rc = walk_into(w, h, err);

	if (rc != VMAIL_NOT_FOUND)
		return rc;
	rc = make_folder(w, h, err);
	if (rc == VMAIL_EXISTS)
		return walk_into(w, h, err);
	*made = rc == VMAIL_OK && w->last;
	return rc;
}

enum vmail_rc
vmail_perm_make_home(
    const struct vmail_perm_home *home, bool *made, struct vmail_err *err)
{
	__attribute__((cleanup(walk_end))) struct walk w = { .fd = -1 };
	bool made_it = false;
	unsigned depth;
	enum vmail_rc rc = judge_path(home->path, &depth, err);

	if (rc == VMAIL_OK && depth == 0)
		rc = vmail_fail(
		    err, VMAIL_UNSAFE, home->path, 0, "the root folder");
	if (rc == VMAIL_OK)
		rc = walk_begin(&w, home->path, err);
	while (rc == VMAIL_OK && walk_next(&w))
		rc = walk_or_make(&w, home, &made_it, err);
	if (rc == VMAIL_OK && made != NULL)
		*made = made_it;
	return rc;
}

/* Where a removal stands: one open folder, and which ones lead back up.
 * However deep the tree is, one descriptor at a time. */
struct removal {
	int fd;
	dev_t dev;
	ino_t *up;
	size_t depth, room;
	const char *home; /* for messages */
	struct vmail_err *err;
};

static void
removal_end(struct removal *r)
{
	vmail_file_close(&r->fd);
	free(r->up);
	r->up = NULL;
}

/* Is fd still inside the file system (and the mount) of the home? */
static enum vmail_rc
judge_inside(const struct removal *r, int fd, struct stat *st)
{
	struct statx sx;

	if (fstat(fd, st) != 0 ||
	    statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx) != 0)
		return vmail_fail_sys(r->err, r->home, "stat");
	if (st->st_dev != r->dev ||
	    (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return vmail_fail(r->err, VMAIL_UNSAFE, r->home, 0,
		    "a mount point lies in it");
	return VMAIL_OK;
}

static enum vmail_rc
go_down(struct removal *r, const char *name)
{
	struct stat here, below;
	int fd;
	enum vmail_rc rc;

	if (r->depth == r->room) {
		size_t room = r->room != 0 ? 2 * r->room : 64;
		ino_t *up = reallocarray(r->up, room, sizeof(*up));

		if (up == NULL)
			return vmail_fail_sys(r->err, r->home, "remove");
		r->up = up;
		r->room = room;
	}
	fd = open_folder(r->fd, name);
	if (fd < 0)
		return vmail_fail_sys(r->err, r->home, "open below");
	rc = judge_inside(r, fd, &below);
	if (rc == VMAIL_OK && fstat(r->fd, &here) != 0)
		rc = vmail_fail_sys(r->err, r->home, "stat");
	if (rc != VMAIL_OK) {
		vmail_file_close(&fd);
		return rc;
	}
	r->up[r->depth++] = here.st_ino;
	vmail_file_close(&r->fd);
	r->fd = fd;
	return VMAIL_OK;
}

/* ".." must be where we came from: its owner may have moved the folder. */
static enum vmail_rc
go_up(struct removal *r)
{
	struct stat st;
	int fd = open_folder(r->fd, "..");

	if (fd < 0)
		return vmail_fail_sys(r->err, r->home, "open above");
	vmail_file_close(&r->fd);
	r->fd = fd;
	if (fstat(fd, &st) != 0)
		return vmail_fail_sys(r->err, r->home, "stat");
	if (st.st_dev != r->dev || st.st_ino != r->up[--r->depth])
		return vmail_fail(r->err, VMAIL_BUSY, r->home, 0,
		    "a folder in it was moved meanwhile");
	return VMAIL_OK;
}

/* Removes one entry; VMAIL_EXISTS: a folder that is not empty. */
static enum vmail_rc
remove_entry(const struct removal *r, const char *name, unsigned char type)
{
	if (type != DT_DIR) {
		if (unlinkat(r->fd, name, 0) == 0 || errno == ENOENT)
			return VMAIL_OK;
		if (errno != EISDIR)
			return vmail_fail_sys(r->err, r->home, "remove below");
	}
	if (unlinkat(r->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return VMAIL_OK;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return VMAIL_EXISTS;
	if (errno == EBUSY)
		return vmail_fail(r->err, VMAIL_UNSAFE, r->home, 0,
		    "a mount point lies in it");
	return vmail_fail_sys(r->err, r->home, "remove below");
}

/* Removes what the open folder holds; VMAIL_EXISTS with the name of a folder
 * that must be emptied first. */
static enum vmail_rc
remove_entries(const struct removal *r, char name[NAME_MAX + 1])
{
	int fd = open_folder(r->fd, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	enum vmail_rc rc = VMAIL_OK;
	const struct dirent *d;

	if (dir == NULL) {
		rc = vmail_fail_sys(r->err, r->home, "read");
		vmail_file_close(&fd);
		return rc;
	}
	while (rc == VMAIL_OK && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		rc = remove_entry(r, d->d_name, d->d_type);
		if (rc == VMAIL_EXISTS)
			memcpy(name, d->d_name, strlen(d->d_name) + 1);
	}
	(void)closedir(dir);
	return rc;
}

/* Folder by folder, deepest first; each is removed on the way back, when its
 * parent is read again. */
static enum vmail_rc
remove_below(struct removal *r)
{
	char name[NAME_MAX + 1];

	for (;;) {
		enum vmail_rc rc = remove_entries(r, name);

		if (rc == VMAIL_OK && r->depth == 0)
			return VMAIL_OK;
		if (rc == VMAIL_OK)
			rc = go_up(r);
		else if (rc == VMAIL_EXISTS)
			rc = go_down(r, name);
		if (rc != VMAIL_OK)
			return rc;
	}
}

/* w stands in the home's parent, w->name is the home. */
static enum vmail_rc
remove_home_at(
    struct walk *parent, uid_t uid, const char *home, struct vmail_err *err)
{
	__attribute__((cleanup(removal_end))) struct removal r = {
		.fd = -1, .home = home, .err = err
	};
	struct stat st;
	enum vmail_rc rc;

	r.fd = open_folder(parent->fd, parent->name);
	if (r.fd < 0)
		return no_folder(parent, home, err);
	if (fstat(r.fd, &st) != 0)
		return vmail_fail_sys(err, home, "stat");
	if (st.st_uid != uid)
		return vmail_fail(
		    err, VMAIL_UNSAFE, home, 0, "belongs to somebody else");
	r.dev = st.st_dev;
	rc = judge_inside(&r, r.fd, &st);
	for (int i = 0; rc == VMAIL_OK && i < REMOVE_TRIES; i++) {
		rc = remove_below(&r);
		if (rc != VMAIL_OK)
			return rc;
		if (unlinkat(parent->fd, parent->name, AT_REMOVEDIR) == 0)
			return VMAIL_OK;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return vmail_fail_sys(err, home, "remove");
	}
	return rc != VMAIL_OK ? rc
			      : vmail_fail(err, VMAIL_BUSY, home, 0,
				    "is being filled again");
}

enum vmail_rc
vmail_perm_remove_home(
    const struct vmail_perm_home *home, struct vmail_err *err)
{
	__attribute__((cleanup(walk_end))) struct walk w = { .fd = -1 };
	unsigned depth;
	enum vmail_rc rc = judge_path(home->path, &depth, err);

	if (rc == VMAIL_OK && depth < 2)
		rc = vmail_fail(err, VMAIL_UNSAFE, home->path, 0,
		    "the root folder, or directly below it");
	if (rc == VMAIL_OK)
		rc = walk_begin(&w, home->path, err);
	while (rc == VMAIL_OK && walk_next(&w)) {
		rc = w.last
			 ? remove_home_at(&w, home->user.uid, home->path, err)
			 : walk_into(&w, home, err);
	}
	return rc == VMAIL_EXISTS ? vmail_fail(err, VMAIL_UNSAFE, home->path, 0,
					"not a directory")
				  : rc;
}
