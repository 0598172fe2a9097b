#include "tests/unit/admin/fixture.h"

#include "common/admin/maphead.h"
#include "common/admin/mapmake.h"
#include "common/admin/mappatch.h"
#include "common/core/db.h"
#include "common/core/ids.h"

#define SHA512                                                                 \
	"{SHA512-CRYPT}$6$AsaBrRHlvZiiCa1q$PML7EaM2PvWhUOXXb2VwLlYnjBEbfqQcn"  \
	"d4zmuKjPlzmng7Q5M774u.JAFF4NFT1YYvkroIOG5FHnZSODGK5J1"
#define ROUNDS                                                                 \
	"{SHA512-CRYPT}$6$rounds=7777$AsaBrRHlvZiiCa1q$PML7EaM2PvWhUOXXb2VwL"  \
	"lYnjBEbfqQcnd4zmuKjPlzmng7Q5M774u.JAFF4NFT1YYvkroIOG5FHnZSODGK5J1"

static enum vmail_rc
build(struct fixture *f)
{
	char path[256];
	int fd = open(f->passwd, O_RDONLY | O_CLOEXEC);
	enum vmail_rc rc;

	(void)unlink(in_dir(f, "passwd.cdb", path));
	rc = vmail_mapmake_build(&f->conf, fd, f->passwd, path, NULL, &f->err);
	close(fd);
	return rc;
}

static void
open_map(struct fixture *f, struct vmail_map *map)
{
	char path[256];

	assert_int_equal(
	    vmail_map_open(in_dir(f, "passwd.cdb", path), map, &f->err),
	    VMAIL_OK);
}

static void
built(struct fixture *f, const char *text, struct vmail_map *map)
{
	begin(f, text);
	assert_int_equal(build(f), VMAIL_OK);
	open_map(f, map);
}

static void
ended(struct fixture *f, struct vmail_map *map)
{
	vmail_map_close(map);
	end(f);
}

/* What tinycdb's own tool says, NULL where it finds nothing. */
static const char *
asked(const struct fixture *f, const char *key)
{
	static char answer[4096];
	char command[512];
	FILE *p;
	size_t n;

	(void)snprintf(
	    command, sizeof(command), "cdb -q %s/passwd.cdb '%s'", f->dir, key);
	p = popen(command, "r");
	assert_non_null(p);
	n = fread(answer, 1, sizeof(answer) - 1, p);
	answer[n] = '\0';
	return pclose(p) == 0 ? answer : NULL;
}

static void
assert_asked(const struct fixture *f, const char *key, const char *wanted)
{
	const char *have = asked(f, key);

	if (wanted == NULL) {
		assert_null(have);
	} else {
		assert_non_null(have);
		assert_string_equal(have, wanted);
	}
}

static void
tinycdb_finds_what_we_wrote(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	built(&f,
	    "# comment\n"
	    "ann@example.org:x:5000:5000:Ann:/home/ann:/bin/sh:a=b\n"
	    "bob@example.org:y::::::\n"
	    "cleo:z\n",
	    &map);
	assert_asked(
	    &f, "ann@example.org", "5000:5000:Ann:/home/ann:/bin/sh:10");
	assert_asked(&f, "bob@example.org", ":::::64");
	assert_asked(&f, "cleo", ":::::88");
	assert_asked(&f, "nobody", NULL);
	assert_asked(&f, "ann", NULL);
	ended(&f, &map);
}

