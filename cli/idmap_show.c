/* idmap show: who is that number, and which number has that name, where. */
#include <stdio.h>
#include <string.h>

#include "cli/idmap.h"
#include "cli/report.h"
#include "cli/say.h"

enum { WHY = 192 };

/* A question and where its answers go. */
struct inquiry {
	const struct world *world;
	struct report *report;
	unsigned long line; /* of views */
	bool good;
};

static const struct report_column number_columns[] = {
	{ "system", "SYSTEM", false },
	{ "name", "NAME THERE", false },
	{ "disk", "WRITES TO DISK", true },
	{ "shown", "SHOWS FROM DISK", true },
	{ "shown_name", "AS", false },
	{ "why", "WHY", false },
};

static const struct report_column name_columns[] = {
	{ "system", "SYSTEM", false },
	{ "uid", "UID", true },
	{ "gid", "GID", true },
	{ "disk_uid", "DISK UID", true },
	{ "disk_gid", "DISK GID", true },
	{ "user", "LS USER", false },
	{ "why", "WHY", false },
};

enum {
	NUMBER_COLUMNS = sizeof(number_columns) / sizeof(number_columns[0]),
	NAME_COLUMNS = sizeof(name_columns) / sizeof(name_columns[0]),
};

/* Which of ids.md's steps gave, or refused, the identity's number here. */
static void
explain(const struct world *world, struct vmail_str identity, bool found,
    char out[WHY])
{
	const struct vmail_world *w = &world->ids;
	char room[VMAIL_VIEW_ROOM];
	struct vmail_str name;
	struct vmail_view v;
	struct vmail_ids ids;
	const char *refused =
	    found ? "" : ", but that number may not be answered";

	if (vmail_views_named(room, &name, NULL) == VMAIL_OK &&
	    vmail_views_of(w->views, name, identity, &v))
		snprintf(out, WHY,
		    "1: " VMAIL_VIEW_PATH " says that this is %.*s%s",
		    (int)name.n, name.p, refused);
	else if (vmail_account_of(identity, &ids) == VMAIL_OK)
		snprintf(out, WHY, "2: this system's /etc/passwd%s", refused);
	else if (vmail_views_hostname(room, &name) &&
		 !vmail_str_is(name, "host") &&
		 vmail_views_of(w->views, name, identity, &v))
		snprintf(out, WHY, "3: the host name is that of view %.*s%s",
		    (int)name.n, name.p, refused);
	else if (found)
		snprintf(out, WHY, "4: the host's line%s",
		    vmail_ids_own(w) ? "" : ", through /proc/self/uid_map");
	else
		snprintf(out, WHY,
		    "5: not found: no account, no view of this "
		    "system, no number of the host that holds "
		    "here");
}

/* The first line of a view, of the text's lines one after the other. */
static bool
next_view(struct inquiry *q, struct vmail_str *rest, struct vmail_view *view)
{
	while (rest->n > 0) {
		struct vmail_str line = vmail_text_cut(rest, '\n');

		q->line++;
		if (vmail_view_parse(line, view, NULL) == VMAIL_OK &&
		    vmail_views_first(q->world->ids.views, view))
			return true;
	}
	return false;
}

/* Is that view what the row of this system has told? */
static bool
is_here(const struct inquiry *q, const struct vmail_view *view)
{
	return vmail_str_is(view->name, "host") &&
	       vmail_ids_own(&q->world->ids);
}

static void
name_here(
    const struct inquiry *q, uint32_t id, char name[IDMAP_NAME], char why[WHY])
{
	const struct vmail_world *w = &q->world->ids;
	char room[VMAIL_GUEST_MAX];
	struct vmail_str s;

	if (vmail_ids_identity_of(w, id, &s) == VMAIL_OK) {
		snprintf(name, IDMAP_NAME, "%.*s", (int)s.n, s.p);
		explain(q->world, s, true, why);
	} else if (vmail_ids_guest_of(w, id, room, &s) == VMAIL_OK) {
		snprintf(name, IDMAP_NAME, "%.*s", (int)s.n, s.p);
		snprintf(why, WHY, "an identity in a view's user namespace");
	} else if (idmap_user(id, name)) {
		snprintf(why, WHY, "an account of this system");
	} else {
		name[0] = '\0';
		snprintf(why, WHY, "nobody has it");
	}
}

static bool
number_here(struct inquiry *q, uint32_t id)
{
	bool host = vmail_ids_own(&q->world->ids);
	char name[IDMAP_NAME], why[WHY];

	name_here(q, id, name, why);
	struct cell row[] = { cell_z("here"),
		name[0] ? cell_z(name) : cell_none(),
		host ? cell_number(id) : cell_none(),
		host ? cell_number(id) : cell_none(),
		host && name[0] ? cell_z(name) : cell_none(), cell_z(why) };

	return report_row(q->report, row);
}

/* A number inside the view that is the disk's number. */
static bool
inside_of(const struct vmail_view *view, uint32_t disk, uint32_t *inside)
{
	*inside = disk;
	return view->ranges.n == 0 || vmail_view_inside(view, disk, inside);
}

static bool
number_in(struct inquiry *q, const struct vmail_view *view, uint32_t id)
{
	uint32_t disk = id, inside = 0;
	bool writes =
	    view->ranges.n == 0 || vmail_view_outside(view, id, &disk);
	bool shows = inside_of(view, id, &inside);
	struct cell as = cell_none();
	char why[WHY];

	if (shows && inside == view->uid)
		as = cell_text(view->identity);
	else if (shows && inside == 0)
		as = cell_z("root");

	snprintf(why, WHY, "views:%lu: %.*s is %u there%s%.*s", q->line,
	    (int)view->identity.n, view->identity.p, view->uid,
	    view->ranges.n > 0 ? "; namespace " : "", (int)view->ranges.n,
	    view->ranges.n > 0 ? view->ranges.p : "");
	struct cell row[] = { cell_text(view->name),
		view->uid == id ? cell_text(view->identity) : cell_none(),
		writes ? cell_number(disk) : cell_none(),
		shows ? cell_number(inside) : cell_none(), as, cell_z(why) };

	return report_row(q->report, row);
}

