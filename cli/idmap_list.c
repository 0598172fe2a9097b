/* idmap list: every line of views, and what it comes to on this host. */
#include <stdio.h>

#include "cli/idmap.h"
#include "cli/report.h"
#include "cli/say.h"

enum { TEXT = 160, REMARK = 2 * IDMAP_NAME };

static const struct report_column columns[] = {
	{ "view", "VIEW", false },
	{ "identity", "IDENTITY", false },
	{ "uid", "UID", true },
	{ "gid", "GID", true },
	{ "namespace", "NAMESPACE", false },
	{ "disk_uid", "DISK UID", true },
	{ "disk_gid", "DISK GID", true },
	{ "user", "LS USER", false },
	{ "group", "LS GROUP", false },
	{ "line", "LINE", true },
	{ "remark", "REMARK", false },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

struct listing {
	const struct world *world;
	const char *path;
	struct report *report;
	unsigned long line;
	unsigned malformed;
	bool good;
};

/* What is odd about it; "" where nothing is. */
static void
remark(const struct listing *l, const struct vmail_view *view, char out[REMARK])
{
	char person[IDMAP_NAME];
	struct vmail_ids disk;

	out[0] = '\0';
	if (!vmail_views_first(l->world->ids.views, view))
		snprintf(out, REMARK, "twice: the first line counts");
	else if (!vmail_ids_on_disk(view, &disk))
		snprintf(out, REMARK, "outside its own namespace");
	else if (idmap_collides(l->world, view, person))
		snprintf(out, REMARK, "collision: here that is %s", person);
}

static bool
put_view(struct listing *l, const struct vmail_view *view)
{
	char user[IDMAP_NAME], group[IDMAP_NAME], odd[REMARK];
	struct vmail_ids disk = { 0, 0 };
	bool on_disk = vmail_ids_on_disk(view, &disk);
	struct cell row[COLUMNS];

	idmap_user(disk.uid, user);
	idmap_group(disk.gid, group);
	remark(l, view, odd);
	row[0] = cell_text(view->name);
	row[1] = cell_text(view->identity);
	row[2] = cell_number(view->uid);
	row[3] = cell_number(view->gid);
	row[4] = view->ranges.n > 0 ? cell_text(view->ranges) : cell_z("-");
	row[5] = on_disk ? cell_number(disk.uid) : cell_none();
	row[6] = on_disk ? cell_number(disk.gid) : cell_none();
	row[7] = on_disk ? cell_z(user) : cell_none();
	row[8] = on_disk ? cell_z(group) : cell_none();
	row[9] = cell_number(l->line);
	row[10] = odd[0] ? cell_z(odd) : cell_none();
	return report_row(l->report, row);
}

static void
put_line(struct listing *l, struct vmail_str line)
{
	struct vmail_view view;
	const char *why = NULL;
	enum vmail_rc rc = vmail_view_parse(line, &view, &why);

	l->line++;
	if (rc == VMAIL_OK) {
		l->good = put_view(l, &view);
	} else if (rc == VMAIL_MALFORMED) {
		l->malformed++;
		say_fail(0, "%s:%lu: malformed, so nobody reads it: %s",
		    l->path, l->line, why);
	}
}

static int
put_all(struct listing *l, enum output output)
{
	struct vmail_str rest = l->world->ids.views;

	l->report = report_open(output, columns, COLUMNS);
	l->good = l->report != NULL;
	if (!l->good)
		return say_fail(STATUS_FAILED, "out of memory");
	while (l->good && rest.n > 0)
		put_line(l, vmail_text_cut(&rest, '\n'));
	l->good = report_close(l->report) && l->good;
	if (l->malformed > 0)
		say_mend("mend it with an editor, or take it out: vmailadm "
			 "idmap del VIEW");
	return l->good && l->malformed == 0 ? STATUS_OK : STATUS_FAILED;
}

int
idmap_list(struct run *run)
{
	char path[VMAIL_CONF_PATH_MAX + 1];
	struct vmail_err err;
	WORLD world = { .views = NULL };
	struct listing l = { .world = &world, .path = path };

	if (vmail_conf_beside(&run->conf, "views", path, sizeof(path)) !=
	    VMAIL_OK)
		return say_fail(STATUS_FAILED, "a path too long");
	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	return put_all(&l, run->output);
}
