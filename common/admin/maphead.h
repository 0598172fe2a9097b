/*
 * What the first record of a map says of settings, views and lines, laid out,
 * and whose a map is (formats.md, "Public map").
 */
#ifndef VMAIL_ADMIN_MAPHEAD_H
#define VMAIL_ADMIN_MAPHEAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/map.h"

/*
 * What NSS reads first, passwd.cdb beside vmail.conf: its path, and whether it
 * is a header of its own - not where the passwd-file `passwd` lies in that very
 * folder, by whatever path it is called. VMAIL_TOO_SMALL.
 */
enum vmail_rc vmail_maphead_first(
    const struct vmail_conf *conf, char *path, size_t size, bool *apart);

/* What is read once for a map that is made. Zeroed at first. */
struct vmail_maphead {
	const struct vmail_conf *conf; /* the caller's */
	char *room;
	struct vmail_str views; /* the text of the views file, in room */
	struct vmail_map_account account; /* the owner's, file.size 0: none */
	uint64_t owner_uid; /* the owner's number where ids are the host's;
			     * 0: none */
};

/* VMAIL_UNSAFE, VMAIL_UNSUPPORTED, VMAIL_IO, VMAIL_NO_MEMORY: of views. */
enum vmail_rc vmail_maphead_open(struct vmail_maphead *head,
    const struct vmail_conf *conf, struct vmail_err *err);
void vmail_maphead_close(struct vmail_maphead *head); /* safe twice */

#define VMAIL_MAPHEAD                                                          \
	struct vmail_maphead __attribute__((cleanup(vmail_maphead_close)))

/* What a map knows of the lines it was made of. */
struct vmail_maphead_lines {
	struct vmail_str cost;	     /* what most users' hashes cost */
	uint64_t malformed, patched; /* as struct vmail_map has them */
};

/* What stands behind the stamp. VMAIL_INVALID: too long for the header. */
enum { VMAIL_MAPHEAD_LEN = VMAIL_MAP_HEADER_LEN - VMAIL_MAP_STAMP_LEN };
enum vmail_rc vmail_maphead_put(const struct vmail_maphead *head,
    const struct vmail_maphead_lines *lines, char out[VMAIL_MAPHEAD_LEN],
    struct vmail_err *err);

/* Makes the open, new file a map's: 0644, root's, of the owner's group as the
 * host numbers it (ids.md, step 4). False with errno. */
bool vmail_maphead_chown(const struct vmail_maphead *head, int fd);

/* Nobody's but a mailbox's own number: what `:uid:` answers for. */
bool vmail_maphead_own_uid(
    const struct vmail_maphead *head, struct vmail_str field, uint32_t *uid);

/* Does the map's header say what vmail.conf and views say now, and its group
 * (on the host) whose it is? For who has read them, and for who has not. */
bool vmail_maphead_fits(
    const struct vmail_maphead *head, const struct vmail_map *map);
bool vmail_maphead_current(
    const struct vmail_conf *conf, const struct vmail_map *map);

#endif
