#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <sys/mount.h>

#include "common/admin/mounts.h"

static enum vmail_mounts_way way; /* of the last judgment */

static enum vmail_rc
judge(struct fixture *f)
{
	int fd = open(f->passwd, O_RDONLY | O_CLOEXEC);
	struct vmail_mounts_verdict verdict = { .way = VMAIL_MOUNTS_RENAME };
	enum vmail_rc rc = vmail_mounts_judge(fd, f->passwd, &verdict, &f->err);

	close(fd);
	way = verdict.way;
	return rc;
}

/* The child's own mounts: the file `other` over the passwd-file. */
static void
mount_over(struct fixture *f, const char *other)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(other, f->passwd, NULL, MS_BIND, NULL) != 0)
		_exit(99);
}

static void
a_file_in_a_folder_can_be_replaced(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(judge(&f), VMAIL_OK);
	end(&f);
}

static void
a_file_in_a_mounted_folder_can_be_replaced(void **state)
{
	struct fixture f;
	pid_t pid;

	(void)state;
	begin(&f, "ann:x\n");
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount(f.dir, f.dir, NULL, MS_BIND, NULL) != 0)
			_exit(99);
		_exit((int)judge(&f));
	}
	assert_int_equal(outcome(pid), VMAIL_OK);
	end(&f);
}

static void
a_file_mounted_singly_is_changed_in_place(void **state)
{
	struct fixture f;
	char other[256];
	pid_t pid;

	(void)state;
	begin(&f, "ann:x\n");
	put(in_dir(&f, "other", other), "ann:x\n", 6, 0640);
	pid = fork();
	if (pid == 0) {
		mount_over(&f, other);
		if (judge(&f) != VMAIL_OK)
			_exit(1);
		_exit(way != VMAIL_MOUNTS_ITSELF);
	}
	assert_int_equal(outcome(pid), 0);
	end(&f);
}

/* The host's rename left our mount with the old file: no link, or, where the
 * old one lives on as a backup, one of another name. */
static void
a_file_replaced_behind_its_mount_is_said_so(void **state)
{
	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		struct fixture f;
		char other[256], backup[256], new[256];
		pid_t pid;

		begin(&f, "ann:x\n");
		put(in_dir(&f, "other", other), "ann:x\n", 6, 0640);
		in_dir(&f, "backup", backup);
		put(in_dir(&f, "new", new), "bob:x\n", 6, 0640);
		pid = fork();
		if (pid == 0) {
			mount_over(&f, other);
			if (keep && link(other, backup) != 0)
				_exit(98);
			if (rename(new, other) != 0)
				_exit(97);
			if (judge(&f) != VMAIL_UNSUPPORTED)
				_exit(1);
			_exit(strstr(f.err.what, "replaced behind") == NULL);
		}
		assert_int_equal(outcome(pid), 0);
		end(&f);
	}
}

static void
a_file_that_has_lost_its_name_cannot_be_replaced(void **state)
{
	struct vmail_mounts_verdict verdict;
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, "ann:x\n");
	fd = open(f.passwd, O_RDONLY | O_CLOEXEC);
	assert_int_equal(unlink(f.passwd), 0);
	assert_int_equal(vmail_mounts_judge(fd, f.passwd, &verdict, &f.err),
	    VMAIL_UNSUPPORTED);
	close(fd);
	end(&f);
}

/* Every path seen, one behind the other. */
static bool
note_path(const char *seen, void *arg)
{
	char *all = arg;

	strcat(all, seen);
	strcat(all, "\n");
	return true;
}

static void
a_process_has_it_wherever_its_mounts_show_it(void **state)
{
	struct fixture f;
	char folder[256], other[256], path[256];
	pid_t pid;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(mkdir(in_dir(&f, "a folder", folder), 0755), 0);
	put(in_dir(&f, "other", other), "", 0, 0640);
	pid = fork();
	if (pid == 0) {
		char all[4096] = "", want[1024];
		int fd, proc;

		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("t", folder, "tmpfs", 0, NULL) != 0)
			_exit(99);
		in_dir(&f, "a folder/passwd", path);
		put(path, "ann:x\n", 6, 0640);
		if (mount(path, other, NULL, MS_BIND, NULL) != 0)
			_exit(98);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (vmail_mounts_paths(
			fd, path, proc, note_path, all, &f.err) != VMAIL_OK)
			_exit(1);
		(void)snprintf(want, sizeof(want), "%s\n%s\n", path, other);
		_exit(strcmp(all, want) == 0 ? 0 : 2);
	}
	assert_int_equal(outcome(pid), 0);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_in_a_folder_can_be_replaced),
		cmocka_unit_test(a_file_in_a_mounted_folder_can_be_replaced),
		cmocka_unit_test(a_file_mounted_singly_is_changed_in_place),
		cmocka_unit_test(a_file_replaced_behind_its_mount_is_said_so),
		cmocka_unit_test(
		    a_file_that_has_lost_its_name_cannot_be_replaced),
		cmocka_unit_test(a_process_has_it_wherever_its_mounts_show_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
