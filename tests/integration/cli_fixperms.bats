#!/usr/bin/env bats
# fixperms: the plan, the repair, and what is left.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
	# Others than root must pass to their mail.
	chmod 755 "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" \
		"$BATS_TEST_TMPDIR" "$ROOM" "$ROOM/mail"
	{
		echo 'host vmail 5000:5000 -'
		echo 'rootless vmail 1000:1000 0:1000:1,1:100000:65536'
		echo 'daemons vmail 1:1 -'
	} >"$ROOM/views"
	lines ann@x.y:::: bob@x.y::::
}

# Records in place of those there are: NAME:UID:GID:GECOS:HOME
lines() {
	: >"$P"
	local record
	for record in "$@"; do
		echo "${record%%:*}:{CRYPT}*:${record#*:}::" >>"$P"
	done
	vmailadm -q map
}

# mailbox NAME OWNER: a home with three mails, made as by root's hand.
mailbox() {
	local home=$ROOM/mail/$1
	mkdir -p "$home/cur" "$home/new"
	touch "$home/cur/"{1,2,3}
	chown -R "$2:$2" "$home"
	chown 5000:5000 "${home%/*}"
}

owners() {
	find "$ROOM/mail" -mindepth 2 -printf '%U:%G\n' | sort -u |
		tr '\n' ' '
}

# Every name with all that a change could change.
picture() {
	find "$ROOM" -printf '%p %U:%G %m %C@\n' | sort
}

@test "a dry run prints the plan of the repair and changes nothing" {
	mailbox x.y/ann 0
	chmod 602 "$ROOM/mail/x.y/ann/cur/2"
	mailbox x.y/bob 5000
	picture >"$BATS_TEST_TMPDIR/a"
	run -0 --separate-stderr vmailadm --json --dry-run fixperms
	plan=$output
	picture | cmp - "$BATS_TEST_TMPDIR/a"
	[ "$(jq length <<<"$plan")" = 6 ]
	jq -e 'all(.action == "change" and .want_uid == 5000 and
		.want_gid == 5000 and .uid == 0)' <<<"$plan"
	jq -e '.[] | select(.path | endswith("/cur/2")) |
		.mode == "0602" and .want_mode == "0600" and
		(.why | contains("everybody may write it"))' <<<"$plan"
	[[ $stderr == *", 6 to change, 0 left as they are, 0 homes"* ]]
	run -0 --separate-stderr vmailadm --json fixperms
	[ "$output" = "$plan" ]
	[[ $stderr == *", 6 changed, 0 left"* ]]
	[ "$(owners)" = '5000:5000 ' ]
	picture >"$BATS_TEST_TMPDIR/a"
	run -0 --separate-stderr vmailadm --json fixperms
	[ "$output" = '[]' ]
	picture | cmp - "$BATS_TEST_TMPDIR/a"
}

@test "everybody's right to read the hashes is found and undone" {
	chmod 644 "$P"
	chmod 604 "$ROOM/apppw"
	run -0 vmailadm fixperms
	[[ $output == *"$P "*"0:0 0644"*"0:0 0640"*"others may read"* ]]
	[ "$(stat -c %a "$P" "$ROOM/apppw" | tr '\n' ' ')" = '640 640 ' ]
	run -0 vmailadm check
}

@test "the field's file, 0600 of uid 5000, is mended; its words are looked through first" {
	mailbox x.y/ann 0
	chown 5000:5000 "$P"
	chmod 600 "$P"
	run -1 vmailadm --dry-run fixperms
	run -1 vmailadm fixperms
	[[ $output == *"look through it, then run this again"* ]]
	[ "$(stat -c '%u:%g %a' "$P")" = '0:0 640' ]
	[ "$(stat -c %u "$ROOM/mail/x.y/ann")" = 0 ]
	run -0 vmailadm fixperms
	[ "$(owners)" = '5000:5000 ' ]
}

@test "views that others could write are mended, and not believed yet" {
	mailbox x.y/ann 0
	chmod 666 "$ROOM/views"
	run -6 vmailadm fixperms
	[[ $output == *"$ROOM/views"*"look through what it says"* ]]
	[ "$(stat -c %a "$ROOM/views")" = 644 ]
	[ "$(stat -c %u "$ROOM/mail/x.y/ann")" = 0 ]
	run -0 vmailadm fixperms
}

