/*
 * How fixperms speaks: a row for each thing that is changed or left, what is
 * too much for people folded, and the progress.
 */
#ifndef VMAIL_CLI_FIXPERMS_SAY_H
#define VMAIL_CLI_FIXPERMS_SAY_H

#include "cli/cmd.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "common/admin/fixperms.h"

struct fixperms_say {
	const struct run *run;
	struct report *report;
	struct progress progress;
	bool missing; /* homes that are not there have rows in a table too */
	const struct vmail_fixperms *fix; /* whose counts are shown */
	size_t done, total;		  /* homes */
	uint64_t rows[2], folded[2];	  /* of one home: changed, left */
	bool good;			  /* false: stdout failed */
};

/* False: no memory. fix is told to speak here. */
bool fixperms_say_open(struct fixperms_say *say, const struct run *run,
    struct vmail_fixperms *fix);

/* A home is done: what was folded is said in a row. */
void fixperms_say_home(struct fixperms_say *say, const char *path);

/* Something that is left, which no walk has met. */
void fixperms_say_left(
    struct fixperms_say *say, const char *path, const char *why);

/* The last rows, and the counts. False: stdout failed. */
bool fixperms_say_close(struct fixperms_say *say);

#endif
