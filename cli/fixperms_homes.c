#include "cli/fixperms_homes.h"

#include <stdlib.h>
#include <string.h>

#include "cli/homes.h"
#include "cli/pathtext.h"

enum { FIRST = 64 };

static bool
grow(void **p, size_t *room, size_t need, size_t size)
{
	size_t n = *room != 0 ? *room : FIRST;
	void *q;

	while (n < need)
		n *= 2;
	if (n == *room)
		return true;
	q = reallocarray(*p, n, size);
	if (!q)
		return false;
	*p = q;
	*room = n;
	return true;
}

bool
fixperms_homes_add(struct fixperms_homes *h, const char *path,
    struct vmail_str name, const struct vmail_ids *ids, bool wanted)
{
	size_t n = strlen(path) + 1;
	char *own;
	void *list = h->list, *text = h->text;
	bool good = grow(&list, &h->room, h->n + 1, sizeof(*h->list));

	h->list = list;
	good = good && grow(&text, &h->size, h->used + n + name.n + 1, 1);
	h->text = text;
	if (!good)
		return false;
	h->list[h->n++] = (struct fixperms_home){
		.at = h->used, .ids = *ids, .wanted = wanted
	};
	own = h->text + h->used;
	memcpy(own, path, n);
	homes_tidy(own);
	if (*own == '\0')
		memcpy(own, "/", 2);
	h->used += n;
	memcpy(h->text + h->used, name.p, name.n);
	h->used += name.n;
	h->text[h->used++] = '\0';
	return true;
}

/* As strcmp, but '/' is the least of all bytes: what lies in a folder comes
 * right behind it. */
static int
compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? -1 : 1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* Of equal paths those that are wanted first. */
static int
by_path(const void *a, const void *b)
{
	const struct fixperms_home *x = a, *y = b;
	int order = compare(x->path, y->path);

	if (order != 0)
		return order;
	if (x->wanted != y->wanted)
		return x->wanted ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static bool
same_ids(const struct fixperms_home *a, const struct fixperms_home *b)
{
	return a->ids.uid == b->ids.uid && a->ids.gid == b->ids.gid;
}

static bool
is_walked(const struct fixperms_home *home)
{
	return home->fate == FIXPERMS_COVERED ||
	       (home->fate == FIXPERMS_WALK && home->wanted);
}

/* Two users, one home: list[i] and the one before. */
static void
settle_equal(struct fixperms_homes *h, size_t i)
{
	struct fixperms_home *one = &h->list[i - 1], *two = &h->list[i];

	two->other = i - 1;
	two->outer = one->outer;
	two->apart = one->apart;
	two->fate = is_walked(one) ? FIXPERMS_COVERED : one->fate;
	if (one->fate != FIXPERMS_SHARED && same_ids(one, two))
		return;
	one->fate = two->fate = FIXPERMS_SHARED;
	one->apart = two->apart = true;
	one->other = i;
}

/* list[i] lies in list[outer]. */
static void
settle_inside(struct fixperms_homes *h, size_t i, size_t outer, uid_t owner)
{
	struct fixperms_home *in = &h->list[i], *out = &h->list[outer];

	in->outer = in->other = outer;
	in->apart = !same_ids(in, out);
	if (out->fate == FIXPERMS_INSIDE ||
	    (out->ids.uid != owner && out->ids.uid != in->ids.uid))
		in->fate = FIXPERMS_INSIDE;
	else if (!in->apart && is_walked(out))
		in->fate = FIXPERMS_COVERED;
}

/* The innermost home that list[i] lies in: on the way up from the one before
 * it. */
static size_t
outer_of(const struct fixperms_homes *h, size_t i)
{
	size_t outer = i - 1;

	while (outer != FIXPERMS_NONE &&
	       !pathtext_lies_in(h->list[i].path, h->list[outer].path))
		outer = h->list[outer].outer;
	return outer;
}

void
fixperms_homes_settle(struct fixperms_homes *h, uid_t owner)
{
	for (size_t i = 0; i < h->n; i++) {
		struct fixperms_home *home = &h->list[i];

		home->path = h->text + home->at;
		home->name = home->path + strlen(home->path) + 1;
		home->outer = FIXPERMS_NONE;
	}
	if (h->n > 1)
		qsort(h->list, h->n, sizeof(*h->list), by_path);
	for (size_t i = 1; i < h->n; i++) {
		size_t outer = outer_of(h, i);

		if (strcmp(h->list[i].path, h->list[i - 1].path) == 0)
			settle_equal(h, i);
		else if (outer != FIXPERMS_NONE)
			settle_inside(h, i, outer, owner);
	}
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
fixperms_homes_apart(const struct fixperms_homes *h, size_t i, size_t *n)
{
	size_t end = i + 1, found = 0;
	const char **list;

	*n = 0;
	while (
	    end < h->n && pathtext_lies_in(h->list[end].path, h->list[i].path))
		found += h->list[end++].apart;
	if (found == 0)
		return NULL;
	list = calloc(found, sizeof(*list));
	*n = list != NULL ? found : 1;
	if (list == NULL)
		return NULL;
	found = 0;
	for (size_t k = i + 1; k < end; k++)
		if (h->list[k].apart)
			list[found++] = h->list[k].path;
	qsort(list, found, sizeof(*list), by_bytes);
	return list;
}

void
fixperms_homes_free(struct fixperms_homes *h)
{
	free(h->list);
	free(h->text);
	*h = (struct fixperms_homes){ .list = NULL };
}
