#include "common/core/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/core/file.h"
#include "common/core/torn.h"

/* How vmail_db_public divides its window: the line without its password, and
 * a stretch of the file. */
enum {
	REDACTED = VMAIL_PUBLIC_MAX + 8,
	CHUNK = VMAIL_PUBLIC_RECORD - REDACTED,
	NEARBY = 512,
};

#define HALF_WRITTEN                                                           \
	"a writer is at work in place, or was killed there: ask again, or "    \
	"see vmailadm check"

/* Frames that must not add up: NSS has 8 KiB in all. */
#define OWN_FRAME __attribute__((noinline))

/* Which records to look at: those whose line begins in [from, to). */
struct stretch {
	int fd;
	uint64_t from, to;
};

/* The line at `at`: VMAIL_OK if it is that user's; VMAIL_NOT_FOUND with *next
 * if it is another's or malformed. */
static enum vmail_rc
take_line(int fd, uint64_t at, struct vmail_str name, char line[VMAIL_LINE_MAX],
    struct vmail_record *out, uint64_t *next)
{
	struct vmail_str text;
	struct vmail_entry e;
	enum vmail_rc rc =
	    vmail_file_line(fd, at, line, VMAIL_LINE_MAX, &text, next);

	if (rc == VMAIL_TOO_SMALL)
		return VMAIL_NOT_FOUND;
	if (rc != VMAIL_OK)
		return VMAIL_IO;
	if (vmail_entry_parse(text, &e, NULL) != VMAIL_OK ||
	    !vmail_str_eq(e.name, name))
		return VMAIL_NOT_FOUND;
	*out = (struct vmail_record){ .entry = e, .offset = at };
	return VMAIL_OK;
}

static enum vmail_rc
search(struct stretch s, struct vmail_str name, char line[VMAIL_LINE_MAX],
    struct vmail_record *out)
{
	for (;;) {
		uint64_t at;
		enum vmail_rc rc = vmail_file_find(
		    s.fd, s.from, s.to, name, line, VMAIL_LINE_MAX, &at);

		if (rc != VMAIL_OK)
			return rc;
		rc = take_line(s.fd, at, name, line, out, &s.from);
		if (rc != VMAIL_NOT_FOUND)
			return rc;
	}
}

/* Where the first line at or behind `at` begins. */
static enum vmail_rc
line_start(int fd, uint64_t at, char line[VMAIL_LINE_MAX], uint64_t *start)
{
	struct vmail_str text;

	if (at == 0) {
		*start = 0;
		return VMAIL_OK;
	}
	/* The line feed at or behind the byte before; it is seldom far. */
	enum vmail_rc rc =
	    vmail_file_line(fd, at - 1, line, NEARBY, &text, start);
	return rc == VMAIL_TOO_SMALL ? VMAIL_OK : rc;
}

static enum vmail_rc
search_near(int fd, uint64_t size, struct vmail_str name, uint64_t hint,
    uint32_t drift, char line[VMAIL_LINE_MAX], struct vmail_record *out)
{
	uint64_t from = hint > drift ? hint - drift : 0;
	uint64_t to = size - hint > drift ? hint + drift + 1 : size;
	enum vmail_rc rc = line_start(fd, from, line, &from);

	if (rc != VMAIL_OK)
		return rc;
	return search((struct stretch){ fd, from, to }, name, line, out);
}

enum vmail_rc
vmail_db_locate(int fd, uint64_t size, struct vmail_str name, uint64_t hint,
    uint32_t drift, char line[VMAIL_LINE_MAX], struct vmail_record *out)
{
	if (hint < size) {
		enum vmail_rc rc =
		    search_near(fd, size, name, hint, drift, line, out);

		if (rc == VMAIL_OK)
			out->by_map = true;
		if (rc == VMAIL_OK || rc == VMAIL_IO)
			return rc;
	}
	return search((struct stretch){ fd, 0, size }, name, line, out);
}

