/*
 * What the tests of pam_vmail.so need of the library itself:
 *   pam_tool map CONF    builds the public map beside the passwd-file
 *   pam_tool hold CONF   takes the writers' lock, prints a line, and keeps it
 *                        until its standard input ends
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/mapmake.h"
#include "common/admin/store.h"

static int
fail(const struct vmail_err *e)
{
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(e, text, sizeof(text));
	errx(1, "%s", text);
}

static int
map(const struct vmail_conf *conf)
{
	char path[VMAIL_CONF_PATH_MAX + 8];
	struct vmail_err e;
	int fd = open(conf->passwd_file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", conf->passwd_file);
	if (vmail_map_path(conf->passwd_file, path, sizeof(path)) != VMAIL_OK)
		errx(1, "path too long");
	(void)unlink(path);
	if (vmail_mapmake_build(conf, fd, conf->passwd_file, path, NULL, &e) !=
	    VMAIL_OK)
		return fail(&e);
	return 0;
}

static int
hold(const struct vmail_conf *conf)
{
	struct vmail_store *store;
	struct vmail_err e;
	char c;

	if (vmail_store_open(conf, 0, &store, &e) != VMAIL_OK)
		return fail(&e);
	puts("held");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	vmail_store_close(&store);
	return 0;
}

int
main(int argc, char **argv)
{
	struct vmail_conf conf;
	struct vmail_err e;

	if (argc != 3)
		errx(2, "map|hold CONF");
	if (vmail_conf_load(&conf, argv[2], &e) != VMAIL_OK)
		return fail(&e);
	return strcmp(argv[1], "map") == 0 ? map(&conf) : hold(&conf);
}
