#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/scheme/crypt.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The hash of the field record, and the password it was made of. */
#define FIELD                                                                  \
	"{SHA512-CRYPT}$6$AsaBrRHlvZiiCa1q$PML7EaM2PvWhUOXXb2VwLlYnjBEbfqQcnd" \
	"4zmuKjPlzmng7Q5M774u.JAFF4NFT1YYvkroIOG5FHnZSODGK5J1"

#define TAIL43 "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3"
#define TAIL86 TAIL43 TAIL43
#define TAIL10 "svn8UoSVap"

struct vector {
	const char *hash, *password, *cost;
};

/* From the specifications and test vectors of the methods' authors. */
static const struct vector vectors[] = {
	{ "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
	  "O817G3uBnIFNjnQJues"
	  "I68u4OTLiBFdcbYEdFCoEOfaS35inz1",
	    "Hello world!", "{SHA512-CRYPT}rounds=5000" },
	{ "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sb"
	  "HbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
	    "Hello world!", "{SHA512-CRYPT}rounds=10000" },
	{ "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
	    "Hello world!", "{SHA256-CRYPT}rounds=5000" },
	{ "$5$rounds=1000$short$DvBa9WTAV6Uab37tH96oR9cS6OQ4hL/nHJuTaNIL1D3",
	    "sunflower", "{SHA256-CRYPT}rounds=1000" },
	{ "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U",
	    "{BLF-CRYPT}05" },
	{ "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
	    "\xff\xff\xa3", "{BLF-CRYPT}05" },
	{ "$2b$04$abcdefghijklmnopqrstuul18yFhC69sq/WwO8ibiE1VQy773yVfu",
	    "sunflower", "{BLF-CRYPT}04" },
	{ "$2x$05$abcdefghijklmnopqrstuuY/44p2UkK4uV0kvS9KurVonsOh/oc5m",
	    "sunflower", "{BLF-CRYPT}05" },
	{ "$y$j75$.......$3t0Tv4xlsxxIiRAbZRDjFzVPlEkN.xbkMGI2p32ZbAA",
	    "sunflower", "{CRYPT}$y$j75" },
	{ "$y$jD5$.......$5kWR4Amtbeu5IC71yKklraKyzSuvY0mpRAyaEs2TNwD",
	    "sunflower", "{CRYPT}$y$jD5" },
	{ "$gy$j75$.......$u.9wgpq83ZxZ9nFSi14FQ65nmsnpo/02B.mX.WhhYGA",
	    "sunflower", "{CRYPT}$gy$j75" },
	{ "$7$66..../....SodiumChloride$7C7KL2uWEDQCUtzFhANJDkQK6cC3vnyWMiodIU2"
	  "JsV9",
	    "sunflower", "{CRYPT}$7$66..../...." },
	{ "$sha1$456$GGXpNqoJvglVTkGU$yW9TNxSlAShsumhwq15AWtKvwxjz",
	    "sunflower", "{CRYPT}$sha1$456" },
	{ "$md5,rounds=904$saltsalt$$wZPyWsQrW7F04LSNKHLSq1", "sunflower",
	    "{CRYPT}$md5,rounds=904" },
	{ "$md5$saltsalt$$PHD/VpGbGn9qbJ7WgnJav1", "sunflower", "{CRYPT}$md5" },
	{ "$1$abcdefgh$VlDMZ8Yy3ahVZpYnSeauX.", "sunflower", "{CRYPT}$1$" },
	{ "$3$$22958710c569d1fa791f43aba4d4e9ea", "sunflower", "{CRYPT}$3$" },
	{ "_J9..rasmBYk8r9AiWNc", "rasmuslerdorf", "{CRYPT}_J9.." },
	{ "rl.3StKT.4T8M", "rasmuslerdorf", "{CRYPT}" },
	{ "CCZrXpzITbV1kikHjkiorO6g", "sunflower", "{CRYPT}" },
};

