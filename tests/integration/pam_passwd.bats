# Changing a password: chauthtok, both passes.

load pam_room

setup_file() { pam_build; }
setup() { pam_room; }

# A process that is not root's, as a set-user-ID passwd(1) is.
chauthtok() { # USER [STEP...]
	local user=$1
	shift
	client -u 65534 "$user" chauthtok "$@"
}

untouched() {
	cmp "$ETC/passwd" "$T/before" &&
		[ "$(stat -c %i "$ETC/passwd")" = "$(cat "$T/inode")" ]
}

remember() {
	cp "$ETC/passwd" "$T/before"
	stat -c %i "$ETC/passwd" >"$T/inode"
}

@test "the record from the field is changed and every other byte stays" {
	{
		printf '# written by hand\n\nann@example.org:%s::\n' "$QUICK"
		printf '%s\n' "$FIELD"
		printf 'odd line without colons\r\nlast@example.org:x'
	} >"$ETC/passwd"
	remember
	answers testtest 'new pass: word' 'new pass: word'
	chauthtok test@kuma8088.com
	says chauthtok PAM_SUCCESS
	says chauthtok asked=3
	login test@kuma8088.com 'new pass: word'
	says authenticate PAM_SUCCESS
	login test@kuma8088.com testtest
	says authenticate PAM_AUTH_ERR
	new=$(sed -n 's/^test@kuma8088.com:\([^:]*\):.*/\1/p' "$ETC/passwd")
	[[ $new == '{SHA512-CRYPT}$6$rounds=1000$'* ]]
	new="$new" old="$FIELD_HASH" perl -pe 's/\Q$ENV{new}\E/$ENV{old}/' \
		"$ETC/passwd" >"$T/put-back"
	cmp "$T/put-back" "$T/before"
	[ "$(stat -c %a "$ETC/passwd")" = 640 ]
}

@test "a process of root is not asked for the old password" {
	answers newpassword newpassword
	client jo@example.org chauthtok
	says chauthtok PAM_SUCCESS
	says chauthtok asked=2
	login jo@example.org newpassword
	says authenticate PAM_SUCCESS
}

@test "root may give a password to a line that has none, and only that changes" {
	for line in 'jo@example.org' 'jo@example.org:' 'jo@example.org:*:::::' \
		$'jo@example.org\r' 'jo@example.org::5000:5000'; do
		printf '%s\nann@example.org:x:::::\n' "$line" >"$ETC/passwd"
		answers newpassword newpassword
		client jo@example.org chauthtok
		says chauthtok PAM_SUCCESS
		login jo@example.org newpassword
		says authenticate PAM_SUCCESS
		[ "$(tail -n 1 "$ETC/passwd")" = 'ann@example.org:x:::::' ]
	done
	grep -q '^jo@example.org:{SHA512-CRYPT}[^:]*:5000:5000$' "$ETC/passwd"
}

@test "a wrong old password is AUTH_ERR, delayed, and nothing is asked or changed" {
	remember
	answers wrong newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_AUTH_ERR
	says chauthtok asked=1
	says chauthtok hashes=1
	says chauthtok delay=yes
	untouched
	for old in '' "$(printf 'x%.0s' {1..1100})"; do
		answers "$old" newpassword newpassword
		chauthtok jo@example.org
		says chauthtok PAM_AUTH_ERR
		untouched
	done
}

@test "the first pass changes nothing" {
	remember
	answers testtest
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_ERR
	untouched
	run ls -A "$ETC"
	[[ $output != *.tmp* ]]
}

@test "without an answer nothing is changed" {
	remember
	answers @fail
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_RECOVERY_ERR
	answers @none
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_RECOVERY_ERR
	answers testtest @none
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_ERR
	answers testtest newpassword @none
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_ERR
	answers testtest newpassword newpasswort
	chauthtok jo@example.org
	says chauthtok PAM_TRY_AGAIN
	untouched
}

@test "an unknown user is USER_UNKNOWN after the old password was asked for" {
	answers testtest
	chauthtok no@example.org
	says chauthtok PAM_USER_UNKNOWN
	says chauthtok asked=1
	says chauthtok hashes=1
}

@test "who may not log in may not change the password, root's process neither" {
	for extra in fail=vmail nologin allow_nets=127.0.0.1 \
		vmail_services:remove=imap vmail_change:remove=1; do
		users "jo@example.org:$QUICK::::::$extra"
		remember
		answers testtest newpassword newpassword
		chauthtok jo@example.org
		says chauthtok PAM_PERM_DENIED
		says chauthtok hashes=1
		answers newpassword newpassword
		client jo@example.org chauthtok
		says chauthtok PAM_PERM_DENIED
		says chauthtok asked=0
		logged "${extra%%[=:]*}"
		untouched
	done
	users "root:$QUICK:::::"
	answers newpassword newpassword
	client root chauthtok
	says chauthtok PAM_PERM_DENIED
}

@test "a user locked between the two passes keeps the password" {
	answers testtest \
		"@run=sed -i '/^jo@/s/\$/:fail=vmail/' $ETC/passwd" \
		newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_PERM_DENIED
	grep -qF "jo@example.org:$QUICK::::::fail=vmail" "$ETC/passwd"
}

@test "the old password is verified again in the second pass" {
	answers testtest newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_SUCCESS
	# First pass, second pass, and the new one.
	says chauthtok hashes=3
}

@test "a password that somebody else changed meanwhile is not overwritten" {
	answers testtest \
		"@run=sed -i 's/^jo@example.org:[^:]*/jo@example.org:{PLAIN}theirs-now/' $ETC/passwd" \
		newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_LOCK_BUSY
	login jo@example.org theirs-now
	says authenticate PAM_SUCCESS
}

