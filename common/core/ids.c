#include "common/core/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/core/file.h"
#include "common/core/nsmap.h"
#include "common/core/views.h"

/* A chunk is all the stack that reading a system file may cost. */
enum { CHUNK = 448 };

/* Wanted of a line `name:x:A[:B]`. */
struct account {
	struct vmail_str name;
	unsigned want;
	uint32_t value[2];
};

void
vmail_world_of_map(struct vmail_world *w, const struct vmail_map *map)
{
	*w = (struct vmail_world){ .owner_user = map->owner_user,
		.owner_group = map->owner_group,
		.views = map->views,
		.first_valid_uid = map->first_valid_uid,
		.last_valid_uid = map->last_valid_uid,
		.map_seen = true,
		.map_uid = map->uid,
		.map_gid = map->gid,
		.account = map->account.file.size != 0 ? &map->account : NULL };
}

void
vmail_world_of_conf(struct vmail_world *w, const struct vmail_conf *conf,
    struct vmail_str views, const struct stat *map)
{
	*w = (struct vmail_world){ .owner_user = vmail_conf_owner_user(conf),
		.owner_group = vmail_conf_owner_group(conf),
		.views = views,
		.first_valid_uid = conf->first_valid_uid,
		.last_valid_uid = conf->last_valid_uid,
		.map_seen = map != NULL };
	if (map != NULL) {
		w->map_uid = map->st_uid;
		w->map_gid = map->st_gid;
	}
}

/* Root, nobody, and -1 as 16 and 32 bits: never answered, whatever says so. */
static bool
reserved(uint32_t id)
{
	return id == 0 || id == 65534 || id == 65535 || id == UINT32_MAX;
}

static bool
in_range(const struct vmail_world *w, uint32_t id)
{
	return !reserved(id) && id >= w->first_valid_uid &&
	       id <= w->last_valid_uid;
}

static bool
host_line(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_view *v)
{
	return vmail_views_find(w->views, "host", identity, v);
}

/* Ids are the host's own where the host's 0:GROUP shows as just that. */
static bool
map_shows_own(const struct vmail_world *w)
{
	struct vmail_view v;

	return w->map_seen && w->map_uid == 0 &&
	       host_line(w, w->owner_user, &v) && w->map_gid == v.gid;
}

static bool
ids_own(const struct vmail_world *w)
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
	struct vmail_view v;
	struct vmail_nsmap m;

	return w->map_seen && host_line(w, w->owner_user, &v) &&
	       vmail_nsmap_read(VMAIL_NSMAP_GID, v.gid, VMAIL_INWARD, &m) &&
	       m.found && m.result == w->map_gid;
}

static enum vmail_rc
translate(const struct vmail_world *w, const char *path,
    enum vmail_nsmap_way way, uint32_t id, uint32_t *out)
{
	struct vmail_nsmap m;

	if (ids_own(w)) {
		*out = id;
		return VMAIL_OK;
	}
	if (!parent_is_host(w) || !vmail_nsmap_read(path, id, way, &m) ||
	    !m.found || reserved(m.result))
		return VMAIL_NOT_FOUND;
	*out = m.result;
	return VMAIL_OK;
}

/* A line of that name whose numbers are numbers, each with its ':' behind it
 * (the line may be cut); another is passed over, as libc does. */
static bool
account_line(struct account *a, struct vmail_str line)
{
	if (!vmail_str_eq(vmail_text_cut(&line, ':'), a->name))
		return false;
	(void)vmail_text_cut(&line, ':');
	for (unsigned i = 0; i < a->want; i++) {
		struct vmail_str field = vmail_text_cut(&line, ':');
		uint64_t n;

		if (line.p == NULL || !vmail_text_number(field, UINT32_MAX, &n))
			return false;
		a->value[i] = (uint32_t)n;
	}
	return true;
}

/* The whole lines in buf[n]; *used is what they take. A line that fills the
 * buffer is judged by its beginning, where all we want stands; inside: the
 * buffer begins behind that. */
static bool
account_chunk(struct account *a, const char *buf, size_t n, bool last,
    bool *inside, size_t *used)
{
	struct vmail_str rest = { buf, n };

	*used = 0;
	while (rest.n > 0) {
		struct vmail_str line = vmail_text_cut(&rest, '\n');
		bool whole = rest.p != NULL || last;

		if (!whole && *used > 0)
			return false;
		if (!*inside && account_line(a, line))
			return true;
		*inside = !whole;
		*used = rest.p != NULL ? (size_t)(rest.p - buf) : n;
	}
	return false;
}

