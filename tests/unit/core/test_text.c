#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/core/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct vmail_buf
buf_of(char *p, size_t size)
{
	return (struct vmail_buf){ p, size, 0, false };
}

static void
a_cut_tells_an_empty_rest_from_none(void **state)
{
	struct vmail_str rest = VMAIL_STR("a:");

	(void)state;
	assert_true(vmail_str_is(vmail_text_cut(&rest, ':'), "a"));
	assert_non_null(rest.p);
	assert_int_equal(rest.n, 0);
	assert_true(vmail_str_is(vmail_text_cut(&rest, ':'), ""));
	assert_null(rest.p);
	assert_true(vmail_str_is(vmail_text_cut(&rest, ':'), ""));
	assert_null(rest.p);
}

static void
strings_are_equal_byte_for_byte(void **state)
{
	static const struct vmail_str none = { NULL, 0 };

	(void)state;
	assert_true(vmail_str_eq(none, VMAIL_STR("")));
	assert_true(vmail_str_eq(VMAIL_STR("a\0b"), VMAIL_STR("a\0b")));
	assert_false(vmail_str_eq(VMAIL_STR("a\0b"), VMAIL_STR("a\0c")));
	assert_false(vmail_str_is(VMAIL_STR("A"), "a"));
	assert_true(vmail_str_starts(VMAIL_STR("abc"), "ab"));
	assert_false(vmail_str_starts(VMAIL_STR("a"), "ab"));
	assert_true(vmail_str_starts(none, ""));
}

static void
a_number_is_digits_and_nothing_else(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x10",
		"1a", "1.0", "1\n", "\xd9\xa1" };
	uint64_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(
		    vmail_text_number(vmail_str(bad[i]), UINT64_MAX, &n));
	assert_int_equal(n, 77);
	assert_true(vmail_text_number(VMAIL_STR("007"), UINT64_MAX, &n));
	assert_int_equal(n, 7);
}

