/*
 * A password field that Dovecot and we could read in two ways, written so that
 * all read what we do (formats.md, "Rules for what we write").
 */
#ifndef VMAIL_CLI_FIXFIELD_H
#define VMAIL_CLI_FIXFIELD_H

#include <stdbool.h>

#include "common/core/entry.h"

/*
 * The whole line anew: a bare hash gets {CRYPT}; !HASH becomes the hash and a
 * lock (*padded: the line gets colons for that, and is a userdb entry then);
 * what no password fits - nothing, `*`, `x`, `!`, a scheme without a hash -
 * becomes {CRYPT}*. False, and out is of no use: the field is none of these,
 * or the line would be too long.
 */
bool fixfield(struct vmail_str line, const struct vmail_entry *entry,
    struct vmail_buf *out, bool *padded);

#endif
