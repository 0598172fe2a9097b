#include "tests/unit/admin/fixture.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <time.h>

#include "common/admin/edits.h"
#include "common/admin/mapmake.h"
#include "common/core/ids.h"

#define TWO "ann@example.org:{CRYPT}x:1000:1000::/h/ann::\nbob:{CRYPT}y\n"

static enum vmail_rc
try_open(struct fixture *f)
{
	struct vmail_store *s = NULL;
	enum vmail_rc rc = vmail_store_open(&f->conf, 0, &s, &f->err);

	if (rc == VMAIL_OK)
		vmail_store_close(&s);
	else
		assert_null(s);
	return rc;
}

static void
assert_refused(struct fixture *f, enum vmail_rc wanted, const char *why)
{
	assert_int_equal(try_open(f), wanted);
	assert_int_equal(f->err.rc, wanted);
	if (strstr(f->err.what, why) == NULL)
		fail_msg("'%s' does not say '%s'", f->err.what, why);
}

static void
a_symlink_is_refused(void **state)
{
	struct fixture f;
	char other[256];

	(void)state;
	begin(&f, NULL);
	put(in_dir(&f, "real", other), TWO, strlen(TWO), 0640);
	assert_int_equal(symlink(other, f.passwd), 0);
	assert_refused(&f, VMAIL_UNSAFE, "symbolic link");
	assert_text(other, TWO);
	end(&f);
}

static void
a_directory_or_a_fifo_is_refused_at_once(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, NULL);
	assert_int_equal(mkdir(f.passwd, 0755), 0);
	assert_refused(&f, VMAIL_UNSAFE, "directory");
	assert_int_equal(rmdir(f.passwd), 0);
	assert_int_equal(mkfifo(f.passwd, 0640), 0);
	assert_refused(&f, VMAIL_UNSAFE, "regular file");
	end(&f);
}

static void
a_hard_link_is_refused(void **state)
{
	struct fixture f;
	char other[256];

	(void)state;
	begin(&f, TWO);
	assert_int_equal(link(f.passwd, in_dir(&f, "other", other)), 0);
	assert_refused(&f, VMAIL_UNSAFE, "hard link");
	assert_true(there_is(&f, "other"));
	end(&f);
}

static void
our_own_backups_name_is_no_hard_link(void **state)
{
	struct fixture f;
	char other[256];

	(void)state;
	begin(&f, TWO);
	assert_int_equal(link(f.passwd, in_dir(&f, "passwd-.tmp", other)), 0);
	assert_int_equal(link(f.passwd, in_dir(&f, "passwd-", other)), 0);
	assert_int_equal(try_open(&f), VMAIL_OK);
	assert_int_equal(stat_of(&f, "passwd").st_nlink, 1);
	/* One name more is somebody else's, and nothing is touched. */
	assert_int_equal(link(f.passwd, other), 0);
	assert_int_equal(link(f.passwd, in_dir(&f, "other", other)), 0);
	assert_refused(&f, VMAIL_UNSAFE, "hard link");
	assert_int_equal(stat_of(&f, "passwd").st_nlink, 3);
	end(&f);
}

static void
another_owner_or_mode_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	assert_int_equal(chmod(f.passwd, 0660), 0);
	assert_refused(&f, VMAIL_UNSAFE, "mode 0660");
	assert_int_equal(chmod(f.passwd, 0642), 0);
	assert_refused(&f, VMAIL_UNSAFE, "mode 0642");
	assert_int_equal(chmod(f.passwd, 0640), 0);
	assert_int_equal(chown(f.passwd, 1234, 0), 0);
	assert_refused(&f, VMAIL_UNSAFE, "owner 1234");
	end(&f);
}

static void
a_folder_that_others_may_write_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	assert_int_equal(chmod(f.dir, 0777), 0);
	assert_refused(&f, VMAIL_UNSAFE, "mode 0777");
	assert_false(there_is(&f, ".lock"));
	assert_int_equal(chmod(f.dir, 0755), 0);
	assert_int_equal(chown(f.dir, 1234, 0), 0);
	assert_refused(&f, VMAIL_UNSAFE, "owner 1234");
	end(&f);
}

static void
a_missing_file_or_folder_is_no_empty_one(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, NULL);
	assert_refused(&f, VMAIL_IO, "missing");
	assert_false(there_is(&f, "passwd"));
	strcat(f.dir, "x");
	use_dir(&f);
	assert_refused(&f, VMAIL_IO, "missing");
	f.dir[strlen(f.dir) - 1] = '\0';
	end(&f);
}

