/*
 * Asks a running Dovecot's auth process the same thing over one connection,
 * six at a time, until a file is there, and prints how often it was
 * answered how. dovecot_asker auth SOCKET END USER PASSWORD    as a login
 * process does dovecot_asker user SOCKET END USER             as a delivery
 * does "OK", "REFUSED" (no, for good: a wrong password or an unknown user),
 * "LATER" (a temporary failure), each with its number. The fields of OK must be
 * the same each time.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE = 8192, AT_ONCE = 6 };

struct asker {
	FILE *in, *out;
	unsigned long id;
	unsigned ok, refused, later;
	char first[LINE]; /* the fields of the first OK */
};

static void
dial(struct asker *a, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(to.sun_path))
		errx(1, "%s: too long", path);
	strcpy(to.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		err(1, "%s", path);
	a->in = fdopen(fd, "r");
	a->out = fdopen(dup(fd), "w");
	if (a->in == NULL || a->out == NULL)
		err(1, "%s", path);
}

static char *
next_line(struct asker *a, char line[LINE])
{
	if (fgets(line, LINE, a->in) == NULL)
		errx(1, "the server hung up");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static bool
begins(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 &&
	       (line[n] == '\t' || line[n] == '\0');
}

/* `last` ends what the server says of itself. */
static void
greet(struct asker *a, const char *version, const char *last)
{
	char line[LINE];

	fprintf(a->out, "VERSION\t%s\n", version);
	if (strcmp(last, "DONE") == 0)
		fprintf(a->out, "CPID\t%d\n", (int)getpid());
	fflush(a->out);
	while (!begins(next_line(a, line), last))
		;
}

static void
put_base64(FILE *f, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16;

		v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		fputc(digits[v >> 18], f);
		fputc(digits[v >> 12 & 63], f);
		fputc(i + 1 < n ? digits[v >> 6 & 63] : '=', f);
		fputc(i + 2 < n ? digits[v & 63] : '=', f);
	}
}

static void
ask_login(struct asker *a, const char *user, const char *password)
{
	unsigned char text[512];
	int n = snprintf(
	    (char *)text, sizeof(text), "%c%s%c%s", 0, user, 0, password);

	fprintf(a->out,
	    "AUTH\t%lu\tPLAIN\tservice=imap\tsecured\tno-penalty\t"
	    "lip=127.0.0.1\trip=127.0.0.1\tresp=",
	    ++a->id);
	put_base64(a->out, text, (size_t)n);
	fputc('\n', a->out);
}

static void
ask_user(struct asker *a, const char *user)
{
	fprintf(a->out, "USER\t%lu\t%s\tservice=lmtp\n", ++a->id, user);
}

static void
count(struct asker *a, const char *line)
{
	const char *fields = strchr(line, '\t');

	fields = fields != NULL ? strchr(fields + 1, '\t') : NULL;
	if (begins(line, "NOTFOUND")) {
		a->refused++;
	} else if (begins(line, "FAIL")) {
		/* The word for it in a login's answer; a delivery's FAIL is
		 * always for now. */
		if (strstr(line, "\tuser=") == NULL ||
		    strstr(line, "\ttemp") != NULL)
			a->later++;
		else
			a->refused++;
	} else if (begins(line, "OK") || begins(line, "USER")) {
		if (a->ok++ == 0)
			(void)snprintf(
			    a->first, LINE, "%s", fields != NULL ? fields : "");
		else if (strcmp(a->first, fields != NULL ? fields : "") != 0)
			errx(1, "after %s came %s", a->first, line);
	} else {
		errx(1, "what is %s", line);
	}
}

/* A failed login may wait for the others. */
static void
ask_and_count(struct asker *a, const char *user, const char *password)
{
	char line[LINE];

	for (int i = 0; i < AT_ONCE; i++) {
		if (password != NULL)
			ask_login(a, user, password);
		else
			ask_user(a, user);
	}
	fflush(a->out);
	for (int i = 0; i < AT_ONCE; i++)
		count(a, next_line(a, line));
}

int
main(int argc, char **argv)
{
	struct asker a = { 0 };
	bool login = argc == 6 && strcmp(argv[1], "auth") == 0;

	if (!login && !(argc == 5 && strcmp(argv[1], "user") == 0))
		errx(2, "auth SOCKET END USER PASSWORD, user SOCKET END USER");
	dial(&a, argv[2]);
	greet(&a, login ? "1\t2" : "1\t1", login ? "DONE" : "SPID");
	do
		ask_and_count(&a, argv[4], login ? argv[5] : NULL);
	while (access(argv[3], F_OK) != 0);
	printf("OK %u\nREFUSED %u\nLATER %u\n", a.ok, a.refused, a.later);
	return fflush(stdout) != 0;
}
