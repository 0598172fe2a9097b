#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/core/file.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct vmail_conf
parsed(struct vmail_str text)
{
	struct vmail_conf conf;
	struct vmail_err err;

	if (vmail_conf_parse(&conf, text, "/x.conf", &err) != VMAIL_OK)
		fail_msg("line %lu: %s", err.line, err.what);
	return conf;
}

static void
assert_malformed(struct vmail_str text, unsigned long line, const char *what)
{
	struct vmail_conf conf = { .path = "untouched" };
	struct vmail_err err;

	assert_int_equal(
	    vmail_conf_parse(&conf, text, "/x.conf", &err), VMAIL_MALFORMED);
	assert_string_equal(conf.path, "untouched");
	assert_int_equal(err.rc, VMAIL_MALFORMED);
	assert_string_equal(err.path, "/x.conf");
	assert_int_equal(err.line, line);
	if (strstr(err.what, what) == NULL)
		fail_msg("'%s' does not say '%s'", err.what, what);
}

static void
the_defaults_are_those_of_the_manual(void **state)
{
	struct vmail_conf c;

	(void)state;
	vmail_conf_defaults(&c);
	assert_string_equal(c.passwd_file, "/etc/vmail/passwd");
	assert_string_equal(c.home, "/var/mail/vhosts/%d/%n");
	assert_string_equal(c.owner, "vmail:vmail");
	assert_string_equal(c.reader_group, "");
	assert_int_equal(c.id_style, VMAIL_IDS_EMPTY);
	assert_int_equal(c.first_valid_uid, 500);
	assert_int_equal(c.last_valid_uid, 60000);
	assert_string_equal(c.scheme, "ARGON2ID");
	assert_int_equal(c.argon2_memory, 19456);
	assert_int_equal(c.argon2_time, 2);
	assert_int_equal(c.crypt_rounds, 5000);
	assert_int_equal(c.bcrypt_cost, 12);
	assert_false(c.rehash_on_login);
	assert_int_equal(c.min_password_length, 8);
	assert_string_equal(c.default_domain, "");
	assert_true(c.nss_mailboxes);
	assert_false(c.nss_enumerate);
	assert_int_equal(c.lock_wait, 10);
	assert_int_equal(c.dovecot, VMAIL_DOVECOT_23);
	assert_string_equal(c.path, "/etc/vmail/vmail.conf");
}

static void
every_key_can_be_set(void **state)
{
	struct vmail_conf c = parsed(VMAIL_STR(
	    "passwd_file=/srv/mail/users\nhome = /m/%u/%%x\n"
	    "owner = mail:mailers\nreader_group = 119\nid_style = numbers\n"
	    "first_valid_uid = 1\nlast_valid_uid = 4294967293\n"
	    "scheme = sha512-Crypt\nargon2_memory = 8\nargon2_time = 16\n"
	    "crypt_rounds = 5000000\nbcrypt_cost = 4\nrehash_on_login = yes\n"
	    "min_password_length = 1\ndefault_domain = Example.ORG\n"
	    "nss_mailboxes = no\nnss_enumerate = yes\nlock_wait = 0\n"
	    "dovecot = 2.4\n"));

	(void)state;
	assert_string_equal(c.passwd_file, "/srv/mail/users");
	assert_string_equal(c.home, "/m/%u/%%x");
	assert_string_equal(c.owner, "mail:mailers");
	assert_string_equal(c.reader_group, "119");
	assert_int_equal(c.id_style, VMAIL_IDS_NUMBERS);
	assert_int_equal(c.first_valid_uid, 1);
	assert_int_equal(c.last_valid_uid, 4294967293);
	assert_string_equal(c.scheme, "SHA512-CRYPT");
	assert_int_equal(c.argon2_memory, 8);
	assert_int_equal(c.argon2_time, 16);
	assert_int_equal(c.crypt_rounds, 5000000);
	assert_int_equal(c.bcrypt_cost, 4);
	assert_true(c.rehash_on_login);
	assert_int_equal(c.min_password_length, 1);
	assert_string_equal(c.default_domain, "example.org");
	assert_false(c.nss_mailboxes);
	assert_true(c.nss_enumerate);
	assert_int_equal(c.lock_wait, 0);
	assert_int_equal(c.dovecot, VMAIL_DOVECOT_24);
	assert_string_equal(c.path, "/x.conf");
}

