/*
 * edit: an editor on a private copy, without the lock; what comes back is
 * judged, and committed whole if nobody else has changed the file meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/child.h"
#include "cli/cmd/all.h"
#include "cli/domains.h"
#include "cli/rewrite.h"
#include "cli/say.h"
#include "cli/scratch.h"
#include "common/core/file.h"

struct work {
	struct run *run;
	struct rewrite_rules rules;
	int old; /* the file as it was copied */
	struct stat before;
	struct scratch scratch;
	const char *editor;
};

static const char *
find_editor(void)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");

	if (visual && visual[0])
		return visual;
	return editor && editor[0] ? editor : "vi";
}

static int
make_copy(struct work *w)
{
	const char *path = w->run->conf.passwd_file;
	struct vmail_stamp stamp;
	struct vmail_err err;
	enum vmail_rc rc =
	    vmail_file_open(path, O_RDONLY, &w->old, &w->before, &err);
	int status;

	errno = ENOENT;
	if (rc == VMAIL_NOT_FOUND)
		rc = vmail_fail(&err, VMAIL_IO, path, 0, "missing");
	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&w->before, path, &err);
	if (rc != VMAIL_OK)
		return say_error(&err);
	stamp = vmail_file_stamp(&w->before);
	status = scratch_open(&w->scratch, w->old, strrchr(path, '/') + 1);
	if (status != STATUS_OK)
		return status;
	if (vmail_file_steady(w->old, &stamp) == VMAIL_OK)
		return STATUS_OK;
	scratch_remove(&w->scratch);
	return say_fail(
	    STATUS_BUSY, "%s: somebody is changing it: try again", path);
}

/* Nothing was committed, but somebody's work is in the copy. */
static int
keep_copy(struct work *w, int status)
{
	const char *path = w->scratch.path;

	say_warn("the edited copy is kept, with all its hashes: %s", path);
	say_mend("diff %s %s; when it is not needed: rm -r %.*s",
	    w->run->conf.passwd_file, path, (int)(w->scratch.name - path) - 1,
	    path);
	scratch_close(&w->scratch);
	return status;
}

/* As a shell would: it may be a command with arguments. */
static int
run_editor(const struct work *w)
{
	char script[1024], shell[] = "/bin/sh", flag[] = "-c";
	char *argv[] = { shell, flag, script, shell, (char *)w->scratch.path,
		NULL };
	int n = snprintf(script, sizeof(script), "%s \"$@\"", w->editor);
	int status;

	if (n < 0 || (size_t)n >= sizeof(script))
		return say_fail(STATUS_FAILED, "EDITOR: too long");
	status = child_run(argv);
	if (status == 0)
		return STATUS_OK;
	return say_fail(STATUS_FAILED, "the editor, %s, ended with status %d",
	    w->editor, status);
}

/* e or d; where nobody can answer: neither. */
static int
ask(void)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return 0;
	do {
		fputs("(e)dit again, or (d)iscard? ", stderr);
		if (!fgets(answer, sizeof(answer), stdin))
			return 0;
	} while (answer[0] != 'e' && answer[0] != 'd');
	return answer[0];
}

/* The file must be what was copied: what others changed would be lost. */
static int
commit(struct work *w, int new)
{
	const char *path = w->run->conf.passwd_file;
	struct vmail_stamp then = vmail_file_stamp(&w->before), now;
	VMAIL_STORE *store = NULL;
	struct vmail_err err;
	struct stat st;
	int status = change_open(w->run, &store);

	if (status != STATUS_OK)
		return status;
	if (stat(path, &st) != 0) {
		vmail_fail_sys(&err, path, "stat");
		return say_error(&err);
	}
	now = vmail_file_stamp(&st);
	if (!vmail_file_same(&then, &now))
		return say_fail(STATUS_BUSY,
		    "%s: was changed while you edited; nothing was written",
		    path);
	if (vmail_store_replace_all(store, new, &err) != VMAIL_OK)
		return say_error(&err);
	return change_commit(w->run, &store, w->run->force);
}

static int
finish(struct work *w, int new)
{
	int status;

	if (rewrite_same(w->old, new)) {
		say_note("nothing was changed");
		scratch_remove(&w->scratch);
		return STATUS_OK;
	}
	status = commit(w, new);
	if (status != STATUS_OK)
		return keep_copy(w, status);
	say_note("changed %s", w->run->conf.passwd_file);
	scratch_remove(&w->scratch);
	return STATUS_OK;
}

/* One turn of the editor; *again: and another one. */
static int
turn(struct work *w, bool *again)
{
	VMAIL_AUTOCLOSE int new = -1;
	unsigned faults = 0;
	int status = run_editor(w), answer;

	*again = false;
	new = scratch_read(&w->scratch);
	if (new < 0)
		status = say_fail(STATUS_FAILED,
		    "%s: the editor left no file there", w->scratch.path);
	if (status == STATUS_OK)
		status = rewrite_judge(
		    &w->rules, w->old, new, w->scratch.path, &faults);
	if (status == STATUS_OK && faults == 0)
		return finish(w, new);
	answer = status == STATUS_OK ? ask() : 0;
	*again = answer == 'e';
	if (*again)
		return STATUS_OK;
	if (status == STATUS_OK)
		status = STATUS_USAGE;
	say_note("nothing was changed");
	if (answer != 'd' && new >= 0 && !rewrite_same(w->old, new))
		return keep_copy(w, status);
	scratch_remove(&w->scratch);
	return status;
}

/* With the passwd-file that run is for. */
static int
edit_file(struct work *w)
{
	struct run *run = w->run;
	struct world world;
	struct userview view = { .conf = &run->conf, .world = &world };
	struct vmail_err err;
	bool again = true;
	int status;

	if (run->dry_run) {
		say_line("would open a copy of %s in %s", run->conf.passwd_file,
		    w->editor);
		return STATUS_OK;
	}
	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	w->rules.record.view = &view;
	status = make_copy(w);
	while (status == STATUS_OK && again)
		status = turn(w, &again);
	vmail_file_close(&w->old);
	world_close(&world);
	return status;
}

static int
edit(struct run *run)
{
	struct work w = { .run = run, .old = -1, .editor = find_editor() };
	char domain[VMAIL_NAME_MAX + 1] = "";
	int status = STATUS_OK;

	if (run->operands > 0) {
		status = domains_enter(run, run->operand[0], domain);
	} else if (vmail_conf_has_domains(&run->conf)) {
		status = say_fail(STATUS_USAGE,
		    "edit: each domain has a passwd-file of its own");
		say_mend("vmailadm edit DOMAIN");
	}
	w.rules.domain = vmail_str(domain);
	return status == STATUS_OK ? edit_file(&w) : status;
}

const struct cmd cmd_edit = {
	.name = "edit",
	.operands = "[DOMAIN]",
	.summary = "edit the passwd-file as text",
	.most = 1,
	.flags = CMD_CHANGES,
	.run = edit,
};
