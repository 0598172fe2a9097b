/* idmap of PID: which view a running system is, and what its files come to. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/idmap.h"
#include "cli/idmap_sight.h"
#include "cli/report.h"
#include "cli/say.h"
#include "common/admin/procname.h"
#include "common/core/file.h"

enum { MAP_TEXT = 33 * VMAIL_IDMAPS_MAX, PAIR = 32, MODE = 8 };

/* How much it tells that a system has a view's name. */
enum { NAMED = 8 };

/* All there is to say of a process. */
struct portrait {
	struct vmail_idmaps_process process;
	struct vmail_str identity;
	char command[VMAIL_PROCNAME_MAX], hostname[IDMAP_NAME];
	char uids[MAP_TEXT], gids[MAP_TEXT];
	bool has_account, has_view, has_ids, has_disk;
	struct vmail_ids account, ids, disk;
	struct vmail_view view;
	struct idmap_sight sight;
};

static const struct report_column columns[] = {
	{ "pid", NULL, false },
	{ "command", NULL, false },
	{ "hostname", NULL, false },
	{ "depth", NULL, false },
	{ "uid_map", NULL, false },
	{ "gid_map", NULL, false },
	{ "setgroups", NULL, false },
	{ "view", NULL, false },
	{ "identity", NULL, false },
	{ "uid", NULL, false },
	{ "gid", NULL, false },
	{ "disk_uid", NULL, false },
	{ "disk_gid", NULL, false },
	{ "passwd", NULL, false },
	{ "agrees", NULL, false },
	{ "folder", NULL, false },
	{ "idmapped", NULL, false },
	{ "file_owner", NULL, false },
	{ "file_mode", NULL, false },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void
put_map(const struct vmail_idmaps *map, bool ours, char out[MAP_TEXT])
{
	struct vmail_buf b = { out, MAP_TEXT, 0, false };

	if (ours)
		vmail_buf_char(&b, '-');
	else
		vmail_idmaps_put(map, &b);
	(void)vmail_buf_end(&b);
}

static bool
same_ids(const struct vmail_view *view, const struct vmail_ids *ids)
{
	return view->uid == ids->uid && view->gid == ids->gid;
}

/* How well a view fits; 0: not at all. The namespace must; then the numbers of
 * its own passwd file tell most, then its host name. */
static unsigned
fit(const struct portrait *p, const struct vmail_view *view)
{
	struct vmail_idmaps map;
	bool host = vmail_str_is(view->name, "host");
	bool told = p->has_account && same_ids(view, &p->account);

	if (!vmail_str_eq(view->identity, p->identity) ||
	    (view->ranges.n == 0) != p->process.ours)
		return 0;
	if (view->ranges.n > 0 &&
	    (vmail_idmaps_of_ranges(view->ranges, &map) != VMAIL_OK ||
		!vmail_idmaps_same(&map, &p->process.uids)))
		return 0;
	/* The host's ids fit every container without a namespace. */
	if (host && p->has_account && !told)
		return 0;
	return 1U + (host ? 0U : 1U) + (told ? 4U : 0U) +
	       (!host && vmail_str_is(view->name, p->hostname) ? NAMED : 0U);
}

static void
find_view(struct portrait *p, const struct world *world)
{
	struct vmail_str rest = world->ids.views;
	struct vmail_view view;
	unsigned best = 0;

	while (vmail_views_next(&rest, &view)) {
		unsigned good = fit(p, &view);

		/* Without an account of its own nothing but its name tells a
		 * container from the host. */
		if (p->process.ours && !p->has_account && good < NAMED &&
		    !vmail_str_is(view.name, "host"))
			continue;
		if (good > best) {
			best = good;
			p->view = view;
		}
	}
	p->has_view = best > 0;
}

/* As its own readers would answer: passwd file, view, the host's number. */
static void
find_ids(struct portrait *p, const struct world *world)
{
	struct vmail_ids host;
	uint32_t uid, gid;

	if (p->has_account) {
		p->ids = p->account;
	} else if (p->has_view) {
		p->ids = (struct vmail_ids){ p->view.uid, p->view.gid };
	} else {
		if (!idmap_host(world, p->identity, &host) ||
		    !vmail_idmaps_inside(&p->process.uids, host.uid, &uid) ||
		    !vmail_idmaps_inside(&p->process.gids, host.gid, &gid))
			return;
		p->ids = (struct vmail_ids){ uid, gid };
	}
	p->has_ids = true;
	p->has_disk =
	    vmail_idmaps_outside(&p->process.uids, p->ids.uid, &uid) &&
	    vmail_idmaps_outside(&p->process.gids, p->ids.gid, &gid);
	if (p->has_disk)
		p->disk = (struct vmail_ids){ uid, gid };
}

static int
examine(struct portrait *p, const struct run *run, const struct world *world)
{
	int status = idmap_account_in(&p->process, p->identity, &p->account);

	if (status != STATUS_OK && status != STATUS_NO_USER)
		return status;
	p->has_account = status == STATUS_OK;
	vmail_procname(p->process.proc, p->command);
	if (!idmap_hostname_in(&p->process, p->hostname))
		p->hostname[0] = '\0';
	put_map(&p->process.uids, p->process.ours, p->uids);
	put_map(&p->process.gids, p->process.ours, p->gids);
	find_view(p, world);
	find_ids(p, world);
	return idmap_sight(&run->conf, &p->process, &p->sight) ? STATUS_OK
							       : STATUS_FAILED;
}

static bool
agrees(const struct portrait *p)
{
	return !p->has_account || !p->has_view ||
	       same_ids(&p->view, &p->account);
}

static void
put_numbers(const struct portrait *p, struct cell *c)
{
	c[0] = p->has_ids ? cell_number(p->ids.uid) : cell_none();
	c[1] = p->has_ids ? cell_number(p->ids.gid) : cell_none();
	c[2] = p->has_disk ? cell_number(p->disk.uid) : cell_none();
	c[3] = p->has_disk ? cell_number(p->disk.gid) : cell_none();
}

static bool
print(const struct portrait *p, enum output output)
{
	const struct idmap_sight *s = &p->sight;
	char account[PAIR], owner[PAIR], mode[MODE];
	struct cell c[COLUMNS];

	snprintf(account, PAIR, "%u:%u", p->account.uid, p->account.gid);
	snprintf(owner, PAIR, "%u:%u", s->uid, s->gid);
	snprintf(mode, MODE, "%04o", s->mode);
	c[0] = cell_number((uint64_t)p->process.pid);
	c[1] = cell_z(p->command);
	c[2] = p->hostname[0] ? cell_z(p->hostname) : cell_none();
	c[3] = cell_number(p->process.depth);
	c[4] = cell_z(p->uids);
	c[5] = cell_z(p->gids);
	c[6] = cell_z(p->process.setgroups_denied ? "deny" : "allow");
	c[7] = p->has_view ? cell_text(p->view.name) : cell_none();
	c[8] = cell_text(p->identity);
	put_numbers(p, c + 9);
	c[13] = p->has_account ? cell_z(account) : cell_none();
	c[14] = cell_bool(agrees(p));
	c[15] = s->seen ? cell_z(s->path) : cell_none();
	c[16] = cell_bool(s->idmapped);
	c[17] = s->file ? cell_z(owner) : cell_none();
	c[18] = s->file ? cell_z(mode) : cell_none();
	return report_object(output, columns, c, COLUMNS);
}

static void
advise_view(const struct portrait *p)
{
	int pid = (int)p->process.pid;

	if (!p->has_view) {
		say_warn(
		    "process %d: no view has its namespace and numbers", pid);
		say_mend("vmailadm idmap add NAME --from-pid %d%s", pid,
		    p->has_account ? "" : " --ids UID:GID");
	} else if (!agrees(p)) {
		say_warn("process %d: its /etc/passwd says %u:%u, view %.*s "
			 "says %u:%u",
		    pid, p->account.uid, p->account.gid, (int)p->view.name.n,
		    p->view.name.p, p->view.uid, p->view.gid);
		say_mend("vmailadm idmap del %.*s; vmailadm idmap add %.*s "
			 "--from-pid %d",
		    (int)p->view.name.n, p->view.name.p, (int)p->view.name.n,
		    p->view.name.p, pid);
	}
	if (p->has_ids && !p->has_disk)
		say_warn("process %d: its namespace does not hold %u:%u", pid,
		    p->ids.uid, p->ids.gid);
}

static void
advise(
    const struct portrait *p, const struct run *run, const struct world *world)
{
	int pid = (int)p->process.pid;

	advise_view(p);
	/* In an idmapped folder its number does not reach the disk. */
	if (p->has_view && !p->sight.idmapped)
		idmap_warn(world, &p->view);
	if (p->process.setgroups_denied)
		say_warn("process %d: setgroups is denied there: a group that "
			 "may read the files is of no use to it; an ACL or an "
			 "idmapped folder is",
		    pid);
	if (!p->sight.seen) {
		say_warn("process %d: does not see the folder of %s", pid,
		    run->conf.passwd_file);
		if (p->has_view)
			say_mend("mount it: vmailadm idmap emit --for compose "
				 "%.*s (or podman, quadlet, nspawn, "
				 "kubernetes)",
			    (int)p->view.name.n, p->view.name.p);
	}
}

int
idmap_of(struct run *run)
{
	struct portrait p = { .identity = idmap_identity(run) };
	WORLD world = { .views = NULL };
	struct vmail_err err;
	int status;

	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	status = idmap_process(&world, run->operand[1], &p.process);
	if (status != STATUS_OK)
		return status;
	status = examine(&p, run, &world);
	if (status == STATUS_OK) {
		status = print(&p, run->output) ? STATUS_OK : STATUS_FAILED;
		advise(&p, run, &world);
	}
	vmail_idmaps_close(&p.process);
	return status;
}
