#include "cli/fixperms_say.h"

#include <stdio.h>
#include <string.h>

#include "cli/say.h"

/* Rows of a home that people get to see. */
enum { SHOWN = 20, PERMS_ROOM = 40, WORDS = 128 };

static const struct report_column table_columns[] = {
	{ "path", "PATH", false },
	{ "is", "IS", false },
	{ "should", "SHOULD BE", false },
	{ "why", "WHY", false },
};

static const struct report_column data_columns[] = {
	{ "action", NULL, false },
	{ "path", NULL, false },
	{ "uid", NULL, false },
	{ "gid", NULL, false },
	{ "mode", NULL, false },
	{ "want_uid", NULL, false },
	{ "want_gid", NULL, false },
	{ "want_mode", NULL, false },
	{ "why", NULL, false },
};

enum {
	TABLE_COLUMNS = sizeof(table_columns) / sizeof(table_columns[0]),
	DATA_COLUMNS = sizeof(data_columns) / sizeof(data_columns[0]),
};

static const char *
perms(char text[PERMS_ROOM], const struct vmail_fixperms_perms *p)
{
	snprintf(text, PERMS_ROOM, "%u:%u %04o", p->ids.uid, p->ids.gid,
	    p->mode & 07777);
	return text;
}

static void
put(struct fixperms_say *s, const struct cell *cells)
{
	progress_end(&s->progress);
	if (s->good)
		s->good = report_row(s->report, cells);
}

static void
put_text(struct fixperms_say *s, const char *path, const char *is,
    const char *should, const char *why)
{
	const struct cell row[TABLE_COLUMNS] = { cell_z(path), cell_z(is),
		cell_z(should), cell_z(why) };

	put(s, row);
}

/* True: one too many of its kind; it is counted instead. */
static bool
fold(struct fixperms_say *s, bool left)
{
	if (s->rows[left]++ < SHOWN)
		return false;
	s->folded[left]++;
	return true;
}

static void
table_row(struct fixperms_say *s, const struct vmail_fixperms_item *item)
{
	char is[PERMS_ROOM], should[PERMS_ROOM];
	const char *has = item->seen ? perms(is, &item->is) : NULL;

	switch (item->act) {
	case VMAIL_FIXPERMS_CHANGE:
		if (!s->run->quiet && !fold(s, false))
			put_text(s, item->path, has,
			    item->seen ? perms(should, &item->should) : NULL,
			    item->why);
		break;
	case VMAIL_FIXPERMS_LEFT:
		if (!fold(s, true))
			put_text(s, item->path, has, "left", item->why);
		break;
	case VMAIL_FIXPERMS_MISSING:
		if (s->missing)
			put_text(s, item->path, NULL, NULL, item->why);
		break;
	}
}

static const char *
act_word(enum vmail_fixperms_act act)
{
	switch (act) {
	case VMAIL_FIXPERMS_CHANGE:
		return "change";
	case VMAIL_FIXPERMS_LEFT:
		return "left";
	case VMAIL_FIXPERMS_MISSING:
		return "missing";
	}
	return NULL;
}

static void
data_perms(struct cell cells[3], char mode[PERMS_ROOM],
    const struct vmail_fixperms_perms *p)
{
	cells[0] = p ? cell_number(p->ids.uid) : cell_none();
	cells[1] = p ? cell_number(p->ids.gid) : cell_none();
	if (p)
		snprintf(mode, PERMS_ROOM, "%04o", p->mode & 07777);
	cells[2] = p ? cell_z(mode) : cell_none();
}

static void
data_row(struct fixperms_say *s, const struct vmail_fixperms_item *item)
{
	bool wanted = item->seen && item->act == VMAIL_FIXPERMS_CHANGE;
	char is[PERMS_ROOM], should[PERMS_ROOM];
	struct cell row[DATA_COLUMNS];

	row[0] = cell_z(act_word(item->act));
	row[1] = cell_z(item->path);
	data_perms(row + 2, is, item->seen ? &item->is : NULL);
	data_perms(row + 5, should, wanted ? &item->should : NULL);
	row[8] = cell_z(item->why);
	put(s, row);
}

static void
item(const struct vmail_fixperms_item *item, void *arg)
{
	struct fixperms_say *s = arg;

	if (s->run->output == OUTPUT_TABLE)
		table_row(s, item);
	else
		data_row(s, item);
}

static void
step(void *arg)
{
	struct fixperms_say *s = arg;

	progress_step(&s->progress, s->fix->seen, s->done, s->total);
}

bool
fixperms_say_open(
    struct fixperms_say *s, const struct run *run, struct vmail_fixperms *fix)
{
	bool table = run->output == OUTPUT_TABLE;

	*s = (struct fixperms_say){ .run = run, .fix = fix, .good = true };
	progress_start(&s->progress, run->quiet);
	s->progress.unit = "files";
	s->report =
	    report_open(run->output, table ? table_columns : data_columns,
		table ? TABLE_COLUMNS : DATA_COLUMNS);
	fix->say = item;
	fix->step = step;
	fix->arg = s;
	return s->report != NULL;
}

void
fixperms_say_home(struct fixperms_say *s, const char *path)
{
	char words[WORDS];

	for (int left = 0; left < 2; left++) {
		if (s->folded[left] > 0) {
			snprintf(words, sizeof(words),
			    "%llu more below it: --json shows all",
			    (unsigned long long)s->folded[left]);
			put_text(s, path, NULL, left ? "left" : NULL, words);
		}
		s->rows[left] = s->folded[left] = 0;
	}
	s->done++;
}

void
fixperms_say_left(struct fixperms_say *s, const char *path, const char *why)
{
	item(
	    &(struct vmail_fixperms_item){
		.act = VMAIL_FIXPERMS_LEFT, .path = path, .why = why },
	    s);
}

bool
fixperms_say_close(struct fixperms_say *s)
{
	const struct vmail_fixperms *f = s->fix;

	progress_end(&s->progress);
	if (!report_close(s->report) || !s->good)
		return false;
	if (f->seen == 0 && f->missing == 0)
		return true;
	say_note("%llu looked at, %llu %s, %llu left as they are, "
		 "%llu homes not there yet",
	    (unsigned long long)f->seen, (unsigned long long)f->changed,
	    s->run->dry_run ? "to change" : "changed",
	    (unsigned long long)f->left, (unsigned long long)f->missing);
	return true;
}
