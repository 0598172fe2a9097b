/* map: all derived files anew from the lines. */
#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/derived.h"
#include "cli/say.h"

static int
map(struct run *run)
{
	VMAIL_STORE *store = NULL;
	struct vmail_err err;
	enum vmail_rc rc;
	int status;

	if (!run->force && derived_current(&run->conf)) {
		say_note("all derived files are current");
		return STATUS_OK;
	}
	status = change_open(run, &store);
	if (status != STATUS_OK)
		return status;
	if (run->dry_run) {
		say_line("would rebuild the derived files of %s",
		    run->conf.passwd_file);
		return STATUS_OK;
	}
	change_hold_signals();
	rc = vmail_store_rebuild(store, &err);
	vmail_store_close(&store);
	change_let_signals();
	if (rc != VMAIL_OK)
		return say_error(&err);
	run->committed = true;
	say_note("rebuilt the derived files of %s", run->conf.passwd_file);
	return STATUS_OK;
}

const struct cmd cmd_map = {
	.name = "map",
	.operands = "",
	.summary = "rebuild the files derived from the passwd-file",
	.flags = CMD_CHANGES,
	.run = map,
};
