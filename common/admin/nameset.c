#include "common/admin/nameset.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ROOM_MIN = 64, PAGE_LARGE = 2 << 20 };

/* With the hash at hand a set grows, and passes over other names, without a
 * look at any of them. */
struct vmail_nameset_slot {
	uint32_t hash, at; /* at: plus 1; 0: free */
};

_Static_assert(
    sizeof(((struct vmail_nameset *)0)->key) == crypto_shorthash_KEYBYTES,
    "the hash's key");

static uint32_t
make_hash(const struct vmail_nameset *set, struct vmail_str name)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)name.p,
	    name.n, set->key);
	return (uint32_t)hash;
}

static uint32_t
hash_of(const struct vmail_nameset *set, struct vmail_str name)
{
	struct vmail_str next = { set->next.name, set->next.n };

	if (next.n != 0 && vmail_str_eq(name, next))
		return set->next.hash;
	return make_hash(set, name);
}

/* The slot of that name, or the free one for it. */
static struct vmail_nameset_slot *
slot_of(const struct vmail_nameset *set, struct vmail_str name, uint32_t hash,
    vmail_nameset_same *same, const void *arg)
{
	size_t i = hash & (set->room - 1);

	while (
	    set->slot[i].at != 0 && (set->slot[i].hash != hash ||
					!same(arg, set->slot[i].at - 1, name)))
		i = (i + 1) & (set->room - 1);
	return &set->slot[i];
}

/* They are asked for at random: of a great many it takes longer to find the
 * page than what stands in it, but for large pages. */
static struct vmail_nameset_slot *
empty_slots(size_t room)
{
	size_t n = room * sizeof(struct vmail_nameset_slot);
	void *slot;

	if (n < PAGE_LARGE)
		return calloc(1, n);
	slot = aligned_alloc(PAGE_LARGE, n);
	if (slot == NULL)
		return NULL;
	(void)madvise(slot, n, MADV_HUGEPAGE);
	return memset(slot, 0, n);
}

static bool
widen(struct vmail_nameset *set)
{
	size_t room = set->room != 0 ? 2 * set->room : ROOM_MIN;
	struct vmail_nameset_slot *slot = empty_slots(room);

	if (slot == NULL)
		return false;
	if (set->room == 0)
		randombytes_buf(set->key, sizeof(set->key));
	for (size_t i = 0; i < set->room; i++) {
		size_t to = set->slot[i].hash & (room - 1);

		if (set->slot[i].at == 0)
			continue;
		while (slot[to].at != 0)
			to = (to + 1) & (room - 1);
		slot[to] = set->slot[i];
	}
	free(set->slot);
	set->slot = slot;
	set->room = room;
	return true;
}

void
vmail_nameset_expect(struct vmail_nameset *set, struct vmail_str name)
{
	set->next.n = 0;
	if (set->room == 0 || name.n > sizeof(set->next.name))
		return;
	memcpy(set->next.name, name.p, name.n);
	set->next.hash = make_hash(set, name);
	set->next.n = name.n;
	__builtin_prefetch(&set->slot[set->next.hash & (set->room - 1)]);
}

enum vmail_nameset_rc
vmail_nameset_add(struct vmail_nameset *set, struct vmail_str name,
    vmail_nameset_same *same, const void *arg, uint32_t *at)
{
	struct vmail_nameset_slot *slot;
	uint32_t hash;

	if (2 * (set->n + 1) > set->room && !widen(set))
		return VMAIL_NAMESET_NO_MEMORY;
	hash = hash_of(set, name);
	slot = slot_of(set, name, hash, same, arg);
	if (slot->at != 0) {
		*at = slot->at - 1;
		return VMAIL_NAMESET_MET;
	}
	*slot = (struct vmail_nameset_slot){ hash, *at + 1 };
	set->n++;
	return VMAIL_NAMESET_NEW;
}

bool
vmail_nameset_find(const struct vmail_nameset *set, struct vmail_str name,
    vmail_nameset_same *same, const void *arg, uint32_t *at)
{
	const struct vmail_nameset_slot *slot;

	if (set->n == 0)
		return false;
	slot = slot_of(set, name, hash_of(set, name), same, arg);
	if (slot->at == 0)
		return false;
	*at = slot->at - 1;
	return true;
}

void
vmail_nameset_clear(struct vmail_nameset *set)
{
	free(set->slot);
	*set = (struct vmail_nameset){ 0 };
}
