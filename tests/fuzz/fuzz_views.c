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
		.owner_group = VMAIL_STR("vmail"),
		.views = all };
	char name[65];
	struct vmail_view again;

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
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmail_str all = { (const char *)data, size }, rest = all;
	struct vmail_view v;
	const char *why = NULL;

	if (vmail_view_parse(all, &v, &why) == VMAIL_MALFORMED)
		require(why != NULL);
	for (size_t n = 0; vmail_views_next(&rest, &v); n++) {
		require(n <= size);
		if (n < 16)
			check_view(all, &v);
	}
	return 0;
}
