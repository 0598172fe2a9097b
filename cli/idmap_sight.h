/* Where a process's system sees our files, and as whose. */
#ifndef VMAIL_CLI_IDMAP_SIGHT_H
#define VMAIL_CLI_IDMAP_SIGHT_H

#include <limits.h>

#include "common/admin/idmaps.h"
#include "common/core/conf.h"

struct idmap_sight {
	bool seen;
	char path[PATH_MAX]; /* of the folder, as that system calls it */
	bool idmapped, read_only;
	bool file; /* the passwd-file is there too: whose it is and its mode */
	uint32_t uid, gid; /* as that system shows them */
	unsigned mode;
};

/* Looks by the path it has here, then through all that is mounted there. False:
 * its mounts cannot be read; it has been said. */
bool idmap_sight(const struct vmail_conf *conf,
    const struct vmail_idmaps_process *process, struct idmap_sight *sight);

#endif
