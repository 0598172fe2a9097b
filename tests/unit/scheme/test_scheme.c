#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <string.h>

#include "common/scheme/crypt.h"
#include "common/scheme/plain.h"
#include "common/scheme/scheme.h"
#include "common/scheme/sodium.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define SHA512                                                                 \
	"$6$AsaBrRHlvZiiCa1q$PML7EaM2PvWhUOXXb2VwLlYnjBEbfqQcnd4zmuKjPlzmng7Q" \
	"5M774u.JAFF4NFT1YYvkroIOG5FHnZSODGK5J1"
#define ARGON2                                                                 \
	"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7T" \
	"KyQwu9U1bMCHGi/4"
#define ARGON2_AT(cost)                                                        \
	"$argon2id$v=19$" cost                                                 \
	",p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
#define BCRYPT(cost)                                                           \
	"$2y$" cost "$abcdefghijklmnopqrstuul18yFhC69sq/WwO8ibiE1VQy773yVfu"
#define YESCRYPT(cost)                                                         \
	"$y$" cost "$.......$3t0Tv4xlsxxIiRAbZRDjFzVPlEkN.xbkMGI2p32ZbAA"

static int hashes;

char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	char *out = crypt_r(phrase, setting, data);

	assert_int_equal(size, sizeof(struct crypt_data));
	hashes++;
	return out && out[0] != '*' ? out : NULL;
}

static struct vmail_secret
secret(const char *z)
{
	struct vmail_secret s;

	assert_int_equal(vmail_secret_set(&s, z, strlen(z), NULL), VMAIL_OK);
	return s;
}

static void
every_row_makes_what_it_verifies_and_costs_what_it_says(void **state)
{
	struct vmail_secret s = secret("a password"), other = secret("other");
	const struct vmail_scheme *scheme;
	struct vmail_conf conf;
	size_t rows = 0;

	(void)state;
	vmail_conf_defaults(&conf);
	conf.bcrypt_cost = 5;
	for (; (scheme = vmail_scheme_at(rows)) != NULL; rows++) {
		char f[VMAIL_HASH_MAX], is[65], should[65];
		struct vmail_buf field = { f, sizeof(f), 0, false };
		struct vmail_buf a = { is, sizeof(is), 0, false };
		struct vmail_buf b = { should, sizeof(should), 0, false };

		strcpy(conf.scheme, scheme->name);
		assert_int_equal(
		    vmail_scheme_make(scheme, &conf, &s, &field, NULL),
		    VMAIL_OK);
		assert_int_equal(
		    vmail_scheme_verify(vmail_str(f), &s), VMAIL_OK);
		assert_int_equal(
		    vmail_scheme_verify(vmail_str(f), &other), VMAIL_MISMATCH);
		assert_int_equal(vmail_scheme_cost(vmail_str(f), &a), VMAIL_OK);
		assert_int_equal(
		    vmail_scheme_cost_of_conf(&conf, &b), VMAIL_OK);
		assert_string_equal(is, should);
		assert_null(vmail_scheme_fault(vmail_str(f)));
		assert_false(vmail_scheme_below(vmail_str(f), &conf));
		assert_ptr_equal(
		    vmail_scheme_named(vmail_str(scheme->name)), scheme);
	}
	assert_int_equal(rows, 7);
}

static void
the_table_is_in_order_of_strength(void **state)
{
	(void)state;
	for (size_t i = 0; vmail_scheme_at(i + 1); i++) {
		assert_true(
		    vmail_scheme_at(i)->rank > vmail_scheme_at(i + 1)->rank);
		assert_true(vmail_scheme_at(i)->strength >=
			    vmail_scheme_at(i + 1)->strength);
		assert_non_null(vmail_scheme_at(i)->note);
	}
}

