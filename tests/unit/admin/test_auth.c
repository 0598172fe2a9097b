#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/admin/auth.h"
#include "common/core/entry.h"
#include "common/core/map.h"

/* Both of "testtest". */
#define SHA512                                                                 \
	"$6$AsaBrRHlvZiiCa1q$PML7EaM2PvWhUOXXb2VwLlYnjBEbfqQcnd4zmuKjPlzmng7Q" \
	"5M774u.JAFF4NFT1YYvkroIOG5FHnZSODGK5J1"
#define FIELD  "{SHA512-CRYPT}" SHA512
#define GREEDY "{SHA512-CRYPT}$6$rounds=999999999$AsaBrRHlvZiiCa1q$" TAIL86
#define TAIL43 "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3"
#define TAIL86 TAIL43 TAIL43

static const char users[] =
    "# made by a test\n"
    "test@example.org:" FIELD ":5000:5000::/home/test::\n"
    "bare@example.org:" SHA512 "::::::\n"
    "locked@example.org:" FIELD "::::::fail=vmail\n"
    "nets@example.org:" FIELD "::::::allow_nets=127.0.0.1\n"
    "star@example.org:{CRYPT}*::::::\n"
    "bang@example.org:!" SHA512 "::::::\n"
    "empty@example.org:::::::\n"
    "only-a-name@example.org\n"
    "unknown@example.org:{CLEARTEXT}testtest::::::\n"
    "greedy@example.org:" GREEDY "::::::\n"
    "plain@example.org:{PLAIN}testtest::::::\n"
    "root:" FIELD "::::::\n"
    "mail-owner:" FIELD "::::::\n"
    "mail-owner-box:" FIELD "::::::\n"
    "alone:" FIELD "::::::\n";

static char folder[] = "/tmp/vmail-auth.XXXXXX";
static struct vmail_conf conf;
static struct vmail_err err;

/* What libxcrypt was asked. */
static struct {
	int calls;
	char setting[CRYPT_OUTPUT_SIZE];
	char password[VMAIL_SECRET_MAX + 1];
} seen;

/* Stands before the library's own. */
char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	char *out;

	seen.calls++;
	strcpy(seen.setting, setting);
	strcpy(seen.password, phrase);
	assert_int_equal(size, sizeof(struct crypt_data));
	out = crypt_r(phrase, setting, data);
	return out && out[0] != '*' ? out : NULL;
}

/* A writer in place, who is done at the third pause. */
static struct {
	int fd, pauses, stays;
	long nsec;
} writer = { .fd = -1 };

int
nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)left;
	writer.nsec += pause->tv_sec * 1000000000L + pause->tv_nsec;
	if (++writer.pauses == 3 && !writer.stays)
		close(writer.fd);
	return 0;
}

static void
begin_to_write(bool stays)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = 1,
		.l_len = 1 };

	writer.pauses = 0;
	writer.nsec = 0;
	writer.stays = stays;
	writer.fd = open(conf.passwd_file, O_RDWR | O_CLOEXEC);
	assert_true(writer.fd >= 0);
	assert_int_equal(fcntl(writer.fd, F_OFD_SETLK, &lock), 0);
}

static void
write_file(const char *name, const void *p, size_t n)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static void
remove_file(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
}

/* A map of no users and of no file: stale, but it brings cost and owner. */
static void
write_map(const char *settings)
{
	char page[VMAIL_MAP_PAGE] = { 0 };
	struct vmail_map_stamp stamp = { .drift = 0 };
	char *value = page + VMAIL_MAP_HEADER_POS;
	static const unsigned char head[] = { 6, 0, 0, 0, 0xf2, 7, 0, 0 };

	memcpy(page + VMAIL_CDB_POINTERS, head, sizeof(head));
	memcpy(page + VMAIL_CDB_POINTERS + sizeof(head), ":vmail", 6);
	memset(value, '\n', VMAIL_MAP_HEADER_LEN);
	vmail_map_put_stamp(&stamp, value);
	memcpy(value + VMAIL_MAP_STAMP_LEN, settings, strlen(settings));
	write_file("passwd.cdb", page, sizeof(page));
}

static int
set_up(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	vmail_conf_defaults(&conf);
	snprintf(conf.path, sizeof(conf.path), "%s/vmail.conf", folder);
	snprintf(
	    conf.passwd_file, sizeof(conf.passwd_file), "%s/passwd", folder);
	strcpy(conf.scheme, "SHA512-CRYPT");
	strcpy(conf.owner, "mail-owner:mail-owner");
	conf.crypt_rounds = 1000;
	write_file("passwd", users, sizeof(users) - 1);
	remove_file("passwd.cdb");
	remove_file("views");
	return 0;
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	(void)state;
	remove_file("passwd");
	remove_file("passwd.cdb");
	remove_file("views");
	return rmdir(folder);
}

