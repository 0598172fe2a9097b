#include "common/admin/derive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/perm.h"
#include "common/core/conf.h"
#include "common/core/file.h"
#include "common/core/text.h"

enum { PATH_ROOM = VMAIL_CONF_PATH_MAX + 16 };

static const char *const names[] = { "apppw", "deny" };

const char *
vmail_derive_name(size_t index)
{
	return index < sizeof(names) / sizeof(*names) ? names[index] : NULL;
}

/* The path of `name` and `suffix` in the folder of passwd_path. */
static enum vmail_rc
beside(const char *passwd_path, const char *name, const char *suffix,
    char path[PATH_ROOM], struct vmail_err *err)
{
	struct vmail_buf b = { .p = path, .size = PATH_ROOM };
	const char *slash = strrchr(passwd_path, '/');

	if (slash != NULL)
		vmail_buf_put(
		    &b, passwd_path, (size_t)(slash - passwd_path) + 1);
	vmail_buf_z(&b, name);
	vmail_buf_z(&b, suffix);
	if (vmail_buf_end(&b) == VMAIL_OK)
		return VMAIL_OK;
	return vmail_fail(
	    err, VMAIL_TOO_SMALL, passwd_path, 0, "a path too long");
}

static enum vmail_rc
make_empty(
    const char *temporary, const char *path, int like, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = open(temporary,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum vmail_rc rc;

	if (fd < 0)
		return vmail_fail_sys(err, temporary, "make");
	rc = vmail_perm_like(like, fd, temporary, err);
	if (rc == VMAIL_OK && fsync(fd) != 0)
		rc = vmail_fail_sys(err, temporary, "fsync");
	if (rc == VMAIL_OK && rename(temporary, path) != 0)
		rc = vmail_fail_sys(err, path, "rename into place");
	if (rc != VMAIL_OK)
		(void)unlink(temporary);
	return rc;
}

enum vmail_rc
vmail_derive_missing(const char *passwd_path, int like,
    void (*made)(const char *path, void *arg), void *arg, struct vmail_err *err)
{
	char path[PATH_ROOM], temporary[PATH_ROOM];
	struct stat st;
	enum vmail_rc rc;

	for (size_t i = 0; vmail_derive_name(i) != NULL; i++) {
		rc = beside(passwd_path, names[i], "", path, err);
		if (rc == VMAIL_OK)
			rc = beside(
			    passwd_path, names[i], ".tmp", temporary, err);
		if (rc != VMAIL_OK)
			return rc;
		if (lstat(path, &st) == 0)
			continue;
		if (errno != ENOENT)
			return vmail_fail_sys(err, path, "stat");
		rc = make_empty(temporary, path, like, err);
		if (rc != VMAIL_OK)
			return rc;
		if (made != NULL)
			made(path, arg);
	}
	return VMAIL_OK;
}
