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

	if (!vmail_ids_own(&world->ids) || !vmail_ids_on_disk(view, &disk))
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

	if (!idmap_collides(world, view, person) ||
	    !vmail_ids_on_disk(view, &disk))
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
	if (!vmail_ids_own(&world->ids)) {
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

int
idmap_account_in(const struct vmail_idmaps_process *p,
    struct vmail_str identity, struct vmail_ids *ids)
{
	VMAIL_AUTOCLOSE int fd = -1;
	struct vmail_err err;
	uint64_t size;
	enum vmail_rc rc = vmail_idmaps_open_file(p, "etc/passwd", &fd, &err);

	if (rc == VMAIL_NOT_FOUND)
		return STATUS_NO_USER;
	if (rc != VMAIL_OK)
		return say_error(&err);
	if (vmail_file_size(fd, &size) && size <= PASSWD_MAX)
		rc = vmail_account_in(fd, identity, ids);
	else
		rc = VMAIL_IO;
	/* "-1" is how a system call says "nobody": no account has it. */
	if (rc == VMAIL_NOT_FOUND ||
	    (rc == VMAIL_OK &&
		(ids->uid == UINT32_MAX || ids->gid == UINT32_MAX)))
		return STATUS_NO_USER;
	if (rc == VMAIL_OK)
		return STATUS_OK;
	return say_fail(STATUS_FAILED,
	    "the /etc/passwd of process %d: cannot be read, or is too large",
	    (int)p->pid);
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