/* What the library was asked last, and whether it computed. */
static struct {
	int calls;
	bool hashed;
	char setting[CRYPT_OUTPUT_SIZE], password[VMAIL_SECRET_MAX + 1];
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
	seen.hashed = out && out[0] != '*';
	return seen.hashed ? out : NULL;
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

static enum vmail_rc
verify_crypt(const char *data, const char *password)
{
	char field[1024] = "{CRYPT}";

	strcat(field, data);
	return verify(field, password);
}

static void
the_field_record_takes_its_password_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(verify(FIELD, "testtest"), VMAIL_OK);
	assert_int_equal(verify(FIELD, "test1234"), VMAIL_MISMATCH);
	assert_int_equal(verify(FIELD, "testtest "), VMAIL_MISMATCH);
	assert_int_equal(verify(FIELD, "Testtest"), VMAIL_MISMATCH);
}

static void
every_method_of_the_library_is_verified(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];

		if (verify_crypt(v->hash, v->password) != VMAIL_OK)
			fail_msg("%s", v->hash);
		if (verify_crypt(v->hash, "xunflower") != VMAIL_MISMATCH)
			fail_msg("%s takes another password", v->hash);
	}
}

static void
each_name_of_the_family_verifies_what_the_library_knows(void **state)
{
	static const char *const names[] = { "{SHA512-CRYPT}", "{sha256-crypt}",
		"{Blf-Crypt}", "{crypt}", "" };
	char field[512];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		strcpy(field, names[i]);
		strcat(field, vectors[3].hash);
		assert_int_equal(verify(field, "sunflower"), VMAIL_OK);
		assert_int_equal(verify(field, "sunflowers"), VMAIL_MISMATCH);
	}
}

static void
a_changed_byte_of_a_hash_never_matches(void **state)
{
	char hash[] = "$5$rounds=1000$short$DvBa9WTAV6Uab37tH96oR9cS6OQ4hL/"
		      "nHJuTaNIL1D3";

	(void)state;
	for (size_t i = 0; i < sizeof(hash) - 1; i++) {
		char kept = hash[i];

		hash[i] = kept == 'x' ? 'y' : 'x';
		assert_int_not_equal(verify_crypt(hash, "sunflower"), VMAIL_OK);
		hash[i] = kept;
	}
}

static void
what_is_no_hash_is_malformed_before_any_cost(void **state)
{
	static const char *const none[] = { "*", "*0", "*1", "!", "!!", "x",
		"xx", "secret", "secretsecretse", "a:b", "$6$salt$short",
		"$6$salt", "$6$" TAIL43, "$5$salt$" TAIL86 "!",
		"$y$j9T$salt$short", "$2y$05$tooshort",
		"$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3ee",
		"$2y$xx$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
		"$1$salt$", "$3$$22958710c569d1fa791f43aba4d4e9e", "_J9..rasm",
		"$6$sa\tlt$" TAIL86, "$6$s\xc3\xa4lt$" TAIL86,
		"$7$6!..../....SodiumChloride$" TAIL43,
		"!$6$saltstring$" TAIL86 };

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		if (verify_crypt(none[i], "secret") != VMAIL_MALFORMED)
			fail_msg("%s", none[i]);
	}
}

/* Each byte at each place, salts of every length: what crypt(5) lets a hash
 * hold, and in its last part the 64 digits. */
static void
every_byte_of_a_hash_is_judged(void **state)
{
	static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	enum { SALT = 3, SALT_MAX = 16, TAIL = 86 };
	char data[SALT + SALT_MAX + 1 + TAIL + 1], cost[VMAIL_COST_MAX];

	(void)state;
	for (size_t salt = 1; salt <= SALT_MAX; salt++) {
		size_t n = (size_t)snprintf(data, sizeof(data), "$6$%.*s$%s",
		    (int)salt, "saltsaltsaltsalt", TAIL86);

		for (size_t i = SALT; i < n * 256; i++) {
			size_t at = i / 256;
			char was = data[at];
			unsigned char c = (unsigned char)i;
			struct vmail_buf b = { cost, sizeof(cost), 0, false };
			bool good = c > ' ' && c < 0x7f && !strchr("!*:;\\", c);

			if (at < SALT || at == SALT + salt)
				continue;
			if (at > SALT + salt)
				good = c && strchr(digits, c);
			data[at] = (char)c;
			if ((vmail_scheme_sha512_crypt.cost(
				 (struct vmail_str){ data, n }, &b) ==
				VMAIL_OK) != good)
				fail_msg("byte %u at %zu of %zu", c, at, n);
			data[at] = was;
		}
	}
}

