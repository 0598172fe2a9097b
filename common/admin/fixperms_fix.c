#include "common/admin/fixperms_fix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/admin/perm.h"

enum { PERMS = 07777, WORDS = 256, PROC_PATH = 64, STEP = 512 };

struct vmail_fixperms_perms
vmail_fixperms_is(const struct statx *sx)
{
	return (struct vmail_fixperms_perms){ { sx->stx_uid, sx->stx_gid },
		sx->stx_mode };
}

void
vmail_fixperms_count(struct vmail_fixperms *f)
{
	if (++f->seen % STEP == 0 && f->step != NULL)
		f->step(f->arg);
}

static void
tell(const struct vmail_fixperms *f, const struct vmail_fixperms_item *item)
{
	if (f->say != NULL)
		f->say(item, f->arg);
}

void
vmail_fixperms_leave(struct vmail_fixperms *f, const char *path,
    const struct vmail_fixperms_perms *is, const char *why)
{
	struct vmail_fixperms_item item = {
		.act = VMAIL_FIXPERMS_LEFT, .path = path, .why = why
	};

	item.seen = is != NULL;
	if (is != NULL)
		item.is = *is;
	f->left++;
	tell(f, &item);
}

void
vmail_fixperms_miss(struct vmail_fixperms *f, const char *path)
{
	f->missing++;
	tell(f, &(struct vmail_fixperms_item){ .act = VMAIL_FIXPERMS_MISSING,
		    .path = path,
		    .why = "not there yet" });
}

/* A descriptor opened with O_PATH takes no fchmod; its name in /proc leads to
 * the very thing it is open on. */
static bool
set_mode(int fd, mode_t mode)
{
	char path[PROC_PATH];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode & PERMS) == 0;
}

static bool
set_owner(int fd, const struct vmail_fixperms_perms *is,
    const struct vmail_fixperms_perms *should)
{
	bool uid = is->ids.uid != should->ids.uid;
	bool gid = is->ids.gid != should->ids.gid;

	if (!uid && !gid)
		return true;
	return fchownat(fd, "", uid ? should->ids.uid : (uid_t)-1,
		   gid ? should->ids.gid : (gid_t)-1, AT_EMPTY_PATH) == 0;
}

static bool
change(int fd, const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is)
{
	struct vmail_fixperms_perms should = vmail_fixperms_should(want, is);
	struct vmail_fixperms_perms now;
	struct statx sx;

	if ((is->mode & want->must_not) != 0 &&
	    !set_mode(fd, is->mode & ~want->must_not))
		return false;
	if (!set_owner(fd, is, &should) ||
	    statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx) != 0)
		return false;
	now = vmail_fixperms_is(&sx);
	should = vmail_fixperms_should(want, &now);
	return ((now.mode ^ should.mode) & PERMS) == 0 ||
	       set_mode(fd, should.mode);
}

/* Why the kernel said no, so that one knows where to go. */
static void
refused(struct vmail_fixperms *f, const char *path,
    const struct vmail_fixperms_perms *is, int error)
{
	char words[WORDS];
	struct vmail_buf b = { .p = words, .size = sizeof(words) };
	bool inside =
	    (error == EPERM || error == EINVAL) && !vmail_perm_on_host();

	vmail_buf_z(&b, "cannot be changed");
	if (inside)
		vmail_buf_z(&b, " from this user namespace, which has no "
				"power over it or no such number: run "
				"fixperms on the host");
	else if (error == EPERM)
		vmail_buf_z(&b, ": an immutable file (lsattr), or not root");
	else if (error == ENOENT)
		vmail_buf_z(&b, ": /proc is needed, and not mounted");
	else {
		vmail_buf_z(&b, ": ");
		vmail_buf_z(&b, strerror(error));
	}
	(void)vmail_buf_end(&b);
	vmail_fixperms_leave(f, path, is, words);
}

void
vmail_fixperms_fix(struct vmail_fixperms *f, int fd,
    const struct vmail_fixperms_want *want,
    const struct vmail_fixperms_perms *is, const char *path)
{
	char words[WORDS];
	struct vmail_buf b = { .p = words, .size = sizeof(words) };
	struct vmail_fixperms_item item = { .act = VMAIL_FIXPERMS_CHANGE,
		.path = path,
		.seen = true,
		.is = *is,
		.should = vmail_fixperms_should(want, is),
		.why = words };

	if (vmail_fixperms_same(is, &item.should))
		return;
	if (!f->dry_run && !change(fd, want, is)) {
		refused(f, path, is, errno);
		return;
	}
	vmail_fixperms_why(want, is, &b);
	(void)vmail_buf_end(&b);
	f->changed++;
	tell(f, &item);
}
