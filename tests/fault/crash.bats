#!/usr/bin/env bats
# A command that fails, finds no room or is killed at any of its system calls:
# all old or all new, and nothing in the way of the next one (writes.md, "The
# proof").
# shellcheck disable=SC2154

setup() {
	load fault_room
}

# A sweep that met nothing to sweep proves nothing.
swept() { # MINIMUM STATE...
	local state fault
	for fault in error=EIO error=ENOSPC signal=KILL; do
		for state in "${@:2}"; do
			grep -qx "$fault $state" "$BATS_TEST_TMPDIR/seen"
		done
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/seen")" -ge "$1" ]
}

@test "passwd at any call: all old or all new" {
	sweep passwd fresh rename
	swept 600 old new
}

@test "useradd at any call: all old or all new" {
	sweep useradd fresh rename
	swept 600 old new
}

@test "usermod at any call: all old or all new" {
	sweep usermod fresh rename
	swept 300 old new
}

@test "usermod at any call, the map built anew: all old or all new" {
	sweep usermod stale rename
	swept 300 old new
}

@test "userdel at any call: all old or all new" {
	sweep userdel fresh rename
	swept 300 old new
}

@test "lock at any call: all old or all new" {
	sweep lock fresh rename
	swept 300 old new
}

@test "userdel in place at any call: old, new, or mended by the next one" {
	sweep userdel fresh mount
	swept 300 old new
	grep -qx 'signal=KILL torn' "$BATS_TEST_TMPDIR/seen"
}

@test "map at any call: the file stays, the map is right or known to be stale" {
	sweep map stale rename
	swept 200 old
}
