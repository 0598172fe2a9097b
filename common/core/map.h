/*
 * The public map: what its first record says, and whether it is fresh
 * (formats.md, "Public map"). Read in core, with no heap.
 */
#ifndef VMAIL_CORE_MAP_H
#define VMAIL_CORE_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/core/cdb.h"
#include "common/core/conf.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/text.h"

#define VMAIL_MAP_PATH "/etc/vmail/passwd.cdb"

enum {
	VMAIL_MAP_PAGE = 4096,
	VMAIL_MAP_HEADER_POS = 2062, /* of the value of ":vmail" */
	VMAIL_MAP_HEADER_LEN = 2034,
	VMAIL_MAP_STAMP_LEN = 106, /* its first line, with the line feed */
	VMAIL_MAP_VERSION = 1,
	VMAIL_MAP_DRIFT_MAX = 65536,
};

/* The first line of ":vmail". */
struct vmail_map_stamp {
	struct vmail_stamp file; /* the passwd-file this map answers for */
	uint32_t drift;		 /* every OFFSET is right to within */
	uint32_t room_pos, room_len;
	bool dups; /* equal names in the file */
};

/* Lays out the 106 bytes / reads them. False: not a version we know, or
 * damaged. */
void vmail_map_put_stamp(
    const struct vmail_map_stamp *s, char out[VMAIL_MAP_STAMP_LEN]);
bool vmail_map_get_stamp(
    const char in[VMAIL_MAP_STAMP_LEN], struct vmail_map_stamp *s);

/* What /etc/passwd said of the owner when the map was made, and how to see
 * that it is that very file still: its time of change (ctime) is nobody's to
 * set. Then a lookup need not read it. size 0: not told. */
struct vmail_map_account {
	struct vmail_stamp file;
	int64_t changed_sec;
	uint32_t changed_nsec;
	uint32_t uid, gid;
};

/*
 * An open map. The strings are terminated and point into page; views_text is
 * the lines of the views file (p == NULL: they are in the file itself,
 * `views=file`). Owns fd.
 */
struct vmail_map {
	struct vmail_cdb cdb;
	uid_t uid; /* how the map file itself shows here */
	gid_t gid;
	struct vmail_map_stamp stamp;
	const char *passwd_file, *home;
	struct vmail_str owner_user, owner_group, cost, views;
	struct vmail_str account; /* vmail_map_get_account; n == 0: not told */
	uint32_t first_valid_uid, last_valid_uid;
	bool nss_mailboxes, nss_enumerate;
	/* Lines that nobody can read (UINT64_MAX: not told), and changes of
	 * records since the map was built. */
	uint64_t malformed, patched;
	char page[VMAIL_MAP_PAGE];
};

/*
 * Opens the map at path: open, fstat, one pread. VMAIL_NOT_FOUND: no map;
 * VMAIL_UNSAFE: not trusted; VMAIL_MALFORMED: damaged, truncated, a version
 * we do not know. On VMAIL_OK close with vmail_map_close (safe twice).
 */
enum vmail_rc vmail_map_open(
    const char *path, struct vmail_map *map, struct vmail_err *err);
void vmail_map_close(struct vmail_map *map);

/* `account=` as it stands in the header: eight decimals. False: not so. */
void vmail_map_put_account(
    const struct vmail_map_account *a, struct vmail_buf *out);
bool vmail_map_get_account(struct vmail_str value, struct vmail_map_account *a);

/* P.cdb for the passwd-file P. */
enum vmail_rc vmail_map_path(const char *passwd_file, char *out, size_t size);

/* Is this the map of that very content? */
bool vmail_map_fresh(const struct vmail_map *map, const struct stat *passwd);

/* A mailbox as the map has it: unresolved, in the caller's window. */
struct vmail_public {
	struct vmail_str name, uid, gid, gecos, home, shell;
	uint64_t offset;
};

/* Of a window a record takes at most the first VMAIL_PUBLIC_RECORD bytes; the
 * others keep the name that vmail_map_name_of found, so that it may be asked
 * for through the same window. */
enum { VMAIL_PUBLIC_WINDOW = 1984, VMAIL_PUBLIC_RECORD = 1984 - 256 };

/* window holds the strings of *out. VMAIL_NOT_FOUND, VMAIL_MALFORMED,
 * VMAIL_IO. */
enum vmail_rc vmail_map_find(const struct vmail_map *map, struct vmail_str name,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out);

/* The one mailbox of that (host's) uid: its name, at the window's end; and the
 * mailbox itself, where it came along (else behind->name.n is 0).
 * VMAIL_NOT_FOUND: none or several. */
enum vmail_rc vmail_map_name_of(const struct vmail_map *map, uint32_t uid,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_str *name,
    struct vmail_public *behind);

/* Walks mailboxes: *pos is 0 at first, and moves on VMAIL_OK only;
 * VMAIL_NOT_FOUND at the end. Records that are none (":...") and later ones of
 * equal name are passed over. */
enum vmail_rc vmail_map_next(const struct vmail_map *map, uint32_t *pos,
    char window[VMAIL_PUBLIC_WINDOW], struct vmail_public *out);

/* Cuts a map value. */
bool vmail_map_cut(struct vmail_str value, struct vmail_public *out);

#endif