static void
a_scheme_s_name_is_known_in_any_case_and_only_whole(void **state)
{
	(void)state;
	assert_ptr_equal(vmail_scheme_named(VMAIL_STR("sha512-crypt")),
	    &vmail_scheme_sha512_crypt);
	assert_ptr_equal(
	    vmail_scheme_named(VMAIL_STR("Argon2ID")), &vmail_scheme_argon2id);
	assert_null(vmail_scheme_named(VMAIL_STR("")));
	assert_null(vmail_scheme_named(VMAIL_STR("SHA512")));
	assert_null(vmail_scheme_named(VMAIL_STR("SHA512-CRYPTO")));
	assert_null(vmail_scheme_named(VMAIL_STR("PLAIN.b64")));
}

static void
a_field_is_cut_at_its_first_closing_brace(void **state)
{
	const struct vmail_scheme *scheme;
	struct vmail_str data;

	(void)state;
	assert_int_equal(
	    vmail_scheme_cut(VMAIL_STR("{plain}a}b"), &scheme, &data),
	    VMAIL_OK);
	assert_ptr_equal(scheme, &vmail_scheme_plain);
	assert_true(vmail_str_is(data, "a}b"));
	assert_int_equal(
	    vmail_scheme_cut(VMAIL_STR(SHA512), &scheme, &data), VMAIL_OK);
	assert_ptr_equal(scheme, &vmail_scheme_crypt);
	assert_true(vmail_str_is(data, SHA512));
}

static void
a_bare_mark_is_no_field_at_all(void **state)
{
	static const char *const none[] = { "", "*", "!", "!" SHA512,
		"!{PLAIN}x", "*x", "{PLAIN}", "{PLAIN" };
	const struct vmail_scheme *scheme = &vmail_scheme_plain;
	struct vmail_str data = VMAIL_STR("untouched");

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		if (vmail_scheme_cut(vmail_str(none[i]), &scheme, &data) !=
		    VMAIL_MALFORMED)
			fail_msg("%s", none[i]);
	}
	assert_ptr_equal(scheme, &vmail_scheme_plain);
	assert_true(vmail_str_is(data, "untouched"));
}

static void
a_field_that_never_matches_is_told_apart(void **state)
{
	static const struct {
		const char *field;
		enum vmail_rc rc;
	} never[] = {
		{ "", VMAIL_MALFORMED },
		{ "*", VMAIL_MALFORMED },
		{ "!", VMAIL_MALFORMED },
		{ "!!", VMAIL_MALFORMED },
		{ "!" SHA512, VMAIL_MALFORMED },
		{ "*" SHA512, VMAIL_MALFORMED },
		{ "!{SHA512-CRYPT}" SHA512, VMAIL_MALFORMED },
		{ "{SHA512-CRYPT}!" SHA512, VMAIL_MALFORMED },
		{ "{CRYPT}*", VMAIL_MALFORMED },
		{ "{SHA512-CRYPT}", VMAIL_MALFORMED },
		{ "{SHA512-CRYPT", VMAIL_MALFORMED },
		{ "x", VMAIL_MALFORMED },
		{ "testtest", VMAIL_MALFORMED },
		{ "{}testtest", VMAIL_UNSUPPORTED },
		{ "{CLEARTEXT}testtest", VMAIL_UNSUPPORTED },
		{ "{CLEAR}testtest", VMAIL_UNSUPPORTED },
		{ "{PLAIN.b64}dGVzdHRlc3Q=", VMAIL_UNSUPPORTED },
		{ "{PLAIN.hex}7465737474657374", VMAIL_UNSUPPORTED },
		{ "{SHA512-CRYPT.base64}" SHA512, VMAIL_UNSUPPORTED },
		{ "{SHA}UdPz6hNGEWGIZZcKXiP4ecfYqpM=", VMAIL_UNSUPPORTED },
		{ " {PLAIN}testtest", VMAIL_MALFORMED },
		{ "{PLAIN }testtest", VMAIL_UNSUPPORTED },
	};
	struct vmail_secret s = secret("testtest");

	(void)state;
	hashes = 0;
	for (size_t i = 0; i < COUNT(never); i++) {
		if (vmail_scheme_verify(vmail_str(never[i].field), &s) !=
		    never[i].rc)
			fail_msg("%s", never[i].field);
	}
	assert_int_equal(hashes, 0);
}