/* Never "unknown user": mail would bounce. */
static enum vmail_rc
unavailable(
    const char *path, int number, const char *what, struct vmail_err *err)
{
	errno = number;
	return vmail_fail(err, VMAIL_IO, path, 0, what);
}

/* The file itself, as somebody who may read all of it wants it. */
static enum vmail_rc
open_trusted(const char *path, int *fd, struct stat *st, struct vmail_err *err)
{
	enum vmail_rc rc = vmail_file_open(path, O_RDONLY, fd, st, err);

	if (rc == VMAIL_NOT_FOUND)
		return unavailable(path, ENOENT, "missing", err);
	if (rc != VMAIL_OK)
		return rc;
	rc = vmail_file_trust(st, path, err);
	if (rc == VMAIL_OK && st->st_size == 0)
		return unavailable(path, 0,
		    "empty: restore it from the backup beside it (passwd-)",
		    err);
	return rc;
}

/* The map beside the file; having none is no failure, only slower. */
static void
open_map(const char *passwd_file, struct vmail_map *map)
{
	char path[VMAIL_CONF_PATH_MAX + sizeof(".cdb")];

	if (vmail_map_path(passwd_file, path, sizeof(path)) != VMAIL_OK ||
	    vmail_map_open(path, map, NULL) != VMAIL_OK)
		map->cdb.fd = -1;
}

/* What the map says of the name's place in the file that *st is of:
 * VMAIL_NOT_FOUND is an answer, no hint is a scan. */
static enum vmail_rc
ask_map(const struct vmail_map *map, const struct stat *st,
    struct vmail_str name, char line[VMAIL_LINE_MAX], uint64_t *hint)
{
	struct vmail_public p;

	*hint = VMAIL_NO_HINT;
	if (map->cdb.fd < 0 || !map->nss_mailboxes || !vmail_map_fresh(map, st))
		return VMAIL_OK;

	enum vmail_rc rc = vmail_map_find(map, name, line, &p);
	/* With equal names a shifted hint could land on the second. */
	if (rc == VMAIL_OK && !(map->stamp.dups && map->stamp.drift > 0))
		*hint = p.offset;
	return rc == VMAIL_NOT_FOUND ? VMAIL_NOT_FOUND : VMAIL_OK;
}

/* What a scan found at `at`; VMAIL_BUSY where the file may be half written. */
static enum vmail_rc
unless_torn(const char *path, int fd, enum vmail_rc rc, uint64_t at)
{
	if (rc != VMAIL_OK && rc != VMAIL_NOT_FOUND)
		return rc;
	if (!vmail_torn_suspect(path) ||
	    (rc == VMAIL_OK && vmail_torn_stands(path, fd, at)))
		return rc;
	return VMAIL_BUSY;
}

static enum vmail_rc
lookup_once(const char *path, struct vmail_str name, char line[VMAIL_LINE_MAX],
    struct vmail_record *out, struct vmail_map *map, struct vmail_err *err)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	uint64_t hint;
	struct vmail_record found = { .offset = 0 };
	enum vmail_rc rc = open_trusted(path, &fd, &st, err);

	if (rc != VMAIL_OK)
		return rc;
	open_map(path, map);
	rc = ask_map(map, &st, name, line, &hint);
	if (rc != VMAIL_OK)
		return vmail_fail(err, rc, path, 0, "no such user");

	struct vmail_stamp before = vmail_file_stamp(&st);
	rc = vmail_db_locate(fd, before.size, name, hint,
	    hint == VMAIL_NO_HINT ? 0 : map->stamp.drift, line, &found);
	if (hint == VMAIL_NO_HINT)
		rc = unless_torn(path, fd, rc, found.offset);
	if (vmail_file_steady(fd, &before) != VMAIL_OK)
		return vmail_fail(
		    err, VMAIL_BUSY, path, 0, "is being rewritten in place");
	if (rc == VMAIL_BUSY)
		return vmail_fail(err, rc, path, 0, HALF_WRITTEN);
	if (rc == VMAIL_NOT_FOUND)
		return vmail_fail(err, rc, path, 0, "no such user");
	if (rc != VMAIL_OK)
		return vmail_fail_sys(err, path, "read");
	*out = found;
	return VMAIL_OK;
}

