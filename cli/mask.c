#include "cli/mask.h"

#include <string.h>

#include "common/core/extra.h"

static struct vmail_str
masked_extras(struct userview *view, const struct vmail_entry *e)
{
	struct cell cells[USERVIEW_COLUMNS];

	userview_cells(view, e, cells);
	return cells[USERVIEW_EXTRA].text;
}

static void
put_password(struct vmail_str password, struct vmail_buf *out)
{
	const char *end = NULL;

	if (password.n > 0 && password.p[0] == '{')
		end = memchr(password.p, '}', password.n);
	if (end)
		vmail_buf_put(out, password.p, (size_t)(end - password.p) + 1);
	vmail_buf_z(out, "***");
}

void
mask_line(
    struct userview *view, const struct vmail_entry *e, struct vmail_buf *out)
{
	const struct vmail_str fields[] = { e->uid, e->gid, e->gecos, e->home,
		e->shell, masked_extras(view, e) };

	vmail_buf_str(out, e->name);
	vmail_buf_char(out, ':');
	put_password(e->password, out);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		vmail_buf_char(out, ':');
		vmail_buf_str(out, fields[i]);
	}
}

/* What masking changed is a secret: the rule stands in one place. */
void
mask_extras(
    struct userview *view, const struct vmail_entry *e, struct vmail_buf *out)
{
	struct vmail_str raw = e->extra, masked = masked_extras(view, e);
	struct vmail_extra field, shown;

	while (vmail_extra_next(&raw, &field) &&
	       vmail_extra_next(&masked, &shown)) {
		if (!vmail_str_eq(field.value, shown.value))
			continue;
		if (out->len > 0)
			vmail_buf_char(out, ' ');
		vmail_buf_str(out, field.key);
		if (field.value.p)
			vmail_buf_char(out, '=');
		vmail_buf_str(out, field.value);
	}
}
