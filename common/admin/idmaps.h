/*
 * The id maps of a running process (user_namespaces(7)). What /proc/PID/
 * uid_map says is relative to who reads it: right for every namespace below
 * the reader's own, however deep, and for no other; so the chain of parents is
 * walked first.
 */
#ifndef VMAIL_ADMIN_IDMAPS_H
#define VMAIL_ADMIN_IDMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/err.h"
#include "common/core/text.h"

struct vmail_idmaps_range {
	uint32_t inside, outside, count;
};

/* As many as the kernel allows. */
enum { VMAIL_IDMAPS_MAX = 340 };
struct vmail_idmaps {
	size_t n;
	struct vmail_idmaps_range range[VMAIL_IDMAPS_MAX];
};

/* The kernel's text, or a view's ranges; in the order of the inside numbers,
 * neighbours joined, so that equal maps look equal. VMAIL_MALFORMED; of the
 * kernel's VMAIL_UNSUPPORTED: a range has no number here. */
enum vmail_rc vmail_idmaps_of_kernel(
    struct vmail_str text, struct vmail_idmaps *map);
enum vmail_rc vmail_idmaps_of_ranges(
    struct vmail_str ranges, struct vmail_idmaps *map);

bool vmail_idmaps_same(
    const struct vmail_idmaps *a, const struct vmail_idmaps *b);
/* False: not mapped. */
bool vmail_idmaps_outside(
    const struct vmail_idmaps *map, uint32_t inside, uint32_t *outside);
bool vmail_idmaps_inside(
    const struct vmail_idmaps *map, uint32_t outside, uint32_t *inside);
/* inside:outside:count[,...] */
void vmail_idmaps_put(const struct vmail_idmaps *map, struct vmail_buf *out);

/* A process, held by its folder in /proc: another one that gets its number
 * later is not mistaken for it. */
struct vmail_idmaps_process {
	pid_t pid;
	int proc;	/* /proc/PID */
	bool ours;	/* it is in this user namespace: ids are as here */
	unsigned depth; /* how many namespaces below this one */
	bool setgroups_denied;
	struct vmail_idmaps uids, gids; /* where ours: every number itself */
};

/*
 * VMAIL_NOT_FOUND: no such process, or it is ending; VMAIL_DENIED; VMAIL_IO;
 * VMAIL_UNSUPPORTED: its namespace is not below ours, or has no maps yet. On
 * VMAIL_OK the caller closes it.
 */
enum vmail_rc vmail_idmaps_open(
    pid_t pid, struct vmail_idmaps_process *process, struct vmail_err *err);
void vmail_idmaps_close(struct vmail_idmaps_process *process); /* safe twice */

#define VMAIL_IDMAPS_PROCESS                                                   \
	struct vmail_idmaps_process __attribute__((cleanup(vmail_idmaps_close)))

/*
 * Opens a regular file of the process's own root folder for reading: path is
 * relative, links in it lead nowhere outside that root, and nothing but a
 * regular file is ever opened. VMAIL_NOT_FOUND; VMAIL_UNSAFE; VMAIL_DENIED;
 * VMAIL_IO.
 */
enum vmail_rc vmail_idmaps_open_file(const struct vmail_idmaps_process *process,
    const char *path, int *fd, struct vmail_err *err);
/* The same for any kind of file as a place (O_PATH), never opened. */
enum vmail_rc vmail_idmaps_open_place(
    const struct vmail_idmaps_process *process, const char *path, int *fd,
    struct vmail_err *err);

#endif
