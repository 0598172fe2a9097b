/*
 * Very many added lines on their way into the new file, before the commit: a
 * second thread writes them, reads them back and makes the map, while the
 * caller judges the next.
 */
#ifndef VMAIL_ADMIN_BULK_H
#define VMAIL_ADMIN_BULK_H

#include "common/admin/store.h"

/* Before anything else is edited (else VMAIL_EXISTS): nothing but adds follows,
 * perhaps a great many. They are written to the new file as they come, once
 * there are more than are kept in memory: few lines are a commit like any
 * other. What fails then may be told by any add; after that the store can only
 * be closed. */
enum vmail_rc vmail_bulk(struct vmail_store *store, struct vmail_err *err);

#endif
