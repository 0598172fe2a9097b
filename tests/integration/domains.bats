#!/usr/bin/env bats
# One passwd-file per domain: `%d` in passwd_file.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	umask 022
	ROOM=$BATS_TEST_TMPDIR/room
	mkdir "$ROOM" "$ROOM/mail"
	printf '%s\n' "passwd_file = $ROOM/domains/%d/passwd" \
		"home = $ROOM/mail/%d/%n" 'scheme = SHA512-CRYPT' \
		'crypt_rounds = 1000' 'reader_group = root' \
		>"$ROOM/vmail.conf"
	echo 'host vmail 5000:5000 -' >"$ROOM/views"
	vmailadm -q init
	D=$ROOM/domains
}

teardown() {
	no_leftovers
}

some_users() {
	vmailadm -q useradd --generate anna@a.org bob@b.org >/dev/null
	told longpassword passwd -q anna@a.org
	told longpassword passwd -q bob@b.org
}

@test "init makes the settings and the folder, and no file of users" {
	[ "$(stat -c %a "$D")" = 755 ]
	[ -e "$ROOM/passwd.cdb" ]
	[ -z "$(ls -A "$D")" ]
	run -0 vmailadm init
	[ -z "$output" ]
	run -0 vmailadm check
}

@test "useradd makes the domain's folder and all its files" {
	told longpassword useradd Anna@A.org
	run -0 ls -A "$D/a.org"
	[ "$(tr '\n' ' ' <<<"$output")" = ".lock apppw deny passwd passwd- passwd.cdb " ]
	[ "$(stat -c %a:%U "$D/a.org")" = 755:root ]
	[ "$(stat -c %a "$D/a.org/passwd")" = 640 ]
	[[ $(tail -n 1 "$D/a.org/passwd") == "anna@a.org:{SHA512-CRYPT}"*":$ROOM/mail/a.org/anna::" ]]
	[ -d "$ROOM/mail/a.org/anna" ]
	run -0 told longpassword auth ANNA@a.org
	run -0 vmailadm check
	grep -aq "passwd_file=$D/%d/passwd" "$ROOM/passwd.cdb"
}

@test "each user stands in the file of the domain, found by every command" {
	some_users
	run -0 vmailadm list -o user --output=csv
	[ "${lines[*]}" = "user anna@a.org bob@b.org" ]
	run -0 vmailadm show bob@b.org
	run -0 told longpassword auth bob@b.org
	vmailadm lock anna@a.org bob@b.org
	run -1 told longpassword auth bob@b.org
	run -1 told longpassword auth anna@a.org
	vmailadm unlock bob@b.org
	run -0 told longpassword auth bob@b.org
	vmailadm usermod -c Somebody anna@a.org
	run -0 grep -c Somebody "$D/a.org/passwd"
	vmailadm userdel bob@b.org
	run -3 vmailadm show bob@b.org
	run -0 cat "$D/b.org/passwd"
	[ "${#lines[@]}" -eq 1 ]
	run -0 vmailadm check
}

@test "no domain, an impossible one, or one without a folder: no such user" {
	some_users
	for name in anna nobody@c.org; do
		run -1 told longpassword auth "$name"
		[[ $output == *"not authenticated"* ]]
	done
	for name in ../x@a.org x@.. x@../a.org x@. 'x@a/b' "x@$(printf 'd%.0s' {1..300})"; do
		run -1 told longpassword auth "$name"
		run -2 told longpassword useradd -- "$name"
	done
	run -2 told longpassword useradd anna
	[[ $output == *"without a domain"* ]]
	run -3 vmailadm lock nobody@a.org
	run -0 ls -A "$D"
	[ "${lines[*]}" = "a.org b.org" ]
}

@test "a folder without its file is unavailable, and is not filled over a backup" {
	some_users
	rm "$D/a.org/passwd"
	run -1 told longpassword auth anna@a.org
	[[ $output == *"missing"* ]]
	run -1 told longpassword useradd carl@a.org
	[[ $output == *"its backup is there"* ]]
	[ ! -e "$D/a.org/passwd" ]
	run -0 told longpassword auth bob@b.org
}

