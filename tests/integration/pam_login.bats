# Logging in: authenticate, setcred, acct_mgmt.

load pam_room

setup_file() { pam_build; }
setup() { pam_room; }

@test "the record from the field lets testtest in and test1234 not" {
	users "$FIELD"
	login test@kuma8088.com testtest
	says authenticate PAM_SUCCESS
	login test@kuma8088.com test1234
	says authenticate PAM_AUTH_ERR
}

@test "a right login passes all steps on one handle, twice" {
	answers testtest testtest
	client jo@example.org authenticate setcred acct_mgmt open_session \
		close_session authenticate acct_mgmt
	for step in setcred acct_mgmt open_session close_session; do
		says "$step" PAM_SUCCESS
	done
	[ "$(grep -c '^authenticate PAM_SUCCESS asked=1 hashes=1' \
		<<<"$output")" -eq 2 ]
}

@test "a change is seen by the very next login on the same handle" {
	answers testtest \
		"@run=sed -i 's/^jo@/joe@/' $ETC/passwd" testtest
	client jo@example.org authenticate authenticate
	[[ ${lines[0]} == "authenticate PAM_SUCCESS"* ]]
	[[ ${lines[1]} == "authenticate PAM_USER_UNKNOWN"* ]]
}

@test "the login is lower-cased and PAM_USER becomes the record's name" {
	login Jo@EXAMPLE.org testtest
	says authenticate PAM_SUCCESS
	says authenticate user=jo@example.org
	login Jo@EXAMPLE.org wrong
	says authenticate user=Jo@EXAMPLE.org
}

@test "default_domain is put behind a login without one, and PAM_USER has it" {
	conf 'default_domain = example.org'
	login JO testtest
	says authenticate PAM_SUCCESS
	says authenticate user=jo@example.org
}

@test "the user's name is asked for where the program gives none" {
	answers testtest
	client -p jo@example.org - authenticate
	says authenticate PAM_SUCCESS
	says authenticate asked=2
}

@test "every failing login computes exactly one hash and asks for one password" {
	long=$(printf 'x%.0s' {1..600})
	huge=$(printf 'x%.0s' {1..1100})
	users "jo@example.org:$QUICK:::::" "locked@example.org:$QUICK::::::fail" \
		"star@example.org:{CRYPT}*:::::" "none@example.org" \
		"odd@example.org:{ROT13}x:::::" "root:$QUICK:::::"
	for user in jo@example.org nobody@example.org locked@example.org \
		star@example.org none@example.org odd@example.org root daemon \
		'a:b' $'a\tb' '' "$huge"; do
		for password in wrong '' "$long" "$huge" 'a\nb'; do
			login "$user" "$password"
			[[ $output != *PAM_SUCCESS* ]]
			says authenticate asked=1
			says authenticate hashes=1
		done
	done
	# The right password of who is refused costs the same.
	login locked@example.org testtest
	says authenticate PAM_AUTH_ERR
	says authenticate hashes=1
}

@test "empty, starred, shadow-locked, name-only and unknown fields never match" {
	for stored in '' '!' '*' 'x' "!$QUICK" '{CRYPT}*' '{CRYPT}' '{PLAIN}' \
		'{ROT13}testtest' '{SHA512-CRYPT}' '{SHA512-CRYPT}testtest' \
		'{CRYPT' '{}testtest' '{CRYPT}testtest' '{CRYPT}!'; do
		users "jo@example.org:$stored:::::"
		for password in '' testtest '*' '!' x "$stored"; do
			login jo@example.org "$password"
			says authenticate PAM_AUTH_ERR
		done
	done
	users "jo@example.org"
	login jo@example.org ''
	says authenticate PAM_AUTH_ERR
}

@test "an empty or over-long password is nobody's, not even that of a short one" {
	users "jo@example.org:{PLAIN}-:::::"
	login jo@example.org -
	says authenticate PAM_SUCCESS
	for password in '' "$(printf -- '-%.0s' {1..1100})" '-\n'; do
		login jo@example.org "$password"
		says authenticate PAM_AUTH_ERR
	done
}

@test "an unknown user is USER_UNKNOWN, whatever the name" {
	for user in no@example.org 'jo@example.org:' 'jo@example.or' '' '@' \
		'#jo' '../jo' "$(printf 'x%.0s' {1..300})" $'jo@example.org\n'; do
		login "$user" testtest
		says authenticate PAM_USER_UNKNOWN
	done
}

