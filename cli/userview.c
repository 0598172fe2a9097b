#include "cli/userview.h"

#include <string.h>

#include "common/core/extra.h"
#include "common/scheme/scheme.h"

const struct report_column userview_columns[USERVIEW_COLUMNS] = {
	[USERVIEW_USER] = { "user", "USER", false },
	[USERVIEW_DOMAIN] = { "domain", "DOMAIN", false },
	[USERVIEW_UID] = { "uid", "UID", true },
	[USERVIEW_GID] = { "gid", "GID", true },
	[USERVIEW_GECOS] = { "gecos", "GECOS", false },
	[USERVIEW_HOME] = { "home", "HOME", false },
	[USERVIEW_SHELL] = { "shell", "SHELL", false },
	[USERVIEW_SCHEME] = { "scheme", "SCHEME", false },
	[USERVIEW_LOCKED] = { "locked", "LOCKED", false },
	[USERVIEW_EXTRA] = { "extra", "EXTRA", false },
};

static bool
same_field(const char *kept, struct vmail_str s)
{
	return vmail_str_is(s, kept);
}

static bool
keep_field(char *kept, size_t size, struct vmail_str s)
{
	if (s.n >= size)
		return false;
	if (s.n > 0)
		memcpy(kept, s.p, s.n);
	kept[s.n] = '\0';
	return true;
}

bool
userview_ids(
    struct userview *v, const struct vmail_entry *e, struct vmail_ids *ids)
{
	if (!v->known || !same_field(v->uid, e->uid) ||
	    !same_field(v->gid, e->gid)) {
		v->resolved = vmail_ids_of_mailbox(&v->world->ids, e->uid,
				  e->gid, &v->ids) == VMAIL_OK;
		v->known = keep_field(v->uid, sizeof(v->uid), e->uid) &&
			   keep_field(v->gid, sizeof(v->gid), e->gid);
	}
	if (v->resolved)
		*ids = v->ids;
	return v->resolved;
}

struct vmail_str
userview_scheme(struct vmail_str password)
{
	const struct vmail_scheme *scheme;
	struct vmail_str data, rest = password;

	if (vmail_scheme_cut(password, &scheme, &data) == VMAIL_OK)
		return vmail_str(scheme->name);
	if (password.n == 0 || password.p[0] != '{')
		return (struct vmail_str){ NULL, 0 };
	rest.p++;
	rest.n--;
	return vmail_text_cut(&rest, '}');
}

/* Dovecot takes passwords from extra fields too (pass= for a proxy, password=,
 * userdb_password=); application passwords hold hashes. */
static bool
is_secret(struct vmail_str key)
{
	static const char userdb[] = "userdb_";

	if (vmail_str_starts(key, userdb)) {
		key.p += sizeof(userdb) - 1;
		key.n -= sizeof(userdb) - 1;
	}
	return vmail_str_starts(key, "pass") ||
	       vmail_str_starts(key, "vmail_app");
}

static struct vmail_str
masked(struct userview *v, struct vmail_str extra)
{
	struct vmail_buf b = { v->extra, sizeof(v->extra), 0, false };
	struct vmail_extra field;

	while (vmail_extra_next(&extra, &field)) {
		if (b.len > 0)
			vmail_buf_char(&b, ' ');
		vmail_buf_str(&b, field.key);
		if (!field.value.p)
			continue;
		vmail_buf_char(&b, '=');
		if (is_secret(field.key))
			vmail_buf_z(&b, "***");
		else
			vmail_buf_str(&b, field.value);
	}
	return (struct vmail_str){ v->extra, b.len };
}

void
userview_cells(struct userview *v, const struct vmail_entry *e,
    struct cell cells[USERVIEW_COLUMNS])
{
	struct vmail_str local, domain;
	struct vmail_ids ids = { 0, 0 };
	bool known = userview_ids(v, e, &ids);
	bool home =
	    world_home(v->conf, e, v->home, sizeof(v->home)) == VMAIL_OK;

	vmail_name_split(e->name, &local, &domain);
	cells[USERVIEW_USER] = cell_text(e->name);
	cells[USERVIEW_DOMAIN] = cell_text(domain);
	cells[USERVIEW_UID] = known ? cell_number(ids.uid) : cell_none();
	cells[USERVIEW_GID] = known ? cell_number(ids.gid) : cell_none();
	cells[USERVIEW_GECOS] = cell_text(e->gecos);
	cells[USERVIEW_HOME] = home ? cell_z(v->home) : cell_none();
	cells[USERVIEW_SHELL] = cell_text(e->shell);
	cells[USERVIEW_SCHEME] = cell_text(userview_scheme(e->password));
	cells[USERVIEW_LOCKED] =
	    cell_bool(vmail_extra_lock_state(e->extra) != VMAIL_LOCK_NONE);
	cells[USERVIEW_EXTRA] = cell_text(masked(v, e->extra));
}
