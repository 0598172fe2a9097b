#include "tests/unit/admin/fixture.h"

#include <sys/mman.h>

#include "common/admin/edits.h"

#define OLD "ann:x:1\nbob:x:2\ncleo:x:3\n"

static struct vmail_err err;

static uint64_t
offset_of(const char *old, const char *name)
{
	const char *p = strstr(old, name);

	assert_non_null(p);
	return (uint64_t)(p - old);
}

static struct vmail_str
line_of(const char *old, const char *name)
{
	const char *p = strstr(old, name);

	return (struct vmail_str){ p, strcspn(p, "\n") };
}

static enum vmail_rc
replace(
    struct vmail_edits *e, const char *old, const char *name, const char *text)
{
	return vmail_edits_replace(e, offset_of(old, name), line_of(old, name),
	    true, vmail_str(text), &err);
}

static enum vmail_rc
take_away(struct vmail_edits *e, const char *old, const char *name)
{
	uint64_t at = offset_of(old, name);
	struct vmail_str line = line_of(old, name);

	return vmail_edits_remove(
	    e, at, line, true, old[at + line.n] == '\n', &err);
}

/* A descriptor that nobody else has, holding text. */
static int
memory(const char *text)
{
	int fd = memfd_create("old", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static int
disk(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void
compose(struct vmail_edits *e, const char *old, int to)
{
	size_t n = strlen(old);
	struct vmail_edits_base base = { .fd = memory(old),
		.path = "old",
		.size = n,
		.open_end = n != 0 && old[n - 1] != '\n' };

	assert_int_equal(vmail_edits_compose(e, &base, to, &err), VMAIL_OK);
	assert_int_equal(vmail_edits_verify(e, &base, to, &err), VMAIL_OK);
	close(base.fd);
}

static void
assert_makes(struct vmail_edits *e, const char *old, const char *wanted)
{
	int to = disk();
	char *have = calloc(1, strlen(wanted) + 2);

	compose(e, old, to);
	assert_int_equal(
	    pread(to, have, strlen(wanted) + 1, 0), strlen(wanted));
	assert_string_equal(have, wanted);
	free(have);
	close(to);
	vmail_edits_clear(e);
}

static void
a_replaced_line_touches_only_the_bytes_that_differ(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	assert_int_equal(replace(&e, OLD, "bob", "bob:yy:2"), VMAIL_OK);
	assert_int_equal(e.list[0].at, offset_of(OLD, "bob") + 4);
	assert_int_equal(e.list[0].cut, 1);
	assert_int_equal(e.list[0].put, 2);
	assert_makes(&e, OLD, "ann:x:1\nbob:yy:2\ncleo:x:3\n");
}

static void
repeated_bytes_are_not_counted_at_both_ends(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	assert_int_equal(replace(&e, "aaaa\n", "aaaa", "aa"), VMAIL_OK);
	assert_makes(&e, "aaaa\n", "aa\n");
	assert_int_equal(replace(&e, "aa\n", "aa", "aaaaa"), VMAIL_OK);
	assert_makes(&e, "aa\n", "aaaaa\n");
}

static void
edits_given_in_any_order_make_one_file(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	assert_int_equal(replace(&e, OLD, "cleo", "cleo:xyz:3"), VMAIL_OK);
	assert_int_equal(take_away(&e, OLD, "ann"), VMAIL_OK);
	assert_int_equal(
	    vmail_edits_add(&e, VMAIL_STR("dora:x:4"), &err), VMAIL_OK);
	assert_int_equal(replace(&e, OLD, "bob", "bob::2"), VMAIL_OK);
	assert_makes(&e, OLD, "bob::2\ncleo:xyz:3\ndora:x:4\n");
}

static void
same_length_edits_keep_every_other_byte_in_place(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	assert_int_equal(replace(&e, OLD, "ann", "ann:z:1"), VMAIL_OK);
	assert_int_equal(replace(&e, OLD, "cleo", "cleo:z:3"), VMAIL_OK);
	assert_int_equal(vmail_edits_drift(&e), 0);
	assert_makes(&e, OLD, "ann:z:1\nbob:x:2\ncleo:z:3\n");
}

static void
one_line_is_changed_once(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	assert_int_equal(replace(&e, OLD, "bob", "bob:y:2"), VMAIL_OK);
	assert_int_equal(replace(&e, OLD, "bob", "bob:z:2"), VMAIL_EXISTS);
	assert_int_equal(take_away(&e, OLD, "bob"), VMAIL_EXISTS);
	assert_makes(&e, OLD, "ann:x:1\nbob:y:2\ncleo:x:3\n");
}

static void
one_name_is_added_once(void **state)
{
	struct vmail_edits e = { 0 };
	char line[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		(void)snprintf(line, sizeof(line), "user%d:x", i);
		assert_int_equal(
		    vmail_edits_add(&e, vmail_str(line), &err), VMAIL_OK);
	}
	for (int i = 0; i < 300; i++) {
		(void)snprintf(line, sizeof(line), "user%d:other", i);
		assert_int_equal(
		    vmail_edits_add(&e, vmail_str(line), &err), VMAIL_EXISTS);
	}
	assert_int_equal(
	    vmail_edits_add(&e, VMAIL_STR("user"), &err), VMAIL_OK);
	assert_int_equal(
	    vmail_edits_add(&e, VMAIL_STR("user:x"), &err), VMAIL_EXISTS);
	vmail_edits_clear(&e);
}

static void
a_line_feed_never_gets_into_a_line(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	assert_int_equal(
	    replace(&e, OLD, "bob", "bob:x\nroot:x"), VMAIL_INVALID);
	assert_int_equal(
	    vmail_edits_add(&e, VMAIL_STR("a:\nb:"), &err), VMAIL_INVALID);
	assert_int_equal(
	    vmail_edits_add(&e, VMAIL_STR(""), &err), VMAIL_INVALID);
	assert_int_equal(replace(&e, OLD, "bob", ""), VMAIL_INVALID);
	assert_false(vmail_edits_any(&e));
	vmail_edits_clear(&e);
}

static void
what_is_added_never_runs_into_an_open_last_line(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)vmail_edits_add(&e, VMAIL_STR("bob:x"), &err);
	assert_makes(&e, "ann:x", "ann:x\nbob:x\n");
	(void)vmail_edits_add(&e, VMAIL_STR("bob:x"), &err);
	(void)replace(&e, "ann:x", "ann", "ann:yy");
	assert_makes(&e, "ann:x", "ann:yy\nbob:x\n");
}

static void
an_open_last_line_taken_away_needs_no_line_feed(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)take_away(&e, "ann:x\nbob:x", "bob");
	(void)vmail_edits_add(&e, VMAIL_STR("cleo:x"), &err);
	assert_makes(&e, "ann:x\nbob:x", "ann:x\ncleo:x\n");
	(void)take_away(&e, "bob:x", "bob");
	(void)vmail_edits_add(&e, VMAIL_STR("cleo:x"), &err);
	assert_makes(&e, "bob:x", "cleo:x\n");
}

static void
an_open_last_line_stays_open(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)replace(&e, "ann:x\nbob:x", "bob", "bob:yy");
	assert_makes(&e, "ann:x\nbob:x", "ann:x\nbob:yy");
	(void)take_away(&e, "ann:x\nbob:x", "ann");
	assert_makes(&e, "ann:x\nbob:x", "bob:x");
}