/* The whole configuration as a file would have it. */
static struct vmail_str
printed(const struct vmail_conf *conf, char *text, size_t size)
{
	struct vmail_buf b = { text, size, 0, false };

	for (size_t i = 0; vmail_conf_key(i) != NULL; i++) {
		vmail_buf_z(&b, vmail_conf_key(i));
		vmail_buf_z(&b, " = ");
		vmail_conf_value(conf, i, &b);
		vmail_buf_char(&b, '\n');
	}
	assert_int_equal(vmail_buf_end(&b), VMAIL_OK);
	return (struct vmail_str){ text, b.len };
}

static void
what_is_printed_is_read_as_the_same(void **state)
{
	char text[4096];
	struct vmail_conf a = parsed(VMAIL_STR("id_style = names\n"
					       "dovecot = 2.4\n"
					       "default_domain = x.y\n"
					       "reader_group = dovecot\n"
					       "nss_enumerate = yes\n"));
	struct vmail_conf b = parsed(printed(&a, text, sizeof(text)));

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
	vmail_conf_defaults(&a);
	b = parsed(printed(&a, text, sizeof(text)));
	assert_string_equal(b.path, "/x.conf");
	memcpy(b.path, a.path, sizeof(b.path));
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
every_key_says_what_it_means(void **state)
{
	size_t n = 0;

	(void)state;
	for (; vmail_conf_key(n) != NULL; n++) {
		assert_in_range(strlen(vmail_conf_help(n)), 10, 72);
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(
			    vmail_conf_key(i), vmail_conf_key(n));
	}
	assert_int_equal(n, 19);
	assert_null(vmail_conf_help(n));
}

static void
blanks_comments_and_empty_lines_are_nothing(void **state)
{
	struct vmail_conf c = parsed(VMAIL_STR("\n#lock_wait = 1\n \t\n\r\n"
					       "\t lock_wait\t=\t 7 \t\r\n"
					       "# x\n#\nbcrypt_cost=5"));

	(void)state;
	assert_int_equal(c.lock_wait, 7);
	assert_int_equal(c.bcrypt_cost, 5);
	c = parsed(VMAIL_STR(""));
	assert_int_equal(c.lock_wait, 10);
}

static void
a_line_that_is_no_setting_is_an_error_with_its_number(void **state)
{
	(void)state;
	assert_malformed(
	    VMAIL_STR("\n\nlockwait = 1\n"), 3, "no such key: lockwait");
	assert_malformed(VMAIL_STR("lock_wait = 1\n#\nlock_wait = 1\n"), 3,
	    "repeated key: lock_wait");
	assert_malformed(VMAIL_STR("lock_wait\n"), 1, "no '='");
	assert_malformed(VMAIL_STR("= 3\n"), 1, "no such key");
	assert_malformed(VMAIL_STR(" # x\n"), 1, "no '='");
	assert_malformed(VMAIL_STR("Lock_wait = 1\n"), 1, "no such key");
	assert_malformed(VMAIL_STR("[vmail]\n"), 1, "no '='");
	assert_malformed(VMAIL_STR("a\033b = 1\n"), 1, "a\\x1bb");
	assert_malformed(VMAIL_STR("\xef\xbb\xbflock_wait = 1\n"), 1,
	    "\\xef\\xbb\\xbflock_wait");
}

static void
a_byte_that_is_no_text_is_an_error(void **state)
{
	(void)state;
	assert_malformed(
	    VMAIL_STR("lock_wait = 1\nhome = /a\0b\n"), 2, "a NUL byte");
	assert_malformed(VMAIL_STR("# a\0b\n"), 1, "a NUL byte");
	assert_malformed(VMAIL_STR("home = /a\033b\n"), 1, "control byte");
	assert_malformed(VMAIL_STR("home = /a\r\r\n"), 1, "control byte");
}

static void
a_line_has_1024_bytes_at_most(void **state)
{
	char text[2048];

	(void)state;
	memset(text, '#', sizeof(text));
	memcpy(text + 1024, "\r\nlock_wait = 3\n", 16);
	assert_int_equal(parsed((struct vmail_str){ text, 1040 }).lock_wait, 3);
	memcpy(text + 1025, "\nlock_wait = 3\n", 15);
	text[1024] = '#';
	assert_malformed((struct vmail_str){ text, 1040 }, 1, "1024");
}

static void
a_text_has_64_kib_at_most(void **state)
{
	static char text[65537];

	(void)state;
	memset(text, '\n', sizeof(text));
	(void)parsed((struct vmail_str){ text, 65536 });
	assert_malformed((struct vmail_str){ text, 65537 }, 0, "64 KiB");
}

static void
a_value_out_of_its_form_is_an_error(void **state)
{
	static const char *const lines[] = { "lock_wait = 3601",
		"lock_wait = -1", "lock_wait = 1 0", "lock_wait = 0x1",
		"lock_wait =", "lock_wait = 10s", "crypt_rounds = 999",
		"crypt_rounds = 5000001", "bcrypt_cost = 3", "bcrypt_cost = 18",
		"argon2_memory = 7", "argon2_memory = 1048577",
		"argon2_time = 0", "argon2_time = 17",
		"min_password_length = 0", "min_password_length = 512",
		"first_valid_uid = 0", "last_valid_uid = 4294967294",
		"rehash_on_login = true", "nss_mailboxes = Yes",
		"nss_enumerate =", "id_style = name",
		"id_style =", "dovecot = 2.5", "dovecot = 2.30",
		"passwd_file =", "passwd_file = etc/passwd",
		"passwd_file = /etc/../passwd", "passwd_file = /etc/%n",
		"passwd_file = /etc/vmail/", "passwd_file = /etc/vmail/deny",
		"passwd_file = /etc/vmail/apppw",
		"passwd_file = /etc/vmail/.lock",
		"passwd_file = /etc/vmail/vmail.conf",
		"passwd_file = /etc/vmail/views", "home =", "home = mail",
		"home = /m/../%n", "home = /m/%h", "home = /m/%",
		"home = /m:%n", "owner =", "owner = vmail",
		"owner = vmail:", "owner = :vmail", "owner = 5000:5000",
		"owner = a:b:c", "owner = root:vmail", "owner = vmail:root",
		"owner = a b:c", "reader_group = a b", "reader_group = -1",
		"reader_group = 4294967295", "scheme =", "scheme = {PLAIN}",
		"scheme = SHA_1", "scheme = SSHA.b64",
		"scheme = A23456789012345678901234567890123",
		"default_domain = @x", "default_domain = .x",
		"default_domain = x.", "default_domain = x/y",
		"default_domain = a b", "default_domain = a..b" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct vmail_str key = vmail_str(lines[i]);
		char name[64] = "";

		key = vmail_text_cut(&key, ' ');
		memcpy(name, key.p, key.n);
		assert_malformed(vmail_str(lines[i]), 1, name);
	}
}

static void
a_domain_is_the_whole_name_of_the_folder_that_holds_the_file(void **state)
{
	static const char *const bad[] = { "/etc/%d", "/etc/x%d/passwd",
		"/etc/%dx/passwd", "/etc/%d/%d/passwd", "/etc/%n/passwd",
		"/etc/%d/x/passwd", "/%d/passwd", "/etc/%%/passwd" };
	struct vmail_conf conf;
	struct vmail_err err;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		(void)snprintf(line, sizeof(line), "passwd_file = %s", bad[i]);
		assert_malformed(vmail_str(line), 1, "passwd_file");
	}
	vmail_conf_defaults(&conf);
	assert_false(vmail_conf_has_domains(&conf));
	assert_int_equal(
	    vmail_conf_parse(&conf,
		VMAIL_STR("passwd_file = /etc/vmail/%d/passwd"), "/x", &err),
	    VMAIL_OK);
	assert_true(vmail_conf_has_domains(&conf));
}

