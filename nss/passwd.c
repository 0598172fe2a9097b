#include <stdbool.h>
#include <string.h>

#include "common/core/ids.h"
#include "common/core/map.h"
#include "nss/exports.h"
#include "nss/pack.h"
#include "nss/source.h"
#include "nss/status.h"

/*
 * Frames of their own for what is not needed at the same time: deciding about
 * identities, looking up a record, laying it out.
 */
#define FRAME __attribute__((noinline))

/* An identity, or a view's guest. */
static FRAME enum vmail_rc
lay_out_identity(struct vmail_str name, struct vmail_ids ids,
    const struct vmail_nss_target *to)
{
	const struct vmail_nss_account account = { .name = name,
		.gecos = VMAIL_STR("vmail"),
		.home = VMAIL_STR("/nonexistent"),
		.ids = ids };

	return vmail_nss_pack_passwd(&account, to);
}

static FRAME enum vmail_rc
lay_out(const struct vmail_nss_source *source, const struct vmail_public *found,
    const struct vmail_nss_target *to)
{
	struct vmail_world world;
	enum vmail_rc rc =
	    vmail_nss_world(source->map, source->views, NULL, &world);

	if (rc != VMAIL_OK)
		return rc;
	return vmail_nss_pack_mailbox(found, source->map->home, &world, to);
}

static FRAME enum vmail_rc
mailbox(const struct vmail_nss_source *source, struct vmail_str name,
    const struct vmail_nss_target *to)
{
	struct vmail_public found;
	enum vmail_rc rc = vmail_nss_mailbox(source, name, &found);

	return rc == VMAIL_OK ? lay_out(source, &found, to) : rc;
}

static FRAME enum vmail_rc
mailbox_of(const struct vmail_nss_source *source, uint32_t host,
    const struct vmail_nss_target *to)
{
	struct vmail_public found;
	enum vmail_rc rc = vmail_nss_mailbox_of(source, host, &found);

	return rc == VMAIL_OK ? lay_out(source, &found, to) : rc;
}

/* VMAIL_OK: there may be mailboxes, and the map is theirs. */
static FRAME enum vmail_rc
turn_to_mailboxes(const struct vmail_nss_source *source, struct vmail_str name)
{
	struct vmail_str local, domain;

	if (!source->map->nss_mailboxes)
		return VMAIL_NOT_FOUND;
	vmail_name_split(name, &local, &domain);
	return vmail_nss_open_mailboxes(source->map, domain);
}

struct name_question {
	struct vmail_str name;
	struct vmail_nss_target to;
};

/* The name as it is looked up, at the window's end, where it stays. */
static struct vmail_str
lowered(const struct vmail_nss_source *source, struct vmail_str name)
{
	char *copy = source->window + VMAIL_PUBLIC_RECORD;

	memcpy(copy, name.p, name.n);
	vmail_text_lower(copy, name.n);
	return (struct vmail_str){ copy, name.n };
}

/* *is_one: the name is an identity's or a guest's, and this is the answer. */
static FRAME enum vmail_rc
identity_named(const struct vmail_nss_source *source, struct vmail_str name,
    const struct vmail_nss_target *to, bool *is_one)
{
	const struct vmail_nss_asked asked = { .name = name };
	struct vmail_world world;
	struct vmail_ids ids;
	enum vmail_rc rc =
	    vmail_nss_world(source->map, source->window, &asked, &world);

	if (rc != VMAIL_OK)
		return rc;
	*is_one = vmail_ids_is_identity(&world, name);
	if (*is_one) {
		rc = vmail_ids_of_identity(&world, name, &ids);
	} else {
		rc = vmail_ids_of_guest(&world, name, &ids);
		*is_one = rc == VMAIL_OK;
		if (rc == VMAIL_NOT_FOUND)
			return VMAIL_OK;
	}
	return rc == VMAIL_OK ? lay_out_identity(name, ids, to) : rc;
}

static enum vmail_rc
find_name(const struct vmail_nss_source *source, const void *question)
{
	const struct name_question *q = question;
	struct vmail_str name = lowered(source, q->name);
	bool is_one = false;
	enum vmail_rc rc = VMAIL_OK;

	/* Neither identities nor views have one in their names. */
	if (memchr(name.p, '@', name.n) == NULL)
		rc = identity_named(source, name, &q->to, &is_one);
	if (rc != VMAIL_OK || is_one)
		return rc;
	rc = turn_to_mailboxes(source, name);
	return rc == VMAIL_OK ? mailbox(source, name, &q->to) : rc;
}

enum nss_status
_nss_vmail_getpwnam_r(
    const char *name, struct passwd *pw, char *buf, size_t size, int *errnop)
{
	struct name_question q = { .to = { pw, buf, size } };
	int kept = vmail_nss_begin();
	enum vmail_rc rc = VMAIL_NOT_FOUND;

	if (vmail_nss_askable(name, &q.name))
		rc = vmail_nss_ask(find_name, &q);
	return vmail_nss_end(rc, kept, errnop);
}

struct uid_question {
	uid_t uid;
	struct vmail_nss_target to;
};

/* *name: the identity or guest whose number this is here, at the window's end;
 * n == 0: nobody's, and *host is the number's on the host. */
static FRAME enum vmail_rc
whose_number(const struct vmail_nss_source *source, uid_t uid,
    struct vmail_str *name, uint32_t *host)
{
	const struct vmail_nss_asked asked = { .number = uid };
	char *room = source->window + VMAIL_PUBLIC_RECORD;
	struct vmail_world world;
	enum vmail_rc rc =
	    vmail_nss_world(source->map, source->window, &asked, &world);

	if (rc != VMAIL_OK)
		return rc;
	rc = vmail_ids_identity_of(&world, uid, name);
	if (rc == VMAIL_OK)
		return vmail_nss_keep_name(source, name);
	if (rc == VMAIL_NOT_FOUND)
		rc = vmail_ids_guest_of(&world, uid, room, name);
	if (rc != VMAIL_NOT_FOUND)
		return rc;
	name->n = 0;
	return vmail_ids_to_host(&world, uid, host);
}

static enum vmail_rc
find_uid(const struct vmail_nss_source *source, const void *question)
{
	const struct uid_question *q = question;
	struct vmail_str name;
	uint32_t host;
	bool is_one = false;
	enum vmail_rc rc = whose_number(source, q->uid, &name, &host);

	if (rc != VMAIL_OK)
		return rc;
	if (name.n > 0) {
		rc = identity_named(source, name, &q->to, &is_one);
		return rc == VMAIL_OK && !is_one ? VMAIL_NOT_FOUND : rc;
	}
	/* Of one file per domain no number leads to a mailbox. */
	rc = turn_to_mailboxes(source, VMAIL_STR(""));
	return rc == VMAIL_OK ? mailbox_of(source, host, &q->to) : rc;
}

/* number(name(n)) = n, or there is no answer: a stale map may lead to a
 * mailbox that has another number by now. */
enum nss_status
_nss_vmail_getpwuid_r(
    uid_t uid, struct passwd *pw, char *buf, size_t size, int *errnop)
{
	struct passwd answer;
	const struct uid_question q = { uid, { &answer, buf, size } };
	int kept = vmail_nss_begin();
	enum vmail_rc rc = VMAIL_NOT_FOUND;

	if (uid != 0 && uid != (uid_t)-1)
		rc = vmail_nss_ask(find_uid, &q);
	if (rc == VMAIL_OK && answer.pw_uid != uid)
		rc = VMAIL_NOT_FOUND;
	if (rc == VMAIL_OK)
		*pw = answer;
	return vmail_nss_end(rc, kept, errnop);
}
