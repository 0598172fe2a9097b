/*
 * Lines of a file, a pipe or a terminal, one at a time, in one buffer that is
 * wiped: they may hold hashes.
 */
#ifndef VMAIL_CLI_FEED_H
#define VMAIL_CLI_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed {
	int fd;
	const char *name; /* for messages */
	char *buf;
	size_t at, have; /* what is left of the buffer */
	bool eof;
	unsigned long number;  /* of the line last given, from 1 */
	uint64_t bytes, total; /* read so far; of all, 0 where nobody knows */
};

/* path: NULL or "-" is standard input. A status; what went wrong has been
 * said. */
int feed_open(struct feed *feed, const char *path);
/* Safe twice. */
void feed_close(struct feed *feed);

#define FEED struct feed __attribute__((cleanup(feed_close)))

enum feed_got {
	FEED_LINE,
	FEED_LONG, /* a line that no buffer takes; it was passed over */
	FEED_END,
	FEED_FAILED, /* errno */
};

/* The next line without its line feed, in the buffer until the next call. It
 * may be written to. */
enum feed_got feed_next(struct feed *feed, char **line, size_t *n);

/* The first byte of all that is no white space (nor a byte order mark), 0 if
 * there is none; nothing
 * is taken. */
char feed_peek(struct feed *feed);

#endif
