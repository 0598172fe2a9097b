#include "common/admin/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "common/admin/policy.h"
#include "common/core/db.h"
#include "common/core/file.h"
#include "common/core/ids.h"
#include "common/core/views.h"
#include "common/scheme/scheme.h"

enum { PAUSES = 4 };

/* One question, and where the answer is looked for. */
struct question {
	const struct vmail_conf *conf;
	struct vmail_str name;
	const struct vmail_secret *password; /* NULL: policy alone */
	struct vmail_err *err;
};

enum vmail_rc
vmail_auth_name(const struct vmail_conf *conf, const char *login,
    char name[VMAIL_NAME_MAX + 1])
{
	char text[VMAIL_NAME_MAX + 1];
	struct vmail_buf b = { text, sizeof(text), 0, false };

	vmail_buf_z(&b, login);
	if (!strchr(login, '@') && conf->default_domain[0] != '\0') {
		vmail_buf_char(&b, '@');
		vmail_buf_z(&b, conf->default_domain);
	}
	if (vmail_buf_end(&b) != VMAIL_OK)
		return VMAIL_INVALID;
	vmail_text_lower(text, b.len);
	if (login[0] == '\0' ||
	    !vmail_name_askable((struct vmail_str){ text, b.len }))
		return VMAIL_INVALID;
	memcpy(name, text, b.len + 1);
	return VMAIL_OK;
}

enum vmail_rc
vmail_auth_enter(struct vmail_conf *conf, const char *name)
{
	struct vmail_str local, domain;

	vmail_name_split(vmail_str(name), &local, &domain);
	return vmail_conf_enter(conf, domain);
}

/* The rule's no, not the kernel's: no errno belongs to it. */
static enum vmail_rc
deny(struct vmail_err *err, const char *why)
{
	errno = 0;
	return vmail_fail(err, VMAIL_DENIED, NULL, 0, why);
}

static void
spend(const struct question *q, struct vmail_str cost)
{
	if (q->password)
		vmail_scheme_spend(cost, q->conf, q->password);
}

/* What most hashes cost; where there is no map, what ours would. */
static struct vmail_str
usual_cost(const struct vmail_map *map)
{
	return map->cdb.fd >= 0 ? map->cost : VMAIL_STR("");
}

/* A hash that cannot be verified is paid for all the same: its own cost if
 * it tells one (an over-long password), else the usual one. */
static void
spend_instead(const struct question *q, struct vmail_str field,
    const struct vmail_map *map)
{
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf own = { text, sizeof(text), 0, false };

	if (vmail_scheme_cost(field, &own) == VMAIL_OK)
		spend(q, (struct vmail_str){ text, own.len });
	else
		spend(q, usual_cost(map));
}

/* Whatever the field is, one hash is spent; *why says what was wrong. */
static enum vmail_rc
verify(const struct question *q, struct vmail_str field,
    const struct vmail_map *map, const char **why)
{
	enum vmail_rc rc = VMAIL_OK;

	if (q->password)
		rc = vmail_scheme_verify(field, q->password);
	*why = NULL;
	if (rc != VMAIL_MALFORMED && rc != VMAIL_UNSUPPORTED)
		return rc;
	*why = rc == VMAIL_MALFORMED
		   ? "the password field is not a hash"
		   : "a hash, or a password, that is not supported";
	spend_instead(q, field, map);
	return VMAIL_MISMATCH;
}

/*
 * A name without a domain that this system's accounts own would let a mailbox
 * in as a person. room: the line's, which is not needed any longer.
 */
static enum vmail_rc
not_an_account(const struct question *q, const struct vmail_map *map,
    char room[VMAIL_LINE_MAX])
{
	struct vmail_world world;
	struct vmail_str views;
	enum vmail_rc rc;

	if (memchr(q->name.p, '@', q->name.n))
		return VMAIL_OK;
	if (map->cdb.fd >= 0 && map->views.p) {
		vmail_world_of_map(&world, map);
	} else {
		rc = vmail_views_load(
		    q->conf, room, VMAIL_LINE_MAX, &views, q->err);
		if (rc != VMAIL_OK)
			return rc;
		vmail_world_of_conf(&world, q->conf, views, NULL);
	}
	if (vmail_ids_name_free(&world, q->name))
		return VMAIL_OK;
	return deny(q->err, "the name of an account of this system");
}

static enum vmail_rc
judge(const struct question *q, const struct vmail_map *map,
    const struct vmail_record *record, char line[VMAIL_LINE_MAX])
{
	const char *why;
	enum vmail_rc verdict = verify(q, record->entry.password, map, &why);
	enum vmail_rc rc = VMAIL_OK;

	if (verdict != VMAIL_NO_MEMORY)
		rc = vmail_policy(&record->entry, q->err);
	if (verdict != VMAIL_NO_MEMORY && rc == VMAIL_OK)
		rc = not_an_account(q, map, line);
	if (rc != VMAIL_OK || verdict == VMAIL_OK)
		return rc;
	return vmail_fail(q->err, verdict, NULL, 0, why);
}

/* While a writer is at work in place: it may need the processor to get done.
 * Pauses of 1, 4, 16 and 64 ms are worth it, since Dovecot takes what PAM says
 * then for a wrong password. */
static enum vmail_rc
look_up(const struct question *q, char line[VMAIL_LINE_MAX],
    struct vmail_record *record, struct vmail_map *map)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	for (int turn = 0;; turn++) {
		enum vmail_rc rc = vmail_db_lookup(
		    q->conf, q->name, line, record, map, q->err);

		if (rc != VMAIL_BUSY || turn == PAUSES)
			return rc;
		vmail_map_close(map);
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec *= 4;
	}
}

static enum vmail_rc
answer(const struct question *q)
{
	char line[VMAIL_LINE_MAX];
	struct vmail_map map;
	struct vmail_record record;
	enum vmail_rc rc;

	map.cdb.fd = -1;
	rc = look_up(q, line, &record, &map);
	if (rc == VMAIL_OK)
		rc = judge(q, &map, &record, line);
	else if (rc == VMAIL_NOT_FOUND)
		spend(q, usual_cost(&map));
	explicit_bzero(line, sizeof(line));
	vmail_map_close(&map);
	return rc;
}

enum vmail_rc
vmail_auth_check(const struct vmail_conf *conf, const char *name,
    const struct vmail_secret *password, struct vmail_err *err)
{
	struct question q = { conf, vmail_str(name), password, err };

	return answer(&q);
}

enum vmail_rc
vmail_auth_account(
    const struct vmail_conf *conf, const char *name, struct vmail_err *err)
{
	struct question q = { conf, vmail_str(name), NULL, err };

	return answer(&q);
}