static void
every_user_of_many_is_found_by_both_readers(void **state)
{
	enum { USERS = 3000 };
	struct fixture f;
	struct vmail_map map;
	struct vmail_public public;
	char window[VMAIL_PUBLIC_WINDOW], *text = calloc(USERS, 64), *p = text;
	char name[64], command[512];

	(void)state;
	for (int i = 0; i < USERS; i++)
		p += sprintf(
		    p, "user%d@example.org:x:%d:::/h/%d::\n", i, 6000 + i, i);
	built(&f, text, &map);
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(name, sizeof(name), "user%d@example.org", i);
		assert_int_equal(
		    vmail_map_find(&map, vmail_str(name), window, &public),
		    VMAIL_OK);
		assert_memory_equal(text + public.offset, name, strlen(name));
		(void)snprintf(name, sizeof(name), "user%d@example.orgx", i);
		assert_int_equal(
		    vmail_map_find(&map, vmail_str(name), window, &public),
		    VMAIL_NOT_FOUND);
	}
	(void)snprintf(command, sizeof(command),
	    "cdb -d %s/passwd.cdb | grep -ac '^+.*@example.org->%s'", f.dir,
	    "[0-9]*:.*/h/");
	FILE *c = popen(command, "r");
	assert_non_null(fgets(name, sizeof(name), c));
	(void)pclose(c);
	assert_int_equal(atoi(name), USERS);
	(void)snprintf(name, sizeof(name), "8999:::/h/2999::%td",
	    strstr(text, "user2999@") - text);
	assert_asked(&f, "user2999@example.org", name);
	free(text);
	ended(&f, &map);
}

static void
the_header_is_the_first_record_and_says_the_settings(void **state)
{
	struct fixture f;
	struct vmail_map map;
	const char *said;
	struct stat st;

	(void)state;
	begin(&f, "ann:x\n");
	strcpy(f.conf.home, "/srv/%d/%n");
	strcpy(f.conf.owner, "post:mail");
	f.conf.first_valid_uid = 700;
	f.conf.last_valid_uid = 800;
	f.conf.nss_enumerate = true;
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	said = asked(&f, ":vmail");
	assert_int_equal(strlen(said), VMAIL_MAP_HEADER_LEN);
	assert_int_equal(said[VMAIL_MAP_STAMP_LEN - 1], '\n');
	assert_non_null(strstr(said, "\npasswd_file=/tmp/"));
	assert_string_equal(map.passwd_file, f.passwd);
	assert_string_equal(map.home, "/srv/%d/%n");
	assert_true(vmail_str_is(map.owner_user, "post"));
	assert_true(vmail_str_is(map.owner_group, "mail"));
	assert_int_equal(map.first_valid_uid, 700);
	assert_int_equal(map.last_valid_uid, 800);
	assert_true(map.nss_mailboxes);
	assert_true(map.nss_enumerate);
	assert_int_equal(stat(f.passwd, &st), 0);
	assert_true(vmail_map_fresh(&map, &st));
	assert_int_equal(map.stamp.drift, 0);
	assert_false(map.stamp.dups);
	ended(&f, &map);
}

static void
the_map_is_for_everybody_and_its_group_is_the_owners(void **state)
{
	struct fixture f;
	struct stat st;
	char path[256];
	gid_t mail;

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(
	    vmail_account_group(VMAIL_STR("mail"), &mail), VMAIL_OK);
	strcpy(f.conf.owner, "nosuchuser:mail");
	assert_int_equal(build(&f), VMAIL_OK);
	st = stat_of(&f, "passwd.cdb");
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, mail);
	/* The account's own group, where the group has no name here. */
	strcpy(f.conf.owner, "games:nosuchgroup");
	assert_int_equal(build(&f), VMAIL_OK);
	st = stat_of(&f, "passwd.cdb");
	assert_int_not_equal(st.st_gid, 0);
	strcpy(f.conf.owner, "nosuchuser:nosuchgroup");
	assert_int_equal(build(&f), VMAIL_OK);
	st = stat_of(&f, "passwd.cdb");
	assert_int_equal(st.st_gid, 0);
	/* What the host says of it goes before what is called so here. */
	strcpy(f.conf.owner, "games:mail");
	put(in_dir(&f, "views", path), "host games 77:78 -\n", 19, 0644);
	assert_int_equal(build(&f), VMAIL_OK);
	st = stat_of(&f, "passwd.cdb");
	assert_int_equal(st.st_gid, 78);
	end(&f);
}

