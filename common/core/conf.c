#include "common/core/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/core/file.h"

enum { LINE_MAX_BYTES = 1024, FILE_MAX_BYTES = 65536 };

enum kind {
	KIND_PATH,     /* an absolute file name */
	KIND_TEMPLATE, /* a home, with %u %n %d */
	KIND_OWNER,    /* user:group */
	KIND_GROUP,    /* a name or a number; may be empty */
	KIND_WORD,     /* one of `words`, kept as its index */
	KIND_BOOL,
	KIND_NUMBER, /* min..max */
	KIND_SCHEME,
	KIND_DOMAIN, /* may be empty */
};

struct key {
	const char *name, *preset, *help;
	size_t offset, size;
	enum kind kind;
	uint32_t min, max;
	const char *const *words;
};

static const char *const id_styles[] = { [VMAIL_IDS_EMPTY] = "empty",
	[VMAIL_IDS_NAMES] = "names",
	[VMAIL_IDS_NUMBERS] = "numbers",
	NULL };
static const char *const dialects[] = {
	[VMAIL_DOVECOT_23] = "2.3", [VMAIL_DOVECOT_24] = "2.4", NULL
};

/* An index of words is written as a number of that size. */
_Static_assert(sizeof(enum vmail_id_style) == sizeof(uint32_t), "enum size");
_Static_assert(sizeof(enum vmail_dialect) == sizeof(uint32_t), "enum size");

#define MEMBER(m)                                                              \
	.name = #m, .offset = offsetof(struct vmail_conf, m),                  \
	.size = sizeof(((struct vmail_conf *)NULL)->m)

/* One row a key, in the order they are printed. */
static const struct key keys[] = {
	{ MEMBER(passwd_file), .kind = KIND_PATH, .preset = "/etc/vmail/passwd",
	    .help = "the passwd-file with all users" },
	{ MEMBER(home), .kind = KIND_TEMPLATE,
	    .preset = "/var/mail/vhosts/%d/%n",
	    .help =
		"home of a user who has none: %u name, %n local, %d domain" },
	{ MEMBER(owner), .kind = KIND_OWNER, .preset = "vmail:vmail",
	    .help = "who owns all mail, user:group" },
	{ MEMBER(reader_group), .kind = KIND_GROUP, .preset = "",
	    .help = "who may read the passwd-file; empty: dovecot, else root" },
	{ MEMBER(id_style), .kind = KIND_WORD, .preset = "empty",
	    .words = id_styles,
	    .help =
		"ids of a new user are written empty, as names or numbers" },
	{ MEMBER(first_valid_uid), .kind = KIND_NUMBER, .preset = "500",
	    .min = 1, .max = UINT32_MAX - 2,
	    .help = "smallest uid and gid that is written or answered" },
	{ MEMBER(last_valid_uid), .kind = KIND_NUMBER, .preset = "60000",
	    .min = 1, .max = UINT32_MAX - 2,
	    .help = "largest uid and gid that is written or answered" },
	{ MEMBER(scheme), .kind = KIND_SCHEME, .preset = "ARGON2ID",
	    .help = "scheme of new passwords" },
	{ MEMBER(argon2_memory), .kind = KIND_NUMBER, .preset = "19456",
	    .min = 8, .max = 1048576,
	    .help = "memory of ARGON2ID and ARGON2I, in KiB" },
	{ MEMBER(argon2_time), .kind = KIND_NUMBER, .preset = "2", .min = 1,
	    .max = 16, .help = "passes of ARGON2ID and ARGON2I" },
	{ MEMBER(crypt_rounds), .kind = KIND_NUMBER, .preset = "5000",
	    .min = 1000, .max = 5000000,
	    .help = "rounds of SHA256-CRYPT and SHA512-CRYPT" },
	{ MEMBER(bcrypt_cost), .kind = KIND_NUMBER, .preset = "12", .min = 4,
	    .max = 17, .help = "cost of BLF-CRYPT, a power of two" },
	{ MEMBER(rehash_on_login), .kind = KIND_BOOL, .preset = "no",
	    .help = "replace a weaker hash after a correct login through PAM" },
	{ MEMBER(min_password_length), .kind = KIND_NUMBER, .preset = "8",
	    .min = 1, .max = 511, .help = "shortest new password, in bytes" },
	{ MEMBER(default_domain), .kind = KIND_DOMAIN, .preset = "",
	    .help = "domain of a PAM login without '@'; empty: none" },
	{ MEMBER(nss_mailboxes), .kind = KIND_BOOL, .preset = "yes",
	    .help = "NSS answers mailboxes, not only identities" },
	{ MEMBER(nss_enumerate), .kind = KIND_BOOL, .preset = "no",
	    .help = "NSS lists mailboxes to whoever asks for all users" },
	{ MEMBER(lock_wait), .kind = KIND_NUMBER, .preset = "10", .min = 0,
	    .max = 3600,
	    .help = "seconds that a change waits for another one to end" },
	{ MEMBER(dovecot), .kind = KIND_WORD, .preset = "2.3",
	    .words = dialects,
	    .help = "dialect of fields that differ: 2.3 or 2.4" },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

/* The text of a failure, from a few pieces. */
static enum vmail_rc
say(struct vmail_err *err, enum vmail_rc rc, const char *a, struct vmail_str b,
    const char *c)
{
	char what[VMAIL_ERR_WHAT];
	struct vmail_buf buf = { what, sizeof(what), 0, false };

	vmail_buf_z(&buf, a);
	vmail_buf_shown(&buf, b);
	vmail_buf_z(&buf, c);
	(void)vmail_buf_end(&buf);
	return vmail_fail(err, rc, NULL, 0, what);
}

static enum vmail_rc
bad(const struct key *k, const char *form, struct vmail_err *err)
{
	return say(err, VMAIL_INVALID, k->name, VMAIL_STR(": "), form);
}

static bool
set_text(char *member, size_t size, struct vmail_str value)
{
	if (value.n >= size)
		return false;
	memset(member, 0, size);
	if (value.n > 0)
		memcpy(member, value.p, value.n);
	return true;
}

/* These stand beside a passwd-file, or beside vmail.conf. */
static bool
name_is_taken(struct vmail_str path)
{
	static const char *const taken[] = { "", ".", ".lock", "apppw", "deny",
		"views", "vmail.conf" };
	struct vmail_str base = path;

	while (path.p != NULL)
		base = vmail_text_cut(&path, '/');
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (vmail_str_is(base, taken[i]))
			return true;
	}
	return false;
}

