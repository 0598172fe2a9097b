#include "pam/login.h"

#include <security/pam_ext.h>
#include <string.h>

#include "common/admin/auth.h"
#include "common/admin/secret.h"
#include "common/core/db.h"
#include "common/scheme/scheme.h"
#include "pam/log.h"
#include "pam/rc.h"

enum { FAIL_DELAY_USEC = 2 * 1000 * 1000 };

static enum vmail_rc
scheme_known(struct vmail_login *l)
{
	const struct vmail_scheme *s;

	s = vmail_scheme_named(vmail_str(l->conf.scheme));
	if (!s || !s->make)
		return vmail_fail(&l->err, VMAIL_MALFORMED, l->conf.path, 0,
		    "scheme: not one that can be made");
	return VMAIL_OK;
}

int
vmail_login_begin(
    struct vmail_login *l, pam_handle_t *pamh, int argc, const char **argv)
{
	enum vmail_rc rc;

	memset(l, 0, sizeof(*l));
	l->pamh = pamh;
	rc = vmail_args_parse(argc, argv, &l->args, &l->err);
	if (rc == VMAIL_OK)
		rc = vmail_conf_load(&l->conf, l->args.conf, &l->err);
	if (rc == VMAIL_OK)
		rc = scheme_known(l);
	if (rc != VMAIL_OK)
		vmail_log_failure(l, "configuration", &l->err);
	return vmail_pam_code(rc, VMAIL_ASK_CONF);
}

int
vmail_login_user(struct vmail_login *l)
{
	const char *user = NULL;
	int code = pam_get_user(l->pamh, &user, NULL);

	if (code != PAM_SUCCESS)
		return code;
	/* What cannot be a name is an unknown user like any other: the
	 * password is asked for and paid for all the same. */
	if (!user || vmail_auth_name(&l->conf, user, l->name) != VMAIL_OK)
		l->name[0] = '\0';
	(void)vmail_auth_enter(&l->conf, l->name);
	return code;
}

enum vmail_rc
vmail_login_answer(struct vmail_login *l, enum vmail_rc rc)
{
	if (rc == VMAIL_DENIED && l->err.sys_errno != 0)
		rc = VMAIL_IO;
	vmail_log_answer(l, rc);
	return rc;
}

/* Noinline: the line must not lie on the stack any longer. */
__attribute__((noinline)) enum vmail_rc
vmail_login_record(struct vmail_login *l,
    enum vmail_rc (*take)(
	struct vmail_login *l, const struct vmail_entry *entry, void *arg),
    void *arg)
{
	char line[VMAIL_LINE_MAX];
	struct vmail_record record;
	struct vmail_map map;
	enum vmail_rc rc;

	rc = vmail_db_lookup(
	    &l->conf, vmail_str(l->name), line, &record, &map, &l->err);
	vmail_map_close(&map);
	if (rc == VMAIL_OK)
		rc = take(l, &record.entry, arg);
	explicit_bzero(line, sizeof(line));
	return vmail_login_answer(l, rc);
}

enum vmail_rc
vmail_login_verify(struct vmail_login *l, const char *password)
{
	VMAIL_SECRET secret = { 0 };
	enum vmail_rc rc;
	bool usable;

	usable = vmail_secret_set(&secret, password, strlen(password), NULL) ==
		 VMAIL_OK;
	if (!usable)
		(void)vmail_secret_set(&secret, "-", 1, NULL);
	rc = vmail_auth_check(&l->conf, l->name, &secret, &l->err);
	if (rc == VMAIL_OK && !usable)
		rc = vmail_fail(
		    &l->err, VMAIL_MISMATCH, NULL, 0, "empty or too long");
	return vmail_login_answer(l, rc);
}

enum vmail_rc
vmail_login_policy(struct vmail_login *l)
{
	return vmail_login_answer(
	    l, vmail_auth_account(&l->conf, l->name, &l->err));
}

int
vmail_login_delay(const struct vmail_login *l, int code)
{
	if (code != PAM_SUCCESS && !l->args.nodelay)
		(void)pam_fail_delay(l->pamh, FAIL_DELAY_USEC);
	return code;
}

/* Without a password there is nothing to say of the user, known or not. */
static int
ask_password(struct vmail_login *l, const char **password)
{
	int code = pam_get_authtok(l->pamh, PAM_AUTHTOK, password, NULL);

	return code == PAM_SUCCESS ? code : PAM_AUTH_ERR;
}

int
vmail_login_authenticate(struct vmail_login *l)
{
	const char *password = NULL;
	enum vmail_rc rc;
	int code = vmail_login_user(l);

	if (code == PAM_SUCCESS)
		code = ask_password(l, &password);
	if (code != PAM_SUCCESS)
		return code;
	rc = vmail_login_verify(l, password);
	if (rc == VMAIL_OK)
		code = pam_set_item(l->pamh, PAM_USER, l->name);
	if (code != PAM_SUCCESS)
		return code;
	return vmail_pam_code(rc, VMAIL_ASK_LOGIN);
}

int
vmail_login_account(struct vmail_login *l)
{
	int code = vmail_login_user(l);

	if (code != PAM_SUCCESS)
		return code;
	return vmail_pam_code(vmail_login_policy(l), VMAIL_ASK_ACCOUNT);
}
