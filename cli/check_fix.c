#include "cli/check_fix.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/check_lines.h"
#include "cli/say.h"
#include "common/core/file.h"

static void
no_memory(struct check *c)
{
	c->good = false;
	c->fixes->status = say_fail(STATUS_FAILED, "out of memory");
}

static void
fail(struct check *c, int status)
{
	if (c->fixes->status == STATUS_OK)
		c->fixes->status = status;
}

static bool
more_room(struct fixes *x)
{
	size_t room = x->room ? 2 * x->room : 16;
	struct fix *list;

	if (x->n < x->room)
		return true;
	list = reallocarray(x->list, room, sizeof(*list));
	if (!list)
		return false;
	x->list = list;
	x->room = room;
	return true;
}

/* One that will be said when it is mended. */
static void
keep(struct check *c, const struct finding *f)
{
	struct fixes *x = c->fixes;
	struct fix fix = { .finding = *f };

	fix.own =
	    f->user.n > 0 ? strndup(f->user.p, f->user.n) : strdup(f->file);
	if (!fix.own || !more_room(x)) {
		free(fix.own);
		no_memory(c);
		return;
	}
	if (f->user.n > 0)
		fix.finding.user.p = fix.own;
	else
		fix.finding.file = fix.own;
	x->list[x->n++] = fix;
}

static void
forget(struct fixes *x)
{
	while (x->n > 0)
		free(x->list[--x->n].own);
	free(x->list);
	x->list = NULL;
	x->room = 0;
}

static void
say_mended(struct check *c)
{
	for (size_t i = 0; i < c->fixes->n; i++)
		check_row(c, &c->fixes->list[i].finding, true);
	forget(c->fixes);
}

/* Still there: it was not mended. */
static void
strike(struct fixes *x, const struct finding *f)
{
	for (size_t i = 0; i < x->n; i++) {
		struct fix *fix = &x->list[i];

		if (strcmp(fix->finding.code, f->code) != 0 ||
		    strcmp(fix->finding.file, f->file) != 0)
			continue;
		free(fix->own);
		*fix = x->list[--x->n];
		return;
	}
}

void
check_say_derived(struct check *c, const struct finding *f)
{
	switch (c->phase) {
	case CHECK_SAY:
	case CHECK_PLAN:
		check_row(c, f, c->phase == CHECK_PLAN);
		return;
	case CHECK_MEND:
		keep(c, f);
		return;
	case CHECK_VERIFY:
		strike(c->fixes, f);
		return;
	case CHECK_COUNT:
		return;
	}
}

static void
take_rights(struct stat *st, mode_t take, gid_t reader)
{
	bool by_those = take == 0 || (take & 04);

	if (take == 0)
		st->st_uid = 0;
	st->st_mode &= ~take;
	if (reader == (gid_t)-1 || !by_those)
		return;
	/* Nobody has chosen root's group to read it. */
	if (st->st_gid == 0)
		st->st_gid = reader;
	if (st->st_gid == reader)
		st->st_mode |= 040;
}

/* On the very file that was looked at. */
static bool
set_rights(const char *path, const struct stat *was, const struct stat *st)
{
	VMAIL_AUTOCLOSE int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat now;
	struct vmail_err err;

	if (fd >= 0 && fstat(fd, &now) == 0 && now.st_ino == was->st_ino &&
	    now.st_dev == was->st_dev && now.st_mode == was->st_mode &&
	    fchown(fd, st->st_uid, st->st_gid) == 0 &&
	    fchmod(fd, st->st_mode & 07777) == 0)
		return true;
	vmail_fail_sys(&err, path, "set owner and mode");
	say_error(&err);
	return false;
}

/* Where others may put files into the folder, they may have put this one there:
 * somebody has to look at it first. */
static bool
may_set_rights(const struct check *c, const char *path)
{
	return (c->phase == CHECK_MEND || c->phase == CHECK_PLAN) &&
	       vmail_file_trust_folder(path, NULL) == VMAIL_OK;
}