@test "what this version cannot judge is refused, logged with its key, and verified all the same" {
	for extra in fail fail=no nologin allow_nets=127.0.0.1 \
		vmail_services:remove=imap 'vmail_lock:remove=services=imap' \
		vmail_foo 'userdb_quota_rule=*:storage=1G fail' \
		'fail=vmail,reason=out'; do
		: >"$T/log"
		users "jo@example.org:$QUICK::::::$extra"
		login jo@example.org testtest
		says authenticate PAM_AUTH_ERR
		says authenticate hashes=1
		key=${extra##* }
		logged "${key%%[=:]*}"
		logged user=jo@example.org
		answers
		client jo@example.org acct_mgmt
		says acct_mgmt PAM_PERM_DENIED
	done
	users "jo@example.org:$QUICK::::::userdb_quota_rule=*:storage=1G"
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
}

@test "a name without a domain that is the system's is refused with the right password" {
	users "root:$QUICK:::::" "daemon:$QUICK:::::" "local:$QUICK:::::"
	for user in root daemon ROOT; do
		login "$user" testtest
		says authenticate PAM_AUTH_ERR
		says authenticate hashes=1
		answers
		client "$user" acct_mgmt
		says acct_mgmt PAM_PERM_DENIED
	done
	login local testtest
	says authenticate PAM_SUCCESS
}

@test "a file that is missing, empty, not trusted or no file is AUTHINFO_UNAVAIL, never unknown user" {
	check_unavailable() {
		login "$1" testtest
		says authenticate PAM_AUTHINFO_UNAVAIL
		answers
		client "$1" acct_mgmt
		says acct_mgmt PAM_AUTHINFO_UNAVAIL
		logged "$ETC"
		: >"$T/log"
	}
	mv "$ETC/passwd" "$ETC/kept"
	check_unavailable jo@example.org
	check_unavailable no@example.org
	: >"$ETC/passwd"
	check_unavailable jo@example.org
	rm "$ETC/passwd"
	ln -s kept "$ETC/passwd"
	check_unavailable jo@example.org
	rm "$ETC/passwd"
	mkdir "$ETC/passwd"
	check_unavailable jo@example.org
	rmdir "$ETC/passwd"
	mkfifo -m 600 "$ETC/passwd"
	check_unavailable jo@example.org
	rm "$ETC/passwd"
	mv "$ETC/kept" "$ETC/passwd"
	chmod 666 "$ETC/passwd"
	check_unavailable jo@example.org
	chmod 660 "$ETC/passwd"
	check_unavailable jo@example.org
	chmod 640 "$ETC/passwd"
	chown 65534 "$ETC/passwd"
	check_unavailable jo@example.org
	chown 0 "$ETC/passwd"
	chmod 777 "$ETC"
	check_unavailable jo@example.org
	chmod 755 "$ETC"
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
}

@test "a process that may not read the file is told AUTHINFO_UNAVAIL, and no user's name is logged" {
	answers testtest
	open_to_all
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$CLIENT" \
		-c "$T/pam.d" -a "$T/answers" -l "$T/log" mail \
		jo@example.org authenticate acct_mgmt
	says authenticate PAM_AUTHINFO_UNAVAIL
	says acct_mgmt PAM_AUTHINFO_UNAVAIL
	logged "$ETC"
	never_logged jo@
}

@test "a malformed line hides nobody" {
	{
		printf 'bad\0line@example.org:x\n'
		head -c 1000000 /dev/zero | tr '\0' y
		printf '\njo@example.org:%s:0:0:::\n' "$QUICK"
		printf 'jo@example.org:%s:::::\n' "$QUICK"
	} >"$ETC/passwd"
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
}

@test "the first of two records of a name is the one" {
	users "jo@example.org:{CRYPT}*:::::" "jo@example.org:$QUICK:::::"
	login jo@example.org testtest
	says authenticate PAM_AUTH_ERR
}

@test "a map is used, and a stale one is not believed" {
	"$TOOL" map "$ETC/vmail.conf"
	login ann@example.org testtest
	says authenticate PAM_SUCCESS
	# New users, old users at another place, and one who is gone.
	users "new@example.org:$QUICK:::::" "longer@example.org:$QUICK:::::" \
		"ann@example.org:{PLAIN}fresh-one:::::"
	login ann@example.org testtest
	says authenticate PAM_AUTH_ERR
	login ann@example.org fresh-one
	says authenticate PAM_SUCCESS
	login new@example.org testtest
	says authenticate PAM_SUCCESS
	login jo@example.org testtest
	says authenticate PAM_USER_UNKNOWN
}

@test "a login on a kept handle asks the kernel 19 things, and reads no more than it needs" {
	local more=({1..20})
	users "jo@example.org:$QUICK:::::" "ann@example.org:$QUICK:::::" \
		"${more[@]/%/@example.org:$QUICK:::::}"
	"$TOOL" map "$ETC/vmail.conf"
	answers testtest testtest
	strace -qq -y -o "$T/calls" "$CLIENT" -c "$T/pam.d" -a "$T/answers" \
		-l "$T/log" mail ann@example.org authenticate authenticate
	sed -i -n "\\|$ETC|p" "$T/calls"
	[ "$(grep -c vmail.conf "$T/calls")" -eq 8 ]
	[ "$(wc -l <"$T/calls")" -eq 38 ]
	run ! grep -E 'pread64\(.*/passwd>.* [0-9]{5,}, [0-9]+\)' "$T/calls"
}

@test "a damaged map does no harm" {
	"$TOOL" map "$ETC/vmail.conf"
	dd if=/dev/urandom of="$ETC/passwd.cdb" bs=512 seek=8 count=4 \
		conv=notrunc status=none
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
	truncate -s 3000 "$ETC/passwd.cdb"
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
}

@test "an unknown user costs what the map says that users cost" {
	users "jo@example.org:{PLAIN}secret-one:::::"
	"$TOOL" map "$ETC/vmail.conf"
	login no@example.org testtest
	says authenticate PAM_USER_UNKNOWN
	says authenticate hashes=0
	users "jo@example.org:$QUICK:::::"
	"$TOOL" map "$ETC/vmail.conf"
	login no@example.org testtest
	says authenticate hashes=1
}

@test "a failure asks for a delay unless nodelay, a success never" {
	login jo@example.org wrong
	says authenticate delay=yes
	login no@example.org wrong
	says authenticate delay=yes
	login jo@example.org testtest
	says authenticate delay=no
	service "conf=$ETC/vmail.conf" nodelay
	login jo@example.org wrong
	says authenticate PAM_AUTH_ERR
	says authenticate delay=no
}

@test "without an answer in the conversation nobody gets in" {
	for answer in @none @fail; do
		login jo@example.org "$answer"
		says authenticate PAM_AUTH_ERR
	done
	answers
	client jo@example.org authenticate
	says authenticate PAM_AUTH_ERR
	client - authenticate
	says authenticate PAM_CONV_ERR
}

@test "use_first_pass takes the password of the module in front and never asks" {
	with_setter() { # PASSWORD ARGUMENT
		printf 'auth %s\n' "optional $SETTER $1" \
			"required $MODULE conf=$ETC/vmail.conf $2" \
			>"$T/pam.d/mail"
	}
	answers testtest
	with_setter testtest use_first_pass
	client jo@example.org authenticate
	says authenticate PAM_SUCCESS
	says authenticate asked=0
	with_setter wrong use_first_pass
	client jo@example.org authenticate
	says authenticate PAM_AUTH_ERR
	says authenticate asked=0
	with_setter testtest try_first_pass
	client jo@example.org authenticate
	says authenticate PAM_SUCCESS
	says authenticate asked=0
	service "conf=$ETC/vmail.conf" use_first_pass
	client jo@example.org authenticate
	says authenticate PAM_AUTH_ERR
	says authenticate asked=0
	service "conf=$ETC/vmail.conf" try_first_pass
	client jo@example.org authenticate
	says authenticate PAM_SUCCESS
	says authenticate asked=1
}

@test "acct_mgmt asks nothing and knows users, unknown users and locked ones" {
	users "jo@example.org:$QUICK:::::" "lock@example.org:$QUICK::::::fail=vmail"
	answers
	client jo@example.org acct_mgmt user=lock@example.org acct_mgmt \
		user=no@example.org acct_mgmt
	[[ ${lines[0]} == "acct_mgmt PAM_SUCCESS asked=0 hashes=0"* ]]
	[[ ${lines[1]} == "acct_mgmt PAM_PERM_DENIED asked=0 hashes=0"* ]]
	[[ ${lines[2]} == "acct_mgmt PAM_USER_UNKNOWN asked=0 hashes=0"* ]]
}

@test "no password, hash, unknown name or control byte is ever logged" {
	service "conf=$ETC/vmail.conf" debug
	users "jo@example.org:$QUICK:::::" "lock@example.org:$QUICK::::::fail"
	login jo@example.org 'hunter-of-secrets' -r $'evil\033[2J\nhost'
	login hunter-of-secrets x -r $'evil\033[2J\nhost'
	login lock@example.org testtest
	login lock@example.org 'hunter-of-secrets'
	login jo@example.org testtest
	answers
	client hunter-of-secrets acct_mgmt open_session chauthtok
	answers testtest hunter-of-secrets hunter-of-secrets
	client -u 65534 jo@example.org chauthtok
	says chauthtok PAM_SUCCESS
	logged 'wrong password: user=jo@example.org rhost=evil\x1b[2J\x0ahost'
	logged 'unknown user: rhost=evil\x1b[2J\x0ahost'
	logged 'password changed: user=jo@example.org'
	never_logged hunter-of-secrets testtest rounds= '$6$'
	run env LC_ALL=C grep -n -e '[^[:print:]]' "$T/log"
	[ "$status" -eq 1 ]
}

@test "umask, environment, signals, locale, folder and descriptors stay as they were" {
	users "jo@example.org:$QUICK:::::" "lock@example.org:$QUICK::::::fail"
	printf 'host vmail 5000:5000 -\n' >"$ETC/views"
	service "conf=$ETC/vmail.conf" mkhome
	"$TOOL" map "$ETC/vmail.conf"
	answers testtest wrong x x testtest newpassword newpassword shortpw
	client -u 65534 jo@example.org authenticate authenticate \
		setcred acct_mgmt user=no@example.org authenticate \
		user=lock@example.org authenticate user=jo@example.org \
		chauthtok chauthtok open_session close_session
	says chauthtok PAM_SUCCESS
	says open_session PAM_SUCCESS
	[[ $output != *"host changed"* ]] || { echo "$output"; false; }
}

@test "two threads with a handle each do not disturb one another" {
	users "jo@example.org:$QUICK:::::"
	answers testtest wrong testtest '' testtest
	client -2 jo@example.org authenticate authenticate authenticate \
		authenticate authenticate acct_mgmt
	[ "$(grep -c '^authenticate PAM_SUCCESS' <<<"$output")" -eq 6 ]
	[ "$(grep -c '^authenticate PAM_AUTH_ERR' <<<"$output")" -eq 4 ]
	[ "$(grep -c '^acct_mgmt PAM_SUCCESS' <<<"$output")" -eq 2 ]
}

@test "a stack of 64 KiB is enough for every step and every scheme" {
	service "conf=$ETC/vmail.conf" mkhome debug
	for scheme in SHA512-CRYPT SHA256-CRYPT BLF-CRYPT CRYPT ARGON2ID \
		ARGON2I PLAIN; do
		conf
		sed -i "s/^scheme.*/scheme = $scheme/" "$ETC/vmail.conf"
		printf '%s\n' 'bcrypt_cost = 4' 'argon2_memory = 64' \
			>>"$ETC/vmail.conf"
		users "jo@example.org:$QUICK:5000:5000::$T/jo:"
		answers testtest testtest newpassword newpassword newpassword \
			wrong wrong
		client -t -u 65534 jo@example.org authenticate chauthtok \
			authenticate setcred acct_mgmt authenticate \
			user=no@example.org authenticate
		[ "$(grep -c '^authenticate PAM_SUCCESS' <<<"$output")" -eq 2 ]
		says chauthtok PAM_SUCCESS
		says acct_mgmt PAM_SUCCESS
		says authenticate PAM_USER_UNKNOWN
		answers
		client -t jo@example.org open_session close_session
		says open_session PAM_SUCCESS
	done
}

@test "one file per domain: a login is looked up in its own, and nowhere else" {
	sed -i "s,^passwd_file.*,passwd_file = $ETC/domains/%d/passwd," \
		"$ETC/vmail.conf"
	(umask 022 && mkdir -p "$ETC/domains/example.org" \
		"$ETC/domains/empty.org")
	mv "$ETC/passwd" "$ETC/domains/example.org/passwd"
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
	login Jo@Example.ORG testtest
	says authenticate user=jo@example.org
	login jo@example.org wrongword
	says authenticate PAM_AUTH_ERR
	for user in jo jo@empty.org.. jo@../etc jo@nowhere.org ann@.; do
		login "$user" testtest
		says authenticate PAM_USER_UNKNOWN
		says authenticate hashes=1
	done
	login jo@empty.org testtest
	says authenticate PAM_AUTHINFO_UNAVAIL
	echo 'default_domain = example.org' >>"$ETC/vmail.conf"
	login jo testtest
	says authenticate user=jo@example.org
	answers newpassword newpassword
	client jo@example.org chauthtok
	says chauthtok PAM_SUCCESS
	login jo@example.org newpassword
	says authenticate PAM_SUCCESS
}
