/*
 * The mail homes that fixperms walks, each once: whose they are, and which lie
 * in one another.
 */
#ifndef VMAIL_CLI_FIXPERMS_HOMES_H
#define VMAIL_CLI_FIXPERMS_HOMES_H

#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/ids.h"

enum fixperms_fate {
	FIXPERMS_WALK,
	FIXPERMS_COVERED, /* by a walk of `other`, if there is one */
	FIXPERMS_SHARED,  /* the home of two users with different numbers */
	FIXPERMS_INSIDE,  /* in a home of somebody who could swap it */
};

#define FIXPERMS_NONE SIZE_MAX

struct fixperms_home {
	const char *path, *name; /* offsets until they are settled */
	size_t at;
	struct vmail_ids ids;
	bool wanted;
	bool walked; /* set by who walks */
	bool apart;  /* in another's home, whose walk leaves it alone */
	enum fixperms_fate fate;
	size_t other; /* the one that is meant by it */
	size_t outer; /* the one it lies in; FIXPERMS_NONE */
};

struct fixperms_homes {
	struct fixperms_home *list;
	size_t n, room;
	char *text; /* paths and names */
	size_t used, size;
};

/* False: no memory. path is tidied. */
bool fixperms_homes_add(struct fixperms_homes *homes, const char *path,
    struct vmail_str name, const struct vmail_ids *ids, bool wanted);

/* After the last one: in the order of their paths, with their fates. owner: the
 * uid of the identity that owns mail, in whose folders anybody's home may lie.
 */
void fixperms_homes_settle(struct fixperms_homes *homes, uid_t owner);

/* The paths of homes in list[i] that its walk must leave alone, sorted; *n of
 * them. NULL with *n == 0: none; with *n == 1: no memory. The caller frees the
 * array. */
const char **fixperms_homes_apart(
    const struct fixperms_homes *homes, size_t i, size_t *n);

void fixperms_homes_free(struct fixperms_homes *homes);

#endif
