/*
 * A private copy of a file for an editor: in a folder of its own that nobody
 * but root enters, never beside the file itself.
 */
#ifndef VMAIL_CLI_SCRATCH_H
#define VMAIL_CLI_SCRATCH_H

#include <stdbool.h>

enum { SCRATCH_PATH_MAX = 4096 };

struct scratch {
	int folder; /* an editor may write a new file: found again in here */
	char path[SCRATCH_PATH_MAX]; /* of the copy */
	char *name;		     /* its last part; NULL: there is none */
};

/* Copies all of fd into a new folder under TMPDIR, else /run, else /tmp. Safe
 * places alone: root's, and nobody else may move our folder. A status; what
 * went wrong has been said. */
int scratch_open(struct scratch *scratch, int fd, const char *name);

/* The copy as it is now, read-only; -1: it is gone, or no regular file. The
 * caller closes it. */
int scratch_read(const struct scratch *scratch);

/* Removes the copy and whatever an editor left beside it. */
void scratch_remove(struct scratch *scratch);

/* Closes, and leaves the copy where it is. Both are safe twice. */
void scratch_close(struct scratch *scratch);

#endif
