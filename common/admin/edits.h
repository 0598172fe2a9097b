/*
 * The edits of one transaction, and the new file they make of the old one.
 * Internal to the store.
 */
#ifndef VMAIL_ADMIN_EDITS_H
#define VMAIL_ADMIN_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/admin/nameset.h"
#include "common/core/err.h"
#include "common/core/text.h"

/* What stands in a passwd-file without users: 0 bytes read as "unavailable". */
#define VMAIL_EMPTY_FILE "# vmail passwd-file: see vmail_passwd(5)\n"

/* One old line replaced or removed. */
struct vmail_edit {
	uint64_t line;	  /* offset of the old line */
	uint64_t at, cut; /* the bytes [at, at + cut) go ... */
	size_t from, put; /* ... and text[from, from + put) takes their place */
	char *text;	  /* the whole new line; NULL: the line is removed */
	size_t n;
	bool user;	/* the old line was a sound record */
	bool is_public; /* changes what the map holds */
	char *old;	/* the old line where both are so; else NULL */
	size_t old_n;
};

/* Added lines, each with its line feed; pages of its own, which grow. */
struct vmail_edits_text {
	char *p;
	size_t n, room;
};

/*
 * Where added lines go that are too many for the memory. `put` takes whole
 * lines and leaves another, empty text in its place; `get` reads back n bytes
 * that were put, from `at` on; `end` returns when all is in the new file.
 */
struct vmail_edits_sink {
	enum vmail_rc (*put)(struct vmail_edits_sink *sink,
	    struct vmail_edits_text *text, struct vmail_err *err);
	bool (*get)(
	    struct vmail_edits_sink *sink, uint64_t at, char *p, size_t n);
	enum vmail_rc (*end)(
	    struct vmail_edits_sink *sink, struct vmail_err *err);
};

/* As much is kept before anything is put. */
enum { VMAIL_EDITS_BLOCK = 524288 };

/* Zeroed to begin with. */
struct vmail_edits {
	struct vmail_edit *list; /* in order of offset */
	size_t n, room;
	struct vmail_edits_text added;
	size_t adds;
	uint64_t gone; /* bytes of added lines that the sink has taken */
	struct vmail_edits_sink *sink; /* the caller's; NULL: none */
	bool whole;   /* all of it is new: what stands in the file whole_fd */
	int whole_fd; /* the caller's */
	struct vmail_nameset names; /* theirs; they lie in added */
};

/* The file that the edits are for. */
struct vmail_edits_base {
	int fd;
	const char *path; /* for messages */
	uint64_t size;
	bool open_end; /* no line feed at its end */
};

/* `old` is the line without its line feed, at `offset`; sound: it parsed. */
enum vmail_rc vmail_edits_replace(struct vmail_edits *e, uint64_t offset,
    struct vmail_str old, bool sound, struct vmail_str text,
    struct vmail_err *err);
enum vmail_rc vmail_edits_remove(struct vmail_edits *e, uint64_t offset,
    struct vmail_str old, bool sound, bool ended, struct vmail_err *err);
enum vmail_rc vmail_edits_add(
    struct vmail_edits *e, struct vmail_str text, struct vmail_err *err);

/* From now on lines are only added, and go to the sink as they come. NULL ends
 * that. VMAIL_EXISTS: something else was edited. */
enum vmail_rc vmail_edits_stream(struct vmail_edits *e,
    struct vmail_edits_sink *sink, struct vmail_err *err);

/* Is a line of that name added? Then *index says which one, from 0. */
bool vmail_edits_added(
    const struct vmail_edits *e, struct vmail_str name, size_t *index);

/* The content of fd in place of all lines; nothing else may be edited then.
 * VMAIL_EXISTS: something was. */
enum vmail_rc vmail_edits_whole(
    struct vmail_edits *e, int fd, struct vmail_err *err);

/* Would the new file differ at all? */
bool vmail_edits_any(const struct vmail_edits *e);
/* Does the map's content change? Else: by how many bytes at most did a line
 * move? */
bool vmail_edits_public(const struct vmail_edits *e);
uint64_t vmail_edits_drift(const struct vmail_edits *e);
/* One change of what the map holds. */
struct vmail_edits_change {
	struct vmail_str old, new; /* sound lines; p NULL: there is none */
	uint64_t at;		   /* of the new one in the new file */
};
/* How many there are, and each in turn, unless a sink took some. False: the
 * callback stopped it. */
size_t vmail_edits_changes(const struct vmail_edits *e);
bool vmail_edits_each_change(const struct vmail_edits *e,
    const struct vmail_edits_base *base,
    bool (*each)(const struct vmail_edits_change *change, void *arg),
    void *arg);

/* Sound records removed. */
uint64_t vmail_edits_removed(const struct vmail_edits *e);

/* Writes the new file into the empty `to`, then holds its size and each
 * edited line against what was meant. Where a sink has taken lines it gets the
 * last of them, and `to` is its file (which holds what was there before). */
enum vmail_rc vmail_edits_compose(struct vmail_edits *e,
    const struct vmail_edits_base *base, int to, struct vmail_err *err);
enum vmail_rc vmail_edits_verify(const struct vmail_edits *e,
    const struct vmail_edits_base *base, int to, struct vmail_err *err);

/* Wipes, frees and zeroes. */
void vmail_edits_clear(struct vmail_edits *e);
void vmail_edits_text_free(struct vmail_edits_text *text);

/* All of n bytes at offset at, whatever write says in between; false with
 * errno. */
bool vmail_edits_pwrite(int fd, const void *p, size_t n, uint64_t at);
/* n bytes of one file to another, cloned where that can be; false with errno.
 */
bool vmail_edits_copy(int from, uint64_t at, int to, uint64_t put, uint64_t n);

#endif
