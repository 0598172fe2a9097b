#include "common/core/err.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/core/text.h"

const char *
vmail_rc_text(enum vmail_rc rc)
{
	switch (rc) {
	case VMAIL_OK:
		return "done";
	case VMAIL_NOT_FOUND:
		return "not found";
	case VMAIL_EXISTS:
		return "exists already";
	case VMAIL_MISMATCH:
		return "wrong password";
	case VMAIL_DENIED:
		return "no permission";
	case VMAIL_INVALID:
		return "invalid";
	case VMAIL_MALFORMED:
		return "malformed";
	case VMAIL_UNSAFE:
		return "not trusted";
	case VMAIL_UNSUPPORTED:
		return "not supported";
	case VMAIL_BUSY:
		return "busy";
	case VMAIL_TOO_SMALL:
		return "does not fit";
	case VMAIL_NO_MEMORY:
		return "out of memory";
	case VMAIL_IO:
		return "failed";
	}
	return "unknown";
}

static bool
of_the_system(enum vmail_rc rc)
{
	return rc == VMAIL_IO || rc == VMAIL_DENIED || rc == VMAIL_NO_MEMORY;
}

/* A caller may pass a text of err itself, hence memmove. */
static void
copy_cut(char *to, size_t size, const char *from)
{
	size_t n = from == NULL ? 0 : strnlen(from, size - 1);

	if (n > 0)
		memmove(to, from, n);
	to[n] = '\0';
}

enum vmail_rc
vmail_fail(struct vmail_err *err, enum vmail_rc rc, const char *path,
    unsigned long line, const char *what)
{
	if (err == NULL)
		return rc;
	err->sys_errno = of_the_system(rc) ? errno : 0;
	err->rc = rc;
	err->line = line;
	copy_cut(err->path, sizeof(err->path), path);
	copy_cut(err->what, sizeof(err->what), what);
	return rc;
}

enum vmail_rc
vmail_fail_sys(struct vmail_err *err, const char *path, const char *what)
{
	enum vmail_rc rc = VMAIL_IO;

	if (errno == EACCES || errno == EPERM)
		rc = VMAIL_DENIED;
	else if (errno == ENOMEM)
		rc = VMAIL_NO_MEMORY;
	return vmail_fail(err, rc, path, 0, what);
}

/* Half of the room at most, so that a long path never hides the reason. */
static void
put_place(const struct vmail_err *err, struct vmail_buf *b)
{
	struct vmail_buf path = { b->p, b->size / 2, 0, false };

	vmail_buf_shown(&path, vmail_str(err->path));
	b->len = path.len;
	if (path.full)
		vmail_buf_z(b, "...");
	if (err->line > 0) {
		vmail_buf_z(b, b->len > 0 ? ":" : "line ");
		vmail_buf_num(b, err->line, 1);
	}
	if (b->len > 0)
		vmail_buf_z(b, ": ");
}

/* What was shown when it was recorded keeps its backslashes. */
static void
put_what(const char *what, struct vmail_buf *b)
{
	for (; *what != '\0'; what++) {
		unsigned char c = (unsigned char)*what;

		if (c < 0x20 || c == 0x7f)
			vmail_buf_shown(b, (struct vmail_str){ what, 1 });
		else
			vmail_buf_char(b, *what);
	}
}

static void
put_errno(int number, struct vmail_buf *b)
{
	const char *text = strerrordesc_np(number);

	vmail_buf_z(b, ": ");
	if (text != NULL) {
		vmail_buf_z(b, text);
		return;
	}
	vmail_buf_z(b, "error ");
	vmail_buf_num(b, number < 0 ? 0 : (uint64_t)number, 1);
}

void
vmail_err_text(const struct vmail_err *err, char *out, size_t size)
{
	struct vmail_buf b = { out, size, 0, false };
	const char *code = vmail_rc_text(err->rc);

	put_place(err, &b);
	vmail_buf_z(&b, code);
	if (err->what[0] != '\0' && strcmp(err->what, code) != 0) {
		vmail_buf_z(&b, ": ");
		put_what(err->what, &b);
	}
	if (err->sys_errno != 0 && err->rc != VMAIL_NO_MEMORY)
		put_errno(err->sys_errno, &b);
	(void)vmail_buf_end(&b);
}
