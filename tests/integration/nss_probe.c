/*
 * Asks libnss_vmail.so.2 what getent cannot, as a guest in a foreign program.
 *   nss_probe [-c DIR] [-n INSIDE:OUTSIDE:COUNT,...] LIBRARY WHAT [ARG...]
 * -c: in a chroot; -n: in a user namespace with that map, each further one
 * inside the last. The library is loaded before either. WHAT is below, in the
 * table at the end; a rule that is broken is said on stderr, and the exit
 * status is 1.
 */
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { BUFFER = 4096, KEPT = 4242, UNSET = -7, THREADS = 64 };
enum { VMAIL_RECORDS = 2048 }; /* where the records of a map begin */

static struct {
	enum nss_status (*getpwnam)(
	    const char *, struct passwd *, char *, size_t, int *);
	enum nss_status (*getpwuid)(
	    uid_t, struct passwd *, char *, size_t, int *);
	enum nss_status (*setpwent)(int);
	enum nss_status (*getpwent)(struct passwd *, char *, size_t, int *);
	enum nss_status (*endpwent)(void);
	enum nss_status (*getgrnam)(
	    const char *, struct group *, char *, size_t, int *);
	enum nss_status (*getgrgid)(
	    gid_t, struct group *, char *, size_t, int *);
	enum nss_status (*setgrent)(int);
	enum nss_status (*getgrent)(struct group *, char *, size_t, int *);
	enum nss_status (*endgrent)(void);
	enum nss_status (*initgroups)(
	    const char *, gid_t, long *, long *, gid_t **, long, int *);
} nss;

/* One question: "name", "uid", "group", "gid" or "next", and its argument. */
struct ask {
	const char *kind, *arg;
	char *buf;
	size_t size;
	int *errnop;
	/* The answer. */
	enum nss_status status;
	struct passwd pw;
	struct group gr;
};

static void
load(const char *path)
{
	static const struct {
		const char *name;
		void *to;
	} all[] = { { "getpwnam_r", &nss.getpwnam },
		{ "getpwuid_r", &nss.getpwuid }, { "setpwent", &nss.setpwent },
		{ "getpwent_r", &nss.getpwent }, { "endpwent", &nss.endpwent },
		{ "getgrnam_r", &nss.getgrnam },
		{ "getgrgid_r", &nss.getgrgid }, { "setgrent", &nss.setgrent },
		{ "getgrent_r", &nss.getgrent }, { "endgrent", &nss.endgrent },
		{ "initgroups_dyn", &nss.initgroups } };
	void *library = dlopen(path, RTLD_NOW);

	if (library == NULL)
		errx(1, "%s", dlerror());
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char name[64];
		void *symbol;

		(void)snprintf(
		    name, sizeof(name), "_nss_vmail_%s", all[i].name);
		symbol = dlsym(library, name);
		if (symbol == NULL)
			errx(1, "%s", dlerror());
		memcpy(all[i].to, &symbol, sizeof(symbol));
	}
}

static bool
is(const struct ask *a, const char *kind)
{
	return strcmp(a->kind, kind) == 0;
}

static bool
is_group(const struct ask *a)
{
	return is(a, "group") || is(a, "gid");
}

static void
put(struct ask *a)
{
	unsigned id = (unsigned)strtoul(a->arg, NULL, 10);

	if (is(a, "name"))
		a->status =
		    nss.getpwnam(a->arg, &a->pw, a->buf, a->size, a->errnop);
	else if (is(a, "uid"))
		a->status =
		    nss.getpwuid(id, &a->pw, a->buf, a->size, a->errnop);
	else if (is(a, "group"))
		a->status =
		    nss.getgrnam(a->arg, &a->gr, a->buf, a->size, a->errnop);
	else if (is(a, "gid"))
		a->status =
		    nss.getgrgid(id, &a->gr, a->buf, a->size, a->errnop);
	else if (is(a, "next"))
		a->status = nss.getpwent(&a->pw, a->buf, a->size, a->errnop);
	else if (is(a, "nothing"))
		a->status = nss.setgrent(0);
	else
		errx(2, "%s: no such question", a->kind);
}

