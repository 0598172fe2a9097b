/*
 * Paths as text: what may be printed for other programs, and what lies in what.
 */
#ifndef VMAIL_CLI_PATHTEXT_H
#define VMAIL_CLI_PATHTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Letters, digits, "/._-+@" and what stands in `also`: bytes that mean nothing
 * to a shell, a unit, YAML, or Dovecot's configuration. */
bool pathtext_is_plain(const char *path, const char *also);

/* The folder that all a path or template names lies in: above its last
 * component, or above the first one with a '%'; without a final '/'. */
void pathtext_folder(const char *path, char *out, size_t size);

/* Is it that folder (tidy, without a final '/'), or does it lie below? */
bool pathtext_lies_in(const char *path, const char *folder);

#endif
