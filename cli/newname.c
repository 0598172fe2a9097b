#include "cli/newname.h"

#include <string.h>

#include "cli/say.h"

int
newname_take(
    const struct world *world, const char *typed, char name[VMAIL_NAME_MAX + 1])
{
	size_t n = strlen(typed);
	const char *fault;

	if (n > VMAIL_NAME_MAX)
		return say_fail(STATUS_USAGE,
		    "not a name: longer than %d bytes", VMAIL_NAME_MAX);
	memcpy(name, typed, n + 1);
	vmail_text_lower(name, n);
	fault = vmail_name_fault(vmail_str(name));
	if (fault)
		return say_fail(
		    STATUS_USAGE, "not a name: '%s': %s", typed, fault);
	if (!strchr(name, '@') &&
	    !vmail_ids_name_free(&world->ids, vmail_str(name)))
		return say_fail(STATUS_EXISTS,
		    "%s: an account or identity of this system has that name",
		    name);
	return STATUS_OK;
}

int
newname_free(struct vmail_store *store, const char *name)
{
	struct vmail_line line;
	struct vmail_err err;
	enum vmail_rc rc =
	    vmail_store_find(store, vmail_str(name), &line, &err);

	if (rc == VMAIL_NOT_FOUND)
		return STATUS_OK;
	if (rc != VMAIL_OK)
		return say_error(&err);
	say_fail(0, "%s: exists already%s", name,
	    line.malformed ? ", in a malformed line" : "");
	if (line.malformed)
		say_mend("vmailadm check says what is wrong with it");
	return STATUS_EXISTS;
}
