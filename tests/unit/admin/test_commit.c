#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <time.h>

#include "common/admin/edits.h"
#include "common/admin/mapmake.h"
#include "common/core/db.h"

#define ACL "system.posix_acl_access"

static struct vmail_commit done;

/* The one field of a line that a password change touches. */
static char *
line_with(const char *name, const char *password)
{
	static char line[256];

	(void)snprintf(line, sizeof(line), "%s:%s:1000:1000::/h/%s::", name,
	    password, name);
	return line;
}

static bool
looked_up(
    struct fixture *f, const char *name, const char *password, bool *by_map)
{
	static char line[VMAIL_LINE_MAX];
	struct vmail_record r;
	struct vmail_map map;
	enum vmail_rc rc =
	    vmail_db_lookup(&f->conf, vmail_str(name), line, &r, &map, &f->err);

	vmail_map_close(&map);
	if (by_map != NULL)
		*by_map = rc == VMAIL_OK && r.by_map;
	return rc == VMAIL_OK &&
	       (password == NULL || vmail_str_is(r.entry.password, password));
}

static bool
map_is_fresh(struct fixture *f)
{
	char path[256];
	struct vmail_map map;
	struct stat st;
	bool fresh;

	if (vmail_map_open(in_dir(f, "passwd.cdb", path), &map, &f->err) !=
	    VMAIL_OK)
		return false;
	fresh = stat(f->passwd, &st) == 0 && vmail_map_fresh(&map, &st);
	vmail_map_close(&map);
	return fresh;
}

static void
untouched_bytes_stay_as_they_are(void **state)
{
	static const char before[] = "# comment\n\nbad\0nul:x\nann:x:0\r\n"
				     ":skipped\nümlaut:\xff\xfe\nlong:";
	static const char behind[] = "\r\nann:old:1:1::/h::\r\n  # x\nbob:y";
	size_t big = 1048576, head = sizeof(before) - 1;
	size_t tail = sizeof(behind) - 1, n = head + big + tail;
	char *text = malloc(n + 8), *wanted = malloc(n + 8), *p;
	struct fixture f;

	(void)state;
	memcpy(text, before, head);
	memset(text + head, 'L', big);
	memcpy(text + head + big, behind, tail);
	begin_bytes(&f, text, n);
	assert_int_equal(
	    change(&f, "ann", "ann:newer:1:1::/h::\r", &done), VMAIL_OK);
	memcpy(wanted, text, n);
	p = memmem(wanted, n, "old", 3);
	memmove(p + 5, p + 3, (size_t)(wanted + n - p - 3));
	memcpy(p, "newer", 5);
	assert_file_is(f.passwd, wanted, n + 2);
	/* Nor do the bytes before and behind a line that goes. */
	assert_int_equal(change(&f, "bob", NULL, &done), VMAIL_OK);
	assert_file_is(f.passwd, wanted, n + 2 - 5);
	free(text);
	free(wanted);
	end(&f);
}

static void
what_is_added_stands_alone_behind_a_last_line_without_line_feed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "ann:x");
	assert_int_equal(append(&f, "bob:y", &done), VMAIL_OK);
	assert_text(f.passwd, "ann:x\nbob:y\n");
	end(&f);
}

static void
whole_seconds_grow_with_every_commit(void **state)
{
	struct fixture f;
	time_t last;

	(void)state;
	begin(&f, "ann:x\n");
	last = stat_of(&f, "passwd").st_mtim.tv_sec;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    change(&f, "ann", i % 2 ? "ann:y" : "ann:z", &done),
		    VMAIL_OK);
		assert_true(stat_of(&f, "passwd").st_mtim.tv_sec > last);
		last = stat_of(&f, "passwd").st_mtim.tv_sec;
		assert_int_equal(done.mtime, last);
	}
	end(&f);
}

