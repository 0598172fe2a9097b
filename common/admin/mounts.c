#include "common/admin/mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/file.h"
#include "common/core/text.h"

#define GONE	"was replaced behind this mount: mount its folder, not the file"
#define MOUNTED "is itself a mount point: mount its folder, not the file"

enum { MOUNTINFO_CHUNK = 4096 };

static bool
ends_with(struct vmail_str s, const char *z)
{
	size_t n = strlen(z);

	return s.n >= n && memcmp(s.p + s.n - n, z, n) == 0;
}

/* `ID PARENT MAJOR:MINOR ROOT ...`: is it this mount, and its root deleted? */
static bool
says_deleted(struct vmail_str line, uint64_t id)
{
	uint64_t n;

	if (!vmail_text_number(vmail_text_cut(&line, ' '), UINT64_MAX, &n) ||
	    n != id)
		return false;
	(void)vmail_text_cut(&line, ' ');
	(void)vmail_text_cut(&line, ' ');
	return ends_with(vmail_text_cut(&line, ' '), "//deleted");
}

/* Whole lines of a chunk are asked, the rest is kept; a line longer than the
 * chunk cannot be ours to judge and is passed over. */
static bool
mount_deleted(uint64_t id)
{
	char chunk[MOUNTINFO_CHUNK];
	size_t have = 0;
	ssize_t got;
	bool deleted = false;
	VMAIL_AUTOCLOSE int fd =
	    open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while (!deleted &&
	       (got = read(fd, chunk + have, sizeof(chunk) - have)) > 0) {
		struct vmail_str rest = { chunk, have + (size_t)got };

		while (!deleted && memchr(rest.p, '\n', rest.n) != NULL)
			deleted = says_deleted(vmail_text_cut(&rest, '\n'), id);
		have = rest.n < sizeof(chunk) ? rest.n : 0;
		memmove(chunk, rest.p, have);
	}
	return deleted;
}

enum vmail_rc
vmail_mounts_replaceable(int fd, const char *path, struct vmail_err *err)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_NLINK | STATX_MNT_ID, &st) != 0)
		return vmail_fail_sys(err, path, "statx");
	if (st.stx_nlink == 0)
		return vmail_fail(err, VMAIL_UNSUPPORTED, path, 0, GONE);
	if ((st.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
		return VMAIL_OK;
	return vmail_fail(err, VMAIL_UNSUPPORTED, path, 0,
	    (st.stx_mask & STATX_MNT_ID) != 0 && mount_deleted(st.stx_mnt_id)
		? GONE
		: MOUNTED);
}
