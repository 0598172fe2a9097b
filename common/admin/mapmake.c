#include "common/admin/mapmake.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/edits.h"
#include "common/admin/maphead.h"
#include "common/admin/store.h"
#include "common/scheme/scheme.h"

enum {
	WRITE_CHUNK = 262144,
	WRITE_BEHIND = 8 << 20, /* how much may wait for the disk's attention */
	TABLES = 256,
	SPARE_SLOTS = 16,
	RECORD_HEAD = 8,
	RECORD_MAX = RECORD_HEAD + VMAIL_PUBLIC_MAX + 32,
	ROOM_MIN = 8192,
	ROOM_MAX = 1 << 20,
	ROOM_SHARE = 64, /* one part of so many is room for records to come */
	UID_KEY = 16,	 /* ":uid:" and ten digits */
	COSTS = 32,
	SAMPLE_ALL = 4096,
	SAMPLE_ONE_OF = 64,
};

/* A slot as it stands in the file, but for the order of its bytes. */
struct slot {
	uint32_t hash, pos;
};

struct slots {
	struct slot *list;
	size_t n, room;
};

/* The mailboxes of one uid; pos is that of all of them, exclusive or: of the
 * one, where only one is left. Behind the uid's own record stands the mailbox
 * at `first`. */
struct owner {
	uint32_t uid, count, pos, first;
};

struct owners {
	struct owner *list; /* a hash table; a count that fell to 0 stays */
	size_t n, room;
};

struct cost {
	char text[VMAIL_COST_MAX];
	size_t n;
	uint64_t count;
};

struct vmail_mapmake {
	const struct vmail_conf *conf;
	char *path;
	struct vmail_err *err;
	enum vmail_rc rc; /* why it stopped */
	int fd;
	char *buf; /* WRITE_CHUNK: what stands from `pos` on */
	size_t have;
	uint64_t pos, handed; /* bytes written; of these, given to the disk */
	struct slots records; /* one each, in the file's order */
	struct owners uids;
	struct vmail_maphead head;
	uint64_t users, malformed;
	struct cost costs[COSTS];
	struct vmail_map_stamp stamp;
	uint32_t pointers[2 * TABLES];
};

static enum vmail_rc
fail(struct vmail_mapmake *b, enum vmail_rc rc, const char *what)
{
	b->rc = vmail_fail(b->err, rc, b->path, 0, what);
	return b->rc;
}

static enum vmail_rc
fail_sys(struct vmail_mapmake *b, const char *what)
{
	b->rc = vmail_fail_sys(b->err, b->path, what);
	return b->rc;
}

static enum vmail_rc
no_memory(struct vmail_mapmake *b)
{
	errno = ENOMEM;
	return fail_sys(b, "build the map");
}

static bool
push(struct slots *s, uint32_t hash, uint64_t pos)
{
	if (s->n == s->room) {
		size_t room = s->room != 0 ? 2 * s->room : 1024;
		struct slot *list = reallocarray(s->list, room, sizeof(*list));

		if (list == NULL)
			return false;
		s->list = list;
		s->room = room;
	}
	s->list[s->n++] = (struct slot){ hash, (uint32_t)pos };
	return true;
}

/* Hands over what is written early, so that the sync at the end finds little
 * left to wait for. */
static void
write_behind(struct vmail_mapmake *b)
{
	if (b->pos - b->handed < WRITE_BEHIND)
		return;
	(void)sync_file_range(b->fd, (off_t)b->handed,
	    (off_t)(b->pos - b->handed), SYNC_FILE_RANGE_WRITE);
	b->handed = b->pos;
}

static enum vmail_rc
flush(struct vmail_mapmake *b)
{
	if (!vmail_edits_pwrite(b->fd, b->buf, b->have, b->pos))
		return fail_sys(b, "write");
	b->pos += b->have;
	b->have = 0;
	write_behind(b);
	return VMAIL_OK;
}

