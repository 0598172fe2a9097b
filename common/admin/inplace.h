/*
 * A commit where rename cannot work (writes.md): the old content kept as
 * backup, a sealed journal, the file written over; and what a killed one left
 * is finished by the next writer. Internal to the store.
 */
#ifndef VMAIL_ADMIN_INPLACE_H
#define VMAIL_ADMIN_INPLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/admin/commit.h"

#define VMAIL_INPLACE_JOURNAL ".journal"

/*
 * Writes `size` bytes of new content, which stand at the beginning of the
 * journal file open at fd, over the store's file. On failure the file is as it
 * was - or *torn, where even that could not be: then the journal must stay.
 */
enum vmail_rc vmail_inplace_write(struct vmail_store *store, int fd,
    uint64_t size, bool *torn, struct vmail_err *err);

/* Takes the journal away. */
void vmail_inplace_drop(const struct vmail_store *store);

/* Looks for a journal that a killed writer left, and finishes its work; the
 * store's stat is anew then. VMAIL_UNSAFE: another hand wrote since; it is
 * kept. */
enum vmail_rc vmail_inplace_recover(
    struct vmail_store *store, struct vmail_err *err);

#endif
