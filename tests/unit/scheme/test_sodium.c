#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/scheme/sodium.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* From the test vectors of Argon2's reference implementation. */
#define ID64                                                                   \
	"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7" \
	"cJHAph8ArZWb2GRPPc"
#define ID256                                                                  \
	"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7T" \
	"KyQwu9U1bMCHGi/4"
#define I64                                                                    \
	"$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbf" \
	"tvj+qf+YFY4NeBbtA"

#define HASH "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

/* What the library was asked last, and whether it computed. */
static struct {
	int calls;
	bool hashed;
	char hash[VMAIL_HASH_MAX], password[VMAIL_SECRET_MAX + 1];
} seen;

/* Stands before the library's own. */
int
crypto_pwhash_str_verify(const char str[crypto_pwhash_STRBYTES],
    const char *const password, unsigned long long n)
{
	int (*real)(const char *, const char *, unsigned long long);
	void *symbol = dlsym(RTLD_NEXT, "crypto_pwhash_str_verify");
	int result;

	memcpy(&real, &symbol, sizeof(real));
	seen.calls++;
	strcpy(seen.hash, str);
	memcpy(seen.password, password, n);
	seen.password[n] = '\0';
	errno = 0;
	result = real(str, password, n);
	seen.hashed = result == 0 || errno == EINVAL;
	return result;
}

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

static void
the_reference_vectors_are_verified(void **state)
{
	static const char *const fields[] = { "{ARGON2ID}" ID64,
		"{argon2id}" ID256, "{ARGON2I}" I64, "{ARGON2I}" ID256,
		"{Argon2id}" I64 };

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		assert_int_equal(verify(fields[i], "password"), VMAIL_OK);
		assert_int_equal(verify(fields[i], "Password"), VMAIL_MISMATCH);
	}
}

static void
a_changed_hash_never_matches(void **state)
{
	char hash[] = "{ARGON2ID}" ID256;

	(void)state;
	for (size_t i = 0; i < sizeof(hash) - 1; i++) {
		char kept = hash[i];

		hash[i] = kept == '1' ? '2' : '1';
		assert_int_not_equal(verify(hash, "password"), VMAIL_OK);
		hash[i] = kept;
	}
}

static void
what_asks_for_too_much_never_reaches_the_library(void **state)
{
	static const char *const greedy[] = {
		"{ARGON2ID}$argon2id$v=19$m=4294967295,t=2,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=1048577,t=1,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=256,t=17,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=256,t=4294967295,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=1048576,t=5,p=1" HASH,
		"{ARGON2I}$argon2i$v=19$m=4294967295,t=3,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=2" HASH,
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=0" HASH,
		"{ARGON2ID}$argon2id$v=16$m=256,t=2,p=1" HASH,
	};

	(void)state;
	seen.calls = 0;
	for (size_t i = 0; i < COUNT(greedy); i++) {
		if (verify(greedy[i], "password") != VMAIL_UNSUPPORTED)
			fail_msg("%s", greedy[i]);
	}
	assert_int_equal(seen.calls, 0);
}

static void
what_is_no_hash_never_reaches_the_library(void **state)
{
	static const char *const none[] = { "{ARGON2ID}x", "{ARGON2ID}*",
		"{ARGON2ID}$argon2id$",
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1",
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$$",
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1" HASH "$x",
		"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1" HASH "=",
		"{ARGON2ID}$argon2id$v=19$m=256,t=2" HASH,
		"{ARGON2ID}$argon2id$v=19$t=2,m=256,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=,t=2,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=-1,t=2,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=4294967296,t=2,p=1" HASH,
		"{ARGON2ID}$argon2id$m=256,t=2,p=1" HASH,
		"{ARGON2ID}$argon2d$v=19$m=256,t=2,p=1" HASH,
		"{ARGON2ID}$6$saltstring$" };

	(void)state;
	seen.calls = 0;
	for (size_t i = 0; i < COUNT(none); i++) {
		if (verify(none[i], "password") != VMAIL_MALFORMED)
			fail_msg("%s", none[i]);
	}
	assert_int_equal(seen.calls, 0);
}

static void
what_the_library_refuses_is_no_mismatch(void **state)
{
	(void)state;
	assert_int_equal(
	    verify("{ARGON2ID}$argon2id$v=19$m=0256,t=2,p=1" HASH, "password"),
	    VMAIL_UNSUPPORTED);
	assert_int_equal(
	    verify("{ARGON2ID}$argon2id$v=19$m=1,t=2,p=1" HASH, "password"),
	    VMAIL_UNSUPPORTED);
}

static void
what_the_library_refuses_tells_no_cost(void **state)
{
	static const char *const refused[] = {
		"{ARGON2ID}$argon2id$v=19$m=7,t=2,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=0,t=2,p=1" HASH,
		"{ARGON2ID}$argon2id$v=19$m=256,t=0,p=1" HASH,
	};
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(vmail_scheme_cost(vmail_str(refused[i]), &b),
		    VMAIL_UNSUPPORTED);
}

static void
check_cost(const char *field, const char *expected)
{
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	assert_int_equal(vmail_scheme_cost(vmail_str(field), &b), VMAIL_OK);
	assert_string_equal(text, expected);
}

static void
the_cost_is_memory_and_time_of_what_the_hash_really_is(void **state)
{
	(void)state;
	check_cost("{ARGON2ID}" ID64, "{ARGON2ID}m=65536,t=2");
	check_cost("{argon2i}" I64, "{ARGON2I}m=65536,t=2");
	check_cost("{ARGON2I}" ID256, "{ARGON2ID}m=256,t=2");
}

