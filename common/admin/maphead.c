#include "common/admin/maphead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/perm.h"
#include "common/core/file.h"
#include "common/core/ids.h"
#include "common/core/views.h"

enum { VIEWS_ROOM = 1 << 20, PATH_ROOM = VMAIL_CONF_PATH_MAX + 16 };

/* Of the file at path; false: it cannot be looked at. */
static bool
folder_of(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_ROOM];
	size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	memcpy(folder, n > 0 ? path : ".", n > 0 ? n : 1);
	folder[n > 0 ? n : 1] = '\0';
	return stat(folder, st) == 0;
}

static bool
same_file(const char *a, const char *b)
{
	const char *name_a = strrchr(a, '/'), *name_b = strrchr(b, '/');
	struct stat one, two;

	if (strcmp(name_a != NULL ? name_a + 1 : a,
		name_b != NULL ? name_b + 1 : b) != 0)
		return false;
	return strcmp(a, b) == 0 ||
	       (folder_of(a, &one) && folder_of(b, &two) &&
		   one.st_ino == two.st_ino && one.st_dev == two.st_dev);
}

enum vmail_rc
vmail_maphead_first(
    const struct vmail_conf *conf, char *path, size_t size, bool *apart)
{
	char first[PATH_ROOM], own[PATH_ROOM];
	enum vmail_rc rc =
	    vmail_conf_beside(conf, "passwd.cdb", first, sizeof(first));

	if (rc == VMAIL_OK)
		rc = vmail_map_path(conf->passwd_file, own, sizeof(own));
	if (rc == VMAIL_OK && strlen(first) >= size)
		rc = VMAIL_TOO_SMALL;
	if (rc != VMAIL_OK)
		return rc;
	memcpy(path, first, strlen(first) + 1);
	*apart = !same_file(first, own);
	return VMAIL_OK;
}

/* The number of the owner where ids are the host's own. */
static uint64_t
owner_number(const struct vmail_conf *conf, struct vmail_str views)
{
	struct vmail_str owner = vmail_conf_owner_user(conf);
	struct vmail_view v;
	struct vmail_ids ids;

	if (vmail_views_find(views, "host", owner, &v))
		return v.uid;
	return vmail_account_of(owner, &ids) == VMAIL_OK ? ids.uid : 0;
}

/* Whom the map belongs to, so that NSS sees in it whether ids are the host's
 * own (ids.md, step 4): therefore the host's number, in a container that has
 * another one for the same name too. */
static gid_t
group_of(const struct vmail_conf *conf, struct vmail_str views)
{
	struct vmail_str user = vmail_conf_owner_user(conf);
	struct vmail_view v;
	struct vmail_ids ids;
	gid_t gid;

	if (vmail_perm_on_host() && vmail_views_find(views, "host", user, &v))
		return v.gid;
	if (vmail_account_group(vmail_conf_owner_group(conf), &gid) == VMAIL_OK)
		return gid;
	return vmail_account_of(user, &ids) == VMAIL_OK ? ids.gid : 0;
}

enum vmail_rc
vmail_maphead_open(struct vmail_maphead *head, const struct vmail_conf *conf,
    struct vmail_err *err)
{
	struct vmail_maphead h = { .conf = conf, .room = malloc(VIEWS_ROOM) };
	enum vmail_rc rc;

	if (h.room == NULL)
		return vmail_fail_sys(err, conf->path, "read views");
	rc = vmail_views_load(conf, h.room, VIEWS_ROOM, &h.views, err);
	if (rc != VMAIL_OK) {
		free(h.room);
		return rc;
	}
	h.owner_uid = owner_number(conf, h.views);
	if (vmail_account_seen(vmail_conf_owner_user(conf), &h.account) !=
	    VMAIL_OK)
		h.account.file.size = 0;
	*head = h;
	return VMAIL_OK;
}

void
vmail_maphead_close(struct vmail_maphead *head)
{
	free(head->room);
	head->room = NULL;
}

/* The lines of views, with single spaces; full if they do not fit. */
static void
put_views(struct vmail_str text, struct vmail_buf *out)
{
	struct vmail_buf lines = *out;
	struct vmail_view v;
	uint64_t n = 0;

	for (struct vmail_str rest = text; vmail_views_next(&rest, &v);)
		n++;
	vmail_buf_z(&lines, "views=");
	vmail_buf_num(&lines, n, 1);
	vmail_buf_char(&lines, '\n');
	while (vmail_views_next(&text, &v)) {
		vmail_buf_str(&lines, v.name);
		vmail_buf_char(&lines, ' ');
		vmail_buf_str(&lines, v.identity);
		vmail_buf_char(&lines, ' ');
		vmail_buf_num(&lines, v.uid, 1);
		vmail_buf_char(&lines, ':');
		vmail_buf_num(&lines, v.gid, 1);
		vmail_buf_char(&lines, ' ');
		vmail_buf_str(
		    &lines, v.ranges.n != 0 ? v.ranges : VMAIL_STR("-"));
		vmail_buf_char(&lines, '\n');
	}
	if (!lines.full) {
		*out = lines;
		return;
	}
	memset(out->p + out->len, '\n', out->size - out->len);
	vmail_buf_z(out, "views=file\n");
}

