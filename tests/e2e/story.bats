#!/usr/bin/env bats
# One host and its containers, from the first user to the worst mistake: mail
# belongs to vmail, which is 5000 on the host, 1000 in a container's image, and
# 100999 where that runs in a user namespace.
# shellcheck disable=SC2154

load story

setup_file() {
	bats_require_minimum_version 1.5.0
	room_cgroups
}

setup() {
	story_host "$BATS_TEST_TMPDIR/host"
	in_room vmailadm -q idmap add image --ids 1000:1000
	MAILBOX=anna@example.test
	HOME_OF=example.test/anna
}

teardown() {
	story_stop
}

# The user namespace of an engine that the host's user 1000 runs: root inside
# is that user, and 1000 inside is 100999.
rootless='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [
		{containerID: 0, hostID: 1000, size: 1},
		{containerID: 1, hostID: 100000, size: 65536}]
	| .linux.gidMappings = .linux.uidMappings'
rootless_map='u:0:1000:1 u:1:100000:65535 g:0:1000:1 g:1:100000:65535'

# The host's folders where a container can be given them.
share() { # FOLDER PLACE
	story_outside mkdir -p "$STORY_PLACE/$2"
	story_outside mount --bind "$ROOM_ROOT$1" "$STORY_PLACE/$2"
}

add_user() {
	printf 'a Secret\n' | in_room vmailadm --settle useradd "$1"
}

# As the host's command says it for a mount of FOLDER, conf or mail.
map_of() { # FOLDER
	in_room vmailadm idmap emit image --for mount |
		sed -n "s/^mount.*X-mount.idmap=\([^']*\)'.*$1\$/\1/p"
}

# Owner and group of FILE as `ls -l` shows them.
owner_shown() { # CONTAINER-OR-host FILE
	local line
	case $1 in
	host) line=$(in_room ls -ld "$2") ;;
	*) line=$(story_inside "$1" ls -ld "$2") ;;
	esac
	awk '{ print $3, $4 }' <<<"$line"
}

# Login over TLS, mail by LMTP, and it can be read.
mail_works() { # CONTAINER
	story_deliver "$1" "$MAILBOX" "for $1" || {
		story_inside "$1" cat /var/log/dovecot.log
		return 1
	}
	run -0 story_imap "$1" "$MAILBOX" 'a Secret' 'INBOX;MAILINDEX=1'
	[[ $output == *"Subject: for $1"*"by LMTP"* ]]
}

# Dovecot's auth process in a container, as the host numbers it.
auth_of() { # CONTAINER
	story_outside pgrep --parent "$(story_outside cat "$STORY_PLACE/$1/pid")" \
		--exact auth
}

# What check finds with that code, FIELD of the first.
finding() { # CODE FIELD
	in_room vmailadm --json check 2>/dev/null |
		jq -r --arg code "$1" --arg field "$2" \
			'[.[] | select(.code == $code)][0][$field] // ""'
}

never_world_readable() {
	run -0 in_room find /etc/vmail -name 'passwd*' ! -name '*.cdb' -perm /007
	[ -z "$output" ]
	run -0 in_room find /etc/vmail -name apppw -perm /007 -o -name deny \
		-perm /007
	[ -z "$output" ]
}

@test "one user, made on the host, has mail in a container where vmail is 1000" {
	story_idmapped "$(map_of conf)" "$ROOM_ROOT/etc/vmail" "$STORY_PLACE/etc"
	story_idmapped "$(map_of mail)" "$ROOM_ROOT/var/mail/vhosts" \
		"$STORY_PLACE/mail"
	story_guest image "$STORY_PLACE/etc" "$STORY_PLACE/mail"
	add_user "$MAILBOX"
	mail_works image
	# Its files are vmail's on both sides, and each has its own number for it.
	local mail=/var/mail/vhosts/$HOME_OF/Maildir
	[ "$(owner_shown host "$mail")" = "vmail vmail" ]
	[ "$(owner_shown image "$mail")" = "vmail vmail" ]
	[ "$(in_room stat -c %u:%g "$mail")" = 5000:5000 ]
	[ "$(story_inside image stat -c %u:%g "$mail")" = 1000:1000 ]
	# The mailbox is known on both sides.
	run -0 in_room getent passwd "$MAILBOX"
	[[ $output == "$MAILBOX:*:5000:5000:"* ]]
	run -0 story_inside image getent passwd "$MAILBOX"
	[[ $output == "$MAILBOX:*:1000:1000:"* ]]
	# A change is seen at the next login.
	printf 'another Secret\n' | in_room vmailadm --settle passwd "$MAILBOX"
	story_imap image "$MAILBOX" 'another Secret' '' -X NOOP
	run -67 story_imap image "$MAILBOX" 'a Secret' '' -X NOOP
	run -0 in_room vmailadm check
	never_world_readable
}

