/* idmap emit: the words of each engine. */
#include <stdio.h>
#include <string.h>

#include "cli/derived.h"
#include "cli/idmap_emit.h"
#include "cli/say.h"

enum { SOURCE = EMIT_PATH + 128 };

#define NAME(e) (int)(e)->view.name.n, (e)->view.name.p

/* Does this form take the folders from where mount(8) has put them? */
static bool
from_mounts(const struct emit *e)
{
	return e->mounted && !e->fits;
}

/* The folder to give to the engine. */
static void
source_of(const struct emit *e, const struct emit_folder *f, bool mounts,
    char out[SOURCE])
{
	if (mounts)
		snprintf(out, SOURCE, EMIT_MOUNTS "/%.*s/%s", NAME(e), f->name);
	else
		snprintf(out, SOURCE, "%s", f->path);
}

/* Does the engine itself mount idmapped here? */
static bool
by_engine(const struct emit *e)
{
	return !e->fits && !e->mounted && !e->rootless;
}

/* A group that a process without a namespace gets besides its own. */
static bool
needs_group(const struct emit *e)
{
	return e->view.ranges.n == 0 && !from_mounts(e) && e->reader != 0 &&
	       e->reader != e->host.gid;
}

static void
put_head(const struct emit *e)
{
	printf("# view %.*s: %.*s is %u:%u inside", NAME(e),
	    (int)e->view.identity.n, e->view.identity.p, e->view.uid,
	    e->view.gid);
	if (e->view.ranges.n > 0)
		printf(
		    ", which the host numbers %u:%u", e->disk.uid, e->disk.gid);
	printf("; the files are %u:%u's\n", e->host.uid, e->host.gid);
}

static void
put_prepare(const struct emit *e, const char *form)
{
	printf("# first, on the host: vmailadm idmap emit --for mount %.*s\n",
	    NAME(e));
	if (form)
		printf("#   vmailadm idmap emit --for %s --mounted %.*s\n",
		    form, NAME(e));
}

/* The files that hold hashes, as a shell names them. */
static void
put_secrets(const struct emit *e)
{
	const char *slash = strrchr(e->conf->passwd_file, '/');
	const char *percent = strchr(e->conf->passwd_file, '%');
	int n = percent ? (int)(percent - e->conf->passwd_file)
			: (int)(slash - e->conf->passwd_file);

	for (int i = 0; i < 3; i++) {
		const char *name = i == 0   ? slash + 1
				   : i == 1 ? "apppw"
					    : "deny";

		printf(" %.*s%s/%s", n, e->conf->passwd_file,
		    percent ? "*" : "", name);
	}
}

/* Without an idmapped mount the host's root is nobody inside, so it comes to
 * an ACL, and to mail that belongs to the container's number. */
static void
put_acl(const struct emit *e)
{
	puts("# once, as root on the host; never chmod 0644:");
	if (e->acl) {
		printf("#   setfacl -m u:%u:r--", e->disk.uid);
		put_secrets(e);
		putchar('\n');
	} else {
		printf("#   no ACL: %u is somebody's here\n", e->disk.uid);
	}
	printf("#   vmailadm fixperms --view %.*s\n", NAME(e));
}

static void
put_compose_folders(const struct emit *e)
{
	char source[SOURCE];

	puts("    volumes:");
	for (size_t i = 0; i < e->folders; i++) {
		const struct emit_folder *f = &e->folder[i];

		source_of(e, f, from_mounts(e), source);
		printf("      - type: bind\n"
		       "        source: \"%s\"\n"
		       "        target: \"%s\"\n"
		       "        read_only: %s\n"
		       "        bind:\n"
		       "          create_host_path: false\n",
		    source, f->path, f->read_only ? "true" : "false");
	}
}

/* Compose itself knows no idmapped mount. */
static void
put_compose_remedy(const struct emit *e)
{
	if (e->fits)
		return;
	if (e->mounted) {
		put_prepare(e, NULL);
		return;
	}
	if (!e->rootless) {
		puts("# better, where mount(8) is 2.39 or later: folders "
		     "mounted idmapped, by");
		put_prepare(e, "compose");
	}
	if (e->view.ranges.n > 0)
		put_acl(e);
}

