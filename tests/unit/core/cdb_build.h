/*
 * A little builder of cdb images for the tests, made after the format's
 * description and not after mapmake, so that the two are held against each
 * other.
 */
#ifndef TESTS_UNIT_CORE_CDB_BUILD_H
#define TESTS_UNIT_CORE_CDB_BUILD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/cdb.h"
#include "common/core/map.h"
#include "common/core/text.h"

struct image {
	unsigned char *p;
	size_t n, room;
	struct {
		uint32_t hash, pos;
	} records[4096];
	unsigned count;
};

static inline void
image_bytes(struct image *m, const void *p, size_t n)
{
	if (m->n + n > m->room) {
		m->room = (m->n + n) * 2;
		m->p = realloc(m->p, m->room);
		if (m->p == NULL)
			abort();
	}
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static inline void
image_u32(struct image *m, uint32_t v)
{
	unsigned char b[4] = { (unsigned char)v, (unsigned char)(v >> 8),
		(unsigned char)(v >> 16), (unsigned char)(v >> 24) };

	image_bytes(m, b, sizeof(b));
}

static inline void
image_set_u32(struct image *m, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		m->p[at + i] = (unsigned char)(v >> (8 * i));
}

static inline void
image_start(struct image *m)
{
	static const unsigned char zeros[VMAIL_CDB_POINTERS];

	memset(m, 0, sizeof(*m));
	image_bytes(m, zeros, sizeof(zeros));
}

static inline uint32_t
image_add(struct image *m, struct vmail_str key, struct vmail_str data)
{
	uint32_t pos = (uint32_t)m->n;

	image_u32(m, (uint32_t)key.n);
	image_u32(m, (uint32_t)data.n);
	image_bytes(m, key.p, key.n);
	image_bytes(m, data.p, data.n);
	m->records[m->count].hash = vmail_cdb_hash(key);
	m->records[m->count++].pos = pos;
	return pos;
}

/* Tables of `times` n + `plus` slots. */
static inline void
image_finish(struct image *m, uint32_t times, uint32_t plus)
{
	for (unsigned t = 0; t < 256; t++) {
		uint32_t n = 0, slots, at = (uint32_t)m->n;

		for (unsigned i = 0; i < m->count; i++)
			n += (m->records[i].hash & 255) == t;
		slots = n == 0 ? 0 : n * times + plus;
		image_set_u32(m, t * 8, at);
		image_set_u32(m, t * 8 + 4, slots);
		for (uint32_t i = 0; i < slots * 2; i++)
			image_u32(m, 0);
		for (unsigned i = 0; i < m->count; i++) {
			uint32_t h = m->records[i].hash;

			if ((h & 255) != t)
				continue;
			uint32_t s = (h >> 8) % slots;
			while (vmail_cdb_u32(m->p + at + s * 8 + 4) != 0)
				s = (s + 1) % slots;
			image_set_u32(m, at + s * 8, h);
			image_set_u32(m, at + s * 8 + 4, m->records[i].pos);
		}
	}
}

/* The map's first record: stamp, settings, line feeds. */
static inline void
image_header(
    struct image *m, const struct vmail_map_stamp *stamp, const char *settings)
{
	char value[VMAIL_MAP_HEADER_LEN];

	memset(value, '\n', sizeof(value));
	vmail_map_put_stamp(stamp, value);
	memcpy(value + VMAIL_MAP_STAMP_LEN, settings, strlen(settings));
	(void)image_add(
	    m, VMAIL_STR(":vmail"), (struct vmail_str){ value, sizeof(value) });
}

static inline void
image_free(struct image *m)
{
	free(m->p);
	m->p = NULL;
}

#endif
