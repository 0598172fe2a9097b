/* idmap emit: Podman, as a command and as a unit. */
#include <stdio.h>

#include "cli/idmap_emit.h"
#include "cli/say.h"

static void
put_podman_pairs(const struct emit_pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
		printf("%s%u-%u-1", i > 0 ? "#" : "", pairs->pair[i].disk,
		    pairs->pair[i].shown);
}

/* SOURCE:TARGET[:OPTIONS] */
static void
put_podman_folder(const struct emit *e, const struct emit_folder *f)
{
	char source[EMIT_SOURCE];

	emit_source(e, f, emit_from_mounts(e), source);
	printf("%s:%s", source, f->path);
	if (f->read_only)
		printf(":ro");
	if (emit_by_engine(e)) {
		printf("%sidmap=uids=", f->read_only ? "," : ":");
		put_podman_pairs(&f->uids);
		printf(";gids=");
		put_podman_pairs(&f->gids);
	}
}

static void
put_podman_remedy(const struct emit *e)
{
	if (e->fits)
		return;
	if (e->rootless) {
		struct vmail_idmaps map;

		if (vmail_idmaps_of_ranges(e->view.ranges, &map) == VMAIL_OK)
			printf("# as the user who is %u on the host, without "
			       "root\n",
			    map.range[0].outside);
		emit_acl(e);
	} else if (e->mounted) {
		emit_prepare(e, NULL);
	} else {
		printf("# needs crun, or runc 1.2: an older runc mounts it "
		       "without a word as it is. Verify:\n"
		       "#   podman exec %.*s grep idmapped "
		       "/proc/self/mountinfo\n",
		    EMIT_NAME(e));
	}
}

/* The namespace's ranges, each behind `before`, for users and groups. */
static void
put_ranges(
    const struct emit *e, const char *uids, const char *gids, const char *after)
{
	struct vmail_str rest = e->view.ranges;

	while (!e->rootless && rest.n > 0) {
		struct vmail_str r = vmail_text_cut(&rest, ',');

		printf("%s%.*s%s", uids, (int)r.n, r.p, after);
		printf("%s%.*s%s", gids, (int)r.n, r.p, after);
	}
}

/* Podman's own idmapped mounts are root's alone. */
static bool
refuse_mounted(const struct emit *e)
{
	if (!e->mounted || !e->rootless)
		return false;
	say_fail(0, "--mounted: a container of a user without root does not "
		    "reach " EMIT_MOUNTS);
	return true;
}

int
emit_podman(const struct emit *e)
{
	if (refuse_mounted(e))
		return STATUS_USAGE;
	emit_head(e);
	put_podman_remedy(e);
	printf("podman run --name %.*s --hostname %.*s \\\n", EMIT_NAME(e),
	    EMIT_NAME(e));
	put_ranges(e, "  --uidmap ", "  --gidmap ", " \\\n");
	if (e->fits && emit_needs_group(e))
		printf("  --group-add %u \\\n", e->reader);
	for (size_t i = 0; i < e->folders; i++) {
		printf("  -v '");
		put_podman_folder(e, &e->folder[i]);
		printf("' \\\n");
	}
	puts("  IMAGE");
	return STATUS_OK;
}

int
emit_quadlet(const struct emit *e)
{
	if (refuse_mounted(e))
		return STATUS_USAGE;
	emit_head(e);
	printf("# %s/%.*s.container\n",
	    e->rootless ? "~/.config/containers/systemd"
			: "/etc/containers/systemd",
	    EMIT_NAME(e));
	put_podman_remedy(e);
	printf("[Unit]\n"
	       "Description=Mail, view %.*s\n\n"
	       "[Container]\n"
	       "ContainerName=%.*s\n"
	       "HostName=%.*s\n"
	       "Image=IMAGE\n",
	    EMIT_NAME(e), EMIT_NAME(e), EMIT_NAME(e));
	put_ranges(e, "UIDMap=", "GIDMap=", "\n");
	if (e->fits && emit_needs_group(e))
		printf("GroupAdd=%u\n", e->reader);
	for (size_t i = 0; i < e->folders; i++) {
		printf("Volume=");
		put_podman_folder(e, &e->folder[i]);
		putchar('\n');
	}
	puts("\n[Install]\nWantedBy=default.target");
	return STATUS_OK;
}
