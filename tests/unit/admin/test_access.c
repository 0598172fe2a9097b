#include "tests/unit/admin/holder.h"

#include <linux/capability.h>
#include <sys/acl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "common/admin/access.h"

enum { OWNER = 5000, READER = 1000, GROUP = 4242, MAPPED = 100000 };

#define ALL_CAPS (~0ULL)
#define NO_OVERRIDE                                                            \
	(ALL_CAPS & ~(1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH))

static const struct vmail_who reader = { .uid = READER, .gid = READER };

/* A passwd-file that others than root may get to. */
static void
begin_at(struct fixture *f, uid_t uid, gid_t gid, mode_t mode)
{
	begin(f, "ann:x\n");
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chown(f->passwd, uid, gid), 0);
	assert_int_equal(chmod(f->passwd, mode), 0);
}

/* The verdict for `path` from the place of proc; a failed test fails. */
static enum vmail_access
ask(struct fixture *f, int proc, const struct vmail_who *who, const char *path)
{
	struct vmail_access_answer answer;
	struct stat file;
	char text[VMAIL_ERR_TEXT];

	assert_int_equal(stat(f->passwd, &file), 0);
	if (vmail_access_test(proc, who, path, &file, &answer, &f->err) !=
	    VMAIL_OK) {
		vmail_err_text(&f->err, text, sizeof(text));
		fail_msg("%s", text);
	}
	return answer.verdict;
}

static enum vmail_access
ask_here(struct fixture *f, const struct vmail_who *who)
{
	int proc = proc_of(getpid());
	enum vmail_access verdict = ask(f, proc, who, f->passwd);

	close(proc);
	return verdict;
}

static void
the_owner_alone_reads_a_0600_file(void **state)
{
	struct vmail_who owner = { .uid = OWNER, .gid = OWNER };
	struct fixture f;

	(void)state;
	begin_at(&f, OWNER, OWNER, 0600);
	assert_int_equal(ask_here(&f, &reader), VMAIL_ACCESS_REFUSED);
	assert_int_equal(ask_here(&f, &owner), VMAIL_ACCESS_READABLE);
	end(&f);
}

static void
a_supplementary_group_counts(void **state)
{
	const gid_t groups[] = { 7, GROUP };
	struct vmail_who member = reader;
	struct fixture f;

	(void)state;
	member.groups = groups;
	member.ngroups = 2;
	begin_at(&f, 0, GROUP, 0640);
	assert_int_equal(ask_here(&f, &member), VMAIL_ACCESS_READABLE);
	member.ngroups = 1;
	assert_int_equal(ask_here(&f, &member), VMAIL_ACCESS_REFUSED);
	end(&f);
}

/* Those we have ourselves: root's own group, say. */
static void
groups_of_ours_do_not_count(void **state)
{
	const gid_t ours[] = { GROUP };
	struct fixture f;
	pid_t pid;

	(void)state;
	begin_at(&f, 0, GROUP, 0640);
	pid = fork();
	if (pid == 0) {
		if (syscall(SYS_setgroups, 1, ours) != 0)
			_exit(99);
		_exit(ask_here(&f, &reader) != VMAIL_ACCESS_REFUSED);
	}
	assert_int_equal(outcome(pid), 0);
	end(&f);
}

static void
set_acl(const struct fixture *f, const char *text)
{
	acl_t acl = acl_from_text(text);

	assert_non_null(acl);
	assert_int_equal(acl_set_file(f->passwd, ACL_TYPE_ACCESS, acl), 0);
	acl_free(acl);
}

static void
an_acl_counts_and_its_mask(void **state)
{
	struct fixture f;

	(void)state;
	begin_at(&f, 0, 0, 0600);
	set_acl(&f, "u::rw,u:1000:r,g::-,m::r,o::-");
	assert_int_equal(ask_here(&f, &reader), VMAIL_ACCESS_READABLE);
	set_acl(&f, "u::rw,u:1000:r,g::-,m::-,o::-");
	assert_int_equal(ask_here(&f, &reader), VMAIL_ACCESS_REFUSED);
	end(&f);
}

static void
a_folder_on_the_way_counts(void **state)
{
	struct fixture f;

	(void)state;
	begin_at(&f, 0, 0, 0644);
	assert_int_equal(ask_here(&f, &reader), VMAIL_ACCESS_READABLE);
	assert_int_equal(chmod(f.dir, 0700), 0);
	assert_int_equal(ask_here(&f, &reader), VMAIL_ACCESS_REFUSED);
	end(&f);
}

/* A root in a container often has fewer than all. */
static void
root_reads_what_its_capabilities_allow(void **state)
{
	struct vmail_who root = { .caps = ALL_CAPS };
	struct fixture f;

	(void)state;
	begin_at(&f, OWNER, OWNER, 0600);
	assert_int_equal(ask_here(&f, &root), VMAIL_ACCESS_READABLE);
	root.caps = NO_OVERRIDE;
	assert_int_equal(ask_here(&f, &root), VMAIL_ACCESS_REFUSED);
	end(&f);
}

