#!/usr/bin/env bats
# The packages in a container's image: with the host's folder mounted its users
# are known there, and nothing else is to be done.
# shellcheck disable=SC2154

load image

setup_file() {
	bats_require_minimum_version 1.5.0
	room_cgroups
	story_host "$BATS_FILE_TMPDIR/host"
	image_engine "$BATS_FILE_TMPDIR/engine"
	image_conf
	image_base debian
	image_build mail debian
}

teardown_file() {
	image_engine_stop
	story_stop
}

setup() {
	ETC=$ROOM_ROOT/etc/vmail:/etc/vmail:ro
	MAIL=$ROOM_ROOT/var/mail/vhosts:/var/mail/vhosts
	MAILBOX=user$BATS_TEST_NUMBER@example.test
	printf 'a Secret\n' | in_room vmailadm useradd "$MAILBOX"
}

teardown() {
	podman rm --force --all --time 0 >/dev/null
}

# A command in a container of its own.
once() { # IMAGE [OPTION... --] COMMAND...
	local image=$1 options=()
	shift
	while [[ $1 == -* ]]; do
		[ "$1" != -- ] || break
		options+=("$1" "$2")
		shift 2
	done
	[ "$1" != -- ] || shift
	podman run --cgroup-parent "$IMAGE_CGROUP" --rm --network none \
		${options[@]+"${options[@]}"} "$image" "$@" </dev/null
}

@test "the image has the modules, and no user, hash or setting of its own" {
	run -0 once mail find /etc/vmail -mindepth 1
	[ -z "$output" ]
	run -0 once mail grep -E '^(passwd|group):' /etc/nsswitch.conf
	[[ $output =~ passwd:\ +files\ vmail.*group:\ +files\ vmail ]]
	run -0 once mail getent passwd vmail
	[[ $output == vmail:x:5000:5000:* ]]
	run -0 once mail sh -c 'ls /etc/pam.d/vmail-*'
	run -2 once mail getent passwd "$MAILBOX"
}

@test "with the folder mounted NSS knows the host's users, for everybody" {
	run -0 once mail -v "$ETC" -u nobody -- getent passwd "$MAILBOX"
	[ "$output" = "$MAILBOX:*:5000:5000::/var/mail/vhosts/example.test/${MAILBOX%@*}:/usr/sbin/nologin" ]
	run ! once mail -v "$ETC" -u nobody -- cat /etc/vmail/passwd
}

@test "with the folder mounted PAM logs the host's users in, and sees changes" {
	image_start server mail -v "$ETC" -v "$MAIL"
	printf 'Subject: hello\r\n\r\nfrom the test\r\n' |
		podman exec --interactive server tee /tmp/message >/dev/null
	image_imap server "$MAILBOX" 'a Secret' INBOX -T /tmp/message
	run -0 image_imap server "$MAILBOX" 'a Secret' 'INBOX;MAILINDEX=1'
	[[ $output == *"from the test"* ]]
	run -67 image_imap server "$MAILBOX" 'a secret' '' -X NOOP
	printf 'another Secret\n' | in_room vmailadm passwd "$MAILBOX"
	image_imap server "$MAILBOX" 'another Secret' '' -X NOOP
	run -67 image_imap server "$MAILBOX" 'a Secret' '' -X NOOP
	in_room vmailadm lock "$MAILBOX"
	run -67 image_imap server "$MAILBOX" 'another Secret' '' -X NOOP
	# The mail is vmail's on the host too, and check has nothing to say of a
	# Dovecot that asks PAM.
	run -0 in_room stat -c %U:%G \
		"/var/mail/vhosts/example.test/${MAILBOX%@*}/Maildir"
	[ "$output" = vmail:vmail ]
	run -0 in_room vmailadm check
}

@test "without the folder nobody is let in, and the system's own users stay" {
	image_start server mail
	run -67 image_imap server "$MAILBOX" 'a Secret' '' -X NOOP
	podman exec server getent passwd root
}

@test "an image may call the owner of mail by another number" {
	image_build other debian --build-arg VMAIL_UID=1000
	run -0 once other -v "$ETC" -- getent passwd vmail "$MAILBOX"
	[[ $output == vmail:x:1000:1000:*"$MAILBOX:*:1000:1000:"* ]]
}
