/*
 * How the passwd-file is changed: lock, edits of single lines, one commit
 * that is all or nothing (writes.md, "Commit, normal case"). The file is
 * never loaded whole.
 */
#ifndef VMAIL_ADMIN_STORE_H
#define VMAIL_ADMIN_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/err.h"
#include "common/core/text.h"

struct vmail_store;

/* A line as it stands in the file. Strings live until the next find in the
 * same store, or its close. */
struct vmail_line {
	uint64_t offset;
	struct vmail_str text; /* without its line feed; a CR is part of it */
	struct vmail_entry entry;
	bool malformed; /* found for mending: entry is cut, not sound */
};

/*
 * Takes the writers' lock (wait seconds at most, then VMAIL_BUSY), opens the
 * file and asks whether it may be trusted and replaced. VMAIL_UNSAFE:
 * symlink, hard link, not a file, owner or mode, its folder; VMAIL_DENIED;
 * VMAIL_UNSUPPORTED: it was replaced behind a mount; VMAIL_IO: missing, empty,
 * read-only. On VMAIL_OK the caller closes *store. Temporary files that a
 * killed writer left are swept, and a commit in place is finished.
 */
enum vmail_rc vmail_store_open(const struct vmail_conf *conf, unsigned wait,
    struct vmail_store **store, struct vmail_err *err);

/* The record of exactly this name: the first well-formed one, else the first
 * malformed one that can be cut. VMAIL_NOT_FOUND. */
enum vmail_rc vmail_store_find(struct vmail_store *store, struct vmail_str name,
    struct vmail_line *line, struct vmail_err *err);

/* Edits, kept until commit; texts are copied. `replace` puts `text` in place
 * of the whole line, touching no byte that both have in common at its two
 * ends; `remove` takes the line and its line feed; `add` appends. Two edits of
 * one line: VMAIL_EXISTS (so is adding a name that an earlier add has). */
enum vmail_rc vmail_store_replace(struct vmail_store *store,
    const struct vmail_line *line, struct vmail_str text,
    struct vmail_err *err);
enum vmail_rc vmail_store_remove(struct vmail_store *store,
    const struct vmail_line *line, struct vmail_err *err);
enum vmail_rc vmail_store_add(
    struct vmail_store *store, struct vmail_str text, struct vmail_err *err);

/* A line of this name is likely to be added next: a hint, for speed alone. */
void vmail_store_expect(struct vmail_store *store, struct vmail_str name);

/* Is a line of exactly this name among the added? Then *index says which add
 * it was, from 0. */
bool vmail_store_added(
    const struct vmail_store *store, struct vmail_str name, size_t *index);

/* The content of the file open at fd (the caller's, to be kept open until the
 * commit) in place of all lines: no other edit may stand beside it
 * (VMAIL_EXISTS). */
enum vmail_rc vmail_store_replace_all(
    struct vmail_store *store, int fd, struct vmail_err *err);

/* What a commit did besides. */
struct vmail_commit {
	bool changed;	  /* false: there was nothing to do */
	int64_t mtime;	  /* seconds, of the new file */
	bool map_rebuilt; /* else restamped or patched */
	/* Replaced, or why it was written over in place, which is not atomic:
	 * a process that has it mounted singly, 0 where it is itself one. */
	bool in_place;
	pid_t holder;
	struct vmail_err warning;  /* rc != VMAIL_OK: the change is done, but
				    * the map is stale, and why */
	struct vmail_err unsynced; /* rc != VMAIL_OK: the change is done and
				    * seen, but a power cut may undo it */
};

/*
 * All edits, or none: on failure the file is untouched and no temporary file
 * is left. force: let a bulk result of fewer than half the users pass (it is
 * VMAIL_INVALID without). The lock stays until close.
 */
enum vmail_rc vmail_store_commit(struct vmail_store *store, bool force,
    struct vmail_commit *done, struct vmail_err *err);

/* Rebuilds all derived files under the lock, for `vmailadm map`. */
enum vmail_rc vmail_store_rebuild(
    struct vmail_store *store, struct vmail_err *err);

/* The header that NSS reads first, where the passwd-file lies elsewhere than
 * vmail.conf, or there is one per domain. */
enum vmail_rc vmail_store_header(
    const struct vmail_conf *conf, struct vmail_err *err);

/* Unlocks and frees; safe twice; *store becomes NULL. */
void vmail_store_close(struct vmail_store **store);

#define VMAIL_STORE                                                            \
	struct vmail_store __attribute__((cleanup(vmail_store_close)))

/*
 * Makes what formats.md lists for `init`, where it is missing: settings, lock,
 * map, apppw, deny, and last the file of one comment line. Where there is one
 * file per domain: the settings and the folder they lie in; the rest for conf
 * as vmail_conf_enter makes it. made (may be NULL) is told each
 * path that was made. Idempotent; refuses an empty passwd-file that has a
 * backup beside it.
 */
enum vmail_rc vmail_store_init(const struct vmail_conf *conf, unsigned wait,
    bool dry_run, void (*made)(const char *path, void *arg), void *arg,
    struct vmail_err *err);

/*
 * Walks every line of the passwd-file, or of all of them, domain by domain in
 * the order of their names (a reader: no lock): number from 1, its
 * offset, the text without its line feed (cut to VMAIL_LINE_MAX, `whole` says
 * its full length), whether a line feed followed. A callback that returns
 * false stops the walk. VMAIL_BUSY if the file was changed in place meanwhile.
 */
struct vmail_walk_line {
	const char *path; /* of the file, for messages */
	unsigned long number;
	uint64_t offset;
	struct vmail_str text;
	uint64_t whole;
	bool ended;
};
enum vmail_rc vmail_store_walk(const struct vmail_conf *conf,
    bool (*each)(const struct vmail_walk_line *line, void *arg), void *arg,
    struct vmail_err *err);
/* The same over a file that is open already; path is for messages. */
enum vmail_rc vmail_store_walk_fd(int fd, const char *path,
    bool (*each)(const struct vmail_walk_line *line, void *arg), void *arg,
    struct vmail_err *err);

#endif