@test "several domains in one command: all is tried before anything is done" {
	some_users
	run -4 vmailadm useradd -q --generate dora@c.org anna@a.org emil@b.org
	[ ! -e "$D/c.org" ]
	run -3 vmailadm show emil@b.org
	run -3 vmailadm lock bob@b.org nobody@a.org
	run -0 told longpassword auth bob@b.org
	run -0 --separate-stderr vmailadm useradd --generate \
		dora@c.org carl@a.org emil@b.org
	[ "$(wc -l <<<"$output")" -eq 4 ]
	[[ $stderr == "added carl@a.org"*"added emil@b.org"*"added dora@c.org" ]]
}

@test "a domain that cannot be changed stops all before anything is done" {
	some_users
	mount --bind "$D/b.org" "$D/b.org"
	mount -o remount,bind,ro "$D/b.org"
	run -1 vmailadm lock anna@a.org bob@b.org
	[[ $output == *"$D/b.org/passwd"*"Read-only"* ]]
	umount "$D/b.org"
	run -0 told longpassword auth anna@a.org
	run -0 told longpassword auth bob@b.org
}

@test "when one of several domains fails half way, what is done is said" {
	some_users
	# The third rename is the one of the second domain's file.
	run -1 strace -f -o "$BATS_TEST_TMPDIR/calls" -e trace=renameat \
		-e inject=renameat:error=EIO:when=3 "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" lock anna@a.org bob@b.org
	[[ $output == *"$D/b.org/passwd"*"Input/output error"* ]]
	[[ $output == *"a.org: done"*"b.org: not done" ]]
	run -1 told longpassword auth anna@a.org
	run -0 told longpassword auth bob@b.org
}

@test "passwords made up for several domains are one result, in every form" {
	run -0 --separate-stderr vmailadm --json useradd --generate anna@a.org \
		bob@b.org carl@a.org
	[ "$(jq -sr 'length, .[0][].user' <<<"$output")" = \
		$'1\nanna@a.org\ncarl@a.org\nbob@b.org' ]
	jq -r '.[2].password' <<<"$output" | vmailadm auth bob@b.org
	run -0 --separate-stderr vmailadm --output=csv useradd --generate d@a.org e@b.org
	[ "${#lines[@]}" -eq 3 ]
	[[ "${lines[*]}" == "user,password d@a.org,"*" e@b.org,"* ]]
	run -0 --separate-stderr vmailadm useradd --generate f@a.org g@b.org
	[[ "${lines[*]}" == "USER"*"PASSWORD f@a.org "*" g@b.org "* ]]
	run -0 --separate-stderr vmailadm useradd --generate h@a.org
	[[ $output =~ ^[[:alnum:]]+$ ]]
}

@test "what was made before a domain failed is shown all the same" {
	some_users
	run -1 --separate-stderr strace -f -o "$BATS_TEST_TMPDIR/calls" \
		-e trace=renameat -e inject=renameat:error=EIO:when=4 \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" --json \
		useradd --generate c@a.org d@b.org
	[ "$(jq -r '.[].user' <<<"$output")" = c@a.org ]
	[[ $stderr == *"a.org: done"*"b.org: not done" ]]
}

@test "rename keeps to the domain" {
	some_users
	vmailadm usermod -l berta@b.org bob@b.org
	run -0 told longpassword auth berta@b.org
	run -2 vmailadm usermod -l berta@a.org berta@b.org
	[[ $output == *"another domain"* ]]
}

@test "a change costs the files of its domain alone" {
	some_users
	before=$(find "$D/b.org" -printf '%p %i %T@ %C@\n' | sort)
	told anotherpassword passwd -q anna@a.org
	told anotherpassword useradd -q carl@a.org
	[ "$(find "$D/b.org" -printf '%p %i %T@ %C@\n' | sort)" = "$before" ]
}