static void
a_time_in_the_future_grows_too_and_an_old_one_becomes_now(void **state)
{
	struct fixture f;
	time_t now = time(NULL);
	struct timespec times[2] = { { 0, UTIME_OMIT },
		{ now + 100000, 999999999 } };

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(utimensat(AT_FDCWD, f.passwd, times, 0), 0);
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	assert_int_equal(stat_of(&f, "passwd").st_mtim.tv_sec, now + 100001);
	times[1].tv_sec = 12345;
	assert_int_equal(utimensat(AT_FDCWD, f.passwd, times, 0), 0);
	assert_int_equal(change(&f, "ann", "ann:z", &done), VMAIL_OK);
	assert_true(stat_of(&f, "passwd").st_mtim.tv_sec >= now);
	assert_true(stat_of(&f, "passwd").st_mtim.tv_sec < now + 1000);
	end(&f);
}

/* version 2; user::rw- user:1234:r-- group::r-- mask::r-- other::--- */
static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 4, 0, 210, 4, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0,
	255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };

static void
owner_mode_and_acl_are_kept(void **state)
{
	struct fixture f;
	unsigned char now[128];
	struct stat st;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(chown(f.passwd, 0, 777), 0);
	assert_int_equal(chmod(f.passwd, 0640), 0);
	assert_int_equal(setxattr(f.passwd, ACL, acl, sizeof(acl), 0), 0);
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	st = stat_of(&f, "passwd");
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 777);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(
	    getxattr(f.passwd, ACL, now, sizeof(now)), sizeof(acl));
	assert_memory_equal(now, acl, sizeof(acl));
	/* The side files that a commit makes are as readable. */
	st = stat_of(&f, "deny");
	assert_int_equal(st.st_gid, 777);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(
	    getxattr(in_dir(&f, "deny", path), ACL, now, sizeof(now)),
	    sizeof(acl));
	end(&f);
}

static void
a_folders_default_acl_gives_the_new_file_to_nobody(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(chmod(f.passwd, 0600), 0);
	assert_int_equal(
	    setxattr(f.dir, "system.posix_acl_default", acl, sizeof(acl), 0),
	    0);
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	assert_int_equal(getxattr(f.passwd, ACL, NULL, 0), -1);
	assert_int_equal(stat_of(&f, "passwd").st_mode & 07777, 0600);
	end(&f);
}

static void
the_backup_is_the_previous_content_for_root_alone(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	in_dir(&f, "passwd-", path);
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	assert_text(path, "ann:x\n");
	assert_int_equal(change(&f, "ann", "ann:z", &done), VMAIL_OK);
	assert_text(path, "ann:y\n");
	assert_int_equal(stat_of(&f, "passwd-").st_mode & 07777, 0600);
	assert_int_equal(stat_of(&f, "passwd-").st_nlink, 1);
	assert_int_equal(stat_of(&f, "passwd").st_mode & 07777, 0640);
	end(&f);
}