static void
no_domain_that_is_no_folders_name_reaches_a_path(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "/",
		".a", "a.", "a..b", "-a", "a:b", "a b", "a\nb", "A.org", "a@b",
		"a\x7f" };
	struct vmail_conf conf;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		vmail_conf_defaults(&conf);
		strcpy(conf.passwd_file, "/etc/vmail/%d/passwd");
		assert_int_equal(vmail_conf_enter(&conf, vmail_str(bad[i])),
		    VMAIL_NOT_FOUND);
		assert_string_equal(conf.passwd_file, "/etc/vmail/%d/passwd");
		assert_false(conf.entered);
	}
	assert_int_equal(
	    vmail_conf_enter(&conf, VMAIL_STR("example.org")), VMAIL_OK);
	assert_string_equal(conf.passwd_file, "/etc/vmail/example.org/passwd");
	assert_true(conf.entered);
	assert_false(vmail_conf_has_domains(&conf));
}

static void
a_range_of_numbers_is_told_with_the_refusal(void **state)
{
	(void)state;
	assert_malformed(VMAIL_STR("lock_wait = x"), 1,
	    "lock_wait: a number from 0 to 3600");
	assert_malformed(VMAIL_STR("id_style = x"), 1,
	    "id_style: one of empty names numbers");
}

