#include "cli/idmap_sight.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/say.h"
#include "common/core/file.h"

enum { MOUNTINFO_MAX = 4 << 20, OVERFLOW_ID = 65534 };

/* What is looked for, and where. */
struct search {
	const struct vmail_idmaps_process *process;
	const char *name; /* the passwd-file's in the folder; NULL: many */
	struct stat folder;
	uint64_t mount; /* of what was found */
	struct idmap_sight *sight;
};

/* The folder that a container has to have mounted. */
static bool
our_folder(const struct vmail_conf *conf, char out[PATH_MAX])
{
	const char *slash = strrchr(conf->passwd_file, '/');

	if (vmail_conf_has_domains(conf))
		return vmail_conf_domains_folder(conf, out, PATH_MAX) ==
		       VMAIL_OK;
	if (!slash)
		return false;
	snprintf(out, PATH_MAX, "%.*s", (int)(slash - conf->passwd_file),
	    conf->passwd_file);
	return true;
}

static uint32_t
shown(const struct vmail_idmaps *map, uint32_t disk)
{
	uint32_t inside;

	return vmail_idmaps_inside(map, disk, &inside) ? inside : OVERFLOW_ID;
}

static void
see_file(struct search *s, int folder)
{
	const struct vmail_idmaps_process *p = s->process;
	struct stat st;

	if (!s->name || fstatat(folder, s->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	s->sight->file = true;
	s->sight->uid = shown(&p->uids, st.st_uid);
	s->sight->gid = shown(&p->gids, st.st_gid);
	s->sight->mode = st.st_mode & 07777;
}

/* Is it our folder that has this path there? */
static bool
look(struct search *s, const char *path)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct statx x;
	struct stat st;

	if (vmail_idmaps_open_place(s->process, path, &fd, NULL) != VMAIL_OK ||
	    fstat(fd, &st) != 0 || st.st_ino != s->folder.st_ino ||
	    st.st_dev != s->folder.st_dev)
		return false;
	s->sight->seen = true;
	snprintf(s->sight->path, sizeof(s->sight->path), "%s", path);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 &&
	    (x.stx_mask & STATX_MNT_ID))
		s->mount = x.stx_mnt_id;
	see_file(s, fd);
	return true;
}

/* A name as mountinfo writes it: \040 is a space. */
static bool
unescape(struct vmail_str in, char out[PATH_MAX])
{
	struct vmail_buf b = { out, PATH_MAX, 0, false };

	while (in.n > 0) {
		size_t n = 1;
		char c = *in.p;

		if (c == '\\' && in.n >= 4) {
			c = (char)((in.p[1] - '0') << 6 | (in.p[2] - '0') << 3 |
				   (in.p[3] - '0'));
			n = 4;
		}
		vmail_buf_char(&b, c);
		in.p += n;
		in.n -= n;
	}
	return vmail_buf_end(&b) == VMAIL_OK;
}

static bool
has_option(struct vmail_str options, const char *option)
{
	while (options.n > 0)
		if (vmail_str_is(vmail_text_cut(&options, ','), option))
			return true;
	return false;
}

/* `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS ...` */
struct mount {
	uint64_t id;
	struct vmail_str device, point, options;
};

static bool
next_mount(struct vmail_str *rest, struct mount *m)
{
	while (rest->n > 0) {
		struct vmail_str line = vmail_text_cut(rest, '\n');

		if (!vmail_text_number(
			vmail_text_cut(&line, ' '), UINT64_MAX, &m->id))
			continue;
		(void)vmail_text_cut(&line, ' ');
		m->device = vmail_text_cut(&line, ' ');
		(void)vmail_text_cut(&line, ' ');
		m->point = vmail_text_cut(&line, ' ');
		m->options = vmail_text_cut(&line, ' ');
		return true;
	}
	return false;
}

/* The device of the mount that our own folder lies on. */
static struct vmail_str
our_device(struct vmail_str mounts, const char *folder)
{
	struct mount m;
	struct statx x;

	if (statx(AT_FDCWD, folder, 0, STATX_MNT_ID, &x) == 0)
		while (next_mount(&mounts, &m))
			if (m.id == x.stx_mnt_id)
				return m.device;
	return (struct vmail_str){ NULL, 0 };
}

static void
look_everywhere(
    struct search *s, struct vmail_str mounts, struct vmail_str device)
{
	char path[PATH_MAX];
	struct mount m;

	while (!s->sight->seen && next_mount(&mounts, &m))
		if (vmail_str_eq(m.device, device) && unescape(m.point, path))
			look(s, path);
}

static void
see_mount(struct search *s, struct vmail_str mounts)
{
	struct mount m;

	while (s->sight->seen && next_mount(&mounts, &m))
		if (m.id == s->mount) {
			s->sight->idmapped = has_option(m.options, "idmapped");
			s->sight->read_only = has_option(m.options, "ro");
		}
}

/* To be freed, or NULL. */
static char *
read_mounts(int folder, const char *name, struct vmail_str *out)
{
	VMAIL_AUTOCLOSE int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(MOUNTINFO_MAX);
	size_t n = 0;
	ssize_t got = -1;

	while (text && n < MOUNTINFO_MAX &&
	       (got = read(fd, text + n, MOUNTINFO_MAX - n)) > 0)
		n += (size_t)got;
	*out = (struct vmail_str){ text, n };
	if (got == 0)
		return text;
	free(text);
	return NULL;
}

bool
idmap_sight(const struct vmail_conf *conf, const struct vmail_idmaps_process *p,
    struct idmap_sight *sight)
{
	struct search s = { .process = p, .sight = sight };
	struct vmail_str own, there;
	char folder[PATH_MAX];
	char *a, *b;

	*sight = (struct idmap_sight){ .seen = false };
	if (!vmail_conf_has_domains(conf))
		s.name = strrchr(conf->passwd_file, '/') + 1;
	if (!our_folder(conf, folder) || stat(folder, &s.folder) != 0)
		return true;
	a = read_mounts(AT_FDCWD, "/proc/self/mountinfo", &own);
	b = read_mounts(p->proc, "mountinfo", &there);
	if (a && b && !look(&s, folder))
		look_everywhere(&s, there, our_device(own, folder));
	if (a && b)
		see_mount(&s, there);
	free(a);
	free(b);
	if (!a || !b)
		say_fail(
		    0, "the mounts of process %d cannot be read", (int)p->pid);
	return a && b;
}