static void
a_commit_without_a_change_writes_nothing(void **state)
{
	struct fixture f;
	struct stat before, after;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x\n");
	before = stat_of(&f, "passwd");
	assert_int_equal(change(&f, "ann", "ann:x", &done), VMAIL_OK);
	assert_false(done.changed);
	s = opened(&f);
	assert_int_equal(vmail_store_commit(s, false, &done, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	assert_false(done.changed);
	after = stat_of(&f, "passwd");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_sec, done.mtime);
	assert_false(there_is(&f, "passwd-"));
	assert_false(there_is(&f, "passwd.cdb"));
	end(&f);
}

static void
the_last_user_gone_leaves_a_comment(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(change(&f, "ann", NULL, &done), VMAIL_OK);
	assert_text(f.passwd, VMAIL_EMPTY_FILE);
	assert_true(map_is_fresh(&f));
	assert_int_equal(append(&f, "bob:x", &done), VMAIL_OK);
	assert_true(looked_up(&f, "bob", "x", NULL));
	end(&f);
}

static void
all_edits_of_a_store_are_one_commit(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin(&f, "ann:x\nbob:x\ncleo:x\ndora:x\n");
	s = opened(&f);
	(void)vmail_store_find(s, VMAIL_STR("dora"), &line, &f.err);
	(void)vmail_store_replace(s, &line, VMAIL_STR("dora:long"), &f.err);
	(void)vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err);
	(void)vmail_store_remove(s, &line, &f.err);
	assert_int_equal(vmail_store_remove(s, &line, &f.err), VMAIL_EXISTS);
	(void)vmail_store_add(s, VMAIL_STR("emil:x"), &f.err);
	(void)vmail_store_add(s, VMAIL_STR("fritz:x"), &f.err);
	assert_int_equal(
	    vmail_store_add(s, VMAIL_STR("emil:y"), &f.err), VMAIL_EXISTS);
	assert_text(f.passwd, "ann:x\nbob:x\ncleo:x\ndora:x\n");
	assert_int_equal(vmail_store_commit(s, false, &done, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	assert_text(f.passwd, "bob:x\ncleo:x\ndora:long\nemil:x\nfritz:x\n");
	end(&f);
}

static void
a_store_goes_on_with_what_it_committed(void **state)
{
	struct flock byte = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1
	};
	int fd;
	struct fixture f;
	struct vmail_store *s, *other = NULL;
	struct vmail_line line;

	(void)state;
	begin(&f, "ann:x\n");
	s = opened(&f);
	for (int i = 0; i < 3; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "ann:%.*s", i + 2, "yyyyy");
		assert_int_equal(
		    vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err),
		    VMAIL_OK);
		assert_int_equal(
		    vmail_store_replace(s, &line, vmail_str(text), &f.err),
		    VMAIL_OK);
		assert_int_equal(
		    vmail_store_commit(s, false, &done, &f.err), VMAIL_OK);
		assert_true(looked_up(&f, "ann", text + 4, NULL));
		/* The new file is locked as the old one was, by .lock and
		 * for whoever has no .lock in common with us. */
		fd = open(f.passwd, O_RDWR | O_CLOEXEC);
		assert_int_equal(fcntl(fd, F_OFD_SETLK, &byte), -1);
		close(fd);
		assert_int_equal(
		    vmail_store_open(&f.conf, 0, &other, &f.err), VMAIL_BUSY);
	}
	vmail_store_close(&s);
	end(&f);
}

static void
a_store_forgets_the_map_of_what_it_replaced(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin(&f, "bob:1\nann:2\n");
	s = opened(&f);
	assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
	(void)vmail_store_find(s, VMAIL_STR("bob"), &line, &f.err);
	(void)vmail_store_replace(s, &line, VMAIL_STR("ann:9"), &f.err);
	assert_int_equal(vmail_store_commit(s, false, &done, &f.err), VMAIL_OK);
	assert_int_equal(
	    vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err), VMAIL_OK);
	assert_int_equal(line.offset, 0);
	vmail_store_close(&s);
	end(&f);
}

static enum vmail_rc
remove_some(struct fixture *f, int users, int removed, bool force)
{
	struct vmail_store *s = opened(f);
	struct vmail_line line;
	char name[32];
	enum vmail_rc rc;

	for (int i = 0; i < removed; i++) {
		(void)snprintf(name, sizeof(name), "u%d", users - 1 - i);
		assert_int_equal(
		    vmail_store_find(s, vmail_str(name), &line, &f->err),
		    VMAIL_OK);
		(void)vmail_store_remove(s, &line, &f->err);
	}
	rc = vmail_store_commit(s, force, &done, &f->err);
	vmail_store_close(&s);
	return rc;
}

static void
a_bulk_result_of_fewer_than_half_the_users_wants_force(void **state)
{
	static const struct {
		int users, removed;
		bool force;
		enum vmail_rc rc;
	} rows[] = {
		{ 4, 2, false, VMAIL_OK }, { 4, 3, false, VMAIL_INVALID },
		{ 4, 3, true, VMAIL_OK }, { 2, 2, false, VMAIL_INVALID },
		{ 2, 2, true, VMAIL_OK },
		{ 1, 1, false, VMAIL_OK }, /* one by one is no bulk */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256] = "# comments count for nobody\nx:y:0\n";

		for (int k = 0; k < rows[i].users; k++)
			(void)sprintf(text + strlen(text), "u%d:x\n", k);
		begin(&f, text);
		assert_int_equal(remove_some(&f, rows[i].users, rows[i].removed,
				     rows[i].force),
		    rows[i].rc);
		if (rows[i].rc != VMAIL_OK)
			assert_text(f.passwd, text);
		assert_false(litter(&f));
		end(&f);
	}
}

static void
side_files_that_were_missing_are_made(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	assert_true(there_is(&f, "apppw"));
	assert_true(there_is(&f, "deny"));
	end(&f);
}

