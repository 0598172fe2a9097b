#!/usr/bin/env bats
# check --fix: what it mends, what it leaves, and that it says so.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
	chmod 0755 "$ROOM"
	BARE=${QUICK#\{SHA512-CRYPT\}}
	STATE=$BATS_TEST_TMPDIR/state
	# A group of no other meaning, to read the hashes by.
	sed -i 's/^reader_group.*/reader_group = 4242/' "$ROOM/vmail.conf"
	chgrp 4242 "$P" "$ROOM/apppw" "$ROOM/deny"
}

teardown() {
	no_leftovers
}

# CODE:LINE of what was mended, and of what stays.
told_mended() {
	jq -r '.[] | select(.fixed) | "\(.code):\(.line // "")"' <<<"$output"
}

told_stays() {
	jq -r '.[] | select(.fixed | not) | "\(.code):\(.line // "")"' \
		<<<"$output"
}

# With this status; the talk is in $stderr.
fix() {
	run "-$1" --separate-stderr vmailadm --json check --fix
}

# What a second run would find is nothing, and it changes nothing.
no_more() { # STATUS
	find "$ROOM" -printf '%p %i %m %U:%G %T@ %C@ %s\n' | sort >"$STATE"
	fix "$1"
	[ -z "$(told_mended)" ]
	[[ $stderr == *"0 mended, "* ]]
	find "$ROOM" -printf '%p %i %m %U:%G %T@ %C@ %s\n' | sort |
		cmp - "$STATE"
}

current() {
	[ "$(vmailadm map 2>&1)" = 'all derived files are current' ]
}

@test "without a finding it finds nothing, needs no lock, and says so in every form" {
	fix 0
	[ "$output" = '[]' ]
	run -0 --separate-stderr vmailadm --output=csv check --fix
	[ "${lines[0]}" = severity,code,file,line,user,message,fix,fixed ]
	no_more 0
	mount --bind "$ROOM" "$ROOM"
	mount -o remount,bind,ro "$ROOM"
	fix 0
	umount "$ROOM"
	run -0 vmailadm with-lock -- "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" --wait=0 check --fix
}

@test "without --fix a finding has the keys it always had" {
	line "a@x.y:$BARE::::::"
	run -1 --separate-stderr vmailadm --json check
	[ "$(jq -c '.[0] | keys_unsorted' <<<"$output")" = \
		'["severity","code","file","line","user","message","fix"]' ]
	fix 0
	[ "$(jq -c '.[0] | [.code, .line, .user, .fixed]' <<<"$output")" = \
		'["password-bare",4,"a@x.y",true]' ]
}

@test "a bare hash gets {CRYPT}, and its user logs in as before" {
	line "a@x.y:$BARE:5005:5006:A:/h:/bin/x:b=c d"
	run -0 told testtest auth a@x.y
	fix 0
	[ "$(told_mended)" = password-bare:4 ]
	[ "$(tail -n 1 "$P")" = "a@x.y:{CRYPT}$BARE:5005:5006:A:/h:/bin/x:b=c d" ]
	head -n -1 "$P" | cmp - <(head -n -1 "$BATS_TEST_TMPDIR/before")
	cmp "$P-" "$BATS_TEST_TMPDIR/before"
	[ "$(stat -c %a:%U:%g "$P")" = 640:root:4242 ]
	run -0 told testtest auth a@x.y
	current
	no_more 0
}

@test "a hash behind ! becomes that hash and a lock, which unlock takes away" {
	line "a@x.y:!$BARE::::::b=c"
	line "b@x.y:!!$QUICK::::::"
	line "c@x.y:!$BARE"
	line "d@x.y:!$BARE::::::fail=vmail"
	fix 0
	[ "$(told_mended | sort -V | tr '\n' ' ')" = \
		'password-bare:4 password-bare:5 password-bare:6 password-bare:7 ' ]
	[[ $stderr == *"c@x.y: a password alone; its line is padded"* ]]
	tail -n 4 "$P" | cmp - <(printf '%s\n' \
		"a@x.y:{CRYPT}$BARE::::::fail=vmail b=c" \
		"b@x.y:$QUICK::::::fail=vmail" \
		"c@x.y:{CRYPT}$BARE::::::fail=vmail,pad=6" \
		"d@x.y:{CRYPT}$BARE::::::fail=vmail")
	for user in a b c d; do
		run -1 told testtest auth $user@x.y
		vmailadm -q unlock $user@x.y
		run -0 told testtest auth $user@x.y
	done
	[ "$(grep ^c@ "$P")" = "c@x.y:{CRYPT}$BARE" ]
}