static const char *
path_fault(struct vmail_str value)
{
	if (value.n > VMAIL_CONF_PATH_MAX)
		return "at most 512 bytes";
	if (value.n == 0 || value.p[0] != '/')
		return "an absolute path";
	if (vmail_text_climbs(value))
		return "a path without '..'";
	return NULL;
}

/* No '%' at all, or one as the whole name of the file's folder: "/%d/NAME". */
static bool
percent_is_folder(struct vmail_str value)
{
	const char *p = memchr(value.p, '%', value.n);
	size_t at = p == NULL ? 0 : (size_t)(p - value.p);

	if (p == NULL)
		return true;
	return at >= 2 && at + 3 < value.n && memcmp(p - 1, "/%d/", 4) == 0 &&
	       memchr(p + 3, '/', value.n - at - 3) == NULL &&
	       memchr(p + 1, '%', value.n - at - 1) == NULL;
}

static const char *
passwd_file_fault(struct vmail_str value)
{
	const char *fault = path_fault(value);

	if (fault != NULL)
		return fault;
	if (!percent_is_folder(value))
		return "no '%' but in /%d/, the folder that holds the file";
	if (name_is_taken(value))
		return "the name of a file that nothing else uses";
	return NULL;
}

static const char *
template_fault(struct vmail_str value)
{
	const char *fault = path_fault(value);
	struct vmail_buf nowhere = { NULL, 0, 0, false };

	if (fault != NULL)
		return fault;
	if (memchr(value.p, ':', value.n) != NULL)
		return "a path without ':'";
	if (vmail_text_expand(&nowhere, value, VMAIL_STR("u@d")) != VMAIL_OK)
		return "no '%' but in %u, %n, %d and %%";
	return NULL;
}

