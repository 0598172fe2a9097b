/*
 * What the parts of `vmailadm idmap` share: its options, and the facts every
 * one of them tells. Each returns a status and has said why.
 */
#ifndef VMAIL_CLI_IDMAP_H
#define VMAIL_CLI_IDMAP_H

#include "cli/cmd.h"
#include "cli/world.h"
#include "common/admin/idmaps.h"
#include "common/core/ids.h"
#include "common/core/views.h"

struct idmap_options {
	const char *identity, *ids, *map, *from_pid, *form;
	bool mounted;
};

/* run->operand[1] is what follows the name of the part. */
int idmap_list(struct run *run);
int idmap_add(struct run *run);
int idmap_del(struct run *run);
int idmap_show(struct run *run);
int idmap_of(struct run *run);
int idmap_emit(struct run *run);

/* --identity, or the identity that owns mail. */
struct vmail_str idmap_identity(const struct run *run);

/* Those that the host gives the identity: its line, or its account here.
 * False: none. */
bool idmap_host(const struct world *world, struct vmail_str identity,
    struct vmail_ids *host);

enum { IDMAP_NAME = 128, IDMAP_PAIR = 2 * IDMAP_NAME + 2 };

/* What `ls -l` shows here for that number: a name, or the number itself
 * (false). */
bool idmap_user(uid_t uid, char out[IDMAP_NAME]);
bool idmap_group(gid_t gid, char out[IDMAP_NAME]);

/*
 * Does the number that a view writes to the disk belong to somebody else here,
 * a person as a rule? person: his name.
 */
bool idmap_collides(const struct world *world, const struct vmail_view *view,
    char person[IDMAP_NAME]);

/* Warns of it, with what to do (ids.md). */
void idmap_warn(const struct world *world, const struct vmail_view *view);

/* PID as typed; refuses what is no process, or cannot be answered here. */
int idmap_process(const struct world *world, const char *typed,
    struct vmail_idmaps_process *process);

/* What a process's own /etc/passwd says of the identity: STATUS_OK and *ids;
 * STATUS_NO_USER: nothing, and why is left to the caller to say; else said. */
int idmap_account_in(const struct vmail_idmaps_process *process,
    struct vmail_str identity, struct vmail_ids *ids);

/* The name a process's system has: false if it cannot be known. */
bool idmap_hostname_in(
    const struct vmail_idmaps_process *process, char out[IDMAP_NAME]);

#endif
