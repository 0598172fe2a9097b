#include "common/scheme/sodium.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* A hash is chosen by who wrote the file: what it may cost ends here. */
enum {
	MEMORY_MAX = 1024 * 1024, /* KiB */
	MEMORY_MIN = 8,		  /* libsodium refuses less */
	TIME_MAX = 16,
	WORK_MAX = 4 * 1024 * 1024, /* KiB touched: memory * time */
	TIME_MIN_I = 3,		    /* libsodium makes no ARGON2I below */
};

struct demand {
	const struct vmail_scheme *scheme;
	uint64_t memory, time;
};

/* `KEY=NUMBER` up to sep. */
static bool
take(struct vmail_str *rest, const char *key, char sep, uint64_t *out)
{
	struct vmail_str field = vmail_text_cut(rest, sep);
	size_t n = strlen(key);

	if (!vmail_str_starts(field, key))
		return false;
	field.p += n;
	field.n -= n;
	return vmail_text_number(field, UINT32_MAX, out);
}

static enum vmail_rc
within_caps(const struct demand *d)
{
	if (d->memory < MEMORY_MIN || d->time < 1 || d->memory > MEMORY_MAX ||
	    d->time > TIME_MAX || d->memory * d->time > WORK_MAX)
		return VMAIL_UNSUPPORTED;
	return VMAIL_OK;
}

static bool
is_base64(struct vmail_str s)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/";

	for (size_t i = 0; i < s.n; i++) {
		if (!memchr(digits, s.p[i], sizeof(digits) - 1))
			return false;
	}
	return s.n > 0;
}

static const struct vmail_scheme *
kin(const struct vmail_scheme *self, struct vmail_str data)
{
	if (vmail_str_starts(data, "$argon2id$"))
		return &vmail_scheme_argon2id;
	if (vmail_str_starts(data, "$argon2i$"))
		return &vmail_scheme_argon2i;
	return self;
}

/* $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH */
static enum vmail_rc
measure(struct vmail_str data, struct demand *d)
{
	struct vmail_str salt;
	uint64_t version, lanes;

	d->scheme = kin(NULL, data);
	if (!d->scheme)
		return VMAIL_MALFORMED;
	(void)vmail_text_cut(&data, '$');
	(void)vmail_text_cut(&data, '$');
	if (!take(&data, "v=", '$', &version) ||
	    !take(&data, "m=", ',', &d->memory) ||
	    !take(&data, "t=", ',', &d->time) ||
	    !take(&data, "p=", '$', &lanes))
		return VMAIL_MALFORMED;
	salt = vmail_text_cut(&data, '$');
	if (!is_base64(salt) || !is_base64(data))
		return VMAIL_MALFORMED;
	if (version != 19 || lanes != 1)
		return VMAIL_UNSUPPORTED;
	return within_caps(d);
}

/*
 * libsodium answers "mismatch" (EINVAL) also when it found no memory: hence
 * the question before.
 */
static enum vmail_rc
compute(const char *hash, const struct demand *d,
    const struct vmail_secret *password)
{
	if (sodium_init() < 0)
		return VMAIL_UNSUPPORTED;
	if (!vmail_scheme_room(d->memory * 1024))
		return VMAIL_NO_MEMORY;
	errno = 0;
	if (crypto_pwhash_str_verify(hash, password->bytes, password->len) == 0)
		return VMAIL_OK;
	if (errno == ENOMEM)
		return VMAIL_NO_MEMORY;
	return errno == EINVAL ? VMAIL_MISMATCH : VMAIL_UNSUPPORTED;
}

static enum vmail_rc
verify(struct vmail_str data, const struct vmail_secret *password)
{
	char hash[VMAIL_HASH_MAX + 1];
	struct demand d;
	enum vmail_rc rc = measure(data, &d);

	if (rc != VMAIL_OK)
		return rc;
	if (data.n >= sizeof(hash))
		return VMAIL_MALFORMED;
	memcpy(hash, data.p, data.n);
	hash[data.n] = '\0';
	rc = compute(hash, &d, password);
	sodium_memzero(hash, sizeof(hash));
	return rc;
}

static struct demand
demand_of(const struct vmail_scheme *self, const struct vmail_conf *conf)
{
	struct demand d = { self, conf->argon2_memory, conf->argon2_time };

	if (self == &vmail_scheme_argon2i && d.time < TIME_MIN_I)
		d.time = TIME_MIN_I;
	return d;
}

