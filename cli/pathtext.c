#include "cli/pathtext.h"

#include <stdio.h>
#include <string.h>

bool
pathtext_is_plain(const char *path, const char *also)
{
	for (const char *p = path; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') ||
			      (*p >= 'A' && *p <= 'Z') ||
			      (*p >= '0' && *p <= '9');

		if (!letter && !strchr("/._-+@", *p) && !strchr(also, *p))
			return false;
	}
	return true;
}

void
pathtext_folder(const char *path, char *out, size_t size)
{
	size_t n = strcspn(path, "%");

	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	snprintf(out, size, "%.*s", (int)n, path);
}

bool
pathtext_lies_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}
