#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/entry.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct vmail_entry
parsed(const char *line)
{
	struct vmail_entry e = { .colons = 0 };
	const char *why = NULL;

	if (vmail_entry_parse(vmail_str(line), &e, &why) != VMAIL_OK)
		fail_msg("'%s': %s", line, why == NULL ? "skipped" : why);
	return e;
}

static const char *
fault_of(struct vmail_str line)
{
	struct vmail_entry e = { .colons = 99 };
	const char *why = NULL;

	if (vmail_entry_parse(line, &e, &why) == VMAIL_OK)
		fail_msg("accepted: '%.*s'", (int)line.n, line.p);
	assert_int_equal(e.colons, 99);
	return why;
}

static void
the_record_from_the_field_is_read(void **state)
{
	struct vmail_entry e = parsed(
	    "test@kuma8088.com:{SHA512-CRYPT}$6$AsaBrRHlvZiiCa1q$PML7EaM2PvWhU"
	    "OXXb2VwLlYnjBEbfqQcnd4zmuKjPlzmng7Q5M774u.JAFF4NFT1YYvkroIOG5FHnZ"
	    "SODGK5J1:5000:5000::/var/mail/vhosts/kuma8088.com/test::");

	(void)state;
	assert_true(vmail_str_is(e.name, "test@kuma8088.com"));
	assert_true(vmail_str_starts(e.password, "{SHA512-CRYPT}$6$Asa"));
	assert_true(vmail_str_is(e.uid, "5000"));
	assert_true(vmail_str_is(e.gid, "5000"));
	assert_non_null(e.gecos.p);
	assert_int_equal(e.gecos.n, 0);
	assert_true(vmail_str_is(e.home, "/var/mail/vhosts/kuma8088.com/test"));
	assert_int_equal(e.shell.n, 0);
	assert_non_null(e.extra.p);
	assert_int_equal(e.extra.n, 0);
	assert_int_equal(e.colons, 7);
}

static void
a_field_that_is_not_there_is_not_an_empty_one(void **state)
{
	struct vmail_entry e = parsed("a@x");

	(void)state;
	assert_null(e.password.p);
	assert_int_equal(e.colons, 0);
	e = parsed("a@x:");
	assert_non_null(e.password.p);
	assert_int_equal(e.password.n, 0);
	assert_null(e.uid.p);
	assert_int_equal(e.colons, 1);
	e = parsed("a@x:p::");
	assert_non_null(e.gid.p);
	assert_null(e.gecos.p);
	assert_null(e.extra.p);
	assert_int_equal(e.colons, 3);
}

static void
colons_after_the_seventh_belong_to_the_extras(void **state)
{
	struct vmail_entry e = parsed("a:p:1:2:g:/h:s:x=1:2 :y:");

	(void)state;
	assert_true(vmail_str_is(e.extra, "x=1:2 :y:"));
	assert_int_equal(e.colons, 7);
}

static void
only_the_first_byte_skips_a_line(void **state)
{
	static const char *const skipped[] = { "", "\r", "#", "# x", ":",
		":a:b", "::::::::" };
	struct vmail_entry e;

	(void)state;
	for (size_t i = 0; i < COUNT(skipped); i++)
		assert_int_equal(
		    vmail_entry_parse(vmail_str(skipped[i]), &e, NULL),
		    VMAIL_NOT_FOUND);
	assert_int_equal(
	    vmail_entry_parse((struct vmail_str){ NULL, 0 }, &e, NULL),
	    VMAIL_NOT_FOUND);
	assert_true(vmail_str_is(parsed("  # x:p").name, "  # x"));
	assert_true(vmail_str_is(parsed("\t:p").name, "\t"));
	assert_true(
	    vmail_str_is(parsed("\xef\xbb\xbf# x").name, "\xef\xbb\xbf# x"));
}

static void
nothing_is_trimmed_but_one_cr(void **state)
{
	struct vmail_entry e = parsed(" A@x : p :::::: x \r");

	(void)state;
	assert_true(vmail_str_is(e.name, " A@x "));
	assert_true(vmail_str_is(e.password, " p "));
	assert_true(vmail_str_is(e.extra, " x "));
	assert_true(vmail_str_is(parsed("a\r\r").name, "a\r"));
	assert_true(vmail_str_is(parsed("a:p\rq").password, "p\rq"));
}

