/*
 * What this system is to the users: the views file read, numbers and homes
 * resolved here.
 */
#ifndef VMAIL_CLI_WORLD_H
#define VMAIL_CLI_WORLD_H

#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/err.h"
#include "common/core/ids.h"

struct world {
	struct vmail_world ids;
	char *views; /* the text of the views file; owned */
};

/* The views file may be missing; it must be trusted. conf is borrowed until
 * world_close, which is safe twice. */
enum vmail_rc world_open(
    struct world *world, const struct vmail_conf *conf, struct vmail_err *err);
void world_close(struct world *world);

#define WORLD struct world __attribute__((cleanup(world_close)))

/* The numbers that mean this identity in the passwd-file: the host's. */
enum vmail_rc world_host_ids(const struct world *world,
    struct vmail_str identity, struct vmail_ids *ids);

/* The home of a record: its field, or the configured one. Terminated in
 * home[size]. */
enum vmail_rc world_home(const struct vmail_conf *conf,
    const struct vmail_entry *entry, char *home, size_t size);

#endif
