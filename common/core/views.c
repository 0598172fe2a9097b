#include "common/core/views.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "common/core/file.h"

enum { FIELDS = 4 };

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct vmail_str
next_word(struct vmail_str *rest)
{
	const char *p = rest->p, *end;
	struct vmail_str word = { p, 0 };

	if (rest->n == 0)
		return word;
	end = p + rest->n;
	while (p < end && blank(*p))
		p++;
	word.p = p;
	while (p < end && !blank(*p))
		p++;
	word.n = (size_t)(p - word.p);
	*rest = (struct vmail_str){ p, (size_t)(end - p) };
	return word;
}

static bool
is_view_name(struct vmail_str s)
{
	if (s.n == 0 || s.n > VMAIL_VIEW_MAX || *s.p == '-' || *s.p == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && c != '-' && c != '_' && c != '.')
			return false;
	}
	return true;
}

/* Numbers that belong to nobody's mail: root, nobody, "no change". */
static bool
set_id(struct vmail_str s, uint32_t *id)
{
	uint64_t n;

	if (!vmail_text_number(s, UINT32_MAX - 1, &n) || n == 0 || n == 65534 ||
	    n == 65535)
		return false;
	*id = (uint32_t)n;
	return true;
}

static bool
set_ids(struct vmail_str s, struct vmail_view *v)
{
	struct vmail_str uid = vmail_text_cut(&s, ':');

	return set_id(uid, &v->uid) && set_id(s, &v->gid);
}

struct range {
	uint64_t inside, outside, count;
};

/* inside:outside:count, neither end beyond the numbers there are. */
static const char *
read_range(struct vmail_str s, struct range *r)
{
	struct vmail_str inside = vmail_text_cut(&s, ':');
	struct vmail_str outside = vmail_text_cut(&s, ':');

	if (!vmail_text_number(inside, UINT64_MAX, &r->inside) ||
	    !vmail_text_number(outside, UINT64_MAX, &r->outside) ||
	    !vmail_text_number(s, UINT64_MAX, &r->count))
		return "the namespace: - or inside:outside:count[,...]";
	if (r->count == 0)
		return "the namespace: a count of 0";
	if (r->count > UINT32_MAX || r->inside > UINT32_MAX - r->count ||
	    r->outside > UINT32_MAX - r->count)
		return "the namespace: a range that goes beyond 4294967294";
	return NULL;
}

static bool
meet(const struct range *a, const struct range *b)
{
	return (a->inside < b->inside + b->count &&
		   b->inside < a->inside + a->count) ||
	       (a->outside < b->outside + b->count &&
		   b->outside < a->outside + a->count);
}

/* Does it overlap one of those before it, which are well-formed? */
static bool
overlaps(struct vmail_str before, const struct range *r)
{
	struct range other;

	while (before.n > 0)
		if (read_range(vmail_text_cut(&before, ','), &other) == NULL &&
		    meet(&other, r))
			return true;
	return false;
}

/* As strict as the kernel, which would refuse such a map. Out of line: few
 * views have a namespace, and all stack is NSS's. */
static __attribute__((noinline)) const char *
ranges_fault(struct vmail_str s)
{
	struct vmail_str rest = s;
	struct range r;

	for (unsigned n = 0; rest.p != NULL; n++) {
		struct vmail_str before = { s.p, (size_t)(rest.p - s.p) };
		const char *fault = read_range(vmail_text_cut(&rest, ','), &r);

		if (fault != NULL)
			return fault;
		if (n == VMAIL_VIEW_RANGES)
			return "the namespace: more than 340 ranges";
		if (overlaps(before, &r))
			return "the namespace: ranges that overlap";
	}
	return NULL;
}

static const char *
set_ranges(struct vmail_str s, struct vmail_view *v)
{
	v->ranges = (struct vmail_str){ s.p, 0 };
	if (vmail_str_is(s, "-"))
		return NULL;
	v->ranges = s;
	return ranges_fault(s);
}

/* The range of the view's that holds the number. */
static bool
range_with(
    const struct vmail_view *view, uint32_t id, bool inside, struct range *r)
{
	struct vmail_str rest = view->ranges;

	while (rest.n > 0) {
		if (read_range(vmail_text_cut(&rest, ','), r) != NULL)
			continue;
		uint64_t from = inside ? r->inside : r->outside;

		if (id >= from && id - from < r->count)
			return true;
	}
	return false;
}

bool
vmail_view_outside(
    const struct vmail_view *view, uint32_t inside, uint32_t *outside)
{
	struct range r;

	if (!range_with(view, inside, true, &r))
		return false;
	*outside = (uint32_t)(r.outside + (inside - r.inside));
	return true;
}

bool
vmail_view_inside(
    const struct vmail_view *view, uint32_t outside, uint32_t *inside)
{
	struct range r;

	if (!range_with(view, outside, false, &r))
		return false;
	*inside = (uint32_t)(r.inside + (outside - r.outside));
	return true;
}

enum vmail_rc
vmail_view_parse(
    struct vmail_str line, struct vmail_view *view, const char **why)
{
	struct vmail_str word[FIELDS];
	const char *fault = NULL;
	struct vmail_view v = { .uid = 0 };

