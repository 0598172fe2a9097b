/*
 * One field of a line put in place of another, every other byte kept.
 */
#ifndef VMAIL_CLI_LINE_H
#define VMAIL_CLI_LINE_H

#include "common/core/text.h"

enum line_field {
	LINE_NAME,
	LINE_PASSWORD,
	LINE_UID,
	LINE_GID,
	LINE_GECOS,
	LINE_HOME,
};

/*
 * Lays out the whole line (no line feed) with that field's new value; missing
 * colons before it are added. A final CR stays at the end. out->full: it did
 * not fit.
 */
void line_set(struct vmail_str line, enum line_field field,
    struct vmail_str value, struct vmail_buf *out);

#endif
