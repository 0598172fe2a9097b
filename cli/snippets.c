#include "cli/snippets.h"

#include <stdio.h>
#include <string.h>

#include "cli/derived.h"
#include "cli/pathtext.h"
#include "cli/say.h"

enum { TEXT_MAX = 4096 };

/* What a template's %u, %n and %d are called in each dialect. */
struct words {
	const char *user, *local, *domain;
};

static const struct words words[] = {
	[VMAIL_DOVECOT_23] = { "%Lu", "%Ln", "%Ld" },
	[VMAIL_DOVECOT_24] = { "%{user | lower}", "%{user | username | lower}",
	    "%{user | domain | lower}" },
};

/* Everything a snippet needs, in Dovecot's words. */
struct facts {
	char passwd[TEXT_MAX], apppw[TEXT_MAX], deny[TEXT_MAX], home[TEXT_MAX];
	struct vmail_str user, group;
};

static bool
is_plain(const char *path)
{
	return pathtext_is_plain(path, ",%");
}

static bool
translate(const char *template, const struct words *w, bool percent,
    struct vmail_buf *out)
{
	for (const char *p = template; *p; p++) {
		if (*p != '%')
			vmail_buf_char(out, *p);
		else if (*++p == 'u')
			vmail_buf_z(out, w->user);
		else if (*p == 'n')
			vmail_buf_z(out, w->local);
		else if (*p == 'd')
			vmail_buf_z(out, w->domain);
		else if (percent)
			vmail_buf_z(out, "%%");
		else
			return false;
	}
	return vmail_buf_end(out) == VMAIL_OK;
}

/* A path that may have the domain in it. */
static bool
put_path(const char *path, enum vmail_dialect dialect, char out[TEXT_MAX])
{
	struct vmail_buf b = { out, TEXT_MAX, 0, false };

	return translate(path, &words[dialect], false, &b);
}

static int
gather(
    const struct vmail_conf *conf, enum vmail_dialect dialect, struct facts *f)
{
	struct vmail_buf home = { f->home, sizeof(f->home), 0, false };
	char apppw[DERIVED_PATH_MAX], deny[DERIVED_PATH_MAX];

	derived_beside(conf, "apppw", apppw);
	derived_beside(conf, "deny", deny);
	f->user = vmail_conf_owner_user(conf);
	f->group = vmail_conf_owner_group(conf);
	if (!is_plain(conf->passwd_file) ||
	    !put_path(conf->passwd_file, dialect, f->passwd) ||
	    !put_path(apppw, dialect, f->apppw) ||
	    !put_path(deny, dialect, f->deny))
		return say_fail(STATUS_FAILED,
		    "passwd_file: Dovecot's configuration cannot hold '%s'",
		    conf->passwd_file);
	/* Only 2.3 has a way to say one '%'. */
	if (!is_plain(conf->home) || !translate(conf->home, &words[dialect],
					 dialect == VMAIL_DOVECOT_23, &home))
		return say_fail(STATUS_FAILED,
		    "home: Dovecot's configuration cannot hold '%s'",
		    conf->home);
	return STATUS_OK;
}

static void
file_23(const struct facts *f)
{
	printf("passdb {\n"
	       "  driver = passwd-file\n"
	       "  deny = yes\n"
	       "  args = username_format=%%Lu/%%Ls %s\n"
	       "}\n",
	    f->deny);
	printf("passdb {\n"
	       "  driver = passwd-file\n"
	       "  args = scheme=CRYPT username_format=%%Lu/%%Ls/"
	       "%%{sha256;truncate=64:password} %s\n"
	       "}\n",
	    f->apppw);
	printf("passdb {\n"
	       "  driver = passwd-file\n"
	       "  args = scheme=CRYPT username_format=%%Lu %s\n"
	       "}\n",
	    f->passwd);
	printf("userdb {\n"
	       "  driver = passwd-file\n"
	       "  args = username_format=%%Lu %s\n"
	       "  default_fields = uid=%.*s gid=%.*s home=%s\n"
	       "}\n",
	    f->passwd, (int)f->user.n, f->user.p, (int)f->group.n, f->group.p,
	    f->home);
}

