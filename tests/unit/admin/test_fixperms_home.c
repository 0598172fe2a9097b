#include "tests/unit/admin/fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "common/admin/fixperms.h"

enum { MAIL = 5000, OWN = 5123, OLD = 1005, STRANGER = 1234, WALKS = 4000 };

/* What a run told, as lines "ACT PATH: WHY", paths without the folder. */
struct told {
	const struct fixture *f;
	char text[65536];
	size_t n;
};

static void
say(const struct vmail_fixperms_item *item, void *arg)
{
	static const char *const acts[] = { "change", "left", "missing" };
	struct told *t = arg;
	const char *path = item->path + strlen(t->f->dir);

	t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n,
	    "%s %s: %s\n", acts[item->act], path, item->why);
	assert_true(t->n < sizeof(t->text));
}

struct run {
	struct vmail_fixperms fix;
	struct vmail_fixperms_home home;
	struct told told;
	char path[256], root[256];
};

/* The home `name` of a user, "mail" being the folder of all mail. */
static void
mend(struct run *r, const struct fixture *f, const char *name, uid_t user)
{
	struct vmail_fixperms_home *h = &r->home;

	memset(&r->told, 0, sizeof(r->told));
	r->told.f = f;
	r->fix.changed = r->fix.left = r->fix.missing = r->fix.seen = 0;
	r->fix.say = say;
	r->fix.arg = &r->told;
	h->path = in_dir(f, name, r->path);
	h->root = in_dir(f, "mail", r->root);
	h->user = (struct vmail_ids){ user, user + 1 };
	h->owner = (struct vmail_ids){ MAIL, MAIL + 1 };
	vmail_fixperms_home(&r->fix, h);
}

#define assert_told(run, words) assert_non_null(strstr((run)->told.text, words))

static void
folder(struct fixture *f, const char *name, uid_t uid, mode_t mode)
{
	char path[256];

	assert_int_equal(mkdir(in_dir(f, name, path), 0700), 0);
	assert_int_equal(chown(path, uid, uid + 1), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
file(struct fixture *f, const char *name, uid_t uid, mode_t mode)
{
	char path[256];

	put(in_dir(f, name, path), "m", 1, 0600);
	assert_int_equal(chown(path, uid, uid + 1), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
is(struct fixture *f, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st = stat_of(f, name);

	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
	assert_int_equal(st.st_mode & 07777, mode);
}

/* mail/d, the owner's, and in it ann, hers; all is right. */
static void
furnish(struct fixture *f, struct run *r)
{
	memset(r, 0, sizeof(*r));
	begin(f, NULL);
	assert_int_equal(chmod(f->dir, 0755), 0);
	folder(f, "mail", 0, 0755);
	folder(f, "mail/d", MAIL, 0711);
	folder(f, "mail/d/ann", MAIL, 0700);
	folder(f, "mail/d/ann/cur", MAIL, 0700);
	file(f, "mail/d/ann/cur/1", MAIL, 0600);
}

static void
only_what_differs_is_touched(void **state)
{
	struct fixture f;
	struct run r;
	struct stat right, folder_right;

	(void)state;
	furnish(&f, &r);
	file(&f, "mail/d/ann/cur/2", 0, 0640);
	right = stat_of(&f, "mail/d/ann/cur/1");
	folder_right = stat_of(&f, "mail/d/ann");
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_string_equal(
	    r.told.text, "change /mail/d/ann/cur/2: not the user's\n");
	assert_int_equal(r.fix.changed, 1);
	assert_int_equal(r.fix.left, 0);
	assert_int_equal(r.fix.seen, 4);
	is(&f, "mail/d/ann/cur/2", MAIL, MAIL + 1, 0640);
	struct stat now = stat_of(&f, "mail/d/ann/cur/1");
	struct stat folder_now = stat_of(&f, "mail/d/ann");

	assert_memory_equal(&now.st_ctim, &right.st_ctim, sizeof(now.st_ctim));
	assert_memory_equal(
	    &folder_now.st_ctim, &folder_right.st_ctim, sizeof(now.st_ctim));
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_string_equal(r.told.text, "");
	end(&f);
}

static void
a_dry_run_tells_the_same_and_changes_nothing(void **state)
{
	struct fixture f;
	struct run r;
	char told[4096];

	(void)state;
	furnish(&f, &r);
	file(&f, "mail/d/ann/cur/2", OLD, 04602);
	folder(&f, "mail/d/ann/.Sent", OLD, 0577);
	r.fix.dry_run = true;
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_int_equal(r.fix.changed, 2);
	is(&f, "mail/d/ann/cur/2", OLD, OLD + 1, 04602);
	is(&f, "mail/d/ann/.Sent", OLD, OLD + 1, 0577);
	memcpy(told, r.told.text, sizeof(told));
	r.fix.dry_run = false;
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_string_equal(r.told.text, told);
	is(&f, "mail/d/ann/cur/2", MAIL, MAIL + 1, 0600);
	is(&f, "mail/d/ann/.Sent", MAIL, MAIL + 1, 0775);
	end(&f);
}

static void
modes_that_are_merely_unusual_stay(void **state)
{
	static const mode_t kept[] = { 0600, 0640, 0755, 0660, 0604, 01600 };
	static const mode_t mended[][2] = { { 0400, 0600 }, { 0, 0600 },
		{ 0666, 0664 }, { 06755, 0755 }, { 02640, 0640 } };
	struct fixture f;
	struct run r;
	char name[64];

	(void)state;
	furnish(&f, &r);
	for (size_t i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "mail/d/ann/k%zu", i);
		file(&f, name, MAIL, kept[i]);
	}
	folder(&f, "mail/d/ann/shared", MAIL, 02770);
	folder(&f, "mail/d/ann/shut", MAIL, 0);
	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "mail/d/ann/m%zu", i);
		file(&f, name, MAIL, mended[i][0]);
	}
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_int_equal(r.fix.changed, 6);
	for (size_t i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "mail/d/ann/k%zu", i);
		is(&f, name, MAIL, MAIL + 1, kept[i]);
	}
	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "mail/d/ann/m%zu", i);
		is(&f, name, MAIL, MAIL + 1, mended[i][1]);
	}
	is(&f, "mail/d/ann/shared", MAIL, MAIL + 1, 02770);
	is(&f, "mail/d/ann/shut", MAIL, MAIL + 1, 0700);
	assert_told(&r, "/m3: a program with its owner's rights is no mail\n");
	assert_told(&r, "/m2: everybody may write it\n");
	end(&f);
}

