/*
 * Which names were met before, for the duplicates of a million lines: a table
 * of keyed 128-bit hashes, so that nobody can make two names look equal.
 */
#ifndef VMAIL_CLI_NAMES_H
#define VMAIL_CLI_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/text.h"

struct names_slot {
	uint64_t hash[2];
	unsigned long line; /* 0: free */
};

struct names {
	struct names_slot *slot;
	size_t size, n; /* size: a power of two */
	unsigned char key[16];
};

/* False: no memory. Zeroed and freed by names_free, which is safe twice. */
bool names_open(struct names *names);
void names_free(struct names *names);

/* The line where that name stood first; 0 where it is new, and kept. -1: no
 * memory. */
long names_meet(struct names *names, struct vmail_str name, unsigned long line);

#endif
