/*
 * import [FILE]: every line is read and judged, and then all of them are added
 * in one commit, or none. The lines of a file go to the new passwd-file as they
 * are judged, under the lock; what comes from a pipe, or is only tried, or is
 * wanted again for the homes, is read to its end before the lock is taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/feed.h"
#include "cli/homes.h"
#include "cli/jsonl.h"
#include "cli/mask.h"
#include "cli/newrecord.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "common/admin/bulk.h"

struct options {
	const char *from;
	bool make_home;
};

static const struct opt opts[] = {
	{ 0, "from", "FORMAT", "passwd-file or jsonl (default: by content)",
	    offsetof(struct options, from) },
	{ 'm', "make-home", NULL, "make the homes too",
	    offsetof(struct options, make_home) },
	OPT_END,
};

enum { FAULTS_MAX = 20, SIGNALS_EVERY = 1024 };

struct work {
	struct run *run;
	const struct options *o;
	struct world world;
	struct userview view;
	struct newrecord_rules rules;
	struct feed feed;
	bool streams; /* into the store; else into the batch */
	struct batch batch;
	uint32_t *number; /* of each line in the store, where it was read */
	size_t adds, number_room;
	struct progress progress;
	struct vmail_store *store;
	bool jsonl;
	unsigned faults;
	int status; /* of the first fault that stops everything, or of lines */
	char text[VMAIL_LINE_MAX];
};

/* False: it is one too many, there is no use in reading on. */
static bool
complain(struct work *w, int status, unsigned long line, const char *field,
    const char *why)
{
	progress_end(&w->progress);
	say_fail(0, "%s:%lu: %s%s%s", w->feed.name, line, field,
	    field[0] ? ": " : "", why);
	if (w->status == STATUS_OK || status == STATUS_USAGE)
		w->status = status;
	if (++w->faults < FAULTS_MAX)
		return true;
	say_fail(
	    0, "that is %d wrong lines: no more are looked for", FAULTS_MAX);
	return false;
}

static bool
give_up(struct work *w, const char *why)
{
	progress_end(&w->progress);
	w->status = say_fail(STATUS_FAILED, "%s: %s", w->feed.name, why);
	return false;
}

/* A bare hash gets its scheme in front: *line is laid out anew. */
static bool
name_scheme(struct work *w, const struct vmail_entry *e, struct vmail_str *line)
{
	struct vmail_buf b = { w->text, sizeof(w->text), 0, false };
	size_t before = (size_t)(e->password.p - line->p);

	vmail_buf_put(&b, line->p, before);
	vmail_buf_z(&b, "{CRYPT}");
	vmail_buf_put(&b, e->password.p, line->n - before);
	*line = (struct vmail_str){ w->text, b.len };
	return !b.full;
}

/* False with *why: nobody could read it. */
static bool
cut(struct work *w, char *p, size_t n, struct vmail_str *line,
    struct vmail_entry *e, const char **why)
{
	*line = (struct vmail_str){ p, n };
	*why = "no name in front";
	if (vmail_entry_parse(*line, e, why) != VMAIL_OK)
		return false;
	vmail_text_lower(p, e->name.n);
	if (e->password.n == 0 || strchr("{*", e->password.p[0]))
		return true;
	*why = "too long for a line";
	return name_scheme(w, e, line) &&
	       vmail_entry_parse(*line, e, why) == VMAIL_OK;
}

static bool
give_up_on(struct work *w, const struct vmail_err *err)
{
	progress_end(&w->progress);
	w->status = say_error(err);
	return false;
}

/* Where the line that is added next was read. */
static bool
note_number(struct work *w, unsigned long number)
{
	size_t room = w->number_room ? 2 * w->number_room : 4096;
	uint32_t *list = w->number;

	if (w->adds == w->number_room) {
		list = reallocarray(list, room, sizeof(*list));
		if (!list)
			return false;
		w->number = list;
		w->number_room = room;
	}
	w->number[w->adds] = (uint32_t)number;
	return true;
}

/* 0; the number of the line that has the name; -1: it failed, and was said. */
static long
put_in_store(struct work *w, struct vmail_str line, struct vmail_str name)
{
	struct vmail_err err;
	enum vmail_rc rc;
	size_t index;

	if (!note_number(w, w->feed.number)) {
		give_up(w, "out of memory");
		return -1;
	}
	rc = vmail_store_add(w->store, line, &err);
	if (rc == VMAIL_EXISTS && vmail_store_added(w->store, name, &index))
		return w->number[index];
	if (rc != VMAIL_OK) {
		give_up_on(w, &err);
		return -1;
	}
	w->adds++;
	return 0;
}

static long
put_in_batch(struct work *w, struct vmail_str line)
{
	long first = batch_add(&w->batch, line, w->feed.number);

	if (first < 0)
		give_up(w, "too much for the memory there is");
	return first;
}

