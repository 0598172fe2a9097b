#include "tests/unit/admin/fixture.h"

#include <grp.h>
#include <sys/acl.h>

#include "common/admin/lacking.h"

enum { MAIL = 5000, AUTH = 1000, READER = 106 };

static const gid_t in_reader[] = { 4, READER };
static const struct vmail_lacking_who auth = { AUTH, AUTH, NULL, 0 };
static const struct vmail_lacking_who helped = { AUTH, AUTH, in_reader, 2 };

static int
lacking(uid_t uid, gid_t gid, mode_t mode, const char *acl,
    const struct vmail_lacking_who *who, int wanted)
{
	struct stat st = { .st_uid = uid, .st_gid = gid, .st_mode = mode };
	acl_t a = acl != NULL ? acl_from_text(acl) : NULL;
	int bits = vmail_lacking_bits(&st, a, who, wanted);

	assert_true(acl == NULL || a != NULL);
	if (a != NULL)
		(void)acl_free(a);
	return bits;
}

static void
the_first_class_that_fits_decides(void **state)
{
	(void)state;
	/* An owner without a bit is not helped by its group or others. */
	assert_int_equal(lacking(AUTH, AUTH, 0077, NULL, &auth, R_OK), R_OK);
	assert_int_equal(lacking(0, AUTH, 0707, NULL, &auth, R_OK), R_OK);
	assert_int_equal(lacking(0, 0, 0704, NULL, &auth, R_OK), 0);
	assert_int_equal(lacking(0, READER, 0640, NULL, &auth, R_OK), R_OK);
	assert_int_equal(lacking(0, READER, 0640, NULL, &helped, R_OK), 0);
	assert_int_equal(
	    lacking(0, READER, 0640, NULL, &helped, R_OK | W_OK), W_OK);
	assert_int_equal(
	    lacking(AUTH, 0, 0500, NULL, &auth, R_OK | W_OK | X_OK), W_OK);
}

static void
root_lacks_nothing_but_a_bit_that_nobody_has(void **state)
{
	const struct vmail_lacking_who root = { 0, 0, NULL, 0 };

	(void)state;
	assert_int_equal(
	    lacking(MAIL, MAIL, S_IFDIR, NULL, &root, R_OK | W_OK | X_OK), 0);
	assert_int_equal(
	    lacking(MAIL, MAIL, S_IFREG, NULL, &root, R_OK | X_OK), X_OK);
	assert_int_equal(
	    lacking(MAIL, MAIL, S_IFREG | 0100, NULL, &root, X_OK), 0);
}

static void
an_acl_is_weighed_as_the_kernel_does(void **state)
{
	const char *user = "u::rw-,u:1000:r--,g::---,m::r--,o::---";
	const char *masked = "u::rw-,u:1000:r--,g::---,m::---,o::r--";
	const char *groups = "u::rw-,g::---,g:106:r--,m::r--,o::---";

	(void)state;
	assert_int_equal(lacking(0, 0, 0640, user, &auth, R_OK), 0);
	assert_int_equal(lacking(0, 0, 0640, user, &auth, W_OK), W_OK);
	assert_int_equal(lacking(0, 0, 0604, masked, &auth, R_OK), R_OK);
	assert_int_equal(lacking(0, 0, 0640, groups, &helped, R_OK), 0);
	assert_int_equal(lacking(0, 0, 0640, groups, &auth, R_OK), R_OK);
	/* Any group that grants it will do, and is masked. */
	assert_int_equal(
	    lacking(0, READER, 0640, "u::rw-,g::---,g:4:r--,m::r--,o::---",
		&helped, R_OK),
	    0);
	assert_int_equal(
	    lacking(0, READER, 0604, "u::rw-,g::---,g:4:r--,m::---,o::r--",
		&helped, R_OK),
	    R_OK);
	/* The owner's class is not masked; the file's group is one more. */
	assert_int_equal(lacking(AUTH, 0, 0600, masked, &auth, R_OK | W_OK), 0);
	assert_int_equal(
	    lacking(0, AUTH, 0640, "u::rw-,g::r--,g:106:---,m::r--,o::---",
		&helped, R_OK),
	    0);
}

