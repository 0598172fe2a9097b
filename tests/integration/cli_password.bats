#!/usr/bin/env bats
# Where passwords come from, and where they never show.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
	SECRET='sesame, öffne: dich'
	printf '%s\n' "$SECRET" >"$BATS_TEST_TMPDIR/secret"
	chmod 0600 "$BATS_TEST_TMPDIR/secret"
}

is_set() {
	run -0 told "$SECRET" auth "$FIELD_USER"
}

@test "standard input gives one line, with or without a line feed" {
	printf '%s' "$SECRET" | vmailadm passwd "$FIELD_USER"
	is_set
	printf '%s\nmore\n' "$SECRET" | vmailadm passwd "$FIELD_USER"
	is_set
}

@test "what follows the line is left for somebody else" {
	rest=$({
		vmailadm -q passwd "$FIELD_USER"
		cat
	} < <(printf '%s\nnext line\n' "$SECRET"))
	[ "$rest" = 'next line' ]
}

@test "a descriptor gives one line" {
	vmailadm passwd --password-fd=7 "$FIELD_USER" 7<"$BATS_TEST_TMPDIR/secret"
	is_set
	run -1 vmailadm passwd --password-fd=77 "$FIELD_USER"
	for fd in -1 x '' 99999999999; do
		run -2 vmailadm passwd --password-fd="$fd" "$FIELD_USER"
	done
}

@test "a file gives its first line, if nobody else may read it" {
	local file=$BATS_TEST_TMPDIR/secret
	vmailadm passwd --password-file="$file" "$FIELD_USER"
	is_set
	cp "$P" "$BATS_TEST_TMPDIR/before"
	for mode in 0640 0604 0620 0602; do
		chmod "$mode" "$file"
		run -6 vmailadm passwd --password-file "$file" "$FIELD_USER"
		[[ $output == *"mend: chmod 0600 $file"* ]]
	done
	chmod 0600 "$file"
	chown 12345 "$file"
	run -6 vmailadm passwd --password-file "$file" "$FIELD_USER"
	ln -s "$file" "$file.link"
	run -6 vmailadm passwd --password-file "$file.link" "$FIELD_USER"
	mkfifo "$file.fifo"
	run -6 vmailadm passwd --password-file "$file.fifo" "$FIELD_USER"
	run -1 vmailadm passwd --password-file "$file.none" "$FIELD_USER"
	unchanged
}

@test "--generate prints a password once, on stdout, that lets the user in" {
	run -0 --separate-stderr vmailadm passwd --generate "$FIELD_USER"
	[[ $output =~ ^[a-km-zA-HJ-NP-Z2-9]{20}$ ]]
	[[ $stderr != *"$output"* ]]
	SECRET=$output
	is_set
	run -0 --separate-stderr vmailadm passwd --generate "$FIELD_USER"
	[ "$output" != "$SECRET" ]
}

@test "a hash is imported as it is, a bare one as {CRYPT}" {
	told "$QUICK" passwd --hash-stdin "$FIELD_USER"
	run -0 told testtest auth "$FIELD_USER"
	grep -qF "$FIELD_USER:$QUICK:" "$P"
	told "${QUICK#*\}}" useradd --hash-stdin new@x.y
	tail -n 1 "$P" | grep -qF "new@x.y:{CRYPT}${QUICK#*\}}:"
	run -0 told testtest auth new@x.y
}

@test "what is no hash of a known scheme is not imported" {
	for hash in '{NOSUCH}x' '{SHA512-CRYPT}' '{SHA512-CRYPT}x' '!' '*' x \
		'{SHA512-CRYPT' "$QUICK:0:0" "$(printf 'x%.0s' {1..2000})" ''; do
		run -2 told "$hash" passwd --hash-stdin "$FIELD_USER"
	done
	unchanged
}

@test "no source, an empty one, a NUL and one too long are usage errors" {
	run -2 vmailadm passwd "$FIELD_USER" </dev/null
	[[ $output == *"end of file"* ]]
	run -2 told '' passwd "$FIELD_USER"
	[[ $output == *"empty"* ]]
	run -2 vmailadm passwd "$FIELD_USER" < <(printf 'long\0password\n')
	run -2 told "$(printf 'x%.0s' {1..1025})" passwd "$FIELD_USER"
	run -1 bash -c '"$@" <&-' - "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" passwd "$FIELD_USER"
	for command in auth hash; do
		[ "$command" = hash ] && set -- hash || set -- auth "$FIELD_USER"
		run -2 vmailadm "$@" </dev/null
		run -2 told '' "$@"
	done
	unchanged
}

