#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/core/entry.h"
#include "common/core/extra.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
spaces_separate_fields_and_nothing_else_does(void **state)
{
	struct vmail_str rest = VMAIL_STR("  a=1=2  b \tc= =d");
	struct vmail_extra field;

	(void)state;
	assert_true(vmail_extra_next(&rest, &field));
	assert_true(vmail_str_is(field.key, "a"));
	assert_true(vmail_str_is(field.value, "1=2"));
	assert_true(vmail_extra_next(&rest, &field));
	assert_true(vmail_str_is(field.key, "b"));
	assert_null(field.value.p);
	assert_true(vmail_extra_next(&rest, &field));
	assert_true(vmail_str_is(field.key, "\tc"));
	assert_non_null(field.value.p);
	assert_int_equal(field.value.n, 0);
	assert_true(vmail_extra_next(&rest, &field));
	assert_int_equal(field.key.n, 0);
	assert_true(vmail_str_is(field.value, "d"));
	assert_false(vmail_extra_next(&rest, &field));
	assert_false(vmail_extra_next(&rest, &field));
}

static void
no_extras_have_no_field(void **state)
{
	static const char *const none[] = { "", " ", "    " };
	struct vmail_str rest = { NULL, 0 };
	struct vmail_extra field;

	(void)state;
	assert_false(vmail_extra_next(&rest, &field));
	for (size_t i = 0; i < COUNT(none); i++) {
		rest = vmail_str(none[i]);
		assert_false(vmail_extra_next(&rest, &field));
	}
}

static void
the_first_field_of_a_whole_key_is_found(void **state)
{
	struct vmail_str extra = VMAIL_STR("xa=0 a=1 a=2 ab=3 n"), value;

	(void)state;
	assert_true(vmail_extra_find(extra, "a", &value));
	assert_true(vmail_str_is(value, "1"));
	assert_true(vmail_extra_find(extra, "n", &value));
	assert_null(value.p);
	assert_false(vmail_extra_find(extra, "x", &value));
}

