#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/file.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A folder of its own for each test, which is also where it runs. */
static int
enter_folder(void **state)
{
	char *folder = strdup("/tmp/vmail-file-XXXXXX");

	*state = folder;
	return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int
leave_folder(void **state)
{
	static const char *const names[] = { "f", "g", "d", "l", "p", "s" };

	for (size_t i = 0; i < COUNT(names); i++) {
		(void)unlink(names[i]);
		(void)rmdir(names[i]);
	}
	if (chdir("/") != 0 || rmdir(*state) != 0)
		return 1;
	free(*state);
	return 0;
}

static void
put_file(const char *name, const char *bytes, size_t n)
{
	VMAIL_AUTOCLOSE int fd =
	    open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
}

static int
opened(const char *name, int flags)
{
	struct vmail_err err;
	struct stat st;
	int fd = -1;

	assert_int_equal(
	    vmail_file_open(name, flags, &fd, &st, &err), VMAIL_OK);
	assert_true(S_ISREG(st.st_mode));
	return fd;
}

static void
a_regular_file_is_opened_and_not_left_to_children(void **state)
{
	(void)state;
	put_file("f", "x", 1);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

/* The number the next descriptor gets: the same again if none was left. */
static int
next_descriptor(void)
{
	VMAIL_AUTOCLOSE int fd = dup(0);
	int number = fd;

	return number;
}

static void
assert_refused(const char *path, int flags, enum vmail_rc expected)
{
	struct vmail_err err = { .rc = VMAIL_OK };
	struct stat st;
	int fd = -7, next = next_descriptor();

	assert_int_equal(
	    vmail_file_open(path, flags, &fd, &st, &err), expected);
	assert_int_equal(fd, -7);
	assert_int_equal(next_descriptor(), next);
	assert_int_equal(err.rc, expected);
	assert_string_equal(err.path, path);
}

static void
what_is_no_regular_file_is_not_trusted_and_never_waited_for(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "s" };
	VMAIL_AUTOCLOSE int s = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(s, (struct sockaddr *)&name, sizeof(name)), 0);
	put_file("f", "x", 1);
	assert_int_equal(symlink("f", "l"), 0);
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(mkfifo("p", 0644), 0);
	for (int i = 0; i < 2; i++) {
		int flags = i == 0 ? O_RDONLY : O_RDWR;

		assert_refused("l", flags, VMAIL_UNSAFE);
		assert_refused("d", flags, VMAIL_UNSAFE);
		assert_refused("p", flags, VMAIL_UNSAFE);
		assert_refused("s", flags, VMAIL_UNSAFE);
		assert_refused("/dev/null", flags, VMAIL_UNSAFE);
	}
}

static void
a_missing_file_is_told_from_one_that_fails(void **state)
{
	char longest[5000];

	(void)state;
	put_file("f", "x", 1);
	assert_refused("g", O_RDONLY, VMAIL_NOT_FOUND);
	assert_refused("f/g", O_RDONLY, VMAIL_IO);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	struct vmail_err err;
	struct stat st;
	int fd = -7;
	assert_int_equal(
	    vmail_file_open(longest, O_RDONLY, &fd, &st, &err), VMAIL_IO);
	assert_int_equal(err.sys_errno, ENAMETOOLONG);
}