static void
a_missing_file_is_told_from_another_one(void **state)
{
	int proc = proc_of(getpid());
	struct fixture f;
	char path[256];

	(void)state;
	begin_at(&f, 0, 0, 0644);
	in_dir(&f, "other", path);
	assert_int_equal(ask(&f, proc, &reader, path), VMAIL_ACCESS_MISSING);
	put(path, "x", 1, 0600);
	assert_int_equal(ask(&f, proc, &reader, path), VMAIL_ACCESS_OTHER);
	in_dir(&f, "passwd/x", path);
	assert_int_equal(ask(&f, proc, &reader, path), VMAIL_ACCESS_MISSING);
	close(proc);
	end(&f);
}

static void
a_fifo_or_a_folder_is_another_one_and_holds_up_nobody(void **state)
{
	struct vmail_access_answer answer;
	int proc = proc_of(getpid());
	struct fixture f;
	char path[256];

	(void)state;
	begin_at(&f, 0, 0, 0644);
	in_dir(&f, "fifo", path);
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_int_equal(ask(&f, proc, &reader, path), VMAIL_ACCESS_OTHER);
	assert_int_equal(
	    vmail_access_test(proc, &reader, path, NULL, &answer, &f.err),
	    VMAIL_OK);
	assert_int_equal(answer.verdict, VMAIL_ACCESS_OTHER);
	assert_int_equal(ask(&f, proc, &reader, f.dir), VMAIL_ACCESS_OTHER);
	close(proc);
	end(&f);
}

static void
a_loop_of_links_is_a_failure_with_its_errno(void **state)
{
	struct vmail_access_answer answer;
	int proc = proc_of(getpid());
	struct fixture f;
	char path[256];

	(void)state;
	begin_at(&f, 0, 0, 0644);
	in_dir(&f, "loop", path);
	assert_int_equal(symlink(path, path), 0);
	assert_int_equal(
	    vmail_access_test(proc, &reader, path, NULL, &answer, &f.err),
	    VMAIL_OK);
	assert_int_equal(answer.verdict, VMAIL_ACCESS_FAILED);
	assert_int_equal(answer.sys_errno, ELOOP);
	close(proc);
	end(&f);
}

/* Mounts of its own: the file at another path, and another file at its own. */
static bool
go_bound(const struct fixture *f)
{
	char elsewhere[256], other[256];

	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(f->passwd, in_dir(f, "elsewhere", elsewhere), NULL,
		   MS_BIND, NULL) == 0 &&
	       mount(in_dir(f, "other", other), f->passwd, NULL, MS_BIND,
		   NULL) == 0;
}

static void
the_mounts_of_the_process_count(void **state)
{
	struct fixture f;
	struct holder h;
	struct stat file;
	struct vmail_access_answer answer;
	char path[256];

	(void)state;
	begin_at(&f, 0, 0, 0644);
	assert_int_equal(stat(f.passwd, &file), 0);
	put(in_dir(&f, "other", path), "x", 1, 0644);
	put(in_dir(&f, "elsewhere", path), "", 0, 0644);
	h = hold(go_bound, &f);
	assert_int_equal(ask(&f, h.proc, &reader, path), VMAIL_ACCESS_READABLE);
	assert_int_equal(vmail_access_test(
			     h.proc, &reader, f.passwd, &file, &answer, &f.err),
	    VMAIL_OK);
	assert_int_equal(answer.verdict, VMAIL_ACCESS_OTHER);
	release(&h);
	end(&f);
}

static bool
go_chroot(const struct fixture *f)
{
	return chroot(f->dir) == 0 && chdir("/") == 0;
}

static void
the_root_of_the_process_counts(void **state)
{
	struct fixture f;
	struct holder h;
	char path[256];

	(void)state;
	begin_at(&f, 0, 0, 0644);
	assert_int_equal(symlink("/passwd", in_dir(&f, "link", path)), 0);
	h = hold(go_chroot, &f);
	assert_int_equal(
	    ask(&f, h.proc, &reader, "/passwd"), VMAIL_ACCESS_READABLE);
	assert_int_equal(
	    ask(&f, h.proc, &reader, "/link"), VMAIL_ACCESS_READABLE);
	assert_int_equal(
	    ask(&f, h.proc, &reader, f.passwd), VMAIL_ACCESS_MISSING);
	release(&h);
	end(&f);
}

static bool
write_map(const char *path, const char *map)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good =
	    fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map);

	close(fd);
	return good;
}

/* A user namespace with map for users and groups: its maker writes it from
 * outside. */