static void
a_hash_or_an_extra_field_never_gets_into_the_map(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256], *all;
	size_t n;

	(void)state;
	built(&f, "ann:TOPSECRET:::::s:EXTRASECRET=1\nbob:TOPSECRET\n", &map);
	all = get(in_dir(&f, "passwd.cdb", path), &n);
	assert_null(memmem(all, n, "SECRET", 6));
	free(all);
	ended(&f, &map);
}

static void
the_first_of_two_equal_names_wins_and_dups_says_so(void **state)
{
	struct fixture f;
	struct vmail_map map;
	struct vmail_public public;
	char window[VMAIL_PUBLIC_WINDOW];
	uint32_t pos = 0;
	int seen = 0;

	(void)state;
	built(&f, "ann:x:::one\nbob:x\nann:x:::two\nann:x:::three\n", &map);
	assert_true(map.stamp.dups);
	assert_asked(&f, "ann", "::one:::0");
	while (vmail_map_next(&map, &pos, window, &public) == VMAIL_OK)
		seen++;
	assert_int_equal(seen, 2);
	ended(&f, &map);
}

static void
names_of_one_hash_are_not_doubles(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	assert_int_equal(vmail_cdb_hash(VMAIL_STR("uaa2")),
	    vmail_cdb_hash(VMAIL_STR("uacp")));
	built(&f, "uaa2:x:::one\nuacp:x:::two\n", &map);
	assert_false(map.stamp.dups);
	assert_asked(&f, "uaa2", "::one:::0");
	assert_asked(&f, "uacp", "::two:::13");
	ended(&f, &map);
}

static void
a_malformed_line_hides_nobody_and_is_left_out(void **state)
{
	static const char head[] = "first:x\nann:x:0\nnul\0:x\n";
	size_t n = sizeof(head) - 1, big = 1048576;
	char *text = malloc(n + big + 64);
	struct fixture f;
	struct vmail_map map;

	(void)state;
	memcpy(text, head, n);
	memcpy(text + n, "long:x::::::", 12);
	memset(text + n + 12, 'x', big);
	strcpy(text + n + 12 + big, "\nbob:x:::end\nann:x:::second\n");
	begin_bytes(&f, text, n + 12 + big + 28);
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	assert_false(map.stamp.dups);
	assert_asked(&f, "long", NULL);
	assert_asked(&f, "nul", NULL);
	assert_asked(&f, "bob", "::end:::1048612");
	assert_asked(&f, "ann", "::second:::1048624");
	free(text);
	ended(&f, &map);
}

static void
a_line_over_a_chunks_border_is_one_line(void **state)
{
	size_t n = 600000;
	char *text = malloc(n + 256), *p = text, name[32];
	struct fixture f;
	struct vmail_map map;
	int i = 0;

	(void)state;
	while (p < text + n)
		p += sprintf(p, "user%06d:x:::%0*d\n", i, i % 97, 7), i++;
	built(&f, text, &map);
	for (int k = 0; k < i; k += 61) {
		struct vmail_public public;
		char window[VMAIL_PUBLIC_WINDOW];

		(void)snprintf(name, sizeof(name), "user%06d", k);
		assert_int_equal(
		    vmail_map_find(&map, vmail_str(name), window, &public),
		    VMAIL_OK);
		assert_memory_equal(text + public.offset, name, 10);
	}
	(void)snprintf(name, sizeof(name), "user%06d", i - 1);
	assert_non_null(asked(&f, name));
	free(text);
	ended(&f, &map);
}

static void
a_uid_of_one_mailbox_names_it_and_of_several_counts_them(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	begin(&f, "ann:x:7001:\nbob:x:7002:\ncleo:x:07002:\ndora:x:5000:\n"
		  "emil:x::\nfritz:x:vmail:\ngerd:x:99:\nhans:x:60001:\n");
	put(strcat(strcpy((char[256]){ 0 }, f.dir), "/views"),
	    "host vmail 5000:5000 -\n", 23, 0644);
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	assert_asked(&f, ":uid:7001", "ann");
	assert_asked(&f, ":uid:7002", "*0000000002");
	assert_asked(&f, ":uid:5000", NULL);
	assert_asked(&f, ":uid:99", NULL);
	assert_asked(&f, ":uid:60001", NULL);
	ended(&f, &map);
}

