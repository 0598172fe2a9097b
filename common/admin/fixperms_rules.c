#include "common/admin/fixperms_rules.h"

#include <sys/stat.h>

enum { PERMS = 07777 };

struct rule {
	mode_t must, must_not;
	bool any_gid;
	const char *owner, *bits, *others; /* what is wrong where it is */
};

static const struct rule mail_folder = {
	0700,
	0002,
	false,
	"not the user's",
	"its owner needs rwx",
	"everybody may write it",
};

static const struct rule mail_file = {
	0600,
	06002,
	false,
	"not the user's",
	"its owner needs rw",
	"everybody may write it",
};

static const struct rule mail_other = { 0, 0, false, "not the user's", "", "" };

static const struct rule rules[] = {
	[VMAIL_FIXPERMS_ABOVE] = { 0, 0002, false,
	    "somebody else's, on the way to mail",
	    "the user cannot pass through it",
	    "everybody may replace what is in it" },
	[VMAIL_FIXPERMS_FOLDER] = { 0711, 0022, true, "not root's",
	    "not everybody reaches the map in it",
	    "others than root may replace the files in it" },
	[VMAIL_FIXPERMS_PUBLIC] = { 0444, 0022, true, "not root's",
	    "everybody must be able to read it",
	    "others than root may write it" },
	[VMAIL_FIXPERMS_MAP] = { 0444, 0022, false,
	    "not root's and of the owner's group",
	    "everybody must be able to read it: NSS does",
	    "others than root may write it" },
	[VMAIL_FIXPERMS_SECRET] = { 0640, 0027, false,
	    "not root's and of reader_group", "reader_group cannot read it",
	    "others may read or write the hashes in it" },
	[VMAIL_FIXPERMS_PRIVATE] = { 0600, 0077, true, "not root's",
	    "root cannot read it", "for root alone" },
	[VMAIL_FIXPERMS_LEFTOVER] = { 0, 0027, true, "not root's", "",
	    "others may read or write the hashes in it" },
};

static const struct rule *
rule_of(enum vmail_fixperms_kind kind, mode_t mode)
{
	if (kind != VMAIL_FIXPERMS_MAIL)
		return &rules[kind];
	if (S_ISDIR(mode))
		return &mail_folder;
	return S_ISREG(mode) ? &mail_file : &mail_other;
}

struct vmail_fixperms_want
vmail_fixperms_rule(
    enum vmail_fixperms_kind kind, struct vmail_ids ids, mode_t mode)
{
	const struct rule *r = rule_of(kind, mode);

	return (struct vmail_fixperms_want){ kind, ids, r->any_gid, r->must,
		r->must_not };
}

struct vmail_fixperms_perms
vmail_fixperms_should(const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is)
{
	struct vmail_fixperms_perms should = *is;

	should.ids.uid = want->ids.uid;
	if (!want->any_gid)
		should.ids.gid = want->ids.gid;
	should.mode = (is->mode | want->must) & ~want->must_not;
	return should;
}

bool
vmail_fixperms_same(
    const struct vmail_fixperms_perms *a, const struct vmail_fixperms_perms *b)
{
	return a->ids.uid == b->ids.uid && a->ids.gid == b->ids.gid &&
	       ((a->mode ^ b->mode) & PERMS) == 0;
}

static void
add(struct vmail_buf *words, const char *word)
{
	if (words->len > 0)
		vmail_buf_z(words, "; ");
	vmail_buf_z(words, word);
}

void
vmail_fixperms_why(const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is, struct vmail_buf *words)
{
	const struct rule *r = rule_of(want->kind, is->mode);
	mode_t bad = is->mode & want->must_not;

	if (is->ids.uid != want->ids.uid ||
	    (!want->any_gid && is->ids.gid != want->ids.gid))
		add(words, r->owner);
	if ((want->must & ~is->mode) != 0)
		add(words, r->bits);
	if ((bad & (S_ISUID | S_ISGID)) != 0)
		add(words, "a program with its owner's rights is no mail");
	if ((bad & 0777) != 0)
		add(words, r->others);
}
