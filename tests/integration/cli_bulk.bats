#!/usr/bin/env bats
# import, export, with-lock: many users, or another program, in one change.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
	IN=$BATS_TEST_TMPDIR/in
}

teardown() {
	no_leftovers
	rm -rf "${OPEN:-}"
}

# The room once more, where everybody may enter, and somebody who does.
open_room() {
	OPEN=$(mktemp -d)
	chmod 0755 "$OPEN"
	cp "$P" "$ROOM/views" "$OPEN"
	sed "s|^passwd_file = .*|passwd_file = $OPEN/passwd|" \
		"$ROOM/vmail.conf" >"$OPEN/vmail.conf"
}

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$VMAIL_BUILD/vmailadm" --conf "$OPEN/vmail.conf" "$@"
}

last_line() {
	tail -n 1 "$P"
}

# The lines of the file behind those of before.
added() {
	tail -n +"$(($(wc -l <"$BATS_TEST_TMPDIR/before") + 1))" "$P"
}

# One wrong line between two good ones: refused with this status and these
# words, at its number; nothing changes.
refused() { # STATUS WORDS LINE
	printf '%s\n' "good@x.y:$QUICK::::::" "$3" "fine@x.y:$QUICK::::::" \
		>"$IN"
	run "-$1" --separate-stderr vmailadm import --from=passwd-file "$IN"
	[ -z "$output" ]
	[[ $stderr == *"$IN:2: "*"$2"* ]] || {
		echo "$3: $stderr"
		return 1
	}
	[[ $stderr != *saltsalt* ]]
	unchanged
}

refused_json() { # WORDS JSON
	printf '%s\n' '{"user":"good@x.y"}' "$2" >"$IN"
	run -2 --separate-stderr vmailadm import --from=jsonl "$IN"
	[ -z "$output" ]
	[[ $stderr == *"$IN:2: "*"$1"* ]] || {
		echo "$2: $stderr"
		return 1
	}
	[[ $stderr != *saltsalt* ]]
	unchanged
}

# The users of a passwd-file are removed.
remove_all_of() {
	local names
	mapfile -t names < <(cut -d: -f1 "$1")
	vmailadm -q userdel --force "${names[@]}"
}

# STATUS PID: of a command in the background.
ends_with() {
	local status=0
	wait "$2" || status=$?
	[ "$status" = "$1" ]
}

# The extra fields of a line are these.
with_extra() {
	printf 'e@x.y:%s::::::%s' "$QUICK" "$1"
}

@test "import adds the lines of a passwd-file byte for byte, in order, in one change" {
	printf '%s\n' "b@x.y:$QUICK:5005:5006:Änna:/srv/b:/bin/x:a=b  c=d:e" \
		"a@x.y:{CRYPT}*" "c@x.y:$QUICK::::::" >"$IN"
	run -0 --separate-stderr vmailadm import "$IN"
	[ -z "$output" ]
	[ "$stderr" = 'added 3 users' ]
	added | cmp - "$IN"
	head -n -3 "$P" | cmp - "$BATS_TEST_TMPDIR/before"
	cmp "$P-" "$BATS_TEST_TMPDIR/before"
	run -0 told testtest auth c@x.y
	[ "$(findings | grep -c ERROR)" = 0 ]
}

@test "import reads standard input where no file, or -, is given" {
	run -0 told "a@x.y:$QUICK::::::" import
	run -0 told "b@x.y:$QUICK::::::" import -
	run -0 vmailadm -q import --from=passwd-file <<<"c@x.y:$QUICK::::::"
	[ -z "$output" ]
	[ "$(added | cut -d: -f1 | tr '\n' ' ')" = 'a@x.y b@x.y c@x.y ' ]
}

@test "a file that cannot be read is status 1, an unknown format or a second file 2" {
	run -1 vmailadm import "$BATS_TEST_TMPDIR/none"
	[[ $output == *"none: No such file"* ]]
	run -1 vmailadm import "$BATS_TEST_TMPDIR"
	[[ $output == *"Is a directory"* ]]
	echo "a@x.y:$QUICK::::::" >"$IN"
	run -2 vmailadm import --from=shadow "$IN"
	[[ $output == *"--from: passwd-file or jsonl, not 'shadow'"* ]]
	run -2 vmailadm import one two
	run -2 vmailadm export --to=csv
	unchanged
}

@test "import, and with-lock, are for root alone" {
	open_room
	for words in 'import /dev/null' 'with-lock -- true'; do
		# shellcheck disable=SC2086
		run -6 as_nobody $words
		[[ $output == *"only root may" ]]
	done
}

@test "comments, empty lines, carriage returns and a byte order mark are no users" {
	printf '\xef\xbb\xbfa@x.y:%s::::::\r\n# no\n\n\r\nb@x.y:%s::::::' \
		"$QUICK" "$QUICK" >"$IN"
	run -0 vmailadm import "$IN"
	[ "$(added)" = "a@x.y:$QUICK::::::"$'\n'"b@x.y:$QUICK::::::" ]
	run -0 told testtest auth a@x.y
}

@test "input without a user is an error" {
	for text in '' '# nobody' $'\n\n'; do
		run -2 told "$text" import
		[[ $output == *"there is no user in it"* ]]
	done
	run -2 vmailadm import --from=jsonl /dev/null
	unchanged
}

