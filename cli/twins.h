/*
 * Second records of a name. The first is the user; who takes it away must not
 * bring the next one to life.
 */
#ifndef VMAIL_CLI_TWINS_H
#define VMAIL_CLI_TWINS_H

#include "common/admin/store.h"

/*
 * Calls each for every sound record of that name but the first, under the
 * store's lock; false from it stops. A fresh map that knows of no equal names
 * saves the walk. VMAIL_OK, or as vmail_store_walk.
 */
enum vmail_rc twins_each(const struct vmail_conf *conf, struct vmail_str name,
    bool (*each)(const struct vmail_line *line, void *arg), void *arg,
    struct vmail_err *err);

#endif
