/*
 * What configuration for a container has to say of our files: gathered once
 * (idmap_emit.c), told in the words of each engine (idmap_forms.c and those
 * beside it).
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

#define EMIT_NAME(e) (int)(e)->view.name.n, (e)->view.name.p

/* Does this form take the folders from where mount(8) has put them? */
bool emit_from_mounts(const struct emit *e);

/* Does the engine itself mount idmapped here? */
bool emit_by_engine(const struct emit *e);

/* Is there a group that a process without a namespace gets besides its own? */
bool emit_needs_group(const struct emit *e);

/* The folder to give to the engine. */
enum { EMIT_SOURCE = EMIT_PATH + 128 };
void emit_source(const struct emit *e, const struct emit_folder *f, bool mounts,
    char out[EMIT_SOURCE]);

/* Comments: what the lines are about; what to do before (form: and then again
 * with --mounted); an ACL. */
void emit_head(const struct emit *e);
void emit_prepare(const struct emit *e, const char *form);
void emit_acl(const struct emit *e);

int emit_compose(const struct emit *e);
int emit_podman(const struct emit *e);
int emit_quadlet(const struct emit *e);
int emit_nspawn(const struct emit *e);
int emit_mount(const struct emit *e);
int emit_kubernetes(const struct emit *e);

#endif