@test "every wrong line is named with file, line and reason, and nothing is imported" {
	printf '%s\n' "a@x.y:$QUICK::::::" 'b/c@x.y:{CRYPT}*::::::' \
		"d@x.y:$QUICK:0:::::" "e@x.y::::::: " >"$IN"
	run -2 --separate-stderr vmailadm import "$IN"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 4 ]
	[[ ${stderr_lines[0]} == *"$IN:2: name: ':' or '/' in the name" ]]
	[[ ${stderr_lines[1]} == *"$IN:3: "*uid* ]]
	[[ ${stderr_lines[2]} == *"$IN:4: password: no {SCHEME}"* ]]
	[ "${stderr_lines[3]}" = 'nothing was imported' ]
	unchanged
}

@test "after 20 wrong lines no more are looked for" {
	for i in {1..30}; do
		echo "a b$i@x.y:{CRYPT}*::::::"
	done >"$IN"
	run -2 --separate-stderr vmailadm import "$IN"
	[ "$(grep -c "$IN:" <<<"$stderr")" = 20 ]
	[[ $stderr == *"$IN:20:"*"no more are looked for"* ]]
}

@test "a name is lower-cased and obeys the rule for new names" {
	run -0 told "Anna@Example.ORG:$QUICK::::::" import
	[ "$(last_line)" = "anna@example.org:$QUICK::::::" ]
	cp "$P" "$BATS_TEST_TMPDIR/before"
	for name in 'a b@x.y' 'a/b@x.y' '@x.y' 'a@' 'a@b@c' '.a@x.y' '-a@x.y' \
		'a@.y' 'a..b@x.y' 12345 $'a\x01@x.y'; do
		refused 2 name "$name:{CRYPT}*::::::"
	done
	refused 2 'no name in front' ':{CRYPT}*::::::'
	refused 4 'an account or identity' 'root:{CRYPT}*::::::'
	refused 4 'an account or identity' 'vmail:{CRYPT}*::::::'
	refused 4 'an account or identity' 'VMAIL:{CRYPT}*::::::'
}

@test "a name that exists is status 4, its line named, and nothing is imported" {
	line 'broken@x.y:{CRYPT}*:0:0::::'
	line 'alone@x.y'
	for name in "$FIELD_USER" "${FIELD_USER^^}" broken@x.y alone@x.y; do
		refused 4 "${name,,} exists already" "$name:{CRYPT}*::::::"
	done
	refused 2 password: "$FIELD_USER:::::::"
}

@test "a name twice is an error that names the first line" {
	refused 2 'name: stands in line 1 already' 'GOOD@x.y:{CRYPT}*::::::'
}

