/* fixperms [USER...]: owners and modes of the files and of all mail. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd/all.h"
#include "cli/fixperms_lines.h"
#include "cli/homes.h"
#include "cli/pathtext.h"
#include "cli/say.h"
#include "common/admin/domains.h"
#include "common/admin/lacking.h"
#include "common/admin/perm.h"
#include "common/core/file.h"

enum { WORDS = 512 };

struct options {
	const char *view;
	bool acl;
};

static const struct opt opts[] = {
	{ 0, "view", "VIEW", "with the numbers that system writes to disk",
	    offsetof(struct options, view) },
	{ 0, "acl", NULL, "let the owner in that view read the hashes",
	    offsetof(struct options, acl) },
	OPT_END,
};

struct work {
	struct run *run;
	const struct options *o;
	struct world world;
	struct fixperms_ids ids;
	struct vmail_fixperms fix;
	struct fixperms_say say;
	struct fixperms_lines lines;
	struct vmail_fixperms_groups groups;
	bool trusted; /* the settings and where they lie */
	char root[VMAIL_CONF_PATH_MAX + 1]; /* the folder of all mail */
	int status;
};

static void
worse(struct work *w, int status)
{
	if (w->status == STATUS_OK)
		w->status = status;
}

/* The fixed part of `home`: below it, root has said, lies mail. One that lies
 * directly below "/" says too little. */
static void
take_root(struct work *w)
{
	const char *home = w->run->conf.home;

	w->root[0] = '\0';
	if (home[0] != '/' || !strchr(home, '%'))
		return;
	pathtext_folder(home, w->root, sizeof(w->root));
	homes_tidy(w->root);
	if (!strchr(w->root + (w->root[0] == '/'), '/'))
		w->root[0] = '\0';
}

/* What the view's owner cannot do, and what there is to do about it. */
static void
explain(struct work *w, const char *path)
{
	const struct vmail_ids *owner = &w->ids.owner;
	const struct vmail_lacking_who who = { owner->uid, owner->gid, NULL,
		0 };
	VMAIL_AUTOCLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char words[WORDS];

	if (w->ids.view.n == 0 || owner->uid == 0 || w->o->acl ||
	    vmail_lacking_explain(
		root, path, &who, R_OK, words, sizeof(words)) != VMAIL_DENIED)
		return;
	progress_end(&w->say.progress);
	say_note("the owner in view %s: open(%s) failed: Permission denied "
		 "(%s)",
	    w->o->view, path, words);
	say_note("  if a Dovecot there reads it itself, the best first:");
	say_note("  - mount the folder idmapped: vmailadm idmap emit --for "
		 "FORM %s",
	    w->o->view);
	say_note("  - give its auth process the group of the file");
	say_note("  - vmailadm fixperms --view %s --acl", w->o->view);
}

static bool
mend_store(const struct vmail_conf *conf, struct vmail_str domain, void *arg)
{
	struct work *w = arg;
	struct vmail_err err;
	bool trusted = true;

	(void)domain;
	if (vmail_fixperms_store(&w->fix, conf, &w->groups, w->run->wait,
		&trusted, &err) != VMAIL_OK) {
		worse(w, say_error(&err));
		return true;
	}
	explain(w, conf->passwd_file);
	if (trusted && w->trusted) {
		worse(w, fixperms_lines_read(&w->lines, conf));
		return true;
	}
	w->fix.left++;
	fixperms_say_left(&w->say, conf->passwd_file,
	    "others than root could write it, or where it lies, until now: "
	    "look through it, then run this again; its homes are left");
	return true;
}

static int
mend_files(struct work *w)
{
	const struct vmail_conf *conf = &w->run->conf;
	struct vmail_err err;

	if (vmail_perm_reader(conf, &w->groups.reader, &err) != VMAIL_OK)
		return say_error(&err);
	w->groups.owner_known =
	    vmail_ids_of_group(&w->world.ids, vmail_conf_owner_group(conf),
		&w->groups.owner) == VMAIL_OK;
	if (w->o->acl)
		w->groups.guest = w->ids.owner;
	w->trusted = vmail_fixperms_settings(&w->fix, conf, &w->groups);
	if (vmail_domains_each(conf, mend_store, w, &err) != VMAIL_OK)
		return say_error(&err);
	return STATUS_OK;
}

static void
leave_fate(struct work *w, const struct fixperms_home *home)
{
	const struct fixperms_home *other = &w->lines.homes.list[home->other];
	char words[WORDS];

	if (home->fate == FIXPERMS_SHARED)
		snprintf(words, sizeof(words),
		    "the home of %s, and with other numbers of %s", home->name,
		    other->name);
	else
		snprintf(words, sizeof(words),
		    "the home of %s lies in that of %s, who could put another "
		    "folder there",
		    home->name, other->name);
	w->fix.left++;
	fixperms_say_left(&w->say, home->path, words);
}

