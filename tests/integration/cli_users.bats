#!/usr/bin/env bats
# useradd, usermod, userdel, passwd, lock, unlock: what they write, and what
# they leave alone.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
}

teardown() {
	no_leftovers
}

last_line() {
	tail -n 1 "$P"
}

@test "the record from the field lets testtest in and refuses test1234" {
	run -0 told testtest auth "$FIELD_USER"
	[ "$output" = authenticated ]
	run -1 told test1234 auth "$FIELD_USER"
	unchanged
}

@test "passwd changes the password of the record from the field and no other byte" {
	told 'a new one: with spaces' passwd "$FIELD_USER"
	run -0 told 'a new one: with spaces' auth "$FIELD_USER"
	run -1 told testtest auth "$FIELD_USER"
	hash=$(sed -n "s/^$FIELD_USER:\([^:]*\):.*/\1/p" "$P")
	[[ $hash == '{SHA512-CRYPT}$6$rounds=1000$'* ]]
	old=${FIELD#*:}
	old=${old%%:*}
	while IFS= read -r row; do
		printf '%s\n' "${row//"$hash"/"$old"}"
	done <"$P" | cmp - "$BATS_TEST_TMPDIR/before"
}

@test "passwd keeps a carriage return, odd extras and a missing last line feed" {
	printf 'odd@x.y:{CRYPT}*:::g:/h::a=b  c=:d\r\nlast@x.y:{CRYPT}*' >>"$P"
	vmailadm -q map
	told longpassword passwd odd@x.y
	told longpassword passwd last@x.y
	[[ $(tail -n 2 "$P" | head -n 1) == odd@x.y:'{'*:::g:/h::a=b\ \ c=:d$'\r' ]]
	[[ $(last_line) == 'last@x.y:{SHA512-CRYPT}'* ]]
	[ "$(tail -c 1 "$P")" != '' ]
	run -0 told longpassword auth last@x.y
}

@test "useradd writes one strict line, makes the home, and the user logs in" {
	told longpassword useradd Anna@Example.ORG -c 'Änna B'
	[[ $(last_line) == anna@example.org:'{'*:::'Änna B':"$ROOM"/mail/example.org/anna:: ]]
	head -n -1 "$P" | cmp - "$BATS_TEST_TMPDIR/before"
	[ "$(stat -c %u:%g:%a "$ROOM/mail/example.org/anna")" = 5000:5000:700 ]
	run -0 told longpassword auth ANNA@example.org
	run -0 vmailadm show anna@example.org
	cmp "$P-" "$BATS_TEST_TMPDIR/before"
}

@test "useradd of several makes all of them or none" {
	run -0 --separate-stderr vmailadm useradd --generate a@x.y b@x.y
	[ "${#lines[@]}" = 3 ]
	while read -r user password; do
		run -0 told "$password" auth "$user"
	done < <(tail -n 2 <<<"$output")
	cp "$P" "$BATS_TEST_TMPDIR/before"
	run -4 --separate-stderr vmailadm useradd --generate c@x.y a@x.y
	[ -z "$output" ]
	run -2 vmailadm useradd --generate c@x.y d/e@x.y
	run -2 vmailadm useradd --generate c@x.y C@x.y
	[[ $output == *"named twice"* ]]
	run -2 told longpassword useradd c@x.y d@x.y
	[[ $output == *"--generate alone"* ]]
	run -2 vmailadm useradd --generate -d /srv/one c@x.y d@x.y
	unchanged
	[ ! -e "$ROOM/mail/x.y/c" ]
}

@test "useradd -M makes no home, and needs no number for the owner" {
	: >"$ROOM/views"
	vmailadm -q map
	told longpassword useradd -M a@x.y
	[ ! -e "$ROOM/mail/x.y" ]
	cp "$P" "$BATS_TEST_TMPDIR/before"
	run -1 told longpassword useradd b@x.y
	[[ $output == *"no number on this system"*"mend: vmailadm init"* ]]
	unchanged
}

@test "a home that cannot be made leaves the user, says so, and is status 1" {
	: >"$ROOM/mail/x.y"
	run -1 told longpassword useradd a@x.y
	[[ $output == *"added, but without its home"*"mend: install -d -m 0700 -o 5000 -g 5000 $ROOM/mail/x.y/a"* ]]
	run -0 told longpassword auth a@x.y
}

@test "useradd writes ids as id_style says, and given ones as given" {
	told longpassword useradd a@x.y -u 5005 -g 5006
	[[ $(last_line) == a@x.y:*:5005:5006:* ]]
	[ "$(stat -c %u:%g "$ROOM/mail/x.y/a")" = 5005:5006 ]
	echo 'id_style = names' >>"$ROOM/vmail.conf"
	vmailadm -q map
	told longpassword useradd -d "$ROOM/mail/b" b@x.y
	[[ $(last_line) == b@x.y:*:vmail:vmail:* ]]
	sed -i 's/= names/= numbers/' "$ROOM/vmail.conf"
	vmailadm -q map
	told longpassword useradd -d "$ROOM/mail/c" c@x.y
	[[ $(last_line) == c@x.y:*:5000:5000:* ]]
}

@test "ids that may not be written, or nobody resolves, are refused" {
	for id in 0 root 65534 499 60001 4294967295 -1 0x1388 nosuchuser ' 5000' \
		VMAIL; do
		run -2 told longpassword useradd -u "$id" a@x.y
		run -2 vmailadm usermod -u "$id" "$FIELD_USER"
	done
	run -2 told longpassword useradd -g 0 a@x.y
	unchanged
}

@test "homes and remarks that may not be written are refused" {
	for home in mail /a/../b /a:b $'/a\nb' /..; do
		run -2 told longpassword useradd -d "$home" a@x.y
		run -2 vmailadm usermod -d "$home" "$FIELD_USER"
	done
	for gecos in a:b $'a\nb' $'a\tb'; do
		run -2 told longpassword useradd -c "$gecos" a@x.y
		run -2 vmailadm usermod -c "$gecos" "$FIELD_USER"
	done
	run -2 told longpassword useradd -c "$(printf 'x%.0s' {1..1600})" a@x.y
	unchanged
}

@test "a name without a domain may not be an account, an identity or its view" {
	for name in root vmail vmail-host daemon; do
		run -4 told longpassword useradd "$name"
		run -4 vmailadm usermod -l "$name" "$FIELD_USER"
	done
	unchanged
	told longpassword useradd not-an-account
	[[ $(last_line) == not-an-account:* ]]
}

@test "usermod changes the fields it is told to and no other byte" {
	vmailadm usermod -c Zed -u 5005 -d /srv/x "$FIELD_USER"
	vmailadm usermod -c '' -u 5000 -d /var/mail/vhosts/kuma8088.com/test \
		"$FIELD_USER"
	unchanged
	vmailadm usermod -g '' "$FIELD_USER" second@kuma8088.com
	grep -q "^$FIELD_USER:.*:5000:::/var/mail" "$P"
	run -2 vmailadm usermod "$FIELD_USER"
	[[ $output == *"nothing to change"* ]]
}

@test "usermod gives a line with few fields the colons it needs" {
	line "few@x.y:{CRYPT}*"
	vmailadm usermod -c Few few@x.y
	[ "$(last_line)" = 'few@x.y:{CRYPT}*:::Few' ]
}

@test "usermod mends a malformed line" {
	line "bad@x.y:$QUICK:0:0::/h::"
	run -3 vmailadm show bad@x.y
	vmailadm usermod -u 5005 -g 5005 bad@x.y
	run -0 vmailadm show bad@x.y
}

@test "usermod -l renames the record; the password and the mail stay" {
	run -0 vmailadm usermod -l New@kuma8088.com "$FIELD_USER"
	run -0 told testtest auth new@kuma8088.com
	run -3 vmailadm show "$FIELD_USER"
	sed 's/^new@/test@/' "$P" | cmp - "$BATS_TEST_TMPDIR/before"
	line "empty@x.y:$QUICK::::::"
	vmailadm usermod -l full@x.y empty@x.y
	[ "$(last_line)" = "full@x.y:$QUICK::::$ROOM/mail/x.y/empty::" ]
}

@test "usermod -l refuses a name that is taken, and several users" {
	run -4 vmailadm usermod -l SECOND@kuma8088.com "$FIELD_USER"
	run -2 vmailadm usermod -l a:b@x.y "$FIELD_USER"
	run -2 vmailadm usermod -l a@x.y "$FIELD_USER" second@kuma8088.com
	unchanged
}

@test "usermod -l refuses a hash that contains the name" {
	line 'digest@x.y:{DIGEST-MD5}77ae5bcd4eff0c6d18f6b2a1f0ba4dbe::::/d::'
	run -1 vmailadm usermod -l other@x.y digest@x.y
	[[ $output == *"contains the name"*"mend: "*"vmailadm passwd"* ]]
	unchanged
}

@test "a second record of a name never comes to life" {
	line "$FIELD_USER:$QUICK:::twin:/twin::"
	run -1 vmailadm usermod -l other@x.y "$FIELD_USER"
	[[ $output == *"would take its place"* ]]
	unchanged
	vmailadm userdel "$FIELD_USER"
	run ! grep -q "^$FIELD_USER:" "$P"
	run -1 told testtest auth "$FIELD_USER"
}

# The nth sync of the command fails.
unsynced() { # NTH WORD...
	strace -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=fsync \
		-e inject="fsync:error=EIO:when=$1" "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" "${@:2}"
}

@test "a change is refused where the file cannot be synced, and done where the folder cannot" {
	before=$(<"$P")
	run -1 unsynced 1 usermod -c Nobody "$FIELD_USER"
	run -1 unsynced 2 usermod -c Nobody "$FIELD_USER"
	[ "$(<"$P")" = "$before" ]
	run -0 unsynced 3 usermod -c Somebody "$FIELD_USER"
	grep -q :Somebody: "$P"
	[[ $output == *"the change is done, but a power cut may undo it: $P: failed: fsync the folder: Input/output error"* ]]
	[[ $output == *"sync $ROOM/"* ]]
	[[ $output != *"vmailadm map"* ]]
	run -0 vmailadm check
}

@test "userdel removes the users and no other byte, all or none" {
	line "third@x.y:$QUICK::::/third::"
	run -3 vmailadm --force userdel third@x.y nobody@x.y
	unchanged
	vmailadm userdel second@kuma8088.com
	grep -v '^second@' "$BATS_TEST_TMPDIR/before" | cmp - "$P"
}

@test "userdel of several needs --force to remove more than half" {
	run -1 vmailadm userdel "$FIELD_USER" second@kuma8088.com
	[[ $output == *"mend: "*"--force"* ]]
	unchanged
	vmailadm --force userdel "$FIELD_USER" second@kuma8088.com
	[ "$(wc -l <"$P")" = 1 ]
	told longpassword useradd a@x.y
	vmailadm userdel a@x.y
	[ -s "$P" ]
}

@test "userdel -r removes the mail too, and follows no link" {
	told longpassword useradd a@x.y
	mkdir "$ROOM/outside"
	: >"$ROOM/outside/kept"
	mkdir -p "$ROOM/mail/x.y/a/Maildir/cur"
	: >"$ROOM/mail/x.y/a/Maildir/cur/1"
	ln -s "$ROOM/outside" "$ROOM/mail/x.y/a/link"
	chown -hR 5000:5000 "$ROOM/mail/x.y/a"
	vmailadm userdel -r a@x.y
	[ ! -e "$ROOM/mail/x.y/a" ]
	[ -e "$ROOM/outside/kept" ]
	run -3 vmailadm show a@x.y
}

@test "userdel -r is refused where another user's home is the same, in it or above it" {
	local home=$ROOM/mail/shared other
	mkdir -p "$home/sub"
	chown -R 5000:5000 "$home"
	for other in "$home" "$home/" "$home/sub" "$ROOM/mail" "$home/./sub//x"; do
		sed -i '/@x.y:/d' "$P"
		line "a@x.y:$QUICK::::$home::
b@x.y:$QUICK::::$other::"
		run -1 vmailadm userdel -r a@x.y
		[[ $output == *"b@x.y"* ]]
		unchanged
		[ -d "$home/sub" ]
	done
	sed -i '/^b@x.y:/d' "$P"
	line "b@x.y:$QUICK::::${home}2::"
	vmailadm userdel -r a@x.y
	[ ! -e "$home" ]
}

@test "unlock is the exact inverse of lock" {
	line "few@x.y:$QUICK"
	line "cr@x.y:$QUICK:::::: k=v "$'\r'
	line "extra@x.y:$QUICK::::/h::mail=x  y=z"
	for user in "$FIELD_USER" few@x.y cr@x.y extra@x.y; do
		vmailadm lock "$user"
		grep -q "^$user:.*:fail=vmail" "$P"
		run -1 told testtest auth "$user"
		[ "$(vmailadm --json show "$user" | jq .locked)" = true ]
		vmailadm unlock "$user"
		unchanged
		run -0 told testtest auth "$user"
	done
	vmailadm lock "$FIELD_USER" few@x.y cr@x.y extra@x.y
	vmailadm unlock extra@x.y few@x.y cr@x.y "$FIELD_USER"
	unchanged
}

@test "locking twice and unlocking twice change nothing and succeed" {
	vmailadm lock "$FIELD_USER"
	cp "$P" "$BATS_TEST_TMPDIR/before"
	run -0 vmailadm lock "$FIELD_USER"
	[[ $output == *"locked already"* ]]
	unchanged
	vmailadm passwd -u "$FIELD_USER"
	cp "$P" "$BATS_TEST_TMPDIR/before"
	run -0 vmailadm unlock "$FIELD_USER"
	unchanged
}

@test "a hand-written fail or nologin stays, is said, and unlock is status 1" {
	line "a@x.y:$QUICK::::/a::fail"
	line "b@x.y:$QUICK::::/b::x=y nologin=yes"
	for user in a@x.y b@x.y; do
		run -1 vmailadm unlock "$user"
		[[ $output == *"$user: locked by a hand-written"*"mend:"* ]]
		unchanged
		vmailadm lock "$user"
		run -1 vmailadm unlock "$user"
		unchanged
	done
}

@test "locking a line of a password alone says that it becomes a userdb entry" {
	line "few@x.y:$QUICK"
	run -0 vmailadm lock few@x.y
	[[ $output == *"few@x.y"*"userdb entry"* ]]
	run -0 vmailadm lock "$FIELD_USER"
	[[ $output != *userdb* ]]
}

@test "passwd -S, -l and -u show and change the state; with a password they exclude each other" {
	[ "$(vmailadm passwd -S "$FIELD_USER" | xargs)" = \
		"$FIELD_USER P SHA512-CRYPT" ]
	vmailadm passwd -l "$FIELD_USER"
	[ "$(vmailadm passwd --json --status "$FIELD_USER" |
		jq -r '.[0].status')" = L ]
	vmailadm passwd -u "$FIELD_USER"
	unchanged
	line 'none@x.y:{CRYPT}*::::/n::'
	[ "$(vmailadm passwd -S none@x.y | xargs)" = 'none@x.y NP CRYPT' ]
	run -2 vmailadm passwd -S -l "$FIELD_USER"
	run -2 vmailadm passwd -l --generate "$FIELD_USER"
}

@test "auth refuses with the same words and status whatever the reason" {
	vmailadm lock second@kuma8088.com
	for user in "$FIELD_USER" second@kuma8088.com nobody@x.y 'a b' root; do
		run -1 --separate-stderr told wrongpassword auth "$user"
		[ -z "$output" ]
		[ "$stderr" = "vmailadm: $user: not authenticated" ]
	done
	run -1 told testtest auth second@kuma8088.com
	run -0 told testtest auth TEST@KUMA8088.com
	echo 'default_domain = kuma8088.com' >>"$ROOM/vmail.conf"
	run -0 told testtest auth test
}

@test "auth of a file that cannot be trusted is not a wrong password" {
	chmod 0666 "$P"
	run -6 told testtest auth "$FIELD_USER"
	rm "$P"
	run -1 told testtest auth "$FIELD_USER"
	[[ $output == *"$P"*"mend: vmailadm init"* ]]
}

@test "one file of 20,000 users is listed, checked and changed" {
	awk 'BEGIN { for (i = 1; i <= 20000; i++)
		printf "u%06d@many.example:{CRYPT}*::::/m/%06d::\n", i, i }' >>"$P"
	vmailadm -q map
	[ "$(vmailadm list --output=csv | wc -l)" = 20003 ]
	[ "$(vmailadm --json list | jq length)" = 20002 ]
	[ "$(vmailadm list | awk '{ print index($0, $4) }' | sort -u |
		wc -l)" -le 2 ]
	run -0 vmailadm check
	run -0 told longpassword passwd u010000@many.example
}
