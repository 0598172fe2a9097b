#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
