/* The domains that have a passwd-file of their own (`%d` in passwd_file). */
#ifndef VMAIL_ADMIN_DOMAINS_H
#define VMAIL_ADMIN_DOMAINS_H

#include <stdbool.h>

#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

/*
 * Calls each with the settings of every domain that has a folder, in the order
 * of their names; once with conf itself and an empty domain where there is one
 * file for all. false stops. The folder they lie in must be trusted:
 * VMAIL_UNSAFE, VMAIL_DENIED; VMAIL_IO: missing.
 */
enum vmail_rc vmail_domains_each(const struct vmail_conf *conf,
    bool (*each)(
	const struct vmail_conf *entered, struct vmail_str domain, void *arg),
    void *arg, struct vmail_err *err);

#endif