static void
a_number_never_wraps(void **state)
{
	uint64_t n = 77;

	(void)state;
	assert_true(vmail_text_number(
	    VMAIL_STR("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_false(vmail_text_number(
	    VMAIL_STR("18446744073709551616"), UINT64_MAX, &n));
	assert_false(
	    vmail_text_number(VMAIL_STR("4294967296"), UINT32_MAX, &n));
	assert_true(vmail_text_number(VMAIL_STR("4294967295"), UINT32_MAX, &n));
	assert_false(vmail_text_number(VMAIL_STR("9"), 8, &n));
	assert_true(vmail_text_number(VMAIL_STR("8"), 8, &n));
	assert_false(vmail_text_number(VMAIL_STR("1"), 0, &n));
	assert_true(vmail_text_number(VMAIL_STR("0"), 0, &n));
}

static void
only_ascii_letters_are_lowered(void **state)
{
	char text[] = "AZ@[`az\xc3\x84";

	(void)state;
	vmail_text_lower(text, strlen(text));
	assert_string_equal(text, "az@[`az\xc3\x84");
}

static void
a_builder_writes_nothing_after_what_did_not_fit(void **state)
{
	char room[8] = "#######";
	struct vmail_buf b = buf_of(room, 4);

	(void)state;
	vmail_buf_z(&b, "abc");
	vmail_buf_z(&b, "de");
	vmail_buf_z(&b, "f");
	assert_int_equal(b.len, 3);
	assert_true(b.full);
	assert_int_equal(vmail_buf_end(&b), VMAIL_TOO_SMALL);
	assert_memory_equal(room, "abc\0###", 7);
}

static void
the_terminator_needs_room_too(void **state)
{
	char room[8] = "#######";
	struct vmail_buf b = buf_of(room, 3);

	(void)state;
	vmail_buf_z(&b, "abc");
	assert_false(b.full);
	assert_int_equal(vmail_buf_end(&b), VMAIL_TOO_SMALL);
	assert_memory_equal(room, "ab\0#", 4);
	b = buf_of(room, 4);
	vmail_buf_z(&b, "xyz");
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	assert_string_equal(room, "xyz");
	b = buf_of(NULL, 0);
	vmail_buf_z(&b, "");
	assert_int_equal(vmail_buf_end(&b), VMAIL_TOO_SMALL);
}

static void
numbers_are_padded_to_their_width(void **state)
{
	char room[64];
	struct vmail_buf b = buf_of(room, sizeof(room));

	(void)state;
	vmail_buf_num(&b, UINT64_MAX, 1);
	vmail_buf_char(&b, ' ');
	vmail_buf_num(&b, 0, 1);
	vmail_buf_char(&b, ' ');
	vmail_buf_num(&b, 42, 6);
	vmail_buf_char(&b, ' ');
	vmail_buf_mode(&b, 0640);
	vmail_buf_char(&b, ' ');
	vmail_buf_mode(&b, 0);
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	assert_string_equal(room, "18446744073709551615 0 000042 0640 0000");
}

static void
what_is_shown_is_safe_in_a_log(void **state)
{
	char room[64];
	struct vmail_buf b = buf_of(room, sizeof(room));

	(void)state;
	vmail_buf_shown(&b, VMAIL_STR("a b~\n\0\x7f\x80\\"));
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	assert_string_equal(room, "a b~\\x0a\\x00\\x7f\\x80\\x5c");
}

static void
a_name_that_breaks_a_rule_is_never_written(void **state)
{
	static const char *const bad[] = { "", "A@x", "a@X", "a b", "a:b",
		"a/b", "../x", "a..b@c", "a@b..c", "..", ".", ".a@x", "-a@x",
		"#a@x", "@x", "a@", "@", "a@b@c", "a@.x", "a@x.", "12345",
		"a\n@x", "a\t@x", "a\x7f@x", "a@x\r", "a@x/../y" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (vmail_name_fault(vmail_str(bad[i])) == NULL)
			fail_msg("accepted: '%s'", bad[i]);
	}
	assert_non_null(vmail_name_fault(VMAIL_STR("a\0b@x")));
}

static void
an_ordinary_name_is_accepted(void **state)
{
	static const char *const good[] = { "test@kuma8088.com", "a", "a@b",
		"1@2", "1234x", "a+b@x.org", "a.b-c_d@x-y.org", "o'hara@x",
		"j\xc3\xb6rg@x", "12@example.org", "a.@x" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (vmail_name_fault(vmail_str(good[i])) != NULL)
			fail_msg("refused: '%s'", good[i]);
	}
}

static void
a_name_has_254_bytes_at_most(void **state)
{
	char name[VMAIL_NAME_MAX + 1];
	struct vmail_str s = { name, sizeof(name) };

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_non_null(vmail_name_fault(s));
	assert_false(vmail_name_askable(s));
	s.n--;
	assert_null(vmail_name_fault(s));
	assert_true(vmail_name_askable(s));
}

static void
nobody_asks_for_what_no_line_can_hold(void **state)
{
	static const char *const bad[] = { "", "#a", ":a", "a:b", "a\nb", "a\r",
		"\x7f" };
	static const char *const good[] = { "A@X", "a b", "a/b", "..", "12",
		"a@b@c", "-a" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(vmail_name_askable(vmail_str(bad[i])));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(vmail_name_askable(vmail_str(good[i])));
	assert_false(vmail_name_askable(VMAIL_STR("a\0")));
}

static void
an_account_s_name_is_a_plain_word(void **state)
{
	static const char *const bad[] = { "", "0", "1a", "-a", ".a", "$",
		"a$b", "a b", " a", "a ", "a:b", "a/b", "a@b", "+1",
		"a23456789012345678901234567890123", "\xc3\xa4" };
	static const char *const good[] = { "vmail", "VMAIL", "_x", "a$",
		"systemd-network", "a.b", "a1", "x10",
		"a2345678901234567890123456789012" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (vmail_name_is_account(vmail_str(bad[i])))
			fail_msg("accepted: '%s'", bad[i]);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		if (!vmail_name_is_account(vmail_str(good[i])))
			fail_msg("refused: '%s'", good[i]);
	}
}

static void
a_name_is_split_at_its_last_at(void **state)
{
	struct vmail_str local, domain;

	(void)state;
	vmail_name_split(VMAIL_STR("a@b@c"), &local, &domain);
	assert_true(vmail_str_is(local, "a@b"));
	assert_true(vmail_str_is(domain, "c"));
	vmail_name_split(VMAIL_STR("abc"), &local, &domain);
	assert_true(vmail_str_is(local, "abc"));
	assert_int_equal(domain.n, 0);
	vmail_name_split((struct vmail_str){ NULL, 0 }, &local, &domain);
	assert_int_equal(local.n, 0);
}

static void
a_path_that_climbs_is_seen(void **state)
{
	(void)state;
	assert_true(vmail_text_climbs(VMAIL_STR("/a/../b")));
	assert_true(vmail_text_climbs(VMAIL_STR("..")));
	assert_true(vmail_text_climbs(VMAIL_STR("/a/..")));
	assert_false(vmail_text_climbs(VMAIL_STR("/a/..b/c..")));
	assert_false(vmail_text_climbs(VMAIL_STR("")));
}

static void
assert_expands(const char *tmpl, const char *name, const char *expected)
{
	char room[64];
	struct vmail_buf b = buf_of(room, sizeof(room));

	assert_int_equal(
	    vmail_text_expand(&b, vmail_str(tmpl), vmail_str(name)), VMAIL_OK);
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	assert_string_equal(room, expected);
}

static void
a_template_is_filled_with_the_parts_of_the_name(void **state)
{
	(void)state;
	assert_expands("/v/%d/%n", "test@kuma.com", "/v/kuma.com/test");
	assert_expands("%u", "a@b", "a@b");
	assert_expands("/v/%d/%n/M", "a", "/v//a/M");
	assert_expands("100%%u", "a", "100%u");
	assert_expands("%n%n", "%u@x", "%u%u");
	assert_expands("", "a", "");
}

static void
an_unknown_percent_is_an_error(void **state)
{
	static const char *const bad[] = { "%", "/%x", "%{u}", "%U", "%d%" };
	char room[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct vmail_buf b = buf_of(room, sizeof(room));

		assert_int_equal(
		    vmail_text_expand(&b, vmail_str(bad[i]), VMAIL_STR("a@b")),
		    VMAIL_INVALID);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_tells_an_empty_rest_from_none),
		cmocka_unit_test(strings_are_equal_byte_for_byte),
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
		cmocka_unit_test(a_number_never_wraps),
		cmocka_unit_test(only_ascii_letters_are_lowered),
		cmocka_unit_test(
		    a_builder_writes_nothing_after_what_did_not_fit),
		cmocka_unit_test(the_terminator_needs_room_too),
		cmocka_unit_test(numbers_are_padded_to_their_width),
		cmocka_unit_test(what_is_shown_is_safe_in_a_log),
		cmocka_unit_test(a_name_that_breaks_a_rule_is_never_written),
		cmocka_unit_test(an_ordinary_name_is_accepted),
		cmocka_unit_test(a_name_has_254_bytes_at_most),
		cmocka_unit_test(nobody_asks_for_what_no_line_can_hold),
		cmocka_unit_test(an_account_s_name_is_a_plain_word),
		cmocka_unit_test(a_name_is_split_at_its_last_at),
		cmocka_unit_test(a_path_that_climbs_is_seen),
		cmocka_unit_test(
		    a_template_is_filled_with_the_parts_of_the_name),
		cmocka_unit_test(an_unknown_percent_is_an_error),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
