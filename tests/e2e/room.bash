# A Debian root file system as a machine of its own: an overlay over a cached
# root (tests/roots), private mounts, processes and network. Nothing written
# in a room outlives it, and no daemon outlives its first process.
#
#   room_start SUITE FOLDER   ROOM_PID, ROOM_ROOT
#   room_stop                 kills the room's first process, so all of them
#   in_room CMD...            runs there, as root, with a clean environment
#   in_room_as USER CMD...

# shellcheck disable=SC1091 # it is linted on its own
. "${BASH_SOURCE[0]%/*}/../jobs.bash"

room_roots=${ROOTS:-${VMAIL_BUILD:?}/roots}

room_start()
{
	local lower=$room_roots/$1 folder=$2 parent
	[ -d "$lower/usr" ] || {
		echo "no root file system $lower: make roots" >&2
		return 1
	}
	mkdir -p "$folder/rw" "$folder/root"
	ROOM_ROOT=$folder/root
	unshare --mount --net --pid --fork --kill-child --propagation private \
		bash -c "$(declare -f room_furnish); room_furnish \"\$@\"" \
		room "$lower" "$folder" 3>&- </dev/null >"$folder/log" 2>&1 &
	parent=$!
	wait_for "test -e '$folder/ready'" || {
		cat "$folder/log" >&2
		return 1
	}
	ROOM_PID=$(cat "/proc/$parent/task/$parent/children")
	ROOM_PID=${ROOM_PID%% *}
	export ROOM_PID ROOM_ROOT
}

# Runs as the room's first process.
room_furnish()
{
	set -e
	local lower=$1 folder=$2 root=$2/root device
	mount -t tmpfs -o mode=0755 room "$folder/rw"
	mkdir "$folder/rw/upper" "$folder/rw/work"
	mount -t overlay -o \
"lowerdir=$lower,upperdir=$folder/rw/upper,workdir=$folder/rw/work" \
		room "$root"
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=0755 dev "$root/dev"
	mkdir "$root/dev/shm" "$root/dev/pts"
	for device in null zero full random urandom tty; do
		touch "$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	mount -t tmpfs -o mode=0755 run "$root/run"
	ip link set lo up
	touch "$folder/ready"
	exec sleep infinity
}

room_stop()
{
	[ -z "${ROOM_PID:-}" ] || kill -KILL "$ROOM_PID" 2>/dev/null || true
	ROOM_PID=
}

in_room()
{
	nsenter --target "$ROOM_PID" --mount --net --pid \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		chroot "$ROOM_ROOT" "$@"
}

in_room_as()
{
	local user=$1
	shift
	in_room setpriv --reuid "$user" --regid 65534 --clear-groups "$@"
}

# What runs containers and machines of their own wants cgroups, which not every
# machine has mounted: then this mount namespace gets them.
room_cgroups()
{
	grep -q ' - cgroup' /proc/self/mountinfo ||
		mount -t cgroup2 cgroup /sys/fs/cgroup
}
