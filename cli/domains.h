/*
 * A command over users where each domain has a passwd-file of its own: once
 * for every domain, in the order of their names, all of it tried first.
 */
#ifndef VMAIL_CLI_DOMAINS_H
#define VMAIL_CLI_DOMAINS_H

#include "cli/cmd.h"

/* Runs it, for one file or for many. A status. */
int domains_run(const struct cmd *cmd, struct run *run);

/* Makes the folder of a domain that has none yet, with its files. */
int domains_make(const struct run *run);

/* Is there no folder with a passwd-file for the domain that run is in? */
bool domains_is_new(const struct run *run);

#endif
