/*
 * Values as JSON, through jansson. A text that is not UTF-8 is shown with its
 * odd bytes escaped: JSON cannot hold it.
 */
#ifndef VMAIL_CLI_JSON_H
#define VMAIL_CLI_JSON_H

#include <stdio.h>

#include "cli/report.h"

/* {"key": value, ...}, no line feed. False: no memory, or out failed. */
bool json_put_object(FILE *out, const struct report_column *columns,
    const struct cell *cells, size_t n);

#endif
