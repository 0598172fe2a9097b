#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/descend.h"
#include "common/admin/fixperms_fix.h"
#include "common/admin/lacking.h"
#include "common/admin/tree.h"
#include "common/core/file.h"

enum { WORDS = 512 };

/* One home on its way. */
struct trip {
	struct vmail_fixperms *f;
	const struct vmail_fixperms_home *h;
	struct statx top; /* of the home */
};

static bool
look(int at, const char *name, struct statx *sx)
{
	return statx(at, name,
		   AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		   STATX_BASIC_STATS, sx) == 0;
}

/* The whole path of what lies at `below` (may be "") in the home; NULL: no
 * memory, and the home's own has to do. The caller frees. */
static char *
whole(const struct trip *t, const char *below, const char *name)
{
	char *path;

	if (asprintf(&path, "%s%s%s%s%s", t->h->path, *below ? "/" : "", below,
		*name ? "/" : "", name) < 0)
		return NULL;
	return path;
}

static void
leave(const struct trip *t, const struct vmail_tree_place *here,
    const char *name, const struct statx *sx, const char *why)
{
	struct vmail_fixperms_perms is = { .mode = 0 };
	char *path = whole(t, here->path, name);

	if (sx != NULL)
		is = vmail_fixperms_is(sx);
	vmail_fixperms_leave(t->f, path != NULL ? path : t->h->path,
	    sx != NULL ? &is : NULL, why);
	free(path);
}

static void
leave_errno(const struct trip *t, const struct vmail_tree_place *here,
    const char *name, const char *what)
{
	char words[WORDS];

	(void)snprintf(words, sizeof(words), "%s: %s", what, strerror(errno));
	leave(t, here, name, NULL, words);
}

static bool
is_right(const struct trip *t, const struct statx *sx)
{
	struct vmail_fixperms_want want =
	    vmail_fixperms_rule(VMAIL_FIXPERMS_MAIL, t->h->user, sx->stx_mode);
	struct vmail_fixperms_perms is = vmail_fixperms_is(sx);
	struct vmail_fixperms_perms should = vmail_fixperms_should(&want, &is);

	return vmail_fixperms_same(&is, &should);
}

/* What is never touched, whatever its owner: NULL if that is not so. */
static const char *
untouchable(const struct trip *t, const struct statx *sx)
{
	if (!vmail_tree_inside(sx, &t->top))
		return "mounted there: not of the home's file system";
	if (S_ISCHR(sx->stx_mode) || S_ISBLK(sx->stx_mode))
		return "a device: no mail";
	return NULL;
}

static void
fix(const struct trip *t, const struct vmail_tree_place *here, int fd,
    const char *name, const struct statx *sx)
{
	struct vmail_fixperms_want want =
	    vmail_fixperms_rule(VMAIL_FIXPERMS_MAIL, t->h->user, sx->stx_mode);
	struct vmail_fixperms_perms is = vmail_fixperms_is(sx);
	char *path = whole(t, here->path, name);

	vmail_fixperms_fix(
	    t->f, fd, &want, &is, path != NULL ? path : t->h->path);
	free(path);
}

/* By its descriptor, and by what that is open on: the name may lead elsewhere
 * by now. A second name of a file may be anybody's. */
static void
mend(const struct trip *t, const struct vmail_tree_place *here,
    const char *name, const struct statx *seen)
{
	VMAIL_AUTOCLOSE int fd =
	    openat(here->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const char *why;
	struct statx sx;

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || !look(fd, "", &sx)) {
		leave_errno(t, here, name, "cannot be opened");
		return;
	}
	why = untouchable(t, &sx);
	if (why == NULL && ((sx.stx_mode ^ seen->stx_mode) & S_IFMT) != 0)
		why = "was replaced meanwhile: run it again";
	if (why == NULL && !is_right(t, &sx) && sx.stx_nlink > 1)
		why = "a hard link, which may be somebody else's file: a copy "
		      "in its place can be mended";
	if (why != NULL)
		leave(t, here, name, &sx, why);
	else
		fix(t, here, fd, name, &sx);
}

