#!/usr/bin/env bats
# Many writers at once, each a process of its own, and readers beside them.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
	load pam_room
	pam_build
}

setup() {
	load cli_room
	furnish
	WRITERS=8
	ROUNDS=9 # of seven changes each: 504 in all
}

teardown() {
	[ -z "${child:-}" ] || kill -KILL "$child"
	no_leftovers
}

# The changes of one writer: what is left of its users is known at the end.
writer() { # NUMBER
	local w=$1 i user
	for ((i = 0; i < ROUNDS; i++)); do
		user=w$w.$i@writers.org
		told "first $w.$i" useradd -q -M "$user"
		told "second $w.$i" passwd -q "$user"
		vmailadm -q usermod -c "Somebody $w.$i" "$user"
		vmailadm -q lock "$user"
		vmailadm -q unlock "$user"
		told "gone $w.$i" useradd -q -M "gone$w.$i@writers.org"
		vmailadm -q userdel "gone$w.$i@writers.org"
	done
}

# Reads until the writers are done; any answer but the right one ends it.
reader() { # COMMAND...
	local n=0
	while [ ! -e "$BATS_TEST_TMPDIR/done" ]; do
		"$@" >"$BATS_TEST_TMPDIR/reader.$BASHPID" 2>&1 || {
			echo "reader failed: $*"
			cat "$BATS_TEST_TMPDIR/reader.$BASHPID"
			return 1
		}
		n=$((n + 1))
	done
	[ "$n" -gt 10 ] || {
		echo "only $n answers of: $*"
		return 1
	}
}

knows_field_user() {
	told testtest auth "$FIELD_USER"
}

lists_both() {
	vmailadm list '*@kuma8088.com' --output=csv -o user |
		diff - "$BATS_TEST_TMPDIR/both"
}

