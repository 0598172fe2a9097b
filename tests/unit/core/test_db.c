#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/core/db.h"
#include "tests/unit/core/cdb_build.h"

#define HASH "{SHA512-CRYPT}$6$salt$HASHHASHHASH"

static char dir[32], map_path[64], gone[64];
static struct vmail_conf conf;
static struct image image;
static struct vmail_map map;
static struct vmail_err err;
static char line[VMAIL_LINE_MAX];
static char window[VMAIL_PUBLIC_WINDOW];

static int
make_folder(void **state)
{
	(void)state;
	memcpy(dir, "/tmp/test_db.XXXXXX", sizeof("/tmp/test_db.XXXXXX"));
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0)
		return -1;
	vmail_conf_defaults(&conf);
	(void)snprintf(
	    conf.passwd_file, sizeof(conf.passwd_file), "%s/passwd", dir);
	(void)snprintf(map_path, sizeof(map_path), "%s/passwd.cdb", dir);
	(void)snprintf(gone, sizeof(gone), "%s/other", dir);
	map.cdb.fd = -1;
	return 0;
}

static int
clean_folder(void **state)
{
	(void)state;
	vmail_map_close(&map);
	image_free(&image);
	(void)unlink(conf.passwd_file);
	(void)unlink(map_path);
	(void)unlink(gone);
	return 0;
}

static int
drop_folder(void **state)
{
	(void)clean_folder(state);
	return rmdir(dir);
}