/* In a child: what the kernel says no to cannot be seen as root. */
static int
as_nobody_open_says(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct stat st;
		int fd;

		if (setresgid(65534, 65534, 65534) != 0 ||
		    setresuid(65534, 65534, 65534) != 0)
			_exit(99);
		_exit((int)vmail_file_open(path, O_RDONLY, &fd, &st, NULL));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
an_unreadable_file_is_denied(void **state)
{
	(void)state;
	put_file("f", "x", 1);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(chmod("f", 0640), 0);
	assert_int_equal(as_nobody_open_says("f"), VMAIL_DENIED);
	assert_int_equal(chmod("f", 0644), 0);
	assert_int_equal(as_nobody_open_says("f"), VMAIL_OK);
}

static void
assert_distrusted(uid_t owner, mode_t mode, const char *what)
{
	struct stat st = { .st_uid = owner, .st_mode = S_IFREG | mode };
	struct vmail_err err;

	assert_int_equal(vmail_file_trust(&st, "/x", &err), VMAIL_UNSAFE);
	assert_string_equal(err.what, what);
	assert_string_equal(err.path, "/x");
}

static void
a_file_is_trusted_if_root_alone_may_write(void **state)
{
	struct stat st = { .st_uid = 0, .st_mode = S_IFREG | 0644 };

	(void)state;
	assert_int_equal(vmail_file_trust(&st, "/x", NULL), VMAIL_OK);
	st.st_mode = S_IFREG | 0755;
	assert_int_equal(vmail_file_trust(&st, "/x", NULL), VMAIL_OK);
	st.st_gid = 1000;
	assert_int_equal(vmail_file_trust(&st, "/x", NULL), VMAIL_OK);
	assert_distrusted(1000, 0644, "owner 1000, mode 0644: not root's");
	assert_distrusted(
	    0, 0664, "owner 0, mode 0664: group or others may write");
	assert_distrusted(
	    0, 0646, "owner 0, mode 0646: group or others may write");
	assert_distrusted(
	    0, 01777, "owner 0, mode 1777: group or others may write");
}

static void
the_overflow_id_alone_is_not_root(void **state)
{
	(void)state;
	assert_distrusted(65534, 0644, "owner 65534, mode 0644: not root's");
}

/* What trust says of f inside a user namespace of `who` with that uid_map,
 * where its owner shows as that number. */
static int
inside_namespace_trust_says(uid_t who, const char *map, uid_t shown)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		size_t n = strlen(map);
		struct stat st;
		int fd;

		if (setresuid(who, who, who) != 0 ||
		    prctl(PR_SET_DUMPABLE, 1) != 0 ||
		    unshare(CLONE_NEWUSER) != 0)
			_exit(99);
		fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
		if (n > 0 && write(fd, map, n) != (ssize_t)n)
			_exit(98);
		(void)close(fd);
		if (stat("f", &st) != 0 || st.st_uid != shown)
			_exit(97);
		_exit((int)vmail_file_trust(&st, "f", NULL));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
the_host_s_root_is_trusted_where_it_has_no_number(void **state)
{
	(void)state;
	put_file("f", "x", 1);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(inside_namespace_trust_says(0, "", 65534), VMAIL_OK);
	assert_int_equal(
	    inside_namespace_trust_says(1000, "0 1000 1\n", 65534), VMAIL_OK);
	assert_int_equal(chmod("f", 0666), 0);
	assert_int_equal(
	    inside_namespace_trust_says(0, "", 65534), VMAIL_UNSAFE);
}

static void
an_unmapped_user_is_not_root_where_root_has_a_number(void **state)
{
	(void)state;
	put_file("f", "x", 1);
	assert_int_equal(chown("f", 1234, 0), 0);
	assert_int_equal(
	    inside_namespace_trust_says(0, "0 0 1\n", 65534), VMAIL_UNSAFE);
}

static void
a_root_that_is_somebody_else_here_is_not_root(void **state)
{
	(void)state;
	put_file("f", "x", 1);
	assert_int_equal(
	    inside_namespace_trust_says(0, "1000 0 1\n", 1000), VMAIL_UNSAFE);
}

static void
a_folder_is_asked_the_same(void **state)
{
	struct vmail_err err;

	(void)state;
	assert_int_equal(mkdir("d", 0755), 0);
	put_file("f", "x", 1);
	assert_int_equal(vmail_file_trust_folder("d/x", &err), VMAIL_OK);
	assert_int_equal(vmail_file_trust_folder("x", &err), VMAIL_OK);
	assert_int_equal(vmail_file_trust_folder("/x", &err), VMAIL_OK);
	assert_int_equal(chmod("d", 0775), 0);
	assert_int_equal(vmail_file_trust_folder("d/x", &err), VMAIL_UNSAFE);
	assert_string_equal(err.path, "d");
	assert_int_equal(chmod("d", 01777), 0);
	assert_int_equal(vmail_file_trust_folder("d/x", &err), VMAIL_UNSAFE);
	assert_int_equal(chmod("d", 0755), 0);
	assert_int_equal(chown("d", 1000, 0), 0);
	assert_int_equal(vmail_file_trust_folder("d/x", &err), VMAIL_UNSAFE);
	assert_int_equal(vmail_file_trust_folder("f/x", &err), VMAIL_UNSAFE);
	assert_int_equal(vmail_file_trust_folder("g/x", &err), VMAIL_NOT_FOUND);
}

static void
a_stamp_is_size_mtime_and_inode(void **state)
{
	struct stat st = { .st_size = 1,
		.st_ino = 2,
		.st_mtim = { .tv_sec = 3, .tv_nsec = 4 } };
	struct vmail_stamp a = vmail_file_stamp(&st), b = a;

	(void)state;
	assert_true(vmail_file_same(&a, &b));
	b.size++;
	assert_false(vmail_file_same(&a, &b));
	b = a;
	b.sec--;
	assert_false(vmail_file_same(&a, &b));
	b = a;
	b.nsec++;
	assert_false(vmail_file_same(&a, &b));
	b = a;
	b.ino++;
	assert_false(vmail_file_same(&a, &b));
}

static void
a_negative_mtime_equals_nothing(void **state)
{
	struct vmail_stamp a = { 1, -1, 0, 1 };

	(void)state;
	assert_false(vmail_file_same(&a, &a));
}

static struct vmail_stamp
stamp_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return vmail_file_stamp(&st);
}

