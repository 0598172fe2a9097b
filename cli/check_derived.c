/* check: does the map answer for this file, and is nothing left over? */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/check.h"
#include "cli/derived.h"
#include "common/admin/maphead.h"
#include "common/core/map.h"

#define REBUILD "vmailadm map"

static void
say(struct check *c, enum severity severity, const char *code, const char *file,
    const char *message)
{
	check_say_derived(c, &(struct finding){ severity, code, file, 0,
				 { NULL, 0 }, message, REBUILD });
}

/* The owner's group here, or as the host numbers it. */
static void
judge_group(struct check *c, const struct vmail_map *map, const char *path)
{
	struct vmail_str group = vmail_conf_owner_group(c->conf);
	struct vmail_str user = vmail_conf_owner_user(c->conf);
	struct vmail_ids host;
	gid_t gid;

	if (vmail_account_group(group, &gid) != VMAIL_OK || gid == map->gid)
		return;
	if (world_host_ids(c->world, user, &host) == VMAIL_OK &&
	    host.gid == map->gid)
		return;
	say(c, SEVERITY_WARN, "map-group", path,
	    "its group is not the owner's, by which other systems tell "
	    "numbers");
}

static void
judge(
    struct check *c, const struct vmail_map *map, const char *path, bool header)
{
	struct stat st;

	if (!header && stat(c->conf->passwd_file, &st) == 0 &&
	    !vmail_map_fresh(map, &st))
		say(c, SEVERITY_ERROR, "map-stale", path,
		    "the passwd-file was changed since: NSS answers what it "
		    "was");
	if (!vmail_maphead_current(c->conf, map))
		say(c, SEVERITY_ERROR, "map-settings", path,
		    "vmail.conf or views say something else by now");
	judge_group(c, map, path);
}

static void
check_map(struct check *c, const char *path, bool header)
{
	struct vmail_map map;
	struct vmail_err err;

	switch (vmail_map_open(path, &map, &err)) {
	case VMAIL_OK:
		judge(c, &map, path, header);
		vmail_map_close(&map);
		return;
	case VMAIL_NOT_FOUND:
		say(c, SEVERITY_ERROR, "map-missing", path,
		    "without it NSS knows nobody");
		return;
	case VMAIL_MALFORMED:
		say(c, SEVERITY_ERROR, "map-damaged", path,
		    "damaged, or of another version");
		return;
	case VMAIL_EXISTS:
	case VMAIL_MISMATCH:
	case VMAIL_DENIED:
	case VMAIL_INVALID:
	case VMAIL_UNSAFE:
	case VMAIL_UNSUPPORTED:
	case VMAIL_BUSY:
	case VMAIL_TOO_SMALL:
	case VMAIL_NO_MEMORY:
	case VMAIL_IO:
		say(c, SEVERITY_ERROR, "map-unusable", path, err.what);
		return;
	}
}

void
check_header(struct check *c)
{
	char path[DERIVED_PATH_MAX];
	bool apart;

	if (vmail_maphead_first(c->conf, path, sizeof(path), &apart) ==
		VMAIL_OK &&
	    apart)
		check_map(c, path, true);
}

void
check_derived(struct check *c)
{
	char path[DERIVED_PATH_MAX];
	struct stat st;

	derived_with(c->conf, ".cdb", path);
	check_map(c, path, false);
	for (size_t i = 0; derived_temporary(c->conf, i, path); i++) {
		if (lstat(path, &st) == 0)
			say(c, SEVERITY_WARN, "leftover", path,
			    "a change was stopped half way, or is going on");
	}
}