/* before: the one walked last, or NULL. False: no memory. */
static bool
walk_home(struct work *w, size_t i, const struct fixperms_home *before)
{
	struct fixperms_home *home = &w->lines.homes.list[i];
	struct vmail_fixperms_home h = { .path = home->path,
		.user = home->ids,
		.owner = w->ids.owner.uid != 0 ? w->ids.owner : home->ids,
		.root = w->root,
		.known = w->ids.known,
		.nknown = w->ids.nknown };
	const char **apart =
	    fixperms_homes_apart(&w->lines.homes, i, &h.nothers);

	if (!apart && h.nothers > 0)
		return false;
	h.others = apart;
	if (before && before->ids.uid == home->ids.uid &&
	    before->ids.gid == home->ids.gid)
		h.before = before->path;
	home->walked = vmail_fixperms_home(&w->fix, &h);
	free(apart);
	return true;
}

/* One that is covered by a walk that did not come to pass goes by itself. */
static bool
mend_home(struct work *w, size_t i, const struct fixperms_home **before)
{
	struct fixperms_home *home = &w->lines.homes.list[i];
	bool good = true;

	home->walked = home->fate == FIXPERMS_COVERED &&
		       w->lines.homes.list[home->other].walked;
	if (!home->wanted || home->walked)
		return true;
	if (home->fate == FIXPERMS_SHARED || home->fate == FIXPERMS_INSIDE) {
		leave_fate(w, home);
		return true;
	}
	good = walk_home(w, i, *before);
	*before = home;
	return good;
}

static void
mend_homes(struct work *w)
{
	const struct fixperms_homes *homes = &w->lines.homes;
	const struct fixperms_home *before = NULL;
	bool good = true;

	fixperms_homes_settle(&w->lines.homes, w->ids.owner.uid);
	w->say.total = homes->n;
	for (size_t i = 0; good && i < homes->n; i++) {
		good = mend_home(w, i, &before);
		fixperms_say_home(&w->say, homes->list[i].path);
	}
	if (!good)
		worse(w, say_fail(STATUS_FAILED, "out of memory"));
}

static int
mend_named(struct work *w)
{
	int status = fixperms_lines_read(&w->lines, &w->run->conf);

	return status == STATUS_OK ? fixperms_lines_judge(&w->lines) : status;
}

static int
mend_all(struct work *w)
{
	if (!fixperms_say_open(&w->say, w->run, &w->fix))
		return say_fail(STATUS_FAILED, "out of memory");
	w->say.missing = w->run->operands > 0;
	worse(w, w->run->operands > 0 ? mend_named(w) : mend_files(w));
	/* A user who is not there may be a slip of the hand. */
	if (w->run->operands == 0 || w->status == STATUS_OK)
		mend_homes(w);
	if (!fixperms_say_close(&w->say) || w->fix.left > 0)
		worse(w, STATUS_FAILED);
	return w->status;
}

/* The views cannot be believed: they are mended, and looked through first. */
static int
mend_settings(struct work *w, const struct vmail_err *fault)
{
	if (fault->rc != VMAIL_UNSAFE || w->run->operands > 0)
		return say_error(fault);
	if (!fixperms_say_open(&w->say, w->run, &w->fix))
		return say_fail(STATUS_FAILED, "out of memory");
	(void)vmail_fixperms_settings(&w->fix, &w->run->conf, &w->groups);
	(void)fixperms_say_close(&w->say);
	say_error(fault);
	say_mend("look through what it says, then run this again");
	return STATUS_UNSAFE;
}

static int
run_all(struct work *w)
{
	struct vmail_err err;
	int status;

	w->lines = (struct fixperms_lines){
		.run = w->run, .ids = &w->ids, .say = &w->say, .fix = &w->fix
	};
	take_root(w);
	if (world_open(&w->world, &w->run->conf, &err) != VMAIL_OK)
		return mend_settings(w, &err);
	status = fixperms_ids_open(
	    &w->ids, w->run, &w->world, w->o->view, w->o->acl);
	if (status == STATUS_OK)
		status = fixperms_lines_open(&w->lines);
	return status == STATUS_OK ? mend_all(w) : status;
}

static int
fixperms(struct run *run)
{
	struct work *w = calloc(1, sizeof(*w));
	int status;

	if (!w)
		return say_fail(STATUS_FAILED, "out of memory");
	w->run = run;
	w->o = run->options;
	w->fix.dry_run = run->dry_run;
	status = run_all(w);
	fixperms_lines_free(&w->lines);
	world_close(&w->world);
	free(w);
	return status;
}

const struct cmd cmd_fixperms = {
	.name = "fixperms",
	.operands = "[USER...]",
	.summary = "mend owners and modes of the files and of all mail",
	.most = CMD_ANY,
	.flags = CMD_CHANGES | CMD_PLANS,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = fixperms,
};
