#include "common/admin/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/edits.h"
#include "common/core/file.h"
#include "common/core/text.h"
#include "common/core/torn.h"

#define LEAD VMAIL_TORN_SEAL

enum {
	CHUNK = 8192,
	SHA_HEX = VMAIL_TORN_SHA,
	LENGTH = VMAIL_TORN_LENGTH,
	LINE = VMAIL_TORN_SEAL_LEN,
};

_Static_assert((int)SHA_HEX == 2 * (int)VMAIL_JOURNAL_SHA, "SHA-256 in hex");

_Static_assert(
    (int)VMAIL_JOURNAL_SHA == (int)crypto_hash_sha256_BYTES, "SHA-256");

/* Of the first n bytes; errno where they cannot be read. */
static bool
sum(int fd, uint64_t n, unsigned char out[VMAIL_JOURNAL_SHA])
{
	crypto_hash_sha256_state state;
	unsigned char chunk[CHUNK];
	uint64_t at = 0;
	bool good = true;

	crypto_hash_sha256_init(&state);
	while (good && at < n) {
		size_t want = n - at < CHUNK ? (size_t)(n - at) : CHUNK;
		ssize_t got = vmail_file_pread(fd, chunk, want, at);

		good = got == (ssize_t)want;
		if (good)
			crypto_hash_sha256_update(&state, chunk, want);
		else if (got >= 0)
			errno = ESTALE;
		at += want;
	}
	crypto_hash_sha256_final(&state, out);
	explicit_bzero(chunk, sizeof(chunk));
	return good;
}

static void
put_hex(struct vmail_buf *b, const unsigned char sha[VMAIL_JOURNAL_SHA])
{
	char hex[SHA_HEX + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), sha, VMAIL_JOURNAL_SHA);
	vmail_buf_z(b, hex);
}

enum vmail_rc
vmail_journal_seal(struct vmail_journal *j, int file, struct vmail_err *err)
{
	char line[LINE];
	struct vmail_buf b = { .p = line, .size = sizeof(line) };
	uint64_t old;

	if (!vmail_file_size(file, &old) || !sum(file, old, j->old) ||
	    !sum(j->fd, j->size, j->new))
		return vmail_fail_sys(err, j->path, "read for the journal");
	vmail_buf_z(&b, LEAD);
	vmail_buf_num(&b, j->size, LENGTH);
	vmail_buf_char(&b, ' ');
	put_hex(&b, j->old);
	vmail_buf_char(&b, ' ');
	put_hex(&b, j->new);
	vmail_buf_char(&b, '\n');
	if (!vmail_edits_pwrite(j->fd, line, b.len, j->size) ||
	    fsync(j->fd) != 0)
		return vmail_fail_sys(err, j->path, "write the journal");
	return VMAIL_OK;
}

static bool
cut_hex(struct vmail_str *rest, char end, unsigned char sha[VMAIL_JOURNAL_SHA])
{
	struct vmail_str hex = vmail_text_cut(rest, end);
	size_t n;

	return hex.n == SHA_HEX &&
	       sodium_hex2bin(
		   sha, VMAIL_JOURNAL_SHA, hex.p, hex.n, NULL, &n, NULL) == 0 &&
	       n == VMAIL_JOURNAL_SHA;
}

static bool
cut_line(struct vmail_journal *j, struct vmail_str line)
{
	if (!vmail_str_starts(line, LEAD))
		return false;
	line.p += sizeof(LEAD) - 1;
	line.n -= sizeof(LEAD) - 1;
	return vmail_text_number(
		   vmail_text_cut(&line, ' '), UINT64_MAX, &j->size) &&
	       cut_hex(&line, ' ', j->old) && cut_hex(&line, '\n', j->new) &&
	       line.n == 0;
}

enum vmail_rc
vmail_journal_read(struct vmail_journal *j, struct vmail_err *err)
{
	char line[LINE];
	unsigned char new[VMAIL_JOURNAL_SHA];
	struct vmail_journal found = *j;
	uint64_t size;

	if (!vmail_file_size(j->fd, &size))
		return vmail_fail_sys(err, j->path, "read the journal");
	if (size < LINE ||
	    vmail_file_pread(j->fd, line, LINE, size - LINE) != LINE ||
	    !cut_line(&found, (struct vmail_str){ line, LINE }) ||
	    found.size != size - LINE || !sum(j->fd, found.size, new) ||
	    memcmp(new, found.new, sizeof(new)) != 0)
		return vmail_fail(
		    err, VMAIL_MALFORMED, j->path, 0, "not a whole journal");
	*j = found;
	return VMAIL_OK;
}

