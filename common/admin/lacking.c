#include "common/admin/lacking.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/file.h"
#include "common/core/text.h"

enum { LINKS_MAX = 40, PROC_PATH = 64, ALL = R_OK | W_OK | X_OK };

static bool
in_group(const struct vmail_lacking_who *who, gid_t gid)
{
	if (who->gid == gid)
		return true;
	for (size_t i = 0; i < who->ngroups; i++)
		if (who->groups[i] == gid)
			return true;
	return false;
}

static int
of_mode(const struct stat *st, const struct vmail_lacking_who *who)
{
	if (st->st_uid == who->uid)
		return (int)(st->st_mode >> 6) & ALL;
	if (in_group(who, st->st_gid))
		return (int)(st->st_mode >> 3) & ALL;
	return (int)st->st_mode & ALL;
}

/* One entry of an ACL, its id where it has one. */
struct row {
	acl_tag_t tag;
	id_t id;
	int bits;
};

static bool
next_row(acl_t acl, int which, struct row *row)
{
	acl_entry_t entry;
	acl_permset_t set;
	id_t *id;

	if (acl_get_entry(acl, which, &entry) != 1 ||
	    acl_get_tag_type(entry, &row->tag) != 0 ||
	    acl_get_permset(entry, &set) != 0)
		return false;
	row->bits = (acl_get_perm(set, ACL_READ) == 1 ? R_OK : 0) |
		    (acl_get_perm(set, ACL_WRITE) == 1 ? W_OK : 0) |
		    (acl_get_perm(set, ACL_EXECUTE) == 1 ? X_OK : 0);
	row->id = (id_t)-1;
	if (row->tag == ACL_USER || row->tag == ACL_GROUP) {
		id = acl_get_qualifier(entry);
		if (id == NULL)
			return false;
		row->id = *id;
		(void)acl_free(id);
	}
	return true;
}

/* acl(5), "ACCESS CHECK ALGORITHM": a group that has all that is wanted
 * decides; else one that is met denies it. */
struct verdict {
	bool named, grouped;
	int user, group, other, mask;
};

static void
weigh(struct verdict *v, const struct row *row, const struct stat *st,
    const struct vmail_lacking_who *who, int wanted)
{
	bool group = (row->tag == ACL_GROUP && in_group(who, row->id)) ||
		     (row->tag == ACL_GROUP_OBJ && in_group(who, st->st_gid));

	if (row->tag == ACL_MASK)
		v->mask = row->bits;
	if (row->tag == ACL_OTHER)
		v->other = row->bits;
	if (row->tag == ACL_USER && row->id == who->uid) {
		v->named = true;
		v->user = row->bits;
	}
	if (group && (!v->grouped || (wanted & ~row->bits) == 0))
		v->group = row->bits;
	v->grouped = v->grouped || group;
}

static int
of_acl(const struct stat *st, acl_t acl, const struct vmail_lacking_who *who,
    int wanted)
{
	struct verdict v = { .mask = ALL };
	struct row row;

	if (st->st_uid == who->uid)
		return (int)(st->st_mode >> 6) & ALL;
	for (int which = ACL_FIRST_ENTRY; next_row(acl, which, &row);
	     which = ACL_NEXT_ENTRY)
		weigh(&v, &row, st, who, wanted);
	if (v.named)
		return v.user & v.mask;
	return v.grouped ? v.group & v.mask : v.other;
}

int
vmail_lacking_bits(const struct stat *st, acl_t acl,
    const struct vmail_lacking_who *who, int wanted)
{
	if (who->uid == 0) {
		if (S_ISDIR(st->st_mode) || (st->st_mode & 0111) != 0)
			return 0;
		return wanted & X_OK;
	}
	return wanted &
	       ~(acl != NULL ? of_acl(st, acl, who, wanted) : of_mode(st, who));
}

/* Where the walk stands: the folders from the root on, so that ".." leads
 * back, and what is still to come. */
struct way {
	const struct vmail_lacking_who *who;
	int wanted, root, fd;
	char *rest; /* owned */
	unsigned links;
	char at[PATH_MAX]; /* for the words */
	size_t n;
	struct vmail_buf *words;
};

static void
way_end(struct way *w)
{
	vmail_file_close(&w->fd);
	free(w->rest);
}

/* NULL: none, or none that could be read (as without /proc). */
static acl_t
acl_of(int fd)
{
	char path[PROC_PATH];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (acl_extended_file(path) != 1)
		return NULL;
	return acl_get_file(path, ACL_TYPE_ACCESS);
}

static void
put_bits(struct vmail_buf *b, int bits)
{
	vmail_buf_char(b, '+');
	if (bits & R_OK)
		vmail_buf_char(b, 'r');
	if (bits & W_OK)
		vmail_buf_char(b, 'w');
	if (bits & X_OK)
		vmail_buf_char(b, 'x');
}

static struct vmail_str
shown(const struct way *w)
{
	return w->n > 0 ? (struct vmail_str){ w->at, w->n } : VMAIL_STR("/");
}

