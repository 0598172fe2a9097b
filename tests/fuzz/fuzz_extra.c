/*
 * Any bytes as a line: a lock restricts it, changes neither name nor
 * password, and is taken away without a trace.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/entry.h"
#include "common/core/extra.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
must_be_locked(struct vmail_str line, struct vmail_str locked)
{
	struct vmail_entry before, after;
	struct vmail_str key;

	if (vmail_entry_parse(line, &before, NULL) != VMAIL_OK)
		return;
	must(vmail_entry_parse(locked, &after, NULL) == VMAIL_OK);
	must(vmail_entry_public_same(&before, &after));
	must(vmail_str_eq(before.password, after.password));
	must(vmail_extra_restriction(after.extra, &key));
	must(vmail_extra_lock_state(after.extra) == VMAIL_LOCK_OURS);
}

static void
lock_and_unlock(struct vmail_str line, char *room, size_t size)
{
	struct vmail_buf locked = { room, size, 0, false };
	struct vmail_buf back = { room + size, size, 0, false };
	enum vmail_rc rc = vmail_extra_lock(line, &locked);
	struct vmail_str text = { locked.p, locked.len };

	if (rc == VMAIL_EXISTS) {
		must(locked.len == 0);
		must(vmail_extra_unlock(line, &back) == VMAIL_OK);
		must(back.len < line.n);
		return;
	}
	must(vmail_extra_unlock(line, &back) == VMAIL_NOT_FOUND);
	must(back.len == 0 && !locked.full);
	if (rc == VMAIL_TOO_SMALL)
		return;
	must(rc == VMAIL_OK);
	must_be_locked(line, text);
	must(vmail_extra_unlock(text, &back) == VMAIL_OK);
	must(vmail_str_eq(line, (struct vmail_str){ back.p, back.len }));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size + 64;
	char *copy = malloc(size + 2 * room);
	struct vmail_str line = { copy, size };
	struct vmail_str rest = line, value;
	struct vmail_extra field;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	while (vmail_extra_next(&rest, &field))
		must(field.key.p + field.key.n <= copy + size);
	(void)vmail_extra_find(line, "fail", &value);
	lock_and_unlock(line, copy + size, room);
	free(copy);
	return 0;
}
