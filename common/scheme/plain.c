#include "common/scheme/plain.h"

/*
 * One pass over the whole password whatever the data is: the time tells
 * neither where they differ nor how long the stored one is.
 */
static enum vmail_rc
verify(struct vmail_str data, const struct vmail_secret *password)
{
	volatile unsigned char differs;

	if (data.n == 0)
		return VMAIL_MALFORMED;
	differs = data.n != password->len;
	for (size_t i = 0; i < password->len; i++)
		differs |=
		    (unsigned char)(data.p[i % data.n] ^ password->bytes[i]);
	return differs == 0 ? VMAIL_OK : VMAIL_MISMATCH;
}

static enum vmail_rc
make(const struct vmail_scheme *self, const struct vmail_conf *conf,
    const struct vmail_secret *password, struct vmail_buf *data)
{
	(void)self;
	(void)conf;
	vmail_buf_put(data, password->bytes, password->len);
	return VMAIL_OK;
}

static enum vmail_rc
cost(struct vmail_str data, struct vmail_buf *params)
{
	(void)params;
	return data.n == 0 ? VMAIL_MALFORMED : VMAIL_OK;
}

static void
conf_cost(const struct vmail_scheme *self, const struct vmail_conf *conf,
    struct vmail_buf *params)
{
	(void)self;
	(void)conf;
	(void)params;
}

static enum vmail_rc
spend(const struct vmail_scheme *self, struct vmail_str params,
    const struct vmail_secret *password)
{
	(void)self;
	if (params.n > 0)
		return VMAIL_UNSUPPORTED;
	(void)verify(VMAIL_STR("no password"), password);
	return VMAIL_OK;
}

const struct vmail_scheme vmail_scheme_plain = {
	.name = "PLAIN",
	.strength = VMAIL_PLAINTEXT,
	.note = "the password itself: who reads the file logs in",
	.verify = verify,
	.make = make,
	.cost = cost,
	.conf_cost = conf_cost,
	.spend = spend,
};
