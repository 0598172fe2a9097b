#include "cli/jsonl.h"

#include <jansson.h>
#include <string.h>

#include "cli/jsonplain.h"
#include "cli/userview.h"
#include "common/core/extra.h"

static const struct {
	const char *name;
	size_t n;
} keys[JSONL_KEYS] = {
#define KEY(key, name) [key] = { name, sizeof(name) - 1 }
	KEY(JSONL_USER, "user"),
	KEY(JSONL_DOMAIN, "domain"),
	KEY(JSONL_UID, "uid"),
	KEY(JSONL_GID, "gid"),
	KEY(JSONL_GECOS, "gecos"),
	KEY(JSONL_HOME, "home"),
	KEY(JSONL_SHELL, "shell"),
	KEY(JSONL_SCHEME, "scheme"),
	KEY(JSONL_LOCKED, "locked"),
	KEY(JSONL_EXTRA, "extra"),
	KEY(JSONL_PASSWORD, "password"),
	KEY(JSONL_EXPIRE, "expire"),
	KEY(JSONL_SERVICES, "services"),
	KEY(JSONL_ALLOW_NETS, "allow_nets"),
	KEY(JSONL_QUOTA, "quota"),
#undef KEY
};

enum jsonl_key
jsonl_key(struct vmail_str name, enum jsonl_key after)
{
	for (size_t i = 0; i < JSONL_KEYS; i++) {
		enum jsonl_key key = (after + i) % JSONL_KEYS;

		if (name.n == keys[key].n &&
		    memcmp(name.p, keys[key].name, name.n) == 0)
			return key;
	}
	return JSONL_KEYS;
}

static bool
refuse(struct vmail_buf *why, const char *key, const char *text)
{
	vmail_buf_z(why, key);
	vmail_buf_z(why, text);
	return false;
}

static struct jsonl_value
value_of(const json_t *json)
{
	struct jsonl_value v = { JSONL_ODD, { NULL, 0 }, 0 };

	if (json_is_null(json)) {
		v.is = JSONL_NONE;
	} else if (json_is_string(json)) {
		v.is = JSONL_TEXT;
		v.text.p = json_string_value(json);
		v.text.n = json_string_length(json);
	} else if (json_is_integer(json)) {
		v.is = JSONL_NUMBER;
		v.number = json_integer_value(json);
	} else if (json_is_boolean(json)) {
		v.is = JSONL_BOOL;
		v.number = json_is_true(json);
	}
	return v;
}

/* Values point into *json, which the caller gives back. */
static bool
parse(struct vmail_str text, json_t **json,
    struct jsonl_value values[JSONL_KEYS], struct vmail_buf *why)
{
	json_error_t error;
	const char *name;
	json_t *member;

	*json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	/* What the library says of it may quote the hash. */
	if (!*json && json_error_code(&error) == json_error_duplicate_key)
		return refuse(why, "a key twice", "");
	if (!*json || !json_is_object(*json))
		return refuse(why, "not a JSON object", "");
	json_object_foreach(*json, name, member)
	{
		enum jsonl_key key = jsonl_key(vmail_str(name), JSONL_USER);

		if (key == JSONL_KEYS) {
			vmail_buf_shown(why, vmail_str(name));
			return refuse(why, "", ": no such key");
		}
		values[key] = value_of(member);
	}
	return true;
}

static bool
kinds_fit(const struct jsonl_value values[JSONL_KEYS], struct vmail_buf *why)
{
	for (size_t i = 0; i < JSONL_KEYS; i++) {
		bool id = i == JSONL_UID || i == JSONL_GID;
		bool good = values[i].is == JSONL_TEXT ||
			    (id && values[i].is == JSONL_NUMBER);

		if (values[i].is == JSONL_NONE)
			continue;
		if (i >= JSONL_EXPIRE)
			return refuse(why, keys[i].name,
			    ": not supported by this version");
		if (i == JSONL_LOCKED)
			good = values[i].is == JSONL_BOOL;
		if (!good)
			return refuse(why, keys[i].name,
			    id ? ": neither a number nor a name"
			    : i == JSONL_LOCKED ? ": neither true nor false"
						: ": not a string");
	}
	return true;
}

/* What would end its field, or the line. */
static bool
fields_fit(const struct jsonl_value values[JSONL_KEYS], struct vmail_buf *why)
{
	for (size_t i = 0; i < JSONL_KEYS; i++) {
		struct vmail_str s = values[i].text;

		if (s.n == 0)
			continue;
		if (i != JSONL_EXTRA && memchr(s.p, ':', s.n))
			return refuse(why, keys[i].name, ": holds ':'");
		if (memchr(s.p, '\n', s.n))
			return refuse(why, keys[i].name, ": holds a line feed");
	}
	return true;
}