@test "what no password fits, and what an empty one might, becomes {CRYPT}*" {
	for field in '*' '!' '!!' x '!*' '!x' '' '{PLAIN}' '{SHA512-CRYPT}' \
		'{CRYPT}' '!{PLAIN}'; do
		line "u$((++n))@x.y:$field:5005:5006::::a=b"
	done
	line 'alone@x.y'
	line $'cr@x.y:*::::::\r'
	fix 0
	for ((i = 1; i <= n; i++)); do
		grep -qxF "u$i@x.y:{CRYPT}*:5005:5006::::a=b" "$P"
	done
	grep -qxF 'alone@x.y:{CRYPT}*' "$P"
	grep -qxF $'cr@x.y:{CRYPT}*::::::\r' "$P"
	[ "$(told_mended | wc -l)" = $((n + 2)) ]
	for password in '*' '!' x '{CRYPT}*' ' '; do
		run -1 told "$password" auth u1@x.y
		run -1 told "$password" auth alone@x.y
	done
	no_more 0
}

@test "what is no hash stays, and is an error that stays" {
	for field in secret '!secret' '!!!' '*LK*' "!{NO}abc" \
		'{SHA512-CRYPT' "x$BARE"; do
		line "u$((++n))@x.y:$field::::::"
	done
	fix 1
	[ "$(told_mended)" = password-bare:6 ] # !!!
	[ "$(told_stays | wc -l)" = $((n - 1)) ]
	[[ $stderr == *"1 mended, 6 errors, 0 warnings"* ]]
	diff <(grep -v ^u3@ "$P") <(grep -v ^u3@ "$BATS_TEST_TMPDIR/before")
	no_more 1
}

@test "malformed lines, comments and the order of lines are never changed" {
	line 'bad@x.y::0:::::'
	line "bad2@x.y:!$BARE:root::::"
	printf '# a\n\n:*:x\nnul\0@x.y:\n%s\n%020500d:\n' "a@x.y:*" 1 >>"$P"
	printf 'last@x.y:' >>"$P" # no line feed
	vmailadm -q map
	cp "$P" "$BATS_TEST_TMPDIR/before"
	fix 1
	diff -a "$BATS_TEST_TMPDIR/before" "$P" >"$BATS_TEST_TMPDIR/diff" || true
	[ "$(grep -ac '^[<>]' "$BATS_TEST_TMPDIR/diff")" = 4 ]
	grep -axF '> a@x.y:{CRYPT}*' "$BATS_TEST_TMPDIR/diff"
	grep -axF '> last@x.y:{CRYPT}*' "$BATS_TEST_TMPDIR/diff"
	[ "$(told_stays | grep -c malformed)" = 4 ]
	no_more 1
}

@test "a line that would be too long for its lock stays" {
	long=$(printf '%s' "a@x.y:!$BARE::::::b=" | wc -c)
	line "a@x.y:!$BARE::::::b=$(printf 'c%.0s' $(seq $((20480 - long))))"
	fix 1
	[ "$(told_stays | head -n 1)" = password-bare:4 ]
	unchanged
}

