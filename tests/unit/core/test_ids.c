/*
 * Each room is a child in namespaces of its own: its /etc/passwd and
 * /etc/group are bind mounts of the test's files, its id maps are written by
 * the parent, and it may have no /proc.
 */
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

#define ROOT "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\n"
#define HOST_PASSWD                                                            \
	ROOT "vmail:x:5000:5000:mail:/var/mail:/bin/false\n"                   \
	     "alice:x:1000:1000::/home/alice:/bin/sh\n"                        \
	     "archive:x:5001:5002::/:/bin/false\n"
#define IMAGE_PASSWD                                                           \
	ROOT "vmail:x:1000:1000::/srv/mail:/bin/false\n"                       \
	     "archive:x:2001:2002::/:/bin/false\n"
#define GROUPS                                                                 \
	"root:x:0:\nstaff:x:50:\nvmail:x:4999:\nusers:x:1100:a,b\n"            \
	"nogroup:x:65534:\n"
#define VIEWS                                                                  \
	"host vmail 5000:5000 -\n"                                             \
	"host archive 5001:5002 -\n"                                           \
	"img vmail 1000:1000 -\n"                                              \
	"rootless vmail 1000:1000 0:1000:1,1:100000:65536\n"
/* podman's --uidmap 0:100000:1000 --uidmap 1000:5000:1 and a range more */
#define SHIFTED "0 100000 1000\n1000 5000 1\n2000 10000 1000\n"

struct room {
	const char *passwd, *group; /* NULL: no such file */
	const char *idmap;	    /* NULL: no user namespace */
	const char *views;
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
	in_dir(path, "/etc");
	(void)rmdir(path);
	return rmdir(dir);
}

