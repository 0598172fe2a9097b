#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "common/core/cdb.h"
#include "tests/unit/core/cdb_build.h"

enum { WINDOW = 256 };

static struct image image;
static char window[WINDOW];

/* The image as a file; its pointers are those of the image. */
static struct vmail_cdb
opened(uint64_t size)
{
	int fd = memfd_create("cdb", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image.p, image.n), image.n);
	if (size < image.n)
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return (
	    struct vmail_cdb){ .fd = fd, .size = size, .pointers = image.p };
}

static struct vmail_str
key_of(char buf[32], unsigned i)
{
	int n = snprintf(buf, 32, "user%u@example.com", i);

	return (struct vmail_str){ buf, (size_t)n };
}

static struct vmail_str
value_of(char buf[32], unsigned i)
{
	int n = snprintf(buf, 32, "value %u", i * 7);

	return (struct vmail_str){ buf, (size_t)n };
}

static void
build_thousand(uint32_t times, uint32_t plus)
{
	char k[32], v[32];

	image_start(&image);
	for (unsigned i = 0; i < 1000; i++)
		(void)image_add(&image, key_of(k, i), value_of(v, i));
	image_finish(&image, times, plus);
}

static enum vmail_rc
find(const struct vmail_cdb *cdb, const char *key, struct vmail_cdb_record *r)
{
	return vmail_cdb_find(cdb, vmail_str(key), window, WINDOW, r);
}

static void
the_hash_is_that_of_the_format(void **state)
{
	(void)state;
	assert_int_equal(vmail_cdb_hash(VMAIL_STR("")), 5381);
	assert_int_equal(vmail_cdb_hash(VMAIL_STR("a")), 177604);
	assert_int_equal(
	    vmail_cdb_hash(VMAIL_STR("\xff\xff")), (177498U * 33) ^ 255);
}

static void
every_record_is_found_whatever_the_tables_size(void **state)
{
	static const uint32_t plus[] = { 0, 1, 16, 100 };
	char k[32], v[32];

	(void)state;
	for (size_t p = 0; p < 4; p++) {
		build_thousand(p == 0 ? 1 : 2, plus[p]);
		struct vmail_cdb cdb = opened(image.n);
		for (unsigned i = 0; i < 1000; i++) {
			struct vmail_cdb_record r;

			assert_int_equal(vmail_cdb_find(&cdb, key_of(k, i),
					     window, WINDOW, &r),
			    VMAIL_OK);
			assert_true(vmail_str_eq(r.data, value_of(v, i)));
			assert_int_equal(r.dlen, r.data.n);
			assert_int_equal(r.data_pos, r.pos + 8 + r.klen);
		}
		for (unsigned i = 1000; i < 2000; i++) {
			struct vmail_cdb_record r;

			assert_int_equal(vmail_cdb_find(&cdb, key_of(k, i),
					     window, WINDOW, &r),
			    VMAIL_NOT_FOUND);
		}
		close(cdb.fd);
		image_free(&image);
	}
}

static void
the_first_of_equal_keys_is_answered(void **state)
{
	struct vmail_cdb_record r;

	(void)state;
	image_start(&image);
	uint32_t pos = image_add(&image, VMAIL_STR("a"), VMAIL_STR("first"));
	(void)image_add(&image, VMAIL_STR("a"), VMAIL_STR("second"));
	image_finish(&image, 2, 0);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(find(&cdb, "a", &r), VMAIL_OK);
	assert_true(vmail_str_is(r.data, "first"));
	assert_int_equal(r.pos, pos);
	close(cdb.fd);
	image_free(&image);
}

/* Keys that all begin at the last slot of one large table. */
static void
a_search_wraps_around_a_table_of_many_slots(void **state)
{
	enum { KEYS = 40, SLOTS = 2 * KEYS };
	unsigned used[KEYS], n = 0;
	char k[32], v[32];

	(void)state;
	image_start(&image);
	for (unsigned i = 0; n < KEYS; i++) {
		uint32_t h = vmail_cdb_hash(key_of(k, i));

		if ((h & 255) != 9 || (h >> 8) % SLOTS < SLOTS - 20)
			continue;
		(void)image_add(&image, key_of(k, i), value_of(v, i));
		used[n++] = i;
	}
	image_finish(&image, 2, 0);
	struct vmail_cdb cdb = opened(image.n);
	for (n = 0; n < KEYS; n++) {
		struct vmail_cdb_record r;

		assert_int_equal(vmail_cdb_find(&cdb, key_of(k, used[n]),
				     window, WINDOW, &r),
		    VMAIL_OK);
		assert_true(vmail_str_eq(r.data, value_of(v, used[n])));
	}
	close(cdb.fd);
	image_free(&image);
}

static void
a_table_without_an_empty_slot_ends_the_search(void **state)
{
	struct vmail_cdb_record r;
	unsigned n = 0;
	char k[32];

	(void)state;
	image_start(&image);
	for (unsigned i = 0; n < 100; i++)
		if ((vmail_cdb_hash(key_of(k, i)) & 255) ==
		    (vmail_cdb_hash(VMAIL_STR("nobody")) & 255)) {
			(void)image_add(&image, key_of(k, i), VMAIL_STR("x"));
			n++;
		}
	image_finish(&image, 1, 0);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(find(&cdb, "nobody", &r), VMAIL_NOT_FOUND);
	close(cdb.fd);
	image_free(&image);
}

