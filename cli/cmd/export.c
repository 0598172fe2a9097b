/* export [GLOB...]: whole records, hashes included, for import or others. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd/all.h"
#include "cli/domains.h"
#include "cli/jsonl.h"
#include "cli/mask.h"
#include "cli/names.h"
#include "cli/say.h"
#include "common/admin/domains.h"
#include "common/admin/store.h"

struct options {
	const char *to, *domain;
	bool no_secrets;
};

static const struct opt opts[] = {
	{ 0, "to", "FORMAT", "passwd-file (the default) or jsonl",
	    offsetof(struct options, to) },
	{ 0, "domain", "DOMAIN", "users of that domain alone",
	    offsetof(struct options, domain) },
	{ 0, "no-secrets", NULL, "leave the hashes out",
	    offsetof(struct options, no_secrets) },
	OPT_END,
};

struct work {
	struct run *run;
	const struct options *o;
	struct world world;
	struct userview view;
	struct names names;
	struct vmail_str only;	 /* users of that domain; empty: all */
	struct vmail_str domain; /* whose file is read; empty: everybody's */
	bool jsonl, stopped;
	int status;
	char extras[VMAIL_LINE_MAX];
};

static bool
leave_out(const struct vmail_walk_line *line, const char *why)
{
	say_warn("%s:%lu: left out: %s", line->path, line->number, why);
	return true;
}

/* A user is missing in what was printed. */
static bool
lose(struct work *w, const struct vmail_walk_line *line, const char *why)
{
	w->status = STATUS_FAILED;
	return leave_out(line, why);
}

static bool
out_of_memory(struct work *w)
{
	w->status = say_fail(STATUS_FAILED, "out of memory");
	return false;
}

static bool
put_json(struct work *w, const struct vmail_walk_line *line,
    const struct vmail_entry *e)
{
	bool utf8;

	if (jsonl_write(stdout, e, !w->o->no_secrets, &utf8))
		return true;
	if (!utf8)
		return lose(w, line, "not UTF-8, which JSON must be");
	return ferror(stdout) ? false : out_of_memory(w);
}

static bool
put_line(struct vmail_str text)
{
	if (text.p[text.n - 1] == '\r')
		text.n--;
	fwrite(text.p, 1, text.n, stdout);
	return putchar('\n') != EOF;
}

/* A password that never matches, and only extra fields that are no secret. */
static bool
put_masked(const struct vmail_entry *e)
{
	char text[VMAIL_LINE_MAX + 16];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_entry masked = *e;

	masked.password = VMAIL_STR("{CRYPT}*");
	vmail_entry_put(&masked, &b);
	return put_line((struct vmail_str){ text, b.len });
}

static bool
put(struct work *w, const struct vmail_walk_line *line, struct vmail_entry *e)
{
	struct vmail_buf b = { w->extras, sizeof(w->extras), 0, false };

	if (w->o->no_secrets) {
		mask_extras(&w->view, e, &b);
		e->extra = (struct vmail_str){ b.p, b.len };
	}
	if (w->jsonl)
		return put_json(w, line, e);
	return w->o->no_secrets ? put_masked(e) : put_line(line->text);
}

static struct vmail_str
rough_name(struct vmail_str text)
{
	return vmail_text_cut(&text, ':');
}

static bool
take(const struct vmail_walk_line *line, void *arg)
{
	struct work *w = arg;
	const char *why = "longer than 20480 bytes";
	struct vmail_entry e;
	enum vmail_rc rc = VMAIL_MALFORMED;
	char text[64];
	long first;

	if (line->whole == line->text.n)
		rc = vmail_entry_parse(line->text, &e, &why);
	if (rc == VMAIL_NOT_FOUND ||
	    !domains_wanted(w->run, w->only,
		rc == VMAIL_OK ? e.name : rough_name(line->text)))
		return true;
	if (rc != VMAIL_OK)
		return lose(w, line, why);
	if (!domains_holds(w->domain, e.name))
		return lose(w, line, "of another domain: nobody finds it here");
	first = names_meet(&w->names, e.name, line->number);
	if (first < 0)
		return out_of_memory(w);
	if (first == 0)
		return put(w, line, &e);
	snprintf(text, sizeof(text), "the user is that of line %ld", first);
	return leave_out(line, text);
}

static bool
each(const struct vmail_walk_line *line, void *arg)
{
	struct work *w = arg;

	w->stopped = !take(line, arg);
	return !w->stopped;
}

/* A file that cannot be read keeps nobody from the others. */
static bool
export_file(const struct vmail_conf *conf, struct vmail_str domain, void *arg)
{
	struct work *w = arg;
	struct vmail_err err;

	if (!conf->entered || domain.n > 0)
		w->domain = domain;
	if (vmail_store_walk(conf, each, w, &err) != VMAIL_OK) {
		int status = say_error(&err);

		if (w->status == STATUS_OK)
			w->status = status;
	}
	return !w->stopped;
}

/* A shell that writes our output into a file makes it for everybody. */
static void
judge_stdout(const struct work *w)
{
	struct stat st;

	if (w->o->no_secrets || fstat(STDOUT_FILENO, &st) != 0 ||
	    !S_ISREG(st.st_mode) || !(st.st_mode & 077))
		return;
	say_warn("others may read the file that the hashes go to");
	say_mend("chmod 0600 that file; umask 077 before the next one");
}

static int
export_all(struct work *w)
{
	struct vmail_err err;

	if (world_open(&w->world, &w->run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	if (!names_open(&w->names))
		return say_fail(STATUS_FAILED, "out of memory");
	w->view.conf = &w->run->conf;
	w->view.world = &w->world;
	judge_stdout(w);
	if (vmail_domains_each(&w->run->conf, export_file, w, &err) != VMAIL_OK)
		return say_error(&err);
	return w->status;
}

/* Of one domain with a file of its own, that file alone is read. */
static int
choose(struct work *w, char domain[VMAIL_NAME_MAX + 1])
{
	const char *wanted_one = w->o->domain;

	if (!wanted_one)
		return STATUS_OK;
	if (!vmail_conf_has_domains(&w->run->conf)) {
		w->only = vmail_str(wanted_one);
		return STATUS_OK;
	}
	w->domain = (struct vmail_str){ domain, strlen(wanted_one) };
	return domains_enter(w->run, wanted_one, domain);
}

static int export(struct run *run)
{
	struct work w = { .run = run, .o = run->options };
	const char *to = w.o->to ? w.o->to : "passwd-file";
	char domain[VMAIL_NAME_MAX + 1];
	int status;

	w.jsonl = strcmp(to, "jsonl") == 0;
	if (!w.jsonl && strcmp(to, "passwd-file") != 0)
		return say_fail(
		    STATUS_USAGE, "--to: passwd-file or jsonl, not '%s'", to);
	if (!w.o->no_secrets && geteuid() != 0)
		return say_fail(STATUS_UNSAFE,
		    "export: only root may, without --no-secrets");
	status = choose(&w, domain);
	if (status == STATUS_OK)
		status = export_all(&w);
	names_free(&w.names);
	world_close(&w.world);
	return status;
}

const struct cmd cmd_export = {
	.name = "export",
	.operands = "[GLOB...]",
	.summary = "print whole records, hashes included",
	.most = CMD_ANY,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = export,
};
