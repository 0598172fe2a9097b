/*
 * What `check` knows: judgments over the lines and the files around them,
 * each a finding. The files check_*.c judge;
 * here is how they speak.
 */
#ifndef VMAIL_CLI_CHECK_H
#define VMAIL_CLI_CHECK_H

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

struct check {
	const struct vmail_conf *conf;
	struct vmail_str domain; /* whose file it is; empty: everybody's */
	const struct world *world;
	const struct vmail_authprocs *procs; /* who must be able to read */
	struct report *report;
	unsigned long errors, warnings;
	bool good; /* false: stdout failed, or no memory */
};

void check_say(struct check *check, const struct finding *finding);

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
