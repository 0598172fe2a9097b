/*
 * Systems made up at random: whatever views, accounts, id maps, host names and
 * view files they have, a name and a number lead to each other, and nobody is
 * root, nobody or -1. The seed is fixed: the worlds are the same each time.
 */
#include <sys/mman.h>

#include "tests/unit/core/ids_room.h"

enum { WORLDS = 300, VIEWS_ROOM = 2048, SYSTEM_ROOM = 1024, NUMBERS = 512 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const identities[] = { "vmail", "archive", "news", "Desk",
	"vmail-box" };
static const char *const systems[] = { "host", "img", "rootless", "Deep.Sea",
	"box", "box-a", "twin" };
static const char *const spaces[] = { "-", "-", "-", "0:1000:1,1:100000:65536",
	"0:1000:1,1:100000:65536", "0:200000:65536", "0:200000:65536",
	"0:300000:2000", "1000:5000:10", "1000:1000:1", "0:1:65536",
	"101:4294967290:5", "0:0:4294967295", "0:1:10,5:100:10", "0:1:0",
	"0:4294967290:10", "1", "5000:65534:2,1000:0:1" };
static const uint32_t pool[] = { 5000, 5000, 5001, 5002, 1000, 1000, 1001, 101,
	102, 499, 500, 60000, 60001, 65533, 65536, 100999, 105000, 4294967294,
	0, 65534, 4294967295 };
static const char *const idmaps[] = { NULL, NULL, NULL, NULL, NULL,
	"0 100000 1000\n1000 5000 1\n2000 10000 1000\n", "0 0 65536\n",
	"0 100000 65536\n", "0 0 4294967295\n", "0 5000 1\n1 100000 100\n",
	"0 100000 5000\n5000 5000 3\n", "" };

static uint64_t seed;

static uint32_t
any(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

#define ANY(a) ((a)[any(COUNT(a))])

/* The world that is looked at, in words: it is said at the end. */
static char story[VIEWS_ROOM + 2 * SYSTEM_ROOM + 256];

/* How often each kind was answered, over all worlds. */
struct tally {
	unsigned identities, guests, groups, mailboxes, hosts;
};
static struct tally *tally;

static void
make_views(char *text)
{
	struct vmail_buf b = { .p = text, .size = VIEWS_ROOM };
	unsigned lines = any(14);

	/* Most worlds have a host that is well-formed. */
	if (any(8) != 0)
		vmail_buf_z(&b, any(2) ? "host vmail 5000:5000 -\n"
				       : "host vmail 5000:5002 -\n");
	for (unsigned i = 0; i < lines; i++) {
		vmail_buf_z(&b, any(9) == 0 ? "#" : "");
		vmail_buf_z(&b, ANY(systems));
		vmail_buf_char(&b, any(2) ? ' ' : '\t');
		vmail_buf_z(&b, ANY(identities));
		vmail_buf_char(&b, ' ');
		vmail_buf_num(&b, ANY(pool), 1);
		vmail_buf_char(&b, ':');
		vmail_buf_num(&b, ANY(pool), 1);
		vmail_buf_char(&b, ' ');
		vmail_buf_z(&b, ANY(spaces));
		vmail_buf_z(&b, any(20) == 0 ? " more\n" : "\n");
	}
	(void)vmail_buf_end(&b);
}

/* `name:x:NUMBER:` or `name:x:NUMBER:NUMBER:` for some names. */
static void
make_system(char *text, bool two, bool host)
{
	static const char *const strangers[] = { "root", "vmail-rootless",
		"archive-img", "mail" };
	struct vmail_buf b = { .p = text, .size = SYSTEM_ROOM };

	if (host)
		vmail_buf_z(
		    &b, two ? "vmail:x:5000:5000:\n" : "vmail:x:5000:\n");
	for (size_t i = 0; i < COUNT(identities) + COUNT(strangers); i++) {
		if (any(3) == 0)
			continue;
		vmail_buf_z(&b, i < COUNT(identities)
				    ? identities[i]
				    : strangers[i - COUNT(identities)]);
		vmail_buf_z(&b, ":x:");
		vmail_buf_num(&b, ANY(pool), 1);
		vmail_buf_char(&b, ':');
		if (two) {
			vmail_buf_num(&b, ANY(pool), 1);
			vmail_buf_char(&b, ':');
		}
		vmail_buf_char(&b, '\n');
	}
	(void)vmail_buf_end(&b);
}

static bool
reserved(uint32_t id)
{
	return id == 0 || id == 65534 || id == 65535 || id == UINT32_MAX;
}

/* The numbers that a mistake could lead to. */
static size_t
numbers_of(const struct vmail_world *w, uint32_t out[NUMBERS])
{
	struct vmail_str rest = w->views;
	struct vmail_view v;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(pool); i++)
		for (uint32_t k = 0; k < 3; k++)
			out[n++] = pool[i] + k - 1;
	for (uint32_t k = 0; k < 64; k++)
		out[n++] = k * 1031;
	while (vmail_views_next(&rest, &v) && n < NUMBERS - 4) {
		uint32_t outside = 0;

		(void)vmail_view_outside(&v, v.uid, &outside);
		out[n++] = outside;
		(void)vmail_view_outside(&v, v.gid, &outside);
		out[n++] = outside;
		out[n++] = v.uid;
		out[n++] = v.gid;
	}
	return n;
}

/* Where two identities share a number, it is the first one's. */
static int
name_leads_back(const struct vmail_world *w, struct vmail_str s)
{
	struct vmail_ids ids, again;
	struct vmail_str name;
	gid_t gid;

	if (vmail_ids_of_identity(w, s, &ids) == VMAIL_OK) {
		CHECK(!reserved(ids.uid) && !reserved(ids.gid));
		CHECK(vmail_ids_identity_of(w, ids.uid, &name) == VMAIL_OK);
		CHECK(vmail_ids_of_identity(w, name, &again) == VMAIL_OK);
		CHECK(again.uid == ids.uid);
		CHECK(vmail_str_eq(name, s) || name.p < s.p ||
		      vmail_str_eq(name, w->owner_user));
		tally->identities++;
	}
	if (vmail_ids_of_group(w, s, &gid) == VMAIL_OK) {
		CHECK(!reserved(gid));
		CHECK(vmail_ids_group_of(w, gid, &name) == VMAIL_OK);
		CHECK(vmail_ids_of_group(w, name, &again.gid) == VMAIL_OK);
		CHECK(again.gid == gid);
	}
	return 0;
}

static int
guest_leads_back(const struct vmail_world *w, const struct vmail_view *v)
{
	char text[VMAIL_GUEST_MAX], room[VMAIL_GUEST_MAX];
	struct vmail_buf b = { .p = text, .size = sizeof(text) };
	struct vmail_str s, name;
	struct vmail_ids ids;
	gid_t gid;

	vmail_buf_str(&b, v->identity);
	vmail_buf_char(&b, '-');
	vmail_buf_str(&b, v->name);
	vmail_text_lower(text, b.len);
	s = (struct vmail_str){ text, b.len };
	if (vmail_ids_of_guest(w, s, &ids) == VMAIL_OK) {
		CHECK(!reserved(ids.uid) && !reserved(ids.gid));
		CHECK(vmail_ids_guest_of(w, ids.uid, room, &name) == VMAIL_OK);
		CHECK(vmail_str_eq(name, s));
		CHECK(!vmail_ids_is_identity(w, s));
		tally->guests++;
	}
	if (vmail_ids_of_guest_group(w, s, &gid) == VMAIL_OK) {
		CHECK(!reserved(gid));
		CHECK(
		    vmail_ids_guest_group_of(w, gid, room, &name) == VMAIL_OK);
		CHECK(vmail_str_eq(name, s));
	}
	return 0;
}

static int
user_leads_back(const struct vmail_world *w, uint32_t n)
{
	char room[VMAIL_GUEST_MAX];
	struct vmail_str s;
	struct vmail_ids ids;
	bool known = vmail_ids_identity_of(w, n, &s) == VMAIL_OK;

	if (known) {
		CHECK(!reserved(n));
		CHECK(vmail_ids_of_identity(w, s, &ids) == VMAIL_OK);
		CHECK(ids.uid == n);
	}
	if (vmail_ids_guest_of(w, n, room, &s) == VMAIL_OK) {
		CHECK(!known && !reserved(n));
		CHECK(vmail_ids_of_guest(w, s, &ids) == VMAIL_OK);
		CHECK(ids.uid == n);
	}
	return 0;
}

static int
group_leads_back(const struct vmail_world *w, uint32_t n)
{
	char room[VMAIL_GUEST_MAX];
	struct vmail_str s;
	gid_t gid;
	bool known = vmail_ids_group_of(w, n, &s) == VMAIL_OK;

	if (known) {
		CHECK(!reserved(n));
		CHECK(vmail_ids_of_group(w, s, &gid) == VMAIL_OK);
		CHECK(gid == n);
		tally->groups++;
	}
	if (vmail_ids_guest_group_of(w, n, room, &s) == VMAIL_OK) {
		CHECK(!known && !reserved(n));
		CHECK(vmail_ids_of_guest_group(w, s, &gid) == VMAIL_OK);
		CHECK(gid == n);
	}
	return 0;
}

/* The number of a mailbox, from the host to here and back. */
static int
mailbox_leads_back(const struct vmail_world *w, uint32_t n)
{
	char text[16];
	struct vmail_buf b = { .p = text, .size = sizeof(text) };
	struct vmail_str field, s;
	struct vmail_ids ids;
	uint32_t host;

	if (vmail_ids_to_host(w, n, &host) == VMAIL_OK) {
		CHECK(!reserved(n) && !reserved(host));
		tally->hosts++;
	}
	vmail_buf_num(&b, n, 1);
	field = (struct vmail_str){ text, b.len };
	if (vmail_ids_of_mailbox(w, field, field, &ids) != VMAIL_OK)
		return 0;
	CHECK(!reserved(ids.uid) && !reserved(ids.gid));
	tally->mailboxes++;
	if (vmail_ids_to_host(w, ids.uid, &host) == VMAIL_OK)
		CHECK(host == n ||
		      vmail_ids_identity_of(w, ids.uid, &s) == VMAIL_OK);
	else
		CHECK(vmail_ids_identity_of(w, ids.uid, &s) == VMAIL_OK);
	return 0;
}

static int
look_world(const struct vmail_world *w)
{
	uint32_t numbers[NUMBERS];
	struct vmail_str rest = w->views;
	struct vmail_view v;
	int line = name_leads_back(w, w->owner_user);

	while (line == 0 && vmail_views_next(&rest, &v)) {
		line = name_leads_back(w, v.identity);
		if (line == 0)
			line = guest_leads_back(w, &v);
	}
	for (size_t i = numbers_of(w, numbers); line == 0 && i-- > 0;) {
		line = user_leads_back(w, numbers[i]);
		if (line == 0)
			line = group_leads_back(w, numbers[i]);
		if (line == 0)
			line = mailbox_leads_back(w, numbers[i]);
	}
	return line;
}

static const char *
any_view(char line[64])
{
	static const char *const others[] = { "unknown\n", "", "img\n" };

	if (any(3) != 0)
		return NULL;
	if (any(4) == 0)
		return ANY(others);
	(void)snprintf(line, 64, "%s\n", ANY(systems));
	return line;
}

static void
live(unsigned i)
{
	char views[VIEWS_ROOM], passwd[SYSTEM_ROOM], group[SYSTEM_ROOM];
	char view[64];
	/* A namespace is not made from inside a chroot; a third of the worlds
	 * are a host's. */
	bool no_proc = any(10) == 0, host = i % 3 == 0;
	const struct room room = { .passwd = any(6) ? passwd : "",
		.group = group,
		.idmap = no_proc || host ? NULL : ANY(idmaps),
		.views = views,
		.view = host ? NULL : any_view(view),
		.hostname = any(3) ? NULL : ANY(systems),
		.file_gid = any(4) ? 5000 : 5002,
		.no_map = any(8) == 0,
		.no_proc = no_proc,
		.look = look_world };

	make_views(views);
	make_system(passwd, true, host);
	make_system(group, false, host);
	(void)snprintf(story, sizeof(story),
	    "world %u\nviews:\n%spasswd:\n%sgroup:\n%sview file: %s\n"
	    "host name: %s\nid map: %s\nmap: %d %u, proc: %d\n",
	    i, views, room.passwd, group, room.view != NULL ? room.view : "-",
	    room.hostname != NULL ? room.hostname : "-",
	    room.idmap != NULL ? room.idmap : "-", !room.no_map, room.file_gid,
	    !no_proc);
	check_room(&room);
}

static int
tell(void **state)
{
	(void)state;
	print_message("%s", story);
	print_message("%u identities, %u guests, %u groups, %u mailboxes\n",
	    tally->identities, tally->guests, tally->groups, tally->mailboxes);
	return 0;
}

static void
a_name_and_a_number_lead_to_each_other_in_every_world(void **state)
{
	(void)state;
	seed = 88172645463325252U;
	for (unsigned i = 0; i < WORLDS; i++)
		live(i);
	/* None of this is true only because nobody was answered. */
	assert_true(tally->identities > WORLDS);
	assert_true(tally->guests > WORLDS / 5);
	assert_true(tally->groups > WORLDS);
	assert_true(tally->mailboxes > WORLDS);
	assert_true(tally->hosts > WORLDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_name_and_a_number_lead_to_each_other_in_every_world,
		    tell),
	};

	/* The children count there. */
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
