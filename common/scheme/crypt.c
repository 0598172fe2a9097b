#include "common/scheme/crypt.h"

#include <crypt.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* A hash is chosen by who wrote the file: what it may cost ends here. */
enum {
	ROUNDS_MAX = 5000000,
	SHA2_ROUNDS_MIN = 1000, /* libxcrypt refuses less */
	BCRYPT_COST_MIN = 4,
	BCRYPT_COST_MAX = 17,
	N_LOG2_MAX = 18,
	BLOCK_MAX = 64, /* r: blocks of 128 bytes */
	LANES_MAX = 4,	/* p */
	MEMORY_MAX = 1024 * 1024 * 1024,
	SHA1_SALT_MAX = 64,
	OUTPUT_MAX = CRYPT_OUTPUT_SIZE - 1,
};

/* What a setting asks for. */
struct demand {
	uint64_t work;	 /* to compare two of one method by; never 0 */
	uint64_t memory; /* bytes */
};

/*
 * One of libxcrypt's methods. `read` takes the parameters off the front of
 * what follows the prefix; `tail` are the characters of the hash itself, with
 * `mark` before them; `salt` makes a setting of prefix and parameters alone.
 */
struct method {
	const char *prefix;
	const struct vmail_scheme *scheme; /* that its hashes count as */
	enum vmail_rc (*read)(struct vmail_str *rest, struct demand *d);
	size_t tail;
	size_t total; /* 0: any */
	char mark;    /* '\0': none */
	const char *salt;
};

static const struct vmail_scheme old_crypt;

/* The value of a digit of `./0-9A-Za-z`, or 64. */
static uint32_t
digit(char c)
{
	if (c >= '.' && c <= '9')
		return (uint32_t)(c - '.');
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A') + 12;
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 38;
	return 64;
}

static uint32_t
take_digit(struct vmail_str *rest)
{
	uint32_t value = rest->n > 0 ? digit(rest->p[0]) : 64;

	if (value < 64) {
		rest->p++;
		rest->n--;
	}
	return value;
}

/* Little endian, n digits. */
static bool
take_fixed(struct vmail_str *rest, unsigned n, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < n; i++) {
		uint32_t value = take_digit(rest);

		if (value > 63)
			return false;
		*out |= value << (6 * i);
	}
	return true;
}

/*
 * yescrypt's own numbers: the first digit says how many follow. Two are
 * enough for all that the caps allow; a longer one is refused.
 */
static bool
take_variable(struct vmail_str *rest, uint32_t min, uint32_t *out)
{
	uint32_t first = take_digit(rest), second;

	if (first < 48) {
		*out = min + first;
		return true;
	}
	if (first > 55)
		return false;
	second = take_digit(rest);
	if (second > 63)
		return false;
	*out = min + 48 + ((first - 48) << 6) + second;
	return true;
}

static enum vmail_rc
read_nothing(struct vmail_str *rest, struct demand *d)
{
	(void)rest;
	d->work = 1;
	return VMAIL_OK;
}

#define ROUNDS "rounds="

static enum vmail_rc
take_rounds(struct vmail_str *rest, uint64_t *rounds)
{
	struct vmail_str number, after = *rest;

	if (!vmail_str_starts(*rest, ROUNDS))
		return VMAIL_OK;
	number = vmail_text_cut(&after, '$');
	number.p += sizeof(ROUNDS) - 1;
	number.n -= sizeof(ROUNDS) - 1;
	if (!vmail_text_number(number, ROUNDS_MAX, rounds))
		return VMAIL_UNSUPPORTED;
	rest->p = number.p + number.n;
	rest->n = after.p ? after.n + 1 : 0;
	return VMAIL_OK;
}

static enum vmail_rc
read_sha2(struct vmail_str *rest, struct demand *d)
{
	enum vmail_rc rc;

	d->work = 5000;
	rc = take_rounds(rest, &d->work);
	return d->work < SHA2_ROUNDS_MIN ? VMAIL_UNSUPPORTED : rc;
}

