/*
 * What `check` knows: judgments over the lines and the files around them,
 * each a finding. The files check_*.c judge;
 * here is how they speak.
 */
#ifndef VMAIL_CLI_CHECK_H
#define VMAIL_CLI_CHECK_H

#include <sys/stat.h>

#include "cli/report.h"
#include "cli/world.h"
#include "common/admin/authprocs.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARN };

/* code is stable, for scripts; fix may be NULL. */
struct finding {
	enum severity severity;
	const char *code;
	const char *file;
	unsigned long line; /* 0: the file as a whole */
	struct vmail_str user;
	const char *message, *fix;
};

/* What becomes of a finding. */
enum check_phase {
	CHECK_SAY,    /* it is said */
	CHECK_PLAN,   /* said, and whether --fix would mend it */
	CHECK_MEND,   /* mended at once, or put on the list of what is to be;
		       * what stays is said by CHECK_SAY */
	CHECK_COUNT,  /* lines only: how many could be mended */
	CHECK_VERIFY, /* what shows itself once more is put off the list */
};

struct fixes;

struct check {
	enum check_phase phase;
	struct fixes *fixes; /* --fix: what is done (check_fix.c); or NULL */
	const struct vmail_conf *conf;
	struct vmail_str domain; /* whose file it is; empty: everybody's */
	const struct world *world;
	const struct vmail_authprocs *procs; /* who must be able to read */
	struct report *report;
	unsigned long errors, warnings; /* that stay */
	unsigned long mended;
	bool planned; /* the passwd-file's rights would be mended */
	bool good;    /* false: stdout failed, or no memory */
	bool unseen;  /* said once: not all processes can be looked at */
};

/* One that somebody has to think about. */
void check_say(struct check *check, const struct finding *finding);
/* The same as a row, whatever the phase; fixed: it does not stay. */
void check_row(struct check *check, const struct finding *finding, bool fixed);

/* Those that --fix mends; without it they are said. */

/* By making anew what is derived. */
void check_say_derived(struct check *check, const struct finding *finding);
/* By taking rights on finding's file away: the mode's bits `take`; with none of
 * them, the owner, who becomes root. reader (-1: none) is the group that goes
 * on reading it, where it did so by those rights alone. True: *st is what it
 * is now, or would be. */
bool check_say_rights(struct check *check, const struct finding *finding,
    struct stat *st, mode_t take, gid_t reader);

/* Judgments of all lines of the passwd-file. */
void check_lines(struct check *check);
/* Owner, mode and kind of every file of one passwd-file, and what must be
 * there; the same of what there is once, beside vmail.conf. */
void check_files(struct check *check);
void check_settings(struct check *check);
/* Mounts of one file alone. */
void check_mounts(struct check *check);
/* Can every Dovecot that reads these files read them? */
void check_access(struct check *check);
/* The map, and what else is derived. */
void check_derived(struct check *check);
/* What NSS reads first, where that is another one. */
void check_header(struct check *check);
/* The owner's account and group; the lines of views. */
void check_identities(struct check *check);

#endif
