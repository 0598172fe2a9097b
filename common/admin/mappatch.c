#include "common/admin/mappatch.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/maphead.h"
#include "common/core/entry.h"
#include "common/core/file.h"

enum {
	RESTAMP = 128, /* bytes that one pwrite puts in place whole */
	HEAD = 8,      /* of a record, before its key */
	RECORD_MAX = HEAD + VMAIL_PUBLIC_MAX + 32,
	SLOT = 8,
	COUNT_DIGITS = 10,
};

/* Is the live map the old content's, and can its offsets stand so much more
 * doubt? */
static bool
can_follow(const struct vmail_map *map, const struct stat *old, uint64_t drift)
{
	return vmail_map_fresh(map, old) && drift <= VMAIL_MAP_DRIFT_MAX &&
	       map->stamp.drift + drift <= VMAIL_MAP_DRIFT_MAX &&
	       !(map->stamp.dups && drift != 0);
}

bool
vmail_mappatch_can_restamp(const struct vmail_conf *conf, const char *path,
    const struct stat *old, uint64_t drift)
{
	struct vmail_map map;
	bool can;

	if (vmail_map_open(path, &map, NULL) != VMAIL_OK)
		return false;
	can = can_follow(&map, old, drift) && vmail_maphead_current(conf, &map);
	vmail_map_close(&map);
	return can;
}

enum vmail_rc
vmail_mappatch_restamp(const char *path, const struct stat *new, uint64_t drift,
    struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = -1;
	char bytes[RESTAMP];
	struct vmail_map_stamp stamp;
	struct stat st;
	enum vmail_rc rc = vmail_file_open(path, O_RDWR, &fd, &st, err);

	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, path, err);
	if (rc != VMAIL_OK)
		return rc;
	if (vmail_file_pread(fd, bytes, RESTAMP, VMAIL_MAP_HEADER_POS) !=
		RESTAMP ||
	    !vmail_map_get_stamp(bytes, &stamp))
		return vmail_fail(
		    err, VMAIL_MALFORMED, path, 0, "not a map, or damaged");
	stamp.file = vmail_file_stamp(new);
	stamp.drift += (uint32_t)drift;
	vmail_map_put_stamp(&stamp, bytes);
	if (!vmail_edits_pwrite(fd, bytes, RESTAMP, VMAIL_MAP_HEADER_POS))
		return vmail_fail_sys(err, path, "write the stamp");
	/* Postfix opens a map anew when its time changes: nothing it reads
	 * has changed. */
	if (futimens(fd, (struct timespec[]){
			     { .tv_nsec = UTIME_OMIT }, st.st_mtim }) != 0)
		return vmail_fail_sys(err, path, "keep the map's time");
	return VMAIL_OK;
}

static const char room_key[] = ":room";
enum { ROOM_KEY = sizeof(room_key) - 1 };

/* A copy on its way. The map's page is the old one's, its file the new. */
struct patch {
	const struct vmail_maphead *head;
	struct vmail_map *map;
	int fd;
	struct vmail_map_stamp stamp; /* as it is to be */
	uint64_t patched;
	enum vmail_rc rc; /* why it stopped */
	char window[VMAIL_PUBLIC_WINDOW];
};

/* No further: the map must be built. */
static bool
rebuild(struct patch *p)
{
	p->rc = VMAIL_MISMATCH;
	return false;
}

static bool
put(struct patch *p, const void *bytes, size_t n, uint64_t at)
{
	if (vmail_edits_pwrite(p->fd, bytes, n, at))
		return true;
	p->rc = VMAIL_IO;
	return false;
}

static bool
get(struct patch *p, void *bytes, size_t n, uint64_t at)
{
	ssize_t got = vmail_file_pread(p->fd, bytes, n, at);

	if (got == (ssize_t)n)
		return true;
	return rebuild(p);
}

static void
put_u32(char *p, uint32_t n)
{
	n = htole32(n);
	memcpy(p, &n, sizeof(n));
}

