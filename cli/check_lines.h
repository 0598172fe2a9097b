/* One line of the passwd-file on its way through the judgments. */
#ifndef VMAIL_CLI_CHECK_LINES_H
#define VMAIL_CLI_CHECK_LINES_H

#include "cli/check.h"
#include "common/core/entry.h"

struct check_line {
	struct check *check;
	unsigned long number;
	uint64_t offset;
	struct vmail_str text; /* without its line feed */
	struct vmail_entry entry;
};

void check_line_say(const struct check_line *line, enum severity severity,
    const char *code, const char *message, const char *fix);

/* One that --fix mends by another line in its place. */
void check_line_say_mend(const struct check_line *line, enum severity severity,
    const char *code, const char *message, const char *fix,
    struct vmail_str text);

void check_password(const struct check_line *line);
void check_extras(const struct check_line *line);

#endif
