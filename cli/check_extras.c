/* check: extra fields that Dovecot trips over. */
#include <string.h>

#include "cli/check_lines.h"
#include "common/core/extra.h"

#define EDIT "mend the line with an editor, then run vmailadm map"

enum { DOVECOT_CRASH = 16384 };

static void
check_key(const struct check_line *l, struct vmail_str key)
{
	struct vmail_str base = vmail_text_cut(&key, ':');

	if (base.n == 0 || vmail_str_is(base, "userdb_"))
		check_line_say(l, SEVERITY_ERROR, "extra-empty-key",
		    "an extra field without a key crashes Dovecot's auth",
		    EDIT);
	else if (vmail_str_is(base, "nopassword"))
		check_line_say(l, SEVERITY_ERROR, "nopassword",
		    "nopassword lets any password in", EDIT);
}

void
check_extras(const struct check_line *l)
{
	struct vmail_str rest = l->entry.extra;
	struct vmail_extra field;

	if (rest.n == 0)
		return;
	if (rest.p[0] == ':')
		check_line_say(l, SEVERITY_ERROR, "extra-colon",
		    "one colon too many before the extra fields: Dovecot 2.3 "
		    "drops them, restrictions too",
		    EDIT);
	else
		while (vmail_extra_next(&rest, &field)) {
			check_key(l, field.key);
			if (field.value.n >= DOVECOT_CRASH)
				check_line_say(l, SEVERITY_ERROR, "extra-long",
				    "a value of 16384 bytes or more crashes "
				    "Dovecot 2.4's auth for everybody",
				    EDIT);
		}
	if (memchr(l->entry.extra.p, '%', l->entry.extra.n))
		check_line_say(l, SEVERITY_WARN, "extra-percent",
		    "'%' in an extra field: Dovecot expands it, each version "
		    "in its own way",
		    EDIT);
}
