#include "nss/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/core/conf.h"
#include "common/core/db.h"
#include "common/core/file.h"
#include "common/core/views.h"

#define DEFAULT_PASSWD "/etc/vmail/passwd"
#define VIEWS_PATH     "/etc/vmail/views"

enum { VIEW_STRETCH = 448 };

/* One frame of its own for each of the two: they are never there at the same
 * time. */
static __attribute__((noinline)) enum vmail_rc
ask_map(vmail_nss_find *find, const void *question, bool *none)
{
	struct vmail_map map;
	char window[VMAIL_PUBLIC_WINDOW];
	/* The map's pointers, its first 2 KiB, have served by then. */
	const struct vmail_nss_source source = { &map, window, map.page };
	enum vmail_rc rc = vmail_map_open(VMAIL_MAP_PATH, &map, NULL);

	_Static_assert((int)VMAIL_NSS_VIEWS <= (int)VMAIL_CDB_POINTERS,
	    "the views fit there");
	*none = rc == VMAIL_NOT_FOUND;
	if (rc == VMAIL_OK)
		rc = find(&source, question);
	vmail_map_close(&map);
	return rc;
}

/* Its page is nobody's: the window and the views lie there. */
static __attribute__((noinline)) enum vmail_rc
ask_map_of(
    const struct vmail_conf *conf, vmail_nss_find *find, const void *question)
{
	struct vmail_map map = { .cdb.fd = -1,
		.stamp.file.sec = -1,
		.passwd_file = conf->passwd_file,
		.home = conf->home,
		.owner_user = vmail_conf_owner_user(conf),
		.owner_group = vmail_conf_owner_group(conf),
		.first_valid_uid = conf->first_valid_uid,
		.last_valid_uid = conf->last_valid_uid,
		.nss_mailboxes = conf->nss_mailboxes,
		.nss_enumerate = conf->nss_enumerate };
	const struct vmail_nss_source source = { &map, map.page,
		map.page + VMAIL_PUBLIC_WINDOW };

	_Static_assert((int)VMAIL_PUBLIC_WINDOW + (int)VMAIL_CDB_POINTERS <=
			   (int)VMAIL_MAP_PAGE,
	    "the page holds both");
	return find(&source, question);
}

static __attribute__((noinline)) enum vmail_rc
ask_conf(vmail_nss_find *find, const void *question)
{
	struct vmail_conf conf;
	enum vmail_rc rc = vmail_conf_load(&conf, NULL, NULL);

	if (rc != VMAIL_OK)
		return rc;
	return ask_map_of(&conf, find, question);
}

enum vmail_rc
vmail_nss_ask(vmail_nss_find *find, const void *question)
{
	bool none;
	enum vmail_rc rc = ask_map(find, question, &none);

	return none ? ask_conf(find, question) : rc;
}

static bool
is_real(const struct vmail_map *map)
{
	return map->cdb.fd >= 0;
}

static enum vmail_rc
missing(void)
{
	errno = ENOENT;
	return VMAIL_IO;
}

/* Cut off at its last '/', is the path a folder's that is there? */
static bool
has_folder(char *path)
{
	struct stat st;
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		*slash = '\0';
	return stat(path, &st) == 0 || errno != ENOENT;
}

/* Of its own, for the path: a frame that is gone before the lookup. */
static __attribute__((noinline)) enum vmail_rc
open_beside(struct vmail_map *map, struct vmail_str domain)
{
	char path[VMAIL_CONF_PATH_MAX + sizeof(".cdb")];
	struct vmail_buf b = { .p = path, .size = sizeof(path) };
	bool domains = strchr(map->passwd_file, '%') != NULL;
	enum vmail_rc rc = VMAIL_OK;

	if (domains)
		rc = vmail_conf_domain_path(
		    map->passwd_file, domain, path, sizeof(path));
	else
		vmail_buf_z(&b, map->passwd_file);
	if (rc != VMAIL_OK)
		return rc;
	if (domains)
		b.len = strlen(path);
	vmail_buf_z(&b, ".cdb");
	if (vmail_buf_end(&b) != VMAIL_OK)
		return VMAIL_MALFORMED;
	vmail_map_close(map);
	rc = vmail_map_open(path, map, NULL);
	if (rc == VMAIL_NOT_FOUND && (!domains || has_folder(path)))
		return missing();
	return rc;
}