/* Root's program must not become the user's with its bits. */
static void
a_setuid_file_is_never_given_away_with_its_bits(void **state)
{
	struct fixture f;
	struct run r;

	(void)state;
	furnish(&f, &r);
	file(&f, "mail/d/ann/sh", 0, 06755);
	file(&f, "mail/d/ann/group", 0, 02644);
	mend(&r, &f, "mail/d/ann", MAIL);
	is(&f, "mail/d/ann/sh", MAIL, MAIL + 1, 0755);
	is(&f, "mail/d/ann/group", MAIL, MAIL + 1, 0644);
	end(&f);
}

static void
no_link_is_followed_and_its_own_owner_is_mended(void **state)
{
	struct fixture f;
	struct run r;
	char path[256], target[256];

	(void)state;
	furnish(&f, &r);
	folder(&f, "victim", 0, 0755);
	file(&f, "victim/file", 0, 0644);
	assert_int_equal(symlink(in_dir(&f, "victim", target),
			     in_dir(&f, "mail/d/ann/folder", path)),
	    0);
	assert_int_equal(symlink(in_dir(&f, "victim/file", target),
			     in_dir(&f, "mail/d/ann/file", path)),
	    0);
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_int_equal(r.fix.changed, 2);
	is(&f, "mail/d/ann/folder", MAIL, MAIL + 1, 0777);
	is(&f, "mail/d/ann/file", MAIL, MAIL + 1, 0777);
	is(&f, "victim", 0, 1, 0755);
	is(&f, "victim/file", 0, 1, 0644);
	end(&f);
}

static void
a_hard_link_is_told_of_and_left_unless_it_is_right(void **state)
{
	struct fixture f;
	struct run r;
	char path[256], target[256];

	(void)state;
	furnish(&f, &r);
	file(&f, "shadow", 0, 0640);
	assert_int_equal(link(in_dir(&f, "shadow", target),
			     in_dir(&f, "mail/d/ann/mine", path)),
	    0);
	assert_int_equal(link(in_dir(&f, "mail/d/ann/cur/1", target),
			     in_dir(&f, "mail/d/ann/cur/copy", path)),
	    0);
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_int_equal(r.fix.changed, 0);
	assert_int_equal(r.fix.left, 1);
	assert_told(&r, "left /mail/d/ann/mine: a hard link");
	is(&f, "shadow", 0, 1, 0640);
	end(&f);
}

