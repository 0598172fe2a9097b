/*
 * A host program for pam_vmail.so: does one login step after another and
 * prints what came back, and what the module did to its host.
 *
 *   pam_client [-c CONFDIR] [-a ANSWERS] [-l LOG] [-r RHOST] [-u UID]
 *              [-p USER] [-t] [-2] [-e FILE] SERVICE USER STEP...
 *
 * ANSWERS: one line for each question that is asked; \n \t \e \\ stand for
 * the byte, @none for no answer, @fail for a conversation that fails;
 * @run=COMMAND runs it and goes on to the next line. Without lines left, the
 * conversation fails. LOG takes what goes to syslog. -u: the
 * real uid (the effective one stays). -t: on a thread of 64 KiB. -2: on two
 * threads with a handle each. -p: answers the question for the user (USER is
 * then -). -e: again and again, each time with a handle of its own, until FILE
 * is there; prints "CODE COUNT" of the last step. STEP is a function without
 * pam_: authenticate setcred acct_mgmt open_session close_session chauthtok
 * chauthtok:expired chauthtok:silent; or `user=NAME`.
 */
#include <crypt.h>
#include <dirent.h>
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int log_fd = -1;
static _Thread_local unsigned hashes;
static _Thread_local bool delayed;

/* What libpam and the module call instead of libc, libcrypt, libsodium. */

void __syslog_chk(int priority, int flag, const char *format, ...);

static void
log_line(int priority, const char *format, va_list args)
{
	char text[8192];
	int n = snprintf(text, sizeof(text), "<%d> ", priority & 7);

	n += vsnprintf(text + n, sizeof(text) - (size_t)n - 1, format, args);
	strcat(text, "\n");
	if (log_fd >= 0 && write(log_fd, text, strlen(text)) < 0)
		err(1, "log");
}

void
__syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	log_line(priority, format, args);
	va_end(args);
}

void
syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(priority, format, args);
	va_end(args);
}

static void *
real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		errx(1, "%s", dlerror());
	return f;
}

char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	char *(*f)(const char *, const char *, void *, int) = real("crypt_rn");

	hashes++;
	return f(phrase, setting, data, size);
}

int
crypto_pwhash_str_verify(const char hash[crypto_pwhash_STRBYTES],
    const char *const password, unsigned long long n)
{
	int (*f)(const char *, const char *, unsigned long long) =
	    real("crypto_pwhash_str_verify");

	hashes++;
	return f(hash, password, n);
}

int
crypto_pwhash_str_alg(char out[crypto_pwhash_STRBYTES],
    const char *const password, unsigned long long n, unsigned long long ops,
    size_t memory, int alg)
{
	int (*f)(char *, const char *, unsigned long long, unsigned long long,
	    size_t, int) = real("crypto_pwhash_str_alg");

	hashes++;
	return f(out, password, n, ops, memory, alg);
}

int
crypto_pwhash(unsigned char *const out, unsigned long long outlen,
    const char *const password, unsigned long long n,
    const unsigned char *const salt, unsigned long long ops, size_t memory,
    int alg)
{
	int (*f)(unsigned char *, unsigned long long, const char *,
	    unsigned long long, const unsigned char *, unsigned long long,
	    size_t, int) = real("crypto_pwhash");

	hashes++;
	return f(out, outlen, password, n, salt, ops, memory, alg);
}

/* One handle's life. */
struct run {
	const char *confdir, *service, *user, *rhost, *name;
	char **steps;
	const char *answers; /* what is left of the text */
	unsigned asked;
	int code; /* of the last step */
	char *out;
	size_t out_size;
	FILE *print;
};

static char
unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'e':
		return '\033';
	default:
		return c;
	}
}

/* The next line of the answers, its escapes undone. */
static char *
next_answer(struct run *r)
{
	size_t n = strcspn(r->answers, "\n"), used = 0;
	char *out = calloc(1, n + 1);

	if (!out)
		err(1, NULL);
	for (size_t i = 0; i < n; i++)
		out[used++] = r->answers[i] == '\\' && i + 1 < n
				  ? unescape(r->answers[++i])
				  : r->answers[i];
	r->answers += n + (r->answers[n] == '\n');
	return out;
}

/* A shell gives up an effective uid that is not the real one. */
static void
run_as_root(const char *command)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (setresuid(0, 0, 0) == 0)
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
		errx(1, "%s", command);
}