static enum vmail_rc
make(const struct vmail_scheme *self, const struct vmail_conf *conf,
    const struct vmail_secret *password, struct vmail_buf *data)
{
	char hash[crypto_pwhash_STRBYTES];
	struct demand d = demand_of(self, conf);
	int algorithm = self == &vmail_scheme_argon2i
			    ? crypto_pwhash_ALG_ARGON2I13
			    : crypto_pwhash_ALG_ARGON2ID13;

	if (within_caps(&d) != VMAIL_OK)
		return VMAIL_INVALID;
	if (sodium_init() < 0)
		return VMAIL_IO;
	errno = 0;
	if (crypto_pwhash_str_alg(hash, password->bytes, password->len, d.time,
		(size_t)d.memory * 1024, algorithm) != 0)
		return errno == EINVAL || errno == EFBIG ? VMAIL_INVALID
							 : VMAIL_NO_MEMORY;
	vmail_buf_z(data, hash);
	sodium_memzero(hash, sizeof(hash));
	return VMAIL_OK;
}

static void
put_params(const struct demand *d, struct vmail_buf *params)
{
	vmail_buf_z(params, "m=");
	vmail_buf_num(params, d->memory, 1);
	vmail_buf_z(params, ",t=");
	vmail_buf_num(params, d->time, 1);
}

static enum vmail_rc
cost(struct vmail_str data, struct vmail_buf *params)
{
	struct demand d;
	enum vmail_rc rc = measure(data, &d);

	if (rc == VMAIL_OK)
		put_params(&d, params);
	return rc;
}

static void
conf_cost(const struct vmail_scheme *self, const struct vmail_conf *conf,
    struct vmail_buf *params)
{
	struct demand d = demand_of(self, conf);

	put_params(&d, params);
}

/* A hash of nobody's that costs what params say. */
static enum vmail_rc
compose(const struct vmail_scheme *self, struct vmail_str params,
    struct vmail_buf *hash)
{
	vmail_buf_z(
	    hash, self == &vmail_scheme_argon2i ? "$argon2i" : "$argon2id");
	vmail_buf_z(hash, "$v=19$");
	vmail_buf_str(hash, params);
	vmail_buf_z(hash, ",p=1$c2FsdHNhbHRzYWx0c2FsdA$"
			  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	return vmail_buf_end(hash);
}

static enum vmail_rc
spend(const struct vmail_scheme *self, struct vmail_str params,
    const struct vmail_secret *password)
{
	char text[VMAIL_HASH_MAX];
	struct vmail_buf hash = { text, sizeof(text), 0, false };
	struct demand d;
	enum vmail_rc rc;

	if (compose(self, params, &hash) != VMAIL_OK)
		return VMAIL_MALFORMED;
	rc = measure((struct vmail_str){ text, hash.len }, &d);
	if (rc == VMAIL_OK)
		rc = compute(text, &d, password);
	return rc == VMAIL_MISMATCH ? VMAIL_OK : rc;
}

static uint64_t
work(const struct vmail_scheme *self, struct vmail_str params)
{
	char text[VMAIL_HASH_MAX];
	struct vmail_buf hash = { text, sizeof(text), 0, false };
	struct demand d;

	if (compose(self, params, &hash) != VMAIL_OK ||
	    measure((struct vmail_str){ text, hash.len }, &d) != VMAIL_OK)
		return 0;
	return d.memory * d.time;
}

const struct vmail_scheme vmail_scheme_argon2id = {
	.name = "ARGON2ID",
	.strength = VMAIL_STRONG,
	.rank = 70,
	.note = "Argon2id, by argon2_memory and argon2_time",
	.verify = verify,
	.make = make,
	.cost = cost,
	.conf_cost = conf_cost,
	.spend = spend,
	.work = work,
	.kin = kin,
};

const struct vmail_scheme vmail_scheme_argon2i = {
	.name = "ARGON2I",
	.strength = VMAIL_STRONG,
	.rank = 50,
	.note = "Argon2i, by argon2_memory and argon2_time (3 at least)",
	.verify = verify,
	.make = make,
	.cost = cost,
	.conf_cost = conf_cost,
	.spend = spend,
	.work = work,
	.kin = kin,
};
