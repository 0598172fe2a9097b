#include "common/core/text.h"

#include <endian.h>
#include <string.h>

struct vmail_str
vmail_str(const char *z)
{
	return (struct vmail_str){ z, z == NULL ? 0 : strlen(z) };
}

bool
vmail_str_eq(struct vmail_str a, struct vmail_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
vmail_str_is(struct vmail_str a, const char *z)
{
	return vmail_str_eq(a, vmail_str(z));
}

bool
vmail_str_starts(struct vmail_str a, const char *z)
{
	size_t n = strlen(z);

	return a.n >= n && (n == 0 || memcmp(a.p, z, n) == 0);
}

struct vmail_str
vmail_text_cut(struct vmail_str *rest, char sep)
{
	struct vmail_str head = *rest;
	const char *at = NULL;

	if (head.n > 0)
		at = memchr(head.p, sep, head.n);
	if (at == NULL) {
		*rest = (struct vmail_str){ NULL, 0 };
		return head;
	}
	head.n = (size_t)(at - head.p);
	rest->p = at + 1;
	rest->n -= head.n + 1;
	return head;
}

/* Eight digits at once: first of neighbouring digits, then of pairs, then of
 * fours. False: they are not all digits. */
static bool
eight_digits(const char *p, uint64_t *out)
{
	const uint64_t zeros = 0x3030303030303030;
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	x = le64toh(x) ^ zeros;
	if (((x + 0x7676767676767676) | x) & 0x8080808080808080)
		return false;
	x = x * 10 + (x >> 8);
	*out = ((x & 0x000000ff000000ff) * (100 + (1000000ULL << 32)) +
		   (x >> 16 & 0x000000ff000000ff) * (1 + (10000ULL << 32))) >>
	       32;
	return true;
}

static bool
append(uint64_t *n, uint64_t shift, uint64_t digits)
{
	return !__builtin_mul_overflow(*n, shift, n) &&
	       !__builtin_add_overflow(*n, digits, n);
}

bool
vmail_text_number(struct vmail_str s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0, shift = 1, digits = 0;
	const char *end;

	if (s.n == 0)
		return false;
	for (end = s.p + s.n; end - s.p >= 8; s.p += 8) {
		if (!eight_digits(s.p, &digits) ||
		    !append(&n, 100000000, digits))
			return false;
		digits = 0;
	}
	/* Seven at most are left: too few to be too large. */
	for (; s.p < end; s.p++, shift *= 10) {
		unsigned digit = (unsigned)(unsigned char)*s.p - '0';

		if (digit > 9)
			return false;
		digits = digits * 10 + digit;
	}
	if (!append(&n, shift, digits) || n > max)
		return false;
	*out = n;
	return true;
}

void
vmail_text_lower(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	}
}

void
vmail_buf_put(struct vmail_buf *b, const char *p, size_t n)
{
	if (b->full || n == 0)
		return;
	if (n > b->size - b->len) {
		b->full = true;
		return;
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

void
vmail_buf_str(struct vmail_buf *b, struct vmail_str s)
{
	vmail_buf_put(b, s.p, s.n);
}

void
vmail_buf_z(struct vmail_buf *b, const char *z)
{
	vmail_buf_put(b, z, strlen(z));
}

void
vmail_buf_char(struct vmail_buf *b, char c)
{
	vmail_buf_put(b, &c, 1);
}

/* Inline: a division by a number that is known is none. */
static inline void
put_digits(struct vmail_buf *b, uint64_t n, unsigned base, unsigned width)
{
	char digits[64];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % base);
		n /= base;
	} while (n > 0);
	while (sizeof(digits) - at < width && at > 0)
		digits[--at] = '0';
	vmail_buf_put(b, digits + at, sizeof(digits) - at);
}

void
vmail_buf_num(struct vmail_buf *b, uint64_t n, unsigned width)
{
	put_digits(b, n, 10, width);
}

void
vmail_buf_mode(struct vmail_buf *b, unsigned mode)
{
	put_digits(b, mode, 8, 4);
}

static bool
control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

void
vmail_buf_shown(struct vmail_buf *b, struct vmail_str s)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char code[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

		if (c < 0x20 || c > 0x7e || c == '\\')
			vmail_buf_put(b, code, sizeof(code));
		else
			vmail_buf_char(b, s.p[i]);
	}
}

enum vmail_rc
vmail_buf_end(struct vmail_buf *b)
{
	if (b->size == 0)
		return VMAIL_TOO_SMALL;
	if (b->len == b->size) {
		b->p[b->size - 1] = '\0';
		return VMAIL_TOO_SMALL;
	}
	b->p[b->len] = '\0';
	return b->full ? VMAIL_TOO_SMALL : VMAIL_OK;
}

/* Eight bytes at once: is one of them a control byte? */
static bool
has_control8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
	uint64_t del = x ^ 0x7f * ones;

	return (((x - 0x20 * ones) & ~x) | ((del - ones) & ~del)) & tops;
}

