#include "cli/change.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cli/say.h"

int
change_open(const struct run *run, struct vmail_store **store)
{
	struct vmail_err err;

	if (vmail_store_open(&run->conf, run->wait, store, &err) != VMAIL_OK)
		return say_error(&err);
	return STATUS_OK;
}

static enum vmail_rc
find_lower(struct vmail_store *store, struct vmail_str typed,
    struct vmail_line *line, struct vmail_err *err)
{
	char lower[VMAIL_NAME_MAX];

	if (typed.n > sizeof(lower))
		return VMAIL_NOT_FOUND;
	memcpy(lower, typed.p, typed.n);
	vmail_text_lower(lower, typed.n);
	return vmail_store_find(
	    store, (struct vmail_str){ lower, typed.n }, line, err);
}

int
change_find(
    struct vmail_store *store, const char *typed, struct vmail_line *line)
{
	struct vmail_str name = vmail_str(typed);
	struct vmail_err err;
	enum vmail_rc rc;

	if (!vmail_name_askable(name))
		return say_fail(
		    STATUS_USAGE, "not a name of a record: '%s'", typed);
	rc = vmail_store_find(store, name, line, &err);
	if (rc == VMAIL_NOT_FOUND)
		rc = find_lower(store, name, line, &err);
	if (rc == VMAIL_NOT_FOUND)
		return say_fail(STATUS_NO_USER, "%s: no such user", typed);
	return rc == VMAIL_OK ? STATUS_OK : say_error(&err);
}

int
change_peek(const struct run *run, char *const *typed, size_t n)
{
	VMAIL_STORE *store = NULL;
	struct vmail_line line;
	int status = change_open(run, &store);

	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		status = change_find(store, typed[i], &line);
	return status;
}

int
change_replace(struct vmail_store *store, const struct vmail_line *line,
    struct vmail_str text)
{
	struct vmail_entry entry;
	struct vmail_err err;
	const char *why;

	if (vmail_entry_parse(text, &entry, &why) != VMAIL_OK) {
		if (!line->malformed)
			return say_fail(STATUS_USAGE,
			    "the line would be malformed: %s", why);
		say_warn("the line is malformed still: %s", why);
	}
	if (vmail_store_replace(store, line, text, &err) != VMAIL_OK)
		return say_error(&err);
	return STATUS_OK;
}

static void
stoppers(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTSTP);
}

void
change_hold_signals(void)
{
	sigset_t set;

	stoppers(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

bool
change_stopped(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
	       sigismember(&set, SIGHUP) || sigismember(&set, SIGQUIT);
}

void
change_let_signals(void)
{
	sigset_t set;

	stoppers(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void
say_stale(const struct vmail_err *warning)
{
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(warning, text, sizeof(text));
	say_warn("the change is done, but not all that goes with it: %s", text);
	say_mend("vmailadm map");
}

static void
say_unsynced(const struct run *run, const struct vmail_err *why)
{
	const char *path = run->conf.passwd_file;
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(why, text, sizeof(text));
	say_warn("the change is done, but a power cut may undo it: %s", text);
	say_mend("dmesg tells what the disk has; then: sync %.*s",
	    (int)(strrchr(path, '/') - path) + 1, path);
}

/* Readers may have met the file half written, for a moment. */
static void
say_in_place(const struct run *run, const struct vmail_commit *done)
{
	const char *path = run->conf.passwd_file;

	if (!done->in_place)
		return;
	if (done->holder != 0)
		say_warn("%s: written over in place, which is not atomic: "
			 "process %d has this file mounted alone",
		    path, (int)done->holder);
	else
		say_warn("%s: written over in place, which is not atomic: "
			 "it is itself a mount point",
		    path);
	say_mend("mount its folder instead of the file; vmailadm check names "
		 "who has it");
}

static int
say_bulk(void)
{
	say_fail(0, "fewer than half of the users would be left");
	say_mend("name fewer at once; or, if that is meant: --force");
	return STATUS_FAILED;
}

int
change_commit(struct run *run, struct vmail_store **store, bool force)
{
	struct vmail_commit done;
	struct vmail_err err;
	enum vmail_rc rc;

	if (run->dry_run) {
		vmail_store_close(store);
		return STATUS_OK;
	}
	change_hold_signals();
	rc = vmail_store_commit(*store, force, &done, &err);
	vmail_store_close(store);
	change_let_signals();
	if (rc == VMAIL_INVALID && !force)
		return say_bulk();
	if (rc != VMAIL_OK)
		return say_error(&err);
	run->committed = true;
	say_in_place(run, &done);
	if (done.warning.rc != VMAIL_OK)
		say_stale(&done.warning);
	if (done.unsynced.rc != VMAIL_OK)
		say_unsynced(run, &done.unsynced);
	return STATUS_OK;
}

void
change_settle(const struct run *run)
{
	struct timespec at;

	if (!run->settle || !run->committed)
		return;
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec++;
	at.tv_nsec = 20000000;
	while (
	    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}
