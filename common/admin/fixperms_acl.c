#include "common/admin/fixperms_acl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/fixperms_fix.h"
#include "common/admin/lacking.h"

enum { WORDS = 160 };

static void
acl_end(acl_t *acl)
{
	if (*acl != NULL)
		(void)acl_free(*acl);
}

/* The entry of that kind (of uid, where it is a user's); made if need be. */
static bool
entry_of(acl_t *acl, acl_tag_t tag, uid_t uid, acl_entry_t *entry, bool *made)
{
	acl_tag_t have;
	uid_t *id;
	bool same;

	*made = false;
	for (int which = ACL_FIRST_ENTRY;
	     acl_get_entry(*acl, which, entry) == 1; which = ACL_NEXT_ENTRY) {
		if (acl_get_tag_type(*entry, &have) != 0)
			return false;
		if (have != tag)
			continue;
		if (tag != ACL_USER)
			return true;
		id = acl_get_qualifier(*entry);
		same = id != NULL && *id == uid;
		if (id != NULL)
			(void)acl_free(id);
		if (same)
			return true;
	}
	*made = true;
	return acl_create_entry(acl, entry) == 0 &&
	       acl_set_tag_type(*entry, tag) == 0 &&
	       (tag != ACL_USER || acl_set_qualifier(*entry, &uid) == 0);
}

static bool
add_read(acl_entry_t entry)
{
	acl_permset_t set;

	return acl_get_permset(entry, &set) == 0 &&
	       acl_add_perm(set, ACL_READ) == 0;
}

/* A mask that is there lets the group read by now, as the mode must. One that
 * is new lets through what there is. */
static bool
has_mask(acl_t *acl)
{
	acl_entry_t mask;
	bool made;

	return entry_of(acl, ACL_MASK, 0, &mask, &made) &&
	       (!made || acl_calc_mask(acl) == 0);
}

static bool
let_read(int fd, acl_t *acl, uid_t uid)
{
	acl_entry_t user;
	bool made;

	return entry_of(acl, ACL_USER, uid, &user, &made) && add_read(user) &&
	       has_mask(acl) && acl_valid(*acl) == 0 &&
	       acl_set_fd(fd, *acl) == 0;
}

static bool
may_read(int fd, acl_t acl, const struct vmail_ids *guest)
{
	const struct vmail_lacking_who who = { guest->uid, guest->gid, NULL,
		0 };
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       vmail_lacking_bits(&st, acl, &who, R_OK) == 0;
}

void
vmail_fixperms_let_read(struct vmail_fixperms *f, int fd,
    const struct vmail_ids *guest, const char *path)
{
	__attribute__((cleanup(acl_end))) acl_t acl = acl_get_fd(fd);
	char words[WORDS];
	struct vmail_fixperms_item item = {
		.act = VMAIL_FIXPERMS_CHANGE, .path = path, .why = words
	};

	if (acl != NULL && may_read(fd, acl, guest))
		return;
	if (acl == NULL || (!f->dry_run && !let_read(fd, &acl, guest->uid))) {
		(void)snprintf(words, sizeof(words),
		    "no ACL that lets %u read it: %s", guest->uid,
		    strerror(errno));
		vmail_fixperms_leave(f, path, NULL, words);
		return;
	}
	(void)snprintf(words, sizeof(words),
	    "%u cannot read it: the ACL gets u:%u:r--", guest->uid, guest->uid);
	f->changed++;
	if (f->say != NULL)
		f->say(&item, f->arg);
}
