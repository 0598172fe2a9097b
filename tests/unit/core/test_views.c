#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/core/views.h"

static void
a_line_is_view_identity_numbers_and_namespace(void **state)
{
	struct vmail_view v;

	(void)state;
	assert_int_equal(
	    vmail_view_parse(VMAIL_STR("host  vmail\t5000:5001 -"), &v, NULL),
	    VMAIL_OK);
	assert_true(vmail_str_is(v.name, "host"));
	assert_true(vmail_str_is(v.identity, "vmail"));
	assert_int_equal(v.uid, 5000);
	assert_int_equal(v.gid, 5001);
	assert_int_equal(v.ranges.n, 0);
	assert_int_equal(
	    vmail_view_parse(VMAIL_STR("  rootless vmail 1000:1000 "
				       "0:1000:1,1:100000:65536  "),
		&v, NULL),
	    VMAIL_OK);
	assert_true(vmail_str_is(v.ranges, "0:1000:1,1:100000:65536"));
}

static void
blank_lines_and_comments_say_nothing(void **state)
{
	static const char *const lines[] = { "", " ", "\t ", "#", "# host",
		"  # host vmail 5000:5000 -" };
	struct vmail_view v;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_int_equal(
		    vmail_view_parse(vmail_str(lines[i]), &v, NULL),
		    VMAIL_NOT_FOUND);
}

static void
a_line_out_of_form_is_malformed_with_a_reason(void **state)
{
	static const char *const lines[] = { "host", "host vmail",
		"host vmail 5000:5000", "host vmail 5000:5000 - more",
		"-host vmail 5000:5000 -", ".host vmail 5000:5000 -",
		"ho/st vmail 5000:5000 -", "host 5000 5000:5000 -",
		"host vm:ail 5000:5000 -", "host -vmail 5000:5000 -",
		"host vmail 5000 -", "host vmail 5000: -", "host vmail :5000 -",
		"host vmail 5000:5000:1 -", "host vmail +5000:5000 -",
		"host vmail 0x10:5000 -", "host vmail 0:5000 -",
		"host vmail 5000:0 -", "host vmail 65534:5000 -",
		"host vmail 5000:65535 -", "host vmail 4294967295:5000 -",
		"host vmail 5000:4294967296 -", "host vmail 5000:5000 --",
		"host vmail 5000:5000 0", "host vmail 5000:5000 0:0",
		"host vmail 5000:5000 0:0:0", "host vmail 5000:5000 0:0:1,",
		"host vmail 5000:5000 ,0:0:1", "host vmail 5000:5000 0:0:1:1",
		"host vmail 5000:5000 a:0:1",
		"host vmail 5000:5000 4294967295:0:1",
		"host vmail 5000:5000 0:4294967290:10",
		"host vmail 5000:5000 -\r",
		("a123456789b123456789c123456789d123456789e123456789"
		 "f123456789g1234 vmail 5000:5000 -") };
	struct vmail_view v = { .uid = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const char *why = NULL;

		assert_int_equal(
		    vmail_view_parse(vmail_str(lines[i]), &v, &why),
		    VMAIL_MALFORMED);
		assert_non_null(why);
		assert_int_equal(v.uid, 7);
	}
}

static void
the_largest_namespace_is_well_formed(void **state)
{
	struct vmail_view v;

	(void)state;
	assert_int_equal(
	    vmail_view_parse(
		VMAIL_STR("h vmail 1:4294967294 0:0:4294967295"), &v, NULL),
	    VMAIL_OK);
}

static void
a_bad_line_hides_no_other(void **state)
{
	struct vmail_str text = VMAIL_STR("# views\n\nhost vmail 0:0 -\n"
					  "host vmail 5000:5000 -\nbad\n"
					  "img vmail 1000:1000 -");
	struct vmail_view v;

	(void)state;
	assert_true(vmail_views_next(&text, &v));
	assert_true(vmail_str_is(v.name, "host"));
	assert_int_equal(v.uid, 5000);
	assert_true(vmail_views_next(&text, &v));
	assert_true(vmail_str_is(v.name, "img"));
	assert_false(vmail_views_next(&text, &v));
	assert_false(vmail_views_next(&text, &v));
}

