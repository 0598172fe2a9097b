#!/usr/bin/env bats
# The path unit on a real systemd: the packages as they are installed, booted
# as a machine of their own, and foreign hands at the file.
# shellcheck disable=SC2154

load room

setup_file() {
	bats_require_minimum_version 1.5.0
	local dir=$BATS_FILE_TMPDIR root lib loader
	export ROOTS=${ROOTS:-$VMAIL_BUILD/roots}
	room_cgroups
	mkdir "$dir/rw" "$dir/root"
	mount -t tmpfs -o mode=0755 machine "$dir/rw"
	mkdir "$dir/rw/upper" "$dir/rw/work"
	root=$dir/root
	mount -t overlay -o "lowerdir=$ROOTS/bookworm,upperdir=$dir/rw/upper,workdir=$dir/rw/work" \
		machine "$root"
	printf '%s\n' 'scheme = SHA512-CRYPT' 'crypt_rounds = 1000' \
		>"$root/etc/vmail/vmail.conf"
	# That system's own program with its own libraries: none of ours.
	lib=$(echo "$root"/usr/lib/*-linux-gnu)
	loader=$(echo "$root"/lib64/ld-linux-*.so.2)
	"$loader" --library-path "$lib:$lib/systemd" \
		"$root/usr/bin/systemd-nspawn" --directory="$root" \
		--register=no --keep-unit --link-journal=no \
		--private-network --boot \
		</dev/null 3>&- >"$dir/console" 2>&1 &
	echo $! >"$dir/nspawn"
	# A busy machine may need longer than one wait.
	wait_for "machine_up '$dir'" ||
		wait_for "machine_up '$dir'" || {
		cat "$dir/console"
		return 1
	}
}

# Its first process, once it has started what is to be started.
machine_up() {
	local child
	child=$(pgrep -P "$(cat "$1/nspawn")" | tail -n 1)
	nsenter --target "$child" --all systemctl is-active --quiet \
		multi-user.target && echo "$child" >"$1/init"
}

teardown_file() {
	local dir=$BATS_FILE_TMPDIR
	[ ! -e "$dir/init" ] || kill -KILL "$(cat "$dir/init")" || true
	umount -l "$dir/root" "$dir/rw" || true
}

on() { # COMMAND...
	nsenter --target "$(cat "$BATS_FILE_TMPDIR/init")" --all \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

settled() {
	on vmailadm --dry-run map 2>&1 | grep -q 'are current'
}

as_nobody() {
	on setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

@test "the package enables the path unit, and it watches" {
	run -0 on systemctl is-enabled vmail-map.path
	run -0 on systemctl is-active vmail-map.path
	# It never stops, however fast changes come.
	run -0 on systemctl show -P TriggerLimitIntervalUSec vmail-map.path
	[ "$output" = 0 ]
	run -0 on systemctl show -P StartLimitIntervalUSec vmail-map.service
	[ "$output" = 0 ]
	run -0 on systemd-analyze verify vmail-map.path vmail-map.service
	[ -z "$output" ]
}

@test "the service is confined" {
	run -0 on systemd-analyze security --offline=true --threshold=60 \
		vmail-map.service
}

@test "a line added by hand is known to everybody without a command" {
	run -2 as_nobody getent passwd hand@example.org
	on sh -c 'echo "hand@example.org:{CRYPT}*::::::" >>/etc/vmail/passwd'
	wait_for "as_nobody getent passwd hand@example.org >/dev/null"
	settled
}

@test "an editor that replaces the file is seen" {
	on sed -i 's/^hand@/edited@/' /etc/vmail/passwd
	wait_for "as_nobody getent passwd edited@example.org >/dev/null"
	run -2 as_nobody getent passwd hand@example.org
}

@test "a changed setting reaches the map" {
	on sh -c 'echo "home = /srv/mail/%d/%n" >>/etc/vmail/vmail.conf'
	wait_for "as_nobody getent passwd edited@example.org |
		grep -q :/srv/mail/example.org/edited:"
}

@test "500 commits in a row, and it still watches" {
	on vmailadm -q useradd -M --generate busy@example.org
	on sh -c 'for i in $(seq 250); do
		vmailadm -q lock busy@example.org &&
		vmailadm -q unlock busy@example.org || exit 1; done'
	run -0 on systemctl is-active vmail-map.path
	on sh -c 'echo "late@example.org:{CRYPT}*::::::" >>/etc/vmail/passwd'
	wait_for "as_nobody getent passwd late@example.org >/dev/null"
	wait_for settled
	# Done, and not "failed".
	wait_for 'on systemctl is-active vmail-map.service |
		grep -qx inactive'
	run -0 on vmailadm check
}