static enum vmail_rc
check(const char *name, const char *password)
{
	struct vmail_secret s;

	assert_int_equal(
	    vmail_secret_set(&s, password, strlen(password), NULL), VMAIL_OK);
	memset(&err, 0, sizeof(err));
	seen.calls = 0;
	seen.setting[0] = '\0';
	return vmail_auth_check(&conf, name, &s, &err);
}

static bool
spent(const char *setting)
{
	return seen.calls == 1 &&
	       vmail_str_starts(vmail_str(seen.setting), setting);
}

static void
a_login_becomes_the_name_of_a_record(void **state)
{
	char name[VMAIL_NAME_MAX + 1];

	(void)state;
	assert_int_equal(
	    vmail_auth_name(&conf, "Test@Example.ORG", name), VMAIL_OK);
	assert_string_equal(name, "test@example.org");
	assert_int_equal(
	    vmail_auth_name(&conf, "\xc3\x84lone", name), VMAIL_OK);
	assert_string_equal(name, "\xc3\x84lone");
	strcpy(conf.default_domain, "example.net");
	assert_int_equal(vmail_auth_name(&conf, "Test", name), VMAIL_OK);
	assert_string_equal(name, "test@example.net");
	assert_int_equal(vmail_auth_name(&conf, "a@b", name), VMAIL_OK);
	assert_string_equal(name, "a@b");
	assert_int_equal(vmail_auth_name(&conf, "a@", name), VMAIL_OK);
	assert_string_equal(name, "a@");
}

static void
what_no_record_can_be_called_is_invalid(void **state)
{
	char name[VMAIL_NAME_MAX + 1] = "untouched", text[VMAIL_NAME_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[VMAIL_NAME_MAX + 1] = '\0';
	assert_int_equal(vmail_auth_name(&conf, "", name), VMAIL_INVALID);
	assert_int_equal(vmail_auth_name(&conf, "a:b", name), VMAIL_INVALID);
	assert_int_equal(vmail_auth_name(&conf, "a\nb", name), VMAIL_INVALID);
	assert_int_equal(vmail_auth_name(&conf, "#a", name), VMAIL_INVALID);
	assert_int_equal(vmail_auth_name(&conf, text, name), VMAIL_INVALID);
	strcpy(conf.default_domain, "example.net");
	assert_int_equal(vmail_auth_name(&conf, "", name), VMAIL_INVALID);
	text[VMAIL_NAME_MAX - 5] = '\0';
	assert_int_equal(vmail_auth_name(&conf, text, name), VMAIL_INVALID);
	assert_string_equal(name, "untouched");
}

static void
the_right_password_lets_in(void **state)
{
	(void)state;
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_OK);
	assert_true(spent("$6$AsaBrRHlvZiiCa1q$"));
	assert_int_equal(check("bare@example.org", "testtest"), VMAIL_OK);
	assert_int_equal(check("plain@example.org", "testtest"), VMAIL_OK);
}

static void
a_wrong_password_costs_the_same_hash(void **state)
{
	(void)state;
	assert_int_equal(check("test@example.org", "test1234"), VMAIL_MISMATCH);
	assert_true(spent("$6$AsaBrRHlvZiiCa1q$"));
	assert_int_equal(err.rc, VMAIL_MISMATCH);
	assert_int_equal(
	    check("plain@example.org", "test1234"), VMAIL_MISMATCH);
}

static void
an_unknown_user_costs_what_the_map_says(void **state)
{
	(void)state;
	write_map("cost={SHA512-CRYPT}rounds=1234\n");
	assert_int_equal(
	    check("nobody@example.org", "testtest"), VMAIL_NOT_FOUND);
	assert_true(spent("$6$rounds=1234$"));
	assert_string_equal(seen.password, "testtest");
	assert_int_equal(check("", "testtest"), VMAIL_NOT_FOUND);
	assert_true(spent("$6$rounds=1234$"));
}

static void
without_a_map_an_unknown_user_costs_what_is_configured(void **state)
{
	(void)state;
	assert_int_equal(
	    check("nobody@example.org", "testtest"), VMAIL_NOT_FOUND);
	assert_true(spent("$6$rounds=1000$"));
	write_map("home=/x\n"); /* one without a cost */
	assert_int_equal(
	    check("nobody@example.org", "testtest"), VMAIL_NOT_FOUND);
	assert_true(spent("$6$rounds=1000$"));
}

static void
an_overlong_password_costs_a_hash_and_never_matches(void **state)
{
	char text[600] = { 0 };

	(void)state;
	memset(text, 'p', 512);
	assert_int_equal(check("test@example.org", text), VMAIL_MISMATCH);
	assert_true(spent("$6$rounds=5000$"));
	assert_int_equal(strlen(seen.password), 511);
	assert_int_equal(check("nobody@example.org", text), VMAIL_NOT_FOUND);
	assert_true(spent("$6$rounds=1000$"));
}

