#include "common/admin/perm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "common/admin/descend.h"
#include "common/admin/tree.h"
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

enum vmail_rc
vmail_perm_reader(
    const struct vmail_conf *conf, gid_t *gid, struct vmail_err *err)
{
	struct vmail_str group = vmail_str(conf->reader_group);
	uint64_t n;

	if (vmail_text_number(group, UINT32_MAX - 2, &n)) {
		*gid = (gid_t)n;
		return VMAIL_OK;
	}
	if (group.n != 0) {
		if (vmail_account_group(group, gid) == VMAIL_OK)
			return VMAIL_OK;
		return vmail_fail(err, VMAIL_INVALID, conf->path, 0,
		    "reader_group: no such group");
	}
	if (vmail_account_group(VMAIL_STR("dovecot"), gid) != VMAIL_OK)
		*gid = 0;
	return VMAIL_OK;
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

/* May that uid own w->name, the home itself or a folder above it? */
static bool
may_own(
    const struct vmail_descent *w, const struct vmail_perm_home *h, uid_t uid)
{
	if (uid == h->user.uid)
		return true;
	return !w->last && (uid == 0 || uid == h->owner.uid);
}

/* Steps into w->name, which must belong to whom it should. */
static enum vmail_rc
walk_into(struct vmail_descent *w, const struct vmail_perm_home *h,
    struct vmail_err *err)
{
	struct stat st;
	enum vmail_rc rc = vmail_descend_into(w, err);

	if (rc != VMAIL_OK)
		return rc;
	if (fstat(w->fd, &st) != 0)
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
give_away(int fd, const struct vmail_descent *w,
    const struct vmail_perm_home *h, struct vmail_err *err)
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
make_folder(struct vmail_descent *w, const struct vmail_perm_home *h,
    struct vmail_err *err)
{
	char name[TEMPORARY_NAME];
	enum vmail_rc rc;
	int fd;

	temporary_name(name);
	if (mkdirat(w->fd, name, 0700) != 0)
		return vmail_fail_sys(err, h->path, "make directory");
	fd = vmail_descend_open(w->fd, name);
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
walk_or_make(struct vmail_descent *w, const struct vmail_perm_home *h,
    bool *made, struct vmail_err *err)
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
	VMAIL_DESCENT w = { .fd = -1 };
	bool made_it = false;
	unsigned depth;
	enum vmail_rc rc = vmail_descend_judge(home->path, &depth, err);

	if (rc == VMAIL_OK && depth == 0)
		rc = vmail_fail(
		    err, VMAIL_UNSAFE, home->path, 0, "the root folder");
	if (rc == VMAIL_OK)
		rc = vmail_descend_begin(&w, home->path, err);
	while (rc == VMAIL_OK && vmail_descend_next(&w))
		rc = walk_or_make(&w, home, &made_it, err);
	if (rc == VMAIL_OK && made != NULL)
		*made = made_it;
	return rc;
}

struct removal {
	const char *home; /* for messages */
	struct vmail_err *err;
};

/* Removes one name; a folder that is not empty is met again. */
static enum vmail_rc
remove_name(const struct removal *r, int at, const char *name, int flags)
{
	if (unlinkat(at, name, flags) == 0 || errno == ENOENT)
		return VMAIL_OK;
	if (flags == AT_REMOVEDIR && (errno == ENOTEMPTY || errno == EEXIST))
		return VMAIL_OK;
	if (errno == EBUSY)
		return vmail_fail(r->err, VMAIL_UNSAFE, r->home, 0,
		    "a mount point lies in it");
	return vmail_fail_sys(r->err, r->home, "remove below");
}

static enum vmail_rc
remove_entry(const struct vmail_tree_place *here, const char *name, void *arg)
{
	return remove_name(arg, here->fd, name, 0);
}

static enum vmail_rc
remove_folder(const struct vmail_tree_place *here, const char *name, void *arg)
{
	return remove_name(arg, here->fd, name, AT_REMOVEDIR);
}

static enum vmail_rc
removal_passed(const struct vmail_tree_place *here, const char *name,
    enum vmail_tree_why why, void *arg)
{
	const struct removal *r = arg;

	switch (why) {
	case VMAIL_TREE_FOREIGN:
		return vmail_fail(r->err, VMAIL_UNSAFE, r->home, 0,
		    "a mount point lies in it");
	case VMAIL_TREE_SWAPPED:
		return remove_entry(here, name, arg);
	case VMAIL_TREE_CLOSED:
		return vmail_fail_sys(r->err, r->home, "open below");
	}
	return VMAIL_OK;
}

/* fd is open on the home w->name, which it removes with all below it. */
static enum vmail_rc
remove_open(const struct vmail_descent *w, int fd, struct vmail_err *err)
{
	struct removal r = { w->path, err };
	const struct vmail_tree tree = { NULL, remove_entry, remove_folder,
		removal_passed, &r };

	for (int i = 0; i < REMOVE_TRIES; i++) {
		enum vmail_rc rc = vmail_tree_walk(fd, w->path, &tree, err);

		if (rc != VMAIL_OK)
			return rc;
		if (unlinkat(w->fd, w->name, AT_REMOVEDIR) == 0)
			return VMAIL_OK;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return vmail_fail_sys(err, w->path, "remove");
	}
	return vmail_fail(err, VMAIL_BUSY, w->path, 0, "is being filled again");
}

/* w stands in the home's parent, w->name is the home. */
static enum vmail_rc
remove_home_at(const struct vmail_descent *w, uid_t uid, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = vmail_descend_open(w->fd, w->name);
	struct statx sx;

	if (fd < 0)
		return vmail_descend_fault(w, err);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx) != 0)
		return vmail_fail_sys(err, w->path, "stat");
	if (sx.stx_uid != uid)
		return vmail_fail(
		    err, VMAIL_UNSAFE, w->path, 0, "belongs to somebody else");
	if (!vmail_tree_inside(&sx, &sx))
		return vmail_fail(
		    err, VMAIL_UNSAFE, w->path, 0, "is a mount point");
	return remove_open(w, fd, err);
}

enum vmail_rc
vmail_perm_remove_home(
    const struct vmail_perm_home *home, struct vmail_err *err)
{
	VMAIL_DESCENT w = { .fd = -1 };
	unsigned depth;
	enum vmail_rc rc = vmail_descend_judge(home->path, &depth, err);

	if (rc == VMAIL_OK && depth < 2)
		rc = vmail_fail(err, VMAIL_UNSAFE, home->path, 0,
		    "the root folder, or directly below it");
	if (rc == VMAIL_OK)
		rc = vmail_descend_begin(&w, home->path, err);
	while (rc == VMAIL_OK && vmail_descend_next(&w)) {
		rc = w.last ? remove_home_at(&w, home->user.uid, err)
			    : walk_into(&w, home, err);
	}
	return rc == VMAIL_EXISTS ? vmail_fail(err, VMAIL_UNSAFE, home->path, 0,
					"not a directory")
				  : rc;
}
