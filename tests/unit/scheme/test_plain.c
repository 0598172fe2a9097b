#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/scheme/plain.h"

static struct vmail_secret
secret(const char *z)
{
	struct vmail_secret s;

	assert_int_equal(vmail_secret_set(&s, z, strlen(z), NULL), VMAIL_OK);
	return s;
}

static enum vmail_rc
verify(const char *field, const char *password)
{
	struct vmail_secret s = secret(password);

	return vmail_scheme_verify(vmail_str(field), &s);
}

static enum vmail_rc
make(const char *password, char field[600])
{
	struct vmail_secret s = secret(password);
	struct vmail_buf b = { field, 600, 0, false };
	struct vmail_conf conf;
	struct vmail_err err;

	vmail_conf_defaults(&conf);
	return vmail_scheme_make(&vmail_scheme_plain, &conf, &s, &b, &err);
}

static void
the_very_password_matches_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(verify("{PLAIN}secret", "secret"), VMAIL_OK);
	assert_int_equal(verify("{plain}secret", "secret"), VMAIL_OK);
	assert_int_equal(verify("{PLAIN}secret", "Secret"), VMAIL_MISMATCH);
	assert_int_equal(verify("{PLAIN}secret", "secreT"), VMAIL_MISMATCH);
	assert_int_equal(
	    verify("{PLAIN}s\xc3\xa4 {x}", "s\xc3\xa4 {x}"), VMAIL_OK);
}

static void
a_beginning_or_a_repetition_never_matches(void **state)
{
	(void)state;
	assert_int_equal(verify("{PLAIN}secret", "secre"), VMAIL_MISMATCH);
	assert_int_equal(verify("{PLAIN}secret", "secrets"), VMAIL_MISMATCH);
	assert_int_equal(verify("{PLAIN}ab", "abab"), VMAIL_MISMATCH);
	assert_int_equal(verify("{PLAIN}abab", "ab"), VMAIL_MISMATCH);
	assert_int_equal(verify("{PLAIN}a", "aaaa"), VMAIL_MISMATCH);
}

/* 256 bytes more must not count as none. */
static void
lengths_are_compared_whole(void **state)
{
	char text[300] = { 0 };

	(void)state;
	memset(text, 'a', 257);
	assert_int_equal(verify("{PLAIN}a", text), VMAIL_MISMATCH);
}

static void
nothing_behind_the_scheme_lets_nobody_in(void **state)
{
	struct vmail_secret none = { 0 };

	(void)state;
	assert_int_equal(verify("{PLAIN}", "secret"), VMAIL_MALFORMED);
	assert_int_equal(
	    vmail_scheme_plain.verify(VMAIL_STR(""), &none), VMAIL_MALFORMED);
	assert_int_not_equal(
	    vmail_scheme_verify(VMAIL_STR("{PLAIN}"), &none), VMAIL_OK);
	assert_int_not_equal(
	    vmail_scheme_verify(VMAIL_STR("{PLAIN}secret"), &none), VMAIL_OK);
}

static void
what_would_break_the_line_is_not_written(void **state)
{
	char field[600] = "untouched", text[600] = { 0 };

	(void)state;
	assert_int_equal(make("a:b", field), VMAIL_INVALID);
	assert_int_equal(make("a\tb", field), VMAIL_INVALID);
	assert_int_equal(make("a\rb", field), VMAIL_INVALID);
	assert_int_equal(make("a\x7f", field), VMAIL_INVALID);
	memset(text, 'p', 506);
	assert_int_equal(make(text, field), VMAIL_INVALID);
	assert_string_equal(field, "untouched");
	text[505] = '\0';
	assert_int_equal(make(text, field), VMAIL_OK);
	assert_int_equal(verify(field, text), VMAIL_OK);
	assert_int_equal(make("s\xc3\xa4 {x}", field), VMAIL_OK);
	assert_string_equal(field, "{PLAIN}s\xc3\xa4 {x}");
}

static void
its_cost_tells_nothing(void **state)
{
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	(void)state;
	assert_int_equal(
	    vmail_scheme_cost(VMAIL_STR("{PLAIN}secret"), &b), VMAIL_OK);
	assert_string_equal(text, "{PLAIN}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_very_password_matches_and_no_other),
		cmocka_unit_test(a_beginning_or_a_repetition_never_matches),
		cmocka_unit_test(lengths_are_compared_whole),
		cmocka_unit_test(nothing_behind_the_scheme_lets_nobody_in),
		cmocka_unit_test(what_would_break_the_line_is_not_written),
		cmocka_unit_test(its_cost_tells_nothing),
	};

	return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
