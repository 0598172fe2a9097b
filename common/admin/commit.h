/*
 * The inside of a store, shared by what opens it (store.c) and what commits
 * (commit.c).
 */
#ifndef VMAIL_ADMIN_COMMIT_H
#define VMAIL_ADMIN_COMMIT_H

#include <limits.h>
#include <sys/stat.h>

#include "common/admin/edits.h"
#include "common/admin/mounts.h"
#include "common/admin/store.h"
#include "common/core/map.h"

/*
 * A new file that was begun before the commit, since very many lines are added
 * (bulk). Only who asks for that knows its functions: no login is linked with
 * a thread.
 */
struct vmail_store_ahead {
	bool begun;
	int fd; /* the new file's, once begun; -1: not so, or taken over by the
		 * commit (it is still written to until edits are composed) */
	/* Completes the map of all there is, for a file of this stat, and gives
	 * it open. Asked only where mailboxes are in it. */
	enum vmail_rc (*map)(struct vmail_store_ahead *ahead,
	    const struct stat *st, int *fd, struct vmail_err *err);
	/* Ends it and frees; a new file that nobody took is gone. */
	void (*close)(struct vmail_store_ahead *ahead);
};

struct vmail_store {
	struct vmail_conf conf;
	const char *base; /* the passwd-file's name in its folder */
	int folder, lock, fd;
	struct stat st; /* of fd, when it was opened or committed */
	struct vmail_mounts_verdict mounts; /* how it may be changed */
	struct vmail_edits edits;
	struct vmail_store_ahead *ahead; /* NULL: nothing is written yet */
	struct vmail_map map; /* for hints; asked at the first find */
	bool map_asked, map_usable;
	char window[VMAIL_PUBLIC_WINDOW];
	char line[VMAIL_LINE_MAX];
};

/* What is said of a passwd-file of 0 bytes. */
#define VMAIL_STORE_EMPTY                                                      \
	"empty: restore the backup beside it (its name with a '-' behind it)"

/* The two halves of vmail_store_open: the folder and its lock, the file may be
 * missing yet; then the file, judged, and what a killed writer left swept. */
enum vmail_rc vmail_store_lock(const struct vmail_conf *conf, unsigned wait,
    struct vmail_store **store, struct vmail_err *err);
enum vmail_rc vmail_store_take(
    struct vmail_store *store, unsigned wait, struct vmail_err *err);

/* A file in the passwd-file's folder: its name and `suffix`. */
struct vmail_store_name {
	char text[NAME_MAX + 1];
};
struct vmail_store_name vmail_store_beside(
    const struct vmail_store *store, const char *suffix);

/* Removes every temporary file a commit may leave. */
void vmail_store_sweep(const struct vmail_store *store);

/* The time a new content must bear: now, or a second past the old one's,
 * whichever is later. */
struct timespec vmail_store_next_time(const struct stat *old);

/* An OFD write lock on byte 0. False with errno: EAGAIN where it is taken. */
bool vmail_store_lock_fd(int fd);

/* Is the file written over in place, where rename cannot work? */
bool vmail_store_in_place(const struct vmail_store *store);
/* The old file, for edits. */
enum vmail_rc vmail_store_base(const struct vmail_store *store,
    struct vmail_edits_base *base, struct vmail_err *err);
/* Makes the new file under its temporary name, with the old one's owner, mode
 * and attributes (in place: the journal). *fd may be open on failure too. */
enum vmail_rc vmail_store_new_file(
    const struct vmail_store *store, int *fd, struct vmail_err *err);
/* Takes away what a commit that failed had made of the new file and its map. */
void vmail_store_undo(const struct vmail_store *store);

/* Ends what was begun ahead, if there is such a thing. */
void vmail_store_end_ahead(struct vmail_store *store);

/* Forgets what was read of the passwd-file: it is another now. */
void vmail_store_forget(struct vmail_store *store);

/* The map anew, from the lines. */
enum vmail_rc vmail_store_put_map(
    struct vmail_store *store, struct vmail_err *err);

#endif