static enum vmail_rc
account_read(const char *path, struct account *a)
{
	char buf[CHUNK];
	uint64_t at = 0;
	bool inside = false;
	VMAIL_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? VMAIL_NOT_FOUND : VMAIL_IO;
	for (;;) {
		size_t used;
		ssize_t got = vmail_file_pread(fd, buf, sizeof(buf), at);
		bool last = got < (ssize_t)sizeof(buf);

		if (got < 0)
			return VMAIL_IO;
		if (account_chunk(a, buf, (size_t)got, last, &inside, &used))
			return VMAIL_OK;
		if (last)
			return VMAIL_NOT_FOUND;
		at += used;
	}
}

enum vmail_rc
vmail_ids_account(struct vmail_str name, struct vmail_ids *out)
{
	struct account a = { .name = name, .want = 2 };
	enum vmail_rc rc;

	if (name.n == 0 || name.n > VMAIL_NAME_MAX)
		return VMAIL_NOT_FOUND;
	rc = account_read("/etc/passwd", &a);
	if (rc == VMAIL_OK)
		*out = (struct vmail_ids){ a.value[0], a.value[1] };
	return rc;
}

static bool
see_passwd(struct vmail_map_account *a)
{
	struct stat st;

	if (stat("/etc/passwd", &st) != 0)
		return false;
	a->file = vmail_file_stamp(&st);
	a->changed_sec = st.st_ctim.tv_sec;
	a->changed_nsec = (uint32_t)st.st_ctim.tv_nsec;
	return a->file.size != 0 && a->file.sec >= 0 && a->changed_sec >= 0;
}

static bool
same_passwd(
    const struct vmail_map_account *a, const struct vmail_map_account *b)
{
	return vmail_file_same(&a->file, &b->file) &&
	       a->changed_sec == b->changed_sec &&
	       a->changed_nsec == b->changed_nsec;
}

enum vmail_rc
vmail_ids_account_seen(struct vmail_str name, struct vmail_map_account *out)
{
	struct vmail_map_account before, after;
	struct vmail_ids ids;
	enum vmail_rc rc;

	if (!see_passwd(&before))
		return VMAIL_IO;
	rc = vmail_ids_account(name, &ids);
	if (rc != VMAIL_OK)
		return rc;
	if (!see_passwd(&after) || !same_passwd(&before, &after))
		return VMAIL_BUSY;
	after.uid = ids.uid;
	after.gid = ids.gid;
	*out = after;
	return VMAIL_OK;
}

/* Kept out of line: its frame must not be there when the file is read. */
static __attribute__((noinline)) bool
is_known(const struct vmail_map_account *account)
{
	struct vmail_map_account now;

	return account != NULL && see_passwd(&now) &&
	       same_passwd(account, &now);
}

/* The owner's account is in the map, for as long as the file is that one. */
static enum vmail_rc
account_of(
    const struct vmail_world *w, struct vmail_str name, struct vmail_ids *out)
{
	if (!vmail_str_eq(name, w->owner_user) || !is_known(w->account))
		return vmail_ids_account(name, out);
	*out = (struct vmail_ids){ w->account->uid, w->account->gid };
	return VMAIL_OK;
}

enum vmail_rc
vmail_ids_system_group(struct vmail_str name, gid_t *out)
{
	struct account a = { .name = name, .want = 1 };
	enum vmail_rc rc;

	if (name.n == 0 || name.n > VMAIL_NAME_MAX)
		return VMAIL_NOT_FOUND;
	rc = account_read("/etc/group", &a);
	if (rc == VMAIL_OK)
		*out = a.value[0];
	return rc;
}

/* The identities one after the other: the owner, then those of views. */
static bool
next_identity(const struct vmail_world *w, struct vmail_str *rest, bool *first,
    struct vmail_str *identity)
{
	struct vmail_view v;

	if (*first) {
		*first = false;
		*rest = w->views;
		*identity = w->owner_user;
		return true;
	}
	while (vmail_views_next(rest, &v))
		if (!vmail_str_eq(v.identity, *identity) &&
		    !vmail_str_eq(v.identity, w->owner_user)) {
			*identity = v.identity;
			return true;
		}
	return false;
}

bool
vmail_ids_is_identity(const struct vmail_world *w, struct vmail_str name)
{
	struct vmail_str rest, identity;
	bool first = true;

	/* Most names asked for are mailboxes': no line of views is read. */
	if (!vmail_name_is_account(name))
		return false;
	while (next_identity(w, &rest, &first, &identity))
		if (name.n > 0 && vmail_str_eq(identity, name))
			return true;
	return false;
}

