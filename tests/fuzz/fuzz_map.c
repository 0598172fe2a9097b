/*
 * Any bytes as a map: nothing crashes, every walk ends, and an answer is about
 * the name that was asked. Run as root: another's file is no map.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/db.h"
#include "common/core/map.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz_map.XXXXXX", path[64];
static char window[VMAIL_PUBLIC_WINDOW];
static int fd;

static void
sweep(void)
{
	(void)unlink(path);
	(void)rmdir(dir);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (mkdtemp(dir) == NULL)
		abort();
	(void)snprintf(path, sizeof(path), "%s/map", dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) != 0 || atexit(sweep) != 0)
		abort();
	return 0;
}

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
inside_window(struct vmail_str s)
{
	require(s.n == 0 ||
		(s.p >= window && s.p + s.n <= window + sizeof(window)));
}

static void
inside_page(const struct vmail_map *map, struct vmail_str s)
{
	require(s.n == 0 || s.p < map->page ||
		s.p + s.n <= map->page + sizeof(map->page));
}

static void
check_fields(const struct vmail_public *p)
{
	inside_window(p->uid);
	inside_window(p->gid);
	inside_window(p->gecos);
	inside_window(p->home);
	inside_window(p->shell);
	require(vmail_name_askable(p->name));
}

static bool
ask(const struct vmail_map *map, struct vmail_str name)
{
	struct vmail_public p;

	if (vmail_map_find(map, name, window, &p) != VMAIL_OK)
		return false;
	require(vmail_str_eq(p.name, name));
	check_fields(&p);
	return true;
}

static void
walk(const struct vmail_map *map)
{
	struct vmail_public p;
	uint32_t pos = 0;
	uint64_t most = map->cdb.size / 8;

	while (vmail_map_next(map, &pos, window, &p) == VMAIL_OK) {
		char name[VMAIL_NAME_MAX];

		require(most-- > 0);
		check_fields(&p);
		memcpy(name, p.name.p, p.name.n);
		(void)ask(map, (struct vmail_str){ name, p.name.n });
	}
}

static void
ask_by_number(const struct vmail_map *map, uint32_t uid)
{
	struct vmail_str name;
	struct vmail_public p;

	(void)vmail_db_public_of(map, uid, window, &p);
	if (vmail_map_name_of(map, uid, window, &name, &p) != VMAIL_OK)
		return;
	inside_window(name);
	if (p.name.n > 0) {
		require(vmail_str_eq(p.name, name));
		check_fields(&p);
	}
	(void)ask(map, name);
	(void)vmail_db_public(map, name, window, &p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmail_map map;
	struct vmail_str raw = { (const char *)data, size };

	require(ftruncate(fd, 0) == 0 &&
		pwrite(fd, data, size, 0) == (ssize_t)size);
	if (vmail_map_open(path, &map, NULL) != VMAIL_OK)
		return 0;
	require(strlen(map.passwd_file) + strlen(map.home) < sizeof(map.page));
	inside_page(&map, map.owner_user);
	inside_page(&map, map.owner_group);
	inside_page(&map, map.cost);
	inside_page(&map, map.views);
	(void)ask(&map, VMAIL_STR("a@example.com"));
	require(!ask(&map, VMAIL_STR(":vmail")));
	require(!ask(&map, VMAIL_STR("")));
	if (raw.n > VMAIL_MAP_PAGE) {
		raw.p += VMAIL_MAP_PAGE;
		raw.n -= VMAIL_MAP_PAGE;
		(void)ask(&map, vmail_text_cut(&raw, ':'));
	}
	ask_by_number(&map, 5123);
	walk(&map);
	vmail_map_close(&map);
	return 0;
}
