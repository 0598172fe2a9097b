/* usermod USER...: fields of the line; -l the name alone. */
#include <string.h>
#include <strings.h>

#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/line.h"
#include "cli/newname.h"
#include "cli/say.h"
#include "cli/twins.h"
#include "cli/userfields.h"
#include "cli/world.h"

struct options {
	struct userfields fields;
	const char *login;
};

static const struct opt opts[] = {
	USERFIELDS_OPTIONS(struct options),
	{ 'l', "login", "NEW", "rename the record; the mail stays",
	    offsetof(struct options, login) },
	OPT_END,
};

struct work {
	struct run *run;
	const struct options *o;
	struct world world;
	char new_name[VMAIL_NAME_MAX + 1]; /* of -l */
};

/* A line on its way through several edits. */
struct draft {
	char text[2][VMAIL_LINE_MAX];
	struct vmail_str line;
	unsigned turn;
	bool full;
};

static void
edit(struct draft *d, enum line_field field, const char *value)
{
	struct vmail_buf b = { d->text[d->turn % 2], VMAIL_LINE_MAX, 0, false };

	if (!value)
		return;
	line_set(d->line, field, vmail_str(value), &b);
	d->line = (struct vmail_str){ b.p, b.len };
	d->full = d->full || b.full;
	d->turn++;
}

/* A DIGEST-MD5 hash contains the name: the password would no longer fit. */
static int
judge_hash(const struct vmail_line *line)
{
	static const char digest[] = "{DIGEST-MD5";
	struct vmail_str password = line->entry.password;
	struct vmail_str name = line->entry.name;

	if (password.n < sizeof(digest) - 1 ||
	    strncasecmp(password.p, digest, sizeof(digest) - 1) != 0)
		return STATUS_OK;
	say_fail(0, "%.*s: its DIGEST-MD5 hash contains the name", (int)name.n,
	    name.p);
	say_mend("first give it a password of another scheme: "
		 "vmailadm passwd %.*s",
	    (int)name.n, name.p);
	return STATUS_FAILED;
}

static bool
stop(const struct vmail_line *line, void *arg)
{
	*(uint64_t *)arg = line->offset + 1;
	return false;
}

static int
judge_twins(const struct work *w, struct vmail_str name)
{
	struct vmail_err err;
	uint64_t twin = 0;

	if (twins_each(&w->run->conf, name, stop, &twin, &err) != VMAIL_OK)
		return say_error(&err);
	if (twin == 0)
		return STATUS_OK;
	say_fail(0, "%.*s: a second record of that name would take its place",
	    (int)name.n, name.p);
	say_mend("take the second one out; vmailadm check names its line");
	return STATUS_FAILED;
}

static int
judge_rename(const struct work *w, const struct vmail_line *line)
{
	int status = judge_hash(line);

	return status == STATUS_OK ? judge_twins(w, line->entry.name) : status;
}

/* An empty home is made of the name: without this the renamed user's mail
 * would be looked for elsewhere. */
static int
pin_home(const struct work *w, const struct vmail_line *line, struct draft *d)
{
	char home[VMAIL_CONF_PATH_MAX + VMAIL_NAME_MAX + 1];

	if (line->entry.home.n > 0 || w->o->fields.home)
		return STATUS_OK;
	if (world_home(&w->run->conf, &line->entry, home, sizeof(home)) !=
	    VMAIL_OK)
		return say_fail(STATUS_FAILED, "home: too long");
	edit(d, LINE_HOME, home);
	return STATUS_OK;
}

static int
resolve(const struct work *w, struct vmail_str line)
{
	struct vmail_entry e;
	struct vmail_ids ids;

	if (!w->o->fields.uid && !w->o->fields.gid)
		return STATUS_OK;
	if (vmail_entry_parse(line, &e, NULL) != VMAIL_OK)
		return STATUS_OK; /* change_replace says so */
	return userfields_resolve(&w->run->conf, &w->world, e.uid, e.gid, &ids);
}