/* Room for n more bytes (a record at most), which must all have a position. */
static enum vmail_rc
make_room(struct vmail_mapmake *b, size_t n)
{
	if (b->pos + b->have + n > UINT32_MAX)
		return fail(b, VMAIL_UNSUPPORTED, "a map over 4 GiB");
	return b->have + n <= WRITE_CHUNK ? VMAIL_OK : flush(b);
}

static void
put_u32(char *p, uint32_t n)
{
	n = htole32(n);
	memcpy(p, &n, sizeof(n));
}

/* Lays out a record's head; its key and data go to the builder *out. */
static enum vmail_rc
record_begin(
    struct vmail_mapmake *b, struct vmail_str key, struct vmail_buf *out)
{
	enum vmail_rc rc = make_room(b, RECORD_MAX);

	if (rc != VMAIL_OK)
		return rc;
	if (!push(&b->records, vmail_cdb_hash(key), b->pos + b->have))
		return no_memory(b);
	*out = (struct vmail_buf){
		.p = b->buf + b->have + RECORD_HEAD,
		.size = RECORD_MAX - RECORD_HEAD,
	};
	put_u32(b->buf + b->have, (uint32_t)key.n);
	vmail_buf_str(out, key);
	return VMAIL_OK;
}

static void
record_end(
    struct vmail_mapmake *b, struct vmail_str key, const struct vmail_buf *out)
{
	put_u32(b->buf + b->have + 4, (uint32_t)(out->len - key.n));
	b->have += RECORD_HEAD + out->len;
}

/* Neighbouring numbers far apart. */
static uint32_t
spread(uint32_t n)
{
	n *= 2654435761U;
	return n ^ n >> 15;
}

/* How many users this one stands for: judging a hash costs more than all else
 * that is done with a line, so of very many only some are looked at. */
static unsigned
sample(struct vmail_mapmake *b, uint64_t offset)
{
	if (b->users++ < SAMPLE_ALL)
		return 1;
	return spread((uint32_t)offset) % SAMPLE_ONE_OF == 0 ? SAMPLE_ONE_OF
							     : 0;
}

static void
count_cost(struct vmail_mapmake *b, struct vmail_str password, uint64_t offset)
{
	char text[VMAIL_COST_MAX];
	struct vmail_buf buf = { .p = text, .size = sizeof(text) };
	unsigned weight = sample(b, offset);

	if (weight == 0 || vmail_scheme_cost(password, &buf) != VMAIL_OK)
		return;
	for (size_t i = 0; i < COSTS; i++) {
		struct cost *c = &b->costs[i];

		if (c->count == 0) {
			memcpy(c->text, text, buf.len);
			c->n = buf.len;
		}
		if (c->n == buf.len && memcmp(c->text, text, c->n) == 0) {
			c->count += weight;
			return;
		}
	}
}

static struct owner *
owner_slot(const struct owners *u, uint32_t uid)
{
	size_t i = spread(uid) & (u->room - 1);

	while (u->list[i].uid != 0 && u->list[i].uid != uid)
		i = (i + 1) & (u->room - 1);
	return &u->list[i];
}

static bool
more_owners(struct owners *u)
{
	struct owners wide = { .n = u->n,
		.room = u->room != 0 ? 2 * u->room : 1024 };

	if (2 * (u->n + 1) <= u->room)
		return true;
	wide.list = calloc(wide.room, sizeof(*wide.list));
	if (wide.list == NULL)
		return false;
	for (size_t i = 0; i < u->room; i++)
		if (u->list[i].uid != 0)
			*owner_slot(&wide, u->list[i].uid) = u->list[i];
	free(u->list);
	*u = wide;
	return true;
}

static bool
count_owner(struct owners *u, uint32_t uid, uint64_t pos)
{
	struct owner *o;

	if (!more_owners(u))
		return false;
	o = owner_slot(u, uid);
	if (o->uid == 0) {
		u->n++;
		o->first = (uint32_t)pos;
	}
	o->uid = uid;
	o->count++;
	o->pos ^= (uint32_t)pos;
	return true;
}