@test "a password is a hash of a known scheme, a bare one becomes {CRYPT}" {
	bare=${QUICK#\{SHA512-CRYPT\}}
	run -0 told "a@x.y:$bare::::::" import
	[ "$(last_line)" = "a@x.y:{CRYPT}$bare::::::" ]
	run -0 told testtest auth a@x.y
	run -0 told 'b@x.y:{CRYPT}*::::::' import
	cp "$P" "$BATS_TEST_TMPDIR/before"
	for password in '' '*' '!' '!!' x "!$bare" '{SHA512-CRYPT}' '{NO}abc' \
		"{SHA512-CRYPT$bare" "{SHA512-CRYPT}x${bare}" '{PLAIN}' \
		'{CRYPT}!' $'{PLAIN}a\tb'; do
		refused 2 password "c@x.y:$password::::::"
	done
	refused 2 password c@x.y
	refused 2 '' "c@x.y:{PLAIN}$(printf '%0600d' 1)::::::"
}

@test "extra fields are kept, unless Dovecot would trip over them" {
	for extra in 'allow_nets=10.0.0.0/8' 'fail=vmail' 'a=b  c=:d e' \
		'userdb_quota_rule=*:storage=1G pass=p' \
		"v=$(printf '%04000d' 1)"; do
		run -0 told "$(with_extra "$extra")" import
		[ "$(last_line)" = "$(with_extra "$extra")" ]
		vmailadm -q userdel e@x.y
	done
	cp "$P" "$BATS_TEST_TMPDIR/before"
	for extra in 'a=%u' ':a=b' '=b' 'a=b userdb_=c' userdb_ nopassword \
		'nopassword=y' ':remove=x' $'a=\x01' \
		"v=$(printf '%04001d' 1)"; do
		refused 2 'extra fields: ' "$(with_extra "$extra")"
	done
	extra=$(printf ' a=%03990d' 1 2 3 4 5)
	refused 2 'extra fields: longer' "$(with_extra "${extra:0:16001}")"
}

@test "ids are judged as useradd judges them" {
	for id in 0 root 65534 499 60001 4294967295 -1 0x1388 nosuchuser \
		' 5000' VMAIL; do
		refused 2 id "a@x.y:{CRYPT}*:$id:::::"
		refused 2 id "a@x.y:{CRYPT}*:5000:$id::::"
	done
	run -0 told 'a@x.y:{CRYPT}*:vmail:vmail::::' import
	run -0 told 'b@x.y:{CRYPT}*:500:60000::::' import
}

@test "gecos, home and shell are judged" {
	refused 2 'home: a home that is not absolute' 'a@x.y:{CRYPT}*::::srv::'
	refused 2 "home: '..'" 'a@x.y:{CRYPT}*::::/srv/../etc::'
	refused 2 gecos $'a@x.y:{CRYPT}*:::\x1b[1m:::'
	refused 2 shell $'a@x.y:{CRYPT}*:::::\x7f:'
}

@test "a NUL byte and a line that no buffer takes are named, and the next line read" {
	printf 'a@x.y:{CRYPT}*:::a\0b:::\n' >"$IN"
	printf 'b@x.y:{CRYPT}*:::::::v=%0300000d\n' 1 >>"$IN"
	printf 'c@x.y:::::::\n' >>"$IN"
	run -2 --separate-stderr vmailadm import --from=passwd-file "$IN"
	[[ $stderr == *"$IN:1: a NUL byte"*"$IN:2: too long"*"$IN:3: password"* ]]
	unchanged
}

@test "a dry run shows the lines with their secrets masked and changes nothing" {
	printf '%s\n' "a@x.y:$QUICK:5005:::/srv/a::pass=secret1 allow_nets=::1" \
		"b@x.y:${QUICK#*\}}::::::userdb_password=secret2" >"$IN"
	run -0 --separate-stderr vmailadm import --dry-run "$IN"
	[ "${lines[0]}" = '+ a@x.y:{SHA512-CRYPT}***:5005:::/srv/a::pass=*** allow_nets=::1' ]
	[ "${lines[1]}" = '+ b@x.y:{CRYPT}***::::::userdb_password=***' ]
	[ "${#lines[@]}" = 2 ]
	[ -z "$stderr" ]
	unchanged
	run -4 told "$FIELD" import --dry-run
	run -2 told 'a@x.y:::::::' import --dry-run
	unchanged
}

@test "homes are made with --make-home alone" {
	run -0 told "a@x.y:$QUICK::::::" import
	[ ! -e "$ROOM/mail/x.y" ]
	printf '%s\n' "b@x.y:$QUICK::::::" \
		"c@x.y:$QUICK:5005:5006::$ROOM/mail/c::" >"$IN"
	run -0 vmailadm import -m "$IN"
	[ "$(stat -c %u:%g:%a "$ROOM/mail/x.y/b")" = 5000:5000:700 ]
	[ "$(stat -c %u:%g:%a "$ROOM/mail/c")" = 5005:5006:700 ]
}

@test "a home that cannot be made leaves the users, says so, and is status 1" {
	: >"$ROOM/mail/x.y"
	run -1 told "a@x.y:$QUICK::::::" import -m
	[[ $output == *"a@x.y: added, but without its home"*"mend: install -d -m 0700 -o 5000 -g 5000 $ROOM/mail/x.y/a"* ]]
	run -0 told testtest auth a@x.y
}

@test "without a number for the owner users are added, but no homes asked for" {
	: >"$ROOM/views"
	vmailadm -q map
	run -0 told 'a@x.y:{CRYPT}*::::::' import
	cp "$P" "$BATS_TEST_TMPDIR/before"
	run -2 told 'b@x.y:{CRYPT}*::::::' import -m
	[[ $output == *"nobody here can resolve"* ]]
	unchanged
}

@test "no lock is held while the input is read, and what was added meanwhile counts" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	vmailadm import <"$BATS_TEST_TMPDIR/pipe" >"$BATS_TEST_TMPDIR/said" 2>&1 &
	exec 7>"$BATS_TEST_TMPDIR/pipe"
	printf 'a@x.y:{CRYPT}*::::::\n' >&7
	told 'A@x.y:{CRYPT}*::::::' --wait=0 import
	exec 7>&-
	ends_with 4 $!
	grep -q 'a@x.y exists already' "$BATS_TEST_TMPDIR/said"
	[ "$(grep -c ^a@x.y "$P")" = 1 ]
}

@test "a lock that stays taken is status 5, and nothing is imported" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	vmailadm with-lock -- cat "$BATS_TEST_TMPDIR/pipe" &
	exec 7>"$BATS_TEST_TMPDIR/pipe"
	run -5 told 'a@x.y:{CRYPT}*::::::' --wait=0 import
	exec 7>&-
	wait $!
	unchanged
}

@test "progress is shown on a terminal, and nowhere else" {
	local out=$BATS_TEST_TMPDIR/terminal n=0
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	script -qefc "'$VMAIL_BUILD/vmailadm' --conf '$ROOM/vmail.conf' \
		import <'$BATS_TEST_TMPDIR/pipe'" "$out" >"$IN" &
	exec 7>"$BATS_TEST_TMPDIR/pipe"
	until grep -q 'lines, .* a second' "$out"; do
		printf 'u%d@x.y:{CRYPT}*::::::\n' $((++n)) >&7
	done
	exec 7>&-
	wait $!
	grep -q writing "$out"
	grep -q "added $n user" "$out"
	for i in {1..5000}; do
		echo "v$i@x.y:{CRYPT}*::::::"
	done >"$IN"
	run -0 vmailadm import "$IN"
	[ "$output" = 'added 5000 users' ]
	[ "$(wc -l < <(vmailadm export 'v*'))" = 5000 ]
}

