#include "tests/unit/admin/fixture.h"

#include "common/admin/ondisk.h"

static const char views[] =
    "host vmail 5000:5001 -\n"
    "host other 5500:5500 -\n"
    "dovecot vmail 1000:1001 -\n"
    "rootless vmail 1000:1001 0:1000:1,1:100000:65536\n"
    "rootless other 70000:70000 0:1000:1,1:100000:65536\n"
    "narrow vmail 1000:1000 0:5120:10,1000:300000:1\n"
    "toroot vmail 1000:1000 1000:0:1\n";

static struct vmail_world
world(void)
{
	static struct vmail_conf conf;
	struct vmail_world w;

	vmail_conf_defaults(&conf);
	vmail_world_of_conf(&w, &conf, VMAIL_STR(views), NULL);
	return w;
}

static const char *
ids(const char *view, const char *uid, const char *gid)
{
	static char text[64];
	struct vmail_world w = world();
	struct vmail_ids out;

	if (vmail_ondisk_mailbox(&w, vmail_str(view), vmail_str(uid),
		vmail_str(gid), &out) != VMAIL_OK)
		return "none";
	(void)snprintf(text, sizeof(text), "%u:%u", out.uid, out.gid);
	return text;
}

static void
an_identity_has_the_number_its_view_writes(void **state)
{
	(void)state;
	assert_string_equal(ids("dovecot", "", ""), "1000:1001");
	assert_string_equal(ids("rootless", "", ""), "100999:101000");
	assert_string_equal(ids("rootless", "vmail", "vmail"), "100999:101000");
	assert_string_equal(ids("narrow", "", ""), "300000:300000");
	assert_string_equal(ids("host", "", ""), "5000:5001");
}

/* 5000 in the file means vmail; in a field of groups 5001 does. */
static void
the_hosts_number_of_an_identity_is_the_identity(void **state)
{
	(void)state;
	assert_string_equal(ids("rootless", "5000", "5001"), "100999:101000");
	assert_string_equal(ids("dovecot", "5000", ""), "1000:1001");
}

static void
another_number_stays_where_the_namespace_has_it(void **state)
{
	(void)state;
	assert_string_equal(ids("dovecot", "5123", "5124"), "5123:5124");
	assert_string_equal(ids("rootless", "5123", ""), "none");
	assert_string_equal(ids("narrow", "5123", "5124"), "5123:5124");
	assert_string_equal(ids("narrow", "5130", "5124"), "none");
	assert_string_equal(ids("dovecot", "0", ""), "none");
	assert_string_equal(ids("dovecot", "65534", ""), "none");
	assert_string_equal(ids("dovecot", "70000", ""), "none");
}

static void
what_a_view_cannot_say_is_not_found(void **state)
{
	(void)state;
	assert_string_equal(ids("nowhere", "", ""), "none");
	assert_string_equal(ids("dovecot", "other", ""), "none");
	assert_string_equal(ids("dovecot", "somebody", ""), "none");
	assert_string_equal(ids("rootless", "other", ""), "none");
	/* Never root's, whatever the ranges say. */
	assert_string_equal(ids("toroot", "", ""), "none");
}

static void
a_view_is_known_by_its_lines(void **state)
{
	struct vmail_world w = world();

	(void)state;
	assert_true(vmail_ondisk_known(&w, VMAIL_STR("rootless")));
	assert_true(vmail_ondisk_known(&w, VMAIL_STR("host")));
	assert_false(vmail_ondisk_known(&w, VMAIL_STR("root")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identity_has_the_number_its_view_writes),
		cmocka_unit_test(
		    the_hosts_number_of_an_identity_is_the_identity),
		cmocka_unit_test(
		    another_number_stays_where_the_namespace_has_it),
		cmocka_unit_test(what_a_view_cannot_say_is_not_found),
		cmocka_unit_test(a_view_is_known_by_its_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
