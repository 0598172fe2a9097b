#include "common/admin/viewsfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/commit.h"
#include "common/admin/perm.h"
#include "common/core/file.h"
#include "common/core/views.h"

/* One byte more is read, to know what is too large. */
enum { TEXT_MAX = 1 << 20 };

struct vmail_viewsfile {
	struct vmail_store *store; /* its folder and lock */
	char path[VMAIL_CONF_PATH_MAX + 1];
	int fd; /* the file there is, or -1 */
	struct vmail_mounts_verdict mounts;
	size_t n;
	char text[TEXT_MAX + 1];
};

void
vmail_viewsfile_close(struct vmail_viewsfile **file)
{
	struct vmail_viewsfile *f = *file;

	if (f == NULL)
		return;
	vmail_file_close(&f->fd);
	vmail_store_close(&f->store);
	free(f);
	*file = NULL;
}

static enum vmail_rc
lock(struct vmail_viewsfile *f, const struct vmail_conf *conf, unsigned wait,
    struct vmail_err *err)
{
	struct vmail_conf views = *conf;

	if (vmail_conf_beside(conf, "views", f->path, sizeof(f->path)) !=
	    VMAIL_OK)
		return vmail_fail(
		    err, VMAIL_TOO_SMALL, conf->path, 0, "a path too long");
	memcpy(views.passwd_file, f->path, sizeof(f->path));
	return vmail_store_lock(&views, wait, &f->store, err);
}

/* May it be replaced by another file of its name? */
static enum vmail_rc
judge(struct vmail_viewsfile *f, const struct stat *st, struct vmail_err *err)
{
	enum vmail_rc rc = vmail_file_trust(st, f->path, err);

	if (rc == VMAIL_OK && st->st_nlink > 1)
		return vmail_fail(
		    err, VMAIL_UNSAFE, f->path, 0, "has another hard link");
	if (rc == VMAIL_OK)
		rc = vmail_mounts_judge(f->fd, f->path, &f->mounts, err);
	if (rc == VMAIL_OK && f->mounts.way == VMAIL_MOUNTS_ITSELF)
		return vmail_fail(err, VMAIL_UNSUPPORTED, f->path, 0,
		    "is itself a mount point: change it where it was mounted "
		    "from");
	return rc;
}

static enum vmail_rc
read_text(struct vmail_viewsfile *f, struct vmail_err *err)
{
	struct stat st;
	ssize_t n;
	enum vmail_rc rc = vmail_file_open(f->path, O_RDONLY, &f->fd, &st, err);

	if (rc == VMAIL_NOT_FOUND)
		return VMAIL_OK;
	if (rc == VMAIL_OK)
		rc = judge(f, &st, err);
	if (rc != VMAIL_OK)
		return rc;
	n = vmail_file_pread(f->fd, f->text, sizeof(f->text), 0);
	if (n < 0)
		return vmail_fail_sys(err, f->path, "read");
	if (n > TEXT_MAX)
		return vmail_fail(
		    err, VMAIL_UNSUPPORTED, f->path, 0, "too large");
	f->n = (size_t)n;
	return VMAIL_OK;
}

enum vmail_rc
vmail_viewsfile_open(const struct vmail_conf *conf, unsigned wait,
    struct vmail_viewsfile **file, struct vmail_err *err)
{
	VMAIL_VIEWSFILE *f = calloc(1, sizeof(*f));
	enum vmail_rc rc;

	if (f == NULL)
		return vmail_fail_sys(err, conf->path, "views");
	f->fd = -1;
	rc = lock(f, conf, wait, err);
	if (rc == VMAIL_OK)
		rc = read_text(f, err);
	if (rc != VMAIL_OK)
		return rc;
	*file = f;
	f = NULL;
	return VMAIL_OK;
}

struct vmail_str
vmail_viewsfile_text(const struct vmail_viewsfile *f)
{
	return (struct vmail_str){ f->text, f->n };
}

const char *
vmail_viewsfile_path(const struct vmail_viewsfile *f)
{
	return f->path;
}

enum vmail_rc
vmail_viewsfile_add(
    struct vmail_viewsfile *f, struct vmail_str line, struct vmail_err *err)
{
	struct vmail_buf b = { f->text, TEXT_MAX, f->n, false };

	if (f->n > 0 && f->text[f->n - 1] != '\n')
		vmail_buf_char(&b, '\n');
	vmail_buf_str(&b, line);
	vmail_buf_char(&b, '\n');
	if (b.full)
		return vmail_fail(
		    err, VMAIL_UNSUPPORTED, f->path, 0, "too large");
	f->n = b.len;
	return VMAIL_OK;
}

size_t
vmail_viewsfile_remove(
    struct vmail_viewsfile *f, struct vmail_str view, struct vmail_str identity)
{
	struct vmail_str rest = vmail_viewsfile_text(f);
	size_t kept = 0, removed = 0;

	while (rest.n > 0) {
		const char *from = rest.p;
		struct vmail_str line = vmail_text_cut(&rest, '\n'), words;
		struct vmail_views_line names;
		size_t n = line.n + (rest.p != NULL);

		words = line;
		if (vmail_views_peek(&words, &names) &&
		    vmail_str_eq(names.name, view) &&
		    vmail_str_eq(names.identity, identity)) {
			removed++;
			continue;
		}
		memmove(f->text + kept, from, n);
		kept += n;
	}
	f->n = kept;
	return removed;
}

/* The new file, as the old one is; root's and everybody's to read where there
 * was none. */
static enum vmail_rc
fill(const struct vmail_viewsfile *f, int fd, struct vmail_err *err)
{
	enum vmail_rc rc = VMAIL_OK;

	if (f->fd >= 0)
		rc = vmail_perm_like(f->fd, fd, f->path, err);
	else if (fchown(fd, 0, 0) != 0 || fchmod(fd, 0644) != 0)
		rc = vmail_fail_sys(err, f->path, "make");
	if (rc == VMAIL_OK &&
	    (!vmail_edits_pwrite(fd, f->text, f->n, 0) || fsync(fd) != 0))
		rc = vmail_fail_sys(err, f->path, "write");
	return rc;
}

static enum vmail_rc
replace(const struct vmail_viewsfile *f, const char *temporary,
    struct vmail_err *err)
{
	const struct vmail_store *s = f->store;
	enum vmail_rc rc;
	VMAIL_AUTOCLOSE int fd = openat(s->folder, temporary,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return vmail_fail_sys(err, f->path, "make a new one");
	rc = fill(f, fd, err);
	if (rc == VMAIL_OK &&
	    renameat(s->folder, temporary, s->folder, s->base) != 0)
		rc = vmail_fail_sys(err, f->path, "put into place");
	if (rc != VMAIL_OK)
		(void)unlinkat(s->folder, temporary, 0);
	return rc;
}

enum vmail_rc
vmail_viewsfile_commit(
    struct vmail_viewsfile *f, pid_t *holder, struct vmail_err *err)
{
	struct vmail_store_name temporary =
	    vmail_store_beside(f->store, ".tmp");
	enum vmail_rc rc;

	/* A killed writer's. */
	(void)unlinkat(f->store->folder, temporary.text, 0);
	rc = replace(f, temporary.text, err);
	if (rc == VMAIL_OK && fsync(f->store->folder) != 0)
		rc = vmail_fail_sys(err, f->path, "fsync the folder");
	if (rc == VMAIL_OK && holder != NULL)
		*holder = f->mounts.way == VMAIL_MOUNTS_BY_OTHERS
			      ? f->mounts.holder
			      : 0;
	return rc;
}