static void
pipes_are_given_and_devices_are_left(void **state)
{
	struct fixture f;
	struct run r;
	char path[256];

	(void)state;
	furnish(&f, &r);
	assert_int_equal(mkfifo(in_dir(&f, "mail/d/ann/pipe", path), 0602), 0);
	assert_int_equal(mknod(in_dir(&f, "mail/d/ann/null", path),
			     S_IFCHR | 0666, makedev(1, 3)),
	    0);
	assert_int_equal(chmod(path, 0666), 0);
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_int_equal(stat_of(&f, "mail/d/ann/pipe").st_uid, MAIL);
	assert_told(&r, "left /mail/d/ann/null: a device");
	is(&f, "mail/d/ann/null", 0, 0, 0666);
	end(&f);
}

/* In a child with mounts of its own. */
static void
mounted(struct fixture *f, struct run *r)
{
	char path[256], other[256];

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", in_dir(f, "mail/d/ann", path), "tmpfs", 0, NULL) !=
		0)
		_exit(99);
	file(f, "mail/d/ann/mail", 0, 0600);
	file(f, "mail/d/ann/bound", 0, 0600);
	folder(f, "mail/d/ann/bind", 0, 0700);
	folder(f, "mail/d/ann/other", 0, 0700);
	folder(f, "mail/d/ann/away", 0, 0700);
	file(f, "mail/d/ann/away/kept", 0, 0600);
	if (mount(in_dir(f, "mail/d/ann/away", other),
		in_dir(f, "mail/d/ann/bind", path), NULL, MS_BIND, NULL) != 0 ||
	    mount(in_dir(f, "mail/d/ann/mail", other),
		in_dir(f, "mail/d/ann/bound", path), NULL, MS_BIND,
		NULL) != 0 ||
	    mount("tmpfs", in_dir(f, "mail/d/ann/other", path), "tmpfs", 0,
		NULL) != 0)
		_exit(98);
	mend(r, f, "mail/d/ann", MAIL);
	if (stat_of(f, "mail/d/ann/mail").st_uid != MAIL)
		_exit(1);
	if (stat_of(f, "mail/d/ann/other").st_uid != 0 || r->fix.left != 3 ||
	    strstr(r->told.text, "left /mail/d/ann/bind: mounted") == NULL ||
	    strstr(r->told.text, "left /mail/d/ann/bound: mounted") == NULL ||
	    strstr(r->told.text, "left /mail/d/ann/other: mounted") == NULL)
		_exit(2);
	_exit(0);
}

static void
a_home_may_be_a_mount_but_none_below_it_is_entered(void **state)
{
	struct fixture f;
	struct run r;
	pid_t pid;

	(void)state;
	furnish(&f, &r);
	pid = fork();
	if (pid == 0)
		mounted(&f, &r);
	assert_int_equal(outcome(pid), 0);
	end(&f);
}

/* Longer than any path may be, with few descriptors. */
static void
however_deep_it_is_it_is_mended(void **state)
{
	struct fixture f;
	struct run r;
	char path[256], name[256];
	int fd, next;
	pid_t pid;

	(void)state;
	furnish(&f, &r);
	memset(name, 'n', 255);
	name[255] = '\0';
	fd = open(in_dir(&f, "mail/d/ann", path), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(mkdirat(fd, "beside", 0700), 0);
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	pid = fork();
	if (pid == 0) {
		const struct rlimit few = { 32, 32 };

		if (setrlimit(RLIMIT_NOFILE, &few) != 0)
			_exit(99);
		r.fix.say = NULL;
		r.home.path = in_dir(&f, "mail/d/ann", r.path);
		r.home.root = in_dir(&f, "mail", r.root);
		r.home.user = r.home.owner =
		    (struct vmail_ids){ MAIL, MAIL + 1 };
		vmail_fixperms_home(&r.fix, &r.home);
		_exit(r.fix.changed != 400 || r.fix.left != 0);
	}
	assert_int_equal(outcome(pid), 0);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, MAIL);
	close(fd);
	(void)snprintf(path, sizeof(path), "rm -rf %s/mail", f.dir);
	assert_int_equal(system(path), 0);
	end(&f);
}

