/*
 * Which answers a reader may still give from a passwd-file that a killed
 * writer left half written in place (writes.md, "Readers").
 */
#ifndef VMAIL_CORE_TORN_H
#define VMAIL_CORE_TORN_H

#include <stdbool.h>
#include <stdint.h>

/* The journal's last line begins so; it has that length, and only a journal
 * that has it counts. */
#define VMAIL_TORN_SEAL "\n# vmail-journal 1 "
enum {
	VMAIL_TORN_LENGTH = 20,
	VMAIL_TORN_SHA = 64, /* in hexadecimal digits */
	VMAIL_TORN_SEAL_LEN = sizeof(VMAIL_TORN_SEAL) - 1 + VMAIL_TORN_LENGTH +
			      1 + VMAIL_TORN_SHA + 1 + VMAIL_TORN_SHA + 1
};

/*
 * Asked after the file's first fstat and before vmail_file_steady: may it be
 * half written? A journal that counts stands beside it, or one that cannot be
 * read. Who is not found in it then is not unknown.
 */
bool vmail_torn_suspect(const char *path);

/* Who is found: does the line at `at` of the file open at fd stand whole at
 * that place in the new content, or in the old one? Else its name may be one
 * user's and its hash another's. */
bool vmail_torn_stands(const char *path, int fd, uint64_t at);

#endif