@test "a view's numbers are those that it writes to disk" {
	mailbox x.y/ann 5000
	run -0 --separate-stderr vmailadm fixperms --view rootless
	[ "$(owners)" = '100999:100999 ' ]
	run -0 vmailadm fixperms --view=host
	[ "$(owners)" = '5000:5000 ' ]
	run -2 vmailadm fixperms --view nowhere
	[[ $output == *"no such view: 'nowhere'"* ]]
	run -0 --separate-stderr vmailadm fixperms --view daemons
	[[ $stderr == *"warning: 1, the owner in view daemons, is the account daemon here"* ]]
	[ "$(owners)" = '1:1 ' ]
}

@test "what a view's owner lacks is said in Dovecot's manner, with remedies" {
	run -0 --separate-stderr vmailadm --dry-run fixperms --view rootless
	[[ $stderr == *"open($P) failed: Permission denied (euid=100999 egid=100999 missing +r perm: $P, it is not in group 0, owned by 0:0 mode=0640)"* ]]
	[[ $stderr == *"idmapped"*"group of the file"*"fixperms --view rootless --acl"* ]]
	run -0 --separate-stderr vmailadm -q fixperms --view rootless
	[ -z "$stderr" ]
}

# The kernel's own word, not ours.
reads() {
	setpriv --reuid "$1" --regid "$1" --clear-groups cat "$2" >/dev/null
}

@test "an ACL lets a view's owner read the hashes, and nobody else" {
	run ! reads 100999 "$P"
	run -0 vmailadm fixperms --view rootless --acl
	for file in "$P" "$ROOM/apppw" "$ROOM/deny"; do
		reads 100999 "$file"
		run ! reads 100998 "$file"
		[ "$(stat -c %a "$file")" = 640 ]
	done
	told longpassword useradd carl@x.y
	reads 100999 "$P"
	run -0 vmailadm fixperms
	reads 100999 "$P"
	run ! reads 100999 "$P-"
}

@test "no ACL for a number that is an account here" {
	run -6 vmailadm fixperms --view daemons --acl
	[[ $output == *"is the account daemon here, who could then read all hashes"* ]]
	[ "$(getfacl -n -c -p "$P" | grep -c :1:)" = 0 ]
	run -2 vmailadm fixperms --acl
}

@test "named users alone, in any case of letters; a wrong name stops it all" {
	mailbox x.y/ann 0
	mailbox x.y/bob 0
	chmod 644 "$P"
	run -3 vmailadm fixperms ann@x.y nobody@x.y
	[[ $output == *"nobody@x.y: no such user"* ]]
	[ "$(stat -c %u "$ROOM/mail/x.y/ann/cur/1")" = 0 ]
	run -0 vmailadm fixperms ANN@x.y
	[ "$(stat -c %u "$ROOM/mail/x.y/ann/cur/1")" = 5000 ]
	[ "$(stat -c %u "$ROOM/mail/x.y/bob/cur/1")" = 0 ]
	[ "$(stat -c %a "$P")" = 644 ]
}

@test "homes that are not there are counted, and no fault" {
	run -0 --separate-stderr vmailadm fixperms
	[[ $stderr == *"2 homes not there yet"* ]]
	[ ! -e "$ROOM/mail/x.y" ]
	run -0 --separate-stderr vmailadm --json fixperms
	[ "$(jq -r '.[].action' <<<"$output" | sort -u)" = missing ]
	run -0 vmailadm fixperms ann@x.y
	[[ $output == *"/mail/x.y/ann "*"not there yet"* ]]
}

@test "each user has his own numbers, and a shared home is walked once" {
	lines ann@x.y:::: "al@x.y::::$ROOM/mail/x.y//ann/" \
		own@x.y:5123:5124::
	mailbox x.y/ann 0
	mailbox x.y/own 0
	run -0 --separate-stderr vmailadm --json --dry-run fixperms
	plan=$output
	run -0 --separate-stderr vmailadm --json fixperms
	[ "$output" = "$plan" ]
	[ "$(jq '[.[] | select(.path | contains("/ann"))] | length' \
		<<<"$output")" = 6 ]
	[ "$(owners)" = '5000:5000 5123:5124 ' ]
	[ "$(stat -c %a "$ROOM/mail/x.y")" = 755 ]
	run -0 --separate-stderr vmailadm --json fixperms
	[ "$output" = '[]' ]
}

