#include "common/admin/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/core/file.h"

struct question {
	const char *path;
	const struct stat *file;
};

/* The child's answer: a verdict, or this and an errno. */
enum { FAILED = 16 };

static int
of_errno(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return VMAIL_ACCESS_REFUSED;
	case ENOENT:
	case ENOTDIR:
		return VMAIL_ACCESS_MISSING;
	default:
		return FAILED + errno;
	}
}

static bool
is_meant(int fd, const struct stat *file)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	return file == NULL ||
	       (st.st_dev == file->st_dev && st.st_ino == file->st_ino);
}

/* Which file it is shows without the right to read it, and a device or FIFO
 * need not be opened for that. */
static int
try(const void *arg)
{
	const struct question *q = arg;
	VMAIL_AUTOCLOSE int path = open(q->path, O_PATH | O_CLOEXEC);
	VMAIL_AUTOCLOSE int fd = -1;
	char byte;

	if (path < 0)
		return of_errno();
	if (!is_meant(path, q->file))
		return VMAIL_ACCESS_OTHER;
	fd = open(q->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return of_errno();
	if (!is_meant(fd, q->file))
		return VMAIL_ACCESS_OTHER;
	return read(fd, &byte, 1) < 0 ? of_errno() : VMAIL_ACCESS_READABLE;
}

enum vmail_rc
vmail_access_test(int proc, const struct vmail_who *who, const char *path,
    const struct stat *file, struct vmail_access_answer *answer,
    struct vmail_err *err)
{
	struct question q = { path, file };
	int told;
	enum vmail_rc rc = vmail_inside_ask(
	    proc, who, VMAIL_INSIDE_LIMIT, try, &q, &told, err);

	if (rc != VMAIL_OK)
		return rc;
	answer->verdict =
	    told < FAILED ? (enum vmail_access)told : VMAIL_ACCESS_FAILED;
	answer->sys_errno = told < FAILED ? 0 : told - FAILED;
	return VMAIL_OK;
}
