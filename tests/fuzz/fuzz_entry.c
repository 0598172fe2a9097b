/*
 * Any bytes as a line: what is cut lies inside it, and what is laid out again
 * reads as the same record.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
must_lie_inside(struct vmail_str part, struct vmail_str line)
{
	if (part.p == NULL)
		must(part.n == 0);
	else
		must(part.p >= line.p && part.p + part.n <= line.p + line.n);
}

static void
must_be_cut_inside(const struct vmail_entry *e, struct vmail_str line)
{
	const struct vmail_str parts[] = { e->name, e->password, e->uid, e->gid,
		e->gecos, e->home, e->shell, e->extra };

	for (size_t i = 0; i < 8; i++)
		must_lie_inside(parts[i], line);
	must(e->name.n > 0 && e->colons <= 7);
	must((e->extra.p != NULL) == (e->colons == 7));
}

static void
must_come_back(const struct vmail_entry *e)
{
	static char text[VMAIL_LINE_MAX + 8];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_entry again;
	enum vmail_rc rc;

	vmail_entry_put(e, &b);
	must(!b.full);
	/* The colons that were missing may be too many; a CR that was not
	 * the last byte may be it now. */
	if (b.len > VMAIL_LINE_MAX || text[b.len - 1] == '\r')
		return;
	rc = vmail_entry_parse((struct vmail_str){ text, b.len }, &again, NULL);
	must(rc == VMAIL_OK && again.colons == 7);
	must(vmail_entry_public_same(e, &again));
	must(vmail_str_eq(e->password, again.password));
	must(vmail_str_eq(e->extra, again.extra));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as long as the input, so that a byte beyond is seen. */
	char *copy = malloc(size);
	struct vmail_str line = { copy, size };
	struct vmail_entry e;
	const char *why = NULL;
	enum vmail_rc rc;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	rc = vmail_entry_parse(line, &e, &why);
	must((rc == VMAIL_MALFORMED) == (why != NULL));
	if (rc == VMAIL_OK) {
		must_be_cut_inside(&e, line);
		must_come_back(&e);
	}
	(void)vmail_entry_gecos_fault(line);
	(void)vmail_entry_home_fault(line);
	(void)vmail_entry_id_fault(line, 500, 60000);
	(void)vmail_name_fault(line);
	free(copy);
	return 0;
}
