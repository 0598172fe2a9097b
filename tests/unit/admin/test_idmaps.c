#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/admin/idmaps.h"

static struct vmail_idmaps map, other;

static const char *
shown(const struct vmail_idmaps *m)
{
	static char text[256];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	vmail_idmaps_put(m, &b);
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	return text;
}

static void
a_kernel_map_is_read_in_order_and_neighbours_are_one(void **state)
{
	(void)state;
	assert_int_equal(vmail_idmaps_of_kernel(
			     VMAIL_STR("         1     100000      65536\n"
				       "         0       1000          1\n"),
			     &map),
	    VMAIL_OK);
	assert_string_equal(shown(&map), "0:1000:1,1:100000:65536");
	assert_int_equal(
	    vmail_idmaps_of_kernel(VMAIL_STR("10 110 5\n0 100 10\n"), &map),
	    VMAIL_OK);
	assert_string_equal(shown(&map), "0:100:15");
	assert_int_equal(
	    vmail_idmaps_of_kernel(VMAIL_STR("0 0 4294967295\n"), &map),
	    VMAIL_OK);
	assert_string_equal(shown(&map), "0:0:4294967295");
}

static void
what_is_no_map_is_malformed(void **state)
{
	static const char *const bad[] = { "0 100\n", "a 1 1\n", "0 1 0\n",
		"-1 0 1\n", "4294967295 0 2\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(
		    vmail_idmaps_of_kernel(vmail_str(bad[i]), &map),
		    VMAIL_MALFORMED);
	assert_int_equal(vmail_idmaps_of_ranges(VMAIL_STR("0:1:1:1"), &map),
	    VMAIL_MALFORMED);
	assert_int_equal(
	    vmail_idmaps_of_ranges(VMAIL_STR("0:1"), &map), VMAIL_MALFORMED);
}

static void
a_map_of_more_ranges_than_the_kernel_has_is_malformed(void **state)
{
	static char text[16384];
	size_t n = 0;

	(void)state;
	for (int i = 0; i <= VMAIL_IDMAPS_MAX; i++)
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "%d %d 1\n", 2 * i, 3 * i);
	assert_int_equal(
	    vmail_idmaps_of_kernel(vmail_str(text), &map), VMAIL_MALFORMED);
}

/* The kernel shows -1 for what the reader has no number for. */
static void
a_range_without_a_number_here_is_refused(void **state)
{
	(void)state;
	assert_int_equal(
	    vmail_idmaps_of_kernel(VMAIL_STR("0 4294967295 10\n"), &map),
	    VMAIL_UNSUPPORTED);
}

static void
equal_maps_are_equal_however_they_are_written(void **state)
{
	(void)state;
	vmail_idmaps_of_ranges(VMAIL_STR("5:105:5,0:100:5"), &map);
	vmail_idmaps_of_ranges(VMAIL_STR("0:100:10"), &other);
	assert_true(vmail_idmaps_same(&map, &other));
	vmail_idmaps_of_ranges(VMAIL_STR("0:100:11"), &other);
	assert_false(vmail_idmaps_same(&map, &other));
	vmail_idmaps_of_ranges(VMAIL_STR("0:100:5,5:106:5"), &other);
	assert_false(vmail_idmaps_same(&map, &other));
}

static void
a_number_goes_out_and_comes_back_at_every_edge(void **state)
{
	static const uint32_t in[] = { 0, 1, 2, 65536 },
			      out[] = { 1000, 100000, 100001, 165535 };
	uint32_t n;

	(void)state;
	vmail_idmaps_of_ranges(VMAIL_STR("0:1000:1,1:100000:65536"), &map);
	for (int i = 0; i < 4; i++) {
		assert_true(vmail_idmaps_outside(&map, in[i], &n));
		assert_int_equal(n, out[i]);
		assert_true(vmail_idmaps_inside(&map, out[i], &n));
		assert_int_equal(n, in[i]);
	}
	assert_false(vmail_idmaps_outside(&map, 65537, &n));
	assert_false(vmail_idmaps_inside(&map, 999, &n));
	assert_false(vmail_idmaps_inside(&map, 1001, &n));
	assert_false(vmail_idmaps_inside(&map, 165536, &n));
}

