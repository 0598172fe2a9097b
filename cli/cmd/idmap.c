/* idmap: the systems that share the files, and their numbers. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd/all.h"
#include "cli/idmap.h"
#include "cli/say.h"

static const struct opt opts[] = {
	{ 0, "identity", "NAME",
	    "of this identity, not of the one that owns mail",
	    offsetof(struct idmap_options, identity) },
	{ 0, "ids", "UID:GID", "add: its numbers in that system",
	    offsetof(struct idmap_options, ids) },
	{ 0, "map", "RANGES",
	    "add: its user namespace: inside:outside:count[,...], or -",
	    offsetof(struct idmap_options, map) },
	{ 0, "from-pid", "PID", "add: ask this process of that system",
	    offsetof(struct idmap_options, from_pid) },
	{ 0, "for", "FORM",
	    "emit: compose, podman, quadlet, nspawn, mount, kubernetes",
	    offsetof(struct idmap_options, form) },
	{ 0, "mounted", NULL, "emit: from the folders that 'mount' makes",
	    offsetof(struct idmap_options, mounted) },
	OPT_END,
};

enum {
	TAKES_IDENTITY = 1,
	TAKES_NUMBERS = 2,
	TAKES_FORM = 4,
	CHANGES = 8,
};

static const struct part {
	const char *name, *operand;
	bool needs; /* the operand */
	unsigned flags;
	int (*run)(struct run *run);
} parts[] = {
	{ "list", NULL, false, 0, idmap_list },
	{ "add", "VIEW", true, TAKES_IDENTITY | TAKES_NUMBERS | CHANGES,
	    idmap_add },
	{ "del", "VIEW", true, TAKES_IDENTITY | CHANGES, idmap_del },
	{ "show", "ID|NAME", false, TAKES_IDENTITY, idmap_show },
	{ "of", "PID", true, TAKES_IDENTITY, idmap_of },
	{ "emit", "VIEW", true, TAKES_FORM, idmap_emit },
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static const struct part *
find(const char *name)
{
	for (size_t i = 0; i < PARTS; i++)
		if (strcmp(parts[i].name, name) == 0)
			return &parts[i];
	return NULL;
}

static int
strange(const char *option, const char *belongs)
{
	return say_fail(
	    STATUS_USAGE, "--%s belongs to idmap %s", option, belongs);
}

static int
judge_options(const struct part *part, const struct idmap_options *o)
{
	if (o->identity && !(part->flags & TAKES_IDENTITY))
		return strange("identity", "add, del, show and of");
	if (o->ids && !(part->flags & TAKES_NUMBERS))
		return strange("ids", "add");
	if (o->map && !(part->flags & TAKES_NUMBERS))
		return strange("map", "add");
	if (o->from_pid && !(part->flags & TAKES_NUMBERS))
		return strange("from-pid", "add");
	if (o->form && !(part->flags & TAKES_FORM))
		return strange("for", "emit");
	if (o->mounted && !(part->flags & TAKES_FORM))
		return strange("mounted", "emit");
	if (o->identity && !vmail_name_is_account(vmail_str(o->identity)))
		return say_fail(STATUS_USAGE,
		    "--identity: not the name of an account: '%s'",
		    o->identity);
	return STATUS_OK;
}

static int
judge(const struct part *part, const struct run *run)
{
	if (part->needs && run->operands < 2)
		return say_fail(STATUS_USAGE,
		    "idmap %s: something is missing: %s", part->name,
		    part->operand);
	if (!part->operand && run->operands > 1)
		return say_fail(STATUS_USAGE, "idmap %s: one too many: '%s'",
		    part->name, run->operand[1]);
	if ((part->flags & CHANGES) && geteuid() != 0)
		return say_fail(
		    STATUS_UNSAFE, "idmap %s: only root may", part->name);
	return judge_options(part, run->options);
}

static int
idmap(struct run *run)
{
	const struct part *part = find(run->operand[0]);
	int status;

	if (!part)
		return say_fail(STATUS_USAGE,
		    "idmap: list, add, del, show, of or emit, not '%s'",
		    run->operand[0]);
	status = judge(part, run);
	if (status != STATUS_OK)
		return status;
	/* A closed pipe must not stop us half way. */
	if (part->flags & CHANGES)
		signal(SIGPIPE, SIG_IGN);
	return part->run(run);
}

const struct cmd cmd_idmap = {
	.name = "idmap",
	.operands = "list|add|del|show|of|emit [WHAT]",
	.summary = "systems that share the files, and their numbers",
	.least = 1,
	.most = 2,
	.options = opts,
	.options_size = sizeof(struct idmap_options),
	.run = idmap,
};
