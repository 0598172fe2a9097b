/*
 * The one walk below an open folder: on its file system and mount alone,
 * following no link, however deep it is, with a few descriptors. What is to be
 * done on the way, its caller says.
 */
#ifndef VMAIL_ADMIN_TREE_H
#define VMAIL_ADMIN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/core/err.h"

/* Why a folder was passed over. */
enum vmail_tree_why {
	VMAIL_TREE_FOREIGN, /* another file system, or a mount point */
	VMAIL_TREE_SWAPPED, /* it is none any more */
	VMAIL_TREE_CLOSED,  /* it cannot be opened or read: errno */
};

/* Where the walk is: a folder by its descriptor, and its path below the top
 * ("" at the top, else "a/b"). Good until the callback returns. */
struct vmail_tree_place {
	int fd;
	const char *path;
};

/*
 * Callbacks; any may be NULL. Another answer than VMAIL_OK ends the walk with
 * it, but for VMAIL_EXISTS of `enter`: that folder is passed over whole.
 */
struct vmail_tree {
	/* A folder, the top too, before what is in it. */
	enum vmail_rc (*enter)(const struct vmail_tree_place *here,
	    const struct statx *sx, void *arg);
	/* What is no folder, by its name in `here`: nothing is known of it. */
	enum vmail_rc (*entry)(
	    const struct vmail_tree_place *here, const char *name, void *arg);
	/* A folder, not the top, all of which was walked; here is its parent.
	 */
	enum vmail_rc (*leave)(
	    const struct vmail_tree_place *here, const char *name, void *arg);
	enum vmail_rc (*passed)(const struct vmail_tree_place *here,
	    const char *name, enum vmail_tree_why why, void *arg);
	void *arg;
};

/* Is it on the file system of `top`, and no mount point? */
bool vmail_tree_inside(const struct statx *sx, const struct statx *top);

/* fd stays the caller's; top is for messages. VMAIL_BUSY: a folder was moved
 * meanwhile, and the way back is lost. VMAIL_IO, VMAIL_DENIED, VMAIL_NO_MEMORY
 * at the top; what the callbacks say. */
enum vmail_rc vmail_tree_walk(int fd, const char *top,
    const struct vmail_tree *tree, struct vmail_err *err);

#endif
