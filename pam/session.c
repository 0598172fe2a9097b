#include "pam/session.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/admin/perm.h"
#include "common/core/entry.h"
#include "common/core/file.h"
#include "common/core/ids.h"
#include "common/core/map.h"
#include "common/core/views.h"
#include "pam/log.h"
#include "pam/rc.h"

enum { VIEWS_MAX = VMAIL_LINE_MAX };

/* What a home needs of a record; strings in text. */
struct account {
	struct vmail_str uid, gid;
	const char *home;
	char text[VMAIL_PUBLIC_MAX + VMAIL_CONF_PATH_MAX + VMAIL_NAME_MAX];
};

static struct vmail_str
keep(struct vmail_buf *b, struct vmail_str s)
{
	struct vmail_str kept = { b->p + b->len, s.n };

	vmail_buf_str(b, s);
	return kept;
}

static enum vmail_rc
take_account(struct vmail_login *l, const struct vmail_entry *e, void *arg)
{
	struct account *a = arg;
	struct vmail_buf b = { .p = a->text, .size = sizeof(a->text) };
	enum vmail_rc rc = VMAIL_OK;

	a->uid = keep(&b, e->uid);
	a->gid = keep(&b, e->gid);
	a->home = b.p + b.len;
	if (e->home.n > 0)
		vmail_buf_str(&b, e->home);
	else
		rc = vmail_text_expand(
		    &b, vmail_str(l->conf.home), vmail_str(l->name));
	if (rc == VMAIL_OK)
		rc = vmail_buf_end(&b);
	if (rc != VMAIL_OK)
		return vmail_fail(&l->err, rc, NULL, 0, "the user's home");
	return VMAIL_OK;
}

/* Noinline: a line, and later the views, lie on the stack one at a time. */
__attribute__((noinline)) static enum vmail_rc
find_ids(struct vmail_login *l, const struct account *a,
    struct vmail_perm_home *home)
{
	char text[VIEWS_MAX], map_path[VMAIL_CONF_PATH_MAX + 8];
	struct vmail_str views;
	struct vmail_world world;
	struct stat map;
	enum vmail_rc rc;
	bool seen;

	rc = vmail_views_load(&l->conf, text, sizeof(text), &views, &l->err);
	if (rc != VMAIL_OK)
		return rc;
	seen = vmail_map_path(l->conf.passwd_file, map_path,
		   sizeof(map_path)) == VMAIL_OK &&
	       stat(map_path, &map) == 0;
	vmail_world_of_conf(&world, &l->conf, views, seen ? &map : NULL);
	rc = vmail_ids_of_mailbox(&world, a->uid, a->gid, &home->user);
	if (rc != VMAIL_OK)
		return vmail_fail(&l->err, VMAIL_INVALID, NULL, 0,
		    "the user's ids have no number on this system");
	home->owner = vmail_ids_of_owner(&world, &home->user);
	return VMAIL_OK;
}

static enum vmail_rc
make_home(struct vmail_login *l, const struct account *a)
{
	struct vmail_perm_home home = { .path = a->home };
	enum vmail_rc rc = find_ids(l, a, &home);

	if (rc == VMAIL_OK)
		rc = vmail_perm_make_home(&home, NULL, &l->err);
	if (rc != VMAIL_OK)
		vmail_log_failure(l, "home", &l->err);
	return rc;
}

int
vmail_session_open(struct vmail_login *l)
{
	struct account a = { 0 };
	enum vmail_rc rc;
	int code = vmail_login_user(l);

	if (code != PAM_SUCCESS)
		return code;
	rc = vmail_login_record(l, take_account, &a);
	if (rc == VMAIL_OK)
		rc = make_home(l, &a);
	return vmail_pam_code(rc, VMAIL_ASK_SESSION);
}
