/* The module hides its functions: its source is part of this program. */
#include "nss/pack.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ARENA = 512, CANARY = 0xA5 };

/* As a constant. */
#define TEXT(literal)                                                          \
	{                                                                      \
		(literal), sizeof(literal) - 1                                 \
	}

static const struct vmail_nss_account jo = { .name = TEXT("jo@x.y"),
	.gecos = TEXT("Jo"),
	.home = TEXT("/h/jo"),
	.ids = { 5123, 5124 },
	.template = "/m/%d/%n" };
/* jo@x.y, *, Jo, /h/jo, the shell; each with its end. */
static const size_t jo_needs = 7 + 2 + 3 + 6 + sizeof("/usr/sbin/nologin");

static unsigned char arena[ARENA];
static struct passwd pw;

static enum vmail_rc
packed(const struct vmail_nss_account *account, size_t size)
{
	const struct vmail_nss_target to = { &pw, (char *)arena, size };

	memset(arena, CANARY, sizeof(arena));
	memset(&pw, 0, sizeof(pw));
	return vmail_nss_pack_passwd(account, &to);
}

static void
assert_untouched_from(size_t at)
{
	for (; at < sizeof(arena); at++)
		assert_int_equal(arena[at], CANARY);
}

static void
an_account_is_laid_out_in_the_callers_buffer(void **state)
{
	(void)state;
	assert_int_equal(packed(&jo, jo_needs), VMAIL_OK);
	assert_string_equal(pw.pw_name, "jo@x.y");
	assert_string_equal(pw.pw_passwd, "*");
	assert_string_equal(pw.pw_gecos, "Jo");
	assert_string_equal(pw.pw_dir, "/h/jo");
	assert_string_equal(pw.pw_shell, "/usr/sbin/nologin");
	assert_int_equal(pw.pw_uid, 5123);
	assert_int_equal(pw.pw_gid, 5124);
	assert_ptr_equal(pw.pw_name, arena);
	assert_ptr_equal(
	    pw.pw_shell + strlen(pw.pw_shell) + 1, arena + jo_needs);
}

static void
a_shorter_buffer_is_too_small_and_nothing_behind_it_is_written(void **state)
{
	(void)state;
	for (size_t size = 0; size < jo_needs; size++) {
		assert_int_equal(packed(&jo, size), VMAIL_TOO_SMALL);
		assert_untouched_from(size);
		assert_null(pw.pw_name);
	}
	assert_int_equal(packed(&jo, jo_needs), VMAIL_OK);
	assert_untouched_from(jo_needs);
}

static void
no_buffer_at_all_is_too_small(void **state)
{
	const struct vmail_nss_target to = { &pw, NULL, 0 };

	(void)state;
	assert_int_equal(vmail_nss_pack_passwd(&jo, &to), VMAIL_TOO_SMALL);
}