/* Is this system the host? Where ids are the host's own and the owner has
 * the host's number. */
static bool
on_host(const struct vmail_world *w)
{
	struct vmail_view v;
	struct vmail_ids own;

	if (!host_line(w, w->owner_user, &v) || !ids_own(w))
		return false;
	return account_of(w, w->owner_user, &own) != VMAIL_OK ||
	       own.uid == v.uid;
}

/* What /etc/passwd says, if that may be answered: an image's 101 may, a
 * system account of the host may not. */
static enum vmail_rc
judge_account(const struct vmail_world *w, struct vmail_str name,
    const struct vmail_ids *ids)
{
	if (reserved(ids->uid) || reserved(ids->gid))
		return VMAIL_NOT_FOUND;
	if (in_range(w, ids->uid))
		return VMAIL_OK;
	if (!vmail_ids_is_identity(w, name) || on_host(w))
		return VMAIL_NOT_FOUND;
	return VMAIL_OK;
}

static enum vmail_rc
ids_of_host_line(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_ids *out)
{
	struct vmail_view v;
	struct vmail_ids ids;

	if (!host_line(w, identity, &v) || !in_range(w, v.uid) ||
	    reserved(v.gid))
		return VMAIL_NOT_FOUND;
	if (translate(w, VMAIL_NSMAP_UID, VMAIL_INWARD, v.uid, &ids.uid) !=
		VMAIL_OK ||
	    translate(w, VMAIL_NSMAP_GID, VMAIL_INWARD, v.gid, &ids.gid) !=
		VMAIL_OK)
		return VMAIL_NOT_FOUND;
	*out = ids;
	return VMAIL_OK;
}

enum vmail_rc
vmail_ids_of_identity(const struct vmail_world *w, struct vmail_str identity,
    struct vmail_ids *out)
{
	struct vmail_ids ids;
	enum vmail_rc rc = account_of(w, identity, &ids);

	if (rc == VMAIL_NOT_FOUND)
		return ids_of_host_line(w, identity, out);
	if (rc == VMAIL_OK)
		rc = judge_account(w, identity, &ids);
	if (rc == VMAIL_OK)
		*out = ids;
	return rc;
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

static bool
host_number(const struct vmail_world *w, uint32_t number, bool group,
    struct vmail_str *identity)
{
	struct vmail_str rest = w->views;
	struct vmail_view v;

	while (vmail_views_next(&rest, &v))
		if (vmail_str_is(v.name, "host") &&
		    (group ? v.gid : v.uid) == number) {
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
		m->is_number = !host_number(w, m->number, group, &m->identity);
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
	enum vmail_rc rc = vmail_ids_system_group(name, &gid);

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

	if (!owners && !vmail_ids_is_identity(w, group))
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

	if (reserved(id))
		return VMAIL_NOT_FOUND;
	while (next_identity(w, &rest, &first, &identity)) {
		struct vmail_ids ids;
		enum vmail_rc rc = vmail_ids_of_identity(w, identity, &ids);

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

	if (rc == VMAIL_OK)
		*group = vmail_str_eq(identity, w->owner_user) ? w->owner_group
							       : identity;
	return rc;
}

enum vmail_rc
vmail_ids_to_host(const struct vmail_world *w, uid_t uid, uint32_t *host)
{
	struct vmail_str identity;
	uint32_t n;

	if (reserved(uid) ||
	    translate(w, VMAIL_NSMAP_UID, VMAIL_OUTWARD, uid, &n) != VMAIL_OK)
		return VMAIL_NOT_FOUND;
	/* An identity's host number means the identity, which has its own
	 * number here. */
	if (!in_range(w, n) || host_number(w, n, false, &identity))
		return VMAIL_NOT_FOUND;
	*host = n;
	return VMAIL_OK;
}

bool
vmail_ids_name_free(const struct vmail_world *w, struct vmail_str name)
{
	struct vmail_str rest = w->views;
	struct vmail_view v;
	struct vmail_ids ids;

	if (vmail_ids_is_identity(w, name))
		return false;
	while (vmail_views_next(&rest, &v)) {
		struct vmail_str tail = name;

		if (name.n != v.identity.n + 1 + v.name.n ||
		    memcmp(name.p, v.identity.p, v.identity.n) != 0 ||
		    name.p[v.identity.n] != '-')
			continue;
		tail.p += v.identity.n + 1;
		tail.n -= v.identity.n + 1;
		if (vmail_str_eq(tail, v.name))
			return false;
	}
	return vmail_ids_account(name, &ids) == VMAIL_NOT_FOUND;
}