static void
an_empty_file_is_refused_and_says_where_the_backup_is(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "");
	assert_refused(&f, VMAIL_IO, "backup");
	end(&f);
}

static void
a_lock_file_that_is_none_is_refused(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, TWO);
	in_dir(&f, ".lock", path);
	assert_int_equal(symlink("/tmp/vmail-test-never", path), 0);
	assert_refused(&f, VMAIL_UNSAFE, "symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(&f, VMAIL_UNSAFE, "regular file");
	end(&f);
}

static void
a_missing_lock_is_made_for_root_alone(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	assert_int_equal(try_open(&f), VMAIL_OK);
	assert_int_equal(stat_of(&f, ".lock").st_mode & 07777, 0600);
	end(&f);
}

static void
a_lock_that_stays_taken_is_busy_and_names_the_file(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct timespec before, after;
	struct vmail_store *other = NULL;

	(void)state;
	begin(&f, TWO);
	s = opened(&f);
	assert_refused(&f, VMAIL_BUSY, "another program");
	assert_string_equal(f.err.path, f.passwd);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(
	    vmail_store_open(&f.conf, 1, &other, &f.err), VMAIL_BUSY);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec > before.tv_sec);
	vmail_store_close(&s);
	assert_int_equal(try_open(&f), VMAIL_OK);
	end(&f);
}

/* A container that has this file alone mounted locks no .lock of ours. */
static void
a_lock_on_the_file_alone_is_respected(void **state)
{
	struct fixture f;
	struct flock byte = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1
	};
	int fd;

	(void)state;
	begin(&f, TWO);
	fd = open(f.passwd, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &byte), 0);
	assert_refused(&f, VMAIL_BUSY, "another program");
	close(fd);
	assert_int_equal(try_open(&f), VMAIL_OK);
	end(&f);
}

static void
a_lock_given_back_in_time_is_taken(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	int ready[2];
	pid_t pid;
	char c;

	(void)state;
	begin(&f, TWO);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		const struct timespec soon = { .tv_nsec = 100000000 };

		s = opened(&f);
		(void)!write(ready[1], "x", 1);
		(void)nanosleep(&soon, NULL);
		_exit(0); /* the kernel drops the lock */
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	s = opened(&f);
	assert_non_null(s);
	vmail_store_close(&s);
	assert_int_equal(outcome(pid), 0);
	close(ready[0]);
	close(ready[1]);
	end(&f);
}

static void
what_a_killed_writer_left_is_swept(void **state)
{
	static const char *const names[] = { "passwd.tmp", "passwd-.tmp",
		"passwd.cdb.tmp", "apppw.tmp", "deny.tmp" };
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, TWO);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		put(in_dir(&f, names[i], path), "half", 4, 0600);
	put(in_dir(&f, "passwd-", path), "backup\n", 7, 0600);
	put(in_dir(&f, "other.tmp", path), "not ours", 8, 0600);
	assert_int_equal(try_open(&f), VMAIL_OK);
	assert_false(litter(&f));
	assert_true(there_is(&f, "passwd-"));
	assert_true(there_is(&f, "other.tmp"));
	end(&f);
}

/* In a mount namespace of the child's own. */
static void
make_private(void)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		_exit(99);
}

static void
a_read_only_file_system_is_said_so(void **state)
{
	struct fixture f;
	pid_t pid;

	(void)state;
	begin(&f, TWO);
	pid = fork();
	if (pid == 0) {
		make_private();
		if (mount(f.dir, f.dir, NULL, MS_BIND, NULL) != 0 ||
		    mount(NULL, f.dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
			NULL) != 0)
			_exit(98);
		if (try_open(&f) != VMAIL_IO)
			_exit(1);
		_exit(f.err.sys_errno == EROFS ? 0 : 2);
	}
	assert_int_equal(outcome(pid), 0);
	assert_false(there_is(&f, ".lock"));
	end(&f);
}

static void
the_second_close_does_nothing(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, TWO);
	s = opened(&f);
	vmail_store_close(&s);
	assert_null(s);
	vmail_store_close(&s);
	end(&f);
}

