#include "cli/homes.h"

#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "common/admin/perm.h"
#include "common/admin/store.h"

enum { HOME_MAX = VMAIL_LINE_MAX };

int
homes_make(const struct vmail_conf *conf, const struct world *world,
    const struct vmail_entry *entry, const struct vmail_ids *ids)
{
	char home[HOME_MAX];
	struct vmail_err err;
	enum vmail_rc rc = world_home(conf, entry, home, sizeof(home));

	if (rc != VMAIL_OK) {
		vmail_fail(&err, rc, NULL, 0, "home: too long");
		home[0] = '\0';
	} else {
		rc = vmail_perm_make_home(
		    &(struct vmail_perm_home){
			home, vmail_ids_of_owner(&world->ids, ids), *ids },
		    NULL, &err);
	}
	if (rc == VMAIL_OK)
		return STATUS_OK;
	say_error(&err);
	say_warn("%.*s: added, but without its home", (int)entry->name.n,
	    entry->name.p);
	if (home[0] != '\0')
		say_mend("install -d -m 0700 -o %u -g %u %s", ids->uid,
		    ids->gid, home);
	return STATUS_FAILED;
}

void
homes_tidy(char *path)
{
	struct vmail_str rest = vmail_str(path);
	char *to = path;

	while (rest.p) {
		struct vmail_str part = vmail_text_cut(&rest, '/');

		if (part.n == 0 || vmail_str_is(part, "."))
			continue;
		*to++ = '/';
		memmove(to, part.p, part.n);
		to += part.n;
	}
	*to = '\0';
}

static bool
tidy_home(const struct vmail_conf *conf, const struct vmail_entry *entry,
    char home[HOME_MAX])
{
	if (world_home(conf, entry, home, HOME_MAX) != VMAIL_OK ||
	    home[0] != '/')
		return false;
	homes_tidy(home);
	return true;
}

int
homes_add(struct homes *homes, const struct vmail_conf *conf,
    const struct vmail_entry *entry, const struct vmail_ids *ids)
{
	char path[HOME_MAX];
	struct home *list;
	struct home h = { .ids = *ids };

	if (!tidy_home(conf, entry, path) || vmail_text_climbs(vmail_str(path)))
		return say_fail(STATUS_FAILED,
		    "%.*s: not a home that can be removed: '%.*s'",
		    (int)entry->name.n, entry->name.p, (int)entry->home.n,
		    entry->home.p ? entry->home.p : "");
	list = realloc(homes->list, (homes->n + 1) * sizeof(*list));
	if (list)
		homes->list = list;
	h.name = strndup(entry->name.p, entry->name.n);
	h.path = strdup(path);
	if (!list || !h.name || !h.path) {
		free(h.name);
		free(h.path);
		return say_fail(STATUS_FAILED, "out of memory");
	}
	list[homes->n++] = h;
	return STATUS_OK;
}

void
homes_free(struct homes *homes)
{
	for (size_t i = 0; i < homes->n; i++) {
		free(homes->list[i].name);
		free(homes->list[i].path);
	}
	free(homes->list);
	*homes = (struct homes){ NULL, 0 };
}

/* Is one the other, or above it? */
static bool
overlap(const char *a, const char *b)
{
	size_t an = strlen(a), bn = strlen(b), n = an < bn ? an : bn;

	if (strncmp(a, b, n) != 0)
		return false;
	return an == bn || (an > bn ? a[n] : b[n]) == '/';
}

struct judgment {
	const struct homes *homes;
	const struct vmail_conf *conf;
	bool bad;
};

static bool
stays(const struct homes *homes, struct vmail_str name)
{
	for (size_t i = 0; i < homes->n; i++) {
		if (vmail_str_is(name, homes->list[i].name))
			return false;
	}
	return true;
}

static bool
judge_line(const struct vmail_walk_line *line, void *arg)
{
	struct judgment *j = arg;
	char other[HOME_MAX];
	struct vmail_entry e;

	if (vmail_entry_parse(line->text, &e, NULL) != VMAIL_OK ||
	    !tidy_home(j->conf, &e, other))
		return true;
	for (size_t i = 0; i < j->homes->n; i++) {
		const struct home *h = &j->homes->list[i];

		if (!overlap(h->path, other) || !stays(j->homes, e.name))
			continue;
		say_fail(0,
		    "%s: its home %s holds or lies in that of "
		    "%.*s: %s",
		    h->name, h->path, (int)e.name.n, e.name.p, other);
		say_mend("leave --remove away and move the mail by hand");
		j->bad = true;
		return false;
	}
	return true;
}

int
homes_judge(const struct homes *homes, const struct vmail_conf *conf)
{
	struct judgment j = { homes, conf, false };
	struct vmail_err err;

	if (vmail_store_walk(conf, judge_line, &j, &err) != VMAIL_OK)
		return say_error(&err);
	return j.bad ? STATUS_FAILED : STATUS_OK;
}