@test "two sources exclude each other" {
	run -2 vmailadm passwd --generate --hash-stdin "$FIELD_USER"
	run -2 vmailadm passwd --generate --password-fd=0 "$FIELD_USER"
	run -2 vmailadm passwd --password-fd=0 --password-file=/x "$FIELD_USER"
	run -2 vmailadm auth --password-fd=0 --password-file=/x "$FIELD_USER"
	run -2 vmailadm passwd --hash-stdin -s CRYPT "$FIELD_USER"
	unchanged
}

@test "min_password_length binds new passwords, not hash, auth and --hash-stdin" {
	run -2 told 1234567 passwd "$FIELD_USER"
	[[ $output == *"min_password_length = 8"* ]]
	run -2 told 1234567 useradd new@x.y
	unchanged
	run -0 told 1 hash
	run -1 told 1 auth "$FIELD_USER"
	hash=$(told 1 hash)
	told "$hash" passwd --hash-stdin "$FIELD_USER"
	run -0 told 1 auth "$FIELD_USER"
}

@test "an unknown scheme is said before a password is asked for" {
	run -2 vmailadm passwd -s NOSUCH "$FIELD_USER" </dev/null
	[[ $output == *"no such password scheme"*"hash --list"* ]]
	run -2 vmailadm hash -s NOSUCH </dev/null
	sed -i 's/^scheme = .*/scheme = NOSUCH/' "$ROOM/vmail.conf"
	run ! vmailadm passwd "$FIELD_USER" </dev/null
	[[ $output == *"scheme"* ]]
}

@test "an unknown user, a taken name and a bad file are said before a password is asked for" {
	run -3 vmailadm passwd nobody@x.y </dev/null
	run -4 vmailadm useradd "$FIELD_USER" </dev/null
	run -2 vmailadm useradd a/b </dev/null
	chmod 0666 "$P"
	run -6 vmailadm passwd "$FIELD_USER" </dev/null
}

# How often the command takes the writers' lock, and goes well.
takings() {
	printf '%s\n' "$1" | strace -qq -e trace=openat \
		-o "$BATS_TEST_TMPDIR/calls" "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" -q "${@:2}" >"$BATS_TEST_TMPDIR/out"
	grep -c '"\.lock"' "$BATS_TEST_TMPDIR/calls"
}

@test "the file is opened once where the password is at hand, else first of all too" {
	[ "$(takings "$QUICK" useradd -M --hash-stdin one@x.y)" = 1 ]
	[ "$(takings "$QUICK" passwd --hash-stdin one@x.y)" = 1 ]
	[ "$(takings '' useradd -M --password-file="$BATS_TEST_TMPDIR/secret" two@x.y)" = 1 ]
	[ "$(takings '' useradd -M --generate three@x.y)" = 2 ]
	[ "$(takings 'a long password' useradd -M four@x.y)" = 2 ]
}

@test "a hash at hand changes nothing where the user is not as he must be" {
	before=$(cksum <"$P")
	run -4 told "$QUICK" useradd --hash-stdin "$FIELD_USER"
	run -3 told "$QUICK" passwd --hash-stdin nobody@x.y
	[ "$(cksum <"$P")" = "$before" ]
	run -4 vmailadm --dry-run useradd --hash-stdin "$FIELD_USER" </dev/null
	run -3 vmailadm --dry-run passwd --hash-stdin nobody@x.y </dev/null
	[ "$(cksum <"$P")" = "$before" ]
}

@test "every scheme listed makes a hash that hash --test accepts, and no other password" {
	run -0 vmailadm --output=csv hash --list
	schemes=$(tail -n +2 <<<"$output" | cut -d, -f1)
	[ "$(wc -w <<<"$schemes")" -ge 7 ]
	sed -i '$a bcrypt_cost = 4\nargon2_memory = 64\nargon2_time = 3' \
		"$ROOM/vmail.conf"
	for scheme in $schemes; do
		hash=$(printf 'secret' | vmailadm hash -s "$scheme")
		[[ $hash == "{$scheme}"* ]]
		run -0 told secret hash --test "$hash"
		run -1 told Secret hash --test "$hash"
	done
	run -2 told secret hash --test 'nonsense'
}

