/* export [GLOB...]: whole records, hashes included, for import or others. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd/all.h"
#include "cli/jsonl.h"
#include "cli/mask.h"
#include "cli/names.h"
#include "cli/say.h"
#include "common/admin/store.h"

struct options {
	const char *to;
	bool no_secrets;
};

static const struct opt opts[] = {
	{ 0, "to", "FORMAT", "passwd-file (the default) or jsonl",
	    offsetof(struct options, to) },
	{ 0, "no-secrets", NULL, "leave the hashes out",
	    offsetof(struct options, no_secrets) },
	OPT_END,
};

struct work {
	const struct run *run;
	const struct options *o;
	struct world world;
	struct userview view;
	struct names names;
	bool jsonl;
	int status;
	char extras[VMAIL_LINE_MAX];
};

static bool
wanted(const struct work *w, struct vmail_str name)
{
	char z[VMAIL_LINE_MAX + 1];

	if (w->run->operands == 0)
		return true;
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	for (size_t i = 0; i < w->run->operands; i++) {
		if (fnmatch(w->run->operand[i], z, 0) == 0)
			return true;
	}
	return false;
}

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
each(const struct vmail_walk_line *line, void *arg)
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
	    !wanted(w, rc == VMAIL_OK ? e.name : rough_name(line->text)))
		return true;
	if (rc != VMAIL_OK)
		return lose(w, line, why);
	first = names_meet(&w->names, e.name, line->number);
	if (first < 0)
		return out_of_memory(w);
	if (first == 0)
		return put(w, line, &e);
	snprintf(text, sizeof(text), "the user is that of line %ld", first);
	return leave_out(line, text);
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
	enum vmail_rc rc;

	if (world_open(&w->world, &w->run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	if (!names_open(&w->names))
		return say_fail(STATUS_FAILED, "out of memory");
	w->view.conf = &w->run->conf;
	w->view.world = &w->world;
	judge_stdout(w);
	rc = vmail_store_walk(&w->run->conf, each, w, &err);
	return rc == VMAIL_OK ? w->status : say_error(&err);
}

static int export(struct run *run)
{
	struct work w = { .run = run, .o = run->options };
	const char *to = w.o->to ? w.o->to : "passwd-file";
	int status;

	w.jsonl = strcmp(to, "jsonl") == 0;
	if (!w.jsonl && strcmp(to, "passwd-file") != 0)
		return say_fail(
		    STATUS_USAGE, "--to: passwd-file or jsonl, not '%s'", to);
	if (!w.o->no_secrets && geteuid() != 0)
		return say_fail(STATUS_UNSAFE,
		    "export: only root may, without --no-secrets");
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
