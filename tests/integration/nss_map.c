/*
 * Commits as a writer does, without a lock: builds the public map of a
 * passwd-file and renames it into place.
 *   nss_map          the map of the file that vmail.conf names; a header in
 *                    /etc/vmail too where that lies elsewhere
 *   nss_map NEW      the same, NEW becoming that file first (one rename each)
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/mapmake.h"

static void
must(enum vmail_rc rc, const struct vmail_err *e)
{
	char text[VMAIL_ERR_TEXT];

	if (rc == VMAIL_OK)
		return;
	vmail_err_text(e, text, sizeof(text));
	errx(1, "%s", text);
}

static void
into_place(const char *from, const char *to)
{
	if (rename(from, to) != 0)
		err(1, "%s", to);
}

int
main(int argc, char **argv)
{
	char made[VMAIL_CONF_PATH_MAX + 16], map[VMAIL_CONF_PATH_MAX + 16];
	struct vmail_conf conf;
	struct vmail_err e;
	const char *from;
	int fd;

	must(vmail_conf_load(&conf, NULL, &e), &e);
	from = argc > 1 ? argv[1] : conf.passwd_file;
	(void)snprintf(map, sizeof(map), "%s.cdb", conf.passwd_file);
	(void)snprintf(made, sizeof(made), "%s.tmp", map);
	fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", from);
	must(vmail_mapmake_build(&conf, fd, from, made, NULL, &e), &e);
	if (argc > 1)
		into_place(from, conf.passwd_file);
	into_place(made, map);
	if (strcmp(map, VMAIL_MAP_PATH) == 0)
		return 0;
	(void)unlink(VMAIL_MAP_PATH);
	must(vmail_mapmake_header(&conf, VMAIL_MAP_PATH, NULL, &e), &e);
	return 0;
}
