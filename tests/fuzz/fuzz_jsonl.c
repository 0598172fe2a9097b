/*
 * Any bytes as a record in JSON: what the fast reader takes, the library takes
 * too and reads the same in it; and what becomes a line is one sound line.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/jsonl.h"
#include "cli/jsonplain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
must_mean(const struct jsonl_value *v, const json_t *json)
{
	switch (v->is) {
	case JSONL_NONE:
		must(json == NULL || json_is_null(json));
		break;
	case JSONL_TEXT:
		must(json_is_string(json));
		must(json_string_length(json) == v->text.n);
		must(
		    memcmp(json_string_value(json), v->text.p, v->text.n) == 0);
		break;
	case JSONL_NUMBER:
		must(json_is_integer(json));
		must(json_integer_value(json) == v->number);
		break;
	case JSONL_BOOL:
		must(json_is_boolean(json));
		must(json_is_true(json) == (v->number != 0));
		break;
	case JSONL_ODD:
		must(0);
	}
}

static void
must_agree(struct vmail_str text)
{
	struct jsonl_value values[JSONL_KEYS] = { 0 };
	size_t members = 0;
	const char *name;
	json_error_t error;
	json_t *json, *member;

	if (!jsonplain_read(text, values))
		return;
	json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	must(json_is_object(json));
	json_object_foreach(json, name, member)
	{
		enum jsonl_key key = jsonl_key(vmail_str(name), JSONL_USER);

		must(key != JSONL_KEYS);
		must_mean(&values[key], member);
		members += values[key].is != JSONL_NONE;
	}
	for (size_t i = 0; i < JSONL_KEYS; i++)
		members -= values[i].is != JSONL_NONE;
	must(members == 0);
	json_decref(json);
}

static void
must_be_a_line(struct vmail_str text)
{
	char line[VMAIL_LINE_MAX], why[512];
	struct vmail_buf out = { line, sizeof(line), 0, false };
	struct vmail_buf words = { why, sizeof(why), 0, false };
	struct vmail_entry e;

	if (!jsonl_read(text, &out, &words)) {
		must(words.len > 0);
		return;
	}
	must(memchr(line, '\n', out.len) == NULL);
	must(vmail_entry_parse((struct vmail_str){ line, out.len }, &e, NULL) !=
		 VMAIL_OK ||
	     e.colons == 7);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmail_str text = { (const char *)data, size };

	must_agree(text);
	must_be_a_line(text);
	return 0;
}
