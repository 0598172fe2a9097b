#include "common/core/account.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/core/file.h"

/* A chunk is all the stack that reading a system file may cost. */
enum { CHUNK = 320 };
#define OWN_FRAME __attribute__((noinline))

/* Wanted of a line `name:x:A[:B]`. */
struct account {
	struct vmail_str name;
	unsigned want;
	uint32_t value[2];
};

/* A line of that name whose numbers are numbers, each with its ':' behind it
 * (the line may be cut); another is passed over, as libc does. */
static bool
account_line(struct account *a, struct vmail_str line)
{
	if (!vmail_str_eq(vmail_text_cut(&line, ':'), a->name))
		return false;
	(void)vmail_text_cut(&line, ':');
	for (unsigned i = 0; i < a->want; i++) {
		struct vmail_str field = vmail_text_cut(&line, ':');
		uint64_t n;

		if (line.p == NULL || !vmail_text_number(field, UINT32_MAX, &n))
			return false;
		a->value[i] = (uint32_t)n;
	}
	return true;
}

/* The whole lines in buf[n]; *used is what they take. A line that fills the
 * buffer is judged by its beginning, where all we want stands; inside: the
 * buffer begins behind that. */
static bool
account_chunk(struct account *a, const char *buf, size_t n, bool last,
    bool *inside, size_t *used)
{
	struct vmail_str rest = { buf, n };

	*used = 0;
	while (rest.n > 0) {
		struct vmail_str line = vmail_text_cut(&rest, '\n');
		bool whole = rest.p != NULL || last;

		if (!whole && *used > 0)
			return false;
		if (!*inside && account_line(a, line))
			return true;
		*inside = !whole;
		*used = rest.p != NULL ? (size_t)(rest.p - buf) : n;
	}
	return false;
}

static OWN_FRAME enum vmail_rc
account_scan(int fd, struct account *a)
{
	char buf[CHUNK];
	uint64_t at = 0;
	bool inside = false;

	for (;;) {
		size_t used;
		ssize_t got = vmail_file_pread(fd, buf, sizeof(buf), at);
		bool last = got < (ssize_t)sizeof(buf);

		if (got < 0)
			return VMAIL_IO;
		if (account_chunk(a, buf, (size_t)got, last, &inside, &used))
			return VMAIL_OK;
		if (last)
			return VMAIL_NOT_FOUND;
		at += used;
	}
}

static enum vmail_rc
account_read(const char *path, struct account *a)
{
	VMAIL_AUTOCLOSE int fd = -1;

	if (a->name.n == 0 || a->name.n > VMAIL_NAME_MAX)
		return VMAIL_NOT_FOUND;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? VMAIL_NOT_FOUND : VMAIL_IO;
	return account_scan(fd, a);
}

enum vmail_rc
vmail_account_of(struct vmail_str name, struct vmail_ids *out)
{
	struct account a = { .name = name, .want = 2 };
	enum vmail_rc rc = account_read("/etc/passwd", &a);

	if (rc == VMAIL_OK)
		*out = (struct vmail_ids){ a.value[0], a.value[1] };
	return rc;
}

enum vmail_rc
vmail_account_in(int fd, struct vmail_str name, struct vmail_ids *out)
{
	struct account a = { .name = name, .want = 2 };
	enum vmail_rc rc = account_scan(fd, &a);

	if (rc == VMAIL_OK)
		*out = (struct vmail_ids){ a.value[0], a.value[1] };
	return rc;
}

static bool
see_passwd(struct vmail_map_account *a)
{
	struct stat st;

	if (stat("/etc/passwd", &st) != 0)
		return false;
	a->file = vmail_file_stamp(&st);
	a->changed_sec = st.st_ctim.tv_sec;
	a->changed_nsec = (uint32_t)st.st_ctim.tv_nsec;
	return a->file.size != 0 && a->file.sec >= 0 && a->changed_sec >= 0;
}

static bool
same_passwd(
    const struct vmail_map_account *a, const struct vmail_map_account *b)
{
	return vmail_file_same(&a->file, &b->file) &&
	       a->changed_sec == b->changed_sec &&
	       a->changed_nsec == b->changed_nsec;
}

enum vmail_rc
vmail_account_seen(struct vmail_str name, struct vmail_map_account *out)
{
	struct vmail_map_account before, after;
	struct vmail_ids ids;
	enum vmail_rc rc;

	if (!see_passwd(&before))
		return VMAIL_IO;
	rc = vmail_account_of(name, &ids);
	if (rc != VMAIL_OK)
		return rc;
	if (!see_passwd(&after) || !same_passwd(&before, &after))
		return VMAIL_BUSY;
	after.uid = ids.uid;
	after.gid = ids.gid;
	*out = after;
	return VMAIL_OK;
}

OWN_FRAME bool
vmail_account_known(struct vmail_str remembered, struct vmail_ids *out)
{
	struct vmail_map_account known, now;

	if (!vmail_map_get_account(remembered, &known) || !see_passwd(&now) ||
	    !same_passwd(&known, &now))
		return false;
	*out = (struct vmail_ids){ known.uid, known.gid };
	return true;
}

enum vmail_rc
vmail_account_group(struct vmail_str name, gid_t *out)
{
	struct account a = { .name = name, .want = 1 };
	enum vmail_rc rc = account_read("/etc/group", &a);

	if (rc == VMAIL_OK)
		*out = a.value[0];
	return rc;
}
