/* useradd USER...: all of them, or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/change.h"
#include "cli/cmd/all.h"
#include "cli/domains.h"
#include "cli/homes.h"
#include "cli/newname.h"
#include "cli/newpass.h"
#include "cli/say.h"
#include "cli/userfields.h"
#include "cli/world.h"

struct options {
	struct newpass_options pass;
	struct userfields fields;
	bool make_home, no_home;
};

#define AT(member) offsetof(struct options, member)

static const struct opt opts[] = {
	USERFIELDS_OPTIONS(struct options),
	{ 'm', "make-home", NULL, "make the home (the default)",
	    AT(make_home) },
	{ 'M', "no-home", NULL, "do not", AT(no_home) },
	NEWPASS_OPTIONS,
	OPT_END,
};

/* One user to be. */
struct add {
	char name[VMAIL_NAME_MAX + 1];
	char home[VMAIL_CONF_PATH_MAX + VMAIL_NAME_MAX + 1];
	struct vmail_str uid, gid;
	struct vmail_ids ids; /* the numbers here */
};

struct work {
	struct run *run;
	const struct options *o;
	struct world world;
	struct add *add;
	char **names; /* of add, for what wants a list */
	struct newpass *pass;
	size_t n;
	char uid_text[11], gid_text[11];
};

static int
take_home(struct work *w, struct add *add)
{
	struct vmail_buf b = { add->home, sizeof(add->home), 0, false };
	enum vmail_rc rc = VMAIL_OK;
	const char *fault;

	if (w->o->fields.home)
		vmail_buf_z(&b, w->o->fields.home);
	else
		rc = vmail_text_expand(
		    &b, vmail_str(w->run->conf.home), vmail_str(add->name));
	if (rc != VMAIL_OK || vmail_buf_end(&b) != VMAIL_OK)
		return say_fail(STATUS_USAGE, "%s: home: too long", add->name);
	fault = b.len ? vmail_entry_home_fault(vmail_str(add->home)) : NULL;
	if (fault)
		return say_fail(STATUS_USAGE, "%s: home: %s", add->name, fault);
	return STATUS_OK;
}

/* What id_style writes; a number is the host's, whoever asks. */
static int
style_ids(struct work *w, struct add *add)
{
	const struct vmail_conf *conf = &w->run->conf;
	struct vmail_str user = vmail_conf_owner_user(conf);
	struct vmail_ids ids;

	switch (conf->id_style) {
	case VMAIL_IDS_EMPTY:
		return STATUS_OK;
	case VMAIL_IDS_NAMES:
		add->uid = user;
		add->gid = vmail_conf_owner_group(conf);
		return STATUS_OK;
	case VMAIL_IDS_NUMBERS:
		if (world_host_ids(&w->world, user, &ids) != VMAIL_OK)
			return userfields_no_number(conf);
		snprintf(w->uid_text, sizeof(w->uid_text), "%u", ids.uid);
		snprintf(w->gid_text, sizeof(w->gid_text), "%u", ids.gid);
		add->uid = vmail_str(w->uid_text);
		add->gid = vmail_str(w->gid_text);
		return STATUS_OK;
	}
	return STATUS_FAILED;
}

static int
take_ids(struct work *w, struct add *add)
{
	const struct userfields *f = &w->o->fields;
	int status = style_ids(w, add);

	if (status != STATUS_OK)
		return status;
	if (f->uid)
		add->uid = vmail_str(f->uid);
	if (f->gid)
		add->gid = vmail_str(f->gid);
	if (w->o->no_home && add->uid.n == 0 && add->gid.n == 0)
		return STATUS_OK;
	return userfields_resolve(
	    &w->run->conf, &w->world, add->uid, add->gid, &add->ids);
}

static int
take_users(struct work *w)
{
	int status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < w->n; i++) {
		struct add *add = &w->add[i];

		status = newname_take(&w->world, w->run->operand[i], add->name);
		if (status == STATUS_OK)
			status = take_home(w, add);
		if (status == STATUS_OK)
			status = take_ids(w, add);
		w->names[i] = add->name;
	}
	return status;
}

static void
put_line(const struct work *w, size_t i, struct vmail_buf *b)
{
	const struct add *add = &w->add[i];
	const char *gecos = w->o->fields.gecos;
	struct vmail_entry e = {
		.name = vmail_str(add->name),
		.password = vmail_str(w->pass[i].field),
		.uid = add->uid,
		.gid = add->gid,
		.gecos = vmail_str(gecos ? gecos : ""),
		.home = vmail_str(add->home),
	};

	vmail_entry_put(&e, b);
}

