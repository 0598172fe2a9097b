#include "common/core/torn.h"

#include <fcntl.h>
#include <string.h>

#include "common/core/conf.h"
#include "common/core/file.h"

/* Frames that must not add up: NSS has 8 KiB in all. */
#define OWN_FRAME __attribute__((noinline))

struct stretch {
	char ours[256], theirs[256];
};

static OWN_FRAME enum vmail_rc
open_beside(const char *path, const char *suffix, int *fd)
{
	struct stat st;
	char name[VMAIL_CONF_PATH_MAX + sizeof(".journal")];
	struct vmail_buf b = { .p = name, .size = sizeof(name) };

	vmail_buf_z(&b, path);
	vmail_buf_z(&b, suffix);
	if (vmail_buf_end(&b) != VMAIL_OK)
		return VMAIL_TOO_SMALL;
	return vmail_file_open(name, O_RDONLY, fd, &st, NULL);
}

/* Until it is sealed nothing was written over the file. */
static bool
is_sealed(int journal)
{
	char seal[sizeof(VMAIL_TORN_SEAL) - 1];
	uint64_t size;

	return vmail_file_size(journal, &size) && size > VMAIL_TORN_SEAL_LEN &&
	       vmail_file_pread(journal, seal, sizeof(seal),
		   size - VMAIL_TORN_SEAL_LEN) == (ssize_t)sizeof(seal) &&
	       memcmp(seal, VMAIL_TORN_SEAL, sizeof(seal)) == 0;
}

/* How much of the stretch that begins at `from` is to be compared: up to the
 * first line feed behind the byte before the line. */
static size_t
line_part(const char *p, size_t n, bool first, bool *ends)
{
	const char *lf = NULL;

	if (n > first)
		lf = memchr(p + first, '\n', n - first);
	*ends = lf != NULL;
	return lf != NULL ? (size_t)(lf - p) + 1 : n;
}

/* Have both the same line there? With the line feed before it: what follows
 * half a line is none. */
static bool
same_line(int fd, int other, uint64_t at, struct stretch *s)
{
	bool first = at > 0, ends = false;
	uint64_t from = at - first;

	while (!ends) {
		ssize_t n =
		    vmail_file_pread(fd, s->ours, sizeof(s->ours), from);
		ssize_t m =
		    vmail_file_pread(other, s->theirs, sizeof(s->theirs), from);
		size_t want;

		if (n <= 0 || m <= 0)
			return n == 0 && m == 0;
		want = line_part(s->ours, (size_t)n, first, &ends);
		if ((size_t)m < want || memcmp(s->ours, s->theirs, want) != 0)
			return false;
		first = false;
		from += want;
	}
	return true;
}

static OWN_FRAME bool
same_line_wiped(int fd, int other, uint64_t at)
{
	struct stretch s;
	bool same = same_line(fd, other, at, &s);

	explicit_bzero(&s, sizeof(s));
	return same;
}

static bool
stands_in(const char *path, const char *suffix, int fd, uint64_t at)
{
	VMAIL_AUTOCLOSE int other = -1;

	return open_beside(path, suffix, &other) == VMAIL_OK &&
	       same_line_wiped(fd, other, at);
}

bool
vmail_torn_suspect(const char *path)
{
	VMAIL_AUTOCLOSE int journal = -1;
	enum vmail_rc rc = open_beside(path, ".journal", &journal);

	return rc != VMAIL_NOT_FOUND && (rc != VMAIL_OK || is_sealed(journal));
}

bool
vmail_torn_stands(const char *path, int fd, uint64_t at)
{
	return stands_in(path, ".journal", fd, at) ||
	       stands_in(path, "-", fd, at);
}
