/* Locking and unlocking, for lock, unlock and passwd -l, -u. */
#ifndef VMAIL_CLI_LOCKING_H
#define VMAIL_CLI_LOCKING_H

#include "cli/cmd.h"

enum locking { LOCKING_LOCK, LOCKING_UNLOCK };

/*
 * All operands in one commit; who is as wanted already is passed over. What
 * somebody wrote by hand stays, is said, and makes STATUS_FAILED.
 */
int locking(struct run *run, enum locking way);

#endif
