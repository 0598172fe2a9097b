/*
 * Changing /etc/vmail/views: lines added and taken out under the writers'
 * lock of its folder, every other byte kept, the file replaced whole with its
 * owner, mode and ACL. The maps carry a copy of the views: who commits
 * rebuilds them afterwards.
 */
#ifndef VMAIL_ADMIN_VIEWSFILE_H
#define VMAIL_ADMIN_VIEWSFILE_H

#include <sys/types.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

struct vmail_viewsfile;

/*
 * Locks (wait seconds at most, then VMAIL_BUSY) and reads it; a missing file
 * is an empty one. VMAIL_UNSAFE: not a regular file, its owner or mode, its
 * folder, another hard link; VMAIL_UNSUPPORTED: it is itself a mount point or
 * was replaced behind one, or too large; VMAIL_DENIED, VMAIL_NO_MEMORY,
 * VMAIL_IO. On VMAIL_OK the caller closes *file.
 */
enum vmail_rc vmail_viewsfile_open(const struct vmail_conf *conf, unsigned wait,
    struct vmail_viewsfile **file, struct vmail_err *err);

/* As it would be written now; valid until the next change. */
struct vmail_str vmail_viewsfile_text(const struct vmail_viewsfile *file);
const char *vmail_viewsfile_path(const struct vmail_viewsfile *file);

/* Appends a line (without its line feed). VMAIL_UNSUPPORTED: too large. */
enum vmail_rc vmail_viewsfile_add(
    struct vmail_viewsfile *file, struct vmail_str line, struct vmail_err *err);

/* Takes out every line whose first two words these are, the malformed ones
 * too; how many there were. */
size_t vmail_viewsfile_remove(struct vmail_viewsfile *file,
    struct vmail_str view, struct vmail_str identity);

/* All or nothing, and on the disk. *holder (may be NULL): a process that has
 * the file mounted alone and keeps the old one, or 0. */
enum vmail_rc vmail_viewsfile_commit(
    struct vmail_viewsfile *file, pid_t *holder, struct vmail_err *err);

/* Unlocks and frees; safe twice. */
void vmail_viewsfile_close(struct vmail_viewsfile **file);

#define VMAIL_VIEWSFILE                                                        \
	struct vmail_viewsfile __attribute__((cleanup(vmail_viewsfile_close)))

#endif