static void
a_field_that_never_matches_costs_a_hash(void **state)
{
	static const char *const names[] = { "star@example.org",
		"bang@example.org", "empty@example.org",
		"only-a-name@example.org", "unknown@example.org",
		"greedy@example.org" };
	static const char *const tries[] = { "testtest", "*", "!" SHA512, "x" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t k = 0; k < sizeof(tries) / sizeof(tries[0]); k++) {
			if (check(names[i], tries[k]) != VMAIL_MISMATCH)
				fail_msg("%s %s", names[i], tries[k]);
			if (!spent("$6$rounds=1000$"))
				fail_msg("%s: nothing spent", names[i]);
			assert_int_equal(err.rc, VMAIL_MISMATCH);
			assert_string_not_equal(err.what, "");
			assert_null(strstr(err.what, "Asa"));
		}
	}
}

static void
a_refused_user_s_own_hash_is_computed_and_thrown_away(void **state)
{
	static const char *const passwords[] = { "testtest", "test1234" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    check("locked@example.org", passwords[i]), VMAIL_DENIED);
		assert_true(spent("$6$AsaBrRHlvZiiCa1q$"));
		assert_string_equal(err.what, "fail");
		assert_int_equal(
		    check("nets@example.org", passwords[i]), VMAIL_DENIED);
		assert_true(spent("$6$AsaBrRHlvZiiCa1q$"));
		assert_string_equal(err.what, "allow_nets");
	}
}

static void
a_mailbox_called_like_an_account_is_refused(void **state)
{
	(void)state;
	write_file("views", "box mail-owner 100:100 -\n", 25);
	for (int map = 0; map < 3; map++) {
		if (map == 1)
			write_map("owner=mail-owner:mail-owner\nviews=1\n"
				  "box mail-owner 100:100 -\n");
		if (map == 2)
			write_map("owner=mail-owner:mail-owner\nviews=file\n");
		assert_int_equal(check("root", "testtest"), VMAIL_DENIED);
		assert_true(spent("$6$AsaBrRHlvZiiCa1q$"));
		assert_int_equal(check("mail-owner", "testtest"), VMAIL_DENIED);
		assert_int_equal(
		    check("mail-owner-box", "testtest"), VMAIL_DENIED);
		assert_int_equal(
		    vmail_auth_account(&conf, "root", &err), VMAIL_DENIED);
		assert_int_equal(check("alone", "testtest"), VMAIL_OK);
		assert_int_equal(check("alone", "test1234"), VMAIL_MISMATCH);
		assert_int_equal(err.rc, VMAIL_MISMATCH);
	}
}

static void
without_views_a_view_s_name_is_nobody_s(void **state)
{
	(void)state;
	assert_int_equal(check("mail-owner-box", "testtest"), VMAIL_OK);
	assert_int_equal(check("mail-owner-box", "x"), VMAIL_MISMATCH);
	assert_int_equal(err.rc, VMAIL_MISMATCH);
}

static void
views_that_cannot_be_judged_let_nobody_in(void **state)
{
	static char large[VMAIL_LINE_MAX];
	char path[100];

	(void)state;
	memset(large, '\n', sizeof(large));
	write_file("views", large, sizeof(large));
	assert_int_equal(check("alone", "testtest"), VMAIL_UNSUPPORTED);
	write_file("views", large, sizeof(large) - 1);
	assert_int_equal(check("alone", "testtest"), VMAIL_OK);
	snprintf(path, sizeof(path), "%s/views", folder);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(check("alone", "testtest"), VMAIL_UNSAFE);
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_OK);
}

static void
an_unavailable_file_is_never_an_unknown_user(void **state)
{
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/passwd", folder);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_UNSAFE);
	assert_int_equal(chmod(path, 0644), 0);
	write_file("passwd", "", 0);
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_IO);
	assert_int_equal(check("nobody@example.org", "testtest"), VMAIL_IO);
	remove_file("passwd");
	assert_int_equal(check("nobody@example.org", "testtest"), VMAIL_IO);
	assert_int_equal(
	    vmail_auth_account(&conf, "nobody@example.org", &err), VMAIL_IO);
	assert_int_equal(seen.calls, 0);
}

static void
a_login_waits_for_a_writer_in_place(void **state)
{
	(void)state;
	begin_to_write(false);
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_OK);
	assert_int_equal(writer.pauses, 3);
	begin_to_write(false);
	assert_int_equal(
	    vmail_auth_account(&conf, "test@example.org", &err), VMAIL_OK);
	begin_to_write(false);
	assert_int_equal(
	    check("nobody@example.org", "testtest"), VMAIL_NOT_FOUND);
}