@test "JSON lines are known by their first byte, and mean the same line" {
	printf '\xef\xbb\xbf \n{"user":"A@x.y","password":"%s","uid":5005,"gid":"5006","gecos":"Anna","home":"/srv/a","shell":"/bin/x","extra":"a=b c=:d"}\r\n\n{"user":"b@x.y","password":"%s"}' \
		"$QUICK" "$QUICK" >"$IN"
	run -0 vmailadm import "$IN"
	[ "$(added)" = "a@x.y:$QUICK:5005:5006:Anna:/srv/a:/bin/x:a=b c=:d
b@x.y:$QUICK::::::" ]
}

@test "JSON that needs the library reads as the plain form does" {
	plain='{"user":"a@x.y","password":"'$QUICK'","uid":5005,"gid":null,"gecos":"An na","locked":false,"extra":""}'
	run -0 told "$plain" import
	expected=$(last_line)
	for json in "${plain//An na/An\\u0020na}" "${plain//:/ : }" \
		"${plain//5005/\"5005\"}" \
		'{ "extra" : "" , "user":"\u0061@x.y", "uid":5005,"password":"'"$QUICK"'","gecos":"An na"}'; do
		vmailadm -q userdel a@x.y
		run -0 told "$json" import
		[ "$(last_line)" = "$expected" ]
	done
	run -0 told '{"user":"c@x.y","gecos":"\u00c4nna \ud83d\ude00"}' import
	[ "$(last_line)" = 'c@x.y:{CRYPT}*:::Änna 😀:::' ]
}

@test "a JSON line that is no record is refused" {
	hash='"password":"'$QUICK'"'
	for json in '{' '[]' '"a"' 'null' '{"user":"a@x.y",'"$hash" \
		'{"user":"a@x.y"} {}' '{"user":"a@x.y",'"$hash"'}}' \
		"{\"user\":\"a\\u0000\",$hash}" $'{"user":"a\xff@x.y"}'; do
		refused_json 'not a JSON object' "$json"
	done
	refused_json 'a key twice' '{"user":"a@x.y","user":"b@x.y"}'
	refused_json 'user: missing' "{$hash}"
	refused_json 'user: missing' '{"user":null}'
	refused_json 'colour: no such key' '{"user":"a@x.y","colour":"red"}'
	refused_json 'user: not a string' '{"user":1}'
	refused_json 'gecos: not a string' '{"user":"a@x.y","gecos":["x"]}'
	refused_json 'uid: neither' '{"user":"a@x.y","uid":true}'
	refused_json 'uid: neither' '{"user":"a@x.y","uid":5005.5}'
	refused_json uid '{"user":"a@x.y","uid":-1}'
	refused_json uid '{"user":"a@x.y","uid":0}'
	refused_json uid '{"user":"a@x.y","uid":9223372036854775807}'
	refused_json 'not a JSON object' '{"user":"a@x.y","uid":99999999999999999999}'
	refused_json password '{"user":"a@x.y","password":""}'
	refused_json 'too long' '{"user":"a@x.y","gecos":"'"$(printf '%030000d' 1)"'"}'
}

@test "no value of JSON ends its field or its line" {
	for key in user gecos home shell uid gid password; do
		refused_json "$key: holds ':'" \
			'{"user":"a@x.y","'$key'":"/a:b"}' ||
			refused_json 'a key twice' \
				'{"user":"a@x.y","'$key'":"/a:b"}'
	done
	refused_json 'extra: holds a line feed' \
		'{"user":"a@x.y","extra":"a=b\nroot2:{PLAIN}x"}'
	refused_json 'gecos: holds a line feed' \
		'{"user":"a@x.y","gecos":"b\n"}'
	refused_json 'extra fields: a control byte' \
		'{"user":"a@x.y","extra":"a=\t"}'
	refused_json 'no name' '{"user":"#a@x.y"}'
	refused_json 'no name' '{"user":""}'
}

@test "keys of JSON that contradict each other, or restrict what is not supported, are refused" {
	hash='"password":"'$QUICK'"'
	refused_json 'domain: not that' '{"user":"a@x.y","domain":"x.z"}'
	refused_json 'scheme: not that' \
		'{"user":"a@x.y","scheme":"CRYPT",'"$hash}"
	refused_json 'locked: false' \
		'{"user":"a@x.y","locked":false,"extra":"fail=vmail"}'
	refused_json 'locked: false' \
		'{"user":"a@x.y","locked":false,"extra":"x=y nologin"}'
	refused_json 'locked: neither' '{"user":"a@x.y","locked":["imap"]}'
	for key in expire services allow_nets quota; do
		refused_json "$key: not supported" \
			'{"user":"a@x.y","'$key'":"2030-01-01"}'
	done
	run -0 told '{"user":"a@x.y","expire":null,"domain":null}' import
}

@test "a user of JSON who is locked is locked as lock does it" {
	run -0 told '{"user":"a@x.y","password":"'"$QUICK"'","locked":true,"extra":"b=c"}' import
	run -1 told testtest auth a@x.y
	[ "$(last_line)" = "a@x.y:$QUICK::::::fail=vmail b=c" ]
	run -0 vmailadm unlock a@x.y
	[ "$(last_line)" = "a@x.y:$QUICK::::::b=c" ]
	run -0 told '{"user":"b@x.y","locked":true,"extra":"fail=vmail b=c"}' import
	[ "$(last_line)" = 'b@x.y:{CRYPT}*::::::fail=vmail b=c' ]
}

@test "a user of JSON without a password gets one that never matches" {
	run -0 told '{"user":"a@x.y"}' import
	[ "$(last_line)" = 'a@x.y:{CRYPT}*::::::' ]
	for password in '*' '' x; do
		run told "$password" auth a@x.y
		[ "$status" != 0 ]
	done
}

@test "export prints every user's line, and import makes the same bytes of it" {
	line "a@x.y:$QUICK:5005:5006:Änna:/srv/a:/bin/x:a=b  c=:d"
	line 'b@x.y:{CRYPT}*'
	line '# a comment'
	run -0 --separate-stderr vmailadm export
	[ -z "$stderr" ]
	grep -v -e '^#' -e '^$' "$P" | cmp - <(echo "$output")
	vmailadm export >"$IN"
	remove_all_of "$IN"
	run -0 vmailadm import "$IN"
	vmailadm export | cmp - "$IN"
	grep -v '^#' "$P" | cmp - "$IN"
}

@test "export to JSON and import of it make the same records" {
	line "a@x.y:$QUICK:5005:5006:Änna \"\\:/srv/a:/bin/x:a=b  c=:d"
	line 'b@x.y:{CRYPT}*:vmail:vmail::::fail=vmail'
	line "c@x.y:$QUICK:05007:5008::::"
	line "d@x.y:$QUICK::::::"
	vmailadm export >"$IN"
	vmailadm export --to=jsonl >"$IN.json"
	jq -es 'length == 6 and all(.user and .password)' "$IN.json"
	[ "$(jq -c 'select(.user == "a@x.y") | [.domain, .uid, .gid, .gecos,
		.home, .shell, .scheme, .locked, .extra, .password]' "$IN.json")" = \
		'["x.y",5005,5006,"Änna \"\\","/srv/a","/bin/x","SHA512-CRYPT",false,"a=b  c=:d","'"$QUICK"'"]' ]
	[ "$(jq -c 'select(.user == "b@x.y") | [.uid, .locked]' "$IN.json")" = \
		'["vmail",true]' ]
	[ "$(jq -c 'select(.user == "c@x.y") | .uid' "$IN.json")" = '"05007"' ]
	[ "$(jq -c 'select(.user == "d@x.y") | [.uid, .home]' "$IN.json")" = \
		'[null,""]' ]
	remove_all_of "$IN"
	run -0 vmailadm import "$IN.json"
	vmailadm export | cmp - "$IN"
}

@test "export picks users by patterns" {
	line "a@x.y:$QUICK::::::"
	run -0 vmailadm export 'second@*' '*@x.y'
	[ "$(cut -d: -f1 <<<"$output" | tr '\n' ' ')" = \
		'second@kuma8088.com a@x.y ' ]
	run -0 vmailadm export 'nobody@*'
	[ -z "$output" ]
	run -0 vmailadm export --domain X.y
	[ "$output" = "a@x.y:$QUICK::::::" ]
	run -0 vmailadm export --domain x.y 'second*'
	[ -z "$output" ]
}

@test "with one file for all no domain is taken as another file" {
	VISUAL=true run -2 vmailadm edit x.y
	[[ $output == *"one passwd-file for all domains"* ]]
	run -2 vmailadm with-lock --domain x.y -- touch "$BATS_TEST_TMPDIR/ran"
	[[ $output == *"one passwd-file for all domains"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "export leaves out who is not a user, says so, and is status 1 where one is lost" {
	line 'second@kuma8088.com:{CRYPT}*::::::'
	run -0 --separate-stderr vmailadm export
	[ "${#lines[@]}" = 2 ]
	[[ $stderr == *"$P:4: left out: the user is that of line 3" ]]
	line 'bad@x.y:{CRYPT}*:0:::::'
	run -1 --separate-stderr vmailadm export
	[ "${#lines[@]}" = 2 ]
	[[ $stderr == *"$P:5: left out: uid is neither"* ]]
	run -0 --separate-stderr vmailadm export 'test@*'
	[ -z "$stderr" ]
	vmailadm -q userdel bad@x.y
	line $'latin@x.y:{CRYPT}*:::\xc4nna:::'
	run -0 vmailadm export
	run -1 --separate-stderr vmailadm export --to=jsonl
	[ "${#lines[@]}" = 2 ]
	[[ $stderr == *"$P:5: left out: not UTF-8"* ]]
}

@test "export without secrets holds no hash and no password, and can be imported" {
	line "a@x.y:$QUICK:5005:5006:::/bin/x:pass=secret1 b=c userdb_password=secret2 d"
	vmailadm export --no-secrets >"$IN"
	vmailadm export --no-secrets --to=jsonl >"$IN.json"
	run ! grep -E 'salt|\$6\$|secret|\*\*\*' "$IN" "$IN.json"
	[ "$(tail -n 1 "$IN")" = 'a@x.y:{CRYPT}*:5005:5006:::/bin/x:b=c d' ]
	jq -es 'all(has("password") | not)' "$IN.json"
	remove_all_of "$IN"
	run -0 vmailadm import "$IN.json"
	vmailadm export | cmp - "$IN"
	remove_all_of "$IN"
	run -0 vmailadm import "$IN"
	vmailadm export | cmp - "$IN"
}

@test "hashes are exported to root alone, the rest to who may read the file" {
	open_room
	run -6 --separate-stderr as_nobody export
	[ -z "$output" ]
	[[ $stderr == *"only root may"* ]]
	run -6 as_nobody export --no-secrets
	[[ $output == *"no permission"* ]]
	chmod 644 "$OPEN/passwd"
	run -6 --separate-stderr as_nobody export
	[ -z "$output" ]
	run -0 as_nobody export --no-secrets
	[[ $output == *"$FIELD_USER:{CRYPT}*:"* ]]
}

@test "hashes that go to a file which others may read are warned of" {
	umask 022
	vmailadm export >"$IN" 2>"$IN.said"
	grep -q 'others may read' "$IN.said"
	vmailadm export --no-secrets >"$IN" 2>"$IN.said"
	[ ! -s "$IN.said" ]
	chmod 600 "$IN"
	vmailadm export >"$IN" 2>"$IN.said"
	[ ! -s "$IN.said" ]
}

@test "a full disk under an export is a failure" {
	vmailadm export >/dev/full 2>"$IN.said" && false
	grep -q 'No space left' "$IN.said"
	vmailadm export --to=jsonl >/dev/full 2>"$IN.said" && false
	grep -q 'No space left' "$IN.said"
}

@test "with-lock gives the command exactly its words, and its status back" {
	run -7 vmailadm with-lock --quiet -- sh -c 'echo "$#: $*"; exit 7' sh \
		a '' -q --dry-run -- 'b c'
	[ "$output" = '6: a  -q --dry-run -- b c' ]
	run -0 vmailadm with-lock -- true
	[ -z "$output" ]
	run -127 vmailadm with-lock -- "$BATS_TEST_TMPDIR/none"
	run -126 vmailadm with-lock -- "$P"
	run -137 vmailadm with-lock -- sh -c 'kill -9 $$'
	run -2 vmailadm with-lock --
	run -2 vmailadm with-lock
	unchanged
}

@test "with-lock holds the writers' lock while the command runs, and no longer" {
	run -0 vmailadm with-lock -- sh -c '
		"$0" --conf "$1" --wait=0 lock "$2"; echo "status=$?"
		sleep 1000 </dev/null >/dev/null 2>&1 & echo "$!"' \
		"$VMAIL_BUILD/vmailadm" "$ROOM/vmail.conf" "$FIELD_USER"
	left=${lines[-1]}
	[[ $output == *status=5* ]]
	unchanged
	kill -0 "$left"
	run -0 vmailadm --wait=0 lock "$FIELD_USER"
	kill "$left"
}

@test "with-lock rebuilds what is derived, also where the command fails" {
	for end in 'exit 0' 'exit 3' 'kill -9 $$'; do
		echo "one@x.y:$QUICK::::::" >"$IN"
		run vmailadm with-lock -- sh -c "cat '$IN' >>'$P'; $end"
		vmailadm -q map --dry-run
		[ "$(vmailadm map 2>&1)" = 'all derived files are current' ]
		run -0 vmailadm show one@x.y
		run -0 vmailadm with-lock -- sed -i '/^one@x.y/d' "$P"
		[ "$(vmailadm map 2>&1)" = 'all derived files are current' ]
		run -3 vmailadm show one@x.y
	done
	run -0 vmailadm with-lock -- rm "$ROOM/deny" "$ROOM/passwd.cdb"
	[ -e "$ROOM/deny" ]
	[ -z "$(findings)" ]
}

@test "with-lock lets the time of a changed file go on, so that Dovecot looks" {
	touch -d '+1 hour' "$P"
	vmailadm -q map
	then=$(stat -c %Y "$P")
	run -0 vmailadm with-lock -- sh -c "sed -i 's/^second/decond/' '$P'
		touch -d '2001-01-01' '$P'"
	[ "$(stat -c %Y "$P")" -gt "$then" ]
	[ "$(vmailadm map 2>&1)" = 'all derived files are current' ]
	then=$(stat -c %y "$P")
	run -0 vmailadm with-lock -- true
	[ "$(stat -c %y "$P")" = "$then" ]
}

@test "with-lock says what is unsound afterwards" {
	run -0 vmailadm with-lock -- sh -c "echo 'bad@x.y:{CRYPT}*:0:::::' >>'$P'"
	[[ $output == *"$P:4: malformed: uid"*"mend: vmailadm check"* ]]
	run -0 vmailadm with-lock -- chmod 600 "$P"
	[[ $output == *"owner, group or mode"*"chmod 0640 $P"* ]]
	run -6 vmailadm with-lock -- chmod 666 "$P"
	[[ $output == *"not trusted"*"mend:"*"$P-"* ]]
	chmod 640 "$P"
	run -1 vmailadm with-lock -- truncate -s 0 "$P"
	[[ $output == *"empty"* ]]
	cp -p "$BATS_TEST_TMPDIR/before" "$P"
	run -1 vmailadm with-lock -- rm "$P"
	[[ $output == *"missing"* ]]
}

@test "a signal that ends with-lock ends its command first, and the map is made" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" with-lock -- sh -c "
		trap 'echo one@x.y:{CRYPT}*:::::: >>$P; exit 9' TERM
		echo ready >'$BATS_TEST_TMPDIR/pipe'
		while :; do sleep 0.01; done" &
	pid=$!
	read -r word <"$BATS_TEST_TMPDIR/pipe"
	[ "$word" = ready ]
	kill "$pid"
	ends_with 9 "$pid"
	run -0 vmailadm show one@x.y
	[ "$(vmailadm map 2>&1)" = 'all derived files are current' ]
}

@test "the command of with-lock does not outlive it" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" with-lock -- sh -c "
		exec 7>'$BATS_TEST_TMPDIR/pipe'; echo ready >&7
		exec sleep 1000" &
	pid=$!
	exec 8<"$BATS_TEST_TMPDIR/pipe"
	read -r word <&8
	[ "$word" = ready ]
	kill -9 "$pid"
	run -0 cat <&8 # until the last writer is gone
	exec 8<&-
	run -0 vmailadm --wait=0 lock "$FIELD_USER"
}

@test "the command of with-lock has the signals a shell gives" {
	run -0 vmailadm with-lock -- grep -E 'Sig(Ign|Blk)' /proc/self/status
	for row in "${lines[@]}"; do
		[ $((0x${row##*[[:space:]]} & 0x5007)) = 0 ]
	done
}

@test "with-lock --dry-run runs nothing" {
	run -0 vmailadm --dry-run with-lock -- touch "$BATS_TEST_TMPDIR/ran"
	[[ $output == "would run touch"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

# The copy that was kept, and said to be.
kept() {
	local copy
	copy=$(echo "$TMPDIR"/vmailadm-*/passwd)
	[[ $output == *"kept"*"$copy"*"mend: diff $P $copy"* ]]
	cat "$copy"
}

nothing_kept() {
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "edit gives the editor a private copy, in a folder of its own that is gone afterwards" {
	editor 'stat -c "%a %U" "$1" "${1%/*}" >"'"$BATS_TEST_TMPDIR"'/seen"
		echo "$1" >>"'"$BATS_TEST_TMPDIR"'/seen"
		: >"$1~"; : >"${1%/*}/.passwd.swp"'
	run -0 vmailadm edit
	[ "$output" = 'nothing was changed' ]
	{
		read -r copy
		read -r folder
		read -r path
	} <"$BATS_TEST_TMPDIR/seen"
	[ "$copy" = '600 root' ]
	[ "$folder" = '700 root' ]
	[[ $path == "$TMPDIR"/vmailadm-*/passwd ]]
	nothing_kept
	unchanged
}

@test "edit writes what was edited, order, comments and empty lines included" {
	editor 'sed -i -e "2i# first\n\n#\nnew@x.y:{CRYPT}*::::::\n# first" \
		-e "3{h;d}" -e "\$G" "$1"; cp "$1" "'"$BATS_TEST_TMPDIR"'/meant"
		rm "$1"; cp "'"$BATS_TEST_TMPDIR"'/meant" "$1"'
	chmod 640 "$P"
	run -0 vmailadm edit
	[ "$output" = "changed $P" ]
	cmp "$P" "$BATS_TEST_TMPDIR/meant"
	[ "$(grep -c '^# first' "$P")" = 2 ]
	cmp "$P-" "$BATS_TEST_TMPDIR/before"
	[ "$(stat -c %a "$P")" = 640 ]
	[ "$(vmailadm map 2>&1)" = 'all derived files are current' ]
	run -0 vmailadm show new@x.y
	run -0 told testtest auth "$FIELD_USER"
	nothing_kept
}

@test "edit holds no lock meanwhile, and refuses to undo what others did" {
	editor '"'"$VMAIL_BUILD"'/vmailadm" --conf "'"$ROOM"'/vmail.conf" \
		--wait=0 lock "'"$FIELD_USER"'"; echo "# mine" >>"$1"'
	run -5 vmailadm edit
	[[ $output == *"was changed while you edited"* ]]
	run -0 vmailadm show "$FIELD_USER"
	run ! grep '# mine' "$P"
	grep -q '^test.*fail=vmail' "$P"
	output=$(VISUAL='echo "# mine" >>' vmailadm edit 2>&1) # and now it may
	grep -q '# mine' "$P"
	grep -q '# mine' "$TMPDIR"/vmailadm-*/passwd
}

@test "edit says where the copy is kept" {
	editor 'echo bad@x.y:{CRYPT}*:0 >>"$1"'
	run -2 vmailadm --quiet edit
	kept | grep -q bad@x.y
	unchanged
}

@test "edit refuses lines that nobody can read, twins, and what breaks a rule, by number" {
	editor 'cat "'"$IN"'" >>"$1"'
	printf '%s\n' 'bad@x.y:{CRYPT}*:0:::::' "$FIELD_USER:{CRYPT}*::::::" \
		'open@x.y:::::::' 'Upper@x.y:{CRYPT}*::::::' \
		"e@x.y:$QUICK::::::a=%u" 'root:{CRYPT}*::::::' >"$IN"
	run -2 vmailadm edit
	for text in '4: malformed: uid' '5: name: stands in line 2' \
		'6: password: no {SCHEME}' '7: name: an upper-case' \
		"8: extra fields: '%'" '9: name: an account'; do
		[[ $output == *"/passwd:$text"* ]]
	done
	[ "$(grep -c '/passwd:[0-9]' <<<"$output")" = 6 ]
	[[ $output != *saltsalt* ]]
	unchanged
}

@test "a second record put before the first is refused too" {
	editor 'sed -i "1iSECOND@kuma8088.com:{CRYPT}*::::::" "$1"
		sed -i "1s/.*/\L&/;1s/crypt/CRYPT/" "$1"'
	run -2 vmailadm edit
	[[ $output == *"/passwd:4: name: stands in line 1 already"* ]]
	unchanged
}

@test "what was odd before the edit may stay, and be moved" {
	line 'bad@x.y:{CRYPT}*:0:::::'
	line "$FIELD_USER:{CRYPT}*::::::"
	line 'Upper@x.y:plain::::::'
	editor 'echo "# a comment" >>"$1"; sed -i "4{h;d};5G" "$1"'
	run -0 vmailadm edit
	tail -n 1 "$P" | grep -q '# a comment'
	cp "$P" "$BATS_TEST_TMPDIR/before"
	editor 'sed -i "s/plain/{CRYPT}*/" "$1"' # its name is no new one
	run -0 vmailadm edit
	grep -q '^Upper@x.y:{CRYPT}\*' "$P"
	cp "$P" "$BATS_TEST_TMPDIR/before"
	editor 'sed -i "s/^Upper@x.y:{CRYPT}\*/Upper@x.y:/" "$1"'
	run -2 vmailadm edit
	[[ $output == *'password: no {SCHEME}'* ]]
	unchanged
}

@test "fewer than half of the users are left with --force alone" {
	line "a@x.y:$QUICK::::::"
	editor 'sed -i 1,3d "$1"'
	run -1 vmailadm edit
	[[ $output == *"fewer than half"*--force*kept* ]]
	unchanged
	run -0 vmailadm edit --force
	[ "$(cat "$P")" = "a@x.y:$QUICK::::::" ]
	editor ': >"$1"'
	run -1 vmailadm edit
	run -0 vmailadm edit --force
	[[ $(cat "$P") == '# '* ]]
}

@test "an editor that fails, is not there or leaves no file changes nothing" {
	editor 'exit 3'
	run -1 vmailadm edit
	[[ $output == *"editor, $VISUAL, ended with status 3"* ]]
	nothing_kept
	VISUAL=$BATS_TEST_TMPDIR/none run -1 vmailadm edit
	editor 'rm "$1"'
	run -1 vmailadm edit
	[[ $output == *"left no file"* ]]
	editor 'rm "$1"; ln -s /etc/passwd "$1"'
	run -1 vmailadm edit
	[[ $output == *"left no file"* ]]
	nothing_kept
	editor 'echo "# work" >>"$1"; exit 1'
	run -1 vmailadm edit
	kept | grep -q '# work'
	unchanged
}

@test "VISUAL goes before EDITOR, and both may be commands with arguments" {
	editor ''
	VISUAL='' EDITOR='sed -i "1i# by EDITOR"' run -0 vmailadm edit
	[ "$(head -n 1 "$P")" = '# by EDITOR' ]
	EDITOR=false VISUAL='sed -i "1i# by VISUAL"' run -0 vmailadm edit
	[ "$(head -n 1 "$P")" = '# by VISUAL' ]
}

@test "no copy is made where others could swap it" {
	editor 'echo "$1" >"'"$BATS_TEST_TMPDIR"'/seen"'
	chmod 777 "$TMPDIR"
	run -0 vmailadm edit
	[[ $output == *"no copy under TMPDIR"* ]]
	[[ $(cat "$BATS_TEST_TMPDIR/seen") != "$TMPDIR"/* ]]
	chmod 1777 "$TMPDIR"
	run -0 vmailadm edit
	[[ $(cat "$BATS_TEST_TMPDIR/seen") == "$TMPDIR"/* ]]
	nothing_kept
}

# edit on a terminal whose answers are the words given.
edit_at_terminal() {
	local answer c seen out=$BATS_TEST_TMPDIR/terminal
	: >"$out"
	coproc TTY { script -qefc "'$VMAIL_BUILD/vmailadm' --conf '$ROOM/vmail.conf' edit; echo status=\$?" /dev/null; }
	for answer in "$@"; do
		seen=''
		while IFS= read -r -N 1 c <&"${TTY[0]}"; do
			printf '%s' "$c" >>"$out"
			seen+=$c
			[[ $seen != *'? ' ]] || break
		done
		printf '%s\n' "$answer" >&"${TTY[1]}"
	done
	cat <&"${TTY[0]}" >>"$out" || true
	wait || true
}

@test "a terminal is asked whether to edit again, from where one was" {
	editor 'if grep -q bad@x.y "$1"; then sed -i "s/bad@x.y.*/&a=good/;s/:0/:/" "$1"
		else echo "bad@x.y:{CRYPT}*:0:::::" >>"$1"; fi'
	edit_at_terminal what e
	grep -q 'status=0' "$BATS_TEST_TMPDIR/terminal"
	[ "$(last_line)" = 'bad@x.y:{CRYPT}*::::::a=good' ]
	nothing_kept
}

@test "a terminal may discard what was edited" {
	editor 'echo "bad@x.y:{CRYPT}*:0:::::" >>"$1"'
	edit_at_terminal d
	grep -q 'status=2' "$BATS_TEST_TMPDIR/terminal"
	nothing_kept
	unchanged
}

@test "edit --dry-run opens no editor" {
	editor 'echo "# no" >>"$1"'
	run -0 vmailadm edit --dry-run
	[[ $output == "would open a copy of $P in $VISUAL" ]]
	unchanged
	nothing_kept
}
