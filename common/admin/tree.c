#include "common/admin/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/descend.h"
#include "common/core/file.h"

/* Descriptors kept; what lies deeper leads back by "..". */
enum { KEPT = 12, READ_SIZE = 32768 };

/* A folder on the way down. */
struct level {
	int fd; /* -1: closed meanwhile */
	ino_t ino;
	size_t names; /* where the names of its folders begin */
	size_t path;  /* the length of its path */
};

/* Text that grows. */
struct text {
	char *p;
	size_t n, room;
};

struct walk {
	const struct vmail_tree *tree;
	const char *top; /* for messages */
	struct vmail_err *err;
	struct statx st; /* of the top */
	struct level *level;
	size_t depth, room;
	struct text names; /* folders to come, each ended by a NUL */
	struct text path;  /* terminated */
	char *entries;
};

static void
walk_end(struct walk *w)
{
	while (w->depth > 0)
		vmail_file_close(&w->level[--w->depth].fd);
	free(w->level);
	free(w->names.p);
	free(w->path.p);
	free(w->entries);
}

static bool
text_room(struct text *t, size_t more)
{
	size_t room = t->room != 0 ? t->room : 512;
	char *p;

	while (room < t->n + more)
		room *= 2;
	if (room == t->room)
		return true;
	p = realloc(t->p, room);
	if (p == NULL)
		return false;
	t->p = p;
	t->room = room;
	return true;
}

/* With its NUL. */
static bool
names_push(struct text *names, const char *name)
{
	size_t n = strlen(name) + 1;

	if (!text_room(names, n))
		return false;
	memcpy(names->p + names->n, name, n);
	names->n += n;
	return true;
}

static bool
path_push(struct text *path, const char *name)
{
	size_t n = strlen(name);

	if (!text_room(path, n + 2))
		return false;
	if (path->n > 0)
		path->p[path->n++] = '/';
	memcpy(path->p + path->n, name, n + 1);
	path->n += n;
	return true;
}

static void
path_cut(struct text *path, size_t n)
{
	path->n = n;
	path->p[n] = '\0';
}

static enum vmail_rc
no_memory(const struct walk *w)
{
	errno = ENOMEM;
	return vmail_fail_sys(w->err, w->top, "walk");
}

static struct level *
here(const struct walk *w)
{
	return &w->level[w->depth - 1];
}

static struct vmail_tree_place
place(const struct walk *w)
{
	return (struct vmail_tree_place){ here(w)->fd, w->path.p };
}

static enum vmail_rc
pass(const struct walk *w, const char *name, enum vmail_tree_why why)
{
	struct vmail_tree_place p = place(w);

	if (w->tree->passed == NULL)
		return VMAIL_OK;
	return w->tree->passed(&p, name, why, w->tree->arg);
}

