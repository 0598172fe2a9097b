# Shared by pam*.bats: a folder of service files, a vmail.conf and a
# passwd-file of the test's own, and a host program that records what it sees.
# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120

: "${VMAIL_SOURCE:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${VMAIL_BUILD:=$VMAIL_SOURCE/build}"
MODULE=$VMAIL_BUILD/pam_vmail.so

# The password of all these is testtest.
FIELD=$(<"$VMAIL_SOURCE/tests/data/field-record")
FIELD_HASH=${FIELD#*:}
FIELD_HASH=${FIELD_HASH%%:*}
QUICK='{SHA512-CRYPT}$6$rounds=1000$saltsalt$mdR10CkPGGJE3qLQNpNviv/jsjykYIsZUT868FHkkoAQE1WUXaHWia76kid/8PupoPqLTAbOwdR0vQxTW1lvB0'

pam_build() {
	local bin=$BATS_FILE_TMPDIR src=$VMAIL_SOURCE/tests/integration
	local cc="${CC:-cc} -std=c11 -D_GNU_SOURCE -I$VMAIL_SOURCE -O1"

	$cc -rdynamic -Wl,--no-as-needed -o "$bin/pam_client" "$src/pam_client.c" \
		-lpam -lcrypt -lsodium -lpthread -ldl
	$cc -shared -fPIC -o "$bin/pam_setter.so" "$src/pam_setter.c" -lpam
	$cc -o "$bin/pam_tool" "$src/pam_tool.c" \
		"$VMAIL_BUILD/libvmail-admin.a" "$VMAIL_BUILD/libvmail-core.a" \
		-lcrypt -lsodium
}

# A room with one service, `mail`, and the users jo and ann at example.org.
pam_room() {
	CLIENT=$BATS_FILE_TMPDIR/pam_client
	SETTER=$BATS_FILE_TMPDIR/pam_setter.so
	TOOL=$BATS_FILE_TMPDIR/pam_tool
	T=$BATS_TEST_TMPDIR
	ETC=$T/etc
	mkdir "$T/pam.d" "$ETC"
	chmod 755 "$T/pam.d" "$ETC"
	echo "auth required pam_deny.so" >"$T/pam.d/other"
	conf
	service "conf=$ETC/vmail.conf"
	users "jo@example.org:$QUICK:::::" "ann@example.org:$QUICK:::::"
	: >"$T/log"
}

conf() { # [LINE...]: vmail.conf; hashes of new passwords are cheap ones
	printf '%s\n' "passwd_file = $ETC/passwd" "home = $T/mail/%d/%n" \
		'scheme = SHA512-CRYPT' 'crypt_rounds = 1000' "$@" \
		>"$ETC/vmail.conf"
	chmod 644 "$ETC/vmail.conf"
}

service() { # [ARGUMENT...]: all four facilities through the module
	local f
	for f in auth account password session; do
		echo "$f required $MODULE $*"
	done >"$T/pam.d/mail"
}

# What a process without rights must reach, wherever this tree lies.
open_to_all() {
	chmod 755 "$T" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	chmod 644 "$T/answers"
	chmod 666 "$T/log"
	cp "$MODULE" "$T/pam_vmail.so"
	MODULE=$T/pam_vmail.so service "conf=$ETC/vmail.conf"
}

users() { # LINE...: the passwd-file
	printf '%s\n' "$@" >"$ETC/passwd"
	chmod 640 "$ETC/passwd"
}

answers() { # LINE...: what the conversation says
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@"
	fi >"$T/answers"
}

client() { # OPTION... USER STEP...
	local options=()
	while [[ $1 == -?* ]]; do
		options+=("$1")
		if [[ $1 == -[rup] ]]; then
			options+=("$2")
			shift
		fi
		shift
	done
	run "$CLIENT" -c "$T/pam.d" -a "$T/answers" -l "$T/log" \
		"${options[@]}" mail "$@"
	if [ "$status" -ne 0 ]; then
		echo "$output"
		return 1
	fi
}

login() { # USER PASSWORD [OPTION...]
	local user=$1 password=$2
	shift 2
	answers "$password"
	client "$@" "$user" authenticate
}

# The line of a step, and a word of it: `says authenticate PAM_SUCCESS`.
says() {
	local line
	for line in "${lines[@]}"; do
		if [[ $line == "$1 "* ]]; then
			[[ " $line " == *" $2 "* ]] && return
		fi
	done
	printf 'wanted "%s %s" in:\n%s\nlog:\n%s\n' "$1" "$2" "$output" \
		"$(cat "$T/log")"
	return 1
}

logged() { grep -qF -- "$1" "$T/log" || { cat "$T/log"; return 1; }; }

# A bare `!` would not end a test.
never_logged() { # TEXT...
	local text
	for text in "$@"; do
		if grep -F -- "$text" "$T/log"; then
			return 1
		fi
	done
}
