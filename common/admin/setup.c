#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/commit.h"
#include "common/admin/derive.h"
#include "common/admin/maphead.h"
#include "common/admin/perm.h"
#include "common/core/file.h"
#include "common/core/ids.h"

enum {
	CONF_TEXT = 16384,
	LINE_TEXT = 256,
	PATH_ROOM = VMAIL_CONF_PATH_MAX + 16
};

/* An init on its way. */
struct init {
	const struct vmail_conf *conf;
	bool dry_run;
	void (*made)(const char *path, void *arg);
	void *arg;
	struct vmail_err *err;
};

static void
tell(const struct init *in, const char *path)
{
	if (in->made != NULL)
		in->made(path, in->arg);
}

static enum vmail_rc
missing(const struct init *in, const char *path, bool *is)
{
	struct stat st;

	*is = lstat(path, &st) != 0;
	if (*is && errno != ENOENT)
		return vmail_fail_sys(in->err, path, "stat");
	return VMAIL_OK;
}

/* The folder of path, and the file `name` in it. */
static enum vmail_rc
in_folder(const struct init *in, const char *path, const char *name,
    char out[PATH_ROOM])
{
	struct vmail_buf b = { .p = out, .size = PATH_ROOM };
	const char *slash = strrchr(path, '/');

	if (slash != NULL)
		vmail_buf_put(&b, path, (size_t)(slash - path) + 1);
	if (name == NULL && b.len > 1)
		b.len--;
	if (name != NULL)
		vmail_buf_z(&b, name);
	if (vmail_buf_end(&b) == VMAIL_OK)
		return VMAIL_OK;
	return vmail_fail(in->err, VMAIL_TOO_SMALL, path, 0, "a path too long");
}

/* The folder of the file at path, 0755 whatever the umask is. */
static enum vmail_rc
init_folder(const struct init *in, const char *path)
{
	char folder[PATH_ROOM];
	bool is;
	enum vmail_rc rc = in_folder(in, path, NULL, folder);

	if (rc == VMAIL_OK)
		rc = missing(in, folder, &is);
	if (rc != VMAIL_OK)
		return rc;
	if (is && !in->dry_run &&
	    (mkdir(folder, 0755) != 0 || chmod(folder, 0755) != 0))
		return vmail_fail_sys(in->err, folder, "make directory");
	if (is)
		tell(in, folder);
	return is && in->dry_run ? VMAIL_OK
				 : vmail_file_trust_folder(path, in->err);
}

/* The whole file at once: what a killed one leaves is no file of that name. */
static enum vmail_rc
put_file(const struct init *in, const char *path, struct vmail_str text,
    gid_t gid, mode_t mode)
{
	char temporary[PATH_ROOM];
	struct vmail_buf b = { .p = temporary, .size = sizeof(temporary) };
	VMAIL_AUTOCLOSE int fd = -1;
	enum vmail_rc rc = VMAIL_OK;

	vmail_buf_z(&b, path);
	vmail_buf_z(&b, ".tmp");
	if (vmail_buf_end(&b) != VMAIL_OK)
		return vmail_fail(
		    in->err, VMAIL_TOO_SMALL, path, 0, "a path too long");
	(void)unlink(temporary);
	fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return vmail_fail_sys(in->err, path, "make");
	if (!vmail_edits_pwrite(fd, text.p, text.n, 0) ||
	    fchown(fd, 0, gid) != 0 || fchmod(fd, mode) != 0 ||
	    fsync(fd) != 0 || rename(temporary, path) != 0) {
		rc = vmail_fail_sys(in->err, path, "make");
		(void)unlink(temporary);
	}
	if (rc == VMAIL_OK)
		tell(in, path);
	return rc;
}

/* Every key with what it means and its default, as comments. */
static void
put_conf_text(struct vmail_buf *b)
{
	struct vmail_conf defaults;

	vmail_conf_defaults(&defaults);
	vmail_buf_z(b, "# vmail's settings: see vmail.conf(5)\n");
	for (size_t i = 0; vmail_conf_key(i) != NULL; i++) {
		vmail_buf_z(b, "\n# ");
		vmail_buf_z(b, vmail_conf_help(i));
		vmail_buf_z(b, "\n#");
		vmail_buf_z(b, vmail_conf_key(i));
		vmail_buf_z(b, " = ");
		vmail_conf_value(&defaults, i, b);
		vmail_buf_char(b, '\n');
	}
}

static enum vmail_rc
init_conf(const struct init *in)
{
	const char *path = in->conf->path;
	struct vmail_buf b = { .size = CONF_TEXT };
	bool is;
	enum vmail_rc rc = missing(in, path, &is);

	if (rc != VMAIL_OK || !is)
		return rc;
	if (in->dry_run) {
		tell(in, path);
		return VMAIL_OK;
	}
	if ((b.p = malloc(b.size)) == NULL)
		return vmail_fail_sys(in->err, path, "make");
	put_conf_text(&b);
	rc = put_file(in, path, (struct vmail_str){ b.p, b.len }, 0, 0644);
	free(b.p);
	return rc;
}

