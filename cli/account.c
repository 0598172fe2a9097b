#include "cli/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/say.h"
#include "cli/world.h"

enum { USUAL = 5000, NAME_ROOM = VMAIL_CONF_WORD_MAX + 1 };

struct account {
	char user[NAME_ROOM], group[NAME_ROOM], uid[11], gid[11];
	bool has_group;
};

static bool
is_free(uint32_t id, bool has_group)
{
	return !getpwuid(id) && (has_group || !getgrgid(id));
}

/* The same number for both where it can be. */
static int
choose(const struct run *run, struct account *a)
{
	const struct vmail_conf *conf = &run->conf;
	struct vmail_str user = vmail_conf_owner_user(conf);
	struct vmail_str group = vmail_conf_owner_group(conf);
	uint32_t id = USUAL;
	gid_t gid;

	snprintf(a->user, NAME_ROOM, "%.*s", (int)user.n, user.p);
	snprintf(a->group, NAME_ROOM, "%.*s", (int)group.n, group.p);
	a->has_group = vmail_account_group(group, &gid) == VMAIL_OK;
	if (a->has_group)
		id = gid;
	else if (id < conf->first_valid_uid || id > conf->last_valid_uid)
		id = conf->first_valid_uid;
	while (id <= conf->last_valid_uid && !is_free(id, a->has_group))
		id++;
	if (id < conf->first_valid_uid || id > conf->last_valid_uid)
		return say_fail(STATUS_FAILED,
		    "no number from first_valid_uid to last_valid_uid is "
		    "free for the account %s",
		    a->user);
	snprintf(a->uid, sizeof(a->uid), "%u", id);
	snprintf(a->gid, sizeof(a->gid), "%u", a->has_group ? gid : id);
	return STATUS_OK;
}

static int
failed(const char *program, const char *why, const struct account *a)
{
	say_fail(0, "%s: %s", program, why);
	say_mend("groupadd -r -g %s %s; useradd -r -u %s -g %s -M "
		 "-s /usr/sbin/nologin %s",
	    a->gid, a->group, a->uid, a->group, a->user);
	return STATUS_FAILED;
}

static int
spawn(const char *program, char *const argv[], const struct account *a)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LC_ALL=C";
	char *const env[] = { path, lang, NULL };
	pid_t child;
	int status, fault;

	fault = posix_spawn(&child, program, NULL, NULL, argv, env);
	if (fault != 0)
		return failed(program, strerror(fault), a);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return failed(program, strerror(errno), a);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return failed(program, "failed", a);
	return STATUS_OK;
}

#define WORD(literal) ((char[]){ literal })

static int
make_group(struct account *a)
{
	char *const argv[] = { WORD("groupadd"), WORD("-r"), WORD("-g"), a->gid,
		a->group, NULL };

	return spawn("/usr/sbin/groupadd", argv, a);
}

static int
make_user(struct account *a)
{
	char *const argv[] = { WORD("useradd"), WORD("-r"), WORD("-K"),
		/* 5000 is no mistake: no warning. */
		WORD("SYS_UID_MAX=60000"), WORD("-u"), a->uid, WORD("-g"),
		a->group, WORD("-M"), WORD("-d"), WORD("/var/mail/vhosts"),
		WORD("-s"), WORD("/usr/sbin/nologin"), WORD("-c"),
		WORD("owner of virtual mail"), a->user, NULL };

	return spawn("/usr/sbin/useradd", argv, a);
}

static int
make(const struct run *run, struct account *a)
{
	const char *made = run->dry_run ? "would make" : "made";
	bool said = !run->quiet || run->dry_run;
	int status = STATUS_OK;

	if (!a->has_group && !run->dry_run)
		status = make_group(a);
	if (status == STATUS_OK && !a->has_group && said)
		say_line("%s group %s, gid %s", made, a->group, a->gid);
	if (status == STATUS_OK && !run->dry_run)
		status = make_user(a);
	if (status == STATUS_OK && said)
		say_line("%s account %s, uid %s", made, a->user, a->uid);
	return status;
}

int
account_make(const struct run *run)
{
	struct vmail_str owner = vmail_conf_owner_user(&run->conf);
	struct account a;
	struct world world;
	struct vmail_ids ids;
	struct vmail_err err;
	bool known;
	int status;

	if (world_open(&world, &run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	known = vmail_ids_of_identity(&world.ids, owner, &ids) == VMAIL_OK ||
		vmail_account_of(owner, &ids) == VMAIL_OK;
	world_close(&world);
	if (known)
		return STATUS_OK;
	status = choose(run, &a);
	return status == STATUS_OK ? make(run, &a) : status;
}