static int
open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static void
nothing_stays_open_behind_a_close(void **state)
{
	struct fixture f;
	struct vmail_line line;
	struct vmail_commit done;
	int before = open_descriptors();

	(void)state;
	begin(&f, TWO);
	for (int i = 0; i < 3; i++) {
		struct vmail_store *s = opened(&f);

		(void)vmail_store_find(s, VMAIL_STR("bob"), &line, &f.err);
		(void)vmail_store_replace(s, &line,
		    i % 2 ? VMAIL_STR("bob:z") : VMAIL_STR("bob:q"), &f.err);
		assert_int_equal(
		    vmail_store_commit(s, false, &done, &f.err), VMAIL_OK);
		(void)vmail_store_find(s, VMAIL_STR("bob"), &line, &f.err);
		vmail_store_close(&s);
	}
	assert_int_equal(chmod(f.passwd, 0666), 0);
	assert_int_equal(try_open(&f), VMAIL_UNSAFE);
	assert_int_equal(open_descriptors(), before);
	end(&f);
}

static void
assert_found(struct vmail_store *s, const char *name, const char *text,
    uint64_t offset, bool malformed)
{
	struct vmail_line line;
	struct vmail_err err;

	assert_int_equal(
	    vmail_store_find(s, vmail_str(name), &line, &err), VMAIL_OK);
	assert_true(vmail_str_is(line.text, text));
	assert_true(vmail_str_is(line.entry.name, name));
	assert_int_equal(line.offset, offset);
	assert_int_equal(line.malformed, malformed);
}

static void
assert_unknown(struct vmail_store *s, const char *name)
{
	struct vmail_line line;
	struct vmail_err err;

	assert_int_equal(
	    vmail_store_find(s, vmail_str(name), &line, &err), VMAIL_NOT_FOUND);
}

static void
a_name_is_matched_whole(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "annabel:x\nann:y\n x:ann:z\n#bob:x\ncleo:x\n");
	s = opened(&f);
	for (int i = 0; i < 2; i++) {
		assert_found(s, "ann", "ann:y", 10, false);
		assert_unknown(s, "anna");
		assert_unknown(s, "an");
		assert_unknown(s, "bob");
		assert_unknown(s, "#bob");
		assert_unknown(s, "");
		assert_unknown(s, "cleo:x");
		assert_unknown(s, "cleo:x\n");
		/* And the same by the map. */
		assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
		vmail_store_close(&s);
		s = opened(&f);
	}
	vmail_store_close(&s);
	end(&f);
}

static void
the_first_well_formed_record_is_the_one_found(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x:0\nann:y:1\nann:z:2\n");
	s = opened(&f);
	assert_found(s, "ann", "ann:y:1", 8, false);
	assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	s = opened(&f);
	assert_found(s, "ann", "ann:y:1", 8, false);
	vmail_store_close(&s);
	end(&f);
}

static void
a_malformed_record_is_found_for_mending(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	struct vmail_line line;

	(void)state;
	begin(&f, "bob:x\nann:pw:0:5::/h:sh:a=b c\r\nann:x:-1\n");
	s = opened(&f);
	for (int i = 0; i < 2; i++) {
		assert_found(s, "ann", "ann:pw:0:5::/h:sh:a=b c\r", 6, true);
		(void)vmail_store_find(s, VMAIL_STR("ann"), &line, &f.err);
		assert_true(vmail_str_is(line.entry.password, "pw"));
		assert_true(vmail_str_is(line.entry.uid, "0"));
		assert_true(vmail_str_is(line.entry.gid, "5"));
		assert_true(vmail_str_is(line.entry.home, "/h"));
		assert_true(vmail_str_is(line.entry.extra, "a=b c"));
		assert_int_equal(line.entry.colons, 7);
		assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
		vmail_store_close(&s);
		s = opened(&f);
	}
	vmail_store_close(&s);
	end(&f);
}

static void
what_cannot_be_cut_is_passed_over(void **state)
{
	size_t big = 1048576, n = 0;
	char *text = malloc(big + 64);
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	memcpy(text, "ann:", 4);
	memset(text + 4, 'x', big);
	n = 4 + big;
	memcpy(text + n, "\nann:\0:0\nbob:\0\nann:x:0\n", 23);
	n += 23;
	begin_bytes(&f, text, n);
	s = opened(&f);
	assert_found(s, "ann", "ann:x:0", n - 8, true);
	assert_unknown(s, "bob");
	vmail_store_close(&s);
	free(text);
	end(&f);
}

