#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/commit.h"
#include "common/admin/derive.h"
#include "common/admin/descend.h"
#include "common/admin/fixperms_acl.h"
#include "common/admin/fixperms_fix.h"
#include "common/admin/maphead.h"
#include "common/core/file.h"

enum { PATH_ROOM = VMAIL_CONF_PATH_MAX + 32, WORDS = 256 };

/* A folder of root's, open, and its path for messages. */
struct place {
	int fd;
	char path[PATH_ROOM];
};

static bool
is_roots(const struct stat *st)
{
	struct stat owner = *st;

	owner.st_mode &= ~(mode_t)022;
	return vmail_file_trust(&owner, "", NULL) == VMAIL_OK;
}

static struct vmail_fixperms_perms
is_of(const struct stat *st)
{
	return (struct vmail_fixperms_perms){ { st->st_uid, st->st_gid },
		st->st_mode };
}

/* What is told of a folder that cannot be reached; one that is missing, others
 * tell of. */
static void
unreachable(struct vmail_fixperms *f, const char *path, const char *what)
{
	char words[WORDS];

	if (errno == ENOENT)
		return;
	(void)snprintf(words, sizeof(words), "%s: %s", what, strerror(errno));
	vmail_fixperms_leave(f, path, NULL, words);
}

/* Down to it: links on the way are root's own (realpath), and everything above
 * it must be, or somebody could lead us elsewhere. */
static bool
go(struct vmail_fixperms *f, struct place *p, struct stat *st)
{
	char *real = realpath(p->path, NULL);
	VMAIL_DESCENT d = { .fd = -1 };
	struct vmail_err err;
	enum vmail_rc rc = VMAIL_OK;
	bool safe = real != NULL;

	if (real == NULL)
		unreachable(f, p->path, "cannot be reached");
	if (safe)
		rc = vmail_descend_begin(&d, real, &err);
	while (safe && rc == VMAIL_OK && vmail_descend_next(&d)) {
		rc = vmail_descend_into(&d, &err);
		if (rc == VMAIL_OK && fstat(d.fd, st) != 0)
			rc = vmail_fail_sys(&err, real, "stat");
		safe = rc != VMAIL_OK || d.last || is_roots(st);
	}
	free(real);
	if (rc != VMAIL_OK)
		vmail_fixperms_leave(f, p->path, NULL, err.what);
	else if (!safe)
		vmail_fixperms_leave(f, p->path, NULL,
		    "a folder on the way to it is not root's");
	if (rc != VMAIL_OK || !safe)
		return false;
	p->fd = d.fd;
	d.fd = -1;
	return true;
}

/* Opens the folder at p->path and mends it. *trusted (may be NULL): nobody
 * but root could put files there. VMAIL_NOT_FOUND: it is not there, or was
 * told of; VMAIL_UNSUPPORTED: it is the host's root's, who is nobody here. */
static enum vmail_rc
open_place(struct vmail_fixperms *f, struct place *p, bool *trusted)
{
	const struct vmail_fixperms_want want = vmail_fixperms_rule(
	    VMAIL_FIXPERMS_FOLDER, (struct vmail_ids){ 0, 0 }, S_IFDIR);
	struct vmail_fixperms_perms is;
	struct stat st;

	p->fd = -1;
	if (!go(f, p, &st))
		return VMAIL_NOT_FOUND;
	if (is_roots(&st) && st.st_uid != 0)
		return VMAIL_UNSUPPORTED;
	if (trusted != NULL)
		*trusted = vmail_file_trust(&st, p->path, NULL) == VMAIL_OK;
	is = is_of(&st);
	vmail_fixperms_count(f);
	vmail_fixperms_fix(f, p->fd, &want, &is, p->path);
	return VMAIL_OK;
}

/* The folder of that file. */
static enum vmail_rc
open_folder_of(
    struct vmail_fixperms *f, const char *file, struct place *p, bool *trusted)
{
	const char *slash = strrchr(file, '/');
	size_t n = slash != NULL ? (size_t)(slash - file) : 0;

	p->fd = -1;
	if (slash == NULL || n >= sizeof(p->path))
		return VMAIL_NOT_FOUND;
	if (n == 0)
		n = 1;
	memcpy(p->path, file, n);
	p->path[n] = '\0';
	return open_place(f, p, trusted);
}

