/*
 * Any bytes as views: nothing crashes, every walk ends, and what is
 * well-formed holds no number that nobody's mail may have.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/ids.h"
#include "common/core/views.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
inside(struct vmail_str all, struct vmail_str s)
{
	require(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
}

static void
check_view(struct vmail_str all, const struct vmail_view *v)
{
	struct vmail_world w = { .owner_user = VMAIL_STR("vmail"),
		.owner_group = VMAIL_STR("vmail") };
	char name[65];
	struct vmail_view again;
	struct vmail_ids guest;

	vmail_world_set_views(&w, all);
	inside(all, v->name);
	inside(all, v->identity);
	inside(all, v->ranges);
	require(v->uid != 0 && v->uid != 65534 && v->uid != UINT32_MAX);
	require(v->gid != 0 && v->gid != 65534 && v->gid != UINT32_MAX);
	require(v->name.n > 0 && v->name.n < sizeof(name));
	memcpy(name, v->name.p, v->name.n);
	name[v->name.n] = '\0';
	require(vmail_views_find(all, name, v->identity, &again));
	require(vmail_str_eq(again.identity, v->identity));
	require(vmail_ids_is_identity(&w, v->identity));
	require(vmail_views_first(all, &again));
	require(vmail_views_first(all, v) == (again.name.p == v->name.p));
	if (vmail_ids_guest_numbers(v, &guest))
		require(v->ranges.n > 0 && guest.uid != 0 && guest.gid != 0 &&
			guest.uid != UINT32_MAX && guest.gid != UINT32_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmail_str all = { (const char *)data, size }, rest = all;
	struct vmail_str looked = all;
	struct vmail_views_line line;
	struct vmail_view v;
	size_t lines = 0;
	const char *why = NULL;

	if (vmail_view_parse(all, &v, &why) == VMAIL_MALFORMED)
		require(why != NULL);
	/* What is only looked at leads to the same lines. */
	while (vmail_views_peek(&looked, &line))
		if (vmail_view_parse(line.line, &v, NULL) == VMAIL_OK) {
			require(vmail_str_eq(line.name, v.name));
			require(vmail_str_eq(line.identity, v.identity));
			lines++;
		}
	for (size_t n = 0; vmail_views_next(&rest, &v); n++) {
		lines--;
		require(n <= size);
		if (n < 16)
			check_view(all, &v);
	}
	require(lines == 0);
	return 0;
}
