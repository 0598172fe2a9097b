#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/say.h"
#include "common/core/file.h"

enum { GENERATED = 20 };

static int
invalid(const char *what)
{
	return say_fail(STATUS_USAGE, "password: %s", what);
}

/*
 * Reads up to a line feed, byte by byte: what follows it belongs to somebody
 * else. One byte more than a password may have is kept, so that too long
 * shows. False: errno, or 0 at end of file with nothing read.
 */
static bool
read_line(int fd, char *line, size_t size, size_t *n)
{
	*n = 0;
	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);

		if (got < 0)
			return false;
		if (got == 0) {
			errno = 0;
			return *n > 0;
		}
		if (c == '\n')
			return true;
		if (*n < size)
			line[(*n)++] = c;
	}
}

/* The signal that stopped a question at the terminal. */
static volatile sig_atomic_t caught;

static void catch (int number)
{
	caught = number;
}

static int
no_line(const char *source)
{
	if (caught)
		return STATUS_FAILED;
	if (errno)
		return say_fail(
		    STATUS_FAILED, "%s: %s", source, strerror(errno));
	return invalid("end of file, nothing was given");
}

static int
take_line(int fd, const char *source, struct vmail_secret *out)
{
	char line[VMAIL_SECRET_MAX + 1];
	struct vmail_err err;
	size_t n;
	int status = STATUS_OK;

	if (!read_line(fd, line, sizeof(line), &n))
		status = no_line(source);
	else if (vmail_secret_set(out, line, n, &err) != VMAIL_OK)
		status = invalid(err.what);
	sodium_memzero(line, sizeof(line));
	return status;
}

static const int stopping[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
enum { STOPPING = sizeof(stopping) / sizeof(stopping[0]) };

/*
 * Asks at a terminal without echo. A signal that would stop us puts the
 * terminal right first, and is then sent again; after a stop (^Z) the
 * question is put once more.
 */
static int
at_terminal(const char *prompt, struct vmail_secret *out)
{
	struct sigaction old[STOPPING], new = { .sa_handler = catch };
	struct termios shown, hidden;
	int status;

	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return say_fail(STATUS_FAILED, "terminal: %s", strerror(errno));
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	do {
		caught = 0;
		for (size_t i = 0; i < STOPPING; i++)
			sigaction(stopping[i], &new, &old[i]);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
		dprintf(STDERR_FILENO, "%s: ", prompt);
		status = take_line(STDIN_FILENO, "terminal", out);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		dprintf(STDERR_FILENO, "\n");
		for (size_t i = 0; i < STOPPING; i++)
			sigaction(stopping[i], &old[i], NULL);
		if (caught)
			raise(caught);
	} while (caught == SIGTSTP);
	return status;
}

static int
at_terminal_twice(const char *who, struct vmail_secret *out)
{
	VMAIL_SECRET again = { 0 };
	char prompt[VMAIL_NAME_MAX + 64];
	int status;

	snprintf(prompt, sizeof(prompt), "New password for %s", who);
	status = at_terminal(prompt, out);
	if (status != STATUS_OK)
		return status;
	status = at_terminal("Once more", &again);
	if (status != STATUS_OK)
		return status;
	if (again.len != out->len ||
	    sodium_memcmp(again.bytes, out->bytes, out->len) != 0)
		return say_fail(STATUS_FAILED, "the two passwords differ");
	return STATUS_OK;
}

static int
from_fd(const char *text, struct vmail_secret *out)
{
	uint64_t fd;

	if (!vmail_text_number(vmail_str(text), INT16_MAX, &fd))
		return say_fail(
		    STATUS_USAGE, "--password-fd: not a descriptor: %s", text);
	return take_line((int)fd, "--password-fd", out);
}

static int
from_file(const char *path, struct vmail_secret *out)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct stat st;
	struct vmail_err err;
	enum vmail_rc rc = vmail_file_open(path, O_RDONLY, &fd, &st, &err);

	if (rc == VMAIL_NOT_FOUND)
		return say_fail(STATUS_FAILED, "%s: no such file", path);
	if (rc != VMAIL_OK)
		return say_error(&err);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return say_fail(STATUS_UNSAFE,
		    "%s: not trusted: belongs to uid %u", path, st.st_uid);
	if (st.st_mode & 077) {
		say_fail(
		    0, "%s: not trusted: others may read or write it", path);
		say_mend("chmod 0600 %s", path);
		return STATUS_UNSAFE;
	}
	return take_line(fd, path, out);
}

int
ask_password(const struct ask_options *from, enum ask_times times,
    const char *who, struct vmail_secret *password)
{
	if (from->fd && from->file)
		return say_fail(STATUS_USAGE,
		    "one source of passwords: --password-fd or "
		    "--password-file");
	if (from->fd)
		return from_fd(from->fd, password);
	if (from->file)
		return from_file(from->file, password);
	if (!isatty(STDIN_FILENO))
		return take_line(STDIN_FILENO, "standard input", password);
	if (times == ASK_TWICE)
		return at_terminal_twice(who, password);
	return at_terminal("Password", password);
}

int
ask_line(struct vmail_secret *line)
{
	return take_line(STDIN_FILENO, "standard input", line);
}

void
ask_generate(struct vmail_secret *password)
{
	static const char set[] = "abcdefghijkmnpqrstuvwxyz"
				  "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

	for (size_t i = 0; i < GENERATED; i++)
		password->bytes[i] = set[randombytes_uniform(sizeof(set) - 1)];
	password->bytes[GENERATED] = '\0';
	password->len = GENERATED;
}