static void
below_the_folder_of_all_mail_a_home_may_have_been_anybodys(void **state)
{
	struct fixture f;
	struct run r;

	(void)state;
	furnish(&f, &r);
	folder(&f, "mail/e", OLD, 0700);
	folder(&f, "mail/e/bob", OLD, 0755);
	file(&f, "mail/e/bob/1", OLD, 0644);
	mend(&r, &f, "mail/e/bob", MAIL);
	is(&f, "mail/e", MAIL, MAIL + 1, 0700);
	is(&f, "mail/e/bob", MAIL, MAIL + 1, 0755);
	is(&f, "mail/e/bob/1", MAIL, MAIL + 1, 0644);
	assert_told(
	    &r, "change /mail/e: somebody else's, on the way to mail\n");
	end(&f);
}

static void
folders_above_open_only_for_who_must_pass(void **state)
{
	struct fixture f;
	struct run r;
	char before[256];

	(void)state;
	furnish(&f, &r);
	folder(&f, "mail/e", MAIL, 0702);
	folder(&f, "mail/e/own", OWN, 0700);
	folder(&f, "mail/e/bob", MAIL, 0700);
	mend(&r, &f, "mail/e/bob", MAIL);
	is(&f, "mail/e", MAIL, MAIL + 1, 0700);
	r.home.before = in_dir(&f, "mail/e/bob", before);
	mend(&r, &f, "mail/e/own", OWN);
	is(&f, "mail/e", MAIL, MAIL + 1, 0700); /* done, it was said */
	r.home.before = NULL;
	mend(&r, &f, "mail/e/own", OWN);
	is(&f, "mail/e", MAIL, MAIL + 1, 0711);
	assert_told(&r, "change /mail/e: the user cannot pass through it\n");
	is(&f, "mail", 0, 1, 0755);
	end(&f);
}

/* Above it all, folders are the system's. */
static void
a_folder_of_the_systems_is_told_of_in_dovecots_manner(void **state)
{
	struct fixture f;
	struct run r;

	(void)state;
	furnish(&f, &r);
	assert_int_equal(chmod(f.dir, 0700), 0);
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_told(&r, "left : euid=5000 egid=5001 missing +x perm: /tmp/");
	assert_told(&r, ", dir owned by 0:0 mode=0700\n");
	assert_int_equal(stat_of(&f, "").st_mode & 07777, 0700);
	end(&f);
}

static void
a_strangers_folder_on_the_way_is_refused(void **state)
{
	struct fixture f;
	struct run r;

	(void)state;
	furnish(&f, &r);
	folder(&f, "theirs", STRANGER, 0755);
	folder(&f, "theirs/ann", 0, 0755);
	mend(&r, &f, "theirs/ann", MAIL);
	assert_told(&r, "/theirs on the way belongs to 1234");
	is(&f, "theirs/ann", 0, 1, 0755);
	/* Whatever vmail.conf calls the folder of all mail. */
	assert_int_equal(chown(f.dir, STRANGER, STRANGER), 0);
	mend(&r, &f, "mail/d/ann", 0);
	assert_int_equal(r.fix.left, 1);
	assert_int_equal(r.fix.changed, 0);
	end(&f);
}

static void
the_folder_of_all_mail_is_roots_or_some_number_of_the_owners(void **state)
{
	static const uid_t known[] = { 1000, 100999 };
	struct fixture f;
	struct run r;
	char path[256];

	(void)state;
	furnish(&f, &r);
	assert_int_equal(chown(in_dir(&f, "mail", path), 100999, 1), 0);
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_told(&r, "/mail on the way belongs to 100999");
	r.home.known = known;
	r.home.nknown = 2;
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_int_equal(r.fix.left, 0);
	is(&f, "mail", MAIL, MAIL + 1, 0755);
	end(&f);
}