/* An own mount namespace, where etc/ of the test's folder is /etc, or all. */
static bool
enter_mounts(const struct room *room)
{
	char etc[64];

	in_dir(etc, "/etc");
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	if (room->no_proc)
		return chroot(dir) == 0 && chdir("/") == 0;
	return mount(etc, "/etc", NULL, MS_BIND, NULL) == 0;
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

static bool
identity_is(const struct vmail_world *w, const char *name, uid_t uid, gid_t gid)
{
	struct vmail_ids ids;

	return vmail_ids_of_identity(w, vmail_str(name), &ids) == VMAIL_OK &&
	       ids.uid == uid && ids.gid == gid;
}

static bool
no_identity(const struct vmail_world *w, const char *name)
{
	struct vmail_ids ids = { 7, 7 };

	return vmail_ids_of_identity(w, vmail_str(name), &ids) ==
		   VMAIL_NOT_FOUND &&
	       ids.uid == 7 && ids.gid == 7;
}

static bool
mailbox_is(const struct vmail_world *w, const char *u, const char *g, uid_t uid,
    gid_t gid)
{
	struct vmail_ids ids;

	return vmail_ids_of_mailbox(w, vmail_str(u), vmail_str(g), &ids) ==
		   VMAIL_OK &&
	       ids.uid == uid && ids.gid == gid;
}

static bool
no_mailbox(const struct vmail_world *w, const char *u, const char *g)
{
	struct vmail_ids ids = { 7, 7 };

	return vmail_ids_of_mailbox(w, vmail_str(u), vmail_str(g), &ids) ==
		   VMAIL_NOT_FOUND &&
	       ids.uid == 7 && ids.gid == 7;
}

static bool
name_is(const struct vmail_world *w, uid_t uid, const char *name)
{
	struct vmail_str s;
	enum vmail_rc rc = vmail_ids_identity_of(w, uid, &s);

	return name == NULL ? rc == VMAIL_NOT_FOUND
			    : rc == VMAIL_OK && vmail_str_is(s, name);
}

static bool
group_is(const struct vmail_world *w, gid_t gid, const char *name)
{
	struct vmail_str s;
	enum vmail_rc rc = vmail_ids_group_of(w, gid, &s);

	return name == NULL ? rc == VMAIL_NOT_FOUND
			    : rc == VMAIL_OK && vmail_str_is(s, name);
}

/* number(name(n)) = n and name(number(s)) = s, for users and groups. */
static int
names_and_numbers_agree(const struct vmail_world *w)
{
	static const char *const identities[] = { "vmail", "archive" };
	static const uint32_t odd[] = { 0, 1, 1000, 4999, 5000, 5001, 5002,
		5123, 9999, 10000, 65533, 65534, 65535, 65536, 100999,
		UINT32_MAX };
	struct vmail_ids ids;
	gid_t gid;

	for (size_t i = 0; i < 2; i++) {
		struct vmail_str s = vmail_str(identities[i]);

		if (vmail_ids_of_identity(w, s, &ids) == VMAIL_OK) {
			CHECK(name_is(w, ids.uid, identities[i]));
			CHECK(group_is(w, ids.gid, identities[i]));
			CHECK(vmail_ids_of_group(w, s, &gid) == VMAIL_OK);
			CHECK(gid == ids.gid);
		}
	}
	for (uint32_t k = 0; k < 1016; k++) {
		uint32_t n = k < 16 ? odd[k] : (k - 16) * 71, host;
		struct vmail_str s;
		char text[16];

		if (vmail_ids_identity_of(w, n, &s) == VMAIL_OK) {
			CHECK(vmail_ids_of_identity(w, s, &ids) == VMAIL_OK);
			CHECK(ids.uid == n);
		}
		if (vmail_ids_group_of(w, n, &s) == VMAIL_OK) {
			CHECK(vmail_ids_of_group(w, s, &gid) == VMAIL_OK);
			CHECK(gid == n);
		}
		if (vmail_ids_to_host(w, n, &host) == VMAIL_OK) {
			(void)snprintf(text, sizeof(text), "%u", host);
			CHECK(vmail_ids_of_mailbox(w, vmail_str(text),
				  vmail_str(text), &ids) == VMAIL_OK);
			CHECK(ids.uid == n);
		}
		/* The other way: a mailbox's number has one way back. */
		(void)snprintf(text, sizeof(text), "%u", n);
		if (n != 5000 && n != 5001 &&
		    vmail_ids_of_mailbox(w, vmail_str(text), vmail_str(text),
			&ids) == VMAIL_OK) {
			CHECK(vmail_ids_to_host(w, ids.uid, &host) == VMAIL_OK);
			CHECK(host == n);
		}
	}
	return 0;
}

static int
look_host(const struct vmail_world *w)
{
	gid_t gid;

	CHECK(identity_is(w, "vmail", 5000, 5000));
	CHECK(identity_is(w, "archive", 5001, 5002));
	CHECK(mailbox_is(w, "", "", 5000, 5000));
	CHECK(mailbox_is(w, "5000", "5000", 5000, 5000));
	CHECK(mailbox_is(w, "vmail", "vmail", 5000, 5000));
	CHECK(mailbox_is(w, "archive", "", 5001, 5000));
	CHECK(mailbox_is(w, "", "5002", 5000, 5002));
	CHECK(mailbox_is(w, "5123", "", 5123, 5000));
	CHECK(mailbox_is(w, "05123", "5124", 5123, 5124));
	CHECK(mailbox_is(w, "alice", "users", 1000, 1100));
	CHECK(name_is(w, 5000, "vmail"));
	CHECK(name_is(w, 5001, "archive"));
	CHECK(name_is(w, 1000, NULL));
	CHECK(group_is(w, 5002, "archive"));
	CHECK(group_is(w, 5001, NULL));
	CHECK(
	    vmail_ids_of_group(w, VMAIL_STR("users"), &gid) == VMAIL_NOT_FOUND);
	return names_and_numbers_agree(w);
}

static void
on_the_host_numbers_are_what_the_files_say(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = HOST_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_host });
	/* The same where only uid_map says that ids are the host's own. */
	check_room(&(struct room){ .passwd = HOST_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .no_map = true,
	    .look = look_host });
}

static int
look_refused(const struct vmail_world *w)
{
	static const char *const never[] = { "0", "00", "65534", "65535",
		"4294967295", "4294967294", "499", "60001", "99999999999",
		"18446744073709551616", "root", "daemon", "nobody", "vmail ",
		"-1", "+5000", "0x1388" };

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		CHECK(no_mailbox(w, never[i], ""));
		CHECK(no_mailbox(w, "", never[i]));
	}
	CHECK(no_mailbox(w, "", "staff"));
	CHECK(no_mailbox(w, "", "nogroup"));
	CHECK(name_is(w, 0, NULL));
	CHECK(name_is(w, 65534, NULL));
	CHECK(name_is(w, UINT32_MAX, NULL));
	return 0;
}

