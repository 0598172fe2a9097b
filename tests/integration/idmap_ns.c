/*
 * A container as far as ids go: a process below a chain of user namespaces,
 * with a root folder and mounts of its own. Prints its number and waits until
 * it is killed; all in the chain die with the first.
 *
 * usage: idmap_ns [-d] [-g GIDS] [-n HOSTNAME] [-r ROOT] [-b SOURCE:TARGET]
 *	[-i SOURCE:TARGET:DISK:SHOWN] [MAP...]
 *
 * MAP, GIDS: inside:outside:count[,...], one MAP a namespace; -d denies
 * setgroups, -g is another gid_map, both in the last one. -b, -i: TARGET below
 * ROOT is SOURCE; -i: idmapped, 0 as 0, DISK as SHOWN.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(call)                                                             \
	do {                                                                   \
		if ((call) < 0)                                                \
			err(1, "%s", #call);                                   \
	} while (0)

struct container {
	const char *gids, *hostname, *root, *bind, *mapped;
	int deny;
};

static void
put(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	MUST(fd = open(path, O_WRONLY | O_CLOEXEC));
	MUST(write(fd, text, strlen(text)));
	close(fd);
}

static void
put_map(pid_t pid, const char *name, const char *map)
{
	char text[4096];
	char *p = text;

	snprintf(text, sizeof(text), "%s\n", map);
	for (; *p; p++)
		*p = *p == ':' ? ' ' : *p == ',' ? '\n' : *p;
	put(pid, name, text);
}

/* In the parent, which ends when the child does. */
static void
give_maps(pid_t child, int ready, const char *uids, const char *gids, int deny)
{
	char c;

	if (read(ready, &c, 1) != 1)
		exit(1);
	if (deny)
		put(child, "setgroups", "deny");
	put_map(child, "uid_map", uids);
	put_map(child, "gid_map", gids);
}

/* One namespace further down; returns in the child alone. */
static void
descend(const char *uids, const char *gids, int deny)
{
	int ready[2], go[2];
	pid_t child;
	char c;

	MUST(pipe2(ready, O_CLOEXEC));
	MUST(pipe2(go, O_CLOEXEC));
	MUST(child = fork());
	if (child > 0) {
		close(ready[1]);
		close(go[0]);
		give_maps(child, ready[0], uids, gids, deny);
		MUST(write(go[1], "", 1));
		exit(waitpid(child, NULL, 0) != child);
	}
	close(ready[0]);
	close(go[1]);
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	MUST(unshare(CLONE_NEWUSER));
	MUST(write(ready[1], "", 1));
	if (read(go[0], &c, 1) != 1)
		exit(1);
	MUST(setresgid(0, 0, 0));
	MUST(setresuid(0, 0, 0));
	MUST(prctl(PR_SET_DUMPABLE, 1));
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
}

/* A user namespace that nobody lives in, for an idmapped mount. */
static int
mapping(const char *disk, const char *shown)
{
	char map[64], path[64];
	pid_t child;
	int fd;

	MUST(child = (pid_t)syscall(
		 SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
	if (child == 0)
		for (;;)
			pause();
	snprintf(map, sizeof(map), "0:0:1,%s:%s:1", disk, shown);
	put_map(child, "uid_map", map);
	put_map(child, "gid_map", map);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)child);
	MUST(fd = open(path, O_RDONLY | O_CLOEXEC));
	kill(child, SIGKILL);
	return fd;
}

static void
mount_one(const struct container *c, const char *what, int mapped)
{
	char *copy = strdup(what), target[4096], *part[4] = { NULL };
	struct mount_attr attr = { 0 };
	int tree;

	for (int i = 0; i < 4; i++)
		part[i] = strsep(&copy, ":");
	snprintf(target, sizeof(target), "%s%s", c->root, part[1]);
	MUST(tree = (int)syscall(SYS_open_tree, AT_FDCWD, part[0],
		 OPEN_TREE_CLONE | O_CLOEXEC));
	if (mapped) {
		attr.attr_set = MOUNT_ATTR_IDMAP;
		attr.userns_fd = (unsigned)mapping(part[2], part[3]);
		MUST(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr,
		    sizeof(attr)));
	}
	MUST(syscall(SYS_move_mount, tree, "", AT_FDCWD, target,
	    MOVE_MOUNT_F_EMPTY_PATH));
}

static void
furnish(const struct container *c)
{
	MUST(unshare(CLONE_NEWNS | CLONE_NEWUTS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (c->bind)
		mount_one(c, c->bind, 0);
	if (c->mapped)
		mount_one(c, c->mapped, 1);
	if (c->hostname)
		MUST(sethostname(c->hostname, strlen(c->hostname)));
}

int
main(int argc, char **argv)
{
	struct container c = { .root = NULL };
	int option;

	while ((option = getopt(argc, argv, "dg:n:r:b:i:")) > 0) {
		const char **at = option == 'g'	  ? &c.gids
				  : option == 'n' ? &c.hostname
				  : option == 'r' ? &c.root
				  : option == 'b' ? &c.bind
						  : &c.mapped;

		if (option == 'd')
			c.deny = 1;
		else
			*at = optarg;
	}
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	furnish(&c);
	for (; optind < argc; optind++) {
		int last = optind + 1 == argc;

		descend(argv[optind], last && c.gids ? c.gids : argv[optind],
		    last && c.deny);
	}
	/* Last: no namespace can be made in a chroot. */
	if (c.root) {
		MUST(chroot(c.root));
		MUST(chdir("/"));
	}
	printf("%d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
}
