#include "cli/fixperms_ids.h"

#include <pwd.h>
#include <string.h>

#include "cli/say.h"
#include "common/admin/ondisk.h"
#include "common/admin/perm.h"
#include "common/core/views.h"

static void
note_known(struct fixperms_ids *ids)
{
	struct vmail_str owner = vmail_conf_owner_user(ids->conf);
	struct vmail_str rest = ids->world->ids.views;
	struct vmail_view v;
	uint32_t outside;

	while (ids->nknown + 2 <= FIXPERMS_KNOWN_MAX &&
	       vmail_views_next(&rest, &v)) {
		if (!vmail_str_eq(v.identity, owner))
			continue;
		ids->known[ids->nknown++] = v.uid;
		if (vmail_view_outside(&v, v.uid, &outside))
			ids->known[ids->nknown++] = outside;
	}
}

static void
note_owner(struct fixperms_ids *ids)
{
	struct vmail_str owner = vmail_conf_owner_user(ids->conf);
	const struct vmail_world *w = &ids->world->ids;

	if (ids->view.n > 0)
		(void)vmail_ondisk_identity(w, ids->view, owner, &ids->owner);
	else
		(void)vmail_ids_of_identity(w, owner, &ids->owner);
}

bool
fixperms_ids_of(struct fixperms_ids *ids, const struct vmail_entry *entry,
    struct vmail_ids *out)
{
	if (ids->view.n > 0)
		return vmail_ondisk_mailbox(&ids->world->ids, ids->view,
			   entry->uid, entry->gid, out) == VMAIL_OK;
	return userview_ids(&ids->resolver, entry, out);
}

static bool
has_namespace(const struct fixperms_ids *ids)
{
	struct vmail_str rest = ids->world->ids.views;
	struct vmail_view v;

	while (vmail_views_next(&rest, &v))
		if (vmail_str_eq(v.name, ids->view))
			return v.ranges.n > 0;
	return false;
}

/* Where a view has no namespace its number is the host's: somebody may have
 * it. */
static const char *
namesake(const struct fixperms_ids *ids)
{
	struct vmail_str owner = vmail_conf_owner_user(ids->conf);
	const struct passwd *pw;

	if (ids->view.n == 0 || ids->owner.uid == 0 || has_namespace(ids))
		return NULL;
	pw = getpwuid(ids->owner.uid);
	return pw && !vmail_str_is(owner, pw->pw_name) ? pw->pw_name : NULL;
}

static int
refuse_acl(const struct fixperms_ids *ids, const char *view, const char *name)
{
	if (name)
		say_fail(0,
		    "--acl: %u, the owner in view %s, is the account %s here, "
		    "who could then read all hashes",
		    ids->owner.uid, view, name);
	else
		say_fail(0, "--acl: the owner has no number in view %s", view);
	if (name)
		say_mend("give its auth process the group of the files, or "
			 "mount their folder idmapped: vmailadm idmap emit");
	return STATUS_UNSAFE;
}

static int
judge_view(struct fixperms_ids *ids, const char *view, bool acl)
{
	const char *name;

	if (!vmail_perm_on_host())
		return say_fail(STATUS_USAGE,
		    "--view: this is a user namespace; run it on the host");
	if (!vmail_ondisk_known(&ids->world->ids, vmail_str(view)))
		return say_fail(STATUS_USAGE, "no such view: '%s'", view);
	if (strcmp(view, "host") != 0)
		ids->view = vmail_str(view);
	note_owner(ids);
	name = namesake(ids);
	if (acl && (name || ids->owner.uid == 0))
		return refuse_acl(ids, view, name);
	if (name)
		say_warn("%u, the owner in view %s, is the account %s here, "
			 "who gets that mail too",
		    ids->owner.uid, view, name);
	return STATUS_OK;
}

int
fixperms_ids_open(struct fixperms_ids *ids, const struct run *run,
    struct world *world, const char *view, bool acl)
{
	ids->conf = &run->conf;
	ids->world = world;
	ids->resolver.conf = &run->conf;
	ids->resolver.world = world;
	note_known(ids);
	if (acl && !view)
		return say_fail(STATUS_USAGE, "--acl goes with --view");
	if (view)
		return judge_view(ids, view, acl);
	note_owner(ids);
	return STATUS_OK;
}