static const char *
owner_fault(struct vmail_str value)
{
	struct vmail_str group = value, user = vmail_text_cut(&group, ':');

	if (!vmail_name_is_account(user) || !vmail_name_is_account(group))
		return "user:group, both by name";
	if (vmail_str_is(user, "root") || vmail_str_is(group, "root"))
		return "user:group, neither of them root";
	return NULL;
}

static const char *
group_fault(struct vmail_str value)
{
	uint64_t n;

	if (value.n == 0 || vmail_name_is_account(value) ||
	    vmail_text_number(value, UINT32_MAX - 2, &n))
		return NULL;
	return "a group, by name or number, or nothing";
}

static const char *
scheme_fault(struct vmail_str value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '-')
			return "a scheme: letters, digits and '-'";
	}
	return value.n == 0 || value.n > VMAIL_CONF_WORD_MAX
		   ? "a scheme of 1 to 32 bytes"
		   : NULL;
}

static enum vmail_rc
set_scheme(const struct key *k, char *member, struct vmail_str value,
    struct vmail_err *err)
{
	const char *fault = scheme_fault(value);

	if (fault != NULL)
		return bad(k, fault, err);
	(void)set_text(member, k->size, value);
	for (char *p = member; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
	return VMAIL_OK;
}

/* Judged as a part of a name, whose rules are text's. */
static enum vmail_rc
set_domain(const struct key *k, char *member, struct vmail_str value,
    struct vmail_err *err)
{
	char name[VMAIL_NAME_MAX + 1];
	struct vmail_buf b = { name, sizeof(name), 0, false };

	vmail_buf_z(&b, "x@");
	vmail_buf_str(&b, value);
	vmail_text_lower(name, b.len);
	if (value.n > 0 && (vmail_buf_end(&b) != VMAIL_OK ||
			       vmail_name_fault(vmail_str(name)) != NULL))
		return bad(k, "a domain, or nothing", err);
	(void)set_text(
	    member, k->size, (struct vmail_str){ name + 2, value.n });
	return VMAIL_OK;
}

static void
put_choices(const struct key *k, struct vmail_buf *b)
{
	if (k->kind == KIND_NUMBER) {
		vmail_buf_z(b, "a number from ");
		vmail_buf_num(b, k->min, 1);
		vmail_buf_z(b, " to ");
		vmail_buf_num(b, k->max, 1);
		return;
	}
	vmail_buf_z(b, "one of");
	for (size_t i = 0; k->words[i] != NULL; i++) {
		vmail_buf_char(b, ' ');
		vmail_buf_z(b, k->words[i]);
	}
}

static enum vmail_rc
bad_choice(const struct key *k, struct vmail_err *err)
{
	char form[VMAIL_ERR_WHAT];
	struct vmail_buf b = { form, sizeof(form), 0, false };

	put_choices(k, &b);
	(void)vmail_buf_end(&b);
	return bad(k, form, err);
}

static enum vmail_rc
set_word(const struct key *k, char *member, struct vmail_str value,
    struct vmail_err *err)
{
	for (uint32_t i = 0; k->words[i] != NULL; i++) {
		if (vmail_str_is(value, k->words[i])) {
			memcpy(member, &i, sizeof(i));
			return VMAIL_OK;
		}
	}
	return bad_choice(k, err);
}

static enum vmail_rc
set_bool(const struct key *k, char *member, struct vmail_str value,
    struct vmail_err *err)
{
	bool yes = vmail_str_is(value, "yes");

	if (!yes && !vmail_str_is(value, "no"))
		return bad(k, "yes or no", err);
	memcpy(member, &yes, sizeof(yes));
	return VMAIL_OK;
}

static enum vmail_rc
set_number(const struct key *k, char *member, struct vmail_str value,
    struct vmail_err *err)
{
	uint64_t wide;
	uint32_t n;