static void
an_odd_old_name_is_found_byte_for_byte(void **state)
{
	struct fixture f;
	struct vmail_store *s;
	char name[400], text[512];

	(void)state;
	memset(name, 'n', 300);
	name[300] = '\0';
	(void)snprintf(text, sizeof(text), "Ann Lee:x\n%s:y\na\001b:z\n", name);
	strcat(text, "a\001c:x:0\na\001c:y\n");
	begin(&f, text);
	s = opened(&f);
	for (int i = 0; i < 2; i++) {
		assert_found(s, "a\001c", "a\001c:y", 327, false);
		assert_found(s, "Ann Lee", "Ann Lee:x", 0, false);
		assert_unknown(s, "ann lee");
		strcpy(text, name);
		strcat(text, ":y");
		assert_found(s, name, text, 10, false);
		assert_found(s, "a\001b", "a\001b:z", 313, false);
		assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
		vmail_store_close(&s);
		s = opened(&f);
	}
	vmail_store_close(&s);
	end(&f);
}

static void
a_stale_map_misleads_nobody(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x\nbob:x\n");
	s = opened(&f);
	assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	put(f.passwd, "cleo:x:0\nbob:x\ncleo:y\nann:z\n", 28, 0640);
	s = opened(&f);
	assert_found(s, "ann", "ann:z", 22, false);
	assert_found(s, "cleo", "cleo:y", 15, false);
	vmail_store_close(&s);
	end(&f);
}

static void
a_map_without_mailboxes_knows_nobodys_absence(void **state)
{
	struct fixture f;
	struct vmail_store *s;

	(void)state;
	begin(&f, "ann:x:0\nann:y\n");
	f.conf.nss_mailboxes = false;
	s = opened(&f);
	assert_int_equal(vmail_store_rebuild(s, &f.err), VMAIL_OK);
	vmail_store_close(&s);
	s = opened(&f);
	assert_found(s, "ann", "ann:y", 8, false);
	vmail_store_close(&s);
	end(&f);
}

struct walked {
	char text[4096];
	unsigned long lines, stop_at;
	uint64_t longest;
	bool last_ended;
};

static bool
take(const struct vmail_walk_line *line, void *arg)
{
	struct walked *w = arg;
	size_t n = strlen(w->text);

	w->lines++;
	assert_int_equal(line->number, w->lines);
	if (line->whole > w->longest)
		w->longest = line->whole;
	w->last_ended = line->ended;
	(void)snprintf(w->text + n, sizeof(w->text) - n, "%lu@%lu=%.*s;",
	    line->number, (unsigned long)line->offset,
	    line->text.n > 8 ? 8 : (int)line->text.n, line->text.p);
	return w->lines != w->stop_at;
}

static void
a_walk_gives_every_line_with_number_and_offset(void **state)
{
	struct fixture f;
	struct walked w = { .lines = 0 };

	(void)state;
	begin(&f, "ann:x\n\n# c\r\nbob:y");
	assert_int_equal(vmail_store_walk(&f.conf, take, &w, &f.err), VMAIL_OK);
	assert_string_equal(w.text, "1@0=ann:x;2@6=;3@7=# c\r;4@12=bob:y;");
	assert_false(w.last_ended);
	memset(&w, 0, sizeof(w));
	w.stop_at = 2;
	assert_int_equal(vmail_store_walk(&f.conf, take, &w, &f.err), VMAIL_OK);
	assert_int_equal(w.lines, 2);
	end(&f);
}

/* Around the sizes of the longest line and of what is read at once. */
static void
a_long_line_is_cut_and_counted_whole(void **state)
{
	static const size_t sizes[] = { 20479, 20480, 20481, 262143, 262144,
		262145, 524288, 1048576 };
	char *text = malloc(1048576 + 64), wanted[256];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (int open_end = 0; open_end < 2; open_end++) {
			struct fixture f;
			struct walked w = { .lines = 0 };
			size_t n = sizes[i];

			memcpy(text, "ann:\n", 5);
			memset(text + 5, 'x', n);
			strcpy(text + 5 + n, open_end ? "" : "\nbob:");
			begin(&f, text);
			assert_int_equal(
			    vmail_store_walk(&f.conf, take, &w, &f.err),
			    VMAIL_OK);
			assert_int_equal(w.longest, n);
			(void)snprintf(wanted, sizeof(wanted),
			    "1@0=ann:;2@5=xxxxxxxx;3@%zu=bob:;", n + 6);
			if (open_end)
				strcpy(wanted, "1@0=ann:;2@5=xxxxxxxx;");
			assert_string_equal(w.text, wanted);
			end(&f);
		}
	}
	free(text);
}