static void
a_file_that_changed_while_read_is_not_steady(void **state)
{
	struct timespec old[2] = { { .tv_sec = -5 }, { .tv_sec = -5 } };
	struct vmail_stamp before;

	(void)state;
	put_file("f", "abc", 3);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	before = stamp_of(fd);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_OK);
	put_file("f", "abcd", 4);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_BUSY);
	assert_int_equal(futimens(fd, old), 0);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_BUSY);
	before = stamp_of(fd);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_OK);
}

static void
lock_byte(int fd, short type, off_t byte)
{
	struct flock lock = { .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1 };

	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

static void
a_file_being_rewritten_in_place_is_not_steady(void **state)
{
	struct vmail_stamp before;

	(void)state;
	put_file("f", "abc", 3);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	VMAIL_AUTOCLOSE int writer = opened("f", O_RDWR);
	before = stamp_of(fd);
	lock_byte(writer, F_WRLCK, 1);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_BUSY);
	lock_byte(writer, F_UNLCK, 1);
	lock_byte(writer, F_WRLCK, 0);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_OK);
}

static void
another_reader_s_lock_holds_nobody_up(void **state)
{
	struct vmail_stamp before;

	(void)state;
	put_file("f", "abc", 3);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	VMAIL_AUTOCLOSE int other = opened("f", O_RDONLY);
	before = stamp_of(fd);
	lock_byte(other, F_RDLCK, 1);
	assert_int_equal(vmail_file_steady(fd, &before), VMAIL_OK);
}

static void
a_read_ends_where_the_file_ends(void **state)
{
	char buf[8] = "#######";

	(void)state;
	put_file("f", "abcdef", 6);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	assert_int_equal(vmail_file_pread(fd, buf, 3, 2), 3);
	assert_memory_equal(buf, "cde#", 4);
	assert_int_equal(vmail_file_pread(fd, buf, 7, 4), 2);
	assert_int_equal(vmail_file_pread(fd, buf, 7, 6), 0);
	assert_int_equal(vmail_file_pread(fd, buf, 7, 1u << 30), 0);
	assert_int_equal(vmail_file_pread(fd, buf, 7, UINT64_MAX), -1);
	assert_int_equal(vmail_file_pread(-1, buf, 7, 0), -1);
}

/* The offset of the line of that name in those bytes, -1: none. */
static int64_t
found_in(const char *bytes, size_t n, uint64_t from, uint64_t to,
    const char *name, size_t size)
{
	char *window = malloc(size);
	uint64_t at = 0;
	enum vmail_rc rc;

	put_file("f", bytes, n);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	rc = vmail_file_find(fd, from, to, vmail_str(name), window, size, &at);
	free(window);
	if (rc == VMAIL_NOT_FOUND)
		return -1;
	assert_int_equal(rc, VMAIL_OK);
	return (int64_t)at;
}

