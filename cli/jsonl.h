/*
 * Records as JSON, one object a line: fields as they stand in the file, the
 * hash included.
 */
#ifndef VMAIL_CLI_JSONL_H
#define VMAIL_CLI_JSONL_H

#include <stdio.h>

#include "common/core/entry.h"

enum jsonl_key {
	JSONL_USER,
	JSONL_DOMAIN,
	JSONL_UID,
	JSONL_GID,
	JSONL_GECOS,
	JSONL_HOME,
	JSONL_SHELL,
	JSONL_SCHEME,
	JSONL_LOCKED,
	JSONL_EXTRA,
	JSONL_PASSWORD,
	/* Those of a later version: refused when they say anything. */
	JSONL_EXPIRE,
	JSONL_SERVICES,
	JSONL_ALLOW_NETS,
	JSONL_QUOTA,
	JSONL_KEYS,
};

/* A value of an object; what is null or left out is NONE. */
struct jsonl_value {
	enum { JSONL_NONE, JSONL_TEXT, JSONL_NUMBER, JSONL_BOOL, JSONL_ODD } is;
	struct vmail_str text;
	long long number;
};

/* The key of that name; JSONL_KEYS: there is none. `after` is where it is
 * looked for first: objects of one source have one order. */
enum jsonl_key jsonl_key(struct vmail_str name, enum jsonl_key after);

/* Reads one object into the line it means, seven colons and the extras. False:
 * why not, in words that hold no secret. A record without `password` gets one
 * that never matches. */
bool jsonl_read(
    struct vmail_str json, struct vmail_buf *line, struct vmail_buf *why);

/* Writes a record and a line feed, with or without its password. False: out
 * failed, there is no memory, or (*utf8 is false) it holds bytes that JSON
 * cannot. */
bool jsonl_write(
    FILE *out, const struct vmail_entry *entry, bool password, bool *utf8);

#endif