static void
the_empty_password_never_matches(void **state)
{
	struct vmail_secret none = { 0 };
	struct crypt_data data = { 0 };
	char field[CRYPT_OUTPUT_SIZE + 16] = "{CRYPT}";
	struct vmail_conf conf;
	char out[VMAIL_HASH_MAX];
	struct vmail_buf b = { out, sizeof(out), 0, false };

	(void)state;
	vmail_conf_defaults(&conf);
	strcat(field, crypt_r("", "$6$rounds=1000$saltsalt$", &data));
	hashes = 0;
	assert_int_equal(
	    vmail_scheme_verify(vmail_str(field), &none), VMAIL_UNSUPPORTED);
	assert_int_equal(hashes, 0);
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_crypt, &conf, &none, &b, NULL),
	    VMAIL_INVALID);
}

static void
a_buffer_that_is_too_small_is_said(void **state)
{
	struct vmail_secret s = secret("secret");
	struct vmail_conf conf;
	char text[20];
	struct vmail_buf a = { text, sizeof(text), 0, false };
	struct vmail_buf b = { text, sizeof(text), 0, false };

	(void)state;
	vmail_conf_defaults(&conf);
	assert_int_equal(
	    vmail_scheme_make(&vmail_scheme_sha512_crypt, &conf, &s, &a, NULL),
	    VMAIL_TOO_SMALL);
	assert_int_equal(vmail_scheme_cost(VMAIL_STR("{CRYPT}" SHA512), &b),
	    VMAIL_TOO_SMALL);
}

static void
an_unreadable_cost_is_spent_as_the_configured_one(void **state)
{
	static const char *const unreadable[] = { "", "x", "{", "{CRYPT",
		"{NONE}x", "{SHA512-CRYPT}", "{SHA512-CRYPT}rounds=10",
		"{SHA512-CRYPT}rounds=999999999", "{BLF-CRYPT}31",
		"{ARGON2ID}m=4294967295,t=2", "{CRYPT}$y$jGT", "{CRYPT}$8$",
		"{PLAIN}x" };
	struct vmail_secret s = secret("secret");
	struct vmail_conf conf;

	(void)state;
	vmail_conf_defaults(&conf);
	strcpy(conf.scheme, "SHA512-CRYPT");
	conf.crypt_rounds = 1000;
	for (size_t i = 0; i < COUNT(unreadable); i++) {
		hashes = 0;
		vmail_scheme_spend(vmail_str(unreadable[i]), &conf, &s);
		if (hashes == 0)
			fail_msg("%s", unreadable[i]);
	}
}

static bool
below(const char *field, const char *scheme)
{
	struct vmail_conf conf;

	vmail_conf_defaults(&conf);
	conf.crypt_rounds = 10000;
	strcpy(conf.scheme, scheme);
	return vmail_scheme_below(vmail_str(field), &conf);
}

static void
a_weaker_or_cheaper_hash_is_below(void **state)
{
	(void)state;
	assert_true(below("{SHA512-CRYPT}" SHA512, "ARGON2ID"));
	assert_true(below(SHA512, "ARGON2ID"));
	assert_true(below("{CRYPT}" SHA512, "BLF-CRYPT"));
	assert_true(below("{CRYPT}" SHA512, "CRYPT"));
	assert_true(below("{CRYPT}" SHA512, "SHA512-CRYPT")); /* rounds */
	assert_true(below("{CRYPT}rl.3StKT.4T8M", "SHA256-CRYPT"));
	assert_true(below("{SHA512-CRYPT}$1$abcdefgh$VlDMZ8Yy3ahVZpYnSeauX.",
	    "SHA512-CRYPT"));
	assert_true(below("{BLF-CRYPT}" BCRYPT("11"), "BLF-CRYPT"));
	assert_true(below("{CRYPT}" YESCRYPT("j8T"), "CRYPT"));
	assert_true(below("{ARGON2ID}" ARGON2, "ARGON2ID"));
	assert_true(below("{ARGON2ID}" ARGON2_AT("m=19456,t=1"), "ARGON2ID"));
}