/* A marker between the system calls that strace shows. */
static void
mark(const char *name)
{
	(void)access(name, F_OK);
}

static unsigned
open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What holds of every call, whatever it is about. */
static void
put_by_the_rules(struct ask *a)
{
	unsigned before = open_files();
	int number = UNSET;

	a->errnop = &number;
	mark("/asking");
	errno = KEPT;
	put(a);
	if (errno != KEPT)
		errx(1, "errno was not preserved: %d", errno);
	mark("/asked");
	if (a->status == NSS_STATUS_SUCCESS && number != UNSET)
		errx(1, "errnop written on success");
	if (a->status != NSS_STATUS_SUCCESS && number <= 0)
		errx(1, "errnop is %d on failure", number);
	if (number == ERANGE && a->status != NSS_STATUS_TRYAGAIN)
		errx(1, "ERANGE with another status than TRYAGAIN");
	if (number == EINVAL)
		errx(1, "EINVAL, which Dovecot takes for an unknown user");
	if (open_files() != before)
		errx(1, "a descriptor was left open, or closed");
	errno = number == UNSET ? 0 : number;
}

static const char *
status_name(enum nss_status status)
{
	switch (status) {
	case NSS_STATUS_SUCCESS:
		return "SUCCESS";
	case NSS_STATUS_NOTFOUND:
		return "NOTFOUND";
	case NSS_STATUS_UNAVAIL:
		return "UNAVAIL";
	case NSS_STATUS_TRYAGAIN:
		return "TRYAGAIN";
	case NSS_STATUS_RETURN:
		break;
	}
	return "RETURN";
}

static void
say(const struct ask *a)
{
	const char *why = strerrorname_np(errno);

	if (a->status != NSS_STATUS_SUCCESS)
		printf("%s %s\n", status_name(a->status), why);
	else if (is_group(a))
		printf("%s:%s:%u:%s\n", a->gr.gr_name, a->gr.gr_passwd,
		    a->gr.gr_gid, a->gr.gr_mem[0] == NULL ? "" : "?");
	else
		printf("%s:%s:%u:%u:%s:%s:%s\n", a->pw.pw_name, a->pw.pw_passwd,
		    a->pw.pw_uid, a->pw.pw_gid, a->pw.pw_gecos, a->pw.pw_dir,
		    a->pw.pw_shell);
}

static void
ask_and_say(const char *kind, const char *arg)
{
	char buf[BUFFER];
	struct ask a = {
		.kind = kind, .arg = arg, .buf = buf, .size = sizeof(buf)
	};

	put_by_the_rules(&a);
	say(&a);
}

/* ask KIND ARG...: each answer on a line of its own. */
static void
do_ask(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		ask_and_say(argv[0], argv[i]);
}

/* errnop KIND ARG: as glibc asks, with errno's own address. */
static void
do_errnop(int argc, char **argv)
{
	char buf[BUFFER];
	struct ask a = { .kind = argv[0],
		.arg = argv[argc - 1],
		.buf = buf,
		.size = sizeof(buf),
		.errnop = &errno };

	errno = KEPT;
	put(&a);
	if (a.status == NSS_STATUS_SUCCESS && errno != KEPT)
		errx(1, "errno was not preserved: %d", errno);
	say(&a);
}

/* long LENGTH: a name of that many bytes. */
static void
do_long(int argc, char **argv)
{
	static char name[1 << 20];

	memset(name, 'x', strtoul(argv[argc - 1], NULL, 10));
	ask_and_say("name", name);
}

static bool
inside(const struct ask *a, const char *s)
{
	return s >= a->buf && s + strlen(s) < a->buf + a->size;
}

static bool
strings_inside(const struct ask *a)
{
	if (is_group(a))
		return inside(a, a->gr.gr_name) && inside(a, a->gr.gr_passwd) &&
		       (char *)a->gr.gr_mem >= a->buf &&
		       (char *)(a->gr.gr_mem + 1) <= a->buf + a->size &&
		       (uintptr_t)a->gr.gr_mem % alignof(char *) == 0 &&
		       a->gr.gr_mem[0] == NULL;
	return inside(a, a->pw.pw_name) && inside(a, a->pw.pw_passwd) &&
	       inside(a, a->pw.pw_gecos) && inside(a, a->pw.pw_dir) &&
	       inside(a, a->pw.pw_shell);
}