static void
a_double_counts_for_no_uid(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	built(&f,
	    "ann:x:7001:\nbob:x:7002:\nann:x:7002:\nbob:x:7003:\n"
	    "cleo:x:7004:\ncleo:x:7004:\n",
	    &map);
	assert_asked(&f, ":uid:7001", "ann");
	assert_asked(&f, ":uid:7002", "bob");
	assert_asked(&f, ":uid:7003", NULL);
	assert_asked(&f, ":uid:7004", "cleo");
	assert_true(map.stamp.dups);
	ended(&f, &map);
}

static void
every_own_uid_of_many_is_found(void **state)
{
	enum { USERS = 5000 };
	struct fixture f;
	struct vmail_map map;
	struct vmail_public behind;
	struct vmail_str name;
	char window[VMAIL_PUBLIC_WINDOW], *text = calloc(USERS, 32), *p = text;
	char wanted[32];

	(void)state;
	for (int i = 0; i < USERS; i++)
		p += sprintf(p, "user%d:x:%d:\n", i, 10000 + 7 * i);
	built(&f, text, &map);
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(wanted, sizeof(wanted), "user%d", i);
		assert_int_equal(
		    vmail_map_name_of(&map, (uint32_t)(10000 + 7 * i), window,
			&name, &behind),
		    VMAIL_OK);
		assert_true(vmail_str_is(name, wanted));
		assert_true(vmail_str_is(behind.name, wanted));
	}
	free(text);
	ended(&f, &map);
}

static void
leads_to(const struct vmail_map *map, uint32_t uid, const char *name)
{
	char window[VMAIL_PUBLIC_WINDOW];
	struct vmail_str found;
	struct vmail_public p;
	enum vmail_rc rc = vmail_map_name_of(map, uid, window, &found, &p);

	assert_int_equal(rc, name == NULL ? VMAIL_NOT_FOUND : VMAIL_OK);
	assert_true(name == NULL || vmail_str_is(found, name));
}

/* Whoever had the number first was announced as its only mailbox. */
static void
what_was_announced_too_early_is_taken_back(void **state)
{
	static const char text[] = "a:x:5100:\nb:x:5200:\nc:x:5200:\n"
				   "d:x:5300:\nd:x:5400:\ne:x:5400:\n"
				   "f:x:5500:\nf:x:5600:\n"
				   "g:x:5700:\ng:x:5700:\nh:x:5800:\n"
				   "i:x:5800:\nj:x:5800:\n";
	struct fixture f;
	struct vmail_map map;

	(void)state;
	built(&f, text, &map);
	assert_true(map.stamp.dups);
	leads_to(&map, 5100, "a");
	leads_to(&map, 5200, NULL);
	leads_to(&map, 5300, "d");
	leads_to(&map, 5400, "e");
	leads_to(&map, 5500, "f");
	leads_to(&map, 5600, NULL);
	leads_to(&map, 5700, "g");
	leads_to(&map, 5800, NULL);
	ended(&f, &map);
}

static void
cost_is_what_most_users_hashes_cost(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	built(&f,
	    "ann:" SHA512 "\nbob:" ROUNDS "\ncleo:" ROUNDS
	    "\ndora:{CRYPT}*\nemil:{CRYPT}*\nfritz:!\n",
	    &map);
	assert_true(vmail_str_is(map.cost, "{SHA512-CRYPT}rounds=7777"));
	ended(&f, &map);
}

