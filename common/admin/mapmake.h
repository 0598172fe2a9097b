/*
 * How the public map is built anew (formats.md, "Public map"; size.md).
 */
#ifndef VMAIL_ADMIN_MAPMAKE_H
#define VMAIL_ADMIN_MAPMAKE_H

#include <stdint.h>
#include <sys/stat.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/map.h"

/*
 * A map in the making, of all lines in order: first those of a file, then text
 * that follows them. It is a new file at `path` (made exclusively, 0644
 * root:owner's group), which is gone again unless `end` says VMAIL_OK; conf is
 * the caller's until then.
 */
struct vmail_mapmake;
enum vmail_rc vmail_mapmake_begin(const struct vmail_conf *conf,
    const char *path, struct vmail_mapmake **map, struct vmail_err *err);

/* Every line of a file that stands still meanwhile, or it is VMAIL_BUSY. */
enum vmail_rc vmail_mapmake_file(struct vmail_mapmake *map, int passwd_fd,
    const char *passwd_path, struct vmail_err *err);
/* Whole lines, each with its line feed, that stand at `offset`. */
enum vmail_rc vmail_mapmake_text(struct vmail_mapmake *map,
    struct vmail_str text, uint64_t offset, struct vmail_err *err);

/* Completes it as the map of the passwd-file that st is of, and gives it open
 * (fd may be NULL) for the caller to sync. *map is freed and NULL, whatever
 * comes back. */
enum vmail_rc vmail_mapmake_end(struct vmail_mapmake **map,
    const struct stat *st, int *fd, struct vmail_err *err);

/* Frees, and takes the file away; safe twice, and after `end`. */
void vmail_mapmake_drop(struct vmail_mapmake **map);

#define VMAIL_MAPMAKE                                                          \
	struct vmail_mapmake __attribute__((cleanup(vmail_mapmake_drop)))

/*
 * Builds the map of the passwd-file open at passwd_fd (whose stamp it takes)
 * as a new file `path` (made exclusively, 0644 root:owner's group; not
 * synced). On failure nothing is left at path. *fd (may be NULL) is given
 * open for the caller to sync.
 */
enum vmail_rc vmail_mapmake_build(const struct vmail_conf *conf, int passwd_fd,
    const char *passwd_path, const char *path, int *fd, struct vmail_err *err);

/* A header alone (no users, stamp zero): what NSS reads first where the
 * passwd-file lies elsewhere. Made and given as by vmail_mapmake_build. */
enum vmail_rc vmail_mapmake_header(const struct vmail_conf *conf,
    const char *path, int *fd, struct vmail_err *err);

#endif