static void
root_nobody_and_numbers_out_of_range_are_never_answered(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = HOST_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_refused });
	check_room(&(struct room){ .passwd = IMAGE_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_refused });
	check_room(&(struct room){ .passwd = IMAGE_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .idmap = SHIFTED,
	    .file_gid = 5000,
	    .look = look_refused });
}

static int
look_image(const struct vmail_world *w)
{
	uint32_t host;

	CHECK(identity_is(w, "vmail", 1000, 1000));
	CHECK(mailbox_is(w, "", "", 1000, 1000));
	CHECK(mailbox_is(w, "5000", "5000", 1000, 1000));
	CHECK(mailbox_is(w, "vmail", "", 1000, 1000));
	CHECK(mailbox_is(w, "5123", "5000", 5123, 1000));
	CHECK(mailbox_is(w, "5001", "5002", 2001, 2002));
	CHECK(mailbox_is(w, "5002", "5001", 5002, 5001));
	CHECK(name_is(w, 1000, "vmail"));
	CHECK(name_is(w, 5000, NULL));
	CHECK(group_is(w, 1000, "vmail"));
	CHECK(vmail_ids_to_host(w, 5123, &host) == VMAIL_OK && host == 5123);
	CHECK(vmail_ids_to_host(w, 5000, &host) == VMAIL_NOT_FOUND);
	return names_and_numbers_agree(w);
}

static void
in_an_image_the_identity_has_the_images_number(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = IMAGE_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_image });
}

static int
look_101(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 101, 102));
	CHECK(name_is(w, 101, "vmail"));
	CHECK(mailbox_is(w, "5000", "", 101, 102));
	return names_and_numbers_agree(w);
}

static int
look_nothing(const struct vmail_world *w)
{
	CHECK(no_identity(w, "vmail"));
	CHECK(no_mailbox(w, "", ""));
	CHECK(name_is(w, 101, NULL));
	return names_and_numbers_agree(w);
}

static void
the_range_binds_the_host_and_no_images_own_number(void **state)
{
	struct room room = { .passwd = ROOT "vmail:x:101:102:::\n",
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.look = look_101 };

	(void)state;
	check_room(&room);
	room.views = "host vmail 101:102 -\n";
	room.file_gid = 102;
	room.look = look_nothing;
	check_room(&room);
	/* As in a namespace of the host's own ids without a map. */
	room.no_map = true;
	check_room(&room);
	/* An account of root's, or nobody's, number is no identity. */
	room.views = VIEWS;
	room.passwd = "vmail:x:0:5000:::\n";
	check_room(&room);
	room.passwd = "vmail:x:5000:0:::\n";
	check_room(&room);
	room.passwd = "vmail:x:65534:65534:::\n";
	check_room(&room);
}

static int
look_5000(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 5000, 5000));
	CHECK(mailbox_is(w, "", "", 5000, 5000));
	CHECK(mailbox_is(w, "5123", "5123", 5123, 5123));
	return names_and_numbers_agree(w);
}

static void
without_an_account_the_host_line_decides(void **state)
{
	struct room room = { .passwd = ROOT,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.look = look_5000 };

	(void)state;
	check_room(&room);
	room.passwd = NULL;
	room.group = NULL;
	check_room(&room);
	room.views = "img vmail 1000:1000 -\n";
	room.look = look_nothing;
	check_room(&room);
	room.views = "host vmail 400:400 -\n";
	check_room(&room);
}

static int
look_shifted(const struct vmail_world *w)
{
	uint32_t host;

	CHECK(w->map_uid == 65534 && w->map_gid == 1000);
	CHECK(identity_is(w, "vmail", 1000, 1000));
	CHECK(mailbox_is(w, "5000", "5000", 1000, 1000));
	CHECK(mailbox_is(w, "10005", "10999", 2005, 2999));
	CHECK(no_mailbox(w, "5123", ""));
	CHECK(no_mailbox(w, "11000", ""));
	CHECK(name_is(w, 1000, "vmail"));
	CHECK(vmail_ids_to_host(w, 2999, &host) == VMAIL_OK && host == 10999);
	CHECK(vmail_ids_to_host(w, 3000, &host) == VMAIL_NOT_FOUND);
	/* The host's 100005 is 5 here, but no number of a mailbox. */
	CHECK(vmail_ids_to_host(w, 5, &host) == VMAIL_NOT_FOUND);
	return names_and_numbers_agree(w);
}