@test "useradd in a domain that is there makes exactly three syncs" {
	some_users
	printf '%s\n' longpassword | strace -f -o "$BATS_TEST_TMPDIR/calls" \
		-e trace=fsync,fdatasync "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" -q useradd -M carl@a.org
	[ "$(grep -c 'sync(' "$BATS_TEST_TMPDIR/calls")" -eq 3 ]
}

@test "map rebuilds what is not current, of all domains or of those named" {
	some_users
	echo "carl@a.org:$QUICK::::::" >>"$D/a.org/passwd"
	echo "dora@b.org:$QUICK::::::" >>"$D/b.org/passwd"
	run -1 vmailadm check
	run -0 vmailadm map a.org
	[[ $output == *"rebuilt"*"$D/a.org/passwd"* ]]
	[[ $(cdb -q "$D/a.org/passwd.cdb" carl@a.org) == :::* ]]
	run -100 cdb -q "$D/b.org/passwd.cdb" dora@b.org
	run -0 vmailadm map
	run -0 vmailadm check
	run -1 vmailadm map nowhere.org
	rm "$ROOM/passwd.cdb"
	run -0 vmailadm map
	[ -e "$ROOM/passwd.cdb" ]
}

@test "check looks into every domain, and at what lies where it must not" {
	some_users
	echo "bob@b.org:$QUICK::::::" >>"$D/a.org/passwd"
	vmailadm -q map
	chmod 0644 "$D/b.org/passwd"
	: >"$D/passwd"
	run findings
	[[ $output == *"ERROR name-domain:3"* ]]
	[[ $output == *"ERROR world-readable:"* ]]
	[[ $output == *"ERROR stray-file:"* ]]
}

