#include "cli/world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/core/file.h"
#include "common/core/map.h"
#include "common/core/views.h"

enum { VIEWS_MAX = 1 << 20 };

static enum vmail_rc
read_all(int fd, const char *path, const struct stat *st, char **text,
    size_t *n, struct vmail_err *err)
{
	size_t size = (size_t)st->st_size;
	char *p;
	ssize_t got;

	if (st->st_size > VIEWS_MAX)
		return vmail_fail(err, VMAIL_MALFORMED, path, 0, "too large");
	p = malloc(size + 1);
	if (!p)
		return vmail_fail(err, VMAIL_NO_MEMORY, path, 0, "read");
	got = vmail_file_pread(fd, p, size, 0);
	if (got < 0) {
		free(p);
		return vmail_fail_sys(err, path, "read");
	}
	*text = p;
	*n = (size_t)got;
	return VMAIL_OK;
}

static enum vmail_rc
read_views(const struct vmail_conf *conf, char **text, size_t *n,
    struct vmail_err *err)
{
	char path[VMAIL_CONF_PATH_MAX + 16];
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	enum vmail_rc rc;

	*text = NULL;
	*n = 0;
	rc = vmail_conf_beside(conf, "views", path, sizeof(path));
	if (rc != VMAIL_OK)
		return vmail_fail(err, rc, conf->path, 0, "path too long");
	rc = vmail_file_open(path, O_RDONLY, &fd, &st, err);
	if (rc == VMAIL_NOT_FOUND)
		return VMAIL_OK;
	if (rc == VMAIL_OK)
		rc = vmail_file_trust(&st, path, err);
	if (rc == VMAIL_OK)
		rc = read_all(fd, path, &st, text, n, err);
	return rc;
}

enum vmail_rc
world_open(
    struct world *world, const struct vmail_conf *conf, struct vmail_err *err)
{
	char path[VMAIL_CONF_PATH_MAX + 16];
	struct vmail_str views;
	struct stat st;
	bool seen;
	enum vmail_rc rc = read_views(conf, &world->views, &views.n, err);

	if (rc != VMAIL_OK)
		return rc;
	views.p = world->views;
	rc = vmail_map_path(conf->passwd_file, path, sizeof(path));
	seen = rc == VMAIL_OK && lstat(path, &st) == 0 && S_ISREG(st.st_mode);
	vmail_world_of_conf(&world->ids, conf, views, seen ? &st : NULL);
	return VMAIL_OK;
}

void
world_close(struct world *world)
{
	free(world->views);
	world->views = NULL;
}

enum vmail_rc
world_host_ids(
    const struct world *world, struct vmail_str identity, struct vmail_ids *ids)
{
	struct vmail_view view;

	if (!vmail_views_find(world->ids.views, "host", identity, &view))
		return vmail_ids_of_identity(&world->ids, identity, ids);
	*ids = (struct vmail_ids){ view.uid, view.gid };
	return VMAIL_OK;
}

enum vmail_rc
world_home(const struct vmail_conf *conf, const struct vmail_entry *entry,
    char *home, size_t size)
{
	struct vmail_buf b = { home, size, 0, false };
	enum vmail_rc rc = VMAIL_OK;

	if (entry->home.n > 0)
		vmail_buf_str(&b, entry->home);
	else
		rc = vmail_text_expand(&b, vmail_str(conf->home), entry->name);
	return rc == VMAIL_OK ? vmail_buf_end(&b) : rc;
}
