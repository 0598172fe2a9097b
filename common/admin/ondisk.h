/*
 * The numbers that a view writes to disk: those the host sees. Through its
 * ranges for a user namespace; its own for a view without one.
 */
#ifndef VMAIL_ADMIN_ONDISK_H
#define VMAIL_ADMIN_ONDISK_H

#include "common/core/err.h"
#include "common/core/ids.h"
#include "common/core/text.h"

/* Of an identity. VMAIL_NOT_FOUND: the view says nothing of it, or its
 * namespace cannot hold the number. */
enum vmail_rc vmail_ondisk_identity(const struct vmail_world *w,
    struct vmail_str view, struct vmail_str identity, struct vmail_ids *out);

/* Of the uid and gid fields of a mailbox. A number is the host's, and stays it
 * where the namespace has it at all. VMAIL_NOT_FOUND also: a name that only
 * the view's own /etc/passwd can know. */
enum vmail_rc vmail_ondisk_mailbox(const struct vmail_world *w,
    struct vmail_str view, struct vmail_str uid, struct vmail_str gid,
    struct vmail_ids *out);

/* Is there a line of that view? */
bool vmail_ondisk_known(const struct vmail_world *w, struct vmail_str view);

#endif
