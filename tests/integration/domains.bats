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
	[ "$(wc -l <<<"$output")" -eq 3 ]
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

@test "config dovecot says the domain's path in each dialect" {
	run -0 vmailadm config dovecot --dovecot 2.3
	[[ $output == *"username_format=%Lu $D/%Ld/passwd"* ]]
	[[ $output == *"$D/%Ld/deny"* ]]
	run -0 vmailadm config dovecot --dovecot 2.4
	[[ $output == *"passwd_file_path = $D/%{user | domain | lower}/passwd"* ]]
	[[ $output == *"$D/%{user | domain | lower}/apppw"* ]]
}
