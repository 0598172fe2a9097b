#!/usr/bin/env bats
# Who has the file mounted alone, as far as /proc shows it.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
}

# A world of few processes, with /proc as those options mount it, one of
# nobody's, and one of nobody's that has FILE, if any, mounted alone. There check is run by a root
# who may not trace others, as in most containers.
checked() { # PROC-OPTIONS [FILE]
	run -0 unshare --mount --pid --fork --kill-child --propagation private \
		bash -euc '
		mount -t proc -o "$1" proc /proc
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			sleep infinity >/dev/null 2>&1 3>&- &
		until [ "$(stat -c %u "/proc/$!")" = 65534 ]; do :; done
		unshare --mount --propagation private bash -euc "
			[ -z \"\$1\" ] || mount --bind \"\$1\" \"\$1\"
			exec setpriv --reuid=65534 --regid=65534 \
				--clear-groups sleep infinity" \
			nobody "$2" >/dev/null 2>&1 3>&- &
		until [ "$(stat -c %u "/proc/$!")" = 65534 ]; do :; done
		setpriv --bounding-set=-sys_ptrace "$3/vmailadm" \
			--conf "$4/vmail.conf" --output=csv check
		true # or init would become check' \
		world "$1" "${2:-}" "$VMAIL_BUILD" "$ROOM"
}

@test "whose namespace may not be named is asked for its mounts all the same" {
	checked rw
	[[ $output != *mount-* ]]
	checked rw "$P"
	[[ $output == *"WARN,mount-alone,$P,"*"(sleep) has it mounted alone, at $P"* ]]
	[[ $output != *mount-unseen* ]]
}

@test "check says whom it could not look at, once" {
	checked hidepid=1,gid=4242 "$P"
	[[ $output == *"WARN,mount-unseen,$P,"*"cannot be told of 3 processes, as process 1 (?): Operation not permitted"* ]]
	[[ $output != *mount-alone* ]]
	[ "$(grep -c mount-unseen <<<"$output")" -eq 1 ]
	checked hidepid=2,gid=4242 "$P"
	[[ $output == *"WARN,mount-unseen,$P,"*"it hides processes (hidepid)"* ]]
	[ "$(grep -c mount-unseen <<<"$output")" -eq 1 ]
}

@test "without /proc check says that it could not look, and changes are made" {
	run -0 unshare --mount --propagation private bash -euc '
		mount -t tmpfs private /proc
		"$1" --conf "$2/vmail.conf" --output=csv check
		"$1" --conf "$2/vmail.conf" -q lock second@kuma8088.com' \
		without "$VMAIL_BUILD/vmailadm" "$ROOM"
	[[ $output == *"WARN,mount-unseen,$P,"*"/proc: No such file or directory"* ]]
	[[ $output != *mount-alone* ]]
	grep -q '^second@.*:fail=vmail$' "$P"
}
