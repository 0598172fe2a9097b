#include "common/scheme/scheme.h"

#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "common/core/entry.h"
#include "common/scheme/crypt.h"
#include "common/scheme/plain.h"
#include "common/scheme/sodium.h"

static const struct vmail_scheme *const table[] = {
	&vmail_scheme_argon2id,
	&vmail_scheme_crypt,
	&vmail_scheme_argon2i,
	&vmail_scheme_blf_crypt,
	&vmail_scheme_sha512_crypt,
	&vmail_scheme_sha256_crypt,
	&vmail_scheme_plain,
};

const struct vmail_scheme *
vmail_scheme_at(size_t index)
{
	return index < sizeof(table) / sizeof(table[0]) ? table[index] : NULL;
}

const struct vmail_scheme *
vmail_scheme_named(struct vmail_str name)
{
	const struct vmail_scheme *s;

	for (size_t i = 0; (s = vmail_scheme_at(i)) != NULL; i++) {
		if (name.n == strlen(s->name) &&
		    strncasecmp(name.p, s->name, name.n) == 0)
			return s;
	}
	return NULL;
}

/* `{NAME}rest`. False: no brace in front, or none that closes. */
static bool
cut_name(struct vmail_str text, struct vmail_str *name, struct vmail_str *rest)
{
	if (text.n == 0 || text.p[0] != '{')
		return false;
	*rest = (struct vmail_str){ text.p + 1, text.n - 1 };
	*name = vmail_text_cut(rest, '}');
	return rest->p != NULL;
}

enum vmail_rc
vmail_scheme_cut(struct vmail_str field, const struct vmail_scheme **scheme,
    struct vmail_str *data)
{
	const struct vmail_scheme *found = &vmail_scheme_crypt;
	struct vmail_str name, rest = field;

	if (field.n == 0 || field.p[0] == '!' || field.p[0] == '*')
		return VMAIL_MALFORMED;
	if (field.p[0] == '{') {
		if (!cut_name(field, &name, &rest))
			return VMAIL_MALFORMED;
		found = vmail_scheme_named(name);
	}
	if (!found)
		return VMAIL_UNSUPPORTED;
	if (rest.n == 0)
		return VMAIL_MALFORMED;
	*scheme = found;
	*data = rest;
	return VMAIL_OK;
}

static bool
fits(const struct vmail_scheme *scheme, const struct vmail_secret *password)
{
	if (password->len == 0)
		return false;
	return scheme->password_max == 0 ||
	       password->len <= scheme->password_max;
}

enum vmail_rc
vmail_scheme_verify(struct vmail_str field, const struct vmail_secret *password)
{
	const struct vmail_scheme *scheme;
	struct vmail_str data;
	enum vmail_rc rc = vmail_scheme_cut(field, &scheme, &data);

	if (rc != VMAIL_OK)
		return rc;
	if (!fits(scheme, password))
		return VMAIL_UNSUPPORTED;
	return scheme->verify(data, password);
}

static enum vmail_rc
refuse(struct vmail_err *err, const char *why)
{
	return vmail_fail(err, VMAIL_INVALID, NULL, 0, why);
}

static const char *
unwritable(struct vmail_str field)
{
	if (field.n > VMAIL_PASSWORD_FIELD_MAX)
		return "too long for the passwd-file";
	if (vmail_text_has_control(field))
		return "holds a control byte";
	if (memchr(field.p, ':', field.n))
		return "holds ':', which ends the field";
	return NULL;
}

static void
put_name(const struct vmail_scheme *scheme, struct vmail_buf *b)
{
	vmail_buf_char(b, '{');
	vmail_buf_z(b, scheme->name);
	vmail_buf_char(b, '}');
}

/* In a buffer of our own: what is refused never reaches the caller's. */
static enum vmail_rc
build(const struct vmail_scheme *scheme, const struct vmail_conf *conf,
    const struct vmail_secret *password, struct vmail_buf *own,
    struct vmail_err *err)
{
	const char *why;
	enum vmail_rc rc;

	put_name(scheme, own);
	rc = scheme->make(scheme, conf, password, own);
	if (rc == VMAIL_INVALID)
		return refuse(
		    err, "the configured cost is out of what a login may cost");
	if (rc != VMAIL_OK)
		return vmail_fail(err, rc, NULL, 0, "making a hash");
	if (vmail_buf_end(own) != VMAIL_OK)
		return refuse(err, "too long for the passwd-file");
	why = unwritable((struct vmail_str){ own->p, own->len });
	return why ? refuse(err, why) : VMAIL_OK;
}

enum vmail_rc
vmail_scheme_make(const struct vmail_scheme *scheme,
    const struct vmail_conf *conf, const struct vmail_secret *password,
    struct vmail_buf *field, struct vmail_err *err)
{
	char text[VMAIL_PASSWORD_FIELD_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };
	enum vmail_rc rc;

