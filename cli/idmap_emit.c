/* idmap emit: what a view needs of an engine, gathered. */
#include "cli/idmap_emit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/pathtext.h"
#include "cli/say.h"

static const struct form {
	const char *name;
	int (*emit)(const struct emit *e);
} forms[] = {
	{ "compose", emit_compose },
	{ "podman", emit_podman },
	{ "quadlet", emit_quadlet },
	{ "nspawn", emit_nspawn },
	{ "mount", emit_mount },
	{ "kubernetes", emit_kubernetes },
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

static const struct form *
find_form(const char *name)
{
	for (size_t i = 0; name && i < FORMS; i++)
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	return NULL;
}

/* The owner's line of the view, or else its first. */
static bool
find_view(const struct world *world, const char *name, struct vmail_view *out)
{
	struct vmail_str rest = world->ids.views;

	if (vmail_views_find(rest, name, world->ids.owner_user, out))
		return true;
	while (vmail_views_next(&rest, out))
		if (vmail_str_is(out->name, name))
			return true;
	return false;
}

static int
take_view(struct emit *e, const struct world *world, const char *name)
{
	char person[IDMAP_NAME];

	if (!find_view(world, name, &e->view)) {
		say_fail(0, "%s: no such view", name);
		say_mend("vmailadm idmap list shows them; idmap add %s "
			 "--from-pid PID makes it of a running container",
		    name);
		return STATUS_NO_USER;
	}
	if (!vmail_ids_on_disk(&e->view, &e->disk))
		return say_fail(STATUS_FAILED,
		    "%s: its namespace does not hold its own %u:%u", name,
		    e->view.uid, e->view.gid);
	if (!idmap_host(world, e->view.identity, &e->host)) {
		say_fail(0, "%.*s: has no number on the host",
		    (int)e->view.identity.n, e->view.identity.p);
		say_mend("vmailadm idmap add host --ids UID:GID");
		return STATUS_FAILED;
	}
	e->fits = e->disk.uid == e->host.uid && e->disk.gid == e->host.gid;
	e->acl =
	    e->view.ranges.n > 0 && !idmap_collides(world, &e->view, person);
	return STATUS_OK;
}

static int
add_folder(struct emit *e, const char *name, const char *path, bool read_only)
{
	struct emit_folder *f = &e->folder[e->folders];

	pathtext_folder(path, f->path, sizeof(f->path));
	if (!pathtext_is_plain(f->path, ""))
		return say_fail(STATUS_FAILED,
		    "a path with bytes that mean something to an engine: '%s'",
		    f->path);
	for (size_t i = 0; read_only && i < e->folders; i++)
		if (pathtext_lies_in(f->path, e->folder[i].path))
			return STATUS_OK;
	if (strchr(f->path + 1, '/') == NULL && !read_only) {
		say_warn("home in vmail.conf begins at %s: mount the mail "
			 "yourself",
		    f->path);
		return STATUS_OK;
	}
	f->name = name;
	f->read_only = read_only;
	e->folders++;
	return STATUS_OK;
}

/* The printed lines are run elsewhere. */
static int
add_conf(struct emit *e)
{
	char *path = e->conf->path[0] == '/' ? strdup(e->conf->path)
					     : realpath(e->conf->path, NULL);
	int status = STATUS_FAILED;

	if (path)
		status = add_folder(e, "conf", path, true);
	else
		say_fail(0, "%s: %s", e->conf->path, strerror(errno));
	free(path);
	return status;
}

static int
take_folders(struct emit *e)
{
	int status = add_conf(e);

	if (status == STATUS_OK)
		status = add_folder(e, "passwd", e->conf->passwd_file, true);
	if (status == STATUS_OK)
		status = add_folder(e, "mail", e->conf->home, false);
	return status;
}

/* Neither number twice: the kernel would refuse it. */
static void
add_pair(struct emit_pairs *pairs, uint32_t disk, uint32_t shown)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (pairs->pair[i].disk == disk ||
		    pairs->pair[i].shown == shown)
			return;
	if (pairs->n < EMIT_PAIRS)
		pairs->pair[pairs->n++] = (struct emit_pair){ disk, shown };
}

