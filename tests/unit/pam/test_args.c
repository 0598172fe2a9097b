#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The module exports nothing but PAM's entry points. */
#include "pam/args.c"

static void
every_argument_of_the_manual_is_taken(void **state)
{
	const char *argv[] = { "conf=/x/vmail.conf", "nodelay", "debug",
		"mkhome", "use_authtok", "use_first_pass", "try_first_pass" };
	struct vmail_args args;

	(void)state;
	assert_int_equal(vmail_args_parse(7, argv, &args, NULL), VMAIL_OK);
	assert_string_equal(args.conf, "/x/vmail.conf");
	assert_true(args.nodelay && args.debug && args.mkhome);
	assert_true(args.use_authtok);
	assert_true(args.use_first_pass && args.try_first_pass);
}

static void
without_arguments_all_is_off(void **state)
{
	struct vmail_args args;

	(void)state;
	assert_int_equal(vmail_args_parse(0, NULL, &args, NULL), VMAIL_OK);
	assert_null(args.conf);
	assert_false(args.nodelay || args.debug || args.mkhome);
	assert_false(args.use_authtok);
}

static void
an_unknown_argument_is_named_and_nothing_is_taken(void **state)
{
	static const char *const bad[] = { "nullok", "", "conf",
		"conf=", "conf=vmail.conf", "Debug", "debug=1", "nodelay ",
		"mkhomes" };
	struct vmail_args untouched, args;
	struct vmail_err err;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *argv[] = { "mkhome", bad[i] };

		args = untouched;
		assert_int_equal(
		    vmail_args_parse(2, argv, &args, &err), VMAIL_INVALID);
		assert_string_equal(err.what, bad[i]);
		assert_memory_equal(&args, &untouched, sizeof(args));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_argument_of_the_manual_is_taken),
		cmocka_unit_test(without_arguments_all_is_off),
		cmocka_unit_test(
		    an_unknown_argument_is_named_and_nothing_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