static void
passdbs_24(const struct facts *f)
{
	printf("passdb vmail-deny {\n"
	       "  driver = passwd-file\n"
	       "  deny = yes\n"
	       "  passwd_file_path = %s\n"
	       "  auth_username_format = "
	       "%%{user | lower}/%%{protocol | lower}\n"
	       "}\n",
	    f->deny);
	printf("passdb vmail-app {\n"
	       "  driver = passwd-file\n"
	       "  passwd_file_path = %s\n"
	       "  passdb_default_password_scheme = CRYPT\n"
	       "  auth_username_format = %%{user | lower}/"
	       "%%{protocol | lower}/"
	       "%%{password | sha256 | hexlify | substr(0,16)}\n"
	       "}\n",
	    f->apppw);
	printf("passdb vmail {\n"
	       "  driver = passwd-file\n"
	       "  passwd_file_path = %s\n"
	       "  passdb_default_password_scheme = CRYPT\n"
	       "  auth_username_format = %%{user | lower}\n"
	       "}\n",
	    f->passwd);
}

static void
file_24(const struct facts *f)
{
	passdbs_24(f);
	printf("userdb vmail {\n"
	       "  driver = passwd-file\n"
	       "  passwd_file_path = %s\n"
	       "  auth_username_format = %%{user | lower}\n"
	       "  userdb_fields {\n"
	       "    uid:default = %.*s\n"
	       "    gid:default = %.*s\n"
	       "    home:default = %s\n"
	       "  }\n"
	       "}\n",
	    f->passwd, (int)f->user.n, f->user.p, (int)f->group.n, f->group.p,
	    f->home);
}

static void
modules_23(void)
{
	puts("passdb {\n"
	     "  driver = pam\n"
	     "  args = vmail-%s\n"
	     "}\n"
	     "userdb {\n"
	     "  driver = passwd\n"
	     "}");
}

static void
modules_24(void)
{
	puts("passdb pam {\n"
	     "  passdb_pam_service_name = vmail-%{protocol}\n"
	     "}\n"
	     "userdb passwd {\n"
	     "}");
}

static void
mail_23(void)
{
	puts("mail_location = maildir:~/Maildir");
}

/* Debian's own `protocol lmtp` cuts the domain off: without the last block
 * every virtual delivery is refused. */
static void
mail_24(void)
{
	puts("mail_driver = maildir\n"
	     "mail_path = ~/Maildir\n"
	     "mail_inbox_path =\n"
	     "protocol lmtp {\n"
	     "  auth_username_format = %{user | lower}\n"
	     "}");
}

int
snippets_dovecot(
    const struct vmail_conf *conf, enum vmail_dialect dialect, bool modules)
{
	struct facts f;
	int status = gather(conf, dialect, &f);

	if (status != STATUS_OK)
		return status;
	switch (dialect) {
	case VMAIL_DOVECOT_23:
		if (modules)
			modules_23();
		else
			file_23(&f);
		mail_23();
		break;
	case VMAIL_DOVECOT_24:
		if (modules)
			modules_24();
		else
			file_24(&f);
		mail_24();
		break;
	}
	return STATUS_OK;
}

int
snippets_pam(const struct vmail_conf *conf)
{
	static const char *const lines[] = { "auth     required pam_vmail.so",
		"account  required pam_vmail.so",
		"password required pam_vmail.so",
		"session  required pam_vmail.so" };
	bool usual = strcmp(conf->path, VMAIL_CONF_PATH) == 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		say_line("%s%s%s", lines[i],
		    usual ? "" : " conf=", usual ? "" : conf->path);
	return STATUS_OK;
}

int
snippets_nss(void)
{
	say_line("passwd: files systemd vmail");
	say_line("group: files systemd vmail");
	return STATUS_OK;
}
