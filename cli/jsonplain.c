#include "cli/jsonplain.h"

#include <endian.h>
#include <string.h>

enum { DIGITS = 18 };

struct cursor {
	const char *p, *end;
};

static char
peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : '\0';
}

static void
space(struct cursor *c)
{
	while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\r')
		c->p++;
}

static bool
take(struct cursor *c, char what)
{
	space(c);
	if (peek(c) != what)
		return false;
	c->p++;
	return true;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of the first byte that is 0, and perhaps of some behind it. */
static uint64_t
zero(uint64_t x)
{
	return (x - EACH(1)) & ~x & EACH(0x80);
}

/* The first of eight bytes that is no plain text; 8: all are. */
static unsigned
plain(const char *p)
{
	uint64_t x, other;

	memcpy(&x, p, sizeof(x));
	x = htole64(x);
	other = zero(x ^ EACH('"')) | zero(x ^ EACH('\\')) |
		zero(x ^ EACH(0x7f)) | zero(x & EACH(0xe0)) | (x & EACH(0x80));
	return other ? (unsigned)__builtin_ctzll(other) / 8 : sizeof(x);
}

static const char *
pass_plain(const char *p, const char *end)
{
	char last[sizeof(uint64_t)] = { 0 };
	unsigned n;

	for (; end - p >= (ptrdiff_t)sizeof(last); p += n) {
		n = plain(p);
		if (n < sizeof(last))
			return p + n;
	}
	memcpy(last, p, (size_t)(end - p));
	return p + plain(last);
}

static bool
string(struct cursor *c, struct vmail_str *out)
{
	const char *from, *end;

	if (!take(c, '"'))
		return false;
	from = c->p;
	end = pass_plain(from, c->end);
	c->p = end;
	*out = (struct vmail_str){ from, (size_t)(end - from) };
	/* Here and now: take() would pass over a tab, which is no text. */
	if (peek(c) != '"')
		return false;
	c->p++;
	return true;
}

static bool
word(struct cursor *c, const char *what)
{
	size_t n = strlen(what);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, what, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* Without a sign or a leading zero. */
static bool
number(struct cursor *c, long long *out)
{
	const char *from = c->p;

	*out = 0;
	while (peek(c) >= '0' && peek(c) <= '9' && c->p - from < DIGITS)
		*out = *out * 10 + (*c->p++ - '0');
	return c->p > from && (*from != '0' || c->p - from == 1);
}

static bool
value(struct cursor *c, struct jsonl_value *v)
{
	space(c);
	if (peek(c) == '"') {
		v->is = JSONL_TEXT;
		return string(c, &v->text);
	}
	if (word(c, "null")) {
		v->is = JSONL_NONE;
		return true;
	}
	v->number = word(c, "true");
	v->is = JSONL_BOOL;
	if (v->number || word(c, "false"))
		return true;
	v->is = JSONL_NUMBER;
	return number(c, &v->number);
}

bool
jsonplain_read(struct vmail_str json, struct jsonl_value values[JSONL_KEYS])
{
	struct cursor c = { json.p, json.p + json.n };
	enum jsonl_key key = JSONL_USER;
	unsigned met = 0;

	if (!take(&c, '{'))
		return false;
	do {
		struct vmail_str name;

		if (!string(&c, &name) || !take(&c, ':'))
			return false;
		key = jsonl_key(name, key);
		if (key == JSONL_KEYS || met & 1U << key ||
		    !value(&c, &values[key]))
			return false;
		met |= 1U << key;
	} while (take(&c, ','));
	if (!take(&c, '}'))
		return false;
	space(&c);
	return c.p == c.end;
}