	if (!vmail_text_number(value, k->max, &wide) || wide < k->min)
		return bad_choice(k, err);
	n = (uint32_t)wide;
	memcpy(member, &n, sizeof(n));
	return VMAIL_OK;
}

static enum vmail_rc
set_judged(const struct key *k, char *member, struct vmail_str value,
    const char *(*fault_of)(struct vmail_str), struct vmail_err *err)
{
	const char *fault = fault_of(value);

	if (fault != NULL)
		return bad(k, fault, err);
	if (!set_text(member, k->size, value))
		return bad(k, "a shorter value", err);
	return VMAIL_OK;
}

static enum vmail_rc
set_key(const struct key *k, struct vmail_conf *conf, struct vmail_str value,
    struct vmail_err *err)
{
	char *member = (char *)conf + k->offset;

	if (vmail_text_has_control(value))
		return bad(k, "no control byte", err);
	switch (k->kind) {
	case KIND_PATH:
		return set_judged(k, member, value, passwd_file_fault, err);
	case KIND_TEMPLATE:
		return set_judged(k, member, value, template_fault, err);
	case KIND_OWNER:
		return set_judged(k, member, value, owner_fault, err);
	case KIND_GROUP:
		return set_judged(k, member, value, group_fault, err);
	case KIND_WORD:
		return set_word(k, member, value, err);
	case KIND_BOOL:
		return set_bool(k, member, value, err);
	case KIND_NUMBER:
		return set_number(k, member, value, err);
	case KIND_SCHEME:
		return set_scheme(k, member, value, err);
	case KIND_DOMAIN:
		return set_domain(k, member, value, err);
	}
	return VMAIL_INVALID;
}

void
vmail_conf_defaults(struct vmail_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < KEYS; i++)
		(void)set_key(&keys[i], conf, vmail_str(keys[i].preset), NULL);
	(void)set_text(
	    conf->path, sizeof(conf->path), vmail_str(VMAIL_CONF_PATH));
}

static size_t
index_of(struct vmail_str name)
{
	size_t i = 0;

	while (i < KEYS && !vmail_str_is(name, keys[i].name))
		i++;
	return i;
}

enum vmail_rc
vmail_conf_set(struct vmail_conf *conf, struct vmail_str key,
    struct vmail_str value, struct vmail_err *err)
{
	size_t i = index_of(key);

	if (i == KEYS)
		return say(err, VMAIL_NOT_FOUND, "no such key: ", key, "");
	return set_key(&keys[i], conf, value, err);
}

const char *
vmail_conf_key(size_t index)
{
	return index < KEYS ? keys[index].name : NULL;
}

const char *
vmail_conf_help(size_t index)
{
	return index < KEYS ? keys[index].help : NULL;
}

void
vmail_conf_value(
    const struct vmail_conf *conf, size_t index, struct vmail_buf *out)
{
	const struct key *k = &keys[index];
	const char *member = (const char *)conf + k->offset;
	uint32_t n = 0;

	if (k->kind == KIND_NUMBER || k->kind == KIND_WORD)
		memcpy(&n, member, sizeof(n));
	if (k->kind == KIND_NUMBER)
		vmail_buf_num(out, n, 1);
	else if (k->kind == KIND_WORD)
		vmail_buf_z(out, k->words[n]);
	else if (k->kind == KIND_BOOL)
		vmail_buf_z(out, *(const bool *)member ? "yes" : "no");
	else
		vmail_buf_z(out, member);
}

/* One reading: what was read so far, and from where. */
struct reading {
	struct vmail_conf *conf;
	const char *path;
	struct vmail_err *err;
	unsigned long line;
	unsigned long seen[KEYS]; /* the line of each key, 0: none yet */
};

