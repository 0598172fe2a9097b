#include "common/core/ids.h"

#include <string.h>

#include "common/core/file.h"
#include "common/core/nsmap.h"
#include "common/core/views.h"

/* What is not needed while files are read lies in a frame of its own, gone by
 * then. */
#define OWN_FRAME __attribute__((noinline))

void
vmail_world_set_views(struct vmail_world *w, struct vmail_str views)
{
	struct vmail_views_line l;
	struct vmail_view v;

	w->views = views;
	w->has_host = w->other_hosts = false;
	while (vmail_views_peek(&views, &l)) {
		if (!vmail_str_is(l.name, "host"))
			continue;
		if (!vmail_str_eq(l.identity, w->owner_user)) {
			w->other_hosts = true;
		} else if (!w->has_host &&
			   vmail_view_parse(l.line, &v, NULL) == VMAIL_OK) {
			w->has_host = true;
			w->host = (struct vmail_ids){ v.uid, v.gid };
		}
	}
}

void
vmail_world_of_map(struct vmail_world *w, const struct vmail_map *map)
{
	*w = (struct vmail_world){ .owner_user = map->owner_user,
		.owner_group = map->owner_group,
		.first_valid_uid = map->first_valid_uid,
		.last_valid_uid = map->last_valid_uid,
		.map_seen = true,
		.map_uid = map->uid,
		.map_gid = map->gid,
		.account = map->account };
	vmail_world_set_views(w, map->views);
}

void
vmail_world_of_conf(struct vmail_world *w, const struct vmail_conf *conf,
    struct vmail_str views, const struct stat *map)
{
	*w = (struct vmail_world){ .owner_user = vmail_conf_owner_user(conf),
		.owner_group = vmail_conf_owner_group(conf),
		.first_valid_uid = conf->first_valid_uid,
		.last_valid_uid = conf->last_valid_uid,
		.map_seen = map != NULL };
	vmail_world_set_views(w, views);
	if (map != NULL) {
		w->map_uid = map->st_uid;
		w->map_gid = map->st_gid;
	}
}

/* Root, nobody, and -1 as 16 and 32 bits: never answered, whatever says so. */
bool
vmail_ids_reserved(uint32_t id)
{
	return id == 0 || id == 65534 || id == 65535 || id == UINT32_MAX;
}

static bool
in_range(const struct vmail_world *w, uint32_t id)
{
	return !vmail_ids_reserved(id) && id >= w->first_valid_uid &&
	       id <= w->last_valid_uid;
}

/* Ids are the host's own where the host's 0:GROUP shows as just that. */
static bool
map_shows_own(const struct vmail_world *w)
{
	return w->map_seen && w->map_uid == 0 && w->has_host &&
	       w->map_gid == w->host.gid;
}

bool
vmail_ids_own(const struct vmail_world *w)
{
	struct vmail_nsmap m;

	return map_shows_own(w) ||
	       (vmail_nsmap_read(VMAIL_NSMAP_UID, 0, VMAIL_INWARD, &m) &&
		   m.own);
}

/* The id maps speak of the parent namespace; that it is the host shows in the
 * map file's group. */
static bool
parent_is_host(const struct vmail_world *w)
{
	struct vmail_nsmap m;

	return w->map_seen && w->has_host &&
	       vmail_nsmap_read(
		   VMAIL_NSMAP_GID, w->host.gid, VMAIL_INWARD, &m) &&
	       m.found && m.result == w->map_gid;
}

static enum vmail_rc
translate(const struct vmail_world *w, const char *path,
    enum vmail_nsmap_way way, uint32_t id, uint32_t *out)
{
	struct vmail_nsmap m;

	if (vmail_ids_own(w)) {
		*out = id;
		return VMAIL_OK;
	}
	if (!parent_is_host(w) || !vmail_nsmap_read(path, id, way, &m) ||
	    !m.found || vmail_ids_reserved(m.result))
		return VMAIL_NOT_FOUND;
	*out = m.result;
	return VMAIL_OK;
}

