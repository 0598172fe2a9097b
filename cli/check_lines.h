/* One line of the passwd-file on its way through the judgments. */
#ifndef VMAIL_CLI_CHECK_LINES_H
#define VMAIL_CLI_CHECK_LINES_H

#include "cli/check.h"
#include "common/core/entry.h"

struct check_line {
	struct check *check;
	unsigned long number;
	struct vmail_entry entry;
};

void check_line_say(const struct check_line *line, enum severity severity,
    const char *code, const char *message, const char *fix);

void check_password(const struct check_line *line);
void check_extras(const struct check_line *line);

#endif