/* Keys that only repeat what others say must say the same. */
static bool
agree(const struct jsonl_value values[JSONL_KEYS], struct vmail_buf *why)
{
	const struct jsonl_value *scheme = &values[JSONL_SCHEME],
				 *domain = &values[JSONL_DOMAIN],
				 *password = &values[JSONL_PASSWORD];
	struct vmail_str local, part;

	vmail_name_split(values[JSONL_USER].text, &local, &part);
	if (domain->is == JSONL_TEXT && !vmail_str_eq(domain->text, part))
		return refuse(why, "domain: not that of the user", "");
	if (scheme->is == JSONL_TEXT && password->is == JSONL_TEXT &&
	    !vmail_str_eq(scheme->text, userview_scheme(password->text)))
		return refuse(why, "scheme: not that of the password", "");
	if (values[JSONL_LOCKED].is == JSONL_BOOL &&
	    !values[JSONL_LOCKED].number &&
	    vmail_extra_lock_state(values[JSONL_EXTRA].text) != VMAIL_LOCK_NONE)
		return refuse(
		    why, "locked: false, but the extra fields lock", "");
	return true;
}

static void
put(struct vmail_buf *b, const struct jsonl_value *v)
{
	if (v->is == JSONL_NUMBER && v->number < 0)
		vmail_buf_char(b, '-');
	if (v->is == JSONL_NUMBER)
		vmail_buf_num(b,
		    v->number < 0 ? -(unsigned long long)v->number
				  : (unsigned long long)v->number,
		    1);
	else
		vmail_buf_str(b, v->text);
}

static bool
lay_out(const struct jsonl_value values[JSONL_KEYS], struct vmail_buf *line)
{
	static const enum jsonl_key order[] = { JSONL_USER, JSONL_PASSWORD,
		JSONL_UID, JSONL_GID, JSONL_GECOS, JSONL_HOME, JSONL_SHELL };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct jsonl_value *v = &values[order[i]];

		if (order[i] == JSONL_PASSWORD && v->is == JSONL_NONE)
			vmail_buf_z(line, "{CRYPT}*");
		put(line, v);
		vmail_buf_char(line, ':');
	}
	/* A lock that is nowhere else is put as `lock` puts it. */
	if (values[JSONL_LOCKED].number &&
	    vmail_extra_lock_state(values[JSONL_EXTRA].text) == VMAIL_LOCK_NONE)
		vmail_buf_z(line, values[JSONL_EXTRA].text.n > 0
				      ? "fail=vmail "
				      : "fail=vmail");
	vmail_buf_str(line, values[JSONL_EXTRA].text);
	return !line->full;
}

bool
jsonl_read(struct vmail_str text, struct vmail_buf *line, struct vmail_buf *why)
{
	struct jsonl_value values[JSONL_KEYS] = { 0 };
	json_t *json = NULL;
	bool good = jsonplain_read(text, values);

	if (!good) {
		memset(values, 0, sizeof(values));
		good = parse(text, &json, values, why);
	}
	if (good && values[JSONL_USER].is == JSONL_NONE)
		good = refuse(why, "user: missing", "");
	good = good && kinds_fit(values, why) && fields_fit(values, why) &&
	       agree(values, why);
	if (good && !lay_out(values, line))
		good = refuse(why, "too long for a line", "");
	json_decref(json);
	return good;
}

/* A number where the field is one and stays the same, null where it is empty.
 */
static json_t *
id(struct vmail_str field)
{
	uint64_t n;

	if (field.n == 0)
		return json_null();
	if (vmail_text_number(field, UINT32_MAX, &n) &&
	    (field.p[0] != '0' || field.n == 1))
		return json_integer((json_int_t)n);
	return json_stringn(field.p, field.n);
}

static json_t *
string(struct vmail_str s)
{
	return json_stringn(s.n ? s.p : "", s.n);
}

static bool
add(json_t *object, enum jsonl_key key, json_t *value, bool *utf8)
{
	if (!value)
		*utf8 = false; /* or no memory, which `object` meets too */
	return value && json_object_set_new(object, keys[key].name, value) == 0;
}

bool
jsonl_write(FILE *out, const struct vmail_entry *e, bool password, bool *utf8)
{
	bool locked = vmail_extra_lock_state(e->extra) != VMAIL_LOCK_NONE;
	struct vmail_str local, domain;
	json_t *o = json_object();
	bool good = o != NULL;

	*utf8 = true;
	vmail_name_split(e->name, &local, &domain);
	good =
	    good && add(o, JSONL_USER, string(e->name), utf8) &&
	    add(o, JSONL_DOMAIN, string(domain), utf8) &&
	    add(o, JSONL_UID, id(e->uid), utf8) &&
	    add(o, JSONL_GID, id(e->gid), utf8) &&
	    add(o, JSONL_GECOS, string(e->gecos), utf8) &&
	    add(o, JSONL_HOME, string(e->home), utf8) &&
	    add(o, JSONL_SHELL, string(e->shell), utf8) &&
	    add(o, JSONL_SCHEME, string(userview_scheme(e->password)), utf8) &&
	    add(o, JSONL_LOCKED, json_boolean(locked), utf8) &&
	    add(o, JSONL_EXTRA, string(e->extra), utf8);
	if (good && password)
		good = add(o, JSONL_PASSWORD, string(e->password), utf8);
	good = good && json_dumpf(o, out, JSON_ENSURE_ASCII) == 0 &&
	       putc('\n', out) != EOF;
	json_decref(o);
	return good;
}
