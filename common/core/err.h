/*
 * What can go wrong, and where: one small enum and the caller's record of it.
 * The library never speaks; each front end turns a code into its language in
 * one switch of its own (pam/rc.c, nss/status.c, cli/say.c).
 */
#ifndef VMAIL_CORE_ERR_H
#define VMAIL_CORE_ERR_H

#include <stddef.h>

enum vmail_rc {
	VMAIL_OK = 0,
	VMAIL_NOT_FOUND,   /* no such user, file, key: the thing asked for */
	VMAIL_EXISTS,	   /* the name is taken */
	VMAIL_MISMATCH,	   /* the password is another one */
	VMAIL_DENIED,	   /* the kernel or a rule says no */
	VMAIL_INVALID,	   /* the caller's value breaks a rule */
	VMAIL_MALFORMED,   /* what is stored breaks a rule */
	VMAIL_UNSAFE,	   /* not to be trusted: owner, mode, kind of file */
	VMAIL_UNSUPPORTED, /* well-formed, but not something we know */
	VMAIL_BUSY,	   /* a lock stays taken, a file will not stand still */
	VMAIL_TOO_SMALL,   /* the caller's buffer */
	VMAIL_NO_MEMORY,
	VMAIL_IO, /* anything else a system call says; a file missing */
};

enum { VMAIL_ERR_PATH = 528, VMAIL_ERR_WHAT = 200, VMAIL_ERR_TEXT = 1024 };

/*
 * The caller's; written on failure only. sys_errno is the errno of a failed
 * system call, else 0; line is 0 where no line is meant; path may be "".
 */
struct vmail_err {
	enum vmail_rc rc;
	int sys_errno;
	unsigned long line;
	char path[VMAIL_ERR_PATH];
	char what[VMAIL_ERR_WHAT];
};

/*
 * Records a failure and returns rc, so that `return vmail_fail(...)` is one
 * statement. errno is taken at once (for VMAIL_IO, VMAIL_DENIED and
 * VMAIL_NO_MEMORY only), so that clean-up cannot spoil it. err, path and what
 * may be NULL; texts are copied, cut where they do not fit.
 */
enum vmail_rc vmail_fail(struct vmail_err *err, enum vmail_rc rc,
    const char *path, unsigned long line, const char *what);

/* The same for a failed system call: errno picks the code (EACCES and EPERM
 * VMAIL_DENIED, ENOMEM VMAIL_NO_MEMORY, all others VMAIL_IO). */
enum vmail_rc vmail_fail_sys(
    struct vmail_err *err, const char *path, const char *what);

/* The code as a word or two: "malformed", "no permission". Never NULL. */
const char *vmail_rc_text(enum vmail_rc rc);

/* "/etc/vmail/passwd:17: malformed: uid out of range", always terminated.
 * Control bytes of the path are shown as \xNN. */
void vmail_err_text(const struct vmail_err *err, char *out, size_t size);

#endif