static void
tell(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A child in a namespace of its own (maps NULL: without numbers). */
static pid_t
child_in(const char *maps, int flags)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(flags) != 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	if (maps != NULL) {
		tell(pid, "setgroups", "deny");
		tell(pid, "uid_map", maps);
		tell(pid, "gid_map", maps);
	}
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct vmail_err fault;

static void
a_process_of_our_namespace_has_our_numbers(void **state)
{
	VMAIL_IDMAPS_PROCESS p = { .proc = -1 };
	uint32_t n;

	(void)state;
	assert_int_equal(vmail_idmaps_open(getpid(), &p, &fault), VMAIL_OK);
	assert_true(p.ours);
	assert_int_equal(p.depth, 0);
	assert_true(vmail_idmaps_outside(&p.uids, 5000, &n));
	assert_int_equal(n, 5000);
}

static void
a_process_below_has_the_numbers_of_its_map(void **state)
{
	VMAIL_IDMAPS_PROCESS p = { .proc = -1 };
	pid_t pid = child_in("0 200000 65536", CLONE_NEWUSER);
	uint32_t n;

	(void)state;
	assert_int_equal(vmail_idmaps_open(pid, &p, &fault), VMAIL_OK);
	end(pid);
	assert_false(p.ours);
	assert_int_equal(p.depth, 1);
	assert_true(p.setgroups_denied);
	assert_true(vmail_idmaps_outside(&p.uids, 1000, &n));
	assert_int_equal(n, 201000);
}

static void
a_namespace_without_numbers_is_refused(void **state)
{
	VMAIL_IDMAPS_PROCESS p = { .proc = -1 };
	pid_t pid = child_in(NULL, CLONE_NEWUSER);

	(void)state;
	assert_int_equal(vmail_idmaps_open(pid, &p, &fault), VMAIL_UNSUPPORTED);
	end(pid);
}

/* Its map would read like numbers of ours, and they are not. */
static void
a_namespace_that_is_not_below_ours_is_refused(void **state)
{
	pid_t host = getpid(), pid;
	int status;

	(void)state;
	pid = fork();
	if (pid == 0) {
		VMAIL_IDMAPS_PROCESS p = { .proc = -1 };

		if (unshare(CLONE_NEWUSER) != 0)
			_exit(1);
		enum vmail_rc rc = vmail_idmaps_open(host, &p, &fault);

		/* Where the kernel does not even let it look. */
		_exit(rc == VMAIL_UNSUPPORTED || rc == VMAIL_DENIED ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void
nobody_is_not_found(void **state)
{
	VMAIL_IDMAPS_PROCESS p = { .proc = -1 };
	pid_t pid = child_in(NULL, 0);

	(void)state;
	end(pid);
	assert_int_equal(vmail_idmaps_open(pid, &p, &fault), VMAIL_NOT_FOUND);
}

/* A root folder with what a hostile container may put there. */
static char root[64];

static pid_t
prisoner(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chroot(root) != 0 || chdir("/") != 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static int
look(const struct vmail_idmaps_process *p, const char *path, char *text)
{
	int fd = -1;
	enum vmail_rc rc = vmail_idmaps_open_file(p, path, &fd, &fault);

	text[0] = '\0';
	if (rc == VMAIL_OK) {
		ssize_t n = read(fd, text, 63);

		text[n > 0 ? n : 0] = '\0';
		close(fd);
	}
	return (int)rc;
}

static void
only_a_regular_file_of_its_own_root_is_opened(void **state)
{
	VMAIL_IDMAPS_PROCESS p = { .proc = -1 };
	char command[512], text[64];
	pid_t pid;

	(void)state;
	strcpy(root, "/tmp/vmail-idmaps-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
	    "cd %s && mkdir etc && echo mine >etc/plain && mkfifo etc/fifo && "
	    "mknod etc/device c 1 5 && ln -s /etc/plain etc/link && "
	    "ln -s /etc/passwd etc/out && ln -s ../../../../etc/passwd etc/up "
	    "&& ln -s /proc/1/root/etc/passwd etc/magic",
	    root);
	assert_int_equal(system(command), 0);
	pid = prisoner();
	assert_int_equal(vmail_idmaps_open(pid, &p, &fault), VMAIL_OK);
	assert_int_equal(look(&p, "etc/plain", text), VMAIL_OK);
	assert_string_equal(text, "mine\n");
	assert_int_equal(look(&p, "etc/link", text), VMAIL_OK);
	assert_string_equal(text, "mine\n");
	assert_int_equal(look(&p, "etc/out", text), VMAIL_NOT_FOUND);
	assert_int_equal(look(&p, "etc/up", text), VMAIL_NOT_FOUND);
	assert_int_equal(look(&p, "etc/magic", text), VMAIL_NOT_FOUND);
	assert_int_equal(look(&p, "etc/fifo", text), VMAIL_UNSAFE);
	assert_int_equal(look(&p, "etc/device", text), VMAIL_UNSAFE);
	assert_int_equal(look(&p, "etc", text), VMAIL_UNSAFE);
	end(pid);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_kernel_map_is_read_in_order_and_neighbours_are_one),
		cmocka_unit_test(what_is_no_map_is_malformed),
		cmocka_unit_test(
		    a_map_of_more_ranges_than_the_kernel_has_is_malformed),
		cmocka_unit_test(a_range_without_a_number_here_is_refused),
		cmocka_unit_test(equal_maps_are_equal_however_they_are_written),
		cmocka_unit_test(
		    a_number_goes_out_and_comes_back_at_every_edge),
		cmocka_unit_test(a_process_of_our_namespace_has_our_numbers),
		cmocka_unit_test(a_process_below_has_the_numbers_of_its_map),
		cmocka_unit_test(a_namespace_without_numbers_is_refused),
		cmocka_unit_test(a_namespace_that_is_not_below_ours_is_refused),
		cmocka_unit_test(nobody_is_not_found),
		cmocka_unit_test(only_a_regular_file_of_its_own_root_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