static enum vmail_rc
init_views(const struct init *in)
{
	char path[PATH_ROOM], text[LINE_TEXT];
	struct vmail_buf b = { .p = text, .size = sizeof(text) };
	struct vmail_str owner = vmail_conf_owner_user(in->conf);
	struct vmail_ids ids;
	bool is;
	enum vmail_rc rc = in_folder(in, in->conf->path, "views", path);

	if (rc == VMAIL_OK)
		rc = missing(in, path, &is);
	if (rc != VMAIL_OK || !is)
		return rc;
	if (in->dry_run) {
		tell(in, path);
		return VMAIL_OK;
	}
	vmail_buf_z(&b, "# view identity uid:gid namespace\n");
	if (vmail_perm_on_host() && vmail_account_of(owner, &ids) == VMAIL_OK) {
		vmail_buf_z(&b, "host ");
		vmail_buf_str(&b, owner);
		vmail_buf_char(&b, ' ');
		vmail_buf_num(&b, ids.uid, 1);
		vmail_buf_char(&b, ':');
		vmail_buf_num(&b, ids.gid, 1);
		vmail_buf_z(&b, " -\n");
	}
	return put_file(in, path, (struct vmail_str){ text, b.len }, 0, 0644);
}

/* An empty passwd-file is filled where no backup says that it held more. */
static enum vmail_rc
fill_empty(const struct init *in, const struct vmail_store *s)
{
	const char *path = in->conf->passwd_file;
	struct vmail_store_name backup = vmail_store_beside(s, "-");
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st, old;
	enum vmail_rc rc = vmail_file_open(path, O_RDWR, &fd, &st, in->err);

	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, path, in->err);
	if (rc != VMAIL_OK || st.st_size != 0)
		return rc;
	errno = 0;
	if (fstatat(s->folder, backup.text, &old, AT_SYMLINK_NOFOLLOW) == 0)
		return vmail_fail(
		    in->err, VMAIL_IO, path, 0, VMAIL_STORE_EMPTY);
	if (!vmail_edits_pwrite(
		fd, VMAIL_EMPTY_FILE, sizeof(VMAIL_EMPTY_FILE) - 1, 0) ||
	    fsync(fd) != 0)
		return vmail_fail_sys(in->err, path, "fill");
	tell(in, path);
	return VMAIL_OK;
}

/* The file itself last of all: who finds it finds everything beside it. */
static enum vmail_rc
make_passwd(const struct init *in, struct vmail_store *s)
{
	const char *path = in->conf->passwd_file;
	struct vmail_store_name name = vmail_store_beside(s, ".tmp");
	struct vmail_str text = VMAIL_STR(VMAIL_EMPTY_FILE);
	gid_t gid;
	enum vmail_rc rc = vmail_perm_reader(in->conf, &gid, in->err);

	if (rc != VMAIL_OK)
		return rc;
	vmail_store_sweep(s);
	s->fd = openat(s->folder, name.text,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->fd < 0 || !vmail_edits_pwrite(s->fd, text.p, text.n, 0) ||
	    fchown(s->fd, 0, gid) != 0 || fchmod(s->fd, 0640) != 0 ||
	    fsync(s->fd) != 0)
		return vmail_fail_sys(in->err, path, "make");
	rc = vmail_derive_missing(path, s->fd, in->made, in->arg, in->err);
	if (rc == VMAIL_OK)
		rc = vmail_store_put_map(s, in->err);
	if (rc == VMAIL_OK &&
	    renameat(s->folder, name.text, s->folder, s->base) != 0)
		rc = vmail_fail_sys(in->err, path, "make");
	return rc;
}

static enum vmail_rc
init_passwd(const struct init *in, struct vmail_store *s)
{
	const char *path = in->conf->passwd_file;
	char map[PATH_ROOM];
	enum vmail_rc rc = make_passwd(in, s);

	if (rc != VMAIL_OK) {
		vmail_store_sweep(s);
		return rc;
	}
	if (vmail_map_path(path, map, sizeof(map)) == VMAIL_OK)
		tell(in, map);
	tell(in, path);
	return VMAIL_OK;
}

/* P.cdb of a passwd-file that was there. */
static enum vmail_rc
init_map(const struct init *in, struct vmail_store *s)
{
	char path[PATH_ROOM];
	bool is = false;
	enum vmail_rc rc =
	    vmail_map_path(in->conf->passwd_file, path, sizeof(path));

	if (rc == VMAIL_OK)
		rc = missing(in, path, &is);
	if (rc == VMAIL_OK && is)
		rc = vmail_store_put_map(s, in->err);
	if (rc == VMAIL_OK && is)
		tell(in, path);
	return rc;
}

/* What NSS reads first where the passwd-file lies elsewhere than vmail.conf,
 * or is one of many. */
