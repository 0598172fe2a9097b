/*
 * Reading D. J. Bernstein's cdb format with pread. Every length and offset is
 * held against the file's size: a damaged file reads as VMAIL_MALFORMED, it
 * never crashes anybody.
 *   0..2047   256 pointers (u32 position, u32 slots), little endian
 *   2048..    records: u32 klen, u32 dlen, key, data
 *   tables    slots: u32 hash, u32 position of a record (0: empty)
 */
#ifndef VMAIL_CORE_CDB_H
#define VMAIL_CORE_CDB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/err.h"
#include "common/core/text.h"

enum { VMAIL_CDB_POINTERS = 2048 };

struct vmail_cdb {
	int fd;
	uint64_t size;
	const unsigned char *pointers; /* the first 2048 bytes, in memory */
};

/* A record found: where it lies, and the first bytes of its data as far as
 * they came with the key (data.n <= dlen; the rest is at data_pos + data.n);
 * behind: the bytes of the file that came with it and follow it. */
struct vmail_cdb_record {
	uint32_t pos, klen, dlen;
	uint64_t data_pos;
	struct vmail_str data, behind;
};

uint32_t vmail_cdb_hash(struct vmail_str key);
uint32_t vmail_cdb_u32(const unsigned char *p);

/*
 * The first record of that key, read through window[size] (one pread of slots,
 * one of the record in the usual case). VMAIL_OK, VMAIL_NOT_FOUND,
 * VMAIL_MALFORMED, VMAIL_IO.
 */
enum vmail_rc vmail_cdb_find(const struct vmail_cdb *cdb, struct vmail_str key,
    char *window, size_t size, struct vmail_cdb_record *rec);

/* The record that follows *rec, if it came along whole. Nothing says that it is
 * one but what stands in it: a table's bytes may look like that. */
bool vmail_cdb_behind(const struct vmail_cdb_record *rec, struct vmail_str *key,
    struct vmail_cdb_record *next);

/*
 * The record at pos (2048 for the first), key and data read into window as
 * far as they fit (key->n < rec->klen: cut); *next is the one behind it.
 * VMAIL_NOT_FOUND: pos is where the records stop, at the lowest table.
 */
enum vmail_rc vmail_cdb_walk(const struct vmail_cdb *cdb, uint32_t pos,
    char *window, size_t size, struct vmail_str *key,
    struct vmail_cdb_record *rec, uint32_t *next);

#endif