/* As vmail_entry_put_public, but where all its fields stand in the line they
 * stand there as they are to stand in the map. */
static void
put_public(const struct vmail_entry *e, uint64_t offset, struct vmail_buf *out)
{
	if (e->colons < 6) {
		vmail_entry_put_public(e, offset, out);
		return;
	}
	vmail_buf_put(
	    out, e->uid.p, (size_t)(e->shell.p + e->shell.n - e->uid.p));
	vmail_buf_char(out, ':');
	vmail_buf_num(out, offset, 1);
}

/* `:uid:N`, laid out. */
static struct vmail_str
uid_key(uint32_t uid, char text[UID_KEY])
{
	struct vmail_buf key = { .p = text, .size = UID_KEY };

	vmail_buf_z(&key, ":uid:");
	vmail_buf_num(&key, uid, 1);
	return (struct vmail_str){ text, key.len };
}

static enum vmail_rc
put_record(
    struct vmail_mapmake *b, struct vmail_str key, struct vmail_str value)
{
	struct vmail_buf out;
	enum vmail_rc rc = record_begin(b, key, &out);

	if (rc != VMAIL_OK)
		return rc;
	vmail_buf_str(&out, value);
	record_end(b, key, &out);
	return VMAIL_OK;
}

/* Before the first mailbox of a uid goes that uid's record, as if it were to
 * be the only one: both come with one read then. */
static enum vmail_rc
announce(struct vmail_mapmake *b, uint32_t uid, struct vmail_str name)
{
	char text[UID_KEY];

	if (b->uids.room != 0 && owner_slot(&b->uids, uid)->uid != 0)
		return VMAIL_OK;
	return put_record(b, uid_key(uid, text), name);
}

/* One line of the passwd-file. */
static enum vmail_rc
take(struct vmail_mapmake *b, struct vmail_str line, uint64_t offset)
{
	struct vmail_entry e;
	struct vmail_buf out;
	uint32_t uid;
	bool own;
	enum vmail_rc rc = vmail_entry_parse(line, &e, NULL);

	b->malformed += rc == VMAIL_MALFORMED;
	if (rc != VMAIL_OK || !vmail_name_askable(e.name))
		return VMAIL_OK;
	count_cost(b, e.password, offset);
	if (!b->conf->nss_mailboxes)
		return VMAIL_OK;
	own = vmail_maphead_own_uid(&b->head, e.uid, &uid);
	if (own)
		rc = announce(b, uid, e.name);
	if (rc == VMAIL_OK)
		rc = record_begin(b, e.name, &out);
	if (rc != VMAIL_OK)
		return rc;
	if (own && !count_owner(&b->uids, uid, b->pos + b->have))
		return no_memory(b);
	put_public(&e, offset, &out);
	record_end(b, e.name, &out);
	return VMAIL_OK;
}

static bool
take_line(const struct vmail_walk_line *line, void *arg)
{
	struct vmail_mapmake *b = arg;

	if (line->whole == line->text.n)
		return take(b, line->text, line->offset) == VMAIL_OK;
	b->malformed++;
	return true;
}

/* The key of the record at pos, once all records are flushed. */
static bool
key_at(const struct vmail_mapmake *b, uint32_t pos, char window[RECORD_MAX],
    struct vmail_str *key)
{
	ssize_t got = vmail_file_pread(b->fd, window, RECORD_MAX, pos);
	uint32_t n;

	if (got < RECORD_HEAD)
		return false;
	n = vmail_cdb_u32((const unsigned char *)window);
	*key = (struct vmail_str){ window + RECORD_HEAD, n };
	return n <= (size_t)got - RECORD_HEAD;
}

