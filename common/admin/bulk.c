#include "common/admin/bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/admin/commit.h"
#include "common/admin/mapmake.h"
#include "common/admin/secret.h"
#include "common/core/file.h"

enum { WRITE_BEHIND = 8 << 20, QUEUE = 8 };

struct bulk {
	struct vmail_edits_sink sink;	/* what edits know of it */
	struct vmail_store_ahead ahead; /* and what the commit does */
	struct vmail_store *store;
	bool threaded;
	struct vmail_edits_base base;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	/* Under the lock: the texts that wait for the other thread, the first
	 * of which it may be at, and what it has to say. */
	struct vmail_edits_text queue[QUEUE];
	size_t first, waiting;
	bool last; /* no text follows */
	enum vmail_rc rc;
	struct vmail_err err;
	/* The other thread's alone, until it has ended. */
	int to;
	uint64_t from, at, handed; /* where added lines begin, where the next
				    * one goes, what the disk was given */
	char *back;		   /* what was read back */
	size_t back_room;
	struct vmail_mapmake *map;
	enum vmail_rc map_rc; /* a map that fails fails the commit, no add */
	struct vmail_err map_err;
};

static struct bulk *
bulk_of(struct vmail_edits_sink *sink)
{
	return (struct bulk *)((char *)sink - offsetof(struct bulk, sink));
}

static enum vmail_rc
fail_write(struct bulk *b, const char *what, struct vmail_err *err)
{
	return vmail_fail_sys(err, b->base.path, what);
}

/* What stands in the old file. */
static enum vmail_rc
write_base(struct bulk *b, struct vmail_err *err)
{
	uint64_t size = b->base.size;
	bool closes = b->base.open_end;

	if (!vmail_edits_copy(b->base.fd, 0, b->to, 0, size) ||
	    (closes && !vmail_edits_pwrite(b->to, "\n", 1, size)))
		return fail_write(b, "write the new file", err);
	return VMAIL_OK;
}

static void
begin_map(struct bulk *b)
{
	const struct vmail_store *s = b->store;
	char path[VMAIL_CONF_PATH_MAX + sizeof(".cdb.tmp")];
	struct vmail_buf name = { .p = path, .size = sizeof(path) };

	if (!s->conf.nss_mailboxes)
		return;
	vmail_buf_z(&name, s->conf.passwd_file);
	vmail_buf_z(&name, ".cdb.tmp");
	if (vmail_buf_end(&name) != VMAIL_OK)
		b->map_rc = vmail_fail(&b->map_err, VMAIL_TOO_SMALL,
		    s->conf.passwd_file, 0, "a path too long");
	if (b->map_rc == VMAIL_OK)
		b->map_rc =
		    vmail_mapmake_begin(&s->conf, path, &b->map, &b->map_err);
	if (b->map_rc == VMAIL_OK)
		b->map_rc = vmail_mapmake_file(
		    b->map, s->fd, s->conf.passwd_file, &b->map_err);
}

static bool
read_back(struct bulk *b, const struct vmail_edits_text *text)
{
	if (b->back_room < text->n) {
		vmail_wipe_free(&b->back, b->back_room);
		b->back = malloc(text->room);
		b->back_room = b->back != NULL ? text->room : 0;
	}
	if (b->back == NULL)
		return false;
	errno = EIO;
	return vmail_file_pread(b->to, b->back, text->n, b->at) ==
		   (ssize_t)text->n &&
	       memcmp(b->back, text->p, text->n) == 0;
}

/* The disk works while the next lines are judged. */
static void
write_behind(struct bulk *b)
{
	if (b->at - b->handed < WRITE_BEHIND)
		return;
	(void)sync_file_range(b->to, (off_t)b->handed,
	    (off_t)(b->at - b->handed), SYNC_FILE_RANGE_WRITE);
	b->handed = b->at;
}

static enum vmail_rc
write_text(
    struct bulk *b, const struct vmail_edits_text *text, struct vmail_err *err)
{
	if (!vmail_edits_pwrite(b->to, text->p, text->n, b->at))
		return fail_write(b, "write the new file", err);
	if (!read_back(b, text))
		return fail_write(b, "read the new file back", err);
	if (b->map_rc == VMAIL_OK && b->map != NULL)
		b->map_rc = vmail_mapmake_text(b->map,
		    (struct vmail_str){ b->back, text->n }, b->at, &b->map_err);
	b->at += text->n;
	write_behind(b);
	return VMAIL_OK;
}

/* The first text that waits. */
static void
work_on(struct bulk *b)
{
	struct vmail_err err;
	enum vmail_rc rc = b->rc;
	bool failed = false;

	pthread_mutex_unlock(&b->lock);
	if (rc == VMAIL_OK) {
		rc = write_text(b, &b->queue[b->first], &err);
		failed = rc != VMAIL_OK;
	}
	pthread_mutex_lock(&b->lock);
	if (failed)
		b->err = err;
	b->rc = rc;
	b->first = (b->first + 1) % QUEUE;
	b->waiting--;
	pthread_cond_signal(&b->turn);
}

