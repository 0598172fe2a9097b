#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { PER_SECOND = 5, SOON = 86400 };

void
progress_start(struct progress *p, bool quiet)
{
	*p = (struct progress){ .on = !quiet && isatty(STDERR_FILENO),
		.unit = "lines" };
	if (p->on)
		clock_gettime(CLOCK_MONOTONIC, &p->start);
	p->last = p->start;
}

static double
seconds(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

void
progress_step(struct progress *p, uint64_t units, uint64_t done, uint64_t total)
{
	struct timespec now;
	double took, left;

	if (!p->on)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (seconds(&p->last, &now) < 1.0 / PER_SECOND)
		return;
	p->last = now;
	p->shown = true;
	took = seconds(&p->start, &now);
	fprintf(stderr, "\r\033[K%llu %s, %.0f a second",
	    (unsigned long long)units, p->unit, (double)units / took);
	left = done > 0 && done < total
		   ? took * (double)(total - done) / (double)done
		   : 0;
	if (left > 0 && left < SOON)
		fprintf(stderr, ", %.0f %%, %.0f s left",
		    100.0 * (double)done / (double)total, left);
}

void
progress_say(struct progress *p, const char *what)
{
	if (!p->on)
		return;
	p->shown = true;
	fprintf(stderr, "\r\033[K%s", what);
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
