/*
 * Very many added lines on their way into the new file, before the commit: a
 * second thread writes them, reads them back and makes the map, while the
 * caller judges the next. Internal to the store.
 */
#ifndef VMAIL_ADMIN_BULK_H
#define VMAIL_ADMIN_BULK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/admin/commit.h"

struct vmail_bulk;

/* Lets the store's edits go this way. The new file is begun only when there is
 * more to add than is kept in memory: few lines are a commit like any other.
 * VMAIL_EXISTS: something is edited already. */
enum vmail_rc vmail_bulk_open(
    struct vmail_store *store, struct vmail_bulk **bulk, struct vmail_err *err);

/* Is the new file begun? Its descriptor is the caller's then (to be taken once;
 * it is still written to until the edits are composed). NULL is allowed. */
bool vmail_bulk_begun(const struct vmail_bulk *bulk);
int vmail_bulk_file(struct vmail_bulk *bulk);

/* Once all is in the file: is there a map of it (none without mailboxes)? It
 * is completed for a file of this stat, and given open. */
bool vmail_bulk_has_map(const struct vmail_bulk *bulk);
enum vmail_rc vmail_bulk_map(struct vmail_bulk *bulk, const struct stat *st,
    int *fd, struct vmail_err *err);

/* Ends the thread and frees; a new file that nobody took is gone. NULL and
 * twice are allowed; *bulk becomes NULL. */
void vmail_bulk_close(struct vmail_bulk **bulk);

#endif