static void
put(const char *path, const void *text, size_t n, mode_t mode)
{
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
put_passwd(const char *text)
{
	put(conf.passwd_file, text, strlen(text), 0640);
}

/* The stamp of the file as it is, and what the map says besides. */
static struct vmail_map_stamp
stamp_now(uint32_t drift, bool dups)
{
	struct vmail_map_stamp s = { .drift = drift, .dups = dups };
	struct stat st;

	assert_int_equal(stat(conf.passwd_file, &st), 0);
	s.file = vmail_file_stamp(&st);
	return s;
}

static void
start_map(struct vmail_map_stamp stamp, const char *more)
{
	char settings[700];

	(void)snprintf(settings, sizeof(settings), "passwd_file=%s\n%s",
	    conf.passwd_file, more);
	image_free(&image);
	image_start(&image);
	image_header(&image, &stamp, settings);
}

static void
add(const char *name, const char *value)
{
	(void)image_add(&image, vmail_str(name), vmail_str(value));
}

static void
put_map(void)
{
	image_finish(&image, 2, 16);
	put(map_path, image.p, image.n, 0644);
}

static enum vmail_rc
lookup(const char *name, struct vmail_record *r)
{
	vmail_map_close(&map);
	return vmail_db_lookup(&conf, vmail_str(name), line, r, &map, &err);
}

static enum vmail_rc public(const char *name, struct vmail_public *p) {
	vmail_map_close(&map);
	assert_int_equal(vmail_map_open(map_path, &map, NULL), VMAIL_OK);
	return vmail_db_public(&map, vmail_str(name), window, p);
}

static void
assert_found(const char *name, const char *uid, bool by_map)
{
	struct vmail_record r;

	assert_int_equal(lookup(name, &r), VMAIL_OK);
	assert_true(vmail_str_is(r.entry.name, name));
	assert_true(vmail_str_is(r.entry.uid, uid));
	assert_int_equal(r.by_map, by_map);
}

static void
without_a_map_the_file_is_scanned(void **state)
{
	struct vmail_record r;

	(void)state;
	put_passwd("# comment\na:" HASH ":1:2:g:/h::x=y\nb:" HASH ":3:4::::\n");
	assert_found("a", "1", false);
	assert_int_equal(map.cdb.fd, -1);
	assert_int_equal(lookup("b", &r), VMAIL_OK);
	assert_true(vmail_str_is(r.entry.password, HASH));
	assert_int_equal(
	    r.offset, strlen("# comment\na:" HASH ":1:2:g:/h::x=y\n"));
	assert_int_equal(lookup("c", &r), VMAIL_NOT_FOUND);
	assert_int_equal(lookup("# comment", &r), VMAIL_NOT_FOUND);
	assert_int_equal(lookup("", &r), VMAIL_NOT_FOUND);
}

static void
a_fresh_map_gives_the_place(void **state)
{
	(void)state;
	put_passwd("a:x:1:::::\nb:x:2:::::\n");
	start_map(stamp_now(0, false), "");
	add("b", "2:::::11");
	put_map();
	assert_found("b", "2", true);
	assert_true(map.cdb.fd >= 0);
}

/* That the miss came from the map shows in what the map leaves out. */
static void
a_fresh_maps_miss_is_an_answer(void **state)
{
	struct vmail_record r;

	(void)state;
	put_passwd("a:x:1:::::\nb:x:2:::::\n");
	start_map(stamp_now(0, false), "");
	add("b", "2:::::11");
	put_map();
	assert_int_equal(lookup("a", &r), VMAIL_NOT_FOUND);
	assert_true(map.cdb.fd >= 0);
}

static void
a_stale_map_is_open_but_not_believed(void **state)
{
	struct vmail_map_stamp s;
	struct vmail_record r;

	(void)state;
	put_passwd("a:x:1:::::\nb:x:2:::::\n");
	s = stamp_now(0, false);
	s.file.nsec ^= 1;
	start_map(s, "cost={PLAIN}\n");
	add("b", "7:::::11");
	add("deleted", "7:::::0");
	put_map();
	assert_found("a", "1", false);
	assert_found("b", "2", false);
	assert_int_equal(lookup("deleted", &r), VMAIL_NOT_FOUND);
	assert_true(map.cdb.fd >= 0);
	assert_true(vmail_str_is(map.cost, "{PLAIN}"));
}

static void
a_map_that_holds_no_mailboxes_is_no_answer(void **state)
{
	(void)state;
	put_passwd("a:x:1:::::\n");
	start_map(stamp_now(0, false), "nss_mailboxes=no\n");
	put_map();
	assert_found("a", "1", false);
}

static void
a_damaged_or_untrusted_map_is_none(void **state)
{
	(void)state;
	put_passwd("a:x:1:::::\n");
	start_map(stamp_now(0, false), "");
	put_map();
	put(map_path, image.p, 3000, 0644);
	assert_found("a", "1", false);
	assert_int_equal(map.cdb.fd, -1);

	put(map_path, image.p, image.n, 0666);
	assert_found("a", "1", false);
	assert_int_equal(map.cdb.fd, -1);

	start_map(stamp_now(0, false), "");
	add("a", "damaged value");
	put_map();
	assert_found("a", "1", false);
}

static void
a_wrong_offset_falls_to_a_scan(void **state)
{
	static const char *const wrong[] = { "1", "3", "12", "21", "22", "23",
		"99999", "18446744073709551615" };
	char value[64];

	(void)state;
	put_passwd("a:x:1:::::\nb:x:2:::::\n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		start_map(stamp_now(0, false), "");
		(void)snprintf(value, sizeof(value), ":::::%s", wrong[i]);
		add("a", value);
		put_map();
		assert_found("a", "1", false);
	}
}

/* "xa:" and "ba:" hold the name where no line begins. */
static void
a_name_inside_a_line_is_never_hit_by_an_offset(void **state)
{
	(void)state;
	put_passwd("xa:p:7:::::a:p:8::\nba:p:9:::::\na:p:1:::::\n");
	start_map(stamp_now(0, false), "");
	add("a", ":::::1");
	put_map();
	assert_found("a", "1", false);
	start_map(stamp_now(0, false), "");
	add("a", ":::::11");
	put_map();
	assert_found("a", "1", false);
}

static void
an_offset_is_right_to_within_the_drift(void **state)
{
	static const struct {
		const char *offset;
		uint32_t drift;
		bool by_map;
	} cases[] = { { "1000", 0, true }, { "1001", 0, false },
		{ "1007", 7, true }, { "993", 7, true }, { "1008", 7, false },
		{ "992", 7, false }, { "3", 65536, true }, { "1010", 10, true },
		{ "1021", 21, true }, { "0", 999, false },
		{ "0", 1000, true } };
	static char text[1100];
	char value[32];

	(void)state;
	memset(text, '#', 999);
	memcpy(text + 999, "\na:x:1:::::\nz:x:9:::::\n", 23);
	put_passwd(text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		start_map(stamp_now(cases[i].drift, false), "");
		(void)snprintf(
		    value, sizeof(value), ":::::%s", cases[i].offset);
		add("a", value);
		put_map();
		assert_found("a", "1", cases[i].by_map);
	}
}

static void
with_equal_names_a_drifted_offset_is_no_hint(void **state)
{
	(void)state;
	put_passwd("a:x:1:::::\nb:x:2:::::\na:x:3:::::\n");
	start_map(stamp_now(5, true), "");
	add("a", ":::::22");
	add("b", ":::::11");
	put_map();
	assert_found("a", "1", false);
}

static void
the_first_well_formed_line_of_a_name_wins(void **state)
{
	struct vmail_record r;

	(void)state;
	put_passwd("a:x:0:::::\na:x:1:::::\na:x:2:::::\n");
	assert_found("a", "1", false);
	/* The map's offset may be that of the malformed one. */
	start_map(stamp_now(0, false), "");
	add("a", ":::::0");
	put_map();
	assert_found("a", "1", false);
	put_passwd("a:x:0:::::\n");
	assert_int_equal(lookup("a", &r), VMAIL_NOT_FOUND);
}

static void
a_line_of_a_megabyte_or_with_a_nul_hides_nobody(void **state)
{
	enum { HUGE = 1 << 20 };
	char *text = malloc(HUGE + 100);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', HUGE);
	memcpy(text, "a:", 2);
	memcpy(text + HUGE, "\na:\0:9:::::\na:x:1:::::\nb:x:2:::::\n", 35);
	put(conf.passwd_file, text, HUGE + 35, 0640);
	assert_found("a", "1", false);
	assert_found("b", "2", false);
	free(text);
}

static void
a_last_line_needs_no_line_feed(void **state)
{
	(void)state;
	put_passwd("a:x:1:::::\nb:x:2:::::");
	assert_found("b", "2", false);
	start_map(stamp_now(0, false), "");
	add("b", ":::::11");
	put_map();
	assert_found("b", "2", true);
}

static void
what_is_missing_or_empty_is_unavailable_never_unknown(void **state)
{
	struct vmail_record r;
	struct vmail_public p;

	(void)state;
	assert_int_equal(lookup("a", &r), VMAIL_IO);
	assert_string_equal(err.what, "missing");
	put_passwd("");
	assert_int_equal(lookup("a", &r), VMAIL_IO);
	assert_non_null(strstr(err.what, "restore"));

	put_passwd("a:x:1:::::\n");
	start_map(stamp_now(0, false), "");
	add("a", "1:::::0");
	put_map();
	put_passwd("");
	assert_int_equal(public("a", &p), VMAIL_IO);
	(void)unlink(conf.passwd_file);
	assert_int_equal(public("a", &p), VMAIL_IO);
	(void)strcat(conf.passwd_file, "/x/y");
	assert_int_equal(lookup("a", &r), VMAIL_IO);
	conf.passwd_file[strlen(conf.passwd_file) - 4] = '\0';
}

static void
what_is_not_roots_alone_is_refused(void **state)
{
	struct vmail_record r;

	(void)state;
	put_passwd("a:x:1:::::\n");
	assert_int_equal(chmod(conf.passwd_file, 0660), 0);
	assert_int_equal(lookup("a", &r), VMAIL_UNSAFE);
	assert_int_equal(chmod(conf.passwd_file, 0640), 0);
	assert_int_equal(chown(conf.passwd_file, 1000, 0), 0);
	assert_int_equal(lookup("a", &r), VMAIL_UNSAFE);
	put_passwd("a:x:1:::::\n");
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(lookup("a", &r), VMAIL_UNSAFE);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(rename(conf.passwd_file, gone), 0);
	assert_int_equal(symlink(gone, conf.passwd_file), 0);
	assert_int_equal(lookup("a", &r), VMAIL_UNSAFE);
	assert_int_equal(unlink(conf.passwd_file), 0);
	assert_int_equal(mkfifo(conf.passwd_file, 0600), 0);
	assert_int_equal(lookup("a", &r), VMAIL_UNSAFE);
}

/* A writer in place holds byte 1. */
static void
a_file_being_rewritten_in_place_is_busy(void **state)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = 1,
		.l_len = 1 };
	struct vmail_record r;
	struct vmail_public p;

	(void)state;
	put_passwd("a:x:1:::::\n");
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	put_map();
	int fd = open(conf.passwd_file, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(lookup("a", &r), VMAIL_BUSY);
	assert_int_equal(public("a", &p), VMAIL_BUSY);
	close(fd);
	assert_int_equal(lookup("a", &r), VMAIL_OK);
	assert_int_equal(public("a", &p), VMAIL_OK);
}