@test "the same in a user namespace, where inside 1000 is the host's 100999" {
	in_room install -d -m 0711 -o 100999 -g 100999 /var/mail/rootless
	share /etc/vmail etc
	share /var/mail/rootless mail
	story_idmapped "$rootless_map" "$ROOTS/bookworm" "$STORY_PLACE/image"
	add_user "$MAILBOX"
	story_guest rootless "$STORY_PLACE/etc" "$STORY_PLACE/mail" \
		"$rootless" "$STORY_PLACE/image"
	in_room vmailadm -q idmap add rootless \
		--from-pid "$(story_outside cat "$STORY_PLACE/rootless/pid")"
	in_room grep -q '^rootless vmail 1000:1000 0:1000:1,1:100000:65536' \
		/etc/vmail/views
	# It cannot read the file, and check says what mends that.
	run -67 story_imap rootless "$MAILBOX" 'a Secret' '' -X NOOP
	[ "$(story_outside ps -o uid= -p "$(auth_of rootless)")" -eq 100999 ]
	[ "$(finding access-refused severity)" = ERROR ]
	[[ $(finding access-refused message) == \
		*"process $(auth_of rootless) in container"*"uid 100999"* ]]
	run -0 finding access-refused fix
	[ "$output" = "setfacl -m u:100999:r /etc/vmail/passwd" ]
	in_room vmailadm --json check 2>/dev/null |
		jq -r --arg root "$ROOM_ROOT" \
			'.[].fix | sub(" /etc"; " \($root)/etc")' |
		story_outside bash -e
	run -0 in_room vmailadm check
	mail_works rootless
	local mail=$HOME_OF/Maildir
	[ "$(owner_shown host "/var/mail/rootless/$mail")" = \
		"vmail-rootless vmail-rootless" ]
	[ "$(owner_shown rootless "/var/mail/vhosts/$mail")" = "vmail vmail" ]
	# A change keeps the entry.
	printf 'another Secret\n' | in_room vmailadm --settle passwd "$MAILBOX"
	story_imap rootless "$MAILBOX" 'another Secret' '' -X NOOP
	run -0 in_room vmailadm check
	never_world_readable
}

@test "the field's failure: a file 0600 of 5000, an auth process that is 1000" {
	share /etc/vmail etc
	share /var/mail/vhosts mail
	add_user "$MAILBOX"
	in_room chown 5000:5000 /etc/vmail/passwd
	in_room chmod 0600 /etc/vmail/passwd
	story_guest image "$STORY_PLACE/etc" "$STORY_PLACE/mail"
	run -67 story_imap image "$MAILBOX" 'a Secret' '' -X NOOP
	run -1 --separate-stderr in_room vmailadm check
	run -0 finding access-refused message
	[[ $output == *"process $(auth_of image) in container vmail-"*"uid 1000, gid 1000"* ]]
	[[ $output == *"missing +r perm: /etc/vmail/passwd"*"owned by 5000:5000 mode=0600" ]]
	# What others could write is not believed at once: it is to be looked at.
	run -1 in_room vmailadm fixperms --view image --acl
	[[ $output == *"look through it, then run this again"* ]]
	in_room vmailadm fixperms --view image --acl
	run -0 in_room vmailadm check
	[ "$(in_room stat -c '%a %u' /etc/vmail/passwd)" = "640 0" ]
	never_world_readable
	story_imap image "$MAILBOX" 'a Secret' '' -X NOOP
}
