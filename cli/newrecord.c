#include "cli/newrecord.h"

#include <string.h>

#include "cli/say.h"
#include "common/core/extra.h"
#include "common/scheme/scheme.h"

enum { EXTRA_VALUE_MAX = 4000, EXTRAS_MAX = 16000 };

static bool
is(struct newrecord_fault *fault, const char *field, const char *why)
{
	*fault = (struct newrecord_fault){ field, why, STATUS_USAGE };
	return why != NULL;
}

static const char *
extra_fault(const struct vmail_extra *field)
{
	struct vmail_str rest = field->key;
	struct vmail_str key = vmail_text_cut(&rest, ':');

	if (key.n == 0 || vmail_str_is(key, "userdb_"))
		return "a field without a key";
	if (vmail_str_is(key, "nopassword"))
		return "nopassword lets any password in";
	if (field->value.n > EXTRA_VALUE_MAX)
		return "a value longer than 4000 bytes";
	return NULL;
}

static const char *
extras_fault(struct vmail_str extra)
{
	struct vmail_extra field;
	const char *why = NULL;

	if (extra.n == 0)
		return NULL;
	if (extra.n > EXTRAS_MAX)
		return "longer than 16000 bytes";
	if (vmail_text_has_control(extra))
		return "a control byte";
	if (memchr(extra.p, '%', extra.n))
		return "'%', which Dovecot expands";
	if (extra.p[0] == ':')
		return "one colon too many in front";
	while (!why && vmail_extra_next(&extra, &field))
		why = extra_fault(&field);
	return why;
}

static bool
ids_wrong(const struct newrecord_rules *rules, const struct vmail_entry *e,
    struct newrecord_fault *fault)
{
	const struct vmail_conf *conf = rules->view->conf;
	uint32_t first = conf->first_valid_uid, last = conf->last_valid_uid;
	struct vmail_ids ids;

	if (is(fault, "uid", vmail_entry_id_fault(e->uid, first, last)) ||
	    is(fault, "gid", vmail_entry_id_fault(e->gid, first, last)))
		return true;
	if ((e->uid.n == 0 && e->gid.n == 0 && !rules->homes) ||
	    userview_ids(rules->view, e, &ids))
		return false;
	return is(fault, "uid, gid", "nobody here can resolve them");
}

bool
newrecord_judge_fields(const struct newrecord_rules *rules,
    const struct vmail_entry *e, struct newrecord_fault *fault)
{
	if (is(fault, "password", vmail_scheme_fault(e->password)) ||
	    ids_wrong(rules, e, fault))
		return false;
	return !is(fault, "gecos", vmail_entry_gecos_fault(e->gecos)) &&
	       !is(fault, "home", vmail_entry_home_fault(e->home)) &&
	       !is(fault, "shell", vmail_entry_gecos_fault(e->shell)) &&
	       !is(fault, "extra fields", extras_fault(e->extra));
}

bool
newrecord_judge(const struct newrecord_rules *rules,
    const struct vmail_entry *e, struct newrecord_fault *fault)
{
	if (is(fault, "name", vmail_name_fault(e->name)))
		return false;
	if (!memchr(e->name.p, '@', e->name.n) &&
	    !vmail_ids_name_free(&rules->view->world->ids, e->name)) {
		is(fault, "name",
		    "an account or identity of this system has it");
		fault->status = STATUS_EXISTS;
		return false;
	}
	return newrecord_judge_fields(rules, e, fault);
}
