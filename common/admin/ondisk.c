#include "common/admin/ondisk.h"

#include "common/core/views.h"

static bool
reserved(uint32_t id)
{
	return id == 0 || id == 65534 || id == 65535 || id == UINT32_MAX;
}

static bool
view_of(const struct vmail_world *w, struct vmail_str name,
    struct vmail_str identity, struct vmail_view *view)
{
	struct vmail_str rest = w->views;

	while (vmail_views_next(&rest, view))
		if (vmail_str_eq(view->name, name) &&
		    (identity.n == 0 || vmail_str_eq(view->identity, identity)))
			return true;
	return false;
}

bool
vmail_ondisk_known(const struct vmail_world *w, struct vmail_str view)
{
	struct vmail_view v;

	return view_of(w, view, VMAIL_STR(""), &v);
}

enum vmail_rc
vmail_ondisk_identity(const struct vmail_world *w, struct vmail_str view,
    struct vmail_str identity, struct vmail_ids *out)
{
	struct vmail_view v;
	struct vmail_ids ids;

	if (identity.n == 0 || !view_of(w, view, identity, &v))
		return VMAIL_NOT_FOUND;
	ids = (struct vmail_ids){ v.uid, v.gid };
	if (v.ranges.n > 0 && (!vmail_view_outside(&v, v.uid, &ids.uid) ||
				  !vmail_view_outside(&v, v.gid, &ids.gid)))
		return VMAIL_NOT_FOUND;
	if (reserved(ids.uid) || reserved(ids.gid))
		return VMAIL_NOT_FOUND;
	*out = ids;
	return VMAIL_OK;
}

/* Does the view's namespace reach that number of the host's? */
static bool
holds(const struct vmail_world *w, struct vmail_str name, uint32_t number)
{
	struct vmail_view v;
	struct vmail_str rest;
	uint64_t outside, count;

	if (!view_of(w, name, VMAIL_STR(""), &v))
		return false;
	if (v.ranges.n == 0)
		return true;
	for (rest = v.ranges; rest.n > 0;) {
		struct vmail_str row = vmail_text_cut(&rest, ',');

		(void)vmail_text_cut(&row, ':');
		if (vmail_text_number(
			vmail_text_cut(&row, ':'), UINT32_MAX, &outside) &&
		    vmail_text_number(row, UINT32_MAX, &count) &&
		    number >= outside && number - outside < count)
			return true;
	}
	return false;
}

/* The identity that this number of the host's is; an empty one: none. */
static struct vmail_str
identity_of(const struct vmail_world *w, uint32_t number, bool group)
{
	struct vmail_str rest = w->views;
	struct vmail_view v;

	while (vmail_views_next(&rest, &v))
		if (vmail_str_is(v.name, "host") &&
		    (group ? v.gid : v.uid) == number)
			return v.identity;
	return VMAIL_STR("");
}

static enum vmail_rc
field(const struct vmail_world *w, struct vmail_str view,
    struct vmail_str value, bool group, uint32_t *out)
{
	struct vmail_str identity = value;
	struct vmail_ids ids;
	uint64_t number;
	enum vmail_rc rc;

	if (value.n == 0 || (group && vmail_str_eq(value, w->owner_group)))
		identity = w->owner_user;
	else if (vmail_text_number(value, UINT32_MAX, &number)) {
		identity = identity_of(w, (uint32_t)number, group);
		if (identity.n == 0) {
			if (reserved((uint32_t)number) ||
			    number < w->first_valid_uid ||
			    number > w->last_valid_uid ||
			    !holds(w, view, (uint32_t)number))
				return VMAIL_NOT_FOUND;
			*out = (uint32_t)number;
			return VMAIL_OK;
		}
	}
	rc = vmail_ondisk_identity(w, view, identity, &ids);
	if (rc == VMAIL_OK)
		*out = group ? ids.gid : ids.uid;
	return rc;
}

enum vmail_rc
vmail_ondisk_mailbox(const struct vmail_world *w, struct vmail_str view,
    struct vmail_str uid, struct vmail_str gid, struct vmail_ids *out)
{
	struct vmail_ids ids;
	enum vmail_rc rc = field(w, view, uid, false, &ids.uid);

	if (rc == VMAIL_OK)
		rc = field(w, view, gid, true, &ids.gid);
	if (rc == VMAIL_OK)
		*out = ids;
	return rc;
}
