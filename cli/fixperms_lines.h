/* The lines of the passwd-files, as homes: all, or those of the users named. */
#ifndef VMAIL_CLI_FIXPERMS_LINES_H
#define VMAIL_CLI_FIXPERMS_LINES_H

#include "cli/fixperms_homes.h"
#include "cli/fixperms_ids.h"
#include "cli/fixperms_say.h"

struct fixperms_typed;

struct fixperms_lines {
	const struct run *run;
	struct fixperms_ids *ids;
	struct fixperms_say *say;
	struct vmail_fixperms *fix; /* what is left is counted here */
	struct fixperms_homes homes;
	/* The operands: sorted, with their lower-case forms. */
	struct fixperms_typed *typed;
	size_t ntyped;
	char *lower;
	bool *met;
};

/* The pointers set, the rest zero. A status. */
int fixperms_lines_open(struct fixperms_lines *lines);
void fixperms_lines_free(struct fixperms_lines *lines);

/* The lines of one passwd-file, or of all. A status. */
int fixperms_lines_read(
    struct fixperms_lines *lines, const struct vmail_conf *conf);

/* Was every user named met? A status. */
int fixperms_lines_judge(const struct fixperms_lines *lines);

#endif