static void
the_first_line_of_a_view_and_identity_counts(void **state)
{
	struct vmail_str text = VMAIL_STR("img vmail 1:1 -\n"
					  "host other 2:2 -\n"
					  "host vmail 3:3 -\n"
					  "host vmail 4:4 -\n");
	struct vmail_view v;

	(void)state;
	assert_true(vmail_views_find(text, "host", VMAIL_STR("vmail"), &v));
	assert_int_equal(v.uid, 3);
	assert_true(vmail_views_find(text, "host", VMAIL_STR("other"), &v));
	assert_int_equal(v.uid, 2);
	assert_false(vmail_views_find(text, "host", VMAIL_STR("nobody"), &v));
	assert_false(vmail_views_find(
	    (struct vmail_str){ NULL, 0 }, "host", VMAIL_STR("vmail"), &v));
}

static void
is_refused(const char *namespace, const char *reason)
{
	char line[8192];
	struct vmail_view v;
	const char *why = "";

	(void)snprintf(line, sizeof(line), "img vmail 1000:1000 %s", namespace);
	assert_int_equal(
	    vmail_view_parse(vmail_str(line), &v, &why), VMAIL_MALFORMED);
	assert_non_null(strstr(why, reason));
}

static void
ranges_that_overlap_wrap_or_are_empty_are_refused_by_name(void **state)
{
	(void)state;
	is_refused("0:1:10,9:100:1", "overlap");
	is_refused("0:1:10,20:100:5,100:10:1", "overlap");
	is_refused("5:5:5,0:100:6", "overlap");
	is_refused("0:0:1,0:0:1", "overlap");
	is_refused("0:1:0", "count of 0");
	is_refused("0:1:1,1:2:0", "count of 0");
	is_refused("0:1:4294967295", "beyond 4294967294");
	is_refused("4294967295:1:1", "beyond 4294967294");
	is_refused("1:4294967295:1", "beyond 4294967294");
	is_refused("0:1:18446744073709551615", "beyond 4294967294");
	is_refused("18446744073709551615:1:1", "beyond 4294967294");
	is_refused("0:1:18446744073709551616", "inside:outside:count");
	is_refused("0:1", "inside:outside:count");
}

static void
an_id_beyond_the_last_one_is_refused_by_name(void **state)
{
	static const char *const lines[] = { "a vmail 4294967295:1 -",
		"a vmail 1:4294967295 -", "a vmail 99999999999999999999:1 -",
		"a vmail 0:1 -", "a vmail 1:65534 -" };
	struct vmail_view v;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const char *why = "";

		assert_int_equal(
		    vmail_view_parse(vmail_str(lines[i]), &v, &why),
		    VMAIL_MALFORMED);
		assert_non_null(strstr(why, "from 1 to 4294967294"));
	}
}

static void
a_namespace_has_at_most_340_ranges(void **state)
{
	char ranges[8000];
	size_t n = 0;
	struct vmail_view v;
	char line[8192];

	(void)state;
	for (unsigned i = 0; i < 340; i++)
		n += (size_t)snprintf(ranges + n, sizeof(ranges) - n,
		    "%s%u:%u:1", i > 0 ? "," : "", i, 1000 + i);
	(void)snprintf(line, sizeof(line), "a vmail 1:1 %s", ranges);
	assert_int_equal(vmail_view_parse(vmail_str(line), &v, NULL), VMAIL_OK);
	(void)snprintf(ranges + n, sizeof(ranges) - n, ",340:1340:1");
	is_refused(ranges, "340");
}

