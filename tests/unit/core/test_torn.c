/* A file half written over in place, as a killed writer leaves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/db.h"
#include "common/core/torn.h"
#include "tests/unit/core/cdb_build.h"

/* Lines of one length, as names and hashes of one length make them: half of
 * one and half of the next are a line as well. */
#define LINE(n) "user" n "@x.y:{CRYPT}hash" n ":60" n ":60" n "::/h/" n "::\n"
#define OLD	"# users\n" LINE("01") LINE("02") LINE("03") LINE("04") LINE("05")

static const char *const users[] = { "01", "02", "03", "04", "05" };
enum { USERS = sizeof(users) / sizeof(users[0]) };

static char dir[32], journal[64], backup[64], map_path[64];
static struct vmail_conf conf;
static struct vmail_err err;

static int
make_folder(void **state)
{
	(void)state;
	memcpy(dir, "/tmp/test_torn.XXXXXX", sizeof("/tmp/test_torn.XXXXXX"));
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0)
		return -1;
	vmail_conf_defaults(&conf);
	(void)snprintf(
	    conf.passwd_file, sizeof(conf.passwd_file), "%s/passwd", dir);
	(void)snprintf(journal, sizeof(journal), "%s/passwd.journal", dir);
	(void)snprintf(map_path, sizeof(map_path), "%s/passwd.cdb", dir);
	(void)snprintf(backup, sizeof(backup), "%s/passwd-", dir);
	return 0;
}

static int
clean_folder(void **state)
{
	(void)state;
	(void)unlink(conf.passwd_file);
	(void)unlink(journal);
	(void)unlink(backup);
	(void)unlink(map_path);
	return 0;
}

static int
drop_folder(void **state)
{
	(void)clean_folder(state);
	return rmdir(dir);
}

static void
put(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, 0640), 0);
	close(fd);
}

static void
put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

/* Of the users of OLD, and not of what becomes of it. */
static void
put_old_map(void)
{
	struct vmail_map_stamp stamp = { .file.size = 1 };
	struct image image = { 0 };
	char settings[700], value[64];

	(void)snprintf(
	    settings, sizeof(settings), "passwd_file=%s\n", conf.passwd_file);
	image_start(&image);
	image_header(&image, &stamp, settings);
	for (size_t i = 0; i < USERS; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "user%s@x.y", users[i]);
		(void)snprintf(value, sizeof(value), "60%s:60%s::/h/%s::0",
		    users[i], users[i], users[i]);
		(void)image_add(&image, vmail_str(name), vmail_str(value));
	}
	image_finish(&image, 2, 16);
	put(map_path, (const char *)image.p, image.n);
	image_free(&image);
}

static void
put_journal(const char *new)
{
	char text[2048], sum[VMAIL_TORN_SHA + 1];

	memset(sum, 'a', VMAIL_TORN_SHA);
	sum[VMAIL_TORN_SHA] = '\0';
	(void)snprintf(text, sizeof(text),
	    "%s" VMAIL_TORN_SEAL "%020zu %s %s\n", new, strlen(new), sum, sum);
	put_text(journal, text);
}

/* The new content up to `cut`, and what was there behind it. */
static void
put_torn(const char *old, const char *new, size_t cut)
{
	char text[2048];
	size_t n = strlen(old);

	memcpy(text, old, n);
	memcpy(text, new, cut);
	put(conf.passwd_file, text, n > cut ? n : cut);
}

static enum vmail_rc
lookup(const char *name, struct vmail_record *r)
{
	static char line[VMAIL_LINE_MAX];
	struct vmail_map map;
	enum vmail_rc rc =
	    vmail_db_lookup(&conf, vmail_str(name), line, r, &map, &err);

	vmail_map_close(&map);
	return rc;
}

/* As NSS asks: with the map of the old content. */
static enum vmail_rc
ask_public(const char *name, struct vmail_public *p)
{
	static char window[VMAIL_PUBLIC_WINDOW];
	struct vmail_map map;
	enum vmail_rc rc;

	assert_int_equal(vmail_map_open(map_path, &map, NULL), VMAIL_OK);
	rc = vmail_db_public(&map, vmail_str(name), window, p);
	vmail_map_close(&map);
	return rc;
}

/* Both readers: that user's own line; or "unavailable", by who needs the
 * password. Returns whether that was known. */
static bool
ask(const char *user, size_t cut)
{
	char name[32], hash[32], uid[8];
	struct vmail_record r;
	struct vmail_public p;
	enum vmail_rc rc;

	(void)snprintf(name, sizeof(name), "user%s@x.y", user);
	(void)snprintf(hash, sizeof(hash), "{CRYPT}hash%s", user);
	(void)snprintf(uid, sizeof(uid), "60%s", user);
	rc = ask_public(name, &p);
	if (rc != VMAIL_OK || !vmail_str_is(p.uid, uid))
		fail_msg(
		    "%s, cut at %zu, NSS: %s", name, cut, vmail_rc_text(rc));
	rc = lookup(name, &r);
	if (rc == VMAIL_OK && vmail_str_is(r.entry.password, hash) &&
	    vmail_str_is(r.entry.uid, uid))
		return true;
	if (rc != VMAIL_BUSY)
		fail_msg("%s, cut at %zu: %s", name, cut, vmail_rc_text(rc));
	return false;
}

/* At every byte, and whole but for the length. */
static void
at_every_cut(const char *new)
{
	int knew = 0, asked = 0;

	put_text(backup, OLD);
	put_old_map();
	put_journal(new);
	for (size_t cut = 0; cut <= strlen(new); cut++) {
		put_torn(OLD, new, cut);
		for (size_t i = 0; i < USERS; i++, asked++)
			knew += ask(users[i], cut);
	}
	/* All but who is at the cut, or on the way. */
	assert_true(2 * knew > asked);
}

