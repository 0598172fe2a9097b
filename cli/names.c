#include "cli/names.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024 };

_Static_assert(
    sizeof(((struct names *)0)->key) == crypto_shorthash_siphashx24_KEYBYTES,
    "key");
_Static_assert(
    sizeof(((struct names_slot *)0)->hash) == crypto_shorthash_siphashx24_BYTES,
    "hash");

bool
names_open(struct names *names)
{
	*names = (struct names){ .size = FIRST_SIZE };
	names->slot = calloc(names->size, sizeof(*names->slot));
	randombytes_buf(names->key, sizeof(names->key));
	return names->slot != NULL;
}

void
names_free(struct names *names)
{
	free(names->slot);
	names->slot = NULL;
}

static struct names_slot *
find(struct names_slot *slot, size_t size, const uint64_t hash[2])
{
	size_t i = (size_t)hash[0] & (size - 1);

	while (slot[i].line != 0 &&
	       (slot[i].hash[0] != hash[0] || slot[i].hash[1] != hash[1]))
		i = (i + 1) & (size - 1);
	return &slot[i];
}

static bool
grow(struct names *names)
{
	size_t size = names->size * 2;
	struct names_slot *slot = calloc(size, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i < names->size; i++) {
		if (names->slot[i].line != 0)
			*find(slot, size, names->slot[i].hash) = names->slot[i];
	}
	free(names->slot);
	names->slot = slot;
	names->size = size;
	return true;
}

long
names_meet(struct names *names, struct vmail_str name, unsigned long line)
{
	uint64_t hash[2];
	struct names_slot *s;

	if (names->n * 2 >= names->size && !grow(names))
		return -1;
	crypto_shorthash_siphashx24((unsigned char *)hash,
	    (const unsigned char *)name.p, name.n, names->key);
	s = find(names->slot, names->size, hash);
	if (s->line != 0)
		return (long)s->line;
	memcpy(s->hash, hash, sizeof(hash));
	s->line = line;
	names->n++;
	return 0;
}
