/*
 * The id maps of this user namespace, as the kernel tells them
 * (user_namespaces(7)). They speak of the parent namespace, be it the host's
 * or not.
 */
#ifndef VMAIL_CORE_NSMAP_H
#define VMAIL_CORE_NSMAP_H

#include <stdbool.h>
#include <stdint.h>

#define VMAIL_NSMAP_UID "/proc/self/uid_map"
#define VMAIL_NSMAP_GID "/proc/self/gid_map"

enum vmail_nsmap_way { VMAIL_INWARD, VMAIL_OUTWARD };

struct vmail_nsmap {
	bool own;   /* "0 0 4294967295": as in the initial namespace */
	bool found; /* the number asked for is in a range */
	uint32_t result;
};

/* What the map says of that number outside (inward), or inside (outward).
 * False: there is no such file here (no /proc). */
bool vmail_nsmap_read(const char *path, uint32_t id, enum vmail_nsmap_way way,
    struct vmail_nsmap *out);

#endif
