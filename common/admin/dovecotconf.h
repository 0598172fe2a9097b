/*
 * What a running Dovecot's configuration names: read from its master's place
 * and with its rights (inside.h), includes and all, under a time limit.
 */
#ifndef VMAIL_ADMIN_DOVECOTCONF_H
#define VMAIL_ADMIN_DOVECOTCONF_H

#include "common/admin/authprocs.h"
#include "common/core/err.h"

enum vmail_dovecotconf {
	VMAIL_DOVECOTCONF_SILENT, /* read to its end; the path is not in it */
	VMAIL_DOVECOTCONF_NAMES,  /* the path stands in it, in no comment */
	VMAIL_DOVECOTCONF_UNCLEAR /* a part of it could not be read */
};

/*
 * path: absolute, as that Dovecot sees it; one that ends in '/' is named by
 * whatever lies below it. VMAIL_OK and *answer; else the codes of
 * vmail_inside_ask.
 */
enum vmail_rc vmail_dovecotconf_ask(const struct vmail_proc *master,
    const char *path, enum vmail_dovecotconf *answer, struct vmail_err *err);

#endif
