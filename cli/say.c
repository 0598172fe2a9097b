#include "cli/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/core/text.h"

static bool quietly, muted;

void
say_quietly(bool quiet)
{
	quietly = quiet;
}

void
say_mute(bool mute)
{
	muted = mute;
}

int
say_status(enum vmail_rc rc)
{
	switch (rc) {
	case VMAIL_OK:
		return STATUS_OK;
	case VMAIL_NOT_FOUND:
		return STATUS_NO_USER;
	case VMAIL_EXISTS:
		return STATUS_EXISTS;
	case VMAIL_INVALID:
		return STATUS_USAGE;
	case VMAIL_BUSY:
		return STATUS_BUSY;
	case VMAIL_UNSAFE:
	case VMAIL_DENIED:
		return STATUS_UNSAFE;
	case VMAIL_MISMATCH:
	case VMAIL_MALFORMED:
	case VMAIL_UNSUPPORTED:
	case VMAIL_TOO_SMALL:
	case VMAIL_NO_MEMORY:
	case VMAIL_IO:
		return STATUS_FAILED;
	}
	return STATUS_FAILED;
}

/* A backslash stands: an error's path has been escaped with some already. */
static void
put_shown(struct vmail_buf *b, const char *z)
{
	for (; *z; z++) {
		if (*z == '\\')
			vmail_buf_char(b, *z);
		else
			vmail_buf_shown(b, (struct vmail_str){ z, 1 });
	}
}

/* One write a line, so that lines of two processes do not mix. */
SAY_FORMAT(2, 0)
static void
say(const char *lead, const char *fmt, va_list ap)
{
	char raw[VMAIL_ERR_TEXT], line[5 * VMAIL_ERR_TEXT];
	struct vmail_buf b = { line, sizeof(line), 0, false };
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);

	if (n < 0)
		return;
	vmail_buf_z(&b, lead);
	put_shown(&b, raw);
	vmail_buf_char(&b, '\n');
	fwrite(line, 1, b.len, stderr);
}

int
say_fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("vmailadm: ", fmt, ap);
	va_end(ap);
	return status;
}

void
say_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("vmailadm: warning: ", fmt, ap);
	va_end(ap);
}

void
say_note(const char *fmt, ...)
{
	va_list ap;

	if (quietly || muted)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void
say_mend(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("  mend: ", fmt, ap);
	va_end(ap);
}

void
say_line(const char *fmt, ...)
{
	va_list ap;

	if (muted)
		return;
	va_start(ap, fmt);
	vfprintf(stdout, fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void
mend(const struct vmail_err *err)
{
	if (err->rc == VMAIL_BUSY)
		say_mend("wait for the other command, or longer: "
			 "--wait SECONDS");
	else if (err->rc == VMAIL_DENIED && err->sys_errno)
		say_mend("run this as root");
	else if (err->rc == VMAIL_IO && err->sys_errno == ENOENT)
		say_mend("vmailadm init makes what is missing");
	else if (err->sys_errno == ENOSPC)
		say_mend("make room on that file system; nothing was changed");
	else if (err->sys_errno == EROFS)
		say_mend("that file system is mounted read-only; change the "
			 "file where it is writable");
}

int
say_error(const struct vmail_err *err)
{
	char text[VMAIL_ERR_TEXT];

	vmail_err_text(err, text, sizeof(text));
	say_fail(0, "%s", text);
	mend(err);
	return say_status(err->rc);
}

int
say_finish(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return say_fail(STATUS_FAILED, "standard output: %s",
	    strerror(errno ? errno : EIO));
}
