/*
 * A passwd-file that somebody wrote anew by hand, held against what it was:
 * what stood there before may stay, odd or not; what is new obeys the rules.
 */
#ifndef VMAIL_CLI_REWRITE_H
#define VMAIL_CLI_REWRITE_H

#include "cli/newrecord.h"

enum { REWRITE_FAULTS_MAX = 20 };

/* What the file is, and what may be written into it. */
struct rewrite_rules {
	struct newrecord_rules record;
	struct vmail_str domain; /* whose file it is; empty: everybody's */
};

/*
 * Says, as `path`:LINE:, what is wrong with new that was not wrong with old:
 * lines that nobody can read, second records of a name, names of another
 * domain than the file is of, and lines changed against a rule for what is
 * written. *faults is how many; a status other than
 * STATUS_OK: it could not be looked at, which has been said.
 */
int rewrite_judge(const struct rewrite_rules *rules, int old, int new,
    const char *path, unsigned *faults);

/* Are the two the same, byte for byte? */
bool rewrite_same(int old, int new);

#endif