bool
vmail_tree_inside(const struct statx *sx, const struct statx *top)
{
	return sx->stx_dev_major == top->stx_dev_major &&
	       sx->stx_dev_minor == top->stx_dev_minor &&
	       (sx->stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0;
}

static bool
look(int fd, const char *name, struct statx *sx)
{
	return statx(fd, name,
		   AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		   STATX_BASIC_STATS, sx) == 0;
}

static enum vmail_rc
take_entry(struct walk *w, const struct dirent64 *d)
{
	struct vmail_tree_place p = place(w);
	const char *name = d->d_name;
	bool folder = d->d_type == DT_DIR;
	struct statx sx;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return VMAIL_OK;
	if (d->d_type == DT_UNKNOWN)
		folder = look(p.fd, name, &sx) && S_ISDIR(sx.stx_mode);
	if (folder)
		return names_push(&w->names, name) ? VMAIL_OK : no_memory(w);
	if (w->tree->entry == NULL)
		return VMAIL_OK;
	return w->tree->entry(&p, name, w->tree->arg);
}

static enum vmail_rc
take_entries(struct walk *w, const char *p, const char *end)
{
	enum vmail_rc rc = VMAIL_OK;

	while (rc == VMAIL_OK && p < end) {
		const struct dirent64 *d = (const void *)p;

		rc = take_entry(w, d);
		p += d->d_reclen;
	}
	return rc;
}

/* All of the folder: folders are kept for later, the rest is told. *readable:
 * false with errno. */
static enum vmail_rc
read_level(struct walk *w, bool *readable)
{
	enum vmail_rc rc = VMAIL_OK;
	ssize_t n = 1;

	while (rc == VMAIL_OK && n > 0) {
		n = getdents64(here(w)->fd, w->entries, READ_SIZE);
		if (n > 0)
			rc = take_entries(w, w->entries, w->entries + n);
	}
	/* ENOENT: it was removed. */
	*readable = n >= 0 || errno == ENOENT;
	return rc;
}

/* The open folder is the deepest one now; fd is the walk's from here on. */
static enum vmail_rc
push_level(struct walk *w, int fd, const struct statx *sx)
{
	if (w->depth == w->room) {
		size_t room = w->room != 0 ? 2 * w->room : 32;
		struct level *p = reallocarray(w->level, room, sizeof(*p));

		if (p == NULL) {
			vmail_file_close(&fd);
			return no_memory(w);
		}
		w->level = p;
		w->room = room;
	}
	w->level[w->depth++] =
	    (struct level){ fd, sx->stx_ino, w->names.n, w->path.n };
	if (w->depth > KEPT)
		vmail_file_close(&w->level[w->depth - 1 - KEPT].fd);
	return VMAIL_OK;
}

/* Away from the deepest folder, to its parent. ".." must be where we came
 * from: its owner may have moved the folder. */
static enum vmail_rc
pop_level(struct walk *w)
{
	struct level *l = here(w);
	struct level *up = l - 1;
	struct statx sx;

	if (w->depth > 1 && up->fd < 0) {
		up->fd = vmail_descend_open(l->fd, "..");
		if (up->fd < 0)
			return vmail_fail_sys(w->err, w->top, "open above");
		if (!look(up->fd, "", &sx) || sx.stx_ino != up->ino ||
		    sx.stx_dev_major != w->st.stx_dev_major ||
		    sx.stx_dev_minor != w->st.stx_dev_minor)
			return vmail_fail(w->err, VMAIL_BUSY, w->top, 0,
			    "a folder in it was moved meanwhile");
	}
	vmail_file_close(&l->fd);
	w->names.n = l->names;
	w->depth--;
	return VMAIL_OK;
}

static enum vmail_rc
enter(struct walk *w, const struct statx *sx)
{
	struct vmail_tree_place p = place(w);

	if (w->tree->enter == NULL)
		return VMAIL_OK;
	return w->tree->enter(&p, sx, w->tree->arg);
}

/* Down into the folder that w->path names already, w->path before it being
 * parent[0..before). */
static enum vmail_rc
go_in(struct walk *w, int fd, size_t before, const char *name)
{
	bool readable = true;
	struct statx sx;
	enum vmail_rc rc;

	if (!look(fd, "", &sx) || !vmail_tree_inside(&sx, &w->st)) {
		vmail_file_close(&fd);
		path_cut(&w->path, before);
		return pass(w, name, VMAIL_TREE_FOREIGN);
	}
	rc = push_level(w, fd, &sx);
	if (rc == VMAIL_OK)
		rc = enter(w, &sx);
	if (rc == VMAIL_EXISTS) {
		path_cut(&w->path, before);
		return pop_level(w);
	}
	if (rc == VMAIL_OK)
		rc = read_level(w, &readable);
	if (rc != VMAIL_OK || readable)
		return rc;
	path_cut(&w->path, before);
	rc = pop_level(w);
	return rc == VMAIL_OK ? pass(w, name, VMAIL_TREE_CLOSED) : rc;
}

/* The last of the names to come. */
static enum vmail_rc
go_down(struct walk *w)
{
	const struct level *l = here(w);
	const char *begin = w->names.p + l->names;
	const char *last = w->names.p + w->names.n - 1;
	size_t before = w->path.n;
	char name[NAME_MAX + 1];
	int fd;

	while (last > begin && last[-1] != '\0')
		last--;
	strcpy(name, last);
	w->names.n = (size_t)(last - w->names.p);
	fd = vmail_descend_open(l->fd, name);
	if (fd < 0 && errno == ENOENT)
		return VMAIL_OK;
	if (fd < 0)
		return pass(w, name,
		    errno == ENOTDIR || errno == ELOOP ? VMAIL_TREE_SWAPPED
						       : VMAIL_TREE_CLOSED);
	if (!path_push(&w->path, name)) {
		vmail_file_close(&fd);
		return no_memory(w);
	}
	return go_in(w, fd, before, name);
}

static enum vmail_rc
go_up(struct walk *w)
{
	struct vmail_tree_place p;
	char name[NAME_MAX + 1];
	size_t parent;
	enum vmail_rc rc = pop_level(w);

	if (rc != VMAIL_OK || w->depth == 0)
		return rc;
	parent = here(w)->path;
	strcpy(name, w->path.p + parent + (parent > 0 ? 1 : 0));
	path_cut(&w->path, parent);
	p = place(w);
	if (w->tree->leave == NULL)
		return VMAIL_OK;
	return w->tree->leave(&p, name, w->tree->arg);
}

/* The top's descriptor of our own, read from its beginning. */
static enum vmail_rc
begin(struct walk *w, int fd)
{
	bool readable = true;
	int own = vmail_descend_open(fd, ".");
	enum vmail_rc rc;

	w->entries = malloc(READ_SIZE);
	if (own < 0 || !look(own, "", &w->st)) {
		rc = vmail_fail_sys(w->err, w->top, "open");
		vmail_file_close(&own);
		return rc;
	}
	if (w->entries == NULL || !text_room(&w->path, 1)) {
		vmail_file_close(&own);
		return no_memory(w);
	}
	path_cut(&w->path, 0);
	rc = push_level(w, own, &w->st);
	if (rc == VMAIL_OK)
		rc = enter(w, &w->st);
	if (rc == VMAIL_EXISTS)
		return pop_level(w);
	if (rc == VMAIL_OK)
		rc = read_level(w, &readable);
	return readable ? rc : vmail_fail_sys(w->err, w->top, "read");
}

enum vmail_rc
vmail_tree_walk(int fd, const char *top, const struct vmail_tree *tree,
    struct vmail_err *err)
{
	__attribute__((cleanup(walk_end))) struct walk w = {
		.tree = tree, .top = top, .err = err
	};
	enum vmail_rc rc = begin(&w, fd);

	while (rc == VMAIL_OK && w.depth > 0)
		rc = w.names.n > here(&w)->names ? go_down(&w) : go_up(&w);
	return rc;
}
