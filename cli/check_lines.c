/* check: the lines of the passwd-file as such, their names, ids and homes. */
#include "cli/check_lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/domains.h"
#include "cli/names.h"
#include "cli/say.h"
#include "cli/userview.h"
#include "common/admin/store.h"
#include "common/core/file.h"

#define EDIT "take it out with an editor, then run vmailadm map"

struct walk {
	struct check *check;
	struct names names;
	struct userview view; /* resolves ids */
	bool full;	      /* no memory for more names */
};

void
check_line_say(const struct check_line *l, enum severity severity,
    const char *code, const char *message, const char *fix)
{
	check_say(l->check,
	    &(struct finding){ severity, code, l->check->conf->passwd_file,
		l->number, l->entry.name, message, fix });
}

static bool
has_upper(struct vmail_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return true;
	}
	return false;
}

/* What a name does to paths made of it is worse than being odd. */
static bool
is_dangerous(struct vmail_str name)
{
	return memchr(name.p, '/', name.n) != NULL ||
	       memmem(name.p, name.n, "..", 2) != NULL ||
	       vmail_text_has_control(name);
}

/* In another domain's file nobody looks for it. */
static void
check_domain(const struct check_line *l)
{
	if (!domains_holds(l->check->domain, l->entry.name))
		check_line_say(l, SEVERITY_ERROR, "name-domain",
		    "stands in the file of another domain: nobody finds it",
		    "move the line to the file of its domain, then run "
		    "vmailadm map");
}

static void
check_name(const struct check_line *l)
{
	struct vmail_str name = l->entry.name;
	char lower[VMAIL_NAME_MAX];
	const char *fault;

	if (name.n == 0)
		return;
	check_domain(l);
	if (has_upper(name))
		check_line_say(l, SEVERITY_WARN, "name-case",
		    "upper case: logins are lower-cased and never meet it",
		    "vmailadm usermod --login NEW USER");
	if (name.n > sizeof(lower)) {
		check_line_say(l, SEVERITY_WARN, "name",
		    "a name longer than 254 bytes", NULL);
		return;
	}
	memcpy(lower, name.p, name.n);
	vmail_text_lower(lower, name.n);
	fault = vmail_name_fault((struct vmail_str){ lower, name.n });
	if (fault)
		check_line_say(l,
		    is_dangerous(name) ? SEVERITY_ERROR : SEVERITY_WARN, "name",
		    fault, "vmailadm usermod --login NEW USER");
	else if (!memchr(name.p, '@', name.n) &&
		 !vmail_ids_name_free(&l->check->world->ids, name))
		check_line_say(l, SEVERITY_ERROR, "name-account",
		    "an account or identity of this system has that name",
		    "vmailadm usermod --login NEW USER");
}

static void
check_twin(struct walk *w, const struct check_line *l)
{
	char text[64];
	long first =
	    w->full ? 0 : names_meet(&w->names, l->entry.name, l->number);

	if (first == 0)
		return;
	if (first < 0) {
		w->full = true;
		return;
	}
	snprintf(text, sizeof(text),
	    "stands in line %ld already; the first counts", first);
	check_line_say(l, SEVERITY_WARN, "duplicate", text, EDIT);
}

static const char *
range_fault(const struct check *c, struct vmail_str id)
{
	return vmail_entry_id_fault(
	    id, c->conf->first_valid_uid, c->conf->last_valid_uid);
}

/* An empty field is the owner, who is judged once for all. */
static void
check_ids(struct walk *w, const struct check_line *l)
{
	const struct vmail_entry *e = &l->entry;
	const char *fault = range_fault(w->check, e->uid);
	struct vmail_ids ids;

	if (!fault)
		fault = range_fault(w->check, e->gid);
	if (e->uid.n == 0 && e->gid.n == 0)
		return;
	if (fault)
		check_line_say(l, SEVERITY_ERROR, "id", fault,
		    "vmailadm usermod --uid UID --gid GID USER");
	else if (!userview_ids(&w->view, e, &ids))
		check_line_say(l, SEVERITY_ERROR, "id-unknown",
		    "uid or gid has no number on this system: Dovecot drops "
		    "such a line, mail bounces",
		    "vmailadm usermod --uid UID --gid GID USER");
}

