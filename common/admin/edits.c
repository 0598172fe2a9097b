#include "common/admin/edits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/secret.h"
#include "common/core/entry.h"
#include "common/core/file.h"

enum { COPY_CHUNK = 65536, COPY_STRETCH = 8 << 20, COMPARE_CHUNK = 4096 };

static enum vmail_rc
no_memory(struct vmail_err *err)
{
	errno = ENOMEM;
	return vmail_fail(err, VMAIL_NO_MEMORY, NULL, 0, "edits");
}

static enum vmail_rc
judge(struct vmail_str text, struct vmail_err *err)
{
	if (text.n == 0)
		return vmail_fail(err, VMAIL_INVALID, NULL, 0, "an empty line");
	if (memchr(text.p, '\n', text.n) != NULL)
		return vmail_fail(
		    err, VMAIL_INVALID, NULL, 0, "a line feed in a line");
	return VMAIL_OK;
}

/* Pages of our own: they grow without a copy, and without leaving hashes in
 * what is given back. */
static bool
text_room(struct vmail_edits_text *t, size_t n)
{
	size_t room = t->room != 0 ? t->room : 65536;
	void *p;

	if (t->n + n <= t->room)
		return true;
	while (room < t->n + n)
		room *= 2;
	if (t->p == NULL)
		p = mmap(NULL, room, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		p = mremap(t->p, t->room, room, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return false;
	(void)madvise(p, room, MADV_HUGEPAGE);
	t->p = p;
	t->room = room;
	return true;
}

void
vmail_edits_text_free(struct vmail_edits_text *t)
{
	if (t->p != NULL) {
		explicit_bzero(t->p, t->room);
		(void)munmap(t->p, t->room);
	}
	*t = (struct vmail_edits_text){ 0 };
}

/* The place of the edit for the line at offset, in the ordered list. */
static size_t
place_of(const struct vmail_edits *e, uint64_t offset)
{
	size_t lo = 0, hi = e->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (e->list[mid].line < offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum vmail_rc
insert(
    struct vmail_edits *e, const struct vmail_edit *edit, struct vmail_err *err)
{
	size_t i = place_of(e, edit->line);

	if (i < e->n && e->list[i].line == edit->line)
		return vmail_fail(
		    err, VMAIL_EXISTS, NULL, 0, "this line is changed already");
	if (e->n == e->room) {
		size_t room = e->room != 0 ? 2 * e->room : 4;
		struct vmail_edit *list;

		list = reallocarray(e->list, room, sizeof(*list));
		if (list == NULL)
			return no_memory(err);
		e->list = list;
		e->room = room;
	}
	memmove(&e->list[i + 1], &e->list[i], (e->n - i) * sizeof(*e->list));
	e->list[i] = *edit;
	e->n++;
	return VMAIL_OK;
}

/* Bytes that a and b have in common at their beginnings, and then, of what is
 * left, at their ends. */
static void
common(struct vmail_str a, struct vmail_str b, size_t *head, size_t *tail)
{
	size_t n = a.n < b.n ? a.n : b.n;

	*head = *tail = 0;
	while (*head < n && a.p[*head] == b.p[*head])
		++*head;
	while (
	    *head + *tail < n && a.p[a.n - *tail - 1] == b.p[b.n - *tail - 1])
		++*tail;
}

static bool
public_differs(struct vmail_str old, bool sound, struct vmail_str text)
{
	struct vmail_entry a, b;
	bool sound_now = vmail_entry_parse(text, &b, NULL) == VMAIL_OK;

	if (!sound || !sound_now)
		return sound != sound_now;
	if (vmail_entry_parse(old, &a, NULL) != VMAIL_OK)
		return true;
	return !vmail_str_eq(a.name, b.name) ||
	       !vmail_entry_public_same(&a, &b);
}

/* Keeps the old line of a change of the map. */
static bool
keep_old(struct vmail_edit *edit, struct vmail_str old)
{
	if (!edit->is_public || !edit->user)
		return true;
	if ((edit->old = malloc(old.n)) == NULL)
		return false;
	memcpy(edit->old, old.p, old.n);
	edit->old_n = old.n;
	return true;
}

static void
edit_wipe(struct vmail_edit *edit)
{
	vmail_wipe_free(&edit->text, edit->n);
	vmail_wipe_free(&edit->old, edit->old_n);
}

/* What a sink has taken stands in the new file already, behind all that was
 * there. */
static enum vmail_rc
only_adds(const struct vmail_edits *e, struct vmail_err *err)
{
	if (e->sink == NULL)
		return VMAIL_OK;
	return vmail_fail(
	    err, VMAIL_EXISTS, NULL, 0, "lines are being added in bulk");
}

enum vmail_rc
vmail_edits_replace(struct vmail_edits *e, uint64_t offset,
    struct vmail_str old, bool sound, struct vmail_str text,
    struct vmail_err *err)
{
	struct vmail_edit edit = { .line = offset, .user = sound, .n = text.n };
	size_t tail;
	enum vmail_rc rc = judge(text, err);

	if (rc == VMAIL_OK)
		rc = only_adds(e, err);
	if (rc != VMAIL_OK)
		return rc;
	common(old, text, &edit.from, &tail);
	edit.at = offset + edit.from;
	edit.cut = old.n - edit.from - tail;
	edit.put = text.n - edit.from - tail;
	edit.is_public = public_differs(old, sound, text);
	if ((edit.text = malloc(text.n)) == NULL)
		return no_memory(err);
	memcpy(edit.text, text.p, text.n);
	rc = keep_old(&edit, old) ? insert(e, &edit, err) : no_memory(err);
	if (rc != VMAIL_OK)
		edit_wipe(&edit);
	return rc;
}

enum vmail_rc
vmail_edits_remove(struct vmail_edits *e, uint64_t offset, struct vmail_str old,
    bool sound, bool ended, struct vmail_err *err)
{
	struct vmail_edit edit = {
		.line = offset,
		.at = offset,
		.cut = old.n + (ended ? 1 : 0),
		.user = sound,
		.is_public = sound,
	};
	enum vmail_rc rc = only_adds(e, err);

	if (rc != VMAIL_OK)
		return rc;
	rc = keep_old(&edit, old) ? insert(e, &edit, err) : no_memory(err);
	if (rc != VMAIL_OK)
		edit_wipe(&edit);
	return rc;
}

/* Bytes of the added lines, those that the sink took included. */
static bool
added_bytes(const struct vmail_edits *e, uint64_t at, char *p, size_t n)
{
	if (at < e->gone)
		return e->gone - at >= n && e->sink->get(e->sink, at, p, n);
	at -= e->gone;
	if (e->added.n - at < n)
		return false;
	memcpy(p, e->added.p + at, n);
	return true;
}

static bool
same_name(const void *arg, uint32_t at, struct vmail_str name)
{
	char there[VMAIL_LINE_MAX + 1];

	return added_bytes(arg, at, there, name.n + 1) &&
	       (there[name.n] == ':' || there[name.n] == '\n') &&
	       memcmp(there, name.p, name.n) == 0;
}

static enum vmail_rc
new_name(struct vmail_edits *e, struct vmail_str line, struct vmail_err *err)
{
	struct vmail_str name = vmail_text_cut(&line, ':');
	uint32_t at = (uint32_t)(e->gone + e->added.n);

	switch (vmail_nameset_add(&e->names, name, same_name, e, &at)) {
	case VMAIL_NAMESET_NEW:
		return VMAIL_OK;
	case VMAIL_NAMESET_MET:
		return vmail_fail(
		    err, VMAIL_EXISTS, NULL, 0, "this name is added already");
	case VMAIL_NAMESET_NO_MEMORY:
		break;
	}
	return no_memory(err);
}

static enum vmail_rc
hand_over(struct vmail_edits *e, struct vmail_err *err)
{
	size_t n = e->added.n;
	enum vmail_rc rc = e->sink->put(e->sink, &e->added, err);

	if (rc == VMAIL_OK)
		e->gone += n;
	return rc;
}

enum vmail_rc
vmail_edits_add(
    struct vmail_edits *e, struct vmail_str text, struct vmail_err *err)
{
	enum vmail_rc rc = judge(text, err);

	if (rc == VMAIL_OK && text.n > VMAIL_LINE_MAX)
		return vmail_fail(
		    err, VMAIL_INVALID, NULL, 0, "too long for a line");
	if (rc == VMAIL_OK && e->gone + e->added.n + text.n >= UINT32_MAX)
		return vmail_fail(err, VMAIL_UNSUPPORTED, NULL, 0,
		    "more than 4 GiB of lines in one change");
	if (rc == VMAIL_OK && e->sink != NULL &&
	    e->added.n + text.n >= VMAIL_EDITS_BLOCK)
		rc = hand_over(e, err);
	if (rc == VMAIL_OK && !text_room(&e->added, text.n + 1))
		rc = no_memory(err);
	if (rc == VMAIL_OK)
		rc = new_name(e, text, err);
	if (rc != VMAIL_OK)
		return rc;
	memcpy(e->added.p + e->added.n, text.p, text.n);
	e->added.p[e->added.n + text.n] = '\n';
	e->added.n += text.n + 1;
	e->adds++;
	return VMAIL_OK;
}

enum vmail_rc
vmail_edits_stream(
    struct vmail_edits *e, struct vmail_edits_sink *sink, struct vmail_err *err)
{
	if (sink != NULL && (e->whole || vmail_edits_any(e)))
		return vmail_fail(
		    err, VMAIL_EXISTS, NULL, 0, "lines are changed already");
	e->sink = sink;
	return VMAIL_OK;
}

/* Lines that end before `at`, in all that was added. */
static size_t
lines_before(const struct vmail_edits *e, uint64_t at)
{
	char chunk[COMPARE_CHUNK];
	size_t lines = 0;

	for (uint64_t i = 0; i < at;) {
		uint64_t end = i < e->gone && e->gone < at ? e->gone : at;
		size_t n =
		    end - i < sizeof(chunk) ? (size_t)(end - i) : sizeof(chunk);

		if (!added_bytes(e, i, chunk, n))
			break;
		for (size_t k = 0; k < n; k++)
			lines += chunk[k] == '\n';
		i += n;
	}
	explicit_bzero(chunk, sizeof(chunk));
	return lines;
}

bool
vmail_edits_added(
    const struct vmail_edits *e, struct vmail_str name, size_t *index)
{
	uint32_t at;

	if (name.n > VMAIL_LINE_MAX ||
	    !vmail_nameset_find(&e->names, name, same_name, e, &at))
		return false;
	*index = lines_before(e, at);
	return true;
}

enum vmail_rc
vmail_edits_whole(struct vmail_edits *e, int fd, struct vmail_err *err)
{
	if (e->whole || e->sink != NULL || vmail_edits_any(e))
		return vmail_fail(
		    err, VMAIL_EXISTS, NULL, 0, "lines are changed already");
	e->whole = true;
	e->whole_fd = fd;
	return VMAIL_OK;
}

bool
vmail_edits_any(const struct vmail_edits *e)
{
	if (e->whole)
		return true;
	for (size_t i = 0; i < e->n; i++)
		if (e->list[i].cut != 0 || e->list[i].put != 0)
			return true;
	return e->adds != 0;
}

bool
vmail_edits_public(const struct vmail_edits *e)
{
	if (e->whole)
		return true;
	for (size_t i = 0; i < e->n; i++)
		if (e->list[i].is_public)
			return true;
	return e->adds != 0;
}

uint64_t
vmail_edits_drift(const struct vmail_edits *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < e->n; i++) {
		uint64_t cut = e->list[i].cut, put = e->list[i].put;

		sum += cut > put ? cut - put : put - cut;
	}
	return sum;
}

size_t
vmail_edits_changes(const struct vmail_edits *e)
{
	size_t n = e->adds;

	for (size_t i = 0; i < e->n; i++)
		n += e->list[i].is_public;
	return n;
}

uint64_t
vmail_edits_removed(const struct vmail_edits *e)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		n += e->list[i].text == NULL && e->list[i].user;
	return n;
}

/* Must a line feed close the last old line before something is added? */
static bool
closes(const struct vmail_edits *e, const struct vmail_edits_base *base)
{
	const struct vmail_edit *last = e->n != 0 ? &e->list[e->n - 1] : NULL;

	if (e->adds == 0 || !base->open_end)
		return false;
	return last == NULL || last->text != NULL ||
	       last->at + last->cut < base->size;
}

static uint64_t
kept_size(const struct vmail_edits *e, const struct vmail_edits_base *base)
{
	uint64_t size = base->size;

	for (size_t i = 0; i < e->n; i++)
		size = size - e->list[i].cut + e->list[i].put;
	return size;
}

static uint64_t
new_size(const struct vmail_edits *e, const struct vmail_edits_base *base)
{
	uint64_t size = kept_size(e, base) + e->gone + e->added.n;

	if (size == 0)
		return sizeof(VMAIL_EMPTY_FILE) - 1;
	return size + (closes(e, base) ? 1 : 0);
}

static bool
each_added(const struct vmail_edits *e, uint64_t at,
    bool (*each)(const struct vmail_edits_change *change, void *arg), void *arg)
{
	struct vmail_str rest = { e->added.p, e->added.n };

	for (size_t i = 0; i < e->adds; i++) {
		struct vmail_edits_change c = {
			.new = vmail_text_cut(&rest, '\n'), .at = at
		};

		if (!each(&c, arg))
			return false;
		at += c.new.n + 1;
	}
	return true;
}

bool
vmail_edits_each_change(const struct vmail_edits *e,
    const struct vmail_edits_base *base,
    bool (*each)(const struct vmail_edits_change *change, void *arg), void *arg)
{
	uint64_t moved = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct vmail_edit *edit = &e->list[i];
		struct vmail_edits_change c = {
			.old = { edit->old, edit->old_n },
			.new = { edit->text, edit->n },
			.at = edit->line + moved,
		};

		if (edit->is_public && !each(&c, arg))
			return false;
		moved += edit->put - edit->cut; /* modulo 2^64, both ways */
	}
	return each_added(
	    e, kept_size(e, base) + (closes(e, base) ? 1 : 0), each, arg);
}

bool
vmail_edits_pwrite(int fd, const void *p, size_t n, uint64_t at)
{
	const char *from = p;

	while (n != 0) {
		ssize_t put = pwrite(fd, from, n, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		from += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return true;
}

/* The old file ends before the size it had when it was opened. */
static bool
cut_short(void)
{
	errno = ESTALE;
	return false;
}

static bool
copy_by_hand(int from, uint64_t at, int to, uint64_t put, uint64_t n)
{
	char *buf = malloc(COPY_CHUNK);
	bool good = buf != NULL;

	while (good && n != 0) {
		size_t want = n < COPY_CHUNK ? (size_t)n : COPY_CHUNK;
		ssize_t got = vmail_file_pread(from, buf, want, at);

		if (got == 0)
			good = cut_short();
		else
			good = got > 0 &&
			       vmail_edits_pwrite(to, buf, (size_t)got, put);
		if (!good)
			break;
		at += (uint64_t)got;
		put += (uint64_t)got;
		n -= (uint64_t)got;
	}
	vmail_wipe_free(&buf, COPY_CHUNK);
	return good;
}

static bool
cannot_copy_range(int error)
{
	return error == EXDEV || error == EINVAL || error == ENOSYS ||
	       error == EOPNOTSUPP || error == EPERM;
}

bool
vmail_edits_copy(int from, uint64_t at, int to, uint64_t put, uint64_t n)
{
	while (n != 0) {
		off_t in = (off_t)at, out = (off_t)put;
		size_t want = n < COPY_STRETCH ? (size_t)n : COPY_STRETCH;
		ssize_t got = copy_file_range(from, &in, to, &out, want, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && cannot_copy_range(errno))
			return copy_by_hand(from, at, to, put, n);
		if (got == 0)
			return cut_short();
		if (got < 0)
			return false;
		at += (uint64_t)got;
		put += (uint64_t)got;
		n -= (uint64_t)got;
		/* The disk works on this stretch while the next one is copied;
		 * whether it could, the caller's fsync says. */
		if (n != 0)
			(void)sync_file_range(
			    to, out - got, got, SYNC_FILE_RANGE_WRITE);
	}
	return true;
}

static bool
put_edit(const struct vmail_edit *edit, int to, uint64_t at)
{
	return edit->put == 0 ||
	       vmail_edits_pwrite(to, edit->text + edit->from, edit->put, at);
}

/* Nothing moves: the whole at once, which a file system can clone. */
static bool
compose_in_place(
    const struct vmail_edits *e, const struct vmail_edits_base *base, int to)
{
	if (!vmail_edits_copy(base->fd, 0, to, 0, base->size))
		return false;
	for (size_t i = 0; i < e->n; i++)
		if (!put_edit(&e->list[i], to, e->list[i].at))
			return false;
	return true;
}

static bool
compose_pieces(
    const struct vmail_edits *e, const struct vmail_edits_base *base, int to)
{
	uint64_t at = 0, out = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct vmail_edit *edit = &e->list[i];
		uint64_t n = edit->at - at;

		if (!vmail_edits_copy(base->fd, at, to, out, n) ||
		    !put_edit(edit, to, out + n))
			return false;
		out += n + edit->put;
		at = edit->at + edit->cut;
	}
	return vmail_edits_copy(base->fd, at, to, out, base->size - at);
}

static bool
compose_end(
    const struct vmail_edits *e, const struct vmail_edits_base *base, int to)
{
	uint64_t at = kept_size(e, base);

	if (at + e->added.n == 0)
		return vmail_edits_pwrite(
		    to, VMAIL_EMPTY_FILE, sizeof(VMAIL_EMPTY_FILE) - 1, 0);
	if (closes(e, base) && !vmail_edits_pwrite(to, "\n", 1, at++))
		return false;
	return vmail_edits_pwrite(to, e->added.p, e->added.n, at);
}

static bool
compose_whole(const struct vmail_edits *e, int to)
{
	uint64_t size;

	if (!vmail_file_size(e->whole_fd, &size))
		return false;
	if (size == 0)
		return vmail_edits_pwrite(
		    to, VMAIL_EMPTY_FILE, sizeof(VMAIL_EMPTY_FILE) - 1, 0);
	return vmail_edits_copy(e->whole_fd, 0, to, 0, size);
}

static enum vmail_rc
compose_rest(struct vmail_edits *e, struct vmail_err *err)
{
	enum vmail_rc rc = VMAIL_OK;

	if (e->added.n != 0)
		rc = hand_over(e, err);
	return rc == VMAIL_OK ? e->sink->end(e->sink, err) : rc;
}

enum vmail_rc
vmail_edits_compose(struct vmail_edits *e, const struct vmail_edits_base *base,
    int to, struct vmail_err *err)
{
	bool moves = false, good;

	if (e->gone != 0)
		return compose_rest(e, err);

	if (e->whole)
		return compose_whole(e, to) ? VMAIL_OK
					    : vmail_fail_sys(err, base->path,
						  "write the new file");
	for (size_t i = 0; i < e->n; i++)
		moves |= e->list[i].cut != e->list[i].put;
	good =
	    moves ? compose_pieces(e, base, to) : compose_in_place(e, base, to);
	if (!good || !compose_end(e, base, to))
		return vmail_fail_sys(err, base->path, "write the new file");
	return VMAIL_OK;
}

static bool
holds(int fd, uint64_t at, const char *p, size_t n)
{
	char chunk[COMPARE_CHUNK];
	bool same = true;

	while (same && n != 0) {
		size_t want = n < sizeof(chunk) ? n : sizeof(chunk);
		ssize_t got = vmail_file_pread(fd, chunk, want, at);

		same = got == (ssize_t)want && memcmp(chunk, p, want) == 0;
		p += want;
		at += want;
		n -= want;
	}
	explicit_bzero(chunk, sizeof(chunk));
	return same;
}

/* A line alone: nothing of its neighbours ran into it. */
static bool
holds_line(int fd, uint64_t at, const struct vmail_edit *edit, uint64_t size)
{
	if (!holds(fd, at, edit->text, edit->n))
		return false;
	if (at != 0 && !holds(fd, at - 1, "\n", 1))
		return false;
	return at + edit->n == size || holds(fd, at + edit->n, "\n", 1);
}

/* Every byte: a bulk change is read back as a whole. */
static bool
holds_whole(const struct vmail_edits *e, int to)
{
	char chunk[COMPARE_CHUNK];
	uint64_t size, have, at = 0;
	ssize_t got = 1;
	bool same;

	if (!vmail_file_size(e->whole_fd, &size) || !vmail_file_size(to, &have))
		return false;
	if (size == 0)
		return holds(
		    to, 0, VMAIL_EMPTY_FILE, sizeof(VMAIL_EMPTY_FILE) - 1);
	same = size == have;
	while (same && at < size) {
		got = vmail_file_pread(e->whole_fd, chunk, sizeof(chunk), at);
		same = got > 0 && holds(to, at, chunk, (size_t)got);
		at += (uint64_t)(got > 0 ? got : 0);
	}
	explicit_bzero(chunk, sizeof(chunk));
	return same;
}

static bool
holds_edits(
    const struct vmail_edits *e, const struct vmail_edits_base *base, int to)
{
	uint64_t size = new_size(e, base), moved = 0, have;
	bool good = vmail_file_size(to, &have) && have == size;

	for (size_t i = 0; good && i < e->n; i++) {
		const struct vmail_edit *edit = &e->list[i];

		good = edit->text == NULL ||
		       holds_line(to, edit->line + moved, edit, size);
		moved += edit->put - edit->cut; /* modulo 2^64, both ways */
	}
	return good && holds(to, size - e->added.n, e->added.p, e->added.n);
}

enum vmail_rc
vmail_edits_verify(const struct vmail_edits *e,
    const struct vmail_edits_base *base, int to, struct vmail_err *err)
{
	if (e->whole ? holds_whole(e, to) : holds_edits(e, base, to))
		return VMAIL_OK;
	errno = EIO;
	return vmail_fail(
	    err, VMAIL_IO, base->path, 0, "the new file does not read back");
}

void
vmail_edits_clear(struct vmail_edits *e)
{
	for (size_t i = 0; i < e->n; i++)
		edit_wipe(&e->list[i]);
	free(e->list);
	vmail_nameset_clear(&e->names);
	vmail_edits_text_free(&e->added);
	*e = (struct vmail_edits){ 0 };
}
