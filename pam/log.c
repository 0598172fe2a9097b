#include "pam/log.h"

#include <security/pam_ext.h>
#include <syslog.h>

enum { SHOWN_MAX = 1024 };

static const char *
shown(const char *text, char out[SHOWN_MAX])
{
	struct vmail_buf b = { .p = out, .size = SHOWN_MAX };

	vmail_buf_shown(&b, vmail_str(text));
	(void)vmail_buf_end(&b); /* cut where it is too long */
	return out;
}

static const char *
remote_host(const struct vmail_login *l)
{
	const void *host = NULL;

	if (pam_get_item(l->pamh, PAM_RHOST, &host) != PAM_SUCCESS || !host)
		return "";
	return host;
}

/* Noinline here and below: a thread of 64 KiB must not pay for the text of
 * a log line while it verifies a password. */
__attribute__((noinline)) void
vmail_log_failure(
    const struct vmail_login *l, const char *step, const struct vmail_err *err)
{
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(err, text, sizeof(text));
	pam_syslog(l->pamh, LOG_ERR, "%s: %s", step, text);
}

__attribute__((noinline)) void
vmail_log_user(const struct vmail_login *l, const char *verdict)
{
	char name[SHOWN_MAX], host[SHOWN_MAX];

	pam_syslog(l->pamh, LOG_NOTICE, "%s: user=%s rhost=%s", verdict,
	    shown(l->name, name), shown(remote_host(l), host));
}

__attribute__((noinline)) static void
log_refusal(const struct vmail_login *l)
{
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(&l->err, text, sizeof(text));
	vmail_log_user(l, text);
}

__attribute__((noinline)) static void
log_unknown(const struct vmail_login *l)
{
	char host[SHOWN_MAX];

	pam_syslog(l->pamh, LOG_NOTICE, "unknown user: rhost=%s",
	    shown(remote_host(l), host));
}

void
vmail_log_answer(const struct vmail_login *l, enum vmail_rc rc)
{
	if (rc == VMAIL_OK)
		return;
	if (rc == VMAIL_NOT_FOUND)
		log_unknown(l);
	else if (rc == VMAIL_MISMATCH || rc == VMAIL_DENIED)
		log_refusal(l);
	else
		vmail_log_failure(l, "cannot look up the user", &l->err);
}

int
vmail_log_leave(const struct vmail_login *l, const char *entry, int code)
{
	if (l->args.debug)
		pam_syslog(l->pamh, LOG_DEBUG, "%s: %s", entry,
		    pam_strerror(l->pamh, code));
	return code;
}