static void
a_walk_refuses_what_is_not_trusted_or_not_there(void **state)
{
	struct fixture f;
	struct walked w = { .lines = 0 };

	(void)state;
	begin(&f, NULL);
	assert_int_equal(vmail_store_walk(&f.conf, take, &w, &f.err), VMAIL_IO);
	put(f.passwd, "", 0, 0640);
	assert_int_equal(vmail_store_walk(&f.conf, take, &w, &f.err), VMAIL_IO);
	put(f.passwd, TWO, strlen(TWO), 0666);
	assert_int_equal(
	    vmail_store_walk(&f.conf, take, &w, &f.err), VMAIL_UNSAFE);
	assert_int_equal(w.lines, 0);
	end(&f);
}

static bool
spoil(const struct vmail_walk_line *line, void *arg)
{
	const struct fixture *f = arg;
	int fd = open(f->passwd, O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)line;
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	return true;
}

static void
a_walk_over_a_file_rewritten_in_place_is_busy(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	assert_int_equal(
	    vmail_store_walk(&f.conf, spoil, &f, &f.err), VMAIL_BUSY);
	end(&f);
}

struct told {
	char names[1024];
	size_t n;
	const char *dir;
};

static void
note(const char *path, void *arg)
{
	struct told *t = arg;

	assert_memory_equal(path, t->dir, strlen(t->dir));
	strcat(t->names, path + strlen(t->dir));
	strcat(t->names, " ");
	t->n++;
}

/* A folder inside the fixture's that is not there yet. */
static void
begin_init(struct fixture *f, struct told *t)
{
	begin(f, NULL);
	strcat(f->dir, "/vmail");
	use_dir(f);
	memset(t, 0, sizeof(*t));
	t->dir = f->dir;
}

static void
end_init(struct fixture *f)
{
	*strrchr(f->dir, '/') = '\0';
	end(f);
}

#define ALL " /vmail.conf /views /.lock /apppw /deny /passwd.cdb /passwd "

static void
init_makes_what_the_manual_lists(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} rows[] = {
		{ "", S_IFDIR | 0755 },
		{ "vmail.conf", S_IFREG | 0644 },
		{ "views", S_IFREG | 0644 },
		{ "passwd", S_IFREG | 0640 },
		{ "passwd.cdb", S_IFREG | 0644 },
		{ "apppw", S_IFREG | 0640 },
		{ "deny", S_IFREG | 0640 },
		{ ".lock", S_IFREG | 0600 },
	};
	struct fixture f;
	struct told t;
	mode_t mask = umask(0077);

	(void)state;
	begin_init(&f, &t);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, note, &t, &f.err), VMAIL_OK);
	(void)umask(mask);
	assert_string_equal(t.names, ALL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stat st = stat_of(&f, rows[i].name);

		assert_int_equal(st.st_mode, rows[i].mode);
		assert_int_equal(st.st_uid, 0);
	}
	assert_text(f.passwd, VMAIL_EMPTY_FILE);
	assert_int_equal(stat_of(&f, "deny").st_size, 0);
	assert_false(litter(&f));
	end_init(&f);
}

static void
init_changes_nothing_that_is_there(void **state)
{
	struct fixture f;
	struct told t;
	struct vmail_store *s;
	struct stat before, after;

	(void)state;
	begin_init(&f, &t);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, NULL, NULL, &f.err), VMAIL_OK);
	before = stat_of(&f, "passwd.cdb");
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, note, &t, &f.err), VMAIL_OK);
	assert_int_equal(t.n, 0);
	after = stat_of(&f, "passwd.cdb");
	assert_int_equal(before.st_ino, after.st_ino);
	s = opened(&f);
	vmail_store_close(&s);
	end_init(&f);
}

static void
a_dry_run_of_init_says_the_same_and_makes_nothing(void **state)
{
	struct fixture f;
	struct told t;
	char path[256];

	(void)state;
	begin_init(&f, &t);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, true, note, &t, &f.err), VMAIL_OK);
	assert_int_equal(t.n, 8);
	assert_false(there_is(&f, ""));
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, NULL, NULL, &f.err), VMAIL_OK);
	assert_int_equal(unlink(in_dir(&f, "deny", path)), 0);
	assert_int_equal(unlink(in_dir(&f, "passwd.cdb", path)), 0);
	memset(t.names, 0, sizeof(t.names));
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, true, note, &t, &f.err), VMAIL_OK);
	assert_string_equal(t.names, "/deny /passwd.cdb ");
	assert_false(there_is(&f, "deny"));
	end_init(&f);
}

