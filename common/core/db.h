/*
 * How a user is looked up: by the map where it is fresh, else by a scan
 * (formats.md, "Stamp"; size.md, DRIFT and DUPS).
 */
#ifndef VMAIL_CORE_DB_H
#define VMAIL_CORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/err.h"
#include "common/core/map.h"

/* A line found, its strings in the caller's buffer. */
struct vmail_record {
	struct vmail_entry entry;
	uint64_t offset;
	bool by_map; /* false: the file was scanned */
};

/*
 * The first well-formed record of that exact name, for who may read the
 * passwd-file. line[VMAIL_LINE_MAX] holds the strings of *out. *map must be
 * closed by the caller on every return but is open (map->cdb.fd >= 0) only if
 * there is a usable one; it brings cost= for the dummy hash.
 * VMAIL_OK, VMAIL_NOT_FOUND; VMAIL_UNSAFE, VMAIL_DENIED, VMAIL_BUSY (torn),
 * VMAIL_IO (missing, empty): "unavailable", never "unknown user".
 */
enum vmail_rc vmail_db_lookup(const struct vmail_conf *conf,
    struct vmail_str name, char line[VMAIL_LINE_MAX], struct vmail_record *out,
    struct vmail_map *map, struct vmail_err *err);

/*
 * The public fields, for anybody: the map, or, where it is stale and the
 * passwd-file may be read, a scan through window. VMAIL_OK, VMAIL_NOT_FOUND,
 * others as above. map is open already; fields never hold a hash.
 */
enum vmail_rc vmail_db_public(const struct vmail_map *map,
    struct vmail_str name, char window[VMAIL_PUBLIC_WINDOW],
    struct vmail_public *out);

/* The same of the one mailbox that has that number on the host by the map; a
 * stale one may lead to a mailbox that has another by now. */
enum vmail_rc vmail_db_public_of(const struct vmail_map *map, uint32_t uid,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out);

/*
 * Finds the line of `name` in an open passwd-file: hint (VMAIL_NO_HINT: none)
 * -> drift window -> scan. The first well-formed one; a malformed one is
 * passed over. Shared with the store.
 */
#define VMAIL_NO_HINT UINT64_MAX
enum vmail_rc vmail_db_locate(int fd, uint64_t size, struct vmail_str name,
    uint64_t hint, uint32_t drift, char line[VMAIL_LINE_MAX],
    struct vmail_record *out);

#endif
