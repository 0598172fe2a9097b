/*
 * Owners and modes mended: each thing compared on its own descriptor with what
 * the rules say (fixperms_rules.h), told, and changed by that descriptor. A
 * dry run is the same without the last call; a run that was killed is run
 * again.
 */
#ifndef VMAIL_ADMIN_FIXPERMS_H
#define VMAIL_ADMIN_FIXPERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/admin/fixperms_rules.h"
#include "common/core/conf.h"
#include "common/core/err.h"

enum vmail_fixperms_act {
	VMAIL_FIXPERMS_CHANGE, /* changed, or would be */
	VMAIL_FIXPERMS_LEFT,   /* wrong, or perhaps, and left as it is */
	VMAIL_FIXPERMS_MISSING,
};

/* Strings are good until `say` returns. */
struct vmail_fixperms_item {
	enum vmail_fixperms_act act;
	const char *path;
	bool seen; /* `is` says something; should: of a change */
	struct vmail_fixperms_perms is, should;
	const char *why;
};

/* A run. say and step may be NULL; step is called now and then. */
struct vmail_fixperms {
	bool dry_run;
	void (*say)(const struct vmail_fixperms_item *item, void *arg);
	void (*step)(void *arg);
	void *arg;
	uint64_t seen, changed, left, missing;
};

/* A mail home, whose it is, and what is known of the way there. */
struct vmail_fixperms_home {
	const char *path;
	struct vmail_ids user, owner;
	/* The folder that holds all mail, without a final '/': from there on
	 * folders on the way are mended; "": there is none. */
	const char *root;
	/* The home that was mended just before, if it was of the same user's
	 * numbers, or NULL: the folders on both ways are done. */
	const char *before;
	/* What else the owner is called, by other systems that share the
	 * files: `root` may belong to one of these. */
	const uid_t *known;
	size_t nknown;
	/* Homes of others below it, by their whole paths, sorted: left alone.
	 */
	const char *const *others;
	size_t nothers;
};

/*
 * The home, all below it on its file system, and the folders on the way. What
 * is wrong and stays so is told and counted. Refused, as left: `/` and what
 * lies directly below it; a link or a stranger's folder on the way; a home
 * outside of `root` that is not the user's or the owner's - or root's in a
 * folder of theirs. False: refused, or not there; nothing was walked.
 */
bool vmail_fixperms_home(
    struct vmail_fixperms *f, const struct vmail_fixperms_home *home);

/* Whose the files are. */
struct vmail_fixperms_groups {
	gid_t reader; /* may read the passwd-file */
	gid_t owner;  /* the owner's group, if it is known here */
	bool owner_known;
	/* Somebody else who shall read it: an ACL entry, where owner and mode
	 * do not let him. uid 0: nobody. */
	struct vmail_ids guest;
};

/* vmail.conf, views, the map's header and their folder; where there is one
 * passwd-file per domain, the folder of these. False if others than root could
 * write one of them until now: what they say is to be looked through before it
 * is believed. */
bool vmail_fixperms_settings(struct vmail_fixperms *f,
    const struct vmail_conf *conf, const struct vmail_fixperms_groups *groups);

/*
 * The passwd-file and all beside it, under the writers' lock; *trusted as
 * above, of the file and its folder. VMAIL_BUSY, others: the lock.
 */
enum vmail_rc vmail_fixperms_store(struct vmail_fixperms *f,
    const struct vmail_conf *conf, const struct vmail_fixperms_groups *groups,
    unsigned wait, bool *trusted, struct vmail_err *err);

#endif