	for (int i = 0; i < FIELDS; i++)
		word[i] = next_word(&line);
	if (word[0].n == 0 || *word[0].p == '#')
		return VMAIL_NOT_FOUND;
	v.name = word[0];
	v.identity = word[1];
	if (word[3].n == 0 || next_word(&line).n > 0)
		fault = "not four fields: view identity uid:gid namespace";
	else if (!is_view_name(v.name))
		fault = "the view's name";
	else if (!vmail_name_is_account(v.identity))
		fault = "the identity's name";
	else if (!set_ids(word[2], &v))
		fault = "uid:gid: two numbers from 1 to 4294967294, never "
			"65534 or 65535";
	else
		fault = set_ranges(word[3], &v);
	if (fault == NULL) {
		*view = v;
		return VMAIL_OK;
	}
	if (why != NULL)
		*why = fault;
	return VMAIL_MALFORMED;
}

bool
vmail_views_next(struct vmail_str *rest, struct vmail_view *view)
{
	while (rest->n > 0)
		if (vmail_view_parse(vmail_text_cut(rest, '\n'), view, NULL) ==
		    VMAIL_OK)
			return true;
	return false;
}

bool
vmail_views_peek(struct vmail_str *rest, struct vmail_views_line *next)
{
	while (rest->n > 0) {
		struct vmail_str line = vmail_text_cut(rest, '\n'),
				 words = line;
		struct vmail_str name = next_word(&words);

		if (name.n == 0 || *name.p == '#')
			continue;
		*next =
		    (struct vmail_views_line){ name, next_word(&words), line };
		return true;
	}
	return false;
}

bool
vmail_views_of(struct vmail_str text, struct vmail_str view,
    struct vmail_str identity, struct vmail_view *out)
{
	struct vmail_views_line l;

	while (vmail_views_peek(&text, &l))
		if (vmail_str_eq(l.name, view) &&
		    vmail_str_eq(l.identity, identity) &&
		    vmail_view_parse(l.line, out, NULL) == VMAIL_OK)
			return true;
	return false;
}

bool
vmail_views_find(struct vmail_str text, const char *view,
    struct vmail_str identity, struct vmail_view *out)
{
	return vmail_views_of(text, vmail_str(view), identity, out);
}

bool
vmail_views_first(struct vmail_str text, const struct vmail_view *view)
{
	struct vmail_view first;

	return vmail_views_of(text, view->name, view->identity, &first) &&
	       first.name.p == view->name.p;
}

static __attribute__((noinline)) enum vmail_rc
open_named(int *fd, struct vmail_err *err)
{
	struct stat st;
	enum vmail_rc rc =
	    vmail_file_open(VMAIL_VIEW_PATH, O_RDONLY, fd, &st, err);

	/* A file where its folder should be is no reason to know nobody. */
	if (rc == VMAIL_IO && errno == ENOTDIR)
		return VMAIL_NOT_FOUND;
	return rc == VMAIL_OK ? vmail_file_trust(&st, VMAIL_VIEW_PATH, err)
			      : rc;
}

enum vmail_rc
vmail_views_named(
    char room[VMAIL_VIEW_ROOM], struct vmail_str *name, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct vmail_str rest, word;
	ssize_t n;
	enum vmail_rc rc = open_named(&fd, err);

	if (rc != VMAIL_OK)
		return rc;
	n = vmail_file_pread(fd, room, VMAIL_VIEW_ROOM, 0);
	if (n < 0)
		return vmail_fail_sys(err, VMAIL_VIEW_PATH, "read");
	rest = (struct vmail_str){ room, (size_t)n };
	if (n > 0 && room[n - 1] == '\n')
		rest.n--;
	word = next_word(&rest);
	if (n == VMAIL_VIEW_ROOM || !is_view_name(word) ||
	    next_word(&rest).n > 0)
		return vmail_fail(err, VMAIL_MALFORMED, VMAIL_VIEW_PATH, 1,
		    "not the name of one view");
	*name = word;
	return VMAIL_OK;
}

bool
vmail_views_hostname(char room[VMAIL_VIEW_ROOM], struct vmail_str *name)
{
	struct utsname system;
	struct vmail_str s;

	if (uname(&system) != 0)
		return false;
	s = vmail_str(system.nodename);
	if (!is_view_name(s))
		return false;
	memcpy(room, s.p, s.n);
	*name = (struct vmail_str){ room, s.n };
	return true;
}

enum vmail_rc
vmail_views_load(const struct vmail_conf *conf, char *room, size_t size,
    struct vmail_str *views, struct vmail_err *err)
{
	char path[VMAIL_CONF_PATH_MAX + 1];
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	ssize_t n;
	enum vmail_rc rc = vmail_conf_beside(conf, "views", path, sizeof(path));

	if (rc != VMAIL_OK)
		return vmail_fail(err, rc, conf->path, 0, "a path too long");
	rc = vmail_file_open(path, O_RDONLY, &fd, &st, err);
	if (rc == VMAIL_NOT_FOUND) {
		*views = VMAIL_STR("");
		return VMAIL_OK;
	}
	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, path, err);
	if (rc != VMAIL_OK)
		return rc;
	n = vmail_file_pread(fd, room, size, 0);
	if (n < 0)
		return vmail_fail_sys(err, path, "read");
	if ((size_t)n == size)
		return vmail_fail(err, VMAIL_UNSUPPORTED, path, 0, "too large");
	*views = (struct vmail_str){ room, (size_t)n };
	return VMAIL_OK;
}
