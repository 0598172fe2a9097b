/* lock USER...: no service lets them in; mail is delivered, the hash stays. */
#include "cli/cmd/all.h"
#include "cli/locking.h"

static int
lock(struct run *run)
{
	return locking(run, LOCKING_LOCK);
}

const struct cmd cmd_lock = {
	.name = "lock",
	.operands = "USER...",
	.summary = "refuse logins of users; delivery goes on",
	.least = 1,
	.most = CMD_ANY,
	.flags = CMD_CHANGES | CMD_USERS,
	.run = lock,
};
