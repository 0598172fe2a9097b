#include "common/admin/ondisk.h"

#include "common/core/views.h"

/* A view's first line. */
static bool
first_line(
    const struct vmail_world *w, struct vmail_str name, struct vmail_view *view)
{
	struct vmail_str rest = w->views;

	while (vmail_views_next(&rest, view))
		if (vmail_str_eq(view->name, name))
			return true;
	return false;
}

bool
vmail_ondisk_known(const struct vmail_world *w, struct vmail_str view)
{
	struct vmail_view v;

	return first_line(w, view, &v);
}

enum vmail_rc
vmail_ondisk_identity(const struct vmail_world *w, struct vmail_str view,
    struct vmail_str identity, struct vmail_ids *out)
{
	struct vmail_view v;

	return vmail_views_of(w->views, view, identity, &v) &&
		       vmail_ids_on_disk(&v, out)
		   ? VMAIL_OK
		   : VMAIL_NOT_FOUND;
}

/* Does the view's namespace reach that number of the host's? */
static bool
holds(const struct vmail_world *w, struct vmail_str name, uint32_t number)
{
	struct vmail_view v;
	uint32_t inside;

	return first_line(w, name, &v) &&
	       (v.ranges.n == 0 || vmail_view_inside(&v, number, &inside));
}

/* A number of the host's that is no identity's. */
static enum vmail_rc
own_number(const struct vmail_world *w, struct vmail_str view, uint64_t number,
    uint32_t *out)
{
	if (vmail_ids_reserved((uint32_t)number) ||
	    number < w->first_valid_uid || number > w->last_valid_uid ||
	    !holds(w, view, (uint32_t)number))
		return VMAIL_NOT_FOUND;
	*out = (uint32_t)number;
	return VMAIL_OK;
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
	else if (vmail_text_number(value, UINT32_MAX, &number) &&
		 !vmail_ids_host_identity(
		     w, (uint32_t)number, group, &identity))
		return own_number(w, view, number, out);
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
