/*
 * What people call a process, asked of its folder in /proc, open at `proc`.
 */
#ifndef VMAIL_ADMIN_PROCNAME_H
#define VMAIL_ADMIN_PROCNAME_H

#include <stdbool.h>

enum { VMAIL_PROCNAME_MAX = 32, VMAIL_CONTAINER_MAX = 128 };

/* What it calls itself; "?" where it is gone. */
void vmail_procname(int proc, char out[VMAIL_PROCNAME_MAX]);

/* Has it processes of its own: is it in a container? */
bool vmail_procname_contained(int proc);

/* The last part of its control group's path, by which engines name their
 * containers; "" if there is none. Letters, digits and "._-" alone. */
void vmail_procname_container(int proc, char out[VMAIL_CONTAINER_MAX]);

#endif