static bool
same_key(const struct vmail_mapmake *b, uint32_t pos, uint32_t other)
{
	char one[RECORD_MAX], two[RECORD_MAX];
	struct vmail_str a, c;

	return key_at(b, pos, one, &a) && key_at(b, other, two, &c) &&
	       vmail_str_eq(a, c);
}

/* Puts a record into its table, unless an earlier one has its name. */
static bool
settle(const struct vmail_mapmake *b, struct slot *table, uint32_t n,
    struct slot s)
{
	uint32_t i = (s.hash >> 8) % n;

	while (table[i].pos != 0) {
		if (table[i].hash == s.hash && same_key(b, table[i].pos, s.pos))
			return false;
		i = i + 1 == n ? 0 : i + 1;
	}
	table[i] = s;
	return true;
}

/* Orders the records by table, within one as they stand in the file. first[t]
 * becomes the place of table t's first record. */
static enum vmail_rc
by_table(struct vmail_mapmake *b, size_t first[TABLES + 1])
{
	struct slots *r = &b->records;
	struct slot *sorted;
	size_t next[TABLES];

	memset(first, 0, (TABLES + 1) * sizeof(*first));
	for (size_t i = 0; i < r->n; i++)
		first[(r->list[i].hash & 255) + 1]++;
	for (size_t t = 0; t < TABLES; t++)
		first[t + 1] += first[t];
	memcpy(next, first, sizeof(next));
	sorted = reallocarray(NULL, r->n, sizeof(*sorted));
	if (sorted == NULL)
		return no_memory(b);
	for (size_t i = 0; i < r->n; i++)
		sorted[next[r->list[i].hash & 255]++] = r->list[i];
	free(r->list);
	*r = (struct slots){ sorted, r->n, r->n };
	return VMAIL_OK;
}

/* The largest table's slots, empty. */
static struct slot *
table_room(const size_t first[TABLES + 1])
{
	size_t most = 0;

	for (size_t t = 0; t < TABLES; t++)
		if (first[t + 1] - first[t] > most)
			most = first[t + 1] - first[t];
	return calloc(2 * most + SPARE_SLOTS, sizeof(struct slot));
}

/* A double is reached by nobody, by its uid neither. */
static void
forget(struct vmail_mapmake *b, struct slot *s)
{
	char window[RECORD_MAX];
	struct vmail_str key, rest;
	uint32_t uid;

	b->stamp.dups = true;
	if (b->uids.n != 0 && key_at(b, s->pos, window, &key)) {
		rest.p = key.p + key.n;
		rest.n = (size_t)(window + sizeof(window) - rest.p);
		if (vmail_maphead_own_uid(
			&b->head, vmail_text_cut(&rest, ':'), &uid)) {
			struct owner *o = owner_slot(&b->uids, uid);

			o->count--;
			o->pos ^= s->pos;
		}
	}
	s->pos = 0;
}

/* Fills table t, and says how many slots it has. */
static uint32_t
fill_table(struct vmail_mapmake *b, const size_t first[TABLES + 1], size_t t,
    struct slot *table)
{
	uint32_t n = (uint32_t)(2 * (first[t + 1] - first[t]) + SPARE_SLOTS);

	memset(table, 0, n * sizeof(*table));
	for (size_t i = first[t]; i < first[t + 1]; i++) {
		struct slot *s = &b->records.list[i];

		if (s->pos != 0 && !settle(b, table, n, *s))
			forget(b, s);
	}
	return n;
}

/* Each table filled in turn, and given to `use` (NULL: only to find doubles).
 */
static enum vmail_rc
each_table(
    struct vmail_mapmake *b, enum vmail_rc (*use)(struct vmail_mapmake *b,
				 size_t t, struct slot *table, uint32_t n))
{
	size_t first[TABLES + 1];
	struct slot *table;
	enum vmail_rc rc = flush(b);

	if (rc == VMAIL_OK)
		rc = by_table(b, first);
	if (rc != VMAIL_OK)
		return rc;
	if ((table = table_room(first)) == NULL)
		return no_memory(b);
	for (size_t t = 0; rc == VMAIL_OK && t < TABLES; t++) {
		uint32_t n = fill_table(b, first, t, table);

		if (use != NULL)
			rc = use(b, t, table, n);
	}
	free(table);
	return rc;
}

