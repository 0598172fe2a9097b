#include "pam/args.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} flags[] = {
	{ "nodelay", offsetof(struct vmail_args, nodelay) },
	{ "debug", offsetof(struct vmail_args, debug) },
	{ "mkhome", offsetof(struct vmail_args, mkhome) },
	{ "use_authtok", offsetof(struct vmail_args, use_authtok) },
	{ "use_first_pass", offsetof(struct vmail_args, use_first_pass) },
	{ "try_first_pass", offsetof(struct vmail_args, try_first_pass) },
};

static bool
take(const char *arg, struct vmail_args *args)
{
	/* A relative path would mean the host program's folder. */
	if (strncmp(arg, "conf=/", 6) == 0) {
		args->conf = arg + 5;
		return true;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(arg, flags[i].name) != 0)
			continue;
		*(bool *)((char *)args + flags[i].offset) = true;
		return true;
	}
	return false;
}

enum vmail_rc
vmail_args_parse(
    int argc, const char **argv, struct vmail_args *args, struct vmail_err *err)
{
	struct vmail_args found = { 0 };

	for (int i = 0; i < argc; i++)
		if (!take(argv[i], &found))
			return vmail_fail(
			    err, VMAIL_INVALID, "module argument", 0, argv[i]);
	*args = found;
	return VMAIL_OK;
}