static void
put_setting(
    const struct vmail_conf *conf, const char *key, struct vmail_buf *out)
{
	for (size_t i = 0; vmail_conf_key(i) != NULL; i++) {
		if (strcmp(vmail_conf_key(i), key) != 0)
			continue;
		vmail_buf_z(out, key);
		vmail_buf_char(out, '=');
		vmail_conf_value(conf, i, out);
		vmail_buf_char(out, '\n');
	}
}

static void
put_number(const char *key, uint64_t n, struct vmail_buf *out)
{
	vmail_buf_z(out, key);
	vmail_buf_num(out, n, 1);
	vmail_buf_char(out, '\n');
}

enum vmail_rc
vmail_maphead_put(const struct vmail_maphead *head,
    const struct vmail_maphead_lines *lines, char settings[VMAIL_MAPHEAD_LEN],
    struct vmail_err *err)
{
	static const char *const keys[] = { "passwd_file", "owner", "home",
		"first_valid_uid", "last_valid_uid", "nss_mailboxes",
		"nss_enumerate" };
	struct vmail_buf out = { .p = settings, .size = VMAIL_MAPHEAD_LEN };

	memset(settings, '\n', VMAIL_MAPHEAD_LEN);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		put_setting(head->conf, keys[i], &out);
	vmail_buf_z(&out, "cost=");
	vmail_buf_str(&out, lines->cost);
	vmail_buf_char(&out, '\n');
	put_number("malformed=", lines->malformed, &out);
	put_number("patched=", lines->patched, &out);
	if (head->account.file.size != 0) {
		vmail_buf_z(&out, "account=");
		vmail_map_put_account(&head->account, &out);
		vmail_buf_char(&out, '\n');
	}
	put_views(head->views, &out);
	if (!out.full)
		return VMAIL_OK;
	return vmail_fail(err, VMAIL_INVALID, head->conf->path, 0,
	    "settings too long for the map's header");
}

bool
vmail_maphead_chown(const struct vmail_maphead *head, int fd)
{
	return fchown(fd, 0, group_of(head->conf, head->views)) == 0 &&
	       fchmod(fd, 0644) == 0;
}

bool
vmail_maphead_own_uid(
    const struct vmail_maphead *head, struct vmail_str field, uint32_t *uid)
{
	const struct vmail_conf *conf = head->conf;
	uint64_t n;

	if (!vmail_text_number(field, conf->last_valid_uid, &n) ||
	    n < conf->first_valid_uid || n == head->owner_uid)
		return false;
	*uid = (uint32_t)n;
	return true;
}

static bool
says_the_same(const struct vmail_maphead *now_head, const struct vmail_map *map)
{
	/* An account that changed since is only slower to look up. */
	struct vmail_maphead head = *now_head;
	const struct vmail_maphead_lines lines = { map->cost, map->malformed,
		map->patched };
	char now[VMAIL_MAPHEAD_LEN], there[VMAIL_MAPHEAD_LEN];

	if (!vmail_map_get_account(map->account, &head.account))
		head.account.file.size = 0;
	/* The open map's page is cut into strings: read it once more. */
	return vmail_maphead_put(&head, &lines, now, NULL) == VMAIL_OK &&
	       vmail_file_pread(map->cdb.fd, there, sizeof(there),
		   VMAIL_MAP_HEADER_POS + VMAIL_MAP_STAMP_LEN) ==
		   (ssize_t)sizeof(there) &&
	       memcmp(now, there, sizeof(there)) == 0;
}

bool
vmail_maphead_fits(
    const struct vmail_maphead *head, const struct vmail_map *map)
{
	return says_the_same(head, map) &&
	       (!vmail_perm_on_host() ||
		   map->gid == group_of(head->conf, head->views));
}

bool
vmail_maphead_current(
    const struct vmail_conf *conf, const struct vmail_map *map)
{
	VMAIL_MAPHEAD head = { 0 };

	return vmail_maphead_open(&head, conf, NULL) == VMAIL_OK &&
	       vmail_maphead_fits(&head, map);
}
