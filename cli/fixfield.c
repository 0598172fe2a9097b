#include "cli/fixfield.h"

#include <string.h>

#include "cli/line.h"
#include "common/core/extra.h"
#include "common/scheme/scheme.h"

enum { TOKEN_MAX = 64, USERDB_COLONS = 3 };

#define NEVER VMAIL_STR("{CRYPT}*")

/* Nothing but a scheme's name, which an empty password might fit. */
static bool
is_scheme_alone(struct vmail_str s)
{
	return s.n > 0 && s.p[0] == '{' &&
	       memchr(s.p, '}', s.n) == s.p + s.n - 1;
}

static bool
fits_nobody(struct vmail_str s)
{
	return s.n == 0 || vmail_str_is(s, "*") || vmail_str_is(s, "x") ||
	       is_scheme_alone(s);
}

/* What should stand there; *lock: the user is one whom `!` has locked. */
static bool
new_field(struct vmail_str old, struct vmail_buf *field, bool *lock)
{
	bool marked = old.n > 0 && old.p[0] == '!';

	while (old.n > 0 && old.p[0] == '!') {
		old.p++;
		old.n--;
	}
	*lock = false;
	if (fits_nobody(old)) {
		vmail_buf_str(field, NEVER);
		return true;
	}
	*lock = marked;
	if (old.p[0] != '{')
		vmail_buf_z(field, "{CRYPT}");
	vmail_buf_str(field, old);
	return !field->full && vmail_scheme_fault((struct vmail_str){
				   field->p, field->len }) == NULL;
}

/* Could nobody read it, it would be a user less. */
static bool
is_sound(const struct vmail_buf *line)
{
	struct vmail_entry e;

	return !line->full &&
	       vmail_entry_parse((struct vmail_str){ line->p, line->len }, &e,
		   NULL) == VMAIL_OK;
}

bool
fixfield(struct vmail_str line, const struct vmail_entry *entry,
    struct vmail_buf *out, bool *padded)
{
	char password[VMAIL_PASSWORD_FIELD_MAX + 16];
	char text[VMAIL_LINE_MAX + TOKEN_MAX];
	struct vmail_buf field = { password, sizeof(password), 0, false };
	struct vmail_buf b = { text, sizeof(text), 0, false };
	bool lock, good = new_field(entry->password, &field, &lock);
	enum vmail_rc rc = VMAIL_EXISTS;

	if (good)
		line_set(line, LINE_PASSWORD,
		    (struct vmail_str){ password, field.len }, &b);
	if (good && lock)
		rc = vmail_extra_lock((struct vmail_str){ text, b.len }, out);
	if (rc == VMAIL_EXISTS)
		vmail_buf_put(out, text, b.len);
	*padded = rc == VMAIL_OK && entry->colons < USERDB_COLONS;
	explicit_bzero(password, sizeof(password));
	explicit_bzero(text, sizeof(text));
	return good && !b.full && rc != VMAIL_TOO_SMALL && is_sound(out);
}