static int64_t
found(const char *text, const char *name)
{
	return found_in(text, strlen(text), 0, strlen(text), name, 512);
}

static void
a_line_is_found_by_its_whole_name(void **state)
{
	static const char text[] = "aa:1\nab@x:2\nab:3\nb:4\nab:5\n";

	(void)state;
	assert_int_equal(found(text, "aa"), 0);
	assert_int_equal(found(text, "ab"), 12);
	assert_int_equal(found(text, "ab@x"), 5);
	assert_int_equal(found(text, "b"), 17);
	assert_int_equal(found(text, "a"), -1);
	assert_int_equal(found(text, "ab@"), -1);
	assert_int_equal(found(text, "1"), -1);
	assert_int_equal(found("", "a"), -1);
	assert_int_equal(found("\n\n\na:", "a"), 3);
}

static void
a_line_of_a_name_alone_is_found(void **state)
{
	(void)state;
	assert_int_equal(found("b\na", "a"), 2);
	assert_int_equal(found("b\na\nc\n", "a"), 2);
	assert_int_equal(found("b\r\na\r\nc\n", "a"), 3);
	assert_int_equal(found("b\na\r", "a"), 2);
	assert_int_equal(found("b\r\na:1\r\n", "a"), 3);
	assert_int_equal(found("a\rb\n", "a"), -1);
	assert_int_equal(found("a\r\n", "a\r"), -1);
	assert_int_equal(found("a\r\r\n", "a\r"), 0);
	assert_int_equal(found("a\r:\n", "a\r"), 0);
}

static void
what_no_line_is_named_is_never_found(void **state)
{
	(void)state;
	assert_int_equal(found("#a:1\n:b\n\nc:\nd:", "#a"), -1);
	assert_int_equal(found("#a:1\n:b\n\nc:\nd:", ""), -1);
	assert_int_equal(found("#a:1\n:b\n\nc:\nd:", ":b"), -1);
	assert_int_equal(found("#a:1\n:b\n\nc:\nd:", "c:"), -1);
	assert_int_equal(found("#a:1\n:b\n\nc:\nd:", "c:\nd"), -1);
}

static void
only_lines_that_begin_in_the_range_are_found(void **state)
{
	static const char text[] = "a:1\nbb:2\nccc:3\n";

	(void)state;
	assert_int_equal(found_in(text, 15, 4, 15, "a", 512), -1);
	assert_int_equal(found_in(text, 15, 0, 4, "bb", 512), -1);
	assert_int_equal(found_in(text, 15, 0, 5, "bb", 512), 4);
	assert_int_equal(found_in(text, 15, 4, 5, "bb", 512), 4);
	assert_int_equal(found_in(text, 15, 9, 11, "cc", 512), -1);
	assert_int_equal(found_in(text, 15, 9, 10, "ccc", 512), 9);
	assert_int_equal(found_in(text, 15, 0, UINT64_MAX, "ccc", 512), 9);
	assert_int_equal(found_in(text, 15, 9, 9, "ccc", 512), -1);
	assert_int_equal(found_in(text, 15, 100, 200, "ccc", 512), -1);
}

static void
a_name_of_any_length_fits_or_is_not_found(void **state)
{
	char text[2000], name[600];

	(void)state;
	memset(text, 'n', sizeof(text));
	memset(name, 'n', sizeof(name));
	name[510] = '\0';
	text[510] = ':';
	assert_int_equal(found_in(text, 511, 0, 511, name, 512), 0);
	text[510] = 'n';
	name[510] = 'n';
	name[511] = '\0';
	assert_int_equal(found_in(text, 2000, 0, 2000, name, 512), -1);
}

