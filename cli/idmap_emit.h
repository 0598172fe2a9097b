/*
 * What configuration for a container has to say of our files: gathered once
 * (idmap_emit.c), told in the words of each engine (idmap_forms.c).
 */
#ifndef VMAIL_CLI_IDMAP_EMIT_H
#define VMAIL_CLI_IDMAP_EMIT_H

#include "cli/idmap.h"

/* Where mount(8) is told to put the idmapped folders: in one of root's alone,
 * for inside they show as the container's, whose numbers somebody here may
 * have. */
#define EMIT_MOUNTS "/run/vmail-idmap"

enum { EMIT_PATH = VMAIL_CONF_PATH_MAX + 1, EMIT_FOLDERS = 3, EMIT_PAIRS = 16 };

/* A number on the disk, and the number, as the host counts, that it is to show
 * as in an idmapped mount. */
struct emit_pair {
	uint32_t disk, shown;
};

struct emit_pairs {
	size_t n;
	struct emit_pair pair[EMIT_PAIRS];
};

struct emit_folder {
	const char *name; /* below EMIT_MOUNTS/VIEW */
	bool read_only;
	char path[EMIT_PATH];
	struct emit_pairs uids, gids;
};

struct emit {
	const struct vmail_conf *conf;
	struct vmail_view view;
	struct vmail_ids host; /* the identity's on the disk */
	struct vmail_ids disk; /* what the view's own come to there */
	gid_t reader;	       /* the passwd-file's group there; 0: root's */
	bool fits;     /* the view's numbers are the host's: nothing to map */
	bool rootless; /* a namespace of a user who is not root */
	bool mounted;  /* take the folders from EMIT_MOUNTS */
	bool acl;      /* the view's number is nobody's here */
	size_t folders;
	struct emit_folder folder[EMIT_FOLDERS];
};

int emit_compose(const struct emit *e);
int emit_podman(const struct emit *e);
int emit_quadlet(const struct emit *e);
int emit_nspawn(const struct emit *e);
int emit_mount(const struct emit *e);
int emit_kubernetes(const struct emit *e);

#endif