static void
an_id_no_system_can_use_hides_its_own_line(void **state)
{
	static const char *const bad[] = { "0", "00", "-1", "+5", "root",
		" 5000", "5000 ", "0x1388", "5000a", "4294967294", "4294967295",
		"99999999999999999999", "5e3", "-", ".x", "a b", "v\tmail",
		"a23456789012345678901234567890123" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char line[128];
		struct vmail_buf b = { line, sizeof(line), 0, false };

		vmail_buf_z(&b, "a@x:{CRYPT}*:");
		vmail_buf_z(&b, bad[i]);
		vmail_buf_z(&b, ":5000::/h::");
		assert_memory_equal(
		    fault_of((struct vmail_str){ line, b.len }), "uid", 3);
		b.len = 0;
		vmail_buf_z(&b, "a@x:{CRYPT}*:5000:");
		vmail_buf_z(&b, bad[i]);
		assert_memory_equal(
		    fault_of((struct vmail_str){ line, b.len }), "gid", 3);
	}
}

static void
an_id_some_system_may_use_is_read(void **state)
{
	static const char *const good[] = { "", "1", "0500", "5000", "65534",
		"65535", "4294967293", "vmail", "VMAIL", "no.such-user$" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char line[128];
		struct vmail_buf b = { line, sizeof(line), 0, false };

		vmail_buf_z(&b, "a@x:p:");
		vmail_buf_z(&b, good[i]);
		vmail_buf_char(&b, ':');
		vmail_buf_z(&b, good[i]);
		(void)vmail_buf_end(&b);
		assert_true(vmail_str_is(parsed(line).uid, good[i]));
		assert_true(vmail_str_is(parsed(line).gid, good[i]));
	}
}

static void
a_nul_byte_anywhere_hides_the_line(void **state)
{
	(void)state;
	assert_string_equal(fault_of(VMAIL_STR("a\0@x:p")), "a NUL byte");
	assert_string_equal(
	    fault_of(VMAIL_STR("a@x:p:::::::x\0")), "a NUL byte");
	assert_string_equal(fault_of(VMAIL_STR("a@x:p\nb@x:p")), "a line feed");
}

static void
other_control_bytes_are_read(void **state)
{
	struct vmail_entry e = parsed("a\033@x:p::: \001:/h\177:/s\t:");

	(void)state;
	assert_true(vmail_str_is(e.name, "a\033@x"));
	assert_true(vmail_str_is(e.home, "/h\177"));
}

/* name ":" and n bytes in the field that has `colons` colons before it. */
static enum vmail_rc
parse_with_field(unsigned colons, size_t n)
{
	size_t size = n + 16;
	char *line = malloc(size);
	struct vmail_buf b = { line, size, 0, false };
	struct vmail_entry e;
	enum vmail_rc rc;

	assert_non_null(line);
	vmail_buf_char(&b, 'n');
	for (unsigned i = 0; i < colons; i++)
		vmail_buf_char(&b, ':');
	for (size_t i = 0; i < n; i++)
		vmail_buf_char(&b, 'x');
	assert_false(b.full);
	rc = vmail_entry_parse((struct vmail_str){ line, b.len }, &e, NULL);
	free(line);
	return rc;
}

static void
a_line_over_its_size_hides_itself(void **state)
{
	(void)state;
	assert_int_equal(parse_with_field(1, 512), VMAIL_OK);
	assert_int_equal(parse_with_field(1, 513), VMAIL_MALFORMED);
	assert_int_equal(parse_with_field(4, VMAIL_PUBLIC_MAX - 1), VMAIL_OK);
	assert_int_equal(
	    parse_with_field(4, VMAIL_PUBLIC_MAX), VMAIL_MALFORMED);
	assert_int_equal(parse_with_field(0, VMAIL_PUBLIC_MAX - 1), VMAIL_OK);
	assert_int_equal(
	    parse_with_field(0, VMAIL_PUBLIC_MAX), VMAIL_MALFORMED);
	assert_int_equal(parse_with_field(7, VMAIL_LINE_MAX - 8), VMAIL_OK);
	assert_int_equal(
	    parse_with_field(7, VMAIL_LINE_MAX - 7), VMAIL_MALFORMED);
	assert_int_equal(parse_with_field(7, 1 << 20), VMAIL_MALFORMED);
}

static void
the_parts_lie_in_the_line_itself(void **state)
{
	const char *line = "a@x:p:1:2:g:/h:s:e=1";
	struct vmail_entry e = parsed(line);

	(void)state;
	assert_ptr_equal(e.name.p, line);
	assert_ptr_equal(e.extra.p, line + 17);
}

static void
a_line_laid_out_has_seven_colons(void **state)
{
	static const char *const lines[][2] = { { "a", "a:::::::" },
		{ "a:p", "a:p::::::" }, { "a:p:1:2", "a:p:1:2::::" },
		{ "a:p:1:2:g:/h:s:x y=1 :z", "a:p:1:2:g:/h:s:x y=1 :z" } };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[128];
		struct vmail_buf b = { text, sizeof(text), 0, false };
		struct vmail_entry e = parsed(lines[i][0]);

		vmail_entry_put(&e, &b);
		assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
		assert_string_equal(text, lines[i][1]);
	}
}

