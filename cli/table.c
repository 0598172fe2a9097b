#include "cli/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2000 };

struct table {
	struct libscols_table *scols;
	size_t columns, rows;
	bool printed;
};

static bool
add_columns(struct table *t, const char *const *titles, const bool *right)
{
	for (size_t i = 0; i < t->columns; i++) {
		int flags = right[i] ? SCOLS_FL_RIGHT : 0;

		if (!scols_table_new_column(
			t->scols, titles[i] ? titles[i] : "", 0, flags))
			return false;
	}
	if (!titles[0])
		scols_table_enable_noheadings(t->scols, 1);
	return true;
}

struct table *
table_open(const char *const *titles, const bool *right, size_t columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->scols = scols_new_table();
	if (!t->scols || !add_columns(t, titles, right)) {
		scols_unref_table(t->scols);
		free(t);
		return NULL;
	}
	scols_table_set_stream(t->scols, stdout);
	return t;
}

/* A later batch has no headings, and columns no narrower than this one's. */
static bool
print(struct table *t)
{
	if (t->rows == 0)
		return true;
	if (scols_print_table(t->scols) != 0)
		return false;
	for (size_t i = 0; i < t->columns; i++) {
		struct libscols_column *c = scols_table_get_column(t->scols, i);

		scols_column_set_whint(c, (double)scols_column_get_width(c));
		scols_column_set_flags(
		    c, scols_column_get_flags(c) | SCOLS_FL_STRICTWIDTH);
	}
	scols_table_remove_lines(t->scols);
	scols_table_enable_noheadings(t->scols, 1);
	t->rows = 0;
	return ferror(stdout) == 0;
}

bool
table_row(struct table *t, const struct vmail_str *texts)
{
	struct libscols_line *line = scols_table_new_line(t->scols, NULL);

	for (size_t i = 0; line && i < t->columns; i++) {
		char *z = strndup(texts[i].n ? texts[i].p : "", texts[i].n);

		if (!z || scols_line_refer_data(line, i, z) != 0) {
			free(z);
			return false;
		}
	}
	return line && (++t->rows < BATCH || print(t));
}

bool
table_close(struct table *t)
{
	bool good = print(t);

	scols_unref_table(t->scols);
	free(t);
	return good;
}
