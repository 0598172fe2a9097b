/* check: which file belongs to whom, and may be read by whom. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/check.h"
#include "cli/derived.h"
#include "common/admin/derive.h"

enum { AHEAD = 60 };

static void
say(struct check *c, enum severity severity, const char *code, const char *file,
    const char *message, const char *fix)
{
	check_say(c, &(struct finding){
			 severity, code, file, 0, { NULL, 0 }, message, fix });
}

static void
fix_with(struct check *c, enum severity severity, const char *code,
    const char *file, const char *message, const char *command)
{
	char fix[DERIVED_PATH_MAX + 32];

	snprintf(fix, sizeof(fix), "%s %s", command, file);
	say(c, severity, code, file, message, fix);
}

/* True: it is there and a plain file of root's that nobody else writes. */
static bool
look(struct check *c, const char *path, struct stat *st, bool *there)
{
	*there = lstat(path, st) == 0;
	if (!*there) {
		if (errno != ENOENT)
			say(c, SEVERITY_ERROR, "unreadable", path,
			    strerror(errno), "run this as root");
		return false;
	}
	if (!S_ISREG(st->st_mode)) {
		say(c, SEVERITY_ERROR, "kind", path, "not a regular file",
		    NULL);
		return false;
	}
	if (st->st_uid != 0) {
		fix_with(c, SEVERITY_ERROR, "owner", path,
		    "does not belong to root", "chown root");
		return false;
	}
	if (st->st_mode & 022)
		fix_with(c, SEVERITY_ERROR, "writable", path,
		    "others than root may write it", "chmod go-w");
	return true;
}

static void
check_secret(struct check *c, const char *path, const struct stat *st)
{
	if (st->st_mode & 07)
		fix_with(c, SEVERITY_ERROR, "world-readable", path,
		    "everybody may read the hashes in it; never 0644",
		    "chmod o=");
}

static gid_t
reader(struct check *c)
{
	struct vmail_str name = vmail_str(c->conf->reader_group);
	uint64_t number;
	gid_t gid = 0;

	if (name.n > 0 && vmail_text_number(name, UINT32_MAX - 2, &number))
		return (gid_t)number;
	if (name.n == 0)
		name = VMAIL_STR("dovecot");
	if (vmail_ids_system_group(name, &gid) != VMAIL_OK &&
	    c->conf->reader_group[0])
		say(c, SEVERITY_ERROR, "reader-group", c->conf->path,
		    "reader_group: there is no such group", NULL);
	return gid;
}

static void
check_reader(struct check *c, const char *path, const struct stat *st)
{
	gid_t want = reader(c);
	char fix[DERIVED_PATH_MAX + 64];

	if (st->st_gid != want) {
		snprintf(fix, sizeof(fix), "chgrp %u %s", want, path);
		say(c, SEVERITY_WARN, "group", path,
		    "its group is not reader_group", fix);
	} else if (want != 0 && !(st->st_mode & 040)) {
		fix_with(c, SEVERITY_WARN, "mode", path,
		    "reader_group cannot read it", "chmod g+r");
	}
}

static void
check_mtime(struct check *c, const char *path, const struct stat *st)
{
	if (st->st_mtime > time(NULL) + AHEAD)
		say(c, SEVERITY_WARN, "future", path,
		    "its time is more than a minute ahead of now",
		    "is the clock right? else wait");
}

/* The first link is the file's own, one more a backup's that a killed commit
 * left; the next change sees to that. */
static void
check_passwd(struct check *c)
{
	const char *path = c->conf->passwd_file;
	struct stat st;
	bool there;
	bool plain = look(c, path, &st, &there);

	if (!there) {
		say(c, SEVERITY_ERROR, "missing", path, "there is no such file",
		    "vmailadm init");
		return;
	}
	if (!plain)
		return;
	check_secret(c, path, &st);
	check_reader(c, path, &st);
	check_mtime(c, path, &st);
	if (st.st_nlink > 2)
		say(c, SEVERITY_ERROR, "links", path,
		    "other hard links would keep the old content", NULL);
}

