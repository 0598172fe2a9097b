/*
 * A passwd-file in a folder of its own, for the tests of this room.
 */
#ifndef VMAIL_TESTS_ADMIN_FIXTURE_H
#define VMAIL_TESTS_ADMIN_FIXTURE_H

/* cmocka wants these before its own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/admin/store.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/text.h"

#define UNUSED __attribute__((unused))

struct fixture {
	char dir[64];
	char passwd[128];
	struct vmail_conf conf;
	struct vmail_err err;
};

static void
put(const char *path, const char *text, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	while (n != 0) {
		ssize_t got = write(fd, text, n);

		assert_true(got > 0);
		text += got;
		n -= (size_t)got;
	}
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* The whole file, with a NUL behind it; the caller frees. */
UNUSED static char *
get(const char *path, size_t *n)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	p = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(p);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	if (n != NULL)
		*n = (size_t)st.st_size;
	return p;
}

UNUSED static void
assert_file_is(const char *path, const char *text, size_t n)
{
	size_t have;
	char *p = get(path, &have);

	assert_int_equal(have, n);
	assert_memory_equal(p, text, n);
	free(p);
}

#define assert_text(path, text) assert_file_is(path, text, strlen(text))

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

UNUSED static char *
in_dir(const struct fixture *f, const char *name, char out[256])
{
	(void)snprintf(out, 256, "%s/%s", f->dir, name);
	return out;
}

UNUSED static bool
there_is(const struct fixture *f, const char *name)
{
	char path[256];
	struct stat st;

	return lstat(in_dir(f, name, path), &st) == 0;
}

UNUSED static struct stat
stat_of(const struct fixture *f, const char *name)
{
	char path[256];
	struct stat st;

	assert_int_equal(lstat(in_dir(f, name, path), &st), 0);
	return st;
}

static void
use_dir(struct fixture *f)
{
	memset(&f->err, 0, sizeof(f->err));
	vmail_conf_defaults(&f->conf);
	(void)snprintf(f->passwd, sizeof(f->passwd), "%s/passwd", f->dir);
	(void)snprintf(
	    f->conf.passwd_file, sizeof(f->conf.passwd_file), "%s", f->passwd);
	(void)snprintf(
	    f->conf.path, sizeof(f->conf.path), "%s/vmail.conf", f->dir);
}

/* A folder, and in it a passwd-file with n bytes (text NULL: none). */
UNUSED static void
begin_bytes(struct fixture *f, const char *text, size_t n)
{
	strcpy(f->dir, "/tmp/vmail-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	use_dir(f);
	if (text != NULL)
		put(f->passwd, text, n, 0640);
}

UNUSED static void
begin(struct fixture *f, const char *text)
{
	begin_bytes(f, text, text == NULL ? 0 : strlen(text));
}

UNUSED static void
end(struct fixture *f)
{
	remove_tree(f->dir);
}

/* What a forked child did: its exit status, 255 if it was killed. */
UNUSED static int
outcome(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Opens, which must work. */
UNUSED static struct vmail_store *
opened(struct fixture *f)
{
	struct vmail_store *s = NULL;
	char text[VMAIL_ERR_TEXT];
	enum vmail_rc rc = vmail_store_open(&f->conf, 5, &s, &f->err);

	if (rc != VMAIL_OK) {
		vmail_err_text(&f->err, text, sizeof(text));
		fail_msg("%s", text);
	}
	return s;
}

UNUSED static enum vmail_rc
change(struct fixture *f, const char *name, const char *line,
    struct vmail_commit *done)
{
	struct vmail_store *s = opened(f);
	struct vmail_line found;
	enum vmail_rc rc =
	    vmail_store_find(s, vmail_str(name), &found, &f->err);

	if (rc == VMAIL_OK && line != NULL)
		rc = vmail_store_replace(s, &found, vmail_str(line), &f->err);
	else if (rc == VMAIL_OK)
		rc = vmail_store_remove(s, &found, &f->err);
	if (rc == VMAIL_OK)
		rc = vmail_store_commit(s, false, done, &f->err);
	vmail_store_close(&s);
	return rc;
}

UNUSED static enum vmail_rc
append(struct fixture *f, const char *line, struct vmail_commit *done)
{
	struct vmail_store *s = opened(f);
	enum vmail_rc rc = vmail_store_add(s, vmail_str(line), &f->err);

	if (rc == VMAIL_OK)
		rc = vmail_store_commit(s, false, done, &f->err);
	vmail_store_close(&s);
	return rc;
}

/* Is any temporary file of ours left? */
UNUSED static bool
litter(const struct fixture *f)
{
	return there_is(f, "passwd.tmp") || there_is(f, "passwd-.tmp") ||
	       there_is(f, "passwd.cdb.tmp") || there_is(f, "apppw.tmp") ||
	       there_is(f, "deny.tmp");
}

#endif