static void
but_not_for_a_tenth_of_a_second(void **state)
{
	(void)state;
	begin_to_write(true);
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_BUSY);
	assert_int_equal(writer.nsec, 85000000);
	close(writer.fd);
	writer.pauses = 0;
	assert_int_equal(check("test@example.org", "testtest"), VMAIL_OK);
	assert_int_equal(check("test@example.org", "wrong"), VMAIL_MISMATCH);
	assert_int_equal(writer.pauses, 0);
}

static void
an_account_is_judged_without_a_hash(void **state)
{
	(void)state;
	seen.calls = 0;
	assert_int_equal(
	    vmail_auth_account(&conf, "test@example.org", &err), VMAIL_OK);
	assert_int_equal(
	    vmail_auth_account(&conf, "star@example.org", &err), VMAIL_OK);
	assert_int_equal(vmail_auth_account(&conf, "locked@example.org", &err),
	    VMAIL_DENIED);
	assert_int_equal(vmail_auth_account(&conf, "nobody@example.org", &err),
	    VMAIL_NOT_FOUND);
	assert_int_equal(seen.calls, 0);
}

static _Alignas(64) char stack[64 * 1024];
static struct vmail_secret on_stack;
static enum vmail_rc answer;

static void *
log_in(void *arg)
{
	answer = vmail_auth_check(&conf, arg, &on_stack, &err);
	return NULL;
}

/* By the library alone: no test's own frames stand on that stack. */
static void
log_in_on_a_small_stack(const char *name)
{
	pthread_attr_t attr;
	pthread_t thread;

	memset(stack, 0, sizeof(stack));
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, sizeof(stack)), 0);
	assert_int_equal(
	    pthread_create(&thread, &attr, log_in, (void *)(uintptr_t)name), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
}

static void
a_login_leaves_neither_hash_nor_password_on_its_stack(void **state)
{
	static const char *const names[] = { "test@example.org",
		"locked@example.org", "greedy@example.org", "alone",
		"plain@example.org", "nobody@example.org" };
	static const char *const secrets[] = { "a pass phrase", "AsaBrRHl",
		"PML7EaM2PvWh", "{PLAIN}testtest" };

	(void)state;
	vmail_secret_set(&on_stack, secrets[0], strlen(secrets[0]), NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		log_in_on_a_small_stack(names[i]);
		assert_int_not_equal(answer, VMAIL_OK);
		for (size_t k = 0; k < 4; k++) {
			if (memmem(stack, sizeof(stack), secrets[k],
				strlen(secrets[k])))
				fail_msg("%s: %s", names[i], secrets[k]);
		}
	}
}

static void
every_scheme_works_on_a_stack_of_64_kib(void **state)
{
	static const char *const schemes[] = { "{ARGON2ID}m=19456,t=2",
		"{ARGON2I}m=19456,t=3", "{BLF-CRYPT}05", "{CRYPT}$y$j9T",
		"{CRYPT}$gy$j9T", "{CRYPT}$7$66..../....",
		"{SHA256-CRYPT}rounds=1000", "{CRYPT}$sha1$100",
		"{CRYPT}$md5" };
	char settings[100];

	(void)state;
	vmail_secret_set(&on_stack, "secret", 6, NULL);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		snprintf(settings, sizeof(settings), "cost=%s\n", schemes[i]);
		write_map(settings);
		log_in_on_a_small_stack("nobody@example.org");
		assert_int_equal(answer, VMAIL_NOT_FOUND);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_becomes_the_name_of_a_record),
		TEST(what_no_record_can_be_called_is_invalid),
		TEST(the_right_password_lets_in),
		TEST(a_wrong_password_costs_the_same_hash),
		TEST(an_unknown_user_costs_what_the_map_says),
		TEST(without_a_map_an_unknown_user_costs_what_is_configured),
		TEST(an_overlong_password_costs_a_hash_and_never_matches),
		TEST(a_field_that_never_matches_costs_a_hash),
		TEST(a_refused_user_s_own_hash_is_computed_and_thrown_away),
		TEST(a_mailbox_called_like_an_account_is_refused),
		TEST(without_views_a_view_s_name_is_nobody_s),
		TEST(views_that_cannot_be_judged_let_nobody_in),
		TEST(an_unavailable_file_is_never_an_unknown_user),
		TEST(a_login_waits_for_a_writer_in_place),
		TEST(but_not_for_a_tenth_of_a_second),
		TEST(an_account_is_judged_without_a_hash),
		TEST(a_login_leaves_neither_hash_nor_password_on_its_stack),
		TEST(every_scheme_works_on_a_stack_of_64_kib),
	};

	return cmocka_run_group_tests_name(
	    "auth", tests, make_folder, remove_folder);
}