static void
say_lacking(struct way *w, const struct stat *st, bool acl, int bits)
{
	struct vmail_buf *b = w->words;
	bool group = w->who->uid != st->st_uid &&
		     !in_group(w->who, st->st_gid) &&
		     (bits & ~(int)(st->st_mode >> 3)) == 0;

	vmail_buf_z(b, "euid=");
	vmail_buf_num(b, w->who->uid, 1);
	vmail_buf_z(b, " egid=");
	vmail_buf_num(b, w->who->gid, 1);
	vmail_buf_z(b, " missing ");
	put_bits(b, bits);
	vmail_buf_z(b, " perm: ");
	vmail_buf_shown(b, shown(w));
	if (group && !acl) {
		vmail_buf_z(b, ", it is not in group ");
		vmail_buf_num(b, st->st_gid, 1);
	}
	vmail_buf_z(b, S_ISDIR(st->st_mode) ? ", dir" : ",");
	vmail_buf_z(b, " owned by ");
	vmail_buf_num(b, st->st_uid, 1);
	vmail_buf_char(b, ':');
	vmail_buf_num(b, st->st_gid, 1);
	vmail_buf_z(b, " mode=");
	vmail_buf_mode(b, st->st_mode & 07777);
	if (acl)
		vmail_buf_z(b, " with an ACL");
}

static enum vmail_rc
say_fault(struct way *w, int error)
{
	vmail_buf_shown(w->words, shown(w));
	vmail_buf_z(w->words, ": ");
	vmail_buf_z(w->words, strerror(error));
	errno = error;
	if (error == ENOENT || error == ENOTDIR)
		return VMAIL_NOT_FOUND;
	if (error == ELOOP)
		return VMAIL_INVALID;
	return error == ENOMEM ? VMAIL_NO_MEMORY : VMAIL_IO;
}

static enum vmail_rc
judge(struct way *w, int fd, const struct stat *st, int wanted)
{
	acl_t acl = acl_of(fd);
	int bits = vmail_lacking_bits(st, acl, w->who, wanted);

	if (bits != 0)
		say_lacking(w, st, acl != NULL, bits);
	if (acl != NULL)
		(void)acl_free(acl);
	return bits == 0 ? VMAIL_OK : VMAIL_DENIED;
}

static bool
same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static int
reopen(int fd)
{
	return openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
stand(struct way *w, int fd)
{
	vmail_file_close(&w->fd);
	w->fd = fd;
}

/* The words' path: one component more, or less for "..". */
static void
move_at(struct way *w, const char *name)
{
	size_t n = strlen(name);

	if (strcmp(name, "..") == 0) {
		while (w->n > 0 && w->at[--w->n] != '/')
			;
		return;
	}
	if (w->n + 1 + n >= sizeof(w->at))
		return;
	if (w->n == 0 || w->at[w->n - 1] != '/')
		w->at[w->n++] = '/';
	memcpy(w->at + w->n, name, n);
	w->n += n;
}

/* What a link says comes before the rest. */
static enum vmail_rc
follow(struct way *w, int link)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);
	char *rest;
	int size;

	if (n < 0)
		return say_fault(w, errno);
	if (++w->links > LINKS_MAX)
		return say_fault(w, ELOOP);
	target[n] = '\0';
	size = asprintf(&rest, "%s/%s", target, w->rest);
	if (size < 0)
		return say_fault(w, ENOMEM);
	free(w->rest);
	w->rest = rest;
	move_at(w, "..");
	if (target[0] != '/')
		return VMAIL_OK;
	w->n = 0;
	stand(w, reopen(w->root));
	return w->fd < 0 ? say_fault(w, errno) : VMAIL_OK;
}

/* One component more; *done: it was the last one, and is judged. */
static enum vmail_rc
step(struct way *w, const char *name, bool last, bool *done)
{
	int fd;
	struct stat st;
	enum vmail_rc rc;

	if (strcmp(name, "..") == 0 && same(w->fd, w->root))
		return VMAIL_OK;
	move_at(w, name);
	fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = say_fault(w, errno);
		vmail_file_close(&fd);
		return rc;
	}
	if (S_ISLNK(st.st_mode)) {
		rc = follow(w, fd);
		vmail_file_close(&fd);
		return rc;
	}
	if (!S_ISDIR(st.st_mode) && !last) {
		vmail_file_close(&fd);
		return say_fault(w, ENOTDIR);
	}
	*done = last;
	rc = judge(w, fd, &st, last ? w->wanted : X_OK);
	stand(w, fd);
	return rc;
}

/* Takes the next component off w->rest into name; false: there is none.
 * *last: none follows. */
static bool
next_name(struct way *w, char name[NAME_MAX + 1], bool *last)
{
	char *p = w->rest;
	size_t n;

	for (;;) {
		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n != 1 || *p != '.')
			break;
		p += n;
	}
	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, p, n);
	name[n] = '\0';
	p += n;
	*last = p[strspn(p, "/")] == '\0';
	memmove(w->rest, p, strlen(p) + 1);
	return true;
}

static enum vmail_rc
walk(struct way *w)
{
	char name[NAME_MAX + 1];
	bool last = false, done = false;
	struct stat st;
	enum vmail_rc rc;

	if (w->rest == NULL || w->fd < 0 || fstat(w->fd, &st) != 0)
		return say_fault(w, errno);
	rc = judge(w, w->fd, &st, X_OK);
	while (rc == VMAIL_OK && next_name(w, name, &last))
		rc = step(w, name, last, &done);
	/* It ended in "/", ".." or a link to one: a folder we stand in. */
	if (rc == VMAIL_OK && !done && fstat(w->fd, &st) == 0)
		rc = judge(w, w->fd, &st, w->wanted);
	return rc;
}

enum vmail_rc
vmail_lacking_explain(int dirfd_root, const char *path,
    const struct vmail_lacking_who *who, int wanted, char *room, size_t size)
{
	struct vmail_buf words = { .p = room, .size = size };
	__attribute__((cleanup(way_end))) struct way w = { .who = who,
		.wanted = wanted,
		.root = dirfd_root,
		.fd = reopen(dirfd_root),
		.rest = strdup(path),
		.words = &words };
	enum vmail_rc rc = walk(&w);

	(void)vmail_buf_end(&words);
	return rc;
}
