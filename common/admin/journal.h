/*
 * The journal of a commit that cannot rename: the new content, and what makes
 * it safe to write it over the old one, or to finish doing so after a crash
 * (writes.md). The file P.journal is the new content and behind it one line,
 *   LF "# vmail-journal 1 " LENGTH20 " " OLD64 " " NEW64 LF
 * of the content's length and the SHA-256 of the old and of the new content.
 */
#ifndef VMAIL_ADMIN_JOURNAL_H
#define VMAIL_ADMIN_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/core/err.h"

enum { VMAIL_JOURNAL_SHA = 32 };

struct vmail_journal {
	int fd;		  /* the caller's, open for reading */
	const char *path; /* of the passwd-file, for messages */
	uint64_t size;	  /* of the new content */
	unsigned char old[VMAIL_JOURNAL_SHA], new[VMAIL_JOURNAL_SHA];
};

/* Seals the file open at j->fd, which holds j->size bytes of new content for
 * the old one at `file`: the line behind it, synced. Fills in both sums. */
enum vmail_rc vmail_journal_seal(
    struct vmail_journal *j, int file, struct vmail_err *err);

/* Reads a journal found. VMAIL_MALFORMED: not a whole one (a writer was killed
 * before it counted). */
enum vmail_rc vmail_journal_read(
    struct vmail_journal *j, struct vmail_err *err);

/* What a file holds, seen from a journal. */
enum vmail_journal_state {
	VMAIL_JOURNAL_OLD,
	VMAIL_JOURNAL_NEW,
	VMAIL_JOURNAL_TORN,   /* every byte is the old or the new one's,
				 or a NUL of room for the new one */
	VMAIL_JOURNAL_FOREIGN /* another hand wrote since */
};

/* backup: where the old content should be (-1: nowhere; then nothing can be
 * told to be torn). VMAIL_IO. */
enum vmail_rc vmail_journal_judge(const struct vmail_journal *j, int file,
    int backup, enum vmail_journal_state *state, struct vmail_err *err);

/*
 * Writes the first `size` bytes at `from` over the file in place: room made
 * first, byte 1 locked (by which readers know) while one write, the length and
 * the time are made, then a sync. VMAIL_IO: ENOSPC with nothing touched, or
 * anything else with the file torn (*touched).
 */
enum vmail_rc vmail_journal_rewrite(int from, uint64_t size, int file,
    struct timespec mtime, const char *path, bool *touched,
    struct vmail_err *err);

#endif
