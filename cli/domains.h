/*
 * A command over users where each domain has a passwd-file of its own: once
 * for every domain, in the order of their names, all of it tried first.
 */
#ifndef VMAIL_CLI_DOMAINS_H
#define VMAIL_CLI_DOMAINS_H

#include "cli/cmd.h"

/* Runs it, for one file or for many. A status. */
int domains_run(const struct cmd *cmd, struct run *run);

/*
 * Makes the passwd-file that of the domain, as typed in any case, which domain
 * becomes in lower case. A status, which has been said: there is one file for
 * all, or the domain has none.
 */
int domains_enter(
    struct run *run, const char *typed, char domain[VMAIL_NAME_MAX + 1]);

/* Is a record of that name found in the file of that domain? (Empty: in that
 * of all.) */
bool domains_holds(struct vmail_str domain, struct vmail_str name);

/* Is that user among those asked for: of the domain (empty: of all), and of
 * the operands, which are patterns, if there are any? */
bool domains_wanted(
    const struct run *run, struct vmail_str domain, struct vmail_str name);

/* Makes the folder of a domain that has none yet, with its files. */
int domains_make(const struct run *run);

/* Is there no folder with a passwd-file for the domain that run is in? */
bool domains_is_new(const struct run *run);

#endif