static void
no_file_is_left_with_nothing_in_it(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)take_away(&e, "ann:x\n", "ann");
	assert_makes(&e, "ann:x\n", VMAIL_EMPTY_FILE);
	(void)take_away(&e, "ann:x", "ann");
	assert_makes(&e, "ann:x", VMAIL_EMPTY_FILE);
}

static void
a_text_put_back_as_it_was_is_no_change(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)replace(&e, OLD, "bob", "bob:x:2");
	assert_false(vmail_edits_any(&e));
	(void)replace(&e, OLD, "ann", "ann:y:1");
	assert_true(vmail_edits_any(&e));
	vmail_edits_clear(&e);
}

static void
only_what_the_map_holds_is_public(void **state)
{
	static const char old[] = "ann:x:1:1:g:/h:s:a=b\n";
	static const struct {
		const char *text;
		bool is_public;
	} rows[] = {
		{ "ann:yyyy:1:1:g:/h:s:a=b", false },
		{ "ann:x:1:1:g:/h:s:", false },
		{ "ann:x:2:1:g:/h:s:a=b", true },
		{ "ann:x:1:2:g:/h:s:a=b", true },
		{ "ann:x:1:1:G:/h:s:a=b", true },
		{ "ann:x:1:1:g:/H:s:a=b", true },
		{ "ann:x:1:1:g:/h:S:a=b", true },
		{ "anna:x:1:1:g:/h:s:a=b", true },
		{ "ann:x:0:1:g:/h:s:a=b", true }, /* no longer sound */
		{ "#ann:x:1:1:g:/h:s:a=b", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vmail_edits e = { 0 };

		(void)replace(&e, old, "ann", rows[i].text);
		assert_int_equal(vmail_edits_public(&e), rows[i].is_public);
		vmail_edits_clear(&e);
	}
}

static void
a_malformed_line_concerns_the_map_only_when_it_is_mended(void **state)
{
	struct vmail_edits e = { 0 };
	struct vmail_str old = VMAIL_STR("ann:x:0");

	(void)state;
	(void)vmail_edits_replace(
	    &e, 0, old, false, VMAIL_STR("ann:y:0"), &err);
	assert_false(vmail_edits_public(&e));
	vmail_edits_clear(&e);
	(void)vmail_edits_replace(
	    &e, 0, old, false, VMAIL_STR("ann:x:1"), &err);
	assert_true(vmail_edits_public(&e));
	vmail_edits_clear(&e);
	(void)vmail_edits_remove(&e, 0, old, false, true, &err);
	assert_false(vmail_edits_public(&e));
	assert_int_equal(vmail_edits_drift(&e), old.n + 1);
	assert_int_equal(vmail_edits_removed(&e), 0);
	vmail_edits_clear(&e);
}

static void
drift_is_never_netted_out(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)replace(&e, OLD, "ann", "ann:xxxx:1");
	(void)replace(&e, OLD, "cleo", "cleo::3");
	assert_int_equal(vmail_edits_drift(&e), 4);
	vmail_edits_clear(&e);
}