static void
cost_of_a_file_without_hashes_is_that_of_the_settings(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	begin(&f, "# nobody\n");
	strcpy(f.conf.scheme, "BLF-CRYPT");
	f.conf.bcrypt_cost = 9;
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	assert_true(vmail_str_starts(map.cost, "{BLF-CRYPT}"));
	assert_non_null(memchr(map.cost.p, '9', map.cost.n));
	ended(&f, &map);
}

static void
the_usual_cost_of_very_many_is_found_by_a_sample(void **state)
{
	enum { USERS = 12000 };
	struct fixture f;
	struct vmail_map map;
	char *text = calloc(USERS, 192), *p = text;

	(void)state;
	for (int i = 0; i < USERS; i++)
		p += sprintf(p, "u%d:%s\n", i, i < 4000 ? SHA512 : ROUNDS);
	built(&f, text, &map);
	assert_true(vmail_str_is(map.cost, "{SHA512-CRYPT}rounds=7777"));
	free(text);
	ended(&f, &map);
}

static void
without_nss_mailboxes_nobody_is_in_the_map(void **state)
{
	struct fixture f;
	struct vmail_map map;

	(void)state;
	begin(&f, "ann:" ROUNDS ":7001:\nbob:x\n");
	f.conf.nss_mailboxes = false;
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	assert_false(map.nss_mailboxes);
	assert_asked(&f, "ann", NULL);
	assert_asked(&f, ":uid:7001", NULL);
	assert_true(vmail_str_is(map.cost, "{SHA512-CRYPT}rounds=7777"));
	ended(&f, &map);
}

static void
views_go_into_the_header_with_single_spaces(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256];
	static const char views[] =
	    "# view\nhost \t vmail   5000:5000 -\nbad line\n"
	    "rootless vmail 1000:1000 0:1000:1,1:100000:65536\n";

	(void)state;
	begin(&f, "ann:x\n");
	put(in_dir(&f, "views", path), views, strlen(views), 0644);
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	assert_true(vmail_str_is(map.views,
	    "host vmail 5000:5000 -\n"
	    "rootless vmail 1000:1000 0:1000:1,1:100000:65536\n"));
	assert_true(vmail_maphead_current(&f.conf, &map));
	ended(&f, &map);
}

static void
too_many_views_stay_in_their_file(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256], text[8192], *p = text;

	(void)state;
	begin(&f, "ann:x\n");
	for (int i = 0; i < 100; i++)
		p += sprintf(p, "view%d vmail 5000:5000 -\n", i);
	put(in_dir(&f, "views", path), text, strlen(text), 0644);
	assert_int_equal(build(&f), VMAIL_OK);
	open_map(&f, &map);
	assert_null(map.views.p);
	assert_true(vmail_maphead_current(&f.conf, &map));
	ended(&f, &map);
}

static void
views_that_others_may_write_stop_the_build(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	put(in_dir(&f, "views", path), "host vmail 5000:5000 -\n", 23, 0666);
	assert_int_equal(build(&f), VMAIL_UNSAFE);
	assert_false(there_is(&f, "passwd.cdb"));
	end(&f);
}

static void
nothing_is_left_of_a_build_that_failed(void **state)
{
	struct fixture f;
	char path[256];
	int fd;

	(void)state;
	begin(&f, "ann:x\n");
	in_dir(&f, "passwd.cdb", path);
	fd = open(f.passwd, O_WRONLY | O_CLOEXEC); /* cannot be read */
	assert_int_not_equal(
	    vmail_mapmake_build(&f.conf, fd, f.passwd, path, NULL, &f.err),
	    VMAIL_OK);
	assert_false(there_is(&f, "passwd.cdb"));
	close(fd);
	/* Something else stands there: not ours to touch. */
	put(path, "precious", 8, 0600);
	fd = open(f.passwd, O_RDONLY | O_CLOEXEC);
	assert_int_equal(
	    vmail_mapmake_build(&f.conf, fd, f.passwd, path, NULL, &f.err),
	    VMAIL_IO);
	assert_text(path, "precious");
	close(fd);
	end(&f);
}

