/* Lines of comma-separated values as RFC 4180 has them, but for the line
 * feed: '\n' alone. */
#ifndef VMAIL_CLI_CSV_H
#define VMAIL_CLI_CSV_H

#include <stdio.h>

#include "common/core/text.h"

/* A value; first: no comma in front. */
void csv_put(FILE *out, struct vmail_str value, bool first);

#endif
