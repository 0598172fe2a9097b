/*
 * Where passwords come from: the terminal, standard input, a descriptor, a
 * file that nobody else may read, or our own generator. Never an argument.
 */
#ifndef VMAIL_CLI_ASK_H
#define VMAIL_CLI_ASK_H

#include <stdbool.h>

#include "cli/opt.h"
#include "common/admin/secret.h"

struct ask_options {
	const char *fd, *file;
};

/* Two rows for a command's list; its struct has a member `ask`. */
#define ASK_OPTIONS(type)                                                      \
	{ 0, "password-fd", "N", "read the password from descriptor N",        \
		offsetof(type, ask.fd) },                                      \
	{                                                                      \
		0, "password-file", "FILE",                                    \
		    "read it from FILE, which nobody else may read",           \
		    offsetof(type, ask.file)                                   \
	}

/* How often a terminal asks. */
enum ask_times { ASK_ONCE, ASK_TWICE };

/*
 * One password from the source of those options; who is for the prompt. The
 * status; what went wrong has been said. STATUS_USAGE: end of file, empty,
 * too long, or with a NUL byte.
 */
int ask_password(const struct ask_options *from, enum ask_times times,
    const char *who, struct vmail_secret *password);

/* One line of standard input that is no password but as secret: a hash. */
int ask_line(struct vmail_secret *line);

/* 20 letters and digits without look-alikes, 116 bits. */
void ask_generate(struct vmail_secret *password);

#endif
