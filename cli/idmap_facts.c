/* idmap: what all its parts tell of views and processes. */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/idmap.h"
#include "cli/say.h"
#include "common/admin/perm.h"
#include "common/core/file.h"

enum { PASSWD_MAX = 1 << 20 };

struct vmail_str
idmap_identity(const struct run *run)
{
	const struct idmap_options *o = run->options;

	return o->identity ? vmail_str(o->identity)
			   : vmail_conf_owner_user(&run->conf);
}

/* A machine that is itself a container, but whose own maps lie here, is the
 * host of all that is below it. */
bool
idmap_on_host(const struct world *world)
{
	const struct vmail_world *w = &world->ids;

	return vmail_perm_on_host() ||
	       (w->map_seen && w->map_uid == 0 && w->has_host &&
		   w->map_gid == w->host.gid);
}

bool
idmap_disk(const struct vmail_view *view, struct vmail_ids *disk)
{
	uint32_t uid = view->uid, gid = view->gid;

	if (view->ranges.n > 0 &&
	    (!vmail_view_outside(view, view->uid, &uid) ||
		!vmail_view_outside(view, view->gid, &gid)))
		return false;
	*disk = (struct vmail_ids){ uid, gid };
	return true;
}

bool
idmap_host(const struct world *world, struct vmail_str identity,
    struct vmail_ids *host)
{
	return world_host_ids(world, identity, host) == VMAIL_OK;
}

bool
idmap_user(uid_t uid, char out[IDMAP_NAME])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(out, IDMAP_NAME, "%s", pw->pw_name);
	else
		snprintf(out, IDMAP_NAME, "%u", uid);
	return pw != NULL;
}

bool
idmap_group(gid_t gid, char out[IDMAP_NAME])
{
	const struct group *gr = getgrgid(gid);

	if (gr)
		snprintf(out, IDMAP_NAME, "%s", gr->gr_name);
	else
		snprintf(out, IDMAP_NAME, "%u", gid);
	return gr != NULL;
}

bool
idmap_collides(const struct world *world, const struct vmail_view *view,
    char person[IDMAP_NAME])
{
	struct vmail_ids disk, host;
	char guest[VMAIL_GUEST_MAX];
	struct vmail_str name;

	if (!idmap_on_host(world) || !idmap_disk(view, &disk))
		return false;
	if (idmap_host(world, view->identity, &host) && host.uid == disk.uid)
		return false;
	if (!idmap_user(disk.uid, person))
		return false;
	/* Ours, if libnss_vmail is asked here. */
	return vmail_ids_guest_of(&world->ids, disk.uid, guest, &name) !=
		   VMAIL_OK ||
	       !vmail_str_is(name, person);
}

void
idmap_warn(const struct world *world, const struct vmail_view *view)
{
	char person[IDMAP_NAME];
	struct vmail_ids disk, host;

	if (!idmap_collides(world, view, person) || !idmap_disk(view, &disk))
		return;
	say_warn("%.*s: what %.*s writes there as %u is %s's on this host",
	    (int)view->name.n, view->name.p, (int)view->identity.n,
	    view->identity.p, view->uid, person);
	if (view->ranges.n > 0)
		say_mend("give the namespace numbers that nobody has here");
	else if (idmap_host(world, view->identity, &host))
		say_mend("run it with user %u:%u, build its image with "
			 "VMAIL_UID=%u, or mount the folders idmapped: "
			 "vmailadm idmap emit --for mount %.*s",
		    host.uid, host.gid, host.uid, (int)view->name.n,
		    view->name.p);
}

int
idmap_process(const struct world *world, const char *typed,
    struct vmail_idmaps_process *process)
{
	struct vmail_err err;
	uint64_t pid;

	if (!vmail_text_number(vmail_str(typed), INT32_MAX, &pid) || pid == 0)
		return say_fail(
		    STATUS_USAGE, "not the number of a process: '%s'", typed);
	if (!idmap_on_host(world)) {
		say_fail(0, "this system is not the host: what it sees of "
			    "another's numbers is not what stands on the disk");
		say_mend("run this on the host, with the process's number "
			 "there");
		return STATUS_FAILED;
	}
	if (vmail_idmaps_open((pid_t)pid, process, &err) == VMAIL_OK)
		return STATUS_OK;
	return err.rc == VMAIL_NOT_FOUND
		   ? say_fail(STATUS_FAILED, "%s: no such process", typed)
		   : say_error(&err);
}

static bool
number_of(struct vmail_str field, uint32_t *out)
{
	uint64_t n;

	if (!vmail_text_number(field, UINT32_MAX - 1, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

/* As libc reads it: the first line of that name whose numbers are numbers. */
static bool
find_account(
    struct vmail_str text, struct vmail_str name, struct vmail_ids *ids)
{
	while (text.n > 0) {
		struct vmail_str line = vmail_text_cut(&text, '\n');

		if (!vmail_str_eq(vmail_text_cut(&line, ':'), name))
			continue;
		(void)vmail_text_cut(&line, ':');
		if (number_of(vmail_text_cut(&line, ':'), &ids->uid) &&
		    number_of(vmail_text_cut(&line, ':'), &ids->gid))
			return true;
	}
	return false;
}

/* STATUS_OK and the whole file, to be freed. */
static int
read_passwd(const struct vmail_idmaps_process *p, char **text, size_t *n)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct vmail_err err;
	ssize_t got = -1;
	enum vmail_rc rc = vmail_idmaps_open_file(p, "etc/passwd", &fd, &err);

	if (rc == VMAIL_NOT_FOUND)
		return STATUS_NO_USER;
	if (rc != VMAIL_OK)
		return say_error(&err);
	*text = malloc(PASSWD_MAX);
	if (*text)
		got = vmail_file_pread(fd, *text, PASSWD_MAX, 0);
	if (got < 0 || got == PASSWD_MAX) {
		free(*text);
		return say_fail(STATUS_FAILED,
		    "the /etc/passwd of process %d: cannot be read, or is too "
		    "large",
		    (int)p->pid);
	}
	*n = (size_t)got;
	return STATUS_OK;
}

int
idmap_account_in(const struct vmail_idmaps_process *p,
    struct vmail_str identity, struct vmail_ids *ids)
{
	char *text = NULL;
	size_t n = 0;
	int status = read_passwd(p, &text, &n);

	if (status != STATUS_OK)
		return status;
	if (!find_account((struct vmail_str){ text, n }, identity, ids))
		status = STATUS_NO_USER;
	free(text);
	return status;
}

/* There and back: a command is one thread that nobody else shares. */
bool
idmap_hostname_in(const struct vmail_idmaps_process *p, char out[IDMAP_NAME])
{
	VMAIL_AUTOCLOSE int own =
	    open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	VMAIL_AUTOCLOSE int there =
	    openat(p->proc, "ns/uts", O_RDONLY | O_CLOEXEC);
	struct stat a, b;
	struct utsname system;
	bool known;

	if (own < 0 || there < 0 || fstat(own, &a) != 0 ||
	    fstat(there, &b) != 0)
		return false;
	if (a.st_ino != b.st_ino && setns(there, CLONE_NEWUTS) != 0)
		return false;
	known = uname(&system) == 0;
	if (a.st_ino != b.st_ino && setns(own, CLONE_NEWUTS) != 0)
		return false;
	snprintf(out, IDMAP_NAME, "%s", known ? system.nodename : "");
	return known;
}