static void
elsewhere_a_home_must_be_theirs_already(void **state)
{
	struct fixture f;
	struct run r;

	(void)state;
	furnish(&f, &r);
	folder(&f, "ssl", 0, 0755);
	file(&f, "ssl/key", 0, 0600);
	mend(&r, &f, "ssl", MAIL);
	assert_told(&r, "left /ssl: belongs to 0, not to its user");
	is(&f, "ssl/key", 0, 1, 0600);
	folder(&f, "home", STRANGER, 0755);
	mend(&r, &f, "home", MAIL);
	assert_told(&r, "left /home: belongs to 1234, not to its user");
	folder(&f, "srv", MAIL, 0755);
	folder(&f, "srv/bob", 0, 0755); /* made by root's hand */
	mend(&r, &f, "srv/bob", MAIL);
	is(&f, "srv/bob", MAIL, MAIL + 1, 0755);
	folder(&f, "own", MAIL, 0700); /* was the owner's until now */
	mend(&r, &f, "own", OWN);
	is(&f, "own", OWN, OWN + 1, 0700);
	end(&f);
}

static void
what_is_no_mail_home_is_refused(void **state)
{
	static const char *const paths[] = { "/", "//", "/home", "/tmp/..",
		"/tmp/../x/y", "/tmp/./a", "relative/x" };
	struct vmail_fixperms fix = { .dry_run = true };
	struct vmail_fixperms_home h = {
		.user = { MAIL, MAIL }, .owner = { MAIL, MAIL }, .root = "/"
	};
	struct fixture f;
	struct run r;
	char path[256];

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		h.path = paths[i];
		vmail_fixperms_home(&fix, &h);
		assert_int_equal(fix.left, i + 1);
	}
	assert_int_equal(fix.changed, 0);
	furnish(&f, &r);
	file(&f, "mail/d/mbox", OLD, 0644);
	mend(&r, &f, "mail/d/mbox", MAIL);
	assert_told(&r, "left /mail/d/mbox: a component is not a directory");
	is(&f, "mail/d/mbox", OLD, OLD + 1, 0644);
	assert_int_equal(symlink("ann", in_dir(&f, "mail/d/link", path)), 0);
	mend(&r, &f, "mail/d/link", MAIL);
	assert_told(&r, "left /mail/d/link: a component is a symbolic link");
	mend(&r, &f, "mail/d/nobody", MAIL);
	assert_told(&r, "missing /mail/d/nobody: not there yet");
	assert_int_equal(r.fix.missing, 1);
	assert_int_equal(r.fix.left, 0);
	end(&f);
}

static void
homes_of_others_below_are_left_alone(void **state)
{
	struct fixture f;
	struct run r;
	char paths[2][256];
	const char *others[2];

	(void)state;
	furnish(&f, &r);
	folder(&f, "mail/d/ann/sub", OWN, 0700);
	file(&f, "mail/d/ann/sub/1", OWN, 0600);
	folder(&f, "mail/d/ann/cur/deep", OWN, 0700);
	others[0] = in_dir(&f, "mail/d/ann/cur/deep", paths[0]);
	others[1] = in_dir(&f, "mail/d/ann/sub", paths[1]);
	r.home.others = others;
	r.home.nothers = 2;
	mend(&r, &f, "mail/d/ann", MAIL);
	assert_string_equal(r.told.text, "");
	is(&f, "mail/d/ann/sub/1", OWN, OWN + 1, 0600);
	end(&f);
}

/* A user who does nothing but swap names: pairs of something of his own and
 * something that leads to root's. */
struct swapper {
	struct fixture f;
	struct run r;
	pid_t pid;
	unsigned long *swaps; /* shared */
	int fd[2];	      /* of his own files, for modes to be mended */
};

static void
unmend(const struct swapper *s)
{
	(void)fchmod(s->fd[0], 0400);
	(void)fchmod(s->fd[1], 0400);
}

static void
swap(const struct swapper *s)
{
	static const char *const pairs[][2] = { { "d", "dlink" },
		{ "f", "flink" }, { "g", "ghard" } };
	char path[256];
	int home =
	    open(in_dir(&s->f, "mail/d/ann", path), O_RDONLY | O_DIRECTORY);

	if (home < 0 || setresgid(MAIL, MAIL, MAIL) != 0 ||
	    setresuid(MAIL, MAIL, MAIL) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1)
		_exit(99);
	for (;;) {
		for (size_t i = 0; i < 3; i++)
			if (renameat2(home, pairs[i][0], home, pairs[i][1],
				RENAME_EXCHANGE) != 0)
				_exit(98);
		unmend(s);
		++*s->swaps;
	}
}