/* False, and p->rc, where the map is damaged; *there: is it in the map? */
static bool
find(struct patch *p, struct vmail_str key, struct vmail_cdb_record *rec,
    bool *there)
{
	enum vmail_rc rc = vmail_cdb_find(
	    &p->map->cdb, key, p->window, VMAIL_PUBLIC_RECORD, rec);

	*there = rc == VMAIL_OK;
	if (rc == VMAIL_NOT_FOUND)
		return true;
	return rc == VMAIL_OK && rec->data.n == rec->dlen ? true : rebuild(p);
}

/* Its key and value become ":-----": a record that nobody asks for. */
static bool
erase(struct patch *p, const struct vmail_cdb_record *rec)
{
	char filler[RECORD_MAX];
	size_t n = (size_t)rec->klen + rec->dlen;

	if (n > sizeof(filler) || n == 0)
		return rebuild(p);
	memset(filler, '-', n);
	filler[0] = ':';
	return put(p, filler, n, (uint64_t)rec->pos + HEAD);
}

/* Takes the first free slot for the record at pos; one more must stay free,
 * by which a search ends. */
static bool
take_slot(struct patch *p, uint32_t hash, uint32_t pos)
{
	const unsigned char *pointer =
	    p->map->cdb.pointers + (size_t)(hash & 255) * SLOT;
	uint32_t table = vmail_cdb_u32(pointer);
	uint32_t slots = vmail_cdb_u32(pointer + 4);
	uint64_t taken = 0;

	for (uint32_t i = 0; i < slots; i++) {
		uint64_t at =
		    table + ((hash >> 8) + (uint64_t)i) % slots * SLOT;
		char slot[SLOT];

		if (!get(p, slot, SLOT, at))
			return false;
		if (vmail_cdb_u32((unsigned char *)slot + 4) != 0)
			continue;
		if (taken != 0) {
			put_u32(slot, hash);
			put_u32(slot + 4, pos);
			return put(p, slot, SLOT, taken);
		}
		taken = at;
	}
	return rebuild(p);
}

/* Does the room stand where the header says, and hold n bytes more? */
static bool
has_room(struct patch *p, size_t n)
{
	const struct vmail_map_stamp *s = &p->stamp;
	char head[HEAD + ROOM_KEY];

	if (s->room_len < n + sizeof(head) ||
	    !get(p, head, sizeof(head), s->room_pos))
		return rebuild(p);
	if (vmail_cdb_u32((unsigned char *)head) != ROOM_KEY ||
	    vmail_cdb_u32((unsigned char *)head + 4) !=
		s->room_len - sizeof(head) ||
	    memcmp(head + HEAD, room_key, ROOM_KEY) != 0)
		return rebuild(p);
	return true;
}

/* Carves a record from the room; what is left is a shorter room. */
static bool
add(struct patch *p, struct vmail_str key, struct vmail_str value)
{
	struct vmail_map_stamp *s = &p->stamp;
	char text[RECORD_MAX + HEAD + ROOM_KEY];
	struct vmail_buf b = { .p = text + HEAD, .size = sizeof(text) - HEAD };
	uint32_t n = (uint32_t)(HEAD + key.n + value.n), pos = s->room_pos;

	if (n > RECORD_MAX || !has_room(p, n))
		return rebuild(p);
	put_u32(text, (uint32_t)key.n);
	put_u32(text + 4, (uint32_t)value.n);
	vmail_buf_str(&b, key);
	vmail_buf_str(&b, value);
	s->room_pos += n;
	s->room_len -= n;
	put_u32(text + n, ROOM_KEY);
	put_u32(text + n + 4, s->room_len - HEAD - ROOM_KEY);
	memcpy(text + n + HEAD, room_key, ROOM_KEY);
	return put(p, text, n + HEAD + ROOM_KEY, pos) &&
	       take_slot(p, vmail_cdb_hash(key), pos);
}

/* A number's record, and what it says. */
struct uid_record {
	char text[16];
	struct vmail_str key;
	struct vmail_cdb_record rec;
	bool there, counted;
	uint64_t count;
};