static enum vmail_rc
account_of(
    const struct vmail_world *w, struct vmail_str name, struct vmail_ids *out)
{
	if (w->account.n > 0 && vmail_str_eq(name, w->owner_user) &&
	    vmail_account_known(w->account, out))
		return VMAIL_OK;
	return vmail_account_of(name, out);
}

/* The identities one after the other: the owner, then those of views. */
static OWN_FRAME bool
next_identity(const struct vmail_world *w, struct vmail_str *rest, bool *first,
    struct vmail_str *identity)
{
	struct vmail_views_line l;
	struct vmail_view v;

	if (*first) {
		*first = false;
		*rest = w->views;
		*identity = w->owner_user;
		return true;
	}
	while (vmail_views_peek(rest, &l))
		if (!vmail_str_eq(l.identity, *identity) &&
		    !vmail_str_eq(l.identity, w->owner_user) &&
		    vmail_view_parse(l.line, &v, NULL) == VMAIL_OK) {
			*identity = v.identity;
			return true;
		}
	return false;
}

bool
vmail_ids_is_identity(const struct vmail_world *w, struct vmail_str name)
{
	struct vmail_str rest = w->views;
	struct vmail_views_line l;
	struct vmail_view v;

	/* Most names asked for are mailboxes': no line of views is read. */
	if (!vmail_name_is_account(name))
		return false;
	if (vmail_str_eq(name, w->owner_user))
		return true;
	while (vmail_views_peek(&rest, &l))
		if (vmail_str_eq(l.identity, name) &&
		    vmail_view_parse(l.line, &v, NULL) == VMAIL_OK)
			return true;
	return false;
}

/* What is asked of an identity: which numbers it has, or whether a certain
 * one (wanted) is its uid, or gid. */
struct question {
	struct vmail_str identity;
	const uint32_t *wanted;
	bool group;
};

static bool
is_wanted(const struct question *q, const struct vmail_ids *ids)
{
	return (q->group ? ids->gid : ids->uid) == *q->wanted;
}

static bool
same_answer(const struct question *q, const struct vmail_ids *a,
    const struct vmail_ids *b)
{
	if (q->wanted != NULL && !is_wanted(q, a) && !is_wanted(q, b))
		return true;
	return a->uid == b->uid && a->gid == b->gid;
}

/* What a line says of that identity; false: nothing. */
static bool
line_numbers(const struct vmail_world *w, const struct vmail_views_line *l,
    struct vmail_str identity, struct vmail_ids *ids)
{
	struct vmail_view v;

	if (!vmail_str_eq(l->identity, identity))
		return false;
	/* The usual line has been read: of its like the first counts. */
	if (w->has_host && vmail_str_is(l->name, "host") &&
	    vmail_str_eq(identity, w->owner_user)) {
		*ids = w->host;
		return true;
	}
	if (vmail_view_parse(l->line, &v, NULL) != VMAIL_OK)
		return false;
	*ids = (struct vmail_ids){ v.uid, v.gid };
	return true;
}

/* Does a view give another answer than the account (NULL: none) does? If not,
 * it does not matter which view this system is, and nobody looks. */
static OWN_FRAME bool
view_matters(const struct vmail_world *w, const struct question *q,
    const struct vmail_ids *account)
{
	struct vmail_str rest = w->views;
	struct vmail_views_line l;
	struct vmail_ids ids;

	while (vmail_views_peek(&rest, &l))
		if (line_numbers(w, &l, q->identity, &ids) &&
		    (account == NULL || !same_answer(q, account, &ids)))
			return true;
	return false;
}

static OWN_FRAME enum vmail_rc
by_view(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_str view, struct vmail_ids *out)
{
	struct vmail_view v;

	if (!vmail_views_of(w->views, view, identity, &v))
		return VMAIL_NOT_FOUND;
	*out = (struct vmail_ids){ v.uid, v.gid };
	return VMAIL_OK;
}