static void
start_swapping(struct swapper *s)
{
	char path[256], target[256];

	furnish(&s->f, &s->r);
	folder(&s->f, "victim", 0, 0755);
	file(&s->f, "victim/file", 0, 0644);
	file(&s->f, "victim/hard", 0, 0400);
	folder(&s->f, "mail/d/ann/d", MAIL, 0700);
	file(&s->f, "mail/d/ann/d/file", MAIL, 0400);
	file(&s->f, "mail/d/ann/f", MAIL, 0400);
	file(&s->f, "mail/d/ann/g", MAIL, 0400);
	assert_int_equal(symlink(in_dir(&s->f, "victim", target),
			     in_dir(&s->f, "mail/d/ann/dlink", path)),
	    0);
	assert_int_equal(symlink(in_dir(&s->f, "victim/file", target),
			     in_dir(&s->f, "mail/d/ann/flink", path)),
	    0);
	assert_int_equal(link(in_dir(&s->f, "victim/hard", target),
			     in_dir(&s->f, "mail/d/ann/ghard", path)),
	    0);
	s->fd[0] = open(in_dir(&s->f, "mail/d/ann/f", path), O_RDONLY);
	s->fd[1] = open(in_dir(&s->f, "mail/d/ann/g", path), O_RDONLY);
	s->swaps = mmap(NULL, sizeof(*s->swaps), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->fd[0] >= 0 && s->fd[1] >= 0 && s->swaps != MAP_FAILED);
	s->pid = fork();
	if (s->pid == 0)
		swap(s);
	assert_true(s->pid > 0);
	while (*(volatile unsigned long *)s->swaps == 0)
		(void)sched_yield();
}

static void
who_swaps_names_while_root_walks_gains_nothing(void **state)
{
	struct swapper s;
	unsigned long before;
	int status;

	(void)state;
	start_swapping(&s);
	before = *s.swaps;
	for (int i = 0; i < WALKS; i++) {
		mend(&s.r, &s.f, "mail/d/ann", MAIL);
		is(&s.f, "victim", 0, 1, 0755);
		is(&s.f, "victim/file", 0, 1, 0644);
		is(&s.f, "victim/hard", 0, 1, 0400);
		/* Something to be mended, wherever it is by now. */
		unmend(&s);
	}
	assert_true(*s.swaps > before);
	assert_int_equal(waitpid(s.pid, &status, WNOHANG), 0);
	assert_int_equal(kill(s.pid, SIGKILL), 0);
	assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
	(void)munmap(s.swaps, sizeof(*s.swaps));
	close(s.fd[0]);
	close(s.fd[1]);
	end(&s.f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_differs_is_touched),
		cmocka_unit_test(a_dry_run_tells_the_same_and_changes_nothing),
		cmocka_unit_test(modes_that_are_merely_unusual_stay),
		cmocka_unit_test(
		    a_setuid_file_is_never_given_away_with_its_bits),
		cmocka_unit_test(
		    no_link_is_followed_and_its_own_owner_is_mended),
		cmocka_unit_test(
		    a_hard_link_is_told_of_and_left_unless_it_is_right),
		cmocka_unit_test(pipes_are_given_and_devices_are_left),
		cmocka_unit_test(
		    a_home_may_be_a_mount_but_none_below_it_is_entered),
		cmocka_unit_test(however_deep_it_is_it_is_mended),
		cmocka_unit_test(
		    below_the_folder_of_all_mail_a_home_may_have_been_anybodys),
		cmocka_unit_test(folders_above_open_only_for_who_must_pass),
		cmocka_unit_test(
		    a_folder_of_the_systems_is_told_of_in_dovecots_manner),
		cmocka_unit_test(a_strangers_folder_on_the_way_is_refused),
		cmocka_unit_test(
		    the_folder_of_all_mail_is_roots_or_some_number_of_the_owners),
		cmocka_unit_test(elsewhere_a_home_must_be_theirs_already),
		cmocka_unit_test(what_is_no_mail_home_is_refused),
		cmocka_unit_test(homes_of_others_below_are_left_alone),
		cmocka_unit_test(
		    who_swaps_names_while_root_walks_gains_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
