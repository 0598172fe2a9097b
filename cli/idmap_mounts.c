/* idmap emit: mount(8), and systemd-nspawn on what that has mounted. */
#include <stdio.h>

#include "cli/idmap_emit.h"
#include "cli/say.h"

/* nspawn maps one range, from 0. */
static bool
nspawn_range(const struct emit *e, char out[64])
{
	struct vmail_idmaps map;

	snprintf(out, 64, "no");
	if (e->view.ranges.n == 0)
		return true;
	if (vmail_idmaps_of_ranges(e->view.ranges, &map) != VMAIL_OK ||
	    map.n != 1 || map.range[0].inside != 0)
		return false;
	snprintf(out, 64, "%u:%u", map.range[0].outside, map.range[0].count);
	return true;
}

static void
put_nspawn_command(const struct emit *e, const char *users)
{
	char source[EMIT_SOURCE];

	printf("# the same as a command:\n#   systemd-nspawn -M %.*s "
	       "--hostname=%.*s --private-users=%s",
	    EMIT_NAME(e), EMIT_NAME(e), users);
	for (size_t i = 0; i < e->folders; i++) {
		const struct emit_folder *f = &e->folder[i];

		emit_source(e, f, !e->fits, source);
		printf(" --bind%s=%s:%s", f->read_only ? "-ro" : "", source,
		    f->path);
	}
	puts(" -b");
}

/* Its own idmap options map all numbers onto themselves, or one owner alone:
 * neither makes root's files root's and the identity's the identity's. */
int
emit_nspawn(const struct emit *e)
{
	char users[64], source[EMIT_SOURCE];

	if (!nspawn_range(e, users))
		return say_fail(STATUS_FAILED,
		    "%.*s: systemd-nspawn maps one range that begins at 0, "
		    "not %.*s",
		    EMIT_NAME(e), (int)e->view.ranges.n, e->view.ranges.p);
	emit_head(e);
	if (!e->fits)
		emit_prepare(e, NULL);
	put_nspawn_command(e, users);
	printf("# /etc/systemd/nspawn/%.*s.nspawn\n"
	       "[Exec]\n"
	       "Hostname=%.*s\n"
	       "PrivateUsers=%s\n\n"
	       "[Files]\n",
	    EMIT_NAME(e), EMIT_NAME(e), users);
	for (size_t i = 0; i < e->folders; i++) {
		const struct emit_folder *f = &e->folder[i];

		emit_source(e, f, !e->fits, source);
		printf("Bind%s=%s:%s\n", f->read_only ? "ReadOnly" : "", source,
		    f->path);
	}
	return STATUS_OK;
}

/* TYPE:ON-DISK:SHOWN:COUNT, as mount(8) does it: some of its manuals have the
 * first two the other way round. */
static void
put_mount_pairs(const struct emit_folder *f, const char *space)
{
	for (size_t i = 0; i < f->uids.n; i++)
		printf("%su:%u:%u:1", i > 0 ? space : "", f->uids.pair[i].disk,
		    f->uids.pair[i].shown);
	for (size_t i = 0; i < f->gids.n; i++)
		printf("%sg:%u:%u:1", space, f->gids.pair[i].disk,
		    f->gids.pair[i].shown);
}

static void
put_mount_options(const struct emit_folder *f, const char *space)
{
	printf("%snosuid,nodev,noexec,X-mount.mkdir=0700,X-mount.idmap=",
	    f->read_only ? "ro," : "");
	put_mount_pairs(f, space);
}

int
emit_mount(const struct emit *e)
{
	char target[EMIT_SOURCE];

	emit_head(e);
	if (e->fits) {
		puts("# nothing to map: mount the folders as they are");
		return STATUS_OK;
	}
	puts("# needs mount(8) of util-linux 2.39: an older one mounts it "
	     "without a word as it is.\n"
	     "# Only root may pass " EMIT_MOUNTS ": keep it so.\n"
	     "install -d -m 0700 " EMIT_MOUNTS);
	for (size_t i = 0; i < e->folders; i++) {
		emit_source(e, &e->folder[i], true, target);
		printf("mount --bind -o '");
		put_mount_options(&e->folder[i], " ");
		printf("' %s %s\n", e->folder[i].path, target);
	}
	puts("# verify: each must be there");
	for (size_t i = 0; i < e->folders; i++) {
		emit_source(e, &e->folder[i], true, target);
		printf(
		    "#   grep ' %s .*idmapped' /proc/self/mountinfo\n", target);
	}
	puts("# at every start: /etc/fstab");
	for (size_t i = 0; i < e->folders; i++) {
		emit_source(e, &e->folder[i], true, target);
		printf("#   %s %s none bind,", e->folder[i].path, target);
		put_mount_options(&e->folder[i], "\\040");
		puts(" 0 0");
	}
	return STATUS_OK;
}
