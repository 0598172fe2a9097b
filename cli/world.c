#include "cli/world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/core/file.h"
#include "common/core/map.h"
#include "common/core/views.h"

enum { VIEWS_MAX = 1 << 20 };

enum vmail_rc
world_open(
    struct world *world, const struct vmail_conf *conf, struct vmail_err *err)
{
	char path[VMAIL_CONF_PATH_MAX + 16];
	struct vmail_str views;
	struct stat st;
	bool seen;
	enum vmail_rc rc;

	if ((world->views = malloc(VIEWS_MAX)) == NULL)
		return vmail_fail(err, VMAIL_NO_MEMORY, conf->path, 0, "views");
	rc = vmail_views_load(conf, world->views, VIEWS_MAX, &views, err);
	if (rc != VMAIL_OK) {
		world_close(world);
		return rc;
	}
	/* Beside vmail.conf: of all the maps the one that is always there. */
	rc = vmail_conf_beside(conf, "passwd.cdb", path, sizeof(path));
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
