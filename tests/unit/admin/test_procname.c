/* What people call a process, from folders like those of /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/procname.h"

static char dir[] = "/tmp/test_procname.XXXXXX";
static int proc = -1;

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	proc = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return proc < 0 ? -1 : 0;
}

static int
drop_folder(void **state)
{
	(void)state;
	(void)unlinkat(proc, "comm", 0);
	(void)unlinkat(proc, "cgroup", 0);
	close(proc);
	return rmdir(dir);
}

static void
put(const char *name, const char *text)
{
	int fd =
	    openat(proc, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
called(const char *cgroup, const char *name)
{
	char out[VMAIL_CONTAINER_MAX];

	put("cgroup", cgroup);
	vmail_procname_container(proc, out);
	assert_string_equal(out, name);
}

static void
a_container_is_the_last_part_of_the_unified_group(void **state)
{
	(void)state;
	called("0::/system.slice/docker-4f2a.scope\n", "docker-4f2a.scope");
	called("9:name=systemd:/a/first\n0::/b/mail_1\n", "mail_1");
	called("9:pids:/a/first\n8:cpu:/a/second\n", "first");
	called("9:pids:/a/first\n0::/\n", "first");
}

static void
nothing_but_a_name_is_shown(void **state)
{
	char deep[400] = "0::/";

	(void)state;
	called("0::/a\x1b[2Jb c\n", "a2Jbc");
	called("0::/\n", "");
	called("", "");
	memset(deep + 4, 'x', 300);
	called(deep, "");
}

static void
a_process_that_is_gone_has_no_name(void **state)
{
	char name[VMAIL_PROCNAME_MAX], container[VMAIL_CONTAINER_MAX];

	(void)state;
	put("comm", "dovecot\n");
	vmail_procname(proc, name);
	assert_string_equal(name, "dovecot");
	put("comm", "a name of more than thirty-one bytes\n");
	vmail_procname(proc, name);
	assert_string_equal(name, "a name of more than thirty-one ");
	vmail_procname(-1, name);
	assert_string_equal(name, "?");
	vmail_procname_container(-1, container);
	assert_string_equal(container, "");
	assert_false(vmail_procname_contained(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_container_is_the_last_part_of_the_unified_group),
		cmocka_unit_test(nothing_but_a_name_is_shown),
		cmocka_unit_test(a_process_that_is_gone_has_no_name),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