static void
in_a_user_namespace_the_hosts_numbers_are_translated(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = ROOT,
	    .group = GROUPS,
	    .idmap = SHIFTED,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_shifted });
}

static int
look_unmapped(const struct vmail_world *w)
{
	CHECK(no_identity(w, "vmail"));
	CHECK(no_mailbox(w, "5000", ""));
	CHECK(no_mailbox(w, "5123", "5123"));
	CHECK(no_mailbox(w, "10005", "10005"));
	CHECK(name_is(w, 65534, NULL));
	CHECK(name_is(w, 5000, NULL));
	return names_and_numbers_agree(w);
}

static void
an_id_the_namespace_does_not_hold_is_not_found(void **state)
{
	struct room room = { .passwd = ROOT,
		.group = GROUPS,
		.idmap = "0 100000 65534\n",
		.views = VIEWS,
		.file_gid = 5000,
		.look = look_unmapped };

	(void)state;
	check_room(&room);
	/* It would be nobody's number here. */
	room.idmap = "0 100000 65534\n65534 5000 1\n";
	check_room(&room);
	/* It would be root. */
	room.idmap = "0 5000 1\n1 100000 100\n";
	check_room(&room);
}

static int
look_part(const struct vmail_world *w)
{
	CHECK(no_identity(w, "vmail"));
	CHECK(no_mailbox(w, "5123", "5123"));
	return names_and_numbers_agree(w);
}

/* Only the whole of all numbers is the host itself. */
static void
a_namespace_of_the_first_numbers_is_not_the_host(void **state)
{
	struct room room = { .passwd = ROOT,
		.group = GROUPS,
		.idmap = "0 0 65536\n",
		.views = VIEWS,
		.file_gid = 5000,
		.no_map = true,
		.look = look_part };

	(void)state;
	check_room(&room);
	room.no_map = false;
	room.look = look_5000;
	check_room(&room);
}

/* uid_map is its parent's word; the map file's group shows whether the parent
 * is the host. */
static void
a_namespace_in_a_namespace_is_not_taken_for_the_hosts_child(void **state)
{
	struct room room = { .passwd = ROOT,
		.group = GROUPS,
		.idmap = SHIFTED,
		.views = VIEWS,
		.file_gid = 105000,
		.look = look_unmapped };

	(void)state;
	check_room(&room);
	room.file_gid = 10000;
	check_room(&room);
	room.file_gid = 5000;
	room.no_map = true;
	check_room(&room);
}

static int
look_by_name_only(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 1000, 1000));
	CHECK(mailbox_is(w, "", "", 1000, 1000));
	CHECK(mailbox_is(w, "5000", "5000", 1000, 1000));
	CHECK(no_mailbox(w, "5123", ""));
	CHECK(no_mailbox(w, "", "5123"));
	CHECK(name_is(w, 1000, "vmail"));
	return names_and_numbers_agree(w);
}

static void
with_empty_id_maps_a_name_resolves_and_a_number_does_not(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = IMAGE_PASSWD,
	    .group = GROUPS,
	    .idmap = "",
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_by_name_only });
}

static void
without_proc_a_number_stands_if_the_map_file_shows_so(void **state)
{
	struct room room = { .passwd = IMAGE_PASSWD,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.no_proc = true,
		.look = look_image };

	(void)state;
	check_room(&room);
	room.passwd = HOST_PASSWD;
	room.look = look_host;
	check_room(&room);
	room.passwd = IMAGE_PASSWD;
	room.file_gid = 4999;
	room.look = look_by_name_only;
	check_room(&room);
	room.no_map = true;
	check_room(&room);
}

/* An idmapped mount shows the host's numbers in any namespace; here the
 * file's owner is what such a mount would make of it. */
static int
look_idmapped(const struct vmail_world *w)
{
	struct vmail_world shown = *w;

	shown.map_uid = 0;
	shown.map_gid = 5000;
	CHECK(identity_is(&shown, "vmail", 5000, 5000));
	CHECK(mailbox_is(&shown, "5123", "5123", 5123, 5123));
	shown.map_uid = 1;
	CHECK(no_mailbox(&shown, "5123", "5123"));
	return 0;
}

