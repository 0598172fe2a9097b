/* idmap emit: Compose and Kubernetes, in YAML. */
#include <stdio.h>

#include "cli/idmap_emit.h"
#include "cli/say.h"

static void
put_compose_folders(const struct emit *e)
{
	char source[EMIT_SOURCE];

	puts("    volumes:");
	for (size_t i = 0; i < e->folders; i++) {
		const struct emit_folder *f = &e->folder[i];

		emit_source(e, f, emit_from_mounts(e), source);
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
		emit_prepare(e, NULL);
		return;
	}
	if (!e->rootless) {
		puts("# better, where mount(8) is 2.39 or later: folders "
		     "mounted idmapped, by");
		emit_prepare(e, "compose");
	}
	if (e->view.ranges.n > 0)
		emit_acl(e);
}

int
emit_compose(const struct emit *e)
{
	emit_head(e);
	put_compose_remedy(e);
	printf("services:\n"
	       "  \"%.*s\":\n"
	       "    image: \"IMAGE\"\n"
	       "    hostname: \"%.*s\"\n",
	    EMIT_NAME(e), EMIT_NAME(e));
	if (emit_by_engine(e) && e->view.ranges.n == 0)
		printf("    user: \"%u:%u\"\n", e->host.uid, e->host.gid);
	if (emit_needs_group(e))
		printf("    group_add:\n      - \"%u\"\n", e->reader);
	put_compose_folders(e);
	return STATUS_OK;
}

/* A label of DNS, as Kubernetes wants names. */
static bool
pod_name(const struct emit *e, char out[VMAIL_VIEW_MAX + 1])
{
	struct vmail_str s = e->view.name;
	bool same = s.n < VMAIL_VIEW_MAX;

	snprintf(out, VMAIL_VIEW_MAX + 1, "%.*s", EMIT_NAME(e));
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
	char source[EMIT_SOURCE];

	puts("      volumeMounts:");
	for (size_t i = 0; i < e->folders; i++)
		printf("        - name: vmail-%s\n"
		       "          mountPath: \"%s\"\n"
		       "          readOnly: %s\n",
		    e->folder[i].name, e->folder[i].path,
		    e->folder[i].read_only ? "true" : "false");
	puts("  volumes:");
	for (size_t i = 0; i < e->folders; i++) {
		emit_source(e, &e->folder[i], emit_from_mounts(e), source);
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
	bool mounted = emit_from_mounts(e);
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
	else if (emit_from_mounts(e))
		emit_prepare(e, NULL);
	else if (!e->fits) {
		puts("# better, where mount(8) is 2.39 or later: folders "
		     "mounted idmapped, by");
		emit_prepare(e, "kubernetes");
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
	emit_head(e);
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
