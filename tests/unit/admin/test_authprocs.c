#include "tests/unit/admin/holder.h"

#include <grp.h>

#include "common/admin/authprocs.h"

enum { AUTH_UID = 1000, AUTH_GID = 1001, EXTRA = 4242, NONE = -1 };

/* This program under another name: as such it waits to be killed, and is the
 * parent of what the words behind name: "auth", "worker". */
static char self[4096];

static void
copy_as(const struct fixture *f, const char *name)
{
	char path[256];
	size_t n;
	char *bytes = get(self, &n);

	put(in_dir(f, name, path), bytes, n, 0755);
	free(bytes);
}

/* Runs that copy with these words; the pid of its first child (0: it has
 * none) in *child, once all is running. */
static pid_t
start(const struct fixture *f, const char *program, const char *word,
    const char *word2, pid_t *child)
{
	int ready[2];
	pid_t pid;
	char path[256], number[16];

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		(void)snprintf(number, sizeof(number), "%d", ready[1]);
		assert_int_equal(chdir(f->dir), 0);
		execl(in_dir(f, program, path), program, "--fd", number, word,
		    word2, (char *)NULL);
		_exit(99);
	}
	close(ready[1]);
	*child = 0;
	assert_int_equal(read(ready[0], child, sizeof(*child)), sizeof(*child));
	close(ready[0]);
	return pid;
}

/* What the copies do: a tree of themselves, by names of programs, each of
 * which tells its first child's number once that runs. */
static int
play(int argc, char **argv)
{
	int fd = atoi(argv[2]);
	pid_t first = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 3; i < argc; i++) {
		pid_t pid = 0, nobody;
		int up[2];
		char number[16];

		if (pipe(up) != 0 || (pid = fork()) < 0)
			return 1;
		if (pid == 0) {
			const gid_t groups[] = { AUTH_GID, EXTRA };

			close(up[0]);
			(void)snprintf(number, sizeof(number), "%d", up[1]);
			if (setgroups(2, groups) != 0 ||
			    setresgid(AUTH_GID, AUTH_GID, AUTH_GID) != 0 ||
			    setresuid(AUTH_UID, AUTH_UID, AUTH_UID) != 0)
				_exit(1);
			execl(argv[i], argv[i], "--fd", number, (char *)NULL);
			_exit(1);
		}
		close(up[1]);
		if (read(up[0], &nobody, sizeof(nobody)) != sizeof(nobody))
			return 1;
		if (first == 0)
			first = pid;
	}
	if (write(fd, &first, sizeof(first)) != sizeof(first))
		return 1;
	for (;;)
		pause();
}

static void
begin_cast(struct fixture *f)
{
	begin(f, "ann:x\n");
	assert_int_equal(chmod(f->dir, 0755), 0);
	copy_as(f, "dovecot");
	copy_as(f, "auth");
	copy_as(f, "other");
}

/* Its place in the list, or NONE: the machine may run others. */
static int
place_of(const struct vmail_authprocs *procs, pid_t pid)
{
	for (size_t i = 0; i < procs->n; i++)
		if (procs->list[i].self.pid == pid)
			return (int)i;
	return NONE;
}

static void
an_auth_below_a_dovecot_is_found_with_its_rights(void **state)
{
	struct vmail_authprocs procs;
	struct fixture f;
	pid_t master, auth;
	int at;

	(void)state;
	begin_cast(&f);
	master = start(&f, "dovecot", "auth", NULL, &auth);
	assert_int_equal(vmail_authprocs_open(&procs, &f.err), VMAIL_OK);
	at = place_of(&procs, auth);
	assert_int_not_equal(at, NONE);
	assert_int_equal(procs.list[at].master.pid, master);
	assert_int_equal(procs.list[at].master.who.uid, 0);
	assert_int_equal(procs.list[at].self.who.uid, AUTH_UID);
	assert_int_equal(procs.list[at].self.who.gid, AUTH_GID);
	assert_int_equal(procs.list[at].self.who.ngroups, 2);
	assert_int_equal(procs.list[at].self.who.groups[1], EXTRA);
	assert_int_equal(procs.list[at].self.who.caps, 0);
	assert_int_not_equal(procs.list[at].master.who.caps, 0);
	assert_false(procs.list[at].other_pids);
	assert_false(procs.list[at].other_users);
	assert_false(procs.list[at].other_mounts);
	vmail_authprocs_close(&procs);
	vmail_authprocs_close(&procs);
	kill(master, SIGKILL);
	(void)outcome(master);
	end(&f);
}

static void
workers_with_the_same_rights_are_found_once(void **state)
{
	struct vmail_authprocs procs;
	struct fixture f;
	pid_t master, auth;
	size_t found = 0;

	(void)state;
	begin_cast(&f);
	master = start(&f, "dovecot", "auth", "auth", &auth);
	assert_int_equal(vmail_authprocs_open(&procs, &f.err), VMAIL_OK);
	for (size_t i = 0; i < procs.n; i++)
		found += procs.list[i].master.pid == master;
	assert_int_equal(found, 1);
	vmail_authprocs_close(&procs);
	kill(master, SIGKILL);
	(void)outcome(master);
	end(&f);
}

static void
only_an_auth_of_a_dovecot_is_meant(void **state)
{
	static const char *const casts[][2] = { { "other", "auth" },
		{ "dovecot", "other" }, { "dovecot", "alias" },
		{ "dovecot", "false/auth" } };
	struct vmail_authprocs procs;
	struct fixture f;
	pid_t master, child;
	char path[256];

	(void)state;
	begin_cast(&f);
	assert_int_equal(symlink("auth", in_dir(&f, "alias", path)), 0);
	assert_int_equal(mkdir(in_dir(&f, "false", path), 0755), 0);
	assert_int_equal(
	    symlink("../other", in_dir(&f, "false/auth", path)), 0);
	for (size_t i = 0; i < sizeof(casts) / sizeof(casts[0]); i++) {
		master = start(&f, casts[i][0], casts[i][1], NULL, &child);
		assert_int_equal(
		    vmail_authprocs_open(&procs, &f.err), VMAIL_OK);
		assert_int_equal(place_of(&procs, child), NONE);
		vmail_authprocs_close(&procs);
		kill(master, SIGKILL);
		(void)outcome(master);
	}
	end(&f);
}

static void
a_dovecot_whose_program_was_replaced_is_found(void **state)
{
	struct vmail_authprocs procs;
	struct fixture f;
	pid_t master, auth;
	char path[256];

	(void)state;
	begin_cast(&f);
	master = start(&f, "dovecot", "auth", NULL, &auth);
	assert_int_equal(unlink(in_dir(&f, "auth", path)), 0);
	assert_int_equal(vmail_authprocs_open(&procs, &f.err), VMAIL_OK);
	assert_int_not_equal(place_of(&procs, auth), NONE);
	vmail_authprocs_close(&procs);
	kill(master, SIGKILL);
	(void)outcome(master);
	end(&f);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_auth_below_a_dovecot_is_found_with_its_rights),
		cmocka_unit_test(workers_with_the_same_rights_are_found_once),
		cmocka_unit_test(only_an_auth_of_a_dovecot_is_meant),
		cmocka_unit_test(a_dovecot_whose_program_was_replaced_is_found),
	};

	if (argc > 2 && strcmp(argv[1], "--fd") == 0)
		return play(argc, argv);
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
