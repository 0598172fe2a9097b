#include "cli/locking.h"

#include <stdlib.h>
#include <string.h>

#include "cli/change.h"
#include "cli/say.h"
#include "common/core/extra.h"

enum { USERDB_COLONS = 3, TOKEN_MAX = 64 };

/* What became of one user. */
enum fate { AS_IT_WAS, CHANGED, BY_HAND };

static enum vmail_rc
turn(enum locking way, struct vmail_str line, struct vmail_buf *out)
{
	return way == LOCKING_LOCK ? vmail_extra_lock(line, out)
				   : vmail_extra_unlock(line, out);
}

/* A line with fewer than seven colons is padded, to have extras at all. */
static void
say_padding(const struct vmail_line *line)
{
	if (line->entry.colons < USERDB_COLONS)
		say_warn("%.*s: had a password alone; its line is padded, and "
			 "so a userdb entry too until it is unlocked",
		    (int)line->entry.name.n, line->entry.name.p);
}

static void
say_by_hand(const struct vmail_line *line)
{
	say_fail(0,
	    "%.*s: locked by a hand-written fail or nologin, which "
	    "stays",
	    (int)line->entry.name.n, line->entry.name.p);
	say_mend("take it out of the line with an editor, then run "
		 "vmailadm map");
}

static bool
by_hand(struct vmail_str text)
{
	struct vmail_entry e;

	return vmail_entry_parse(text, &e, NULL) == VMAIL_OK &&
	       vmail_extra_lock_state(e.extra) == VMAIL_LOCK_FOREIGN;
}

static int
apply(struct vmail_store *store, enum locking way,
    const struct vmail_line *line, enum fate *fate)
{
	char text[VMAIL_LINE_MAX + TOKEN_MAX];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	enum vmail_rc rc = turn(way, line->text, &b);
	struct vmail_str after = { text, b.len };
	int status = STATUS_OK;

	*fate = AS_IT_WAS;
	if (rc == VMAIL_TOO_SMALL)
		return say_fail(STATUS_FAILED, "the line would be too long");
	if (rc == VMAIL_OK) {
		*fate = CHANGED;
		status = change_replace(store, line, after);
		if (way == LOCKING_LOCK)
			say_padding(line);
	} else {
		after = line->text;
	}
	if (way == LOCKING_UNLOCK && by_hand(after)) {
		say_by_hand(line);
		*fate = BY_HAND;
	}
	explicit_bzero(text, sizeof(text));
	return status;
}

static void
tell(const struct run *run, const char *name, enum locking way, enum fate fate)
{
	const char *word = way == LOCKING_LOCK ? "lock" : "unlock";

	if (fate == BY_HAND)
		return;
	if (fate == AS_IT_WAS)
		say_note("%s: %sed already", name, word);
	else if (run->dry_run)
		say_line("would %s %s", word, name);
	else
		say_note("%sed %s", word, name);
}

static int
apply_all(struct run *run, enum locking way, enum fate *fates)
{
	VMAIL_STORE *store = NULL;
	struct vmail_line line;
	int status = change_open(run, &store);

	for (size_t i = 0; status == STATUS_OK && i < run->operands; i++) {
		status = change_find(store, run->operand[i], &line);
		if (status == STATUS_OK)
			status = apply(store, way, &line, &fates[i]);
	}
	return status == STATUS_OK ? change_commit(run, &store, true) : status;
}

int
locking(struct run *run, enum locking way)
{
	enum fate *fates = calloc(run->operands + 1, sizeof(*fates));
	int status;

	if (!fates)
		return say_fail(STATUS_FAILED, "out of memory");
	status = apply_all(run, way, fates);
	/* What was done is said when it is done. */
	for (size_t i = 0; status == STATUS_OK && i < run->operands; i++)
		tell(run, run->operand[i], way, fates[i]);
	for (size_t i = 0; status == STATUS_OK && i < run->operands; i++)
		if (fates[i] == BY_HAND)
			status = STATUS_FAILED;
	free(fates);
	return status;
}