/* `$md5$` or `$md5,rounds=N$`: rounds come on top of 4096. */
static enum vmail_rc
read_sunmd5(struct vmail_str *rest, struct demand *d)
{
	struct vmail_str inner;
	uint64_t rounds = 0;
	enum vmail_rc rc;

	if (rest->n == 0 || (rest->p[0] != ',' && rest->p[0] != '$'))
		return VMAIL_MALFORMED;
	inner = (struct vmail_str){ rest->p + 1, rest->n - 1 };
	rc = take_rounds(&inner, &rounds);
	if (rc == VMAIL_OK && inner.p != rest->p + 1)
		*rest = inner;
	d->work = 4096 + rounds;
	return rc;
}

static enum vmail_rc
read_sha1(struct vmail_str *rest, struct demand *d)
{
	struct vmail_str after = *rest, salt;
	struct vmail_str number = vmail_text_cut(&after, '$');

	if (!vmail_text_number(number, ROUNDS_MAX, &d->work) || d->work == 0)
		return VMAIL_UNSUPPORTED;
	rest->p = number.p + number.n;
	rest->n = after.p ? after.n + 1 : 0;
	salt = vmail_text_cut(&after, '$');
	return salt.n > SHA1_SALT_MAX ? VMAIL_MALFORMED : VMAIL_OK;
}

static enum vmail_rc
read_bcrypt(struct vmail_str *rest, struct demand *d)
{
	struct vmail_str number = { rest->p, 2 };
	uint64_t cost;

	if (rest->n < 2 || !vmail_text_number(number, 99, &cost))
		return VMAIL_MALFORMED;
	if (cost < BCRYPT_COST_MIN || cost > BCRYPT_COST_MAX)
		return VMAIL_UNSUPPORTED;
	d->work = (uint64_t)1 << cost;
	rest->p += 2;
	rest->n -= 2;
	return VMAIL_OK;
}

static enum vmail_rc
within_caps(uint32_t n_log2, uint32_t r, uint32_t p, struct demand *d)
{
	if (n_log2 < 1 || n_log2 > N_LOG2_MAX || r < 1 || r > BLOCK_MAX ||
	    p < 1 || p > LANES_MAX)
		return VMAIL_UNSUPPORTED;
	d->work = ((uint64_t)r * p) << n_log2;
	d->memory = d->work * 128;
	return d->memory > MEMORY_MAX ? VMAIL_UNSUPPORTED : VMAIL_OK;
}

/* Flavour, N, r; further parameters libxcrypt never writes: not for us. */
static enum vmail_rc
read_yescrypt(struct vmail_str *rest, struct demand *d)
{
	uint32_t flavour, n_log2, r;

	if (!take_variable(rest, 0, &flavour) ||
	    !take_variable(rest, 1, &n_log2) || !take_variable(rest, 1, &r))
		return VMAIL_UNSUPPORTED;
	if (rest->n == 0 || rest->p[0] != '$')
		return VMAIL_UNSUPPORTED;
	return within_caps(n_log2, r, 1, d);
}

static enum vmail_rc
read_scrypt(struct vmail_str *rest, struct demand *d)
{
	uint32_t n_log2 = take_digit(rest), r, p;

	if (n_log2 > 63 || !take_fixed(rest, 5, &r) || !take_fixed(rest, 5, &p))
		return VMAIL_MALFORMED;
	return within_caps(n_log2, r, p, d);
}

static enum vmail_rc
read_bsdi(struct vmail_str *rest, struct demand *d)
{
	uint32_t count;

	if (!take_fixed(rest, 4, &count))
		return VMAIL_MALFORMED;
	d->work = count;
	return count < 1 || count > ROUNDS_MAX ? VMAIL_UNSUPPORTED : VMAIL_OK;
}

#define SALT16 "saltsaltsaltsalt"
#define SALT22 "saltsaltsaltsaltsalts."
#define BCRYPT "$abcdefghijklmnopqrstuu"