enum vmail_rc
vmail_db_lookup(const struct vmail_conf *conf, struct vmail_str name,
    char line[VMAIL_LINE_MAX], struct vmail_record *out, struct vmail_map *map,
    struct vmail_err *err)
{
	const char *path = conf->passwd_file;

	map->cdb.fd = -1;
	if (vmail_conf_has_domains(conf))
		return vmail_fail(
		    err, VMAIL_NOT_FOUND, path, 0, "no such domain");
	enum vmail_rc rc = vmail_file_trust_folder(path, err);
	if (rc == VMAIL_NOT_FOUND && conf->entered)
		return vmail_fail(err, rc, path, 0, "no such domain");
	if (rc == VMAIL_NOT_FOUND)
		return unavailable(path, ENOENT, "missing", err);
	if (rc != VMAIL_OK)
		return rc;
	rc = VMAIL_BUSY;
	for (int i = 0; i < VMAIL_STEADY_TRIES && rc == VMAIL_BUSY; i++) {
		vmail_map_close(map);
		rc = lookup_once(path, name, line, out, map, err);
	}
	return rc;
}

/* A line read in stretches, of which only what is public is kept. */
struct redaction {
	struct vmail_buf kept;
	unsigned colons;
	uint64_t length, secret; /* of the whole line; of the password */
	bool nul, cr;		 /* a NUL byte; the last byte was a CR */
};

/* One stretch of the line; an eighth field is secret like the second. */
static void
redact(struct redaction *r, struct vmail_str part)
{
	r->length += part.n;
	if (part.n > 0) {
		r->cr = part.p[part.n - 1] == '\r';
		r->nul = r->nul || memchr(part.p, '\0', part.n) != NULL;
	}
	while (r->colons < 7) {
		bool secret = r->colons == 1;
		struct vmail_str field = vmail_text_cut(&part, ':');

		if (secret)
			r->secret += field.n;
		else
			vmail_buf_str(&r->kept, field);
		if (part.p == NULL)
			return;
		vmail_buf_char(&r->kept, ':');
		r->colons++;
	}
}

/* Reads the line at `at` through the window's second part. */
static OWN_FRAME enum vmail_rc
read_redacted(
    int fd, uint64_t at, char *window, struct redaction *r, uint64_t *next)
{
	char *chunk = window + REDACTED;

	*r = (struct redaction){ .kept = { .p = window, .size = REDACTED } };
	for (;;) {
		ssize_t got = vmail_file_pread(fd, chunk, CHUNK, at);
		if (got < 0)
			return VMAIL_IO;

		struct vmail_str rest = { chunk, (size_t)got };
		struct vmail_str part = vmail_text_cut(&rest, '\n');
		redact(r, part);
		at += part.n + (rest.p != NULL);
		if (rest.p != NULL || got < CHUNK) {
			*next = at;
			return VMAIL_OK;
		}
	}
}

/* The same lines are well-formed here as for who reads them whole. */
static OWN_FRAME bool
cut_redacted(
    const struct redaction *r, struct vmail_str name, struct vmail_public *out)
{
	struct vmail_str text = { r->kept.p, r->kept.len };
	struct vmail_entry e;

	/* A CR at the end belongs to no field, be it the password. */
	uint64_t secret = r->secret - (r->colons == 1 && r->cr ? 1 : 0);

	if (r->nul || r->kept.full || r->length > VMAIL_LINE_MAX ||
	    secret > VMAIL_PASSWORD_FIELD_MAX ||
	    vmail_entry_parse(text, &e, NULL) != VMAIL_OK ||
	    !vmail_str_eq(e.name, name))
		return false;
	*out = (struct vmail_public){ .name = e.name,
		.uid = e.uid,
		.gid = e.gid,
		.gecos = e.gecos,
		.home = e.home,
		.shell = e.shell };
	return true;
}