static void
a_name_is_read_whole_where_the_window_ends(void **state)
{
	char text[600];

	(void)state;
	for (size_t fill = 490; fill < 515; fill++) {
		struct vmail_buf b = { text, sizeof(text), fill, false };

		memset(text, '#', fill);
		vmail_buf_z(&b, "\nabc:\nab\rc:\nab:");
		assert_int_equal(
		    found_in(text, b.len, 0, b.len, "ab", 512), fill + 12);
		assert_int_equal(
		    found_in(text, b.len, 0, b.len, "abc", 512), fill + 1);
	}
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Lines n0, n1, ... of random lengths, some longer than any window; where[i]
 * is where line i begins. */
static size_t
make_lines(char *text, size_t *where, size_t lines, uint32_t *seed)
{
	size_t n = 0;

	for (size_t i = 0; i < lines; i++) {
		size_t fill = next_random(seed) % 40;

		where[i] = n;
		if (next_random(seed) % 16 == 0)
			fill = 400 + next_random(seed) % 1500;
		text[n++] = 'n';
		if (i >= 10)
			text[n++] = (char)('0' + i / 10);
		text[n++] = (char)('0' + i % 10);
		if (fill > 0)
			text[n++] = ':';
		for (; fill > 1; fill--)
			text[n++] = "n:5"[fill % 3];
		if (next_random(seed) % 8 == 0)
			text[n++] = '\r';
		text[n++] = '\n';
	}
	return n - next_random(seed) % 2; /* perhaps no last line feed */
}

static void
every_line_is_found_wherever_the_window_ends(void **state)
{
	enum { LINES = 60 };
	static char text[LINES * 2100];
	size_t where[LINES];
	char window[600];
	uint32_t seed = 42;

	(void)state;
	for (size_t round = 0; round < 40; round++) {
		size_t n = make_lines(text, where, LINES, &seed);

		put_file("f", text, n);
		VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
		for (size_t i = 0; i < LINES; i++) {
			char name[3] = { 'n' };
			struct vmail_buf b = { name, 3, 1, false };
			struct vmail_str s = { name, 0 };
			uint64_t at = 0;

			vmail_buf_num(&b, i, 1);
			s.n = b.len;
			assert_int_equal(vmail_file_find(fd, 0, n, s, window,
					     512 + round, &at),
			    VMAIL_OK);
			assert_int_equal(at, where[i]);
		}
		uint64_t at;
		assert_int_equal(vmail_file_find(fd, 0, n, VMAIL_STR("nn"),
				     window, 512 + round, &at),
		    VMAIL_NOT_FOUND);
	}
}

static void
lines_are_read_one_after_another(void **state)
{
	static const char text[] = "a\n\nbcd\r\nlast";
	static const char *const lines[] = { "a", "", "bcd\r", "last" };
	struct vmail_str line;
	char buf[8];
	uint64_t at = 0;

	(void)state;
	put_file("f", text, sizeof(text) - 1);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(
		    vmail_file_line(fd, at, buf, sizeof(buf), &line, &at),
		    VMAIL_OK);
		assert_true(vmail_str_is(line, lines[i]));
	}
	assert_int_equal(at, sizeof(text) - 1);
	assert_int_equal(vmail_file_line(fd, at, buf, sizeof(buf), &line, &at),
	    VMAIL_NOT_FOUND);
	assert_int_equal(
	    vmail_file_line(-1, at, buf, sizeof(buf), &line, &at), VMAIL_IO);
}

static void
a_line_too_long_is_passed_over_as_a_whole(void **state)
{
	static const char text[] = "12345678\n123456789\nx\n1234567890123456"
				   "7890123456789";
	struct vmail_str line = { NULL, 77 };
	char buf[8];
	uint64_t at = 0;

	(void)state;
	put_file("f", text, sizeof(text) - 1);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	assert_int_equal(vmail_file_line(fd, at, buf, 8, &line, &at), VMAIL_OK);
	assert_true(vmail_str_is(line, "12345678"));
	assert_int_equal(
	    vmail_file_line(fd, at, buf, 8, &line, &at), VMAIL_TOO_SMALL);
	assert_int_equal(at, 19);
	assert_int_equal(line.n, 8);
	assert_int_equal(vmail_file_line(fd, at, buf, 8, &line, &at), VMAIL_OK);
	assert_true(vmail_str_is(line, "x"));
	assert_int_equal(
	    vmail_file_line(fd, at, buf, 8, &line, &at), VMAIL_TOO_SMALL);
	assert_int_equal(at, sizeof(text) - 1);
}

