/*
 * A result in whichever form was asked for: a table, JSON, or csv. Rows go
 * out as they come.
 */
#ifndef VMAIL_CLI_REPORT_H
#define VMAIL_CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cmd.h"
#include "common/core/text.h"

enum { REPORT_COLUMNS_MAX = 16 };

struct report_column {
	const char *key;   /* JSON, csv, and -o */
	const char *title; /* the table's heading */
	bool right;
};

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_NUMBER, CELL_BOOL };

struct cell {
	enum cell_kind kind;
	struct vmail_str text; /* borrowed */
	uint64_t number;
};

struct cell cell_none(void);
struct cell cell_text(struct vmail_str s);
struct cell cell_z(const char *z); /* NULL: none */
struct cell cell_number(uint64_t n);
struct cell cell_bool(bool yes);

struct report;

/* NULL: no memory. Columns stay the caller's, until close. */
struct report *report_open(
    enum output output, const struct report_column *columns, size_t n);
/* False: no memory, or stdout failed; more rows are of no use. */
bool report_row(struct report *report, const struct cell *cells);
/* Safe on NULL. False: as above, now or before. */
bool report_close(struct report *report);

/* One object: a key and its value a line, or one JSON object. */
bool report_object(enum output output, const struct report_column *columns,
    const struct cell *cells, size_t n);

#endif
