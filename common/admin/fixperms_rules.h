/*
 * What owner and mode each thing must have. Bits that must be there and bits
 * that must not: what is merely unusual stays as it is.
 *
 *   mail, folders      the user's uid and gid; u+rwx, o-w
 *   mail, files        the user's uid and gid; u+rw, o-w, no setuid or setgid
 *   mail, links,       the user's uid and gid; their mode says nothing
 *     pipes, sockets
 *   folders above      root's, the owner's or the user's; o-w, and, where the
 *     a home             user cannot pass, 0711
 *   /etc/vmail         root's; a+x and u+rwx, go-w
 *   vmail.conf, views  root's; a+r, go-w
 *   passwd.cdb         root's, of the owner's group; a+r, go-w
 *   passwd apppw deny  root's, of reader_group; u+rw, g+r, g-w, o-rwx
 *   passwd- and .lock  root's; u+rw, go-rwx
 *   what a killed      root's; g-w, o-rwx
 *     commit left
 */
#ifndef VMAIL_ADMIN_FIXPERMS_RULES_H
#define VMAIL_ADMIN_FIXPERMS_RULES_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/core/ids.h"
#include "common/core/text.h"

enum vmail_fixperms_kind {
	VMAIL_FIXPERMS_MAIL, /* by what it is: folder, file, another */
	VMAIL_FIXPERMS_ABOVE,
	VMAIL_FIXPERMS_FOLDER,
	VMAIL_FIXPERMS_PUBLIC,
	VMAIL_FIXPERMS_MAP,
	VMAIL_FIXPERMS_SECRET,
	VMAIL_FIXPERMS_PRIVATE,
	VMAIL_FIXPERMS_LEFTOVER,
};

/* mode: with its kind of file, as stat has it. */
struct vmail_fixperms_perms {
	struct vmail_ids ids;
	mode_t mode;
};

struct vmail_fixperms_want {
	enum vmail_fixperms_kind kind;
	struct vmail_ids ids;
	bool any_gid;
	mode_t must, must_not;
};

/* What the rule is for a thing of that mode. ids.gid says nothing where the
 * rule does not. */
struct vmail_fixperms_want vmail_fixperms_rule(
    enum vmail_fixperms_kind kind, struct vmail_ids ids, mode_t mode);

/* *is as it should be; the same as *is where nothing is wrong. */
struct vmail_fixperms_perms vmail_fixperms_should(
    const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is);
bool vmail_fixperms_same(
    const struct vmail_fixperms_perms *a, const struct vmail_fixperms_perms *b);

/* What is wrong, in words. */
void vmail_fixperms_why(const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is, struct vmail_buf *words);

#endif
