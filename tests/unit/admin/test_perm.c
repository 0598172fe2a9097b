#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include "common/admin/perm.h"

#define ACL "system.posix_acl_access"

enum { MAIL = 5000, OWN = 5123 };

static struct vmail_perm_home
home_of(const char *path, uid_t user)
{
	return (struct vmail_perm_home){ path, { MAIL, MAIL + 1 },
		{ user, user + 1 } };
}

/* version 2; user::rw- user:1234:r-- group::r-- mask::r-- other::--- */
static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 4, 0, 210, 4, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0,
	255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };

static int
open_in(struct fixture *f, const char *name)
{
	char path[256];
	int fd =
	    open(in_dir(f, name, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void
owner_mode_and_acl_go_over(void **state)
{
	struct fixture f;
	unsigned char now[128];
	struct stat st;
	int from, to;

	(void)state;
	begin(&f, NULL);
	from = open_in(&f, "from");
	to = open_in(&f, "to");
	assert_int_equal(fchown(from, 12, 34), 0);
	assert_int_equal(fchmod(from, 0640), 0);
	assert_int_equal(fsetxattr(from, ACL, acl, sizeof(acl), 0), 0);
	assert_int_equal(fsetxattr(from, "user.note", "x", 1, 0), 0);
	assert_int_equal(
	    fsetxattr(from, "security.selinux", "a_label", 8, 0), 0);
	assert_int_equal(fsetxattr(from, "security.ima", "x", 1, 0), 0);
	assert_int_equal(vmail_perm_like(from, to, "to", &f.err), VMAIL_OK);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fgetxattr(to, ACL, now, sizeof(now)), sizeof(acl));
	assert_memory_equal(now, acl, sizeof(acl));
	assert_int_equal(
	    fgetxattr(to, "security.selinux", now, sizeof(now)), 8);
	/* What vouches for other content stays behind. */
	assert_int_equal(fgetxattr(to, "security.ima", now, 128), -1);
	assert_int_equal(fgetxattr(to, "user.note", now, 128), -1);
	close(from);
	close(to);
	end(&f);
}

static void
an_acl_that_the_old_file_had_not_is_taken_away(void **state)
{
	struct fixture f;
	struct stat st;
	int from, to;

	(void)state;
	begin(&f, NULL);
	from = open_in(&f, "from");
	to = open_in(&f, "to");
	assert_int_equal(fsetxattr(to, ACL, acl, sizeof(acl), 0), 0);
	assert_int_equal(vmail_perm_like(from, to, "to", &f.err), VMAIL_OK);
	assert_int_equal(fgetxattr(to, ACL, NULL, 0), -1);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close(from);
	close(to);
	end(&f);
}

static enum vmail_rc
make(struct fixture *f, const char *home, bool *made)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, home);
	struct vmail_perm_home h = home_of(path, MAIL);

	return vmail_perm_make_home(&h, made, &f->err);
}

static enum vmail_rc
take(struct fixture *f, const char *home)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, home);
	struct vmail_perm_home h = home_of(path, MAIL);

	return vmail_perm_remove_home(&h, &f->err);
}

static void
folder(struct fixture *f, const char *name, uid_t uid)
{
	char path[256];

	assert_int_equal(mkdir(in_dir(f, name, path), 0755), 0);
	assert_int_equal(chown(path, uid, uid), 0);
}

static void
a_home_is_its_users_alone_and_folders_above_let_pass(void **state)
{
	static const char *const names[] = { "vhosts", "vhosts/d",
		"vhosts/d/ann" };
	struct fixture f;
	mode_t mask = umask(0);
	bool made = false;

	(void)state;
	begin(&f, NULL);
	assert_int_equal(make(&f, "vhosts//d/ann/", &made), VMAIL_OK);
	assert_true(made);
	(void)umask(mask);
	for (size_t i = 0; i < 3; i++) {
		struct stat st = stat_of(&f, names[i]);

		assert_int_equal(st.st_mode, S_IFDIR | (i < 2 ? 0711 : 0700));
		assert_int_equal(st.st_uid, MAIL);
		assert_int_equal(st.st_gid, MAIL + 1);
	}
	assert_int_equal(stat_of(&f, "vhosts").st_nlink, 3); /* no litter */
	assert_int_equal(make(&f, "vhosts/d/ann", &made), VMAIL_OK);
	assert_false(made);
	end(&f);
}

