/*
 * Which number an identity has on the system where the question is asked, and
 * back (ids.md): functions over a struct that says what is known of this
 * system, which ask account and nsmap for the rest.
 */
#ifndef VMAIL_CORE_IDS_H
#define VMAIL_CORE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/account.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/text.h"
#include "common/core/views.h"

/* What decides a number here. Strings are borrowed. */
struct vmail_world {
	struct vmail_str owner_user, owner_group;
	struct vmail_str views; /* the lines of the views file */
	/* What they say of the owner on the host, by which much is judged;
	 * other_hosts: they name another identity there. */
	bool has_host, other_hosts;
	struct vmail_ids host;
	uint32_t first_valid_uid, last_valid_uid;
	bool map_seen; /* map_uid, map_gid: how the map file shows here */
	uid_t map_uid;
	gid_t map_gid;
	/* What the map knows of the owner's account; n == 0: nothing. */
	struct vmail_str account;
};

void vmail_world_of_map(struct vmail_world *w, const struct vmail_map *map);
/* For who has vmail.conf and the text of views instead (may be empty);
 * map: how P.cdb shows here, or NULL. */
void vmail_world_of_conf(struct vmail_world *w, const struct vmail_conf *conf,
    struct vmail_str views, const struct stat *map);
/* Other lines than it was made with. */
void vmail_world_set_views(struct vmail_world *w, struct vmail_str views);

/* Root's, nobody's and -1's (as 16 and 32 bits): never mail's. */
bool vmail_ids_reserved(uint32_t id);

/* Are ids here the host's own? */
bool vmail_ids_own(const struct vmail_world *w);

/* The identity that the host's number is, by its lines; the owner first. */
bool vmail_ids_host_identity(const struct vmail_world *w, uint32_t number,
    bool group, struct vmail_str *identity);

/* The numbers that a view's identity has on the host's disk: through its
 * namespace, or as they are. False: the namespace does not hold them, or they
 * are nobody's mail. */
bool vmail_ids_on_disk(const struct vmail_view *view, struct vmail_ids *out);

/* Is this name one (the owner, or named in views)? */
bool vmail_ids_is_identity(const struct vmail_world *w, struct vmail_str name);

/*
 * name -> numbers, by the steps of ids.md. VMAIL_NOT_FOUND: no number here.
 * VMAIL_IO, here and below: /etc/passwd or /etc/group cannot be read;
 * VMAIL_DENIED, VMAIL_NO_MEMORY: /run/vmail/view. One that is not to be
 * trusted, or names a view that says nothing of the identity, is passed over.
 */
enum vmail_rc vmail_ids_of_identity(const struct vmail_world *w,
    struct vmail_str identity, struct vmail_ids *out);

/* Those of the identity that owns mail, or, where it has none here, the
 * user's own: for the folders above a mail home. */
struct vmail_ids vmail_ids_of_owner(
    const struct vmail_world *w, const struct vmail_ids *user);

/* The uid and gid fields of a mailbox -> numbers here. VMAIL_NOT_FOUND: not
 * resolvable, or not to be answered. */
enum vmail_rc vmail_ids_of_mailbox(const struct vmail_world *w,
    struct vmail_str uid, struct vmail_str gid, struct vmail_ids *out);

/* A group name of ours (the owner's group, an identity's) -> its number. */
enum vmail_rc vmail_ids_of_group(
    const struct vmail_world *w, struct vmail_str group, gid_t *out);

/* number here -> the identity it belongs to. VMAIL_NOT_FOUND. */
enum vmail_rc vmail_ids_identity_of(
    const struct vmail_world *w, uid_t uid, struct vmail_str *identity);
enum vmail_rc vmail_ids_group_of(
    const struct vmail_world *w, gid_t gid, struct vmail_str *group);

/*
 * On the host a view with a user namespace gives its identity a number of the
 * host's, whose name is IDENTITY-VIEW in lower case: a guest. Of two with the
 * same number or name the first counts; a number or name that an identity has,
 * or a name in /etc/passwd (a group's, in /etc/group), stays theirs.
 * VMAIL_NOT_FOUND: no such guest, or this is not the host.
 */
enum { VMAIL_GUEST_MAX = VMAIL_ACCOUNT_MAX + 1 + VMAIL_VIEW_MAX };
enum vmail_rc vmail_ids_of_guest(
    const struct vmail_world *w, struct vmail_str name, struct vmail_ids *out);
enum vmail_rc vmail_ids_of_guest_group(
    const struct vmail_world *w, struct vmail_str name, gid_t *out);
/* The name is laid out in room. */
enum vmail_rc vmail_ids_guest_of(const struct vmail_world *w, uid_t uid,
    char room[VMAIL_GUEST_MAX], struct vmail_str *name);
enum vmail_rc vmail_ids_guest_group_of(const struct vmail_world *w, gid_t gid,
    char room[VMAIL_GUEST_MAX], struct vmail_str *name);
/* A view's part in these: does it have that name; the numbers on the host of
 * its identity (false: none). */
bool vmail_ids_guest_named(
    const struct vmail_view *view, struct vmail_str name);
bool vmail_ids_guest_numbers(
    const struct vmail_view *view, struct vmail_ids *out);

/* number here -> the host's number of the same user, for the map's ":uid:".
 * VMAIL_NOT_FOUND: none, or out of the valid range. */
enum vmail_rc vmail_ids_to_host(
    const struct vmail_world *w, uid_t uid, uint32_t *host);

/* May a mailbox without a domain have this name? False: it is an identity,
 * IDENTITY-VIEW, or stands in /etc/passwd. */
bool vmail_ids_name_free(const struct vmail_world *w, struct vmail_str name);

#endif