/* Step 1: what root says this system is. */
static OWN_FRAME enum vmail_rc
by_named_view(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_ids *out)
{
	char room[VMAIL_VIEW_ROOM];
	struct vmail_str name;
	enum vmail_rc rc = vmail_views_named(room, &name, NULL);

	if (rc == VMAIL_UNSAFE || rc == VMAIL_MALFORMED)
		return VMAIL_NOT_FOUND;
	return rc == VMAIL_OK ? by_view(w, identity, name, out) : rc;
}

/* Step 3. A machine that calls itself "host" is not therefore the host. */
static OWN_FRAME enum vmail_rc
by_hostname(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_ids *out)
{
	char room[VMAIL_VIEW_ROOM];
	struct vmail_str name;

	if (!vmail_views_hostname(room, &name) || vmail_str_is(name, "host"))
		return VMAIL_NOT_FOUND;
	return by_view(w, identity, name, out);
}

/* Steps 1 to 3: what this system itself says. */
static OWN_FRAME enum vmail_rc
by_this_system(const struct vmail_world *w, const struct question *q,
    struct vmail_ids *out)
{
	struct vmail_ids account;
	enum vmail_rc known = account_of(w, q->identity, &account);

	if (view_matters(w, q, known == VMAIL_OK ? &account : NULL)) {
		enum vmail_rc rc = by_named_view(w, q->identity, out);

		if (rc != VMAIL_NOT_FOUND)
			return rc;
		if (known == VMAIL_NOT_FOUND)
			return by_hostname(w, q->identity, out);
	}
	if (known == VMAIL_OK)
		*out = account;
	return known;
}

/* Is this system the host? Where ids are the host's own and the owner has
 * the host's number. VMAIL_NOT_FOUND: it is not; others: nobody knows. */
static OWN_FRAME enum vmail_rc
on_host(const struct vmail_world *w)
{
	const uint32_t uid = w->host.uid;
	const struct question q = { w->owner_user, &uid, false };
	struct vmail_ids own;
	enum vmail_rc rc;

	if (!w->has_host || !vmail_ids_own(w))
		return VMAIL_NOT_FOUND;
	rc = by_this_system(w, &q, &own);
	if (rc == VMAIL_NOT_FOUND)
		return VMAIL_OK;
	return rc == VMAIL_OK && own.uid != uid ? VMAIL_NOT_FOUND : rc;
}

/* What this system says, if that may be answered: an image's 101 may, a
 * system account of the host may not. */
static OWN_FRAME enum vmail_rc
judge(const struct vmail_world *w, struct vmail_str name,
    const struct vmail_ids *ids)
{
	if (vmail_ids_reserved(ids->uid) || vmail_ids_reserved(ids->gid))
		return VMAIL_NOT_FOUND;
	if (in_range(w, ids->uid))
		return VMAIL_OK;
	if (!vmail_ids_is_identity(w, name) || on_host(w) != VMAIL_NOT_FOUND)
		return VMAIL_NOT_FOUND;
	return VMAIL_OK;
}

static OWN_FRAME enum vmail_rc
by_host_line(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_ids *out)
{
	struct vmail_ids host = w->host, ids;
	bool there = w->has_host;

	if (!vmail_str_eq(identity, w->owner_user))
		there =
		    by_view(w, identity, VMAIL_STR("host"), &host) == VMAIL_OK;
	if (!there || !in_range(w, host.uid) || vmail_ids_reserved(host.gid))
		return VMAIL_NOT_FOUND;
	if (translate(w, VMAIL_NSMAP_UID, VMAIL_INWARD, host.uid, &ids.uid) !=
		VMAIL_OK ||
	    translate(w, VMAIL_NSMAP_GID, VMAIL_INWARD, host.gid, &ids.gid) !=
		VMAIL_OK)
		return VMAIL_NOT_FOUND;
	*out = ids;
	return VMAIL_OK;
}

