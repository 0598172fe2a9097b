/*
 * A module argument of pam_vmail: one row in args.c, one line in
 * pam_vmail(8).
 */
#ifndef VMAIL_PAM_ARGS_H
#define VMAIL_PAM_ARGS_H

#include <stdbool.h>

#include "common/core/err.h"

struct vmail_args {
	const char *conf; /* the service file's; NULL: the default path */
	bool nodelay;
	bool debug;
	bool mkhome;
	bool use_authtok;
	/* libpam reads these two itself, in pam_get_authtok. */
	bool use_first_pass;
	bool try_first_pass;
};

/* VMAIL_INVALID with the first argument that is none of ours in err->what. */
enum vmail_rc vmail_args_parse(int argc, const char **argv,
    struct vmail_args *args, struct vmail_err *err);

#endif