static void
a_hash_that_asks_for_too_much_is_refused_before_it_is_paid(void **state)
{
	static const char *const greedy[] = {
		"$6$rounds=999999999$salt$" TAIL86,
		"$6$rounds=5000001$salt$" TAIL86,
		"$5$rounds=999999999$salt$" TAIL43,
		"$5$rounds=99999999999999999999999$salt$" TAIL43,
		"$2y$18$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
		"$2b$31$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
		"$y$jGT$saltsalt$" TAIL43,   /* N = 2^19 */
		"$y$jzT$saltsalt$" TAIL43,   /* a number of many digits */
		"$y$jFm$saltsalt$" TAIL43,   /* r = 49 at N = 2^18 */
		"$y$j9km.$saltsalt$" TAIL43, /* r over 64 */
		"$y$j9T..$saltsalt$" TAIL43, /* p = 2 */
		"$y$j9T/D$saltsalt$" TAIL43, /* t = 16 */
		"$y$j9T5.$saltsalt$" TAIL43, /* ROM */
		"$gy$jGT$saltsalt$" TAIL43,
		"$7$H6..../....SodiumChloride$" TAIL43, /* N = 2^19 */
		"$7$6zzzzz/....SodiumChloride$" TAIL43, /* r */
		"$7$66....zzzzzSodiumChloride$" TAIL43, /* p */
		"$7$Gk..../....SodiumChloride$" TAIL43, /* 2^18 * 46 * 128 */
		"$sha1$4294967295$saltsalt$yW9TNxSlAShsumhwq15AWtKvwxjz",
		"$sha1$-1$saltsalt$yW9TNxSlAShsumhwq15AWtKvwxjz",
		"$md5,rounds=4294963199$saltsalt$$wZPyWsQrW7F04LSNKHLSq1",
		"$md5$rounds=4294963199$saltsalt$$wZPyWsQrW7F04LSNKHLSq1",
		"_zzzzrasmBYk8r9AiWNc",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(greedy); i++) {
		if (verify_crypt(greedy[i], "secret") != VMAIL_UNSUPPORTED)
			fail_msg("%s", greedy[i]);
	}
}

static void
what_this_library_does_not_know_is_unsupported(void **state)
{
	static const char *const unknown[] = { "$8$salt$" TAIL43,
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6"
		"Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$2c$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
		"$2y$03$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
		"$6$rounds=10$salt$" TAIL86 };
	char field[256] = "{CRYPT}", text[VMAIL_COST_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	(void)state;
	for (size_t i = 0; i < COUNT(unknown); i++) {
		if (verify_crypt(unknown[i], "secret") != VMAIL_UNSUPPORTED)
			fail_msg("%s", unknown[i]);
		strcpy(field + 7, unknown[i]);
		if (vmail_scheme_cost(vmail_str(field), &b) == VMAIL_OK)
			fail_msg("%s tells a cost", unknown[i]);
	}
}

/* The salt of a SHA-1 hash runs over libxcrypt's own buffer unless cut. */
static void
an_overlong_hash_never_reaches_the_library(void **state)
{
	char hash[500] = "$sha1$456$";

	(void)state;
	memset(hash + strlen(hash), 's', 65);
	strcat(hash, "$yW9TNxSlAShsumhwq15AWtKvwxjz");
	assert_int_equal(verify_crypt(hash, "secret"), VMAIL_MALFORMED);
	memset(hash, 0, sizeof(hash));
	strcpy(hash, "$6$");
	memset(hash + 3, 's', 300);
	strcat(hash, "$" TAIL86);
	assert_int_equal(verify_crypt(hash, "secret"), VMAIL_MALFORMED);
}

static void
a_password_is_taken_up_to_511_bytes(void **state)
{
	char password[600] = { 0 };
	struct crypt_data data = { 0 };
	char field[CRYPT_OUTPUT_SIZE + 16] = "{SHA512-CRYPT}";

	(void)state;
	memset(password, 'p', 511);
	strcat(field, crypt_r(password, "$6$rounds=1000$saltsalt$", &data));
	assert_int_equal(verify(field, password), VMAIL_OK);
	password[511] = 'p';
	seen.calls = 0;
	assert_int_equal(verify(field, password), VMAIL_UNSUPPORTED);
	assert_int_equal(seen.calls, 0);
	password[510] = '\0';
	assert_int_equal(verify(field, password), VMAIL_MISMATCH);
}

static void
the_cost_tells_the_parameters_and_nothing_of_salt_or_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char field[256] = "{CRYPT}", text[VMAIL_COST_MAX + 1];
		struct vmail_buf b = { text, sizeof(text), 0, false };

		strcat(field, vectors[i].hash);
		assert_int_equal(
		    vmail_scheme_cost(vmail_str(field), &b), VMAIL_OK);
		assert_string_equal(text, vectors[i].cost);
	}
}