static void
the_room_is_a_record_no_reader_meets(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256], *all;
	size_t n;

	(void)state;
	built(&f, "ann:x\n", &map);
	all = get(in_dir(&f, "passwd.cdb", path), &n);
	assert_memory_equal(all + map.stamp.room_pos + 8, ":room-----", 10);
	assert_int_equal(
	    vmail_cdb_u32((unsigned char *)all + map.stamp.room_pos + 4) + 13,
	    map.stamp.room_len);
	/* It ends where the tables begin. */
	assert_int_equal(map.stamp.room_pos + map.stamp.room_len,
	    vmail_cdb_u32((unsigned char *)all));
	assert_asked(&f, ":room", NULL);
	free(all);
	ended(&f, &map);
}

static void
a_header_has_no_users_and_is_never_fresh(void **state)
{
	struct fixture f;
	struct vmail_map map;
	struct stat st;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(vmail_mapmake_header(&f.conf,
			     in_dir(&f, "passwd.cdb", path), NULL, &f.err),
	    VMAIL_OK);
	open_map(&f, &map);
	assert_string_equal(map.passwd_file, f.passwd);
	assert_int_equal(map.stamp.file.size, 0);
	assert_int_equal(stat(f.passwd, &st), 0);
	assert_false(vmail_map_fresh(&map, &st));
	assert_asked(&f, "ann", NULL);
	assert_non_null(asked(&f, ":vmail"));
	ended(&f, &map);
}

static void
other_settings_make_a_map_no_longer_current(void **state)
{
	struct fixture f;
	struct vmail_map map;
	char path[256];

	(void)state;
	built(&f, "ann:" ROUNDS "\n", &map);
	assert_true(vmail_maphead_current(&f.conf, &map));
	strcpy(f.conf.home, "/other/%n");
	assert_false(vmail_maphead_current(&f.conf, &map));
	strcpy(f.conf.home, "/var/mail/vhosts/%d/%n");
	assert_true(vmail_maphead_current(&f.conf, &map));
	f.conf.first_valid_uid++;
	assert_false(vmail_maphead_current(&f.conf, &map));
	f.conf.first_valid_uid--;
	map.gid += 9;
	assert_false(vmail_maphead_current(&f.conf, &map));
	map.gid -= 9;
	assert_true(vmail_maphead_current(&f.conf, &map));
	put(in_dir(&f, "views", path), "host vmail 5000:5000 -\n", 23, 0644);
	assert_false(vmail_maphead_current(&f.conf, &map));
	ended(&f, &map);
}

static void
a_restamp_changes_the_stamp_alone(void **state)
{
	struct fixture f;
	struct vmail_map map;
	struct stat old, new, before, after;
	char path[256], *was, *is;
	size_t n;

	(void)state;
	built(&f, "ann:x\nbob:x\n", &map);
	vmail_map_close(&map);
	in_dir(&f, "passwd.cdb", path);
	assert_int_equal(stat(f.passwd, &old), 0);
	assert_true(vmail_mappatch_can_restamp(&f.conf, path, &old, 7));
	assert_int_equal(
	    utimensat(AT_FDCWD, path,
		(struct timespec[]){ { 0, UTIME_OMIT }, { 1000000, 5 } }, 0),
	    0);
	before = stat_of(&f, "passwd.cdb");
	was = get(path, &n);
	put(f.passwd, "ann:xxxxxxxx\nbob:x\n", 19, 0640);
	assert_int_equal(stat(f.passwd, &new), 0);
	assert_int_equal(
	    vmail_mappatch_restamp(path, &new, 7, &f.err), VMAIL_OK);
	after = stat_of(&f, "passwd.cdb");
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mtim.tv_sec, 1000000);
	assert_int_equal(after.st_mtim.tv_nsec, 5);
	is = get(path, &n);
	assert_memory_equal(was, is, VMAIL_MAP_HEADER_POS);
	assert_memory_equal(was + VMAIL_MAP_HEADER_POS + VMAIL_MAP_STAMP_LEN,
	    is + VMAIL_MAP_HEADER_POS + VMAIL_MAP_STAMP_LEN,
	    n - VMAIL_MAP_HEADER_POS - VMAIL_MAP_STAMP_LEN);
	free(was);
	free(is);
	open_map(&f, &map);
	assert_true(vmail_map_fresh(&map, &new));
	assert_int_equal(map.stamp.drift, 7);
	ended(&f, &map);
}

