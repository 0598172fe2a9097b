#include "cli/derived.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/admin/derive.h"
#include "common/admin/maphead.h"
#include "common/core/map.h"

static const char *const suffixes[] = { ".tmp", "-.tmp", ".cdb.tmp",
	".journal" };
static const char *const names[] = { "apppw.tmp", "deny.tmp" };

enum {
	SUFFIXES = sizeof(suffixes) / sizeof(suffixes[0]),
	NAMES = sizeof(names) / sizeof(names[0]),
};

void
derived_with(const struct vmail_conf *conf, const char *suffix,
    char path[DERIVED_PATH_MAX])
{
	snprintf(path, DERIVED_PATH_MAX, "%s%s", conf->passwd_file, suffix);
}

void
derived_beside(const struct vmail_conf *conf, const char *name,
    char path[DERIVED_PATH_MAX])
{
	const char *slash = strrchr(conf->passwd_file, '/');
	int folder = slash ? (int)(slash - conf->passwd_file) : 0;

	snprintf(
	    path, DERIVED_PATH_MAX, "%.*s/%s", folder, conf->passwd_file, name);
}

bool
derived_temporary(
    const struct vmail_conf *conf, size_t i, char path[DERIVED_PATH_MAX])
{
	if (i < SUFFIXES)
		derived_with(conf, suffixes[i], path);
	else if (i < SUFFIXES + NAMES)
		derived_beside(conf, names[i - SUFFIXES], path);
	else
		return false;
	return true;
}

static bool
map_current(const struct vmail_conf *conf, const char *path)
{
	struct vmail_map map;
	struct stat st;
	bool current;

	if (vmail_map_open(path, &map, NULL) != VMAIL_OK)
		return false;
	current = stat(conf->passwd_file, &st) == 0 &&
		  vmail_map_fresh(&map, &st) &&
		  vmail_maphead_current(conf, &map);
	vmail_map_close(&map);
	return current;
}

/* Where the passwd-file lies elsewhere, NSS first reads a map that is nothing
 * but settings, beside vmail.conf. */
bool
derived_header_current(const struct vmail_conf *conf)
{
	char path[DERIVED_PATH_MAX];
	struct vmail_map map;
	bool current, apart;

	if (vmail_maphead_first(conf, path, sizeof(path), &apart) != VMAIL_OK)
		return false;
	if (!apart)
		return true;
	if (vmail_map_open(path, &map, NULL) != VMAIL_OK)
		return false;
	current = vmail_maphead_current(conf, &map);
	vmail_map_close(&map);
	return current;
}

static bool
there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool
derived_current(const struct vmail_conf *conf)
{
	char path[DERIVED_PATH_MAX];
	const char *name;

	for (size_t i = 0; derived_temporary(conf, i, path); i++) {
		if (there(path))
			return false;
	}
	for (size_t i = 0; (name = vmail_derive_name(i)) != NULL; i++) {
		derived_beside(conf, name, path);
		if (!there(path))
			return false;
	}
	derived_with(conf, ".cdb", path);
	return map_current(conf, path) &&
	       (conf->entered || derived_header_current(conf));
}
