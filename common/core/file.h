/*
 * What "a trusted file" means (ids.md, "Trust inside a user namespace"), and
 * how one is read without being torn (writes.md, "Readers").
 */
#ifndef VMAIL_CORE_FILE_H
#define VMAIL_CORE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/core/err.h"
#include "common/core/text.h"

/* Which content of a file: compared with ==, never <. */
struct vmail_stamp {
	uint64_t size;
	int64_t sec;
	uint32_t nsec;
	uint64_t ino;
};

struct vmail_stamp vmail_file_stamp(const struct stat *st);
/* A negative mtime never equals anything (it is always stale). */
bool vmail_file_same(const struct vmail_stamp *a, const struct vmail_stamp *b);

/*
 * Opens a regular file (O_RDONLY, no symlink followed at the last component,
 * never blocking on a FIFO, close-on-exec). On VMAIL_OK the caller owns *fd.
 * VMAIL_NOT_FOUND: there is no such file. VMAIL_UNSAFE: symlink, directory,
 * FIFO, device. VMAIL_DENIED, VMAIL_IO. `flags` is O_RDONLY or O_RDWR.
 */
enum vmail_rc vmail_file_open(const char *path, int flags, int *fd,
    struct stat *st, struct vmail_err *err);

/* Owner root (or the kernel's word for the host's root), and neither group
 * nor others may write: VMAIL_OK; else VMAIL_UNSAFE with owner, mode and
 * reason in err. */
enum vmail_rc vmail_file_trust(
    const struct stat *st, const char *path, struct vmail_err *err);

/* The same question about the directory that `path` lies in.
 * VMAIL_NOT_FOUND: there is none. */
enum vmail_rc vmail_file_trust_folder(const char *path, struct vmail_err *err);

/* The size of an open file; false with errno. */
bool vmail_file_size(int fd, uint64_t *size);

/* Reads n bytes at off unless the file ends before; -1 with errno. */
ssize_t vmail_file_pread(int fd, void *buf, size_t n, uint64_t off);

/* After reading: is the content still the one of *before, and is nobody
 * rewriting it in place (byte 1 locked)? VMAIL_OK or VMAIL_BUSY. */
enum vmail_rc vmail_file_steady(int fd, const struct vmail_stamp *before);

enum { VMAIL_STEADY_TRIES = 5 };

/*
 * Finds a line that reads `NAME:...` (or is `NAME` alone) and begins in bytes
 * [from, to) of fd, `from` being the beginning of a line; the line itself may
 * go on beyond `to`. Reads through window[size] (size >= 512), whatever the
 * lengths of lines are. VMAIL_OK and *at, the offset of the line's first
 * byte; VMAIL_NOT_FOUND; VMAIL_IO (errno).
 */
enum vmail_rc vmail_file_find(int fd, uint64_t from, uint64_t to,
    struct vmail_str name, char *window, size_t size, uint64_t *at);

/*
 * Reads the line at `at` into buf without its line feed. VMAIL_OK: *line;
 * *next is the offset of the following line (or the file's end).
 * VMAIL_TOO_SMALL: longer than buf (*next is found all the same; buf is
 * scratch then).
 * VMAIL_NOT_FOUND: at end of file. VMAIL_IO (errno). A CR stays in the line.
 */
enum vmail_rc vmail_file_line(int fd, uint64_t at, char *buf, size_t size,
    struct vmail_str *line, uint64_t *next);

/* Leaves errno as it was, whatever close says. Safe on -1; sets *fd to -1. */
void vmail_file_close(int *fd);

#define VMAIL_AUTOCLOSE __attribute__((cleanup(vmail_file_close)))

#endif
