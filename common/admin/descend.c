#include "common/admin/descend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/core/file.h"

enum vmail_rc
vmail_descend_judge(const char *path, unsigned *depth, struct vmail_err *err)
{
	struct vmail_str rest = vmail_str(path);
	unsigned parts = 0;

	if (path[0] != '/')
		return vmail_fail(
		    err, VMAIL_UNSAFE, path, 0, "not an absolute path");
	while (rest.p != NULL) {
		struct vmail_str part = vmail_text_cut(&rest, '/');

		if (vmail_str_is(part, "..") || vmail_str_is(part, "."))
			return vmail_fail(err, VMAIL_UNSAFE, path, 0,
			    "'.' or '..' in the path");
		if (part.n > NAME_MAX)
			return vmail_fail(err, VMAIL_INVALID, path, 0,
			    "a component too long");
		if (part.n > 0)
			parts++;
	}
	*depth = parts;
	return VMAIL_OK;
}

enum vmail_rc
vmail_descend_begin(
    struct vmail_descent *d, const char *path, struct vmail_err *err)
{
	d->path = path;
	d->rest = vmail_str(path);
	d->fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->fd < 0 ? vmail_fail_sys(err, "/", "open") : VMAIL_OK;
}

bool
vmail_descend_next(struct vmail_descent *d)
{
	struct vmail_str part = { NULL, 0 };

	while (part.n == 0) {
		if (d->rest.p == NULL)
			return false;
		part = vmail_text_cut(&d->rest, '/');
	}
	while (d->rest.p != NULL && d->rest.n > 0 && *d->rest.p == '/') {
		d->rest.p++;
		d->rest.n--;
	}
	d->last = d->rest.p == NULL || d->rest.n == 0;
	memcpy(d->name, part.p, part.n);
	d->name[part.n] = '\0';
	return true;
}

size_t
vmail_descend_length(const struct vmail_descent *d)
{
	size_t n =
	    d->rest.p != NULL ? (size_t)(d->rest.p - d->path) : strlen(d->path);

	while (n > 1 && d->path[n - 1] == '/')
		n--;
	return n;
}

enum vmail_rc
vmail_descend_fault(const struct vmail_descent *d, struct vmail_err *err)
{
	int error = errno;
	struct stat st;

	if (error == ENOENT)
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, d->path, 0, "no such directory");
	if ((error == ENOTDIR || error == ELOOP) &&
	    fstatat(d->fd, d->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return vmail_fail(err, VMAIL_UNSAFE, d->path, 0,
			    "a component is a symbolic link");
		return vmail_fail(err, VMAIL_EXISTS, d->path, 0,
		    "a component is not a directory");
	}
	errno = error;
	return vmail_fail_sys(err, d->path, "open");
}

enum vmail_rc
vmail_descend_into(struct vmail_descent *d, struct vmail_err *err)
{
	int fd = vmail_descend_open(d->fd, d->name);

	if (fd < 0)
		return vmail_descend_fault(d, err);
	vmail_file_close(&d->fd);
	d->fd = fd;
	return VMAIL_OK;
}

void
vmail_descend_end(struct vmail_descent *d)
{
	vmail_file_close(&d->fd);
}

int
vmail_descend_open(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}