static int
put_user(const struct work *w, size_t i, struct vmail_store *store)
{
	char text[VMAIL_LINE_MAX];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	const char *name = w->add[i].name;
	struct vmail_entry entry;
	struct vmail_err err;
	const char *why;
	enum vmail_rc rc;
	int status = newname_free(store, name);

	if (status != STATUS_OK)
		return status;
	put_line(w, i, &b);
	rc = vmail_entry_parse((struct vmail_str){ text, b.len }, &entry, &why);
	if (rc != VMAIL_OK)
		return say_fail(STATUS_USAGE, "%s: %s", name, why);
	rc = vmail_store_add(store, (struct vmail_str){ text, b.len }, &err);
	explicit_bzero(text, sizeof(text));
	if (rc == VMAIL_EXISTS)
		return say_fail(STATUS_USAGE, "%s: named twice", name);
	return rc == VMAIL_OK ? STATUS_OK : say_error(&err);
}

/* Adds them all to the store, which need not be committed. */
static int
put_users(const struct work *w, struct vmail_store *store)
{
	int status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < w->n; i++)
		status = put_user(w, i, store);
	return status;
}

/* Everything but the passwords, so that nobody types one, or waits for a
 * thousand hashes, in vain. */
static int
rehearse(struct work *w)
{
	VMAIL_STORE *store = NULL;
	int status;

	if (newpass_at_hand(&w->o->pass) && !w->run->dry_run)
		return STATUS_OK;
	if (domains_is_new(w->run)) /* nobody is there yet */
		return STATUS_OK;
	status = change_open(w->run, &store);
	return status == STATUS_OK ? put_users(w, store) : status;
}

static int
hash_all(struct work *w)
{
	int status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < w->n; i++)
		status = newpass_make(
		    w->run, &w->o->pass, w->add[i].name, &w->pass[i]);
	return status;
}

static int
commit(struct work *w)
{
	VMAIL_STORE *store = NULL;
	int status = domains_make(w->run);

	if (status == STATUS_OK)
		status = change_open(w->run, &store);
	if (status == STATUS_OK)
		status = put_users(w, store);
	if (status == STATUS_OK)
		status = change_commit(w->run, &store, true);
	return status;
}

static int
make_homes(const struct work *w)
{
	int status = STATUS_OK;

	if (w->o->no_home)
		return STATUS_OK;
	for (size_t i = 0; i < w->n; i++) {
		const struct add *add = &w->add[i];
		struct vmail_entry e = { .name = vmail_str(add->name),
			.home = vmail_str(add->home) };

		if (homes_make(&w->run->conf, &w->world, &e, &add->ids) !=
		    STATUS_OK)
			status = STATUS_FAILED;
	}
	return status;
}

static int
show_plan(const struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		say_line("would add %s%s%s", w->add[i].name,
		    w->o->no_home ? "" : ", home ",
		    w->o->no_home ? "" : w->add[i].home);
	return STATUS_OK;
}

static int
add_users(struct work *w)
{
	int status = take_users(w), homes;

	if (status == STATUS_OK)
		status = rehearse(w);
	if (status == STATUS_OK && w->run->dry_run)
		return show_plan(w);
	if (status == STATUS_OK)
		status = hash_all(w);
	if (status == STATUS_OK)
		status = commit(w);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < w->n; i++)
		say_note("added %s", w->add[i].name);
	homes = make_homes(w);
	if (w->o->pass.generate)
		status = newpass_show(w->run, w->names, w->pass, w->n);
	return status == STATUS_OK ? homes : status;
}

static int
allocate(struct work *w)
{
	struct vmail_err err;

	w->add = calloc(w->n, sizeof(*w->add));
	w->names = calloc(w->n, sizeof(*w->names));
	w->pass = calloc(w->n, sizeof(*w->pass));
	if (!w->add || !w->names || !w->pass)
		return say_fail(STATUS_FAILED, "out of memory");
	if (world_open(&w->world, &w->run->conf, &err) != VMAIL_OK)
		return say_error(&err);
	return STATUS_OK;
}

static int
useradd(struct run *run)
{
	struct work w = { .run = run, .o = run->options, .n = run->operands };
	int status = newpass_check(run, &w.o->pass, w.n);

	if (status == STATUS_OK)
		status = userfields_check(run, &w.o->fields, w.n);
	if (status == STATUS_OK && w.o->make_home && w.o->no_home)
		status = say_fail(STATUS_USAGE,
		    "--make-home and --no-home exclude each other");
	if (status == STATUS_OK)
		status = allocate(&w);
	if (status == STATUS_OK)
		status = add_users(&w);
	if (w.pass)
		vmail_wipe_free(&w.pass, w.n * sizeof(*w.pass));
	free(w.names);
	free(w.add);
	world_close(&w.world);
	return status;
}

const struct cmd cmd_useradd = {
	.name = "useradd",
	.operands = "USER...",
	.summary = "add users",
	.least = 1,
	.most = CMD_ANY,
	.flags = CMD_CHANGES | CMD_USERS,
	.options = opts,
	.options_size = sizeof(struct options),
	.run = useradd,
};