static void
the_valid_ids_are_a_range(void **state)
{
	(void)state;
	assert_malformed(
	    VMAIL_STR("last_valid_uid = 600\n\nfirst_valid_uid = 601\n#\n"), 3,
	    "first_valid_uid is above last_valid_uid");
	assert_malformed(VMAIL_STR("last_valid_uid = 499"), 1, "above");
	assert_int_equal(parsed(VMAIL_STR("last_valid_uid = 600\n"
					  "first_valid_uid = 600\n"))
			     .first_valid_uid,
	    600);
}

static void
a_path_has_512_bytes_at_most(void **state)
{
	char text[1024] = "passwd_file = /";
	struct vmail_conf c;

	(void)state;
	memset(text + 15, 'x', 512);
	c = parsed((struct vmail_str){ text, 14 + 512 });
	assert_int_equal(strlen(c.passwd_file), 512);
	assert_malformed((struct vmail_str){ text, 14 + 513 }, 1, "512");
	memcpy(text, "home        = /", 15);
	c = parsed((struct vmail_str){ text, 14 + 512 });
	assert_int_equal(strlen(c.home), 512);
	assert_malformed((struct vmail_str){ text, 14 + 513 }, 1, "512");
}

static void
a_single_setting_is_judged_alike(void **state)
{
	struct vmail_conf c;
	struct vmail_err err;

	(void)state;
	vmail_conf_defaults(&c);
	assert_int_equal(
	    vmail_conf_set(&c, VMAIL_STR("lock_wait"), VMAIL_STR("5"), &err),
	    VMAIL_OK);
	assert_int_equal(c.lock_wait, 5);
	assert_int_equal(
	    vmail_conf_set(&c, VMAIL_STR("lock_wait"), VMAIL_STR("5s"), &err),
	    VMAIL_INVALID);
	assert_string_equal(err.what, "lock_wait: a number from 0 to 3600");
	assert_int_equal(c.lock_wait, 5);
	assert_int_equal(
	    vmail_conf_set(&c, VMAIL_STR("nope"), VMAIL_STR("5"), &err),
	    VMAIL_NOT_FOUND);
	assert_int_equal(vmail_conf_set(&c, VMAIL_STR("home"),
			     (struct vmail_str){ NULL, 0 }, NULL),
	    VMAIL_INVALID);
	assert_int_equal(vmail_conf_set(&c, VMAIL_STR("home"),
			     VMAIL_STR("/a\nlock_wait = 1"), NULL),
	    VMAIL_INVALID);
}