static void
spending_computes_a_hash_of_that_cost_and_password(void **state)
{
	static const struct {
		const char *cost, *hash;
	} spent[] = {
		{ "{ARGON2ID}m=256,t=2", "$argon2id$v=19$m=256,t=2,p=1$" },
		{ "{ARGON2I}m=256,t=1", "$argon2i$v=19$m=256,t=1,p=1$" },
	};
	struct vmail_secret s = secret("secret");
	struct vmail_conf conf;

	(void)state;
	vmail_conf_defaults(&conf);
	for (size_t i = 0; i < COUNT(spent); i++) {
		seen.calls = 0;
		vmail_scheme_spend(vmail_str(spent[i].cost), &conf, &s);
		assert_int_equal(seen.calls, 1);
		assert_true(seen.hashed);
		assert_true(
		    vmail_str_starts(vmail_str(seen.hash), spent[i].hash));
		assert_string_equal(seen.password, "secret");
	}
}

static void
a_cost_over_the_caps_is_not_spent(void **state)
{
	static const char *const greedy[] = { "m=4294967295,t=2", "m=256",
		"m=256,t=17", "", "t=2,m=256" };
	struct vmail_secret s = secret("secret");

	(void)state;
	seen.calls = 0;
	for (size_t i = 0; i < COUNT(greedy); i++)
		assert_int_not_equal(
		    vmail_scheme_argon2id.spend(
			&vmail_scheme_argon2id, vmail_str(greedy[i]), &s),
		    VMAIL_OK);
	assert_int_equal(seen.calls, 0);
}

static void
make(const char *name, const struct vmail_conf *conf, const char *begin)
{
	struct vmail_secret s = secret("a new password: \xc3\xa4");
	char field[VMAIL_HASH_MAX];
	struct vmail_buf b = { field, sizeof(field), 0, false };
	struct vmail_err err;

	assert_int_equal(vmail_scheme_make(vmail_scheme_named(vmail_str(name)),
			     conf, &s, &b, &err),
	    VMAIL_OK);
	assert_true(vmail_str_starts(vmail_str(field), begin));
	assert_int_equal(vmail_scheme_verify(vmail_str(field), &s), VMAIL_OK);
	assert_int_equal(verify(field, "another"), VMAIL_MISMATCH);
}

static void
new_hashes_follow_the_configured_costs(void **state)
{
	struct vmail_conf conf;

	(void)state;
	vmail_conf_defaults(&conf);
	make("ARGON2ID", &conf, "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$");
	conf.argon2_memory = 8;
	conf.argon2_time = 1;
	make("ARGON2ID", &conf, "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$");
	make("ARGON2I", &conf, "{ARGON2I}$argon2i$v=19$m=8,t=3,p=1$");
}

static void
a_configured_cost_that_no_login_may_pay_makes_no_hash(void **state)
{
	struct vmail_conf conf;
	struct vmail_secret s = secret("secret");
	char field[VMAIL_HASH_MAX] = "untouched";
	struct vmail_buf b = { field, sizeof(field), 0, false };
	struct vmail_err err;

	(void)state;
	vmail_conf_defaults(&conf);
	conf.argon2_memory = 1048576;
	conf.argon2_time = 5;
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_argon2id, &conf, &s, &b, &err),
	    VMAIL_INVALID);
	conf.argon2_memory = 7;
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_argon2id, &conf, &s, &b, &err),
	    VMAIL_INVALID);
	assert_string_equal(field, "untouched");
}

static void
a_password_of_1024_bytes_is_taken(void **state)
{
	char text[VMAIL_SECRET_MAX + 1] = { 0 };
	struct vmail_conf conf;
	struct vmail_secret s;
	char field[VMAIL_HASH_MAX];
	struct vmail_buf b = { field, sizeof(field), 0, false };

	(void)state;
	memset(text, 'p', VMAIL_SECRET_MAX);
	s = secret(text);
	vmail_conf_defaults(&conf);
	conf.argon2_memory = 64;
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_argon2id, &conf, &s, &b, NULL),
	    VMAIL_OK);
	assert_int_equal(verify(field, text), VMAIL_OK);
	text[VMAIL_SECRET_MAX - 1] = 'q';
	assert_int_equal(verify(field, text), VMAIL_MISMATCH);
}

/* libsodium itself calls this a mismatch. */
static void
a_lack_of_memory_is_not_a_wrong_password(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct rlimit limit = { 256 << 20, 256 << 20 };

		setrlimit(RLIMIT_AS, &limit);
		_exit((int)verify(
		    "{ARGON2ID}$argon2id$v=19$m=524288,t=2,p=1" HASH,
		    "password"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), VMAIL_NO_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_vectors_are_verified),
		cmocka_unit_test(a_changed_hash_never_matches),
		cmocka_unit_test(
		    what_asks_for_too_much_never_reaches_the_library),
		cmocka_unit_test(what_is_no_hash_never_reaches_the_library),
		cmocka_unit_test(what_the_library_refuses_is_no_mismatch),
		cmocka_unit_test(what_the_library_refuses_tells_no_cost),
		cmocka_unit_test(
		    the_cost_is_memory_and_time_of_what_the_hash_really_is),
		cmocka_unit_test(
		    spending_computes_a_hash_of_that_cost_and_password),
		cmocka_unit_test(a_cost_over_the_caps_is_not_spent),
		cmocka_unit_test(new_hashes_follow_the_configured_costs),
		cmocka_unit_test(
		    a_configured_cost_that_no_login_may_pay_makes_no_hash),
		cmocka_unit_test(a_password_of_1024_bytes_is_taken),
		cmocka_unit_test(a_lack_of_memory_is_not_a_wrong_password),
	};

	return cmocka_run_group_tests_name("sodium", tests, NULL, NULL);
}