static void
check_side_file(struct check *c, const char *name)
{
	char path[DERIVED_PATH_MAX];
	struct stat st;
	bool there, plain;

	derived_beside(c->conf, name, path);
	plain = look(c, path, &st, &there);
	if (!there) {
		say(c, SEVERITY_ERROR, "missing", path,
		    "must exist, empty if need be: without it Dovecot "
		    "fails, or lets everybody in",
		    "vmailadm map");
	} else if (plain) {
		check_secret(c, path, &st);
		check_reader(c, path, &st);
	}
}

static void
check_private(struct check *c, const char *path)
{
	struct stat st;
	bool there;

	if (!look(c, path, &st, &there))
		return;
	check_secret(c, path, &st);
	if ((st.st_mode & 077) && !(st.st_mode & 07))
		fix_with(c, SEVERITY_WARN, "mode", path, "should be 0600",
		    "chmod 0600");
}

/* Where it is missing its defaults count, or its absence is said elsewhere. */
static void
check_public(struct check *c, const char *path)
{
	struct stat st;
	bool there;

	if (look(c, path, &st, &there) && (st.st_mode & 0444) != 0444)
		fix_with(c, SEVERITY_WARN, "mode", path,
		    "everybody must be able to read it: NSS does",
		    "chmod 0644");
}

static void
check_folder(struct check *c)
{
	char path[DERIVED_PATH_MAX];
	struct stat st;

	derived_beside(c->conf, "", path);
	if (stat(path, &st) != 0)
		return;
	if (st.st_uid != 0)
		fix_with(c, SEVERITY_ERROR, "owner", path,
		    "does not belong to root", "chown root");
	if (st.st_mode & 022)
		fix_with(c, SEVERITY_ERROR, "writable", path,
		    "others than root may replace the files in it",
		    "chmod 0755");
	else if ((st.st_mode & 0111) != 0111)
		fix_with(c, SEVERITY_WARN, "mode", path,
		    "not everybody reaches the map in it", "chmod 0755");
}

static void
check_beside_conf(struct check *c, const char *name)
{
	char path[DERIVED_PATH_MAX];

	if (vmail_conf_beside(c->conf, name, path, sizeof(path)) == VMAIL_OK)
		check_public(c, path);
}

void
check_files(struct check *c)
{
	char path[DERIVED_PATH_MAX];
	const char *name;

	check_folder(c);
	check_passwd(c);
	for (size_t i = 0; (name = vmail_derive_name(i)) != NULL; i++)
		check_side_file(c, name);
	derived_with(c->conf, "-", path);
	check_private(c, path);
	derived_beside(c->conf, ".lock", path);
	check_private(c, path);
	derived_with(c->conf, ".cdb", path);
	check_public(c, path);
}

/* A passwd-file among the domains' folders is what Dovecot reads for the login
 * `x@.`. */
static void
check_domains_folder(struct check *c)
{
	char folder[DERIVED_PATH_MAX], path[DERIVED_PATH_MAX + 64];
	const char *name = strrchr(c->conf->passwd_file, '/');
	struct stat st;

	if (!vmail_conf_has_domains(c->conf) ||
	    vmail_conf_domains_folder(c->conf, folder, sizeof(folder)) !=
		VMAIL_OK)
		return;
	snprintf(path, sizeof(path), "%s%s", folder, name);
	if (lstat(path, &st) == 0)
		say(c, SEVERITY_ERROR, "stray-file", path,
		    "must not lie among the folders of the domains: Dovecot "
		    "reads it for the login x@.",
		    "move it away");
}

void
check_settings(struct check *c)
{
	check_public(c, c->conf->path);
	check_beside_conf(c, "views");
	check_domains_folder(c);
}
