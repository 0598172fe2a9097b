#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/admin/policy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum vmail_rc
ask(const char *extra, struct vmail_err *err)
{
	struct vmail_entry e = { .name = VMAIL_STR("u@example.org"),
		.extra = vmail_str(extra) };

	memset(err, 0, sizeof(*err));
	errno = EIO;
	return vmail_policy(&e, err);
}

static void
a_user_without_restrictions_may(void **state)
{
	static const char *const free_ones[] = { "", "nodelay",
		"userdb_quota_rule=*:storage=1G", "failure=1", "user=x",
		"userdb_mail=maildir:~/Maildir proxy=n" };
	struct vmail_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(free_ones); i++) {
		if (ask(free_ones[i], &err) != VMAIL_OK)
			fail_msg("%s", free_ones[i]);
	}
}

static void
what_this_version_cannot_judge_is_a_no(void **state)
{
	static const struct {
		const char *extra, *key;
	} no[] = {
		{ "fail", "fail" },
		{ "fail=no", "fail" },
		{ "fail=vmail", "fail" },
		{ "nologin", "nologin" },
		{ "allow_nets=127.0.0.0/8", "allow_nets" },
		{ "allow_nets=", "allow_nets" },
		{ "vmail_expire:remove=2999-01-01T00:00Z",
		    "vmail_expire:remove" },
		{ "vmail_services:remove=imap", "vmail_services:remove" },
		{ "vmail_whatever=1", "vmail_whatever" },
		{ "userdb_mail=x  fail=vmail", "fail" },
	};
	struct vmail_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++) {
		if (ask(no[i].extra, &err) != VMAIL_DENIED)
			fail_msg("%s", no[i].extra);
		assert_int_equal(err.rc, VMAIL_DENIED);
		assert_string_equal(err.what, no[i].key);
		assert_int_equal(err.sys_errno, 0);
	}
}

static void
a_field_s_name_is_safe_in_a_log(void **state)
{
	struct vmail_err err;
	char extra[1000] = "vmail_\033[31m";

	(void)state;
	assert_int_equal(ask(extra, &err), VMAIL_DENIED);
	assert_string_equal(err.what, "vmail_\\x1b[31m");
	memset(extra + 6, 'x', 900);
	assert_int_equal(ask(extra, &err), VMAIL_DENIED);
	assert_true(strlen(err.what) < sizeof(err.what));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_without_restrictions_may),
		cmocka_unit_test(what_this_version_cannot_judge_is_a_no),
		cmocka_unit_test(a_field_s_name_is_safe_in_a_log),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