static enum vmail_rc
answer(const struct vmail_world *w, const struct question *q,
    struct vmail_ids *out)
{
	struct vmail_ids ids;
	enum vmail_rc rc = by_this_system(w, q, &ids);

	if (rc == VMAIL_NOT_FOUND)
		return by_host_line(w, q->identity, out);
	if (rc == VMAIL_OK)
		rc = judge(w, q->identity, &ids);
	if (rc == VMAIL_OK)
		*out = ids;
	return rc;
}

enum vmail_rc
vmail_ids_of_identity(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_ids *out)
{
	return answer(w, &(struct question){ .identity = identity }, out);
}

struct vmail_ids
vmail_ids_of_owner(const struct vmail_world *w, const struct vmail_ids *user)
{
	struct vmail_ids ids = *user;

	(void)vmail_ids_of_identity(w, w->owner_user, &ids);
	return ids;
}

/* What a uid or gid field means: an identity, a number of the host, a name
 * that only this system's files can know, or nothing. */
struct meaning {
	struct vmail_str identity;
	bool is_number;
	uint32_t number;
	struct vmail_str name;
};

/* The identity whose number on the host that is, the owner first. */
OWN_FRAME bool
vmail_ids_host_identity(const struct vmail_world *w, uint32_t number,
    bool group, struct vmail_str *identity)
{
	struct vmail_str rest = w->views;
	struct vmail_views_line l;
	struct vmail_view v;

	if (w->has_host && (group ? w->host.gid : w->host.uid) == number) {
		*identity = w->owner_user;
		return true;
	}
	while (w->other_hosts && vmail_views_peek(&rest, &l))
		if (vmail_str_is(l.name, "host") &&
		    !vmail_str_eq(l.identity, w->owner_user) &&
		    vmail_view_parse(l.line, &v, NULL) == VMAIL_OK &&
		    (group ? v.gid : v.uid) == number &&
		    vmail_views_first(w->views, &v)) {
			*identity = v.identity;
			return true;
		}
	return false;
}

