#!/usr/bin/env bats
# The passwd-file of the host in containers, mounted in every way people do
# it: what is changed here is seen there, or check says who sees nothing.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
	export ROOTS=${ROOTS:-$VMAIL_BUILD/roots}
	load room
	room_cgroups
}

setup() {
	load ../integration/cli_room
	load container
	furnish
	# Dovecot's auth process inside reads as its own user.
	gid=$(sed -n 's/^dovecot:x:\([0-9]*\):.*/\1/p' "$ROOTS/bookworm/etc/group")
	sed -i "s/^reader_group.*/reader_group = $gid/" "$ROOM/vmail.conf"
	chgrp "$gid" "$P" "$ROOM/apppw" "$ROOM/deny"
	MAILBOX=second@kuma8088.com
}

teardown() {
	containers_stop
	no_leftovers
}

# New passwords and users, each seen at the next login in all of NAME...
changes_are_seen() {
	local name
	for name in "$@"; do
		logs_in "$name" "$MAILBOX" testtest
	done
	told 'another one' passwd --settle "$MAILBOX"
	for name in "$@"; do
		logs_in "$name" "$MAILBOX" 'another one'
		refused "$name" "$MAILBOX" testtest
	done
	told 'the third password' useradd -q -M --settle new@x.y
	vmailadm -q lock --settle "$MAILBOX"
	for name in "$@"; do
		logs_in "$name" new@x.y 'the third password'
		refused "$name" "$MAILBOX" 'another one'
	done
	vmailadm -q unlock --settle "$MAILBOX"
	vmailadm -q userdel --settle new@x.y
	for name in "$@"; do
		logs_in "$name" "$MAILBOX" 'another one'
		refused "$name" new@x.y 'the third password'
	done
}

@test "a folder mounted: changes are seen, and made by rename" {
	container_start folder /etc/vmail/passwd "$ROOM:/etc/vmail"
	changes_are_seen folder
	run -0 --separate-stderr vmailadm -q lock "$MAILBOX"
	[ -z "$stderr" ]
	run findings
	[[ $output != *mount-* ]]
}

@test "the file mounted alone: changes are seen, made in place, and it is said" {
	container_start file /etc/dovecot/users "$P:/etc/dovecot/users"
	changes_are_seen file
	run -0 --separate-stderr vmailadm -q usermod -c Somebody "$MAILBOX"
	[[ $stderr == *"in place"*"process $(container_pid file) has"* ]]
	[[ $stderr == *"mend: mount its folder"* ]]
	run -0 --separate-stderr vmailadm --json check
	[[ $output == *'"WARN"'*'"mount-alone"'*"process $(container_pid file) (dovecot) in container vmail-$$-file has it"*"/etc/dovecot/users"* ]]
}

@test "one container with the folder, one with the file: both see every change" {
	container_start folder /etc/vmail/passwd "$ROOM:/etc/vmail"
	container_start file /etc/dovecot/users "$P:/etc/dovecot/users"
	changes_are_seen folder file
}

@test "one container with both: it sees every change, and what holds us up is named" {
	container_start both /etc/dovecot/users "$ROOM:/etc/vmail" \
		"$P:/etc/dovecot/users"
	changes_are_seen both
	in_container both cmp /etc/vmail/passwd /etc/dovecot/users
	run -0 --separate-stderr vmailadm --json check
	message=$(jq -r '.[] | select(.code == "mount-alone") | .message' <<<"$output")
	[[ $message == *"process $(container_pid both) (dovecot)"*"/etc/dovecot/users"* ]]
	[[ $output != *mount-stale* ]]
}

@test "Dovecot's auth process can read the file after each kind of change" {
	container_start folder /etc/vmail/passwd "$ROOM:/etc/vmail"
	local words
	reads() {
		in_container folder setpriv --reuid dovecot --regid dovecot \
			--clear-groups cmp /etc/vmail/passwd /etc/vmail/passwd
	}
	for words in "usermod -c S $MAILBOX" "lock $MAILBOX" "unlock $MAILBOX" \
		"passwd --generate $MAILBOX" "useradd -M --generate new@x.y" \
		"userdel new@x.y"; do
		# shellcheck disable=SC2086
		vmailadm -q $words >/dev/null
		reads
	done
}

@test "a file replaced by another hand: the container that lost it is named" {
	container_start file /etc/dovecot/users "$P:/etc/dovecot/users"
	logs_in file "$MAILBOX" testtest
	cp -p "$P" "$P.new"
	mv "$P.new" "$P"
	vmailadm -q map
	told 'another one' passwd -q --settle "$MAILBOX"
	logs_in file "$MAILBOX" testtest
	run -1 --separate-stderr vmailadm --json check
	[ "$(jq -r '.[] | select(.code == "mount-stale") | .severity' <<<"$output")" = ERROR ]
	message=$(jq -r '.[] | select(.code == "mount-stale") | .message' <<<"$output")
	[[ $message == *"process $(container_pid file) (dovecot)"*"/etc/dovecot/users"*"sees no change" ]]
	fix=$(jq -r '.[] | select(.code == "mount-stale") | .fix' <<<"$output")
	[[ $fix == "mount its folder $ROOM there"* ]]
}

# A vmail.conf inside for the file as it is mounted there.
conf_inside() { # NAME
	in_container "$1" sh -c 'mkdir -p /etc/vmail && printf "%s\n" \
		"passwd_file = /etc/dovecot/users" "scheme = SHA512-CRYPT" \
		"crypt_rounds = 1000" >/etc/vmail/vmail.conf'
}

@test "from inside: the mounted file is changed in place, and the host sees it" {
	container_start file /etc/dovecot/users "$P:/etc/dovecot/users"
	conf_inside file
	inode=$(stat -c %i "$P")
	run -0 in_container file vmailadm lock --settle "$MAILBOX"
	[[ $output == *"in place"*"itself a mount point"* ]]
	[ "$(stat -c %i "$P")" = "$inode" ]
	refused file "$MAILBOX" testtest
	run -1 told testtest auth "$MAILBOX"
	vmailadm -q map
	vmailadm -q unlock --settle "$MAILBOX"
	logs_in file "$MAILBOX" testtest
	unchanged
	run -0 in_container file sh -c 'ls -A /etc/dovecot'
	[[ $output != *.tmp* && $output != *.journal* ]]
}

@test "from inside: a file replaced on the host is refused, with the reason" {
	container_start file /etc/dovecot/users "$P:/etc/dovecot/users"
	conf_inside file
	cp -p "$P" "$P.new"
	mv "$P.new" "$P"
	run -1 in_container file vmailadm lock "$MAILBOX"
	[[ $output == *"replaced behind this mount"* ]]
	run -1 in_container file vmailadm --json check
	[[ $output == *mount-stale* ]]
	vmailadm -q map
	unchanged
}
