/*
 * How the live map is carried over to a changed passwd-file without being
 * built anew: restamped where nothing public changed, else a patched copy
 * (size.md, "Patching the map").
 */
#ifndef VMAIL_ADMIN_MAPPATCH_H
#define VMAIL_ADMIN_MAPPATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/admin/edits.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/map.h"

/* More changes than that, and the map is built anew: what was taken out of it
 * leaves holes. */
enum { VMAIL_MAP_PATCHED_MAX = 1000 };

/*
 * Can the live map at path, of the content `old`, be restamped, with `drift`
 * bytes more of doubt? Not where drift passes the limit, with drift where
 * names are equal, where it is not fresh for `old`, or says other settings.
 */
bool vmail_mappatch_can_restamp(const struct vmail_conf *conf, const char *path,
    const struct stat *old, uint64_t drift);
/* Restamps it in place for the new content, and puts its own mtime back. */
enum vmail_rc vmail_mappatch_restamp(const char *path, const struct stat *new,
    uint64_t drift, struct vmail_err *err);

/* The change that a map is to follow. */
struct vmail_mappatch {
	const char *live;	/* path of the map to begin with */
	const struct stat *old; /* the passwd-file it answers for */
	const struct vmail_edits *edits;
	const struct vmail_edits_base *base; /* of old */
	const struct stat *new;		     /* the passwd-file to be */
};

/*
 * Makes a patched copy as the new file `path` (as vmail_mapmake_build makes
 * one), and gives it open in *fd. VMAIL_MISMATCH: that cannot be done, build
 * it. On failure nothing is left at path.
 */
enum vmail_rc vmail_mappatch_copy(const struct vmail_conf *conf,
    const struct vmail_mappatch *patch, const char *path, int *fd,
    struct vmail_err *err);

#endif
