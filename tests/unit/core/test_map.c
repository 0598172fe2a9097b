#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/core/map.h"
#include "tests/unit/core/cdb_build.h"

static const struct vmail_map_stamp some = {
	.file = { .size = 219, .sec = 1700000000, .nsec = 5, .ino = 42 },
	.drift = 7,
	.room_pos = 5000,
	.room_len = 8192
};

static char dir[32], path[64];
static struct image image;
static struct vmail_map map;
static char window[VMAIL_PUBLIC_WINDOW];

static int
make_folder(void **state)
{
	(void)state;
	memcpy(dir, "/tmp/test_map.XXXXXX", sizeof("/tmp/test_map.XXXXXX"));
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/p.cdb", dir);
	return 0;
}

static int
drop_folder(void **state)
{
	(void)state;
	vmail_map_close(&map);
	image_free(&image);
	(void)unlink(path);
	return rmdir(dir);
}

static void
start(const struct vmail_map_stamp *stamp, const char *settings)
{
	image_free(&image);
	image_start(&image);
	image_header(&image, stamp, settings);
}

static void
put_file(size_t n)
{
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(write(fd, image.p, n), n);
	close(fd);
}

static enum vmail_rc
open_image(void)
{
	image_finish(&image, 2, 16);
	put_file(image.n);
	vmail_map_close(&map);
	return vmail_map_open(path, &map, NULL);
}

static enum vmail_rc
open_with(const char *settings)
{
	start(&some, settings);
	return open_image();
}

static void
add(const char *key, const char *value)
{
	(void)image_add(&image, vmail_str(key), vmail_str(value));
}

static void
the_stamp_is_106_bytes_of_fixed_columns(void **state)
{
	char line[VMAIL_MAP_STAMP_LEN + 1] = "";
	struct vmail_map_stamp back;

	(void)state;
	vmail_map_put_stamp(&some, line);
	assert_string_equal(line,
	    "1 00000000000000000219 00000000001700000000 000000005 "
	    "00000000000000000042 000007 0000005000 0000008192 0\n");
	assert_true(vmail_map_get_stamp(line, &back));
	assert_true(vmail_file_same(&back.file, &some.file));
	assert_int_equal(back.drift, 7);
	assert_int_equal(back.room_pos, 5000);
	assert_int_equal(back.room_len, 8192);
	assert_false(back.dups);
}

static void
the_largest_stamp_survives(void **state)
{
	const struct vmail_map_stamp big = { .file = { UINT64_MAX, INT64_MAX,
						 999999999, UINT64_MAX },
		.drift = 999999,
		.room_pos = UINT32_MAX,
		.room_len = UINT32_MAX,
		.dups = true };
	char line[VMAIL_MAP_STAMP_LEN];
	struct vmail_map_stamp back;

	(void)state;
	vmail_map_put_stamp(&big, line);
	assert_true(vmail_map_get_stamp(line, &back));
	assert_true(vmail_file_same(&back.file, &big.file));
	assert_int_equal(back.room_len, UINT32_MAX);
	assert_true(back.dups);
}

/* Any byte that is not what stands there makes it no stamp, or another. */
static void
a_torn_stamp_is_refused_or_is_another_stamp(void **state)
{
	char line[VMAIL_MAP_STAMP_LEN];
	struct vmail_map_stamp back;

	(void)state;
	for (size_t i = 0; i < sizeof(line); i++) {
		vmail_map_put_stamp(&some, line);
		line[i] = 'x';
		assert_false(vmail_map_get_stamp(line, &back));
		line[i] = '\0';
		assert_false(vmail_map_get_stamp(line, &back));
	}
	vmail_map_put_stamp(&some, line);
	line[0] = '2';
	assert_false(vmail_map_get_stamp(line, &back));
}

