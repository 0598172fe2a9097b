#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "common/admin/bulk.h"
#include "common/admin/commit.h"
#include "common/admin/mapmake.h"
#include "common/core/map.h"

/* More than two texts' worth. */
enum { MANY = 30000 };

static struct vmail_commit done;

static const char *
line_of(unsigned i)
{
	static char text[128];

	(void)snprintf(text, sizeof(text),
	    "user%u@example.org:{CRYPT}*:%u:600::/home/%u::", i, 600 + i % 50,
	    i);
	return text;
}

/* What the file must hold: what was there, and all of them. */
static char *
expected(const char *old, unsigned lines, size_t *n)
{
	char *p = malloc(strlen(old) + 128 * (size_t)lines + 1);

	*n = strlen(strcpy(p, old));
	for (unsigned i = 0; i < lines; i++)
		*n += (size_t)sprintf(p + *n, "%s\n", line_of(i));
	return p;
}

static struct vmail_store *
opened_bulk(struct fixture *f)
{
	struct vmail_store *s = opened(f);

	assert_int_equal(vmail_bulk(s, &f->err), VMAIL_OK);
	return s;
}

static enum vmail_rc
add(struct vmail_store *s, unsigned i, struct fixture *f)
{
	return vmail_store_add(s, vmail_str(line_of(i)), &f->err);
}

static void
add_all(struct vmail_store *s, unsigned lines, struct fixture *f)
{
	for (unsigned i = 0; i < lines; i++)
		assert_int_equal(add(s, i, f), VMAIL_OK);
}

static void
assert_file(struct fixture *f, const char *old, unsigned lines)
{
	size_t n;
	char *want = expected(old, lines, &n);

	assert_file_is(f->passwd, want, n);
	free(want);
}

/* The map is byte for byte the one that is built from the whole file. */
static void
assert_map(struct fixture *f)
{
	char path[256], other[256];
	int fd = open(f->passwd, O_RDONLY | O_CLOEXEC);
	char *want, *have;
	size_t n, m;

	assert_int_equal(vmail_mapmake_build(&f->conf, fd, f->passwd,
			     in_dir(f, "other.cdb", other), NULL, &f->err),
	    VMAIL_OK);
	close(fd);
	have = get(in_dir(f, "passwd.cdb", path), &n);
	want = get(other, &m);
	assert_int_equal(n, m);
	assert_memory_equal(have, want, m);
	free(have);
	free(want);
	(void)unlink(other);
}

static void
commit(struct vmail_store *s, struct fixture *f)
{
	assert_int_equal(vmail_store_commit(s, true, &done, &f->err), VMAIL_OK);
	assert_int_equal(done.warning.rc, VMAIL_OK);
	assert_true(done.changed);
	assert_false(litter(f));
}

static void
add_to(const char *old, const char *then)
{
	struct fixture f;
	struct vmail_store *s;

	begin(&f, old);
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	assert_true(s->ahead->begun);
	assert_text(f.passwd, old);
	commit(s, &f);
	vmail_store_close(&s);
	assert_file(&f, then, MANY);
	assert_map(&f);
	assert_int_equal(stat_of(&f, "passwd").st_mode & 07777, 0640);
	end(&f);
}

static void
all_lines_follow_what_was_there_and_the_map_has_them(void **state)
{
	(void)state;
	add_to("# users\nann:x:1:1::::\n\nbad:x:-1\n",
	    "# users\nann:x:1:1::::\n\nbad:x:-1\n");
	add_to("ann:x", "ann:x\n"); /* an open last line */
}

static void
few_lines_are_a_commit_like_any_other(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "# users\n");
	s = opened_bulk(&f);
	add_all(s, 100, &f);
	commit(s, &f);
	vmail_store_close(&s);
	s = opened_bulk(&f);
	assert_int_equal(add(s, 100, &f), VMAIL_OK);
	assert_false(s->ahead->begun);
	assert_false(there_is(&f, "passwd.tmp"));
	commit(s, &f);
	assert_false(done.map_rebuilt);
	vmail_store_close(&s);
	assert_file(&f, "# users\n", 101);
	end(&f);
}

