#!/usr/bin/env bats
# A command that fails, finds no room or is killed at any of its system calls:
# all old or all new, and nothing in the way of the next one (writes.md, "The
# proof").
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
	load ../integration/pam_room
	load ../integration/nss_room
	pam_build
	nss_build
	cp "$LIBRARY" "$BATS_FILE_TMPDIR"
}

setup() {
	load fault_room
}

teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/room/passwd" ||
		umount "$BATS_TEST_TMPDIR/room/passwd"
	etc_back
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

pam_answer() { # USER PASSWORD
	local answer
	echo "$2" >"$BATS_TEST_TMPDIR/answers"
	answer=$("$BATS_FILE_TMPDIR/pam_client" -c "$BATS_TEST_TMPDIR/pam.d" \
		-a "$BATS_TEST_TMPDIR/answers" -l "$BATS_TEST_TMPDIR/log" \
		mail "$1" authenticate)
	answer=${answer#authenticate }
	echo "${answer%% *}"
}

nss_answers() { # [COMMAND...]
	"$@" "$BATS_FILE_TMPDIR/nss_probe" \
		"$BATS_FILE_TMPDIR/libnss_vmail.so.2" ask name user{1,2,3,4}@x.y
}

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# Either the right answers, line by line, or "unavailable".
right_or_unavailable() { # ANSWERS
	local line
	while read -r line; do
		grep -qxF -- "$line" "$BATS_TEST_TMPDIR/right" ||
			[[ $line == TRYAGAIN* || $line == UNAVAIL* ]] || {
			echo "cut at $cut: $line"
			return 1
		}
	done <<<"$1"
}

# What the kernel had written of the new content when the writer died.
cut_at() { # BYTES
	cat "$BATS_TEST_TMPDIR/old" >"$P"
	head -c "$1" "$BATS_TEST_TMPDIR/new" |
		dd of="$P" conv=notrunc status=none
}

@test "a write in place cut short: PAM and NSS know who is there, or are unavailable" {
	local i from cut answer knew=0 asked=0
	furnish
	mkdir "$BATS_TEST_TMPDIR/pam.d"
	echo "auth required $VMAIL_BUILD/pam_vmail.so conf=$ROOM/vmail.conf" \
		>"$BATS_TEST_TMPDIR/pam.d/mail"
	# Lines of one length.
	for i in 1 2 3 4; do
		told "password $i" useradd -q -M "user$i@x.y"
	done
	from=$(grep -ab '^user2' "$P" | cut -d : -f 1)
	cp "$P" "$BATS_TEST_TMPDIR/old"
	sed '/^user2/d' "$P" >"$BATS_TEST_TMPDIR/new"
	mount --bind "$P" "$P"
	etc_vmail
	nss_answers >"$BATS_TEST_TMPDIR/right"
	run -137 strace -f -qq -P "$P" -o /dev/null -e trace=pwrite64 \
		-e inject=pwrite64:signal=KILL:when=1 \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" userdel user2@x.y
	head -c "$(stat -c %s "$BATS_TEST_TMPDIR/new")" "$P.journal" |
		cmp - "$BATS_TEST_TMPDIR/new"
	cmp "$P" "$BATS_TEST_TMPDIR/old"

	for ((cut = from + 3; cut <= $(stat -c %s "$BATS_TEST_TMPDIR/new"); cut += 13)); do
		cut_at "$cut"
		for i in 1 2 3 4; do
			answer=$(pam_answer "user$i@x.y" "password $i")
			echo "cut at $cut, user$i: $answer"
			[[ $answer == PAM_SUCCESS || $answer == PAM_AUTHINFO_UNAVAIL ]]
			asked=$((asked + 1))
			[ "$answer" != PAM_SUCCESS ] || knew=$((knew + 1))
			answer=$(pam_answer "user$i@x.y" "password $((i % 4 + 1))")
			echo "cut at $cut, user$i with another's password: $answer"
			[[ $answer == PAM_AUTH_ERR || $answer == PAM_AUTHINFO_UNAVAIL ]]
			answer=$(pam_answer "user$i@x.y" "password $(((i + 2) % 4 + 1))")
			[[ $answer == PAM_AUTH_ERR || $answer == PAM_AUTHINFO_UNAVAIL ]]
		done
		right_or_unavailable "$(nss_answers)"
		right_or_unavailable "$(nss_answers as_nobody)"
	done
	# But for who stands at the cut, nobody is kept waiting.
	[ $((2 * knew)) -gt "$asked" ]

	told 'password 5' passwd -q user4@x.y 2>/dev/null
	[ "$(pam_answer user1@x.y 'password 1')" = PAM_SUCCESS ]
	[ "$(pam_answer user2@x.y 'password 2')" = PAM_USER_UNKNOWN ]
	[ "$(pam_answer user4@x.y 'password 5')" = PAM_SUCCESS ]
	[ -z "$(leftovers)" ]
}