static void
an_equal_hash_is_not_an_equal_key(void **state)
{
	struct vmail_cdb_record r;

	(void)state;
	assert_int_equal(
	    vmail_cdb_hash(VMAIL_STR("bC")), vmail_cdb_hash(VMAIL_STR("cb")));
	image_start(&image);
	(void)image_add(&image, VMAIL_STR("bC"), VMAIL_STR("another's"));
	image_finish(&image, 2, 0);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(find(&cdb, "cb", &r), VMAIL_NOT_FOUND);
	close(cdb.fd);
	image_free(&image);
}

static void
a_long_value_comes_in_part_with_the_place_of_the_rest(void **state)
{
	static char value[1000];
	struct vmail_cdb_record r;
	char byte;

	(void)state;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (char)(i % 251);
	image_start(&image);
	(void)image_add(&image, VMAIL_STR("long"),
	    (struct vmail_str){ value, sizeof(value) });
	image_finish(&image, 2, 0);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(find(&cdb, "long", &r), VMAIL_OK);
	assert_int_equal(r.dlen, sizeof(value));
	assert_int_equal(r.data.n, WINDOW - 8 - 4);
	assert_memory_equal(r.data.p, value, r.data.n);
	assert_int_equal(
	    pread(cdb.fd, &byte, 1, (off_t)(r.data_pos + r.data.n)), 1);
	assert_int_equal(byte, value[r.data.n]);
	close(cdb.fd);
	image_free(&image);
}

static void
a_key_that_does_not_fit_the_window_is_refused(void **state)
{
	static const char key[WINDOW - 7] = "k";
	struct vmail_cdb_record r;

	(void)state;
	image_start(&image);
	(void)image_add(
	    &image, (struct vmail_str){ key, sizeof(key) }, VMAIL_STR("x"));
	image_finish(&image, 2, 0);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(
	    vmail_cdb_find(&cdb, (struct vmail_str){ key, sizeof(key) }, window,
		WINDOW, &r),
	    VMAIL_TOO_SMALL);
	assert_int_equal(vmail_cdb_find(&cdb, VMAIL_STR(""), window, 7, &r),
	    VMAIL_TOO_SMALL);
	close(cdb.fd);
	image_free(&image);
}

/* What stands at `at` replaced by v, "a" looked up and walked. */
static void
assert_damage_is_seen(size_t at, uint32_t v)
{
	struct vmail_cdb_record r;
	struct vmail_cdb cdb;
	uint32_t before = vmail_cdb_u32(image.p + at);

	image_set_u32(&image, at, v);
	cdb = opened(image.n);
	assert_int_equal(find(&cdb, "a", &r), VMAIL_MALFORMED);
	close(cdb.fd);
	image_set_u32(&image, at, before);
}

static void
lengths_and_offsets_beyond_the_file_are_damage(void **state)
{
	static const uint32_t bad[] = { UINT32_MAX, UINT32_MAX - 7, 0x80000000,
		0x20000001, 100000 };
	size_t table = (size_t)(vmail_cdb_hash(VMAIL_STR("a")) & 255) * 8;
	uint32_t pos, slot;

	(void)state;
	image_start(&image);
	pos = image_add(&image, VMAIL_STR("a"), VMAIL_STR("value"));
	image_finish(&image, 1, 0);
	slot = vmail_cdb_u32(image.p + table);
	for (size_t i = 0; i < 5; i++) {
		assert_damage_is_seen(table, bad[i]);
		assert_damage_is_seen(table + 4, bad[i]);
		assert_damage_is_seen(slot + 4, bad[i]);
		assert_damage_is_seen(pos, bad[i]);
		assert_damage_is_seen(pos + 4, bad[i]);
	}
	assert_damage_is_seen(table, 8);
	assert_damage_is_seen(pos + 4, (uint32_t)image.n - pos - 8);
	assert_damage_is_seen(slot + 4, 8);
	assert_damage_is_seen(slot + 4, (uint32_t)image.n - 7);
	image_free(&image);
}

/* Whatever is missing of the file, nobody gets another's value. */
static void
a_file_cut_anywhere_never_answers_wrong(void **state)
{
	char k[32], v[32];

	(void)state;
	image_start(&image);
	for (unsigned i = 0; i < 20; i++)
		(void)image_add(&image, key_of(k, i), value_of(v, i));
	image_finish(&image, 2, 0);
	for (size_t n = VMAIL_CDB_POINTERS; n < image.n; n += 3) {
		struct vmail_cdb cdb = opened(n);

		for (unsigned i = 0; i < 21; i++) {
			struct vmail_cdb_record r;
			enum vmail_rc rc = vmail_cdb_find(
			    &cdb, key_of(k, i), window, WINDOW, &r);

			assert_int_not_equal(rc, VMAIL_IO);
			if (rc == VMAIL_OK)
				assert_true(
				    vmail_str_eq(r.data, value_of(v, i)));
			/* Cut since it was opened. */
			cdb.size = image.n;
			rc = vmail_cdb_find(
			    &cdb, key_of(k, i), window, WINDOW, &r);
			if (rc == VMAIL_OK)
				assert_true(
				    vmail_str_eq(r.data, value_of(v, i)));
			cdb.size = n;
		}
		close(cdb.fd);
	}
	image_free(&image);
}

