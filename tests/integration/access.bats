#!/usr/bin/env bats
# check and the Dovecots that run: each one's auth process is tried on the
# file, from where it stands, and who cannot read it is named with the mend.
# shellcheck disable=SC2034,SC2154

load cli_room
load ../e2e/container

setup_file() {
	bats_require_minimum_version 1.5.0
	export ROOTS=${ROOTS:-$VMAIL_BUILD/roots}
	load ../e2e/room
	room_cgroups
}

setup() {
	furnish
	dovecot_gid=$(sed -n 's/^dovecot:x:\([0-9]*\):.*/\1/p' \
		"$ROOTS/bookworm/etc/group")
	auth_service=
	passdb=
	userdb=$'driver = static\n args = uid=5000 gid=5000 home=/srv/%u'
}

teardown() {
	containers_stop
}

# Dovecot starts its auth process when somebody asks.
container_with_auth() { # NAME FILE MOUNT...
	container_start "$@"
	in_container "$1" doveadm auth test nobody@x.y wrong || true
}

auth_of() { # NAME
	pgrep --parent "$(container_pid "$1")" --exact auth
}

# The findings about access, as "SEVERITY CODE FILE".
access_findings() {
	vmailadm --json check 2>/dev/null | jq -r '.[] |
		select(.code | startswith("access-")) |
		"\(.severity) \(.code) \(.file)"'
}

# FIELD of the first finding with that code.
finding() { # CODE FIELD
	vmailadm --json check 2>/dev/null |
		jq -r --arg code "$1" --arg field "$2" \
			'[.[] | select(.code == $code)][0][$field] // ""'
}

give() { # GROUP
	sed -i "s/^reader_group.*/reader_group = $1/" "$ROOM/vmail.conf"
	chgrp "$1" "$P" "$ROOM/apppw" "$ROOM/deny"
}

@test "a container whose auth process cannot read the file is an error" {
	container_with_auth one /etc/vmail/passwd "$ROOM:/etc/vmail"
	refused one second@kuma8088.com testtest
	run -1 vmailadm check
	run -0 access_findings
	[ "$output" = "ERROR access-refused $P" ]
	run -0 finding access-refused message
	[[ $output == "Dovecot's auth process $(auth_of one) in container vmail-$$-one (uid "*", gid $dovecot_gid"* ]]
	[[ $output == *" cannot read it as /etc/vmail/passwd: "*"missing +r perm: /etc/vmail/passwd"*"owned by 0:0 mode=0640" ]]
	give "$dovecot_gid"
	run -0 access_findings
	[ -z "$output" ]
	logs_in one second@kuma8088.com testtest
}

@test "a file mounted alone under another name is tried there" {
	container_with_auth one /etc/dovecot/users "$P:/etc/dovecot/users"
	run -0 finding access-refused message
	[[ $output == *" cannot read it as /etc/dovecot/users: "* ]]
	give "$dovecot_gid"
	run -0 access_findings
	[ -z "$output" ]
}

@test "a folder inside that nobody else may enter is named" {
	give "$dovecot_gid"
	container_with_auth one /etc/vmail/passwd "$ROOM:/etc/vmail"
	run -0 access_findings
	[ -z "$output" ]
	chmod 0700 "$ROOM"
	run -0 finding access-refused message
	[[ $output == *"missing +x perm: /etc/vmail, dir owned by 0:0 mode=0700" ]]
	[ "$(finding access-refused fix)" = "vmailadm fixperms" ]
	chmod 0755 "$ROOM"
	run -0 access_findings
	[ -z "$output" ]
}

@test "the group that the mend names must be Dovecot's to give: then it reads" {
	give "$dovecot_gid"
	auth_service='user = mail'
	container_with_auth one /etc/vmail/passwd "$ROOM:/etc/vmail"
	run -0 finding access-refused fix
	[[ $output == "in its Dovecot: service auth { extra_groups = G }, G being a group there of number $dovecot_gid"* ]]
	auth_service=$'user = mail\n extra_groups = dovecot'
	container_with_auth two /etc/vmail/passwd "$ROOM:/etc/vmail"
	run -1 vmailadm --json check
	[[ $output != *vmail-$$-two* ]]
	logs_in two second@kuma8088.com testtest
}

@test "a Dovecot that does not name the file need not read it" {
	passdb='driver = pam'
	container_with_auth one /etc/vmail/passwd "$ROOM:/etc/vmail"
	auth_of one
	run -0 access_findings
	[ -z "$output" ]
}

@test "a Dovecot of which one cannot say is a warning" {
	passdb=$'driver = pam\n}\n!include_try [a-z].conf\npassdb {\n driver = pam'
	container_with_auth one /etc/vmail/passwd "$ROOM:/etc/vmail"
	auth_of one
	run -0 access_findings
	[ "$output" = "WARN access-refused $P" ]
	[[ $(finding access-refused message) == *"whether it must is unclear"* ]]
}

@test "apppw and deny are tried as the passwd-file is" {
	give "$dovecot_gid"
	passdb=$'driver = passwd-file\n args = /etc/vmail/deny\n deny = yes
		}\npassdb {\n driver = passwd-file\n args = /etc/vmail/passwd'
	container_with_auth one /etc/vmail/passwd "$ROOM:/etc/vmail"
	run -0 access_findings
	[ -z "$output" ]
	chgrp root "$ROOM/apppw" "$ROOM/deny"
	run -0 access_findings
	[ "$output" = "ERROR access-refused $ROOM/deny" ]
}

@test "each domain's file is tried, by the folder that the configuration names" {
	sed -i "s,^passwd_file.*,passwd_file = $ROOM/domains/%d/passwd," \
		"$ROOM/vmail.conf"
	mkdir "$ROOM/domains"
	told 'a Secret' useradd -q -M a@one.test
	told 'a Secret' useradd -q -M b@two.test
	container_with_auth one '/etc/vmail/domains/%Ld/passwd' \
		"$ROOM:/etc/vmail"
	run -0 access_findings
	[ "$(sort <<<"$output")" = "$(printf \
		"ERROR access-refused $ROOM/domains/%s\n" \
		{one,two}.test/{apppw,deny,passwd})" ]
}
