#!/usr/bin/env bats
# A real Dovecot under fire: it lets in and delivers to whom it should, while
# four writers change others. Two of them in one room: one reads the file
# itself, one asks the modules.
# cases: 2.3 2.4
# shellcheck disable=SC2154

load room

setup_file() {
	bats_require_minimum_version 1.5.0
	local suite=bookworm
	VERSION=${VMAIL_CASE:-2.3}
	export VERSION
	[ "$VERSION" = 2.3 ] || suite=trixie
	${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -o "$BATS_FILE_TMPDIR/asker" \
		"$VMAIL_SOURCE/tests/e2e/dovecot_asker.c"
	room_start "$suite" "$BATS_FILE_TMPDIR/room"
	in_room tee /usr/local/bin/asker <"$BATS_FILE_TMPDIR/asker" >/dev/null
	in_room chmod 755 /usr/local/bin/asker
	known_users
	dovecot_start file
	dovecot_start modules
}

teardown_file() {
	room_stop
}

# Whom nobody changes, before and behind those whom the writers do.
known_users() {
	printf '%s\n' 'scheme = SHA512-CRYPT' 'crypt_rounds = 1000' \
		'lock_wait = 60' |
		in_room tee -a /etc/vmail/vmail.conf >/dev/null
	printf 'right Secret\n' | in_room vmailadm -q useradd -M first@x.y
	in_room sh -c '
		hash=$(sed -n "s/^first@x.y:\([^:]*\):.*/\1/p" /etc/vmail/passwd)
		for w in 1 2 3 4; do
			echo "early$w@x.y:$hash::::::"
			for i in $(seq 12); do
				echo "going$w.$i@x.y:$hash::::::"
			done
		done >>/etc/vmail/passwd
		i=0
		while [ $i -lt 5000 ]; do
			echo "filler$i@x.y:$hash::::::"
			i=$((i + 1))
		done >>/etc/vmail/passwd'
	in_room vmailadm -q map
	printf 'right Secret\n' | in_room vmailadm -q useradd -M last@x.y
}

dovecot_start() { # STYLE
	{
		[ "$VERSION" = 2.3 ] || echo 'dovecot_config_version = 2.4.1
			dovecot_storage_version = 2.4.1'
		echo "base_dir = /run/dovecot-$1
			instance_name = $1
			protocols =
			ssl = no
			log_path = /var/log/dovecot-$1.log
			auth_verbose = yes
			auth_failure_delay = 0"
		in_room vmailadm config dovecot --dovecot "$VERSION" --style "$1"
	} | in_room tee "/etc/dovecot/$1.conf" >/dev/null
	in_room dovecot -F -c "/etc/dovecot/$1.conf" 3>&- </dev/null \
		>"$BATS_FILE_TMPDIR/$1.out" 2>&1 &
	wait_for "in_room test -S /run/dovecot-$1/auth-userdb" || {
		cat "$BATS_FILE_TMPDIR/$1.out"
		in_room cat "/var/log/dovecot-$1.log"
		return 1
	}
}

# One writer's changes, of each kind, in the room.
writer() { # NUMBER TURNS
	in_room env "FROM=$FROM" bash -e -c '
		for ((i = 1; i <= $2; i++)); do
			vmailadm -q useradd -M --generate "w$1.$i@x.y" >/dev/null
			vmailadm -q usermod -c "Somebody" "early$1@x.y"
			echo "another $i" | vmailadm -q passwd "early$1@x.y"
			vmailadm -q userdel "going$1.$((FROM + i))@x.y"
			vmailadm -q lock "w$1.$i@x.y"
			vmailadm -q usermod -c "" "early$1@x.y"
			vmailadm -q userdel "w$1.$i@x.y"
		done' writer "$@"
}

asker() { # NAME auth|user STYLE USER [PASSWORD]
	local name=$1 what=$2 socket=auth-client
	[ "$what" = auth ] || socket=auth-userdb
	in_room /usr/local/bin/asker "$what" "/run/dovecot-$3/$socket" /tmp/done "${@:4}" \
		>"$BATS_TEST_TMPDIR/$name"
}

# Asks both of them all the while.
under_fire() { # TURNS
	local style user w writers=() askers=() written=yes
	in_room rm -f /tmp/done
	for style in file modules; do
		for user in first last; do
			asker "$style-right-$user" auth $style $user@x.y \
				'right Secret' &
			askers+=($!)
		done
		asker $style-wrong-last auth $style last@x.y 'wrong Secret' &
		askers+=($!)
		asker $style-user-last user $style last@x.y &
		askers+=($!)
	done
	for w in 1 2 3 4; do
		writer $w "$1" 2>"$BATS_TEST_TMPDIR/said.$w" &
		writers+=($!)
	done
	all_succeeded "${writers[@]}" || written=no
	in_room touch /tmp/done
	all_succeeded "${askers[@]}"
	[ "$written" = yes ] || {
		cat "$BATS_TEST_TMPDIR"/said.*
		return 1
	}
}

# ok, refused and later, as the asker counted them.
counted() { # NAME
	read -r _ ok _ refused _ later \
		< <(paste -s "$BATS_TEST_TMPDIR/$1")
	echo "# $1: $ok right, $refused refused, $later later" >&3
}

# What PAM's "unavailable" is to Dovecot: as good as a wrong password. How often
# did the modules say so of that user?
unavailable() { # USER
	in_room grep -c "($1,.*cannot retrieve authentication info" \
		/var/log/dovecot-modules.log || true
}

# How often may Dovecot have refused whom it knows?
excused() { # NAME of who asked
	case $in_place:$1 in
	yes:modules-right-*) unavailable "${1##*-}@x.y" ;;
	*) echo 0 ;;
	esac
}

# Who is known gets in each time and nobody with another password; in place
# some may be told "unavailable", and who reads the file itself "later".
nobody_was_wrong() {
	local style name ok refused later good=yes
	for style in file modules; do
		for name in $style-{right-first,right-last,user-last}; do
			counted "$name"
			[ "$ok" -ge 50 ] || good=no
			[ "$refused" -le "$(excused "$name")" ] || good=no
			[ "$later" -eq 0 ] || [ "$in_place" = yes ] || good=no
		done
		counted $style-wrong-last
		[ "$ok" -eq 0 ] && [ "$refused" -ge 6 ] || good=no
	done
	run ! in_room grep 'User not known' /var/log/dovecot-modules.log
	[ "$good" = yes ]
}

@test "four writers by rename, 168 changes: Dovecot never refuses whom it knows" {
	in_place=no
	FROM=0 under_fire 6
	nobody_was_wrong
}

@test "four writers in place, 168 changes: at worst unavailable for a moment" {
	in_place=yes
	in_room mount --bind /etc/vmail/passwd /etc/vmail/passwd
	FROM=6 under_fire 6
	in_room umount -l /etc/vmail/passwd
	grep -q 'in place' "$BATS_TEST_TMPDIR/said.1"
	nobody_was_wrong
}
