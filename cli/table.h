/*
 * Columns for people, through libsmartcols. Rows are printed in batches, so
 * that a million of them need no memory.
 */
#ifndef VMAIL_CLI_TABLE_H
#define VMAIL_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/core/text.h"

struct table;

/* NULL: no memory. A title of NULL: no headings at all. */
struct table *table_open(
    const char *const *titles, const bool *right, size_t columns);
/* Texts are copied. False: no memory, or stdout failed. */
bool table_row(struct table *table, const struct vmail_str *texts);
/* Prints what is left, and frees; false as above. */
bool table_close(struct table *table);

#endif
