/* Every command there is. */
#ifndef VMAIL_CLI_CMD_ALL_H
#define VMAIL_CLI_CMD_ALL_H

#include "cli/cmd.h"

extern const struct cmd cmd_init, cmd_useradd, cmd_usermod, cmd_userdel,
    cmd_passwd, cmd_lock, cmd_unlock, cmd_list, cmd_show, cmd_auth, cmd_hash,
    cmd_import, cmd_export, cmd_check, cmd_fixperms, cmd_idmap, cmd_map,
    cmd_edit, cmd_with_lock, cmd_config;

#endif
