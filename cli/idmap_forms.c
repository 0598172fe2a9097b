/* idmap emit: what more than one engine is told. */
#include <stdio.h>
#include <string.h>

#include "cli/idmap_emit.h"
#include "cli/say.h"

/* Does this form take the folders from where mount(8) has put them? */
bool
emit_from_mounts(const struct emit *e)
{
	return e->mounted && !e->fits;
}

/* The folder to give to the engine. */
void
emit_source(const struct emit *e, const struct emit_folder *f, bool mounts,
    char out[EMIT_SOURCE])
{
	if (mounts)
		snprintf(out, EMIT_SOURCE, EMIT_MOUNTS "/%.*s/%s", EMIT_NAME(e),
		    f->name);
	else
		snprintf(out, EMIT_SOURCE, "%s", f->path);
}

/* Does the engine itself mount idmapped here? */
bool
emit_by_engine(const struct emit *e)
{
	return !e->fits && !e->mounted && !e->rootless;
}

/* A group that a process without a namespace gets besides its own. */
bool
emit_needs_group(const struct emit *e)
{
	return e->view.ranges.n == 0 && !emit_from_mounts(e) &&
	       e->reader != 0 && e->reader != e->host.gid;
}

void
emit_head(const struct emit *e)
{
	printf("# view %.*s: %.*s is %u:%u inside", EMIT_NAME(e),
	    (int)e->view.identity.n, e->view.identity.p, e->view.uid,
	    e->view.gid);
	if (e->view.ranges.n > 0)
		printf(
		    ", which the host numbers %u:%u", e->disk.uid, e->disk.gid);
	printf("; the files are %u:%u's\n", e->host.uid, e->host.gid);
}

void
emit_prepare(const struct emit *e, const char *form)
{
	printf("# first, on the host: vmailadm idmap emit --for mount %.*s\n",
	    EMIT_NAME(e));
	if (form)
		printf("#   vmailadm idmap emit --for %s --mounted %.*s\n",
		    form, EMIT_NAME(e));
}

/* Without an idmapped mount the host's root is nobody inside, so it comes to
 * an ACL, and to mail that belongs to the container's number. */
void
emit_acl(const struct emit *e)
{
	puts("# once, as root on the host; never chmod 0644:");
	if (!e->acl)
		printf("#   no ACL: %u is somebody's here\n", e->disk.uid);
	printf("#   vmailadm fixperms --view %.*s%s\n", EMIT_NAME(e),
	    e->acl ? " --acl" : "");
}
