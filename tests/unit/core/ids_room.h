/*
 * A system for one test: a child in namespaces of its own. Its /etc and /run
 * are the test's folders, its host name is the test's, its id maps are written
 * by the parent, and it may have no /proc.
 */
#ifndef TESTS_UNIT_CORE_IDS_ROOM_H
#define TESTS_UNIT_CORE_IDS_ROOM_H

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/core/ids.h"

struct room {
	const char *passwd, *group; /* NULL: no such file */
	const char *idmap;	    /* NULL: no user namespace */
	const char *views;
	const char *view; /* what /run/vmail/view says; NULL: no such file */
	const char *hostname; /* NULL: one that is no view's */
	mode_t view_mode;     /* 0: 0644 */
	uid_t view_uid;
	gid_t file_gid; /* the map file's group on disk */
	bool no_map;	/* no map file is known */
	bool no_proc;
	int (*look)(const struct vmail_world *w); /* 0, or a line's number */
};

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x))                                                      \
			return __LINE__;                                       \
	} while (0)

static char dir[32];
static int map_fd;

static void
in_dir(char out[64], const char *name)
{
	(void)snprintf(out, 64, "%s%s", dir, name);
}

static bool
put(const char *name, const char *text)
{
	char path[64];

	in_dir(path, name);
	(void)unlink(path);
	if (text == NULL)
		return true;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && fchmod(fd, 0644) == 0 &&
		  write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static int
make_folder(void **state)
{
	char path[64];

	(void)state;
	memcpy(dir, "/tmp/test_ids.XXXXXX", sizeof("/tmp/test_ids.XXXXXX"));
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0)
		return -1;
	in_dir(path, "/etc");
	if (mkdir(path, 0755) != 0 || !put("/map", "map"))
		return -1;
	in_dir(path, "/run");
	if (mkdir(path, 0755) != 0)
		return -1;
	in_dir(path, "/run/vmail");
	if (mkdir(path, 0755) != 0)
		return -1;
	in_dir(path, "/map");
	map_fd = open(path, O_RDONLY | O_CLOEXEC);
	return map_fd < 0 ? -1 : 0;
}

static int
drop_folder(void **state)
{
	char path[64];

	(void)state;
	close(map_fd);
	(void)put("/map", NULL);
	(void)put("/etc/passwd", NULL);
	(void)put("/etc/group", NULL);
	(void)put("/run/vmail/view", NULL);
	in_dir(path, "/run/vmail");
	(void)rmdir(path);
	in_dir(path, "/run");
	(void)rmdir(path);
	in_dir(path, "/etc");
	(void)rmdir(path);
	return rmdir(dir);
}

static bool
put_view(const struct room *room)
{
	char path[64];

	in_dir(path, "/run/vmail/view");
	if (!put("/run/vmail/view", room->view) || room->view == NULL)
		return room->view == NULL;
	return chmod(path, room->view_mode != 0 ? room->view_mode : 0644) ==
		   0 &&
	       chown(path, room->view_uid, 0) == 0;
}

/* An own mount namespace, where etc/ of the test's folder is /etc and run/ is
 * /run, or where that is all. */
static bool
enter_mounts(const struct room *room)
{
	const char *name = room->hostname != NULL ? room->hostname : "nowhere";
	char etc[64], run[64];

	in_dir(etc, "/etc");
	in_dir(run, "/run");
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0 ||
	    sethostname(name, strlen(name)) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	if (room->no_proc)
		return chroot(dir) == 0 && chdir("/") == 0;
	return mount(etc, "/etc", NULL, MS_BIND, NULL) == 0 &&
	       mount(run, "/run", NULL, MS_BIND, NULL) == 0;
}

static int
in_room(const struct room *room, int ready, int go)
{
	struct vmail_conf conf;
	struct vmail_world w;
	struct stat st;
	char byte = 'x';

	if (!enter_mounts(room) || fchown(map_fd, 0, room->file_gid) != 0)
		return __LINE__;
	if (room->idmap != NULL && unshare(CLONE_NEWUSER) != 0)
		return __LINE__;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return __LINE__;
	vmail_conf_defaults(&conf);
	if (fstat(map_fd, &st) != 0)
		return __LINE__;
	vmail_world_of_conf(
	    &w, &conf, vmail_str(room->views), room->no_map ? NULL : &st);
	return room->look(&w);
}

static bool
write_idmap(pid_t pid, const char *file, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static void
check_room(const struct room *room)
{
	int up[2], down[2], status, line = 0;
	char byte;

	assert_true(put("/etc/passwd", room->passwd));
	assert_true(put("/etc/group", room->group));
	assert_true(put_view(room));
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	pid_t pid = fork();
	if (pid == 0) {
		line = in_room(room, up[1], down[0]);
		_exit(write(up[1], &line, sizeof(line)) != sizeof(line));
	}
	close(up[1]);
	close(down[0]);
	assert_int_equal(read(up[0], &byte, 1), 1);
	if (room->idmap != NULL && *room->idmap != '\0') {
		assert_true(write_idmap(pid, "uid_map", room->idmap));
		assert_true(write_idmap(pid, "gid_map", room->idmap));
	}
	assert_int_equal(write(down[1], &byte, 1), 1);
	line = -1;
	(void)!read(up[0], &line, sizeof(line));
	close(up[0]);
	close(down[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (line != 0)
		print_error("line %d does not hold\n", line);
	assert_int_equal(line, 0);
}

#endif
