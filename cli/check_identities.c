/* check: the owner of all mail, and the systems that share the files. */
#include <stdio.h>

#include "cli/check.h"
#include "cli/derived.h"
#include "common/core/views.h"

static void
say(struct check *c, enum severity severity, const char *code,
    unsigned long line, const char *message, const char *fix)
{
	char path[DERIVED_PATH_MAX];

	if (vmail_conf_beside(c->conf, "views", path, sizeof(path)) != VMAIL_OK)
		return;
	check_say(
	    c, &(struct finding){ severity, code, line ? path : c->conf->path,
		   line, { NULL, 0 }, message, fix });
}

static void
check_owner(struct check *c)
{
	struct vmail_str user = vmail_conf_owner_user(c->conf);
	struct vmail_str group = vmail_conf_owner_group(c->conf);
	struct vmail_ids ids;
	gid_t gid;

	if (vmail_ids_of_identity(&c->world->ids, user, &ids) != VMAIL_OK)
		say(c, SEVERITY_ERROR, "owner-unknown", 0,
		    "owner has no number on this system, or none that may be "
		    "answered",
		    "vmailadm init");
	if (vmail_account_of(user, &ids) != VMAIL_OK)
		return;
	if (vmail_account_group(group, &gid) != VMAIL_OK)
		say(c, SEVERITY_ERROR, "owner-group", 0,
		    "owner: there is no such group", "vmailadm init");
	else if (gid != ids.gid)
		say(c, SEVERITY_ERROR, "owner-group", 0,
		    "owner: the group is not the account's primary one", NULL);
}

/* Is this view and identity named in the text before `line`? */
static bool
named_before(
    struct vmail_str text, const char *line, const struct vmail_view *view)
{
	struct vmail_str before = { text.p, (size_t)(line - text.p) };
	struct vmail_view other;

	while (vmail_views_next(&before, &other)) {
		if (vmail_str_eq(other.name, view->name) &&
		    vmail_str_eq(other.identity, view->identity))
			return true;
	}
	return false;
}

static void
check_views(struct check *c)
{
	struct vmail_str text = c->world->ids.views, rest = text;
	unsigned long number = 0;

	while (rest.n > 0) {
		struct vmail_str line = vmail_text_cut(&rest, '\n');
		struct vmail_view view;
		const char *why;
		enum vmail_rc rc = vmail_view_parse(line, &view, &why);

		number++;
		if (rc == VMAIL_MALFORMED)
			say(c, SEVERITY_ERROR, "view-malformed", number, why,
			    "mend the line; nobody reads it so");
		else if (rc == VMAIL_OK && named_before(text, line.p, &view))
			say(c, SEVERITY_WARN, "view-twice", number,
			    "this view and identity stand above already; the "
			    "first counts",
			    "take one of them out");
	}
}

void
check_identities(struct check *c)
{
	check_owner(c);
	check_views(c);
}