/* The record that announced the first mailbox becomes ":-----", which nobody
 * asks for. */
static enum vmail_rc
take_back(struct vmail_mapmake *b, const struct owner *o, struct vmail_str key)
{
	char window[RECORD_MAX];
	struct vmail_str name;
	size_t n;

	if (!key_at(b, o->first, window, &name))
		return fail_sys(b, "read back");
	n = key.n + name.n;
	memset(window, '-', n);
	*window = ':';
	if (!vmail_edits_pwrite(b->fd, window, n, o->first - n))
		return fail_sys(b, "write");
	return VMAIL_OK;
}

/* The one mailbox of that uid, or how many there are: where what was said at
 * first is not so. */
static enum vmail_rc
put_uid(struct vmail_mapmake *b, const struct owner *o)
{
	char text[UID_KEY], window[RECORD_MAX], digits[16];
	struct vmail_buf count = { .p = digits, .size = sizeof(digits) };
	struct vmail_str key = uid_key(o->uid, text), name;
	enum vmail_rc rc;

	if (o->count == 1 && o->pos == o->first)
		return VMAIL_OK;
	rc = take_back(b, o, key);
	if (rc != VMAIL_OK || o->count == 0)
		return rc;
	if (o->count == 1) {
		if (!key_at(b, o->pos, window, &name))
			return fail_sys(b, "read back");
		return put_record(b, key, name);
	}
	vmail_buf_char(&count, '*');
	vmail_buf_num(&count, o->count, 10);
	return put_record(b, key, (struct vmail_str){ digits, count.len });
}

static enum vmail_rc
put_uids(struct vmail_mapmake *b)
{
	enum vmail_rc rc;

	if (b->uids.n == 0)
		return VMAIL_OK;
	rc = each_table(b, NULL);
	for (size_t i = 0; rc == VMAIL_OK && i < b->uids.room; i++)
		if (b->uids.list[i].uid != 0)
			rc = put_uid(b, &b->uids.list[i]);
	return rc;
}

static enum vmail_rc
put_bytes(struct vmail_mapmake *b, const char *p, size_t n)
{
	while (n != 0) {
		size_t part = n < RECORD_MAX ? n : RECORD_MAX;
		enum vmail_rc rc = make_room(b, part);

		if (rc != VMAIL_OK)
			return rc;
		memcpy(b->buf + b->have, p, part);
		b->have += part;
		p += part;
		n -= part;
	}
	return VMAIL_OK;
}

/* Space for records to come, written so that it is there when needed. No
 * table leads to it. */
static enum vmail_rc
put_filler(struct vmail_mapmake *b)
{
	static const char key[] = ":room";
	char head[RECORD_HEAD], line[1024];
	uint64_t at = b->pos + b->have;
	uint64_t n = (at - VMAIL_MAP_PAGE) / ROOM_SHARE;
	enum vmail_rc rc;

	if (!b->conf->nss_mailboxes)
		return VMAIL_OK;
	n = n < ROOM_MIN ? ROOM_MIN : n > ROOM_MAX ? ROOM_MAX : n;
	put_u32(head, sizeof(key) - 1);
	put_u32(head + 4, (uint32_t)n);
	memset(line, '-', sizeof(line));
	b->stamp.room_pos = (uint32_t)at;
	b->stamp.room_len = (uint32_t)(sizeof(head) + sizeof(key) - 1 + n);
	rc = put_bytes(b, head, sizeof(head));
	if (rc == VMAIL_OK)
		rc = put_bytes(b, key, sizeof(key) - 1);
	while (rc == VMAIL_OK && n != 0) {
		size_t part = n < sizeof(line) ? (size_t)n : sizeof(line);

		rc = put_bytes(b, line, part);
		n -= part;
	}
	return rc;
}

