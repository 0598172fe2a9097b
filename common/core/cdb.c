#include "common/core/cdb.h"

#include <string.h>

#include "common/core/file.h"

enum { HEADER = 8, SLOT = 8, SLOTS_AT_ONCE = 32 };

/* A table, and the stretch of its slots that was read last. */
struct probe {
	const struct vmail_cdb *cdb;
	uint32_t pos, slots;
	uint32_t first, n;
	unsigned char buf[SLOTS_AT_ONCE * SLOT];
};

uint32_t
vmail_cdb_hash(struct vmail_str key)
{
	uint32_t h = 5381;

	for (size_t i = 0; i < key.n; i++)
		h = ((h << 5) + h) ^ (unsigned char)key.p[i];
	return h;
}

uint32_t
vmail_cdb_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static bool
table_at(
    const struct vmail_cdb *cdb, unsigned i, uint32_t *pos, uint32_t *slots)
{
	*pos = vmail_cdb_u32(cdb->pointers + (size_t)i * 8);
	*slots = vmail_cdb_u32(cdb->pointers + (size_t)i * 8 + 4);
	return *slots == 0 || (*pos >= VMAIL_CDB_POINTERS &&
				  *pos + (uint64_t)*slots * SLOT <= cdb->size);
}

static enum vmail_rc
read_all(const struct vmail_cdb *cdb, void *buf, size_t n, uint64_t off)
{
	ssize_t got = vmail_file_pread(cdb->fd, buf, n, off);

	if (got < 0)
		return VMAIL_IO;
	return (size_t)got == n ? VMAIL_OK : VMAIL_MALFORMED;
}

/* A small table comes whole, so that wrapping around costs no second read. */
static enum vmail_rc
probe_slot(struct probe *t, uint32_t i, uint32_t *hash, uint32_t *pos)
{
	if (i < t->first || i - t->first >= t->n) {
		t->first = t->slots <= SLOTS_AT_ONCE ? 0 : i;
		t->n = t->slots - t->first;
		if (t->n > SLOTS_AT_ONCE)
			t->n = SLOTS_AT_ONCE;
		enum vmail_rc rc = read_all(t->cdb, t->buf, (size_t)t->n * SLOT,
		    t->pos + (uint64_t)t->first * SLOT);
		if (rc != VMAIL_OK)
			return rc;
	}
	const unsigned char *slot = t->buf + (size_t)(i - t->first) * SLOT;

	*hash = vmail_cdb_u32(slot);
	*pos = vmail_cdb_u32(slot + 4);
	return VMAIL_OK;
}

/* One pread: the header, the key and what fits of the data. */
static enum vmail_rc
read_record(const struct vmail_cdb *cdb, uint32_t pos, char *window,
    size_t size, struct vmail_str *key, struct vmail_cdb_record *rec)
{
	if (pos < VMAIL_CDB_POINTERS || pos + (uint64_t)HEADER > cdb->size)
		return VMAIL_MALFORMED;

	uint64_t left = cdb->size - pos;
	size_t n = left < size ? (size_t)left : size;
	enum vmail_rc rc = read_all(cdb, window, n, pos);
	if (rc != VMAIL_OK)
		return rc;

	uint32_t klen = vmail_cdb_u32((unsigned char *)window);
	uint32_t dlen = vmail_cdb_u32((unsigned char *)window + 4);
	if ((uint64_t)klen + dlen > left - HEADER)
		return VMAIL_MALFORMED;

	size_t came = n - HEADER;
	size_t k = klen < came ? klen : came;
	size_t d = dlen < came - k ? dlen : came - k;

	*key = (struct vmail_str){ window + HEADER, k };
	*rec = (struct vmail_cdb_record){ .pos = pos,
		.klen = klen,
		.dlen = dlen,
		.data_pos = pos + (uint64_t)HEADER + klen,
		.data = { window + HEADER + k, d },
		.behind = { window + HEADER + k + d, came - k - d } };
	return VMAIL_OK;
}