@test "a lock that stays taken is AUTHTOK_LOCK_BUSY, in either pass" {
	remember
	coproc HOLD { exec "$TOOL" hold "$ETC/vmail.conf" 3>&-; }
	# Bash forgets these when the process ends.
	holder=$HOLD_PID end=${HOLD[1]}
	read -r _ <&"${HOLD[0]}"
	answers testtest newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_LOCK_BUSY
	says chauthtok asked=1
	eval "exec $end>&-"
	wait "$holder"
	untouched

	mkfifo "$T/go" "$T/held"
	answers testtest newpassword \
		"@run='$TOOL' hold '$ETC/vmail.conf' <'$T/go' >'$T/held' 2>/dev/null 3>&- 7>&- & read -r _ <'$T/held'" \
		newpassword
	exec 7<>"$T/go"
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_LOCK_BUSY
	says chauthtok asked=3
	exec 7>&-
	untouched
}

@test "a new password that is too short is refused before it is typed again" {
	conf 'min_password_length = 12'
	remember
	answers testtest elevenchars elevenchars
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_ERR
	says chauthtok asked=2
	[[ $output == *"says: Password refused: "*short* ]]
	untouched
	answers testtest elevenchars elevenchars
	client -u 65534 jo@example.org chauthtok:silent
	says chauthtok:silent PAM_AUTHTOK_ERR
	[[ $output != *refused* ]]
	answers testtest twelvechars. twelvechars.
	chauthtok jo@example.org
	says chauthtok PAM_SUCCESS
}

@test "a new password that the scheme cannot keep is refused with the reason" {
	long=$(printf 'x%.0s' {1..600})
	remember
	for new in "$long" 'with a\nline feed' "$long$long"; do
		answers testtest "$new" "$new"
		chauthtok jo@example.org
		says chauthtok PAM_AUTHTOK_ERR
		[[ $output == *"says: Password refused: "* ]]
	done
	untouched
}

@test "use_authtok takes the new password of the module in front, or fails" {
	printf 'password %s\n' "required $SETTER from-the-front" \
		"required $MODULE conf=$ETC/vmail.conf use_authtok" \
		>"$T/pam.d/mail"
	echo "auth required $MODULE conf=$ETC/vmail.conf" >>"$T/pam.d/mail"
	answers testtest
	chauthtok jo@example.org
	says chauthtok PAM_SUCCESS
	says chauthtok asked=1
	login jo@example.org from-the-front
	says authenticate PAM_SUCCESS
	service "conf=$ETC/vmail.conf" use_authtok
	remember
	answers from-the-front newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_ERR
	untouched
}

@test "the rules for a new password bind the module in front too" {
	printf 'password %s\n' "required $SETTER short" \
		"required $MODULE conf=$ETC/vmail.conf use_authtok" \
		>"$T/pam.d/mail"
	remember
	answers testtest
	chauthtok jo@example.org
	says chauthtok PAM_AUTHTOK_ERR
	untouched
}

@test "when only expired passwords are to change, none is asked for or changed" {
	remember
	answers
	for real in 0 65534; do
		client -u "$real" jo@example.org chauthtok:expired
		says chauthtok:expired PAM_SUCCESS
		says chauthtok:expired asked=0
		untouched
	done
	client no@example.org chauthtok:expired
	says chauthtok:expired PAM_USER_UNKNOWN
	users "jo@example.org:$QUICK::::::vmail_change:remove=1"
	client jo@example.org chauthtok:expired
	says chauthtok:expired PAM_PERM_DENIED
}

@test "a file that is missing or not trusted is AUTHINFO_UNAVAIL, and nothing is left behind" {
	chmod 666 "$ETC/passwd"
	answers testtest newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_AUTHINFO_UNAVAIL
	rm "$ETC/passwd"
	chauthtok jo@example.org
	says chauthtok PAM_AUTHINFO_UNAVAIL
	[ ! -e "$ETC/passwd" ]
	run find "$ETC" -name '*.tmp'
	[ -z "$output" ]
}

@test "a file system that is read-only refuses in the first pass" {
	answers testtest newpassword newpassword
	run unshare -m --propagation private sh -ec '
		mount --bind "$1" "$1"
		mount -o remount,bind,ro "$1"
		shift
		exec "$@"' sh "$ETC" "$CLIENT" -c "$T/pam.d" -a "$T/answers" \
		-l "$T/log" -u 65534 mail jo@example.org chauthtok authenticate
	says chauthtok PAM_AUTHTOK_ERR
	says chauthtok asked=1
	logged 'cannot be changed'
}

@test "an unprivileged process cannot change anything" {
	chmod 644 "$ETC/passwd"
	answers testtest newpassword newpassword
	open_to_all
	remember
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$CLIENT" \
		-c "$T/pam.d" -a "$T/answers" -l "$T/log" mail \
		jo@example.org chauthtok
	says chauthtok PAM_PERM_DENIED
	says chauthtok asked=1
	untouched
}

@test "the map answers for the changed file" {
	"$TOOL" map "$ETC/vmail.conf"
	answers testtest newpassword newpassword
	chauthtok jo@example.org
	says chauthtok PAM_SUCCESS
	for user in jo@example.org ann@example.org; do
		grep -q "$user" "$ETC/passwd.cdb"
	done
	login jo@example.org newpassword
	says authenticate PAM_SUCCESS
	login ann@example.org testtest
	says authenticate PAM_SUCCESS
}