static enum vmail_rc
entry(const struct vmail_tree_place *here, const char *name, void *arg)
{
	const struct trip *t = arg;
	struct statx sx;
	const char *why;

	vmail_fixperms_count(t->f);
	if (!look(here->fd, name, &sx)) {
		if (errno != ENOENT)
			leave_errno(t, here, name, "cannot be looked at");
		return VMAIL_OK;
	}
	why = untouchable(t, &sx);
	if (why != NULL)
		leave(t, here, name, &sx, why);
	else if (!is_right(t, &sx))
		mend(t, here, name, &sx);
	return VMAIL_OK;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_others(const struct trip *t, const char *below)
{
	char *path;
	bool found;

	if (t->h->nothers == 0)
		return false;
	path = whole(t, below, "");
	/* Where that cannot be told, it is not ours. */
	found = path == NULL || bsearch(&path, t->h->others, t->h->nothers,
				    sizeof(*t->h->others), by_path) != NULL;
	free(path);
	return found;
}

static enum vmail_rc
enter(const struct vmail_tree_place *here, const struct statx *sx, void *arg)
{
	const struct trip *t = arg;

	if (*here->path != '\0' && is_others(t, here->path))
		return VMAIL_EXISTS;
	vmail_fixperms_count(t->f);
	if (!is_right(t, sx))
		fix(t, here, here->fd, "", sx);
	return VMAIL_OK;
}

static enum vmail_rc
passed(const struct vmail_tree_place *here, const char *name,
    enum vmail_tree_why why, void *arg)
{
	const struct trip *t = arg;

	switch (why) {
	case VMAIL_TREE_FOREIGN:
		leave(t, here, name, NULL,
		    "mounted there: not of the home's file system");
		break;
	case VMAIL_TREE_SWAPPED:
		leave(t, here, name, NULL,
		    "was replaced meanwhile: run it again");
		break;
	case VMAIL_TREE_CLOSED:
		leave_errno(t, here, name, "cannot be read");
		break;
	}
	return VMAIL_OK;
}

static void
leave_home(const struct trip *t, const struct vmail_err *err)
{
	char words[WORDS];

	(void)snprintf(words, sizeof(words), "%s%s%s", err->what,
	    err->sys_errno != 0 ? ": " : "",
	    err->sys_errno != 0 ? strerror(err->sys_errno) : "");
	vmail_fixperms_leave(t->f, t->h->path, NULL, words);
}

/* The home itself, open at fd, and all below it. */
static void
mend_home(struct trip *t, int fd)
{
	const struct vmail_tree tree = { enter, entry, NULL, passed, t };
	struct vmail_err err;

	if (vmail_tree_walk(fd, t->h->path, &tree, &err) != VMAIL_OK)
		leave_home(t, &err);
}

/* Of the way to the home: where it stands, and whose the last folder was. */
struct step {
	const struct vmail_descent *d;
	size_t length; /* of the path so far */
	struct statx sx;
	uid_t above;
};

static bool
below_root(const struct trip *t, size_t length)
{
	size_t n = strlen(t->h->root);

	return n > 0 && length >= n &&
	       strncmp(t->h->path, t->h->root, n) == 0 &&
	       (t->h->path[n] == '/' || t->h->path[n] == '\0');
}

static bool
is_theirs(const struct trip *t, uid_t uid)
{
	return uid == t->h->user.uid || uid == t->h->owner.uid;
}

static bool
is_known(const struct trip *t, uid_t uid)
{
	for (size_t i = 0; i < t->h->nknown; i++)
		if (t->h->known[i] == uid)
			return true;
	return is_theirs(t, uid);
}

/* Whose folder may lead to a home, or be one? What is mail, and where, root
 * has said in vmail.conf; elsewhere a folder must be theirs already. */
static bool
may_be(const struct trip *t, const struct step *s)
{
	uid_t uid = s->sx.stx_uid;
	size_t root = strlen(t->h->root);

	if (below_root(t, s->length))
		return s->length > root || is_known(t, uid) ||
		       (uid == 0 && !s->d->last);
	if (!s->d->last)
		return uid == 0 || is_theirs(t, uid);
	return is_theirs(t, uid) || (uid == 0 && is_theirs(t, s->above));
}

static void
leave_stranger(const struct trip *t, const struct step *s)
{
	struct vmail_fixperms_perms is = vmail_fixperms_is(&s->sx);
	char words[WORDS];

	if (s->d->last)
		(void)snprintf(words, sizeof(words),
		    "belongs to %u, not to its user: if this is the mail, "
		    "chown %u:%u that folder first",
		    is.ids.uid, t->h->user.uid, t->h->user.gid);
	else
		(void)snprintf(words, sizeof(words),
		    "%.*s on the way belongs to %u, who could put another "
		    "folder there",
		    (int)s->length, t->h->path, is.ids.uid);
	vmail_fixperms_leave(t->f, t->h->path, s->d->last ? &is : NULL, words);
}

static bool
lacks_way(const struct trip *t, int fd, const struct vmail_fixperms_perms *p)
{
	const struct vmail_lacking_who who = { t->h->user.uid, t->h->user.gid,
		NULL, 0 };
	struct stat st = {
		.st_uid = p->ids.uid, .st_gid = p->ids.gid, .st_mode = p->mode
	};
	acl_t acl;
	bool lacks = vmail_lacking_bits(&st, NULL, &who, X_OK) != 0;

	if (!lacks || (acl = acl_get_fd(fd)) == NULL)
		return lacks;
	lacks = vmail_lacking_bits(&st, acl, &who, X_OK) != 0;
	(void)acl_free(acl);
	return lacks;
}

/* A folder that root has made, or the system: not ours to open. */
static void
tell_lacking(const struct trip *t, const char *path)
{
	const struct vmail_lacking_who who = { t->h->user.uid, t->h->user.gid,
		NULL, 0 };
	VMAIL_AUTOCLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char words[WORDS];

	if (vmail_lacking_explain(
		root, path, &who, X_OK, words, sizeof(words)) == VMAIL_DENIED)
		vmail_fixperms_leave(t->f, path, NULL, words);
}

/* Was this folder on the way to the home before? */
static bool
was_done(const struct trip *t, size_t length)
{
	const char *before = t->h->before;

	return before != NULL && strncmp(before, t->h->path, length) == 0 &&
	       before[length] == '/';
}

static void
mend_above(const struct trip *t, const struct step *s)
{
	struct vmail_fixperms_perms is = vmail_fixperms_is(&s->sx);
	struct vmail_fixperms_want want =
	    vmail_fixperms_rule(VMAIL_FIXPERMS_ABOVE, t->h->owner, is.mode);
	struct vmail_fixperms_perms should;
	char *path;

	if (was_done(t, s->length))
		return;
	path = strndup(t->h->path, s->length);
	if (path == NULL)
		return;
	if (is.ids.uid == 0 || is_theirs(t, is.ids.uid)) {
		want.ids = is.ids;
		want.any_gid = true;
	}
	should = vmail_fixperms_should(&want, &is);
	if (lacks_way(t, s->d->fd, &should))
		want.must = 0711;
	if (below_root(t, s->length))
		vmail_fixperms_fix(t->f, s->d->fd, &want, &is, path);
	else if (want.must != 0)
		tell_lacking(t, path);
	free(path);
}

/* Down to the home. VMAIL_OK: d stands in it, and nobody else may have led
 * us there. */
static enum vmail_rc
go_home(const struct trip *t, struct vmail_descent *d, struct vmail_err *err)
{
	struct step s = { .d = d };
	enum vmail_rc rc = vmail_descend_begin(d, t->h->path, err);

	while (rc == VMAIL_OK && vmail_descend_next(d)) {
		rc = vmail_descend_into(d, err);
		if (rc == VMAIL_OK && !look(d->fd, "", &s.sx))
			rc = vmail_fail_sys(err, t->h->path, "stat");
		if (rc != VMAIL_OK)
			return rc;
		s.length = vmail_descend_length(d);
		if (!may_be(t, &s)) {
			leave_stranger(t, &s);
			return VMAIL_UNSAFE;
		}
		if (!d->last)
			mend_above(t, &s);
		s.above = s.sx.stx_uid;
	}
	return rc;
}

bool
vmail_fixperms_home(
    struct vmail_fixperms *f, const struct vmail_fixperms_home *home)
{
	struct trip t = { .f = f, .h = home };
	VMAIL_DESCENT d = { .fd = -1 };
	struct vmail_err err = { .rc = VMAIL_OK };
	unsigned depth = 0;
	enum vmail_rc rc = vmail_descend_judge(home->path, &depth, &err);

	if (rc == VMAIL_OK && depth < 2)
		rc = vmail_fail(&err, VMAIL_UNSAFE, home->path, 0,
		    "the root folder, or directly below it: no mail home");
	if (rc == VMAIL_OK)
		rc = go_home(&t, &d, &err);
	if (rc == VMAIL_NOT_FOUND)
		vmail_fixperms_miss(f, home->path);
	else if (rc != VMAIL_OK && err.rc != VMAIL_OK)
		leave_home(&t, &err);
	if (rc != VMAIL_OK || !look(d.fd, "", &t.top))
		return false;
	mend_home(&t, d.fd);
	return true;
}