static size_t
needed(const struct ask *a)
{
	if (is_group(a))
		return -(uintptr_t)a->buf % alignof(char *) + sizeof(char *) +
		       strlen(a->gr.gr_name) + strlen(a->gr.gr_passwd) + 2;
	return strlen(a->pw.pw_name) + strlen(a->pw.pw_passwd) +
	       strlen(a->pw.pw_gecos) + strlen(a->pw.pw_dir) +
	       strlen(a->pw.pw_shell) + 5;
}

static bool
untouched(const unsigned char *from, const unsigned char *to)
{
	while (from < to && *from == 0xA5)
		from++;
	return from >= to;
}

static void
one_length(struct ask *a, unsigned char *arena, size_t want)
{
	unsigned char *buf = (unsigned char *)a->buf;

	memset(arena, 0xA5, BUFFER);
	memset(&a->pw, 0x5A, sizeof(a->pw));
	memset(&a->gr, 0x5A, sizeof(a->gr));
	put_by_the_rules(a);
	if (!untouched(arena, buf) || !untouched(buf + a->size, arena + BUFFER))
		errx(1, "length %zu: bytes beyond the buffer", a->size);
	if (a->size >= want) {
		if (a->status != NSS_STATUS_SUCCESS || !strings_inside(a))
			errx(1, "length %zu: %s", a->size,
			    status_name(a->status));
		return;
	}
	if (a->status != NSS_STATUS_TRYAGAIN || errno != ERANGE)
		errx(1, "length %zu: %s, errno %d", a->size,
		    status_name(a->status), errno);
	if (!untouched((unsigned char *)&a->pw, (unsigned char *)&a->pw) ||
	    a->pw.pw_uid != 0x5A5A5A5A || a->gr.gr_gid != 0x5A5A5A5A)
		errx(1, "length %zu: the struct was written", a->size);
}

/* lengths KIND ARG: every buffer length at every alignment. */
static void
do_lengths(int argc, char **argv)
{
	static _Alignas(16) unsigned char arena[BUFFER];
	struct ask a = { .kind = argv[0], .arg = argv[argc - 1] };

	for (size_t shift = 16; shift < 32; shift++) {
		size_t want;

		a.buf = (char *)arena + shift;
		a.size = BUFFER - 64;
		put_by_the_rules(&a);
		if (a.status != NSS_STATUS_SUCCESS)
			errx(1, "%s", status_name(a.status));
		want = needed(&a);
		for (a.size = 0; a.size <= want + 32; a.size++)
			one_length(&a, arena, want);
		if (shift == 16)
			printf("%zu\n", want);
	}
}

/* initgroups USER: the caller's list stays as it is. */
static void
do_initgroups(int argc, char **argv)
{
	gid_t list[4] = { 5000, 1, 2, 3 }, *groups = list;
	long start = 1, size = 4;
	struct ask a = { .kind = "initgroups" };
	int number = 0;

	a.status = nss.initgroups(
	    argv[argc - 1], 5000, &start, &size, &groups, -1, &number);
	if (start != 1 || size != 4 || groups != list || list[1] != 1)
		errx(1, "the list was changed");
	errno = number;
	say(&a);
}

/* An allocator that can be told to end the program. */
static _Alignas(16) char heap[1 << 22];
static size_t heap_used;
static volatile bool heap_forbidden;

void *
malloc(size_t n)
{
	char *p;

	if (heap_forbidden) {
		(void)!write(2, "malloc\n", 7);
		_exit(1);
	}
	n = (n + 31) & ~(size_t)15;
	if (n > sizeof(heap) - heap_used)
		return NULL;
	p = heap + heap_used + 16;
	memcpy(p - 16, &n, sizeof(n));
	heap_used += n;
	return p;
}

void
free(void *p)
{
	(void)p;
	if (heap_forbidden) {
		(void)!write(2, "free\n", 5);
		_exit(1);
	}
}

