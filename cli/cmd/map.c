/* map: all derived files anew from the lines. */
#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/derived.h"
#include "cli/say.h"
#include "common/admin/domains.h"

/* The files of one passwd-file. */
static int
map_one(struct run *run)
{
	VMAIL_STORE *store = NULL;
	struct vmail_err err;
	enum vmail_rc rc;
	int status;

	if (!run->force && derived_current(&run->conf)) {
		say_note("all derived files %s%sare current",
		    run->conf.entered ? "of " : "",
		    run->conf.entered ? run->conf.passwd_file : "");
		return STATUS_OK;
	}
	status = change_open(run, &store);
	if (status != STATUS_OK)
		return status;
	if (run->dry_run) {
		say_line("would rebuild the derived files of %s",
		    run->conf.passwd_file);
		return STATUS_OK;
	}
	change_hold_signals();
	rc = vmail_store_rebuild(store, &err);
	vmail_store_close(&store);
	change_let_signals();
	if (rc != VMAIL_OK)
		return say_error(&err);
	run->committed = true;
	say_note("rebuilt the derived files of %s", run->conf.passwd_file);
	return STATUS_OK;
}

struct tour {
	struct run *run;
	size_t met; /* operands */
	int status;
};

static bool
is_wanted(const struct run *run, struct vmail_str domain)
{
	for (size_t i = 0; i < run->operands; i++)
		if (vmail_str_is(domain, run->operand[i]))
			return true;
	return run->operands == 0;
}

static bool
map_domain(const struct vmail_conf *conf, struct vmail_str domain, void *arg)
{
	struct tour *t = arg;
	struct run one = *t->run;
	int status;

	if (!is_wanted(t->run, domain))
		return true;
	t->met++;
	one.conf = *conf;
	status = map_one(&one);
	t->run->committed = t->run->committed || one.committed;
	if (t->status == STATUS_OK)
		t->status = status;
	return true;
}

/* What NSS reads first, where there are many files. */
static int
map_header(const struct run *run)
{
	struct vmail_err err;

	if (run->dry_run || run->operands > 0 ||
	    (!run->force && derived_header_current(&run->conf)))
		return STATUS_OK;
	if (vmail_store_header(&run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	say_note("rebuilt the map's header");
	return STATUS_OK;
}

static int
map(struct run *run)
{
	struct tour t = { run, 0, STATUS_OK };
	struct vmail_err err;
	int status;

	if (!vmail_conf_has_domains(&run->conf) && run->operands > 0)
		return say_fail(STATUS_USAGE,
		    "there is one passwd-file for all domains: name none");
	if (!vmail_conf_has_domains(&run->conf))
		return map_one(run);
	status = map_header(run);
	if (vmail_domains_each(&run->conf, map_domain, &t, &err) != VMAIL_OK)
		return say_error(&err);
	if (t.met < run->operands)
		return say_fail(
		    STATUS_FAILED, "not every domain named has a folder");
	return status == STATUS_OK ? t.status : status;
}

const struct cmd cmd_map = {
	.name = "map",
	.operands = "[DOMAIN...]",
	.most = CMD_ANY,
	.summary = "rebuild the files derived from the passwd-file",
	.flags = CMD_CHANGES,
	.run = map,
};
