/*
 * Lines that are about to be added, in memory: each name once, found by its
 * name, handed over in order. Everything is wiped.
 */
#ifndef VMAIL_CLI_BATCH_H
#define VMAIL_CLI_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/admin/nameset.h"
#include "common/core/text.h"

struct batch_line {
	const char *p; /* without a line feed */
	uint32_t n;
	uint32_t number; /* where it was read */
};

struct batch_block;

struct batch {
	struct batch_block *first, *last;
	struct batch_line *line;
	size_t lines, room;
	struct vmail_nameset names;
};

/* False: no memory. */
bool batch_open(struct batch *batch);
/* Wipes; safe twice. */
void batch_close(struct batch *batch);

/* Keeps a copy of a line whose first field is its name. 0; the number of the
 * line that had the name first, and nothing is kept; -1: no memory. */
long batch_add(
    struct batch *batch, struct vmail_str text, unsigned long number);

/* The line of that name, or NULL. */
const struct batch_line *batch_find(
    const struct batch *batch, struct vmail_str name);

/* Each line in order, until the callback says false (and so does this). spend:
 * what was handed over is wiped and given back on the way. */
bool batch_each(struct batch *batch, bool spend,
    bool (*each)(const struct batch_line *line, void *arg), void *arg);

#endif