static enum vmail_rc
put_table(struct vmail_mapmake *b, size_t t, struct slot *table, uint32_t n)
{
	b->pointers[2 * t] = htole32((uint32_t)(b->pos + b->have));
	b->pointers[2 * t + 1] = htole32(n);
	for (uint32_t i = 0; i < n; i++) {
		table[i].hash = htole32(table[i].hash);
		table[i].pos = htole32(table[i].pos);
	}
	return put_bytes(b, (const char *)table, n * sizeof(*table));
}

static struct vmail_str
usual_cost(struct vmail_mapmake *b, char conf_cost[VMAIL_COST_MAX])
{
	const struct cost *most = &b->costs[0];
	struct vmail_buf out = { .p = conf_cost, .size = VMAIL_COST_MAX };

	for (size_t i = 1; i < COSTS; i++)
		if (b->costs[i].count > most->count)
			most = &b->costs[i];
	if (most->count != 0)
		return (struct vmail_str){ most->text, most->n };
	if (vmail_scheme_cost_of_conf(b->conf, &out) != VMAIL_OK)
		out.len = 0;
	return (struct vmail_str){ conf_cost, out.len };
}

/* The first page, last of all: before that the file is no map. */
static enum vmail_rc
put_page(struct vmail_mapmake *b)
{
	char page[VMAIL_MAP_PAGE], cost[VMAIL_COST_MAX];
	char *head = page + VMAIL_CDB_POINTERS;
	char *value = page + VMAIL_MAP_HEADER_POS;
	const struct vmail_maphead_lines lines = { usual_cost(b, cost),
		b->malformed, 0 };
	enum vmail_rc rc;

	memcpy(page, b->pointers, VMAIL_CDB_POINTERS);
	put_u32(head, VMAIL_MAP_HEADER_POS - VMAIL_CDB_POINTERS - RECORD_HEAD);
	put_u32(head + 4, VMAIL_MAP_HEADER_LEN);
	memcpy(head + RECORD_HEAD, ":vmail", 6);
	vmail_map_put_stamp(&b->stamp, value);
	rc = vmail_maphead_put(
	    &b->head, &lines, value + VMAIL_MAP_STAMP_LEN, b->err);
	if (rc != VMAIL_OK)
		return rc;
	if (!vmail_edits_pwrite(b->fd, page, sizeof(page), 0))
		return fail_sys(b, "write");
	return VMAIL_OK;
}