static void
the_conf_that_init_writes_says_the_defaults(void **state)
{
	struct fixture f;
	struct told t;
	struct vmail_conf read, defaults;
	char *text;

	(void)state;
	begin_init(&f, &t);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, note, &t, &f.err), VMAIL_OK);
	assert_int_equal(vmail_conf_load(&read, f.conf.path, &f.err), VMAIL_OK);
	vmail_conf_defaults(&defaults);
	assert_string_equal(read.passwd_file, defaults.passwd_file);
	text = get(f.conf.path, NULL);
	for (char *p = text; p != NULL; p = strchr(p, '\n'))
		assert_non_null(strchr("#\n", *(p == text ? p : ++p)));
	/* And with the comment signs taken away it says the same. */
	for (char *p = text; *p != '\0'; p++)
		if (p[0] == '#' && p[1] != ' ')
			*p = ' ';
	assert_non_null(strstr(text, "nss_mailboxes = yes"));
	assert_int_equal(
	    vmail_conf_parse(&read, vmail_str(text), f.conf.path, &f.err),
	    VMAIL_OK);
	free(text);
	end_init(&f);
}

static void
the_reader_group_gets_the_passwd_file(void **state)
{
	struct fixture f;
	struct told t;
	char path[256];
	gid_t mail;

	(void)state;
	begin_init(&f, &t);
	strcpy(f.conf.reader_group, "mail");
	assert_int_equal(
	    vmail_account_group(VMAIL_STR("mail"), &mail), VMAIL_OK);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, note, &t, &f.err), VMAIL_OK);
	assert_int_equal(stat_of(&f, "passwd").st_gid, mail);
	assert_int_equal(stat_of(&f, "deny").st_gid, mail);
	assert_int_equal(unlink(f.passwd), 0);
	strcpy(f.conf.reader_group, "4321");
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, note, &t, &f.err), VMAIL_OK);
	assert_int_equal(stat_of(&f, "passwd").st_gid, 4321);
	assert_int_equal(unlink(f.passwd), 0);
	strcpy(f.conf.reader_group, "no-such-group");
	assert_int_equal(vmail_store_init(&f.conf, 0, false, note, &t, &f.err),
	    VMAIL_INVALID);
	assert_false(there_is(&f, "passwd"));
	assert_true(there_is(&f, "views"));
	(void)path;
	end_init(&f);
}

static void
init_fills_an_empty_file_only_where_no_backup_is(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, "");
	put(in_dir(&f, "passwd-", path), TWO, strlen(TWO), 0600);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, NULL, NULL, &f.err), VMAIL_IO);
	assert_non_null(strstr(f.err.what, "backup"));
	assert_int_equal(stat_of(&f, "passwd").st_size, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, NULL, NULL, &f.err), VMAIL_OK);
	assert_text(f.passwd, VMAIL_EMPTY_FILE);
	end(&f);
}

static void
init_numbers_the_owner_as_its_account_is(void **state)
{
	struct fixture f;
	struct told t;
	struct vmail_ids ids;
	char path[256], *text, wanted[128];

	(void)state;
	begin_init(&f, &t);
	strcpy(f.conf.owner, "games:games");
	assert_int_equal(vmail_account_of(VMAIL_STR("games"), &ids), VMAIL_OK);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, note, &t, &f.err), VMAIL_OK);
	text = get(in_dir(&f, "views", path), NULL);
	(void)snprintf(
	    wanted, sizeof(wanted), "\nhost games %u:%u -\n", ids.uid, ids.gid);
	assert_non_null(strstr(text, wanted));
	free(text);
	end_init(&f);
}

static void
say_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(98);
	close(fd);
}

static void
init_in_a_user_namespace_speaks_of_no_host(void **state)
{
	struct fixture f;
	char path[256], *text;
	pid_t pid;

	(void)state;
	begin(&f, NULL);
	strcpy(f.conf.owner, "root:root");
	strcpy(f.conf.reader_group, "root");
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) != 0)
			_exit(99);
		say_to("/proc/self/setgroups", "deny");
		say_to("/proc/self/uid_map", "0 0 1");
		say_to("/proc/self/gid_map", "0 0 1");
		_exit((int)vmail_store_init(
		    &f.conf, 0, false, NULL, NULL, &f.err));
	}
	assert_int_equal(outcome(pid), VMAIL_OK);
	text = get(in_dir(&f, "views", path), NULL);
	assert_null(strstr(text, "\nhost"));
	free(text);
	end(&f);
}