static void
the_header_says_all_settings(void **state)
{
	(void)state;
	assert_int_equal(open_with("passwd_file=/x/passwd\n"
				   "home=/mail/%d/%n\n"
				   "owner=mail:mailgroup\n"
				   "first_valid_uid=1000\n"
				   "last_valid_uid=2000\n"
				   "nss_mailboxes=no\n"
				   "nss_enumerate=yes\n"
				   "cost={SHA512-CRYPT}rounds=5000\n"
				   "views=2\n"
				   "host mail 5000:5000 -\n"
				   "img mail 1000:1000 -\n"),
	    VMAIL_OK);
	assert_string_equal(map.passwd_file, "/x/passwd");
	assert_string_equal(map.home, "/mail/%d/%n");
	assert_true(vmail_str_is(map.owner_user, "mail"));
	assert_true(vmail_str_is(map.owner_group, "mailgroup"));
	assert_int_equal(map.first_valid_uid, 1000);
	assert_int_equal(map.last_valid_uid, 2000);
	assert_false(map.nss_mailboxes);
	assert_true(map.nss_enumerate);
	assert_true(vmail_str_is(map.cost, "{SHA512-CRYPT}rounds=5000"));
	assert_true(vmail_str_is(
	    map.views, "host mail 5000:5000 -\nimg mail 1000:1000 -\n"));
	assert_true(vmail_file_same(&map.stamp.file, &some.file));
	assert_int_equal(map.uid, 0);
}

static void
what_the_header_leaves_out_is_vmail_confs_default(void **state)
{
	struct vmail_conf conf;

	(void)state;
	vmail_conf_defaults(&conf);
	assert_int_equal(open_with(""), VMAIL_OK);
	assert_string_equal(map.passwd_file, conf.passwd_file);
	assert_string_equal(map.home, conf.home);
	assert_true(vmail_str_eq(map.owner_user, vmail_conf_owner_user(&conf)));
	assert_true(
	    vmail_str_eq(map.owner_group, vmail_conf_owner_group(&conf)));
	assert_int_equal(map.first_valid_uid, conf.first_valid_uid);
	assert_int_equal(map.last_valid_uid, conf.last_valid_uid);
	assert_int_equal(map.nss_mailboxes, conf.nss_mailboxes);
	assert_int_equal(map.nss_enumerate, conf.nss_enumerate);
	assert_int_equal(map.views.n, 0);
	assert_non_null(map.views.p);
}

static void
views_in_their_file_are_told_from_no_views(void **state)
{
	(void)state;
	assert_int_equal(open_with("views=file\n"), VMAIL_OK);
	assert_null(map.views.p);
	assert_int_equal(open_with("views=0\n"), VMAIL_OK);
	assert_non_null(map.views.p);
	assert_int_equal(map.views.n, 0);
}

static void
settings_behind_the_views_count(void **state)
{
	(void)state;
	assert_int_equal(
	    open_with("views=1\nlast_valid_uid=7 x y z\nlast_valid_uid=800\n"),
	    VMAIL_OK);
	assert_int_equal(map.last_valid_uid, 800);
	assert_true(vmail_str_is(map.views, "last_valid_uid=7 x y z\n"));
}

static void
a_later_writers_setting_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(open_with("new=thing\nnss_enumerate=yes\n"), VMAIL_OK);
	assert_true(map.nss_enumerate);
}

static void
a_bad_setting_is_damage(void **state)
{
	static const char *const bad[] = { "first_valid_uid=x\n",
		"first_valid_uid=\n", "last_valid_uid=99999999999\n",
		"first_valid_uid=700\nlast_valid_uid=600\n",
		"nss_mailboxes=1\n", "nss_enumerate=\n", "owner=:vmail\n",
		"owner=vmail\n", "owner=vmail:\n", "passwd_file=passwd\n",
		"passwd_file=\n", "views=x\n", "views=\n", "views=2034\n",
		"no equals sign\n", "home=/a\n\nhome=/b\n", "\n\nx\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(open_with(bad[i]), VMAIL_MALFORMED);
		assert_int_equal(map.cdb.fd, -1);
	}
}

