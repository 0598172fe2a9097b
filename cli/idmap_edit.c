/* idmap add, del: the lines of views. */
#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/idmap.h"
#include "cli/say.h"
#include "common/admin/viewsfile.h"

/* A whole line: names, numbers, and as many ranges as there may be. */
enum { RANGES_ROOM = 33 * VMAIL_IDMAPS_MAX, LINE_ROOM = RANGES_ROOM + 256 };

/* A view to be added, as text. */
struct wish {
	const char *view;
	struct vmail_str identity;
	char ids[32], ranges[RANGES_ROOM], line[LINE_ROOM];
	size_t n; /* of line */
	struct vmail_view parsed;
};

static int
take_ids(struct wish *w, const char *typed)
{
	struct vmail_str gid = vmail_str(typed);
	struct vmail_str uid = vmail_text_cut(&gid, ':');
	uint64_t n;

	if (gid.p && vmail_text_number(uid, UINT32_MAX - 1, &n) &&
	    vmail_text_number(gid, UINT32_MAX - 1, &n) &&
	    uid.n + gid.n < sizeof(w->ids) - 1) {
		snprintf(w->ids, sizeof(w->ids), "%s", typed);
		return STATUS_OK;
	}
	return say_fail(STATUS_USAGE,
	    "--ids: UID:GID, two numbers up to 4294967294, as 1000:1000; not "
	    "'%s'",
	    typed);
}

static int
take_map(struct wish *w, const char *typed)
{
	if (strlen(typed) < sizeof(w->ranges) && typed[0]) {
		snprintf(w->ranges, sizeof(w->ranges), "%s", typed);
		return STATUS_OK;
	}
	return say_fail(STATUS_USAGE,
	    "--map: inside:outside:count[,...], as 0:100000:65536, or - where "
	    "ids are the host's; not '%s'",
	    typed);
}

/* Numbers that the process's system has for the identity by itself. */
static int
ids_of_process(struct wish *w, const struct vmail_idmaps_process *p)
{
	struct vmail_ids ids;
	int status = idmap_account_in(p, w->identity, &ids);

	if (status == STATUS_OK) {
		snprintf(w->ids, sizeof(w->ids), "%u:%u", ids.uid, ids.gid);
		return STATUS_OK;
	}
	if (status != STATUS_NO_USER)
		return status;
	say_fail(0,
	    "process %d: no account %.*s in its /etc/passwd (a process in a "
	    "chroot has another)",
	    (int)p->pid, (int)w->identity.n, w->identity.p);
	say_mend("name the container's first process, or say the numbers: "
		 "--ids UID:GID");
	return STATUS_FAILED;
}

/* views has one map for users and groups: they may differ only where the
 * identity does not feel it. */
static int
judge_groups(const struct wish *w, const struct vmail_idmaps_process *p)
{
	uint32_t by_uids = 0, by_gids = 0;
	struct vmail_str gid = vmail_str(w->ids);
	uint64_t n = 0;

	if (vmail_idmaps_same(&p->uids, &p->gids))
		return STATUS_OK;
	(void)vmail_text_cut(&gid, ':');
	if (vmail_text_number(gid, UINT32_MAX, &n) &&
	    vmail_idmaps_outside(&p->uids, (uint32_t)n, &by_uids) &&
	    vmail_idmaps_outside(&p->gids, (uint32_t)n, &by_gids) &&
	    by_uids == by_gids) {
		say_warn("process %d: its gid_map is another than its "
			 "uid_map, which alone is written down",
		    (int)p->pid);
		return STATUS_OK;
	}
	say_fail(0,
	    "process %d: its gid_map is another than its uid_map, and views "
	    "has one map for both",
	    (int)p->pid);
	say_mend("give /etc/subuid and /etc/subgid the same ranges");
	return STATUS_FAILED;
}

