#include "pam/passwd.h"

#include <security/pam_ext.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/policy.h"
#include "common/admin/secret.h"
#include "common/admin/store.h"
#include "common/core/entry.h"
#include "common/scheme/scheme.h"
#include "pam/log.h"
#include "pam/rc.h"

/* A guest does not hold its host up for conf's lock_wait. */
enum { LOCK_WAIT = 2 };

/* May the asker change this user's password? */
static int
authorise(struct vmail_login *l)
{
	const char *old = NULL;
	int code;

	if (getuid() == 0)
		return vmail_pam_code(vmail_login_policy(l), VMAIL_ASK_ACCOUNT);
	code = pam_get_authtok(l->pamh, PAM_OLDAUTHTOK, &old, NULL);
	if (code != PAM_SUCCESS)
		return PAM_AUTHTOK_RECOVERY_ERR;
	return vmail_pam_code(vmail_login_verify(l, old), VMAIL_ASK_ACCOUNT);
}

/* The line under the lock, if it still may be changed. */
static enum vmail_rc
find_line(
    struct vmail_login *l, struct vmail_store *store, struct vmail_line *line)
{
	enum vmail_rc rc =
	    vmail_store_find(store, vmail_str(l->name), line, &l->err);

	if (rc == VMAIL_OK && line->malformed)
		return vmail_fail(&l->err, VMAIL_MALFORMED, l->conf.passwd_file,
		    0, "the user's line");
	if (rc == VMAIL_OK)
		rc = vmail_policy(&line->entry, &l->err);
	return rc;
}

static enum vmail_rc
try_lock(struct vmail_login *l)
{
	VMAIL_STORE *store = NULL;
	struct vmail_line line;
	enum vmail_rc rc;

	rc = vmail_store_open(&l->conf, LOCK_WAIT, &store, &l->err);
	if (rc == VMAIL_OK)
		rc = find_line(l, store, &line);
	if (rc != VMAIL_OK)
		vmail_log_failure(l, "the password cannot be changed", &l->err);
	return rc;
}

int
vmail_passwd_check(struct vmail_login *l, unsigned flags)
{
	int code = vmail_login_user(l);

	if (code != PAM_SUCCESS)
		return code;
	/* No password of this version expires: there is nothing to ask. */
	if (flags & PAM_CHANGE_EXPIRED_AUTHTOK)
		return vmail_pam_code(vmail_login_policy(l), VMAIL_ASK_ACCOUNT);
	code = authorise(l);
	if (code != PAM_SUCCESS)
		return code;
	return vmail_pam_code(try_lock(l), VMAIL_ASK_CHANGE);
}

static enum vmail_rc
take_field(struct vmail_login *l, const struct vmail_entry *e, void *arg)
{
	struct vmail_secret *field = arg;

	(void)l;
	field->len = 0;
	if (e->password.n <= VMAIL_SECRET_MAX) {
		field->len = e->password.n;
		memcpy(field->bytes, e->password.p, field->len);
	}
	return VMAIL_OK;
}

/* Says no in the conversation, and takes the password away from the modules
 * behind us. */
static int
refuse_new(struct vmail_login *l, unsigned flags, const char *why)
{
	if (!(flags & PAM_SILENT))
		(void)pam_error(l->pamh, "Password refused: %s", why);
	(void)pam_set_item(l->pamh, PAM_AUTHTOK, NULL);
	return PAM_AUTHTOK_ERR;
}

/* The new password, judged before it has to be typed again. */
static int
ask_new(struct vmail_login *l, unsigned flags, struct vmail_secret *secret)
{
	const char *text = NULL;
	int code = pam_get_authtok_noverify(l->pamh, &text, NULL);

	if (code != PAM_SUCCESS)
		return code;
	if (strlen(text) < l->conf.min_password_length)
		return refuse_new(l, flags, "too short");
	if (vmail_secret_set(secret, text, strlen(text), &l->err) != VMAIL_OK)
		return refuse_new(l, flags, l->err.what);
	if (!l->args.use_authtok)
		code = pam_get_authtok_verify(l->pamh, &text, NULL);
	return code;
}

static int
make_field(struct vmail_login *l, unsigned flags,
    const struct vmail_secret *secret, struct vmail_secret *field)
{
	struct vmail_buf b = { .p = field->bytes, .size = VMAIL_HASH_MAX };
	enum vmail_rc rc;

	rc = vmail_scheme_make(vmail_scheme_named(vmail_str(l->conf.scheme)),
	    &l->conf, secret, &b, &l->err);
	if (rc == VMAIL_INVALID)
		return refuse_new(l, flags, l->err.what);
	if (rc != VMAIL_OK)
		vmail_log_failure(l, "new password", &l->err);
	field->len = b.len;
	return vmail_pam_code(rc, VMAIL_ASK_CHANGE);
}

