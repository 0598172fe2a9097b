#include "common/scheme/setting.h"

#include <string.h>

#include "common/scheme/crypt.h"

/* What a hash may cost ends here. */
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
};

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
read_nothing(struct vmail_str *rest, struct vmail_demand *d)
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
read_sha2(struct vmail_str *rest, struct vmail_demand *d)
{
	enum vmail_rc rc;

	d->work = 5000;
	rc = take_rounds(rest, &d->work);
	return d->work < SHA2_ROUNDS_MIN ? VMAIL_UNSUPPORTED : rc;
}

/* `$md5$` or `$md5,rounds=N$`: rounds come on top of 4096. */
static enum vmail_rc
read_sunmd5(struct vmail_str *rest, struct vmail_demand *d)
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
read_sha1(struct vmail_str *rest, struct vmail_demand *d)
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
read_bcrypt(struct vmail_str *rest, struct vmail_demand *d)
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
within_caps(uint32_t n_log2, uint32_t r, uint32_t p, struct vmail_demand *d)
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
read_yescrypt(struct vmail_str *rest, struct vmail_demand *d)
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
read_scrypt(struct vmail_str *rest, struct vmail_demand *d)
{
	uint32_t n_log2 = take_digit(rest), r, p;

	if (n_log2 > 63 || !take_fixed(rest, 5, &r) || !take_fixed(rest, 5, &p))
		return VMAIL_MALFORMED;
	return within_caps(n_log2, r, p, d);
}

static enum vmail_rc
read_bsdi(struct vmail_str *rest, struct vmail_demand *d)
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
static const struct vmail_method methods[] = {
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
	{ "$sha1$", &vmail_scheme_old_crypt, read_sha1, 28, 0, '$',
	    "$" SALT16 "$" },
	{ "$md5", &vmail_scheme_old_crypt, read_sunmd5, 22, 0, '$',
	    "$saltsalt$" },
	{ "$1$", &vmail_scheme_old_crypt, read_nothing, 22, 0, '$',
	    "saltsalt$" },
	{ "$3$", &vmail_scheme_old_crypt, read_nothing, 32, 36, '$', "" },
	{ "_", &vmail_scheme_old_crypt, read_bsdi, 19, 20, '_', "salt" },
	{ "", &vmail_scheme_old_crypt, read_nothing, 13, 13, '\0',
	    "sa" }, /* DES */
};

static const struct vmail_method *const des =
    &methods[sizeof(methods) / sizeof(methods[0]) - 1];

const struct vmail_method *
vmail_method_of(struct vmail_str setting)
{
	const struct vmail_method *m = methods;

	while (m != des && !vmail_str_starts(setting, m->prefix))
		m++;
	if (m != des)
		return m;
	if (setting.n < 2 || digit(setting.p[0]) > 63 ||
	    digit(setting.p[1]) > 63)
		return NULL;
	return des;
}

bool
vmail_method_is_des(const struct vmail_method *m)
{
	return m == des;
}

const struct vmail_method *
vmail_method_made(const struct vmail_scheme *self)
{
	const struct vmail_method *m = methods;

	while (m->scheme != self)
		m++;
	return m;
}

enum vmail_rc
vmail_setting_read(const struct vmail_method *m, struct vmail_str setting,
    size_t *params, struct vmail_demand *d)
{
	size_t n = strlen(m->prefix);
	struct vmail_str rest = { setting.p + n, setting.n - n };
	enum vmail_rc rc;

	*d = (struct vmail_demand){ 0, 0 };
	rc = m->read(&rest, d);
	*params = (size_t)(rest.p - setting.p);
	return rc;
}

void
vmail_setting_put(const struct vmail_method *m, struct vmail_str text,
    const struct vmail_demand *d, struct vmail_buf *params)
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

void
vmail_setting_conf(const struct vmail_scheme *self,
    const struct vmail_conf *conf, struct vmail_buf *params)
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

enum vmail_rc
vmail_setting_compose(const struct vmail_scheme *self, struct vmail_str params,
    struct vmail_buf *b, struct vmail_demand *d)
{
	const struct vmail_method *m = vmail_method_made(self);
	size_t n;

	if (m->read == read_sha2 && !vmail_str_starts(params, ROUNDS))
		return VMAIL_MALFORMED;
	if (self == &vmail_scheme_crypt || self == &vmail_scheme_old_crypt)
		m = params.n == 0 ? des : vmail_method_of(params);
	else
		vmail_buf_z(b, m->prefix);
	if (!m)
		return VMAIL_UNSUPPORTED;
	vmail_buf_str(b, params);
	vmail_buf_z(b, m->salt);
	if (vmail_buf_end(b) != VMAIL_OK)
		return VMAIL_MALFORMED;
	return vmail_setting_read(m, (struct vmail_str){ b->p, b->len }, &n, d);
}