static int
take_process(struct wish *w, const struct world *world, const char *typed)
{
	VMAIL_IDMAPS_PROCESS process = { .proc = -1 };
	struct vmail_buf b = { w->ranges, sizeof(w->ranges), 0, false };
	int status = idmap_process(world, typed, &process);

	if (status == STATUS_OK && !w->ids[0])
		status = ids_of_process(w, &process);
	if (status != STATUS_OK)
		return status;
	if (process.ours)
		vmail_buf_char(&b, '-');
	else
		vmail_idmaps_put(&process.uids, &b);
	if (vmail_buf_end(&b) != VMAIL_OK)
		return say_fail(STATUS_FAILED, "its uid_map is too long");
	return process.ours ? STATUS_OK : judge_groups(w, &process);
}

static int
take_options(
    struct wish *w, const struct world *world, const struct idmap_options *o)
{
	int status = o->ids ? take_ids(w, o->ids) : STATUS_OK;

	if (status != STATUS_OK)
		return status;
	if (o->map && o->from_pid)
		return say_fail(
		    STATUS_USAGE, "--map and --from-pid exclude each other");
	if (o->from_pid)
		return take_process(w, world, o->from_pid);
	if (!o->ids)
		return say_fail(STATUS_USAGE,
		    "which numbers has it there? --ids UID:GID, or --from-pid "
		    "PID to ask a process of that system");
	return take_map(w, o->map ? o->map : "-");
}

/* The line, judged as every reader will. */
static int
write_line(struct wish *w)
{
	int n = snprintf(w->line, sizeof(w->line), "%s %.*s %s %s", w->view,
	    (int)w->identity.n, w->identity.p, w->ids, w->ranges);
	const char *why = "the view's name";
	struct vmail_ids disk;

	if (n < 0 || (size_t)n >= sizeof(w->line) ||
	    vmail_view_parse((struct vmail_str){ w->line, (size_t)n },
		&w->parsed, &why) != VMAIL_OK) {
		say_fail(0, "a line that nobody could read: %s", why);
		say_note("the form is: VIEW --ids UID:GID "
			 "[--map inside:outside:count[,...]]; a name has "
			 "letters, digits, '.', '_' and '-'");
		return STATUS_USAGE;
	}
	w->n = (size_t)n;
	if (vmail_ids_on_disk(&w->parsed, &disk))
		return STATUS_OK;
	return say_fail(STATUS_USAGE,
	    "its namespace does not hold %s: no range of %s has these numbers "
	    "inside",
	    w->ids, w->ranges);
}

static bool
same_line(const struct vmail_view *a, const struct vmail_view *b)
{
	struct vmail_idmaps x, y;

	return a->uid == b->uid && a->gid == b->gid &&
	       (a->ranges.n > 0) == (b->ranges.n > 0) &&
	       vmail_idmaps_of_ranges(a->ranges, &x) == VMAIL_OK &&
	       vmail_idmaps_of_ranges(b->ranges, &y) == VMAIL_OK &&
	       vmail_idmaps_same(&x, &y);
}

/* *there: it stands so already. */
static int
judge_there(const struct wish *w, struct vmail_str text, bool *there)
{
	struct vmail_view old;

	*there = vmail_views_of(text, w->parsed.name, w->identity, &old);
	if (!*there || same_line(&old, &w->parsed))
		return STATUS_OK;
	say_fail(0, "%s: has numbers for %.*s already: %u:%u %.*s", w->view,
	    (int)w->identity.n, w->identity.p, old.uid, old.gid,
	    old.ranges.n > 0 ? (int)old.ranges.n : 1,
	    old.ranges.n > 0 ? old.ranges.p : "-");
	say_mend("take them out first: vmailadm idmap del %s", w->view);
	return STATUS_EXISTS;
}

/* The maps carry a copy of views. */
static void
rebuild(const struct run *run)
{
	struct run again = *run;

	again.operands = 0;
	again.force = false;
	if (cmd_map.run(&again) == STATUS_OK)
		return;
	say_warn("the change is done, but the maps do not know it yet");
	say_mend("vmailadm map");
}

