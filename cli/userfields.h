/*
 * The fields of a user that useradd and usermod take as options, and how
 * they are judged before they are written.
 */
#ifndef VMAIL_CLI_USERFIELDS_H
#define VMAIL_CLI_USERFIELDS_H

#include "cli/cmd.h"
#include "cli/world.h"

/* NULL: not given; empty: the field becomes empty. */
struct userfields {
	const char *home, *gecos, *uid, *gid;
};

/* The rows; the command's struct has a member `fields`. */
#define USERFIELDS_OPTIONS(type)                                               \
	{ 'd', "home", "HOME", "the home, absolute",                           \
		offsetof(type, fields.home) },                                 \
	    { 'c', "gecos", "TEXT", "the full name, or a remark",              \
		    offsetof(type, fields.gecos) },                            \
	    { 'u', "uid", "UID", "the user's own number, or a name",           \
		    offsetof(type, fields.uid) },                              \
	{                                                                      \
		'g', "gid", "GID", "the group's, likewise",                    \
		    offsetof(type, fields.gid)                                 \
	}

/* May each be written, for that many users? Says why not. */
int userfields_check(
    const struct run *run, const struct userfields *f, size_t users);

/* The numbers here of what will be written; what nobody here can resolve is
 * refused. */
int userfields_resolve(const struct vmail_conf *conf, const struct world *world,
    struct vmail_str uid, struct vmail_str gid, struct vmail_ids *ids);

/* Says that the owner has no number here. */
int userfields_no_number(const struct vmail_conf *conf);

#endif