static void
a_last_line_may_fill_the_buffer(void **state)
{
	struct vmail_str line;
	char buf[8];
	uint64_t next = 0;

	(void)state;
	put_file("f", "12345678", 8);
	VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
	assert_int_equal(
	    vmail_file_line(fd, 0, buf, 8, &line, &next), VMAIL_OK);
	assert_true(vmail_str_is(line, "12345678"));
	assert_int_equal(next, 8);
	put_file("f", "12345678\n", 9);
	assert_int_equal(
	    vmail_file_line(fd, 0, buf, 8, &line, &next), VMAIL_OK);
	assert_int_equal(next, 9);
}

static void
a_line_of_any_length_is_read_whole(void **state)
{
	char text[1050], buf[4096];
	struct vmail_str line;
	uint64_t next;

	(void)state;
	for (size_t n = 1010; n < 1040; n++) {
		for (size_t i = 0; i < n; i++)
			text[i] = (char)('a' + i * i % 26);
		memcpy(text + n, "\nmore\n", 6);
		put_file("f", text, n + 6);
		VMAIL_AUTOCLOSE int fd = opened("f", O_RDONLY);
		assert_int_equal(
		    vmail_file_line(fd, 0, buf, sizeof(buf), &line, &next),
		    VMAIL_OK);
		assert_int_equal(line.n, n);
		assert_memory_equal(line.p, text, n);
		assert_int_equal(next, n + 1);
		assert_int_equal(truncate("f", (off_t)n), 0);
		assert_int_equal(
		    vmail_file_line(fd, 0, buf, sizeof(buf), &line, &next),
		    VMAIL_OK);
		assert_int_equal(line.n, n);
		assert_int_equal(next, n);
	}
}

static void
closing_keeps_errno_and_is_safe_twice(void **state)
{
	int fd;

	(void)state;
	put_file("f", "x", 1);
	fd = opened("f", O_RDONLY);
	errno = ENOSPC;
	vmail_file_close(&fd);
	assert_int_equal(fd, -1);
	vmail_file_close(&fd);
	fd = 1000000;
	vmail_file_close(&fd);
	assert_int_equal(errno, ENOSPC);
}

#define IN_FOLDER(test)                                                        \
	cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_regular_file_is_opened_and_not_left_to_children),
		IN_FOLDER(
		    what_is_no_regular_file_is_not_trusted_and_never_waited_for),
		IN_FOLDER(a_missing_file_is_told_from_one_that_fails),
		IN_FOLDER(an_unreadable_file_is_denied),
		cmocka_unit_test(a_file_is_trusted_if_root_alone_may_write),
		cmocka_unit_test(the_overflow_id_alone_is_not_root),
		IN_FOLDER(the_host_s_root_is_trusted_where_it_has_no_number),
		IN_FOLDER(an_unmapped_user_is_not_root_where_root_has_a_number),
		IN_FOLDER(a_root_that_is_somebody_else_here_is_not_root),
		IN_FOLDER(a_folder_is_asked_the_same),
		cmocka_unit_test(a_stamp_is_size_mtime_and_inode),
		cmocka_unit_test(a_negative_mtime_equals_nothing),
		IN_FOLDER(a_file_that_changed_while_read_is_not_steady),
		IN_FOLDER(a_file_being_rewritten_in_place_is_not_steady),
		IN_FOLDER(another_reader_s_lock_holds_nobody_up),
		IN_FOLDER(a_read_ends_where_the_file_ends),
		IN_FOLDER(a_line_is_found_by_its_whole_name),
		IN_FOLDER(a_line_of_a_name_alone_is_found),
		IN_FOLDER(what_no_line_is_named_is_never_found),
		IN_FOLDER(only_lines_that_begin_in_the_range_are_found),
		IN_FOLDER(a_name_of_any_length_fits_or_is_not_found),
		IN_FOLDER(a_name_is_read_whole_where_the_window_ends),
		IN_FOLDER(every_line_is_found_wherever_the_window_ends),
		IN_FOLDER(lines_are_read_one_after_another),
		IN_FOLDER(a_line_too_long_is_passed_over_as_a_whole),
		IN_FOLDER(a_last_line_may_fill_the_buffer),
		IN_FOLDER(a_line_of_any_length_is_read_whole),
		IN_FOLDER(closing_keeps_errno_and_is_safe_twice),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
