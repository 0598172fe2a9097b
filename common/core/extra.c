#include "common/core/extra.h"

#include <string.h>

#include "common/core/entry.h"

bool
vmail_extra_next(struct vmail_str *rest, struct vmail_extra *field)
{
	while (rest->n > 0 && rest->p[0] == ' ') {
		rest->p++;
		rest->n--;
	}
	if (rest->n == 0)
		return false;
	field->value = vmail_text_cut(rest, ' ');
	field->key = vmail_text_cut(&field->value, '=');
	return true;
}

bool
vmail_extra_find(
    struct vmail_str extra, const char *key, struct vmail_str *value)
{
	struct vmail_extra field;

	while (vmail_extra_next(&extra, &field)) {
		if (vmail_str_is(field.key, key)) {
			*value = field.value;
			return true;
		}
	}
	return false;
}

/* The key without what Dovecot's dialects hang behind it (":remove"), and
 * without colons that slipped in front of it. */
static struct vmail_str
bare(struct vmail_str key)
{
	while (key.n > 0 && key.p[0] == ':') {
		key.p++;
		key.n--;
	}
	return vmail_text_cut(&key, ':');
}

static bool
refuses_all(struct vmail_str key)
{
	struct vmail_str k = bare(key);

	return vmail_str_is(k, "fail") || vmail_str_is(k, "nologin");
}

bool
vmail_extra_restriction(struct vmail_str extra, struct vmail_str *key)
{
	struct vmail_extra field;

	while (vmail_extra_next(&extra, &field)) {
		struct vmail_str k = bare(field.key);

		if (refuses_all(k) || vmail_str_is(k, "allow_nets") ||
		    vmail_str_is(k, "allow_real_nets") ||
		    vmail_str_starts(k, "vmail_")) {
			*key = field.key;
			return true;
		}
	}
	return false;
}

static bool
ours(const struct vmail_extra *field)
{
	return vmail_str_is(field->key, "fail") &&
	       (vmail_str_is(field->value, "vmail") ||
		   vmail_str_starts(field->value, "vmail,"));
}

/* The first token of ours, wherever it stands. */
static bool
find_ours(struct vmail_str extra, struct vmail_extra *token)
{
	struct vmail_extra field;

	while (vmail_extra_next(&extra, &field)) {
		if (ours(&field)) {
			*token = field;
			return true;
		}
	}
	return false;
}

enum vmail_lock
vmail_extra_lock_state(struct vmail_str extra)
{
	struct vmail_extra field;

	if (find_ours(extra, &field))
		return VMAIL_LOCK_OURS;
	while (vmail_extra_next(&extra, &field)) {
		if (refuses_all(field.key))
			return VMAIL_LOCK_FOREIGN;
	}
	return VMAIL_LOCK_NONE;
}

/* A line as the token sees it. */
struct parts {
	struct vmail_str head; /* up to the extras, the seventh colon too */
	struct vmail_str extra;
	struct vmail_str cr; /* the CR at the end, if there is one */
	unsigned colons;
};

static struct parts
take_apart(struct vmail_str line)
{
	struct parts parts = { .head = line };
	struct vmail_str rest;

	if (line.n > 0 && line.p[line.n - 1] == '\r') {
		line.n--;
		parts.cr = (struct vmail_str){ line.p + line.n, 1 };
	}
	rest = line;
	while (parts.colons < 7) {
		(void)vmail_text_cut(&rest, ':');
		if (rest.p == NULL)
			break;
		parts.colons++;
	}
	parts.extra = rest;
	parts.head.n = line.n - rest.n;
	return parts;
}

enum vmail_rc
vmail_extra_lock(struct vmail_str line, struct vmail_buf *out)
{
	struct parts parts = take_apart(line);
	struct vmail_extra token;
	size_t before = out->len;

	if (find_ours(parts.extra, &token))
		return VMAIL_EXISTS;
	vmail_buf_str(out, parts.head);
	for (unsigned i = parts.colons; i < 7; i++)
		vmail_buf_char(out, ':');
	vmail_buf_z(out, "fail=vmail");
	if (parts.colons < 7) {
		vmail_buf_z(out, ",pad=");
		vmail_buf_num(out, 7 - parts.colons, 1);
	}
	if (parts.extra.n > 0)
		vmail_buf_char(out, ' ');
	vmail_buf_str(out, parts.extra);
	vmail_buf_str(out, parts.cr);
	/* A line too long is malformed: it would hide the user, and a second
	 * record of that name would be the one that answers. */
	if (out->full || out->len - before > VMAIL_LINE_MAX)
		return VMAIL_TOO_SMALL;
	return VMAIL_OK;
}

/* How many colons were added for the sake of the token. */
static uint64_t
pad_of(const struct vmail_extra *token)
{
	struct vmail_str rest = token->value;
	uint64_t pad = 0;

	while (rest.p != NULL) {
		struct vmail_str item = vmail_text_cut(&rest, ',');

		if (!vmail_str_starts(item, "pad="))
			continue;
		item.p += 4;
		item.n -= 4;
		if (!vmail_text_number(item, 7, &pad))
			return 0;
	}
	return pad;
}

enum vmail_rc
vmail_extra_unlock(struct vmail_str line, struct vmail_buf *out)
{
	struct parts parts = take_apart(line);
	struct vmail_extra token;
	struct vmail_str before = parts.extra, after;

	if (!find_ours(parts.extra, &token))
		return VMAIL_NOT_FOUND;
	before.n = (size_t)(token.key.p - before.p);
	after.p = token.value.p + token.value.n;
	after.n = (size_t)(parts.extra.p + parts.extra.n - after.p);
	if (after.n > 0) {
		after.p++;
		after.n--;
	}
	if (before.n == 0 && after.n == 0) {
		uint64_t pad = pad_of(&token);

		/* Fewer, where somebody has filled the fields since. */
		for (; pad > 0 && parts.head.p[parts.head.n - 1] == ':'; pad--)
			parts.head.n--;
	}
	vmail_buf_str(out, parts.head);
	vmail_buf_str(out, before);
	vmail_buf_str(out, after);
	vmail_buf_str(out, parts.cr);
	return out->full ? VMAIL_TOO_SMALL : VMAIL_OK;
}
