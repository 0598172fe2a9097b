/* userdel USER...: the record first, then - with -r - the mail. */
#include <stdlib.h>
#include <string.h>

#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/homes.h"
#include "cli/say.h"
#include "cli/twins.h"
#include "cli/world.h"
#include "common/admin/perm.h"

struct options {
	bool remove;
};

static const struct opt opts[] = {
	{ 'r', "remove", NULL, "remove the mail too",
	    offsetof(struct options, remove) },
	OPT_END,
};

struct work {
	struct run *run;
	const struct options *o;
	struct world world;
	struct homes homes;
};

struct removal {
	struct vmail_store *store;
	struct vmail_err *err;
	enum vmail_rc rc;
};

static bool
remove_twin(const struct vmail_line *line, void *arg)
{
	struct removal *r = arg;

	r->rc = vmail_store_remove(r->store, line, r->err);
	return r->rc == VMAIL_OK;
}

/* All records of the name: the second would take the place of the first. */
static int
remove_records(const struct work *w, struct vmail_store *store,
    const struct vmail_line *line)
{
	struct vmail_err err;
	struct removal r = { store, &err, VMAIL_OK };
	enum vmail_rc rc = vmail_store_remove(store, line, &err);

	if (rc == VMAIL_EXISTS)
		return say_fail(STATUS_USAGE, "%.*s: named twice",
		    (int)line->entry.name.n, line->entry.name.p);
	if (rc == VMAIL_OK && !line->malformed)
		rc = twins_each(
		    &w->run->conf, line->entry.name, remove_twin, &r, &err);
	if (rc == VMAIL_OK)
		rc = r.rc;
	return rc == VMAIL_OK ? STATUS_OK : say_error(&err);
}

static int
note_home(struct work *w, const struct vmail_line *line)
{
	const struct vmail_entry *e = &line->entry;
	struct vmail_ids ids;

	if (vmail_ids_of_mailbox(&w->world.ids, e->uid, e->gid, &ids) !=
	    VMAIL_OK)
		return say_fail(STATUS_FAILED,
		    "%.*s: whose mail this is cannot be told here: uid '%.*s'",
		    (int)e->name.n, e->name.p, (int)e->uid.n,
		    e->uid.p ? e->uid.p : "");
	return homes_add(&w->homes, &w->run->conf, e, &ids);
}

static int
remove_one(struct work *w, struct vmail_store *store, const char *typed)
{
	struct vmail_line line;
	int status = change_find(store, typed, &line);

	if (status == STATUS_OK && w->o->remove)
		status = note_home(w, &line);
	if (status == STATUS_OK)
		status = remove_records(w, store, &line);
	return status;
}

static int
remove_mail(const struct work *w)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < w->homes.n; i++) {
		const struct home *h = &w->homes.list[i];
		struct vmail_err err;
		enum vmail_rc rc = vmail_perm_remove_home(
		    &(struct vmail_perm_home){ h->path,
			vmail_ids_of_owner(&w->world.ids, &h->ids), h->ids },
		    &err);

		if (rc == VMAIL_OK || rc == VMAIL_NOT_FOUND)
			continue;
		say_error(&err);
		say_warn("%s: the record is removed, its mail is not: %s",
		    h->name, h->path);
		status = STATUS_FAILED;
	}
	return status;
}

static void
tell(const struct work *w)
{
	const struct run *run = w->run;

	for (size_t i = 0; i < run->operands; i++) {
		if (!run->dry_run)
			say_note("removed %s", run->operand[i]);
		else if (w->o->remove)
			say_line("would remove %s and %s", run->operand[i],
			    w->homes.list[i].path);
		else
			say_line("would remove %s", run->operand[i]);
	}
}

static int
remove_all(struct work *w)
{
	VMAIL_STORE *store = NULL;
	struct run *run = w->run;
	int status = change_open(run, &store);

	for (size_t i = 0; status == STATUS_OK && i < run->operands; i++)
		status = remove_one(w, store, run->operand[i]);
	if (status == STATUS_OK && w->o->remove)
		status = homes_judge(&w->homes, &run->conf);
	/* Naming one user is plain enough; many may be a script's mistake. */
	if (status == STATUS_OK)
		status = change_commit(
		    run, &store, run->force || run->operands == 1);
	if (status != STATUS_OK)
		return status;
	tell(w);
	return run->dry_run ? STATUS_OK : remove_mail(w);
}

static int
userdel(struct run *run)
{
	struct work w = { .run = run, .o = run->options };
	struct vmail_err err;
	int status;

	if (world_open(&w.world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	status = remove_all(&w);
	homes_free(&w.homes);
	world_close(&w.world);
	return status;
}

const struct cmd cmd_userdel = {
	.name = "userdel",
	.operands = "USER...",
	.summary = "remove users",
	.least = 1,
	.most = CMD_ANY,
	.flags = CMD_CHANGES | CMD_USERS,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = userdel,
};
