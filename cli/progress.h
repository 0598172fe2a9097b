/*
 * How far a long command is: one line that writes over itself, on a terminal
 * alone.
 */
#ifndef VMAIL_CLI_PROGRESS_H
#define VMAIL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
	bool on, shown;
	const char *unit; /* "lines" to begin with */
	struct timespec start, last;
};

/* Silent where stderr is no terminal, or quiet. */
void progress_start(struct progress *progress, bool quiet);

/* Units so far; done of total (0: unknown), from which the rest is reckoned.
 * Cheap; draws five times a second. */
void progress_step(
    struct progress *progress, uint64_t units, uint64_t done, uint64_t total);

/* A step that cannot be measured. */
void progress_say(struct progress *progress, const char *what);

/* Takes the line away; before anything else is said. Safe twice. */
void progress_end(struct progress *progress);

#endif