# The public map alone, by a program that knows nothing of us.
maps_field_user() {
	[[ $(cdb -q "$P.cdb" "$FIELD_USER") == 5000:5000::/var/mail/vhosts/* ]]
}

# By PAM, in a new process each time.
logs_in() {
	"$BATS_FILE_TMPDIR/pam_client" -c "$BATS_TEST_TMPDIR/pam.d" \
		-a "$BATS_TEST_TMPDIR/answers" -l "$BATS_TEST_TMPDIR/log" \
		mail "$FIELD_USER" authenticate >"$1"
	grep -q 'authenticate PAM_SUCCESS' "$1"
}

service() {
	mkdir "$BATS_TEST_TMPDIR/pam.d"
	echo "auth required $VMAIL_BUILD/pam_vmail.so conf=$ROOM/vmail.conf" \
		>"$BATS_TEST_TMPDIR/pam.d/mail"
	echo 'auth required pam_deny.so' >"$BATS_TEST_TMPDIR/pam.d/other"
	echo testtest >"$BATS_TEST_TMPDIR/answers"
}

all_succeeded() { # PID...
	local pid good=yes
	for pid in "$@"; do
		wait "$pid" || good=no
	done
	[ "$good" = yes ]
}

@test "8 writers, 504 changes, readers beside them: none lost, none torn, nobody missing" {
	local w i user writers=() readers=() written=yes
	service
	printf '%s\n' user "$FIELD_USER" second@kuma8088.com \
		>"$BATS_TEST_TMPDIR/both"
	for w in knows_field_user lists_both maps_field_user \
		"logs_in $BATS_TEST_TMPDIR/client"; do
		# shellcheck disable=SC2086
		reader $w &
		readers+=($!)
	done
	for ((w = 1; w <= WRITERS; w++)); do
		writer "$w" &
		writers+=($!)
	done
	all_succeeded "${writers[@]}" || written=no
	touch "$BATS_TEST_TMPDIR/done"
	all_succeeded "${readers[@]}"
	[ "$written" = yes ]

	vmailadm list '*@writers.org' --output=csv -o user,gecos,locked |
		sort >"$BATS_TEST_TMPDIR/have"
	{
		echo user,gecos,locked
		for ((w = 1; w <= WRITERS; w++)); do
			for ((i = 0; i < ROUNDS; i++)); do
				echo "w$w.$i@writers.org,Somebody $w.$i,no"
			done
		done
	} | sort | diff - "$BATS_TEST_TMPDIR/have"
	for ((w = 1; w <= WRITERS; w++)); do
		for i in 0 $((ROUNDS - 1)); do
			user=w$w.$i@writers.org
			run -0 told "second $w.$i" auth "$user"
			run -1 told "first $w.$i" auth "$user"
		done
	done
	# The map, patched some 400 times, knows all of them and no more.
	cdb -d "$P.cdb" | sed -n 's/^+[0-9,]*:\([^:>]*@writers.org\)->.*/\1/p' |
		sort >"$BATS_TEST_TMPDIR/mapped"
	sed '/^user/d; s/,.*//' "$BATS_TEST_TMPDIR/have" |
		diff - "$BATS_TEST_TMPDIR/mapped"
	# What was there before stands as it stood.
	head -n 3 "$P" | cmp - "$BATS_TEST_TMPDIR/before"
	run findings
	[[ $output != *ERROR* ]]
}

@test "commits in place beside readers: at worst unavailable for a moment, never unknown" {
	local w i user writers=() readers=() written=yes
	service
	mount --bind "$P" "$P"
	right_or_busy() {
		local status=0
		"$@" || status=$?
		[ "$status" -eq 0 ] || [ "$status" -eq 5 ]
	}
	# Long lines, so that a write takes its time.
	{
		for ((i = 0; i < 20000; i++)); do
			echo "filler$i@x.y:$QUICK::::/srv/filler$i::"
		done
		echo "last@x.y:$QUICK::::/srv/last::"
	} >>"$P"
	vmailadm -q map
	authenticates_last() {
		told testtest auth last@x.y
	}
	shows_field_user() {
		vmailadm show "$FIELD_USER"
	}
	for w in authenticates_last shows_field_user; do
		reader right_or_busy $w &
		readers+=($!)
	done
	for ((w = 1; w <= 4; w++)); do
		for ((i = 0; i < 8; i++)); do
			user=w$w.$i@writers.org
			told "first $w.$i" useradd -q -M "$user"
			vmailadm -q lock second@kuma8088.com
			vmailadm -q unlock second@kuma8088.com
		done 2>"$BATS_TEST_TMPDIR/said.$w" &
		writers+=($!)
	done
	all_succeeded "${writers[@]}" || written=no
	touch "$BATS_TEST_TMPDIR/done"
	all_succeeded "${readers[@]}"
	[ "$written" = yes ]
	grep -q 'in place' "$BATS_TEST_TMPDIR/said.1"
	[ "$(vmailadm list '*@writers.org' --output=csv -o user | wc -l)" -eq 33 ]
	head -n 3 "$P" | cmp - "$BATS_TEST_TMPDIR/before"
	umount "$P"
}

# Is the program that strace runs stopped?
stopped() { # PID of strace
	child=$(cat "/proc/$1/task/$1/children")
	child=${child%% *}
	[[ $(sed -n 's/^State:\t//p' "/proc/$child/status") == [tT]* ]]
}

@test "while a commit in place is under way readers are told to try again" {
	mount --bind "$P" "$P"
	strace -o /dev/null -e trace=ftruncate \
		-e inject=ftruncate:signal=STOP:when=1 \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" -q \
		usermod -c 'Somebody' second@kuma8088.com 2>/dev/null &
	until stopped $!; do
		kill -0 $! # or it has ended
		sleep 0.02
	done
	for words in list "show $FIELD_USER" "auth $FIELD_USER"; do
		# shellcheck disable=SC2086
		run -5 --separate-stderr vmailadm $words <<<testtest
		[[ $stderr == *busy* ]]
	done
	kill -CONT "$child"
	child=
	wait $!
	run -0 told testtest auth "$FIELD_USER"
	run -0 vmailadm show second@kuma8088.com
	[[ $output == *Somebody* ]]
	umount "$P"
}

@test "8 writers of one user: the last one's password is the one, whichever it was" {
	local w i writers=() good=0
	for ((w = 1; w <= WRITERS; w++)); do
		for ((i = 0; i < 4; i++)); do
			told "password $w.$i" passwd -q "$FIELD_USER"
		done &
		writers+=($!)
	done
	all_succeeded "${writers[@]}"
	for ((w = 1; w <= WRITERS; w++)); do
		! told "password $w.3" auth "$FIELD_USER" 2>/dev/null ||
			good=$((good + 1))
	done
	[ "$good" -eq 1 ]
	[ "$(wc -l <"$P")" = "$(wc -l <"$BATS_TEST_TMPDIR/before")" ]
}
