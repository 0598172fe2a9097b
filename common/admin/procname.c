#include "common/admin/procname.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/file.h"
#include "common/core/text.h"

/* A dozen hierarchies, each with a long path. */
enum { CGROUPS = 16384 };

/* The file as one text; empty where it is not there. */
static struct vmail_str
text_of(int proc, const char *name, char *room, size_t size)
{
	VMAIL_AUTOCLOSE int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? vmail_file_pread(fd, room, size, 0) : 0;

	return (struct vmail_str){ room, n > 0 ? (size_t)n : 0 };
}

void
vmail_procname(int proc, char out[VMAIL_PROCNAME_MAX])
{
	char room[VMAIL_PROCNAME_MAX - 1];
	struct vmail_str text = text_of(proc, "comm", room, sizeof(room));
	struct vmail_str name = vmail_text_cut(&text, '\n');

	if (name.n == 0)
		name = VMAIL_STR("?");
	memcpy(out, name.p, name.n);
	out[name.n] = '\0';
}

bool
vmail_procname_contained(int proc)
{
	struct stat theirs, ours;

	return fstatat(proc, "ns/pid", &theirs, 0) == 0 &&
	       stat("/proc/self/ns/pid", &ours) == 0 &&
	       (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino);
}

/* The path in the unified hierarchy's line `0::/a/b`, or, where that says
 * nothing, in the first one. */
static struct vmail_str
group_of(struct vmail_str text)
{
	struct vmail_str first = { NULL, 0 };

	while (text.n > 0) {
		struct vmail_str line = vmail_text_cut(&text, '\n');
		bool unified = vmail_str_starts(line, "0::");

		(void)vmail_text_cut(&line, ':');
		(void)vmail_text_cut(&line, ':');
		if (unified && line.n > 1)
			return line;
		if (first.p == NULL)
			first = line;
	}
	return first;
}

void
vmail_procname_container(int proc, char out[VMAIL_CONTAINER_MAX])
{
	char room[CGROUPS];
	struct vmail_str path =
	    group_of(text_of(proc, "cgroup", room, sizeof(room)));
	struct vmail_str last = { NULL, 0 };
	struct vmail_buf b = { out, VMAIL_CONTAINER_MAX, 0, false };

	while (path.p != NULL)
		last = vmail_text_cut(&path, '/');
	for (size_t i = 0; i < last.n; i++) {
		char c = last.p[i], lower = (char)(c | 0x20);

		if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
		    strchr("._-", c) != NULL)
			vmail_buf_char(&b, c);
	}
	if (vmail_buf_end(&b) != VMAIL_OK)
		out[0] = '\0';
}