static enum vmail_rc
begin(struct vmail_mapmake *b)
{
	enum vmail_rc rc = vmail_maphead_open(&b->head, b->conf, b->err);

	if (rc != VMAIL_OK)
		return rc;
	b->pos = b->handed = VMAIL_MAP_PAGE;
	if ((b->buf = malloc(WRITE_CHUNK)) == NULL ||
	    !push(&b->records, vmail_cdb_hash(VMAIL_STR(":vmail")),
		VMAIL_CDB_POINTERS))
		return no_memory(b);
	b->fd = open(
	    b->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (b->fd < 0)
		return fail_sys(b, "make");
	if (!vmail_maphead_chown(&b->head, b->fd))
		return fail_sys(b, "chown");
	return VMAIL_OK;
}

static enum vmail_rc
finish(struct vmail_mapmake *b)
{
	enum vmail_rc rc = each_table(b, put_table);

	if (rc == VMAIL_OK)
		rc = flush(b);
	return rc == VMAIL_OK ? put_page(b) : rc;
}

/* All that stands behind the mailboxes. */
static enum vmail_rc
put_rest(struct vmail_mapmake *b)
{
	enum vmail_rc rc = put_uids(b);

	if (rc == VMAIL_OK)
		rc = put_filler(b);
	return rc == VMAIL_OK ? finish(b) : rc;
}

/* The finished file, to the caller or closed: no longer ours to unlink. */
static void
give(struct vmail_mapmake *b, int *fd)
{
	if (fd != NULL)
		*fd = b->fd;
	else
		vmail_file_close(&b->fd);
	b->fd = -1;
}

void
vmail_mapmake_drop(struct vmail_mapmake **map)
{
	struct vmail_mapmake *b = *map;

	if (b == NULL)
		return;
	free(b->records.list);
	free(b->uids.list);
	vmail_maphead_close(&b->head);
	free(b->buf);
	if (b->fd >= 0)
		(void)unlink(b->path);
	vmail_file_close(&b->fd);
	free(b->path);
	free(b);
	*map = NULL;
}

enum vmail_rc
vmail_mapmake_begin(const struct vmail_conf *conf, const char *path,
    struct vmail_mapmake **map, struct vmail_err *err)
{
	struct vmail_mapmake *b = calloc(1, sizeof(*b));
	enum vmail_rc rc;

	if (b == NULL)
		return vmail_fail_sys(err, path, "build the map");
	b->conf = conf;
	b->err = err;
	b->fd = -1;
	b->path = strdup(path);
	rc = b->path != NULL ? begin(b) : no_memory(b);
	if (rc == VMAIL_OK)
		*map = b;
	else
		vmail_mapmake_drop(&b);
	return rc;
}

enum vmail_rc
vmail_mapmake_file(struct vmail_mapmake *b, int passwd_fd,
    const char *passwd_path, struct vmail_err *err)
{
	enum vmail_rc rc;

	b->err = err;
	rc = vmail_store_walk_fd(passwd_fd, passwd_path, take_line, b, err);
	return rc != VMAIL_OK ? rc : b->rc;
}

enum vmail_rc
vmail_mapmake_text(struct vmail_mapmake *b, struct vmail_str text,
    uint64_t offset, struct vmail_err *err)
{
	enum vmail_rc rc = VMAIL_OK;

	b->err = err;
	while (rc == VMAIL_OK && text.n != 0) {
		struct vmail_str line = vmail_text_cut(&text, '\n');

		rc = take(b, line, offset);
		offset += line.n + 1;
	}
	return rc;
}

enum vmail_rc
vmail_mapmake_end(struct vmail_mapmake **map, const struct stat *st, int *fd,
    struct vmail_err *err)
{
	struct vmail_mapmake *b = *map;
	enum vmail_rc rc;

	b->err = err;
	b->stamp.file = vmail_file_stamp(st);
	rc = put_rest(b);
	if (rc == VMAIL_OK)
		give(b, fd);
	vmail_mapmake_drop(map);
	return rc;
}

enum vmail_rc
vmail_mapmake_build(const struct vmail_conf *conf, int passwd_fd,
    const char *passwd_path, const char *path, int *fd, struct vmail_err *err)
{
	VMAIL_MAPMAKE *b = NULL;
	struct stat st;
	enum vmail_rc rc = vmail_mapmake_begin(conf, path, &b, err);

	if (rc == VMAIL_OK && fstat(passwd_fd, &st) != 0)
		rc = vmail_fail_sys(err, passwd_path, "stat");
	if (rc == VMAIL_OK)
		rc = vmail_mapmake_file(b, passwd_fd, passwd_path, err);
	if (rc == VMAIL_OK)
		rc = vmail_mapmake_end(&b, &st, fd, err);
	return rc;
}

enum vmail_rc
vmail_mapmake_header(const struct vmail_conf *conf, const char *path, int *fd,
    struct vmail_err *err)
{
	VMAIL_MAPMAKE *b = NULL;
	enum vmail_rc rc = vmail_mapmake_begin(conf, path, &b, err);

	if (rc == VMAIL_OK)
		rc = finish(b);
	if (rc == VMAIL_OK)
		give(b, fd);
	return rc;
}