static void
a_field_that_restricts_is_never_passed_over(void **state)
{
	static const char *const cases[][2] = { { "fail", "fail" },
		{ "fail=no", "fail" }, { "fail=", "fail" },
		{ "a=1 nologin", "nologin" }, { "nologin=0", "nologin" },
		{ "allow_nets=10.0.0.0/8", "allow_nets" },
		{ "allow_real_nets=::1", "allow_real_nets" },
		{ "vmail_lock:remove=services=imap", "vmail_lock:remove" },
		{ "vmail_new=1", "vmail_new" }, { "vmail_", "vmail_" },
		{ "fail:remove=1", "fail:remove" },
		{ "allow_nets:default=::1", "allow_nets:default" },
		{ "nologin:protected", "nologin:protected" },
		{ ":fail", ":fail" }, { ":::nologin=1", ":::nologin" },
		{ ": fail", "fail" }, { "x :allow_nets=::1", ":allow_nets" },
		{ ":vmail_x=1", ":vmail_x" }, { "  fail  ", "fail" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct vmail_str key;

		if (!vmail_extra_restriction(vmail_str(cases[i][0]), &key))
			fail_msg("passed over: '%s'", cases[i][0]);
		assert_true(vmail_str_is(key, cases[i][1]));
	}
}

static void
a_field_that_does_not_restrict_is_no_reason_to_refuse(void **state)
{
	static const char *const cases[] = { "", "  ", "failure=1", "xfail",
		"userdb_fail=1", "reason=fail",
		"userdb_quota_rule=*:storage=1G", "nodelay", "x:fail",
		"vmail=1", "a=nologin" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct vmail_str key;

		if (vmail_extra_restriction(vmail_str(cases[i]), &key))
			fail_msg("restricts: '%s'", cases[i]);
	}
}

static void
only_our_own_token_is_ours(void **state)
{
	static const char *const mine[] = { "fail=vmail", "fail=vmail,pad=3",
		"fail=vmail,until=2030-01-01T00:00Z", "x=1 fail=vmail",
		" fail=vmail", "nologin fail=vmail", "fail fail=vmail" };
	static const char *const foreign[] = { "fail", "fail=", "fail=no",
		"fail=vmailx", "fail=Vmail", "nologin", "fail:remove=vmail",
		":fail=vmail", "nologin=vmail", "x=1 fail" };
	static const char *const none[] = { "", "x=1", "allow_nets=::1",
		"vmail_lock:remove=services=imap", "reason=fail=vmail" };

	(void)state;
	for (size_t i = 0; i < COUNT(mine); i++)
		assert_int_equal(vmail_extra_lock_state(vmail_str(mine[i])),
		    VMAIL_LOCK_OURS);
	for (size_t i = 0; i < COUNT(foreign); i++)
		assert_int_equal(vmail_extra_lock_state(vmail_str(foreign[i])),
		    VMAIL_LOCK_FOREIGN);
	for (size_t i = 0; i < COUNT(none); i++)
		assert_int_equal(vmail_extra_lock_state(vmail_str(none[i])),
		    VMAIL_LOCK_NONE);
}

/* lock(line) and unlock(line) as text; NULL where the library says no. */
static const char *
changed(enum vmail_rc (*change)(struct vmail_str, struct vmail_buf *),
    const char *line)
{
	static char text[2][512];
	static int turn;
	struct vmail_buf b = { text[turn ^= 1], sizeof(text[0]), 0, false };

	if (change(vmail_str(line), &b) != VMAIL_OK)
		return NULL;
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	return b.p;
}

static void
a_lock_stands_in_front_of_the_extras(void **state)
{
	static const char *const cases[][2] = {
		{ "a:p:1:2:g:/h:s:", "a:p:1:2:g:/h:s:fail=vmail" },
		{ "a:p::::::x=1", "a:p::::::fail=vmail x=1" },
		{ "a:p::::::fail", "a:p::::::fail=vmail fail" },
		{ "a:p::::::: x", "a:p::::::fail=vmail : x" },
		{ "a:p:::::: x", "a:p::::::fail=vmail  x" },
		{ "a:p::::::x\r", "a:p::::::fail=vmail x\r" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(
		    changed(vmail_extra_lock, cases[i][0]), cases[i][1]);
}

static void
missing_colons_are_added_and_counted(void **state)
{
	static const char *const cases[][2] = {
		{ "a", "a:::::::fail=vmail,pad=7" },
		{ "a:p", "a:p::::::fail=vmail,pad=6" },
		{ "a:p::::", "a:p::::::fail=vmail,pad=2" },
		{ "a:p:1:2:g:/h:s", "a:p:1:2:g:/h:s:fail=vmail,pad=1" },
		{ "a:p\r", "a:p::::::fail=vmail,pad=6\r" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(
		    changed(vmail_extra_lock, cases[i][0]), cases[i][1]);
		assert_string_equal(
		    changed(vmail_extra_unlock, cases[i][1]), cases[i][0]);
	}
}

static void
a_second_lock_changes_nothing(void **state)
{
	char text[64];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	(void)state;
	assert_int_equal(
	    vmail_extra_lock(VMAIL_STR("a:p::::::x fail=vmail,pad=1"), &b),
	    VMAIL_EXISTS);
	assert_int_equal(b.len, 0);
}

static void
the_token_is_taken_from_wherever_it_stands(void **state)
{
	static const char *const cases[][2] = {
		{ "a:p::::::x=1 fail=vmail y", "a:p::::::x=1 y" },
		{ "a:p::::::x=1 fail=vmail", "a:p::::::x=1 " },
		{ "a:p:::::: fail=vmail", "a:p:::::: " },
		{ "a:p::::::fail=vmail  y", "a:p:::::: y" },
		{ "a:p::::::fail=vmail,until=2030-01-01T00:00Z,pad=3,reason=x",
		    "a:p:::" },
		{ "a:p::::::fail=vmail fail=vmail", "a:p::::::fail=vmail" },
		{ "a:p::::::fail fail=vmail\r", "a:p::::::fail \r" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(
		    changed(vmail_extra_unlock, cases[i][0]), cases[i][1]);
}

static void
only_colons_are_taken_for_the_pad(void **state)
{
	static const char *const cases[][2] = {
		{ "a:p:1:2:::s:fail=vmail,pad=6", "a:p:1:2:::s" },
		{ "a:p:1:2:g:/h::fail=vmail,pad=6", "a:p:1:2:g:/h" },
		{ "a:::::::fail=vmail,pad=7", "a" },
		{ ":::::::fail=vmail,pad=7", "" },
		{ "a:p::::::fail=vmail,pad=8", "a:p::::::" },
		{ "a:p::::::fail=vmail,pad=-1", "a:p::::::" },
		{ "a:p::::::fail=vmail,pad=", "a:p::::::" },
		{ "a:p::::::fail=vmail,reason=pad=6", "a:p::::::" },
		{ "a:p::::::fail=vmail,pad=6 x=1", "a:p::::::x=1" },
		{ "a:p:::::: fail=vmail,pad=6", "a:p:::::: " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(
		    changed(vmail_extra_unlock, cases[i][0]), cases[i][1]);
}

static void
a_hand_written_lock_is_never_taken_away(void **state)
{
	static const char *const lines[] = { "a:p::::::fail",
		"a:p::::::nologin", "a:p::::::fail=yes", "a:p:::::::fail=vmail",
		"a:p", "", "fail=vmail",
		"a:fail=vmail::::::", "a:p::::::fail=vmailer" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[64];
		struct vmail_buf b = { text, sizeof(text), 0, false };

		assert_int_equal(vmail_extra_unlock(vmail_str(lines[i]), &b),
		    VMAIL_NOT_FOUND);
		assert_int_equal(b.len, 0);
	}
}

static void
a_lock_that_does_not_fit_is_no_lock(void **state)
{
	static char line[VMAIL_LINE_MAX], text[VMAIL_LINE_MAX + 64];
	struct vmail_buf b = { text, 20, 0, false };

	(void)state;
	assert_int_equal(
	    vmail_extra_lock(VMAIL_STR("a:p::::::x=1"), &b), VMAIL_TOO_SMALL);
	b = (struct vmail_buf){ text, 3, 0, false };
	assert_int_equal(
	    vmail_extra_unlock(VMAIL_STR("a:p::::::fail=vmail"), &b),
	    VMAIL_TOO_SMALL);
	memset(line, 'x', sizeof(line));
	memcpy(line, "a:p::::::", 9);
	b = (struct vmail_buf){ text, sizeof(text), 0, false };
	assert_int_equal(
	    vmail_extra_lock((struct vmail_str){ line, sizeof(line) }, &b),
	    VMAIL_TOO_SMALL);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* A line as hands write them: few colons or too many, odd extras, CRs. */
static void
hand_write(struct vmail_buf *line, uint32_t *seed)
{
	static const char *const words[] = { "", "x", "5000", "/h", "vmail" };
	static const char *const fields[] = { "", " ", ":", "x=1", "fail",
		"fail=no", "nologin", "allow_nets=::1", "fail=", ":fail",
		"userdb_x=a:b", "\r", "pad=3", "=", "fail=vmailer" };
	uint32_t colons = next_random(seed) % 10;

	vmail_buf_z(line, next_random(seed) % 8 == 0 ? " n@x" : "n@x");
	for (uint32_t i = 0; i < colons; i++) {
		vmail_buf_char(line, ':');
		vmail_buf_z(line, words[next_random(seed) % COUNT(words)]);
	}
	if (colons >= 7) {
		for (uint32_t i = next_random(seed) % 5; i > 0; i--) {
			vmail_buf_z(
			    line, fields[next_random(seed) % COUNT(fields)]);
			if (next_random(seed) % 4 != 0)
				vmail_buf_char(line, ' ');
		}
	}
	if (next_random(seed) % 4 == 0)
		vmail_buf_char(line, '\r');
	assert_int_equal(vmail_buf_end(line), VMAIL_OK);
}

/* Ids that the line's words make malformed say nothing of locks. */
static bool
readable(struct vmail_str line, struct vmail_entry *e)
{
	return vmail_entry_parse(line, e, NULL) == VMAIL_OK;
}

static void
unlocking_gives_back_the_line_byte_for_byte(void **state)
{
	uint32_t seed = 7;
	unsigned read = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char text[256], copy[256];
		struct vmail_buf line = { text, sizeof(text), 0, false };
		const char *locked, *back;
		struct vmail_entry before, after;
		struct vmail_str key;

		hand_write(&line, &seed);
		locked = changed(vmail_extra_lock, text);
		assert_non_null(locked);
		memcpy(copy, locked, strlen(locked) + 1);
		back = changed(vmail_extra_unlock, copy);
		assert_non_null(back);
		assert_string_equal(back, text);
		if (!readable(vmail_str(text), &before))
			continue;
		assert_true(readable(vmail_str(copy), &after));
		assert_true(vmail_str_eq(before.name, after.name));
		assert_true(vmail_str_eq(before.password, after.password));
		assert_true(vmail_extra_restriction(after.extra, &key));
		assert_true(vmail_str_is(key, "fail"));
		assert_int_equal(
		    vmail_extra_lock_state(after.extra), VMAIL_LOCK_OURS);
		read++;
	}
	assert_in_range(read, 500, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spaces_separate_fields_and_nothing_else_does),
		cmocka_unit_test(no_extras_have_no_field),
		cmocka_unit_test(the_first_field_of_a_whole_key_is_found),
		cmocka_unit_test(a_field_that_restricts_is_never_passed_over),
		cmocka_unit_test(
		    a_field_that_does_not_restrict_is_no_reason_to_refuse),
		cmocka_unit_test(only_our_own_token_is_ours),
		cmocka_unit_test(a_lock_stands_in_front_of_the_extras),
		cmocka_unit_test(missing_colons_are_added_and_counted),
		cmocka_unit_test(a_second_lock_changes_nothing),
		cmocka_unit_test(the_token_is_taken_from_wherever_it_stands),
		cmocka_unit_test(only_colons_are_taken_for_the_pad),
		cmocka_unit_test(a_hand_written_lock_is_never_taken_away),
		cmocka_unit_test(a_lock_that_does_not_fit_is_no_lock),
		cmocka_unit_test(unlocking_gives_back_the_line_byte_for_byte),
	};

	return cmocka_run_group_tests_name("extra", tests, NULL, NULL);
}
