/*
 * How the command speaks: the result on stdout, the talk on stderr, and the
 * one switch from what happened to an exit status. Whatever comes from a file
 * or an argument is shown with its control bytes escaped.
 */
#ifndef VMAIL_CLI_SAY_H
#define VMAIL_CLI_SAY_H

#include <stdbool.h>

#include "common/core/err.h"

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_NO_USER = 3,
	STATUS_EXISTS = 4,
	STATUS_BUSY = 5,
	STATUS_UNSAFE = 6,
};

#define SAY_FORMAT(fmt, first) __attribute__((format(printf, fmt, first)))

/* -q: notes are not said. */
void say_quietly(bool quiet);
/* No results and notes for a while: a rehearsal. */
void say_mute(bool mute);

int say_status(enum vmail_rc rc);

/* The error, and below it how to mend it where we know; the exit status. */
int say_error(const struct vmail_err *err);

/* The same in own words. */
int say_fail(int status, const char *fmt, ...) SAY_FORMAT(2, 3);
void say_warn(const char *fmt, ...) SAY_FORMAT(1, 2);
void say_note(const char *fmt, ...) SAY_FORMAT(1, 2);
/* A line below a failure or warning: the command that mends it. */
void say_mend(const char *fmt, ...) SAY_FORMAT(1, 2);

/* One line of result. */
void say_line(const char *fmt, ...) SAY_FORMAT(1, 2);

/* Has all of stdout arrived? Then status; else it is said, and a failure. */
int say_finish(int status);

#endif
