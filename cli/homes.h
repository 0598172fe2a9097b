/*
 * The mail homes that userdel -r is about to remove, and whether somebody
 * else's mail lies in one of them.
 */
#ifndef VMAIL_CLI_HOMES_H
#define VMAIL_CLI_HOMES_H

#include "common/core/conf.h"
#include "common/core/entry.h"
#include "common/core/ids.h"

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
