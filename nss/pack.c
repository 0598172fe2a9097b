#include "nss/pack.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char PASSWORD[] = "*";
static const char SHELL[] = "/usr/sbin/nologin";

/* Begins a string in the buffer. The address may be one that nothing fits
 * at any more: b->full says so before anybody looks. */
static char *
here(const struct vmail_buf *b)
{
	return b->p + b->len;
}

static char *
put(struct vmail_buf *b, struct vmail_str s)
{
	char *at = here(b);

	vmail_buf_str(b, s);
	vmail_buf_char(b, '\0');
	return at;
}

/* The template's home must not leave its tree, whatever the name is. */
static enum vmail_rc
put_template(struct vmail_buf *b, const char *template, struct vmail_str name)
{
	struct vmail_str home = { here(b), b->len };
	enum vmail_rc rc = vmail_text_expand(b, vmail_str(template), name);

	home.n = b->len - home.n;
	if (rc != VMAIL_OK || b->full)
		return rc;
	if (memchr(name.p, '/', name.n) != NULL || vmail_text_climbs(home))
		return VMAIL_NOT_FOUND;
	vmail_buf_char(b, '\0');
	return VMAIL_OK;
}

static enum vmail_rc
put_home(
    struct vmail_buf *b, const struct vmail_nss_account *account, char **at)
{
	*at = here(b);
	if (account->home.n == 0)
		return put_template(b, account->template, account->name);
	(void)put(b, account->home);
	return VMAIL_OK;
}

static bool
never_answered(struct vmail_ids ids)
{
	return ids.uid == 0 || ids.gid == 0 || ids.uid == (uid_t)-1 ||
	       ids.gid == (gid_t)-1;
}

enum vmail_rc
vmail_nss_pack_passwd(
    const struct vmail_nss_account *account, const struct vmail_nss_target *to)
{
	struct vmail_buf b = { .p = to->buf, .size = to->size };
	struct passwd answer = { .pw_uid = account->ids.uid,
		.pw_gid = account->ids.gid };
	enum vmail_rc rc;

	if (never_answered(account->ids))
		return VMAIL_NOT_FOUND;
	answer.pw_name = put(&b, account->name);
	answer.pw_passwd = put(&b, vmail_str(PASSWORD));
	answer.pw_gecos = put(&b, account->gecos);
	rc = put_home(&b, account, &answer.pw_dir);
	answer.pw_shell = put(&b, vmail_str(SHELL));
	if (rc != VMAIL_OK)
		return rc;
	if (b.full)
		return VMAIL_TOO_SMALL;
	*to->pw = answer;
	return VMAIL_OK;
}

/* Where there is no domain, the system's own names come first: uid -> name
 * must not lead to somebody else's. */
static bool
is_ours(const struct vmail_world *world, struct vmail_str name)
{
	struct vmail_str local, domain;

	vmail_name_split(name, &local, &domain);
	return domain.n > 0 || vmail_ids_name_free(world, name);
}

enum vmail_rc
vmail_nss_pack_mailbox(const struct vmail_public *mailbox, const char *template,
    const struct vmail_world *world, const struct vmail_nss_target *to)
{
	struct vmail_nss_account account = { .name = mailbox->name,
		.gecos = mailbox->gecos,
		.home = mailbox->home,
		.template = template };
	enum vmail_rc rc;

	if (!is_ours(world, mailbox->name))
		return VMAIL_NOT_FOUND;
	rc = vmail_ids_of_mailbox(
	    world, mailbox->uid, mailbox->gid, &account.ids);
	if (rc != VMAIL_OK)
		return rc;
	return vmail_nss_pack_passwd(&account, to);
}

enum vmail_rc
vmail_nss_pack_group(
    struct vmail_str name, gid_t gid, struct group *gr, char *buf, size_t size)
{
	const size_t pad = -(uintptr_t)buf % alignof(char *);
	struct vmail_buf b;
	struct group answer = { .gr_gid = gid };

	if (gid == 0 || gid == (gid_t)-1)
		return VMAIL_NOT_FOUND;
	if (size < pad + sizeof(char *))
		return VMAIL_TOO_SMALL;
	answer.gr_mem = (char **)(void *)(buf + pad);
	b = (struct vmail_buf){ .p = buf + pad + sizeof(char *),
		.size = size - pad - sizeof(char *) };
	answer.gr_name = put(&b, name);
	answer.gr_passwd = put(&b, vmail_str(PASSWORD));
	if (b.full)
		return VMAIL_TOO_SMALL;
	answer.gr_mem[0] = NULL;
	*gr = answer;
	return VMAIL_OK;
}