/* One line of the passwd-file to be. */
static bool
take_line(struct work *w, char *p, size_t n)
{
	unsigned long number = w->feed.number;
	struct newrecord_fault fault;
	struct vmail_entry e;
	struct vmail_str line;
	const char *why;
	char text[64];
	long first;

	if (!cut(w, p, n, &line, &e, &why))
		return complain(w, STATUS_USAGE, number, "", why);
	if (w->streams)
		vmail_store_expect(w->store, e.name);
	if (!newrecord_judge(&w->rules, &e, &fault))
		return complain(
		    w, fault.status, number, fault.field, fault.why);
	first =
	    w->streams ? put_in_store(w, line, e.name) : put_in_batch(w, line);
	if (first <= 0)
		return first == 0;
	snprintf(text, sizeof(text), "stands in line %ld already", first);
	return complain(w, STATUS_USAGE, number, "name", text);
}

static bool
take_json(struct work *w, struct vmail_str json)
{
	char line[VMAIL_LINE_MAX], why[128];
	struct vmail_buf b = { line, sizeof(line), 0, false };
	struct vmail_buf reason = { why, sizeof(why), 0, false };
	bool good = jsonl_read(json, &b, &reason);

	if (good) {
		good = take_line(w, line, b.len);
	} else {
		(void)vmail_buf_end(&reason);
		good = complain(w, STATUS_USAGE, w->feed.number, "", reason.p);
	}
	explicit_bzero(line, b.len);
	return good;
}

/* Without what is no part of the line. */
static void
trim(const struct feed *feed, char **p, size_t *n)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (*n > 0 && (*p)[*n - 1] == '\r')
		--*n;
	if (feed->number == 1 && *n >= 3 && memcmp(*p, bom, 3) == 0) {
		*p += 3;
		*n -= 3;
	}
}

static bool
is_blank(struct vmail_str s)
{
	while (s.n > 0 && strchr(" \t", s.p[s.n - 1]))
		s.n--;
	return s.n == 0;
}

static bool
take(struct work *w, char *p, size_t n)
{
	trim(&w->feed, &p, &n);
	if (w->jsonl && !is_blank((struct vmail_str){ p, n }))
		return take_json(w, (struct vmail_str){ p, n });
	if (w->jsonl || n == 0 || p[0] == '#')
		return true;
	return take_line(w, p, n);
}

static bool
take_next(struct work *w)
{
	struct feed *feed = &w->feed;
	char *line;
	size_t n;

	progress_step(&w->progress, feed->number,
	    feed->bytes - (feed->have - feed->at), feed->total);
	switch (feed_next(feed, &line, &n)) {
	case FEED_LINE:
		return take(w, line, n);
	case FEED_LONG:
		return complain(
		    w, STATUS_USAGE, feed->number, "", "too long for a line");
	case FEED_END:
		return false;
	case FEED_FAILED:
		return give_up(w, strerror(errno));
	}
	return false;
}

/* With the store open signals wait, but not for a million lines. */
static bool
is_stopped(struct work *w)
{
	if (!w->streams || w->feed.number % SIGNALS_EVERY != 0 ||
	    !change_stopped())
		return false;
	progress_end(&w->progress);
	w->status = say_fail(STATUS_FAILED, "stopped: nothing was imported");
	return true;
}

static int
read_all(struct work *w)
{
	const char *from = w->o->from;

	progress_start(&w->progress, w->run->quiet);
	w->jsonl =
	    from ? strcmp(from, "jsonl") == 0 : feed_peek(&w->feed) == '{';
	while (!is_stopped(w) && take_next(w))
		;
	progress_end(&w->progress);
	if (w->status == STATUS_OK && w->adds + w->batch.lines == 0)
		return say_fail(
		    STATUS_USAGE, "%s: there is no user in it", w->feed.name);
	return w->status;
}

/* The number of the line that is to add this name; 0: none. */
static unsigned long
number_of(const struct work *w, struct vmail_str name)
{
	const struct batch_line *line;
	size_t index;

	if (w->streams)
		return vmail_store_added(w->store, name, &index)
			   ? w->number[index]
			   : 0;
	line = batch_find(&w->batch, name);
	return line ? line->number : 0;
}

/* Any line that begins with the name has it, one that nobody can read too. */
static bool
meet(const struct vmail_walk_line *line, void *arg)
{
	struct work *w = arg;
	struct vmail_str rest = line->text, name;
	char text[VMAIL_NAME_MAX + 32];
	unsigned long number;

	if (rest.n > 0 && rest.p[rest.n - 1] == '\r')
		rest.n--;
	name = vmail_text_cut(&rest, ':');
	if (name.n == 0 || name.p[0] == '#')
		return true;
	number = number_of(w, name);
	if (number == 0)
		return true;
	snprintf(
	    text, sizeof(text), "%.*s exists already", (int)name.n, name.p);
	return complain(w, STATUS_EXISTS, number, "", text);
}

