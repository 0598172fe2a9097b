#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "common/admin/viewsfile.h"

#define TABLE                                                                  \
	"# mine\n\nhost vmail 5000:5000 -\t \n  dovecot\tvmail 1000:1000 "     \
	"-\r\n"

static char views[256];

static void
begin_views(struct fixture *f, const char *text)
{
	begin(f, "ann:x\n");
	put(in_dir(f, "views", views), text, strlen(text), 0644);
}

static enum vmail_rc
add(struct fixture *f, const char *line)
{
	VMAIL_VIEWSFILE *file = NULL;
	enum vmail_rc rc = vmail_viewsfile_open(&f->conf, 0, &file, &f->err);

	if (rc == VMAIL_OK)
		rc = vmail_viewsfile_add(file, vmail_str(line), &f->err);
	return rc == VMAIL_OK ? vmail_viewsfile_commit(file, NULL, &f->err)
			      : rc;
}

static size_t
del(struct fixture *f, const char *view, const char *identity)
{
	VMAIL_VIEWSFILE *file = NULL;
	size_t n;

	assert_int_equal(
	    vmail_viewsfile_open(&f->conf, 0, &file, &f->err), VMAIL_OK);
	n = vmail_viewsfile_remove(file, vmail_str(view), vmail_str(identity));
	assert_int_equal(vmail_viewsfile_commit(file, NULL, &f->err), VMAIL_OK);
	return n;
}

static void
a_line_is_added_behind_all_others_which_stay_byte_for_byte(void **state)
{
	struct fixture f;

	(void)state;
	begin_views(&f, TABLE);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_OK);
	assert_text(views, TABLE "new vmail 1:2 -\n");
	end(&f);
}

static void
a_last_line_without_its_line_feed_gets_one(void **state)
{
	struct fixture f;

	(void)state;
	begin_views(&f, "host vmail 5000:5000 -");
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_OK);
	assert_text(views, "host vmail 5000:5000 -\nnew vmail 1:2 -\n");
	end(&f);
}

static void
a_line_is_taken_out_and_no_other_byte(void **state)
{
	struct fixture f;

	(void)state;
	begin_views(&f, TABLE "dovecot other 7:7 -\ndovecot2 vmail 8:8 -\n"
			      "dovecot vmail broken\n#dovecot vmail 1:1 -");
	assert_int_equal(del(&f, "dovecot", "vmail"), 2);
	assert_text(views, "# mine\n\nhost vmail 5000:5000 -\t \n"
			   "dovecot other 7:7 -\ndovecot2 vmail 8:8 -\n"
			   "#dovecot vmail 1:1 -");
	assert_int_equal(del(&f, "dovecot", "vmail"), 0);
	end(&f);
}

static void
a_missing_file_is_made_for_everybody_to_read(void **state)
{
	struct fixture f;
	struct stat st;

	(void)state;
	begin_views(&f, "");
	assert_int_equal(unlink(views), 0);
	umask(077);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_OK);
	umask(022);
	assert_text(views, "new vmail 1:2 -\n");
	assert_int_equal(stat(views, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	end(&f);
}

static void
owner_mode_and_acl_go_over_to_the_new_file(void **state)
{
	static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255,
		255, 255, 2, 0, 4, 0, 0x87, 0x8a, 1, 0, 4, 0, 4, 0, 255, 255,
		255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255,
		255, 255, 255 };
	unsigned char now[sizeof(acl) + 16];
	struct fixture f;
	struct stat st;

	(void)state;
	begin_views(&f, TABLE);
	assert_int_equal(chown(views, 0, 77), 0);
	assert_int_equal(
	    setxattr(views, "system.posix_acl_access", acl, sizeof(acl), 0), 0);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_OK);
	assert_int_equal(stat(views, &st), 0);
	assert_int_equal(st.st_gid, 77);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(
	    getxattr(views, "system.posix_acl_access", now, sizeof(now)),
	    sizeof(acl));
	assert_memory_equal(now, acl, sizeof(acl));
	end(&f);
}

