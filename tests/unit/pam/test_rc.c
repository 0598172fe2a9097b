#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The module exports nothing but PAM's entry points. */
#include "pam/rc.c"

enum { CODES = VMAIL_IO + 1, ASKS = VMAIL_ASK_SESSION + 1 };

static void
success_is_said_of_vmail_ok_alone(void **state)
{
	(void)state;
	for (int ask = 0; ask < ASKS; ask++) {
		assert_int_equal(
		    vmail_pam_code(VMAIL_OK, (enum vmail_ask)ask), PAM_SUCCESS);
		for (int rc = VMAIL_OK + 1; rc < CODES + 3; rc++)
			assert_int_not_equal(vmail_pam_code((enum vmail_rc)rc,
						 (enum vmail_ask)ask),
			    PAM_SUCCESS);
	}
}

static void
an_error_is_never_ignore(void **state)
{
	(void)state;
	for (int ask = 0; ask < ASKS; ask++)
		for (int rc = 0; rc < CODES + 3; rc++)
			assert_int_not_equal(vmail_pam_code((enum vmail_rc)rc,
						 (enum vmail_ask)ask),
			    PAM_IGNORE);
}

static void
a_login_has_four_answers(void **state)
{
	(void)state;
	for (int rc = VMAIL_OK + 1; rc < CODES; rc++) {
		int code = vmail_pam_code((enum vmail_rc)rc, VMAIL_ASK_LOGIN);

		if (rc == VMAIL_MISMATCH || rc == VMAIL_DENIED)
			assert_int_equal(code, PAM_AUTH_ERR);
		else if (rc == VMAIL_NOT_FOUND)
			assert_int_equal(code, PAM_USER_UNKNOWN);
		else
			assert_int_equal(code, PAM_AUTHINFO_UNAVAIL);
	}
}

static void
a_configuration_that_fails_is_a_service_error(void **state)
{
	(void)state;
	for (int rc = VMAIL_OK + 1; rc < CODES; rc++)
		assert_int_equal(
		    vmail_pam_code((enum vmail_rc)rc, VMAIL_ASK_CONF),
		    PAM_SERVICE_ERR);
}

static void
accounts_and_changes_have_answers_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(
	    vmail_pam_code(VMAIL_DENIED, VMAIL_ASK_ACCOUNT), PAM_PERM_DENIED);
	assert_int_equal(vmail_pam_code(VMAIL_NOT_FOUND, VMAIL_ASK_ACCOUNT),
	    PAM_USER_UNKNOWN);
	assert_int_equal(vmail_pam_code(VMAIL_BUSY, VMAIL_ASK_ACCOUNT),
	    PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(
	    vmail_pam_code(VMAIL_MISMATCH, VMAIL_ASK_ACCOUNT), PAM_AUTH_ERR);
	assert_int_equal(vmail_pam_code(VMAIL_BUSY, VMAIL_ASK_CHANGE),
	    PAM_AUTHTOK_LOCK_BUSY);
	assert_int_equal(
	    vmail_pam_code(VMAIL_IO, VMAIL_ASK_CHANGE), PAM_AUTHTOK_ERR);
	assert_int_equal(
	    vmail_pam_code(VMAIL_IO, VMAIL_ASK_SESSION), PAM_SESSION_ERR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_is_said_of_vmail_ok_alone),
		cmocka_unit_test(an_error_is_never_ignore),
		cmocka_unit_test(a_login_has_four_answers),
		cmocka_unit_test(a_configuration_that_fails_is_a_service_error),
		cmocka_unit_test(
		    accounts_and_changes_have_answers_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