/* Two chunks of bytes, and the file's at the same place. */
struct stretch {
	char file[CHUNK / 2], old[CHUNK / 2], new[CHUNK / 2];
};

/* Is every byte of the file the old or the new content's - or one of a stretch
 * behind the old, which the disk had given and not yet got? */
static bool
is_mixture(
    const struct vmail_journal *j, int file, int backup, struct stretch *s)
{
	uint64_t have, old_size, at = 0;

	if (!vmail_file_size(file, &have) ||
	    !vmail_file_size(backup, &old_size) ||
	    (have < old_size && have < j->size) ||
	    (have > old_size && have > j->size))
		return false;
	for (; at < have; at += sizeof(s->file)) {
		ssize_t n =
		    vmail_file_pread(file, s->file, sizeof(s->file), at);
		ssize_t o =
		    vmail_file_pread(backup, s->old, sizeof(s->old), at);
		/* What follows the content in the journal is none. */
		size_t left = at < j->size ? (size_t)(j->size - at) : 0;
		ssize_t w = vmail_file_pread(j->fd, s->new,
		    left < sizeof(s->new) ? left : sizeof(s->new), at);

		if (n <= 0 || o < 0 || w < 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			if (!(i < o && s->file[i] == s->old[i]) &&
			    !(i < w && s->file[i] == s->new[i]) &&
			    !(at + (uint64_t)i >= old_size &&
				s->file[i] == '\0'))
				return false;
	}
	return true;
}

static bool
is_backup_of(const struct vmail_journal *j, int backup)
{
	unsigned char sha[VMAIL_JOURNAL_SHA];
	uint64_t size;

	return backup >= 0 && vmail_file_size(backup, &size) &&
	       sum(backup, size, sha) && memcmp(sha, j->old, sizeof(sha)) == 0;
}

enum vmail_rc
vmail_journal_judge(const struct vmail_journal *j, int file, int backup,
    enum vmail_journal_state *state, struct vmail_err *err)
{
	unsigned char sha[VMAIL_JOURNAL_SHA];
	struct stretch s;
	uint64_t size;

	if (!vmail_file_size(file, &size) || !sum(file, size, sha))
		return vmail_fail_sys(err, j->path, "read");
	if (memcmp(sha, j->old, sizeof(sha)) == 0)
		*state = VMAIL_JOURNAL_OLD;
	else if (memcmp(sha, j->new, sizeof(sha)) == 0)
		*state = VMAIL_JOURNAL_NEW;
	else if (is_backup_of(j, backup) && is_mixture(j, file, backup, &s))
		*state = VMAIL_JOURNAL_TORN;
	else
		*state = VMAIL_JOURNAL_FOREIGN;
	explicit_bzero(&s, sizeof(s));
	return VMAIL_OK;
}

/* Byte 1: no two writers meet here, they hold byte 0. */
static bool
mark(int file, short type)
{
	struct flock byte = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = 1,
		.l_len = 1,
	};

	return fcntl(file, F_OFD_SETLK, &byte) == 0;
}

static bool
write_over(int from, uint64_t size, int file)
{
	void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, from, 0);
	bool good;

	if (p == MAP_FAILED)
		return false;
	good = vmail_edits_pwrite(file, p, (size_t)size, 0);
	(void)munmap(p, (size_t)size);
	return good && ftruncate(file, (off_t)size) == 0;
}

enum vmail_rc
vmail_journal_rewrite(int from, uint64_t size, int file, struct timespec mtime,
    const char *path, bool *touched, struct vmail_err *err)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, mtime };
	bool good;

	*touched = false;
	/* Not where the file system cannot promise room (EOPNOTSUPP). */
	if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0 &&
	    errno != EOPNOTSUPP)
		return vmail_fail_sys(err, path, "make room");
	if (!mark(file, F_WRLCK))
		return vmail_fail_sys(err, path, "lock");
	*touched = true;
	good = write_over(from, size, file) && futimens(file, times) == 0;
	if (!good)
		(void)vmail_fail_sys(err, path, "rewrite in place");
	/* Readers have all of it now; the journal is on the disk already. */
	(void)mark(file, F_UNLCK);
	if (good && fsync(file) != 0) {
		(void)vmail_fail_sys(err, path, "fsync");
		good = false;
	}
	return good ? VMAIL_OK : VMAIL_IO;
}
