/*
 * What is shown of a user, by list and show: everything but the hash, ids and
 * home as they are on this system.
 */
#ifndef VMAIL_CLI_USERVIEW_H
#define VMAIL_CLI_USERVIEW_H

#include "cli/report.h"
#include "cli/world.h"

enum userview_column {
	USERVIEW_USER,
	USERVIEW_DOMAIN,
	USERVIEW_UID,
	USERVIEW_GID,
	USERVIEW_GECOS,
	USERVIEW_HOME,
	USERVIEW_SHELL,
	USERVIEW_SCHEME,
	USERVIEW_LOCKED,
	USERVIEW_EXTRA,
	USERVIEW_COLUMNS,
};

extern const struct report_column userview_columns[USERVIEW_COLUMNS];

/* Zeroed but for conf and world to begin with. */
struct userview {
	const struct vmail_conf *conf;
	const struct world *world;
	/* Ids last resolved: most lines have the same. */
	char uid[64], gid[64];
	bool known, resolved;
	struct vmail_ids ids;
	/* What the cells of the last record point into. */
	char home[VMAIL_LINE_MAX];
	char extra[VMAIL_LINE_MAX];
};

/* The numbers here of a record; false: none. */
bool userview_ids(struct userview *view, const struct vmail_entry *entry,
    struct vmail_ids *ids);

/* The cells of a record, good until the next call. */
void userview_cells(struct userview *view, const struct vmail_entry *entry,
    struct cell cells[USERVIEW_COLUMNS]);

/* The scheme of a password field, as it is called; empty: none. */
struct vmail_str userview_scheme(struct vmail_str password);

#endif
