#include "tests/unit/admin/holder.h"

#include "common/admin/dovecotconf.h"

/* A folder with dovecot.conf, and a process started with it. */
struct server {
	struct fixture f;
	struct vmail_proc master;
	char conf[256];
};

static const char *conf_word;

static void
begin_server(struct server *s, const char *conf)
{
	int ready[2];
	char byte;

	*s = (struct server){ .master = { .dir = -1 } };
	begin(&s->f, "");
	put(in_dir(&s->f, "dovecot.conf", s->conf), conf, strlen(conf), 0644);
	assert_int_equal(pipe(ready), 0);
	s->master.pid = fork();
	if (s->master.pid == 0) {
		char number[16];

		close(ready[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)snprintf(number, sizeof(number), "%d", ready[1]);
		execl("/proc/self/exe", "dovecot", "-F", "-c",
		    conf_word != NULL ? conf_word : s->conf, number,
		    (char *)NULL);
		_exit(99);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	s->master.dir = proc_of(s->master.pid);
}

static void
end_server(struct server *s)
{
	struct holder h = { s->master.pid, s->master.dir };

	release(&h);
	end(&s->f);
}

static enum vmail_dovecotconf
ask(struct server *s, const char *path)
{
	enum vmail_dovecotconf answer = VMAIL_DOVECOTCONF_UNCLEAR;

	assert_int_equal(
	    vmail_dovecotconf_ask(&s->master, path, &answer, &s->f.err),
	    VMAIL_OK);
	return answer;
}

static enum vmail_dovecotconf
asked_of(const char *conf, const char *path)
{
	struct server s;
	enum vmail_dovecotconf answer;

	begin_server(&s, conf);
	answer = ask(&s, path);
	end_server(&s);
	return answer;
}

#define P	"/etc/vmail/passwd"
#define NAMES	VMAIL_DOVECOTCONF_NAMES
#define SILENT	VMAIL_DOVECOTCONF_SILENT
#define UNCLEAR VMAIL_DOVECOTCONF_UNCLEAR

static void
a_file_that_the_configuration_names_is_named(void **state)
{
	(void)state;
	assert_int_equal(
	    asked_of("passdb {\n  args = scheme=CRYPT " P "\n}\n", P), NAMES);
	assert_int_equal(asked_of("passwd_file_path=" P, P), NAMES);
	assert_int_equal(asked_of("passdb { args = " P " }\r\n", P), NAMES);
}

static void
a_comment_or_another_path_names_nothing(void **state)
{
	(void)state;
	assert_int_equal(asked_of("", P), SILENT);
	assert_int_equal(asked_of("passdb {\n  driver = pam\n}\n", P), SILENT);
	assert_int_equal(asked_of("  # args = " P "\n", P), SILENT);
	assert_int_equal(asked_of("args = " P "2\n", P), SILENT);
	assert_int_equal(asked_of("args = " P "-\n", P), SILENT);
	assert_int_equal(asked_of("args = /srv" P "\n", P), SILENT);
}

static void
a_folder_is_named_by_what_lies_in_it(void **state)
{
	(void)state;
	assert_int_equal(asked_of("args = /etc/vmail/domains/%Ld/passwd\n",
			     "/etc/vmail/domains/"),
	    NAMES);
	assert_int_equal(
	    asked_of("args = /etc/vmail/domains\n", "/etc/vmail/domains/"),
	    SILENT);
}

static void
includes_are_read(void **state)
{
	struct server s;
	char path[256];

	(void)state;
	begin_server(&s, "!include conf.d/*.conf\n!include_try missing.conf\n");
	assert_int_equal(mkdir(in_dir(&s.f, "conf.d", path), 0755), 0);
	put(in_dir(&s.f, "conf.d/auth.conf.ext", path), "args = " P "\n",
	    sizeof("args = " P), 0644);
	assert_int_equal(ask(&s, P), SILENT);
	put(in_dir(&s.f, "conf.d/10-auth.conf", path),
	    "!include auth.conf.ext\n", 23, 0644);
	assert_int_equal(ask(&s, P), NAMES);
	end_server(&s);
}

static void
what_cannot_be_read_leaves_it_unclear(void **state)
{
	struct server s;
	char path[256];

	(void)state;
	begin_server(&s, "!include one.conf\n");
	assert_int_equal(mkfifo(in_dir(&s.f, "one.conf", path), 0644), 0);
	assert_int_equal(ask(&s, P), UNCLEAR);
	assert_int_equal(unlink(path), 0);
	/* It includes itself. */
	put(path, "!include one.conf\n", 18, 0644);
	assert_int_equal(ask(&s, P), UNCLEAR);
	assert_int_equal(unlink(s.conf), 0);
	assert_int_equal(ask(&s, P), UNCLEAR);
	end_server(&s);
	conf_word = "dovecot.conf";
	begin_server(&s, "args = " P "\n");
	assert_int_equal(chdir(s.f.dir), 0);
	assert_int_equal(ask(&s, P), UNCLEAR);
	assert_int_equal(chdir("/"), 0);
	end_server(&s);
	conf_word = NULL;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_the_configuration_names_is_named),
		cmocka_unit_test(a_comment_or_another_path_names_nothing),
		cmocka_unit_test(a_folder_is_named_by_what_lies_in_it),
		cmocka_unit_test(includes_are_read),
		cmocka_unit_test(what_cannot_be_read_leaves_it_unclear),
	};

	if (argc == 5 && strcmp(argv[2], "-c") == 0) {
		if (write(atoi(argv[4]), "", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