static void
an_equal_or_stronger_hash_is_left_alone(void **state)
{
	(void)state;
	assert_false(below("{ARGON2ID}" ARGON2, "SHA512-CRYPT"));
	assert_false(below("{CRYPT}" YESCRYPT("j75"), "BLF-CRYPT"));
	assert_false(below("{CRYPT}" YESCRYPT("j9T"), "CRYPT"));
	assert_false(below("{CRYPT}" YESCRYPT("jAT"), "CRYPT"));
	assert_false(below("{BLF-CRYPT}" BCRYPT("12"), "BLF-CRYPT"));
	assert_false(below("{BLF-CRYPT}" BCRYPT("13"), "BLF-CRYPT"));
	assert_false(below("{ARGON2ID}" ARGON2_AT("m=19456,t=2"), "ARGON2ID"));
	assert_false(below("{ARGON2ID}" ARGON2_AT("m=65536,t=1"), "ARGON2ID"));
}

static void
what_is_no_crypt_or_argon2_hash_is_never_replaced(void **state)
{
	(void)state;
	assert_false(below("{PLAIN}secret", "ARGON2ID"));
	assert_false(below("{CRAM-MD5}0123", "ARGON2ID"));
	assert_false(below("{SCRAM-SHA-256}4096,x,y,z", "ARGON2ID"));
	assert_false(below("{CRYPT}*", "ARGON2ID"));
	assert_false(below("", "ARGON2ID"));
	assert_false(below("{CRYPT}" SHA512, "PLAIN"));
	assert_false(below("{CRYPT}" SHA512, "NO-SUCH"));
}

static void
only_a_whole_hash_of_a_known_scheme_is_imported(void **state)
{
	static const char *const good[] = { "{SHA512-CRYPT}" SHA512,
		"{crypt}" SHA512, "{ARGON2ID}" ARGON2, "{PLAIN}a b\xc3\xa4",
		"{CRYPT}*", "{BLF-CRYPT}" BCRYPT("12") };
	static const char *const bad[] = { "", "*", "!", "x", SHA512,
		"{CRYPT}!" SHA512, "{CRYPT}", "{CRYPT}x", "{PLAIN}",
		"{PLAIN}a:b", "{PLAIN}a\tb", "{NONE}x", "{CRYPT}" SHA512 ":",
		"{CRYPT}" SHA512 "\n", "{SHA512-CRYPT}*", "{CRYPT}*x",
		"{ARGON2ID}" ARGON2_AT("m=4294967295,t=2"),
		"{BLF-CRYPT}" BCRYPT("18"), "{CRYPT}$8$salt$hash" };
	char text[600] = "{PLAIN}";

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (vmail_scheme_fault(vmail_str(good[i])))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (!vmail_scheme_fault(vmail_str(bad[i])))
			fail_msg("%s", bad[i]);
	}
	memset(text + 7, 'p', 506);
	assert_non_null(vmail_scheme_fault(vmail_str(text)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_row_makes_what_it_verifies_and_costs_what_it_says),
		cmocka_unit_test(the_table_is_in_order_of_strength),
		cmocka_unit_test(
		    a_scheme_s_name_is_known_in_any_case_and_only_whole),
		cmocka_unit_test(a_field_is_cut_at_its_first_closing_brace),
		cmocka_unit_test(a_bare_mark_is_no_field_at_all),
		cmocka_unit_test(a_field_that_never_matches_is_told_apart),
		cmocka_unit_test(the_empty_password_never_matches),
		cmocka_unit_test(a_buffer_that_is_too_small_is_said),
		cmocka_unit_test(
		    an_unreadable_cost_is_spent_as_the_configured_one),
		cmocka_unit_test(a_weaker_or_cheaper_hash_is_below),
		cmocka_unit_test(an_equal_or_stronger_hash_is_left_alone),
		cmocka_unit_test(
		    what_is_no_crypt_or_argon2_hash_is_never_replaced),
		cmocka_unit_test(
		    only_a_whole_hash_of_a_known_scheme_is_imported),
	};

	return cmocka_run_group_tests_name("scheme", tests, NULL, NULL);
}
