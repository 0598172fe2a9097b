#include "common/core/map.h"

#include <fcntl.h>
#include <string.h>

#include "common/core/entry.h"

/* What the page must say from byte 2048 on: 6 and 2034, the key. */
static const char first_record[] = "\6\0\0\0\xf2\7\0\0:vmail";

_Static_assert(
    sizeof(first_record) - 1 + VMAIL_CDB_POINTERS == VMAIL_MAP_HEADER_POS,
    "the first record's value begins where the format says");
_Static_assert(8 + (int)VMAIL_PUBLIC_MAX + 32 <= (int)VMAIL_PUBLIC_RECORD,
    "the longest record fits into the window");
_Static_assert(
    (int)VMAIL_PUBLIC_WINDOW - (int)VMAIL_PUBLIC_RECORD > (int)VMAIL_NAME_MAX,
    "a name fits behind a record");

/* The stamp's line: widths of the fields, and the largest value of each. */
enum {
	F_VERSION,
	F_SIZE,
	F_SEC,
	F_NSEC,
	F_INO,
	F_DRIFT,
	F_POS,
	F_LEN,
	F_DUPS,
	FIELDS
};

static const struct {
	unsigned width;
	uint64_t max;
} fields[FIELDS] = {
	[F_VERSION] = { 1, 9 },
	[F_SIZE] = { 20, UINT64_MAX },
	[F_SEC] = { 20, INT64_MAX },
	[F_NSEC] = { 9, 999999999 },
	[F_INO] = { 20, UINT64_MAX },
	[F_DRIFT] = { 6, 999999 },
	[F_POS] = { 10, UINT32_MAX },
	[F_LEN] = { 10, UINT32_MAX },
	[F_DUPS] = { 1, 1 },
};

void
vmail_map_put_stamp(
    const struct vmail_map_stamp *s, char out[VMAIL_MAP_STAMP_LEN])
{
	struct vmail_buf b = { .p = out, .size = VMAIL_MAP_STAMP_LEN };
	/* A time before 1970 is always stale, whatever stands here. */
	const uint64_t values[FIELDS] = { [F_VERSION] = VMAIL_MAP_VERSION,
		[F_SIZE] = s->file.size,
		[F_SEC] = s->file.sec < 0 ? 0 : (uint64_t)s->file.sec,
		[F_NSEC] = s->file.nsec,
		[F_INO] = s->file.ino,
		[F_DRIFT] = s->drift,
		[F_POS] = s->room_pos,
		[F_LEN] = s->room_len,
		[F_DUPS] = s->dups };

	for (int i = 0; i < FIELDS; i++) {
		vmail_buf_num(&b, values[i], fields[i].width);
		vmail_buf_char(&b, i == FIELDS - 1 ? '\n' : ' ');
	}
}

bool
vmail_map_get_stamp(
    const char in[VMAIL_MAP_STAMP_LEN], struct vmail_map_stamp *s)
{
	uint64_t v[FIELDS];

	for (int i = 0; i < FIELDS; i++) {
		struct vmail_str f = { in, fields[i].width };

		if (!vmail_text_number(f, fields[i].max, &v[i]))
			return false;
		in += f.n;
		if (*in++ != (i == FIELDS - 1 ? '\n' : ' '))
			return false;
	}
	if (v[F_VERSION] != VMAIL_MAP_VERSION)
		return false;
	*s = (struct vmail_map_stamp){ .file = { .size = v[F_SIZE],
					   .sec = (int64_t)v[F_SEC],
					   .nsec = (uint32_t)v[F_NSEC],
					   .ino = v[F_INO] },
		.drift = (uint32_t)v[F_DRIFT],
		.room_pos = (uint32_t)v[F_POS],
		.room_len = (uint32_t)v[F_LEN],
		.dups = v[F_DUPS] != 0 };
	return true;
}

