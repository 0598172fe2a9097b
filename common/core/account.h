/*
 * This system's own accounts: /etc/passwd and /etc/group, read directly, never
 * through getpw*. As libc does, a line whose numbers are none is passed over.
 */
#ifndef VMAIL_CORE_ACCOUNT_H
#define VMAIL_CORE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/text.h"

struct vmail_ids {
	uid_t uid;
	gid_t gid;
};

/* One account of /etc/passwd. VMAIL_NOT_FOUND; VMAIL_IO: it cannot be read. */
enum vmail_rc vmail_account_of(struct vmail_str name, struct vmail_ids *out);

/* The same in another system's, open at fd. */
enum vmail_rc vmail_account_in(
    int fd, struct vmail_str name, struct vmail_ids *out);

/* The same of ours, with what tells that the file is unchanged. VMAIL_BUSY: it
 * did not stand still. */
enum vmail_rc vmail_account_seen(
    struct vmail_str name, struct vmail_map_account *out);

/* What a map remembers of one (its account=), as long as /etc/passwd is that
 * file; false: it is not, or nothing is remembered. */
bool vmail_account_known(struct vmail_str remembered, struct vmail_ids *out);

/* One group of /etc/group. */
enum vmail_rc vmail_account_group(struct vmail_str name, gid_t *out);

#endif
