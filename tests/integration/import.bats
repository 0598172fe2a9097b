#!/usr/bin/env bats
# import of so many lines that they are written as they are judged.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
	IN=$BATS_TEST_TMPDIR/in
}

teardown() {
	no_leftovers
}

# More than a MiB of lines; a comment and an empty one are in front.
many() {
	{
		echo '# from elsewhere'
		echo
		seq -f "u%05.0f@x.y:$QUICK:::Somebody:::" 9000
	} >"$IN"
}

# The file has them all, in order; the map is the one of all lines.
has_all() {
	cat "$BATS_TEST_TMPDIR/before" <(tail -n +3 "$IN") | cmp - "$P"
	cp "$P.cdb" "$BATS_TEST_TMPDIR/map"
	vmailadm -q map --force
	cmp "$P.cdb" "$BATS_TEST_TMPDIR/map"
}

# With a fault: CALL:FAULT:when=N; then options of strace.
traced() {
	strace "${@:2}" -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace="${1%%:*}" \
		-e inject="$1" "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" -q import "$IN" \
		>"$BATS_TEST_TMPDIR/said" 2>&1
}

@test "very many lines are added in order, and the map has all of them" {
	many
	run -0 --separate-stderr vmailadm import "$IN"
	[ "$stderr" = 'added 9000 users' ]
	has_all
	run -0 told testtest auth u09000@x.y
	cmp "$P-" "$BATS_TEST_TMPDIR/before"
}

@test "JSON lines by the thousand are added like any other" {
	many
	run -0 vmailadm import "$IN"
	run -0 vmailadm export --to=jsonl
	tail -n +3 <<<"$output" >"$IN.json"
	cp "$P" "$BATS_TEST_TMPDIR/after"
	cp -p "$BATS_TEST_TMPDIR/before" "$P"
	vmailadm -q map
	run -0 vmailadm import "$IN.json"
	cmp "$P" "$BATS_TEST_TMPDIR/after"
	has_all
}

@test "of very many lines the wrong one, the double and the one that exists are named" {
	many
	echo "U00003@X.Y:$QUICK::::::" >>"$IN"
	echo "bad@x.y:$QUICK:0:::::" >>"$IN"
	run -2 --separate-stderr vmailadm import "$IN"
	[ "${stderr_lines[0]}" = \
		"vmailadm: $IN:9003: name: stands in line 5 already" ]
	[[ ${stderr_lines[1]} == "vmailadm: $IN:9004: uid"* ]]
	[ "${stderr_lines[2]}" = 'nothing was imported' ]
	[ -z "${stderr_lines[3]:-}" ]
	unchanged
	many
	sed -i '8000s/^[^:]*/second@kuma8088.com/' "$IN"
	run -4 --separate-stderr vmailadm import "$IN"
	[ "${stderr_lines[0]}" = \
		"vmailadm: $IN:8000: second@kuma8088.com exists already" ]
	unchanged
}

@test "a signal while lines are written ends it, and leaves nothing" {
	local status=0
	many
	traced 'read:signal=TERM:when=4' -P "$IN" || status=$?
	[ "$status" = 143 ]
	grep -q 'stopped: nothing was imported' "$BATS_TEST_TMPDIR/said"
	unchanged
	run -0 vmailadm import "$IN"
	has_all
}

# All old, or all new; and what is left is in nobody's way.
judge() {
	local state=torn
	if cmp -s "$BATS_TEST_TMPDIR/before" "$P"; then
		state=old
	elif cat "$BATS_TEST_TMPDIR/before" <(tail -n +3 "$IN") |
		cmp -s - "$P"; then
		state=new
	fi
	echo "$state" >>"$BATS_TEST_TMPDIR/states"
	case $2:$1:$state in
	*:torn | 0:*:old | 1:error=*:new) return 1 ;;
	esac
	vmailadm -q lock second@kuma8088.com
	no_leftovers
	vmailadm --json check >"$BATS_TEST_TMPDIR/check" 2>&1
}

as_before() {
	cp -p "$BATS_TEST_TMPDIR/before" "$P"
	vmailadm -q map
}

@test "a fault at any call of a long import leaves all old or all new" {
	local call fault n status ours=(-P "$IN" -P "$ROOM" -P "$P"
		-P "$P.tmp" -P "$P.cdb.tmp")
	many
	for fault in error=ENOSPC signal=KILL; do
		for call in pwrite64 pread64 copy_file_range openat fsync \
			linkat renameat fchmod utimensat; do
			for n in 1 2 3 4 5 6 8 11 16 23; do
				as_before
				status=0
				traced "$call:$fault:when=$n" "${ours[@]}" ||
					status=$?
				grep -q 'INJECTED\|killed by SIGKILL' \
					"$BATS_TEST_TMPDIR/trace" || break
				judge "$fault" "$status" || {
					echo "$call:$fault:$n: status $status"
					cat "$BATS_TEST_TMPDIR/said"
					tail -n 1 "$BATS_TEST_TMPDIR/states"
					return 1
				}
			done
		done
	done
		[ "$(grep -c old "$BATS_TEST_TMPDIR/states")" -gt 30 ]
	[ "$(grep -c new "$BATS_TEST_TMPDIR/states")" -gt 3 ]
}