/* Two users with numbers of their own in one domain, and one of the owner's. */
static void
users_of_other_numbers_share_a_domains_folder(void **state)
{
	static const uid_t users[] = { OWN, OWN + 10, MAIL };
	struct fixture f;
	char name[32], path[256];

	(void)state;
	begin(&f, NULL);
	assert_int_equal(chmod(f.dir, 0755), 0);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "vhosts/d/u%zu", i);
		struct vmail_perm_home h =
		    home_of(in_dir(&f, name, path), users[i]);
		pid_t pid;

		assert_int_equal(vmail_perm_make_home(&h, NULL, &f.err), 0);
		assert_int_equal(stat_of(&f, name).st_uid, users[i]);
		assert_int_equal(stat_of(&f, "vhosts/d").st_uid, MAIL);
		pid = fork();
		if (pid == 0)
			_exit(setresuid(users[i], users[i], users[i]) != 0 ||
			      access(path, R_OK | W_OK | X_OK) != 0);
		assert_int_equal(outcome(pid), 0);
	}
	struct vmail_perm_home own =
	    home_of(in_dir(&f, "vhosts/d/u0", path), OWN);
	assert_int_equal(vmail_perm_remove_home(&own, &f.err), VMAIL_OK);
	end(&f);
}

static void
a_mode_that_is_there_is_left_alone(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, NULL);
	folder(&f, "ann", MAIL);
	assert_int_equal(chmod(in_dir(&f, "ann", path), 0750), 0);
	assert_int_equal(make(&f, "ann", NULL), VMAIL_OK);
	assert_int_equal(stat_of(&f, "ann").st_mode & 07777, 0750);
	end(&f);
}

static void
no_link_on_the_way_to_a_home_is_followed(void **state)
{
	struct fixture f;
	char path[256], real[256];

	(void)state;
	begin(&f, NULL);
	folder(&f, "real", MAIL);
	assert_int_equal(
	    symlink(in_dir(&f, "real", real), in_dir(&f, "link", path)), 0);
	assert_int_equal(make(&f, "link/ann", NULL), VMAIL_UNSAFE);
	assert_int_equal(make(&f, "link", NULL), VMAIL_UNSAFE);
	assert_false(there_is(&f, "real/ann"));
	assert_int_equal(take(&f, "link"), VMAIL_UNSAFE);
	folder(&f, "real/ann", MAIL);
	assert_int_equal(take(&f, "link/ann"), VMAIL_UNSAFE);
	assert_true(there_is(&f, "real/ann"));
	end(&f);
}

static void
a_strangers_folder_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, NULL);
	folder(&f, "theirs", 1234);
	assert_int_equal(make(&f, "theirs/ann", NULL), VMAIL_UNSAFE);
	assert_int_equal(make(&f, "theirs", NULL), VMAIL_UNSAFE);
	assert_int_equal(take(&f, "theirs"), VMAIL_UNSAFE);
	folder(&f, "theirs/ann", MAIL);
	assert_int_equal(take(&f, "theirs/ann"), VMAIL_UNSAFE);
	assert_true(there_is(&f, "theirs/ann"));
	/* Root's folders lead to a home, but are none. */
	folder(&f, "roots", 0);
	assert_int_equal(make(&f, "roots", NULL), VMAIL_UNSAFE);
	assert_int_equal(take(&f, "roots"), VMAIL_UNSAFE);
	assert_int_equal(make(&f, "roots/ann", NULL), VMAIL_OK);
	end(&f);
}

static void
something_else_in_a_homes_place_is_left_alone(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, NULL);
	put(in_dir(&f, "ann", path), "mail\n", 5, 0600);
	assert_int_equal(make(&f, "ann", NULL), VMAIL_EXISTS);
	assert_int_equal(make(&f, "ann/x", NULL), VMAIL_EXISTS);
	assert_int_equal(take(&f, "ann"), VMAIL_UNSAFE);
	assert_text(path, "mail\n");
	assert_int_equal(take(&f, "nobody"), VMAIL_NOT_FOUND);
	assert_int_equal(take(&f, "nobody/below"), VMAIL_NOT_FOUND);
	end(&f);
}

static void
a_path_that_climbs_or_is_no_home_is_refused(void **state)
{
	static const char *const paths[] = { "/", "//", "/home", "/tmp/..",
		"/tmp/a/../b", "/tmp/./a", "relative/x", "" };
	struct vmail_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct vmail_perm_home h = home_of(paths[i], MAIL);

		assert_int_equal(
		    vmail_perm_remove_home(&h, &err), VMAIL_UNSAFE);
	}
	struct vmail_perm_home top = home_of("/", MAIL);
	struct vmail_perm_home up = home_of("/tmp/../x", MAIL);

	assert_int_equal(vmail_perm_make_home(&top, NULL, &err), VMAIL_UNSAFE);
	assert_int_equal(vmail_perm_make_home(&up, NULL, &err), VMAIL_UNSAFE);
}