/* The first of a scheme is the one it makes. */
static const struct method methods[] = {
	{ "$y$", &vmail_scheme_crypt, read_yescrypt, 43, 0, '$',
	    "$" SALT22 "$" },
	{ "$gy$", &vmail_scheme_crypt, read_yescrypt, 43, 0, '$',
	    "$" SALT22 "$" },
	{ "$7$", &vmail_scheme_crypt, read_scrypt, 43, 0, '$', SALT22 "$" },
	{ "$2y$", &vmail_scheme_blf_crypt, read_bcrypt, 53, 60, '$', BCRYPT },
	{ "$2a$", &vmail_scheme_blf_crypt, read_bcrypt, 53, 60, '$', BCRYPT },
	{ "$2b$", &vmail_scheme_blf_crypt, read_bcrypt, 53, 60, '$', BCRYPT },
	{ "$2x$", &vmail_scheme_blf_crypt, read_bcrypt, 53, 60, '$', BCRYPT },
	{ "$6$", &vmail_scheme_sha512_crypt, read_sha2, 86, 0, '$',
	    "$" SALT16 "$" },
	{ "$5$", &vmail_scheme_sha256_crypt, read_sha2, 43, 0, '$',
	    "$" SALT16 "$" },
	{ "$sha1$", &old_crypt, read_sha1, 28, 0, '$', "$" SALT16 "$" },
	{ "$md5", &old_crypt, read_sunmd5, 22, 0, '$', "$saltsalt$" },
	{ "$1$", &old_crypt, read_nothing, 22, 0, '$', "saltsalt$" },
	{ "$3$", &old_crypt, read_nothing, 32, 36, '$', "" },
	{ "_", &old_crypt, read_bsdi, 19, 20, '_', "salt" },
	{ "", &old_crypt, read_nothing, 13, 13, '\0', "sa" }, /* DES */
};

static const struct method *const des =
    &methods[sizeof(methods) / sizeof(methods[0]) - 1];

static const struct method *
method_of(struct vmail_str setting)
{
	const struct method *m = methods;

	/* Most prefixes differ by their second byte (DES has none). */
	while (m != des &&
	       (setting.n < 2 ||
		   (m->prefix[1] != '\0' && m->prefix[1] != setting.p[1]) ||
		   !vmail_str_starts(setting, m->prefix)))
		m++;
	if (m != des)
		return m;
	if (setting.n < 2 || digit(setting.p[0]) > 63 ||
	    digit(setting.p[1]) > 63)
		return NULL;
	return des;
}

static const struct method *
made_by(const struct vmail_scheme *self)
{
	const struct method *m = methods;

	while (m->scheme != self)
		m++;
	return m;
}

/* Eight bytes at once, asked of every byte of a million hashes at an import.
 * In what is returned the top bit of each byte is the answer for it. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Of bytes below 0x80. */
static uint64_t
between(uint64_t x, unsigned char a, unsigned char z)
{
	return (x + EACH(0x80U - a)) & ~(x + EACH(0x7fU - z));
}

static uint64_t
is_byte(uint64_t x, unsigned char c)
{
	return between(x, c, c);
}

/* The digits of a hash. */
static uint64_t
are_digits(uint64_t x)
{
	return between(x, '.', '9') | between(x | EACH(0x20), 'a', 'z');
}

/* What crypt(5) lets a hash hold. */
static uint64_t
are_printable(uint64_t x)
{
	return between(x, '"', '~') & ~(is_byte(x, '*') | is_byte(x, ':') |
					  is_byte(x, ';') | is_byte(x, '\\'));
}

static bool
all_are(struct vmail_str s, uint64_t (*are)(uint64_t x))
{
	uint64_t x, all = EACH(0x80);
	size_t i;

	for (i = 0; s.n - i >= sizeof(x); i += sizeof(x)) {
		memcpy(&x, s.p + i, sizeof(x));
		all &= ~x & are(x & ~EACH(0x80));
	}
	x = EACH('.'); /* is in every set */
	memcpy(&x, s.p + i, s.n - i);
	all &= ~x & are(x & ~EACH(0x80));
	return all == EACH(0x80);
}

/* A long password's blocks follow each other in DES's bigcrypt. */
static bool
is_length(const struct method *m, size_t n)
{
	if (m == des && n > 13 && n <= 178)
		return (n - 2) % 11 == 0;
	return m->total == 0 || n == m->total;
}

static bool
is_form(const struct method *m, struct vmail_str data)
{
	size_t tail = m == des ? data.n : m->tail;

	if (data.n > OUTPUT_MAX || !is_length(m, data.n) ||
	    data.n < tail + (m->mark != '\0'))
		return false;
	data.n -= tail;
	if (m->mark && data.p[data.n - 1] != m->mark)
		return false;
	/* Every digit is printable. */
	return all_are(data, are_printable) &&
	       all_are((struct vmail_str){ data.p + data.n, tail }, are_digits);
}

/* Reads the parameters of a setting: their length (with the prefix) and what
 * they ask for. */