	if (password->len == 0)
		return refuse(err, "an empty password");
	if (!fits(scheme, password))
		return refuse(err, "longer than this scheme takes");
	rc = build(scheme, conf, password, &own, err);
	if (rc == VMAIL_OK) {
		vmail_buf_put(field, own.p, own.len);
		rc = vmail_buf_end(field);
		if (rc != VMAIL_OK)
			vmail_fail(err, rc, NULL, 0, "a hash");
	}
	explicit_bzero(text, sizeof(text));
	return rc;
}

static const struct vmail_scheme *
kin_of(const struct vmail_scheme *scheme, struct vmail_str data)
{
	return scheme->kin ? scheme->kin(scheme, data) : scheme;
}

enum vmail_rc
vmail_scheme_cost(struct vmail_str field, struct vmail_buf *cost)
{
	const struct vmail_scheme *scheme;
	struct vmail_str data;
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };
	enum vmail_rc rc = vmail_scheme_cut(field, &scheme, &data);

	if (rc != VMAIL_OK)
		return rc;
	put_name(kin_of(scheme, data), &own);
	rc = scheme->cost(data, &own);
	if (rc != VMAIL_OK)
		return rc;
	if (own.full)
		return VMAIL_UNSUPPORTED;
	vmail_buf_put(cost, own.p, own.len);
	return vmail_buf_end(cost);
}

enum vmail_rc
vmail_scheme_cost_of_conf(const struct vmail_conf *conf, struct vmail_buf *cost)
{
	const struct vmail_scheme *s =
	    vmail_scheme_named(vmail_str(conf->scheme));

	if (!s)
		return VMAIL_UNSUPPORTED;
	put_name(s, cost);
	s->conf_cost(s, conf, cost);
	return vmail_buf_end(cost);
}

static enum vmail_rc
spend_one(struct vmail_str cost, const struct vmail_secret *password)
{
	const struct vmail_scheme *scheme;
	struct vmail_str name, params;
	VMAIL_SECRET cut;

	if (!cut_name(cost, &name, &params))
		return VMAIL_MALFORMED;
	scheme = vmail_scheme_named(name);
	if (!scheme)
		return VMAIL_UNSUPPORTED;
	cut = *password;
	if (scheme->password_max > 0 && cut.len > scheme->password_max)
		cut.len = scheme->password_max;
	cut.bytes[cut.len] = '\0';
	return scheme->spend(scheme, params, &cut);
}

static bool
spent(enum vmail_rc rc)
{
	return rc == VMAIL_OK || rc == VMAIL_NO_MEMORY;
}

void
vmail_scheme_spend(struct vmail_str cost, const struct vmail_conf *conf,
    const struct vmail_secret *password)
{
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };

	if (spent(spend_one(cost, password)))
		return;
	if (vmail_scheme_cost_of_conf(conf, &own) == VMAIL_OK &&
	    spent(spend_one((struct vmail_str){ text, own.len }, password)))
		return;
	(void)spend_one(VMAIL_STR("{ARGON2ID}m=19456,t=2"), password);
}

static uint64_t
work_of_conf(const struct vmail_scheme *s, const struct vmail_conf *conf)
{
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };

	s->conf_cost(s, conf, &own);
	return s->work(s, (struct vmail_str){ text, own.len });
}

static uint64_t
work_of_data(const struct vmail_scheme *s, struct vmail_str data)
{
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };

	if (s->cost(data, &own) != VMAIL_OK)
		return 0;
	return s->work(s, (struct vmail_str){ text, own.len });
}

bool
vmail_scheme_below(struct vmail_str field, const struct vmail_conf *conf)
{
	const struct vmail_scheme *want =
	    vmail_scheme_named(vmail_str(conf->scheme));
	const struct vmail_scheme *have;
	struct vmail_str data;
	uint64_t work;

	if (!want || !want->work ||
	    vmail_scheme_cut(field, &have, &data) != VMAIL_OK)
		return false;
	have = kin_of(have, data);
	if (!have->work)
		return false;
	work = work_of_data(have, data);
	if (work == 0 || have->rank != want->rank)
		return work > 0 && have->rank < want->rank;
	return work < work_of_conf(want, conf);
}

const char *
vmail_scheme_fault(struct vmail_str field)
{
	const struct vmail_scheme *scheme;
	struct vmail_str data;
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };
	const char *why;
	enum vmail_rc rc;

	if (field.n == 0 || field.p[0] != '{')
		return "no {SCHEME} in front";
	rc = vmail_scheme_cut(field, &scheme, &data);
	if (rc == VMAIL_UNSUPPORTED)
		return "an unknown scheme";
	if (rc != VMAIL_OK)
		return "no hash behind the scheme";
	why = unwritable(field);
	if (why)
		return why;
	if (scheme == &vmail_scheme_crypt && vmail_str_is(data, "*"))
		return NULL;
	rc = scheme->cost(data, &own);
	if (rc == VMAIL_OK && !own.full)
		return NULL;
	return rc == VMAIL_MALFORMED ? "not a hash of this scheme"
				     : "asks for more than a login may cost, "
				       "or for what is not supported";
}

bool
vmail_scheme_room(uint64_t bytes)
{
	void *p;

	if (bytes == 0)
		return true;
	if (bytes > SIZE_MAX)
		return false;
	p = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	(void)munmap(p, (size_t)bytes);
	return true;
}