/* memfd to disk: copy_file_range says EXDEV. */
static void
a_kernel_that_cannot_copy_is_helped_by_hand(void **state)
{
	size_t n = 300000;
	char *old = malloc(n + 16), *wanted = malloc(n + 32);
	struct vmail_edits e = { 0 };
	int from, to = disk();
	off_t in = 0, out = 0;

	(void)state;
	memset(old, 'c', n);
	memcpy(old + n, "\nbob:x\n", 8);
	from = memory(old);
	assert_int_equal(copy_file_range(from, &in, to, &out, 10, 0), -1);
	close(from);
	close(to);
	memcpy(wanted, old, n);
	memcpy(wanted + n, "\nbob:long\n", 11);
	(void)replace(&e, old, "bob", "bob:long");
	assert_makes(&e, old, wanted);
	free(old);
	free(wanted);
}

/* By the kernel's copy, and by hand. */
/* Every line says which one it is. */
static void
put_numbered(int fd, size_t lines, size_t line)
{
	char *text = malloc(lines * line + 1);

	for (size_t i = 0; i < lines; i++)
		(void)snprintf(
		    text + i * line, line + 1, "%0*zu\n", (int)line - 1, i);
	assert_true(vmail_edits_pwrite(fd, text, lines * line, 0));
	free(text);
}

static void
a_long_file_is_copied_whole_in_its_stretches(void **state)
{
	enum { LINE = 1000, LINES = 20000 }; /* 20 MB: more than two */
	struct vmail_edits e = { 0 };
	struct vmail_edits_base base = {
		.fd = disk(), .path = "old", .size = (uint64_t)LINE * LINES
	};
	int to = disk();
	char have[LINE + 1] = "", want[LINE + 1];

	(void)state;
	put_numbered(base.fd, LINES, LINE);
	assert_int_equal(pread(base.fd, want, LINE, LINE), LINE);
	assert_int_equal(
	    vmail_edits_remove(&e, LINE, (struct vmail_str){ want, LINE - 1 },
		true, true, &err),
	    VMAIL_OK);
	assert_int_equal(vmail_edits_compose(&e, &base, to, &err), VMAIL_OK);
	assert_int_equal(vmail_edits_verify(&e, &base, to, &err), VMAIL_OK);
	for (size_t i = 0; i < LINES - 1; i++) {
		(void)snprintf(want, sizeof(want), "%0*zu\n", LINE - 1,
		    i == 0 ? i : i + 1);
		assert_int_equal(
		    pread(to, have, LINE, (off_t)(i * LINE)), LINE);
		assert_string_equal(have, want);
	}
	vmail_edits_clear(&e);
	close(base.fd);
	close(to);
}