static void
whoever_writes_without_the_lock_is_not_overwritten(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	char other[256];

	(void)state;
	begin(&f, "ann:x\n");
	s = opened(&f);
	(void)vmail_store_add(s, VMAIL_STR("bob:x"), &f.err);
	put(f.passwd, "ann:x\ncleo:x\n", 13, 0640);
	assert_int_equal(
	    vmail_store_commit(s, false, &done, &f.err), VMAIL_BUSY);
	vmail_store_close(&s);
	assert_text(f.passwd, "ann:x\ncleo:x\n");
	/* Replaced by another file, as editors do. */
	s = opened(&f);
	(void)vmail_store_add(s, VMAIL_STR("bob:x"), &f.err);
	put(in_dir(&f, "edited", other), "dora:x\n", 7, 0640);
	assert_int_equal(rename(other, f.passwd), 0);
	assert_int_equal(
	    vmail_store_commit(s, false, &done, &f.err), VMAIL_BUSY);
	vmail_store_close(&s);
	assert_text(f.passwd, "dora:x\n");
	assert_false(litter(&f));
	end(&f);
}

static void
a_map_that_cannot_be_replaced_is_a_warning_and_the_change_is_done(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(mkdir(in_dir(&f, "passwd.cdb", path), 0755), 0);
	assert_int_equal(append(&f, "bob:y", &done), VMAIL_OK);
	assert_true(done.changed);
	assert_int_not_equal(done.warning.rc, VMAIL_OK);
	assert_string_equal(done.warning.path, path);
	assert_text(f.passwd, "ann:x\nbob:y\n");
	assert_false(litter(&f));
	assert_true(looked_up(&f, "bob", "y", NULL));
	end(&f);
}

static void
a_backup_that_cannot_be_replaced_is_a_warning(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(mkdir(in_dir(&f, "passwd-", path), 0755), 0);
	assert_int_equal(append(&f, "bob:y", &done), VMAIL_OK);
	assert_int_not_equal(done.warning.rc, VMAIL_OK);
	assert_false(litter(&f));
	assert_true(map_is_fresh(&f));
	end(&f);
}

static void
what_stands_in_the_way_fails_the_commit_and_nothing_changes(void **state)
{
	static const char *const names[] = { "passwd.tmp", "passwd-.tmp",
		"passwd.cdb.tmp", "deny.tmp" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct fixture f;
		char path[256];

		begin(&f, "ann:x\n");
		assert_int_equal(mkdir(in_dir(&f, names[i], path), 0755), 0);
		assert_int_equal(append(&f, "bob:y", &done), VMAIL_IO);
		assert_text(f.passwd, "ann:x\n");
		assert_int_equal(rmdir(path), 0);
		assert_false(litter(&f));
		assert_int_equal(append(&f, "bob:y", &done), VMAIL_OK);
		end(&f);
	}
}

static void
a_full_disk_loses_nothing_and_leaves_nothing(void **state)
{
	struct fixture f;
	pid_t pid;

	(void)state;
	begin(&f, NULL);
	pid = fork();
	if (pid == 0) {
		size_t n = 200000, most = 232000;
		char *text = malloc(most);

		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("tmpfs", f.dir, "tmpfs", 0, "size=256k,mode=0755") !=
			0)
			_exit(99);
		memset(text, '#', most);
		text[n - 1] = '\n';
		put(f.passwd, text, n, 0640);
		if (append(&f, "bob:y", &done) != VMAIL_IO)
			_exit(1);
		if (f.err.sys_errno != ENOSPC)
			_exit(2);
		assert_file_is(f.passwd, text, n);
		if (litter(&f) || there_is(&f, "passwd-"))
			_exit(3);
		/* Room for the file, none for the map. */
		put(f.passwd, "ann:x\n", 6, 0640);
		put(strcat(f.dir, "/filler"), text, most, 0600);
		*strrchr(f.dir, '/') = '\0';
		if (append(&f, "bob:y", &done) != VMAIL_IO)
			_exit(4);
		assert_text(f.passwd, "ann:x\n");
		_exit(litter(&f) ? 5 : 0);
	}
	assert_int_equal(outcome(pid), 0);
	end(&f);
}