static bool
all_digits(struct vmail_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* False: a number that is not to be answered. */
static bool
read_field(const struct vmail_world *w, struct vmail_str field, bool group,
    struct meaning *m)
{
	uint64_t n = 0;

	*m = (struct meaning){ .name = field };
	if (field.n == 0)
		m->identity = w->owner_user;
	else if (group && vmail_str_eq(field, w->owner_group))
		m->identity = w->owner_user;
	else if (vmail_ids_is_identity(w, field))
		m->identity = field;
	else if (all_digits(field)) {
		if (!vmail_text_number(field, UINT32_MAX, &n))
			return false;
		m->number = (uint32_t)n;
		m->is_number =
		    !vmail_ids_host_identity(w, m->number, group, &m->identity);
		return !m->is_number || in_range(w, m->number);
	}
	return true;
}

static enum vmail_rc
uid_of(const struct vmail_world *w, const struct meaning *m,
    struct vmail_ids *identity)
{
	if (m->is_number)
		return translate(w, VMAIL_NSMAP_UID, VMAIL_INWARD, m->number,
		    &identity->uid);
	return vmail_ids_of_identity(
	    w, m->identity.n > 0 ? m->identity : m->name, identity);
}

static enum vmail_rc
named_group(const struct vmail_world *w, struct vmail_str name, gid_t *out)
{
	gid_t gid;
	enum vmail_rc rc = vmail_account_group(name, &gid);

	if (rc == VMAIL_OK && !in_range(w, gid))
		return VMAIL_NOT_FOUND;
	if (rc == VMAIL_OK)
		*out = gid;
	return rc;
}

static enum vmail_rc
gid_of(const struct vmail_world *w, const struct meaning *m, gid_t *out)
{
	struct vmail_ids ids;
	enum vmail_rc rc;

	if (m->is_number)
		return translate(
		    w, VMAIL_NSMAP_GID, VMAIL_INWARD, m->number, out);
	if (m->identity.n == 0)
		return named_group(w, m->name, out);
	rc = vmail_ids_of_identity(w, m->identity, &ids);
	if (rc == VMAIL_OK)
		*out = ids.gid;
	return rc;
}

enum vmail_rc
vmail_ids_of_mailbox(const struct vmail_world *w, struct vmail_str uid,
    struct vmail_str gid, struct vmail_ids *out)
{
	struct meaning u, g;
	struct vmail_ids ids;

	if (!read_field(w, uid, false, &u) || !read_field(w, gid, true, &g))
		return VMAIL_NOT_FOUND;

	enum vmail_rc rc = uid_of(w, &u, &ids);
	bool one = u.identity.n > 0 && vmail_str_eq(u.identity, g.identity);

	/* One identity: its gid came with its uid. */
	if (rc == VMAIL_OK && !one)
		rc = gid_of(w, &g, &ids.gid);
	if (rc == VMAIL_OK)
		*out = ids;
	return rc;
}

enum vmail_rc
vmail_ids_of_group(
    const struct vmail_world *w, struct vmail_str group, gid_t *out)
{
	bool owners = vmail_str_eq(group, w->owner_group);
	struct vmail_ids ids;

	/* The owner's group has one name. */
	if (!owners && (vmail_str_eq(group, w->owner_user) ||
			   !vmail_ids_is_identity(w, group)))
		return VMAIL_NOT_FOUND;
	enum vmail_rc rc =
	    vmail_ids_of_identity(w, owners ? w->owner_user : group, &ids);
	if (rc == VMAIL_OK)
		*out = ids.gid;
	return rc;
}

/* The identity whose uid, or gid, is that number here. */
static enum vmail_rc
identity_with(
    const struct vmail_world *w, uint32_t id, bool group, struct vmail_str *out)
{
	struct vmail_str rest, identity;
	bool first = true;

	if (vmail_ids_reserved(id))
		return VMAIL_NOT_FOUND;
	while (next_identity(w, &rest, &first, &identity)) {
		const struct question q = { identity, &id, group };
		struct vmail_ids ids;
		enum vmail_rc rc = answer(w, &q, &ids);

		if (rc == VMAIL_OK && (group ? ids.gid : ids.uid) == id) {
			*out = identity;
			return VMAIL_OK;
		}
		if (rc != VMAIL_OK && rc != VMAIL_NOT_FOUND)
			return rc;
	}
	return VMAIL_NOT_FOUND;
}

enum vmail_rc
vmail_ids_identity_of(
    const struct vmail_world *w, uid_t uid, struct vmail_str *identity)
{
	return identity_with(w, uid, false, identity);
}

enum vmail_rc
vmail_ids_group_of(
    const struct vmail_world *w, gid_t gid, struct vmail_str *group)
{
	struct vmail_str identity;
	enum vmail_rc rc = identity_with(w, gid, true, &identity);
	bool owners = rc == VMAIL_OK && vmail_str_eq(identity, w->owner_user);

	/* That name is another group's. */
	if (rc == VMAIL_OK && !owners && vmail_str_eq(identity, w->owner_group))
		return VMAIL_NOT_FOUND;
	if (rc == VMAIL_OK)
		*group = owners ? w->owner_group : identity;
	return rc;
}

enum vmail_rc
vmail_ids_to_host(const struct vmail_world *w, uid_t uid, uint32_t *host)
{
	struct vmail_str identity;
	uint32_t n;

	if (vmail_ids_reserved(uid) ||
	    translate(w, VMAIL_NSMAP_UID, VMAIL_OUTWARD, uid, &n) != VMAIL_OK)
		return VMAIL_NOT_FOUND;
	/* An identity's host number means the identity, which has its own
	 * number here. */
	if (!in_range(w, n) || vmail_ids_host_identity(w, n, false, &identity))
		return VMAIL_NOT_FOUND;
	*host = n;
	return VMAIL_OK;
}

/* b stands in lower case. */
static bool
lowers_to(struct vmail_str a, struct vmail_str b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		char c = a.p[i];

		vmail_text_lower(&c, 1);
		if (c != b.p[i])
			return false;
	}
	return a.n == b.n;
}

