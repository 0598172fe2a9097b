/* hash: makes one, tests one, lists the schemes. Needs no privileges. */
#include <string.h>

#include "cli/ask.h"
#include "cli/cmd/all.h"
#include "cli/newpass.h"
#include "cli/report.h"
#include "cli/say.h"

struct options {
	struct ask_options ask;
	const char *scheme, *test;
	bool list;
};

static const struct opt opts[] = {
	{ 's', "scheme", "SCHEME", "hash with SCHEME",
	    offsetof(struct options, scheme) },
	{ 0, "list", NULL, "list the schemes, the strongest first",
	    offsetof(struct options, list) },
	{ 0, "test", "HASH", "is the password that of HASH?",
	    offsetof(struct options, test) },
	ASK_OPTIONS(struct options),
	OPT_END,
};

static const char *
strength(enum vmail_strength s)
{
	switch (s) {
	case VMAIL_PLAINTEXT:
		return "plaintext";
	case VMAIL_WEAK:
		return "weak";
	case VMAIL_FAIR:
		return "fair";
	case VMAIL_STRONG:
		return "strong";
	}
	return NULL;
}

static int
list_schemes(const struct run *run)
{
	static const struct report_column columns[] = {
		{ "scheme", "SCHEME", false },
		{ "strength", "STRENGTH", false },
		{ "note", "NOTE", false },
	};
	struct report *r = report_open(run->output, columns, 3);
	const struct vmail_scheme *s;
	bool good = r != NULL;

	for (size_t i = 0; good && (s = vmail_scheme_at(i)) != NULL; i++) {
		struct cell row[] = { cell_z(s->name),
			cell_z(strength(s->strength)), cell_z(s->note) };

		good = report_row(r, row);
	}
	return report_close(r) && good ? STATUS_OK : STATUS_FAILED;
}

static int
test(const struct options *o)
{
	VMAIL_SECRET password = { 0 };
	struct vmail_str field = vmail_str(o->test);
	const char *fault = vmail_scheme_fault(field);
	int status;

	if (fault)
		return say_fail(STATUS_USAGE, "hash: %s", fault);
	status = ask_password(&o->ask, ASK_ONCE, "the hash", &password);
	if (status != STATUS_OK)
		return status;
	if (vmail_scheme_verify(field, &password) != VMAIL_OK)
		return say_fail(STATUS_FAILED, "not the password of this hash");
	say_line("the password of this hash");
	return STATUS_OK;
}

static int
make(const struct run *run, const struct options *o)
{
	const struct vmail_scheme *scheme =
	    newpass_scheme(o->scheme ? o->scheme : run->conf.scheme);
	VMAIL_SECRET password = { 0 };
	char text[VMAIL_HASH_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_err err;
	int status;

	if (!scheme)
		return STATUS_USAGE;
	status = ask_password(&o->ask, ASK_TWICE, "the hash", &password);
	if (status != STATUS_OK)
		return status;
	if (vmail_scheme_make(scheme, &run->conf, &password, &b, &err) !=
	    VMAIL_OK)
		return say_error(&err);
	say_line("%.*s", (int)b.len, text);
	explicit_bzero(text, sizeof(text));
	return STATUS_OK;
}

static int
hash(struct run *run)
{
	const struct options *o = run->options;

	if (o->list + (o->test != NULL) + (o->scheme != NULL) > 1)
		return say_fail(STATUS_USAGE,
		    "--list, --test and --scheme exclude each other");
	if (o->list)
		return list_schemes(run);
	return o->test ? test(o) : make(run, o);
}

const struct cmd cmd_hash = {
	.name = "hash",
	.operands = "",
	.summary = "make a password hash, or test one",
	.options = opts,
	.options_size = sizeof(struct options),
	.run = hash,
};