# Types at a terminal: one answer for each prompt that comes.
at_terminal() {
	local answers=("$@") answer out=$BATS_TEST_TMPDIR/terminal c seen=''
	: >"$out"
	coproc TTY { script -qefc "trap : INT; '$VMAIL_BUILD/vmailadm' --conf '$ROOM/vmail.conf' passwd $FIELD_USER; echo status=\$?; stty -a" /dev/null; }
	for answer in "${answers[@]}"; do
		seen=''
		while IFS= read -r -N 1 c <&"${TTY[0]}"; do
			printf '%s' "$c" >>"$out"
			seen+=$c
			[[ $seen != *': ' ]] || break
		done
		printf '%b' "$answer" >&"${TTY[1]}"
	done
	cat <&"${TTY[0]}" >>"$out" || true
	wait || true
}

@test "a terminal is asked twice, without echo, and echoes again afterwards" {
	at_terminal 'typed at a tty\n' 'typed at a tty\n'
	grep -q status=0 "$BATS_TEST_TMPDIR/terminal"
	run ! grep -q typed "$BATS_TEST_TMPDIR/terminal"
	grep -q ' echo ' "$BATS_TEST_TMPDIR/terminal"
	run -0 told 'typed at a tty' auth "$FIELD_USER"
}

@test "two answers that differ change nothing" {
	at_terminal 'typed at a tty\n' 'typed at a tt\n'
	grep -q status=1 "$BATS_TEST_TMPDIR/terminal"
	grep -q 'differ' "$BATS_TEST_TMPDIR/terminal"
	unchanged
}

@test "an interrupt at the prompt puts the terminal right and ends the command" {
	at_terminal 'half typed\x03'
	grep -q status=130 "$BATS_TEST_TMPDIR/terminal"
	grep -q ' echo ' "$BATS_TEST_TMPDIR/terminal"
	unchanged
	no_leftovers
}

@test "end of file at the prompt is a usage error" {
	at_terminal '\x04'
	grep -q status=2 "$BATS_TEST_TMPDIR/terminal"
	unchanged
}

@test "a password is in no argument, environment, output or core while the command runs" {
	local pid
	mkfifo "$BATS_TEST_TMPDIR/in"
	"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" passwd "$FIELD_USER" \
		<"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 &
	pid=$!
	exec 8>"$BATS_TEST_TMPDIR/in"
	printf '%s' "$SECRET" >&8
	# All of it is read, the command waits for the line feed.
	until [ "$(awk '/^read_bytes|^rchar/ { print $2; exit }' \
		"/proc/$pid/io")" -gt 0 ] &&
		[ "$(cut -d ' ' -f 3 "/proc/$pid/stat")" = S ]; do :; done
	tr '\0' '\n' <"/proc/$pid/cmdline" >"$BATS_TEST_TMPDIR/seen"
	tr '\0' '\n' <"/proc/$pid/environ" >>"$BATS_TEST_TMPDIR/seen"
	grep -q passwd "$BATS_TEST_TMPDIR/seen"
	run ! grep -q sesame "$BATS_TEST_TMPDIR/seen"
	# Nobody but root looks into it, and it leaves no core.
	[ "$(stat -c %u "/proc/$pid/mem")" = 0 ]
	printf '\n' >&8
	exec 8>&-
	wait "$pid"
	run ! grep -q sesame "$BATS_TEST_TMPDIR/out" "$P" "$P.cdb"
	is_set
}

@test "a process that holds a password cannot be dumped or looked into" {
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=prctl,read,write,openat \
		-s 4096 "$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" \
		passwd "$FIELD_USER" <"$BATS_TEST_TMPDIR/secret"
	awk '/PR_SET_DUMPABLE, (SUID_DUMP_DISABLE|0)/ { dumpable = 1 }
		/^[0-9]+ +read\(0/ { exit !dumpable }' "$BATS_TEST_TMPDIR/trace"
	# It is read, and never written: not to a log, not to a file.
	grep -q 'write(' "$BATS_TEST_TMPDIR/trace"
	run ! grep -E 'write.*(sesame|log)' "$BATS_TEST_TMPDIR/trace"
	run ! grep -E '/dev/log' "$BATS_TEST_TMPDIR/trace"
}
