#include "tests/unit/admin/fixture.h"

#include "common/admin/mapmake.h"
#include "common/admin/mappatch.h"
#include "common/core/map.h"

enum { NAMES = 40, UIDS = 6, FIRST_UID = 7000 };

static struct vmail_commit done;

static void
open_map(struct fixture *f, const char *file, struct vmail_map *map)
{
	char path[256];

	assert_int_equal(
	    vmail_map_open(in_dir(f, file, path), map, &f->err), VMAIL_OK);
}

/* The map that all lines would make now. */
static void
build_other(struct fixture *f)
{
	char path[256];
	int fd = open(f->passwd, O_RDONLY | O_CLOEXEC);

	(void)unlink(in_dir(f, "other.cdb", path));
	assert_int_equal(
	    vmail_mapmake_build(&f->conf, fd, f->passwd, path, NULL, &f->err),
	    VMAIL_OK);
	close(fd);
}

static void
same_field(struct vmail_str a, struct vmail_str b)
{
	assert_int_equal(a.n, b.n);
	if (a.n != 0)
		assert_memory_equal(a.p, b.p, a.n);
}

static bool
near(uint64_t a, uint64_t b, uint32_t drift)
{
	return (a > b ? a - b : b - a) <= drift;
}

static void
same_mailbox(
    const struct vmail_map *a, const struct vmail_map *b, const char *name)
{
	char wa[VMAIL_PUBLIC_WINDOW], wb[VMAIL_PUBLIC_WINDOW];
	struct vmail_public pa, pb;
	enum vmail_rc rc = vmail_map_find(a, vmail_str(name), wa, &pa);

	assert_int_equal(rc, vmail_map_find(b, vmail_str(name), wb, &pb));
	if (rc != VMAIL_OK)
		return;
	same_field(pa.uid, pb.uid);
	same_field(pa.gid, pb.gid);
	same_field(pa.gecos, pb.gecos);
	same_field(pa.home, pb.home);
	assert_true(near(pa.offset, pb.offset, a->stamp.drift));
}

static void
same_uid(const struct vmail_map *a, const struct vmail_map *b, uint32_t uid)
{
	char key[16], wa[VMAIL_PUBLIC_WINDOW], wb[VMAIL_PUBLIC_WINDOW];
	struct vmail_cdb_record ra, rb;
	enum vmail_rc rc;

	(void)snprintf(key, sizeof(key), ":uid:%u", uid);
	rc = vmail_cdb_find(&a->cdb, vmail_str(key), wa, sizeof(wa), &ra);
	assert_int_equal(
	    rc, vmail_cdb_find(&b->cdb, vmail_str(key), wb, sizeof(wb), &rb));
	if (rc == VMAIL_OK)
		same_field(ra.data, rb.data);
}

static size_t
walked(const struct vmail_map *map)
{
	char window[VMAIL_PUBLIC_WINDOW];
	struct vmail_public p;
	uint32_t pos = 0;
	size_t n = 0;

	while (vmail_map_next(map, &pos, window, &p) == VMAIL_OK)
		n++;
	return n;
}

static const char *
name_of(unsigned i)
{
	static char name[64];

	(void)snprintf(name, sizeof(name), "user%u@example.org", i);
	return name;
}

/* The live map answers every question as one built of all lines would. */
static void
assert_answers(struct fixture *f)
{
	struct vmail_map live, other;
	struct stat st = stat_of(f, "passwd");

	build_other(f);
	open_map(f, "passwd.cdb", &live);
	open_map(f, "other.cdb", &other);
	assert_true(vmail_map_fresh(&live, &st));
	for (unsigned i = 0; i < NAMES; i++)
		same_mailbox(&live, &other, name_of(i));
	for (uint32_t uid = FIRST_UID; uid < FIRST_UID + UIDS; uid++)
		same_uid(&live, &other, uid);
	assert_int_equal(walked(&live), walked(&other));
	vmail_map_close(&live);
	vmail_map_close(&other);
}

static const char *
line_of(unsigned name, unsigned uid, unsigned home)
{
	static char line[256];
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", FIRST_UID + uid);
	(void)snprintf(line, sizeof(line),
	    "%s:{CRYPT}x:%s:::/srv/%0*u::", name_of(name),
	    uid < UIDS ? number : "", (int)(home % 30) + 1, home);
	return line;
}