static void
a_number_inside_leads_to_the_hosts(void **state)
{
	struct vmail_view v;
	uint32_t n = 7;

	(void)state;
	assert_int_equal(
	    vmail_view_parse(VMAIL_STR("a vmail 1:1 0:1000:1,1:100000:65536,"
				       "4294967294:5:1"),
		&v, NULL),
	    VMAIL_OK);
	assert_true(vmail_view_outside(&v, 0, &n) && n == 1000);
	assert_true(vmail_view_outside(&v, 1, &n) && n == 100000);
	assert_true(vmail_view_outside(&v, 1000, &n) && n == 100999);
	assert_true(vmail_view_outside(&v, 65536, &n) && n == 165535);
	assert_true(vmail_view_outside(&v, 4294967294, &n) && n == 5);
	assert_false(vmail_view_outside(&v, 65537, &n));
	assert_false(vmail_view_outside(&v, 4294967295, &n));
	assert_int_equal(n, 5);
	assert_int_equal(
	    vmail_view_parse(VMAIL_STR("a vmail 1:1 -"), &v, NULL), VMAIL_OK);
	assert_false(vmail_view_outside(&v, 1, &n));
}

static void
a_second_line_of_a_view_and_identity_says_nothing(void **state)
{
	struct vmail_str text = VMAIL_STR("img vmail 0:0 -\nimg vmail 1:1 -\n"
					  "img vmail 1:1 -\nimg\tother 1:1 -"),
			 rest = text;
	struct vmail_view v;

	(void)state;
	assert_true(vmail_views_next(&rest, &v));
	assert_true(vmail_views_first(text, &v));
	assert_true(vmail_views_next(&rest, &v));
	assert_false(vmail_views_first(text, &v));
	assert_true(vmail_views_next(&rest, &v));
	assert_true(vmail_views_first(text, &v));
}

static void
a_line_is_looked_at_before_it_is_judged(void **state)
{
	struct vmail_str rest = VMAIL_STR("\n  # c\n\t img\tvmail bad\none\n");
	struct vmail_views_line l;

	(void)state;
	assert_true(vmail_views_peek(&rest, &l));
	assert_true(vmail_str_is(l.name, "img"));
	assert_true(vmail_str_is(l.identity, "vmail"));
	assert_true(vmail_str_is(l.line, "\t img\tvmail bad"));
	assert_true(vmail_views_peek(&rest, &l));
	assert_true(vmail_str_is(l.name, "one"));
	assert_int_equal(l.identity.n, 0);
	assert_false(vmail_views_peek(&rest, &l));
}

