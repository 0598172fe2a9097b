/*
 * The password field of a user that is made or changed: a password from its
 * source, judged and hashed; or a hash that is imported.
 */
#ifndef VMAIL_CLI_NEWPASS_H
#define VMAIL_CLI_NEWPASS_H

#include "cli/ask.h"
#include "cli/cmd.h"
#include "common/scheme/scheme.h"

struct newpass_options {
	struct ask_options ask;
	bool generate, hash_stdin;
	const char *scheme;
};

/* The rows of a command whose struct begins with newpass_options. */
#define NEWPASS_OPTIONS                                                        \
	{ 's', "scheme", "SCHEME", "hash with SCHEME (see hash --list)",       \
		offsetof(struct newpass_options, scheme) },                    \
	    ASK_OPTIONS(struct newpass_options),                               \
	    { 0, "generate", NULL, "make up a password, print it once",        \
		    offsetof(struct newpass_options, generate) },              \
	{                                                                      \
		0, "hash-stdin", NULL, "standard input is a hash",             \
		    offsetof(struct newpass_options, hash_stdin)               \
	}

/* A field ready to be written, and the password while it must be shown. */
struct newpass {
	char field[VMAIL_HASH_MAX + 1];
	struct vmail_secret shown; /* of --generate, else empty */
};

/* Do the options fit together, and that number of users? */
int newpass_check(
    const struct run *run, const struct newpass_options *o, size_t users);

/* Is it there already, so that to make it takes nobody's patience? Else
 * everything else is tried first. */
bool newpass_at_hand(const struct newpass_options *o);

/* Asks, judges, hashes: slow, and not under the lock. */
int newpass_make(const struct run *run, const struct newpass_options *o,
    const char *who, struct newpass *out);

/* Prints generated ones, once: the password alone for a single user, a row in
 * run's results where there are several domains. */
int newpass_show(const struct run *run, char *const *names,
    const struct newpass *of, size_t n);

/* The scheme of that name, or NULL and it has been said. */
const struct vmail_scheme *newpass_scheme(const char *name);

#endif