bool
check_say_rights(struct check *c, const struct finding *f, struct stat *st,
    mode_t take, gid_t reader)
{
	struct stat after = *st;

	if (!may_set_rights(c, f->file)) {
		check_say(c, f);
		return false;
	}
	take_rights(&after, take, reader);
	if (c->phase == CHECK_MEND && !set_rights(f->file, st, &after)) {
		fail(c, STATUS_FAILED);
		return false;
	}
	c->planned = c->planned || (c->phase == CHECK_PLAN &&
				       f->file == c->conf->passwd_file);
	check_row(c, f, true);
	*st = after;
	return true;
}

/* False: it was not taken. */
static bool
edit(const struct check_line *l, struct vmail_str text)
{
	const struct vmail_line line = {
		.offset = l->offset, .text = l->text, .entry = l->entry
	};
	struct vmail_err err;

	if (vmail_store_replace(l->check->fixes->store, &line, text, &err) ==
	    VMAIL_OK)
		return true;
	fail(l->check, say_error(&err));
	l->check->good = false;
	return false;
}

void
check_line_say_mend(const struct check_line *l, enum severity severity,
    const char *code, const char *message, const char *fix,
    struct vmail_str text)
{
	struct check *c = l->check;
	const struct finding f = { severity, code, c->conf->passwd_file,
		l->number, l->entry.name, message, fix };

	switch (c->phase) {
	case CHECK_SAY:
	case CHECK_PLAN:
		check_row(c, &f, c->phase == CHECK_PLAN);
		return;
	case CHECK_COUNT:
		c->fixes->lines++;
		return;
	case CHECK_MEND:
		if (edit(l, text))
			keep(c, &f);
		return;
	case CHECK_VERIFY:
		return;
	}
}

/* What is derived is made anew, and looked at again. */
static void
rebuild(struct check *c, struct vmail_store *store)
{
	struct vmail_err err;
	enum vmail_rc rc;

	change_hold_signals();
	rc = vmail_store_rebuild(store, &err);
	change_let_signals();
	if (rc != VMAIL_OK) {
		fail(c, say_error(&err));
		forget(c->fixes);
		return;
	}
	c->fixes->run->committed = true;
	c->phase = CHECK_VERIFY;
	check_files(c);
	check_derived(c);
	say_mended(c);
}

/* All lines, or none. */
static void
mend_lines(struct check *c, struct run *run, struct vmail_store **store)
{
	struct fixes *x = c->fixes;
	int status = STATUS_OK;

	c->phase = CHECK_MEND;
	x->store = *store;
	check_lines(c);
	x->store = NULL;
	if (!c->good)
		status = STATUS_FAILED;
	else
		status = change_commit(run, store, false);
	x->run->committed = x->run->committed || run->committed;
	fail(c, status);
	if (status == STATUS_OK)
		say_mended(c);
	forget(x);
}

static void
mend_locked(struct check *c)
{
	struct fixes *x = c->fixes;
	struct run run = *x->run;
	VMAIL_STORE *store = NULL;
	int status;

	run.conf = *c->conf;
	/* This finishes, and sweeps, what a killed writer has left. */
	status = change_open(&run, &store);
	fail(c, status);
	if (status == STATUS_OK && x->n > 0)
		rebuild(c, store);
	forget(x);
	if (status == STATUS_OK && x->lines > 0)
		mend_lines(c, &run, &store);
}

void
check_fix_file(struct check *c)
{
	struct fixes *x = c->fixes;

	c->phase = CHECK_MEND;
	check_files(c);
	check_derived(c);
	c->phase = CHECK_COUNT;
	x->lines = 0;
	check_lines(c);
	if (c->good && (x->n > 0 || x->lines > 0))
		mend_locked(c);
	forget(x);
	c->phase = CHECK_SAY;
}

void
check_fix_header(struct check *c)
{
	struct vmail_err err;

	c->phase = CHECK_MEND;
	check_header(c);
	if (c->fixes->n > 0) {
		if (vmail_store_header(c->conf, &err) != VMAIL_OK) {
			fail(c, say_error(&err));
		} else {
			c->phase = CHECK_VERIFY;
			check_header(c);
			say_mended(c);
		}
	}
	forget(c->fixes);
	c->phase = CHECK_SAY;
}