void *
calloc(size_t n, size_t size)
{
	void *p = malloc(n * size);

	return p == NULL ? NULL : memset(p, 0, n * size);
}

void *
realloc(void *old, size_t n)
{
	void *p = malloc(n);
	size_t had;

	if (old == NULL || p == NULL)
		return p;
	memcpy(&had, (char *)old - 16, sizeof(had));
	return memcpy(p, old, had - 16 < n ? had - 16 : n);
}

/* noheap NAME UID GROUP GID: all functions under a malloc that ends us. */
static void
do_noheap(int argc, char **argv)
{
	static const char *const kinds[] = { "name", "uid", "group", "gid" };
	char buf[BUFFER];
	gid_t list[4] = { 0 }, *groups = list;
	long start = 1, size = 4;
	int number;

	heap_forbidden = true;
	for (int i = 0; i < argc && i < 4; i++) {
		struct ask a = { .kind = kinds[i],
			.arg = argv[i],
			.buf = buf,
			.size = sizeof(buf),
			.errnop = &number };

		put(&a);
		if (a.status != NSS_STATUS_SUCCESS)
			_exit(2);
	}
	nss.setpwent(0);
	for (struct passwd pw; nss.getpwent(&pw, buf, sizeof(buf), &number) ==
			       NSS_STATUS_SUCCESS;)
		;
	nss.endpwent();
	nss.setgrent(0);
	nss.getgrent(&(struct group){ 0 }, buf, sizeof(buf), &number);
	nss.endgrent();
	nss.initgroups(argv[0], 1, &start, &size, &groups, -1, &number);
	heap_forbidden = false;
	puts("never");
}

/* A painted stack of its own for one call. */
enum { STACK = 131072 };
static _Alignas(64) unsigned char stack[STACK];
static ucontext_t here, there;
static struct ask on_stack;
static int on_stack_errno;

static void
one_call(void)
{
	put(&on_stack);
}

static size_t
painted(void)
{
	size_t clean = 0;

	memset(stack, 0xA7, STACK);
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = STACK;
	there.uc_link = &here;
	makecontext(&there, one_call, 0);
	swapcontext(&here, &there);
	while (clean < STACK && stack[clean] == 0xA7)
		clean++;
	return STACK - clean;
}

/* stack KIND ARG [SECRET]: bytes of stack that the call touched; SECRET must
 * not lie there afterwards. */
static void
do_stack(int argc, char **argv)
{
	static char buf[BUFFER];
	struct ask asked;
	size_t used;
	int number;

	on_stack = (struct ask){ .kind = argv[0],
		.arg = argv[1],
		.buf = buf,
		.size = sizeof(buf),
		.errnop = &on_stack_errno };
	put(&on_stack);
	used = painted();
	if (argc > 2 && memmem(stack, STACK, argv[2], strlen(argv[2])) != NULL)
		errx(1, "the secret lies on the stack");
	asked = on_stack;
	number = on_stack_errno;
	on_stack.kind = "nothing";
	printf("%zu ", used - painted());
	errno = number;
	say(&asked);
}

/* Threads that ask until standard input ends. */
static atomic_bool done;
static atomic_ulong answers;
static char **thread_names;
static int thread_count;

static void *
one_thread(void *unused)
{
	unsigned long n = 0;

	(void)unused;
	while (!atomic_load(&done)) {
		char buf[BUFFER], want[64];
		int number = 0;
		struct ask a = { .kind = "name",
			.arg = thread_names[n++ % (unsigned)thread_count],
			.buf = buf,
			.size = sizeof(buf),
			.errnop = &number };

		put(&a);
		if (a.status != NSS_STATUS_SUCCESS)
			errx(1, "%s: %s %s", a.arg, status_name(a.status),
			    strerrorname_np(number));
		/* Of every version of the file: home and gecos agree. */
		(void)snprintf(want, sizeof(want), "/srv/%s", a.pw.pw_gecos);
		if (strcmp(a.pw.pw_name, a.arg) != 0 ||
		    strcmp(a.pw.pw_dir, want) != 0)
			errx(1, "torn: %s, not %s", a.pw.pw_dir, want);
		atomic_fetch_add(&answers, 1);
		(void)usleep(2000); /* the machine is for others too */
	}
	return NULL;
}

