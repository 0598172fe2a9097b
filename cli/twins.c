#include "cli/twins.h"

#include <sys/stat.h>

#include "common/core/map.h"

struct search {
	struct vmail_str name;
	bool (*each)(const struct vmail_line *line, void *arg);
	void *arg;
	bool first_seen;
};

static bool
ruled_out(const struct vmail_conf *conf)
{
	char path[VMAIL_CONF_PATH_MAX + 16];
	struct vmail_map map;
	struct stat st;
	bool out = false;

	if (vmail_map_path(conf->passwd_file, path, sizeof(path)) != VMAIL_OK ||
	    vmail_map_open(path, &map, NULL) != VMAIL_OK)
		return false;
	if (stat(conf->passwd_file, &st) == 0)
		out = vmail_map_fresh(&map, &st) && !map.stamp.dups &&
		      map.nss_mailboxes;
	vmail_map_close(&map);
	return out;
}

static bool
look(const struct vmail_walk_line *at, void *arg)
{
	struct search *s = arg;
	struct vmail_line line = { .offset = at->offset, .text = at->text };

	if (at->text.n <= s->name.n || at->whole > at->text.n ||
	    !vmail_str_eq((struct vmail_str){ at->text.p, s->name.n }, s->name))
		return true;
	if (vmail_entry_parse(at->text, &line.entry, NULL) != VMAIL_OK ||
	    !vmail_str_eq(line.entry.name, s->name))
		return true;
	if (!s->first_seen) {
		s->first_seen = true;
		return true;
	}
	return s->each(&line, s->arg);
}

enum vmail_rc
twins_each(const struct vmail_conf *conf, struct vmail_str name,
    bool (*each)(const struct vmail_line *line, void *arg), void *arg,
    struct vmail_err *err)
{
	struct search s = { name, each, arg, false };

	if (ruled_out(conf))
		return VMAIL_OK;
	return vmail_store_walk(conf, look, &s, err);
}
