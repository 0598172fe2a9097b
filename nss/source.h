/*
 * Where the answers come from: the public map, or vmail.conf where there is
 * none; and what decides a number here.
 */
#ifndef VMAIL_NSS_SOURCE_H
#define VMAIL_NSS_SOURCE_H

#include "common/core/err.h"
#include "common/core/ids.h"
#include "common/core/map.h"

/* As much of a window as a record may take. */
enum { VMAIL_NSS_VIEWS = VMAIL_PUBLIC_RECORD };

/*
 * What a lookup works on. The stack of a foreign program may be small, so the
 * memory is one frame, and what is not needed at the same time shares its
 * place: the window holds the views until a record is looked up, then
 * `views` does. A name at the window's end stays there.
 */
struct vmail_nss_source {
	struct vmail_map *map;
	char *window; /* VMAIL_PUBLIC_WINDOW bytes */
	char *views;  /* 2 KiB that are free once the record is found */
};

typedef enum vmail_rc vmail_nss_find(
    const struct vmail_nss_source *source, const void *question);

/*
 * Asks /etc/vmail/passwd.cdb. Where there is none, a map made of vmail.conf,
 * which holds nobody and is stale for ever: identities are known, mailboxes
 * only to who may read the passwd-file.
 */
enum vmail_rc vmail_nss_ask(vmail_nss_find *find, const void *question);

/* Where the map is a mere header (the passwd-file lies elsewhere, or there is
 * one per domain), goes on to the map beside that file. VMAIL_NOT_FOUND: no
 * folder for that domain. The caller closes map on every return. */
enum vmail_rc vmail_nss_open_mailboxes(
    struct vmail_map *map, struct vmail_str domain);

/* Whom a question is about, as far as views may know of him. */
struct vmail_nss_asked {
	struct vmail_str name; /* n == 0: by number */
	uint32_t number;
};

/*
 * What decides a number here. With `views=file` the lines that matter of
 * /etc/vmail/views are read into space[VMAIL_NSS_VIEWS]: of guests those alone
 * that are asked for (asked may be NULL). VMAIL_MALFORMED if they do not fit.
 */
enum vmail_rc vmail_nss_world(const struct vmail_map *map, char *space,
    const struct vmail_nss_asked *asked, struct vmail_world *world);

/* The mailbox of that name; the one mailbox of the host's uid; both in the
 * window. Where there is no map and the passwd-file is not for
 * this process: VMAIL_IO with errno ENOENT. */
enum vmail_rc vmail_nss_mailbox(const struct vmail_nss_source *source,
    struct vmail_str name, struct vmail_public *out);
enum vmail_rc vmail_nss_mailbox_of(const struct vmail_nss_source *source,
    uint32_t uid, struct vmail_public *out);

/* Moves a name to the window's end, where it stays whatever is read next.
 * VMAIL_MALFORMED: nobody's name is so long. */
enum vmail_rc vmail_nss_keep_name(
    const struct vmail_nss_source *source, struct vmail_str *name);

/* The name as it may be asked for, NULL and endless ones included; false:
 * nobody can have it. */
bool vmail_nss_askable(const char *name, struct vmail_str *asked);

#endif