static void
a_line_taken_out_is_nobodys_and_gives_nobody_anothers(void **state)
{
	(void)state;
	at_every_cut("# users\n" LINE("02") LINE("03") LINE("04") LINE("05"));
	at_every_cut("# users\n" LINE("01") LINE("02") LINE("04") LINE("05"));
	at_every_cut("# users\n" LINE("01") LINE("02") LINE("03") LINE("04"));
}

static void
a_line_put_in_costs_nobody_their_own(void **state)
{
	(void)state;
	at_every_cut(OLD LINE("06"));
	at_every_cut("# users\n" LINE("00") LINE("01") LINE("02") LINE("03")
		LINE("04") LINE("05"));
	at_every_cut("# users, and more of this comment than there was\n" LINE(
	    "01") LINE("02") LINE("03") LINE("04") LINE("05"));
}

/* The new first line is a byte longer: cut behind it the next one has lost its
 * first byte, and is another's. */
static void
the_rest_of_a_longer_name_is_nobody(void **state)
{
	static const char old[] =
	    "ab:p:1::::\nxann:other:2::::\nann:own:3::::\n";
	static const char new[] =
	    "abc:p:1::::\nxann:other:2::::\nann:own:3::::\n";
	struct vmail_record r;

	(void)state;
	put_text(backup, old);
	put_journal(new);
	put_torn(old, new, strlen("abc:p:1::::\n"));
	assert_int_equal(lookup("ann", &r), VMAIL_BUSY);
	put_torn(old, new, strlen(new));
	assert_int_equal(lookup("ann", &r), VMAIL_OK);
	assert_true(vmail_str_is(r.entry.password, "own"));
}

static void
who_is_not_found_in_a_torn_file_is_not_unknown(void **state)
{
	struct vmail_record r;
	struct vmail_public p;

	(void)state;
	put_old_map();
	put_text(backup, OLD);
	put_journal(OLD LINE("06"));
	put_text(conf.passwd_file, OLD);
	assert_int_equal(lookup("user06@x.y", &r), VMAIL_BUSY);
	assert_non_null(strstr(err.what, "vmailadm check"));
	assert_int_equal(ask_public("user06@x.y", &p), VMAIL_BUSY);
	(void)unlink(journal);
	assert_int_equal(lookup("user06@x.y", &r), VMAIL_NOT_FOUND);
	assert_int_equal(ask_public("user06@x.y", &p), VMAIL_NOT_FOUND);
}

/* It is on its way still: nothing was written over the file. */
static void
a_journal_that_is_not_sealed_takes_nobody_away(void **state)
{
	struct vmail_record r;

	(void)state;
	put_old_map();
	put_text(backup, "another\n");
	put_text(journal, LINE("05") LINE("04"));
	put_text(conf.passwd_file, OLD);
	assert_true(ask("03", 0));
	assert_int_equal(lookup("user06@x.y", &r), VMAIL_NOT_FOUND);
	put_text(journal, "");
	assert_true(ask("03", 0));
	assert_int_equal(lookup("user06@x.y", &r), VMAIL_NOT_FOUND);
}

static void
a_journal_that_cannot_be_read_counts(void **state)
{
	struct vmail_record r;

	(void)state;
	put_text(conf.passwd_file, OLD);
	assert_int_equal(symlink("/dev/null", journal), 0);
	assert_int_equal(lookup("user03@x.y", &r), VMAIL_BUSY);
	assert_int_equal(lookup("user06@x.y", &r), VMAIL_BUSY);
}

/* Longer than what is compared at once, and without a line feed at the end. */
static void
long_lines_and_the_last_one_are_compared_whole(void **state)
{
	char text[2048], other[2048];
	struct vmail_record r;

	(void)state;
	(void)snprintf(
	    text, sizeof(text), "# one\nlong:x:60::%01000d:::\nlast:x", 7);
	memcpy(other, text, sizeof(other));
	put_text(conf.passwd_file, text);
	put_journal("# another, so that all is elsewhere\n");
	put_text(backup, text);
	assert_int_equal(lookup("long", &r), VMAIL_OK);
	assert_int_equal(lookup("last", &r), VMAIL_OK);
	other[900] = '8';
	put_text(backup, other);
	assert_int_equal(lookup("long", &r), VMAIL_BUSY);
	(void)snprintf(other, sizeof(other), "%sx", text);
	put_text(backup, other);
	assert_int_equal(lookup("long", &r), VMAIL_OK);
	assert_int_equal(lookup("last", &r), VMAIL_BUSY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_line_taken_out_is_nobodys_and_gives_nobody_anothers,
		    clean_folder),
		cmocka_unit_test_teardown(
		    a_line_put_in_costs_nobody_their_own, clean_folder),
		cmocka_unit_test_teardown(
		    the_rest_of_a_longer_name_is_nobody, clean_folder),
		cmocka_unit_test_teardown(
		    who_is_not_found_in_a_torn_file_is_not_unknown,
		    clean_folder),
		cmocka_unit_test_teardown(
		    a_journal_that_is_not_sealed_takes_nobody_away,
		    clean_folder),
		cmocka_unit_test_teardown(
		    a_journal_that_cannot_be_read_counts, clean_folder),
		cmocka_unit_test_teardown(
		    long_lines_and_the_last_one_are_compared_whole,
		    clean_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
