/* show USER: everything but the hash. */
#include <string.h>

#include "cli/cmd/all.h"
#include "cli/say.h"
#include "cli/userview.h"
#include "common/core/db.h"

static enum vmail_rc
look_up(const struct vmail_conf *conf, const char *typed, char *line,
    struct vmail_record *record, struct vmail_err *err)
{
	struct vmail_map map;
	struct vmail_str name = vmail_str(typed);
	char lower[VMAIL_NAME_MAX];
	enum vmail_rc rc = vmail_db_lookup(conf, name, line, record, &map, err);

	vmail_map_close(&map);
	if (rc != VMAIL_NOT_FOUND || name.n > sizeof(lower))
		return rc;
	memcpy(lower, name.p, name.n);
	vmail_text_lower(lower, name.n);
	name.p = lower;
	rc = vmail_db_lookup(conf, name, line, record, &map, err);
	vmail_map_close(&map);
	return rc;
}

static int
print_user(const struct run *run, const struct vmail_entry *entry)
{
	struct userview view = { .conf = &run->conf };
	struct cell cells[USERVIEW_COLUMNS];
	struct world world;
	struct vmail_err err;
	bool good;

	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	view.world = &world;
	userview_cells(&view, entry, cells);
	good = report_object(
	    run->output, userview_columns, cells, USERVIEW_COLUMNS);
	world_close(&world);
	return good ? STATUS_OK : STATUS_FAILED;
}

static int
show(struct run *run)
{
	char line[VMAIL_LINE_MAX];
	const char *typed = run->operand[0];
	struct vmail_record record;
	struct vmail_err err;
	enum vmail_rc rc;
	int status;

	if (!vmail_name_askable(vmail_str(typed)))
		return say_fail(
		    STATUS_USAGE, "not a name of a record: '%s'", typed);
	rc = look_up(&run->conf, typed, line, &record, &err);
	if (rc == VMAIL_NOT_FOUND)
		return say_fail(STATUS_NO_USER, "%s: no such user", typed);
	if (rc != VMAIL_OK)
		return say_error(&err);
	status = print_user(run, &record.entry);
	explicit_bzero(line, sizeof(line));
	return status;
}

const struct cmd cmd_show = {
	.name = "show",
	.operands = "USER",
	.summary = "show a user, but for the hash",
	.least = 1,
	.most = 1,
	.flags = CMD_USERS,
	.run = show,
};