bool
vmail_ids_guest_named(const struct vmail_view *view, struct vmail_str name)
{
	size_t n = view->identity.n;

	if (name.n != n + 1 + view->name.n || name.p[n] != '-')
		return false;
	return lowers_to(view->identity, (struct vmail_str){ name.p, n }) &&
	       lowers_to(view->name,
		   (struct vmail_str){ name.p + n + 1, view->name.n });
}

bool
vmail_ids_on_disk(const struct vmail_view *view, struct vmail_ids *out)
{
	struct vmail_ids ids = { view->uid, view->gid };

	if (view->ranges.n > 0 &&
	    (!vmail_view_outside(view, view->uid, &ids.uid) ||
		!vmail_view_outside(view, view->gid, &ids.gid)))
		return false;
	if (vmail_ids_reserved(ids.uid) || vmail_ids_reserved(ids.gid))
		return false;
	*out = ids;
	return true;
}

bool
vmail_ids_guest_numbers(const struct vmail_view *view, struct vmail_ids *out)
{
	/* Nobody is a guest in his own house. */
	return view->ranges.n > 0 && !vmail_str_is(view->name, "host") &&
	       vmail_ids_on_disk(view, out);
}

/* A guest, known by where its line begins. */
struct guest {
	const char *line;
	struct vmail_ids ids;
};

static bool
next_guest(const struct vmail_world *w, struct vmail_str *rest,
    struct vmail_view *v, struct guest *guest)
{
	struct vmail_views_line l;

	while (vmail_views_peek(rest, &l))
		/* Most have no namespace: they need not be parsed. */
		if (l.line.p[l.line.n - 1] != '-' &&
		    vmail_view_parse(l.line, v, NULL) == VMAIL_OK &&
		    vmail_ids_guest_numbers(v, &guest->ids) &&
		    vmail_views_first(w->views, v)) {
			guest->line = v->name.p;
			return true;
		}
	return false;
}

static void
put_guest_name(
    const struct vmail_view *v, char room[VMAIL_GUEST_MAX], struct vmail_str *s)
{
	struct vmail_buf b = { .p = room, .size = VMAIL_GUEST_MAX };

	vmail_buf_str(&b, v->identity);
	vmail_buf_char(&b, '-');
	vmail_buf_str(&b, v->name);
	vmail_text_lower(room, b.len);
	*s = (struct vmail_str){ room, b.len };
}

/* The first guest with that uid, or gid; its name is laid out in room, unless
 * that is NULL. */
static OWN_FRAME bool
guest_by_number(const struct vmail_world *w, uint32_t id, bool group,
    struct guest *guest, char *room, struct vmail_str *name)
{
	struct vmail_str rest = w->views;
	struct vmail_view v;

	while (next_guest(w, &rest, &v, guest)) {
		if ((group ? guest->ids.gid : guest->ids.uid) != id)
			continue;
		if (room != NULL)
			put_guest_name(&v, room, name);
		return true;
	}
	return false;
}

static OWN_FRAME bool
guest_by_name(
    const struct vmail_world *w, struct vmail_str name, struct guest *guest)
{
	struct vmail_str rest = w->views;
	struct vmail_view v;

	while (next_guest(w, &rest, &v, guest))
		if (vmail_ids_guest_named(&v, name))
			return true;
	return false;
}