/* The line with another password field, every other byte as it was.
 * Noinline: see vmail_login_record. */
__attribute__((noinline)) static enum vmail_rc
replace_field(struct vmail_login *l, struct vmail_store *store,
    const struct vmail_line *line, const struct vmail_secret *field)
{
	char text[VMAIL_LINE_MAX];
	struct vmail_buf b = { .p = text, .size = sizeof(text) };
	struct vmail_str old = line->entry.password;
	const char *end = line->text.p + line->text.n;
	enum vmail_rc rc;
	bool bare = old.p == NULL; /* the line is a name and no more */

	if (bare)
		old.p = line->entry.name.p + line->entry.name.n;
	vmail_buf_put(&b, line->text.p, (size_t)(old.p - line->text.p));
	if (bare)
		vmail_buf_char(&b, ':');
	vmail_buf_put(&b, field->bytes, field->len);
	vmail_buf_put(&b, old.p + old.n, (size_t)(end - (old.p + old.n)));
	if (b.full)
		rc = vmail_fail(&l->err, VMAIL_TOO_SMALL, l->conf.passwd_file,
		    0, "the user's line would become too long");
	else
		rc = vmail_store_replace(
		    store, line, (struct vmail_str){ text, b.len }, &l->err);
	explicit_bzero(text, sizeof(text));
	return rc;
}

static bool
still(const struct vmail_line *line, const struct vmail_secret *before)
{
	return vmail_str_eq(line->entry.password,
	    (struct vmail_str){ before->bytes, before->len });
}

static enum vmail_rc
write_field(struct vmail_login *l, const struct vmail_secret *before,
    const struct vmail_secret *field, struct vmail_commit *done)
{
	VMAIL_STORE *store = NULL;
	struct vmail_line line;
	enum vmail_rc rc;

	rc = vmail_store_open(&l->conf, LOCK_WAIT, &store, &l->err);
	if (rc == VMAIL_OK)
		rc = find_line(l, store, &line);
	if (rc == VMAIL_OK && !still(&line, before))
		rc = vmail_fail(&l->err, VMAIL_BUSY, l->conf.passwd_file, 0,
		    "the password was changed by somebody else meanwhile");
	if (rc == VMAIL_OK)
		rc = replace_field(l, store, &line, field);
	if (rc == VMAIL_OK)
		rc = vmail_store_commit(store, false, done, &l->err);
	return rc;
}

static int
change(struct vmail_login *l, unsigned flags, const struct vmail_secret *before)
{
	VMAIL_SECRET secret = { 0 };
	VMAIL_SECRET field = { 0 };
	struct vmail_commit done = { 0 };
	enum vmail_rc rc;
	int code = ask_new(l, flags, &secret);

	if (code == PAM_SUCCESS)
		code = make_field(l, flags, &secret, &field);
	if (code != PAM_SUCCESS)
		return code;
	rc = write_field(l, before, &field, &done);
	if (rc != VMAIL_OK)
		vmail_log_failure(l, "the password was not changed", &l->err);
	else
		vmail_log_user(l, "password changed");
	if (rc == VMAIL_OK && done.warning.rc != VMAIL_OK)
		vmail_log_failure(l, "the map is stale", &done.warning);
	if (rc == VMAIL_OK && done.unsynced.rc != VMAIL_OK)
		vmail_log_failure(
		    l, "a power cut may undo the change", &done.unsynced);
	return vmail_pam_code(rc, VMAIL_ASK_CHANGE);
}

int
vmail_passwd_update(struct vmail_login *l, unsigned flags)
{
	VMAIL_SECRET before = { 0 };
	int code = vmail_login_user(l);

	if (code != PAM_SUCCESS)
		return code;
	if (flags & PAM_CHANGE_EXPIRED_AUTHTOK)
		return vmail_pam_code(vmail_login_policy(l), VMAIL_ASK_ACCOUNT);
	/* The field before the old password is verified: the new hash is made
	 * without the lock, and under it that the field is still this one is
	 * asked. */
	code = vmail_pam_code(
	    vmail_login_record(l, take_field, &before), VMAIL_ASK_ACCOUNT);
	if (code == PAM_SUCCESS)
		code = authorise(l);
	if (code != PAM_SUCCESS)
		return code;
	return change(l, flags, &before);
}
