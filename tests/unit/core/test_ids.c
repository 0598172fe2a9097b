#include "tests/unit/core/ids_room.h"

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
	CHECK(vmail_account_of(VMAIL_STR("twice"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 2001 && ids.gid == 2002);
	CHECK(vmail_account_of(VMAIL_STR("long"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 3001 && ids.gid == 3002);
	CHECK(vmail_account_of(VMAIL_STR("behind"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 4001);
	CHECK(vmail_account_of(VMAIL_STR("last"), &ids) == VMAIL_OK);
	CHECK(ids.uid == 6001);
	CHECK(vmail_account_of(VMAIL_STR("inside"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_account_of(VMAIL_STR("cut"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_account_of(VMAIL_STR("short"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_account_of(VMAIL_STR(""), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_account_group(VMAIL_STR("g"), &gid) == VMAIL_OK);
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
	CHECK(vmail_account_of(VMAIL_STR("inside"), &ids) == VMAIL_NOT_FOUND);
	CHECK(vmail_account_of(VMAIL_STR("last"), &ids) == VMAIL_OK);
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
		CHECK(vmail_account_of(vmail_str(name), &ids) == VMAIL_OK);
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

static int
look_1000(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 1000, 1000));
	CHECK(mailbox_is(w, "", "", 1000, 1000));
	CHECK(mailbox_is(w, "5000", "5000", 1000, 1000));
	CHECK(name_is(w, 1000, "vmail"));
	CHECK(name_is(w, 5000, NULL));
	CHECK(group_is(w, 1000, "vmail"));
	return names_and_numbers_agree(w);
}

static int
look_5000_archive(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 5000, 5000));
	CHECK(name_is(w, 1000, NULL));
	return names_and_numbers_agree(w);
}

/* Step 1 comes before the account, be it in a user namespace. */
static void
what_root_says_this_system_is_decides(void **state)
{
	struct room room = { .passwd = HOST_PASSWD,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.view = "img\n",
		.look = look_1000 };

	(void)state;
	check_room(&room);
	room.passwd = NULL;
	check_room(&room);
	room.view = " rootless";
	room.idmap = SHIFTED;
	check_room(&room);
	room.view = "host\n";
	room.idmap = NULL;
	room.passwd = IMAGE_PASSWD;
	room.look = look_5000_archive;
	check_room(&room);
}

/* A view's own number is not bound by the range, the host's is. */
static void
a_views_number_may_be_out_of_range_the_hosts_may_not(void **state)
{
	struct room room = { .passwd = ROOT "vmail:x:5000:5000:::\n",
		.group = GROUPS,
		.views = "host vmail 5000:5000 -\nold vmail 101:102 -\n",
		.file_gid = 5000,
		.view = "old\n",
		.look = look_101 };

	(void)state;
	check_room(&room);
	room.passwd = NULL;
	room.view = NULL;
	room.hostname = "old";
	check_room(&room);
	room.views = "host vmail 101:102 -\n";
	room.file_gid = 102;
	room.view = "host\n";
	room.look = look_nothing;
	check_room(&room);
}

#define NO_HOSTS_NAME                                                          \
	"img-and-a-name-that-goes-on-and-on-and-on-until-no-"                  \
	"host-has-it-any-more\n"

static void
a_file_that_names_no_view_of_ours_is_passed_over(void **state)
{
	static const char *const texts[] = { "", "\n", "unknown\n",
		"img other\n", "img\nother\n", "# img\n", "-img\n", "../img\n",
		"IMG\n", NO_HOSTS_NAME };
	struct room room = { .passwd = HOST_PASSWD,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.look = look_host };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		room.view = texts[i];
		check_room(&room);
	}
}

static void
a_file_that_another_may_write_is_passed_over(void **state)
{
	struct room room = { .passwd = HOST_PASSWD,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.view = "img\n",
		.view_mode = 0664,
		.look = look_host };

	(void)state;
	check_room(&room);
	room.view_mode = 0646;
	check_room(&room);
	room.view_mode = 0644;
	room.view_uid = 1000;
	check_room(&room);
}

static int
look_denied(const struct vmail_world *w)
{
	struct vmail_ids ids = { 7, 7 };

	/* Where nothing hangs on it, nobody asks. */
	CHECK(identity_is(w, "archive", 5001, 5002));
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(
	    vmail_ids_of_identity(w, VMAIL_STR("vmail"), &ids) == VMAIL_DENIED);
	CHECK(ids.uid == 7);
	return 0;
}

/* Never the other number: who may read it has this one. */
static void
a_file_that_may_not_be_read_leaves_no_answer(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = HOST_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .view = "img\n",
	    .view_mode = 0600,
	    .look = look_denied });
}

/* Step 3 comes behind the account, step 4 behind it. */
static void
the_host_name_decides_where_there_is_no_account(void **state)
{
	struct room room = { .passwd = HOST_PASSWD,
		.group = GROUPS,
		.views = VIEWS,
		.file_gid = 5000,
		.hostname = "img",
		.look = look_host };

	(void)state;
	check_room(&room);
	room.passwd = ROOT;
	room.look = look_1000;
	check_room(&room);
	room.idmap = SHIFTED;
	room.hostname = "rootless";
	check_room(&room);
	/* Its number inside is 1000 by translation, not the host's 5000. */
	room.hostname = "host";
	check_room(&room);
	room.idmap = NULL;
	room.hostname = "IMG";
	room.look = look_5000;
	check_room(&room);
}

static int
look_without_proc(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 1000, 1000));
	CHECK(no_mailbox(w, "5123", "5123"));
	return names_and_numbers_agree(w);
}

static void
which_view_this_is_needs_no_proc(void **state)
{
	struct room room = { .passwd = ROOT,
		.group = GROUPS,
		.views = VIEWS,
		.no_proc = true,
		.hostname = "img",
		.look = look_without_proc };

	(void)state;
	check_room(&room);
	room.hostname = NULL;
	room.view = "img\n";
	check_room(&room);
}

static bool
guest_is(const struct vmail_world *w, const char *name, uid_t uid, gid_t gid)
{
	char room[VMAIL_GUEST_MAX], other[VMAIL_GUEST_MAX];
	struct vmail_str s, g;
	struct vmail_ids ids;
	gid_t only;

	return vmail_ids_of_guest(w, vmail_str(name), &ids) == VMAIL_OK &&
	       ids.uid == uid && ids.gid == gid &&
	       vmail_ids_guest_of(w, uid, room, &s) == VMAIL_OK &&
	       vmail_str_is(s, name) &&
	       vmail_ids_of_guest_group(w, vmail_str(name), &only) ==
		   VMAIL_OK &&
	       only == gid &&
	       vmail_ids_guest_group_of(w, gid, other, &g) == VMAIL_OK &&
	       vmail_str_is(g, name);
}

static bool
no_guest(const struct vmail_world *w, const char *name)
{
	struct vmail_ids ids;
	gid_t gid;

	return vmail_ids_of_guest(w, vmail_str(name), &ids) ==
		   VMAIL_NOT_FOUND &&
	       vmail_ids_of_guest_group(w, vmail_str(name), &gid) ==
		   VMAIL_NOT_FOUND;
}

static bool
no_guest_has(const struct vmail_world *w, uint32_t id)
{
	char room[VMAIL_GUEST_MAX];
	struct vmail_str s;

	return vmail_ids_guest_of(w, id, room, &s) == VMAIL_NOT_FOUND &&
	       vmail_ids_guest_group_of(w, id, room, &s) == VMAIL_NOT_FOUND;
}

#define GUESTS                                                                 \
	VIEWS                                                                  \
	"Deep archive 7:8 0:200000:10,10:300000:10\n"                          \
	"rootless vmail 1000:1000 0:400000:65536\n"                            \
	"twin vmail 1000:1000 1000:100999:1\n"                                 \
	"odd vmail 1000:1000 0:1:65536\n"                                      \
	"small vmail 1000:1000 0:1000:1,1:100000:999\n"                        \
	"half vmail 1000:1000 0:500000:1000\n"                                 \
	"own vmail 1000:1000 1000:5000:1\n"                                    \
	"vm-x vmail 1:1 1:600001:1\n"                                          \
	"zero vmail 1:1 1:0:1\n"                                               \
	"nobody vmail 1:1 1:65534:1\n"                                         \
	"last vmail 1:1 1:4294967294:1\n"                                      \
	"person vmail 1:1 1:700001:1\n"                                        \
	"host archive 1:1 1:800001:1\n"

static int
look_guests(const struct vmail_world *w)
{
	CHECK(guest_is(w, "vmail-rootless", 100999, 100999));
	CHECK(guest_is(w, "archive-deep", 200007, 200008));
	CHECK(guest_is(w, "vmail-odd", 1001, 1001));
	CHECK(guest_is(w, "vmail-vm-x", 600001, 600001));
	CHECK(guest_is(w, "vmail-last", 4294967294, 4294967294));
	/* Of one number the first has the name; another's stays his. */
	CHECK(no_guest(w, "vmail-twin"));
	CHECK(no_guest(w, "vmail-own"));
	CHECK(no_guest(w, "vmail-half"));
	CHECK(no_guest(w, "vmail-zero"));
	CHECK(no_guest(w, "vmail-nobody"));
	CHECK(no_guest(w, "archive-host"));
	/* Without a namespace: inside 1000 is a person of the host's. */
	CHECK(no_guest(w, "vmail-img"));
	CHECK(no_guest_has(w, 1000));
	CHECK(no_guest_has(w, 0));
	CHECK(no_guest_has(w, 5000));
	CHECK(no_guest_has(w, 65534));
	CHECK(no_guest_has(w, UINT32_MAX));
	/* Others of the range are nobody's. */
	CHECK(no_guest_has(w, 100998));
	CHECK(no_guest_has(w, 101000));
	CHECK(no_guest_has(w, 401000));
	CHECK(name_is(w, 100999, NULL));
	/* A name that an account, or a group, has. */
	CHECK(no_guest_has(w, 700001));
	CHECK(no_guest(w, "vmail-person"));
	return names_and_numbers_agree(w);
}

static int
look_no_guests(const struct vmail_world *w)
{
	CHECK(no_guest(w, "vmail-rootless"));
	CHECK(no_guest(w, "archive-deep"));
	CHECK(no_guest_has(w, 100999));
	return names_and_numbers_agree(w);
}

static void
on_the_host_a_namespaces_number_is_its_guest(void **state)
{
	struct room room = { .passwd =
				 HOST_PASSWD "vmail-person:x:1234:1234:::\n",
		.group = GROUPS "vmail-person:x:1234:\n",
		.views = GUESTS,
		.file_gid = 5000,
		.look = look_guests };

	(void)state;
	check_room(&room);
	room.no_map = true;
	check_room(&room);
	room.no_map = false;
	room.view = "host\n";
	check_room(&room);
}

/* In an image, in a namespace, in another view: its own numbers alone. */
static void
elsewhere_there_are_no_guests(void **state)
{
	struct room room = { .passwd = IMAGE_PASSWD,
		.group = GROUPS,
		.views = GUESTS,
		.file_gid = 5000,
		.look = look_no_guests };

	(void)state;
	check_room(&room);
	room.passwd = HOST_PASSWD;
	room.view = "img\n";
	check_room(&room);
	room.view = NULL;
	room.passwd = ROOT;
	room.hostname = "img";
	check_room(&room);
	room.hostname = NULL;
	room.idmap = SHIFTED;
	check_room(&room);
}

static int
look_twice(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 5000, 5000));
	CHECK(identity_is(w, "archive", 5600, 5600));
	/* What a second line says is nobody's number. */
	CHECK(mailbox_is(w, "5700", "5700", 5700, 5700));
	CHECK(mailbox_is(w, "5001", "5001", 5001, 5001));
	CHECK(name_is(w, 5700, NULL));
	CHECK(guest_is(w, "vmail-rootless", 100999, 100999));
	CHECK(no_guest_has(w, 200999));
	return names_and_numbers_agree(w);
}

static void
of_a_view_listed_twice_the_first_line_counts(void **state)
{
	check_room(&(struct room){ .passwd = ROOT,
	    .group = GROUPS,
	    .views = "host vmail 5000:5000 -\nhost vmail 5001:5001 -\n"
		     "host archive 5600:5600 -\nhost archive 5700:5700 -\n"
		     "rootless vmail 1000:1000 0:1000:1,1:100000:65536\n"
		     "rootless vmail 1000:1000 0:1000:1,1:200000:65536\n",
	    .file_gid = 5000,
	    .look = look_twice });
	(void)state;
}

static int
look_bad_lines(const struct vmail_world *w)
{
	CHECK(identity_is(w, "vmail", 5000, 5000));
	CHECK(guest_is(w, "vmail-good", 100999, 100999));
	for (uint32_t n = 300000; n < 302000; n++)
		CHECK(no_guest_has(w, n));
	CHECK(!vmail_ids_is_identity(w, VMAIL_STR("worse")));
	return names_and_numbers_agree(w);
}

static void
a_line_out_of_form_leaves_the_other_views_as_they_are(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = ROOT "vmail:x:5000:5000:::\n",
	    .group = GROUPS,
	    .views = "host vmail 0:0 -\nhost vmail\nhost vmail 4294967295:1 -\n"
		     "a worse 1000:1000 0:300000:100,50:400000:100\n"
		     "b worse 1000:1000 0:300000:1001,2000:300500:10\n"
		     "c worse 1000:1000 0:300000:1001,5000:4294967290:6\n"
		     "d worse 1000:1000 0:300000:1001,2000:400000:0\n"
		     "e worse 1000:1000 0:300000:1001,\n"
		     "host vmail 5000:5000 -\n"
		     "good vmail 1000:1000 0:1000:1,1:100000:65536\n",
	    .file_gid = 5000,
	    .look = look_bad_lines });
}

