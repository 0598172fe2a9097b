/* The account that owns all mail, made by the system's own tools. */
#ifndef VMAIL_CLI_ACCOUNT_H
#define VMAIL_CLI_ACCOUNT_H

#include "cli/cmd.h"

/*
 * Makes the owner's group and account where the owner has no number here: 5000
 * if it is free, else the next free one. Says what it made; a status.
 */
int account_make(const struct run *run);

#endif
