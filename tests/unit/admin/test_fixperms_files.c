#include "tests/unit/admin/fixture.h"

#include <sys/acl.h>

#include "common/admin/fixperms.h"

enum { READER = 106, OWNER = 5000, GUEST = 100999, VMAIL = 5000 };

static const struct vmail_fixperms_groups groups = {
	.reader = READER, .owner = OWNER, .owner_known = true
};

struct told {
	const struct fixture *f;
	char text[8192];
	size_t n;
};

static void
say(const struct vmail_fixperms_item *item, void *arg)
{
	struct told *t = arg;

	t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n,
	    "%s %s: %s\n",
	    item->act == VMAIL_FIXPERMS_CHANGE ? "change" : "left",
	    item->path + strlen(t->f->dir), item->why);
	assert_true(t->n < sizeof(t->text));
}

/* Every file there is, as formats.md says. */
static const struct row {
	const char *name;
	uid_t uid;
	gid_t gid;
	mode_t mode;
} rows[] = {
	{ "vmail.conf", 0, 0, 0644 },
	{ "views", 0, 0, 0644 },
	{ "passwd", 0, READER, 0640 },
	{ "passwd.cdb", 0, OWNER, 0644 },
	{ "apppw", 0, READER, 0640 },
	{ "deny", 0, READER, 0640 },
	{ "passwd-", 0, 0, 0600 },
	{ ".lock", 0, 0, 0600 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void
own(const struct fixture *f, const char *name, uid_t uid, gid_t gid,
    mode_t mode)
{
	char path[256];

	assert_int_equal(chown(in_dir(f, name, path), uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
furnish(struct fixture *f)
{
	char path[256];

	begin(f, NULL);
	for (size_t i = 0; i < ROWS; i++) {
		put(in_dir(f, rows[i].name, path), "#\n", 2, 0600);
		own(f, rows[i].name, rows[i].uid, rows[i].gid, rows[i].mode);
	}
	own(f, "", 0, 0, 0755);
}

static void
is(const struct fixture *f, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st = stat_of(f, name);

	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static struct told told;

/* All of it; the number of changes. Is the passwd-file to be trusted? */
static bool
mend(struct fixture *f, struct vmail_fixperms *fix,
    const struct vmail_fixperms_groups *g)
{
	bool trusted = false, settings, dry_run = fix->dry_run;

	memset(&told, 0, sizeof(told));
	told.f = f;
	*fix = (struct vmail_fixperms){
		.dry_run = dry_run, .say = say, .arg = &told
	};
	settings = vmail_fixperms_settings(fix, &f->conf, g);
	assert_int_equal(
	    vmail_fixperms_store(fix, &f->conf, g, 5, &trusted, &f->err),
	    VMAIL_OK);
	return trusted && settings;
}

static void
what_is_right_is_not_touched(void **state)
{
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };
	struct stat before[ROWS];

	(void)state;
	furnish(&f);
	for (size_t i = 0; i < ROWS; i++)
		before[i] = stat_of(&f, rows[i].name);
	assert_true(mend(&f, &fix, &groups));
	assert_string_equal(told.text, "");
	assert_int_equal(fix.changed + fix.left, 0);
	for (size_t i = 0; i < ROWS; i++) {
		struct stat st = stat_of(&f, rows[i].name);

		assert_memory_equal(
		    &st.st_ctim, &before[i].st_ctim, sizeof(st.st_ctim));
	}
	end(&f);
}

static void
every_file_gets_the_owner_group_and_mode_it_must_have(void **state)
{
	static const mode_t wrong[] = { 0666, 0600, 0, 0777 };
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };

	(void)state;
	furnish(&f);
	for (size_t w = 0; w < 4; w++) {
		for (size_t i = 0; i < ROWS; i++)
			own(&f, rows[i].name, 1234, 1235, wrong[w]);
		fix.dry_run = true;
		(void)mend(&f, &fix, &groups);
		assert_int_equal(fix.changed, ROWS);
		is(&f, "passwd", 1234, 1235, wrong[w]);
		fix.dry_run = false;
		(void)mend(&f, &fix, &groups);
		assert_int_equal(fix.changed, ROWS);
		for (size_t i = 0; i < ROWS; i++) {
			struct stat st = stat_of(&f, rows[i].name);
			mode_t bits = rows[i].mode & ~0200u;

			assert_int_equal(st.st_uid, 0);
			if (rows[i].gid != 0)
				assert_int_equal(st.st_gid, rows[i].gid);
			/* A program's bits on a file are merely unusual,
			 * where they give nobody anything. */
			assert_int_equal(st.st_mode & bits, bits);
			assert_int_equal(st.st_mode & 0466 & ~bits, 0);
		}
	}
	(void)mend(&f, &fix, &groups);
	assert_int_equal(fix.changed, 0);
	end(&f);
}

static void
the_world_loses_the_hashes(void **state)
{
	static const char *const secrets[] = { "passwd", "apppw", "deny",
		"passwd-", "passwd.tmp" };
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };
	char path[256];

	(void)state;
	furnish(&f);
	put(in_dir(&f, "passwd.tmp", path), "#\n", 2, 0600);
	for (size_t i = 0; i < 5; i++)
		own(&f, secrets[i], 0, READER, 0644);
	assert_true(mend(&f, &fix, &groups));
	assert_int_equal(fix.changed, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(stat_of(&f, secrets[i]).st_mode & 07, 0);
	is(&f, "passwd", 0, READER, 0640);
	is(&f, "passwd-", 0, READER, 0600);
	assert_non_null(strstr(told.text, "/passwd: others may read"));
	end(&f);
}

static void
what_others_could_write_is_not_believed_at_once(void **state)
{
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };

	(void)state;
	furnish(&f);
	own(&f, "passwd", VMAIL, VMAIL, 0600);
	assert_false(mend(&f, &fix, &groups));
	assert_true(mend(&f, &fix, &groups));
	own(&f, "passwd", 0, READER, 0660);
	assert_false(mend(&f, &fix, &groups));
	own(&f, "", 0, 0, 0775);
	assert_false(mend(&f, &fix, &groups));
	is(&f, "", 0, 0, 0755);
	own(&f, "", VMAIL, 0, 0755);
	assert_false(mend(&f, &fix, &groups));
	is(&f, "", 0, 0, 0755);
	own(&f, "passwd", 0, READER, 0644);
	assert_true(mend(&f, &fix, &groups));
	end(&f);
}

static void
links_are_left(void **state)
{
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };
	char path[256], target[256];

	(void)state;
	furnish(&f);
	put(in_dir(&f, "victim", target), "v", 1, 0666);
	assert_int_equal(unlink(in_dir(&f, "deny", path)), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(unlink(in_dir(&f, "apppw", path)), 0);
	assert_int_equal(link(target, path), 0);
	(void)mend(&f, &fix, &groups);
	assert_int_equal(fix.changed, 0);
	assert_non_null(strstr(told.text, "left /deny: not a regular file\n"));
	assert_non_null(strstr(told.text, "left /apppw: a hard link"));
	is(&f, "victim", 0, 0, 0666);
	end(&f);
}

/* A commit that is killed between its link and its rename. */
static void
a_second_name_of_our_own_is_no_stranger(void **state)
{
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };
	char path[256], other[256];

	(void)state;
	furnish(&f);
	assert_int_equal(
	    link(in_dir(&f, "passwd", path), in_dir(&f, "passwd-.tmp", other)),
	    0);
	own(&f, "passwd", 0, READER, 0644);
	fix.dry_run = true;
	assert_true(mend(&f, &fix, &groups));
	assert_int_equal(fix.changed, 1);
	assert_int_equal(fix.left, 0);
	fix.dry_run = false;
	assert_true(mend(&f, &fix, &groups));
	assert_int_equal(fix.left, 0);
	is(&f, "passwd", 0, READER, 0640);
	end(&f);
}

static bool
acl_has(const struct fixture *f, const char *name, const char *entry)
{
	char path[256];
	acl_t acl = acl_get_file(in_dir(f, name, path), ACL_TYPE_ACCESS);
	char *text = acl_to_text(acl, NULL);
	bool has = strstr(text, entry) != NULL;

	(void)acl_free(text);
	(void)acl_free(acl);
	return has;
}

static void
a_guest_gets_an_acl_and_nobody_else_more(void **state)
{
	static const char *const secrets[] = { "passwd", "apppw", "deny" };
	struct vmail_fixperms_groups with = groups;
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = true };

	(void)state;
	with.guest = (struct vmail_ids){ GUEST, GUEST };
	furnish(&f);
	(void)mend(&f, &fix, &with);
	assert_int_equal(fix.changed, 3);
	assert_false(acl_has(&f, "passwd", "100999"));
	fix.dry_run = false;
	(void)mend(&f, &fix, &with);
	assert_int_equal(fix.changed, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(acl_has(&f, secrets[i], "user:100999:r--"));
		assert_true(acl_has(&f, secrets[i], "mask::r--"));
		assert_true(acl_has(&f, secrets[i], "other::---"));
		is(&f, secrets[i], 0, READER, 0640);
	}
	assert_false(acl_has(&f, "passwd-", "100999"));
	(void)mend(&f, &fix, &with);
	assert_int_equal(fix.changed, 0);
	/* In the group, no entry is needed. */
	with.guest = (struct vmail_ids){ 1000, READER };
	(void)mend(&f, &fix, &with);
	assert_int_equal(fix.changed, 0);
	end(&f);
}

/* A chmod 600 takes it away from who has an entry. */
static void
an_acl_that_a_mask_shut_is_open_again(void **state)
{
	struct vmail_fixperms_groups with = groups;
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };
	char path[256];

	(void)state;
	with.guest = (struct vmail_ids){ GUEST, GUEST };
	furnish(&f);
	(void)mend(&f, &fix, &with);
	assert_int_equal(chmod(in_dir(&f, "passwd", path), 0600), 0);
	assert_true(acl_has(&f, "passwd", "mask::---"));
	(void)mend(&f, &fix, &groups);
	assert_true(acl_has(&f, "passwd", "user:100999:r--"));
	assert_true(acl_has(&f, "passwd", "mask::r--"));
	/* The world's bit goes, the entry stays. */
	assert_int_equal(chmod(path, 0644), 0);
	(void)mend(&f, &fix, &groups);
	is(&f, "passwd", 0, READER, 0640);
	assert_true(acl_has(&f, "passwd", "user:100999:r--"));
	end(&f);
}