static enum vmail_rc
init_header(const struct init *in)
{
	char path[PATH_ROOM];
	bool is = false, apart;
	enum vmail_rc rc =
	    vmail_maphead_first(in->conf, path, sizeof(path), &apart);

	if (rc != VMAIL_OK)
		return vmail_fail(
		    in->err, rc, in->conf->path, 0, "a path too long");
	if (!apart || in->conf->entered)
		return VMAIL_OK;
	rc = missing(in, path, &is);
	if (rc == VMAIL_OK && is && !in->dry_run)
		rc = vmail_store_header(in->conf, in->err);
	if (rc == VMAIL_OK && is)
		tell(in, path);
	return rc;
}

/* What lies beside a passwd-file that is there, and may be one of 0 bytes. */
static enum vmail_rc
complete(const struct init *in, struct vmail_store *s, unsigned wait)
{
	enum vmail_rc rc = fill_empty(in, s);

	if (rc == VMAIL_OK)
		rc = vmail_store_take(s, wait, in->err);
	if (rc == VMAIL_OK)
		rc = vmail_derive_missing(
		    in->conf->passwd_file, s->fd, in->made, in->arg, in->err);
	return rc == VMAIL_OK ? init_map(in, s) : rc;
}

/* What lies in the passwd-file's folder, under the lock. */
static enum vmail_rc
init_files(const struct init *in, unsigned wait)
{
	VMAIL_STORE *s = NULL;
	const char *path = in->conf->passwd_file;
	char lock[PATH_ROOM];
	bool unlocked = false, is = false;
	enum vmail_rc rc = in_folder(in, path, ".lock", lock);

	if (rc == VMAIL_OK)
		rc = missing(in, lock, &unlocked);
	if (rc == VMAIL_OK)
		rc = vmail_store_lock(in->conf, wait, &s, in->err);
	if (rc == VMAIL_OK && unlocked)
		tell(in, lock);
	if (rc == VMAIL_OK)
		rc = missing(in, path, &is);
	if (rc == VMAIL_OK)
		rc = is ? init_passwd(in, s) : complete(in, s, wait);
	if (rc == VMAIL_OK && fsync(s->folder) != 0)
		rc = vmail_fail_sys(in->err, path, "fsync the folder");
	return rc;
}

/* Only says what is not there. */
static enum vmail_rc
list_missing(const struct init *in)
{
	static const char *const names[] = { ".lock", "apppw", "deny" };
	char path[PATH_ROOM], own[PATH_ROOM];
	const char *passwd = in->conf->passwd_file;
	bool is;
	enum vmail_rc rc = VMAIL_OK;

	for (size_t i = 0; rc == VMAIL_OK && i < 3; i++) {
		rc = in_folder(in, passwd, names[i], path);
		if (rc == VMAIL_OK)
			rc = missing(in, path, &is);
		if (rc == VMAIL_OK && is)
			tell(in, path);
	}
	if (rc == VMAIL_OK)
		rc = vmail_map_path(passwd, own, sizeof(own));
	if (rc == VMAIL_OK)
		rc = missing(in, own, &is);
	if (rc == VMAIL_OK && is)
		tell(in, own);
	if (rc == VMAIL_OK)
		rc = missing(in, passwd, &is);
	if (rc == VMAIL_OK && is)
		tell(in, passwd);
	return rc;
}

/* The folder of the passwd-file; of all domains' folders, where there is one
 * for each. */
static enum vmail_rc
init_home_folder(const struct init *in)
{
	char folder[PATH_ROOM], inside[PATH_ROOM], settings[PATH_ROOM];
	struct vmail_buf b = { .p = inside, .size = sizeof(inside) };
	enum vmail_rc rc = in_folder(in, in->conf->path, NULL, settings);

	if (rc == VMAIL_OK && !vmail_conf_has_domains(in->conf)) {
		rc = in_folder(in, in->conf->passwd_file, NULL, folder);
		if (rc != VMAIL_OK || strcmp(folder, settings) == 0)
			return rc;
		return init_folder(in, in->conf->passwd_file);
	}
	if (rc != VMAIL_OK)
		return rc;
	rc = vmail_conf_domains_folder(in->conf, folder, sizeof(folder));
	if (rc != VMAIL_OK)
		return vmail_fail(
		    in->err, rc, in->conf->passwd_file, 0, "path");
	vmail_buf_z(&b, folder);
	vmail_buf_z(&b, "/passwd");
	(void)vmail_buf_end(&b);
	return init_folder(in, inside);
}

/* What is there once, beside vmail.conf. */
static enum vmail_rc
init_settings(const struct init *in)
{
	enum vmail_rc rc = init_folder(in, in->conf->path);

	if (rc == VMAIL_OK)
		rc = init_home_folder(in);
	if (rc == VMAIL_OK)
		rc = init_conf(in);
	return rc == VMAIL_OK ? init_views(in) : rc;
}

enum vmail_rc
vmail_store_init(const struct vmail_conf *conf, unsigned wait, bool dry_run,
    void (*made)(const char *path, void *arg), void *arg, struct vmail_err *err)
{
	const struct init in = { conf, dry_run, made, arg, err };
	enum vmail_rc rc = init_settings(&in);

	if (rc == VMAIL_OK && !vmail_conf_has_domains(conf))
		rc = dry_run ? list_missing(&in) : init_files(&in, wait);
	return rc == VMAIL_OK ? init_header(&in) : rc;
}
