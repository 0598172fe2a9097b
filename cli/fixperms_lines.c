#include "cli/fixperms_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "cli/world.h"
#include "common/admin/store.h"

enum { WORDS = 512, HOME_ROOM = VMAIL_LINE_MAX + 2 };

/* A USER operand as it is typed, or in lower case. */
struct fixperms_typed {
	const char *name;
	size_t operand;
};

/* One walk over the lines. */
struct reading {
	struct fixperms_lines *lines;
	int status;
};

static int
by_name(const void *a, const void *b)
{
	const struct fixperms_typed *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int
fixperms_lines_open(struct fixperms_lines *l)
{
	size_t n = l->run->operands, size = 1;
	char *p;

	for (size_t i = 0; i < n; i++)
		size += strlen(l->run->operand[i]) + 1;
	l->typed = calloc(2 * n + 1, sizeof(*l->typed));
	l->met = calloc(n + 1, sizeof(*l->met));
	l->lower = p = malloc(size);
	if (!l->typed || !l->met || !l->lower)
		return say_fail(STATUS_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *name = l->run->operand[i];
		size_t len = strlen(name);

		memcpy(p, name, len + 1);
		vmail_text_lower(p, len);
		l->typed[l->ntyped++] = (struct fixperms_typed){ name, i };
		l->typed[l->ntyped++] = (struct fixperms_typed){ p, i };
		p += len + 1;
	}
	qsort(l->typed, l->ntyped, sizeof(*l->typed), by_name);
	return STATUS_OK;
}

void
fixperms_lines_free(struct fixperms_lines *l)
{
	fixperms_homes_free(&l->homes);
	free(l->typed);
	free(l->met);
	free(l->lower);
}

static bool
is_wanted(struct fixperms_lines *l, struct vmail_str name)
{
	char z[VMAIL_LINE_MAX + 1];
	const struct fixperms_typed key = { z, 0 };
	const struct fixperms_typed *end = l->typed + l->ntyped, *t;

	if (l->run->operands == 0)
		return true;
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	t = bsearch(&key, l->typed, l->ntyped, sizeof(*t), by_name);
	if (!t)
		return false;
	while (t > l->typed && strcmp(t[-1].name, z) == 0)
		t--;
	for (; t < end && strcmp(t->name, z) == 0; t++)
		l->met[t->operand] = true;
	return true;
}

static void
leave_line(
    struct fixperms_lines *l, const struct vmail_entry *e, const char *home)
{
	struct vmail_str view = l->ids->view;
	char words[WORDS];

	if (home[0] != '/')
		snprintf(words, sizeof(words),
		    "the home of %.*s: not an absolute path", (int)e->name.n,
		    e->name.p);
	else
		snprintf(words, sizeof(words),
		    "whose mail this is cannot be told %s%.*s: uid '%.*s', gid "
		    "'%.*s' of %.*s",
		    view.n > 0 ? "for view " : "here", (int)view.n,
		    view.n > 0 ? view.p : "", (int)e->uid.n,
		    e->uid.n > 0 ? e->uid.p : "", (int)e->gid.n,
		    e->gid.n > 0 ? e->gid.p : "", (int)e->name.n, e->name.p);
	l->fix->left++;
	fixperms_say_left(l->say, home, words);
}

static bool
each_line(const struct vmail_walk_line *line, void *arg)
{
	struct reading *r = arg;
	struct fixperms_lines *l = r->lines;
	char home[HOME_ROOM];
	struct vmail_entry e;
	struct vmail_ids ids;
	bool wanted;

	if (line->whole > line->text.n ||
	    vmail_entry_parse(line->text, &e, NULL) != VMAIL_OK)
		return true;
	wanted = is_wanted(l, e.name);
	if (world_home(l->ids->conf, &e, home, sizeof(home)) != VMAIL_OK)
		home[0] = '\0';
	if (home[0] != '/' || !fixperms_ids_of(l->ids, &e, &ids)) {
		if (wanted)
			leave_line(l, &e, home);
		if (home[0] != '/')
			return true;
		/* It is there for the walk of another, which leaves it. */
		wanted = false;
		ids = (struct vmail_ids){ 0, 0 };
	}
	if (fixperms_homes_add(&l->homes, home, e.name, &ids, wanted))
		return true;
	r->status = say_fail(STATUS_FAILED, "out of memory");
	return false;
}

int
fixperms_lines_read(struct fixperms_lines *l, const struct vmail_conf *conf)
{
	struct reading r = { l, STATUS_OK };
	struct vmail_err err;

	if (vmail_store_walk(conf, each_line, &r, &err) != VMAIL_OK)
		return say_error(&err);
	return r.status;
}

int
fixperms_lines_judge(const struct fixperms_lines *l)
{
	for (size_t i = 0; i < l->run->operands; i++)
		if (!l->met[i])
			return say_fail(STATUS_NO_USER, "%s: no such user",
			    l->run->operand[i]);
	return STATUS_OK;
}
