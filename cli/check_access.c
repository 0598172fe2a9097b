/*
 * check: can every Dovecot that reads these files read them? Each file is
 * tried as each of its auth processes.
 */
#include "cli/check.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/derived.h"
#include "common/admin/access.h"
#include "common/admin/derive.h"
#include "common/admin/dovecotconf.h"
#include "common/admin/lacking.h"
#include "common/admin/mounts.h"
#include "common/core/file.h"

enum { TEXT_ROOM = 2048, GROUPS_SHOWN = 8 };

/* One file, tried as one process. */
struct trial {
	struct check *check;
	const struct vmail_authproc *proc;
	const char *path;
	const struct stat *file;
	bool seen; /* in its mounts */
};

static void
put_text(struct vmail_buf *b, const char *before, uint64_t number)
{
	vmail_buf_z(b, before);
	vmail_buf_num(b, number, 1);
}

static void
put_process(struct vmail_buf *b, const struct vmail_authproc *p)
{
	const struct vmail_who *who = &p->self.who;

	put_text(b, "Dovecot's auth process ", (uint64_t)p->self.pid);
	if (p->other_pids) {
		vmail_buf_z(b, " in container ");
		vmail_buf_z(
		    b, p->container[0] ? p->container : "of unknown name");
	}
	put_text(b, " (uid ", who->uid);
	put_text(b, ", gid ", who->gid);
	for (size_t i = 0; i < who->ngroups && i < GROUPS_SHOWN; i++)
		put_text(b, i == 0 ? ", groups " : " ", who->groups[i]);
	if (who->ngroups > GROUPS_SHOWN)
		vmail_buf_z(b, " ...");
	vmail_buf_z(b, p->other_users ? "; in a user namespace)" : ")");
}

static bool
has_group(const struct vmail_who *who, gid_t gid)
{
	bool has = who->gid == gid;

	for (size_t i = 0; i < who->ngroups; i++)
		has = has || who->groups[i] == gid;
	return has;
}

/* Does this system give the number to somebody? Asked of the file alone. */
static bool
is_account(uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *account = NULL;
	bool found = false;

	while (file != NULL && !found && (account = fgetpwent(file)) != NULL)
		found = account->pw_uid == uid;
	if (file != NULL)
		(void)fclose(file);
	return found;
}

/* How a process gets a group. A Dovecot that starts as root gives its auth
 * process the groups of that process's account and no others, whatever the
 * container was started with. */
static void
put_group(struct vmail_buf *b, const struct trial *t, gid_t group)
{
	if (t->proc->master.who.uid == t->proc->self.who.uid) {
		put_text(b, "start the container with --group-add ", group);
		put_text(b, " (compose: group_add: [", group);
		vmail_buf_z(b, "])");
	} else {
		vmail_buf_z(b, "in its Dovecot: service auth { extra_groups = "
			       "G }, G being a group there of number ");
		vmail_buf_num(b, group, 1);
	}
}

/* An entry for that number alone, which is nobody else's on this system.
 * Commits keep it. */
static bool
put_acl(struct vmail_buf *b, const struct trial *t, const char *before)
{
	uid_t uid = t->proc->self.who.uid;

	if (is_account(uid))
		return false;
	vmail_buf_z(b, before);
	put_text(b, "setfacl -m u:", uid);
	vmail_buf_z(b, ":r ");
	vmail_buf_z(b, t->path);
	return true;
}

/* The best remedy that fits (ids.md). What modes alone refuse is mended by
 * fixperms. A user namespace gets an entry of its own; a container without
 * one the group first, since its numbers are other people's here. */
static void
put_fix(struct vmail_buf *b, const struct trial *t)
{
	const struct vmail_who *who = &t->proc->self.who;
	gid_t group = t->file->st_gid;

	if (has_group(who, group)) {
		vmail_buf_z(b, "vmailadm fixperms");
		return;
	}
	if (!t->proc->other_pids && !t->proc->other_users) {
		put_text(b, "reader_group = ", who->gid);
		vmail_buf_z(b, " in vmail.conf, then: vmailadm fixperms");
		return;
	}
	if (t->proc->other_users && put_acl(b, t, ""))
		return;
	if (group != 0)
		put_group(b, t, group);
	else
		vmail_buf_z(b, "set reader_group in vmail.conf to a group of "
			       "its own, run vmailadm fixperms, then this "
			       "again");
	if (!t->proc->other_users)
		(void)put_acl(b, t, "; or: ");
}

static void
say(struct trial *t, enum severity severity, const char *code,
    const char *message, const char *fix)
{
	check_say(t->check, &(struct finding){ severity, code, t->path, 0,
				{ NULL, 0 }, message, fix });
}

static void
say_refused(struct trial *t, const char *seen, const char *code,
    enum severity severity, const char *why)
{
	char message[TEXT_ROOM], fix[TEXT_ROOM];
	struct vmail_buf m = { message, sizeof(message), 0, false };
	struct vmail_buf f = { fix, sizeof(fix), 0, false };

	put_process(&m, t->proc);
	vmail_buf_z(&m, " cannot read it");
	if (strcmp(seen, t->path) != 0) {
		vmail_buf_z(&m, " as ");
		vmail_buf_shown(&m, vmail_str(seen));
	}
	vmail_buf_z(&m, ": ");
	vmail_buf_z(&m, why);
	if (severity == SEVERITY_WARN)
		vmail_buf_z(&m, " (whether it must is unclear: a part of its "
				"configuration could not be read)");
	(void)vmail_buf_end(&m);
	put_fix(&f, t);
	(void)vmail_buf_end(&f);
	say(t, severity, code, message, fix);
}

