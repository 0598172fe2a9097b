/*
 * A whole record that comes from outside, held against every rule for what is
 * written (formats.md, "Rules for what we write").
 */
#ifndef VMAIL_CLI_NEWRECORD_H
#define VMAIL_CLI_NEWRECORD_H

#include "cli/userview.h"

struct newrecord_fault {
	const char *field, *why;
	int status; /* STATUS_EXISTS: the name is an account's */
};

struct newrecord_rules {
	struct userview *view; /* resolves ids, remembers the last ones */
	bool homes; /* are they made? Then everybody needs a number here */
};

/* May this be written? The name is lower-cased already. */
bool newrecord_judge(const struct newrecord_rules *rules,
    const struct vmail_entry *entry, struct newrecord_fault *fault);

/* The same of everything but the name. */
bool newrecord_judge_fields(const struct newrecord_rules *rules,
    const struct vmail_entry *entry, struct newrecord_fault *fault);

#endif