static void
a_map_file_shown_as_on_the_host_makes_ids_the_hosts(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = ROOT,
	    .group = GROUPS,
	    .idmap = SHIFTED,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_idmapped });
}

static int
look_odd_lines(const struct vmail_world *w)
{
	struct vmail_ids ids;
	gid_t gid;

	(void)w;
	CHECK(vmail_ids_account(VMAIL_STR("twice"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 2001 && ids.gid == 2002);
	CHECK(vmail_ids_account(VMAIL_STR("long"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 3001 && ids.gid == 3002);
	CHECK(vmail_ids_account(VMAIL_STR("behind"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 4001);
	CHECK(vmail_ids_account(VMAIL_STR("last"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 6001);
	CHECK(vmail_ids_account(VMAIL_STR("inside"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_ids_account(VMAIL_STR("cut"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_ids_account(VMAIL_STR("short"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_ids_account(VMAIL_STR(""), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_ids_system_group(VMAIL_STR("g"), &gid) == VMAIL_OK);
	CHECK(gid == 7001);
	return 0;
}

static void
odd_lines_of_etc_passwd_hide_nobody(void **state)
{
	static char passwd[6000], group[3000];
	char fill[2000];

	(void)state;
	memset(fill, 'f', sizeof(fill));
	(void)snprintf(passwd, sizeof(passwd),
	    "twice:x:bad:1::/:/\ntwice:x:2001:2002::/:/\n:x:5:5:::\n"
	    "\nshort:x:7\n"
	    "long:x:3001:3002:%.1500s inside:x:1:1:::\n"
	    "behind:x:4001:4001:::\n"
	    "cut:%.434s:50001:50001:::\n"
	    "last:x:6001:6001::",
	    fill, fill);
	(void)snprintf(
	    group, sizeof(group), "h:x:1:%.1000s\ng:x:7001:%.900s", fill, fill);
	check_room(&(struct room){ .passwd = passwd,
	    .group = group,
	    .views = VIEWS,
	    .look = look_odd_lines });
}

static int
look_inside(const struct vmail_world *w)
{
	struct vmail_ids ids;

	(void)w;
	CHECK(vmail_ids_account(VMAIL_STR("inside"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_ids_account(VMAIL_STR("last"), &ids) == VMAIL_OK);
	return 0;
}

/* Wherever a read begins inside a line, it is not taken for one. */
static void
the_middle_of_a_long_line_is_no_account(void **state)
{
	static char passwd[400000], fill[1000];
	size_t n = 0;

	(void)state;
	memset(fill, 'f', sizeof(fill));
	for (int i = 300; i < 800; i++)
		n += (size_t)snprintf(passwd + n, sizeof(passwd) - n,
		    "a:x:1:1:%.*sinside:x:1:1:::\n", i, fill);
	(void)snprintf(passwd + n, sizeof(passwd) - n, "last:x:1:1:::\n");
	check_room(&(struct room){
	    .passwd = passwd, .views = VIEWS, .look = look_inside });
}

static int
look_many(const struct vmail_world *w)
{
	(void)w;
	for (unsigned i = 0; i < 300; i++) {
		struct vmail_ids ids;
		char name[16];

		(void)snprintf(name, sizeof(name), "user%u", i);
		CHECK(vmail_ids_account(vmail_str(name), &ids) == VMAIL_OK);
		CHECK(ids.uid == 1000 + i && ids.gid == 2000 + i);
	}
	return 0;
}

/* Lines of all lengths, so that one ends at every place of a read. */
static void
every_account_is_found_wherever_its_line_lies(void **state)
{
	static char passwd[60000], fill[400];
	size_t n = 0;

	(void)state;
	memset(fill, 'f', sizeof(fill));
	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(passwd + n, sizeof(passwd) - n,
		    "user%d:x:%d:%d:%.*s:/:/\n", i, 1000 + i, 2000 + i,
		    i * 37 % 301, fill);
	assert_true(n < sizeof(passwd) - 1);
	check_room(&(struct room){
	    .passwd = passwd, .views = VIEWS, .look = look_many });
}

static int
look_free(const struct vmail_world *w)
{
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("vmail")));
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("archive")));
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("vmail-rootless")));
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("vmail-img")));
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("archive-host")));
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("alice")));
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("root")));
	CHECK(vmail_ids_name_free(w, VMAIL_STR("archive-img")));
	CHECK(vmail_ids_name_free(w, VMAIL_STR("vmail_rootless")));
	CHECK(vmail_ids_name_free(w, VMAIL_STR("vmail-")));
	CHECK(vmail_ids_name_free(w, VMAIL_STR("bob")));
	CHECK(vmail_ids_is_identity(w, VMAIL_STR("archive")));
	CHECK(!vmail_ids_is_identity(w, VMAIL_STR("alice")));
	CHECK(!vmail_ids_is_identity(w, VMAIL_STR("")));
	return 0;
}

static int
look_unreadable(const struct vmail_world *w)
{
	struct vmail_ids ids;

	CHECK(umount("/etc") == 0);
	CHECK(mount("tmpfs", "/etc", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/etc/passwd", 0755) == 0);
	CHECK(!vmail_ids_name_free(w, VMAIL_STR("bob")));
	CHECK(vmail_ids_of_identity(w, VMAIL_STR("vmail"), &ids) == VMAIL_IO);
	CHECK(vmail_ids_of_mailbox(w, VMAIL_STR(""), VMAIL_STR(""), &ids) ==
	      VMAIL_IO);
	return 0;
}

static void
a_name_is_free_that_no_account_or_identity_has(void **state)
{
	struct room room = { .passwd = HOST_PASSWD,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.look = look_free };

	(void)state;
	check_room(&room);
	room.look = look_unreadable;
	check_room(&room);
}

/* The header of a map says the same as vmail.conf does. */
static void
a_world_of_a_map_is_what_its_header_says(void **state)
{
	struct vmail_map map;
	struct vmail_world w;

	(void)state;
	memset(&map, 0, sizeof(map));
	map.owner_user = VMAIL_STR("mail");
	map.owner_group = VMAIL_STR("mailgroup");
	map.views = VMAIL_STR(VIEWS);
	map.first_valid_uid = 7;
	map.last_valid_uid = 8;
	map.uid = 1;
	map.gid = 2;
	vmail_world_of_map(&w, &map);
	assert_true(vmail_str_is(w.owner_user, "mail"));
	assert_true(vmail_str_is(w.owner_group, "mailgroup"));
	assert_true(vmail_str_is(w.views, VIEWS));
	assert_int_equal(w.first_valid_uid, 7);
	assert_int_equal(w.last_valid_uid, 8);
	assert_true(w.map_seen);
	assert_int_equal(w.map_uid, 1);
	assert_int_equal(w.map_gid, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_host_numbers_are_what_the_files_say),
		cmocka_unit_test(
		    root_nobody_and_numbers_out_of_range_are_never_answered),
		cmocka_unit_test(
		    in_an_image_the_identity_has_the_images_number),
		cmocka_unit_test(
		    the_range_binds_the_host_and_no_images_own_number),
		cmocka_unit_test(without_an_account_the_host_line_decides),
		cmocka_unit_test(
		    in_a_user_namespace_the_hosts_numbers_are_translated),
		cmocka_unit_test(
		    an_id_the_namespace_does_not_hold_is_not_found),
		cmocka_unit_test(
		    a_namespace_in_a_namespace_is_not_taken_for_the_hosts_child),
		cmocka_unit_test(
		    with_empty_id_maps_a_name_resolves_and_a_number_does_not),
		cmocka_unit_test(
		    without_proc_a_number_stands_if_the_map_file_shows_so),
		cmocka_unit_test(
		    a_map_file_shown_as_on_the_host_makes_ids_the_hosts),
		cmocka_unit_test(odd_lines_of_etc_passwd_hide_nobody),
		cmocka_unit_test(every_account_is_found_wherever_its_line_lies),
		cmocka_unit_test(
		    a_name_is_free_that_no_account_or_identity_has),
		cmocka_unit_test(a_world_of_a_map_is_what_its_header_says),
		cmocka_unit_test(the_middle_of_a_long_line_is_no_account),
		cmocka_unit_test(
		    a_namespace_of_the_first_numbers_is_not_the_host),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