void
vmail_map_put_account(const struct vmail_map_account *a, struct vmail_buf *out)
{
	const uint64_t values[] = { a->file.size, (uint64_t)a->file.sec,
		a->file.nsec, a->file.ino, (uint64_t)a->changed_sec,
		a->changed_nsec, a->uid, a->gid };

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (i > 0)
			vmail_buf_char(out, ' ');
		vmail_buf_num(out, values[i], 1);
	}
}

bool
vmail_map_get_account(struct vmail_str value, struct vmail_map_account *a)
{
	static const uint64_t max[] = { UINT64_MAX, INT64_MAX, 999999999,
		UINT64_MAX, INT64_MAX, 999999999, UINT32_MAX, UINT32_MAX };
	uint64_t v[8];

	for (int i = 0; i < 8; i++)
		if (value.p == NULL ||
		    !vmail_text_number(
			vmail_text_cut(&value, ' '), max[i], &v[i]))
			return false;
	*a = (struct vmail_map_account){ .file = { .size = v[0],
					     .sec = (int64_t)v[1],
					     .nsec = (uint32_t)v[2],
					     .ino = v[3] },
		.changed_sec = (int64_t)v[4],
		.changed_nsec = (uint32_t)v[5],
		.uid = (uint32_t)v[6],
		.gid = (uint32_t)v[7] };
	return value.p == NULL;
}

static bool
set_owner(struct vmail_map *map, struct vmail_str value)
{
	struct vmail_str user = vmail_text_cut(&value, ':');

	if (user.n == 0 || value.n == 0)
		return false;
	map->owner_user = user;
	map->owner_group = value;
	return true;
}

static bool
set_bool(bool *out, struct vmail_str value)
{
	*out = vmail_str_is(value, "yes");
	return *out || vmail_str_is(value, "no");
}