static void
a_store_goes_on_after_a_bulk_commit(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin(&f, "# users\n");
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	commit(s, &f);
	assert_int_equal(vmail_store_find(s, VMAIL_STR("user29999@example.org"),
			     &line, &f.err),
	    VMAIL_OK);
	assert_int_equal(vmail_store_remove(s, &line, &f.err), VMAIL_OK);
	commit(s, &f);
	vmail_store_close(&s);
	assert_file(&f, "# users\n", MANY - 1);
	end(&f);
}

/* In the file already, on its way there, or in memory still. */
static void
a_name_is_added_once_wherever_its_line_is_by_now(void **state)
{
	static const unsigned some[] = { 0, 1, 7000, 20000, MANY - 1 };
	struct fixture f;
	struct vmail_store *s;
	char name[64];
	size_t index;

	(void)state;
	begin(&f, "ann:x\n");
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		assert_int_equal(add(s, some[i], &f), VMAIL_EXISTS);
		(void)snprintf(
		    name, sizeof(name), "user%u@example.org", some[i]);
		index = MANY;
		assert_true(vmail_store_added(s, vmail_str(name), &index));
		assert_int_equal(index, some[i]);
	}
	assert_false(
	    vmail_store_added(s, VMAIL_STR("user1@example.or"), &index));
	assert_false(
	    vmail_store_added(s, VMAIL_STR("user@example.org"), &index));
	commit(s, &f);
	assert_false(
	    vmail_store_added(s, VMAIL_STR("user1@example.org"), &index));
	vmail_store_close(&s);
	assert_file(&f, "ann:x\n", MANY);
	end(&f);
}

static void
nothing_but_adds_stands_in_a_bulk_change(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin(&f, "ann:x\n");
	s = opened_bulk(&f);
	assert_int_equal(
	    vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err), VMAIL_OK);
	assert_int_equal(
	    vmail_store_replace(s, &line, VMAIL_STR("ann:y"), &f.err),
	    VMAIL_EXISTS);
	assert_int_equal(vmail_store_remove(s, &line, &f.err), VMAIL_EXISTS);
	assert_int_equal(
	    vmail_store_replace_all(s, s->fd, &f.err), VMAIL_EXISTS);
	vmail_store_close(&s);
	s = opened(&f);
	assert_int_equal(
	    vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err), VMAIL_OK);
	assert_int_equal(vmail_store_remove(s, &line, &f.err), VMAIL_OK);
	assert_int_equal(vmail_bulk(s, &f.err), VMAIL_EXISTS);
	vmail_store_close(&s);
	assert_text(f.passwd, "ann:x\n");
	end(&f);
}

static void
a_bulk_change_given_up_leaves_nothing(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x\n");
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	assert_true(there_is(&f, "passwd.tmp"));
	vmail_store_close(&s);
	assert_false(litter(&f));
	assert_text(f.passwd, "ann:x\n");
	end(&f);
}

static void
who_wrote_without_the_lock_meanwhile_is_not_written_over(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x\n");
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	put(f.passwd, "bob:xyz\n", 8, 0640);
	assert_int_equal(
	    vmail_store_commit(s, true, &done, &f.err), VMAIL_BUSY);
	vmail_store_close(&s);
	assert_false(litter(&f));
	assert_text(f.passwd, "bob:xyz\n");
	end(&f);
}

