#include "cli/line.h"

#include <string.h>

void
line_set(struct vmail_str line, enum line_field field, struct vmail_str value,
    struct vmail_buf *out)
{
	bool cr = line.n > 0 && line.p[line.n - 1] == '\r';
	struct vmail_str rest = { line.p, line.n - cr };

	for (unsigned i = 0; i < (unsigned)field; i++) {
		vmail_buf_str(out, vmail_text_cut(&rest, ':'));
		vmail_buf_char(out, ':');
	}
	vmail_text_cut(&rest, ':');
	vmail_buf_str(out, value);
	if (rest.p) {
		vmail_buf_char(out, ':');
		vmail_buf_str(out, rest);
	}
	if (cr)
		vmail_buf_char(out, '\r');
}
