/* check: password fields, and what each Dovecot makes of them. */
#include "cli/check_lines.h"

#include <string.h>
#include <strings.h>

#include "cli/fixfield.h"
#include "cli/say.h"
#include "cli/userview.h"
#include "common/scheme/scheme.h"

#define SET "vmailadm passwd USER"

/* What Dovecot knows and this program does not verify. */
static const char *const foreign[] = { "ARGON2", "CLEAR", "CLEARTEXT",
	"CRAM-MD5", "DES-CRYPT", "DIGEST-MD5", "HMAC-MD5", "LDAP-MD5", "MD5",
	"MD5-CRYPT", "PBKDF2", "PLAIN-MD4", "PLAIN-MD5", "PLAIN-TRUNC",
	"SCRAM-SHA-1", "SCRAM-SHA-256", "SHA", "SHA1", "SHA256", "SHA512",
	"SMD5", "SSHA", "SSHA256", "SSHA512" };

static bool
is_foreign(struct vmail_str name)
{
	struct vmail_str scheme = vmail_text_cut(&name, '.');

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (scheme.n == strlen(foreign[i]) &&
		    strncasecmp(scheme.p, foreign[i], scheme.n) == 0)
			return true;
	}
	return false;
}

static void
check_unknown(const struct check_line *l)
{
	if (is_foreign(userview_scheme(l->entry.password)))
		check_line_say(l, SEVERITY_WARN, "scheme-foreign",
		    "a scheme that Dovecot knows and vmail does not: logins "
		    "through PAM fail",
		    SET);
	else
		check_line_say(l, SEVERITY_ERROR, "scheme-unknown",
		    "no such password scheme", SET);
}

static void
check_data(const struct check_line *l)
{
	struct vmail_str field = l->entry.password, data;
	const struct vmail_scheme *scheme;
	const char *fault = vmail_scheme_fault(field);

	if (fault) {
		check_line_say(l, SEVERITY_WARN, "password-form", fault, SET);
		return;
	}
	if (vmail_scheme_cut(field, &scheme, &data) != VMAIL_OK)
		return;
	if (scheme->strength == VMAIL_PLAINTEXT)
		check_line_say(l, SEVERITY_WARN, "plaintext",
		    "the password itself, not a hash", SET);
	else if (scheme->strength == VMAIL_WEAK)
		check_line_say(l, SEVERITY_WARN, "weak",
		    "a weak scheme, which Dovecot 2.4 may refuse", SET);
}

/* Each reads something else in such a field, or nobody a password: mended where
 * what was meant is clear. */
static void
say_field(const struct check_line *l, const char *code, const char *message,
    const char *fix)
{
	char text[VMAIL_LINE_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	bool padded;

	if (!fixfield(l->text, &l->entry, &b, &padded)) {
		check_line_say(l, SEVERITY_ERROR, code, message, fix);
		return;
	}
	if (padded &&
	    (l->check->phase == CHECK_MEND || l->check->phase == CHECK_PLAN))
		say_warn("%.*s: a password alone; its line is padded for the "
			 "lock, and so a userdb entry too until it is unlocked",
		    (int)l->entry.name.n, l->entry.name.p);
	check_line_say_mend(l, SEVERITY_ERROR, code, message, fix,
	    (struct vmail_str){ text, b.len });
	explicit_bzero(text, sizeof(text));
}

void
check_password(const struct check_line *l)
{
	struct vmail_str field = l->entry.password, data;
	const struct vmail_scheme *scheme;

	if (!field.p)
		say_field(l, "password-missing",
		    "a name alone: Dovecot 2.4.0-2.4.2 let the empty password "
		    "in",
		    SET);
	else if (field.n == 0)
		say_field(l, "password-empty",
		    "Dovecot 2.4.0-2.4.2 let the empty password in", SET);
	else if (field.p[0] != '{')
		say_field(l, "password-bare",
		    "no {SCHEME} in front: Dovecot 2.4.0-2.4.2 take it for a "
		    "plaintext password",
		    "write {CRYPT} in front of a hash, or " SET);
	else if (vmail_scheme_cut(field, &scheme, &data) == VMAIL_MALFORMED)
		say_field(l, "password-empty",
		    "no hash behind the scheme: an empty password may pass",
		    SET);
	else if (vmail_scheme_cut(field, &scheme, &data) == VMAIL_UNSUPPORTED)
		check_unknown(l);
	else
		check_data(l);
}
