/*
 * May this user, from this address, by this service, now? What this version
 * cannot judge is a no.
 */
#ifndef VMAIL_ADMIN_POLICY_H
#define VMAIL_ADMIN_POLICY_H

#include "common/core/entry.h"
#include "common/core/err.h"

/* VMAIL_OK, or VMAIL_DENIED with the field that says no in err->what. */
enum vmail_rc vmail_policy(
    const struct vmail_entry *entry, struct vmail_err *err);

#endif
