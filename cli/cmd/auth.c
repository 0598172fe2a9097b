/* auth USER: is this the password? Asked as the PAM module asks. */
#include "common/admin/auth.h"
#include "cli/ask.h"
#include "cli/cmd/all.h"
#include "cli/report.h"
#include "cli/say.h"

struct options {
	struct ask_options ask;
};

static const struct opt opts[] = {
	ASK_OPTIONS(struct options),
	OPT_END,
};

static int
answer(const struct run *run, const char *user, bool yes)
{
	static const struct report_column columns[] = {
		{ "user", NULL, false },
		{ "authenticated", NULL, false },
	};
	struct cell cells[] = { cell_z(user), cell_bool(yes) };

	if (run->output != OUTPUT_TABLE) {
		if (!report_object(run->output, columns, cells, 2))
			return STATUS_FAILED;
	} else if (yes) {
		say_line("authenticated");
	}
	/* One text, whatever the reason: it is what a client would learn. */
	return yes ? STATUS_OK
		   : say_fail(STATUS_FAILED, "%s: not authenticated", user);
}

/* A no about the user; the kernel's no to us is none. */
static bool
is_no(enum vmail_rc rc, const struct vmail_err *err)
{
	if (rc == VMAIL_DENIED)
		return err->sys_errno == 0;
	return rc == VMAIL_MISMATCH || rc == VMAIL_NOT_FOUND;
}

static int
auth(struct run *run)
{
	const struct options *o = run->options;
	VMAIL_SECRET password = { 0 };
	char name[VMAIL_NAME_MAX + 1];
	const char *user = run->operand[0];
	struct vmail_err err;
	enum vmail_rc rc;
	int status = ask_password(&o->ask, ASK_ONCE, user, &password);

	if (status != STATUS_OK)
		return status;
	if (vmail_auth_name(&run->conf, user, name) != VMAIL_OK)
		return answer(run, user, false);
	(void)vmail_auth_enter(&run->conf, name);
	rc = vmail_auth_check(&run->conf, name, &password, &err);
	if (rc == VMAIL_OK || is_no(rc, &err))
		return answer(run, user, rc == VMAIL_OK);
	return say_error(&err);
}

const struct cmd cmd_auth = {
	.name = "auth",
	.operands = "USER",
	.summary = "verify a password as the PAM module would",
	.least = 1,
	.most = 1,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = auth,
};
