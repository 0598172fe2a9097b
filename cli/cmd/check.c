/* check: the passwd-file and all around it. */
#include "cli/check.h"
#include "cli/cmd/all.h"
#include "cli/say.h"
#include "common/admin/domains.h"

static const struct report_column columns[] = {
	{ "severity", "SEVERITY", false },
	{ "code", "CODE", false },
	{ "file", "FILE", false },
	{ "line", "LINE", true },
	{ "user", "USER", false },
	{ "message", "MESSAGE", false },
	{ "fix", "FIX", false },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

void
check_say(struct check *c, const struct finding *f)
{
	bool error = f->severity == SEVERITY_ERROR;
	struct cell row[COLUMNS] = {
		cell_z(error ? "ERROR" : "WARN"),
		cell_z(f->code),
		cell_z(f->file),
		f->line ? cell_number(f->line) : cell_none(),
		f->user.p ? cell_text(f->user) : cell_none(),
		cell_z(f->message),
		cell_z(f->fix),
	};

	if (error)
		c->errors++;
	else
		c->warnings++;
	if (c->good)
		c->good = report_row(c->report, row);
}

/* One passwd-file and all around it. */
static bool
check_domain(const struct vmail_conf *conf, struct vmail_str domain, void *arg)
{
	struct check *c = arg;

	c->conf = conf;
	c->domain = domain;
	check_files(c);
	check_mounts(c);
	check_access(c);
	check_derived(c);
	check_lines(c);
	return c->good;
}

static void
check_domains(struct check *c)
{
	const struct vmail_conf *conf = c->conf;
	char text[VMAIL_ERR_TEXT];
	struct vmail_err err;

	if (vmail_domains_each(conf, check_domain, c, &err) != VMAIL_OK) {
		vmail_err_text(&err, text, sizeof(text));
		check_say(c, &(struct finding){ SEVERITY_ERROR, "unreadable",
				 conf->passwd_file, 0, { NULL, 0 }, text,
				 "vmailadm init" });
	}
	c->conf = conf;
}

static int
check_all(struct check *c, const struct run *run)
{
	c->report = report_open(run->output, columns, COLUMNS);
	if (!c->report)
		return say_fail(STATUS_FAILED, "out of memory");
	check_settings(c);
	check_identities(c);
	check_header(c);
	check_domains(c);
	if (!report_close(c->report) || !c->good)
		return STATUS_FAILED;
	say_note("%lu errors, %lu warnings", c->errors, c->warnings);
	return c->errors > 0 ? STATUS_FAILED : STATUS_OK;
}

static int
check(struct run *run)
{
	struct world world;
	struct vmail_authprocs procs;
	struct check c = { .conf = &run->conf,
		.world = &world,
		.procs = &procs,
		.good = true };
	struct vmail_err err;
	int status;

	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	if (vmail_authprocs_open(&procs, &err) != VMAIL_OK) {
		world_close(&world);
		return say_error(&err);
	}
	status = check_all(&c, run);
	vmail_authprocs_close(&procs);
	world_close(&world);
	return status;
}

const struct cmd cmd_check = {
	.name = "check",
	.operands = "",
	.summary = "look for mistakes in the passwd-file and around it",
	.run = check,
};