static void
start_threads(pthread_t thread[], int n)
{
	pthread_attr_t attr;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < n; i++) {
		if (pthread_create(&thread[i], &attr, one_thread, NULL) != 0)
			errx(1, "pthread_create");
	}
}

static void
end_threads(pthread_t thread[], int n)
{
	atomic_store(&done, true);
	for (int i = 0; i < n; i++)
		(void)pthread_join(thread[i], NULL);
}

/* threads NAME...: 64 of them. */
static void
do_threads(int argc, char **argv)
{
	pthread_t thread[THREADS];
	char c;

	thread_names = argv;
	thread_count = argc;
	start_threads(thread, THREADS);
	while (read(0, &c, 1) > 0)
		;
	end_threads(thread, THREADS);
	printf("%s\n", atomic_load(&answers) >= THREADS ? "many" : "few");
}

static int
in_child(char *name)
{
	char buf[BUFFER];
	int number;
	struct ask a = { .kind = "name",
		.arg = name,
		.buf = buf,
		.size = sizeof(buf),
		.errnop = &number };

	(void)alarm(20);
	put(&a);
	if (a.status != NSS_STATUS_SUCCESS)
		return 1;
	/* The holder of its lock may be a thread that is not here. */
	a.status = nss.getpwent(&a.pw, buf, sizeof(buf), &number);
	if (a.status != NSS_STATUS_SUCCESS && a.status != NSS_STATUS_NOTFOUND)
		return 1;
	return nss.endpwent() != NSS_STATUS_SUCCESS;
}

static void *
one_walker(void *unused)
{
	char buf[BUFFER];
	struct passwd pw;
	int number;

	(void)unused;
	while (!atomic_load(&done)) {
		if (nss.getpwent(&pw, buf, sizeof(buf), &number) !=
		    NSS_STATUS_SUCCESS)
			(void)nss.endpwent();
	}
	return NULL;
}

/* fork NAME: children of a program whose threads are in the middle of it. */
static void
do_fork(int argc, char **argv)
{
	pthread_t thread[4], walker;
	int failed = 0;

	thread_names = argv;
	thread_count = argc;
	start_threads(thread, 4);
	if (pthread_create(&walker, NULL, one_walker, NULL) != 0)
		errx(1, "pthread_create");
	for (int i = 0; i < 200; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			_exit(in_child(argv[0]));
		(void)waitpid(pid, &status, 0);
		failed += status != 0;
	}
	end_threads(thread, 4);
	(void)pthread_join(walker, NULL);
	printf("%d of 200 failed\n", failed);
}

static enum nss_status
next_name(size_t size)
{
	char buf[BUFFER];
	int number = UNSET;
	struct ask a = { .kind = "next",
		.arg = "",
		.buf = buf,
		.size = size,
		.errnop = &number };

	errno = KEPT;
	put(&a);
	if (errno != KEPT)
		errx(1, "errno was not preserved");
	errno = number;
	if (a.status == NSS_STATUS_SUCCESS)
		puts(a.pw.pw_name);
	else
		printf(
		    "%s %s\n", status_name(a.status), strerrorname_np(number));
	return a.status;
}

static void
rest_of_walk(void)
{
	while (next_name(BUFFER) == NSS_STATUS_SUCCESS)
		;
}

static void
wait_for_line(void)
{
	char c = 0;

	(void)fflush(stdout);
	while (c != '\n' && read(0, &c, 1) == 1)
		;
}

/* All descriptors closed, and others opened that get their numbers. */
static void
take_descriptors(void)
{
	for (int fd = 3; fd < 64; fd++)
		(void)close(fd);
	for (int fd = 3; fd < 16; fd++)
		(void)open("/dev/null", O_RDONLY);
}

static void
still_mine(void)
{
	struct stat st;

	for (int fd = 3; fd < 16; fd++) {
		if (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode))
			errx(1, "descriptor %d is not mine any more", fd);
	}
}

