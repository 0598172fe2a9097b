/* Names that are about to be written: useradd's, and usermod -l's. */
#ifndef VMAIL_CLI_NEWNAME_H
#define VMAIL_CLI_NEWNAME_H

#include "cli/world.h"
#include "common/admin/store.h"

/* Lower-cases what was typed and holds it against the rule, and against this
 * system's accounts. Says why not. */
int newname_take(const struct world *world, const char *typed,
    char name[VMAIL_NAME_MAX + 1]);

/* Is there no record of that name yet? */
int newname_free(struct vmail_store *store, const char *name);

#endif