bool
vmail_text_has_control(struct vmail_str s)
{
	size_t i = 0;
	uint64_t x;

	for (; s.n - i >= sizeof(x); i += sizeof(x)) {
		memcpy(&x, s.p + i, sizeof(x));
		if (has_control8(x))
			return true;
	}
	for (; i < s.n; i++) {
		if (control((unsigned char)s.p[i]))
			return true;
	}
	return false;
}

bool
vmail_text_climbs(struct vmail_str path)
{
	while (path.p != NULL) {
		if (vmail_str_is(vmail_text_cut(&path, '/'), ".."))
			return true;
	}
	return false;
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
digit_char(char c)
{
	return c >= '0' && c <= '9';
}

bool
vmail_name_is_account(struct vmail_str s)
{
	if (s.n > VMAIL_ACCOUNT_MAX)
		return false;
	if (s.n > 0 && s.p[s.n - 1] == '$')
		s.n--;
	if (s.n == 0 || (!letter(s.p[0]) && s.p[0] != '_'))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (!letter(c) && !digit_char(c) && c != '_' && c != '.' &&
		    c != '-')
			return false;
	}
	return true;
}

static const char *
bytes_fault(struct vmail_str name)
{
	bool digits = true;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		/* Most are letters and digits: they are asked nothing else. */
		if (digit_char(c))
			continue;
		digits = false;
		if (c >= 'a' && c <= 'z')
			continue;
		if (control((unsigned char)c))
			return "a control byte in the name";
		if (c == ' ')
			return "a space in the name";
		if (c == ':' || c == '/')
			return "':' or '/' in the name";
		if (c >= 'A' && c <= 'Z')
			return "an upper-case letter in the name";
		if (c == '.' && i > 0 && name.p[i - 1] == '.')
			return "'..' in the name";
	}
	return digits ? "a name of digits only" : NULL;
}

static const char *
parts_fault(struct vmail_str name)
{
	struct vmail_str rest = name, local, domain;

	(void)vmail_text_cut(&rest, '@');
	if (rest.p == NULL)
		return NULL;
	if (memchr(rest.p, '@', rest.n) != NULL)
		return "more than one '@' in the name";
	vmail_name_split(name, &local, &domain);
	if (local.n == 0 || domain.n == 0)
		return "nothing before or behind the '@'";
	if (domain.p[0] == '.' || domain.p[domain.n - 1] == '.')
		return "a domain that begins or ends with a dot";
	return NULL;
}

const char *
vmail_name_fault(struct vmail_str name)
{
	const char *fault;

	if (name.n == 0)
		return "an empty name";
	if (name.n > VMAIL_NAME_MAX)
		return "a name longer than 254 bytes";
	if (name.p[0] == '#' || name.p[0] == '-' || name.p[0] == '.')
		return "a name that begins with '#', '-' or '.'";
	fault = bytes_fault(name);
	return fault != NULL ? fault : parts_fault(name);
}

bool
vmail_name_askable(struct vmail_str name)
{
	if (name.n == 0 || name.n > VMAIL_NAME_MAX || name.p[0] == '#')
		return false;
	return memchr(name.p, ':', name.n) == NULL &&
	       !vmail_text_has_control(name);
}

bool
vmail_domain_is_folder(struct vmail_str domain)
{
	if (domain.n == 0 || domain.n > VMAIL_NAME_MAX || domain.p[0] == '-' ||
	    domain.p[0] == '.' || domain.p[domain.n - 1] == '.' ||
	    memmem(domain.p, domain.n, "..", 2) != NULL)
		return false;
	for (size_t i = 0; i < domain.n; i++) {
		unsigned char c = (unsigned char)domain.p[i];

		if (c <= ' ' || c == 0x7f || c == '/' || c == ':' || c == '@' ||
		    (c >= 'A' && c <= 'Z'))
			return false;
	}
	return true;
}

void
vmail_name_split(
    struct vmail_str name, struct vmail_str *local, struct vmail_str *domain)
{
	const char *at = NULL;

	if (name.n > 0)
		at = memrchr(name.p, '@', name.n);
	*local = name;
	*domain = (struct vmail_str){ NULL, 0 };
	if (at == NULL)
		return;
	local->n = (size_t)(at - name.p);
	*domain = (struct vmail_str){ at + 1, name.n - local->n - 1 };
}

enum vmail_rc
vmail_text_expand(
    struct vmail_buf *b, struct vmail_str tmpl, struct vmail_str name)
{
	struct vmail_str local, domain;

	vmail_name_split(name, &local, &domain);
	vmail_buf_str(b, vmail_text_cut(&tmpl, '%'));
	while (tmpl.p != NULL) {
		char c = tmpl.n > 0 ? tmpl.p[0] : '\0';

		if (c == 'u')
			vmail_buf_str(b, name);
		else if (c == 'n')
			vmail_buf_str(b, local);
		else if (c == 'd')
			vmail_buf_str(b, domain);
		else if (c == '%')
			vmail_buf_char(b, c);
		else
			return VMAIL_INVALID;
		tmpl.p++;
		tmpl.n--;
		vmail_buf_str(b, vmail_text_cut(&tmpl, '%'));
	}
	return VMAIL_OK;
}