/* walk STEP...: getpwent, step by step. */
static void
do_walk(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *step = argv[i];

		if (strcmp(step, "next") == 0)
			(void)next_name(BUFFER);
		else if (strcmp(step, "small") == 0)
			(void)next_name(8);
		else if (strcmp(step, "rest") == 0)
			rest_of_walk();
		else if (strcmp(step, "set") == 0)
			printf("set %s\n", status_name(nss.setpwent(0)));
		else if (strcmp(step, "end") == 0)
			printf("end %s\n", status_name(nss.endpwent()));
		else if (strcmp(step, "wait") == 0)
			wait_for_line();
		else if (strcmp(step, "take") == 0)
			take_descriptors();
		else if (strcmp(step, "mine") == 0)
			still_mine();
		else
			ask_and_say("name", step);
	}
	(void)nss.endpwent();
}

static size_t
slurp(const char *path, unsigned char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size);

	if (n <= 0)
		err(1, "%s", path);
	(void)close(fd);
	return (size_t)n;
}

static void
replace(const char *path, const unsigned char *from, size_t n)
{
	char made[256];
	int fd;

	(void)snprintf(made, sizeof(made), "%s.probe", path);
	fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, from, n) != (ssize_t)n || close(fd) != 0 ||
	    rename(made, path) != 0)
		err(1, "%s", made);
}

/* Every kind of lookup of a map that may be damaged: no crash, and a user who
 * is there is never unknown. */
static void
all_lookups(char *name, bool sound_records)
{
	static _Alignas(16) unsigned char arena[BUFFER];
	static const struct {
		const char *kind, *arg;
	} others[] = { { "uid", "5123" }, { "uid", "5000" },
		{ "group", "vmail" }, { "gid", "5000" },
		{ "name", "nobody@example.org" } };
	struct ask a = { .kind = "name",
		.arg = name,
		.buf = (char *)arena + 16,
		.size = BUFFER - 32 };

	memset(arena, 0xA5, BUFFER);
	put_by_the_rules(&a);
	if (sound_records && a.status == NSS_STATUS_NOTFOUND)
		errx(1, "%s: unknown", name);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		a.kind = others[i].kind;
		a.arg = others[i].arg;
		put_by_the_rules(&a);
	}
	for (int i = 0; i < 16; i++) {
		int number;

		if (nss.getpwent(&a.pw, a.buf, a.size, &number) !=
		    NSS_STATUS_SUCCESS)
			break;
	}
	(void)nss.endpwent();
	if (!untouched(arena, arena + 16) ||
	    !untouched(arena + BUFFER - 16, arena + BUFFER))
		errx(1, "bytes beyond the buffer");
}

/* truncated MAP NAME: cut at every length. */
static void
do_truncated(int argc, char **argv)
{
	static unsigned char map[65536];
	size_t n = slurp(argv[0], map, sizeof(map));

	for (size_t cut = 0; cut < n; cut += cut < 4000 ? 61 : 3) {
		replace(argv[0], map, cut);
		all_lookups(argv[argc - 1], true);
	}
	puts("no crash");
}

/* damaged MAP NAME: bytes and lengths that are any. */
static void
do_damaged(int argc, char **argv)
{
	static unsigned char map[65536], bad[65536];
	size_t n = slurp(argv[0], map, sizeof(map));

	srandom(1);
	for (int i = 0; i < 3000; i++) {
		size_t from = i % 2 == 0 ? 0 : VMAIL_RECORDS;

		memcpy(bad, map, n);
		for (long k = random() % 8; k >= 0; k--) {
			size_t at = from + (size_t)random() % (n - from);

			bad[at] =
			    (unsigned char)(random() % 3 == 0 ? 0xff
							      : random() % 256);
		}
		replace(argv[0], bad, n);
		all_lookups(argv[argc - 1], false);
	}
	puts("no crash");
}

/* rewritten FILE NAME: while FILE has the lock of who writes it in place. */
static void
do_rewritten(int argc, char **argv)
{
	struct flock byte = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = 1,
		.l_len = 1 };
	int fd = open(argv[0], O_RDWR | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &byte) != 0)
		err(1, "%s", argv[0]);
	ask_and_say("name", argv[argc - 1]);
}

