/*
 * Laying out an answer in the caller's buffer. Nothing behind buf[size] is
 * touched, and the answer's struct is written on VMAIL_OK only.
 * VMAIL_TOO_SMALL: the buffer; VMAIL_NOT_FOUND: ids that are never answered
 * (0 and -1).
 */
#ifndef VMAIL_NSS_PACK_H
#define VMAIL_NSS_PACK_H

#include <grp.h>
#include <pwd.h>

#include "common/core/err.h"
#include "common/core/ids.h"
#include "common/core/map.h"
#include "common/core/text.h"

/* Where a passwd entry goes. */
struct vmail_nss_target {
	struct passwd *pw;
	char *buf;
	size_t size;
};

struct vmail_nss_account {
	struct vmail_str name, gecos, home;
	struct vmail_ids ids;
	const char *template; /* of the home, where home is empty */
};

/* VMAIL_INVALID: the template is no template. */
enum vmail_rc vmail_nss_pack_passwd(
    const struct vmail_nss_account *account, const struct vmail_nss_target *to);

/* The same of a mailbox as the map has it, with its ids as they are here
 *. VMAIL_NOT_FOUND too: it has none here, or its name
 * is an account of the system's. */
enum vmail_rc vmail_nss_pack_mailbox(const struct vmail_public *mailbox,
    const char *template, const struct vmail_world *world,
    const struct vmail_nss_target *to);

/* A group without members; gr_mem is aligned whatever buf is. */
enum vmail_rc vmail_nss_pack_group(
    struct vmail_str name, gid_t gid, struct group *gr, char *buf, size_t size);

#endif
