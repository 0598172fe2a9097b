#!/usr/bin/env bats
# Many writers at once, each a process of its own, and readers beside them.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
	load pam_room
	load nss_room
	pam_build
	nss_build
	cp "$LIBRARY" "$BATS_FILE_TMPDIR"
}

setup() {
	load cli_room
	load ../jobs
	furnish
	WRITERS=8
	ROUNDS=9 # of seven changes each: 504 in all
}

teardown() {
	[ -z "${child:-}" ] || kill -KILL "$child"
	! mountpoint -q "$P" || umount "$P"
	etc_back
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

# Readers that live as long as the writers do. What they were answered, as
# "ANSWER COUNT", is in asked.NAME; and how often in all.
pam_reader() { # NAME USER PASSWORD
	echo "$3" >"$BATS_TEST_TMPDIR/answers.$1"
	"$BATS_FILE_TMPDIR/pam_client" -c "$BATS_TEST_TMPDIR/pam.d" \
		-a "$BATS_TEST_TMPDIR/answers.$1" -l "$BATS_TEST_TMPDIR/log" \
		-e "$BATS_TEST_TMPDIR/done" mail "$2" authenticate \
		>"$BATS_TEST_TMPDIR/asked.$1"
}

nss_reader() { # NAME USER [COMMAND...]
	local name=$1 user=$2
	shift 2
	"$@" "$BATS_FILE_TMPDIR/nss_probe" \
		"$BATS_FILE_TMPDIR/libnss_vmail.so.2" \
		until "$BATS_TEST_TMPDIR/done" "$user" \
		>"$BATS_TEST_TMPDIR/asked.$name"
}

# No other answers than these, the first one a hundred times at least.
only_answered() { # NAME ANSWER...
	local name=$1 answer count first=0 good=yes
	shift
	while read -r answer count; do
		echo "# $name: $answer, $count times" >&3
		[[ " $* " == *" $answer "* ]] || good=no
		[ "$answer" != "$1" ] || first=$count
	done <"$BATS_TEST_TMPDIR/asked.$name"
	[ "$first" -ge 100 ] && [ "$good" = yes ]
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

# Of the lines before the last, some come and go, grow and shrink.
writer_in_place() { # NUMBER
	local w=$1 i user
	for ((i = 0; i < TURNS; i++)); do
		user=w$w.$i@writers.org
		told "first $w.$i" useradd -q -M "$user"
		vmailadm -q usermod -c "Somebody" "early$w@x.y"
		vmailadm -q lock second@kuma8088.com
		vmailadm -q userdel "going$w.$i@x.y"
		vmailadm -q unlock second@kuma8088.com
		vmailadm -q usermod -c '' "early$w@x.y"
	done
}

@test "commits in place beside readers: at worst unavailable for a moment, never unknown" {
	local w i writers=() readers=() written=yes
	TURNS=3
	service
	mount --bind "$P" "$P"
	etc_vmail
	right_or_busy() {
		local status=0
		"$@" || status=$?
		[ "$status" -eq 0 ] || [ "$status" -eq 5 ]
	}
	# Long lines, so that a write takes its time.
	{
		for ((w = 1; w <= 4; w++)); do
			echo "early$w@x.y:$QUICK::::/srv/early::"
			for ((i = 0; i < TURNS; i++)); do
				echo "going$w.$i@x.y:$QUICK::::/srv/going::"
			done
		done
		for ((i = 0; i < 20000; i++)); do
			echo "filler$i@x.y:$QUICK::::/srv/filler$i::"
		done
		echo "last@x.y:$QUICK::::/srv/last::"
	} >>"$P"
	vmailadm -q map
	shows_field_user() {
		vmailadm show "$FIELD_USER"
	}
	reader right_or_busy shows_field_user &
	readers+=($!)
	pam_reader right last@x.y testtest &
	readers+=($!)
	pam_reader wrong last@x.y TestTest &
	readers+=($!)
	nss_reader root last@x.y &
	readers+=($!)
	nss_reader nobody last@x.y \
		setpriv --reuid=65534 --regid=65534 --clear-groups &
	readers+=($!)
	for ((w = 1; w <= 4; w++)); do
		writer_in_place "$w" 2>"$BATS_TEST_TMPDIR/said.$w" &
		writers+=($!)
	done
	all_succeeded "${writers[@]}" || written=no
	touch "$BATS_TEST_TMPDIR/done"
	all_succeeded "${readers[@]}"
	[ "$written" = yes ]
	only_answered right PAM_SUCCESS PAM_AUTHINFO_UNAVAIL
	only_answered wrong PAM_AUTH_ERR PAM_AUTHINFO_UNAVAIL
	only_answered root SUCCESS TRYAGAIN UNAVAIL
	only_answered nobody SUCCESS TRYAGAIN UNAVAIL
	grep -q 'in place' "$BATS_TEST_TMPDIR/said.1"
	[ "$(vmailadm list '*@writers.org' --output=csv -o user | wc -l)" -eq \
		$((4 * TURNS + 1)) ]
	[ "$(vmailadm list 'going*' --output=csv -o user | wc -l)" -eq 1 ]
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