static void
begin_users(struct fixture *f)
{
	begin(f, "# users\n");
	assert_int_equal(append(f, line_of(0, 0, 1), &done), VMAIL_OK);
	assert_true(done.map_rebuilt); /* there was none */
}

/* One change of that name, whichever fits: true where there was one. */
static bool
one_change(struct fixture *f, unsigned kind, unsigned a, unsigned b)
{
	const char *name = name_of(a);
	char kept[64];
	struct vmail_store *s = opened(f);
	struct vmail_line line;
	bool there =
	    vmail_store_find(s, vmail_str(name), &line, &f->err) == VMAIL_OK;
	bool taken = vmail_store_find(
			 s, vmail_str(name_of(b)), &line, &f->err) == VMAIL_OK;

	vmail_store_close(&s);
	(void)snprintf(kept, sizeof(kept), "%s", name_of(a));
	if (!there)
		return append(f, line_of(a, b % 9, b), &done) == VMAIL_OK;
	if (kind == 0)
		return change(f, kept, NULL, &done) == VMAIL_OK;
	if (kind == 1 && !taken)
		return change(f, kept, line_of(b, b % 9, a), &done) == VMAIL_OK;
	return change(f, kept, line_of(a, b % 9, b + a), &done) == VMAIL_OK;
}

static void
a_patched_map_answers_as_one_built_anew(void **state)
{
	enum { CHANGES = 900 };
	struct fixture f;
	unsigned patched = 0;

	(void)state;
	srandom(7);
	begin_users(&f);
	for (unsigned i = 0; i < CHANGES; i++) {
		unsigned kind = (unsigned)random() % 4;
		unsigned a = (unsigned)random() % NAMES;
		unsigned b = (unsigned)random() % NAMES;

		assert_true(one_change(&f, kind, a, b));
		patched += !done.map_rebuilt;
		assert_answers(&f);
		assert_false(litter(&f));
	}
	assert_true(patched > CHANGES / 2);
	end(&f);
}