/* Is it what was answered before? */
static void
same_answer(const struct passwd *was, const struct passwd *is)
{
	if (was->pw_uid != is->pw_uid || was->pw_gid != is->pw_gid ||
	    strcmp(was->pw_name, is->pw_name) != 0 ||
	    strcmp(was->pw_dir, is->pw_dir) != 0)
		errx(1, "%s became %s with uid %u in %s", was->pw_name,
		    is->pw_name, is->pw_uid, is->pw_dir);
}

/* until FILE NAME: asks for it until FILE is there, and says how often it was
 * answered how; every answer must be the first one's. */
static void
do_until(int argc, char **argv)
{
	unsigned times[5] = { 0 };
	char first_buf[BUFFER], buf[BUFFER];
	struct ask first = { .kind = "name",
		.arg = argv[argc - 1],
		.buf = first_buf,
		.size = sizeof(first_buf) };
	struct ask a = first;

	a.buf = buf;
	put_by_the_rules(&first);
	if (first.status != NSS_STATUS_SUCCESS)
		errx(1, "%s: unknown to begin with", first.arg);
	do {
		put_by_the_rules(&a);
		if (a.status == NSS_STATUS_SUCCESS)
			same_answer(&first.pw, &a.pw);
		times[a.status + 2]++;
	} while (access(argv[0], F_OK) != 0);
	for (int i = 0; i < 5; i++)
		if (times[i] > 0)
			printf("%s %u\n", status_name(i - 2), times[i]);
}

static const struct {
	const char *name;
	void (*run)(int argc, char **argv);
	int least;
} verbs[] = { { "ask", do_ask, 2 }, { "errnop", do_errnop, 2 },
	{ "long", do_long, 1 }, { "lengths", do_lengths, 2 },
	{ "initgroups", do_initgroups, 1 }, { "noheap", do_noheap, 4 },
	{ "stack", do_stack, 2 }, { "threads", do_threads, 1 },
	{ "fork", do_fork, 1 }, { "walk", do_walk, 1 },
	{ "until", do_until, 2 }, { "rewritten", do_rewritten, 2 },
	{ "truncated", do_truncated, 2 }, { "damaged", do_damaged, 2 } };

/* The parent writes the maps of the child's new namespace. */
static void
write_map(pid_t pid, const char *file, const char *ranges)
{
	char path[64], text[256];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	(void)snprintf(text, sizeof(text), "%s", ranges);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == ':' ? ' ' : *p == ',' ? '\n' : *p;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	(void)close(fd);
}

static void
enter_namespace(const char *ranges)
{
	int ready[2], go[2], status;
	char c = 0;
	pid_t pid;

	if (pipe(ready) != 0 || pipe(go) != 0)
		err(1, "pipe");
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) != 0)
			err(1, "unshare");
		(void)!write(ready[1], &c, 1);
		(void)!read(go[0], &c, 1);
		return;
	}
	(void)!read(ready[0], &c, 1);
	write_map(pid, "uid_map", ranges);
	write_map(pid, "gid_map", ranges);
	(void)!write(go[1], &c, 1);
	(void)waitpid(pid, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int
main(int argc, char **argv)
{
	const char *root = NULL, *ranges[4];
	int c, depth = 0;

	while ((c = getopt(argc, argv, "+c:n:")) != -1) {
		if (c == 'c')
			root = optarg;
		else if (c == 'n' && depth < 4)
			ranges[depth++] = optarg;
		else
			return 2;
	}
	argc -= optind + 2;
	argv += optind;
	if (argc < 0)
		return 2;
	load(argv[0]);
	for (int i = 0; i < depth; i++)
		enter_namespace(ranges[i]);
	if (root != NULL && (chroot(root) != 0 || chdir("/") != 0))
		err(1, "%s", root);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0 &&
		    argc >= verbs[i].least) {
			verbs[i].run(argc, argv + 2);
			return 0;
		}
	}
	errx(2, "%s: no such verb, or too few arguments", argv[1]);
}
