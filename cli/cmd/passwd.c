/* passwd USER: sets it; -S shows its state; -l and -u lock and unlock. */
#include <string.h>

#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/line.h"
#include "cli/locking.h"
#include "cli/newpass.h"
#include "cli/report.h"
#include "cli/say.h"
#include "cli/userview.h"
#include "common/core/extra.h"

struct options {
	struct newpass_options pass;
	bool status, lock, unlock;
};

#define AT(member) offsetof(struct options, member)

static const struct opt opts[] = {
	{ 'S', "status", NULL, "show whether there is one, and its scheme",
	    AT(status) },
	{ 'l', "lock", NULL, "lock the user", AT(lock) },
	{ 'u', "unlock", NULL, "unlock the user", AT(unlock) },
	NEWPASS_OPTIONS,
	OPT_END,
};

/* As shadow's passwd -S: P usable, L locked, NP none. */
static const char *
state(const struct vmail_entry *e)
{
	const struct vmail_scheme *scheme;
	struct vmail_str data;

	if (vmail_extra_lock_state(e->extra) != VMAIL_LOCK_NONE)
		return "L";
	if (vmail_scheme_fault(e->password) ||
	    vmail_scheme_cut(e->password, &scheme, &data) != VMAIL_OK)
		return "NP";
	return data.p[0] == '*' || data.p[0] == '!' ? "NP" : "P";
}

static int
show_state(struct run *run)
{
	static const struct report_column columns[] = {
		{ "user", NULL, false },
		{ "status", NULL, false },
		{ "scheme", NULL, false },
	};
	VMAIL_STORE *store = NULL;
	struct vmail_line line;
	struct report *r;
	int status = change_open(run, &store);

	if (status == STATUS_OK)
		status = change_find(store, run->operand[0], &line);
	if (status != STATUS_OK)
		return status;
	r = report_open(run->output, columns, 3);
	if (r)
		report_row(
		    r, (struct cell[]){ cell_text(line.entry.name),
			   cell_z(state(&line.entry)),
			   cell_text(userview_scheme(line.entry.password)) });
	return r && report_close(r) ? STATUS_OK : STATUS_FAILED;
}

static int
set(struct run *run, const char *field)
{
	VMAIL_STORE *store = NULL;
	char text[VMAIL_LINE_MAX];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_line line;
	int status = change_open(run, &store);

	if (status == STATUS_OK)
		status = change_find(store, run->operand[0], &line);
	if (status != STATUS_OK)
		return status;
	line_set(line.text, LINE_PASSWORD, vmail_str(field), &b);
	if (b.full)
		return say_fail(STATUS_FAILED, "the line would be too long");
	status =
	    change_replace(store, &line, (struct vmail_str){ text, b.len });
	explicit_bzero(text, sizeof(text));
	if (status == STATUS_OK)
		status = change_commit(run, &store, true);
	return status;
}

static int
set_password(struct run *run, const struct options *o)
{
	struct newpass pass = { 0 };
	int status = newpass_check(run, &o->pass, 1);

	if (status == STATUS_OK && (run->dry_run || !newpass_at_hand(&o->pass)))
		status = change_peek(run, run->operand, 1);
	if (status == STATUS_OK && run->dry_run) {
		say_line("would change the password of %s", run->operand[0]);
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		status = newpass_make(run, &o->pass, run->operand[0], &pass);
	if (status == STATUS_OK)
		status = set(run, pass.field);
	if (status == STATUS_OK)
		say_note("changed the password of %s", run->operand[0]);
	if (status == STATUS_OK && o->pass.generate)
		status = newpass_show(run, run->operand, &pass, 1);
	explicit_bzero(&pass, sizeof(pass));
	return status;
}

static int
passwd(struct run *run)
{
	const struct options *o = run->options;
	const struct newpass_options *p = &o->pass;
	bool sets = p->ask.fd || p->ask.file || p->generate || p->hash_stdin ||
		    p->scheme;

	if (o->status + o->lock + o->unlock + sets > 1)
		return say_fail(STATUS_USAGE,
		    "--status, --lock, --unlock "
		    "and a new password exclude each other");
	if (o->status)
		return show_state(run);
	if (o->lock)
		return locking(run, LOCKING_LOCK);
	if (o->unlock)
		return locking(run, LOCKING_UNLOCK);
	return set_password(run, o);
}

const struct cmd cmd_passwd = {
	.name = "passwd",
	.operands = "USER",
	.summary = "set a password, or show its state",
	.least = 1,
	.most = 1,
	.flags = CMD_CHANGES | CMD_USERS,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = passwd,
};