static void
a_passwd_file_elsewhere_gets_a_header_beside_vmail_conf(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256];

	(void)state;
	begin(&f, NULL);
	strcat(f.conf.passwd_file, "s/users");
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, NULL, NULL, &f.err), VMAIL_OK);
	assert_true(there_is(&f, "passwds/users.cdb"));
	assert_int_equal(
	    vmail_map_open(in_dir(&f, "passwd.cdb", path), &map, &f.err),
	    VMAIL_OK);
	assert_string_equal(map.passwd_file, f.conf.passwd_file);
	assert_int_equal(map.stamp.file.ino, 0);
	vmail_map_close(&map);
	end(&f);
}

static void
init_refuses_a_folder_that_is_not_trusted(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, NULL);
	assert_int_equal(chmod(f.dir, 0777), 0);
	assert_int_equal(
	    vmail_store_init(&f.conf, 0, false, NULL, NULL, &f.err),
	    VMAIL_UNSAFE);
	assert_false(there_is(&f, "vmail.conf"));
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_symlink_is_refused),
		cmocka_unit_test(a_directory_or_a_fifo_is_refused_at_once),
		cmocka_unit_test(a_hard_link_is_refused),
		cmocka_unit_test(our_own_backups_name_is_no_hard_link),
		cmocka_unit_test(another_owner_or_mode_is_refused),
		cmocka_unit_test(a_folder_that_others_may_write_is_refused),
		cmocka_unit_test(a_missing_file_or_folder_is_no_empty_one),
		cmocka_unit_test(
		    an_empty_file_is_refused_and_says_where_the_backup_is),
		cmocka_unit_test(a_lock_file_that_is_none_is_refused),
		cmocka_unit_test(a_missing_lock_is_made_for_root_alone),
		cmocka_unit_test(
		    a_lock_that_stays_taken_is_busy_and_names_the_file),
		cmocka_unit_test(a_lock_on_the_file_alone_is_respected),
		cmocka_unit_test(a_lock_given_back_in_time_is_taken),
		cmocka_unit_test(what_a_killed_writer_left_is_swept),
		cmocka_unit_test(a_read_only_file_system_is_said_so),
		cmocka_unit_test(the_second_close_does_nothing),
		cmocka_unit_test(nothing_stays_open_behind_a_close),
		cmocka_unit_test(a_name_is_matched_whole),
		cmocka_unit_test(the_first_well_formed_record_is_the_one_found),
		cmocka_unit_test(a_malformed_record_is_found_for_mending),
		cmocka_unit_test(what_cannot_be_cut_is_passed_over),
		cmocka_unit_test(an_odd_old_name_is_found_byte_for_byte),
		cmocka_unit_test(a_stale_map_misleads_nobody),
		cmocka_unit_test(a_map_without_mailboxes_knows_nobodys_absence),
		cmocka_unit_test(
		    a_walk_gives_every_line_with_number_and_offset),
		cmocka_unit_test(a_long_line_is_cut_and_counted_whole),
		cmocka_unit_test(
		    a_walk_refuses_what_is_not_trusted_or_not_there),
		cmocka_unit_test(a_walk_over_a_file_rewritten_in_place_is_busy),
		cmocka_unit_test(init_makes_what_the_manual_lists),
		cmocka_unit_test(init_changes_nothing_that_is_there),
		cmocka_unit_test(
		    a_dry_run_of_init_says_the_same_and_makes_nothing),
		cmocka_unit_test(the_conf_that_init_writes_says_the_defaults),
		cmocka_unit_test(the_reader_group_gets_the_passwd_file),
		cmocka_unit_test(
		    init_fills_an_empty_file_only_where_no_backup_is),
		cmocka_unit_test(init_numbers_the_owner_as_its_account_is),
		cmocka_unit_test(init_in_a_user_namespace_speaks_of_no_host),
		cmocka_unit_test(
		    a_passwd_file_elsewhere_gets_a_header_beside_vmail_conf),
		cmocka_unit_test(init_refuses_a_folder_that_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