enum vmail_rc
vmail_nss_open_mailboxes(struct vmail_map *map, struct vmail_str domain)
{
	/* Nobody's map: what is asked next says so. */
	if (!is_real(map))
		return strchr(map->passwd_file, '%') != NULL ? missing()
							     : VMAIL_OK;
	if (strcmp(map->passwd_file, DEFAULT_PASSWD) == 0)
		return VMAIL_OK;
	return open_beside(map, domain);
}

/* Which lines of views a number here can hang on. */
struct sieve {
	const struct vmail_nss_asked *asked;
	/* The names that this system's view may have; n == 0: none. */
	struct vmail_str here[2];
	char room[2][VMAIL_VIEW_ROOM];
};

static enum vmail_rc
set_sieve(struct sieve *s, const struct vmail_nss_asked *asked)
{
	enum vmail_rc rc;

	*s = (struct sieve){ .asked = asked };
	(void)vmail_views_hostname(s->room[1], &s->here[1]);
	rc = vmail_views_named(s->room[0], &s->here[0], NULL);
	if (rc == VMAIL_NOT_FOUND || rc == VMAIL_UNSAFE ||
	    rc == VMAIL_MALFORMED)
		return VMAIL_OK;
	return rc;
}

static bool
is_asked(const struct vmail_nss_asked *asked, const struct vmail_view *view)
{
	struct vmail_ids ids;

	if (asked == NULL)
		return false;
	if (asked->name.n > 0)
		return vmail_ids_guest_named(view, asked->name);
	return vmail_ids_guest_numbers(view, &ids) &&
	       (ids.uid == asked->number || ids.gid == asked->number);
}

/* The host's line, this system's, the guest's; and the first of an identity,
 * which says that the name is one. */
static bool
matters(
    const struct sieve *s, struct vmail_str kept, const struct vmail_view *view)
{
	struct vmail_view known;

	if (vmail_str_is(view->name, "host") ||
	    vmail_str_eq(view->name, s->here[0]) ||
	    vmail_str_eq(view->name, s->here[1]) || is_asked(s->asked, view))
		return true;
	while (vmail_views_next(&kept, &known)) {
		if (vmail_str_eq(known.identity, view->identity))
			return false;
	}
	return true;
}

static void
keep_view(const struct sieve *s, struct vmail_buf *b, struct vmail_str line)
{
	struct vmail_view view;

	if (vmail_view_parse(line, &view, NULL) != VMAIL_OK ||
	    !matters(s, (struct vmail_str){ b->p, b->len }, &view))
		return;
	vmail_buf_str(b, line);
	vmail_buf_char(b, '\n');
}

/* The lines in a stretch of the file that stands at *at, which moves on. False:
 * not even one is whole. */
static bool
keep_lines(const struct sieve *s, struct vmail_buf *b, struct vmail_str rest,
    bool last, uint64_t *at)
{
	const char *from = rest.p;
	size_t used = 0;

	while (rest.n > 0 && (last || memchr(rest.p, '\n', rest.n) != NULL)) {
		keep_view(s, b, vmail_text_cut(&rest, '\n'));
		used = rest.p != NULL ? (size_t)(rest.p - from) : 1;
	}
	*at += used;
	return used > 0;
}

/* What is kept grows from the space's beginning; its end is for reading. A
 * line that does not fit there is no view. */
