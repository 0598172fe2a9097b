/*
 * Records shown, or handed on, without what is secret in them: the hash, and
 * passwords in extra fields.
 */
#ifndef VMAIL_CLI_MASK_H
#define VMAIL_CLI_MASK_H

#include "cli/userview.h"

/* The line with `***` in place of each secret. */
void mask_line(struct userview *view, const struct vmail_entry *entry,
    struct vmail_buf *out);

/* The extra fields that hold no secret. */
void mask_extras(struct userview *view, const struct vmail_entry *entry,
    struct vmail_buf *out);

#endif
