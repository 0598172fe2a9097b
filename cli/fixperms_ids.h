/*
 * Whose numbers fixperms gives: those of this system, or those that a view
 * writes to disk.
 */
#ifndef VMAIL_CLI_FIXPERMS_IDS_H
#define VMAIL_CLI_FIXPERMS_IDS_H

#include "cli/cmd.h"
#include "cli/userview.h"
#include "cli/world.h"

enum { FIXPERMS_KNOWN_MAX = 256 };

struct fixperms_ids {
	const struct vmail_conf *conf;
	struct world *world;
	struct vmail_str view;	/* empty: this system */
	struct vmail_ids owner; /* of all mail, there; uid 0: none */
	/* What views call the owner, inside and on disk. */
	uid_t known[FIXPERMS_KNOWN_MAX];
	size_t nknown;
	struct userview resolver; /* remembers the last answer */
};

/* view may be NULL; acl: its owner shall read the hashes. world is borrowed.
 * A status; what is wrong has been said. */
int fixperms_ids_open(struct fixperms_ids *ids, const struct run *run,
    struct world *world, const char *view, bool acl);

/* Those of a record; false: they cannot be told. */
bool fixperms_ids_of(struct fixperms_ids *ids, const struct vmail_entry *entry,
    struct vmail_ids *out);

#endif
