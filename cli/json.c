#include "cli/json.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *
shown(struct vmail_str s)
{
	size_t size = 4 * s.n + 1;
	struct vmail_buf b = { malloc(size), size, 0, false };
	json_t *value = NULL;

	if (b.p) {
		vmail_buf_shown(&b, s);
		value = json_stringn(b.p, b.len);
	}
	free(b.p);
	return value;
}

static json_t *
text(struct vmail_str s)
{
	json_t *value = json_stringn(s.n ? s.p : "", s.n);

	return value ? value : shown(s);
}

static json_t *
of_cell(const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_NONE:
		return json_null();
	case CELL_TEXT:
		return text(cell->text);
	case CELL_NUMBER:
		return json_integer((json_int_t)cell->number);
	case CELL_BOOL:
		return json_boolean(cell->number != 0);
	}
	return NULL;
}

bool
json_put_object(FILE *out, const struct report_column *columns,
    const struct cell *cells, size_t n)
{
	json_t *object = json_object();
	bool good = object != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = json_object_set_new(
			   object, columns[i].key, of_cell(&cells[i])) == 0;
	good = good && json_dumpf(object, out, JSON_ENSURE_ASCII) == 0;
	json_decref(object);
	return good;
}
