#include "cli/domains.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/change.h"
#include "cli/report.h"
#include "cli/say.h"
#include "common/admin/store.h"

/* An operand and the domain in whose file it stands. */
struct user {
	char *operand, domain[VMAIL_NAME_MAX + 1];
	size_t place; /* among the operands */
};

static int
by_domain(const void *a, const void *b)
{
	const struct user *x = a, *y = b;
	int order = strcmp(x->domain, y->domain);

	if (order != 0)
		return order;
	return x->place < y->place ? -1 : 1;
}

static int
take_user(struct user *u, char *operand, size_t place)
{
	struct vmail_str local, domain;

	u->operand = operand;
	u->place = place;
	vmail_name_split(vmail_str(operand), &local, &domain);
	if (domain.n > VMAIL_NAME_MAX)
		domain.n = 0;
	if (domain.n > 0)
		memcpy(u->domain, domain.p, domain.n);
	u->domain[domain.n] = '\0';
	vmail_text_lower(u->domain, domain.n);
	if (vmail_domain_is_folder(vmail_str(u->domain)))
		return STATUS_OK;
	return say_fail(STATUS_USAGE,
	    "'%s': without a domain that could have a file of its own: "
	    "passwd_file has %%d",
	    operand);
}

/* The users list[0..n) are of one domain. */
static int
run_domain(const struct cmd *cmd, const struct run *run, struct user *list,
    size_t n, bool *committed)
{
	struct run one = *run;
	int status;

	if (vmail_conf_enter(&one.conf, vmail_str(list->domain)) != VMAIL_OK)
		return say_fail(
		    STATUS_USAGE, "'%s': too long a domain", list->operand);
	one.operand = calloc(n + 1, sizeof(*one.operand));
	if (!one.operand)
		return say_fail(STATUS_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++)
		one.operand[i] = list[i].operand;
	one.operands = n;
	status = cmd->run(&one);
	*committed = *committed || one.committed;
	free(one.operand);
	return status;
}

static size_t
same_domain(const struct user *list, size_t n)
{
	size_t i = 1;

	while (i < n && strcmp(list[i].domain, list->domain) == 0)
		i++;
	return i;
}

/* What stays undone when one of several domains failed. */
static void
say_undone(const struct user *list, size_t done, size_t n)
{
	for (size_t i = 0; i < n; i += same_domain(list + i, n - i)) {
		if (i < done)
			say_warn("%s: done", list[i].domain);
		else
			say_warn("%s: not done", list[i].domain);
	}
}

static int
run_all(const struct cmd *cmd, struct run *run, struct user *list, size_t n)
{
	size_t i = 0;
	int status = STATUS_OK;

	while (status == STATUS_OK && i < n) {
		size_t count = same_domain(list + i, n - i);

		status = run_domain(cmd, run, list + i, count, &run->committed);
		if (status == STATUS_OK)
			i += count;
	}
	if (status != STATUS_OK && !run->dry_run && i > 0)
		say_undone(list, i, n);
	return status;
}

/* Of several domains everything is tried before anything is done. */
static int
rehearse(const struct cmd *cmd, struct run *run, struct user *list, size_t n)
{
	struct run dry = *run;
	int status;

	if (run->dry_run || !(cmd->flags & CMD_CHANGES) ||
	    same_domain(list, n) == n)
		return STATUS_OK;
	dry.dry_run = true;
	say_mute(true);
	status = run_all(cmd, &dry, list, n);
	say_mute(false);
	return status;
}

/* What the domains have to show is one report, and is shown whatever became of
 * the last one. */
static int
run_real(const struct cmd *cmd, struct run *run, struct user *list, size_t n)
{
	struct report *results = NULL;
	int status;

	run->results = same_domain(list, n) < n ? &results : NULL;
	status = run_all(cmd, run, list, n);
	run->results = NULL;
	return report_close(results) || status != STATUS_OK ? status
							    : STATUS_FAILED;
}

