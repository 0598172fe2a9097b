#include "cli/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/say.h"
#include "common/admin/secret.h"

enum { ROOM = 262144 };

int
feed_open(struct feed *feed, const char *path)
{
	bool standard = !path || strcmp(path, "-") == 0;
	struct stat st;

	*feed = (struct feed){ .fd = STDIN_FILENO, .name = "standard input" };
	if (!standard) {
		feed->name = path;
		feed->fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (feed->fd < 0 || fstat(feed->fd, &st) != 0)
		return say_fail(
		    STATUS_FAILED, "%s: %s", feed->name, strerror(errno));
	if (S_ISREG(st.st_mode))
		feed->total = (uint64_t)st.st_size;
	feed->buf = malloc(ROOM);
	if (!feed->buf)
		return say_fail(STATUS_FAILED, "out of memory");
	return STATUS_OK;
}

void
feed_close(struct feed *feed)
{
	vmail_wipe_free(&feed->buf, ROOM);
	if (feed->fd > STDERR_FILENO)
		close(feed->fd);
	feed->fd = -1;
}

/* What is left moves to the front, and more comes behind it. */
static bool
fill(struct feed *feed)
{
	ssize_t got;

	feed->have -= feed->at;
	memmove(feed->buf, feed->buf + feed->at, feed->have);
	feed->at = 0;
	do
		got = read(feed->fd, feed->buf + feed->have, ROOM - feed->have);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	feed->eof = got == 0;
	feed->have += (size_t)got;
	feed->bytes += (uint64_t)got;
	return true;
}

static char *
line_feed(const struct feed *feed)
{
	return memchr(feed->buf + feed->at, '\n', feed->have - feed->at);
}

/* The rest of a line that is longer than the buffer. */
static enum feed_got
pass_over(struct feed *feed)
{
	const char *lf;

	while (!(lf = line_feed(feed)) && !feed->eof) {
		feed->at = feed->have;
		if (!fill(feed))
			return FEED_FAILED;
	}
	feed->at = lf ? (size_t)(lf - feed->buf) + 1 : feed->have;
	return FEED_LONG;
}

enum feed_got
feed_next(struct feed *feed, char **line, size_t *n)
{
	const char *lf;

	while (!(lf = line_feed(feed)) && !feed->eof) {
		if (feed->at == 0 && feed->have == ROOM) {
			feed->number++;
			return pass_over(feed);
		}
		if (!fill(feed))
			return FEED_FAILED;
	}
	if (!lf && feed->at == feed->have)
		return FEED_END;
	*line = feed->buf + feed->at;
	*n = lf ? (size_t)(lf - *line) : feed->have - feed->at;
	feed->at += *n + (lf ? 1 : 0);
	feed->number++;
	return FEED_LINE;
}

char
feed_peek(struct feed *feed)
{
	for (size_t i = feed->at;; i++) {
		while (i == feed->have) {
			if (feed->eof || feed->have == ROOM || !fill(feed))
				return 0;
		}
		if (!strchr(" \t\r\n\xef\xbb\xbf", feed->buf[i]))
			return feed->buf[i];
	}
}