static void
nothing_is_left_open(void **state)
{
	struct vmail_record r;
	struct vmail_public p;
	int before = dup(0);

	(void)state;
	close(before);
	put_passwd("a:x:1:::::\n");
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	put_map();
	assert_int_equal(lookup("a", &r), VMAIL_OK);
	assert_int_equal(lookup("b", &r), VMAIL_NOT_FOUND);
	assert_int_equal(public("a", &p), VMAIL_OK);
	assert_int_equal(public("b", &p), VMAIL_NOT_FOUND);
	(void)unlink(map_path);
	put_passwd("");
	assert_int_equal(lookup("a", &r), VMAIL_IO);
	vmail_map_close(&map);
	int after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

static void
assert_no_hash_in_window(void)
{
	assert_null(memmem(window, sizeof(window), "HASH", 4));
	assert_null(memmem(window, sizeof(window), "$6$", 3));
	assert_null(memmem(window, sizeof(window), "secret", 6));
}

static void
put_hashes(void)
{
	char text[8000] = "";

	for (int i = 0; i < 60; i++)
		(void)sprintf(text + strlen(text),
		    "u%d:" HASH ":%d:6:g:/h/%d:sh:x=secret\n", i, 1000 + i, i);
	put_passwd(text);
}

static void
public_fields_come_from_a_fresh_map(void **state)
{
	struct vmail_public p;

	(void)state;
	put_hashes();
	start_map(stamp_now(0, false), "");
	add("u1", "7:8:other:/h:sh:0");
	put_map();
	assert_int_equal(public("u1", &p), VMAIL_OK);
	assert_true(vmail_str_is(p.uid, "7"));
	assert_int_equal(public("u2", &p), VMAIL_NOT_FOUND);
	assert_int_equal(public("u:2", &p), VMAIL_NOT_FOUND);
}

static void
public_fields_come_from_the_file_where_the_map_is_stale(void **state)
{
	struct vmail_public p;

	(void)state;
	put_hashes();
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	add("u1", "7:8:other:/h:sh:0");
	add("deleted", "7:8:other:/h:sh:0");
	put_map();
	assert_int_equal(public("u59", &p), VMAIL_OK);
	assert_true(vmail_str_is(p.name, "u59"));
	assert_true(vmail_str_is(p.uid, "1059"));
	assert_true(vmail_str_is(p.gid, "6"));
	assert_true(vmail_str_is(p.gecos, "g"));
	assert_true(vmail_str_is(p.home, "/h/59"));
	assert_true(vmail_str_is(p.shell, "sh"));
	assert_no_hash_in_window();
	assert_int_equal(public("deleted", &p), VMAIL_NOT_FOUND);
	assert_no_hash_in_window();
}

/* getpwuid asks so: the name lies in the window's end. */
static void
a_name_in_the_windows_end_may_be_asked_for(void **state)
{
	struct vmail_str name = { window + VMAIL_PUBLIC_RECORD, 3 };
	struct vmail_public p;

	(void)state;
	put_hashes();
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	put_map();
	vmail_map_close(&map);
	assert_int_equal(vmail_map_open(map_path, &map, NULL), VMAIL_OK);
	memcpy(window + VMAIL_PUBLIC_RECORD, "u42", 3);
	assert_int_equal(vmail_db_public(&map, name, window, &p), VMAIL_OK);
	assert_true(vmail_str_is(p.uid, "1042"));
}

/* Runs in a child: no way back from another uid. */
static int
as_nobody(const char *name)
{
	struct vmail_public p;

	if (setgid(4711) != 0 || setuid(4711) != 0)
		return 1;
	if (vmail_map_open(map_path, &map, NULL) != VMAIL_OK)
		return 2;
	enum vmail_rc rc = vmail_db_public(&map, vmail_str(name), window, &p);
	if (rc == VMAIL_NOT_FOUND || rc == VMAIL_IO)
		return rc == VMAIL_IO ? 5 : 3;
	return rc == VMAIL_OK && vmail_str_is(p.uid, "7") ? 0 : 4;
}

static int
child(int (*run)(const char *), const char *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
who_may_not_read_the_file_gets_the_stale_map(void **state)
{
	(void)state;
	put_hashes();
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	add("u1", "7:8:other:/h:sh:0");
	put_map();
	vmail_map_close(&map);
	assert_int_equal(child(as_nobody, "u1"), 0);
	assert_int_equal(child(as_nobody, "u2"), 3);
	put_passwd("");
	assert_int_equal(child(as_nobody, "u1"), 5);
}

/* One line in the file under a stale map: both readers must agree. */
static void
assert_both_readers_agree(const char *text, size_t n)
{
	struct vmail_record r;
	struct vmail_public p;
	enum vmail_rc rc;

	put(conf.passwd_file, text, n, 0640);
	rc = lookup("a", &r);
	assert_int_equal(public("a", &p), rc);
	assert_null(memmem(window, sizeof(window), "PASSWORD", 8));
	if (rc != VMAIL_OK)
		return;
	assert_true(vmail_str_eq(p.name, r.entry.name));
	assert_true(vmail_str_eq(p.uid, r.entry.uid));
	assert_true(vmail_str_eq(p.gid, r.entry.gid));
	assert_true(vmail_str_eq(p.gecos, r.entry.gecos));
	assert_true(vmail_str_eq(p.home, r.entry.home));
	assert_true(vmail_str_eq(p.shell, r.entry.shell));
	assert_int_equal(p.offset, r.offset);
}

static void
the_same_lines_are_well_formed_for_both_readers(void **state)
{
	static const char *const lines[] = { "a", "a\n", "a\r\n", "a:", "a:\r",
		"a:PASSWORD", "a:PASSWORD\r\n", "a:PASSWORD:", "a:PASSWORD:1",
		"a:PASSWORD:1:2\r\n", "a:PASSWORD:1:2:g:/h:s\r\n",
		"a:PASSWORD:1:2:g:/h:s:\r\n", "a:PASSWORD:0:2:::\n",
		"a:PASSWORD:-1:2:::\n", "a:PASSWORD:1:root:::\n",
		"a:PASSWORD:1:2:::x:y:z PASSWORD\n",
		"a:PASSWORD:1:2:::::::PASSWORD\r\n", "a::::::\n",
		"a:::::::\r" };
	static char text[1000];

	(void)state;
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	put_map();
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_both_readers_agree(lines[i], strlen(lines[i]));
	assert_both_readers_agree("a:PASSWORD:1:2:::: \0\n", 21);
	assert_both_readers_agree("a:PASSWORD\0:1:2::::\n", 20);
	memset(text, 'x', sizeof(text));
	memcpy(text, "a:PASSWORD\0:1:2::::", 19);
	assert_both_readers_agree(text, sizeof(text));
	assert_both_readers_agree("a:PASSWORD:1:2:\0:::\n", 20);
}

/* One field grown over every limit. */
static void
the_same_lengths_are_too_long_for_both_readers(void **state)
{
	static const struct {
		const char *before, *after;
		size_t from, to;
	} cases[] = { { "a:", ":1:2::::\n", 500, 520 },
		{ "a:", "\r\n", 505, 520 }, { "a:", "", 505, 520 },
		{ "a:x:1:2:", ":::\n", 1525, 1545 },
		{ "a:x:1:2::", "::\n", 1525, 1545 },
		{ "a:x:1:2:::", "\r\n", 1525, 1545 },
		{ "a:x:1:2::::", "\n", 20460, 20485 },
		{ "a:x:1:2::::", "\r\n", 20460, 20485 },
		{ "a:x:1:2::::", "", 20460, 20485 },
		{ "a:x:1:2::::", "\n", 230, 270 } };
	static char text[21000];

	(void)state;
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	put_map();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t n = cases[i].from; n < cases[i].to; n++) {
			size_t at = strlen(cases[i].before);

			memcpy(text, cases[i].before, at);
			memset(text + at, 'y', n);
			memcpy(text + at + n, cases[i].after,
			    strlen(cases[i].after));
			assert_both_readers_agree(
			    text, at + n + strlen(cases[i].after));
		}
}

/* Random lines, one seed: every name's answer is the same by both. */
static void
random_lines_read_the_same_for_both_readers(void **state)
{
	static const char bytes[] = "aa::::01xy\r/@ ";
	static char text[600];
	unsigned seed = 20240229;

	(void)state;
	start_map((struct vmail_map_stamp){ .drift = 0 }, "");
	put_map();
	for (int round = 0; round < 400; round++) {
		size_t n = 0;

		while (n < sizeof(text) - 80) {
			size_t len = (size_t)rand_r(&seed) % 40;

			text[n++] = 'a';
			text[n++] = ':';
			for (size_t i = 0; i < len; i++)
				text[n++] = bytes[(size_t)rand_r(&seed) %
						  (sizeof(bytes) - 1)];
			text[n++] = '\n';
		}
		assert_both_readers_agree(text, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    without_a_map_the_file_is_scanned, clean_folder),
		cmocka_unit_test_teardown(
		    a_fresh_map_gives_the_place, clean_folder),
		cmocka_unit_test_teardown(
		    a_fresh_maps_miss_is_an_answer, clean_folder),
		cmocka_unit_test_teardown(
		    a_stale_map_is_open_but_not_believed, clean_folder),
		cmocka_unit_test_teardown(
		    a_map_that_holds_no_mailboxes_is_no_answer, clean_folder),
		cmocka_unit_test_teardown(
		    a_damaged_or_untrusted_map_is_none, clean_folder),
		cmocka_unit_test_teardown(
		    a_wrong_offset_falls_to_a_scan, clean_folder),
		cmocka_unit_test_teardown(
		    a_name_inside_a_line_is_never_hit_by_an_offset,
		    clean_folder),
		cmocka_unit_test_teardown(
		    an_offset_is_right_to_within_the_drift, clean_folder),
		cmocka_unit_test_teardown(
		    with_equal_names_a_drifted_offset_is_no_hint, clean_folder),
		cmocka_unit_test_teardown(
		    the_first_well_formed_line_of_a_name_wins, clean_folder),
		cmocka_unit_test_teardown(
		    a_line_of_a_megabyte_or_with_a_nul_hides_nobody,
		    clean_folder),
		cmocka_unit_test_teardown(
		    a_last_line_needs_no_line_feed, clean_folder),
		cmocka_unit_test_teardown(
		    what_is_missing_or_empty_is_unavailable_never_unknown,
		    clean_folder),
		cmocka_unit_test_teardown(
		    what_is_not_roots_alone_is_refused, clean_folder),
		cmocka_unit_test_teardown(
		    a_file_being_rewritten_in_place_is_busy, clean_folder),
		cmocka_unit_test_teardown(nothing_is_left_open, clean_folder),
		cmocka_unit_test_teardown(
		    public_fields_come_from_a_fresh_map, clean_folder),
		cmocka_unit_test_teardown(
		    public_fields_come_from_the_file_where_the_map_is_stale,
		    clean_folder),
		cmocka_unit_test_teardown(
		    a_name_in_the_windows_end_may_be_asked_for, clean_folder),
		cmocka_unit_test_teardown(
		    who_may_not_read_the_file_gets_the_stale_map, clean_folder),
		cmocka_unit_test_teardown(
		    the_same_lines_are_well_formed_for_both_readers,
		    clean_folder),
		cmocka_unit_test_teardown(
		    the_same_lengths_are_too_long_for_both_readers,
		    clean_folder),
		cmocka_unit_test_teardown(
		    random_lines_read_the_same_for_both_readers, clean_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
