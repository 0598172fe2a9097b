/* init: whatever is missing, and nothing that is there. */
#include "cli/account.h"
#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/say.h"

static void
made(const char *path, void *arg)
{
	const struct run *run = arg;

	if (!run->quiet || run->dry_run)
		say_line("%s %s", run->dry_run ? "would make" : "made", path);
}

static int
init(struct run *run)
{
	struct vmail_err err;
	enum vmail_rc rc;
	int status = account_make(run);

	if (status != STATUS_OK)
		return status;
	change_hold_signals();
	rc = vmail_store_init(
	    &run->conf, run->wait, run->dry_run, made, run, &err);
	change_let_signals();
	return rc == VMAIL_OK ? STATUS_OK : say_error(&err);
}

const struct cmd cmd_init = {
	.name = "init",
	.operands = "",
	.summary = "make what is missing: files, account and group",
	.flags = CMD_CHANGES,
	.run = init,
};
