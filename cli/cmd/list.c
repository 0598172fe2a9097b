/* list [GLOB...]: one user a line, as they stand in the file. */
#include <string.h>

#include "cli/cmd/all.h"
#include "cli/domains.h"
#include "cli/say.h"
#include "cli/userview.h"
#include "common/admin/store.h"

struct options {
	const char *domain, *columns;
};

static const struct opt opts[] = {
	{ 0, "domain", "DOMAIN", "users of that domain alone",
	    offsetof(struct options, domain) },
	{ 'o', "columns", "LIST", "columns to show, with commas",
	    offsetof(struct options, columns) },
	OPT_END,
};

struct listing {
	const struct run *run;
	const struct options *o;
	struct world world;
	struct userview view;
	struct report *report;
	size_t picked[REPORT_COLUMNS_MAX], n;
	bool good;
};

static bool
pick(struct listing *l, struct vmail_str key)
{
	for (size_t i = 0; i < USERVIEW_COLUMNS; i++) {
		if (!vmail_str_is(key, userview_columns[i].key))
			continue;
		if (l->n < REPORT_COLUMNS_MAX)
			l->picked[l->n++] = i;
		return true;
	}
	return false;
}

static int
pick_all(struct listing *l)
{
	const char *some = "user,uid,gid,home,scheme,locked";
	const char *every = "user,domain,uid,gid,gecos,home,shell,scheme,"
			    "locked,extra";
	bool table = l->run->output == OUTPUT_TABLE;
	struct vmail_str rest = vmail_str(l->o->columns ? l->o->columns
					  : table	? some
							: every);

	while (rest.p) {
		struct vmail_str key = vmail_text_cut(&rest, ',');

		if (!pick(l, key)) {
			say_fail(
			    0, "no such column: '%.*s'", (int)key.n, key.p);
			say_mend("columns are %s", every);
			return STATUS_USAGE;
		}
	}
	return STATUS_OK;
}

static bool
each(const struct vmail_walk_line *line, void *arg)
{
	struct listing *l = arg;
	struct cell all[USERVIEW_COLUMNS], row[REPORT_COLUMNS_MAX];
	struct vmail_entry e;

	if (line->whole > line->text.n ||
	    vmail_entry_parse(line->text, &e, NULL) != VMAIL_OK ||
	    !domains_wanted(
		l->run, vmail_str(l->o->domain ? l->o->domain : ""), e.name))
		return true;
	userview_cells(&l->view, &e, all);
	for (size_t i = 0; i < l->n; i++)
		row[i] = all[l->picked[i]];
	l->good = report_row(l->report, row);
	return l->good;
}

static int
print_list(struct listing *l)
{
	struct report_column columns[REPORT_COLUMNS_MAX];
	struct vmail_err err;
	enum vmail_rc rc;

	for (size_t i = 0; i < l->n; i++)
		columns[i] = userview_columns[l->picked[i]];
	l->report = report_open(l->run->output, columns, l->n);
	l->good = l->report != NULL;
	if (!l->good)
		return say_fail(STATUS_FAILED, "out of memory");
	rc = vmail_store_walk(&l->run->conf, each, l, &err);
	if (!report_close(l->report))
		l->good = false;
	if (rc != VMAIL_OK)
		return say_error(&err);
	return l->good ? STATUS_OK : STATUS_FAILED;
}

static int
list(struct run *run)
{
	struct listing l = { .run = run, .o = run->options };
	struct vmail_err err;
	int status = pick_all(&l);

	if (status != STATUS_OK)
		return status;
	if (world_open(&l.world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	l.view.conf = &run->conf;
	l.view.world = &l.world;
	status = print_list(&l);
	world_close(&l.world);
	return status;
}

const struct cmd cmd_list = {
	.name = "list",
	.operands = "[GLOB...]",
	.summary = "list users",
	.most = CMD_ANY,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = list,
};
