/*
 * Mail homes: one is made for who was added; those that userdel -r is about to
 * remove are held against everybody else's.
 */
#ifndef VMAIL_CLI_HOMES_H
#define VMAIL_CLI_HOMES_H

#include "cli/world.h"
#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/ids.h"

/* Makes the home of that record, which is in the file; ids are its numbers
 * here. A status; that it could not be made, and the mend, have been said. */
int homes_make(const struct vmail_conf *conf, const struct world *world,
    const struct vmail_entry *entry, const struct vmail_ids *ids);

struct home {
	char *name, *path; /* path: absolute, no doubled or final slash */
	struct vmail_ids ids;
};

struct homes {
	struct home *list;
	size_t n;
};

/* The home of that record. A status; what is wrong has been said. */
int homes_add(struct homes *homes, const struct vmail_conf *conf,
    const struct vmail_entry *entry, const struct vmail_ids *ids);

/* Refuses when a user who stays has his home in one of them, is one of them,
 * or above one of them. */
int homes_judge(const struct homes *homes, const struct vmail_conf *conf);

/* "//a/./b/" -> "/a/b"; of an absolute path. */
void homes_tidy(char *path);

void homes_free(struct homes *homes);

#endif