static void
a_walk_meets_every_record_once_in_order(void **state)
{
	uint32_t pos = VMAIL_CDB_POINTERS, next;
	struct vmail_str key;
	struct vmail_cdb_record r;
	char k[32], v[32];
	unsigned i = 0;

	(void)state;
	build_thousand(2, 16);
	struct vmail_cdb cdb = opened(image.n);
	for (; vmail_cdb_walk(&cdb, pos, window, WINDOW, &key, &r, &next) ==
	       VMAIL_OK;
	     i++, pos = next) {
		assert_true(vmail_str_eq(key, key_of(k, i)));
		assert_true(vmail_str_eq(r.data, value_of(v, i)));
		assert_int_equal(r.pos, pos);
	}
	assert_int_equal(i, 1000);
	assert_int_equal(
	    vmail_cdb_walk(&cdb, pos, window, WINDOW, &key, &r, &next),
	    VMAIL_NOT_FOUND);
	close(cdb.fd);
	image_free(&image);
}

static void
a_walk_stops_at_a_record_that_reaches_into_the_tables(void **state)
{
	struct vmail_str key;
	struct vmail_cdb_record r;
	uint32_t next;

	(void)state;
	image_start(&image);
	uint32_t pos = image_add(&image, VMAIL_STR("a"), VMAIL_STR("value"));
	image_finish(&image, 1, 0);
	image_set_u32(&image, pos + 4, 6);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(
	    vmail_cdb_walk(&cdb, pos, window, WINDOW, &key, &r, &next),
	    VMAIL_MALFORMED);
	close(cdb.fd);
	image_free(&image);
}

static void
a_file_without_records_is_empty(void **state)
{
	struct vmail_str key;
	struct vmail_cdb_record r;
	uint32_t next;

	(void)state;
	image_start(&image);
	image_finish(&image, 2, 0);
	struct vmail_cdb cdb = opened(image.n);
	assert_int_equal(find(&cdb, "a", &r), VMAIL_NOT_FOUND);
	assert_int_equal(vmail_cdb_walk(&cdb, VMAIL_CDB_POINTERS, window,
			     WINDOW, &key, &r, &next),
	    VMAIL_NOT_FOUND);
	close(cdb.fd);
	image_free(&image);
}

/* The reference: a file that tinycdb's own command made. */
static void
a_file_of_tinycdb_reads_the_same(void **state)
{
	char dir[] = "/tmp/test_cdb.XXXXXX", path[64], command[160];
	unsigned char pointers[VMAIL_CDB_POINTERS];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/x.cdb", dir);
	(void)snprintf(
	    command, sizeof(command), "cdb -c -m -t %s.tmp %s", path, path);
	FILE *tool = popen(command, "w");
	assert_non_null(tool);
	for (unsigned i = 0; i < 500; i++)
		(void)fprintf(tool, "user%u@example.com value %u\n", i, i * 7);
	assert_int_equal(pclose(tool), 0);

	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(
	    read(fd, pointers, sizeof(pointers)), sizeof(pointers));
	struct vmail_cdb cdb = { fd, (uint64_t)st.st_size, pointers };
	for (unsigned i = 0; i < 500; i++) {
		struct vmail_cdb_record r;
		char k[32], v[32];

		assert_int_equal(
		    vmail_cdb_find(&cdb, key_of(k, i), window, WINDOW, &r),
		    VMAIL_OK);
		assert_true(vmail_str_eq(r.data, value_of(v, i)));
	}
	close(fd);
	(void)unlink(path);
	(void)rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_that_of_the_format),
		cmocka_unit_test(
		    every_record_is_found_whatever_the_tables_size),
		cmocka_unit_test(the_first_of_equal_keys_is_answered),
		cmocka_unit_test(a_search_wraps_around_a_table_of_many_slots),
		cmocka_unit_test(a_table_without_an_empty_slot_ends_the_search),
		cmocka_unit_test(an_equal_hash_is_not_an_equal_key),
		cmocka_unit_test(
		    a_long_value_comes_in_part_with_the_place_of_the_rest),
		cmocka_unit_test(a_key_that_does_not_fit_the_window_is_refused),
		cmocka_unit_test(
		    lengths_and_offsets_beyond_the_file_are_damage),
		cmocka_unit_test(a_file_cut_anywhere_never_answers_wrong),
		cmocka_unit_test(a_walk_meets_every_record_once_in_order),
		cmocka_unit_test(
		    a_walk_stops_at_a_record_that_reaches_into_the_tables),
		cmocka_unit_test(a_file_without_records_is_empty),
		cmocka_unit_test(a_file_of_tinycdb_reads_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