static void
a_nul_or_a_missing_line_feed_in_the_header_is_damage(void **state)
{
	(void)state;
	start(&some, "home=/a\n");
	image.p[VMAIL_MAP_HEADER_POS + VMAIL_MAP_STAMP_LEN + 7] = '\0';
	assert_int_equal(open_image(), VMAIL_MALFORMED);
	start(&some, "");
	memcpy(image.p + VMAIL_MAP_PAGE - 4, "\na=b", 4);
	assert_int_equal(open_image(), VMAIL_MALFORMED);
}

static void
a_file_that_is_not_a_map_of_ours_is_damage(void **state)
{
	(void)state;
	/* Each byte of the first record's header and key. */
	for (size_t i = VMAIL_CDB_POINTERS; i < VMAIL_MAP_HEADER_POS; i++) {
		start(&some, "");
		image.p[i] ^= 1;
		assert_int_equal(open_image(), VMAIL_MALFORMED);
	}
	image_free(&image);
	image_start(&image);
	add("user@example.com", "::::/:0");
	assert_int_equal(open_image(), VMAIL_MALFORMED);
}

static void
a_map_cut_in_its_header_is_damage(void **state)
{
	static const size_t sizes[] = { 0, 1, 2048, 2062, 4095 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		start(&some, "");
		image_finish(&image, 2, 0);
		put_file(sizes[i]);
		assert_int_equal(
		    vmail_map_open(path, &map, NULL), VMAIL_MALFORMED);
	}
}

static void
only_a_trusted_file_is_a_map(void **state)
{
	struct vmail_err err;

	(void)state;
	assert_int_equal(open_with(""), VMAIL_OK);
	vmail_map_close(&map);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(vmail_map_open(path, &map, &err), VMAIL_UNSAFE);
	assert_int_equal(chmod(path, 0646), 0);
	assert_int_equal(vmail_map_open(path, &map, &err), VMAIL_UNSAFE);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(path, 1000, 0), 0);
	assert_int_equal(vmail_map_open(path, &map, &err), VMAIL_UNSAFE);
	assert_int_equal(map.cdb.fd, -1);
	assert_string_equal(err.path, path);
}

static void
no_map_is_told_from_a_damaged_one(void **state)
{
	(void)state;
	(void)unlink(path);
	assert_int_equal(vmail_map_open(path, &map, NULL), VMAIL_NOT_FOUND);
	vmail_map_close(&map);
	vmail_map_close(&map);
}

static void
the_maps_path_is_the_passwd_files_with_cdb_behind(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(vmail_map_path("/x/passwd", out, 14), VMAIL_OK);
	assert_string_equal(out, "/x/passwd.cdb");
	assert_int_equal(vmail_map_path("/x/passwd", out, 13), VMAIL_TOO_SMALL);
}

static struct stat
stat_of(const struct vmail_stamp *s)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	st.st_size = (off_t)s->size;
	st.st_mtim.tv_sec = s->sec;
	st.st_mtim.tv_nsec = (long)s->nsec;
	st.st_ino = s->ino;
	return st;
}

static void
fresh_is_the_same_size_time_and_inode(void **state)
{
	struct stat st = stat_of(&some.file);

	(void)state;
	map.stamp = some;
	assert_true(vmail_map_fresh(&map, &st));
	st.st_size++;
	assert_false(vmail_map_fresh(&map, &st));
	st = stat_of(&some.file);
	st.st_mtim.tv_sec--;
	assert_false(vmail_map_fresh(&map, &st));
	st = stat_of(&some.file);
	st.st_mtim.tv_nsec++;
	assert_false(vmail_map_fresh(&map, &st));
	st = stat_of(&some.file);
	st.st_ino++;
	assert_false(vmail_map_fresh(&map, &st));
}

static void
zeros_and_a_time_before_1970_are_never_fresh(void **state)
{
	struct stat st;

	(void)state;
	memset(&st, 0, sizeof(st));
	memset(&map.stamp, 0, sizeof(map.stamp));
	assert_false(vmail_map_fresh(&map, &st));
	map.stamp = some;
	map.stamp.file.sec = -1;
	st = stat_of(&map.stamp.file);
	assert_false(vmail_map_fresh(&map, &st));
}

