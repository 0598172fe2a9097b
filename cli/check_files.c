/* check: which file belongs to whom, and may be read by whom. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/check.h"
#include "cli/derived.h"
#include "common/admin/derive.h"
#include "common/admin/perm.h"

enum { AHEAD = 60 };

static void
say(struct check *c, enum severity severity, const char *code, const char *file,
    const char *message, const char *fix)
{
	check_say(c, &(struct finding){
			 severity, code, file, 0, { NULL, 0 }, message, fix });
}

/* What --fix may do about a file. */
enum care {
	CARE_NONE,    /* nothing: it is the administrator's */
	CARE_SECRET,  /* take rights away; reader_group goes on reading it */
	CARE_PRIVATE, /* take rights away */
	CARE_REBUILD, /* make it anew */
};

struct subject {
	struct check *check;
	const char *path;
	enum care care;
	gid_t reader; /* of CARE_SECRET */
	struct stat st;
};

/* Mended by that command, or, but for CARE_NONE, by --fix. True: the judgment
 * goes on, of what the file is now. */
static bool
say_rights(struct subject *s, enum severity severity, const char *code,
    const char *message, const char *command, mode_t take)
{
	char fix[DERIVED_PATH_MAX + 32];
	struct finding f = { severity, code, s->path, 0, { NULL, 0 }, message,
		fix };

	snprintf(fix, sizeof(fix), "%s %s", command, s->path);
	switch (s->care) {
	case CARE_NONE:
		check_say(s->check, &f);
		return false;
	case CARE_REBUILD:
		check_say_derived(s->check, &f);
		return false;
	case CARE_SECRET:
	case CARE_PRIVATE:
		return check_say_rights(s->check, &f, &s->st, take,
		    s->care == CARE_SECRET ? s->reader : (gid_t)-1);
	}
	return false;
}

/* To be mended by that command alone: --fix gives nobody a right. */
static void
fix_with(struct check *c, enum severity severity, const char *code,
    const char *file, const char *message, const char *command)
{
	char fix[DERIVED_PATH_MAX + 32];

	snprintf(fix, sizeof(fix), "%s %s", command, file);
	say(c, severity, code, file, message, fix);
}

static void
say_kind(struct subject *s)
{
	const struct finding f = { SEVERITY_ERROR, "kind", s->path, 0,
		{ NULL, 0 }, "not a regular file", NULL };

	if (s->care == CARE_REBUILD && !S_ISDIR(s->st.st_mode))
		check_say_derived(s->check, &f);
	else
		check_say(s->check, &f);
}

/* True: it is there and a plain file of root's that nobody else writes. */
static bool
look(struct subject *s, bool *there)
{
	*there = lstat(s->path, &s->st) == 0;
	if (!*there) {
		if (errno != ENOENT)
			say(s->check, SEVERITY_ERROR, "unreadable", s->path,
			    strerror(errno), "run this as root");
		return false;
	}
	if (!S_ISREG(s->st.st_mode)) {
		say_kind(s);
		return false;
	}
	if (s->st.st_uid != 0 &&
	    !say_rights(s, SEVERITY_ERROR, "owner", "does not belong to root",
		"chown root", 0))
		return false;
	if (s->st.st_mode & 022)
		(void)say_rights(s, SEVERITY_ERROR, "writable",
		    "others than root may write it", "chmod go-w", 022);
	return true;
}

/* At once all that it should not be, so that one mend is enough. */
static void
check_secret(struct subject *s)
{
	if (s->st.st_mode & 07)
		(void)say_rights(s, SEVERITY_ERROR, "world-readable",
		    "everybody may read the hashes in it; never 0644",
		    "chmod o=", s->care == CARE_PRIVATE ? 077 : 07);
}

/* False: there is no such group. */
static bool
find_reader(const struct check *c, gid_t *gid)
{
	*gid = 0;
	return vmail_perm_reader(c->conf, gid, NULL) == VMAIL_OK;
}

static void
check_reader(struct subject *s)
{
	char fix[DERIVED_PATH_MAX + 64];

	if (s->st.st_gid != s->reader) {
		snprintf(fix, sizeof(fix), "chgrp %u %s", s->reader, s->path);
		say(s->check, SEVERITY_WARN, "group", s->path,
		    "its group is not reader_group", fix);
	} else if (s->reader != 0 && !(s->st.st_mode & 040)) {
		fix_with(s->check, SEVERITY_WARN, "mode", s->path,
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
	struct subject s = { c, c->conf->passwd_file, CARE_SECRET,
		.st = { 0 } };
	bool there, plain;

	(void)find_reader(c, &s.reader);
	plain = look(&s, &there);
	if (!there) {
		say(c, SEVERITY_ERROR, "missing", s.path,
		    "there is no such file", "vmailadm init");
		return;
	}
	if (!plain)
		return;
	check_secret(&s);
	check_reader(&s);
	check_mtime(c, s.path, &s.st);
	if (s.st.st_nlink > 2)
		say(c, SEVERITY_ERROR, "links", s.path,
		    "other hard links would keep the old content", NULL);
}

static void
check_side_file(struct check *c, const char *name)
{
	char path[DERIVED_PATH_MAX];
	struct subject s = { c, path, CARE_SECRET, .st = { 0 } };
	bool there, plain;

	(void)find_reader(c, &s.reader);
	derived_beside(c->conf, name, path);
	plain = look(&s, &there);
	if (!there) {
		check_say_derived(
		    c, &(struct finding){ SEVERITY_ERROR, "missing", path, 0,
			   { NULL, 0 },
			   "must exist, empty if need be: without it Dovecot "
			   "fails, or lets everybody in",
			   "vmailadm map" });
	} else if (plain) {
		check_secret(&s);
		check_reader(&s);
	}
}

static void
check_private(struct check *c, const char *path)
{
	struct subject s = { c, path, CARE_PRIVATE, .st = { 0 } };
	bool there;

	if (!look(&s, &there))
		return;
	check_secret(&s);
	if ((s.st.st_mode & 077) && !(s.st.st_mode & 07))
		(void)say_rights(&s, SEVERITY_WARN, "mode", "should be 0600",
		    "chmod 0600", 077);
}

/* Where it is missing its defaults count, or its absence is said elsewhere. */
static void
check_public(struct check *c, const char *path, enum care care)
{
	struct subject s = { c, path, care, .st = { 0 } };
	bool there;

	if (look(&s, &there) && (s.st.st_mode & 0444) != 0444)
		(void)say_rights(&s, SEVERITY_WARN, "mode",
		    "everybody must be able to read it: NSS does", "chmod 0644",
		    0);
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
		check_public(c, path, CARE_NONE);
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
	check_public(c, path, CARE_REBUILD);
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
	gid_t gid;

	check_public(c, c->conf->path, CARE_NONE);
	check_beside_conf(c, "views");
	if (!find_reader(c, &gid))
		say(c, SEVERITY_ERROR, "reader-group", c->conf->path,
		    "reader_group: there is no such group", NULL);
	check_domains_folder(c);
}