static enum vmail_rc
read_setting(const struct method *m, struct vmail_str setting, size_t *params,
    struct demand *d)
{
	size_t n = strlen(m->prefix);
	struct vmail_str rest = { setting.p + n, setting.n - n };
	enum vmail_rc rc;

	*d = (struct demand){ 0, 0 };
	rc = m->read(&rest, d);
	*params = (size_t)(rest.p - setting.p);
	return rc;
}

static enum vmail_rc
measure(struct vmail_str data, const struct method **method, size_t *params,
    struct demand *d)
{
	*method = method_of(data);
	if (!*method)
		return data.p[0] == '$' ? VMAIL_UNSUPPORTED : VMAIL_MALFORMED;
	if (!is_form(*method, data))
		return VMAIL_MALFORMED;
	return read_setting(*method, data, params, d);
}

static void
data_free(struct crypt_data **data)
{
	vmail_wipe_free(data, sizeof(**data));
}

#define CRYPT_DATA __attribute__((cleanup(data_free))) struct crypt_data

/* Hashes by data->setting; *out is within data. */
static enum vmail_rc
compute(struct crypt_data *data, const struct demand *d,
    const struct vmail_secret *password, const char **out)
{
	/* libxcrypt says EINVAL also when it found no memory. */
	if (!vmail_scheme_room(d->memory))
		return VMAIL_NO_MEMORY;
	errno = 0;
	*out =
	    crypt_rn(password->bytes, data->setting, data, (int)sizeof(*data));
	if (*out && **out != '*')
		return VMAIL_OK;
	return errno == ENOMEM ? VMAIL_NO_MEMORY : VMAIL_UNSUPPORTED;
}

static enum vmail_rc
verify(struct vmail_str data, const struct vmail_secret *password)
{
	CRYPT_DATA *work = NULL;
	const struct method *m;
	struct demand d;
	size_t params;
	const char *out;
	enum vmail_rc rc = measure(data, &m, &params, &d);

	if (rc != VMAIL_OK)
		return rc;
	work = calloc(1, sizeof(*work));
	if (!work)
		return VMAIL_NO_MEMORY;
	memcpy(work->setting, data.p, data.n);
	rc = compute(work, &d, password, &out);
	if (rc != VMAIL_OK)
		return rc;
	if (strlen(out) != data.n || sodium_memcmp(out, data.p, data.n) != 0)
		return VMAIL_MISMATCH;
	return VMAIL_OK;
}

static unsigned long
count_of(const struct vmail_scheme *self, const struct vmail_conf *conf)
{
	if (self == &vmail_scheme_blf_crypt)
		return conf->bcrypt_cost;
	return self == &vmail_scheme_crypt ? 0 : conf->crypt_rounds;
}

static enum vmail_rc
make(const struct vmail_scheme *self, const struct vmail_conf *conf,
    const struct vmail_secret *password, struct vmail_buf *data)
{
	CRYPT_DATA *work = calloc(1, sizeof(*work));
	const struct method *m = made_by(self);
	struct demand d;
	size_t params;
	const char *out;
	enum vmail_rc rc;

	if (!work)
		return VMAIL_NO_MEMORY;
	errno = 0;
	if (!crypt_gensalt_rn(m->prefix, count_of(self, conf), NULL, 0,
		work->setting, (int)sizeof(work->setting)))
		return errno == EINVAL ? VMAIL_INVALID : VMAIL_IO;
	if (read_setting(m, vmail_str(work->setting), &params, &d) != VMAIL_OK)
		return VMAIL_INVALID;
	rc = compute(work, &d, password, &out);
	if (rc == VMAIL_OK)
		vmail_buf_z(data, out);
	return rc;
}

static void
put_params(const struct method *m, struct vmail_str text,
    const struct demand *d, struct vmail_buf *params)
{
	if (m->read == read_sha2) {
		vmail_buf_z(params, ROUNDS);
		vmail_buf_num(params, d->work, 1);
	} else if (m->read == read_bcrypt) {
		vmail_buf_put(params, text.p + text.n - 2, 2);
	} else {
		vmail_buf_str(params, text);
	}
}