static bool
go_mapped_as(const char *map)
{
	pid_t parent = getpid(), pid;
	int ready[2], status;
	char path[64], byte;

	if (pipe2(ready, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", parent);
		if (!write_map(path, map))
			_exit(1);
		(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", parent);
		_exit(!write_map(path, map));
	}
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write(ready[1], "", 1) == 1 && waitpid(pid, &status, 0) == pid &&
	       status == 0;
}

static bool
go_mapped(const struct fixture *f)
{
	(void)f;
	return go_mapped_as("0 100000 65536");
}

/* Mounts that belong to a user namespace above its own. */
static bool
go_unmapped_in_mounts_above(const struct fixture *f)
{
	(void)f;
	return unshare(CLONE_NEWNS) == 0 && unshare(CLONE_NEWUSER) == 0;
}

/* Of the process that `go` makes, about a file of that owner and mode. */
static enum vmail_access
asked_of(bool (*go)(const struct fixture *f), uid_t uid, gid_t gid, mode_t mode,
    const struct vmail_who *who)
{
	enum vmail_access verdict;
	struct fixture f;
	struct holder h;

	begin_at(&f, uid, gid, mode);
	h = hold(go, &f);
	verdict = ask(&f, h.proc, who, f.passwd);
	release(&h);
	end(&f);
	return verdict;
}

static void
in_a_user_namespace_the_numbers_of_the_host_count(void **state)
{
	const uid_t mapped = MAPPED + READER;
	const struct vmail_who inside = { .uid = mapped, .gid = mapped };

	(void)state;
	assert_int_equal(asked_of(go_mapped, mapped, 0, 0600, &inside),
	    VMAIL_ACCESS_READABLE);
	assert_int_equal(asked_of(go_mapped, READER, 0, 0600, &inside),
	    VMAIL_ACCESS_REFUSED);
}

static void
a_root_of_a_user_namespace_rules_its_own_files_alone(void **state)
{
	const struct vmail_who root = {
		.uid = MAPPED, .gid = MAPPED, .caps = ALL_CAPS
	};

	(void)state;
	assert_int_equal(
	    asked_of(go_mapped, 0, 0, 0600, &root), VMAIL_ACCESS_REFUSED);
	assert_int_equal(
	    asked_of(go_mapped, MAPPED + READER, MAPPED, 0600, &root),
	    VMAIL_ACCESS_READABLE);
}

/* As a rootless engine's keep-groups leaves it. */
static void
a_group_that_is_not_mapped_there_counts(void **state)
{
	const gid_t groups[] = { GROUP };
	const struct vmail_who member = { .uid = MAPPED + READER,
		.gid = MAPPED + READER,
		.groups = groups,
		.ngroups = 1 };

	(void)state;
	assert_int_equal(asked_of(go_mapped, 0, GROUP, 0640, &member),
	    VMAIL_ACCESS_READABLE);
}

static void
mounts_that_belong_to_a_namespace_above_are_entered(void **state)
{
	(void)state;
	assert_int_equal(
	    asked_of(go_unmapped_in_mounts_above, 0, READER, 0640, &reader),
	    VMAIL_ACCESS_READABLE);
}

static bool
stay(const struct fixture *f)
{
	(void)f;
	return true;
}

static void
a_process_that_has_ended_is_not_found(void **state)
{
	struct vmail_access_answer answer;
	struct fixture f;
	struct holder h;

	(void)state;
	begin_at(&f, 0, 0, 0644);
	h = hold(stay, &f);
	end_process(&h);
	assert_int_equal(
	    vmail_access_test(h.proc, &reader, f.passwd, NULL, &answer, &f.err),
	    VMAIL_NOT_FOUND);
	close(h.proc);
	end(&f);
}

/* What vmail_access_test says from where the child has gone. */
static int
code_from(bool (*go)(const struct fixture *f), struct fixture *f)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct vmail_access_answer answer;
		if (!go(f))
			_exit(99);
		_exit((int)vmail_access_test(proc_of(getpid()), &reader,
		    f->passwd, NULL, &answer, &f->err));
	}
	return outcome(pid);
}

static bool
go_one_id(const struct fixture *f)
{
	(void)f;
	return go_mapped_as("0 0 1");
}

static bool
go_unprivileged(const struct fixture *f)
{
	(void)f;
	return setresgid(READER + 1, READER + 1, READER + 1) == 0 &&
	       setresuid(READER + 1, READER + 1, READER + 1) == 0;
}

static void
what_cannot_be_tested_is_no_verdict(void **state)
{
	struct fixture f;

	(void)state;
	begin_at(&f, 0, 0, 0644);
	/* READER has no number in our user namespace. */
	assert_int_equal(code_from(go_one_id, &f), VMAIL_DENIED);
	assert_int_equal(code_from(go_unprivileged, &f), VMAIL_DENIED);
	assert_int_equal(code_from(stay, &f), VMAIL_OK);
	end(&f);
}

