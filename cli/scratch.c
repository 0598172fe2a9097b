#include "cli/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/say.h"
#include "common/core/file.h"

enum { CHUNK = 65536 };

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno != EINTR)
			return false;
		if (put < 0)
			continue;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

static bool
copy(int from, int to)
{
	char chunk[CHUNK];
	uint64_t at = 0;
	ssize_t got;
	bool good = true;

	while (good && (got = vmail_file_pread(from, chunk, CHUNK, at)) != 0) {
		good = got > 0 && write_all(to, chunk, (size_t)got);
		at += (uint64_t)got;
	}
	explicit_bzero(chunk, sizeof(chunk));
	return good;
}

/* Where anybody may rename folders, ours could be swapped under the editor. */
static bool
is_safe(const char *place)
{
	struct stat st;

	return stat(place, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	       (!(st.st_mode & 022) || st.st_mode & S_ISVTX);
}

static bool
make_copy(struct scratch *s, int from)
{
	VMAIL_AUTOCLOSE int to = openat(s->folder, s->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return to >= 0 && copy(from, to);
}

/* False with errno. */
static bool
try_place(struct scratch *s, const char *place, int from, const char *name)
{
	int n = snprintf(s->path, sizeof(s->path), "%s/vmailadm-XXXXXX", place);
	size_t room;

	errno = EPERM;
	if (!is_safe(place))
		return false;
	errno = ENAMETOOLONG;
	if (n < 0 || (size_t)n + 1 + strlen(name) >= sizeof(s->path))
		return false;
	if (!mkdtemp(s->path))
		return false;
	s->folder =
	    open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	s->name = s->path + n + 1;
	s->name[-1] = '/';
	room = sizeof(s->path) - (size_t)n - 1;
	snprintf(s->name, room, "%s", name);
	if (s->folder >= 0 && make_copy(s, from))
		return true;
	n = errno;
	scratch_remove(s);
	errno = n;
	return false;
}

int
scratch_open(struct scratch *s, int from, const char *name)
{
	const char *wanted = getenv("TMPDIR");
	const char *const places[] = { wanted && wanted[0] ? wanted : "/run",
		"/run", "/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		*s = (struct scratch){ .folder = -1 };
		if (try_place(s, places[i], from, name))
			return STATUS_OK;
		if (i == 0 && wanted && wanted[0])
			say_warn("no copy under TMPDIR, %s: %s", wanted,
			    strerror(errno));
	}
	return say_fail(
	    STATUS_FAILED, "no place for a private copy: %s", strerror(errno));
}

int
scratch_read(const struct scratch *s)
{
	int fd = openat(
	    s->folder, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	vmail_file_close(&fd);
	return -1;
}

void
scratch_remove(struct scratch *s)
{
	DIR *dir = NULL;
	struct dirent *entry;

	if (!s->name)
		return;
	if (s->folder >= 0)
		dir = fdopendir(dup(s->folder));
	while (dir && (entry = readdir(dir)) != NULL)
		(void)unlinkat(s->folder, entry->d_name, 0);
	if (dir)
		closedir(dir);
	s->name[-1] = '\0';
	if (rmdir(s->path) != 0)
		say_warn("%s: not removed: %s", s->path, strerror(errno));
	s->name = NULL;
	scratch_close(s);
}

void
scratch_close(struct scratch *s)
{
	vmail_file_close(&s->folder);
}
