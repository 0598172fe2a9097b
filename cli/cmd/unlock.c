/* unlock USER...: the line is what it was before lock, byte for byte. */
#include "cli/cmd/all.h"
#include "cli/locking.h"

static int
unlock(struct run *run)
{
	return locking(run, LOCKING_UNLOCK);
}

const struct cmd cmd_unlock = {
	.name = "unlock",
	.operands = "USER...",
	.summary = "the exact inverse of lock",
	.least = 1,
	.most = CMD_ANY,
	.flags = CMD_CHANGES | CMD_USERS,
	.run = unlock,
};