@test "a home of two users with different numbers is left, and so is what it is in doubt for" {
	lines ann@x.y:::: "own@x.y:5123:5124::$ROOM/mail/x.y/ann"
	mailbox x.y/ann 0
	run -1 vmailadm fixperms
	[[ $output == *"left"*"the home of ann@x.y, and with other numbers of own@x.y"* ]]
	[ "$(stat -c %u "$ROOM/mail/x.y/ann")" = 0 ]
}

@test "a home in another's home: the owner's may hold anybody's, a user's may not" {
	lines "all@x.y::::$ROOM/mail/x.y" own@x.y:5123:5124:: \
		"in@x.y:5200:5200::$ROOM/mail/x.y/own/in" \
		"same@x.y:5123:5124::$ROOM/mail/x.y/own/same" \
		"lost@x.y:who:::$ROOM/mail/x.y/lost"
	for home in own own/in own/same lost; do
		mailbox "x.y/$home" 0
	done
	run -1 vmailadm fixperms
	[[ $output == *"/own/in "*"left"*"lies in that of own@x.y, who could"* ]]
	[[ $output == *"/lost "*"left"*"whose mail this is cannot be told here: uid 'who'"* ]]
	[ "$(stat -c %u "$ROOM/mail/x.y")" = 5000 ]
	[ "$(stat -c %u "$ROOM/mail/x.y/own")" = 5123 ]
	[ "$(stat -c %u "$ROOM/mail/x.y/own/same/cur/1")" = 5123 ]
	[ "$(stat -c %u "$ROOM/mail/x.y/own/in/cur/1")" = 0 ]
	[ "$(stat -c %u "$ROOM/mail/x.y/lost/cur/1")" = 0 ]
	picture >"$BATS_TEST_TMPDIR/a"
	run -1 vmailadm fixperms
	picture | cmp - "$BATS_TEST_TMPDIR/a"
}

