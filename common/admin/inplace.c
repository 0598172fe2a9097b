#include "common/admin/inplace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/admin/journal.h"
#include "common/core/file.h"

#define FOREIGN                                                                \
	"was changed by another hand after a writer was killed: compare it "   \
	"with the .journal beside it, keep the right one, remove the .journal"

static int
open_beside(const struct vmail_store *s, const char *suffix, int flags)
{
	struct vmail_store_name name = vmail_store_beside(s, suffix);

	return openat(s->folder, name.text,
	    flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

void
vmail_inplace_drop(const struct vmail_store *s)
{
	struct vmail_store_name name =
	    vmail_store_beside(s, VMAIL_INPLACE_JOURNAL);

	(void)unlinkat(s->folder, name.text, 0);
	(void)fsync(s->folder);
}

/* A copy, with the file's own time, from which the next one must grow: the file
 * itself stays where it is. */
static enum vmail_rc
keep_backup(const struct vmail_store *s, struct vmail_err *err)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
		s->st.st_mtim };
	struct vmail_store_name from = vmail_store_beside(s, "-.tmp");
	struct vmail_store_name to = vmail_store_beside(s, "-");
	VMAIL_AUTOCLOSE int fd =
	    open_beside(s, "-.tmp", O_RDWR | O_CREAT | O_EXCL);
	bool good =
	    fd >= 0 &&
	    vmail_edits_copy(s->fd, 0, fd, 0, (uint64_t)s->st.st_size) &&
	    futimens(fd, times) == 0 && fsync(fd) == 0 &&
	    renameat(s->folder, from.text, s->folder, to.text) == 0 &&
	    fsync(s->folder) == 0;

	return good ? VMAIL_OK
		    : vmail_fail_sys(err, s->conf.passwd_file, "keep a backup");
}

/* The old content again, from the backup just made. */
static bool
put_back(const struct vmail_store *s)
{
	VMAIL_AUTOCLOSE int backup = open_beside(s, "-", O_RDONLY);
	bool touched;

	return backup >= 0 &&
	       vmail_journal_rewrite(backup, (uint64_t)s->st.st_size, s->fd,
		   vmail_store_next_time(&s->st), s->conf.passwd_file, &touched,
		   NULL) == VMAIL_OK;
}

enum vmail_rc
vmail_inplace_write(struct vmail_store *s, int fd, uint64_t size, bool *torn,
    struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	struct vmail_journal j = { .fd = fd, .path = path, .size = size };
	bool touched = false;
	enum vmail_rc rc = vmail_journal_seal(&j, s->fd, err);

	*torn = false;
	if (rc == VMAIL_OK)
		rc = keep_backup(s, err);
	if (rc == VMAIL_OK)
		rc = vmail_journal_rewrite(fd, size, s->fd,
		    vmail_store_next_time(&s->st), path, &touched, err);
	if (rc != VMAIL_OK && touched)
		*torn = !put_back(s);
	return rc;
}

/* The time of the old content, where it is known, which the new one's must
 * pass; else the file's own. */
static struct stat
time_to_pass(const struct vmail_store *s, int backup)
{
	struct stat old;

	if (backup < 0 || fstat(backup, &old) != 0 ||
	    old.st_mtim.tv_sec < s->st.st_mtim.tv_sec)
		return s->st;
	return old;
}

/* The killed one had all of it written, but perhaps not its time. */
static enum vmail_rc
set_time(const struct vmail_store *s, const struct vmail_journal *j,
    const struct stat *old, struct vmail_err *err)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
		vmail_store_next_time(old) };

	/* Its own: it has passed the old one's. */
	if (old->st_ino == s->st.st_ino && old->st_dev == s->st.st_dev)
		return VMAIL_OK;
	if (futimens(s->fd, times) != 0 || fsync(s->fd) != 0)
		return vmail_fail_sys(err, j->path, "set the time");
	return VMAIL_OK;
}

/* The work of the killed one, as far as it was left undone. */
static enum vmail_rc
finish_from(struct vmail_store *s, const struct vmail_journal *j, int backup,
    enum vmail_journal_state state, struct vmail_err *err)
{
	struct stat old = time_to_pass(s, backup);
	bool touched;
	enum vmail_rc rc = VMAIL_OK;

	switch (state) {
	case VMAIL_JOURNAL_FOREIGN:
		return vmail_fail(err, VMAIL_UNSAFE, j->path, 0, FOREIGN);
	case VMAIL_JOURNAL_OLD:
		return VMAIL_OK;
	case VMAIL_JOURNAL_NEW:
		rc = set_time(s, j, &old, err);
		break;
	case VMAIL_JOURNAL_TORN:
		rc = vmail_journal_rewrite(j->fd, j->size, s->fd,
		    vmail_store_next_time(&old), j->path, &touched, err);
		break;
	}
	if (rc == VMAIL_OK && fstat(s->fd, &s->st) != 0)
		rc = vmail_fail_sys(err, j->path, "stat");
	return rc;
}

static enum vmail_rc
finish(
    struct vmail_store *s, const struct vmail_journal *j, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int backup = open_beside(s, "-", O_RDONLY);
	enum vmail_journal_state state = VMAIL_JOURNAL_FOREIGN;
	enum vmail_rc rc = vmail_journal_judge(j, s->fd, backup, &state, err);

	return rc == VMAIL_OK ? finish_from(s, j, backup, state, err) : rc;
}

enum vmail_rc
vmail_inplace_recover(struct vmail_store *s, struct vmail_err *err)
{
	const char *path = s->conf.passwd_file;
	VMAIL_AUTOCLOSE int fd =
	    open_beside(s, VMAIL_INPLACE_JOURNAL, O_RDONLY);
	struct vmail_journal j = { .fd = fd, .path = path };
	struct stat st;
	enum vmail_rc rc;

	if (fd < 0 && errno == ENOENT)
		return VMAIL_OK;
	if (fd < 0 || fstat(fd, &st) != 0)
		return vmail_fail_sys(err, path, "open its .journal");
	rc = vmail_file_trust(&st, path, err);
	if (rc == VMAIL_OK)
		rc = vmail_journal_read(&j, err);
	if (rc == VMAIL_OK)
		rc = finish(s, &j, err);
	else if (rc == VMAIL_MALFORMED) /* it had not counted yet */
		rc = VMAIL_OK;
	if (rc == VMAIL_OK)
		vmail_inplace_drop(s);
	return rc;
}
