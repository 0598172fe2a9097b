#include "common/admin/dovecotconf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/file.h"
#include "common/core/text.h"

#define STOCK "/etc/dovecot/dovecot.conf"

/* Deeper includes than Dovecot's own, and no file larger than any real one. */
enum {
	DEPTH_MAX = 16,
	FILES_MAX = 4096,
	FILE_ROOM = 1 << 20,
	ENTRIES_ROOM = 8192
};

/* All that follows runs in the child: system calls only. */
struct search {
	struct vmail_str needle;
	int depth;
	unsigned files;
	bool named, unclear;
};

static void read_one(struct search *s, const char *path);

static bool
part_of_path(char c)
{
	char lower = (char)(c | 0x20);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       c == '/' || c == '.' || c == '-' || c == '_';
}

/* The needle, with nothing around it that would make another path of it. */
static bool
has_path(struct vmail_str line, struct vmail_str needle)
{
	const char *end = line.p + line.n, *p = line.p;
	bool folder = needle.p[needle.n - 1] == '/';

	while ((p = memmem(p, (size_t)(end - p), needle.p, needle.n)) != NULL) {
		const char *behind = p + needle.n;

		if ((p == line.p || !part_of_path(p[-1])) &&
		    (folder || behind == end || !part_of_path(*behind)))
			return true;
		p++;
	}
	return false;
}

/* `*` and `?` alone, as glob(3) takes them in a name. */
static bool
matches(const char *pattern, const char *name)
{
	for (; *pattern != '\0'; pattern++, name++) {
		if (*pattern == '*') {
			do
				if (matches(pattern + 1, name))
					return true;
			while (*name++ != '\0');
			return false;
		}
		if (*name == '\0' || (*pattern != '?' && *pattern != *name))
			return false;
	}
	return *name == '\0';
}

/* FOLDER/NAME, read. */
static void
read_in(struct search *s, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct vmail_buf b = { path, sizeof(path), 0, false };

	vmail_buf_z(&b, folder);
	vmail_buf_char(&b, '/');
	vmail_buf_z(&b, name);
	if (vmail_buf_end(&b) == VMAIL_OK)
		read_one(s, path);
	else
		s->unclear = true;
}

static void
read_matching(struct search *s, const char *folder, const char *pattern)
{
	_Alignas(struct dirent64) char room[ENTRIES_ROOM];
	VMAIL_AUTOCLOSE int fd =
	    open(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	ssize_t got;

	while (fd >= 0 && (got = getdents64(fd, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *entry = (void *)(room + at);

			if (entry->d_name[0] != '.' &&
			    matches(pattern, entry->d_name))
				read_in(s, folder, entry->d_name);
			at += entry->d_reclen;
		}
	}
}

/* `!include conf.d/x*.conf`: below the folder of the file it stands in. */
static void
include(struct search *s, const char *from, struct vmail_str what)
{
	char path[PATH_MAX];
	struct vmail_buf b = { path, sizeof(path), 0, false };
	char *last;

	if (what.n > 0 && *what.p != '/') {
		vmail_buf_put(&b, from, (size_t)(strrchr(from, '/') - from));
		vmail_buf_char(&b, '/');
	}
	vmail_buf_str(&b, what);
	last = vmail_buf_end(&b) == VMAIL_OK ? strrchr(path, '/') : NULL;
	if (last == NULL) {
		s->unclear = true;
		return;
	}
	*last = '\0';
	if (strpbrk(path, "*?[{") != NULL || strpbrk(last + 1, "[{") != NULL)
		s->unclear = true;
	else if (strpbrk(last + 1, "*?") != NULL)
		read_matching(s, path, last + 1);
	else
		read_in(s, path, last + 1);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct vmail_str
trim(struct vmail_str s)
{
	while (s.n > 0 && blank(*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static void
read_line(struct search *s, const char *path, struct vmail_str line)
{
	struct vmail_str word;

	line = trim(line);
	if (line.n == 0 || *line.p == '#')
		return;
	if (has_path(line, s->needle))
		s->named = true;
	word = vmail_text_cut(&line, ' ');
	if (vmail_str_is(word, "!include") ||
	    vmail_str_is(word, "!include_try"))
		include(s, path, trim(line));
}

static void
read_text(struct search *s, const char *path, struct vmail_str text)
{
	s->depth++;
	while (text.n > 0 && !s->named)
		read_line(s, path, vmail_text_cut(&text, '\n'));
	s->depth--;
}

static bool
readable(struct search *s, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size <= FILE_ROOM && s->depth < DEPTH_MAX &&
	       s->files++ < FILES_MAX;
}

/* A missing file is one that `!include_try` may name. */
static void
read_one(struct search *s, const char *path)
{
	VMAIL_AUTOCLOSE int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *room = MAP_FAILED;
	ssize_t n;

	if (fd < 0 && errno == ENOENT && s->depth > 0)
		return;
	if (fd >= 0 && readable(s, fd))
		room = mmap(NULL, FILE_ROOM, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) {
		s->unclear = true;
		return;
	}
	n = vmail_file_pread(fd, room, FILE_ROOM, 0);
	if (n < 0)
		s->unclear = true;
	else
		read_text(s, path, (struct vmail_str){ room, (size_t)n });
	(void)munmap(room, FILE_ROOM);
}

struct question {
	const char *file, *path;
};

static int
look(const void *arg)
{
	const struct question *q = arg;
	struct search s = { .needle = vmail_str(q->path) };

	read_one(&s, q->file);
	if (s.named)
		return VMAIL_DOVECOTCONF_NAMES;
	return s.unclear ? VMAIL_DOVECOTCONF_UNCLEAR : VMAIL_DOVECOTCONF_SILENT;
}

/* What `-c` in its command line says, or where Dovecot looks without: points
 * into line, which is made of words with a NUL behind each. */
static const char *
file_of(const char *line, size_t n)
{
	const char *end = line + n;

	for (const char *word = line; word < end; word += strlen(word) + 1) {
		const char *next = word + strlen(word) + 1;

		if (strcmp(word, "-c") == 0 && next < end)
			return next;
		if (strncmp(word, "-c", 2) == 0 && word[2] != '\0')
			return word + 2;
	}
	return STOCK;
}

enum vmail_rc
vmail_dovecotconf_ask(const struct vmail_proc *master, const char *path,
    enum vmail_dovecotconf *answer, struct vmail_err *err)
{
	char line[2 * PATH_MAX];
	VMAIL_AUTOCLOSE int fd =
	    openat(master->dir, "cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	struct question q = { .path = path };
	enum vmail_rc rc;
	int told;

	if (n < 0)
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, NULL, 0, "the process has ended");
	line[n] = '\0';
	q.file = file_of(line, (size_t)n);
	if (*q.file != '/') {
		*answer = VMAIL_DOVECOTCONF_UNCLEAR;
		return VMAIL_OK;
	}
	rc = vmail_inside_ask(master->dir, &master->who, VMAIL_INSIDE_LIMIT,
	    look, &q, &told, err);
	if (rc == VMAIL_OK)
		*answer = (enum vmail_dovecotconf)told;
	return rc;
}