static bool
set_uid(uint32_t *out, struct vmail_str value)
{
	uint64_t n;

	if (!vmail_text_number(value, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

/* The lines of views stand behind their count and keep their line feeds. */
static bool
set_views(struct vmail_map *map, struct vmail_str value, struct vmail_str *rest)
{
	uint64_t lines;

	if (vmail_str_is(value, "file")) {
		map->views = (struct vmail_str){ NULL, 0 };
		return true;
	}
	if (!vmail_text_number(value, VMAIL_MAP_HEADER_LEN, &lines))
		return false;

	const char *begin = rest->p;
	for (; lines > 0 && rest->n > 0; lines--)
		(void)vmail_text_cut(rest, '\n');
	map->views = (struct vmail_str){ begin, (size_t)(rest->p - begin) };
	return lines == 0;
}

enum setting {
	S_PASSWD_FILE,
	S_OWNER,
	S_HOME,
	S_FIRST_UID,
	S_LAST_UID,
	S_MAILBOXES,
	S_ENUMERATE,
	S_COST,
	S_MALFORMED,
	S_PATCHED,
	S_ACCOUNT,
	S_VIEWS,
	SETTINGS
};

#define KEY(z)                                                                 \
	{                                                                      \
		z, sizeof(z) - 1                                               \
	}

/* In the order in which they are written: every lookup reads them all. */
static const struct vmail_str keys[SETTINGS] = {
	[S_PASSWD_FILE] = KEY("passwd_file"),
	[S_OWNER] = KEY("owner"),
	[S_HOME] = KEY("home"),
	[S_FIRST_UID] = KEY("first_valid_uid"),
	[S_LAST_UID] = KEY("last_valid_uid"),
	[S_MAILBOXES] = KEY("nss_mailboxes"),
	[S_ENUMERATE] = KEY("nss_enumerate"),
	[S_COST] = KEY("cost"),
	[S_MALFORMED] = KEY("malformed"),
	[S_PATCHED] = KEY("patched"),
	[S_ACCOUNT] = KEY("account"),
	[S_VIEWS] = KEY("views"),
};

/* Takes the key and its '=' off the line: the expected one, else any; one we
 * do not know is a later writer's: SETTINGS. False: there is no '='. */
static bool
cut_key(struct vmail_str *line, enum setting expected, enum setting *setting)
{
	struct vmail_str key;

	if (expected < SETTINGS) {
		key = keys[expected];
		if (line->n > key.n && line->p[key.n] == '=' &&
		    memcmp(line->p, key.p, key.n) == 0) {
			line->p += key.n + 1;
			line->n -= key.n + 1;
			*setting = expected;
			return true;
		}
	}
	key = vmail_text_cut(line, '=');
	*setting = 0;
	while (*setting < SETTINGS && !vmail_str_eq(key, keys[*setting]))
		++*setting;
	return line->p != NULL;
}

static bool
set_one(struct vmail_map *map, enum setting setting, struct vmail_str value,
    struct vmail_str *rest)
{
	switch (setting) {
	case S_PASSWD_FILE:
		map->passwd_file = value.p;
		return vmail_str_starts(value, "/") &&
		       value.n <= VMAIL_CONF_PATH_MAX;
	case S_OWNER:
		return set_owner(map, value);
	case S_HOME:
		map->home = value.p;
		return value.n <= VMAIL_CONF_PATH_MAX;
	case S_FIRST_UID:
		return set_uid(&map->first_valid_uid, value);
	case S_LAST_UID:
		return set_uid(&map->last_valid_uid, value);
	case S_MAILBOXES:
		return set_bool(&map->nss_mailboxes, value);
	case S_ENUMERATE:
		return set_bool(&map->nss_enumerate, value);
	case S_COST:
		map->cost = value;
		return true;
	case S_MALFORMED:
		return vmail_text_number(value, UINT64_MAX, &map->malformed);
	case S_PATCHED:
		return vmail_text_number(value, UINT64_MAX, &map->patched);
	case S_ACCOUNT:
		/* Read by who asks for the owner: most do not. */
		map->account = value;
		return true;
	case S_VIEWS:
		return set_views(map, value, rest);
	case SETTINGS:
		return true;
	}
	return false;
}

/* conf.c's defaults; a struct vmail_conf would be too large a frame here. */
static void
set_defaults(struct vmail_map *map)
{
	map->passwd_file = "/etc/vmail/passwd";
	map->home = "/var/mail/vhosts/%d/%n";
	map->owner_user = map->owner_group = VMAIL_STR("vmail");
	map->cost = map->views = map->account = VMAIL_STR("");
	map->first_valid_uid = 500;
	map->last_valid_uid = 60000;
	map->nss_mailboxes = true;
	map->nss_enumerate = false;
	map->malformed = UINT64_MAX;
	map->patched = 0;
}

/* Line feeds to the end, the last of which has been seen: 1,500 bytes, and
 * every lookup asks. */
static bool
padding(struct vmail_str rest)
{
	return rest.n == 0 || memcmp(rest.p, rest.p + 1, rest.n - 1) == 0;
}

/* Cuts the settings in place: each value becomes a terminated string. */
static bool
parse_settings(struct vmail_map *map)
{
	char *text = map->page + VMAIL_MAP_HEADER_POS + VMAIL_MAP_STAMP_LEN;
	struct vmail_str rest = { text,
		VMAIL_MAP_HEADER_LEN - VMAIL_MAP_STAMP_LEN };
	enum setting setting, next = 0;

	if (memchr(rest.p, '\0', rest.n) != NULL || rest.p[rest.n - 1] != '\n')
		return false;
	while (rest.n > 0) {
		struct vmail_str value = vmail_text_cut(&rest, '\n');

		if (value.n == 0)
			return padding(rest);
		text[(size_t)(value.p - text) + value.n] = '\0';
		if (!cut_key(&value, next, &setting) ||
		    !set_one(map, setting, value, &rest))
			return false;
		next = setting + 1;
	}
	return true;
}

static bool
parse_page(struct vmail_map *map)
{
	const char *head = map->page + VMAIL_CDB_POINTERS;
	const char *value = map->page + VMAIL_MAP_HEADER_POS;

	set_defaults(map);
	return memcmp(head, first_record, sizeof(first_record) - 1) == 0 &&
	       vmail_map_get_stamp(value, &map->stamp) && parse_settings(map) &&
	       map->first_valid_uid <= map->last_valid_uid;
}

static enum vmail_rc
read_page(struct vmail_map *map, const char *path, struct vmail_err *err)
{
	ssize_t got =
	    vmail_file_pread(map->cdb.fd, map->page, VMAIL_MAP_PAGE, 0);

	if (got < 0)
		return vmail_fail_sys(err, path, "read");
	if (got != VMAIL_MAP_PAGE)
		return vmail_fail(
		    err, VMAIL_MALFORMED, path, 0, "shorter than its header");
	map->cdb.pointers = (const unsigned char *)map->page;
	if (!parse_page(map))
		return vmail_fail(err, VMAIL_MALFORMED, path, 0,
		    "not a map of version 1, or damaged");
	return VMAIL_OK;
}

enum vmail_rc
vmail_map_open(const char *path, struct vmail_map *map, struct vmail_err *err)
{
	struct stat st;
	enum vmail_rc rc;

	map->cdb.fd = -1;
	rc = vmail_file_open(path, O_RDONLY, &map->cdb.fd, &st, err);
	if (rc != VMAIL_OK)
		return rc;
	map->cdb.size = (uint64_t)st.st_size;
	map->uid = st.st_uid;
	map->gid = st.st_gid;
	rc = vmail_file_trust(&st, path, err);
	if (rc == VMAIL_OK)
		rc = read_page(map, path, err);
	if (rc != VMAIL_OK)
		vmail_map_close(map);
	return rc;
}

void
vmail_map_close(struct vmail_map *map)
{
	vmail_file_close(&map->cdb.fd);
}

enum vmail_rc
vmail_map_path(const char *passwd_file, char *out, size_t size)
{
	struct vmail_buf b = { .p = out, .size = size };

	vmail_buf_z(&b, passwd_file);
	vmail_buf_z(&b, ".cdb");
	return vmail_buf_end(&b);
}

bool
vmail_map_fresh(const struct vmail_map *map, const struct stat *passwd)
{
	struct vmail_stamp now = vmail_file_stamp(passwd);
	const struct vmail_stamp *s = &map->stamp.file;

	if (s->size == 0 && s->sec == 0 && s->nsec == 0 && s->ino == 0)
		return false;
	return vmail_file_same(s, &now);
}

bool
vmail_map_cut(struct vmail_str value, struct vmail_public *out)
{
	struct vmail_str rest = value, part[5];
	uint64_t offset;

	for (int i = 0; i < 5; i++) {
		part[i] = vmail_text_cut(&rest, ':');
		if (rest.p == NULL)
			return false;
	}
	if (!vmail_text_number(rest, UINT64_MAX, &offset) ||
	    memchr(value.p, '\0', value.n) != NULL ||
	    memchr(value.p, '\n', value.n) != NULL)
		return false;
	*out = (struct vmail_public){ .uid = part[0],
		.gid = part[1],
		.gecos = part[2],
		.home = part[3],
		.shell = part[4],
		.offset = offset };
	return true;
}

/* A record read through a window -> its fields. */
static enum vmail_rc
cut_record(struct vmail_str name, const struct vmail_cdb_record *rec,
    struct vmail_public *out)
{
	struct vmail_public p;

	if (rec->data.n != rec->dlen || !vmail_map_cut(rec->data, &p))
		return VMAIL_MALFORMED;
	p.name = name;
	*out = p;
	return VMAIL_OK;
}

enum vmail_rc
vmail_map_find(const struct vmail_map *map, struct vmail_str name,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	struct vmail_cdb_record rec;

	if (!vmail_name_askable(name))
		return VMAIL_NOT_FOUND;
	enum vmail_rc rc =
	    vmail_cdb_find(&map->cdb, name, window, VMAIL_PUBLIC_RECORD, &rec);
	if (rc != VMAIL_OK)
		return rc;
	name.p = rec.data.p - name.n;
	return cut_record(name, &rec, out);
}

/* The record behind that of a number is its mailbox's, where the builder put
 * it and nobody changed it since. Where names are equal, which one is the
 * first only its table can tell. */
static bool
cut_behind(const struct vmail_map *map, const struct vmail_cdb_record *rec,
    struct vmail_public *out)
{
	struct vmail_cdb_record next;
	struct vmail_str key;

	return !map->stamp.dups && vmail_cdb_behind(rec, &key, &next) &&
	       vmail_str_eq(key, rec->data) &&
	       cut_record(key, &next, out) == VMAIL_OK;
}

enum vmail_rc
vmail_map_name_of(const struct vmail_map *map, uint32_t uid,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_str *name,
    struct vmail_public *behind)
{
	char text[16];
	struct vmail_buf b = { .p = text, .size = sizeof(text) };
	struct vmail_cdb_record rec;

	vmail_buf_z(&b, ":uid:");
	vmail_buf_num(&b, uid, 1);
	enum vmail_rc rc =
	    vmail_cdb_find(&map->cdb, (struct vmail_str){ text, b.len }, window,
		VMAIL_PUBLIC_RECORD, &rec);
	if (rc != VMAIL_OK)
		return rc;
	if (rec.data.n != rec.dlen)
		return VMAIL_MALFORMED;
	if (rec.data.p[0] == '*' || !vmail_name_askable(rec.data))
		return VMAIL_NOT_FOUND;
	if (!cut_behind(map, &rec, behind))
		behind->name.n = 0;
	memmove(window + VMAIL_PUBLIC_RECORD, rec.data.p, rec.data.n);
	*name = (struct vmail_str){ window + VMAIL_PUBLIC_RECORD, rec.data.n };
	return VMAIL_OK;
}

/* An earlier record has this name: nothing but a walk ever meets this one.
 * Kept out of line: its window is stack that one without DUPS need not have. */
static __attribute__((noinline)) enum vmail_rc
is_shadowed(const struct vmail_map *map, struct vmail_str name, uint32_t pos,
    bool *shadowed)
{
	char window[8 + VMAIL_NAME_MAX];
	struct vmail_cdb_record rec;

	*shadowed = false;
	if (!map->stamp.dups)
		return VMAIL_OK;
	enum vmail_rc rc =
	    vmail_cdb_find(&map->cdb, name, window, sizeof(window), &rec);
	*shadowed = rc == VMAIL_OK && rec.pos != pos;
	return rc == VMAIL_NOT_FOUND ? VMAIL_MALFORMED : rc;
}

enum vmail_rc
vmail_map_next(const struct vmail_map *map, uint32_t *pos,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	uint32_t at = *pos == 0 ? VMAIL_CDB_POINTERS : *pos;
	struct vmail_str key;
	struct vmail_cdb_record rec;
	bool passed_over;

	do {
		enum vmail_rc rc = vmail_cdb_walk(&map->cdb, at, window,
		    VMAIL_PUBLIC_RECORD, &key, &rec, &at);
		if (rc != VMAIL_OK)
			return rc;
		passed_over = !vmail_name_askable(key); /* ":..." too */
		if (passed_over)
			continue;
		rc = is_shadowed(map, key, rec.pos, &passed_over);
		if (rc != VMAIL_OK)
			return rc;
	} while (passed_over);

	enum vmail_rc rc = cut_record(key, &rec, out);
	if (rc == VMAIL_OK)
		*pos = at;
	return rc;
}