static void
several_changes_of_one_commit_are_patched_together(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin_users(&f);
	for (unsigned i = 1; i < 20; i++)
		assert_int_equal(append(&f, line_of(i, i, i), &done), VMAIL_OK);
	s = opened(&f);
	for (unsigned i = 3; i < 9; i += 2) {
		assert_int_equal(
		    vmail_store_find(s, vmail_str(name_of(i)), &line, &f.err),
		    VMAIL_OK);
		assert_int_equal(
		    i == 5 ? vmail_store_remove(s, &line, &f.err)
			   : vmail_store_replace(s, &line,
				 vmail_str(line_of(i + 20, 8, 99)), &f.err),
		    VMAIL_OK);
	}
	assert_int_equal(
	    vmail_store_add(s, vmail_str(line_of(30, 3, 5)), &f.err), VMAIL_OK);
	assert_int_equal(
	    vmail_store_add(s, vmail_str(line_of(31, 9, 5)), &f.err), VMAIL_OK);
	assert_int_equal(vmail_store_commit(s, false, &done, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	assert_false(done.map_rebuilt);
	assert_answers(&f);
	end(&f);
}

/* What the header says of itself. */
static struct vmail_map
header(struct fixture *f)
{
	struct vmail_map map;

	open_map(f, "passwd.cdb", &map);
	vmail_map_close(&map);
	return map;
}

static void
added_users_take_their_place_from_the_room(void **state)
{
	struct fixture f;
	struct vmail_map before, after;
	struct stat a, b;

	(void)state;
	begin_users(&f);
	before = header(&f);
	a = stat_of(&f, "passwd.cdb");
	assert_int_equal(append(&f, line_of(1, 8, 2), &done), VMAIL_OK);
	assert_false(done.map_rebuilt);
	after = header(&f);
	b = stat_of(&f, "passwd.cdb");
	assert_int_equal(a.st_size, b.st_size);
	assert_int_not_equal(a.st_ino, b.st_ino);
	assert_true(after.stamp.room_pos > before.stamp.room_pos);
	assert_int_equal(after.stamp.room_pos + after.stamp.room_len,
	    before.stamp.room_pos + before.stamp.room_len);
	assert_int_equal(before.patched, 0);
	assert_int_equal(after.patched, 1);
	assert_int_equal(b.st_mode & 07777, 0644);
	end(&f);
}

static void
a_full_room_or_too_many_changes_build_it_anew(void **state)
{
	struct fixture f;
	struct vmail_map map;
	unsigned rebuilt = 0;
	char line[2048], home[1400];

	(void)state;
	begin_users(&f);
	memset(home, 'h', sizeof(home));
	home[0] = '/';
	/* 8 KiB of room: six of these. */
	for (unsigned i = 1; i < 15; i++) {
		(void)snprintf(line, sizeof(line),
		    "%s:{CRYPT}x::::%.1400s::", name_of(i), home);
		assert_int_equal(append(&f, line, &done), VMAIL_OK);
		rebuilt += done.map_rebuilt;
		assert_answers(&f);
	}
	assert_true(rebuilt == 2 || rebuilt == 3);
	for (unsigned i = 0; header(&f).patched < VMAIL_MAP_PATCHED_MAX; i++) {
		/* A uid that goes round costs no room, nor drift. */
		assert_true(i <= 2 * VMAIL_MAP_PATCHED_MAX);
		assert_int_equal(
		    change(&f, name_of(0), line_of(0, 8, 1 + i % 9), &done),
		    VMAIL_OK);
		if (done.map_rebuilt)
			break;
	}
	map = header(&f);
	assert_true(map.patched <= VMAIL_MAP_PATCHED_MAX);
	assert_answers(&f);
	end(&f);
}

static void
a_name_that_is_there_already_is_never_patched_in(void **state)
{
	struct fixture f;

	(void)state;
	begin_users(&f);
	assert_int_equal(append(&f, line_of(1, 1, 1), &done), VMAIL_OK);
	assert_int_equal(append(&f, line_of(1, 2, 2), &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_true(header(&f).stamp.dups);
	assert_answers(&f);
	/* The second comes to life: only the lines tell. */
	assert_int_equal(change(&f, name_of(1), NULL, &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_answers(&f);
	end(&f);
}

static void
a_map_damaged_where_it_is_patched_is_built_anew(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256];
	int fd;

	(void)state;
	begin_users(&f);
	map = header(&f);
	fd = open(in_dir(&f, "passwd.cdb", path), O_RDWR | O_CLOEXEC);
	assert_int_equal(
	    pwrite(fd, "\377\377\377\377", 4, map.stamp.room_pos), 4);
	close(fd);
	assert_int_equal(append(&f, line_of(1, 1, 1), &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_answers(&f);
	end(&f);
}

static void
lines_that_nobody_can_read_are_counted(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "# users\nann:{CRYPT}x:0:0::::\nbob:{CRYPT}x::::::\n");
	assert_int_equal(append(&f, line_of(1, 1, 1), &done), VMAIL_OK);
	assert_int_equal(header(&f).malformed, 1);
	assert_int_equal(append(&f, line_of(2, 1, 1), &done), VMAIL_OK);
	assert_int_equal(header(&f).malformed, 1);
	/* Mended: counted anew at the next building, one too many until then.
	 */
	assert_int_equal(
	    change(&f, "ann", "ann:{CRYPT}x::::::", &done), VMAIL_OK);
	assert_answers(&f);
	/* A line that becomes unreadable is never overlooked. */
	assert_int_equal(
	    change(&f, "bob", "bob:{CRYPT}x:0:0::::", &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_int_equal(header(&f).malformed, 1);
	assert_answers(&f);
	end(&f);
}

static void
a_malformed_record_is_found_with_a_map_and_without(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin(&f, "# users\nann:{CRYPT}x:0:0::::\n");
	for (int i = 0; i < 2; i++) {
		s = opened(&f);
		assert_int_equal(
		    vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err),
		    VMAIL_OK);
		assert_true(line.malformed);
		assert_int_equal(
		    vmail_store_find(s, VMAIL_STR("bob"), &line, &f.err),
		    VMAIL_NOT_FOUND);
		vmail_store_close(&s);
		assert_int_equal(
		    append(&f, line_of((unsigned)i, 1, 1), &done), VMAIL_OK);
	}
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_patched_map_answers_as_one_built_anew),
		cmocka_unit_test(
		    several_changes_of_one_commit_are_patched_together),
		cmocka_unit_test(added_users_take_their_place_from_the_room),
		cmocka_unit_test(a_full_room_or_too_many_changes_build_it_anew),
		cmocka_unit_test(
		    a_name_that_is_there_already_is_never_patched_in),
		cmocka_unit_test(
		    a_map_damaged_where_it_is_patched_is_built_anew),
		cmocka_unit_test(lines_that_nobody_can_read_are_counted),
		cmocka_unit_test(
		    a_malformed_record_is_found_with_a_map_and_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