static void
a_home_goes_with_all_below_it_and_nothing_beside_it(void **state)
{
	struct fixture f;
	char path[256], target[256];

	(void)state;
	begin(&f, NULL);
	folder(&f, "ann", MAIL);
	folder(&f, "ann/Maildir", MAIL);
	folder(&f, "ann/Maildir/cur", 0); /* whoever's it is */
	folder(&f, "ann/Maildir/new", MAIL);
	folder(&f, "bob", MAIL);
	put(in_dir(&f, "ann/Maildir/cur/1", path), "m", 1, 0);
	put(in_dir(&f, "ann/Maildir/.sub\n", path), "m", 1, 0600);
	put(in_dir(&f, "bob/kept", target), "m", 1, 0600);
	assert_int_equal(
	    symlink(target, in_dir(&f, "ann/Maildir/new/link", path)), 0);
	assert_int_equal(symlink(in_dir(&f, "bob", target),
			     in_dir(&f, "ann/folderlink", path)),
	    0);
	assert_int_equal(mkfifo(in_dir(&f, "ann/fifo", path), 0600), 0);
	assert_int_equal(take(&f, "ann"), VMAIL_OK);
	assert_false(there_is(&f, "ann"));
	assert_true(there_is(&f, "bob/kept"));
	end(&f);
}

static void
however_deep_and_wide_a_home_is_it_goes(void **state)
{
	struct fixture f;
	char path[256];
	int fd, next;
	pid_t pid;

	(void)state;
	begin(&f, NULL);
	folder(&f, "ann", MAIL);
	fd = open(in_dir(&f, "ann", path), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(fd, "deeper", 0700), 0);
		if (i % 100 == 0)
			assert_int_equal(mkdirat(fd, "beside", 0700), 0);
		next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(path, sizeof(path), "%s/ann/m%d", f.dir, i);
		put(path, "", 0, 0600);
	}
	pid = fork();
	if (pid == 0) {
		const struct rlimit few = { 32, 32 };

		if (setrlimit(RLIMIT_NOFILE, &few) != 0)
			_exit(99);
		_exit((int)take(&f, "ann"));
	}
	assert_int_equal(outcome(pid), VMAIL_OK);
	assert_false(there_is(&f, "ann"));
	end(&f);
}

/* Another file system, and a folder of this one, mounted into a home. */
static void
what_is_mounted_into_a_home_is_not_emptied(void **state)
{
	(void)state;
	for (int bind = 0; bind < 2; bind++) {
		struct fixture f;
		char path[256], other[256];
		pid_t pid;

		begin(&f, NULL);
		folder(&f, "ann", MAIL);
		folder(&f, "ann/mnt", MAIL);
		folder(&f, "other", MAIL);
		put(in_dir(&f, "other/kept", path), "m", 1, 0600);
		in_dir(&f, "other", other);
		in_dir(&f, "ann/mnt", path);
		pid = fork();
		if (pid == 0) {
			if (unshare(CLONE_NEWNS) != 0 ||
			    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) !=
				0)
				_exit(99);
			if (mount(bind ? other : "tmpfs", path,
				bind ? NULL : "tmpfs", bind ? MS_BIND : 0,
				NULL) != 0)
				_exit(98);
			put(strcat(path, "/kept"), "m", 1, 0600);
			if (take(&f, "ann") != VMAIL_UNSAFE)
				_exit(1);
			_exit(there_is(&f, "ann/mnt/kept") ? 0 : 2);
		}
		assert_int_equal(outcome(pid), 0);
		assert_true(there_is(&f, "other/kept"));
		end(&f);
	}
}

static void
logins_at_once_make_one_home(void **state)
{
	struct fixture f;
	pid_t pids[6];

	(void)state;
	begin(&f, NULL);
	for (int round = 0; round < 40; round++) {
		char name[32];
		int gate[2];

		assert_int_equal(pipe(gate), 0);
		(void)snprintf(name, sizeof(name), "d%d/ann", round);
		for (int i = 0; i < 6; i++)
			if ((pids[i] = fork()) == 0) {
				close(gate[1]);
				(void)!read(gate[0], name + 20, 1);
				_exit((int)make(&f, name, NULL));
			}
		close(gate[1]);
		close(gate[0]);
		for (int i = 0; i < 6; i++)
			assert_int_equal(outcome(pids[i]), VMAIL_OK);
		assert_int_equal(stat_of(&f, name).st_uid, MAIL);
	}
	assert_int_equal(stat_of(&f, "").st_nlink, 42); /* no litter */
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_mode_and_acl_go_over),
		cmocka_unit_test(
		    an_acl_that_the_old_file_had_not_is_taken_away),
		cmocka_unit_test(
		    a_home_is_its_users_alone_and_folders_above_let_pass),
		cmocka_unit_test(users_of_other_numbers_share_a_domains_folder),
		cmocka_unit_test(a_mode_that_is_there_is_left_alone),
		cmocka_unit_test(no_link_on_the_way_to_a_home_is_followed),
		cmocka_unit_test(a_strangers_folder_is_refused),
		cmocka_unit_test(something_else_in_a_homes_place_is_left_alone),
		cmocka_unit_test(a_path_that_climbs_or_is_no_home_is_refused),
		cmocka_unit_test(
		    a_home_goes_with_all_below_it_and_nothing_beside_it),
		cmocka_unit_test(however_deep_and_wide_a_home_is_it_goes),
		cmocka_unit_test(what_is_mounted_into_a_home_is_not_emptied),
		cmocka_unit_test(logins_at_once_make_one_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