static void
a_mailbox_is_found_as_it_stands_in_the_map(void **state)
{
	struct vmail_public p;

	(void)state;
	start(&some, "");
	add("a@example.com", "5123:vmail:A B:/home/a:/bin/sh:12345");
	add("b@example.com", ":::::0");
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR("a@example.com"), window, &p),
	    VMAIL_OK);
	assert_true(vmail_str_is(p.name, "a@example.com"));
	assert_true(vmail_str_is(p.uid, "5123"));
	assert_true(vmail_str_is(p.gid, "vmail"));
	assert_true(vmail_str_is(p.gecos, "A B"));
	assert_true(vmail_str_is(p.home, "/home/a"));
	assert_true(vmail_str_is(p.shell, "/bin/sh"));
	assert_int_equal(p.offset, 12345);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR("b@example.com"), window, &p),
	    VMAIL_OK);
	assert_int_equal(p.uid.n + p.home.n, 0);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR("c@example.com"), window, &p),
	    VMAIL_NOT_FOUND);
}

static void
the_maps_own_records_are_nobodys_names(void **state)
{
	struct vmail_public p;

	(void)state;
	start(&some, "");
	add(":uid:5000", "::::/:1");
	add(":room", "::::/:1");
	add("", "::::/:1");
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(vmail_map_find(&map, VMAIL_STR(":vmail"), window, &p),
	    VMAIL_NOT_FOUND);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR(":uid:5000"), window, &p),
	    VMAIL_NOT_FOUND);
	assert_int_equal(vmail_map_find(&map, VMAIL_STR(":room"), window, &p),
	    VMAIL_NOT_FOUND);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR(""), window, &p), VMAIL_NOT_FOUND);
}

static void
a_value_of_another_form_is_damage(void **state)
{
	static const char *const bad[] = { "", ":", "::::0", "::::/:", ":::::x",
		"::::/:1:2", "::::/:-1", "::\n::/:1" };
	struct vmail_public p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		start(&some, "");
		add("a", bad[i]);
		assert_int_equal(open_image(), VMAIL_OK);
		assert_int_equal(
		    vmail_map_find(&map, VMAIL_STR("a"), window, &p),
		    VMAIL_MALFORMED);
	}
	start(&some, "");
	(void)image_add(&image, VMAIL_STR("a"), VMAIL_STR("::\0::/:1"));
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR("a"), window, &p), VMAIL_MALFORMED);
}

static void
a_record_larger_than_the_window_is_damage(void **state)
{
	static char value[4000];
	struct vmail_public p;

	(void)state;
	memset(value, '0', sizeof(value));
	memcpy(value, ":::::", 5);
	start(&some, "");
	(void)image_add(
	    &image, VMAIL_STR("a"), (struct vmail_str){ value, sizeof(value) });
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR("a"), window, &p), VMAIL_MALFORMED);
}

static void
the_longest_name_and_fields_fit(void **state)
{
	static char name[VMAIL_NAME_MAX + 1], value[1400];
	struct vmail_public p;

	(void)state;
	memset(name, 'n', VMAIL_NAME_MAX);
	memset(value, 'x', sizeof(value) - 1);
	memcpy(value, "5:5:", 4);
	memcpy(value + 1200, ":/h::99999999999999999", 23);
	start(&some, "");
	add(name, value);
	add(":uid:5", name);
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(
	    vmail_map_find(&map, vmail_str(name), window, &p), VMAIL_OK);
	assert_int_equal(p.gecos.n, 1196);
	assert_int_equal(p.offset, 99999999999999999);
}