bool
vmail_cdb_behind(const struct vmail_cdb_record *rec, struct vmail_str *key,
    struct vmail_cdb_record *next)
{
	struct vmail_str rest = rec->behind;
	uint64_t pos = rec->data_pos + rec->dlen;

	if (rest.n < HEADER || pos > UINT32_MAX)
		return false;

	uint32_t klen = vmail_cdb_u32((const unsigned char *)rest.p);
	uint32_t dlen = vmail_cdb_u32((const unsigned char *)rest.p + 4);
	if ((uint64_t)klen + dlen > rest.n - HEADER)
		return false;
	*key = (struct vmail_str){ rest.p + HEADER, klen };
	*next = (struct vmail_cdb_record){ .pos = (uint32_t)pos,
		.klen = klen,
		.dlen = dlen,
		.data_pos = pos + HEADER + klen,
		.data = { key->p + klen, dlen },
		.behind = {
		    key->p + klen + dlen, rest.n - HEADER - klen - dlen } };
	return true;
}

enum vmail_rc
vmail_cdb_find(const struct vmail_cdb *cdb, struct vmail_str key, char *window,
    size_t size, struct vmail_cdb_record *rec)
{
	uint32_t wanted = vmail_cdb_hash(key);
	struct probe t = { .cdb = cdb };

	if (size < HEADER || key.n > size - HEADER)
		return VMAIL_TOO_SMALL;
	if (!table_at(cdb, wanted & 255, &t.pos, &t.slots))
		return VMAIL_MALFORMED;

	for (uint32_t i = 0; i < t.slots; i++) {
		uint32_t hash, pos;
		uint32_t slot =
		    (uint32_t)(((wanted >> 8) + (uint64_t)i) % t.slots);
		enum vmail_rc rc = probe_slot(&t, slot, &hash, &pos);
		if (rc != VMAIL_OK)
			return rc;
		if (pos == 0)
			return VMAIL_NOT_FOUND;
		if (hash != wanted)
			continue;

		struct vmail_str found;
		struct vmail_cdb_record r;
		rc = read_record(cdb, pos, window, size, &found, &r);
		if (rc != VMAIL_OK)
			return rc;
		if (r.klen == key.n && vmail_str_eq(found, key)) {
			*rec = r;
			return VMAIL_OK;
		}
	}
	return VMAIL_NOT_FOUND;
}

/* Records end where the lowest table begins. */
static enum vmail_rc
records_end(const struct vmail_cdb *cdb, uint32_t *end)
{
	uint32_t lowest = VMAIL_CDB_POINTERS;
	bool any = false;

	for (unsigned i = 0; i < 256; i++) {
		uint32_t pos, slots;

		if (!table_at(cdb, i, &pos, &slots))
			return VMAIL_MALFORMED;
		if (slots != 0 && (!any || pos < lowest)) {
			lowest = pos;
			any = true;
		}
	}
	*end = lowest;
	return VMAIL_OK;
}

enum vmail_rc
vmail_cdb_walk(const struct vmail_cdb *cdb, uint32_t pos, char *window,
    size_t size, struct vmail_str *key, struct vmail_cdb_record *rec,
    uint32_t *next)
{
	uint32_t end;
	enum vmail_rc rc = records_end(cdb, &end);

	if (size < HEADER)
		return VMAIL_TOO_SMALL;
	if (rc != VMAIL_OK)
		return rc;
	if (pos >= end)
		return VMAIL_NOT_FOUND;

	struct vmail_str k;
	struct vmail_cdb_record r;
	rc = read_record(cdb, pos, window, size, &k, &r);
	if (rc != VMAIL_OK)
		return rc;
	if (r.data_pos + r.dlen > end)
		return VMAIL_MALFORMED;
	*key = k;
	*rec = r;
	*next = (uint32_t)(r.data_pos + r.dlen);
	return VMAIL_OK;
}