static void
what_cannot_be_restamped_is_rebuilt(void **state)
{
	struct fixture f;
	struct vmail_map map;
	struct stat st, other;
	char path[256];

	(void)state;
	built(&f, "ann:x\nann:y\n", &map);
	vmail_map_close(&map);
	in_dir(&f, "passwd.cdb", path);
	assert_int_equal(stat(f.passwd, &st), 0);
	/* Equal names: no drift. */
	assert_true(vmail_mappatch_can_restamp(&f.conf, path, &st, 0));
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &st, 1));
	put(f.passwd, "ann:x\n", 6, 0640);
	assert_int_equal(stat(f.passwd, &st), 0);
	/* Stale. */
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &st, 0));
	assert_int_equal(build(&f), VMAIL_OK);
	assert_true(vmail_mappatch_can_restamp(&f.conf, path, &st, 65536));
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &st, 65537));
	assert_int_equal(
	    vmail_mappatch_restamp(path, &st, 65000, &f.err), VMAIL_OK);
	assert_true(vmail_mappatch_can_restamp(&f.conf, path, &st, 536));
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &st, 537));
	/* Another file, other settings, none. */
	other = st;
	other.st_ino++;
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &other, 0));
	f.conf.nss_enumerate = true;
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &st, 0));
	f.conf.nss_enumerate = false;
	assert_int_equal(unlink(path), 0);
	assert_false(vmail_mappatch_can_restamp(&f.conf, path, &st, 0));
	assert_int_not_equal(
	    vmail_mappatch_restamp(path, &st, 0, &f.err), VMAIL_OK);
	end(&f);
}

static void
what_is_no_map_is_never_stamped(void **state)
{
	struct fixture f;
	struct stat st;
	char path[256], other[256], text[4096];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(stat(f.passwd, &st), 0);
	memset(text, 'x', sizeof(text));
	put(in_dir(&f, "passwd.cdb", path), text, sizeof(text), 0644);
	assert_int_equal(
	    vmail_mappatch_restamp(path, &st, 0, &f.err), VMAIL_MALFORMED);
	assert_file_is(path, text, sizeof(text));
	assert_int_equal(symlink(path, in_dir(&f, "link.cdb", other)), 0);
	assert_int_equal(
	    vmail_mappatch_restamp(other, &st, 0, &f.err), VMAIL_UNSAFE);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(
	    vmail_mappatch_restamp(path, &st, 0, &f.err), VMAIL_UNSAFE);
	end(&f);
}

/* Lines that come one block after the other, while the file grows. */
static void
a_map_made_piece_by_piece_is_the_map_of_the_whole(void **state)
{
	static const char first[] =
	    "# a comment\nann@x.y:x:600:600::/a::\nbob@x.y:x::::/b::\n";
	static const char more[] = "bad:x:-1\n\ncleo@x.y:x:600:600::::\n";
	static const char last[] = "dora@x.y:x:601:601::::\n";
	struct fixture f;
	struct vmail_mapmake *map = NULL;
	char path[256], whole[sizeof(first) + sizeof(more) + sizeof(last)];
	char *made, *want;
	struct stat st;
	size_t n, m;
	int fd;

	(void)state;
	begin(&f, first);
	fd = open(f.passwd, O_RDWR | O_APPEND | O_CLOEXEC);
	assert_int_equal(vmail_mapmake_begin(&f.conf,
			     in_dir(&f, "piece.cdb", path), &map, &f.err),
	    VMAIL_OK);
	assert_int_equal(
	    vmail_mapmake_file(map, fd, f.passwd, &f.err), VMAIL_OK);
	assert_int_equal(
	    vmail_mapmake_text(map, VMAIL_STR(more), sizeof(first) - 1, &f.err),
	    VMAIL_OK);
	assert_int_equal(vmail_mapmake_text(map, VMAIL_STR(last),
			     sizeof(first) + sizeof(more) - 2, &f.err),
	    VMAIL_OK);
	(void)snprintf(whole, sizeof(whole), "%s%s", more, last);
	assert_int_equal(
	    write(fd, whole, strlen(whole)), (ssize_t)strlen(whole));
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(vmail_mapmake_end(&map, &st, NULL, &f.err), VMAIL_OK);
	assert_null(map);
	assert_int_equal(build(&f), VMAIL_OK);
	made = get(path, &n);
	want = get(in_dir(&f, "passwd.cdb", path), &m);
	assert_int_equal(n, m);
	assert_memory_equal(made, want, m);
	free(made);
	free(want);
	end(&f);
}