/* getpwuid: the name found and asked for through one window. */
static void
a_name_found_by_number_survives_its_own_lookup(void **state)
{
	static char name[VMAIL_NAME_MAX + 1], value[1300];
	struct vmail_str found;
	struct vmail_public p;

	(void)state;
	memset(name, 'n', VMAIL_NAME_MAX);
	memset(value, 'x', sizeof(value) - 1);
	memcpy(value, "5123:5123:", 10);
	memcpy(value + 1200, ":/h::1", 7);
	start(&some, "");
	add(name, value);
	add(":uid:5123", name);
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(
	    vmail_map_name_of(&map, 5123, window, &found, &p), VMAIL_OK);
	assert_true(vmail_str_is(found, name));
	assert_int_equal(p.name.n, 0);
	assert_int_equal(vmail_map_find(&map, found, window, &p), VMAIL_OK);
	assert_true(vmail_str_is(p.name, name));
	assert_true(vmail_str_is(found, name));
}

static void
a_number_of_several_mailboxes_is_nobodys(void **state)
{
	struct vmail_str name;
	struct vmail_public p;

	(void)state;
	start(&some, "");
	add(":uid:5000", "*0000000002");
	add(":uid:5001", "");
	add(":uid:5002", ":room");
	add(":uid:5003", "a@example.com");
	assert_int_equal(open_image(), VMAIL_OK);
	for (uint32_t uid = 5000; uid < 5003; uid++)
		assert_int_equal(
		    vmail_map_name_of(&map, uid, window, &name, &p),
		    VMAIL_NOT_FOUND);
	assert_int_equal(
	    vmail_map_name_of(&map, 5003, window, &name, &p), VMAIL_OK);
	assert_true(vmail_str_is(name, "a@example.com"));
	assert_int_equal(
	    vmail_map_name_of(&map, 5004, window, &name, &p), VMAIL_NOT_FOUND);
	assert_int_equal(vmail_map_name_of(&map, UINT32_MAX, window, &name, &p),
	    VMAIL_NOT_FOUND);
}

/* What came along with the number's record. */
static bool
comes_along(uint32_t uid, const char *name, const char *home)
{
	struct vmail_str found;
	struct vmail_public p;

	assert_int_equal(
	    vmail_map_name_of(&map, uid, window, &found, &p), VMAIL_OK);
	assert_true(vmail_str_is(found, name));
	return p.name.n > 0 && vmail_str_is(p.name, name) &&
	       vmail_str_is(p.home, home);
}

static void
a_mailbox_behind_its_numbers_record_comes_along(void **state)
{
	struct vmail_map_stamp doubles = some, single = some;

	(void)state;
	doubles.dups = true;
	single.dups = false;
	for (int i = 0; i < 2; i++) {
		start(i == 0 ? &single : &doubles, "");
		add(":uid:5000", "a@example.com");
		add("a@example.com", "5000:5000::/a::1");
		/* Another's, an erased one, a damaged one, none. */
		add(":uid:5001", "b@example.com");
		add("c@example.com", "5001:5001::/c::2");
		add(":uid:5002", "c@example.com");
		add(":------------", "5002:5002::/d::3");
		add(":uid:5003", "d@example.com");
		add("d@example.com", "5003:5003::/d");
		add(":uid:5004", "e@example.com");
		assert_int_equal(open_image(), VMAIL_OK);
		/* Of equal names the table knows the first. */
		assert_true(
		    comes_along(5000, "a@example.com", "/a") == (i == 0));
		assert_false(comes_along(5001, "b@example.com", "/c"));
		assert_false(comes_along(5002, "c@example.com", "/d"));
		assert_false(comes_along(5003, "d@example.com", "/d"));
		assert_false(comes_along(5004, "e@example.com", ""));
	}
}

static void
assert_next(uint32_t *pos, const char *name, const char *uid)
{
	struct vmail_public p;

	assert_int_equal(vmail_map_next(&map, pos, window, &p), VMAIL_OK);
	assert_true(vmail_str_is(p.name, name));
	assert_true(vmail_str_is(p.uid, uid));
}