static int
look_owners_group(const struct vmail_world *w)
{
	struct vmail_world other = *w;
	gid_t gid;

	other.owner_group = VMAIL_STR("mail");
	CHECK(vmail_ids_of_group(&other, VMAIL_STR("mail"), &gid) == VMAIL_OK);
	CHECK(gid == 5000 && group_is(&other, 5000, "mail"));
	CHECK(vmail_ids_of_group(&other, VMAIL_STR("vmail"), &gid) ==
	      VMAIL_NOT_FOUND);
	other.owner_group = VMAIL_STR("archive");
	CHECK(
	    vmail_ids_of_group(&other, VMAIL_STR("archive"), &gid) == VMAIL_OK);
	CHECK(gid == 5000 && group_is(&other, 5000, "archive"));
	CHECK(group_is(&other, 5002, NULL));
	return 0;
}

static void
the_owners_group_has_one_name_and_no_other_has_it(void **state)
{
	(void)state;
	check_room(&(struct room){ .passwd = HOST_PASSWD,
	    .group = GROUPS,
	    .views = VIEWS,
	    .file_gid = 5000,
	    .look = look_owners_group });
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
		cmocka_unit_test(what_root_says_this_system_is_decides),
		cmocka_unit_test(
		    a_views_number_may_be_out_of_range_the_hosts_may_not),
		cmocka_unit_test(
		    a_file_that_names_no_view_of_ours_is_passed_over),
		cmocka_unit_test(a_file_that_another_may_write_is_passed_over),
		cmocka_unit_test(a_file_that_may_not_be_read_leaves_no_answer),
		cmocka_unit_test(
		    the_host_name_decides_where_there_is_no_account),
		cmocka_unit_test(which_view_this_is_needs_no_proc),
		cmocka_unit_test(on_the_host_a_namespaces_number_is_its_guest),
		cmocka_unit_test(elsewhere_there_are_no_guests),
		cmocka_unit_test(of_a_view_listed_twice_the_first_line_counts),
		cmocka_unit_test(
		    a_line_out_of_form_leaves_the_other_views_as_they_are),
		cmocka_unit_test(
		    the_owners_group_has_one_name_and_no_other_has_it),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