static void
check_home(const struct check_line *l)
{
	const char *fault = vmail_entry_home_fault(l->entry.home);

	if (fault)
		check_line_say(l, SEVERITY_WARN, "home", fault,
		    "vmailadm usermod --home HOME USER");
}

/* Dovecot needs the third colon to see more than a password in a line. */
static void
check_colons(const struct check_line *l)
{
	enum { USERDB_COLONS = 3 };

	if (l->entry.colons < USERDB_COLONS)
		check_line_say(l, SEVERITY_WARN, "passdb-only",
		    "a name and a password alone: Dovecot delivers no mail "
		    "by such a line",
		    "vmailadm usermod --home HOME USER");
}

static void
check_sound(struct walk *w, const struct check_line *l)
{
	check_name(l);
	check_twin(w, l);
	check_password(l);
	check_colons(l);
	check_ids(w, l);
	check_home(l);
	check_extras(l);
}

/* The name of a line that does not parse, as far as there is one. */
static struct vmail_str
rough_name(struct vmail_str text)
{
	struct vmail_str name = vmail_text_cut(&text, ':');

	if (name.n > VMAIL_NAME_MAX || memchr(name.p, '\0', name.n))
		return (struct vmail_str){ NULL, 0 };
	return name;
}

static void
check_bytes(const struct check_line *l, const struct vmail_walk_line *line)
{
	struct vmail_str text = line->text;

	if (line->number == 1 && vmail_str_starts(text, "\xef\xbb\xbf"))
		check_line_say(l, SEVERITY_ERROR, "bom",
		    "a byte order mark: it hides the first user",
		    "sed -i '1s/^\\xef\\xbb\\xbf//' FILE && vmailadm map");
	if (text.n > 0 && text.p[text.n - 1] == '\r')
		check_line_say(l, SEVERITY_WARN, "cr",
		    "a carriage return at its end",
		    "sed -i 's/\\r$//' FILE && vmailadm map");
	if (!line->ended)
		check_line_say(l, SEVERITY_WARN, "no-line-feed",
		    "the last line has no line feed: doveadm user '*' misses "
		    "it",
		    "echo >> FILE && vmailadm map");
}

static bool
each(const struct vmail_walk_line *line, void *arg)
{
	struct walk *w = arg;
	struct check_line l = { .check = w->check,
		.number = line->number,
		.offset = line->offset,
		.text = line->text };
	const char *why = NULL;
	enum vmail_rc rc = VMAIL_MALFORMED;

	if (line->whole > line->text.n)
		why = "longer than 20480 bytes";
	else
		rc = vmail_entry_parse(line->text, &l.entry, &why);
	if (rc == VMAIL_OK) {
		check_sound(w, &l);
	} else if (rc == VMAIL_MALFORMED) {
		l.entry.name = rough_name(line->text);
		check_line_say(&l, SEVERITY_ERROR, "malformed", why, EDIT);
	}
	check_bytes(&l, line);
	return w->check->good;
}

/* As far as it may be read, or, by the plan, might be. */
static enum vmail_rc
walk(struct walk *w, struct vmail_err *err)
{
	const struct vmail_conf *conf = w->check->conf;
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	enum vmail_rc rc = vmail_store_walk(conf, each, w, err);

	if (rc != VMAIL_UNSAFE || !w->check->planned)
		return rc;
	rc = vmail_file_open(conf->passwd_file, O_RDONLY, &fd, &st, err);
	return rc == VMAIL_OK
		   ? vmail_store_walk_fd(fd, conf->passwd_file, each, w, err)
		   : rc;
}

void
check_lines(struct check *c)
{
	struct walk w = { .check = c };
	struct vmail_err err;
	char text[VMAIL_ERR_TEXT];

	w.view.conf = c->conf;
	w.view.world = c->world;
	if (!names_open(&w.names)) {
		c->good = false;
		return;
	}
	if (walk(&w, &err) != VMAIL_OK) {
		vmail_err_text(&err, text, sizeof(text));
		check_say(
		    c, &(struct finding){ SEVERITY_ERROR, "unreadable",
			   c->conf->passwd_file, 0, { NULL, 0 }, text, NULL });
	}
	if (w.full)
		say_warn("no memory to look for more equal names");
	names_free(&w.names);
}
