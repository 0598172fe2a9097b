/* The files beside the passwd-file that are made of it. */
#ifndef VMAIL_CLI_DERIVED_H
#define VMAIL_CLI_DERIVED_H

#include <stdbool.h>

#include "common/core/conf.h"

/* The header that NSS reads first says what the settings say. */
bool derived_header_current(const struct vmail_conf *conf);

/* The map fits the passwd-file and the settings, apppw and deny are there,
 * and nothing temporary is left: there is nothing to rebuild. */
bool derived_current(const struct vmail_conf *conf);

enum { DERIVED_PATH_MAX = VMAIL_CONF_PATH_MAX + 32 };

/* The passwd-file's path with a suffix behind it; `name` in its folder. */
void derived_with(const struct vmail_conf *conf, const char *suffix,
    char path[DERIVED_PATH_MAX]);
void derived_beside(const struct vmail_conf *conf, const char *name,
    char path[DERIVED_PATH_MAX]);

/* The temporary files a killed writer may leave: the path of number i; false
 * past the last. */
bool derived_temporary(
    const struct vmail_conf *conf, size_t i, char path[DERIVED_PATH_MAX]);

#endif
