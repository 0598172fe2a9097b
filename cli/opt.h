/*
 * Options, declared once: the list that parses also prints the help, and the
 * tests hold the manual page to it.
 */
#ifndef VMAIL_CLI_OPT_H
#define VMAIL_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/core/err.h"
#include "common/core/text.h"

struct opt {
	char letter;	  /* 0: the long form alone */
	const char *name; /* without dashes; NULL ends a list */
	const char *arg;  /* what its value is called; NULL: a flag */
	const char *help; /* NULL: not shown */
	size_t at; /* offset of its bool (flag) or const char * (value) */
};

#define OPT_END                                                                \
	{                                                                      \
		0, NULL, NULL, NULL, 0                                         \
	}

/* Options and the struct their values go to; opts may be NULL. */
struct opt_list {
	const struct opt *opts;
	void *values;
};

/*
 * Words to read: options are taken off, operands stay, in order, in front of
 * word[0..count). ended: `--` was met, nothing behind it is an option.
 */
struct opt_words {
	char **word;
	size_t count;
	bool ended;
};

/*
 * Reads all words; short options may cluster (-qs X, -qsX), long ones take
 * `--name=value` or `--name value` and may be cut short where that is
 * unambiguous. VMAIL_INVALID: the fault in words, a hint included.
 */
enum vmail_rc opt_parse(const struct opt_list *lists, size_t n,
    struct opt_words *words, struct vmail_buf *fault);

/* The same up to the first operand, the command: words is left beginning
 * there. */
enum vmail_rc opt_parse_leading(const struct opt_list *lists, size_t n,
    struct opt_words *words, struct vmail_buf *fault);

/* One line an option, those without help left out. */
void opt_help(FILE *out, const struct opt *opts);

/* The edits (insert, delete, change, swap) between two words; a hint is worth
 * giving up to OPT_NEAR. */
enum { OPT_NEAR = 2 };
unsigned opt_distance(const char *a, const char *b);

#endif