/* A /run of our own, for the rest of this program. */
static void
enter_own_run(void)
{
	assert_int_equal(unshare(CLONE_NEWNS | CLONE_NEWUTS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("run", "/run", "tmpfs", 0, "mode=0755"), 0);
	assert_int_equal(mkdir("/run/vmail", 0755), 0);
}

static void
write_view(const char *text, size_t n, mode_t mode)
{
	int fd = open(VMAIL_VIEW_PATH, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static enum vmail_rc
named(const char *text, mode_t mode, struct vmail_err *err)
{
	char room[VMAIL_VIEW_ROOM];
	struct vmail_str name;
	enum vmail_rc rc;

	write_view(text, strlen(text), mode);
	rc = vmail_views_named(room, &name, err);
	if (rc == VMAIL_OK)
		assert_true(vmail_str_is(name, "img"));
	return rc;
}

static void
the_file_of_this_systems_view_holds_one_name_and_is_roots(void **state)
{
	char room[VMAIL_VIEW_ROOM], longest[VMAIL_VIEW_MAX + 3];
	struct vmail_str name;
	struct vmail_err err = { .rc = VMAIL_OK };

	(void)state;
	enter_own_run();
	assert_int_equal(vmail_views_named(room, &name, &err), VMAIL_NOT_FOUND);
	assert_int_equal(named("img", 0644, &err), VMAIL_OK);
	assert_int_equal(named("img\n", 0444, &err), VMAIL_OK);
	assert_int_equal(named(" img\t \n", 0644, &err), VMAIL_OK);
	assert_int_equal(named("", 0644, &err), VMAIL_MALFORMED);
	assert_int_equal(named("img img\n", 0644, &err), VMAIL_MALFORMED);
	assert_int_equal(named("img\nimg\n", 0644, &err), VMAIL_MALFORMED);
	assert_int_equal(named("img\r\n", 0644, &err), VMAIL_MALFORMED);
	assert_string_equal(err.path, VMAIL_VIEW_PATH);
	assert_int_equal(named("img\n", 0664, &err), VMAIL_UNSAFE);
	assert_int_equal(named("img\n", 0646, &err), VMAIL_UNSAFE);
	assert_int_equal(chown(VMAIL_VIEW_PATH, 1000, 0), 0);
	assert_int_equal(named("img\n", 0644, &err), VMAIL_UNSAFE);
	assert_int_equal(unlink(VMAIL_VIEW_PATH), 0);
	memset(longest, 'a', sizeof(longest));
	longest[VMAIL_VIEW_MAX] = '\n';
	write_view(longest, VMAIL_VIEW_MAX + 1, 0644);
	assert_int_equal(vmail_views_named(room, &name, &err), VMAIL_OK);
	assert_int_equal(name.n, VMAIL_VIEW_MAX);
	longest[VMAIL_VIEW_MAX] = 'a';
	write_view(longest, sizeof(longest), 0644);
	assert_int_equal(vmail_views_named(room, &name, &err), VMAIL_MALFORMED);
	assert_int_equal(unlink(VMAIL_VIEW_PATH), 0);
	assert_int_equal(symlink("/etc/hostname", VMAIL_VIEW_PATH), 0);
	assert_int_equal(vmail_views_named(room, &name, &err), VMAIL_UNSAFE);
	assert_int_equal(unlink(VMAIL_VIEW_PATH), 0);
	assert_int_equal(mkfifo(VMAIL_VIEW_PATH, 0644), 0);
	assert_int_equal(vmail_views_named(room, &name, &err), VMAIL_UNSAFE);
	assert_int_equal(unlink(VMAIL_VIEW_PATH), 0);
	/* A file where the folder should be. */
	assert_int_equal(rmdir("/run/vmail"), 0);
	assert_int_equal(mknod("/run/vmail", S_IFREG | 0644, 0), 0);
	assert_int_equal(vmail_views_named(room, &name, &err), VMAIL_NOT_FOUND);
}

static void
a_host_name_may_be_a_views(void **state)
{
	char room[VMAIL_VIEW_ROOM];
	struct vmail_str name;

	(void)state;
	assert_int_equal(sethostname("Img.example", 11), 0);
	assert_true(vmail_views_hostname(room, &name));
	assert_true(vmail_str_is(name, "Img.example"));
	assert_int_equal(sethostname("(none)", 6), 0);
	assert_false(vmail_views_hostname(room, &name));
	assert_int_equal(sethostname("", 0), 0);
	assert_false(vmail_views_hostname(room, &name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_view_identity_numbers_and_namespace),
		cmocka_unit_test(blank_lines_and_comments_say_nothing),
		cmocka_unit_test(a_line_out_of_form_is_malformed_with_a_reason),
		cmocka_unit_test(the_largest_namespace_is_well_formed),
		cmocka_unit_test(a_bad_line_hides_no_other),
		cmocka_unit_test(the_first_line_of_a_view_and_identity_counts),
		cmocka_unit_test(
		    ranges_that_overlap_wrap_or_are_empty_are_refused_by_name),
		cmocka_unit_test(an_id_beyond_the_last_one_is_refused_by_name),
		cmocka_unit_test(a_namespace_has_at_most_340_ranges),
		cmocka_unit_test(a_number_inside_leads_to_the_hosts),
		cmocka_unit_test(
		    a_second_line_of_a_view_and_identity_says_nothing),
		cmocka_unit_test(a_line_is_looked_at_before_it_is_judged),
		cmocka_unit_test(
		    the_file_of_this_systems_view_holds_one_name_and_is_roots),
		cmocka_unit_test(a_host_name_may_be_a_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
