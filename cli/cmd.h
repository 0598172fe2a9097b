/*
 * What a command is: one const struct in a file of its own (cli/cmd/), and
 * what it is given to run with. main.c lists them all.
 */
#ifndef VMAIL_CLI_CMD_H
#define VMAIL_CLI_CMD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/opt.h"
#include "common/core/conf.h"

struct report;

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };

/* One invocation. */
struct run {
	struct vmail_conf conf;
	enum output output;
	bool quiet, dry_run, force, settle;
	unsigned wait;	     /* seconds for the writers' lock */
	const void *options; /* the command's own struct */
	char **operand;
	size_t operands;
	bool committed; /* set by change.c: something was changed */
	/* Of several domains: the one report of them all, which the first of
	 * them opens, and domains.c closes. Else NULL. */
	struct report **results;
};

enum {
	CMD_CHANGES = 1, /* root alone; --dry-run and --settle mean something */
	CMD_USERS = 2,	 /* operands are users, each of a domain's own file */
	CMD_ONE_FILE = 4, /* cannot do with one passwd-file per domain, yet */
	CMD_PLANS = 8,	  /* with --dry-run for everybody */
	CMD_OPTIONS_MAX = 256,
	CMD_ANY = INT_MAX,
};

struct cmd {
	const char *name, *operands, *summary;
	size_t least, most; /* operands */
	unsigned flags;
	const struct opt *options;   /* may be NULL */
	size_t options_size;	     /* of the struct their offsets lie in */
	int (*run)(struct run *run); /* the exit status; has said why */
};

#endif