static bool
is_count(const struct vmail_cdb_record *rec, uint64_t *count)
{
	struct vmail_str digits = { rec->data.p + 1, COUNT_DIGITS };

	return rec->dlen == 1 + COUNT_DIGITS && rec->data.p[0] == '*' &&
	       vmail_text_number(digits, UINT32_MAX, count);
}

static bool
put_count(struct patch *p, const struct vmail_cdb_record *rec, uint64_t count)
{
	char digits[COUNT_DIGITS];
	struct vmail_buf b = { .p = digits, .size = sizeof(digits) };

	vmail_buf_num(&b, count, COUNT_DIGITS);
	return put(p, digits, sizeof(digits), rec->data_pos + 1);
}

static bool
find_uid(struct patch *p, uint32_t uid, struct uid_record *u)
{
	struct vmail_buf b = { .p = u->text, .size = sizeof(u->text) };

	vmail_buf_z(&b, ":uid:");
	vmail_buf_num(&b, uid, 1);
	u->key = (struct vmail_str){ u->text, b.len };
	if (!find(p, u->key, &u->rec, &u->there))
		return false;
	u->counted = u->there && is_count(&u->rec, &u->count);
	return true;
}

/* A mailbox that had this number has it no longer. Of two the one that is
 * left is not known here. */
static bool
uid_goes(struct patch *p, uint32_t uid, struct vmail_str name)
{
	struct uid_record u;

	if (!find_uid(p, uid, &u))
		return false;
	if (u.counted && u.count > 2)
		return put_count(p, &u.rec, u.count - 1);
	if (!u.there || u.counted || !vmail_str_eq(u.rec.data, name))
		return rebuild(p);
	return erase(p, &u.rec);
}

static bool
uid_comes(struct patch *p, uint32_t uid, struct vmail_str name)
{
	struct uid_record u;

	if (!find_uid(p, uid, &u))
		return false;
	if (!u.there)
		return add(p, u.key, name);
	if (u.counted)
		return put_count(p, &u.rec, u.count + 1);
	return erase(p, &u.rec) && add(p, u.key, VMAIL_STR("*0000000002"));
}

/* A line as the map sees it: in it at all, and by a number of its own. */
struct side {
	struct vmail_entry entry;
	bool in, numbered;
	uint32_t uid;
};

static bool
look(struct patch *p, struct vmail_str line, struct side *side)
{
	*side = (struct side){ .in = false };
	if (line.p == NULL)
		return true;
	/* A line that nobody can read any more: to be counted anew. */
	if (vmail_entry_parse(line, &side->entry, NULL) != VMAIL_OK)
		return rebuild(p);
	side->in = vmail_name_askable(side->entry.name);
	side->numbered = side->in && vmail_maphead_own_uid(
					 p->head, side->entry.uid, &side->uid);
	return true;
}

static bool
record_goes(struct patch *p, const struct side *old)
{
	struct vmail_cdb_record rec;
	bool there;

	if (!find(p, old->entry.name, &rec, &there))
		return false;
	return there ? erase(p, &rec) : rebuild(p);
}

static bool
record_comes(struct patch *p, const struct side *new, uint64_t at)
{
	char value[VMAIL_PUBLIC_MAX + 32];
	struct vmail_buf b = { .p = value, .size = sizeof(value) };
	struct vmail_cdb_record rec;
	bool there;

	if (!find(p, new->entry.name, &rec, &there))
		return false;
	/* Equal names: which is the first, only the lines can tell. */
	if (there)
		return rebuild(p);
	vmail_entry_put_public(&new->entry, at, &b);
	return add(p, new->entry.name, (struct vmail_str){ value, b.len });
}

static bool
uids_change(struct patch *p, const struct side *old, const struct side *new)
{
	bool same = old->numbered && new->numbered &&new->uid == old->uid;

	if (same && vmail_str_eq(old->entry.name, new->entry.name))
		return true;
	if (old->numbered && !uid_goes(p, old->uid, old->entry.name))
		return false;
	return !new->numbered || uid_comes(p, new->uid, new->entry.name);
}