@test "files of hashes are root's, and read by nobody but their group" {
	chown 5000 "$P"
	chmod 0666 "$P"
	chmod 0644 "$ROOM/apppw"
	chmod 0664 "$ROOM/deny"
	chgrp 4343 "$ROOM/deny"
	cp "$P" "$P-"
	chmod 0644 "$P-"
	chmod 0640 "$ROOM/.lock"
	fix 0
	[ "$(stat -c '%n %a %u:%g' "$P" "$ROOM/apppw" "$ROOM/deny" "$P-" \
		"$ROOM/.lock")" = "$P 640 0:4242
$ROOM/apppw 640 0:4242
$ROOM/deny 640 0:4343
$P- 600 0:0
$ROOM/.lock 600 0:0" ]
	unchanged
	[ "$(told_mended | sort | tr '\n' ' ')" = \
		'mode: owner: world-readable: world-readable: world-readable: world-readable: writable: writable: ' ]
	[ "$(told_stays)" = group: ] # 4343 is somebody's choice
	no_more 0
}

@test "who read the hashes by a right that goes is let in by the group, if none was chosen" {
	chgrp 0 "$P"
	chmod 0604 "$P"
	chown 5000:4242 "$ROOM/apppw"
	chmod 0600 "$ROOM/apppw"
	fix 0
	[ "$(stat -c '%a %u:%g' "$P" "$ROOM/apppw")" = '640 0:4242
640 0:4242' ]
	[ -z "$(told_stays)" ]
	# But nobody gets one whom nothing was taken from.
	chmod 0600 "$P"
	fix 0
	[ "$(told_stays)" = mode: ]
	[ "$(stat -c %a "$P")" = 600 ]
	chgrp 0 "$P"
	chmod 0660 "$P"
	fix 0
	[ "$(told_mended) $(told_stays)" = 'writable: group:' ]
	[ "$(stat -c '%a %g' "$P")" = '640 0' ]
}

@test "nothing is touched in a folder that others may write, or that is not root's" {
	line "a@x.y:*::::::"
	chmod 0644 "$P"
	for how in 'chmod 0777' 'chown 5000'; do
		$how "$ROOM"
		cp -p "$P" "$STATE.p"
		fix 1
		[ -z "$(told_mended)" ]
		[ "$(stat -c %a "$P")" = 644 ]
		unchanged
		chmod 0755 "$ROOM"
		chown 0 "$ROOM"
	done
	fix 0
}

@test "no link is followed to another file" {
	for name in apppw deny; do
		rm "$ROOM/$name"
		echo precious >"$BATS_TEST_TMPDIR/$name"
		chmod 0666 "$BATS_TEST_TMPDIR/$name"
		ln -s "$BATS_TEST_TMPDIR/$name" "$ROOM/$name"
	done
	ln -sf "$BATS_TEST_TMPDIR/apppw" "$P.cdb"
	fix 1
	[ "$(cat "$BATS_TEST_TMPDIR/apppw")" = precious ]
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/apppw")" = 666 ]
	[ "$(told_stays)" = $'kind:\nkind:' ]
	[ "$(told_mended)" = $'kind:\nmap-unusable:' ]
	[ -f "$P.cdb" ] && [ ! -L "$P.cdb" ] # that one is made anew
	run -0 vmailadm show "$FIELD_USER"
}

@test "the map and its like are made anew: missing, stale, damaged, of other settings, closed" {
	rm "$P.cdb" "$ROOM/deny"
	fix 0
	[ "$(told_mended | sort | tr '\n' ' ')" = 'map-missing: missing: ' ]
	current
	echo "late@x.y:$QUICK::::::" >>"$P"
	echo 'nss_enumerate = yes' >>"$ROOM/vmail.conf"
	fix 0
	[ "$(told_mended | sort | tr '\n' ' ')" = 'map-settings: map-stale: ' ]
	[[ $(cdb -q "$P.cdb" late@x.y) == :::* ]]
	current
	head -c 3000 /dev/urandom >"$P.cdb"
	fix 0
	[ "$(told_mended)" = map-damaged: ]
	current
	chmod 0600 "$P.cdb"
	fix 0
	[ "$(told_mended)" = mode: ]
	chown 5000 "$P.cdb"
	fix 0
	[ "$(told_mended | sort | tr '\n' ' ')" = 'map-unusable: owner: ' ]
	[ "$(stat -c %a:%U "$P.cdb")" = 644:root ]
	no_more 0
}

@test "a map and lines at once are one change, and the map fits it" {
	rm "$P.cdb"
	echo 'a@x.y' >>"$P"
	fix 0
	[ "$(told_mended | sort | tr '\n' ' ')" = \
		'map-missing: password-missing:4 ' ]
	current
	cdb -q "$P.cdb" a@x.y
}

@test "what NSS reads first is made anew where the passwd-file lies elsewhere" {
	mkdir "$ROOM/other"
	mv "$ROOM"/{passwd,passwd.cdb,apppw,deny,.lock} "$ROOM/other"
	sed -i "s|^passwd_file.*|passwd_file = $ROOM/other/passwd|" \
		"$ROOM/vmail.conf"
	fix 0
	[ "$(told_mended | sort | tr '\n' ' ')" = 'map-missing: map-settings: ' ]
	grep -aq "passwd_file=$ROOM/other/passwd" "$ROOM/passwd.cdb"
	run -0 vmailadm check
}

@test "left-over files of a killed writer are removed" {
	for left in "$P.tmp" "$P-.tmp" "$P.cdb.tmp" "$ROOM/apppw.tmp" \
		"$ROOM/deny.tmp"; do
		: >"$left"
	done
	run -0 vmailadm check
	fix 0
	[ "$(told_mended | grep -c leftover)" = 5 ]
	no_leftovers
	unchanged
	no_more 0
}

@test "what is there still after its mend is not said to be mended" {
	mkdir "$ROOM/deny.tmp"
	: >"$ROOM/apppw.tmp"
	fix 0
	[ "$(jq -r '.[] | "\(.fixed) \(.file)"' <<<"$output")" = \
		"true $ROOM/apppw.tmp
false $ROOM/deny.tmp" ]
	rmdir "$ROOM/deny.tmp"
}

# A commit in place of $BATS_TEST_TMPDIR/new, killed after so many bytes.
killed_after() {
	local new=$BATS_TEST_TMPDIR/new
	cp "$P" "$P-"
	chmod 0600 "$P-"
	{
		cat "$new"
		printf '\n# vmail-journal 1 %020d %s %s\n' \
			"$(stat -c %s "$new")" \
			"$(sha256sum <"$P" | cut -d' ' -f1)" \
			"$(sha256sum <"$new" | cut -d' ' -f1)"
	} >"$P.journal"
	chmod 0600 "$P.journal"
	{
		head -c "$1" "$new"
		tail -c +"$(($1 + 1))" "$P-"
	} >"$BATS_TEST_TMPDIR/torn"
	cat "$BATS_TEST_TMPDIR/torn" >"$P"
}

@test "the journal of a killed commit in place is replayed" {
	sed 's/^second/DECOND/' "$P" >"$BATS_TEST_TMPDIR/new"
	killed_after $(($(grep -b ^second "$P" | cut -d: -f1) + 3))
	then=$(stat -c %Y "$P-")
	grep -q ^DECond "$P"
	fix 0
	[[ $(told_mended) == *leftover:* ]]
	cmp "$P" "$BATS_TEST_TMPDIR/new"
	[ "$(stat -c %Y "$P")" -gt "$then" ]
	current
	no_more 0
}

@test "a journal that another hand has written past is kept, and said" {
	sed 's/^second/DECOND/' "$P" >"$BATS_TEST_TMPDIR/new"
	killed_after 3
	echo '# somebody' >>"$P"
	cp "$P" "$BATS_TEST_TMPDIR/before"
	cp "$P.journal" "$STATE"
	fix 1
	[[ $stderr == *"another hand"*"remove the .journal"* ]]
	unchanged
	cmp "$P.journal" "$STATE"
	rm "$P.journal"
}

@test "--dry-run says what would be mended, and changes nothing" {
	line "a@x.y:!$BARE"
	line 'b@x.y:secret::::::'
	chown 5000 "$P"
	chmod 0644 "$P"
	rm "$ROOM/deny"
	: >"$P.tmp"
	find "$ROOM" -printf '%p %i %m %U:%G %T@ %C@ %s\n' | sort >"$STATE"
	run -1 --separate-stderr vmailadm --json --dry-run check --fix
	[ "$(jq -r '.[] | "\(.would_fix) \(.code):\(.line // "")"' \
		<<<"$output" | sort | tr '\n' ' ')" = \
		'false passdb-only:4 false password-bare:5 true leftover: true missing: true owner: true password-bare:4 true world-readable: ' ]
	[[ $stderr == *"5 would be mended, 1 errors"* ]]
	find "$ROOM" -printf '%p %i %m %U:%G %T@ %C@ %s\n' | sort |
		cmp - "$STATE"
	sed -i '/^b@/d' "$P"
	chown 0 "$P"
	vmailadm -q map
	chmod 0640 "$P"
	echo 'c@x.y' >>"$P"
	run -0 vmailadm --dry-run check --fix # nothing of it would stay
	[[ $output == *"WOULD FIX"* ]]
}

@test "only root may, --dry-run included; to look is for everybody" {
	open=$(mktemp -d)
	chmod 0755 "$open"
	cp "$P" "$ROOM/views" "$open"
	chmod 0644 "$open/passwd"
	sed "s|^passwd_file.*|passwd_file = $open/passwd|" \
		"$ROOM/vmail.conf" >"$open/vmail.conf"
	for words in 'check --fix' '--dry-run check --fix'; do
		# shellcheck disable=SC2086
		run -6 setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$VMAIL_BUILD/vmailadm" --conf "$open/vmail.conf" $words
		[[ $output == *"only root may" ]]
	done
	run -1 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$VMAIL_BUILD/vmailadm" --conf "$open/vmail.conf" check
	rm -r "$open"
}

@test "a lock that somebody holds is said, and what needs it stays" {
	line 'a@x.y:*'
	chmod 0644 "$ROOM/deny"
	run -1 --separate-stderr vmailadm with-lock -- "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" --wait=0 --json check --fix
	[[ $stderr == *"another program is changing it"* ]]
	[ "$(told_mended)" = world-readable: ]
	[ "$(told_stays)" = $'password-bare:4\npassdb-only:4' ]
	unchanged
	sed -i '/^a@/d' "$P"
	vmailadm -q map
	: >"$P.tmp"
	# Only a warning stays, but it could not be mended: busy.
	run -5 vmailadm with-lock -- sh -c ": >'$P.tmp'
		'$VMAIL_BUILD/vmailadm' --conf '$ROOM/vmail.conf' --wait=0 check --fix"
	rm -f "$P.tmp"
}

@test "a commit that fails changes no line, and nothing is said to be mended" {
	line 'a@x.y:*::::::'
	line 'b@x.y:x::::::'
	# renameat: the new file into place.
	run -1 --separate-stderr strace -f -o "$BATS_TEST_TMPDIR/calls" \
		-e trace=renameat -e inject=renameat:error=EIO \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" --json \
		check --fix
	[ -z "$(told_mended)" ]
	[ "$(told_stays | wc -l)" = 2 ]
	[[ $stderr == *"Input/output error"* ]]
	unchanged
	run -1 --separate-stderr strace -f -o "$BATS_TEST_TMPDIR/calls" \
		-e trace=fchmod -e inject=fchmod:error=EPERM \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" --json \
		check --fix
	unchanged
}

@test "a closed pipe is a failure, and does not stop it half way" {
	for i in {1..200}; do
		echo "u$i@x.y:*::::::"
	done >>"$P"
	line 'a@x.y:*::::::'
	chmod 0644 "$P"
	vmailadm --json check --fix | true
	[ "${PIPESTATUS[0]}" = 1 ]
	[ "$(tail -n 1 "$P")" = 'a@x.y:{CRYPT}*::::::' ]
	[ "$(stat -c %a "$P")" = 640 ]
}

@test "many lines are mended in one commit" {
	for i in {1..3000}; do
		echo "u$i@x.y:$BARE::::::"
	done >>"$P"
	vmailadm -q map
	was=$(stat -c %i "$P")
	fix 0
	[ "$(told_mended | wc -l)" = 3000 ]
	[ "$(grep -c ':{CRYPT}\$6' "$P")" = 3000 ]
	[ "$(stat -c %i "$P-")" = "$was" ]
	current
	run -0 told testtest auth u2999@x.y
}