static void
what_is_public_never_holds_password_or_extras(void **state)
{
	char text[128];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_entry e = parsed("a@x:SECRET:1:2:g:/h:/s:fail=SECRET");

	(void)state;
	vmail_entry_put_public(&e, 4711, &b);
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	assert_string_equal(text, "1:2:g:/h:/s:4711");
}

static void
a_public_change_is_one_of_name_ids_gecos_home_or_shell(void **state)
{
	struct vmail_entry a = parsed("a:p:1:2:g:/h:/s:x");
	static const char *const differ[] = { "b:p:1:2:g:/h:/s:x",
		"a:p:9:2:g:/h:/s:x", "a:p:1:9:g:/h:/s:x", "a:p:1:2:9:/h:/s:x",
		"a:p:1:2:g:/9:/s:x", "a:p:1:2:g:/h:/9:x" };
	struct vmail_entry b = parsed("a:other:1:2:g:/h:/s:y z");

	(void)state;
	assert_true(vmail_entry_public_same(&a, &b));
	for (size_t i = 0; i < COUNT(differ); i++) {
		b = parsed(differ[i]);
		assert_false(vmail_entry_public_same(&a, &b));
	}
}

static void
a_field_that_would_break_the_line_is_never_written(void **state)
{
	(void)state;
	assert_null(vmail_entry_gecos_fault(VMAIL_STR("")));
	assert_null(vmail_entry_gecos_fault(VMAIL_STR("J\xc3\xb6rg, Room 4")));
	assert_non_null(vmail_entry_gecos_fault(VMAIL_STR("a:b")));
	assert_non_null(vmail_entry_gecos_fault(VMAIL_STR("a\nb")));
	assert_non_null(vmail_entry_gecos_fault(VMAIL_STR("a\rb")));
	assert_non_null(vmail_entry_gecos_fault(VMAIL_STR("a\0b")));
}

static void
a_home_is_absolute_and_never_climbs(void **state)
{
	(void)state;
	assert_null(vmail_entry_home_fault(VMAIL_STR("")));
	assert_null(vmail_entry_home_fault(VMAIL_STR("/var/mail/x..y/z z")));
	assert_non_null(vmail_entry_home_fault(VMAIL_STR("var/mail")));
	assert_non_null(vmail_entry_home_fault(VMAIL_STR("/var/../etc")));
	assert_non_null(vmail_entry_home_fault(VMAIL_STR("/..")));
	assert_non_null(vmail_entry_home_fault(VMAIL_STR("/a:b")));
	assert_non_null(vmail_entry_home_fault(VMAIL_STR("/a\nb")));
}

static void
an_id_that_nobody_may_have_is_never_written(void **state)
{
	static const char *const bad[] = { "0", "000", "root", "499", "60001",
		"65534", "65535", "4294967295", "-1", "+500", " 500", "0x1f4",
		"99999999999999999999999", "a b", "a:b" };
	static const char *const good[] = { "", "500", "60000", "5000", "vmail",
		"dovecot" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (vmail_entry_id_fault(vmail_str(bad[i]), 500, 60000) == NULL)
			fail_msg("accepted: '%s'", bad[i]);
	}
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(
		    vmail_entry_id_fault(vmail_str(good[i]), 500, 60000));
	assert_non_null(
	    vmail_entry_id_fault(VMAIL_STR("65534"), 1, 4294967293));
	assert_non_null(vmail_entry_id_fault(VMAIL_STR("0"), 0, 60000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_record_from_the_field_is_read),
		cmocka_unit_test(a_field_that_is_not_there_is_not_an_empty_one),
		cmocka_unit_test(colons_after_the_seventh_belong_to_the_extras),
		cmocka_unit_test(only_the_first_byte_skips_a_line),
		cmocka_unit_test(nothing_is_trimmed_but_one_cr),
		cmocka_unit_test(an_id_no_system_can_use_hides_its_own_line),
		cmocka_unit_test(an_id_some_system_may_use_is_read),
		cmocka_unit_test(a_nul_byte_anywhere_hides_the_line),
		cmocka_unit_test(other_control_bytes_are_read),
		cmocka_unit_test(a_line_over_its_size_hides_itself),
		cmocka_unit_test(the_parts_lie_in_the_line_itself),
		cmocka_unit_test(a_line_laid_out_has_seven_colons),
		cmocka_unit_test(what_is_public_never_holds_password_or_extras),
		cmocka_unit_test(
		    a_public_change_is_one_of_name_ids_gecos_home_or_shell),
		cmocka_unit_test(
		    a_field_that_would_break_the_line_is_never_written),
		cmocka_unit_test(a_home_is_absolute_and_never_climbs),
		cmocka_unit_test(an_id_that_nobody_may_have_is_never_written),
	};

	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