static enum vmail_rc
read_views(int fd, const struct sieve *s, struct vmail_buf *b)
{
	char *text = b->p + b->size;
	struct vmail_str line;
	uint64_t at = 0;

	for (;;) {
		ssize_t got = vmail_file_pread(fd, text, VIEW_STRETCH, at);
		bool last = got < VIEW_STRETCH;

		if (got < 0)
			return VMAIL_IO;
		line = (struct vmail_str){ text, (size_t)got };
		if (!keep_lines(s, b, line, last, &at) && !last &&
		    vmail_file_line(fd, at, text, VIEW_STRETCH, &line, &at) ==
			VMAIL_IO)
			return VMAIL_IO;
		if (last)
			return b->full ? VMAIL_MALFORMED : VMAIL_OK;
	}
}

static __attribute__((noinline)) enum vmail_rc
open_views(int *fd)
{
	struct stat st;
	enum vmail_rc rc = vmail_file_open(VIEWS_PATH, O_RDONLY, fd, &st, NULL);

	return rc == VMAIL_OK ? vmail_file_trust(&st, VIEWS_PATH, NULL) : rc;
}

/* The lines that matter of the views file, which may be missing. */
static __attribute__((noinline)) enum vmail_rc
load_views(
    char *space, const struct vmail_nss_asked *asked, struct vmail_str *views)
{
	struct vmail_buf b = { .p = space,
		.size = VMAIL_NSS_VIEWS - VIEW_STRETCH };
	VMAIL_AUTOCLOSE int fd = -1;
	struct sieve sieve;
	enum vmail_rc rc = open_views(&fd);

	if (rc == VMAIL_OK)
		rc = set_sieve(&sieve, asked);
	if (rc == VMAIL_OK)
		rc = read_views(fd, &sieve, &b);
	if (rc != VMAIL_OK && rc != VMAIL_NOT_FOUND)
		return rc;
	*views = (struct vmail_str){ space, b.len };
	return VMAIL_OK;
}

enum vmail_rc
vmail_nss_world(const struct vmail_map *map, char *space,
    const struct vmail_nss_asked *asked, struct vmail_world *world)
{
	struct vmail_str views;
	enum vmail_rc rc;

	vmail_world_of_map(world, map);
	world->map_seen = is_real(map);
	if (map->views.p != NULL)
		return VMAIL_OK;
	rc = load_views(space, asked, &views);
	if (rc == VMAIL_OK)
		vmail_world_set_views(world, views);
	return rc;
}

enum vmail_rc
vmail_nss_mailbox(const struct vmail_nss_source *source, struct vmail_str name,
    struct vmail_public *out)
{
	struct vmail_map *map = source->map;
	enum vmail_rc rc;

	if (is_real(map))
		return vmail_db_public(map, name, source->window, out);
	/* Pointers that lead nowhere: no map never says "unknown user". */
	memset(source->views, 0xff, VMAIL_CDB_POINTERS);
	map->cdb.pointers = (const unsigned char *)source->views;
	rc = vmail_db_public(map, name, source->window, out);
	return rc == VMAIL_MALFORMED || rc == VMAIL_IO ? missing() : rc;
}

enum vmail_rc
vmail_nss_mailbox_of(const struct vmail_nss_source *source, uint32_t uid,
    struct vmail_public *out)
{
	if (!is_real(source->map))
		return missing();
	return vmail_db_public_of(source->map, uid, source->window, out);
}

enum vmail_rc
vmail_nss_keep_name(
    const struct vmail_nss_source *source, struct vmail_str *name)
{
	char *room = source->window + VMAIL_PUBLIC_RECORD;

	if (name->n > VMAIL_NAME_MAX)
		return VMAIL_MALFORMED;
	memcpy(room, name->p, name->n);
	name->p = room;
	return VMAIL_OK;
}

bool
vmail_nss_askable(const char *name, struct vmail_str *asked)
{
	if (name == NULL)
		return false;
	*asked = (struct vmail_str){ name, strnlen(name, VMAIL_NAME_MAX + 1) };
	return vmail_name_askable(*asked);
}
