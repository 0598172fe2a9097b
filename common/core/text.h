/*
 * How text is cut into fields, strict numbers, names, and a bounded builder.
 * Nothing here allocates or needs a terminating NUL, but where it says so.
 */
#ifndef VMAIL_CORE_TEXT_H
#define VMAIL_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/core/err.h"

enum { VMAIL_NAME_MAX = 254, VMAIL_ACCOUNT_MAX = 32 };

/* A stretch of somebody else's bytes; p may be NULL when n is 0. */
struct vmail_str {
	const char *p;
	size_t n;
};

#define VMAIL_STR(literal)                                                     \
	((struct vmail_str){ (literal), sizeof(literal) - 1 })

struct vmail_str vmail_str(const char *z);
bool vmail_str_eq(struct vmail_str a, struct vmail_str b);
bool vmail_str_is(struct vmail_str a, const char *z);
bool vmail_str_starts(struct vmail_str a, const char *z);

/* Takes what stands before the first sep off *rest and returns it; *rest
 * becomes what follows, or p == NULL when there was no sep. */
struct vmail_str vmail_text_cut(struct vmail_str *rest, char sep);

/* Decimal digits alone, at least one, value at most max: true and *out. No
 * sign, space or 0x; leading zeros are allowed, as Dovecot allows them. */
bool vmail_text_number(struct vmail_str s, uint64_t max, uint64_t *out);

/* ASCII letters only; any other byte is left alone. */
void vmail_text_lower(char *p, size_t n);

/* A byte below 0x20, or 0x7f. */
bool vmail_text_has_control(struct vmail_str s);

/* A component "..", whatever stands around it. */
bool vmail_text_climbs(struct vmail_str path);

/* A bounded builder over the caller's bytes. `full` is set, and nothing more
 * is written, once something did not fit. */
struct vmail_buf {
	char *p;
	size_t size, len;
	bool full;
};

void vmail_buf_put(struct vmail_buf *b, const char *p, size_t n);
void vmail_buf_str(struct vmail_buf *b, struct vmail_str s);
void vmail_buf_z(struct vmail_buf *b, const char *z);
void vmail_buf_char(struct vmail_buf *b, char c);
/* Decimal, zero-padded to at least width digits. */
void vmail_buf_num(struct vmail_buf *b, uint64_t n, unsigned width);
/* Octal, as modes are shown: at least four digits. */
void vmail_buf_mode(struct vmail_buf *b, unsigned mode);
/* Control bytes, backslash and bytes over 0x7e as \xNN: safe in a log. */
void vmail_buf_shown(struct vmail_buf *b, struct vmail_str s);
/* Terminates (always, where size > 0); VMAIL_TOO_SMALL if anything did not fit
 * (the NUL included). */
enum vmail_rc vmail_buf_end(struct vmail_buf *b);

/*
 * The rule for a name that we write (formats.md, "passwd-file"): NULL if it
 * holds, else the reason in words. Upper case is a fault: lower it first.
 */
const char *vmail_name_fault(struct vmail_str name);

/* May this be the name of a record at all? 1..254 bytes, no ':' and no
 * control byte, and no first byte that makes a line be skipped. Asked by NSS
 * and PAM before any work. */
bool vmail_name_askable(struct vmail_str name);

/* May this domain be the name of a folder? As in the rule for names: not empty,
 * no '/', ':', space or control byte, no "..", no '.' at either end, no leading
 * '-'; lower case. */
bool vmail_domain_is_folder(struct vmail_str domain);

/* May this be the name of an account or group of the system? Letters, digits,
 * '_', '.', '-', not a digit, '.' or '-' first, perhaps a '$' last, 32 bytes.
 */
bool vmail_name_is_account(struct vmail_str s);

/* local and domain, cut at the last '@'; the domain is empty without one. */
void vmail_name_split(
    struct vmail_str name, struct vmail_str *local, struct vmail_str *domain);

/* Puts the template with %u %n %d replaced (%% is one '%'). VMAIL_INVALID for
 * any other '%'; TOO_SMALL is left to vmail_buf_end. */
enum vmail_rc vmail_text_expand(
    struct vmail_buf *b, struct vmail_str tmpl, struct vmail_str name);

#endif
