/*
 * Any bytes as a journal: whole or not, never more; and as a content, sealed
 * and read again, it is what it was.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/admin/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static int
file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	return fd;
}

static void
must_be_judged(const uint8_t *data, size_t size)
{
	struct vmail_journal j = { .fd = file_of(data, size), .path = "/p" };
	enum vmail_rc rc = vmail_journal_read(&j, NULL);

	must(rc == VMAIL_MALFORMED || (rc == VMAIL_OK && j.size < size));
	close(j.fd);
}

/* The first half is the old content, the whole the new one. */
static void
must_come_back(const uint8_t *data, size_t size)
{
	int old = file_of(data, size / 2), new = file_of(data, size);
	struct vmail_journal j = { .fd = new, .path = "/p", .size = size };
	struct vmail_journal found = { .fd = new, .path = "/p" };
	enum vmail_journal_state state;
	bool touched;

	must(vmail_journal_seal(&j, old, NULL) == VMAIL_OK);
	must(vmail_journal_read(&found, NULL) == VMAIL_OK);
	must(found.size == size && memcmp(found.new, j.new, 32) == 0);
	must(vmail_journal_judge(&found, old, -1, &state, NULL) == VMAIL_OK);
	must(state == VMAIL_JOURNAL_OLD);
	if (size > 0) {
		must(vmail_journal_rewrite(new, size, old,
			 (struct timespec){ .tv_sec = 1 }, "/p", &touched,
			 NULL) == VMAIL_OK);
		must(vmail_journal_judge(&found, old, -1, &state, NULL) ==
		     VMAIL_OK);
		must(state == VMAIL_JOURNAL_NEW ||
		     (state == VMAIL_JOURNAL_OLD &&
			 memcmp(found.old, found.new, 32) == 0));
	}
	close(old);
	close(new);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	must_be_judged(data, size);
	must_come_back(data, size);
	return 0;
}
