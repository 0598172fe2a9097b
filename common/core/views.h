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

/* A host name has at most 64 bytes; a user namespace at most 340 ranges. */
enum { VMAIL_VIEW_MAX = 64, VMAIL_VIEW_RANGES = 340 };

struct vmail_view {
	struct vmail_str name, identity, ranges; /* ranges.n == 0: "-" */
	uint32_t uid, gid;
};

/* VMAIL_OK; VMAIL_NOT_FOUND: blank or comment; VMAIL_MALFORMED with *why (may
 * be NULL): the line is passed over by everybody, and hides no other. */
enum vmail_rc vmail_view_parse(
    struct vmail_str line, struct vmail_view *view, const char **why);

/* The next well-formed line of *rest; false at the end. */
bool vmail_views_next(struct vmail_str *rest, struct vmail_view *view);

/* A line whose first two words are not judged yet: who looks for a few lines
 * among many need not parse them all. False at the end. */
struct vmail_views_line {
	struct vmail_str name, identity, line;
};
bool vmail_views_peek(struct vmail_str *rest, struct vmail_views_line *next);

/* The first well-formed line of that view and identity: where there are two,
 * the second says nothing. */
bool vmail_views_of(struct vmail_str text, struct vmail_str view,
    struct vmail_str identity, struct vmail_view *out);
bool vmail_views_find(struct vmail_str text, const char *view,
    struct vmail_str identity, struct vmail_view *out);
/* Is *view, a line of that text, the one that says something? */
bool vmail_views_first(struct vmail_str text, const struct vmail_view *view);

/* A number inside the view's user namespace -> the host's, and back. False:
 * the view has no namespace, or that holds no such number. */
bool vmail_view_outside(
    const struct vmail_view *view, uint32_t inside, uint32_t *outside);
bool vmail_view_inside(
    const struct vmail_view *view, uint32_t outside, uint32_t *inside);

/*
 * The view that /run/vmail/view says this system is (ids.md, step 1): the one
 * name in it, in room. VMAIL_NOT_FOUND: no such file; VMAIL_UNSAFE: not root's
 * alone to write; VMAIL_MALFORMED: not one view's name; VMAIL_DENIED;
 * VMAIL_IO. No view need have that name.
 */
#define VMAIL_VIEW_PATH "/run/vmail/view"
enum { VMAIL_VIEW_ROOM = VMAIL_VIEW_MAX + 2 };
enum vmail_rc vmail_views_named(
    char room[VMAIL_VIEW_ROOM], struct vmail_str *name, struct vmail_err *err);

/* The view that this system's host name would be (step 3), in room. */
bool vmail_views_hostname(char room[VMAIL_VIEW_ROOM], struct vmail_str *name);

/*
 * The text of the views file beside vmail.conf, read into room[size]; a missing
 * file is an empty one. VMAIL_UNSAFE; VMAIL_UNSUPPORTED: it fills the room,
 * and a part of it is nothing to judge by; VMAIL_IO.
 */
enum vmail_rc vmail_views_load(const struct vmail_conf *conf, char *room,
    size_t size, struct vmail_str *views, struct vmail_err *err);

#endif