static void
a_shorter_value_leaves_nothing_of_a_longer_one(void **state)
{
	struct vmail_conf a, b;

	(void)state;
	vmail_conf_defaults(&a);
	vmail_conf_defaults(&b);
	assert_int_equal(vmail_conf_set(&a, VMAIL_STR("home"),
			     VMAIL_STR("/a/much/longer/home/%d/%n"), NULL),
	    VMAIL_OK);
	assert_int_equal(
	    vmail_conf_set(&a, VMAIL_STR("home"), VMAIL_STR("/m/%u"), NULL),
	    VMAIL_OK);
	assert_int_equal(
	    vmail_conf_set(&b, VMAIL_STR("home"), VMAIL_STR("/m/%u"), NULL),
	    VMAIL_OK);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
the_owner_has_two_halves(void **state)
{
	struct vmail_conf c = parsed(VMAIL_STR("owner = mail:mailers"));

	(void)state;
	assert_true(vmail_str_is(vmail_conf_owner_user(&c), "mail"));
	assert_true(vmail_str_is(vmail_conf_owner_group(&c), "mailers"));
}

static void
other_files_lie_beside_vmail_conf(void **state)
{
	struct vmail_conf c;
	char out[64];

	(void)state;
	vmail_conf_defaults(&c);
	assert_int_equal(
	    vmail_conf_beside(&c, "views", out, sizeof(out)), VMAIL_OK);
	assert_string_equal(out, "/etc/vmail/views");
	assert_int_equal(
	    vmail_conf_beside(&c, "views", out, 16), VMAIL_TOO_SMALL);
	memcpy(c.path, "my.conf", 8);
	assert_int_equal(
	    vmail_conf_beside(&c, "views", out, sizeof(out)), VMAIL_OK);
	assert_string_equal(out, "views");
}

static int
enter_folder(void **state)
{
	char *folder = strdup("/tmp/vmail-conf-XXXXXX");

	*state = folder;
	return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int
leave_folder(void **state)
{
	(void)unlink("c");
	(void)unlink("l");
	(void)rmdir("d");
	if (chdir("/") != 0 || rmdir(*state) != 0)
		return 1;
	free(*state);
	return 0;
}

static void
put_conf(const char *bytes, size_t n)
{
	VMAIL_AUTOCLOSE int fd =
	    open("c", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
}

static enum vmail_rc
loaded(const char *path, struct vmail_conf *conf, struct vmail_err *err)
{
	memset(err, 0, sizeof(*err));
	return vmail_conf_load(conf, path, err);
}

static void
a_file_is_read_like_its_text(void **state)
{
	static const char text[] = "# c\nlock_wait = 3\r\n\nhome=/h/%n";
	struct vmail_conf a, b = parsed(vmail_str(text));
	struct vmail_err err;

	(void)state;
	put_conf(text, sizeof(text) - 1);
	assert_int_equal(loaded("c", &a, &err), VMAIL_OK);
	assert_string_equal(a.path, "c");
	assert_int_equal(a.lock_wait, 3);
	assert_string_equal(a.home, "/h/%n");
	memcpy(a.path, b.path, sizeof(a.path));
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
lines_are_whole_wherever_a_read_ends(void **state)
{
	static char text[8192];

	(void)state;
	for (size_t comment = 1; comment < 1100; comment += 7) {
		struct vmail_conf conf;
		struct vmail_err err;
		struct vmail_buf b = { text, sizeof(text), 0, false };

		for (size_t i = 0; i < comment; i++)
			vmail_buf_char(&b, i % 1000 == 999 ? '\n' : '#');
		vmail_buf_z(&b, "\n\nlock_wait = 3\nhome = /a/%n\n");
		for (size_t i = 0; i < comment; i++)
			vmail_buf_char(&b, i % 100 == 99 ? '\n' : '#');
		vmail_buf_z(&b, "\ndefault_domain = example.org");
		put_conf(text, b.len);
		assert_int_equal(loaded("c", &conf, &err), VMAIL_OK);
		assert_int_equal(conf.lock_wait, 3);
		assert_string_equal(conf.home, "/a/%n");
		assert_string_equal(conf.default_domain, "example.org");
	}
}

static void
an_error_in_a_file_has_the_number_of_its_line(void **state)
{
	static char text[66000];
	struct vmail_conf conf = { .path = "untouched" };
	struct vmail_err err;

	(void)state;
	memset(text, '\n', 3000);
	memcpy(text + 3000, "oops = 1\n", 9);
	put_conf(text, 3009);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_MALFORMED);
	assert_int_equal(err.line, 3001);
	assert_string_equal(err.path, "c");
	assert_string_equal(conf.path, "untouched");
	memset(text, '#', 3000);
	put_conf(text, 3000);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_MALFORMED);
	assert_int_equal(err.line, 1);
	put_conf(text, 1025);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_MALFORMED);
	put_conf(text, 1024);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_OK);
	memcpy(text + 1024, "\r\n", 2);
	put_conf(text, 1026);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_OK);
	memset(text, '\n', sizeof(text));
	put_conf(text, 65536);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_OK);
	put_conf(text, 65537);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_MALFORMED);
	assert_non_null(strstr(err.what, "64 KiB"));
}

static void
only_the_default_file_may_be_missing(void **state)
{
	struct vmail_conf conf;
	struct vmail_err err;

	(void)state;
	assert_int_equal(loaded("c", &conf, &err), VMAIL_IO);
	assert_int_equal(err.sys_errno, ENOENT);
	assert_string_equal(err.path, "c");
}

