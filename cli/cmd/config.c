/* config show, dovecot, pam, nss: settings, and snippets that fit them. */
#include <string.h>

#include "cli/cmd/all.h"
#include "cli/report.h"
#include "cli/say.h"
#include "cli/snippets.h"

struct options {
	const char *dovecot, *style;
};

static const struct opt opts[] = {
	{ 0, "dovecot", "VERSION", "2.3 or 2.4 (default: the setting)",
	    offsetof(struct options, dovecot) },
	{ 0, "style", "STYLE",
	    "file: Dovecot reads the file; modules: PAM, NSS",
	    offsetof(struct options, style) },
	OPT_END,
};

enum { KEYS_MAX = 64 };

/* The values of all settings as text, in one stretch of memory. */
struct values {
	char text[16384];
	struct vmail_str value[KEYS_MAX];
	size_t n;
};

static void
read_values(const struct vmail_conf *conf, struct values *v)
{
	struct vmail_buf b = { v->text, sizeof(v->text), 0, false };

	for (v->n = 0; v->n < KEYS_MAX && vmail_conf_key(v->n); v->n++) {
		size_t from = b.len;

		vmail_conf_value(conf, v->n, &b);
		v->value[v->n] =
		    (struct vmail_str){ v->text + from, b.len - from };
	}
}

static int
print_object(const struct run *run, const struct values *v)
{
	struct report_column columns[KEYS_MAX];
	struct cell cells[KEYS_MAX];

	for (size_t i = 0; i < v->n; i++) {
		columns[i] =
		    (struct report_column){ vmail_conf_key(i), NULL, false };
		cells[i] = cell_text(v->value[i]);
	}
	return report_object(run->output, columns, cells, v->n) ? STATUS_OK
								: STATUS_FAILED;
}

static int
print_rows(const struct values *v)
{
	static const struct report_column columns[] = {
		{ "key", "KEY", false },
		{ "value", "VALUE", false },
		{ "meaning", "MEANING", false },
	};
	struct report *r = report_open(OUTPUT_TABLE, columns, 3);
	bool good = r != NULL;

	for (size_t i = 0; good && i < v->n; i++) {
		struct cell row[] = { cell_z(vmail_conf_key(i)),
			cell_text(v->value[i]), cell_z(vmail_conf_help(i)) };

		good = report_row(r, row);
	}
	return report_close(r) && good ? STATUS_OK : STATUS_FAILED;
}

static int
show(const struct run *run)
{
	struct values v;

	read_values(&run->conf, &v);
	return run->output == OUTPUT_TABLE ? print_rows(&v)
					   : print_object(run, &v);
}

static int
dovecot(const struct run *run, const struct options *o)
{
	enum vmail_dialect dialect = run->conf.dovecot;
	bool modules = o->style && strcmp(o->style, "modules") == 0;

	if (o->style && !modules && strcmp(o->style, "file") != 0)
		return say_fail(STATUS_USAGE,
		    "--style: file or modules, not '%s'", o->style);
	if (o->dovecot && strcmp(o->dovecot, "2.3") == 0)
		dialect = VMAIL_DOVECOT_23;
	else if (o->dovecot && strcmp(o->dovecot, "2.4") == 0)
		dialect = VMAIL_DOVECOT_24;
	else if (o->dovecot)
		return say_fail(STATUS_USAGE, "--dovecot: 2.3 or 2.4, not '%s'",
		    o->dovecot);
	return snippets_dovecot(&run->conf, dialect, modules);
}

static int
config(struct run *run)
{
	const struct options *o = run->options;
	const char *what = run->operand[0];
	bool of_dovecot = strcmp(what, "dovecot") == 0;

	if (!of_dovecot && (o->dovecot || o->style))
		return say_fail(STATUS_USAGE,
		    "--dovecot and --style belong to config dovecot");
	if (of_dovecot)
		return dovecot(run, o);
	if (strcmp(what, "show") == 0)
		return show(run);
	if (strcmp(what, "pam") == 0)
		return snippets_pam(&run->conf);
	if (strcmp(what, "nss") == 0)
		return snippets_nss();
	return say_fail(
	    STATUS_USAGE, "config: show, dovecot, pam or nss, not '%s'", what);
}

const struct cmd cmd_config = {
	.name = "config",
	.operands = "show|dovecot|pam|nss",
	.summary = "show settings, or configuration that fits them",
	.least = 1,
	.most = 1,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = config,
};
