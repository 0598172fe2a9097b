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