static void
a_password_of_equal_length_only_restamps_the_map(void **state)
{
	struct fixture f;
	struct stat before, after;
	bool by_map;

	(void)state;
	begin(&f, "# users\n");
	assert_int_equal(append(&f, line_with("ann", "old"), &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_int_equal(append(&f, line_with("bob", "old"), &done), VMAIL_OK);
	before = stat_of(&f, "passwd.cdb");
	assert_int_equal(
	    change(&f, "ann", line_with("ann", "new"), &done), VMAIL_OK);
	assert_false(done.map_rebuilt);
	assert_int_equal(done.warning.rc, VMAIL_OK);
	after = stat_of(&f, "passwd.cdb");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_true(map_is_fresh(&f));
	assert_true(looked_up(&f, "ann", "new", &by_map));
	assert_true(by_map);
	assert_true(looked_up(&f, "bob", "old", &by_map));
	assert_true(by_map);
	end(&f);
}

static void
lookups_are_right_while_the_lines_drift(void **state)
{
	struct fixture f;
	struct stat before;
	char text[8192] = "", name[32];
	bool by_map;

	(void)state;
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		strcat(text, line_with(name, "first"));
		strcat(text, "\n");
	}
	begin(&f, text);
	assert_int_equal(
	    change(&f, "user0", line_with("user0", "x"), &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	before = stat_of(&f, "passwd.cdb");
	for (int i = 0; i < 20; i++) {
		char password[64];

		memset(password, 'a' + i, sizeof(password));
		password[i % 3 == 0 ? 1 : 3 * i] = '\0';
		(void)snprintf(name, sizeof(name), "user%d", 7 * i % 60);
		assert_int_equal(
		    change(&f, name, line_with(name, password), &done),
		    VMAIL_OK);
		assert_false(done.map_rebuilt);
		assert_true(looked_up(&f, name, password, &by_map));
		for (int k = 0; k < 60; k++) {
			(void)snprintf(name, sizeof(name), "user%d", k);
			assert_true(looked_up(&f, name, NULL, &by_map));
			assert_true(by_map);
		}
	}
	assert_int_equal(before.st_ino, stat_of(&f, "passwd.cdb").st_ino);
	end(&f);
}

static void
with_equal_names_a_drift_rebuilds(void **state)
{
	struct fixture f;
	bool by_map;

	(void)state;
	begin(&f, "# users\nann:one\nbob:x\nann:two\n");
	assert_int_equal(change(&f, "bob", "bob:y", &done), VMAIL_OK);
	assert_true(done.map_rebuilt); /* there was none */
	assert_int_equal(change(&f, "bob", "bob:z", &done), VMAIL_OK);
	assert_false(done.map_rebuilt);
	assert_int_equal(change(&f, "bob", "bob:zz", &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_true(looked_up(&f, "ann", "one", &by_map));
	assert_true(by_map);
	assert_int_equal(change(&f, "ann", "ann:longer", &done), VMAIL_OK);
	assert_true(looked_up(&f, "ann", "longer", NULL));
	end(&f);
}

static void
a_stale_map_is_rebuilt_never_stamped(void **state)
{
	struct fixture f;
	bool by_map;

	(void)state;
	begin(&f, "ann:x:1:1:::\n");
	assert_int_equal(append(&f, "bob:x", &done), VMAIL_OK);
	put(f.passwd, "cleo:x\nann:x\nbob:x\n", 19, 0640);
	assert_false(map_is_fresh(&f));
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_true(looked_up(&f, "cleo", "x", &by_map));
	assert_true(by_map);
	end(&f);
}

static void
new_settings_reach_the_map_with_the_next_commit(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(change(&f, "ann", "ann:y", &done), VMAIL_OK);
	strcpy(f.conf.home, "/elsewhere/%n");
	assert_int_equal(change(&f, "ann", "ann:z", &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_int_equal(
	    vmail_map_open(in_dir(&f, "passwd.cdb", path), &map, &f.err),
	    VMAIL_OK);
	assert_string_equal(map.home, "/elsewhere/%n");
	vmail_map_close(&map);
	end(&f);
}

static void
a_map_without_mailboxes_is_only_restamped(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "ann:x\n");
	f.conf.nss_mailboxes = false;
	assert_int_equal(append(&f, "bob:x", &done), VMAIL_OK);
	assert_true(done.map_rebuilt);
	assert_int_equal(append(&f, "cleo:x", &done), VMAIL_OK);
	assert_false(done.map_rebuilt);
	assert_true(map_is_fresh(&f));
	assert_true(looked_up(&f, "cleo", "x", NULL));
	end(&f);
}

/* The map after each commit, by our reader and by tinycdb's own tool. */
static void
the_map_answers_after_every_commit(void **state)
{
	struct fixture f;
	struct vmail_map map;
	struct vmail_public public;
	char path[256], window[VMAIL_PUBLIC_WINDOW], name[32], command[512];
	char said[256];

	(void)state;
	begin(&f, "# users\n");
	in_dir(&f, "passwd.cdb", path);
	for (int i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		if (i % 4 == 3)
			(void)snprintf(name, sizeof(name), "user%d", i - 1);
		assert_int_equal(i % 4 == 3
				     ? change(&f, name, NULL, &done)
				     : append(&f, line_with(name, "x"), &done),
		    VMAIL_OK);
		assert_true(map_is_fresh(&f));
		assert_int_equal(vmail_map_open(path, &map, &f.err), VMAIL_OK);
		assert_int_equal(
		    vmail_map_find(&map, vmail_str(name), window, &public),
		    i % 4 == 3 ? VMAIL_NOT_FOUND : VMAIL_OK);
		vmail_map_close(&map);
		(void)snprintf(
		    command, sizeof(command), "cdb -q %s %s", path, name);
		FILE *p = popen(command, "r");
		said[fread(said, 1, sizeof(said) - 1, p)] = '\0';
		assert_int_equal(pclose(p) != 0, i % 4 == 3);
		assert_int_equal(
		    strncmp(said, "1000:1000::/h/user", 18) != 0, i % 4 == 3);
	}
	end(&f);
}

static void
a_rebuild_makes_all_that_is_derived(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct stat before;
	bool by_map;

	(void)state;
	begin(&f, "ann:x\n");
	before = stat_of(&f, "passwd");
	s = opened(&f);
	assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
	assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	assert_true(there_is(&f, "apppw"));
	assert_true(there_is(&f, "deny"));
	assert_true(looked_up(&f, "ann", "x", &by_map));
	assert_true(by_map);
	assert_int_equal(before.st_ino, stat_of(&f, "passwd").st_ino);
	assert_false(litter(&f));
	end(&f);
}

/* A writer that works until it is killed. */
static void
write_for_ever(struct fixture *f)
{
	for (unsigned i = 0;; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%.*s", (int)(i % 20 + 1),
		    "pppppppppppppppppppppppp");
		if (i % 3 == 0)
			(void)append(f, line_with("bob", "y"), &done);
		else if (i % 3 == 1)
			(void)change(f, "ann", line_with("ann", text), &done);
		else
			(void)change(f, "bob", NULL, &done);
	}
}

static void
a_writer_killed_anywhere_leaves_all_old_or_all_new(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "# users\n");
	assert_int_equal(
	    append(&f, line_with("ann", "first"), &done), VMAIL_OK);
	for (int i = 0; i < 40; i++) {
		const struct timespec a_while = { .tv_nsec =
						      2000000 + i * 137000 };
		time_t before = stat_of(&f, "passwd").st_mtim.tv_sec;
		struct vmail_store *s;
		char *text, password[32];
		size_t n;
		pid_t pid = fork();

		if (pid == 0)
			write_for_ever(&f);
		(void)nanosleep(&a_while, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(outcome(pid), 255);
		text = get(f.passwd, &n);
		assert_true(n > 10 && text[n - 1] == '\n');
		assert_int_equal(strncmp(text, "# users\nann:", 12), 0);
		free(text);
		assert_true(looked_up(&f, "ann", NULL, NULL));
		s = opened(&f);
		assert_false(litter(&f));
		vmail_store_close(&s);
		assert_true(stat_of(&f, "passwd").st_mtim.tv_sec >= before);
		(void)snprintf(password, sizeof(password), "again%d", i);
		assert_int_equal(
		    change(&f, "ann", line_with("ann", password), &done),
		    VMAIL_OK);
		assert_true(map_is_fresh(&f));
		assert_true(looked_up(&f, "ann", password, NULL));
	}
	end(&f);
}

enum { WRITERS = 8, CHANGES = 64 };

/* Each adds its own users, and between them sets a password. */
static void
one_writer(struct fixture *f, int me)
{
	char name[32], common[32];

	(void)snprintf(common, sizeof(common), "common%d", me);
	f->conf.lock_wait = 60;
	for (int i = 0; i < CHANGES; i++) {
		struct vmail_store *s = NULL;
		struct vmail_line line;
		enum vmail_rc rc;

		(void)snprintf(name, sizeof(name), "w%d.%d", me, i);
		rc = vmail_store_open(&f->conf, 60, &s, &f->err);
		if (rc == VMAIL_OK && i % 2 == 0)
			rc = vmail_store_add(
			    s, vmail_str(line_with(name, "x")), &f->err);
		else if (rc == VMAIL_OK) {
			rc = vmail_store_find(
			    s, vmail_str(common), &line, &f->err);
			if (rc == VMAIL_OK)
				rc = vmail_store_replace(s, &line,
				    vmail_str(line_with(common, name)),
				    &f->err);
		}
		if (rc == VMAIL_OK)
			rc = vmail_store_commit(s, false, &done, &f->err);
		vmail_store_close(&s);
		if (rc != VMAIL_OK || done.warning.rc != VMAIL_OK)
			_exit(1);
	}
	_exit(0);
}

/* Until it is told to stop: everybody who was there is there. */
static void
one_reader(struct fixture *f, int stop)
{
	char name[32], c;

	for (int i = 0; read(stop, &c, 1) < 0; i = (i + 1) % WRITERS) {
		(void)snprintf(name, sizeof(name), "common%d", i);
		if (!looked_up(f, name, NULL, NULL))
			_exit(1);
		if (looked_up(f, "nobody", NULL, NULL) ||
		    f->err.rc != VMAIL_NOT_FOUND)
			_exit(2);
	}
	_exit(0);
}

static void
many_writers_lose_no_change_and_no_reader_misses_a_user(void **state)
{
	struct fixture f;
	char text[4096] = "# users\n", name[32];
	pid_t writers[WRITERS], readers[2];
	int stop[2];

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		(void)snprintf(name, sizeof(name), "common%d", i);
		strcat(strcat(text, line_with(name, "first")), "\n");
	}
	begin(&f, text);
	assert_int_equal(pipe2(stop, O_NONBLOCK | O_CLOEXEC), 0);
	for (int i = 0; i < 2; i++)
		if ((readers[i] = fork()) == 0) {
			close(stop[1]);
			one_reader(&f, stop[0]);
		}
	for (int i = 0; i < WRITERS; i++)
		if ((writers[i] = fork()) == 0)
			one_writer(&f, i);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(outcome(writers[i]), 0);
	close(stop[1]);
	for (int i = 0; i < 2; i++)
		assert_int_equal(outcome(readers[i]), 0);
	close(stop[0]);
	for (int i = 0; i < WRITERS; i++) {
		char last[32];

		for (int k = 0; k < CHANGES; k += 2) {
			(void)snprintf(name, sizeof(name), "w%d.%d", i, k);
			assert_true(looked_up(&f, name, "x", NULL));
		}
		(void)snprintf(name, sizeof(name), "common%d", i);
		(void)snprintf(last, sizeof(last), "w%d.%d", i, CHANGES - 1);
		assert_true(looked_up(&f, name, last, NULL));
	}
	assert_true(map_is_fresh(&f));
	assert_false(litter(&f));
	end(&f);
}

/* All lines replaced by those of a file. */
static enum vmail_rc
replace_all(struct fixture *f, const char *text, bool force)
{
	char path[256];
	struct vmail_store *s = opened(f);
	enum vmail_rc rc;
	int fd;

	put(in_dir(f, "new", path), text, strlen(text), 0600);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = vmail_store_replace_all(s, fd, &f->err);
	if (rc == VMAIL_OK)
		rc = vmail_store_commit(s, force, &done, &f->err);
	vmail_store_close(&s);
	close(fd);
	return rc;
}

#define FOUR "a:x::::::\nb:x::::::\nc:x::::::\nd:x::::::\n"

static void
all_lines_are_replaced_at_once(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, FOUR);
	assert_int_equal(
	    replace_all(&f, "d:x::::::\n# moved\nnew:x:1:1::::", false),
	    VMAIL_OK);
	assert_true(done.changed);
	assert_true(done.map_rebuilt);
	assert_text(f.passwd, "d:x::::::\n# moved\nnew:x:1:1::::");
	assert_text(in_dir(&f, "passwd-", path), FOUR);
	assert_true(map_is_fresh(&f));
	assert_false(litter(&f));
	end(&f);
}

static void
fewer_than_half_of_the_users_need_force(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, FOUR);
	assert_int_equal(
	    replace_all(&f, "a:x::::::\n#b\n#c\n", false), VMAIL_INVALID);
	assert_int_equal(replace_all(&f, "", false), VMAIL_INVALID);
	assert_text(f.passwd, FOUR);
	assert_int_equal(replace_all(&f, "", true), VMAIL_OK);
	assert_text(f.passwd, VMAIL_EMPTY_FILE);
	end(&f);
}

static void
nothing_else_is_edited_beside_a_whole_new_content(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, FOUR);
	s = opened(&f);
	assert_int_equal(
	    vmail_store_add(s, VMAIL_STR("e:x"), &f.err), VMAIL_OK);
	assert_int_equal(vmail_store_replace_all(s, 0, &f.err), VMAIL_EXISTS);
	vmail_store_close(&s);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_bytes_stay_as_they_are),
		cmocka_unit_test(
		    what_is_added_stands_alone_behind_a_last_line_without_line_feed),
		cmocka_unit_test(whole_seconds_grow_with_every_commit),
		cmocka_unit_test(
		    a_time_in_the_future_grows_too_and_an_old_one_becomes_now),
		cmocka_unit_test(owner_mode_and_acl_are_kept),
		cmocka_unit_test(
		    a_folders_default_acl_gives_the_new_file_to_nobody),
		cmocka_unit_test(
		    the_backup_is_the_previous_content_for_root_alone),
		cmocka_unit_test(a_commit_without_a_change_writes_nothing),
		cmocka_unit_test(the_last_user_gone_leaves_a_comment),
		cmocka_unit_test(all_edits_of_a_store_are_one_commit),
		cmocka_unit_test(a_store_goes_on_with_what_it_committed),
		cmocka_unit_test(a_store_forgets_the_map_of_what_it_replaced),
		cmocka_unit_test(
		    a_bulk_result_of_fewer_than_half_the_users_wants_force),
		cmocka_unit_test(side_files_that_were_missing_are_made),
		cmocka_unit_test(
		    whoever_writes_without_the_lock_is_not_overwritten),
		cmocka_unit_test(
		    a_map_that_cannot_be_replaced_is_a_warning_and_the_change_is_done),
		cmocka_unit_test(a_backup_that_cannot_be_replaced_is_a_warning),
		cmocka_unit_test(
		    what_stands_in_the_way_fails_the_commit_and_nothing_changes),
		cmocka_unit_test(a_full_disk_loses_nothing_and_leaves_nothing),
		cmocka_unit_test(
		    a_password_of_equal_length_only_restamps_the_map),
		cmocka_unit_test(lookups_are_right_while_the_lines_drift),
		cmocka_unit_test(with_equal_names_a_drift_rebuilds),
		cmocka_unit_test(a_stale_map_is_rebuilt_never_stamped),
		cmocka_unit_test(
		    new_settings_reach_the_map_with_the_next_commit),
		cmocka_unit_test(a_map_without_mailboxes_is_only_restamped),
		cmocka_unit_test(the_map_answers_after_every_commit),
		cmocka_unit_test(a_rebuild_makes_all_that_is_derived),
		cmocka_unit_test(
		    a_writer_killed_anywhere_leaves_all_old_or_all_new),
		cmocka_unit_test(
		    many_writers_lose_no_change_and_no_reader_misses_a_user),
		cmocka_unit_test(all_lines_are_replaced_at_once),
		cmocka_unit_test(fewer_than_half_of_the_users_need_force),
		cmocka_unit_test(
		    nothing_else_is_edited_beside_a_whole_new_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
