/*
 * The one thing with state: the walk of getpwent, under the one lock. glibc
 * has a lock of its own around it; ours is for who calls without.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/file.h"
#include "common/core/ids.h"
#include "common/core/map.h"
#include "nss/exports.h"
#include "nss/pack.h"
#include "nss/source.h"
#include "nss/status.h"

enum { PATIENCE = 100 };

static struct {
	atomic_int holder; /* whose process it is in, 0: nobody's */
	bool begun;
	dev_t dev;
	ino_t ino;
	uint32_t pos;
	struct vmail_map map;
} walk = { .map.cdb.fd = -1 };

/* The program we are a guest in may have closed our descriptor, and opened
 * something else that got its number. */
static bool
still_open(void)
{
	struct stat st;

	return walk.map.cdb.fd >= 0 && fstat(walk.map.cdb.fd, &st) == 0 &&
	       st.st_dev == walk.dev && st.st_ino == walk.ino;
}

static void
forget(void)
{
	walk.map.cdb.fd = -1;
	walk.begun = false;
	walk.pos = 0;
}

static void
end(void)
{
	if (still_open())
		vmail_map_close(&walk.map);
	forget();
}

/*
 * A holder in another process is a thread that was in the middle of it when
 * this one was forked, and does not exist here: what it left is forgotten. In
 * this process it is waited for, but not for ever.
 */
static bool
take(void)
{
	const int me = getpid();

	for (int i = 0; i < PATIENCE; i++) {
		int holder = 0;

		if (atomic_compare_exchange_strong(&walk.holder, &holder, me))
			return true;
		if (holder != me &&
		    atomic_compare_exchange_strong(&walk.holder, &holder, me)) {
			forget();
			return true;
		}
		(void)sched_yield();
	}
	return false;
}

static void
give(void)
{
	atomic_store(&walk.holder, 0);
}

static enum vmail_rc
open_map(struct stat *st)
{
	enum vmail_rc rc = vmail_map_open(VMAIL_MAP_PATH, &walk.map, NULL);

	if (rc == VMAIL_NOT_FOUND) {
		errno = ENOENT;
		rc = VMAIL_IO;
	}
	if (rc == VMAIL_OK &&
	    !(walk.map.nss_mailboxes && walk.map.nss_enumerate))
		rc = VMAIL_NOT_FOUND;
	if (rc == VMAIL_OK)
		rc = vmail_nss_open_mailboxes(&walk.map, VMAIL_STR(""));
	if (rc == VMAIL_OK && fstat(walk.map.cdb.fd, st) != 0)
		rc = VMAIL_IO;
	return rc;
}

/* A position holds in the file it was made in alone: where that is lost and
 * replaced, the walk has failed. */
static enum vmail_rc
open_walk(void)
{
	struct stat st;
	enum vmail_rc rc;

	if (still_open())
		return VMAIL_OK;
	walk.map.cdb.fd = -1;
	rc = open_map(&st);
	if (rc == VMAIL_OK && walk.begun &&
	    (st.st_dev != walk.dev || st.st_ino != walk.ino)) {
		errno = ESTALE;
		rc = VMAIL_IO;
	}
	if (rc != VMAIL_OK) {
		vmail_map_close(&walk.map);
		return rc;
	}
	walk.begun = true;
	walk.dev = st.st_dev;
	walk.ino = st.st_ino;
	return VMAIL_OK;
}

/* Mailboxes that have no number here are passed over. One that does not fit
 * the buffer is the next one again. */
static enum vmail_rc
next(const struct vmail_nss_target *to)
{
	char window[VMAIL_PUBLIC_WINDOW], views[VMAIL_NSS_VIEWS];
	struct vmail_world world;
	struct vmail_public found;
	uint32_t pos = walk.pos;
	enum vmail_rc rc = vmail_nss_world(&walk.map, views, NULL, &world);

	if (rc != VMAIL_OK)
		return rc;
	for (;;) {
		rc = vmail_map_next(&walk.map, &pos, window, &found);
		if (rc != VMAIL_OK)
			return rc;
		rc = vmail_nss_pack_mailbox(&found, walk.map.home, &world, to);
		if (rc == VMAIL_NOT_FOUND)
			walk.pos = pos;
		else
			break;
	}
	if (rc == VMAIL_OK)
		walk.pos = pos;
	return rc;
}

enum nss_status
_nss_vmail_getpwent_r(struct passwd *pw, char *buf, size_t size, int *errnop)
{
	const struct vmail_nss_target to = { pw, buf, size };
	int kept = vmail_nss_begin();
	enum vmail_rc rc = VMAIL_BUSY;

	if (take()) {
		rc = open_walk();
		if (rc == VMAIL_OK)
			rc = next(&to);
		give();
	}
	return vmail_nss_end(rc, kept, errnop);
}

enum nss_status
_nss_vmail_endpwent(void)
{
	int kept = vmail_nss_begin(), number;
	enum vmail_rc rc = VMAIL_BUSY;

	if (take()) {
		rc = VMAIL_OK;
		end();
		give();
	}
	return vmail_nss_end(rc, kept, &number);
}

enum nss_status
_nss_vmail_setpwent(int stay_open)
{
	(void)stay_open;
	return _nss_vmail_endpwent();
}
