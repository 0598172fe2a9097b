#include "common/core/ids.h"
#include "common/core/map.h"
#include "nss/exports.h"
#include "nss/pack.h"
#include "nss/source.h"
#include "nss/status.h"

/* Frames that are not there at the same time. */
#define FRAME __attribute__((noinline))

/* Who asks, and where the answer goes. */
struct question {
	struct vmail_str name; /* p == NULL: by number */
	gid_t gid;
	struct group *gr;
	char *buf;
	size_t size;
};

/* number -> name, at the window's end. */
static FRAME enum vmail_rc
whose_number(
    const struct vmail_nss_source *source, gid_t gid, struct vmail_str *name)
{
	const struct vmail_nss_asked asked = { .number = gid };
	char *room = source->window + VMAIL_PUBLIC_RECORD;
	struct vmail_world world;
	enum vmail_rc rc =
	    vmail_nss_world(source->map, source->window, &asked, &world);

	if (rc != VMAIL_OK)
		return rc;
	rc = vmail_ids_group_of(&world, gid, name);
	if (rc == VMAIL_NOT_FOUND)
		return vmail_ids_guest_group_of(&world, gid, room, name);
	return rc == VMAIL_OK ? vmail_nss_keep_name(source, name) : rc;
}

static FRAME enum vmail_rc
number_of(
    const struct vmail_nss_source *source, struct vmail_str name, gid_t *gid)
{
	const struct vmail_nss_asked asked = { .name = name };
	struct vmail_world world;
	enum vmail_rc rc =
	    vmail_nss_world(source->map, source->window, &asked, &world);

	if (rc == VMAIL_OK)
		rc = vmail_ids_of_group(&world, name, gid);
	if (rc == VMAIL_NOT_FOUND)
		rc = vmail_ids_of_guest_group(&world, name, gid);
	return rc;
}

static enum vmail_rc
find_group(const struct vmail_nss_source *source, const void *question)
{
	const struct question *q = question;
	struct vmail_str name = q->name;
	gid_t gid;
	enum vmail_rc rc = VMAIL_OK;

	if (name.p == NULL)
		rc = whose_number(source, q->gid, &name);
	if (rc == VMAIL_OK)
		rc = number_of(source, name, &gid);
	if (rc != VMAIL_OK)
		return rc;
	if (q->name.p == NULL && gid != q->gid)
		return VMAIL_NOT_FOUND;
	return vmail_nss_pack_group(name, gid, q->gr, q->buf, q->size);
}

enum nss_status
_nss_vmail_getgrnam_r(
    const char *name, struct group *gr, char *buf, size_t size, int *errnop)
{
	struct question q = { .gr = gr, .buf = buf, .size = size };
	int kept = vmail_nss_begin();
	enum vmail_rc rc = VMAIL_NOT_FOUND;

	if (vmail_nss_askable(name, &q.name))
		rc = vmail_nss_ask(find_group, &q);
	return vmail_nss_end(rc, kept, errnop);
}

enum nss_status
_nss_vmail_getgrgid_r(
    gid_t gid, struct group *gr, char *buf, size_t size, int *errnop)
{
	struct question q = { .gid = gid, .gr = gr, .buf = buf, .size = size };
	int kept = vmail_nss_begin();

	return vmail_nss_end(vmail_nss_ask(find_group, &q), kept, errnop);
}

/* Groups are not listed: those that exist here have identities' names. */
enum nss_status
_nss_vmail_setgrent(int stay_open)
{
	(void)stay_open;
	return NSS_STATUS_SUCCESS;
}

enum nss_status
_nss_vmail_getgrent_r(struct group *gr, char *buf, size_t size, int *errnop)
{
	(void)gr;
	(void)buf;
	(void)size;
	return vmail_nss_end(VMAIL_NOT_FOUND, vmail_nss_begin(), errnop);
}

enum nss_status
_nss_vmail_endgrent(void)
{
	return NSS_STATUS_SUCCESS;
}

/*
 * Nobody is in a group of ours but by his primary one, which the caller has
 * already. NOTFOUND as glibc's own modules say when they add nothing: SUCCESS
 * would end an `initgroups:` line before the others were asked.
 */
enum nss_status
_nss_vmail_initgroups_dyn(const char *user, gid_t group, long *start,
    long *size, gid_t **groups, long limit, int *errnop)
{
	(void)user;
	(void)group;
	(void)start;
	(void)size;
	(void)groups;
	(void)limit;
	return vmail_nss_end(VMAIL_NOT_FOUND, vmail_nss_begin(), errnop);
}
