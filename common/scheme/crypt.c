#include "common/scheme/crypt.h"

#include <crypt.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/scheme/setting.h"

enum { OUTPUT_MAX = CRYPT_OUTPUT_SIZE - 1 };

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
is_length(const struct vmail_method *m, size_t n)
{
	if (vmail_method_is_des(m) && n > 13 && n <= 178)
		return (n - 2) % 11 == 0;
	return m->total == 0 || n == m->total;
}

static bool
is_form(const struct vmail_method *m, struct vmail_str data)
{
	size_t tail = vmail_method_is_des(m) ? data.n : m->tail;

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

static enum vmail_rc
measure(struct vmail_str data, const struct vmail_method **method,
    size_t *params, struct vmail_demand *d)
{
	*method = vmail_method_of(data);
	if (!*method)
		return data.p[0] == '$' ? VMAIL_UNSUPPORTED : VMAIL_MALFORMED;
	if (!is_form(*method, data))
		return VMAIL_MALFORMED;
	return vmail_setting_read(*method, data, params, d);
}

static void
data_free(struct crypt_data **data)
{
	vmail_wipe_free(data, sizeof(**data));
}

#define CRYPT_DATA __attribute__((cleanup(data_free))) struct crypt_data

/* Hashes by data->setting; *out is within data. */
static enum vmail_rc
compute(struct crypt_data *data, const struct vmail_demand *d,
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
	const struct vmail_method *m;
	struct vmail_demand d;
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
	const struct vmail_method *m = vmail_method_made(self);
	struct vmail_demand d;
	size_t params;
	const char *out;
	enum vmail_rc rc;

	if (!work)
		return VMAIL_NO_MEMORY;
	errno = 0;
	if (!crypt_gensalt_rn(m->prefix, count_of(self, conf), NULL, 0,
		work->setting, (int)sizeof(work->setting)))
		return errno == EINVAL ? VMAIL_INVALID : VMAIL_IO;
	if (vmail_setting_read(m, vmail_str(work->setting), &params, &d) !=
	    VMAIL_OK)
		return VMAIL_INVALID;
	rc = compute(work, &d, password, &out);
	if (rc == VMAIL_OK)
		vmail_buf_z(data, out);
	return rc;
}

static enum vmail_rc
cost(struct vmail_str data, struct vmail_buf *params)
{
	const struct vmail_method *m;
	struct vmail_demand d;
	size_t n;
	enum vmail_rc rc = measure(data, &m, &n, &d);

	if (rc == VMAIL_OK)
		vmail_setting_put(
		    m, (struct vmail_str){ data.p, n }, &d, params);
	return rc;
}

static enum vmail_rc
spend(const struct vmail_scheme *self, struct vmail_str params,
    const struct vmail_secret *password)
{
	CRYPT_DATA *work = calloc(1, sizeof(*work));
	struct vmail_buf b;
	struct vmail_demand d;
	const char *out;
	enum vmail_rc rc;

	if (!work)
		return VMAIL_NO_MEMORY;
	b = (struct vmail_buf){ work->setting, OUTPUT_MAX, 0, false };
	rc = vmail_setting_compose(self, params, &b, &d);
	return rc == VMAIL_OK ? compute(work, &d, password, &out) : rc;
}

static uint64_t
work_of(const struct vmail_scheme *self, struct vmail_str params)
{
	char setting[CRYPT_OUTPUT_SIZE];
	struct vmail_buf b = { setting, sizeof(setting), 0, false };
	struct vmail_demand d;

	return vmail_setting_compose(self, params, &b, &d) == VMAIL_OK ? d.work
								       : 0;
}

static const struct vmail_scheme *
kin(const struct vmail_scheme *self, struct vmail_str data)
{
	const struct vmail_method *m = vmail_method_of(data);

	return m ? m->scheme : self;
}

#define FAMILY                                                                 \
	.password_max = VMAIL_CRYPT_PASSWORD_MAX, .verify = verify,            \
	.make = make, .cost = cost, .conf_cost = vmail_setting_conf,           \
	.spend = spend, .work = work_of, .kin = kin

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

const struct vmail_scheme vmail_scheme_old_crypt = {
	.name = "CRYPT",
	.strength = VMAIL_WEAK,
	.rank = 10,
	FAMILY,
};
