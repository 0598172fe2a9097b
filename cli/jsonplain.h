/*
 * Flat JSON objects in their plainest form, read fast. It judges nothing: what
 * is not plain goes to the JSON library.
 */
#ifndef VMAIL_CLI_JSONPLAIN_H
#define VMAIL_CLI_JSONPLAIN_H

#include "cli/jsonl.h"

/*
 * True: a sound object of known keys, each once, whose strings are ASCII
 * without an escape and whose numbers are small integers; `values` (zeroed to
 * begin with) point into it. False: it may be sound all the same, and `values`
 * are of no use.
 */
bool jsonplain_read(
    struct vmail_str json, struct jsonl_value values[JSONL_KEYS]);

#endif