static void
a_walk_gives_mailboxes_and_nothing_else(void **state)
{
	struct vmail_public p;
	uint32_t pos = 0, end;

	(void)state;
	start(&some, "");
	add("a", "1:::/h::0");
	add(":uid:5000", "a");
	add("odd\tname", "2:::/h::0");
	add("b", "3:::/h::0");
	add(":room", "------");
	assert_int_equal(open_image(), VMAIL_OK);
	assert_next(&pos, "a", "1");
	assert_next(&pos, "b", "3");
	end = pos;
	assert_int_equal(
	    vmail_map_next(&map, &pos, window, &p), VMAIL_NOT_FOUND);
	assert_int_equal(pos, end);
}

static void
a_second_record_of_a_name_is_never_answered(void **state)
{
	struct vmail_map_stamp dups = some;
	struct vmail_public p;
	uint32_t pos = 0;

	(void)state;
	dups.dups = true;
	start(&dups, "");
	add("a", "1:::/h::0");
	add("b", "2:::/h::0");
	add("a", "3:::/h::0");
	add("c", "4:::/h::0");
	add("b", "5:::/h::0");
	assert_int_equal(open_image(), VMAIL_OK);
	assert_next(&pos, "a", "1");
	assert_next(&pos, "b", "2");
	assert_next(&pos, "c", "4");
	assert_int_equal(
	    vmail_map_next(&map, &pos, window, &p), VMAIL_NOT_FOUND);
	assert_int_equal(
	    vmail_map_find(&map, VMAIL_STR("b"), window, &p), VMAIL_OK);
	assert_true(vmail_str_is(p.uid, "2"));
}

static void
a_walk_does_not_move_past_a_damaged_record(void **state)
{
	struct vmail_public p;
	uint32_t pos = 0;

	(void)state;
	start(&some, "");
	add("a", "no fields");
	add("b", "3:::/h::0");
	assert_int_equal(open_image(), VMAIL_OK);
	assert_int_equal(
	    vmail_map_next(&map, &pos, window, &p), VMAIL_MALFORMED);
	assert_int_equal(pos, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stamp_is_106_bytes_of_fixed_columns),
		cmocka_unit_test(the_largest_stamp_survives),
		cmocka_unit_test(a_torn_stamp_is_refused_or_is_another_stamp),
		cmocka_unit_test(the_header_says_all_settings),
		cmocka_unit_test(
		    what_the_header_leaves_out_is_vmail_confs_default),
		cmocka_unit_test(views_in_their_file_are_told_from_no_views),
		cmocka_unit_test(settings_behind_the_views_count),
		cmocka_unit_test(a_later_writers_setting_is_passed_over),
		cmocka_unit_test(a_bad_setting_is_damage),
		cmocka_unit_test(
		    a_nul_or_a_missing_line_feed_in_the_header_is_damage),
		cmocka_unit_test(a_file_that_is_not_a_map_of_ours_is_damage),
		cmocka_unit_test(a_map_cut_in_its_header_is_damage),
		cmocka_unit_test(only_a_trusted_file_is_a_map),
		cmocka_unit_test(no_map_is_told_from_a_damaged_one),
		cmocka_unit_test(
		    the_maps_path_is_the_passwd_files_with_cdb_behind),
		cmocka_unit_test(fresh_is_the_same_size_time_and_inode),
		cmocka_unit_test(zeros_and_a_time_before_1970_are_never_fresh),
		cmocka_unit_test(a_mailbox_is_found_as_it_stands_in_the_map),
		cmocka_unit_test(the_maps_own_records_are_nobodys_names),
		cmocka_unit_test(a_value_of_another_form_is_damage),
		cmocka_unit_test(a_record_larger_than_the_window_is_damage),
		cmocka_unit_test(the_longest_name_and_fields_fit),
		cmocka_unit_test(
		    a_name_found_by_number_survives_its_own_lookup),
		cmocka_unit_test(a_number_of_several_mailboxes_is_nobodys),
		cmocka_unit_test(a_walk_gives_mailboxes_and_nothing_else),
		cmocka_unit_test(a_second_record_of_a_name_is_never_answered),
		cmocka_unit_test(a_walk_does_not_move_past_a_damaged_record),
		cmocka_unit_test(
		    a_mailbox_behind_its_numbers_record_comes_along),
	};

	map.cdb.fd = -1;
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
