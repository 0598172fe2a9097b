#include "common/core/entry.h"

#include <string.h>

/* Would Dovecot drop the whole record for this field, whoever reads it? A
 * name that is unknown on one system may be known on another: not asked. */
static bool
id_drops_line(struct vmail_str id)
{
	uint64_t n;

	if (id.n == 0)
		return false;
	if (vmail_text_number(id, UINT32_MAX - 2, &n))
		return n == 0;
	return !vmail_name_is_account(id) || vmail_str_is(id, "root");
}

static const char *
fault_of(struct vmail_str line, const struct vmail_entry *e)
{
	if (line.n > VMAIL_LINE_MAX)
		return "longer than 20480 bytes";
	if (memchr(line.p, '\0', line.n) != NULL)
		return "a NUL byte";
	if (memchr(line.p, '\n', line.n) != NULL)
		return "a line feed";
	if (id_drops_line(e->uid))
		return "uid is neither empty, a name, nor a number from 1";
	if (id_drops_line(e->gid))
		return "gid is neither empty, a name, nor a number from 1";
	if (e->password.n > VMAIL_PASSWORD_FIELD_MAX)
		return "a password field longer than 512 bytes";
	if (e->name.n + e->uid.n + e->gid.n + e->gecos.n + e->home.n +
		e->shell.n >
	    VMAIL_PUBLIC_MAX)
		return "name, ids, gecos, home and shell over 1536 bytes";
	return NULL;
}

static void
cut_fields(struct vmail_str line, struct vmail_entry *e)
{
	struct vmail_str *const fields[] = { &e->name, &e->password, &e->uid,
		&e->gid, &e->gecos, &e->home, &e->shell };
	struct vmail_str rest = line;

	for (size_t i = 0; i < 7; i++) {
		*fields[i] = vmail_text_cut(&rest, ':');
		if (rest.p != NULL)
			e->colons++;
	}
	e->extra = rest;
}

enum vmail_rc
vmail_entry_parse(
    struct vmail_str line, struct vmail_entry *e, const char **why)
{
	struct vmail_entry cut = { .colons = 0 };
	const char *fault;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ':')
		return VMAIL_NOT_FOUND;
	cut_fields(line, &cut);
	fault = fault_of(line, &cut);
	if (fault != NULL) {
		if (why != NULL)
			*why = fault;
		return VMAIL_MALFORMED;
	}
	*e = cut;
	return VMAIL_OK;
}

const char *
vmail_entry_gecos_fault(struct vmail_str s)
{
	if (s.n > 0 && memchr(s.p, ':', s.n) != NULL)
		return "':' in a field";
	if (vmail_text_has_control(s))
		return "a control byte in a field";
	return NULL;
}

const char *
vmail_entry_home_fault(struct vmail_str s)
{
	if (s.n > 0 && s.p[0] != '/')
		return "a home that is not absolute";
	if (vmail_text_climbs(s))
		return "'..' in a home";
	return vmail_entry_gecos_fault(s);
}

const char *
vmail_entry_id_fault(struct vmail_str s, uint32_t first, uint32_t last)
{
	uint64_t n;

	if (s.n == 0)
		return NULL;
	if (!vmail_text_number(s, UINT64_MAX, &n)) {
		if (!vmail_name_is_account(s))
			return "an id that is neither a number nor a name";
		return vmail_str_is(s, "root") ? "the id of root" : NULL;
	}
	if (n == 0)
		return "the id of root";
	if (n == 65534 || n == 65535)
		return "an id that means nobody";
	return n < first || n > last ? "an id out of the valid range" : NULL;
}

void
vmail_entry_put(const struct vmail_entry *e, struct vmail_buf *b)
{
	const struct vmail_str fields[] = { e->name, e->password, e->uid,
		e->gid, e->gecos, e->home, e->shell };

	for (size_t i = 0; i < 7; i++) {
		vmail_buf_str(b, fields[i]);
		vmail_buf_char(b, ':');
	}
	vmail_buf_str(b, e->extra);
}

void
vmail_entry_put_public(
    const struct vmail_entry *e, uint64_t offset, struct vmail_buf *b)
{
	const struct vmail_str fields[] = { e->uid, e->gid, e->gecos, e->home,
		e->shell };

	for (size_t i = 0; i < 5; i++) {
		vmail_buf_str(b, fields[i]);
		vmail_buf_char(b, ':');
	}
	vmail_buf_num(b, offset, 1);
}

bool
vmail_entry_public_same(
    const struct vmail_entry *a, const struct vmail_entry *b)
{
	return vmail_str_eq(a->name, b->name) && vmail_str_eq(a->uid, b->uid) &&
	       vmail_str_eq(a->gid, b->gid) &&
	       vmail_str_eq(a->gecos, b->gecos) &&
	       vmail_str_eq(a->home, b->home) &&
	       vmail_str_eq(a->shell, b->shell);
}
