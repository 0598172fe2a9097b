/*
 * The way down a path, component by component, each opened in the one before
 * and no link followed: who owns a folder on the way can change what a name in
 * it means, so no path is walked by name.
 */
#ifndef VMAIL_ADMIN_DESCEND_H
#define VMAIL_ADMIN_DESCEND_H

#include <limits.h>
#include <stdbool.h>

#include "common/core/err.h"
#include "common/core/text.h"

/* Where it stands: the open folder, and the component to come. path is
 * borrowed. */
struct vmail_descent {
	int fd;
	const char *path;
	struct vmail_str rest;
	char name[NAME_MAX + 1];
	bool last; /* name is the path's last component */
};

#define VMAIL_DESCENT                                                          \
	struct vmail_descent __attribute__((cleanup(vmail_descend_end)))

/* VMAIL_OK and *depth, the number of components. VMAIL_UNSAFE: not absolute,
 * or with "." or ".."; VMAIL_INVALID: a component too long. */
enum vmail_rc vmail_descend_judge(
    const char *path, unsigned *depth, struct vmail_err *err);

/* Stands in "/". */
enum vmail_rc vmail_descend_begin(
    struct vmail_descent *d, const char *path, struct vmail_err *err);
/* The next component into d->name; false at the end. */
bool vmail_descend_next(struct vmail_descent *d);
/* How many bytes of d->path lead to d->name, itself included. */
size_t vmail_descend_length(const struct vmail_descent *d);
/* Stands in d->name from now on. VMAIL_NOT_FOUND; VMAIL_UNSAFE: a link;
 * VMAIL_EXISTS: no folder; VMAIL_DENIED, VMAIL_IO. */
enum vmail_rc vmail_descend_into(
    struct vmail_descent *d, struct vmail_err *err);
/* Why d->name could not be opened, from errno: as above. */
enum vmail_rc vmail_descend_fault(
    const struct vmail_descent *d, struct vmail_err *err);
void vmail_descend_end(struct vmail_descent *d);

/* A folder by its name in another, to be read; -1 with errno. */
int vmail_descend_open(int at, const char *name);

#endif