static void
a_writer_waits_for_the_lock_that_all_writers_take(void **state)
{
	struct vmail_store *store = NULL;
	struct fixture f;

	(void)state;
	begin_views(&f, TABLE);
	assert_int_equal(
	    vmail_store_open(&f.conf, 0, &store, &f.err), VMAIL_OK);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_BUSY);
	vmail_store_close(&store);
	assert_text(views, TABLE);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_OK);
	end(&f);
}

static void
what_is_not_roots_alone_to_write_is_refused(void **state)
{
	char other[256];
	struct fixture f;

	(void)state;
	begin_views(&f, TABLE);
	assert_int_equal(chmod(views, 0664), 0);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_UNSAFE);
	assert_int_equal(chmod(views, 0644), 0);
	assert_int_equal(chown(views, 77, 0), 0);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_UNSAFE);
	assert_int_equal(chown(views, 0, 0), 0);
	assert_int_equal(link(views, in_dir(&f, "second", other)), 0);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_UNSAFE);
	assert_int_equal(rename(views, in_dir(&f, "third", other)), 0);
	assert_int_equal(symlink(other, views), 0);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_UNSAFE);
	assert_text(other, TABLE);
	end(&f);
}

static void
a_file_that_is_a_mount_point_is_refused_with_the_mend(void **state)
{
	char other[256];
	struct fixture f;
	pid_t pid;

	(void)state;
	begin_views(&f, TABLE);
	put(in_dir(&f, "other", other), TABLE, strlen(TABLE), 0644);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount(other, views, NULL, MS_BIND, NULL) != 0)
			_exit(99);
		_exit(add(&f, "new vmail 1:2 -") == VMAIL_UNSUPPORTED &&
			      strstr(f.err.what, "mount point") != NULL
			  ? 0
			  : 1);
	}
	assert_int_equal(outcome(pid), 0);
	assert_text(other, TABLE);
	end(&f);
}

static void
what_a_killed_writer_left_is_swept(void **state)
{
	char left[256];
	struct fixture f;

	(void)state;
	begin_views(&f, TABLE);
	put(in_dir(&f, "views.tmp", left), "half", 4, 0600);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_OK);
	assert_int_equal(access(left, F_OK), -1);
	assert_text(views, TABLE "new vmail 1:2 -\n");
	end(&f);
}

static void
too_large_a_file_is_neither_cut_nor_changed(void **state)
{
	size_t n = (1 << 20) + 1;
	char *text = malloc(n);
	struct fixture f;

	(void)state;
	assert_non_null(text);
	memset(text, '#', n);
	begin_views(&f, "");
	put(views, text, n, 0644);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_UNSUPPORTED);
	assert_file_is(views, text, n);
	put(views, text, n - 4, 0644);
	assert_int_equal(add(&f, "new vmail 1:2 -"), VMAIL_UNSUPPORTED);
	assert_file_is(views, text, n - 4);
	free(text);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_line_is_added_behind_all_others_which_stay_byte_for_byte),
		cmocka_unit_test(a_last_line_without_its_line_feed_gets_one),
		cmocka_unit_test(a_line_is_taken_out_and_no_other_byte),
		cmocka_unit_test(a_missing_file_is_made_for_everybody_to_read),
		cmocka_unit_test(owner_mode_and_acl_go_over_to_the_new_file),
		cmocka_unit_test(
		    a_writer_waits_for_the_lock_that_all_writers_take),
		cmocka_unit_test(what_is_not_roots_alone_to_write_is_refused),
		cmocka_unit_test(
		    a_file_that_is_a_mount_point_is_refused_with_the_mend),
		cmocka_unit_test(what_a_killed_writer_left_is_swept),
		cmocka_unit_test(too_large_a_file_is_neither_cut_nor_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