/* Root of the disk is root inside: unmapped, its files would not be trusted. */
static void
map_root(const struct emit *e, struct emit_folder *f)
{
	uint32_t root = 0;

	if (e->view.ranges.n > 0 && !vmail_view_outside(&e->view, 0, &root))
		return;
	add_pair(&f->uids, 0, root);
	add_pair(&f->gids, 0, root);
}

/* Every identity that the view numbers. */
static void
map_mail(const struct emit *e, struct emit_folder *f, const struct world *world)
{
	struct vmail_str rest = world->ids.views;
	struct vmail_view view;
	struct vmail_ids disk, host;

	add_pair(&f->uids, e->host.uid, e->disk.uid);
	add_pair(&f->gids, e->host.gid, e->disk.gid);
	while (vmail_views_next(&rest, &view)) {
		if (!vmail_str_eq(view.name, e->view.name) ||
		    !vmail_ids_on_disk(&view, &disk) ||
		    !idmap_host(world, view.identity, &host))
			continue;
		add_pair(&f->uids, host.uid, disk.uid);
		add_pair(&f->gids, host.gid, disk.gid);
	}
}

/* Who may read the passwd-file on the host is the identity's group inside: a
 * process there need have no other, and Dovecot drops those it was given. */
static void
map_folders(struct emit *e, const struct world *world)
{
	for (size_t i = 0; i < e->folders; i++) {
		struct emit_folder *f = &e->folder[i];

		map_root(e, f);
		if (f->read_only && e->reader != 0)
			add_pair(&f->gids, e->reader, e->disk.gid);
		map_mail(e, f, world);
	}
}

/* Of the file as it is: what is printed must work with that. */
static void
take_reader(struct emit *e)
{
	struct stat st;

	e->reader = e->host.gid;
	if (!vmail_conf_has_domains(e->conf) &&
	    lstat(e->conf->passwd_file, &st) == 0)
		e->reader = st.st_gid;
	if (e->reader != 0)
		return;
	say_warn("%s: its group is root: nobody but root can read it there",
	    e->conf->passwd_file);
	say_mend("reader_group = %.*s in %s; then vmailadm fixperms",
	    (int)vmail_conf_owner_group(e->conf).n,
	    vmail_conf_owner_group(e->conf).p, e->conf->path);
}

/* A namespace that begins with one number of its own is a user's: his own
 * becomes root. */
static bool
is_rootless(const struct vmail_view *view)
{
	struct vmail_idmaps map;

	return view->ranges.n > 0 &&
	       vmail_idmaps_of_ranges(view->ranges, &map) == VMAIL_OK &&
	       map.range[0].inside == 0 && map.range[0].outside != 0 &&
	       map.range[0].count == 1;
}

static int
gather(struct emit *e, const struct run *run, const struct world *world)
{
	uint32_t root;
	int status = take_view(e, world, run->operand[1]);

	if (status == STATUS_OK)
		status = take_folders(e);
	if (status != STATUS_OK)
		return status;
	if (e->view.ranges.n > 0 && !vmail_view_outside(&e->view, 0, &root))
		say_warn("%s: its namespace has no 0: root's files will not "
			 "be trusted there",
		    run->operand[1]);
	e->rootless = is_rootless(&e->view);
	take_reader(e);
	map_folders(e, world);
	return STATUS_OK;
}

int
idmap_emit(struct run *run)
{
	const struct idmap_options *o = run->options;
	const struct form *form = find_form(o->form);
	struct emit e = { .conf = &run->conf, .mounted = o->mounted };
	WORLD world = { .views = NULL };
	struct vmail_err err;
	int status;

	if (!form)
		return say_fail(STATUS_USAGE,
		    "--for: compose, podman, quadlet, nspawn, mount or "
		    "kubernetes%s%s%s",
		    o->form ? ", not '" : "", o->form ? o->form : "",
		    o->form ? "'" : "");
	if (o->mounted && form->emit == emit_mount)
		return say_fail(STATUS_USAGE,
		    "--mounted: what --for mount prints makes these folders");
	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	if (!vmail_ids_own(&world.ids))
		return say_fail(STATUS_FAILED,
		    "this system is not the host: run this there");
	status = gather(&e, run, &world);
	return status == STATUS_OK ? form->emit(&e) : status;
}