@test "a person's home, a system's folder and a link are refused, and what lies below goes by itself" {
	local root=/${ROOM#/}
	root=/$(cut -d / -f 2 <<<"$root")
	mkdir -m 755 "$ROOM/person" "$ROOM/ssl"
	chown 1000:1000 "$ROOM/person"
	touch "$ROOM/person/letter" "$ROOM/ssl/key"
	ln -s "$ROOM/ssl" "$ROOM/mail/link"
	lines "a@x.y::::$ROOM/person" "b@x.y::::$ROOM/ssl" c@x.y::::/ \
		d@x.y::::/usr "e@x.y::::$ROOM/mail/link" f@x.y::::mail \
		"g@x.y::::$root" h@x.y::::
	mailbox x.y/h 0
	picture | grep -v x.y/h >"$BATS_TEST_TMPDIR/a"
	run -1 --separate-stderr vmailadm --json fixperms
	[ "$(jq -r '.[].action' <<<"$output" | sort | uniq -c |
		tr -s ' \n' ' ')" = ' 6 change 7 left ' ]
	picture | grep -v x.y/h | cmp - "$BATS_TEST_TMPDIR/a"
	[ "$(owners)" = '5000:5000 ' ]
}

@test "killed at any change, it is run again and all is right" {
	mailbox x.y/ann 0
	mailbox x.y/bob 1234
	chmod 0 "$ROOM/mail/x.y/bob/cur/"*
	chmod 666 "$ROOM/deny"
	for call in fchownat chmod; do
		for when in 1 2 4; do
			run -137 strace -f -qq -o /dev/null \
				-e "inject=$call:signal=KILL:when=$when" \
				"$VMAIL_BUILD/vmailadm" \
				--conf "$ROOM/vmail.conf" fixperms
			run -0 vmailadm fixperms
			[ "$(owners)" = '5000:5000 ' ]
			run -0 --separate-stderr vmailadm --json fixperms
			[ "$output" = '[]' ]
			chown -R 1234 "$ROOM/mail/x.y"
			chmod 0 "$ROOM/mail/x.y/bob/cur/"* \
				"$ROOM/mail/x.y/ann/"{cur,new}
			chmod 666 "$ROOM/deny"
		done
	done
}

@test "mail that is right is neither opened nor changed" {
	mailbox x.y/ann 5000
	(cd "$ROOM/mail/x.y/ann/cur" && seq 4 500 | xargs touch)
	chown -R 5000:5000 "$ROOM/mail/x.y/ann"
	strace -f -o "$BATS_TEST_TMPDIR/calls" "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" fixperms
	[ "$(grep -c '"50[0-9]*", AT\|statx.*"[0-9]*",' \
		"$BATS_TEST_TMPDIR/calls")" -ge 500 ]
	[ "$(grep -c 'openat(.*O_PATH' "$BATS_TEST_TMPDIR/calls")" -lt 40 ]
	[ "$(grep -c 'chown\|chmod' "$BATS_TEST_TMPDIR/calls")" = 0 ]
}

@test "people see twenty rows of a home, programs all" {
	mailbox x.y/ann 5000
	(cd "$ROOM/mail/x.y/ann/cur" && seq 4 100 | xargs touch)
	run -0 --separate-stderr vmailadm --dry-run fixperms
	[ "$(grep -c "not the user's" <<<"$output")" = 20 ]
	[[ $output == *"$ROOM/mail/x.y/ann "*"77 more below it"* ]]
	run -0 --separate-stderr vmailadm --json --dry-run fixperms
	[ "$(jq '[.[] | select(.action == "change")] | length' \
		<<<"$output")" = 97 ]
	run -0 --separate-stderr vmailadm --output=csv --dry-run fixperms
	[ "$(grep -c "^change,.*,5000,5000,0644," <<<"$output")" = 97 ]
	run -0 --separate-stderr vmailadm -q fixperms
	[ "$(wc -l <<<"$output")" -le 1 ]
	[ -z "$stderr" ]
}

@test "only root repairs; whoever may read the files can plan" {
	chown 0:1 "$P" "$P.cdb"
	run -6 setpriv --reuid 1 --regid 1 --clear-groups \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" fixperms
	[[ $output == *"only root may"* ]]
	run -0 setpriv --reuid 1 --regid 1 --clear-groups \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" \
		--dry-run fixperms
	[[ $output == *"$P "*"0:1 0640"*"0:0 0640"* ]]
}

@test "the writers' lock is waited for" {
	run -5 vmailadm with-lock -- "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" --wait 0 fixperms
	run -0 vmailadm with-lock -- "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" --wait 0 --dry-run fixperms
}

@test "where each domain has a file of its own, all of them are mended" {
	mkdir -m 755 "$ROOM/domains"
	sed -i "s|^passwd_file.*|passwd_file = $ROOM/domains/%d/passwd|" \
		"$ROOM/vmail.conf"
	vmailadm -q init
	told longpassword useradd a@one.example
	told longpassword useradd b@two.example
	chown -R 0:0 "$ROOM/mail"
	chmod 777 "$ROOM/domains/two.example"
	chmod 644 "$ROOM/domains/one.example/passwd"
	run -1 vmailadm fixperms
	[ "$(stat -c %a "$ROOM/domains/two.example" \
		"$ROOM/domains/one.example/passwd" | tr '\n' ' ')" = '755 640 ' ]
	[ "$(stat -c %u "$ROOM/mail/one.example/a")" = 5000 ]
	[ "$(stat -c %u "$ROOM/mail/two.example/b")" = 0 ]
	run -0 vmailadm fixperms b@two.example
	[ "$(stat -c %u "$ROOM/mail/two.example/b")" = 5000 ]
}

@test "in a user namespace without the number it says where to run it" {
	mailbox x.y/ann 0
	echo 'vmail:x:5000:5000::/:' >"$BATS_TEST_TMPDIR/passwd"
	export ROOM VMAIL_BUILD BATS_TEST_TMPDIR
	run -1 unshare --user --map-root-user --mount bash -c '
		mount --bind "$BATS_TEST_TMPDIR/passwd" /etc/passwd
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" fixperms ann@x.y
		' 3>&-
	[[ $output == *"cannot be changed from this user namespace"*"run fixperms on the host"* ]]
	run -2 unshare --user --map-root-user \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" fixperms \
		--view rootless
	[[ $output == *"run it on the host"* ]]
}
