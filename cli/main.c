/*
 * vmailadm: the table of commands, the global options, and what every command
 * may rely on.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/cmd.h"
#include "cli/cmd/all.h"
#include "cli/domains.h"
#include "cli/say.h"

enum { WAIT_MAX = 3600 };

struct globals {
	const char *conf, *output, *wait;
	bool json, quiet, dry_run, force, settle, help, version, list_options;
};

#define AT(member) offsetof(struct globals, member)

static const struct opt global_opts[] = {
	{ 0, "conf", "FILE", "settings (default " VMAIL_CONF_PATH ")",
	    AT(conf) },
	{ 0, "json", NULL, "the same as --output=json", AT(json) },
	{ 0, "output", "FORM", "table, json or csv", AT(output) },
	{ 'q', "quiet", NULL, "say only what is wrong", AT(quiet) },
	{ 0, "dry-run", NULL, "say what would be done, change nothing",
	    AT(dry_run) },
	{ 0, "force", NULL, "remove more than half of the users; rebuild",
	    AT(force) },
	{ 0, "wait", "SECONDS", "wait so long for the writers' lock",
	    AT(wait) },
	{ 0, "settle", NULL, "return when Dovecot must see the change",
	    AT(settle) },
	{ 'h', "help", NULL, "show help, of a command too", AT(help) },
	{ 0, "version", NULL, "show the version", AT(version) },
	{ 0, "list-options", NULL, NULL, AT(list_options) },
	OPT_END,
};

static const struct cmd *const commands[] = {
	&cmd_init,
	&cmd_useradd,
	&cmd_usermod,
	&cmd_userdel,
	&cmd_passwd,
	&cmd_lock,
	&cmd_unlock,
	&cmd_list,
	&cmd_show,
	&cmd_auth,
	&cmd_hash,
	&cmd_import,
	&cmd_export,
	&cmd_check,
	&cmd_fixperms,
	&cmd_map,
	&cmd_edit,
	&cmd_with_lock,
	&cmd_config,
	&cmd_idmap,
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct cmd *
find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int
no_command(const char *name)
{
	const char *best = NULL;
	unsigned near = OPT_NEAR + 1;

	for (size_t i = 0; i < COMMANDS; i++) {
		unsigned d = opt_distance(name, commands[i]->name);

		if (d < near) {
			near = d;
			best = commands[i]->name;
		}
	}
	if (best)
		return say_fail(STATUS_USAGE,
		    "no such command: %s; did you mean %s?", name, best);
	return say_fail(
	    STATUS_USAGE, "no such command: %s; see vmailadm --help", name);
}

static void
help_all(FILE *out)
{
	fputs("usage: vmailadm [OPTION...] COMMAND [OPTION...] "
	      "[OPERAND...]\n\n",
	    out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name,
		    commands[i]->summary);
	fputs("\n", out);
	opt_help(out, global_opts);
}

static void
help(const struct cmd *cmd)
{
	printf("usage: vmailadm %s [OPTION...]%s%s\n%s\n\n", cmd->name,
	    cmd->operands[0] ? " " : "", cmd->operands, cmd->summary);
	opt_help(stdout, cmd->options);
	puts("\nwith every command:");
	opt_help(stdout, global_opts);
}

/* For completions and tests: COMMAND, letter, name, value, help, with tabs. */
static void
list_opts(const char *command, const struct opt *opts)
{
	for (; opts && opts->name; opts++) {
		if (!opts->help)
			continue;
		printf("%s\t", command);
		if (opts->letter)
			printf("-%c", opts->letter);
		printf("\t--%s\t%s\t%s\n", opts->name,
		    opts->arg ? opts->arg : "", opts->help);
	}
}

static void
list_all(void)
{
	list_opts("", global_opts);
	for (size_t i = 0; i < COMMANDS; i++) {
		printf("%s\t\t\t%s\t%s\n", commands[i]->name,
		    commands[i]->operands, commands[i]->summary);
		list_opts(commands[i]->name, commands[i]->options);
	}
}

static int
take_output(struct run *run, const struct globals *g)
{
	const char *form = g->output ? g->output : g->json ? "json" : "table";

	if (g->json && strcmp(form, "json") != 0)
		return say_fail(STATUS_USAGE,
		    "--json and --output=%s exclude each other", form);
	if (strcmp(form, "table") == 0)
		run->output = OUTPUT_TABLE;
	else if (strcmp(form, "json") == 0)
		run->output = OUTPUT_JSON;
	else if (strcmp(form, "csv") == 0)
		run->output = OUTPUT_CSV;
	else
		return say_fail(STATUS_USAGE,
		    "--output: table, json or csv, not '%s'", form);
	return STATUS_OK;
}

