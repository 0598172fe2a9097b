#include "cli/csv.h"

static bool
wants_quotes(struct vmail_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' ||
		    s.p[i] == '\r')
			return true;
	}
	return false;
}

void
csv_put(FILE *out, struct vmail_str value, bool first)
{
	bool quotes = wants_quotes(value);

	if (!first)
		fputc(',', out);
	if (quotes)
		fputc('"', out);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"')
			fputc('"', out);
		fputc(value.p[i], out);
	}
	if (quotes)
		fputc('"', out);
}
