#include "common/core/views.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/core/file.h"

/* A host name has at most 64 bytes. */
enum { VIEW_MAX = 64, FIELDS = 4 };

static struct vmail_str
next_word(struct vmail_str *rest)
{
	struct vmail_str word;

	while (rest->n > 0 && (*rest->p == ' ' || *rest->p == '\t')) {
		rest->p++;
		rest->n--;
	}
	word = (struct vmail_str){ rest->p, 0 };
	while (rest->n > 0 && *rest->p != ' ' && *rest->p != '\t') {
		rest->p++;
		rest->n--;
		word.n++;
	}
	return word;
}

static bool
is_view_name(struct vmail_str s)
{
	if (s.n == 0 || s.n > VIEW_MAX || *s.p == '-' || *s.p == '.')
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

/* inside:outside:count, neither end beyond the numbers there are. */
static bool
is_range(struct vmail_str s)
{
	uint64_t inside, outside, count;
	struct vmail_str a = vmail_text_cut(&s, ':');
	struct vmail_str b = vmail_text_cut(&s, ':');

	return vmail_text_number(a, UINT32_MAX, &inside) &&
	       vmail_text_number(b, UINT32_MAX, &outside) &&
	       vmail_text_number(s, UINT32_MAX, &count) && count > 0 &&
	       inside + count <= UINT32_MAX && outside + count <= UINT32_MAX;
}

static bool
set_ranges(struct vmail_str s, struct vmail_view *v)
{
	v->ranges = (struct vmail_str){ s.p, 0 };
	if (vmail_str_is(s, "-"))
		return true;
	v->ranges = s;
	while (s.p != NULL)
		if (!is_range(vmail_text_cut(&s, ',')))
			return false;
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
		fault = "uid:gid: two numbers, never 0, 65534 or 65535";
	else if (!set_ranges(word[3], &v))
		fault = "the namespace: - or inside:outside:count[,...]";
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
vmail_views_find(struct vmail_str text, const char *view,
    struct vmail_str identity, struct vmail_view *out)
{
	struct vmail_view v;

	while (vmail_views_next(&text, &v))
		if (vmail_str_is(v.name, view) &&
		    vmail_str_eq(v.identity, identity)) {
			*out = v;
			return true;
		}
	return false;
}

bool
vmail_view_outside(
    const struct vmail_view *view, uint32_t inside, uint32_t *outside)
{
	struct vmail_str rest = view->ranges;

	while (rest.n > 0) {
		struct vmail_str row = vmail_text_cut(&rest, ',');
		struct vmail_str a = vmail_text_cut(&row, ':');
		struct vmail_str b = vmail_text_cut(&row, ':');
		uint64_t from, to, count;

		if (!vmail_text_number(a, UINT32_MAX, &from) ||
		    !vmail_text_number(b, UINT32_MAX, &to) ||
		    !vmail_text_number(row, UINT32_MAX, &count) ||
		    inside < from || inside - from >= count)
			continue;
		*outside = (uint32_t)(to + (inside - from));
		return true;
	}
	return false;
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