static int
take_globals(struct run *run, const struct globals *g)
{
	uint64_t wait = 0;

	if (g->wait && !vmail_text_number(vmail_str(g->wait), WAIT_MAX, &wait))
		return say_fail(STATUS_USAGE,
		    "--wait: a number of seconds, %d at most", WAIT_MAX);
	run->wait = (unsigned)wait;
	run->quiet = g->quiet;
	run->dry_run = g->dry_run;
	run->force = g->force;
	run->settle = g->settle;
	say_quietly(g->quiet);
	return take_output(run, g);
}

static int
load_conf(struct run *run, const struct globals *g)
{
	struct vmail_err err;

	if (vmail_conf_load(&run->conf, g->conf, &err) != VMAIL_OK) {
		if (err.sys_errno != ENOENT)
			return say_error(&err);
		say_fail(0, "%s: no such file", g->conf);
		say_mend("write it first (it may be empty): vmail.conf(5)");
		return STATUS_FAILED;
	}
	if (!g->wait)
		run->wait = run->conf.lock_wait;
	return STATUS_OK;
}

static int
count_operands(const struct cmd *cmd, const struct run *run)
{
	if (run->operands < cmd->least)
		return say_fail(STATUS_USAGE, "%s: something is missing: %s",
		    cmd->name, cmd->operands);
	if (run->operands > cmd->most)
		return say_fail(STATUS_USAGE, "%s: one too many: '%s'",
		    cmd->name, run->operand[cmd->most]);
	return STATUS_OK;
}

static int
run_cmd(const struct cmd *cmd, struct run *run, const struct globals *g)
{
	int status = take_globals(run, g);

	if (status == STATUS_OK)
		status = count_operands(cmd, run);
	if (status != STATUS_OK) {
		say_note("see vmailadm %s --help", cmd->name);
		return status;
	}
	status = load_conf(run, g);
	if (status != STATUS_OK)
		return status;
	if (cmd->flags & CMD_CHANGES) {
		if (geteuid() != 0 &&
		    !(run->dry_run && (cmd->flags & CMD_PLANS)))
			return say_fail(
			    STATUS_UNSAFE, "%s: only root may", cmd->name);
		/* A closed pipe must not stop us half way. */
		signal(SIGPIPE, SIG_IGN);
	}
	status = domains_run(cmd, run);
	change_settle(run);
	return status;
}

static int
usage(const struct vmail_buf *fault, const struct cmd *cmd)
{
	say_fail(0, "%.*s", (int)fault->len, fault->p);
	if (cmd)
		say_note("see vmailadm %s --help", cmd->name);
	else
		say_note("see vmailadm --help");
	return STATUS_USAGE;
}

static int
with_command(struct globals *g, struct opt_words *words)
{
	_Alignas(max_align_t) char values[CMD_OPTIONS_MAX] = { 0 };
	const struct cmd *cmd = find(words->word[0]);
	struct opt_list lists[] = { { global_opts, g }, { NULL, values } };
	char text[256];
	struct vmail_buf fault = { text, sizeof(text), 0, false };
	struct run run = { .options = values };

	if (!cmd)
		return no_command(words->word[0]);
	if (cmd->options_size > sizeof(values))
		return say_fail(STATUS_FAILED, "%s: options", cmd->name);
	lists[1].opts = cmd->options;
	words->word++;
	words->count--;
	if (opt_parse(lists, 2, words, &fault) != VMAIL_OK)
		return usage(&fault, cmd);
	if (g->help) {
		help(cmd);
		return STATUS_OK;
	}
	run.operand = words->word;
	run.operands = words->count;
	return run_cmd(cmd, &run, g);
}

static int
dispatch(struct opt_words *words)
{
	struct globals g = { 0 };
	struct opt_list list = { global_opts, &g };
	char text[256];
	struct vmail_buf fault = { text, sizeof(text), 0, false };

	if (opt_parse_leading(&list, 1, words, &fault) != VMAIL_OK)
		return usage(&fault, NULL);
	if (g.version)
		say_line("vmailadm %s", VMAIL_VERSION);
	else if (g.list_options)
		list_all();
	else if (words->count > 0)
		return with_command(&g, words);
	else if (g.help)
		help_all(stdout);
	else
		help_all(stderr);
	return g.version || g.list_options || g.help ? STATUS_OK : STATUS_USAGE;
}

/* What we open must never become descriptor 0, 1 or 2, or a message would be
 * written into it. A closed one stays unusable. */
static void
hold_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
	}
}

int
main(int argc, char **argv)
{
	struct opt_words words = { argv + 1, 0, false };

	hold_descriptors();
	/* Passwords pass through here: no core dump, no onlooker. */
	prctl(PR_SET_DUMPABLE, 0);
	setlocale(LC_CTYPE, "");
	if (sodium_init() < 0)
		return say_fail(STATUS_FAILED, "libsodium does not start");
	if (argc > 1)
		words.count = (size_t)argc - 1;
	return say_finish(dispatch(&words));
}
