/* with-lock -- CMD...: another program changes the file, as a writer of ours
 * would. */
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/change.h"
#include "cli/child.h"
#include "cli/cmd/all.h"
#include "cli/domains.h"
#include "cli/say.h"
#include "common/core/file.h"

struct options {
	const char *domain;
};

static const struct opt opts[] = {
	{ 0, "domain", "DOMAIN", "the one whose passwd-file is meant",
	    offsetof(struct options, domain) },
	OPT_END,
};

struct work {
	struct run *run;
	struct vmail_str domain; /* whose file it is; empty: everybody's */
	struct stat before, after;
};

/* What stands in the file now, as far as readers pass over it in silence. */
struct faults {
	struct vmail_str domain;
	unsigned long lines, first;
	const char *kind, *why;
};

static void
note(struct faults *f, const struct vmail_walk_line *line, const char *kind,
    const char *why)
{
	if (f->lines++ > 0)
		return;
	f->first = line->number;
	f->kind = kind;
	f->why = why;
}

static bool
look(const struct vmail_walk_line *line, void *arg)
{
	struct faults *f = arg;
	const char *why = "longer than 20480 bytes";
	struct vmail_entry e;
	enum vmail_rc rc = VMAIL_MALFORMED;

	if (line->whole == line->text.n)
		rc = vmail_entry_parse(line->text, &e, &why);
	if (rc == VMAIL_MALFORMED)
		note(f, line, "malformed", why);
	else if (rc == VMAIL_OK && !domains_holds(f->domain, e.name))
		note(f, line, "name", "of another domain than this file");
	return true;
}

static int
warn_of_lines(const struct work *w)
{
	const char *path = w->run->conf.passwd_file;
	struct faults f = { .domain = w->domain };
	struct vmail_err err;

	if (vmail_store_walk(&w->run->conf, look, &f, &err) != VMAIL_OK)
		return say_error(&err);
	if (f.lines == 0)
		return STATUS_OK;
	say_warn("%s:%lu: %s: %s%s", path, f.first, f.kind, f.why,
	    f.lines > 1 ? "; and more such lines" : "");
	say_mend("vmailadm check names them all");
	return STATUS_OK;
}

/* Dovecot's auth process reads the file as a user of its own. */
static void
warn_of_access(const struct work *w)
{
	const struct stat *a = &w->before, *b = &w->after;
	const char *path = w->run->conf.passwd_file;

	if (a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	    a->st_mode == b->st_mode)
		return;
	say_warn("%s: owner, group or mode is no longer what it was", path);
	say_mend("chown %u:%u %s; chmod %04o %s", a->st_uid, a->st_gid, path,
	    a->st_mode & 07777, path);
}

/* Dovecot sees a change by the size or by whole seconds that differ, and one
 * back in time is as bad: the time goes on. */
static int
set_time(const struct work *w)
{
	const char *path = w->run->conf.passwd_file;
	struct vmail_stamp then = vmail_file_stamp(&w->before);
	struct vmail_stamp now = vmail_file_stamp(&w->after);
	struct timespec next[2] = { { 0, UTIME_OMIT }, w->before.st_mtim };
	VMAIL_AUTOCLOSE int fd = -1;
	struct vmail_err err;
	struct stat st;

	if (vmail_file_same(&then, &now) || now.sec > then.sec)
		return STATUS_OK;
	next[1].tv_sec++;
	if (vmail_file_open(path, O_RDONLY, &fd, &st, &err) != VMAIL_OK)
		return say_error(&err);
	if (futimens(fd, next) == 0)
		return STATUS_OK;
	vmail_fail_sys(&err, path, "set the time");
	return say_error(&err);
}

/* Under a lock taken anew: the command may have put another file there. */
static int
rebuild(struct work *w)
{
	const char *path = w->run->conf.passwd_file;
	VMAIL_STORE *store = NULL;
	struct vmail_err err;
	int status = change_open(w->run, &store);

	if (status != STATUS_OK) {
		say_mend("%s- is what it was before the last change by "
			 "vmailadm",
		    path);
		return status;
	}
	if (stat(path, &w->after) != 0) {
		vmail_fail_sys(&err, path, "stat");
		return say_error(&err);
	}
	warn_of_access(w);
	status = set_time(w);
	if (status == STATUS_OK)
		status = warn_of_lines(w);
	if (status == STATUS_OK && vmail_store_rebuild(store, &err) != VMAIL_OK)
		status = say_error(&err);
	return status;
}

/* The lock is let go of for a moment in between; the map is stale then, and
 * whoever writes knows it. */
static int
run_locked(struct work *w, int *status)
{
	const char *path = w->run->conf.passwd_file;
	VMAIL_STORE *store = NULL;
	struct vmail_err err;

	*status = change_open(w->run, &store);
	if (*status != STATUS_OK)
		return *status;
	if (stat(path, &w->before) != 0) {
		vmail_fail_sys(&err, path, "stat");
		*status = say_error(&err);
		return *status;
	}
	/* What options left behind the operands is none of them. */
	w->run->operand[w->run->operands] = NULL;
	*status = child_run(w->run->operand);
	return STATUS_OK;
}

/* One at a time: a thousand locks held at once would stop everybody, and yet
 * not the domain that is made meanwhile. */
static int
choose_file(struct run *run, char domain[VMAIL_NAME_MAX + 1])
{
	const struct options *o = run->options;

	if (o->domain)
		return domains_enter(run, o->domain, domain);
	if (!vmail_conf_has_domains(&run->conf))
		return STATUS_OK;
	say_fail(0, "with-lock: each domain has a passwd-file and a lock of "
		    "its own");
	say_mend("vmailadm with-lock --domain=DOMAIN -- CMD, once for each");
	return STATUS_USAGE;
}

static int
with_lock(struct run *run)
{
	struct work w = { .run = run };
	char domain[VMAIL_NAME_MAX + 1] = "";
	int status = choose_file(run, domain), mine;

	if (status != STATUS_OK)
		return status;
	w.domain = vmail_str(domain);
	if (run->dry_run) {
		say_line("would run %s with %s locked, and rebuild the "
			 "derived files",
		    run->operand[0], run->conf.passwd_file);
		return STATUS_OK;
	}
	if (run_locked(&w, &status) != STATUS_OK)
		return status;
	change_hold_signals();
	mine = rebuild(&w);
	change_let_signals();
	run->committed = true;
	return status != STATUS_OK ? status : mine;
}

const struct cmd cmd_with_lock = {
	.name = "with-lock",
	.operands = "-- CMD...",
	.summary = "run a command with the writers' lock held",
	.least = 1,
	.most = CMD_ANY,
	.flags = CMD_CHANGES,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = with_lock,
};