static void
every_cost_that_is_told_can_be_spent(void **state)
{
	struct vmail_secret s = secret("secret");

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		const char *cost = vectors[i].cost;
		struct vmail_str name = { cost + 1, strcspn(cost, "}") - 1 };
		const struct vmail_scheme *scheme = vmail_scheme_named(name);
		enum vmail_rc rc =
		    scheme->spend(scheme, vmail_str(cost + name.n + 2), &s);

		if (rc != VMAIL_OK)
			fail_msg("%s: %d", cost, (int)rc);
	}
}

static void
spending_computes_a_hash_of_that_cost_and_password(void **state)
{
	static const struct {
		const char *cost, *setting;
	} spent[] = {
		{ "{SHA512-CRYPT}rounds=1234", "$6$rounds=1234$" },
		{ "{sha256-crypt}rounds=1234", "$5$rounds=1234$" },
		{ "{BLF-CRYPT}05", "$2y$05$" },
		{ "{CRYPT}$y$j75", "$y$j75$" },
		{ "{CRYPT}$1$", "$1$" },
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
		assert_true(vmail_str_starts(
		    vmail_str(seen.setting), spent[i].setting));
		assert_string_equal(seen.password, "secret");
	}
}

static void
an_overlong_password_is_spent_as_far_as_crypt_goes(void **state)
{
	char password[600] = { 0 };
	struct vmail_secret s;
	struct vmail_conf conf;

	(void)state;
	memset(password, 'p', 599);
	s = secret(password);
	vmail_conf_defaults(&conf);
	seen.calls = 0;
	vmail_scheme_spend(VMAIL_STR("{SHA512-CRYPT}rounds=1000"), &conf, &s);
	assert_int_equal(seen.calls, 1);
	assert_true(seen.hashed);
	assert_int_equal(strlen(seen.password), 511);
}

static void
what_is_refused_for_its_form_costs_nothing(void **state)
{
	(void)state;
	seen.calls = 0;
	(void)verify_crypt("$6$rounds=999999999$salt$" TAIL86, "secret");
	(void)verify_crypt("secretsecretse", "secret");
	(void)verify_crypt("$2b$31$" TAIL43 TAIL10, "secret");
	assert_int_equal(seen.calls, 0);
}

static void
a_cost_over_the_caps_is_not_spent(void **state)
{
	static const char *const greedy[] = { "rounds=5000001",
		"rounds=", "rounds=x", "", "5000" };
	struct vmail_secret s = secret("secret");

	(void)state;
	for (size_t i = 0; i < COUNT(greedy); i++)
		assert_int_not_equal(
		    vmail_scheme_sha512_crypt.spend(
			&vmail_scheme_sha512_crypt, vmail_str(greedy[i]), &s),
		    VMAIL_OK);
	assert_int_not_equal(vmail_scheme_blf_crypt.spend(
				 &vmail_scheme_blf_crypt, VMAIL_STR("18"), &s),
	    VMAIL_OK);
	assert_int_not_equal(vmail_scheme_crypt.spend(
				 &vmail_scheme_crypt, VMAIL_STR("$y$jGT"), &s),
	    VMAIL_OK);
}

static void
make(const char *name, const struct vmail_conf *conf, char field[512])
{
	struct vmail_secret s = secret("a new password: \xc3\xa4");
	struct vmail_buf b = { field, 512, 0, false };
	struct vmail_err err;

	assert_int_equal(vmail_scheme_make(vmail_scheme_named(vmail_str(name)),
			     conf, &s, &b, &err),
	    VMAIL_OK);
	assert_int_equal(vmail_scheme_verify(vmail_str(field), &s), VMAIL_OK);
	assert_int_equal(verify(field, "another"), VMAIL_MISMATCH);
}