/* What is not known of one file is not known of the others: said once. */
static bool
is_passwd(const struct trial *t)
{
	return strcmp(t->path, t->check->conf->passwd_file) == 0;
}

static void
say_untested(struct trial *t, const struct vmail_err *err)
{
	char message[TEXT_ROOM];
	struct vmail_buf m = { message, sizeof(message), 0, false };

	if (!is_passwd(t))
		return;
	vmail_buf_z(&m, "whether ");
	put_process(&m, t->proc);
	vmail_buf_z(&m, " can read it could not be tested: ");
	vmail_buf_z(&m, err->what);
	if (err->sys_errno != 0) {
		vmail_buf_z(&m, ": ");
		vmail_buf_z(&m, strerror(err->sys_errno));
	}
	(void)vmail_buf_end(&m);
	say(t, SEVERITY_WARN, "access-untested", message,
	    "run this as root on the host");
}

/* How the configuration names a domain's file: by the folder of the domains,
 * and a variable in it. */
static void
needle_of(const struct trial *t, const char *seen, char *out, size_t size)
{
	struct vmail_str domain = t->check->domain;
	const char *tail = t->path + strlen(t->path), *cut;
	struct vmail_buf b = { out, size, 0, false };

	vmail_buf_z(&b, seen);
	(void)vmail_buf_end(&b);
	if (domain.n == 0)
		return;
	while (tail > t->path &&
	       !(tail[-1] == '/' && strncmp(tail, domain.p, domain.n) == 0 &&
		   tail[domain.n] == '/'))
		tail--;
	cut = seen + strlen(seen) - strlen(tail);
	if (tail > t->path && cut > seen && strcmp(cut, tail) == 0)
		out[cut - seen] = '\0';
}

/* Only who reads the file must be able to. */
static enum vmail_dovecotconf
reads(struct trial *t, const char *seen)
{
	enum vmail_dovecotconf answer;
	char needle[DERIVED_PATH_MAX];

	needle_of(t, seen, needle, sizeof(needle));
	if (vmail_dovecotconf_ask(&t->proc->master, needle, &answer, NULL) !=
	    VMAIL_OK)
		return VMAIL_DOVECOTCONF_UNCLEAR;
	return answer;
}

static void
judge(struct trial *t, const char *seen, const char *code, const char *why)
{
	switch (reads(t, seen)) {
	case VMAIL_DOVECOTCONF_SILENT:
		return;
	case VMAIL_DOVECOTCONF_NAMES:
		say_refused(t, seen, code, SEVERITY_ERROR, why);
		return;
	case VMAIL_DOVECOTCONF_UNCLEAR:
		if (is_passwd(t))
			say_refused(t, seen, code, SEVERITY_WARN, why);
		return;
	}
}

/* Which folder or file lacks what for whom; where modes and ACLs do not tell,
 * what the kernel said. */
static const char *
lacking(const struct trial *t, const char *seen, char *room, size_t size)
{
	const struct vmail_who *who = &t->proc->self.who;
	struct vmail_lacking_who as = { who->uid, who->gid, who->groups,
		who->ngroups };
	VMAIL_AUTOCLOSE int root =
	    openat(t->proc->self.dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || vmail_lacking_explain(
			    root, seen, &as, R_OK, room, size) != VMAIL_DENIED)
		return "permission denied";
	return room;
}

static void
refused(struct trial *t, const char *seen)
{
	char room[TEXT_ROOM];

	judge(t, seen, "access-refused", lacking(t, seen, room, sizeof(room)));
}

static bool
try(const char *seen, void *arg)
{
	struct trial *t = arg;
	struct vmail_access_answer answer;
	struct vmail_err err;
	enum vmail_rc rc = vmail_access_test(t->proc->self.dir,
	    &t->proc->self.who, seen, t->file, &answer, &err);

	t->seen = true;
	if (rc == VMAIL_NOT_FOUND) /* it has ended meanwhile */
		return false;
	if (rc == VMAIL_BUSY)
		judge(t, seen, "access-hangs",
		    "its file system there does not answer");
	else if (rc != VMAIL_OK)
		say_untested(t, &err);
	else if (answer.verdict == VMAIL_ACCESS_REFUSED)
		refused(t, seen);
	else if (answer.verdict == VMAIL_ACCESS_FAILED)
		judge(t, seen, "access-failed", strerror(answer.sys_errno));
	return t->check->good;
}

static void
check_file(struct check *c, const char *path)
{
	VMAIL_AUTOCLOSE int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat file;

	if (fd < 0 || fstat(fd, &file) != 0) /* said elsewhere */
		return;
	for (size_t i = 0; i < c->procs->n && c->good; i++) {
		struct trial t = { c, &c->procs->list[i], path, &file, false };

		(void)vmail_mounts_paths(
		    fd, path, t.proc->self.dir, try, &t, NULL);
		/* A root that is no mount point shows no mount of itself. */
		if (!t.seen && !t.proc->other_mounts)
			(void)try(path, &t);
	}
}

void
check_access(struct check *c)
{
	char path[DERIVED_PATH_MAX];
	const char *name;

	if (c->procs->n == 0)
		return;
	check_file(c, c->conf->passwd_file);
	for (size_t i = 0; (name = vmail_derive_name(i)) != NULL; i++) {
		derived_beside(c->conf, name, path);
		check_file(c, path);
	}
}
