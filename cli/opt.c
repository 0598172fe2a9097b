#include "cli/opt.h"

#include <string.h>

struct found {
	const struct opt *opt;
	void *values;
};

static void
store(const struct found *f, const char *value)
{
	char *at = (char *)f->values + f->opt->at;

	if (f->opt->arg)
		memcpy(at, &value, sizeof(value));
	else
		*(bool *)(void *)at = true;
}

static bool
next_opt(const struct opt_list *lists, size_t n, size_t *list,
    const struct opt **opt)
{
	*opt = *opt ? *opt + 1 : lists[*list].opts;
	while (!*opt || !(*opt)->name) {
		if (++*list >= n)
			return false;
		*opt = lists[*list].opts;
	}
	return true;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

enum { WORD_MAX = 32 };

unsigned
opt_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1];
	size_t an = strlen(a), bn = strlen(b);

	if (an > WORD_MAX || bn > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= bn; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned *now = row[i % 3], *up = row[(i - 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			now[j] = least(up[j], now[j - 1]) + 1;
			now[j] =
			    least(now[j], up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] =
				    least(now[j], row[(i - 2) % 3][j - 2] + 1);
		}
	}
	return row[an % 3][bn];
}

static void
hint(const struct opt_list *lists, size_t n, const char *name,
    struct vmail_buf *fault)
{
	const struct opt *best = NULL, *opt = NULL;
	size_t list = 0;
	unsigned near = OPT_NEAR + 1;

	while (next_opt(lists, n, &list, &opt)) {
		unsigned d = opt->help ? opt_distance(name, opt->name) : near;

		if (d < near) {
			near = d;
			best = opt;
		}
	}
	if (best) {
		vmail_buf_z(fault, "; did you mean --");
		vmail_buf_z(fault, best->name);
		vmail_buf_char(fault, '?');
	}
}

static enum vmail_rc
find_letter(const struct opt_list *lists, size_t n, char letter,
    struct found *f, struct vmail_buf *fault)
{
	const struct opt *opt = NULL;
	size_t list = 0;

	while (next_opt(lists, n, &list, &opt)) {
		if (opt->letter == letter) {
			*f = (struct found){ opt, lists[list].values };
			return VMAIL_OK;
		}
	}
	vmail_buf_z(fault, "no such option: -");
	vmail_buf_shown(fault, (struct vmail_str){ &letter, 1 });
	return VMAIL_INVALID;
}

static enum vmail_rc
find_name(const struct opt_list *lists, size_t n, struct vmail_str name,
    struct found *f, struct vmail_buf *fault)
{
	const struct opt *opt = NULL;
	size_t list = 0, hits = 0;
	char z[WORD_MAX + 1];

	while (next_opt(lists, n, &list, &opt)) {
		if (strncmp(opt->name, name.p, name.n) != 0)
			continue;
		*f = (struct found){ opt, lists[list].values };
		if (opt->name[name.n] == '\0')
			return VMAIL_OK;
		hits++;
	}
	if (hits == 1 && name.n > 0)
		return VMAIL_OK;
	vmail_buf_z(fault, hits ? "ambiguous: --" : "no such option: --");
	vmail_buf_shown(fault, name);
	if (hits == 0 && name.n <= WORD_MAX) {
		memcpy(z, name.p, name.n);
		z[name.n] = '\0';
		hint(lists, n, z, fault);
	}
	return VMAIL_INVALID;
}

static enum vmail_rc
wants_value(const struct opt *opt, struct vmail_buf *fault)
{
	vmail_buf_z(fault, "--");
	vmail_buf_z(fault, opt->name);
	vmail_buf_z(fault, " needs a value: ");
	vmail_buf_z(fault, opt->arg);
	return VMAIL_INVALID;
}

static enum vmail_rc
take_long(const struct opt_list *lists, size_t n, struct opt_words *words,
    size_t *at, struct vmail_buf *fault)
{
	struct vmail_str rest = vmail_str(words->word[*at] + 2);
	struct vmail_str name = vmail_text_cut(&rest, '=');
	struct found f;
	enum vmail_rc rc = find_name(lists, n, name, &f, fault);

	if (rc != VMAIL_OK)
		return rc;
	if (!f.opt->arg && rest.p) {
		vmail_buf_z(fault, "--");
		vmail_buf_z(fault, f.opt->name);
		vmail_buf_z(fault, " takes no value");
		return VMAIL_INVALID;
	}
	if (f.opt->arg && !rest.p) {
		if (*at + 1 >= words->count)
			return wants_value(f.opt, fault);
		rest.p = words->word[++*at];
	}
	store(&f, rest.p);
	return VMAIL_OK;
}

static enum vmail_rc
take_short(const struct opt_list *lists, size_t n, struct opt_words *words,
    size_t *at, struct vmail_buf *fault)
{
	const char *p = words->word[*at] + 1;
	struct found f;

	for (; *p; p++) {
		enum vmail_rc rc = find_letter(lists, n, *p, &f, fault);

		if (rc != VMAIL_OK)
			return rc;
		if (!f.opt->arg) {
			store(&f, NULL);
			continue;
		}
		if (p[1] == '\0' && *at + 1 >= words->count)
			return wants_value(f.opt, fault);
		store(&f, p[1] ? p + 1 : words->word[++*at]);
		break;
	}
	return VMAIL_OK;
}

static enum vmail_rc
parse(const struct opt_list *lists, size_t n, struct opt_words *words,
    bool leading, struct vmail_buf *fault)
{
	size_t kept = 0, i = 0;

	for (; i < words->count; i++) {
		char *w = words->word[i];
		enum vmail_rc rc = VMAIL_OK;

		if (words->ended || w[0] != '-' || w[1] == '\0') {
			if (leading)
				break;
			words->word[kept++] = w;
		} else if (strcmp(w, "--") == 0) {
			words->ended = true;
		} else if (w[1] == '-') {
			rc = take_long(lists, n, words, &i, fault);
		} else {
			rc = take_short(lists, n, words, &i, fault);
		}
		if (rc != VMAIL_OK)
			return rc;
	}
	if (leading) {
		words->word += i;
		words->count -= i;
	} else {
		words->count = kept;
	}
	return VMAIL_OK;
}

enum vmail_rc
opt_parse(const struct opt_list *lists, size_t n, struct opt_words *words,
    struct vmail_buf *fault)
{
	return parse(lists, n, words, false, fault);
}

enum vmail_rc
opt_parse_leading(const struct opt_list *lists, size_t n,
    struct opt_words *words, struct vmail_buf *fault)
{
	return parse(lists, n, words, true, fault);
}

void
opt_help(FILE *out, const struct opt *opts)
{
	for (; opts && opts->name; opts++) {
		char left[64];

		if (!opts->help)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", opts->name,
		    opts->arg ? "=" : "", opts->arg ? opts->arg : "");
		if (opts->letter)
			fprintf(out, "  -%c, %-24s %s\n", opts->letter, left,
			    opts->help);
		else
			fprintf(out, "      %-24s %s\n", left, opts->help);
	}
}