static void
new_hashes_follow_the_configured_costs(void **state)
{
	struct vmail_conf conf;
	char field[512];

	(void)state;
	vmail_conf_defaults(&conf);
	make("SHA512-CRYPT", &conf, field);
	assert_non_null(strstr(field, "{SHA512-CRYPT}$6$"));
	assert_null(strstr(field, "rounds=")); /* 5000 is the default */
	conf.crypt_rounds = 6000;
	make("SHA512-CRYPT", &conf, field);
	assert_non_null(strstr(field, "{SHA512-CRYPT}$6$rounds=6000$"));
	make("SHA256-CRYPT", &conf, field);
	assert_non_null(strstr(field, "{SHA256-CRYPT}$5$rounds=6000$"));
	conf.bcrypt_cost = 6;
	make("BLF-CRYPT", &conf, field);
	assert_non_null(strstr(field, "{BLF-CRYPT}$2y$06$"));
	make("CRYPT", &conf, field);
	assert_non_null(strstr(field, "{CRYPT}$y$j9T$"));
}

static void
two_hashes_of_one_password_differ(void **state)
{
	struct vmail_conf conf;
	char a[512], b[512];

	(void)state;
	vmail_conf_defaults(&conf);
	conf.crypt_rounds = 1000;
	make("SHA512-CRYPT", &conf, a);
	make("SHA512-CRYPT", &conf, b);
	assert_string_not_equal(a, b);
}

static void
a_configured_cost_that_no_login_may_pay_makes_no_hash(void **state)
{
	struct vmail_conf conf;
	struct vmail_secret s = secret("secret");
	char field[512] = "untouched";
	struct vmail_buf b = { field, sizeof(field), 0, false };
	struct vmail_err err;

	(void)state;
	vmail_conf_defaults(&conf);
	conf.crypt_rounds = 5000001;
	conf.bcrypt_cost = 18;
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_sha512_crypt, &conf, &s, &b, &err),
	    VMAIL_INVALID);
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_blf_crypt, &conf, &s, &b, &err),
	    VMAIL_INVALID);
	assert_string_equal(field, "untouched");
}

/* libxcrypt itself calls this EINVAL, as it calls a bad hash. */
static void
a_lack_of_memory_is_not_a_wrong_password(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct rlimit limit = { 256 << 20, 256 << 20 };

		setrlimit(RLIMIT_AS, &limit);
		_exit((int)verify_crypt("$y$jET$saltsalt$" TAIL43, "secret"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), VMAIL_NO_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_field_record_takes_its_password_and_no_other),
		cmocka_unit_test(every_method_of_the_library_is_verified),
		cmocka_unit_test(
		    each_name_of_the_family_verifies_what_the_library_knows),
		cmocka_unit_test(a_changed_byte_of_a_hash_never_matches),
		cmocka_unit_test(what_is_no_hash_is_malformed_before_any_cost),
		cmocka_unit_test(every_byte_of_a_hash_is_judged),
		cmocka_unit_test(
		    a_hash_that_asks_for_too_much_is_refused_before_it_is_paid),
		cmocka_unit_test(
		    what_this_library_does_not_know_is_unsupported),
		cmocka_unit_test(an_overlong_hash_never_reaches_the_library),
		cmocka_unit_test(a_password_is_taken_up_to_511_bytes),
		cmocka_unit_test(
		    the_cost_tells_the_parameters_and_nothing_of_salt_or_hash),
		cmocka_unit_test(every_cost_that_is_told_can_be_spent),
		cmocka_unit_test(
		    spending_computes_a_hash_of_that_cost_and_password),
		cmocka_unit_test(
		    an_overlong_password_is_spent_as_far_as_crypt_goes),
		cmocka_unit_test(what_is_refused_for_its_form_costs_nothing),
		cmocka_unit_test(a_cost_over_the_caps_is_not_spent),
		cmocka_unit_test(new_hashes_follow_the_configured_costs),
		cmocka_unit_test(two_hashes_of_one_password_differ),
		cmocka_unit_test(
		    a_configured_cost_that_no_login_may_pay_makes_no_hash),
		cmocka_unit_test(a_lack_of_memory_is_not_a_wrong_password),
	};

	return cmocka_run_group_tests_name("crypt", tests, NULL, NULL);
}