static int
judge_existing(struct work *w)
{
	struct vmail_err err;

	if (vmail_store_walk(&w->run->conf, meet, w, &err) != VMAIL_OK)
		return say_error(&err);
	return w->status;
}

static bool
show_line(const struct batch_line *line, void *arg)
{
	struct work *w = arg;
	char text[2 * VMAIL_LINE_MAX];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_entry e;

	if (vmail_entry_parse(
		(struct vmail_str){ line->p, line->n }, &e, NULL) == VMAIL_OK)
		mask_line(&w->view, &e, &b);
	say_line("+ %.*s", (int)b.len, b.p);
	return true;
}

static bool
add_line(const struct batch_line *line, void *arg)
{
	struct work *w = arg;
	struct vmail_err err;

	if (vmail_store_add(w->store, (struct vmail_str){ line->p, line->n },
		&err) == VMAIL_OK)
		return true;
	return give_up_on(w, &err);
}

/* A signal between here and close_store would leave files behind. */
static int
open_store(struct work *w)
{
	struct vmail_err err;
	int status = change_open(w->run, &w->store);

	if (status != STATUS_OK || w->run->dry_run)
		return status;
	change_hold_signals();
	if (vmail_bulk(w->store, &err) != VMAIL_OK)
		return say_error(&err);
	return STATUS_OK;
}

static void
close_store(struct work *w)
{
	vmail_store_close(&w->store);
	change_let_signals();
}

/* All lines are judged. */
static int
commit(struct work *w)
{
	int status = judge_existing(w);

	if (status != STATUS_OK)
		return status;
	if (w->run->dry_run) {
		batch_each(&w->batch, false, show_line, w);
		return STATUS_OK;
	}
	progress_say(&w->progress, "writing");
	if (w->streams || batch_each(&w->batch, !w->o->make_home, add_line, w))
		status = change_commit(w->run, &w->store, true);
	progress_end(&w->progress);
	return w->status == STATUS_OK ? status : w->status;
}

static int
add_all(struct work *w)
{
	int status = STATUS_OK;

	if (w->streams)
		status = open_store(w);
	if (status == STATUS_OK)
		status = read_all(w);
	if (status == STATUS_OK && !w->streams)
		status = open_store(w);
	if (status == STATUS_OK)
		status = commit(w);
	close_store(w);
	return status;
}

static bool
make_home(const struct batch_line *line, void *arg)
{
	struct work *w = arg;
	struct vmail_entry e;
	struct vmail_ids ids;

	/* All of them have been judged: each parses and has numbers. */
	if (vmail_entry_parse(
		(struct vmail_str){ line->p, line->n }, &e, NULL) != VMAIL_OK ||
	    !userview_ids(&w->view, &e, &ids) ||
	    homes_make(&w->run->conf, &w->world, &e, &ids) != STATUS_OK)
		w->status = STATUS_FAILED;
	return true;
}

static int
import_all(struct work *w)
{
	struct run *run = w->run;
	size_t n;
	int status =
	    feed_open(&w->feed, run->operands > 0 ? run->operand[0] : NULL);

	if (status != STATUS_OK)
		return status;
	w->streams = w->feed.total > 0 && !run->dry_run && !w->o->make_home;
	status = add_all(w);
	n = w->adds + w->batch.lines;
	if (w->faults > 0)
		say_note("nothing was imported");
	if (status != STATUS_OK || run->dry_run)
		return status;
	say_note("added %zu user%s", n, n == 1 ? "" : "s");
	if (w->o->make_home)
		batch_each(&w->batch, false, make_home, w);
	return w->status;
}

static int
import(struct run *run)
{
	struct work w = { .run = run, .o = run->options, .feed.fd = -1 };
	const char *from = w.o->from;
	struct vmail_err err;
	int status = STATUS_OK;

	if (from && strcmp(from, "passwd-file") != 0 &&
	    strcmp(from, "jsonl") != 0)
		return say_fail(STATUS_USAGE,
		    "--from: passwd-file or jsonl, not '%s'", from);
	if (world_open(&w.world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	w.view.conf = &run->conf;
	w.view.world = &w.world;
	w.rules = (struct newrecord_rules){ &w.view, w.o->make_home };
	if (!batch_open(&w.batch))
		status = say_fail(STATUS_FAILED, "out of memory");
	if (status == STATUS_OK)
		status = import_all(&w);
	explicit_bzero(w.text, sizeof(w.text));
	batch_close(&w.batch);
	free(w.number);
	feed_close(&w.feed);
	world_close(&w.world);
	return status;
}

const struct cmd cmd_import = {
	.name = "import",
	.operands = "[FILE]",
	.summary = "add users from a passwd-file or JSON lines",
	.most = 1,
	.flags = CMD_CHANGES | CMD_ONE_FILE,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = import,
};