/* In a child that sees an empty /etc: the machine's own is not touched. */
static enum vmail_rc
without_etc_load_says(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct vmail_conf conf, defaults;
		struct vmail_err err;
		enum vmail_rc rc;

		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("none", "/etc", "tmpfs", 0, NULL) != 0)
			_exit(99);
		rc = loaded(path, &conf, &err);
		vmail_conf_defaults(&defaults);
		if (rc == VMAIL_OK &&
		    memcmp(&conf, &defaults, sizeof(conf)) != 0)
			_exit(98);
		_exit((int)rc);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (enum vmail_rc)WEXITSTATUS(status);
}

static void
a_missing_default_file_means_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(without_etc_load_says(NULL), VMAIL_OK);
	assert_int_equal(without_etc_load_says(VMAIL_CONF_PATH), VMAIL_OK);
	assert_int_equal(without_etc_load_says("/etc/vmail.conf"), VMAIL_IO);
}

static void
a_file_that_others_may_write_is_not_read(void **state)
{
	struct vmail_conf conf;
	struct vmail_err err;

	(void)state;
	put_conf("lock_wait = 3\n", 14);
	assert_int_equal(chmod("c", 0664), 0);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_UNSAFE);
	assert_int_equal(chmod("c", 0644), 0);
	assert_int_equal(chown("c", 1000, 0), 0);
	assert_int_equal(loaded("c", &conf, &err), VMAIL_UNSAFE);
	assert_int_equal(chown("c", 0, 0), 0);
	assert_int_equal(symlink("c", "l"), 0);
	assert_int_equal(loaded("l", &conf, &err), VMAIL_UNSAFE);
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(loaded("d", &conf, &err), VMAIL_UNSAFE);
}

static void
a_path_too_long_is_an_error(void **state)
{
	char path[600];
	struct vmail_conf conf;
	struct vmail_err err;

	(void)state;
	put_conf("", 0);
	for (size_t i = 0; i < sizeof(path) - 2; i += 2)
		memcpy(path + i, "./", 2);
	memcpy(path + sizeof(path) - 2, "c", 2);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(loaded(path, &conf, &err), VMAIL_IO);
	assert_int_equal(err.sys_errno, ENAMETOOLONG);
}

#define IN_FOLDER(test)                                                        \
	cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_manual),
		cmocka_unit_test(every_key_can_be_set),
		cmocka_unit_test(what_is_printed_is_read_as_the_same),
		cmocka_unit_test(every_key_says_what_it_means),
		cmocka_unit_test(blanks_comments_and_empty_lines_are_nothing),
		cmocka_unit_test(
		    a_line_that_is_no_setting_is_an_error_with_its_number),
		cmocka_unit_test(a_byte_that_is_no_text_is_an_error),
		cmocka_unit_test(a_line_has_1024_bytes_at_most),
		cmocka_unit_test(a_text_has_64_kib_at_most),
		cmocka_unit_test(a_value_out_of_its_form_is_an_error),
		cmocka_unit_test(
		    a_domain_is_the_whole_name_of_the_folder_that_holds_the_file),
		cmocka_unit_test(
		    no_domain_that_is_no_folders_name_reaches_a_path),
		cmocka_unit_test(a_range_of_numbers_is_told_with_the_refusal),
		cmocka_unit_test(the_valid_ids_are_a_range),
		cmocka_unit_test(a_path_has_512_bytes_at_most),
		cmocka_unit_test(a_single_setting_is_judged_alike),
		cmocka_unit_test(
		    a_shorter_value_leaves_nothing_of_a_longer_one),
		cmocka_unit_test(the_owner_has_two_halves),
		cmocka_unit_test(other_files_lie_beside_vmail_conf),
		IN_FOLDER(a_file_is_read_like_its_text),
		IN_FOLDER(lines_are_whole_wherever_a_read_ends),
		IN_FOLDER(an_error_in_a_file_has_the_number_of_its_line),
		IN_FOLDER(only_the_default_file_may_be_missing),
		cmocka_unit_test(a_missing_default_file_means_the_defaults),
		IN_FOLDER(a_file_that_others_may_write_is_not_read),
		IN_FOLDER(a_path_too_long_is_an_error),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