static void
root_and_minus_one_are_never_answered(void **state)
{
	static const struct vmail_ids never[] = { { 0, 5000 }, { 5000, 0 },
		{ (uid_t)-1, 5000 }, { 5000, (gid_t)-1 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct vmail_nss_account account = jo;

		account.ids = never[i];
		assert_int_equal(packed(&account, ARENA), VMAIL_NOT_FOUND);
		assert_null(pw.pw_name);
	}
}

static void
an_empty_home_is_the_template_s(void **state)
{
	struct vmail_nss_account account = jo;

	(void)state;
	account.home = (struct vmail_str){ NULL, 0 };
	assert_int_equal(packed(&account, ARENA), VMAIL_OK);
	assert_string_equal(pw.pw_dir, "/m/x.y/jo");
}

static void
a_template_that_is_none_is_invalid(void **state)
{
	struct vmail_nss_account account = jo;

	(void)state;
	account.home = (struct vmail_str){ NULL, 0 };
	account.template = "/m/%z";
	assert_int_equal(packed(&account, ARENA), VMAIL_INVALID);
}

/* The verdict must not depend on where the buffer cuts the home: "/m/..b" is
 * a home, though its beginning is not. */
static void
a_name_never_leads_out_of_the_template_s_tree(void **state)
{
	static const struct vmail_str bad[] = { TEXT("..@x.y"), TEXT("jo@.."),
		TEXT("a/b@x.y"), TEXT("jo@/etc") };
	struct vmail_nss_account account = jo;

	(void)state;
	account.home = (struct vmail_str){ NULL, 0 };
	for (size_t i = 0; i < 4; i++) {
		account.name = bad[i];
		assert_int_equal(packed(&account, ARENA), VMAIL_NOT_FOUND);
	}
	account.name = VMAIL_STR("..b@x.y");
	account.template = "/m/%n";
	for (size_t size = 0; packed(&account, size) != VMAIL_OK; size++)
		assert_int_equal(packed(&account, size), VMAIL_TOO_SMALL);
	assert_string_equal(pw.pw_dir, "/m/..b");
}

static void
members_are_aligned_whatever_the_buffer_is(void **state)
{
	const struct vmail_str name = VMAIL_STR("vmail");

	(void)state;
	for (size_t shift = 0; shift < 2 * alignof(char *); shift++) {
		char *buf = (char *)arena + shift;
		size_t pad = -(uintptr_t)buf % alignof(char *);
		size_t needs = pad + sizeof(char *) + 6 + 2, size = 0;
		struct group gr = { 0 };

		for (; size < needs; size++) {
			memset(arena, CANARY, sizeof(arena));
			assert_int_equal(
			    vmail_nss_pack_group(name, 5000, &gr, buf, size),
			    VMAIL_TOO_SMALL);
			assert_untouched_from(shift + size);
			assert_null(gr.gr_name);
		}
		assert_int_equal(
		    vmail_nss_pack_group(name, 5000, &gr, buf, size), VMAIL_OK);
		assert_int_equal((uintptr_t)gr.gr_mem % alignof(char *), 0);
		assert_null(gr.gr_mem[0]);
		assert_string_equal(gr.gr_name, "vmail");
		assert_string_equal(gr.gr_passwd, "*");
		assert_untouched_from(shift + needs);
	}
}

static void
root_s_group_is_never_answered(void **state)
{
	struct group gr = { 0 };

	(void)state;
	assert_int_equal(vmail_nss_pack_group(
			     VMAIL_STR("vmail"), 0, &gr, (char *)arena, ARENA),
	    VMAIL_NOT_FOUND);
	assert_int_equal(vmail_nss_pack_group(VMAIL_STR("vmail"), (gid_t)-1,
			     &gr, (char *)arena, ARENA),
	    VMAIL_NOT_FOUND);
}

static const struct vmail_world host = { .owner_user = TEXT("nosuchowner"),
	.owner_group = TEXT("nosuchowner"),
	.views = TEXT("host nosuchowner 5000:5000 -\n"),
	.has_host = true,
	.host = { 5000, 5000 },
	.first_valid_uid = 500,
	.last_valid_uid = 60000,
	.map_seen = true,
	.map_gid = 5000 };

static enum vmail_rc
packed_mailbox(const char *name, const char *uid, const char *gid)
{
	const struct vmail_public box = { .name = vmail_str(name),
		.uid = vmail_str(uid),
		.gid = vmail_str(gid),
		.shell = VMAIL_STR("/bin/sh") };
	const struct vmail_nss_target to = { &pw, (char *)arena, ARENA };

	memset(&pw, 0, sizeof(pw));
	return vmail_nss_pack_mailbox(&box, "/m/%n", &host, &to);
}

static void
a_mailbox_has_its_numbers_here_and_no_shell(void **state)
{
	(void)state;
	assert_int_equal(packed_mailbox("jo@x.y", "", ""), VMAIL_OK);
	assert_int_equal(pw.pw_uid, 5000);
	assert_int_equal(pw.pw_gid, 5000);
	assert_string_equal(pw.pw_shell, "/usr/sbin/nologin");
	assert_int_equal(packed_mailbox("jo@x.y", "5123", ""), VMAIL_OK);
	assert_int_equal(pw.pw_uid, 5123);
	assert_string_equal(pw.pw_dir, "/m/jo");
}

static void
a_mailbox_without_a_number_here_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(packed_mailbox("jo@x.y", "499", ""), VMAIL_NOT_FOUND);
	assert_int_equal(
	    packed_mailbox("jo@x.y", "", "60001"), VMAIL_NOT_FOUND);
	assert_int_equal(
	    packed_mailbox("jo@x.y", "nosuchaccount", ""), VMAIL_NOT_FOUND);
}

static void
a_mailbox_with_the_name_of_an_account_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(packed_mailbox("root", "5123", ""), VMAIL_NOT_FOUND);
	assert_int_equal(packed_mailbox("root@x.y", "5123", ""), VMAIL_OK);
	assert_int_equal(packed_mailbox("nosuchjo", "5123", ""), VMAIL_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_laid_out_in_the_callers_buffer),
		cmocka_unit_test(
		    a_shorter_buffer_is_too_small_and_nothing_behind_it_is_written),
		cmocka_unit_test(no_buffer_at_all_is_too_small),
		cmocka_unit_test(root_and_minus_one_are_never_answered),
		cmocka_unit_test(an_empty_home_is_the_template_s),
		cmocka_unit_test(a_template_that_is_none_is_invalid),
		cmocka_unit_test(a_name_never_leads_out_of_the_template_s_tree),
		cmocka_unit_test(members_are_aligned_whatever_the_buffer_is),
		cmocka_unit_test(root_s_group_is_never_answered),
		cmocka_unit_test(a_mailbox_has_its_numbers_here_and_no_shell),
		cmocka_unit_test(a_mailbox_without_a_number_here_is_not_found),
		cmocka_unit_test(
		    a_mailbox_with_the_name_of_an_account_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