static bool
follow(const struct vmail_edits_change *change, void *arg)
{
	struct patch *p = arg;
	struct side old, new;

	if (!look(p, change->old, &old) || !look(p, change->new, &new))
		return false;
	if (old.in && !record_goes(p, &old))
		return false;
	if (new.in && !record_comes(p, &new, change->at))
		return false;
	return uids_change(p, &old, &new);
}

/* The first record anew, last of all. */
static enum vmail_rc
put_head(struct patch *p, struct vmail_err *err)
{
	const struct vmail_maphead_lines lines = { p->map->cost,
		p->map->malformed, p->patched };
	char value[VMAIL_MAP_HEADER_LEN];
	enum vmail_rc rc;

	vmail_map_put_stamp(&p->stamp, value);
	rc = vmail_maphead_put(
	    p->head, &lines, value + VMAIL_MAP_STAMP_LEN, err);
	if (rc == VMAIL_OK &&
	    !put(p, value, sizeof(value), VMAIL_MAP_HEADER_POS))
		rc = VMAIL_IO;
	return rc;
}

/* Everything into the empty file fd. */
static enum vmail_rc
copy_and_patch(const struct vmail_mappatch *patch, struct patch *p,
    const char *path, struct vmail_err *err)
{
	enum vmail_rc rc;

	if (!vmail_maphead_chown(p->head, p->fd) ||
	    !vmail_edits_copy(p->map->cdb.fd, 0, p->fd, 0, p->map->cdb.size))
		return vmail_fail_sys(err, path, "copy the map");
	vmail_file_close(&p->map->cdb.fd);
	p->map->cdb.fd = p->fd;
	if (!vmail_edits_each_change(patch->edits, patch->base, follow, p))
		rc = p->rc;
	else
		rc = put_head(p, err);
	p->map->cdb.fd = -1; /* the caller's */
	if (rc == VMAIL_IO)
		return vmail_fail_sys(err, path, "patch the map");
	/* The disk works while the passwd-file is synced. */
	(void)sync_file_range(p->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return rc;
}

static enum vmail_rc
make_copy(const struct vmail_mappatch *patch, struct patch *p, const char *path,
    int *fd, struct vmail_err *err)
{
	enum vmail_rc rc;

	p->fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->fd < 0)
		return vmail_fail_sys(err, path, "make");
	rc = copy_and_patch(patch, p, path, err);
	if (rc == VMAIL_OK) {
		*fd = p->fd;
	} else {
		(void)unlink(path);
		vmail_file_close(&p->fd);
	}
	return rc;
}

enum vmail_rc
vmail_mappatch_copy(const struct vmail_conf *conf,
    const struct vmail_mappatch *patch, const char *path, int *fd,
    struct vmail_err *err)
{
	VMAIL_MAPHEAD head = { 0 };
	uint64_t drift = vmail_edits_drift(patch->edits);
	struct vmail_map map;
	struct patch p = { .head = &head, .map = &map, .fd = -1 };
	enum vmail_rc rc = VMAIL_MISMATCH;

	if (vmail_map_open(patch->live, &map, NULL) != VMAIL_OK)
		return VMAIL_MISMATCH;
	p.stamp = map.stamp;
	p.stamp.file = vmail_file_stamp(patch->new);
	p.stamp.drift += (uint32_t)drift;
	p.patched = map.patched + vmail_edits_changes(patch->edits);
	if (can_follow(&map, patch->old, drift) && !map.stamp.dups &&
	    p.patched <= VMAIL_MAP_PATCHED_MAX)
		rc = vmail_maphead_open(&head, conf, err);
	if (rc == VMAIL_OK && !vmail_maphead_fits(&head, &map))
		rc = VMAIL_MISMATCH;
	if (rc == VMAIL_OK)
		rc = make_copy(patch, &p, path, fd, err);
	vmail_map_close(&map);
	return rc;
}
