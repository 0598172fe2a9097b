/*
 * Configuration of other programs that fits this one's settings. The text is
 * what was run against each of them.
 */
#ifndef VMAIL_CLI_SNIPPETS_H
#define VMAIL_CLI_SNIPPETS_H

#include <stdbool.h>

#include "common/core/conf.h"

/* modules: Dovecot asks PAM and NSS instead of reading the file. All print to
 * stdout and return a status. */
int snippets_dovecot(
    const struct vmail_conf *conf, enum vmail_dialect dialect, bool modules);
int snippets_pam(const struct vmail_conf *conf);
int snippets_nss(void);

#endif