int
emit_compose(const struct emit *e)
{
	put_head(e);
	put_compose_remedy(e);
	printf("services:\n"
	       "  \"%.*s\":\n"
	       "    image: \"IMAGE\"\n"
	       "    hostname: \"%.*s\"\n",
	    NAME(e), NAME(e));
	if (by_engine(e) && e->view.ranges.n == 0)
		printf("    user: \"%u:%u\"\n", e->host.uid, e->host.gid);
	if (needs_group(e))
		printf("    group_add:\n      - \"%u\"\n", e->reader);
	put_compose_folders(e);
	return STATUS_OK;
}

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
	char source[SOURCE];

	source_of(e, f, from_mounts(e), source);
	printf("%s:%s", source, f->path);
	if (f->read_only)
		printf(":ro");
	if (by_engine(e)) {
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
		put_acl(e);
	} else if (e->mounted) {
		put_prepare(e, NULL);
	} else {
		printf("# needs crun, or runc 1.2: an older runc mounts it "
		       "without a word as it is. Verify:\n"
		       "#   podman exec %.*s grep idmapped "
		       "/proc/self/mountinfo\n",
		    NAME(e));
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
	put_head(e);
	put_podman_remedy(e);
	printf("podman run --name %.*s --hostname %.*s \\\n", NAME(e), NAME(e));
	put_ranges(e, "  --uidmap ", "  --gidmap ", " \\\n");
	if (e->fits && needs_group(e))
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
	put_head(e);
	printf("# %s/%.*s.container\n",
	    e->rootless ? "~/.config/containers/systemd"
			: "/etc/containers/systemd",
	    NAME(e));
	put_podman_remedy(e);
	printf("[Unit]\n"
	       "Description=Mail, view %.*s\n\n"
	       "[Container]\n"
	       "ContainerName=%.*s\n"
	       "HostName=%.*s\n"
	       "Image=IMAGE\n",
	    NAME(e), NAME(e), NAME(e));
	put_ranges(e, "UIDMap=", "GIDMap=", "\n");
	if (e->fits && needs_group(e))
		printf("GroupAdd=%u\n", e->reader);
	for (size_t i = 0; i < e->folders; i++) {
		printf("Volume=");
		put_podman_folder(e, &e->folder[i]);
		putchar('\n');
	}
	puts("\n[Install]\nWantedBy=default.target");
	return STATUS_OK;
}

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
	char source[SOURCE];

	printf("# the same as a command:\n#   systemd-nspawn -M %.*s "
	       "--hostname=%.*s --private-users=%s",
	    NAME(e), NAME(e), users);
	for (size_t i = 0; i < e->folders; i++) {
		const struct emit_folder *f = &e->folder[i];

		source_of(e, f, !e->fits, source);
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
	char users[64], source[SOURCE];

	if (!nspawn_range(e, users))
		return say_fail(STATUS_FAILED,
		    "%.*s: systemd-nspawn maps one range that begins at 0, "
		    "not %.*s",
		    NAME(e), (int)e->view.ranges.n, e->view.ranges.p);
	put_head(e);
	if (!e->fits)
		put_prepare(e, NULL);
	put_nspawn_command(e, users);
	printf("# /etc/systemd/nspawn/%.*s.nspawn\n"
	       "[Exec]\n"
	       "Hostname=%.*s\n"
	       "PrivateUsers=%s\n\n"
	       "[Files]\n",
	    NAME(e), NAME(e), users);
	for (size_t i = 0; i < e->folders; i++) {
		const struct emit_folder *f = &e->folder[i];

		source_of(e, f, !e->fits, source);
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
	char target[SOURCE];

	put_head(e);
	if (e->fits) {
		puts("# nothing to map: mount the folders as they are");
		return STATUS_OK;
	}
	puts("# needs mount(8) of util-linux 2.39: an older one mounts it "
	     "without a word as it is.\n"
	     "# Only root may pass " EMIT_MOUNTS ": keep it so.\n"
	     "install -d -m 0700 " EMIT_MOUNTS);
	for (size_t i = 0; i < e->folders; i++) {
		source_of(e, &e->folder[i], true, target);
		printf("mount --bind -o '");
		put_mount_options(&e->folder[i], " ");
		printf("' %s %s\n", e->folder[i].path, target);
	}
	puts("# verify: each must be there");
	for (size_t i = 0; i < e->folders; i++) {
		source_of(e, &e->folder[i], true, target);
		printf(
		    "#   grep ' %s .*idmapped' /proc/self/mountinfo\n", target);
	}
	puts("# at every start: /etc/fstab");
	for (size_t i = 0; i < e->folders; i++) {
		source_of(e, &e->folder[i], true, target);
		printf("#   %s %s none bind,", e->folder[i].path, target);
		put_mount_options(&e->folder[i], "\\040");
		puts(" 0 0");
	}
	return STATUS_OK;
}

/* A label of DNS, as Kubernetes wants names. */
static bool
pod_name(const struct emit *e, char out[VMAIL_VIEW_MAX + 1])
{
	struct vmail_str s = e->view.name;
	bool same = s.n < VMAIL_VIEW_MAX;

	snprintf(out, VMAIL_VIEW_MAX + 1, "%.*s", NAME(e));
	vmail_text_lower(out, s.n);
	for (char *p = out; *p; p++)
		if (*p == '_' || *p == '.')
			*p = '-';
	while (s.n > 0 && out[s.n - 1] == '-')
		out[--s.n] = '\0';
	if (s.n == VMAIL_VIEW_MAX)
		out[VMAIL_VIEW_MAX - 1] = '\0';
	return same && vmail_str_is(e->view.name, out);
}

static void
put_pod_folders(const struct emit *e)
{
	char source[SOURCE];

	puts("      volumeMounts:");
	for (size_t i = 0; i < e->folders; i++)
		printf("        - name: vmail-%s\n"
		       "          mountPath: \"%s\"\n"
		       "          readOnly: %s\n",
		    e->folder[i].name, e->folder[i].path,
		    e->folder[i].read_only ? "true" : "false");
	puts("  volumes:");
	for (size_t i = 0; i < e->folders; i++) {
		source_of(e, &e->folder[i], from_mounts(e), source);
		printf("    - name: vmail-%s\n"
		       "      hostPath:\n"
		       "        path: \"%s\"\n"
		       "        type: Directory\n",
		    e->folder[i].name, source);
	}
}

/* The kubelet gives a pod with a namespace of its own a range that it chooses,
 * and mounts all volumes so that inside they show the disk's numbers. */
static void
put_pod_users(const struct emit *e)
{
	bool mounted = from_mounts(e);
	uint32_t uid = mounted ? e->view.uid : e->host.uid;
	uint32_t gid = mounted ? e->view.gid : e->host.gid;

	if (e->view.ranges.n > 0)
		puts("  hostUsers: false");
	printf("  securityContext:\n"
	       "    runAsUser: %u\n"
	       "    runAsGroup: %u\n"
	       "    fsGroup: %u\n"
	       "    fsGroupChangePolicy: OnRootMismatch\n",
	    uid, gid, gid);
	if (!mounted && e->reader != 0 && e->reader != gid)
		printf("    supplementalGroups:\n      - %u\n", e->reader);
}

static void
put_pod_remedy(const struct emit *e)
{
	if (e->view.ranges.n > 0)
		puts("# hostUsers: false has the kubelet choose the "
		     "namespace; inside, the files show\n"
		     "# the disk's numbers, which are therefore the ones to "
		     "run as");
	else if (from_mounts(e))
		put_prepare(e, NULL);
	else if (!e->fits) {
		puts("# better, where mount(8) is 2.39 or later: folders "
		     "mounted idmapped, by");
		put_prepare(e, "kubernetes");
	}
}

int
emit_kubernetes(const struct emit *e)
{
	char name[VMAIL_VIEW_MAX + 1];
	bool same = pod_name(e, name);

	if (e->mounted && e->view.ranges.n > 0)
		return say_fail(STATUS_USAGE,
		    "--mounted: the kubelet mounts the volumes of a pod with a "
		    "namespace idmapped itself");
	put_head(e);
	put_pod_remedy(e);
	printf("apiVersion: v1\n"
	       "kind: Pod\n"
	       "metadata:\n"
	       "  name: \"%s\"\n"
	       "spec:\n",
	    name);
	if (same)
		printf("  hostname: \"%s\"\n", name);
	put_pod_users(e);
	printf("  containers:\n"
	       "    - name: \"%s\"\n"
	       "      image: \"IMAGE\"\n",
	    name);
	put_pod_folders(e);
	return STATUS_OK;
}