static enum vmail_rc
cost(struct vmail_str data, struct vmail_buf *params)
{
	const struct method *m;
	struct demand d;
	size_t n;
	enum vmail_rc rc = measure(data, &m, &n, &d);

	if (rc == VMAIL_OK)
		put_params(m, (struct vmail_str){ data.p, n }, &d, params);
	return rc;
}

static void
conf_cost(const struct vmail_scheme *self, const struct vmail_conf *conf,
    struct vmail_buf *params)
{
	if (self == &vmail_scheme_crypt) {
		vmail_buf_z(params, "$y$j9T"); /* libxcrypt's default */
	} else if (self == &vmail_scheme_blf_crypt) {
		vmail_buf_num(params, conf->bcrypt_cost, 2);
	} else {
		vmail_buf_z(params, ROUNDS);
		vmail_buf_num(params, conf->crypt_rounds, 1);
	}
}

/* A setting with nobody's salt that costs what params say. */
static enum vmail_rc
compose(const struct vmail_scheme *self, struct vmail_str params,
    struct vmail_buf *b, struct demand *d)
{
	const struct method *m = made_by(self);
	size_t n;

	if (m->read == read_sha2 && !vmail_str_starts(params, ROUNDS))
		return VMAIL_MALFORMED;
	if (self == &vmail_scheme_crypt || self == &old_crypt)
		m = params.n == 0 ? des : method_of(params);
	else
		vmail_buf_z(b, m->prefix);
	if (!m)
		return VMAIL_UNSUPPORTED;
	vmail_buf_str(b, params);
	vmail_buf_z(b, m->salt);
	if (vmail_buf_end(b) != VMAIL_OK)
		return VMAIL_MALFORMED;
	return read_setting(m, (struct vmail_str){ b->p, b->len }, &n, d);
}

static enum vmail_rc
spend(const struct vmail_scheme *self, struct vmail_str params,
    const struct vmail_secret *password)
{
	CRYPT_DATA *work = calloc(1, sizeof(*work));
	struct vmail_buf b;
	struct demand d;
	const char *out;
	enum vmail_rc rc;

	if (!work)
		return VMAIL_NO_MEMORY;
	b = (struct vmail_buf){ work->setting, OUTPUT_MAX, 0, false };
	rc = compose(self, params, &b, &d);
	return rc == VMAIL_OK ? compute(work, &d, password, &out) : rc;
}

static uint64_t
work_of(const struct vmail_scheme *self, struct vmail_str params)
{
	char setting[CRYPT_OUTPUT_SIZE];
	struct vmail_buf b = { setting, sizeof(setting), 0, false };
	struct demand d;

	return compose(self, params, &b, &d) == VMAIL_OK ? d.work : 0;
}

static const struct vmail_scheme *
kin(const struct vmail_scheme *self, struct vmail_str data)
{
	const struct method *m = method_of(data);

	return m ? m->scheme : self;
}

#define FAMILY                                                                 \
	.password_max = VMAIL_CRYPT_PASSWORD_MAX, .verify = verify,            \
	.make = make, .cost = cost, .conf_cost = conf_cost, .spend = spend,    \
	.work = work_of, .kin = kin

const struct vmail_scheme vmail_scheme_crypt = {
	.name = "CRYPT",
	.strength = VMAIL_STRONG,
	.rank = 60,
	.note = "makes yescrypt; verifies all that this system's crypt knows",
	FAMILY,
};

const struct vmail_scheme vmail_scheme_blf_crypt = {
	.name = "BLF-CRYPT",
	.strength = VMAIL_STRONG,
	.rank = 40,
	.note = "bcrypt, by bcrypt_cost; only 72 bytes of a password count",
	FAMILY,
};

const struct vmail_scheme vmail_scheme_sha512_crypt = {
	.name = "SHA512-CRYPT",
	.strength = VMAIL_FAIR,
	.rank = 30,
	.note = "SHA-512, by crypt_rounds",
	FAMILY,
};

const struct vmail_scheme vmail_scheme_sha256_crypt = {
	.name = "SHA256-CRYPT",
	.strength = VMAIL_FAIR,
	.rank = 20,
	.note = "SHA-256, by crypt_rounds",
	FAMILY,
};

/* What CRYPT verifies and nobody should make: in no table, below all. */
static const struct vmail_scheme old_crypt = {
	.name = "CRYPT",
	.strength = VMAIL_WEAK,
	.rank = 10,
	FAMILY,
};
