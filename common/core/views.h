/*
 * /etc/vmail/views: the systems that share the files and the number each
 * gives an identity (ids.md). `view identity uid:gid namespace`, separated by
 * spaces or tabs; namespace is `-` or inside:outside:count[,...].
 */
#ifndef VMAIL_CORE_VIEWS_H
#define VMAIL_CORE_VIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

struct vmail_view {
	struct vmail_str name, identity, ranges; /* ranges.n == 0: "-" */
	uint32_t uid, gid;
};

/* VMAIL_OK; VMAIL_NOT_FOUND: blank or comment; VMAIL_MALFORMED with *why. */
enum vmail_rc vmail_view_parse(
    struct vmail_str line, struct vmail_view *view, const char **why);

/* The next well-formed line of *rest; false at the end. */
bool vmail_views_next(struct vmail_str *rest, struct vmail_view *view);

/* The first line of that view and identity. */
bool vmail_views_find(struct vmail_str text, const char *view,
    struct vmail_str identity, struct vmail_view *out);

/* A number inside the view's user namespace -> the host's. False: the view
 * has no namespace, or that holds no such number. */
bool vmail_view_outside(
    const struct vmail_view *view, uint32_t inside, uint32_t *outside);

/*
 * The text of the views file beside vmail.conf, read into room[size]; a missing
 * file is an empty one. VMAIL_UNSAFE; VMAIL_UNSUPPORTED: it fills the room,
 * and a part of it is nothing to judge by; VMAIL_IO.
 */
enum vmail_rc vmail_views_load(const struct vmail_conf *conf, char *room,
    size_t size, struct vmail_str *views, struct vmail_err *err);

#endif