static int
commit(const struct run *run, struct vmail_viewsfile **file)
{
	struct vmail_err err;
	pid_t holder = 0;
	enum vmail_rc rc;

	change_hold_signals();
	rc = vmail_viewsfile_commit(*file, &holder, &err);
	if (rc == VMAIL_OK && holder != 0)
		say_warn("%s: process %d has this file mounted alone and "
			 "keeps the old one: mount its folder",
		    vmail_viewsfile_path(*file), (int)holder);
	vmail_viewsfile_close(file);
	change_let_signals();
	if (rc != VMAIL_OK)
		return say_error(&err);
	rebuild(run);
	return STATUS_OK;
}

static int
add(struct run *run, const struct wish *w)
{
	VMAIL_VIEWSFILE *file = NULL;
	struct vmail_err err;
	bool there = false;
	int status;

	if (vmail_viewsfile_open(&run->conf, run->wait, &file, &err) !=
	    VMAIL_OK)
		return say_error(&err);
	status = judge_there(w, vmail_viewsfile_text(file), &there);
	if (status != STATUS_OK)
		return status;
	if (there) {
		say_note("%s: stands there already", w->view);
		return STATUS_OK;
	}
	if (run->dry_run) {
		say_line(
		    "would add to %s: %s", vmail_viewsfile_path(file), w->line);
		return STATUS_OK;
	}
	if (vmail_viewsfile_add(
		file, (struct vmail_str){ w->line, w->n }, &err) != VMAIL_OK)
		return say_error(&err);
	status = commit(run, &file);
	if (status == STATUS_OK)
		say_note("added: %s", w->line);
	return status;
}

int
idmap_add(struct run *run)
{
	struct wish w = { .view = run->operand[1],
		.identity = idmap_identity(run) };
	WORLD world = { .views = NULL };
	struct vmail_err err;
	int status;

	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	status = take_options(&w, &world, run->options);
	if (status == STATUS_OK)
		status = write_line(&w);
	if (status == STATUS_OK)
		status = add(run, &w);
	if (status == STATUS_OK)
		idmap_warn(&world, &w.parsed);
	return status;
}

/* The view is there, but for others. */
static void
say_others(struct vmail_str text, const char *view)
{
	struct vmail_views_line l;

	while (vmail_views_peek(&text, &l))
		if (vmail_str_is(l.name, view))
			say_note("%s: has numbers for %.*s", view,
			    (int)l.identity.n, l.identity.p);
}

static int
del(struct run *run, struct vmail_viewsfile **file)
{
	const char *view = run->operand[1];
	struct vmail_str identity = idmap_identity(run);
	size_t n = vmail_viewsfile_remove(*file, vmail_str(view), identity);
	int status;

	if (n == 0) {
		say_fail(0, "%s: no such view for %.*s", view, (int)identity.n,
		    identity.p);
		say_others(vmail_viewsfile_text(*file), view);
		return STATUS_NO_USER;
	}
	if (strcmp(view, "host") == 0 && !run->force) {
		say_fail(0, "host: by this line alone are the numbers in the "
			    "passwd-file and on the disk understood");
		say_mend("if that is meant: --force");
		return STATUS_FAILED;
	}
	if (run->dry_run) {
		say_line("would take %zu line%s out of %s", n,
		    n == 1 ? "" : "s", vmail_viewsfile_path(*file));
		return STATUS_OK;
	}
	status = commit(run, file);
	if (status == STATUS_OK)
		say_note("took %s out", view);
	return status;
}

int
idmap_del(struct run *run)
{
	VMAIL_VIEWSFILE *file = NULL;
	struct vmail_err err;

	if (vmail_viewsfile_open(&run->conf, run->wait, &file, &err) !=
	    VMAIL_OK)
		return say_error(&err);
	return del(run, &file);
}
