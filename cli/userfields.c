#include "cli/userfields.h"

#include "cli/say.h"

static int
bad(const char *option, const char *fault)
{
	return say_fail(STATUS_USAGE, "%s: %s", option, fault);
}

static const char *
id_fault(const struct vmail_conf *conf, const char *id)
{
	return vmail_entry_id_fault(
	    vmail_str(id), conf->first_valid_uid, conf->last_valid_uid);
}

int
userfields_check(
    const struct run *run, const struct userfields *f, size_t users)
{
	const char *fault = NULL;

	if (f->home && f->home[0])
		fault = vmail_entry_home_fault(vmail_str(f->home));
	if (fault)
		return bad("--home", fault);
	if (f->home && f->home[0] && users > 1)
		return bad("--home", "several users cannot share a home");
	if (f->gecos)
		fault = vmail_entry_gecos_fault(vmail_str(f->gecos));
	if (fault)
		return bad("--gecos", fault);
	if (f->uid)
		fault = id_fault(&run->conf, f->uid);
	if (fault)
		return bad("--uid", fault);
	if (f->gid)
		fault = id_fault(&run->conf, f->gid);
	return fault ? bad("--gid", fault) : STATUS_OK;
}

int
userfields_no_number(const struct vmail_conf *conf)
{
	say_fail(0, "the owner, %s, has no number on this system", conf->owner);
	say_mend("vmailadm init makes the account and its line in views");
	return STATUS_FAILED;
}

int
userfields_resolve(const struct vmail_conf *conf, const struct world *world,
    struct vmail_str uid, struct vmail_str gid, struct vmail_ids *ids)
{
	if (vmail_ids_of_mailbox(&world->ids, uid, gid, ids) == VMAIL_OK)
		return STATUS_OK;
	if (uid.n == 0 && gid.n == 0)
		return userfields_no_number(conf);
	return say_fail(STATUS_USAGE,
	    "nobody here can resolve uid '%.*s' with gid '%.*s'", (int)uid.n,
	    uid.p ? uid.p : "", (int)gid.n, gid.p ? gid.p : "");
}