static enum vmail_rc
search_public(int fd, uint64_t size, struct vmail_str name,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	uint64_t from = 0;

	for (;;) {
		struct redaction r;
		uint64_t at;
		enum vmail_rc rc = vmail_file_find(
		    fd, from, size, name, window, VMAIL_PUBLIC_RECORD, &at);

		/* Whole lines, hashes and all, went through here. */
		explicit_bzero(window, VMAIL_PUBLIC_RECORD);
		if (rc == VMAIL_OK)
			rc = read_redacted(fd, at, window, &r, &from);
		explicit_bzero(window + REDACTED, CHUNK);
		if (rc != VMAIL_OK)
			return rc;
		if (cut_redacted(&r, name, out)) {
			out->offset = at;
			return VMAIL_OK;
		}
	}
}

/* The file of that stamp. VMAIL_UNSAFE or VMAIL_DENIED: not for us to read. */
static OWN_FRAME enum vmail_rc
scan_once(const char *path, const struct vmail_stamp *stamp,
    struct vmail_str name, char window[VMAIL_PUBLIC_WINDOW],
    struct vmail_public *out)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	struct vmail_public found;
	enum vmail_rc rc = open_trusted(path, &fd, &st, NULL);

	if (rc != VMAIL_OK)
		return rc;
	rc = search_public(fd, stamp->size, name, window, &found);
	if (vmail_file_steady(fd, stamp) != VMAIL_OK)
		return VMAIL_BUSY;
	if (rc == VMAIL_OK)
		*out = found;
	return rc;
}

/* What was so before the file was half written - but who came by another
 * hand since is none of the map's. */
static enum vmail_rc
ask_older_map(const struct vmail_map *map, struct vmail_str name,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	enum vmail_rc rc = vmail_map_find(map, name, window, out);

	return rc == VMAIL_NOT_FOUND ? VMAIL_BUSY : rc;
}

/* The file's stamp: VMAIL_OK if the map is of it, else VMAIL_MISMATCH. */
static OWN_FRAME enum vmail_rc
compare(const struct vmail_map *map, struct vmail_stamp *stamp)
{
	struct stat st;

	if (stat(map->passwd_file, &st) != 0 || st.st_size == 0)
		return VMAIL_IO;
	*stamp = vmail_file_stamp(&st);
	return vmail_map_fresh(map, &st) ? VMAIL_OK : VMAIL_MISMATCH;
}

static enum vmail_rc
public_once(const struct vmail_map *map, struct vmail_str name,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	struct vmail_stamp stamp;
	enum vmail_rc rc = compare(map, &stamp);

	if (rc == VMAIL_OK)
		return vmail_map_find(map, name, window, out);
	if (rc != VMAIL_MISMATCH)
		return rc;
	if (vmail_torn_suspect(map->passwd_file))
		return ask_older_map(map, name, window, out);
	return scan_once(map->passwd_file, &stamp, name, window, out);
}

enum vmail_rc
vmail_db_public(const struct vmail_map *map, struct vmail_str name,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	enum vmail_rc rc = VMAIL_BUSY;

	if (!vmail_name_askable(name))
		return VMAIL_NOT_FOUND;
	for (int i = 0; i < VMAIL_STEADY_TRIES && rc == VMAIL_BUSY; i++)
		rc = public_once(map, name, window, out);
	if (rc == VMAIL_DENIED || rc == VMAIL_UNSAFE)
		return vmail_map_find(map, name, window, out);
	return rc;
}

enum vmail_rc
vmail_db_public_of(const struct vmail_map *map, uint32_t uid,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out)
{
	struct vmail_public behind;
	struct vmail_stamp stamp;
	struct vmail_str name;
	enum vmail_rc rc = vmail_map_name_of(map, uid, window, &name, &behind);

	if (rc != VMAIL_OK)
		return rc;
	if (behind.name.n == 0 || compare(map, &stamp) != VMAIL_OK)
		return vmail_db_public(map, name, window, out);
	*out = behind;
	return VMAIL_OK;
}