struct room {
	struct fixture f;
	int root;
	char words[512];
};

static void
enter(struct room *r)
{
	begin(&r->f, NULL);
	assert_int_equal(chmod(r->f.dir, 0755), 0);
	r->root = open(r->f.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->root >= 0);
}

static void
leave(struct room *r)
{
	close(r->root);
	end(&r->f);
}

static void
folder(struct room *r, const char *name, uid_t uid, mode_t mode)
{
	char path[256];

	assert_int_equal(mkdir(in_dir(&r->f, name, path), 0700), 0);
	assert_int_equal(chown(path, uid, uid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
file(struct room *r, const char *name, uid_t uid, mode_t mode)
{
	char path[256];

	put(in_dir(&r->f, name, path), "x", 1, 0600);
	assert_int_equal(chown(path, uid, uid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static enum vmail_rc
explain(struct room *r, const char *path, const struct vmail_lacking_who *who,
    int wanted)
{
	return vmail_lacking_explain(
	    r->root, path, who, wanted, r->words, sizeof(r->words));
}

static void
the_words_name_the_component_its_owner_and_the_bit(void **state)
{
	struct room r;

	(void)state;
	enter(&r);
	folder(&r, "mail", 0, 0711);
	folder(&r, "mail/d", MAIL, 0700);
	file(&r, "mail/d/f", AUTH, 0600);
	file(&r, "users", MAIL, 0600);
	assert_int_equal(explain(&r, "/users", &auth, R_OK), VMAIL_DENIED);
	assert_string_equal(r.words,
	    "euid=1000 egid=1000 missing +r perm: /users, "
	    "owned by 5000:5000 mode=0600");
	assert_int_equal(explain(&r, "/mail/d/f", &auth, R_OK), VMAIL_DENIED);
	assert_string_equal(r.words,
	    "euid=1000 egid=1000 missing +x perm: /mail/d, "
	    "dir owned by 5000:5000 mode=0700");
	assert_int_equal(
	    explain(&r, "/mail", &auth, R_OK | W_OK | X_OK), VMAIL_DENIED);
	assert_string_equal(r.words,
	    "euid=1000 egid=1000 missing +rw perm: /mail, "
	    "dir owned by 0:0 mode=0711");
	assert_int_equal(explain(&r, "//mail/./", &auth, X_OK), VMAIL_OK);
	assert_string_equal(r.words, "");
	leave(&r);
}

static void
a_group_that_would_help_is_named(void **state)
{
	struct room r;
	char path[256];

	(void)state;
	enter(&r);
	file(&r, "users", 0, 0640);
	assert_int_equal(chown(in_dir(&r.f, "users", path), 0, READER), 0);
	assert_int_equal(explain(&r, "users", &auth, R_OK), VMAIL_DENIED);
	assert_string_equal(r.words,
	    "euid=1000 egid=1000 missing +r perm: /users, it is not in group "
	    "106, owned by 0:106 mode=0640");
	assert_int_equal(explain(&r, "users", &helped, R_OK), VMAIL_OK);
	leave(&r);
}

static void
an_acl_on_the_way_is_read(void **state)
{
	struct room r;
	char path[256];
	acl_t acl = acl_from_text("u::rwx,u:1000:---,g::r-x,m::r-x,o::r-x");

	(void)state;
	enter(&r);
	folder(&r, "mail", 0, 0755);
	assert_int_equal(
	    acl_set_file(in_dir(&r.f, "mail", path), ACL_TYPE_ACCESS, acl), 0);
	(void)acl_free(acl);
	assert_int_equal(explain(&r, "/mail/x", &auth, R_OK), VMAIL_DENIED);
	assert_string_equal(r.words,
	    "euid=1000 egid=1000 missing +x perm: /mail, "
	    "dir owned by 0:0 mode=0755 with an ACL");
	leave(&r);
}

/* As in another process's root: "/" and ".." stay inside. */
static void
links_are_followed_and_never_out_of_the_root(void **state)
{
	struct room r;
	char path[256];

	(void)state;
	enter(&r);
	folder(&r, "etc", 0, 0755);
	folder(&r, "real", 0, 0755);
	folder(&r, "real/deep", 0, 0700);
	file(&r, "real/deep/passwd", 0, 0644);
	file(&r, "passwd", 0, 0600);
	assert_int_equal(
	    symlink("/real/deep", in_dir(&r.f, "etc/vmail", path)), 0);
	assert_int_equal(
	    symlink("../../../../passwd", in_dir(&r.f, "etc/up", path)), 0);
	assert_int_equal(symlink("loop", in_dir(&r.f, "etc/loop", path)), 0);
	assert_int_equal(
	    explain(&r, "/etc/vmail/passwd", &auth, R_OK), VMAIL_DENIED);
	assert_non_null(strstr(r.words, "+x perm: /real/deep, dir"));
	assert_int_equal(explain(&r, "/etc/up", &auth, R_OK), VMAIL_DENIED);
	assert_non_null(strstr(r.words, "+r perm: /passwd, owned by 0:0"));
	assert_int_equal(explain(&r, "/etc/loop", &auth, R_OK), VMAIL_INVALID);
	assert_int_equal(explain(&r, "/../..", &auth, W_OK), VMAIL_DENIED);
	assert_non_null(strstr(r.words, "+w perm: /, dir"));
	leave(&r);
}

static void
what_is_not_there_is_named(void **state)
{
	struct room r;
	char little[24];

	(void)state;
	enter(&r);
	file(&r, "file", 0, 0644);
	assert_int_equal(
	    explain(&r, "/mail/ann", &auth, R_OK), VMAIL_NOT_FOUND);
	assert_string_equal(r.words, "/mail: No such file or directory");
	assert_int_equal(
	    explain(&r, "/file/ann", &auth, R_OK), VMAIL_NOT_FOUND);
	assert_string_equal(r.words, "/file: Not a directory");
	assert_int_equal(vmail_lacking_explain(r.root, "/file", &auth, W_OK,
			     little, sizeof(little)),
	    VMAIL_DENIED);
	assert_true(strlen(little) < sizeof(little));
	leave(&r);
}

/* What is worked out is what the kernel does, for every mode. */
static void
it_agrees_with_the_kernel(void **state)
{
	struct room r;
	char path[256];

	(void)state;
	enter(&r);
	file(&r, "f", MAIL, 0600);
	in_dir(&r.f, "f", path);
	for (int who = 0; who < 3; who++) {
		pid_t pid;

		assert_int_equal(
		    chown(path, who == 0 ? AUTH : MAIL, who == 1 ? AUTH : MAIL),
		    0);
		for (mode_t mode = 0; mode < 01000; mode += 3) {
			assert_int_equal(chmod(path, mode), 0);
			bool mine = explain(&r, "f", &auth, R_OK) == VMAIL_OK;

			pid = fork();
			if (pid == 0) {
				if (setgroups(0, NULL) != 0 ||
				    setresgid(AUTH, AUTH, AUTH) != 0 ||
				    setresuid(AUTH, AUTH, AUTH) != 0)
					_exit(99);
				_exit(open(path, O_RDONLY) < 0);
			}
			assert_int_equal(outcome(pid), mine ? 0 : 1);
		}
	}
	leave(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_class_that_fits_decides),
		cmocka_unit_test(root_lacks_nothing_but_a_bit_that_nobody_has),
		cmocka_unit_test(an_acl_is_weighed_as_the_kernel_does),
		cmocka_unit_test(
		    the_words_name_the_component_its_owner_and_the_bit),
		cmocka_unit_test(a_group_that_would_help_is_named),
		cmocka_unit_test(an_acl_on_the_way_is_read),
		cmocka_unit_test(links_are_followed_and_never_out_of_the_root),
		cmocka_unit_test(what_is_not_there_is_named),
		cmocka_unit_test(it_agrees_with_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
