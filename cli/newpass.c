#include "cli/newpass.h"

#include <stdio.h>
#include <string.h>

#include "cli/report.h"
#include "cli/say.h"

const struct vmail_scheme *
newpass_scheme(const char *name)
{
	const struct vmail_scheme *scheme = vmail_scheme_named(vmail_str(name));

	if (!scheme) {
		say_fail(0, "no such password scheme: %s", name);
		say_mend("vmailadm hash --list shows them");
	}
	return scheme;
}

int
newpass_check(
    const struct run *run, const struct newpass_options *o, size_t users)
{
	const bool given[] = { o->ask.fd != NULL, o->ask.file != NULL,
		o->generate, o->hash_stdin };
	unsigned sources = 0;

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		sources += given[i];

	if (sources > 1)
		return say_fail(STATUS_USAGE,
		    "one source of passwords: --password-fd, "
		    "--password-file, --generate or --hash-stdin");
	if (users > 1 && !o->generate)
		return say_fail(STATUS_USAGE,
		    "passwords for several users: --generate alone");
	if (o->scheme && o->hash_stdin)
		return say_fail(STATUS_USAGE,
		    "--scheme: a hash from --hash-stdin has its own");
	if (!newpass_scheme(o->scheme ? o->scheme : run->conf.scheme))
		return STATUS_USAGE;
	return STATUS_OK;
}

bool
newpass_at_hand(const struct newpass_options *o)
{
	return o->hash_stdin || o->ask.fd || o->ask.file;
}

static int
import(struct newpass *out)
{
	VMAIL_SECRET line = { 0 };
	struct vmail_buf b = { out->field, sizeof(out->field), 0, false };
	const char *fault;
	int status = ask_line(&line);

	if (status != STATUS_OK)
		return status;
	/* With its scheme in front it would be a password that never fits. */
	if (line.bytes[0] == '*')
		return say_fail(STATUS_USAGE, "hash: not a hash");
	if (line.bytes[0] != '{')
		vmail_buf_z(&b, "{CRYPT}");
	vmail_buf_put(&b, line.bytes, line.len);
	if (vmail_buf_end(&b) != VMAIL_OK)
		return say_fail(STATUS_USAGE, "hash: too long");
	fault = vmail_scheme_fault((struct vmail_str){ out->field, b.len });
	if (fault)
		return say_fail(STATUS_USAGE, "hash: %s", fault);
	return STATUS_OK;
}

static int
judge(const struct run *run, const struct vmail_secret *password)
{
	if (password->len < run->conf.min_password_length)
		return say_fail(STATUS_USAGE,
		    "password: shorter than min_password_length = %u",
		    run->conf.min_password_length);
	return STATUS_OK;
}

static int
hash(const struct run *run, const struct newpass_options *o,
    const struct vmail_secret *password, struct newpass *out)
{
	const struct vmail_scheme *scheme =
	    newpass_scheme(o->scheme ? o->scheme : run->conf.scheme);
	struct vmail_buf b = { out->field, sizeof(out->field), 0, false };
	struct vmail_err err;
	enum vmail_rc rc;

	if (!scheme)
		return STATUS_USAGE;
	if (strcmp(scheme->name, "BLF-CRYPT") == 0 && password->len > 72)
		say_warn("BLF-CRYPT looks at the first 72 bytes alone");
	rc = vmail_scheme_make(scheme, &run->conf, password, &b, &err);
	if (rc != VMAIL_OK)
		return say_error(&err);
	if (vmail_buf_end(&b) != VMAIL_OK)
		return say_fail(STATUS_FAILED, "hash: too long");
	return STATUS_OK;
}

int
newpass_make(const struct run *run, const struct newpass_options *o,
    const char *who, struct newpass *out)
{
	VMAIL_SECRET password = { 0 };
	int status = STATUS_OK;

	out->shown.len = 0;
	if (o->hash_stdin)
		return import(out);
	if (o->generate) {
		ask_generate(&out->shown);
		password = out->shown;
	} else {
		status = ask_password(&o->ask, ASK_TWICE, who, &password);
	}
	if (status == STATUS_OK)
		status = judge(run, &password);
	if (status == STATUS_OK)
		status = hash(run, o, &password, out);
	return status;
}

int
newpass_show(const struct run *run, char *const *names,
    const struct newpass *of, size_t n)
{
	static const struct report_column columns[] = {
		{ "user", "USER", false },
		{ "password", "PASSWORD", false },
	};
	struct report *r = run->results ? *run->results : NULL;
	bool good = true;

	if (n == 1 && !run->results && run->output == OUTPUT_TABLE) {
		say_line("%s", of[0].shown.bytes);
		return STATUS_OK;
	}
	if (!r)
		r = report_open(run->output, columns, 2);
	for (size_t i = 0; r && good && i < n; i++) {
		struct cell row[] = { cell_z(names[i]),
			cell_z(of[i].shown.bytes) };

		good = report_row(r, row);
	}
	if (run->results)
		*run->results = r;
	else
		good = report_close(r) && good;
	return r && good ? STATUS_OK : STATUS_FAILED;
}