static int
show_number(struct inquiry *q, enum output output, uint32_t id)
{
	struct vmail_str rest = q->world->ids.views;
	struct vmail_view view;

	q->report = report_open(output, number_columns, NUMBER_COLUMNS);
	q->good = q->report && number_here(q, id);
	while (q->good && next_view(q, &rest, &view))
		if (!is_here(q, &view))
			q->good = number_in(q, &view, id);
	return report_close(q->report) && q->good ? STATUS_OK : STATUS_FAILED;
}

static bool
put_name(struct inquiry *q, struct vmail_str system,
    const struct vmail_ids *ids, const struct vmail_ids *disk, const char *why)
{
	char user[IDMAP_NAME];

	if (disk)
		idmap_user(disk->uid, user);
	struct cell row[] = { cell_text(system),
		ids ? cell_number(ids->uid) : cell_none(),
		ids ? cell_number(ids->gid) : cell_none(),
		disk ? cell_number(disk->uid) : cell_none(),
		disk ? cell_number(disk->gid) : cell_none(),
		disk ? cell_z(user) : cell_none(), cell_z(why) };

	return report_row(q->report, row);
}

static bool
identity_here(struct inquiry *q, struct vmail_str identity)
{
	struct vmail_ids ids;
	bool found =
	    vmail_ids_of_identity(&q->world->ids, identity, &ids) == VMAIL_OK;
	bool host = vmail_ids_own(&q->world->ids);
	char why[WHY];

	explain(q->world, identity, found, why);
	return put_name(q, VMAIL_STR("here"), found ? &ids : NULL,
	    found && host ? &ids : NULL, why);
}

static bool
identity_in(struct inquiry *q, const struct vmail_view *view)
{
	struct vmail_ids ids = { view->uid, view->gid }, disk;
	bool held = vmail_ids_on_disk(view, &disk);
	char why[WHY], person[IDMAP_NAME];

	if (idmap_collides(q->world, view, person))
		snprintf(why, WHY, "views:%lu; collision: here %u is %s",
		    q->line, disk.uid, person);
	else
		snprintf(why, WHY, "views:%lu%s", q->line,
		    held ? "" : "; outside its own namespace");
	return put_name(q, view->name, &ids, held ? &disk : NULL, why);
}

static bool
put_identity(struct inquiry *q, struct vmail_str identity)
{
	struct vmail_str rest = q->world->ids.views;
	struct vmail_view view;
	bool good = identity_here(q, identity);

	while (good && next_view(q, &rest, &view))
		if (vmail_str_eq(view.identity, identity) && !is_here(q, &view))
			good = identity_in(q, &view);
	return good;
}

/* IDENTITY-VIEW, or an account that is none of ours; only here. */
static int
put_other(struct inquiry *q, struct vmail_str name)
{
	struct vmail_ids ids;
	const char *why = "an account of this system, no identity";

	if (vmail_ids_of_guest(&q->world->ids, name, &ids) == VMAIL_OK)
		why = "an identity in a view's user namespace";
	else if (vmail_account_of(name, &ids) != VMAIL_OK)
		return STATUS_NO_USER;
	q->good = put_name(q, VMAIL_STR("here"), &ids,
	    vmail_ids_own(&q->world->ids) ? &ids : NULL, why);
	return STATUS_OK;
}

static int
no_such(struct vmail_str name)
{
	say_fail(
	    0, "%.*s: no identity, and no account here", (int)name.n, name.p);
	say_note("vmailadm show tells of a mailbox, vmailadm idmap list of "
		 "the views");
	return STATUS_NO_USER;
}

static int
show_name(struct inquiry *q, enum output output, struct vmail_str name)
{
	bool ours = vmail_ids_is_identity(&q->world->ids, name);
	struct vmail_ids ids;
	int status = STATUS_OK;

	if (!ours &&
	    vmail_ids_of_guest(&q->world->ids, name, &ids) != VMAIL_OK &&
	    vmail_account_of(name, &ids) != VMAIL_OK)
		return no_such(name);
	q->report = report_open(output, name_columns, NAME_COLUMNS);
	q->good = q->report != NULL;
	if (q->good && ours)
		q->good = put_identity(q, name);
	else if (q->good)
		status = put_other(q, name);
	q->good = report_close(q->report) && q->good;
	return q->good ? status : STATUS_FAILED;
}

int
idmap_show(struct run *run)
{
	WORLD world = { .views = NULL };
	struct inquiry q = { .world = &world };
	struct vmail_str what = run->operands > 1 ? vmail_str(run->operand[1])
						  : idmap_identity(run);
	struct vmail_err err;
	uint64_t id;

	if (what.n == 0 || strspn(what.p, "0123456789") >= what.n) {
		if (!vmail_text_number(what, UINT32_MAX - 1, &id))
			return say_fail(STATUS_USAGE,
			    "no number of anybody: 0 to 4294967294, not '%.*s'",
			    (int)what.n, what.p);
	} else {
		id = UINT32_MAX;
	}
	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	return id != UINT32_MAX ? show_number(&q, run->output, (uint32_t)id)
				: show_name(&q, run->output, what);
}
