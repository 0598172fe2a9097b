/*
 * How the public map is built and stamped (formats.md, "Public map"; size.md).
 */
#ifndef VMAIL_ADMIN_MAPMAKE_H
#define VMAIL_ADMIN_MAPMAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/map.h"

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

/*
 * Restamps the live map of the old content for the new one: drift more bytes
 * of doubt. Puts the map's own mtime back. It cannot be, and must be rebuilt,
 * where drift passes the limit, with drift where names are equal, where it is
 * not fresh for `old`, or its header says other settings.
 */
bool vmail_mapmake_can_restamp(const struct vmail_conf *conf, const char *path,
    const struct stat *old, uint64_t drift);
enum vmail_rc vmail_mapmake_restamp(const char *path, const struct stat *new,
    uint64_t drift, struct vmail_err *err);

/* Does the map's header say what vmail.conf and views say now, and its group
 * (on the host) whose it is? */
bool vmail_mapmake_current(
    const struct vmail_conf *conf, const struct vmail_map *map);

#endif
