#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/core/err.h"

static void
assert_text(const struct vmail_err *err, const char *expected)
{
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(err, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void
the_errno_of_the_failure_survives_the_clean_up(void **state)
{
	struct vmail_err err;

	(void)state;
	errno = ENOSPC;
	assert_int_equal(
	    vmail_fail(&err, VMAIL_IO, "/x", 0, "fsync"), VMAIL_IO);
	errno = EBADF;
	assert_int_equal(err.sys_errno, ENOSPC);
}

static void
a_broken_rule_takes_no_errno(void **state)
{
	struct vmail_err err;

	(void)state;
	errno = EBADF;
	(void)vmail_fail(&err, VMAIL_MALFORMED, "/x", 3, "a NUL byte");
	assert_int_equal(err.sys_errno, 0);
	assert_text(&err, "/x:3: malformed: a NUL byte");
}

static void
the_errno_picks_the_code(void **state)
{
	static const struct {
		int number;
		enum vmail_rc rc;
	} cases[] = { { EACCES, VMAIL_DENIED }, { EPERM, VMAIL_DENIED },
		{ ENOMEM, VMAIL_NO_MEMORY }, { ENOENT, VMAIL_IO },
		{ EIO, VMAIL_IO }, { EROFS, VMAIL_IO } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vmail_err err;

		errno = cases[i].number;
		assert_int_equal(
		    vmail_fail_sys(&err, "/x", "open"), cases[i].rc);
		assert_int_equal(err.sys_errno, cases[i].number);
	}
}

static void
a_failure_reads_as_place_kind_and_reason(void **state)
{
	struct vmail_err err;

	(void)state;
	(void)vmail_fail(
	    &err, VMAIL_MALFORMED, "/etc/vmail/passwd", 17, "uid out of range");
	assert_text(&err, "/etc/vmail/passwd:17: malformed: uid out of range");
	(void)vmail_fail(&err, VMAIL_INVALID, NULL, 0, "an empty name");
	assert_text(&err, "invalid: an empty name");
	(void)vmail_fail(&err, VMAIL_MALFORMED, NULL, 4, "a NUL byte");
	assert_text(&err, "line 4: malformed: a NUL byte");
	(void)vmail_fail(&err, VMAIL_NOT_FOUND, "/x", 0, NULL);
	assert_text(&err, "/x: not found");
}

static void
the_system_has_the_last_word(void **state)
{
	struct vmail_err err;

	(void)state;
	errno = EACCES;
	(void)vmail_fail_sys(&err, "/x", "open");
	assert_text(&err, "/x: no permission: open: Permission denied");
	errno = EIO;
	(void)vmail_fail_sys(&err, "/x", "read");
	assert_text(&err, "/x: failed: read: Input/output error");
	errno = 4000;
	(void)vmail_fail_sys(&err, "/x", "read");
	assert_text(&err, "/x: failed: read: error 4000");
}

static void
nothing_is_said_twice(void **state)
{
	struct vmail_err err;

	(void)state;
	(void)vmail_fail(&err, VMAIL_BUSY, "/x", 0, "busy");
	assert_text(&err, "/x: busy");
	errno = ENOMEM;
	(void)vmail_fail_sys(&err, NULL, "map");
	assert_text(&err, "out of memory: map");
}

static void
a_control_byte_never_reaches_a_log(void **state)
{
	struct vmail_err err;

	(void)state;
	(void)vmail_fail(
	    &err, VMAIL_INVALID, "/a\nb\033[1m", 0, "odd\r\nkey \\x41");
	assert_text(&err, "/a\\x0ab\\x1b[1m: invalid: odd\\x0d\\x0akey \\x41");
}

static void
a_long_path_never_hides_the_reason(void **state)
{
	char path[4096], text[VMAIL_ERR_TEXT];
	struct vmail_err err;

	(void)state;
	memset(path, '\001', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	(void)vmail_fail(&err, VMAIL_UNSAFE, path, 9, "a symbolic link");
	vmail_err_text(&err, text, sizeof(text));
	assert_non_null(strstr(text, "...:9: not trusted: a symbolic link"));
}

static void
a_text_ends_in_whatever_room_there_is(void **state)
{
	struct vmail_err err;
	char text[64];

	(void)state;
	(void)vmail_fail(&err, VMAIL_MALFORMED, "/etc/vmail/passwd", 17, "x");
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		vmail_err_text(&err, text, size);
		if (size > 0)
			assert_non_null(memchr(text, '\0', size));
		assert_int_equal(text[size], '#');
	}
}

static void
a_text_too_long_is_cut(void **state)
{
	char what[2 * VMAIL_ERR_WHAT];
	struct vmail_err err;

	(void)state;
	memset(what, 'w', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	(void)vmail_fail(&err, VMAIL_INVALID, what, 0, what);
	assert_int_equal(strlen(err.what), VMAIL_ERR_WHAT - 1);
	(void)vmail_fail(&err, VMAIL_MALFORMED, "/x", 1, err.what);
	assert_int_equal(strlen(err.what), VMAIL_ERR_WHAT - 1);
}

static void
nobody_has_to_keep_the_record(void **state)
{
	(void)state;
	assert_int_equal(
	    vmail_fail(NULL, VMAIL_BUSY, "/x", 0, "y"), VMAIL_BUSY);
}

static void
every_code_has_words_of_its_own(void **state)
{
	(void)state;
	for (int a = VMAIL_OK; a <= VMAIL_IO; a++) {
		const char *text = vmail_rc_text((enum vmail_rc)a);

		assert_string_not_equal(text, "");
		for (int b = VMAIL_OK; b < a; b++)
			assert_string_not_equal(
			    text, vmail_rc_text((enum vmail_rc)b));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_errno_of_the_failure_survives_the_clean_up),
		cmocka_unit_test(a_broken_rule_takes_no_errno),
		cmocka_unit_test(the_errno_picks_the_code),
		cmocka_unit_test(a_failure_reads_as_place_kind_and_reason),
		cmocka_unit_test(the_system_has_the_last_word),
		cmocka_unit_test(nothing_is_said_twice),
		cmocka_unit_test(a_control_byte_never_reaches_a_log),
		cmocka_unit_test(a_long_path_never_hides_the_reason),
		cmocka_unit_test(a_text_ends_in_whatever_room_there_is),
		cmocka_unit_test(a_text_too_long_is_cut),
		cmocka_unit_test(nobody_has_to_keep_the_record),
		cmocka_unit_test(every_code_has_words_of_its_own),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
