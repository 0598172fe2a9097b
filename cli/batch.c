#include "cli/batch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/admin/secret.h"

enum { BLOCK = 4194304, FIRST_LINES = 1024 };

struct batch_block {
	struct batch_block *next;
	size_t used;
	char text[BLOCK];
};

/* line: its index plus 1, 0 where the slot is free. With the hash at hand a
 * table grows, and passes over other names, without a look at any text. */
struct batch_slot {
	uint32_t hash, line;
};

_Static_assert(
    sizeof(((struct batch *)0)->key) == crypto_shorthash_KEYBYTES, "key");

bool
batch_open(struct batch *batch)
{
	*batch =
	    (struct batch){ .room = FIRST_LINES, .slots = 2 * FIRST_LINES };
	batch->line = calloc(batch->room, sizeof(*batch->line));
	batch->slot = calloc(batch->slots, sizeof(*batch->slot));
	randombytes_buf(batch->key, sizeof(batch->key));
	return batch->line && batch->slot;
}

static void
drop_first(struct batch *batch)
{
	struct batch_block *block = batch->first;

	batch->first = block->next;
	explicit_bzero(block->text, block->used);
	free(block);
}

void
batch_close(struct batch *batch)
{
	while (batch->first)
		drop_first(batch);
	free(batch->line);
	free(batch->slot);
	*batch = (struct batch){ 0 };
}

static struct vmail_str
name_of(const struct batch_line *line)
{
	struct vmail_str rest = { line->p, line->n };

	return vmail_text_cut(&rest, ':');
}

static uint32_t
hash_of(const struct batch *batch, struct vmail_str name)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)name.p,
	    name.n, batch->key);
	return (uint32_t)hash;
}

/* The slot of that name, or the free one for it. */
static struct batch_slot *
slot_of(const struct batch *batch, struct vmail_str name, uint32_t hash)
{
	size_t i = hash & (batch->slots - 1);

	for (; batch->slot[i].line != 0; i = (i + 1) & (batch->slots - 1)) {
		if (batch->slot[i].hash == hash &&
		    vmail_str_eq(
			name_of(&batch->line[batch->slot[i].line - 1]), name))
			break;
	}
	return &batch->slot[i];
}

static bool
widen(struct batch *batch)
{
	size_t slots = 2 * batch->slots;
	struct batch_slot *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i < batch->slots; i++) {
		size_t at = batch->slot[i].hash & (slots - 1);

		if (batch->slot[i].line == 0)
			continue;
		while (slot[at].line != 0)
			at = (at + 1) & (slots - 1);
		slot[at] = batch->slot[i];
	}
	free(batch->slot);
	batch->slot = slot;
	batch->slots = slots;
	return true;
}

static bool
grow(struct batch *batch)
{
	struct batch_line *line;

	if (batch->lines < batch->room)
		return true;
	if (batch->lines >= UINT32_MAX / 4 || !widen(batch))
		return false;
	line = reallocarray(batch->line, 2 * batch->room, sizeof(*line));
	if (!line)
		return false;
	batch->line = line;
	batch->room *= 2;
	return true;
}

static char *
keep(struct batch *batch, struct vmail_str text)
{
	struct batch_block *block = batch->last;

	if (!block || block->used + text.n > BLOCK) {
		block = text.n <= BLOCK ? malloc(sizeof(*block)) : NULL;
		if (!block)
			return NULL;
		block->next = NULL;
		block->used = 0;
		if (batch->last)
			batch->last->next = block;
		else
			batch->first = block;
		batch->last = block;
	}
	memcpy(block->text + block->used, text.p, text.n);
	block->used += text.n;
	return block->text + block->used - text.n;
}

long
batch_add(struct batch *batch, struct vmail_str text, unsigned long number)
{
	struct batch_line line = { text.p, (uint32_t)text.n, (uint32_t)number };
	struct vmail_str name = name_of(&line);
	uint32_t hash = hash_of(batch, name);
	struct batch_slot *slot;

	if (!grow(batch))
		return -1;
	slot = slot_of(batch, name, hash);
	if (slot->line != 0)
		return batch->line[slot->line - 1].number;
	line.p = keep(batch, text);
	if (!line.p)
		return -1;
	batch->line[batch->lines++] = line;
	*slot = (struct batch_slot){ hash, (uint32_t)batch->lines };
	return 0;
}

const struct batch_line *
batch_find(const struct batch *batch, struct vmail_str name)
{
	const struct batch_slot *slot =
	    slot_of(batch, name, hash_of(batch, name));

	return slot->line ? &batch->line[slot->line - 1] : NULL;
}

static bool
lies_in(const struct batch_block *block, const char *p)
{
	return p >= block->text && p < block->text + BLOCK;
}

bool
batch_each(struct batch *batch, bool spend,
    bool (*each)(const struct batch_line *line, void *arg), void *arg)
{
	for (size_t i = 0; i < batch->lines; i++) {
		while (spend && !lies_in(batch->first, batch->line[i].p))
			drop_first(batch);
		if (!each(&batch->line[i], arg))
			return false;
	}
	return true;
}