static struct vmail_str
trim(struct vmail_str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Puts file and line in front of what was said without them. */
static enum vmail_rc
malformed(const struct reading *r, const char *what)
{
	return vmail_fail(r->err, VMAIL_MALFORMED, r->path, r->line, what);
}

static enum vmail_rc
malformed_key(const struct reading *r, const char *what, struct vmail_str key)
{
	char text[VMAIL_ERR_WHAT];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	vmail_buf_z(&b, what);
	vmail_buf_shown(&b, key);
	(void)vmail_buf_end(&b);
	return malformed(r, text);
}

static enum vmail_rc
take_setting(struct reading *r, struct vmail_str key, struct vmail_str value)
{
	size_t i = index_of(key);

	if (i == KEYS)
		return malformed_key(r, "no such key: ", key);
	if (r->seen[i] > 0)
		return malformed_key(r, "repeated key: ", key);
	r->seen[i] = r->line;
	if (set_key(&keys[i], r->conf, value, r->err) != VMAIL_OK)
		return malformed(r, r->err == NULL ? "" : r->err->what);
	return VMAIL_OK;
}

static enum vmail_rc
take_line(struct reading *r, struct vmail_str line)
{
	struct vmail_str key, value;

	r->line++;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n > LINE_MAX_BYTES)
		return malformed(r, "a line of more than 1024 bytes");
	if (line.n > 0 && memchr(line.p, '\0', line.n) != NULL)
		return malformed(r, "a NUL byte");
	if (trim(line).n == 0 || line.p[0] == '#')
		return VMAIL_OK;
	value = line;
	key = trim(vmail_text_cut(&value, '='));
	if (value.p == NULL)
		return malformed_key(r, "no '=' behind: ", key);
	return take_setting(r, key, trim(value));
}

/* What concerns more than one key. */
static enum vmail_rc
take_end(struct reading *r)
{
	unsigned long first = r->seen[index_of(VMAIL_STR("first_valid_uid"))];
	unsigned long last = r->seen[index_of(VMAIL_STR("last_valid_uid"))];

	if (r->conf->first_valid_uid <= r->conf->last_valid_uid)
		return VMAIL_OK;
	r->line = first > last ? first : last;
	return malformed(r, "first_valid_uid is above last_valid_uid");
}

static enum vmail_rc
start(struct reading *r, struct vmail_conf *conf, const char *path,
    struct vmail_err *err)
{
	*r = (struct reading){ .conf = conf, .path = path, .err = err };
	vmail_conf_defaults(conf);
	if (set_text(conf->path, sizeof(conf->path), vmail_str(path)))
		return VMAIL_OK;
	errno = ENAMETOOLONG;
	return vmail_fail_sys(err, path, "open");
}

enum vmail_rc
vmail_conf_parse(struct vmail_conf *conf, struct vmail_str text,
    const char *path, struct vmail_err *err)
{
	struct vmail_conf fresh;
	struct reading r;
	enum vmail_rc rc = start(&r, &fresh, path, err);

	if (rc == VMAIL_OK && text.n > FILE_MAX_BYTES)
		rc = malformed(&r, "larger than 64 KiB");
	while (rc == VMAIL_OK && text.n > 0)
		rc = take_line(&r, vmail_text_cut(&text, '\n'));
	if (rc == VMAIL_OK)
		rc = take_end(&r);
	if (rc == VMAIL_OK)
		*conf = fresh;
	return rc;
}

/* The lines of buf[n]; *used is where a last one begins that may go on. It
 * comes again as the first, and is then the whole of it or too long. */
static enum vmail_rc
take_lines(struct reading *r, const char *buf, size_t n, size_t *used)
{
	struct vmail_str rest = { buf, n };
	enum vmail_rc rc = VMAIL_OK;

	while (rc == VMAIL_OK && rest.n > 0) {
		struct vmail_str line = vmail_text_cut(&rest, '\n');

		if (rest.p == NULL && line.p != buf)
			break;
		rc = take_line(r, line);
		*used = rest.p == NULL ? n : (size_t)(rest.p - buf);
	}
	return rc;
}

static enum vmail_rc
take_file(struct reading *r, int fd, uint64_t size)
{
	/* With room for CR and LF: a line that fills it all is too long. */
	char buf[LINE_MAX_BYTES + 2];
	uint64_t at = 0;

	while (at <= FILE_MAX_BYTES) {
		size_t used = 0, left = size - at < sizeof(buf)
					    ? (size_t)(size - at)
					    : sizeof(buf);
		/* No call to learn of an end that is known: each login asks. */
		ssize_t got = vmail_file_pread(fd, buf, left, at);
		enum vmail_rc rc;

		if (got < 0)
			return vmail_fail_sys(r->err, r->path, "read");
		if (got == 0)
			return take_end(r);
		rc = take_lines(r, buf, (size_t)got, &used);
		if (rc != VMAIL_OK)
			return rc;
		at += used;
	}
	r->line = 0;
	return malformed(r, "larger than 64 KiB");
}

