#include "tests/unit/admin/fixture.h"

#include "common/admin/derive.h"

struct told {
	int n;
	char last[256];
};

static void
note(const char *path, void *arg)
{
	struct told *t = arg;

	t->n++;
	strcpy(t->last, path);
}

static enum vmail_rc
make(struct fixture *f, struct told *t)
{
	int fd = open(f->passwd, O_RDONLY | O_CLOEXEC);
	enum vmail_rc rc =
	    vmail_derive_missing(f->passwd, fd, note, t, &f->err);

	close(fd);
	return rc;
}

static void
both_are_made_empty_and_as_readable_as_the_passwd_file(void **state)
{
	struct fixture f;
	struct told t = { .n = 0 };

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(chown(f.passwd, 0, 777), 0);
	assert_int_equal(make(&f, &t), VMAIL_OK);
	assert_int_equal(t.n, 2);
	for (size_t i = 0; vmail_derive_name(i) != NULL; i++) {
		struct stat st = stat_of(&f, vmail_derive_name(i));

		assert_int_equal(st.st_size, 0);
		assert_int_equal(st.st_mode, S_IFREG | 0640);
		assert_int_equal(st.st_gid, 777);
	}
	assert_false(litter(&f));
	end(&f);
}

static void
what_is_there_is_left_alone(void **state)
{
	struct fixture f;
	struct told t = { .n = 0 };
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	put(in_dir(&f, "apppw", path), "content\n", 8, 0600);
	assert_int_equal(make(&f, &t), VMAIL_OK);
	assert_int_equal(t.n, 1);
	assert_non_null(strstr(t.last, "/deny"));
	assert_text(path, "content\n");
	assert_int_equal(stat_of(&f, "apppw").st_mode & 07777, 0600);
	end(&f);
}

static void
a_link_in_the_way_is_not_followed(void **state)
{
	struct fixture f;
	struct told t = { .n = 0 };
	char path[256], target[256];

	(void)state;
	begin(&f, "ann:x\n");
	in_dir(&f, "target", target);
	assert_int_equal(symlink(target, in_dir(&f, "apppw", path)), 0);
	assert_int_equal(symlink(target, in_dir(&f, "deny.tmp", path)), 0);
	assert_int_equal(make(&f, &t), VMAIL_IO);
	assert_int_equal(t.n, 0);
	assert_false(there_is(&f, "target"));
	assert_false(there_is(&f, "deny"));
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    both_are_made_empty_and_as_readable_as_the_passwd_file),
		cmocka_unit_test(what_is_there_is_left_alone),
		cmocka_unit_test(a_link_in_the_way_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