static void *
work(void *arg)
{
	struct bulk *b = arg;

	begin_map(b);
	pthread_mutex_lock(&b->lock);
	while (b->waiting != 0 || !b->last) {
		if (b->waiting != 0)
			work_on(b);
		else
			pthread_cond_wait(&b->turn, &b->lock);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* The old content is copied here, while the map of it is made there. */
static enum vmail_rc
begin(struct bulk *b, struct vmail_err *err)
{
	enum vmail_rc rc = vmail_store_base(b->store, &b->base, err);

	if (rc == VMAIL_OK)
		rc = vmail_store_new_file(b->store, &b->ahead.fd, err);
	b->ahead.begun = b->ahead.fd >= 0;
	b->to = b->ahead.fd;
	b->from = b->at = b->base.size + (b->base.open_end ? 1 : 0);
	if (rc != VMAIL_OK)
		return rc;
	b->threaded = pthread_create(&b->thread, NULL, work, b) == 0;
	/* Where there can be no thread it is done in turns. */
	if (!b->threaded)
		begin_map(b);
	return write_base(b, err);
}

/* Waits until no more than so many texts wait. The lock is held then. */
static enum vmail_rc
wait_for_it(struct bulk *b, size_t waiting, struct vmail_err *err)
{
	pthread_mutex_lock(&b->lock);
	while (b->waiting > waiting)
		pthread_cond_wait(&b->turn, &b->lock);
	if (b->rc != VMAIL_OK)
		*err = b->err;
	return b->rc;
}

/* The room that an older text had is the caller's for the next. */
static void
enqueue(struct bulk *b, struct vmail_edits_text *text)
{
	size_t at = (b->first + b->waiting) % QUEUE;
	struct vmail_edits_text room = b->queue[at];

	b->queue[at] = *text;
	*text = room;
	b->waiting++;
	pthread_cond_signal(&b->turn);
}

static enum vmail_rc
put(struct vmail_edits_sink *sink, struct vmail_edits_text *text,
    struct vmail_err *err)
{
	struct bulk *b = bulk_of(sink);
	enum vmail_rc rc = b->ahead.begun ? VMAIL_OK : begin(b, err);

	if (rc != VMAIL_OK)
		return rc;
	rc = wait_for_it(b, QUEUE - 1, err);
	if (rc == VMAIL_OK && b->threaded)
		enqueue(b, text);
	else if (rc == VMAIL_OK)
		rc = write_text(b, text, err);
	text->n = 0;
	pthread_mutex_unlock(&b->lock);
	return rc;
}

static bool
get(struct vmail_edits_sink *sink, uint64_t at, char *p, size_t n)
{
	struct bulk *b = bulk_of(sink);
	struct vmail_err err;
	bool good = wait_for_it(b, 0, &err) == VMAIL_OK;

	pthread_mutex_unlock(&b->lock);
	return good &&
	       vmail_file_pread(b->to, p, n, b->from + at) == (ssize_t)n;
}

static enum vmail_rc
end(struct vmail_edits_sink *sink, struct vmail_err *err)
{
	struct bulk *b = bulk_of(sink);
	enum vmail_rc rc = wait_for_it(b, 0, err);

	b->last = true;
	pthread_cond_signal(&b->turn);
	pthread_mutex_unlock(&b->lock);
	if (b->threaded)
		pthread_join(b->thread, NULL);
	b->threaded = false;
	return rc;
}

static struct bulk *
bulk_of_ahead(struct vmail_store_ahead *ahead)
{
	return (struct bulk *)((char *)ahead - offsetof(struct bulk, ahead));
}

static enum vmail_rc
give_map(struct vmail_store_ahead *ahead, const struct stat *st, int *fd,
    struct vmail_err *err)
{
	struct bulk *b = bulk_of_ahead(ahead);

	if (b->map_rc == VMAIL_OK)
		return vmail_mapmake_end(&b->map, st, fd, err);
	*err = b->map_err;
	return b->map_rc;
}

static void
finish(struct vmail_store_ahead *ahead)
{
	struct bulk *b = bulk_of_ahead(ahead);
	struct vmail_err err;

	(void)end(&b->sink, &err);
	vmail_mapmake_drop(&b->map);
	if (ahead->fd >= 0)
		vmail_store_undo(b->store);
	vmail_file_close(&ahead->fd);
	for (size_t i = 0; i < QUEUE; i++)
		vmail_edits_text_free(&b->queue[i]);
	vmail_wipe_free(&b->back, b->back_room);
	(void)vmail_edits_stream(&b->store->edits, NULL, &err);
	pthread_cond_destroy(&b->turn);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

enum vmail_rc
vmail_bulk(struct vmail_store *store, struct vmail_err *err)
{
	struct bulk *b = calloc(1, sizeof(*b));
	enum vmail_rc rc;

	if (b == NULL)
		return vmail_fail_sys(err, store->conf.passwd_file, "add");
	rc = vmail_edits_stream(&store->edits, &b->sink, err);
	if (rc != VMAIL_OK) {
		free(b);
		return rc;
	}
	b->sink = (struct vmail_edits_sink){ put, get, end };
	b->ahead = (struct vmail_store_ahead){
		.fd = -1, .map = give_map, .close = finish
	};
	b->store = store;
	b->to = -1;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->turn, NULL);
	store->ahead = &b->ahead;
	return VMAIL_OK;
}