enum vmail_rc
vmail_conf_load(
    struct vmail_conf *conf, const char *path, struct vmail_err *err)
{
	const char *from = path == NULL ? VMAIL_CONF_PATH : path;
	VMAIL_AUTOCLOSE int fd = -1;
	struct vmail_conf fresh;
	struct reading r;
	struct stat st;
	enum vmail_rc rc = start(&r, &fresh, from, err);

	if (rc == VMAIL_OK)
		rc = vmail_file_open(from, O_RDONLY, &fd, &st, err);
	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, from, err);
	if (rc == VMAIL_OK)
		rc = take_file(&r, fd, (uint64_t)st.st_size);
	else if (rc == VMAIL_NOT_FOUND && strcmp(from, VMAIL_CONF_PATH) == 0)
		rc = VMAIL_OK;
	else if (rc == VMAIL_NOT_FOUND) {
		errno = ENOENT;
		rc = vmail_fail(err, VMAIL_IO, from, 0, "open");
	}
	if (rc == VMAIL_OK)
		*conf = fresh;
	return rc;
}

struct vmail_str
vmail_conf_owner_user(const struct vmail_conf *conf)
{
	struct vmail_str rest = vmail_str(conf->owner);

	return vmail_text_cut(&rest, ':');
}

struct vmail_str
vmail_conf_owner_group(const struct vmail_conf *conf)
{
	struct vmail_str rest = vmail_str(conf->owner);

	(void)vmail_text_cut(&rest, ':');
	return rest;
}

enum vmail_rc
vmail_conf_beside(
    const struct vmail_conf *conf, const char *name, char *out, size_t size)
{
	struct vmail_buf b = { out, size, 0, false };
	const char *slash = strrchr(conf->path, '/');

	if (slash != NULL)
		vmail_buf_put(&b, conf->path, (size_t)(slash - conf->path) + 1);
	vmail_buf_z(&b, name);
	return vmail_buf_end(&b);
}

bool
vmail_conf_has_domains(const struct vmail_conf *conf)
{
	return strchr(conf->passwd_file, '%') != NULL;
}

enum vmail_rc
vmail_conf_domain_path(
    const char *tmpl, struct vmail_str domain, char *out, size_t size)
{
	struct vmail_buf b = { .p = out, .size = size };
	const char *percent = strchr(tmpl, '%');

	if (percent == NULL || !vmail_domain_is_folder(domain))
		return VMAIL_NOT_FOUND;
	vmail_buf_put(&b, tmpl, (size_t)(percent - tmpl));
	vmail_buf_str(&b, domain);
	vmail_buf_z(&b, percent + 2);
	return vmail_buf_end(&b) == VMAIL_OK ? VMAIL_OK : VMAIL_NOT_FOUND;
}

enum vmail_rc
vmail_conf_enter(struct vmail_conf *conf, struct vmail_str domain)
{
	char path[VMAIL_CONF_PATH_MAX + 1];
	enum vmail_rc rc;

	if (!vmail_conf_has_domains(conf))
		return VMAIL_OK;
	rc = vmail_conf_domain_path(
	    conf->passwd_file, domain, path, sizeof(path));
	if (rc != VMAIL_OK)
		return rc;
	memcpy(conf->passwd_file, path, strlen(path) + 1);
	conf->entered = true;
	return VMAIL_OK;
}

enum vmail_rc
vmail_conf_domains_folder(const struct vmail_conf *conf, char *out, size_t size)
{
	struct vmail_buf b = { .p = out, .size = size };
	const char *percent = strchr(conf->passwd_file, '%');

	if (percent == NULL)
		return VMAIL_NOT_FOUND;
	vmail_buf_put(
	    &b, conf->passwd_file, (size_t)(percent - conf->passwd_file) - 1);
	return vmail_buf_end(&b);
}
