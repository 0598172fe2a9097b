#include "cli/rewrite.h"

#include <stdio.h>
#include <string.h>

#include "cli/domains.h"
#include "cli/names.h"
#include "cli/say.h"
#include "common/admin/store.h"
#include "common/core/file.h"

enum { CHUNK = 65536 };

struct judgment {
	const struct rewrite_rules *rules;
	const char *path;
	/* Of the old file: its lines, its names, those that two lines have. */
	struct names lines, names, twins;
	struct names met; /* names of the new one */
	unsigned faults;
	bool full; /* no memory */
};

static long
meet(struct judgment *j, struct names *names, struct vmail_str s,
    unsigned long line)
{
	long first = names_meet(names, s, line);

	j->full = j->full || first < 0;
	return first;
}

static bool
note_old(const struct vmail_walk_line *line, void *arg)
{
	struct judgment *j = arg;
	struct vmail_entry e;

	meet(j, &j->lines, line->text, line->number);
	if (vmail_entry_parse(line->text, &e, NULL) == VMAIL_OK &&
	    meet(j, &j->names, e.name, line->number) > 0)
		meet(j, &j->twins, e.name, line->number);
	return !j->full;
}

static void
complain(struct judgment *j, const struct vmail_walk_line *line,
    const char *field, const char *why)
{
	if (++j->faults <= REWRITE_FAULTS_MAX)
		say_fail(0, "%s:%lu: %s%s%s", j->path, line->number, field,
		    field[0] ? ": " : "", why);
	else if (j->faults == REWRITE_FAULTS_MAX + 1)
		say_fail(0, "and more such lines");
}

static void
judge_twin(struct judgment *j, const struct vmail_walk_line *line,
    struct vmail_str name)
{
	long first = meet(j, &j->met, name, line->number);
	char text[64];

	if (first <= 0 || meet(j, &j->twins, name, line->number) > 0)
		return;
	snprintf(text, sizeof(text), "stands in line %ld already", first);
	complain(j, line, "name", text);
}

/* A line that was not there before. */
static void
judge_new(struct judgment *j, const struct vmail_walk_line *line,
    const struct vmail_entry *e)
{
	struct newrecord_fault fault;
	bool good;

	if (line->number == 1 && vmail_str_starts(line->text, "\xef\xbb\xbf")) {
		complain(j, line, "",
		    "a byte order mark, which would hide this user");
		return;
	}
	if (meet(j, &j->names, e->name, line->number) > 0) {
		good = newrecord_judge_fields(&j->rules->record, e, &fault);
	} else {
		good = newrecord_judge(&j->rules->record, e, &fault);
		if (good && !domains_holds(j->rules->domain, e->name))
			complain(j, line, "name",
			    "of another domain than this file, where nobody "
			    "looks for it");
	}
	if (!good)
		complain(j, line, fault.field, fault.why);
}

static bool
judge_line(const struct vmail_walk_line *line, void *arg)
{
	struct judgment *j = arg;
	const char *why = "longer than 20480 bytes";
	struct vmail_entry e;
	enum vmail_rc rc = VMAIL_MALFORMED;
	bool old;

	if (line->whole == line->text.n)
		rc = vmail_entry_parse(line->text, &e, &why);
	if (rc == VMAIL_NOT_FOUND)
		return true;
	old = meet(j, &j->lines, line->text, line->number) > 0;
	if (rc == VMAIL_OK)
		judge_twin(j, line, e.name);
	if (rc == VMAIL_OK && !old)
		judge_new(j, line, &e);
	else if (!old)
		complain(j, line, "malformed", why);
	return !j->full;
}

int
rewrite_judge(const struct rewrite_rules *rules, int old, int new,
    const char *path, unsigned *faults)
{
	struct judgment j = { .rules = rules, .path = path };
	struct vmail_err err;
	enum vmail_rc rc = VMAIL_OK;

	j.full = !names_open(&j.lines) || !names_open(&j.names) ||
		 !names_open(&j.twins) || !names_open(&j.met);
	if (!j.full)
		rc = vmail_store_walk_fd(old, path, note_old, &j, &err);
	if (!j.full && rc == VMAIL_OK)
		rc = vmail_store_walk_fd(new, path, judge_line, &j, &err);
	names_free(&j.lines);
	names_free(&j.names);
	names_free(&j.twins);
	names_free(&j.met);
	if (rc != VMAIL_OK)
		return say_error(&err);
	if (j.full)
		return say_fail(STATUS_FAILED, "out of memory");
	*faults = j.faults;
	return STATUS_OK;
}

bool
rewrite_same(int old, int new)
{
	char a[CHUNK], b[CHUNK];
	uint64_t at = 0;
	ssize_t an, bn;

	do {
		an = vmail_file_pread(old, a, CHUNK, at);
		bn = vmail_file_pread(new, b, CHUNK, at);
		at += CHUNK;
	} while (an == CHUNK && bn == CHUNK && memcmp(a, b, CHUNK) == 0);
	an = an == bn && an >= 0 && memcmp(a, b, (size_t)an) == 0;
	explicit_bzero(a, sizeof(a));
	explicit_bzero(b, sizeof(b));
	return an;
}
