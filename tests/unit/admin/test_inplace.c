#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <sys/mount.h>

#include "common/admin/inplace.h"
#include "common/admin/journal.h"
#include "common/core/map.h"

#define OLD "# users\nann:{CRYPT}x:7001:7001::/h/ann::\nbob:{CRYPT}y::::::\n"

static struct vmail_commit done;

/* From here on the passwd-file is a mount point of its own, of `other`. */
static void
own_mount(struct fixture *f)
{
	char other[256];

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	put(in_dir(f, "other", other), OLD, strlen(OLD), 0640);
	assert_int_equal(mount(other, f->passwd, NULL, MS_BIND, NULL), 0);
}

static void
begin_mounted(struct fixture *f)
{
	begin(f, OLD);
	own_mount(f);
}

static void
end_mounted(struct fixture *f)
{
	(void)umount2(f->passwd, MNT_DETACH);
	end(f);
}

static bool
map_answers(struct fixture *f, const char *name)
{
	char path[256], window[VMAIL_PUBLIC_WINDOW];
	struct vmail_map map;
	struct vmail_public p;
	struct stat st = stat_of(f, "passwd");
	bool yes;

	assert_int_equal(
	    vmail_map_open(in_dir(f, "passwd.cdb", path), &map, &f->err),
	    VMAIL_OK);
	assert_true(vmail_map_fresh(&map, &st));
	yes = vmail_map_find(&map, vmail_str(name), window, &p) == VMAIL_OK;
	vmail_map_close(&map);
	return yes;
}

static void
a_mount_point_is_written_over_and_keeps_its_inode(void **state)
{
	struct fixture f;
	struct stat before, after;
	char path[256];

	(void)state;
	begin_mounted(&f);
	before = stat_of(&f, "passwd");
	assert_int_equal(
	    append(&f, "cleo:{CRYPT}z:7003:7003::/h/c::", &done), VMAIL_OK);
	assert_true(done.in_place);
	assert_int_equal(done.holder, 0);
	assert_int_equal(done.warning.rc, VMAIL_OK);
	after = stat_of(&f, "passwd");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0640);
	assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec);
	assert_text(f.passwd, OLD "cleo:{CRYPT}z:7003:7003::/h/c::\n");
	assert_text(in_dir(&f, "passwd-", path), OLD);
	assert_int_equal(stat_of(&f, "passwd-").st_mode & 07777, 0600);
	assert_false(there_is(&f, "passwd.journal"));
	assert_false(litter(&f));
	assert_true(map_answers(&f, "cleo"));
	end_mounted(&f);
}

static void
every_kind_of_change_works_in_place_one_after_the_other(void **state)
{
	struct fixture f;

	(void)state;
	begin_mounted(&f);
	assert_int_equal(
	    change(&f, "bob", "bob:{CRYPT}a much longer one::::::", &done),
	    VMAIL_OK);
	assert_true(map_answers(&f, "bob"));
	assert_int_equal(
	    change(&f, "bob", "bob:{CRYPT}s::::::", &done), VMAIL_OK);
	assert_false(done.map_rebuilt);
	assert_int_equal(
	    change(&f, "ann", "ann:{CRYPT}x:7009:7009::/h/ann::", &done),
	    VMAIL_OK);
	assert_true(map_answers(&f, "ann"));
	assert_int_equal(change(&f, "ann", NULL, &done), VMAIL_OK);
	assert_false(map_answers(&f, "ann"));
	assert_text(f.passwd, "# users\nbob:{CRYPT}s::::::\n");
	end_mounted(&f);
}

/* A journal for the present file whose new content is `new`. */
static void
leave_journal(struct fixture *f, const char *new, const char *backup)
{
	char path[256];
	struct vmail_journal j = { .path = f->passwd, .size = strlen(new) };
	int file = open(f->passwd, O_RDONLY | O_CLOEXEC);

	put(in_dir(f, "passwd.journal", path), new, strlen(new), 0600);
	j.fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(vmail_journal_seal(&j, file, &f->err), VMAIL_OK);
	close(j.fd);
	close(file);
	if (backup != NULL)
		put(in_dir(f, "passwd-", path), backup, strlen(backup), 0600);
}

static enum vmail_rc
reopen(struct fixture *f)
{
	struct vmail_store *s = NULL;
	enum vmail_rc rc = vmail_store_open(&f->conf, 0, &s, &f->err);

	vmail_store_close(&s);
	return rc;
}

#define NEW_LONG                                                               \
	"# users\nann:{CRYPT}LONGER:7001:7001::/h/ann::\nbob:{CRYPT}y::::::\n"
#define NEW_SHORT "# users\nbob:{CRYPT}y::::::\n"

/* As a kill may leave it: k new bytes, then the old ones; and with the length
 * of either. */
static void
tear(struct fixture *f, const char *new, size_t k)
{
	size_t n = strlen(new), o = strlen(OLD);
	char text[512];

	memcpy(text, OLD, o);
	memcpy(text, new, k);
	put(f->passwd, text, k > o ? k : o, 0640);
	assert_true(n < sizeof(text));
}

static void
a_commit_killed_at_any_byte_is_finished_by_the_next_writer(void **state)
{
	static const char *const news[] = { NEW_LONG, NEW_SHORT };
	struct fixture f;

	(void)state;
	for (int i = 0; i < 2; i++)
		for (size_t k = 1; k <= strlen(news[i]); k++) {
			struct stat torn, st;
			bool whole;

			begin(&f, OLD);
			leave_journal(&f, news[i], OLD);
			tear(&f, news[i], k);
			torn = stat_of(&f, "passwd");
			whole = memcmp(OLD, news[i], k) == 0 &&
				(size_t)torn.st_size == strlen(OLD);
			assert_int_equal(reopen(&f), VMAIL_OK);
			st = stat_of(&f, "passwd");
			assert_text(f.passwd, whole ? OLD : news[i]);
			assert_int_equal(st.st_ino, torn.st_ino);
			assert_true(whole || st.st_size != torn.st_size ||
				    st.st_mtim.tv_sec > torn.st_mtim.tv_sec ||
				    k == strlen(news[i]));
			assert_false(there_is(&f, "passwd.journal"));
			end(&f);
		}
}

