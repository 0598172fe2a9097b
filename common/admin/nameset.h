/*
 * Which of very many names was met before: a hash set that keeps no name, only
 * where it lies. The hash is keyed, so nobody can make names collide that come
 * from outside.
 */
#ifndef VMAIL_ADMIN_NAMESET_H
#define VMAIL_ADMIN_NAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/core/text.h"

struct vmail_nameset_slot;

/* Zeroed to begin with. */
struct vmail_nameset {
	struct vmail_nameset_slot *slot;
	size_t room, n;
	unsigned char key[16];
	struct {
		char name[VMAIL_NAME_MAX];
		size_t n; /* 0: nobody */
		uint32_t hash;
	} next; /* who is expected */
};

/* Is the name that lies at `at` this one? Asked where hashes are equal. */
typedef bool vmail_nameset_same(
    const void *arg, uint32_t at, struct vmail_str name);

enum vmail_nameset_rc {
	VMAIL_NAMESET_NEW,
	VMAIL_NAMESET_MET,
	VMAIL_NAMESET_NO_MEMORY,
};

/* This name is likely to be added next: what that needs of the memory is on
 * its way meanwhile. Nothing but speed hangs on it. */
void vmail_nameset_expect(struct vmail_nameset *set, struct vmail_str name);

/* Adds a name that lies at *at (below UINT32_MAX, the caller's to choose). MET:
 * it is in, *at becomes where. */
enum vmail_nameset_rc vmail_nameset_add(struct vmail_nameset *set,
    struct vmail_str name, vmail_nameset_same *same, const void *arg,
    uint32_t *at);

/* Is it in? Then *at becomes where it lies. */
bool vmail_nameset_find(const struct vmail_nameset *set, struct vmail_str name,
    vmail_nameset_same *same, const void *arg, uint32_t *at);

/* Frees and zeroes; safe twice. */
void vmail_nameset_clear(struct vmail_nameset *set);

#endif
