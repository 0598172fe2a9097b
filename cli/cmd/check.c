/* check: the passwd-file and all around it. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/check_fix.h"
#include "cli/cmd/all.h"
#include "cli/say.h"
#include "common/admin/domains.h"

struct options {
	bool fix;
};

static const struct opt opts[] = {
	{ 0, "fix", NULL, "mend what can be mended without a thought",
	    offsetof(struct options, fix) },
	OPT_END,
};

static const struct report_column columns[] = {
	{ "severity", "SEVERITY", false },
	{ "code", "CODE", false },
	{ "file", "FILE", false },
	{ "line", "LINE", true },
	{ "user", "USER", false },
	{ "message", "MESSAGE", false },
	{ "fix", "FIX", false },
	{ "fixed", "FIXED", false },
};

/* The last one goes with --fix. */
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), PLAIN = COLUMNS - 1 };

void
check_row(struct check *c, const struct finding *f, bool fixed)
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
		cell_bool(fixed),
	};

	if (fixed)
		c->mended++;
	else if (error)
		c->errors++;
	else
		c->warnings++;
	if (c->good)
		c->good = report_row(c->report, row);
}

void
check_say(struct check *c, const struct finding *f)
{
	if (c->phase == CHECK_SAY || c->phase == CHECK_PLAN)
		check_row(c, f, false);
}

/* One passwd-file and all around it. */
static bool
check_domain(const struct vmail_conf *conf, struct vmail_str domain, void *arg)
{
	struct check *c = arg;

	c->conf = conf;
	c->domain = domain;
	c->planned = false;
	if (c->fixes)
		check_fix_file(c);
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
finish(struct check *c, bool fix)
{
	if (!report_close(c->report) || !c->good)
		return STATUS_FAILED;
	if (fix)
		say_note("%lu %s, %lu errors, %lu warnings", c->mended,
		    c->fixes ? "mended" : "would be mended", c->errors,
		    c->warnings);
	else
		say_note("%lu errors, %lu warnings", c->errors, c->warnings);
	if (c->errors > 0)
		return STATUS_FAILED;
	return c->fixes ? c->fixes->status : STATUS_OK;
}

static int
check_all(struct check *c, const struct run *run, bool fix)
{
	struct report_column shown[COLUMNS];

	memcpy(shown, columns, sizeof(shown));
	if (c->phase == CHECK_PLAN) {
		shown[PLAIN].key = "would_fix";
		shown[PLAIN].title = "WOULD FIX";
	}
	c->report = report_open(run->output, shown, fix ? COLUMNS : PLAIN);
	if (!c->report)
		return say_fail(STATUS_FAILED, "out of memory");
	check_settings(c);
	check_identities(c);
	if (c->fixes)
		check_fix_header(c);
	check_header(c);
	check_domains(c);
	return finish(c, fix);
}

static int
check(struct run *run)
{
	const struct options *o = run->options;
	struct world world;
	struct vmail_authprocs procs;
	struct fixes fixes = { .run = run };
	struct check c = { .conf = &run->conf,
		.world = &world,
		.procs = &procs,
		.good = true };
	struct vmail_err err;
	int status;

	if (o->fix && geteuid() != 0)
		return say_fail(STATUS_UNSAFE, "check --fix: only root may");
	if (o->fix && run->dry_run)
		c.phase = CHECK_PLAN;
	else if (o->fix)
		c.fixes = &fixes;
	if (o->fix) /* a closed pipe must not stop us half way */
		signal(SIGPIPE, SIG_IGN);
	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	if (vmail_authprocs_open(&procs, &err) != VMAIL_OK) {
		world_close(&world);
		return say_error(&err);
	}
	status = check_all(&c, run, o->fix);
	vmail_authprocs_close(&procs);
	world_close(&world);
	return status;
}

const struct cmd cmd_check = {
	.name = "check",
	.operands = "",
	.summary = "look for mistakes in the passwd-file and around it",
	.options = opts,
	.options_size = sizeof(struct options),
	.run = check,
};