static void
a_folder_in_a_strangers_folder_is_left(void **state)
{
	struct fixture f;
	struct vmail_fixperms fix = { .dry_run = false };
	char path[256];

	(void)state;
	furnish(&f);
	assert_int_equal(mkdir(in_dir(&f, "theirs", path), 0755), 0);
	assert_int_equal(mkdir(in_dir(&f, "theirs/vmail", path), 0777), 0);
	put(in_dir(&f, "theirs/vmail/passwd", path), "#\n", 2, 0666);
	own(&f, "theirs", 1234, 1234, 0755);
	strcpy(f.conf.passwd_file, path);
	(void)mend(&f, &fix, &groups);
	assert_non_null(strstr(told.text,
	    "left /theirs/vmail: a folder on the way to it is not root's"));
	is(&f, "theirs/vmail/passwd", 0, 0, 0666);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_is_not_touched),
		cmocka_unit_test(
		    every_file_gets_the_owner_group_and_mode_it_must_have),
		cmocka_unit_test(the_world_loses_the_hashes),
		cmocka_unit_test(
		    what_others_could_write_is_not_believed_at_once),
		cmocka_unit_test(links_are_left),
		cmocka_unit_test(a_second_name_of_our_own_is_no_stranger),
		cmocka_unit_test(a_guest_gets_an_acl_and_nobody_else_more),
		cmocka_unit_test(an_acl_that_a_mask_shut_is_open_again),
		cmocka_unit_test(a_folder_in_a_strangers_folder_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