/* A name, or a number, that is somebody else's is no guest's. */
static enum vmail_rc
unless(enum vmail_rc taken)
{
	if (taken == VMAIL_NOT_FOUND)
		return VMAIL_OK;
	return taken == VMAIL_OK ? VMAIL_NOT_FOUND : taken;
}

static enum vmail_rc
name_is_left(const struct vmail_world *w, struct vmail_str name, bool group)
{
	struct vmail_ids account;

	if (vmail_ids_is_identity(w, name) ||
	    (group && vmail_str_eq(name, w->owner_group)))
		return VMAIL_NOT_FOUND;
	return unless(group ? vmail_account_group(name, &account.gid)
			    : vmail_account_of(name, &account));
}

/* May it be answered, and is it nobody else's? */
static enum vmail_rc
judge_guest(const struct vmail_world *w, const struct guest *guest,
    struct vmail_str name, bool group)
{
	struct vmail_str identity;
	enum vmail_rc rc = on_host(w);

	if (rc == VMAIL_OK)
		rc = unless(identity_with(w,
		    group ? guest->ids.gid : guest->ids.uid, group, &identity));
	return rc == VMAIL_OK ? name_is_left(w, name, group) : rc;
}

/* Either way it must be found by both its name and its number. */
static enum vmail_rc
number_guest(const struct vmail_world *w, struct vmail_str name, bool group,
    struct vmail_ids *out)
{
	struct guest guest, other;
	enum vmail_rc rc;

	if (!guest_by_name(w, name, &guest) ||
	    !guest_by_number(w, group ? guest.ids.gid : guest.ids.uid, group,
		&other, NULL, NULL) ||
	    other.line != guest.line)
		return VMAIL_NOT_FOUND;
	rc = judge_guest(w, &guest, name, group);
	if (rc == VMAIL_OK)
		*out = guest.ids;
	return rc;
}

static enum vmail_rc
name_guest(const struct vmail_world *w, uint32_t id, bool group,
    char room[VMAIL_GUEST_MAX], struct vmail_str *name)
{
	struct guest guest, other;
	struct vmail_str made;
	enum vmail_rc rc;

	if (!guest_by_number(w, id, group, &guest, room, &made) ||
	    !guest_by_name(w, made, &other) || other.line != guest.line)
		return VMAIL_NOT_FOUND;
	rc = judge_guest(w, &guest, made, group);
	if (rc == VMAIL_OK)
		*name = made;
	return rc;
}

enum vmail_rc
vmail_ids_of_guest(
    const struct vmail_world *w, struct vmail_str name, struct vmail_ids *out)
{
	return number_guest(w, name, false, out);
}

enum vmail_rc
vmail_ids_of_guest_group(
    const struct vmail_world *w, struct vmail_str name, gid_t *out)
{
	struct vmail_ids ids;
	enum vmail_rc rc = number_guest(w, name, true, &ids);

	if (rc == VMAIL_OK)
		*out = ids.gid;
	return rc;
}

enum vmail_rc
vmail_ids_guest_of(const struct vmail_world *w, uid_t uid,
    char room[VMAIL_GUEST_MAX], struct vmail_str *name)
{
	return name_guest(w, uid, false, room, name);
}

enum vmail_rc
vmail_ids_guest_group_of(const struct vmail_world *w, gid_t gid,
    char room[VMAIL_GUEST_MAX], struct vmail_str *name)
{
	return name_guest(w, gid, true, room, name);
}

bool
vmail_ids_name_free(const struct vmail_world *w, struct vmail_str name)
{
	struct vmail_str rest = w->views;
	struct vmail_view v;
	struct vmail_ids ids;

	if (vmail_ids_is_identity(w, name))
		return false;
	while (vmail_views_next(&rest, &v))
		if (vmail_ids_guest_named(&v, name))
			return false;
	return vmail_account_of(name, &ids) == VMAIL_NOT_FOUND;
}
