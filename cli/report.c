#include "cli/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/csv.h"
#include "cli/json.h"
#include "cli/table.h"

struct report {
	enum output output;
	const struct report_column *columns;
	size_t n;
	struct table *table; /* of OUTPUT_TABLE */
	bool any, good;
};

enum { DIGITS = 21 };

struct cell
cell_none(void)
{
	return (struct cell){ CELL_NONE, { NULL, 0 }, 0 };
}

struct cell
cell_text(struct vmail_str s)
{
	return (struct cell){ CELL_TEXT, s, 0 };
}

struct cell
cell_z(const char *z)
{
	return z ? cell_text(vmail_str(z)) : cell_none();
}

struct cell
cell_number(uint64_t n)
{
	return (struct cell){ CELL_NUMBER, { NULL, 0 }, n };
}

struct cell
cell_bool(bool yes)
{
	return (struct cell){ CELL_BOOL, { NULL, 0 }, yes };
}

/* The cell as text; digits[] holds it where it is a number. */
static struct vmail_str
plain(const struct cell *cell, char digits[DIGITS])
{
	struct vmail_buf b = { digits, DIGITS, 0, false };

	switch (cell->kind) {
	case CELL_NONE:
		break;
	case CELL_TEXT:
		return cell->text;
	case CELL_NUMBER:
		vmail_buf_num(&b, cell->number, 1);
		return (struct vmail_str){ digits, b.len };
	case CELL_BOOL:
		return vmail_str(cell->number ? "yes" : "no");
	}
	return vmail_str("");
}

static struct table *
open_table(const struct report_column *columns, size_t n)
{
	const char *titles[REPORT_COLUMNS_MAX];
	bool right[REPORT_COLUMNS_MAX];

	for (size_t i = 0; i < n; i++) {
		titles[i] = columns[i].title;
		right[i] = columns[i].right;
	}
	return table_open(titles, right, n);
}

static void
csv_head(const struct report_column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		csv_put(stdout, vmail_str(columns[i].key), i == 0);
	putchar('\n');
}

struct report *
report_open(enum output output, const struct report_column *columns, size_t n)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct report){ output, columns, n, NULL, false, true };
	if (output == OUTPUT_CSV)
		csv_head(columns, n);
	if (output == OUTPUT_TABLE) {
		r->table = open_table(columns, n);
		if (!r->table) {
			free(r);
			return NULL;
		}
	}
	return r;
}

static bool
table_cells(struct table *table, const struct cell *cells, size_t n)
{
	struct vmail_str texts[REPORT_COLUMNS_MAX];
	char digits[REPORT_COLUMNS_MAX][DIGITS];

	for (size_t i = 0; i < n; i++)
		texts[i] = plain(&cells[i], digits[i]);
	return table_row(table, texts);
}

static void
csv_cells(const struct cell *cells, size_t n)
{
	char digits[DIGITS];

	for (size_t i = 0; i < n; i++)
		csv_put(stdout, plain(&cells[i], digits), i == 0);
	putchar('\n');
}

bool
report_row(struct report *r, const struct cell *cells)
{
	switch (r->output) {
	case OUTPUT_TABLE:
		r->good = table_cells(r->table, cells, r->n);
		break;
	case OUTPUT_JSON:
		fputs(r->any ? ",\n " : "[", stdout);
		r->good = json_put_object(stdout, r->columns, cells, r->n);
		break;
	case OUTPUT_CSV:
		csv_cells(cells, r->n);
		break;
	}
	r->any = true;
	r->good = r->good && !ferror(stdout);
	return r->good;
}

bool
report_close(struct report *r)
{
	bool good;

	if (!r)
		return true;
	good = r->good;
	if (r->output == OUTPUT_JSON)
		puts(r->any ? "]" : "[]");
	if (r->table)
		good = table_close(r->table) && good;
	free(r);
	return good;
}

static bool
table_object(
    const struct report_column *columns, const struct cell *cells, size_t n)
{
	static const struct report_column pair[] = {
		{ "key", NULL, false },
		{ "value", NULL, false },
	};
	struct report *r = report_open(OUTPUT_TABLE, pair, 2);
	bool good = r != NULL;

	for (size_t i = 0; good && i < n; i++) {
		struct cell row[] = { cell_z(columns[i].key), cells[i] };

		good = report_row(r, row);
	}
	return report_close(r) && good;
}

bool
report_object(enum output output, const struct report_column *columns,
    const struct cell *cells, size_t n)
{
	switch (output) {
	case OUTPUT_TABLE:
		return table_object(columns, cells, n);
	case OUTPUT_JSON:
		if (!json_put_object(stdout, columns, cells, n))
			return false;
		putchar('\n');
		return true;
	case OUTPUT_CSV:
		csv_head(columns, n);
		csv_cells(cells, n);
		return true;
	}
	return false;
}