static int
run_users(const struct cmd *cmd, struct run *run)
{
	size_t n = run->operands;
	struct user *list = calloc(n + 1, sizeof(*list));
	int status = STATUS_OK;

	if (!list)
		return say_fail(STATUS_FAILED, "out of memory");
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		status = take_user(&list[i], run->operand[i], i);
	if (status == STATUS_OK) {
		qsort(list, n, sizeof(*list), by_domain);
		status = rehearse(cmd, run, list, n);
	}
	if (status == STATUS_OK)
		status = run_real(cmd, run, list, n);
	free(list);
	return status;
}

int
domains_run(const struct cmd *cmd, struct run *run)
{
	if (!vmail_conf_has_domains(&run->conf))
		return cmd->run(run);
	if (cmd->flags & CMD_ONE_FILE)
		return say_fail(STATUS_FAILED,
		    "%s: cannot do with one passwd-file per domain, yet",
		    cmd->name);
	return cmd->flags & CMD_USERS ? run_users(cmd, run) : cmd->run(run);
}

static bool
folder_is_there(const struct vmail_conf *conf)
{
	char folder[VMAIL_CONF_PATH_MAX + 1];
	struct stat st;

	strcpy(folder, conf->passwd_file);
	*strrchr(folder, '/') = '\0';
	return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode);
}

int
domains_enter(
    struct run *run, const char *typed, char domain[VMAIL_NAME_MAX + 1])
{
	size_t n = strlen(typed);

	if (!vmail_conf_has_domains(&run->conf))
		return say_fail(STATUS_USAGE,
		    "there is one passwd-file for all domains: name none");
	if (n <= VMAIL_NAME_MAX) {
		memcpy(domain, typed, n + 1);
		vmail_text_lower(domain, n);
	}
	if (n > VMAIL_NAME_MAX ||
	    vmail_conf_enter(&run->conf, vmail_str(domain)) != VMAIL_OK)
		return say_fail(STATUS_USAGE,
		    "'%s': no domain that could have a file of its own", typed);
	if (folder_is_there(&run->conf))
		return STATUS_OK;
	return say_fail(STATUS_FAILED, "%s: that domain has no folder", domain);
}

bool
domains_holds(struct vmail_str domain, struct vmail_str name)
{
	struct vmail_str local, own;

	if (domain.n == 0)
		return true;
	vmail_name_split(name, &local, &own);
	return own.n == domain.n && strncasecmp(own.p, domain.p, own.n) == 0;
}

bool
domains_wanted(
    const struct run *run, struct vmail_str domain, struct vmail_str name)
{
	char z[VMAIL_LINE_MAX + 1];

	if (!domains_holds(domain, name))
		return false;
	if (run->operands == 0)
		return true;
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	for (size_t i = 0; i < run->operands; i++) {
		if (fnmatch(run->operand[i], z, 0) == 0)
			return true;
	}
	return false;
}

bool
domains_is_new(const struct run *run)
{
	struct stat st;

	return run->conf.entered && lstat(run->conf.passwd_file, &st) != 0 &&
	       errno == ENOENT;
}

int
domains_make(const struct run *run)
{
	char backup[VMAIL_CONF_PATH_MAX + 2];
	struct vmail_err err;
	struct stat st;
	enum vmail_rc rc;

	if (!domains_is_new(run))
		return STATUS_OK;
	snprintf(backup, sizeof(backup), "%s-", run->conf.passwd_file);
	if (lstat(backup, &st) == 0) {
		say_fail(0, "%s: missing, but its backup is there",
		    run->conf.passwd_file);
		say_mend("cp -p %s %s; then vmailadm map", backup,
		    run->conf.passwd_file);
		return STATUS_FAILED;
	}
	change_hold_signals();
	rc = vmail_store_init(&run->conf, run->wait, false, NULL, NULL, &err);
	change_let_signals();
	return rc == VMAIL_OK ? STATUS_OK : say_error(&err);
}