static void
a_map_given_up_leaves_no_file(void **state)
{
	struct fixture f;
	struct vmail_mapmake *map = NULL;
	char path[256];

	(void)state;
	begin(&f, "ann:x\n");
	assert_int_equal(vmail_mapmake_begin(&f.conf,
			     in_dir(&f, "piece.cdb", path), &map, &f.err),
	    VMAIL_OK);
	assert_true(there_is(&f, "piece.cdb"));
	vmail_mapmake_drop(&map);
	assert_false(there_is(&f, "piece.cdb"));
	vmail_mapmake_drop(&map);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tinycdb_finds_what_we_wrote),
		cmocka_unit_test(every_user_of_many_is_found_by_both_readers),
		cmocka_unit_test(
		    the_header_is_the_first_record_and_says_the_settings),
		cmocka_unit_test(
		    the_map_is_for_everybody_and_its_group_is_the_owners),
		cmocka_unit_test(
		    a_hash_or_an_extra_field_never_gets_into_the_map),
		cmocka_unit_test(
		    the_first_of_two_equal_names_wins_and_dups_says_so),
		cmocka_unit_test(names_of_one_hash_are_not_doubles),
		cmocka_unit_test(a_malformed_line_hides_nobody_and_is_left_out),
		cmocka_unit_test(a_line_over_a_chunks_border_is_one_line),
		cmocka_unit_test(
		    a_uid_of_one_mailbox_names_it_and_of_several_counts_them),
		cmocka_unit_test(a_double_counts_for_no_uid),
		cmocka_unit_test(every_own_uid_of_many_is_found),
		cmocka_unit_test(what_was_announced_too_early_is_taken_back),
		cmocka_unit_test(cost_is_what_most_users_hashes_cost),
		cmocka_unit_test(
		    cost_of_a_file_without_hashes_is_that_of_the_settings),
		cmocka_unit_test(
		    the_usual_cost_of_very_many_is_found_by_a_sample),
		cmocka_unit_test(without_nss_mailboxes_nobody_is_in_the_map),
		cmocka_unit_test(views_go_into_the_header_with_single_spaces),
		cmocka_unit_test(too_many_views_stay_in_their_file),
		cmocka_unit_test(views_that_others_may_write_stop_the_build),
		cmocka_unit_test(nothing_is_left_of_a_build_that_failed),
		cmocka_unit_test(the_room_is_a_record_no_reader_meets),
		cmocka_unit_test(a_header_has_no_users_and_is_never_fresh),
		cmocka_unit_test(other_settings_make_a_map_no_longer_current),
		cmocka_unit_test(a_restamp_changes_the_stamp_alone),
		cmocka_unit_test(what_cannot_be_restamped_is_rebuilt),
		cmocka_unit_test(what_is_no_map_is_never_stamped),
		cmocka_unit_test(
		    a_map_made_piece_by_piece_is_the_map_of_the_whole),
		cmocka_unit_test(a_map_given_up_leaves_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