static void
a_file_cut_short_meanwhile_is_an_error(void **state)
{
	const int from[] = { memory("ann:x\n"), disk() };

	(void)state;
	assert_int_equal(write(from[1], "ann:x\n", 6), 6);
	for (size_t i = 0; i < 2; i++) {
		struct vmail_edits e = { 0 };
		struct vmail_edits_base base = {
			.fd = from[i], .path = "old", .size = 100
		};
		int to = disk();

		(void)vmail_edits_add(&e, VMAIL_STR("bob:x"), &err);
		assert_int_equal(
		    vmail_edits_compose(&e, &base, to, &err), VMAIL_IO);
		vmail_edits_clear(&e);
		close(base.fd);
		close(to);
	}
}

/* Spoils one byte, or appends one, and asks again. */
static void
assert_seen(struct vmail_edits *e, const char *old, off_t at)
{
	struct vmail_edits_base base = {
		.fd = memory(old), .path = "old", .size = strlen(old)
	};
	int to = disk();

	compose(e, old, to);
	assert_int_equal(pwrite(to, "!", 1, at), 1);
	assert_int_equal(vmail_edits_verify(e, &base, to, &err), VMAIL_IO);
	close(base.fd);
	close(to);
}

static void
a_file_that_reads_back_wrong_is_seen(void **state)
{
	struct vmail_edits e = { 0 };

	(void)state;
	(void)take_away(&e, OLD, "ann");
	(void)replace(&e, OLD, "bob", "bob:yy:2");
	(void)vmail_edits_add(&e, VMAIL_STR("dora:x"), &err);
	/* bob:yy:2\ncleo:x:3\ndora:x\n */
	assert_seen(&e, OLD, 0);  /* the part that both lines share */
	assert_seen(&e, OLD, 5);  /* the new part */
	assert_seen(&e, OLD, 8);  /* the line feed behind it */
	assert_seen(&e, OLD, 20); /* what was added */
	assert_seen(&e, OLD, 24); /* its line feed */
	assert_seen(&e, OLD, 25); /* one byte too many */
	vmail_edits_clear(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_replaced_line_touches_only_the_bytes_that_differ),
		cmocka_unit_test(repeated_bytes_are_not_counted_at_both_ends),
		cmocka_unit_test(edits_given_in_any_order_make_one_file),
		cmocka_unit_test(
		    same_length_edits_keep_every_other_byte_in_place),
		cmocka_unit_test(one_line_is_changed_once),
		cmocka_unit_test(one_name_is_added_once),
		cmocka_unit_test(a_line_feed_never_gets_into_a_line),
		cmocka_unit_test(
		    what_is_added_never_runs_into_an_open_last_line),
		cmocka_unit_test(
		    an_open_last_line_taken_away_needs_no_line_feed),
		cmocka_unit_test(an_open_last_line_stays_open),
		cmocka_unit_test(no_file_is_left_with_nothing_in_it),
		cmocka_unit_test(a_text_put_back_as_it_was_is_no_change),
		cmocka_unit_test(only_what_the_map_holds_is_public),
		cmocka_unit_test(
		    a_malformed_line_concerns_the_map_only_when_it_is_mended),
		cmocka_unit_test(drift_is_never_netted_out),
		cmocka_unit_test(a_kernel_that_cannot_copy_is_helped_by_hand),
		cmocka_unit_test(a_long_file_is_copied_whole_in_its_stretches),
		cmocka_unit_test(a_file_cut_short_meanwhile_is_an_error),
		cmocka_unit_test(a_file_that_reads_back_wrong_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
