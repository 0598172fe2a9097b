# Shared by cli*.bats and bad_input.bats: a vmail.conf, a views file and a
# passwd-file of the test's own, and the command on them. The owner's number
# stands in views: no account of the machine is needed, or made.
# shellcheck shell=bash disable=SC2034

: "${VMAIL_SOURCE:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${VMAIL_BUILD:=$VMAIL_SOURCE/build}"

# The password is testtest.
FIELD=$(<"$VMAIL_SOURCE/tests/data/field-record")
FIELD_USER=test@kuma8088.com
SALTED='{SHA512-CRYPT}$6$rounds=1000$saltsalt$'
QUICK=${SALTED}'mdR10CkPGGJE3qLQNpNviv/jsjykYIsZUT868FHkkoAQE1WUXaHWia76kid/8PupoPqLTAbOwdR0vQxTW1lvB0'

# A folder that only root writes, with a fresh passwd-file of two users.
furnish() {
	umask 022
	ROOM=$BATS_TEST_TMPDIR/room
	P=$ROOM/passwd
	mkdir "$ROOM" "$ROOM/mail"
	{
		echo "passwd_file = $P"
		echo "home = $ROOM/mail/%d/%n"
		echo 'scheme = SHA512-CRYPT'
		echo 'crypt_rounds = 1000'
		echo 'reader_group = root'
		echo 'lock_wait = 60'
	} >"$ROOM/vmail.conf"
	echo 'host vmail 5000:5000 -' >"$ROOM/views"
	: >"$BATS_TEST_TMPDIR/empty"
	vmailadm init >"$BATS_TEST_TMPDIR/init"
	{
		echo "$FIELD"
		echo "second@kuma8088.com:$QUICK::::$ROOM/mail/second::"
	} >>"$P"
	vmailadm -q map
	cp -p "$P" "$BATS_TEST_TMPDIR/before"
}

vmailadm() {
	"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" "$@"
}

# The same with that text on its standard input.
told() {
	local text=$1
	shift
	printf '%s\n' "$text" | vmailadm "$@"
}

# One more line in the file, and everything derived anew.
line() {
	printf '%s\n' "$1" >>"$P"
	vmailadm -q map
	cp -p "$P" "$BATS_TEST_TMPDIR/before"
}

unchanged() {
	cmp "$BATS_TEST_TMPDIR/before" "$P"
}

# What a commit, or a killed one, may leave.
no_leftovers() {
	local left
	left=$(find "$ROOM" -name '*.tmp' -o -name '*.journal')
	[ -z "$left" ] || {
		echo "left behind: $left"
		return 1
	}
}

# The codes of what check finds, with their lines: "code:line", sorted.
findings() {
	vmailadm --json check 2>/dev/null |
		jq -r '.[] | "\(.severity) \(.code):\(.line // "")"' | sort
}

# NSS reads /etc/vmail: the room, in an /etc of the test's own, and open to who
# may read nothing else.
etc_vmail() {
	local rw=$BATS_TEST_TMPDIR/etc
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	mkdir "$rw"
	mount -t tmpfs -o mode=0755 etc "$rw"
	mkdir "$rw/upper" "$rw/work"
	mount -t overlay -o "lowerdir=/etc,upperdir=$rw/upper,workdir=$rw/work" \
		etc /etc
	rm -rf /etc/vmail
	mkdir /etc/vmail
	mount --bind "$ROOM" /etc/vmail
}

etc_back() {
	! mountpoint -q /etc/vmail || umount /etc/vmail
	! mountpoint -q "$BATS_TEST_TMPDIR/etc" ||
		umount /etc "$BATS_TEST_TMPDIR/etc"
}

# An editor that does what its text says, to the file $1.
editor() {
	printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/editor"
	chmod 755 "$BATS_TEST_TMPDIR/editor"
	export VISUAL=$BATS_TEST_TMPDIR/editor
	export TMPDIR=$BATS_TEST_TMPDIR/copies
	mkdir -p "$TMPDIR"
}