@test "check --fix mends every domain, one commit each, and what NSS reads first" {
	some_users
	vmailadm -q useradd --generate carl@c.org >/dev/null
	echo 'dora@a.org:*::::::' >>"$D/a.org/passwd"
	echo 'emil@a.org' >>"$D/a.org/passwd"
	rm "$D/b.org/passwd.cdb" "$ROOM/passwd.cdb"
	chmod 0644 "$D/b.org/passwd"
	: >"$D/b.org/passwd.tmp"
	before=$(find "$D/c.org" -printf '%p %i %T@ %C@\n' | sort)
	run -0 --separate-stderr vmailadm --json check --fix
	[ "$(jq -r '.[] | select(.fixed) | .file + " " + .code' <<<"$output")" = \
		"$ROOM/passwd.cdb map-missing
$D/a.org/passwd.cdb map-stale
$D/a.org/passwd password-bare
$D/a.org/passwd password-missing
$D/b.org/passwd world-readable
$D/b.org/passwd.cdb map-missing
$D/b.org/passwd.tmp leftover" ]
	grep -qx 'dora@a.org:{CRYPT}\*::::::' "$D/a.org/passwd"
	grep -qx 'emil@a.org:{CRYPT}\*' "$D/a.org/passwd"
	[ "$(find "$D/c.org" -printf '%p %i %T@ %C@\n' | sort)" = "$before" ]
	run -0 vmailadm map
	[ "$(grep -c current <<<"$output")" = 3 ]
	run -0 vmailadm check --fix
	[[ $output == *"0 mended, 0 errors"* ]]
}

@test "config dovecot says the domain's path in each dialect" {
	run -0 vmailadm config dovecot --dovecot 2.3
	[[ $output == *"username_format=%Lu $D/%Ld/passwd"* ]]
	[[ $output == *"$D/%Ld/deny"* ]]
	run -0 vmailadm config dovecot --dovecot 2.4
	[[ $output == *"passwd_file_path = $D/%{user | domain | lower}/passwd"* ]]
	[[ $output == *"$D/%{user | domain | lower}/apppw"* ]]
}

state_of() {
	find "$D/$1" -printf '%p %i %T@ %C@ %s\n' | sort
}

@test "edit opens the file of the domain that is named, in any case, and no other" {
	some_users
	before=$(state_of b.org)
	editor 'echo "carl@a.org:{CRYPT}*::::::" >>"$1"'
	run -0 vmailadm edit A.org
	[ "$output" = "changed $D/a.org/passwd" ]
	[ "$(state_of b.org)" = "$before" ]
	run -0 vmailadm show carl@a.org
	run -0 vmailadm map
	[ "$(grep -c current <<<"$output")" = 2 ]
	[ -z "$(ls -A "$TMPDIR")" ]
	run -0 vmailadm edit --dry-run b.org
	[ "$output" = "would open a copy of $D/b.org/passwd in $VISUAL" ]
}

@test "edit refuses what another has changed in that domain meanwhile, not in others" {
	some_users
	editor '"'"$VMAIL_BUILD"'/vmailadm" --conf "'"$ROOM"'/vmail.conf" \
		--wait=0 lock "$(cat "'"$BATS_TEST_TMPDIR"'/whom")"
		echo "# mine" >>"$1"'
	echo bob@b.org >"$BATS_TEST_TMPDIR/whom"
	run -0 vmailadm edit a.org
	grep -q '# mine' "$D/a.org/passwd"
	echo anna@a.org >"$BATS_TEST_TMPDIR/whom"
	run -5 vmailadm edit a.org
	[[ $output == *"was changed while you edited"* ]]
	[ "$(grep -c '# mine' "$D/a.org/passwd")" = 1 ]
}

@test "edit refuses users of another domain, but for those that stood there" {
	some_users
	editor 'echo "carl@b.org:{CRYPT}*::::::" >>"$1"'
	run -2 vmailadm edit a.org
	[[ $output == *"/passwd:3: name: of another domain"* ]]
	run ! grep carl "$D/a.org/passwd"
	echo 'dora@b.org:{CRYPT}*::::::' >>"$D/a.org/passwd"
	editor 'sed -i "s/^dora.*/&x=y/" "$1"'
	run -0 vmailadm edit a.org
	grep -q 'dora.*x=y' "$D/a.org/passwd"
}

@test "edit and with-lock ask for the domain, and take none that has no folder" {
	some_users
	editor 'touch "'"$BATS_TEST_TMPDIR"'/ran"'
	ran=$BATS_TEST_TMPDIR/ran
	run -2 vmailadm edit
	[[ $output == *"each domain has a passwd-file of its own"*"mend: vmailadm edit DOMAIN" ]]
	run -2 vmailadm with-lock -- touch "$ran"
	[[ $output == *"a lock of its own"*"mend: vmailadm with-lock --domain=DOMAIN -- CMD"* ]]
	run -1 vmailadm edit c.org
	[[ $output == *"c.org: that domain has no folder" ]]
	run -1 vmailadm with-lock --domain c.org -- touch "$ran"
	for name in .. . ../a.org a.org/ '' a/b "$(printf 'd%.0s' {1..300})"; do
		run -2 vmailadm edit "$name"
		run -2 vmailadm with-lock --domain "$name" -- touch "$ran"
		run -2 vmailadm export --domain "$name"
	done
	[ ! -e "$ran" ]
	[ ! -e "$D/c.org" ]
	rm "$D/a.org/passwd"
	run -1 vmailadm edit a.org
	[[ $output == *"$D/a.org/passwd: "*"missing"* ]]
	run -1 vmailadm with-lock --domain a.org -- touch "$ran"
	[ ! -e "$ran" ]
}

@test "with-lock holds the lock of its domain alone, and rebuilds its map" {
	some_users
	before=$(state_of b.org)
	run -0 vmailadm with-lock --domain A.org -- sh -c '
		echo "carl@a.org:{CRYPT}*::::::" >>"$2"
		"$0" --conf "$1" --wait=0 lock anna@a.org; echo "a=$?"
		"$0" --conf "$1" --wait=0 --dry-run lock bob@b.org; echo "b=$?"' \
		"$VMAIL_BUILD/vmailadm" "$ROOM/vmail.conf" "$D/a.org/passwd"
	[[ $output == *a=5*b=0* ]]
	[ "$(state_of b.org)" = "$before" ]
	[[ $(cdb -q "$D/a.org/passwd.cdb" carl@a.org) == :::* ]]
	run -0 vmailadm map
	[ "$(grep -c current <<<"$output")" = 2 ]
	run -0 vmailadm with-lock --domain a.org -- sh -c \
		"echo 'dora@b.org:{CRYPT}*::::::' >>'$D/a.org/passwd'"
	[[ $output == *"$D/a.org/passwd:4: name: of another domain"*"vmailadm check"* ]]
	run -0 vmailadm --dry-run with-lock --domain a.org -- false
	[[ $output == "would run false with $D/a.org/passwd locked"* ]]
}

# A room with one file for all, from what the standard input exports.
into_one_file() {
	local room=$BATS_TEST_TMPDIR/one
	mkdir "$room"
	sed "s|^passwd_file = .*|passwd_file = $room/passwd|" \
		"$ROOM/vmail.conf" >"$room/vmail.conf"
	cp "$ROOM/views" "$room"
	"$VMAIL_BUILD/vmailadm" --conf "$room/vmail.conf" -q init
	"$VMAIL_BUILD/vmailadm" --conf "$room/vmail.conf" -q import "$@"
	"$VMAIL_BUILD/vmailadm" --conf "$room/vmail.conf" export
}

@test "export prints all domains in the order of their names, and import makes the same of it" {
	vmailadm -q useradd --generate zoe@z.org bob@b.org anna@a.org >/dev/null
	vmailadm -q useradd --generate aaron@z.org >/dev/null
	run -0 --separate-stderr vmailadm export
	[ -z "$stderr" ]
	[ "$(cut -d: -f1 <<<"$output" | tr '\n' ' ')" = \
		'anna@a.org bob@b.org zoe@z.org aaron@z.org ' ]
	cat "$D"/{a,b,z}.org/passwd | grep -v '^#' | cmp - <(echo "$output")
	vmailadm export | into_one_file | cmp - <(echo "$output")
	rm -r "$BATS_TEST_TMPDIR/one"
	vmailadm export --to=jsonl | into_one_file --from=jsonl |
		cmp - <(echo "$output")
}

@test "export of one domain reads its file alone, and picks by patterns too" {
	some_users
	vmailadm -q useradd --generate berta@b.org >/dev/null
	rm "$D/a.org/passwd"
	run -0 --separate-stderr vmailadm export --domain B.org
	[ -z "$stderr" ]
	grep -v '^#' "$D/b.org/passwd" | cmp - <(echo "$output")
	run -0 vmailadm export --domain b.org 'ber*'
	[[ $output == berta@b.org:* && ${#lines[@]} = 1 ]]
	run -1 vmailadm export --domain c.org
	[[ $output == *"that domain has no folder"* ]]
}

@test "a domain that cannot be exported is said and status 1, the others are printed" {
	some_users
	vmailadm -q useradd --generate carl@c.org >/dev/null
	rm "$D/b.org/passwd"
	run -1 --separate-stderr vmailadm export
	[ "$(cut -d: -f1 <<<"$output" | tr '\n' ' ')" = 'anna@a.org carl@c.org ' ]
	[[ $stderr == *"$D/b.org/passwd: "*"missing"* ]]
}

@test "a user in the file of another domain is no user, and hides none from an export" {
	some_users
	echo 'bob@b.org:{CRYPT}*::::::' >>"$D/a.org/passwd"
	for domain in '' --domain=a.org; do
		run -1 --separate-stderr vmailadm export $domain
		[[ $stderr == *"$D/a.org/passwd:3: left out: of another domain"* ]]
		[[ $output != *'bob@b.org:{CRYPT}*'* ]]
	done
	run -1 vmailadm export
	[[ $output == *'bob@b.org:{SHA512-CRYPT}'* ]]
}
