/*
 * check --fix: mends what can be mended without a thought, and says each
 * finding when that is done. Rights are taken away on the spot; lines are one
 * commit under the lock, and what is derived is made anew there.
 */
#ifndef VMAIL_CLI_CHECK_FIX_H
#define VMAIL_CLI_CHECK_FIX_H

#include "cli/check.h"
#include "cli/cmd.h"

struct vmail_store;

/* One that is to be mended, until it is. */
struct fix {
	struct finding finding; /* its texts live on; but for */
	char *own;		/* its file, or its user; owned */
};

struct fixes {
	struct run *run;
	struct vmail_store *store; /* while lines are edited */
	struct fix *list;
	size_t n, room;
	unsigned long lines; /* that could be mended */
	int status;	     /* of the first thing that failed */
};

/* Of the file that check is at; of what NSS reads first. The phase becomes
 * CHECK_SAY: what they leave is still to be said. */
void check_fix_file(struct check *check);
void check_fix_header(struct check *check);

#endif
