/* The module hides its functions: its source is part of this program. */
#include "nss/status.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { KEPT = 77, UNSET = -1 };

static enum nss_status
said(enum vmail_rc rc, int system_said, int *number)
{
	enum nss_status status;
	int kept;

	errno = KEPT;
	kept = vmail_nss_begin();
	assert_int_equal(errno, 0);
	errno = system_said;
	*number = UNSET;
	status = vmail_nss_end(rc, kept, number);
	assert_int_equal(errno, KEPT);
	return status;
}

static void
success_leaves_errno_and_errnop_alone(void **state)
{
	int number;

	(void)state;
	assert_int_equal(said(VMAIL_OK, ENOENT, &number), NSS_STATUS_SUCCESS);
	assert_int_equal(number, UNSET);
}

static void
a_stranger_is_notfound(void **state)
{
	int number;

	(void)state;
	assert_int_equal(
	    said(VMAIL_NOT_FOUND, 0, &number), NSS_STATUS_NOTFOUND);
	assert_int_equal(number, ENOENT);
}

static void
erange_means_the_buffer_and_nothing_else(void **state)
{
	int number;

	(void)state;
	for (int rc = VMAIL_NOT_FOUND; rc <= VMAIL_IO; rc++) {
		bool small = rc == VMAIL_TOO_SMALL;
		enum nss_status status =
		    said((enum vmail_rc)rc, ERANGE, &number);

		assert_int_equal(number == ERANGE, small);
		assert_int_equal(status == NSS_STATUS_TRYAGAIN &&
				     number != EAGAIN && number != ENOMEM,
		    small);
	}
}

static void
whatever_fails_says_why_and_never_einval(void **state)
{
	static const int system_said[] = { 0, EINVAL, ERANGE, EIO, EMFILE };
	int number;

	(void)state;
	for (int rc = VMAIL_NOT_FOUND; rc <= VMAIL_IO; rc++) {
		for (size_t i = 0; i < 5; i++) {
			assert_int_not_equal(
			    said((enum vmail_rc)rc, system_said[i], &number),
			    NSS_STATUS_SUCCESS);
			assert_true(number > 0);
			assert_int_not_equal(number, EINVAL);
		}
	}
}

static void
what_could_not_be_read_is_unavailable_never_unknown(void **state)
{
	static const enum vmail_rc codes[] = { VMAIL_DENIED, VMAIL_UNSAFE,
		VMAIL_MALFORMED, VMAIL_INVALID, VMAIL_UNSUPPORTED, VMAIL_IO,
		VMAIL_EXISTS, VMAIL_MISMATCH };
	int number;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(
		    said(codes[i], EIO, &number), NSS_STATUS_UNAVAIL);
}

static void
what_may_be_better_soon_is_tryagain(void **state)
{
	int number;

	(void)state;
	assert_int_equal(said(VMAIL_BUSY, 0, &number), NSS_STATUS_TRYAGAIN);
	assert_int_equal(number, EAGAIN);
	assert_int_equal(
	    said(VMAIL_NO_MEMORY, 0, &number), NSS_STATUS_TRYAGAIN);
	assert_int_equal(number, ENOMEM);
}

static void
a_failed_call_keeps_its_own_number(void **state)
{
	int number;

	(void)state;
	(void)said(VMAIL_IO, EMFILE, &number);
	assert_int_equal(number, EMFILE);
	(void)said(VMAIL_IO, ESTALE, &number);
	assert_int_equal(number, ESTALE);
}

static void
errno_itself_may_be_where_the_error_goes(void **state)
{
	int kept;

	(void)state;
	errno = KEPT;
	kept = vmail_nss_begin();
	(void)vmail_nss_end(VMAIL_TOO_SMALL, kept, &errno);
	assert_int_equal(errno, ERANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_leaves_errno_and_errnop_alone),
		cmocka_unit_test(a_stranger_is_notfound),
		cmocka_unit_test(erange_means_the_buffer_and_nothing_else),
		cmocka_unit_test(whatever_fails_says_why_and_never_einval),
		cmocka_unit_test(
		    what_could_not_be_read_is_unavailable_never_unknown),
		cmocka_unit_test(what_may_be_better_soon_is_tryagain),
		cmocka_unit_test(a_failed_call_keeps_its_own_number),
		cmocka_unit_test(errno_itself_may_be_where_the_error_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
