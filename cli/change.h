/*
 * One change of the passwd-file as every command makes it: the store opened,
 * records found by the name as typed, and a commit that no signal cuts in two.
 * All say what goes wrong and return a status.
 */
#ifndef VMAIL_CLI_CHANGE_H
#define VMAIL_CLI_CHANGE_H

#include "cli/cmd.h"
#include "common/admin/store.h"

int change_open(const struct run *run, struct vmail_store **store);

/* The record of that name, byte for byte; else lower-cased. */
int change_find(
    struct vmail_store *store, const char *typed, struct vmail_line *line);

/* Has every name in `typed` a record? Asked before a password is. */
int change_peek(const struct run *run, char *const *typed, size_t n);

/* An edited line in place of `line`; refused when nobody could read it. */
int change_replace(struct vmail_store *store, const struct vmail_line *line,
    struct vmail_str text);

/* Commits (with --dry-run: does not) and lets go of the lock. force: as the
 * store's. */
int change_commit(struct run *run, struct vmail_store **store, bool force);

/* No signal stops what stands between the two. */
void change_hold_signals(void);
void change_let_signals(void);
/* Does one wait that would have ended us? */
bool change_stopped(void);

/* --settle, after a commit: until a Dovecot that reads the file must see it
 * - the next whole
 * second of the wall clock has begun. */
void change_settle(const struct run *run);

#endif