static int
never(const void *arg)
{
	(void)arg;
	while (pause() < 0)
		;
	return 0;
}

static void
a_child_that_does_not_answer_is_ended(void **state)
{
	int proc = proc_of(getpid()), told = 0, status;
	struct vmail_err err;

	(void)state;
	assert_int_equal(
	    vmail_inside_ask(proc, &reader, 20, never, NULL, &told, &err),
	    VMAIL_BUSY);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	close(proc);
}

static int
killed(const void *arg)
{
	(void)arg;
	raise(SIGKILL);
	return 0;
}

static void
a_child_that_is_killed_there_has_said_nothing(void **state)
{
	int proc = proc_of(getpid()), told = 0;
	struct vmail_err err;

	(void)state;
	assert_int_equal(
	    vmail_inside_ask(proc, &reader, 1000, killed, NULL, &told, &err),
	    VMAIL_IO);
	close(proc);
}

/* 0: as it should be; else which rule is broken. */
static int
what_is_left(const void *arg)
{
	const int *ours = arg;
	uid_t uid[3];

	for (int fd = 0; fd <= *ours; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || uid[0] != READER ||
	    uid[1] != READER || uid[2] != READER)
		return 4;
	if (setresuid(0, 0, 0) == 0 || chroot("/") == 0)
		return 5;
	return 0;
}

static void
nothing_of_ours_is_left_in_the_child(void **state)
{
	int proc = proc_of(getpid()), told = -1;
	int ours = fcntl(proc, F_DUPFD, 100); /* without close-on-exec */
	struct vmail_err err;

	(void)state;
	assert_int_equal(vmail_inside_ask(proc, &reader, 1000, what_is_left,
			     &ours, &told, &err),
	    VMAIL_OK);
	assert_int_equal(told, 0);
	close(ours);
	close(proc);
}

/* In which the holder is. */
struct spaces {
	ino_t mount, user;
};

static int
where(const void *arg)
{
	const struct spaces *theirs = arg;
	struct stat mount, user;

	if (stat("/proc/self/ns/mnt", &mount) != 0 ||
	    stat("/proc/self/ns/user", &user) != 0)
		return 1;
	return mount.st_ino != theirs->mount || user.st_ino != theirs->user;
}

static void
the_child_stands_in_the_namespaces_of_the_process(void **state)
{
	struct fixture f;
	struct holder h;
	struct stat mount, user;
	struct spaces theirs;
	int told = -1;

	(void)state;
	begin_at(&f, 0, 0, 0644);
	h = hold(go_mapped, &f);
	assert_int_equal(fstatat(h.proc, "ns/mnt", &mount, 0), 0);
	assert_int_equal(fstatat(h.proc, "ns/user", &user, 0), 0);
	theirs = (struct spaces){ mount.st_ino, user.st_ino };
	assert_int_equal(vmail_inside_ask(h.proc, &reader, 1000, where, &theirs,
			     &told, &f.err),
	    VMAIL_OK);
	assert_int_equal(told, 0);
	release(&h);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_alone_reads_a_0600_file),
		cmocka_unit_test(a_supplementary_group_counts),
		cmocka_unit_test(groups_of_ours_do_not_count),
		cmocka_unit_test(an_acl_counts_and_its_mask),
		cmocka_unit_test(a_folder_on_the_way_counts),
		cmocka_unit_test(root_reads_what_its_capabilities_allow),
		cmocka_unit_test(a_missing_file_is_told_from_another_one),
		cmocka_unit_test(
		    a_fifo_or_a_folder_is_another_one_and_holds_up_nobody),
		cmocka_unit_test(a_loop_of_links_is_a_failure_with_its_errno),
		cmocka_unit_test(the_mounts_of_the_process_count),
		cmocka_unit_test(the_root_of_the_process_counts),
		cmocka_unit_test(
		    in_a_user_namespace_the_numbers_of_the_host_count),
		cmocka_unit_test(
		    a_root_of_a_user_namespace_rules_its_own_files_alone),
		cmocka_unit_test(a_group_that_is_not_mapped_there_counts),
		cmocka_unit_test(
		    mounts_that_belong_to_a_namespace_above_are_entered),
		cmocka_unit_test(a_process_that_has_ended_is_not_found),
		cmocka_unit_test(what_cannot_be_tested_is_no_verdict),
		cmocka_unit_test(a_child_that_does_not_answer_is_ended),
		cmocka_unit_test(a_child_that_is_killed_there_has_said_nothing),
		cmocka_unit_test(nothing_of_ours_is_left_in_the_child),
		cmocka_unit_test(
		    the_child_stands_in_the_namespaces_of_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