static int
rewrite(const struct work *w, struct vmail_store *store,
    const struct vmail_line *line)
{
	const struct userfields *f = &w->o->fields;
	struct draft d = { .line = line->text };
	int status = STATUS_OK;

	if (w->o->login)
		status = pin_home(w, line, &d);
	edit(&d, LINE_UID, f->uid);
	edit(&d, LINE_GID, f->gid);
	edit(&d, LINE_GECOS, f->gecos);
	edit(&d, LINE_HOME, f->home);
	edit(&d, LINE_NAME, w->o->login ? w->new_name : NULL);
	if (status == STATUS_OK && d.full)
		status = say_fail(STATUS_USAGE, "the line would be too long");
	if (status == STATUS_OK)
		status = resolve(w, d.line);
	if (status == STATUS_OK)
		status = change_replace(store, line, d.line);
	explicit_bzero(&d, sizeof(d));
	return status;
}

static int
modify(const struct work *w, struct vmail_store *store, const char *typed)
{
	struct vmail_line line;
	int status = STATUS_OK;

	if (w->o->login)
		status = newname_free(store, w->new_name);
	if (status == STATUS_OK)
		status = change_find(store, typed, &line);
	if (status == STATUS_OK && w->o->login)
		status = judge_rename(w, &line);
	if (status == STATUS_OK)
		status = rewrite(w, store, &line);
	return status;
}

static int
modify_all(struct work *w)
{
	VMAIL_STORE *store = NULL;
	struct run *run = w->run;
	int status = change_open(run, &store);

	for (size_t i = 0; status == STATUS_OK && i < run->operands; i++)
		status = modify(w, store, run->operand[i]);
	if (status == STATUS_OK)
		status = change_commit(run, &store, true);
	for (size_t i = 0; status == STATUS_OK && i < run->operands; i++) {
		if (run->dry_run)
			say_line("would change %s", run->operand[i]);
		else
			say_note("changed %s", run->operand[i]);
	}
	return status;
}

static int
check_options(const struct run *run, const struct options *o)
{
	const struct userfields *f = &o->fields;

	if (!f->home && !f->gecos && !f->uid && !f->gid && !o->login)
		return say_fail(STATUS_USAGE,
		    "nothing to change: give "
		    "--home, --gecos, --uid, --gid or --login");
	if (o->login && run->operands > 1)
		return say_fail(
		    STATUS_USAGE, "--login: several users cannot share a name");
	return userfields_check(run, f, run->operands);
}

/* Where each domain has a file of its own, a record cannot move to another. */
static int
judge_domain(const struct run *run, const char *new_name)
{
	struct vmail_str local, old, new;

	vmail_name_split(vmail_str(run->operand[0]), &local, &old);
	vmail_name_split(vmail_str(new_name), &local, &new);
	if (!run->conf.entered ||
	    (old.n == new.n &&strncasecmp(old.p, new.p, new.n) == 0))
		return STATUS_OK;
	return say_fail(STATUS_USAGE,
	    "--login: %s is of another domain, which has a file of its own",
	    new_name);
}

static int
usermod(struct run *run)
{
	struct work w = { .run = run, .o = run->options };
	struct vmail_err err;
	int status = check_options(run, w.o);

	if (status != STATUS_OK)
		return status;
	if (world_open(&w.world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	if (w.o->login)
		status = newname_take(&w.world, w.o->login, w.new_name);
	if (status == STATUS_OK && w.o->login)
		status = judge_domain(run, w.new_name);
	if (status == STATUS_OK)
		status = modify_all(&w);
	world_close(&w.world);
	return status;
}

const struct cmd cmd_usermod = {
	.name = "usermod",
	.operands = "USER...",
	.summary = "change fields of users, or a name",
	.least = 1,
	.most = CMD_ANY,
	.flags = CMD_CHANGES | CMD_USERS,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = usermod,
};
