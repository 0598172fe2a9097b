/*
 * What Dovecot's side files hold: application passwords (apppw) and refusals
 * per service (deny), beside the passwd-file. Both are empty in this version,
 * and must exist.
 */
#ifndef VMAIL_ADMIN_DERIVE_H
#define VMAIL_ADMIN_DERIVE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/core/err.h"

/* The names, NULL past the last. */
const char *vmail_derive_name(size_t index);

/* Makes those that are missing in the folder of passwd_path, with owner,
 * mode and extended attributes of `like` (the passwd-file's descriptor). */
enum vmail_rc vmail_derive_missing(const char *passwd_path, int like,
    void (*made)(const char *path, void *arg), void *arg,
    struct vmail_err *err);

#endif
