# Shared by nss*.bats: a private /etc with an account vmail and a passwd-file
# of three users, and a program that asks the library directly. Everything
# happens in a mount namespace; the machine's /etc stays as it is.
# shellcheck shell=bash disable=SC2119,SC2120

: "${VMAIL_SOURCE:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${VMAIL_BUILD:=$VMAIL_SOURCE/build}"
LIBRARY=$VMAIL_BUILD/libnss_vmail.so.2
export VMAIL_SOURCE VMAIL_BUILD LIBRARY

nss_build() {
	local bin=$BATS_FILE_TMPDIR src=$VMAIL_SOURCE/tests/integration
	local cc="${CC:-cc} -std=c11 -D_GNU_SOURCE -I$VMAIL_SOURCE -O1"

	$cc -o "$bin/nss_probe" "$src/nss_probe.c" -lpthread -ldl
	$cc -o "$bin/nss_map" "$src/nss_map.c" "$VMAIL_BUILD/libvmail-admin.a" \
		"$VMAIL_BUILD/libvmail-core.a" -lcrypt -lsodium
}

# Runs SCRIPT in a room of its own, as root.
room() { # SCRIPT
	{
		declare -f furnish passwd_file conf commit probe nobody calls
		printf '%s\n' 'set -euo pipefail' furnish "$1"
	} >"$BATS_TEST_TMPDIR/room"
	unshare --mount --propagation private bash "$BATS_TEST_TMPDIR/room"
}

furnish() {
	mount -t tmpfs -o mode=0755 room /mnt
	mkdir /mnt/upper /mnt/work /mnt/lib
	mount -t overlay room -o \
		lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
	cp "$BATS_FILE_TMPDIR/nss_probe" "$BATS_FILE_TMPDIR/nss_map" /mnt
	cp "$LIBRARY" /mnt/lib
	chmod -R go+rX /mnt/nss_probe /mnt/nss_map /mnt/lib
	sed -i -e '/^vmail:/d' -e '/:5000:/d' /etc/passwd /etc/group
	echo 'vmail:x:5000:5000::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
	echo 'vmail:x:5000:' >>/etc/group
	printf '%s\n' 'passwd: files vmail' 'group: files vmail' \
		>/etc/nsswitch.conf
	rm -rf /etc/vmail
	mkdir -m 755 /etc/vmail
	umask 022
	cd /etc/vmail || return
	echo 'host vmail 5000:5000 -' >views
	passwd_file \
		'alice@example.org:{PLAIN}SECRET::::::' \
		'bob@example.org:{PLAIN}SECRET:5123:5123:Bob:/srv/bob:/bin/sh:' \
		'test@kuma8088.com:{PLAIN}SECRET:5000:5000::/srv/test::'
	commit
	export LD_LIBRARY_PATH=/mnt/lib
}

passwd_file() { # LINE...: without a new map
	printf '%s\n' "$@" >passwd
	chmod 640 passwd
}

conf() { # LINE...: and the map that says so
	printf '%s\n' "$@" >vmail.conf
	commit
}

commit() { # [LINE...]: the passwd-file, whole, and its map
	if [ $# -eq 0 ]; then
		/mnt/nss_map
		return
	fi
	printf '%s\n' "$@" >passwd.new
	chmod 640 passwd.new
	/mnt/nss_map passwd.new
}

probe() {
	/mnt/nss_probe /mnt/lib/libnss_vmail.so.2 "$@"
}

nobody() { # COMMAND...: as who may read nothing
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

calls() { # KIND ARG: the system calls of one lookup
	strace -o /mnt/calls /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 \
		ask "$@" >/dev/null
	sed -n '/"\/asking"/,/"\/asked"/p' /mnt/calls | sed '1d;$d' |
		sed 's/(.*//'
}
