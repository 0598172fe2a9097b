/*
 * Which number an identity has on the system where the question is asked, and
 * back (ids.md). Pure functions over a struct that says what is known of this
 * system, plus the reader of /etc/passwd, /etc/group and the id maps of
 * /proc/self.
 */
#ifndef VMAIL_CORE_IDS_H
#define VMAIL_CORE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/text.h"

/* What decides a number here. Strings are borrowed. */
struct vmail_world {
	struct vmail_str owner_user, owner_group;
	struct vmail_str views; /* the lines of the views file */
	uint32_t first_valid_uid, last_valid_uid;
	bool map_seen; /* map_uid, map_gid: how the map file shows here */
	uid_t map_uid;
	gid_t map_gid;
	/* What the map knows of the owner's account; NULL: nothing. */
	const struct vmail_map_account *account;
};

void vmail_world_of_map(struct vmail_world *w, const struct vmail_map *map);
/* For who has vmail.conf and the text of views instead (may be empty);
 * map: how P.cdb shows here, or NULL. */
void vmail_world_of_conf(struct vmail_world *w, const struct vmail_conf *conf,
    struct vmail_str views, const struct stat *map);

struct vmail_ids {
	uid_t uid;
	gid_t gid;
};

/* Is this name one (the owner, or named in views)? */
bool vmail_ids_is_identity(const struct vmail_world *w, struct vmail_str name);

/* name -> numbers, steps 2, 4, 5 of ids.md. VMAIL_NOT_FOUND: no number here.
 * VMAIL_IO, here and below: /etc/passwd or /etc/group cannot be read. */
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

/* number here -> the host's number of the same user, for the map's ":uid:".
 * VMAIL_NOT_FOUND: none, or out of the valid range. */
enum vmail_rc vmail_ids_to_host(
    const struct vmail_world *w, uid_t uid, uint32_t *host);

/* May a mailbox without a domain have this name? False: it is an identity,
 * IDENTITY-VIEW, or stands in /etc/passwd. */
bool vmail_ids_name_free(const struct vmail_world *w, struct vmail_str name);

/* One account of /etc/passwd, read directly. VMAIL_NOT_FOUND; VMAIL_IO. */
enum vmail_rc vmail_ids_account(struct vmail_str name, struct vmail_ids *out);
/* The same, with what tells that the file is unchanged. VMAIL_BUSY: it did
 * not stand still. */
enum vmail_rc vmail_ids_account_seen(
    struct vmail_str name, struct vmail_map_account *out);
enum vmail_rc vmail_ids_system_group(struct vmail_str name, gid_t *out);

#endif
