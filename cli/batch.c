#include "cli/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/admin/secret.h"

enum { BLOCK = 4194304, FIRST_LINES = 1024 };

struct batch_block {
	struct batch_block *next;
	size_t used;
	char text[BLOCK];
};

bool
batch_open(struct batch *batch)
{
	*batch = (struct batch){ .room = FIRST_LINES };
	batch->line = calloc(batch->room, sizeof(*batch->line));
	return batch->line;
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
	vmail_nameset_clear(&batch->names);
	*batch = (struct batch){ 0 };
}

static struct vmail_str
name_of(const struct batch_line *line)
{
	struct vmail_str rest = { line->p, line->n };

	return vmail_text_cut(&rest, ':');
}

static bool
same_name(const void *arg, uint32_t at, struct vmail_str name)
{
	const struct batch *batch = arg;

	return vmail_str_eq(name_of(&batch->line[at]), name);
}

static bool
grow(struct batch *batch)
{
	struct batch_line *line;

	if (batch->lines < batch->room)
		return true;
	if (batch->lines >= UINT32_MAX / 4)
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
	uint32_t at = (uint32_t)batch->lines;

	if (!grow(batch))
		return -1;
	switch (vmail_nameset_add(
	    &batch->names, name_of(&line), same_name, batch, &at)) {
	case VMAIL_NAMESET_MET:
		return batch->line[at].number;
	case VMAIL_NAMESET_NO_MEMORY:
		return -1;
	case VMAIL_NAMESET_NEW:
		break;
	}
	line.p = keep(batch, text);
	if (!line.p)
		return -1;
	batch->line[batch->lines++] = line;
	return 0;
}

const struct batch_line *
batch_find(const struct batch *batch, struct vmail_str name)
{
	uint32_t at;

	return vmail_nameset_find(&batch->names, name, same_name, batch, &at)
		   ? &batch->line[at]
		   : NULL;
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