static int
answer(struct run *r, const struct pam_message *m, struct pam_response *resp)
{
	if (m->msg_style == PAM_ERROR_MSG || m->msg_style == PAM_TEXT_INFO) {
		fprintf(r->print, "says: %s\n", m->msg);
		return PAM_SUCCESS;
	}
	r->asked++;
	if (m->msg_style == PAM_PROMPT_ECHO_ON && r->name) {
		resp->resp = strdup(r->name);
		return PAM_SUCCESS;
	}
	if (*r->answers == '\0')
		return PAM_CONV_ERR;
	resp->resp = next_answer(r);
	if (strncmp(resp->resp, "@run=", 5) == 0) {
		run_as_root(resp->resp + 5);
		free(resp->resp);
		resp->resp = next_answer(r);
	}
	if (strcmp(resp->resp, "@fail") != 0 &&
	    strcmp(resp->resp, "@none") != 0)
		return PAM_SUCCESS;
	bool fail = resp->resp[1] == 'f';
	free(resp->resp);
	resp->resp = NULL;
	return fail ? PAM_CONV_ERR : PAM_SUCCESS;
}

static int
converse(
    int n, const struct pam_message **m, struct pam_response **out, void *arg)
{
	struct pam_response *resp = calloc((size_t)n, sizeof(*resp));

	if (!resp)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		int code = answer(arg, m[i], &resp[i]);
		if (code != PAM_SUCCESS) {
			free(resp);
			return code;
		}
	}
	*out = resp;
	return PAM_SUCCESS;
}

static void
delay(int code, unsigned usec, void *arg)
{
	(void)arg;
	delayed = code != PAM_SUCCESS && usec > 0;
}

static const char *
symbol(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
#define ROW(code) { code, #code }
		ROW(PAM_SUCCESS),
		ROW(PAM_OPEN_ERR),
		ROW(PAM_SYMBOL_ERR),
		ROW(PAM_SERVICE_ERR),
		ROW(PAM_SYSTEM_ERR),
		ROW(PAM_BUF_ERR),
		ROW(PAM_PERM_DENIED),
		ROW(PAM_AUTH_ERR),
		ROW(PAM_AUTHINFO_UNAVAIL),
		ROW(PAM_USER_UNKNOWN),
		ROW(PAM_SESSION_ERR),
		ROW(PAM_CONV_ERR),
		ROW(PAM_AUTHTOK_ERR),
		ROW(PAM_AUTHTOK_RECOVERY_ERR),
		ROW(PAM_AUTHTOK_LOCK_BUSY),
		ROW(PAM_TRY_AGAIN),
		ROW(PAM_IGNORE),
		ROW(PAM_ABORT),
		ROW(PAM_ACCT_EXPIRED),
		ROW(PAM_NEW_AUTHTOK_REQD),
		ROW(PAM_MODULE_UNKNOWN),
		ROW(PAM_INCOMPLETE),
		ROW(PAM_CRED_ERR),
		ROW(PAM_MAXTRIES),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "?";
}

/* All of the process that a guest must leave as it found it. */

static void
put_descriptors(FILE *f)
{
	char link[PATH_MAX];
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	if (!d)
		err(1, "/proc/self/fd");
	while ((e = readdir(d))) {
		ssize_t n;

		if (atoi(e->d_name) == dirfd(d))
			continue;
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link));
		fprintf(f, "fd %s %.*s\n", e->d_name, n < 0 ? 0 : (int)n, link);
	}
	closedir(d);
}

static void
put_signals(FILE *f)
{
	sigset_t mask;
	struct sigaction action;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &action) != 0)
			continue;
		fprintf(f, "signal %d %d %p\n", i, sigismember(&mask, i),
		    (void *)(size_t)action.sa_handler);
	}
}

static char *
host_state(void)
{
	char *text = NULL, cwd[PATH_MAX];
	size_t size;
	FILE *f = open_memstream(&text, &size);
	mode_t mask = umask(0);

	umask(mask);
	fprintf(f, "umask %o\ncwd %s\nlocale %s\nalarm %u\n", mask,
	    getcwd(cwd, sizeof(cwd)), setlocale(LC_ALL, NULL), alarm(0));
	for (char **e = environ; *e; e++)
		fprintf(f, "env %s\n", *e);
	put_signals(f);
	put_descriptors(f);
	fclose(f);
	return text;
}

static int
chauthtok(pam_handle_t *pamh, const char *how)
{
	int flags = 0;

	if (strcmp(how, ":expired") == 0)
		flags = PAM_CHANGE_EXPIRED_AUTHTOK;
	if (strcmp(how, ":silent") == 0)
		flags = (int)PAM_SILENT;
	return pam_chauthtok(pamh, flags);
}