/* Is the file of st in the folder by that other name too? */
static bool
is_also(const struct place *p, const char *name, const struct stat *st)
{
	struct stat other;

	return fstatat(p->fd, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
	       other.st_ino == st->st_ino && other.st_dev == st->st_dev;
}

/* A file in a folder of root's: what may be told of it, and its other name (""
 * none), which a killed commit may have left. */
struct file {
	const char *name, *twin;
	struct vmail_fixperms_want want;
};

/* The open file, which st is of. */
static void
mend(struct vmail_fixperms *f, const struct place *p, const struct file *file,
    int fd, const struct stat *st)
{
	struct vmail_fixperms_perms is = is_of(st);
	struct vmail_fixperms_perms should =
	    vmail_fixperms_should(&file->want, &is);
	bool linked =
	    st->st_nlink > 1 && !(st->st_nlink == 2 && *file->twin != '\0' &&
				    is_also(p, file->twin, st));
	char path[PATH_ROOM + NAME_MAX + 1];

	(void)snprintf(path, sizeof(path), "%s/%s", p->path, file->name);
	if (!S_ISREG(st->st_mode))
		vmail_fixperms_leave(f, path, &is, "not a regular file");
	else if (linked && !vmail_fixperms_same(&is, &should))
		vmail_fixperms_leave(f, path, &is,
		    "a hard link, which may be somebody else's file");
	else
		vmail_fixperms_fix(f, fd, &file->want, &is, path);
}

/* *trusted (may be NULL) becomes false where others could write it. */
static void
mend_file(struct vmail_fixperms *f, const struct place *p,
    const struct file *file, bool *trusted)
{
	VMAIL_AUTOCLOSE int fd =
	    openat(p->fd, file->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[PATH_ROOM + NAME_MAX + 1];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", p->path, file->name);
	if (fd < 0 || fstat(fd, &st) != 0) {
		unreachable(f, path, "cannot be opened");
		return;
	}
	/* A live file's second name is not a file of its own. */
	if (file->want.kind == VMAIL_FIXPERMS_LEFTOVER && st.st_nlink > 1)
		return;
	if (trusted != NULL &&
	    (!S_ISREG(st.st_mode) ||
		vmail_file_trust(&st, path, NULL) != VMAIL_OK))
		*trusted = false;
	vmail_fixperms_count(f);
	mend(f, p, file, fd, &st);
}

static struct file
file_of(enum vmail_fixperms_kind kind, const char *name, gid_t gid)
{
	return (struct file){ name, "",
		vmail_fixperms_rule(
		    kind, (struct vmail_ids){ 0, gid }, S_IFREG) };
}

static void
mend_map(struct vmail_fixperms *f, const struct place *p, const char *name,
    const struct vmail_fixperms_groups *groups)
{
	struct file map = file_of(VMAIL_FIXPERMS_MAP, name, groups->owner);

	if (!groups->owner_known)
		map.want.any_gid = true;
	mend_file(f, p, &map, NULL);
}

static bool
has_header(const struct vmail_conf *conf)
{
	char path[PATH_ROOM];
	bool apart;

	return vmail_maphead_first(conf, path, sizeof(path), &apart) ==
		   VMAIL_OK &&
	       apart;
}

/* The folder that the domains' folders lie in. */
static bool
mend_domains(struct vmail_fixperms *f, const struct vmail_conf *conf)
{
	bool trusted = true;
	struct place p;

	if (!vmail_conf_has_domains(conf) ||
	    vmail_conf_domains_folder(conf, p.path, sizeof(p.path)) != VMAIL_OK)
		return true;
	if (open_place(f, &p, &trusted) == VMAIL_OK)
		vmail_file_close(&p.fd);
	return trusted;
}

bool
vmail_fixperms_settings(struct vmail_fixperms *f, const struct vmail_conf *conf,
    const struct vmail_fixperms_groups *groups)
{
	const char *name = strrchr(conf->path, '/');
	bool folder = true, files = true;
	struct place p;

	if (open_folder_of(f, conf->path, &p, &folder) == VMAIL_OK) {
		struct file settings =
		    file_of(VMAIL_FIXPERMS_PUBLIC, name + 1, 0);
		struct file views = file_of(VMAIL_FIXPERMS_PUBLIC, "views", 0);

		mend_file(f, &p, &settings, &files);
		mend_file(f, &p, &views, &files);
		if (has_header(conf))
			mend_map(f, &p, "passwd.cdb", groups);
		vmail_file_close(&p.fd);
	}
	return mend_domains(f, conf) && folder && files;
}

/* The guest among the readers of a file of hashes. */
static void
let_guest(struct vmail_fixperms *f, const struct place *p, const char *name,
    const struct vmail_fixperms_groups *groups)
{
	VMAIL_AUTOCLOSE int fd = -1;
	char path[PATH_ROOM + NAME_MAX + 1];
	struct stat st;

	if (groups->guest.uid == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", p->path, name);
	fd = openat(p->fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		unreachable(f, path, "cannot be opened");
	else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		 (f->dry_run || st.st_uid == 0) && st.st_nlink == 1)
		vmail_fixperms_let_read(f, fd, &groups->guest, path);
}

/* P and its likes, which hold hashes. */
static void
mend_secrets(struct vmail_fixperms *f, const struct place *p, const char *base,
    const struct vmail_fixperms_groups *groups, bool *trusted)
{
	struct file passwd =
	    file_of(VMAIL_FIXPERMS_SECRET, base, groups->reader);
	char twin[NAME_MAX + 1];

	(void)snprintf(twin, sizeof(twin), "%s-.tmp", base);
	passwd.twin = twin;
	mend_file(f, p, &passwd, trusted);
	let_guest(f, p, base, groups);
	for (size_t i = 0; vmail_derive_name(i) != NULL; i++) {
		struct file file = file_of(VMAIL_FIXPERMS_SECRET,
		    vmail_derive_name(i), groups->reader);

		mend_file(f, p, &file, NULL);
		let_guest(f, p, file.name, groups);
	}
}

static void
mend_named(struct vmail_fixperms *f, const struct place *p,
    enum vmail_fixperms_kind kind, const char *base, const char *suffix)
{
	char name[NAME_MAX + 1];
	struct file file;

	(void)snprintf(name, sizeof(name), "%s%s", base, suffix);
	file = file_of(kind, name, 0);
	mend_file(f, p, &file, NULL);
}

static void
mend_private(struct vmail_fixperms *f, const struct place *p, const char *base)
{
	static const char *const left[] = { ".tmp", "-.tmp", ".journal" };

	mend_named(f, p, VMAIL_FIXPERMS_PRIVATE, base, "-");
	mend_named(f, p, VMAIL_FIXPERMS_PRIVATE, ".lock", "");
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		mend_named(f, p, VMAIL_FIXPERMS_LEFTOVER, base, left[i]);
	for (size_t i = 0; vmail_derive_name(i) != NULL; i++)
		mend_named(f, p, VMAIL_FIXPERMS_LEFTOVER, vmail_derive_name(i),
		    ".tmp");
}

enum vmail_rc
vmail_fixperms_store(struct vmail_fixperms *f, const struct vmail_conf *conf,
    const struct vmail_fixperms_groups *groups, unsigned wait, bool *trusted,
    struct vmail_err *err)
{
	VMAIL_STORE *store = NULL;
	const char *base = strrchr(conf->passwd_file, '/');
	char map[NAME_MAX + 1];
	bool folder_trusted = true, file_trusted = true;
	struct place p;
	enum vmail_rc rc =
	    open_folder_of(f, conf->passwd_file, &p, &folder_trusted);

	if (rc == VMAIL_UNSUPPORTED)
		rc = vmail_fail(err, rc, conf->passwd_file, 0,
		    "the host's root's: run fixperms on the host");
	else if (rc == VMAIL_NOT_FOUND)
		rc = VMAIL_OK;
	else if (!f->dry_run)
		rc = vmail_store_lock(conf, wait, &store, err);
	if (rc == VMAIL_OK && p.fd >= 0) {
		(void)snprintf(map, sizeof(map), "%s.cdb", base + 1);
		mend_secrets(f, &p, base + 1, groups, &file_trusted);
		mend_private(f, &p, base + 1);
		mend_map(f, &p, map, groups);
		*trusted = folder_trusted && file_trusted;
	}
	vmail_file_close(&p.fd);
	return rc;
}