/* A disk that is full, for the file, and for the map alone. */
static void
a_full_disk_fails_an_add_or_the_commit_and_changes_nothing(void **state)
{
	static const struct {
		const char *size;
		bool fails_early;
	} disks[] = { { "size=1m,mode=0755", true },
		{ "size=3m,mode=0755", false } };
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		enum vmail_rc rc = VMAIL_OK;

		begin(&f, NULL);
		assert_int_equal(
		    mount("small", f.dir, "tmpfs", 0, disks[i].size), 0);
		put(f.passwd, "ann:x\n", 6, 0640);
		s = opened_bulk(&f);
		for (unsigned k = 0; rc == VMAIL_OK && k < MANY; k++)
			rc = add(s, k, &f);
		assert_int_equal(rc != VMAIL_OK, disks[i].fails_early);
		if (rc == VMAIL_OK)
			rc = vmail_store_commit(s, true, &done, &f.err);
		assert_int_equal(rc, VMAIL_IO);
		assert_int_equal(f.err.sys_errno, ENOSPC);
		vmail_store_close(&s);
		assert_false(litter(&f));
		assert_text(f.passwd, "ann:x\n");
		assert_int_equal(umount2(f.dir, MNT_DETACH), 0);
		end(&f);
	}
}

/* No memory for one more stack. */
static void
without_a_second_thread_it_is_done_in_turns(void **state)
{
	struct rlimit now;
	struct fixture f;
	struct vmail_store *s;
	unsigned long pages;
	FILE *p = fopen("/proc/self/statm", "r");

	(void)state;
	assert_non_null(p);
	begin(&f, "ann:x\n");
	s = opened_bulk(&f);
	assert_int_equal(fscanf(p, "%lu", &pages), 1);
	fclose(p);
	assert_int_equal(getrlimit(RLIMIT_AS, &now), 0);
	assert_int_equal(
	    setrlimit(RLIMIT_AS,
		&(struct rlimit){ 4096 * pages + (7 << 20), now.rlim_max }),
	    0);
	add_all(s, MANY, &f);
	assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
	commit(s, &f);
	vmail_store_close(&s);
	assert_file(&f, "ann:x\n", MANY);
	assert_map(&f);
	end(&f);
}

static void
where_rename_cannot_work_the_lines_go_to_the_journal(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	char other[256];
	ino_t was;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	put(in_dir(&f, "other", other), "bob:x\n", 6, 0640);
	assert_int_equal(mount(other, f.passwd, NULL, MS_BIND, NULL), 0);
	was = stat_of(&f, "passwd").st_ino;
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	assert_true(there_is(&f, "passwd.journal"));
	vmail_store_close(&s); /* given up */
	assert_false(there_is(&f, "passwd.journal"));
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	commit(s, &f);
	vmail_store_close(&s);
	assert_true(done.in_place);
	assert_false(there_is(&f, "passwd.journal"));
	assert_int_equal(stat_of(&f, "passwd").st_ino, was);
	assert_file(&f, "bob:x\n", MANY);
	assert_map(&f);
	(void)umount2(f.passwd, MNT_DETACH);
	end(&f);
}

static void
a_map_without_mailboxes_is_only_stamped(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x\n");
	f.conf.nss_mailboxes = false;
	assert_int_equal(append(&f, "bob:x", &done), VMAIL_OK);
	s = opened_bulk(&f);
	add_all(s, MANY, &f);
	assert_true(s->ahead->begun);
	commit(s, &f);
	assert_false(done.map_rebuilt);
	vmail_store_close(&s);
	assert_file(&f, "ann:x\nbob:x\n", MANY);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* The first: the stack of a thread before would be used again.
		 */
		cmocka_unit_test(without_a_second_thread_it_is_done_in_turns),
		cmocka_unit_test(
		    all_lines_follow_what_was_there_and_the_map_has_them),
		cmocka_unit_test(few_lines_are_a_commit_like_any_other),
		cmocka_unit_test(a_store_goes_on_after_a_bulk_commit),
		cmocka_unit_test(
		    a_name_is_added_once_wherever_its_line_is_by_now),
		cmocka_unit_test(nothing_but_adds_stands_in_a_bulk_change),
		cmocka_unit_test(a_bulk_change_given_up_leaves_nothing),
		cmocka_unit_test(
		    who_wrote_without_the_lock_meanwhile_is_not_written_over),
		cmocka_unit_test(
		    a_full_disk_fails_an_add_or_the_commit_and_changes_nothing),
		cmocka_unit_test(
		    where_rename_cannot_work_the_lines_go_to_the_journal),
		cmocka_unit_test(a_map_without_mailboxes_is_only_stamped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