static int
call(pam_handle_t *pamh, const char *step)
{
	if (strcmp(step, "authenticate") == 0)
		return pam_authenticate(pamh, 0);
	if (strcmp(step, "setcred") == 0)
		return pam_setcred(pamh, PAM_ESTABLISH_CRED);
	if (strcmp(step, "acct_mgmt") == 0)
		return pam_acct_mgmt(pamh, 0);
	if (strcmp(step, "open_session") == 0)
		return pam_open_session(pamh, 0);
	if (strcmp(step, "close_session") == 0)
		return pam_close_session(pamh, 0);
	if (strncmp(step, "chauthtok", 9) == 0)
		return chauthtok(pamh, step + 9);
	errx(2, "no such step: %s", step);
}

static void
do_step(struct run *r, pam_handle_t *pamh, const char *step, bool alone)
{
	char *before = NULL, *after = NULL;
	const void *user = NULL;
	int code;

	if (strncmp(step, "user=", 5) == 0) {
		pam_set_item(pamh, PAM_USER, step + 5);
		return;
	}
	r->asked = hashes = 0;
	delayed = false;
	if (alone)
		before = host_state();
	r->code = code = call(pamh, step);
	if (alone)
		after = host_state();
	pam_get_item(pamh, PAM_USER, &user);
	fprintf(r->print, "%s %s asked=%u hashes=%u delay=%s user=%s\n", step,
	    symbol(code), r->asked, hashes, delayed ? "yes" : "no",
	    user ? (const char *)user : "");
	if (alone && strcmp(before, after) != 0)
		fprintf(r->print, "host changed:\n%s---\n%s", before, after);
	free(before);
	free(after);
}

static void
live(struct run *r, bool alone)
{
	struct pam_conv conv = { converse, r };
	pam_handle_t *pamh;
	int code;

	r->print = open_memstream(&r->out, &r->out_size);
	code = pam_start_confdir(r->service, r->user, &conv, r->confdir, &pamh);
	if (code != PAM_SUCCESS)
		errx(1, "pam_start: %s", symbol(code));
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)(size_t)delay);
	if (r->rhost)
		pam_set_item(pamh, PAM_RHOST, r->rhost);
	for (char **step = r->steps; *step; step++)
		do_step(r, pamh, *step, alone);
	pam_end(pamh, code);
	fclose(r->print);
}

static void *
live_alone(void *arg)
{
	live(arg, true);
	return NULL;
}

static void *
live_together(void *arg)
{
	live(arg, false);
	return NULL;
}

static void
in_threads(struct run *runs, size_t n, void *(*how)(void *))
{
	pthread_t threads[2];
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (size_t i = 0; i < n; i++)
		if (pthread_create(&threads[i], &attr, how, &runs[i]) != 0)
			errx(1, "pthread_create");
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void
live_until(const struct run *first, const char *end)
{
	unsigned times[64] = { 0 };

	do {
		struct run r = *first;

		live(&r, false);
		free(r.out);
		times[r.code & 63]++;
	} while (access(end, F_OK) != 0);
	for (int code = 0; code < 64; code++)
		if (times[code] > 0)
			printf("%s %u\n", symbol(code), times[code]);
}

static char *
slurp(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		err(1, "%s", path);
	if (getdelim(&text, &size, '\0', f) < 0)
		text = calloc(1, 1);
	fclose(f);
	return text;
}

struct options {
	struct run run;
	const char *end;
	bool small, two;
};

static bool
take_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "+c:a:l:r:u:p:e:t2")) != -1) {
		switch (c) {
		case 'c':
			o->run.confdir = optarg;
			break;
		case 'a':
			o->run.answers = slurp(optarg);
			break;
		case 'l':
			log_fd = open(optarg,
			    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
			break;
		case 'r':
			o->run.rhost = optarg;
			break;
		case 'p':
			o->run.name = optarg;
			break;
		case 'u':
			if (setresuid((uid_t)atoi(optarg), 0, 0) != 0)
				err(1, "setresuid");
			break;
		case 'e':
			o->end = optarg;
			break;
		case 't':
			o->small = true;
			break;
		case '2':
			o->two = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = { .run = { .answers = "" } };
	struct run runs[2];

	if (!take_options(argc, argv, &o))
		return 2;
	if (argc - optind < 2)
		errx(2, "SERVICE USER STEP...");
	runs[0] = o.run;
	runs[0].service = argv[optind];
	if (strcmp(argv[optind + 1], "-") != 0)
		runs[0].user = argv[optind + 1];
	runs[0].steps = argv + optind + 2;
	runs[1] = runs[0];
	if (o.end) {
		live_until(&runs[0], o.end);
		return fflush(stdout) != 0;
	}
	if (o.two)
		in_threads(runs, 2, live_together);
	else if (o.small)
		in_threads(runs, 1, live_alone);
	else
		live(&runs[0], true);
	fputs(runs[0].out, stdout);
	if (o.two)
		fputs(runs[1].out, stdout);
	return fflush(stdout) != 0;
}