static void
a_journal_that_is_not_whole_never_counted(void **state)
{
	struct fixture f;
	char path[256];
	size_t n;
	char *whole;

	(void)state;
	begin(&f, OLD);
	leave_journal(&f, NEW_LONG, OLD);
	whole = get(in_dir(&f, "passwd.journal", path), &n);
	for (size_t k = 0; k < n; k++) {
		put(path, whole, k, 0600);
		assert_int_equal(reopen(&f), VMAIL_OK);
		assert_text(f.passwd, OLD);
		assert_false(there_is(&f, "passwd.journal"));
	}
	/* One bit of the content. */
	whole[3] ^= 1;
	put(path, whole, n, 0600);
	assert_int_equal(reopen(&f), VMAIL_OK);
	assert_text(f.passwd, OLD);
	free(whole);
	end(&f);
}

static void
what_another_hand_wrote_since_is_kept_and_the_journal_too(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, OLD);
	leave_journal(&f, NEW_LONG, OLD);
	put(f.passwd, "eve:{CRYPT}e\n", 13, 0640);
	assert_int_equal(reopen(&f), VMAIL_UNSAFE);
	assert_non_null(strstr(f.err.what, "another hand"));
	assert_text(f.passwd, "eve:{CRYPT}e\n");
	assert_true(there_is(&f, "passwd.journal"));
	/* Torn, but no backup that proves it. */
	tear(&f, NEW_LONG, 30);
	put(in_dir(&f, "passwd-", path), "x", 1, 0600);
	assert_int_equal(reopen(&f), VMAIL_UNSAFE);
	assert_true(there_is(&f, "passwd.journal"));
	end(&f);
}

static void
a_journal_of_somebody_else_is_not_trusted(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, OLD);
	leave_journal(&f, NEW_LONG, OLD);
	tear(&f, NEW_LONG, 30);
	assert_int_equal(chown(in_dir(&f, "passwd.journal", path), 1234, 0), 0);
	assert_int_equal(reopen(&f), VMAIL_UNSAFE);
	assert_true(there_is(&f, "passwd.journal"));
	end(&f);
}

static void
a_file_system_that_is_full_leaves_the_file_as_it_was(void **state)
{
	struct fixture f;
	char other[256], folder[256], line[3000];
	unsigned failed = 0;

	(void)state;
	begin(&f, OLD);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mkdir(in_dir(&f, "small", folder), 0755), 0);
	assert_int_equal(
	    mount("small", folder, "tmpfs", 0, "size=16k,mode=0755"), 0);
	put(in_dir(&f, "small/passwd", other), OLD, strlen(OLD), 0640);
	assert_int_equal(mount(other, f.passwd, NULL, MS_BIND, NULL), 0);
	memset(line, 'h', sizeof(line));
	memcpy(line, "new0:{CRYPT}x::::/", 18);
	strcpy(line + 1000, "::");
	for (int i = 0; i < 40 && failed == 0; i++) {
		size_t n;
		char *before = get(f.passwd, &n);

		line[3] = (char)('0' + i);
		line[4] = ':';
		if (append(&f, line, &done) != VMAIL_OK) {
			failed++;
			assert_int_equal(f.err.sys_errno, ENOSPC);
			assert_file_is(f.passwd, before, n);
			assert_false(there_is(&f, "passwd.journal"));
		}
		free(before);
	}
	assert_int_equal(failed, 1);
	(void)umount2(f.passwd, MNT_DETACH);
	(void)umount2(folder, MNT_DETACH);
	end(&f);
}

static void
who_has_the_file_mounted_alone_sees_every_change(void **state)
{
	struct fixture f;
	char inside[256], byte;
	int ready[2], go[2];
	pid_t pid;

	(void)state;
	begin(&f, OLD);
	put(in_dir(&f, "inside", inside), "", 0, 0640);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount(f.passwd, inside, NULL, MS_BIND, NULL) != 0 ||
		    write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(99);
		size_t n;
		char *text = get(inside, &n);
		_exit(strstr(text, "cleo:") == NULL);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(append(&f, "cleo:{CRYPT}z::::::", &done), VMAIL_OK);
	assert_true(done.in_place);
	assert_int_equal(done.holder, pid);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(outcome(pid), 0);
	/* Gone: the next one is a rename again. */
	assert_int_equal(append(&f, "dora:{CRYPT}z::::::", &done), VMAIL_OK);
	assert_false(done.in_place);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_mount_point_is_written_over_and_keeps_its_inode),
		cmocka_unit_test(
		    every_kind_of_change_works_in_place_one_after_the_other),
		cmocka_unit_test(
		    a_commit_killed_at_any_byte_is_finished_by_the_next_writer),
		cmocka_unit_test(a_journal_that_is_not_whole_never_counted),
		cmocka_unit_test(
		    what_another_hand_wrote_since_is_kept_and_the_journal_too),
		cmocka_unit_test(a_journal_of_somebody_else_is_not_trusted),
		cmocka_unit_test(
		    a_file_system_that_is_full_leaves_the_file_as_it_was),
		cmocka_unit_test(
		    who_has_the_file_mounted_alone_sees_every_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
