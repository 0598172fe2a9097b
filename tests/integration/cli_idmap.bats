#!/usr/bin/env bats
# idmap: the systems that share the files, and their numbers.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
	cc -std=c11 -D_GNU_SOURCE -O1 -o "$BATS_FILE_TMPDIR/idmap_ns" \
		"${VMAIL_SOURCE:-.}/tests/integration/idmap_ns.c"
	# Numbers of a namespace pass here.
	chmod 755 "$BATS_RUN_TMPDIR" "${BATS_FILE_TMPDIR%/*}" "$BATS_FILE_TMPDIR"
}

setup() {
	load cli_room
	vmailadm() {
		in_private_etc "$@"
	}
	T=$BATS_TEST_TMPDIR
	NS=()
	chmod 755 "${T%/*}" "$T"
	grep -v -e '^vmail:' -e ':5000:' -e ':1000:' /etc/passwd >"$T/passwd"
	grep -v -e '^vmail:' -e ':5000:' -e ':1000:' /etc/group >"$T/group"
	echo 'person:x:1000:1000::/:/bin/sh' >>"$T/passwd"
	echo 'person:x:1000:' >>"$T/group"
	printf '%s\n' 'passwd: files' 'group: files' >"$T/nsswitch.conf"
	furnish
	chgrp 5000 "$P" "$ROOM/apppw" "$ROOM/deny"
	sed -i "s,^home = .*,home = $T/mail/vhosts/%d/%n," "$ROOM/vmail.conf"
	vmailadm -q map
}

teardown() {
	[ ${#NS[@]} -eq 0 ] || kill "${NS[@]}"
}

# On a machine where 1000 is somebody, and 5000 and vmail nobody.
in_private_etc() {
	unshare --mount --propagation private bash -euc '
		for file in passwd group nsswitch.conf; do
			mount --bind "$1/$file" "/etc/$file"
		done
		shift
		exec "$@"' - "$BATS_TEST_TMPDIR" \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" "$@"
}

views() { # LINE...
	printf '%s\n' "$@" >"$ROOM/views"
	vmailadm -q map
}

three_views() {
	views '# mine' 'host vmail 5000:5000 -' 'dovecot vmail 1000:1000 -' \
		'rootless vmail 1000:1000 0:1000:1,1:100000:65536' \
		'ns vmail 1000:1000 0:200000:65536'
}

# A process of a container; its number in PID.
container() { # ARGUMENT...
	local fifo
	fifo=$(mktemp -u "$T/fifo.XXXX")
	mkfifo "$fifo"
	"$BATS_FILE_TMPDIR/idmap_ns" "$@" >"$fifo" 3>&- &
	NS+=($!)
	read -r PID <"$fifo"
}

# Its root folder, where vmail has those numbers.
image() { # UID:GID
	mkdir -p "$T/image/etc/vmail"
	echo "vmail:x:$1::/:/bin/sh" >"$T/image/etc/passwd"
}

emit() { # FORM VIEW [OPTION...]
	vmailadm idmap emit --for "$@" 2>"$T/talk"
}

map_has() {
	cdb -q "$1" :vmail | grep -qxF "$2"
}

@test "list shows what each view's number is on the disk, and whose it is here" {
	three_views
	run -0 vmailadm idmap list --json
	[ "$(jq -c '.[] | [.view, .uid, .disk_uid, .disk_gid, .user, .line]' \
		<<<"$output")" = '["host",5000,5000,5000,"5000",2]
["dovecot",1000,1000,1000,"person",3]
["rootless",1000,100999,100999,"100999",4]
["ns",1000,201000,201000,"201000",5]' ]
	[ "$(jq -r '.[] | .remark // "-"' <<<"$output" | tr '\n' '|')" = \
		'-|collision: here that is person|-|-|' ]
	run -0 vmailadm idmap list
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[2]} == 'dovecot '*' person '*collision* ]]
	run -0 vmailadm idmap list --output=csv
	[ "${lines[0]}" = 'view,identity,uid,gid,namespace,disk_uid,disk_gid,user,group,line,remark' ]
	[ "${lines[3]}" = 'rootless,vmail,1000,1000,"0:1000:1,1:100000:65536",100999,100999,100999,100999,4,' ]
}

@test "list names a malformed line with its number and reason, and shows the rest" {
	views 'host vmail 5000:5000 -' 'a vmail 1000:1000 0:1:0' \
		'b vmail 7:7 0:5:10,5:100:10' 'c vmail 1000' \
		'd vmail 1998:1998 -' 'd vmail 9:9 -' 'e vmail 70000:70000 0:5:100'
	run -1 --separate-stderr vmailadm idmap list --json
	[ "$(jq -r '.[] | "\(.view) \(.remark)"' <<<"$output")" = 'host null
d null
d twice: the first line counts
e outside its own namespace' ]
	[[ $stderr == *"$ROOM/views:2: malformed"*"count of 0"* ]]
	[[ $stderr == *"$ROOM/views:3: malformed"*overlap* ]]
	[[ $stderr == *"$ROOM/views:4: malformed"*"four fields"* ]]
}

@test "add appends one line, keeps every other byte, and the map knows it" {
	printf '# mine\n\nhost  vmail\t5000:5000 -  \nbroken line\r\n' \
		>"$ROOM/views"
	cp "$ROOM/views" "$T/was"
	chmod 640 "$ROOM/views"
	chgrp 77 "$ROOM/views"
	run -0 vmailadm idmap add rootless --ids 1000:1000 \
		--map 0:1000:1,1:100000:65536
	line='rootless vmail 1000:1000 0:1000:1,1:100000:65536'
	[[ $output == *"added: $line"* ]]
	echo "$line" | cat "$T/was" - | cmp - "$ROOM/views"
	[ "$(stat -c '%a %u:%g' "$ROOM/views")" = '640 0:77' ]
	map_has "$P.cdb" "$line"
	no_leftovers
	unchanged
}

@test "add again with the same numbers does nothing, with others is status 4" {
	vmailadm -q idmap add ns --ids 1000:1000 --map 0:200000:65536
	cp "$ROOM/views" "$T/was"
	was=$(stat -c '%i %Y' "$ROOM/views")
	run -0 vmailadm idmap add ns --ids 1000:1000 \
		--map 0:200000:1000,1000:201000:64536
	[[ $output == *already* ]]
	run -4 vmailadm idmap add ns --ids 1001:1000 --map 0:200000:65536
	[[ $output == *"1000:1000 0:200000:65536"*"idmap del ns"* ]]
	run -4 vmailadm idmap add ns --ids 1000:1000 --map 0:200000:65535
	run -4 vmailadm idmap add ns --ids 1000:1000
	cmp "$ROOM/views" "$T/was"
	[ "$(stat -c '%i %Y' "$ROOM/views")" = "$was" ]
	run -0 vmailadm idmap add ns --identity archive --ids 7000:7000 \
		--map 0:200000:65536
	grep -qx 'ns archive 7000:7000 0:200000:65536' "$ROOM/views"
}

@test "each bad number or range is refused with the accepted form, and nothing is changed" {
	cp "$ROOM/views" "$T/was"
	while IFS='|' read -r arguments words; do
		# shellcheck disable=SC2086
		run -2 vmailadm idmap add $arguments
		[[ $output == *"$words"* ]] || {
			echo "$arguments: $output"
			false
		}
		[[ $output == *UID:GID* || $output == *inside:outside:count* ||
			$output == *RANGES* ||
			$output == *exclude* || $output == *range* ]]
	done <<-'END'
		bad|--ids UID:GID
		bad --ids 1000|UID:GID, two numbers
		bad --ids 1000:|UID:GID, two numbers
		bad --ids -1:1|UID:GID, two numbers
		bad --ids 4294967295:1|4294967294
		bad --ids 4294967296:1|4294967294
		bad --ids 0:0|never 65534
		bad --ids 1000:65534|never 65534
		bad --ids 1000:1000 --map 0:100000|inside:outside:count
		bad --ids 1000:1000 --map 0:100000:x|inside:outside:count
		bad --ids 1000:1000 --map 0:100000:0|count of 0
		bad --ids 1000:1000 --map 0:100000:65536,1:900000:5|overlap
		bad --ids 1000:1000 --map 0:100000:65536,70000:100500:5|overlap
		bad --ids 1000:1000 --map 0:4294967000:65536|beyond 4294967294
		bad --ids 1000:1000 --map 4294967000:0:65536|beyond 4294967294
		bad --ids 1000:1000 --map 0:100000:1000|does not hold 1000:1000
		bad --ids 1000:1000 --map|needs a value: RANGES
		a/b --ids 1000:1000|the view's name
		bad --ids 1000:1000 --map 0:1:2 --from-pid 1|exclude each other
	END
	run -2 vmailadm idmap add 'two words' --ids 1000:1000
	run -2 vmailadm idmap add $'x vmail 1:1 -\nhost' --ids 1000:1000
	run -2 vmailadm idmap add '#x' --ids 1000:1000
	run -2 vmailadm idmap add x --ids 1000:1000 --map '- #'
	run -2 vmailadm idmap add x --ids 1000:1000 --identity '@all'
	cmp "$ROOM/views" "$T/was"
}

@test "an option of another part, a missing word or one too many is status 2" {
	run -2 vmailadm idmap
	run -2 vmailadm idmap frob
	[[ $output == *"list, add, del, show, of or emit"* ]]
	run -2 vmailadm idmap add
	run -2 vmailadm idmap of
	run -2 vmailadm idmap of 0
	run -2 vmailadm idmap of 12x
	run -2 vmailadm idmap list more
	run -2 vmailadm idmap list --ids 1:1
	[[ $output == *"--ids belongs to idmap add"* ]]
	run -2 vmailadm idmap del x --map -
	run -2 vmailadm idmap show --from-pid 1
	run -2 vmailadm idmap of 1 --for podman
	run -2 vmailadm idmap show --mounted
	run -2 vmailadm idmap emit host --identity vmail
	run -2 vmailadm idmap emit host
	run -2 vmailadm idmap emit host --for lxc
	[[ $output == *"compose, podman, quadlet, nspawn, mount or kubernetes"* ]]
	run -2 vmailadm idmap emit host --for mount --mounted
	run -3 vmailadm idmap emit nowhere --for podman
	run -2 vmailadm idmap show 4294967295
}

@test "a dry run says the line, and neither file nor map is touched" {
	stat -c '%n %Y %Z %i %s' "$ROOM"/* >"$T/was"
	run -0 vmailadm --dry-run idmap add x --ids 1000:1000
	[[ $output == *"would add to $ROOM/views: x vmail 1000:1000 -"* ]]
	run -1 vmailadm --dry-run idmap del host
	run -0 vmailadm --dry-run --force idmap del host
	[[ $output == *"would take 1 line out of $ROOM/views"* ]]
	stat -c '%n %Y %Z %i %s' "$ROOM"/* | cmp - "$T/was"
}

@test "add warns where the number is a person's here, and says what to do" {
	run -0 --separate-stderr vmailadm idmap add dovecot --ids 1000:1000
	[[ $stderr == *"dovecot: what vmail writes there as 1000 is person's"* ]]
	[[ $stderr == *"user 5000:5000"*VMAIL_UID=5000*"emit --for mount dovecot"* ]]
	run -0 --separate-stderr vmailadm idmap add free --ids 1999:1999
	[[ $stderr != *warning* ]]
	run -0 --separate-stderr vmailadm idmap add same --ids 5000:5000
	[[ $stderr != *warning* ]]
	run -0 --separate-stderr vmailadm idmap add taken --ids 5:5 \
		--map 0:0:1,5:1000:1
	[[ $stderr == *"as 5 is person's"* ]]
}

@test "del takes out the view's lines alone; an unknown one is status 3" {
	views '# mine' 'host vmail 5000:5000 -' 'x vmail 1:1 -' \
		'x archive 2:2 -' 'x vmail rubbish' 'xy vmail 3:3 -'
	run -3 vmailadm idmap del nowhere
	run -3 vmailadm idmap del host --identity archive
	[[ $output == *"host: has numbers for vmail"* ]]
	run -0 vmailadm idmap del x
	[ "$(<"$ROOM/views")" = '# mine
host vmail 5000:5000 -
x archive 2:2 -
xy vmail 3:3 -' ]
	cdb -q "$P.cdb" :vmail >"$T/header"
	grep -qx 'x archive 2:2 -' "$T/header"
	run -1 grep -x 'x vmail 1:1 -' "$T/header"
	run -3 vmailadm idmap del x
	run -0 vmailadm idmap del x --identity archive
	run -1 grep -c archive "$ROOM/views"
}

@test "the host's line goes with --force alone" {
	cp "$ROOM/views" "$T/was"
	run -1 vmailadm idmap del host
	[[ $output == *"mend: if that is meant: --force"* ]]
	cmp "$ROOM/views" "$T/was"
	run -0 vmailadm --force idmap del host
	[ ! -s "$ROOM/views" ]
}

@test "only root changes views; everybody may list them" {
	three_views
	cp "$VMAIL_BUILD/vmailadm" "$T/vmailadm"
	run -6 setpriv --reuid 1234 --regid 1234 --clear-groups \
		"$T/vmailadm" --conf "$ROOM/vmail.conf" idmap add x --ids 1:1
	[[ $output == *"only root may"* ]]
	run -6 setpriv --reuid 1234 --regid 1234 --clear-groups \
		"$T/vmailadm" --conf "$ROOM/vmail.conf" idmap del ns
	run -0 setpriv --reuid 1234 --regid 1234 --clear-groups \
		"$T/vmailadm" --conf "$ROOM/vmail.conf" idmap list --json
	[ "$(jq length <<<"$output")" -eq 4 ]
}

@test "where each domain has a file, all maps and the header learn of the change" {
	rm "$P" "$P".cdb "$ROOM/.lock"
	mkdir "$ROOM/domains"
	echo "passwd_file = $ROOM/domains/%d/passwd" >"$ROOM/vmail.conf"
	told longpassword useradd --no-home a@a.example
	told longpassword useradd --no-home b@b.example
	vmailadm -q map
	run -0 vmailadm idmap add ns --ids 1000:1000 --map 0:200000:65536
	line='ns vmail 1000:1000 0:200000:65536'
	map_has "$ROOM/passwd.cdb" "$line"
	map_has "$ROOM/domains/a.example/passwd.cdb" "$line"
	map_has "$ROOM/domains/b.example/passwd.cdb" "$line"
	emit mount ns | grep -qF " $ROOM /run/vmail-idmap/ns/conf"
	container 0:200000:65536
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -r '.folder' <<<"$output")" = "$ROOM/domains" ]
}

@test "a change whose map cannot be made is done, and said to be half the work" {
	rm "$P"
	run -0 vmailadm idmap add free --ids 1999:1999
	[[ $output == *"the change is done, but the maps do not know it yet"* ]]
	grep -qx 'free vmail 1999:1999 -' "$ROOM/views"
}

@test "a writer that holds the lock makes it wait, then busy" {
	cp "$ROOM/views" "$T/was"
	mkfifo "$T/held" "$T/go"
	"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" -q with-lock -- \
		bash -c "echo >'$T/held'; read -r <'$T/go'" 3>&- &
	read -r <"$T/held"
	run -5 vmailadm --wait 0 idmap add x --ids 1:1
	echo >"$T/go"
	wait $!
	cmp "$ROOM/views" "$T/was"
}

@test "show answers who a number is, in every system" {
	three_views
	run -0 vmailadm idmap show 1000 --json
	[ "$(jq -c '.[] | [.system, .name, .disk, .shown, .shown_name]' \
		<<<"$output")" = '["here","person",1000,1000,"person"]
["dovecot","vmail",1000,1000,"vmail"]
["rootless","vmail",100999,0,"root"]
["ns","vmail",201000,null,null]' ]
	run -0 vmailadm idmap show 100999 --json
	[ "$(jq -c '.[] | [.system, .name, .disk, .shown, .shown_name]' \
		<<<"$output")" = '["here","vmail-rootless",100999,100999,"vmail-rootless"]
["dovecot",null,100999,100999,null]
["rootless",null,null,1000,"vmail"]
["ns",null,null,null,null]' ]
	run -0 vmailadm idmap show 5000
	[[ ${lines[1]} == "here "*" vmail "*"4: the host's line" ]]
}

@test "show answers which number a name has, where, and by which step" {
	three_views
	run -0 vmailadm idmap show vmail --json
	[ "$(jq -c '.[] | [.system, .uid, .disk_uid, .user]' <<<"$output")" = \
		'["here",5000,5000,"5000"]
["dovecot",1000,1000,"person"]
["rootless",1000,100999,"100999"]
["ns",1000,201000,"201000"]' ]
	[ "$(vmailadm idmap show --json)" = "$output" ]
	[[ $(jq -r '.[1].why' <<<"$output") == 'views:3; collision'*person ]]
	run -0 vmailadm idmap show person
	[[ $output == *"no identity"* ]]
	run -0 vmailadm idmap show vmail-rootless --json
	[ "$(jq -c '.[] | [.system, .uid]' <<<"$output")" = '["here",100999]' ]
	run -3 vmailadm idmap show nobody-knows-me
}

why() { # [SETUP]: of the identity here, in a namespace of its own
	unshare --mount --uts --propagation private bash -euc '
		for file in passwd group nsswitch.conf; do
			mount --bind "$1/$file" "/etc/$file"
		done
		mount -t tmpfs run /run
		eval "$3"
		"$VMAIL_BUILD/vmailadm" --conf "$2/vmail.conf" --json idmap \
			show vmail | jq -r ".[0] | \"\(.uid) \(.why)\""
	' - "$T" "$ROOM" "${1:-}"
}

@test "show says which of the five steps answered" {
	export VMAIL_BUILD
	three_views
	[[ $(why 'mkdir /run/vmail; echo dovecot >/run/vmail/view') == \
		'1000 1: '*dovecot ]]
	[[ $(why) == "5000 4: "* ]]
	[[ $(why 'hostname dovecot') == '1000 3: '*dovecot ]]
	[[ $(why 'hostname host') == '5000 4: '* ]]
	echo 'vmail:x:5000:5000::/:/bin/sh' >>"$T/passwd"
	[[ $(why) == '5000 2: '*/etc/passwd ]]
	[[ $(why 'hostname dovecot') == '5000 2: '* ]]
	sed -i '/^vmail:/d' "$T/passwd"
	views 'dovecot vmail 1000:1000 -'
	[[ $(why) == 'null 5: '* ]]
}

@test "of knows a process of the host" {
	three_views
	run -0 --separate-stderr vmailadm idmap of $$ --json
	[ "$(jq -c '[.depth, .uid_map, .view, .uid, .disk_uid, .passwd]' \
		<<<"$output")" = '[0,"-","host",5000,5000,null]' ]
	[ "$(jq -c '[.folder, .idmapped, .file_owner, .file_mode]' \
		<<<"$output")" = "[\"$ROOM\",false,\"0:5000\",\"0640\"]" ]
	[[ $stderr != *warning* ]]
}

@test "of finds the view of a user namespace, and what its number is on the disk" {
	three_views
	image 1000:1000
	container -r "$T/image" -b "$ROOM:/etc/vmail" 0:200000:65536
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.depth, .uid_map, .view, .uid, .gid, .disk_uid, .disk_gid,
		.passwd, .agrees]' <<<"$output")" = \
		'[1,"0:200000:65536","ns",1000,1000,201000,201000,"1000:1000",true]' ]
	[ "$(jq -c '[.folder, .idmapped, .file_owner]' <<<"$output")" = \
		'["/etc/vmail",false,"65534:65534"]' ]
	[[ $stderr != *"no view"* ]]
	container 0:1000:1,1:100000:65536
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.view, .uid, .disk_uid]' <<<"$output")" = \
		'["rootless",1000,100999]' ]
}

@test "of sees an idmapped folder, as whose it shows there, and no collision" {
	three_views
	image 1000:1000
	container -n dovecot -r "$T/image" -i "$ROOM:/etc/vmail:5000:1000"
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.hostname, .view, .uid, .folder, .idmapped, .file_owner]' \
		<<<"$output")" = \
		'["dovecot","dovecot",1000,"/etc/vmail",true,"0:1000"]' ]
	[[ $stderr != *person* ]]
	container -n dovecot -r "$T/image"
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -r '.folder' <<<"$output")" = null ]
	[[ $stderr == *person*"does not see the folder"*"emit --for"* ]]
}

@test "of answers in a nested namespace what the host's disk will say" {
	three_views
	container 0:200000:65536 0:1000:2000
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.depth, .uid_map, .view]' <<<"$output")" = \
		'[2,"0:201000:2000",null]' ]
	[[ $stderr == *"no view has its namespace"*"--from-pid $PID"* ]]
	vmailadm -q idmap add inner --ids 7:7 --from-pid "$PID"
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.view, .uid, .disk_uid]' <<<"$output")" = \
		'["inner",7,201007]' ]
}

@test "of says that groups are of no use where setgroups is denied" {
	three_views
	container -d 0:200000:65536
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -r .setgroups <<<"$output")" = deny ]
	[[ $stderr == *"setgroups is denied"* ]]
}

@test "of says when the image's own passwd file has another number than the view" {
	three_views
	image 1001:1001
	container -r "$T/image" 0:200000:65536
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.view, .uid, .disk_uid, .agrees]' <<<"$output")" = \
		'["ns",1001,201001,false]' ]
	[[ $stderr == *"says 1001:1001, view ns says 1000:1000"* ]]
	[[ $stderr == *"mend: vmailadm idmap del ns; vmailadm idmap add ns --from-pid $PID"* ]]
}

@test "of does not take a container for the host because it has no namespace" {
	image 1001:1001
	container -n plain -r "$T/image"
	run -0 --separate-stderr vmailadm idmap of "$PID" --json
	[ "$(jq -c '[.view, .uid, .disk_uid, .agrees]' <<<"$output")" = \
		'[null,1001,1001,true]' ]
	[[ $stderr == *"mend: vmailadm idmap add NAME --from-pid $PID"$'\n'* ]]
}

@test "of refuses what it cannot know: no process, no numbers yet, not the host" {
	three_views
	run -1 vmailadm idmap of 2147483647
	[[ $output == *"no such process"* ]]
	mkfifo "$T/go"
	unshare -U bash -c "read -r <'$T/go'" 3>&- &
	until [ "$(readlink /proc/$!/ns/user)" != \
		"$(readlink /proc/$$/ns/user)" ]; do kill -0 $!; done
	run -1 vmailadm idmap of $!
	[[ $output == *"no numbers yet"* ]]
	echo >"$T/go"
	run -1 unshare -Ur "$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" \
		idmap of $$
	[[ $output == *"not the host"* ]]
}

@test "add --from-pid takes namespace and numbers from a running container" {
	image 1000:1000
	container -r "$T/image" 0:200000:65536
	run -0 vmailadm idmap add box --from-pid "$PID"
	grep -qx 'box vmail 1000:1000 0:200000:65536' "$ROOM/views"
	container -r "$T/image" -n plain
	run -0 vmailadm idmap add plain --from-pid "$PID"
	grep -qx 'plain vmail 1000:1000 -' "$ROOM/views"
	container -r "$T/image" 0:300000:500,500:700000:1000 \
		0:100:400,400:500:200
	run -0 vmailadm idmap add inner --ids 9:9 --from-pid "$PID"
	grep -qx 'inner vmail 9:9 0:300100:400,400:700000:200' "$ROOM/views"
}

@test "add --from-pid without an account there, or with two maps that differ, is refused" {
	cp "$ROOM/views" "$T/was"
	image 1000:1000
	sed -i s/vmail/nobody/ "$T/image/etc/passwd"
	container -r "$T/image" 0:200000:65536
	run -1 vmailadm idmap add box --from-pid "$PID"
	[[ $output == *"no account vmail"*"--ids UID:GID"* ]]
	rm "$T/image/etc/passwd"
	run -1 vmailadm idmap add box --from-pid "$PID"
	image 1000:1000
	container -g 0:300000:65536 -r "$T/image" 0:200000:65536
	run -1 vmailadm idmap add box --from-pid "$PID"
	[[ $output == *"gid_map is another"*subgid* ]]
	container -g 0:300000:10,10:200010:65526 -r "$T/image" 0:200000:65536
	cmp "$ROOM/views" "$T/was"
	run -0 vmailadm idmap add box --from-pid "$PID"
	[[ $output == *"warning"*"gid_map is another"* ]]
	grep -qx 'box vmail 1000:1000 0:200000:65536' "$ROOM/views"
}

@test "a container's passwd file is read as data alone: no device, no way out" {
	cp "$ROOM/views" "$T/was"
	mkdir -p "$T/image/etc"
	container -r "$T/image" 0:200000:65536
	mkfifo "$T/image/etc/passwd"
	run -6 vmailadm idmap add box --from-pid "$PID"
	rm "$T/image/etc/passwd"
	mknod "$T/image/etc/passwd" c 1 5
	run -6 vmailadm idmap add box --from-pid "$PID"
	rm "$T/image/etc/passwd"
	echo 'vmail:x:1000:1000::/:' >"$T/outside"
	ln -s "$T/outside" "$T/image/etc/passwd"
	run -1 vmailadm idmap add box --from-pid "$PID"
	ln -sf ../../outside "$T/image/etc/passwd"
	run -1 vmailadm idmap add box --from-pid "$PID"
	rm "$T/image/etc/passwd"
	{
		printf 'vmail:x:1000:1000::/:\n'
		head -c 1048576 /dev/zero
	} >"$T/image/etc/passwd"
	run -1 vmailadm idmap add box --from-pid "$PID"
	[[ $output == *"too large"* ]]
	printf 'vmail:x:1000 2000:1:\nvmail:x:4294967295:1:\n' \
		>"$T/image/etc/passwd"
	run -1 vmailadm idmap add box --from-pid "$PID"
	cmp "$ROOM/views" "$T/was"
}

# What emit prints, as JSON, for the forms that are YAML.
yaml() {
	python3 -c 'import json, sys, yaml
print(json.dumps(yaml.safe_load(sys.stdin)))'
}

@test "emitted compose is YAML with the host's numbers, or idmapped folders" {
	three_views
	emit compose dovecot | yaml >"$T/out"
	[ "$(jq -c '.services.dovecot | [.hostname, .user, .group_add]' \
		"$T/out")" = '["dovecot","5000:5000",null]' ]
	[ "$(jq -c '.services.dovecot.volumes[] |
		[.type, .source, .target, .read_only, .bind.create_host_path]' \
		"$T/out")" = "[\"bind\",\"$ROOM\",\"$ROOM\",true,false]
[\"bind\",\"$T/mail/vhosts\",\"$T/mail/vhosts\",false,false]" ]
	emit compose dovecot --mounted | yaml >"$T/out"
	[ "$(jq -c '.services.dovecot | [.user, .volumes[].source]' \
		"$T/out")" = '[null,"/run/vmail-idmap/dovecot/conf","/run/vmail-idmap/dovecot/mail"]' ]
	emit compose rootless >"$T/text"
	yaml <"$T/text" >"$T/out"
	[ "$(jq -c '.services.rootless.user' "$T/out")" = null ]
	grep -qx '#   vmailadm fixperms --view rootless --acl' "$T/text"
	emit compose host | yaml >"$T/out"
	[ "$(jq -c '.services.host | [.user, .volumes[0].source]' "$T/out")" = \
		"[null,\"$ROOM\"]" ]
}

@test "a group that may read the files is given to whom it helps" {
	three_views
	chgrp 998 "$P"
	emit compose dovecot | yaml >"$T/out"
	[ "$(jq -c '.services.dovecot.group_add' "$T/out")" = '["998"]' ]
	emit kubernetes dovecot | yaml >"$T/out"
	[ "$(jq -c '.spec.securityContext.supplementalGroups' "$T/out")" = \
		'[998]' ]
	emit podman host | grep -qF -- '--group-add 998 '
	emit quadlet host | grep -qx 'GroupAdd=998'
	emit podman dovecot >"$T/out"
	grep -qF 'gids=0-0-1#998-1000-1' "$T/out"
	grep -qF "$T/mail/vhosts:idmap=uids=0-0-1#5000-1000-1;gids=0-0-1#5000-1000-1'" "$T/out"
	chgrp 0 "$P"
	emit podman dovecot >"$T/out"
	grep -q 'its group is root' "$T/talk"
	grep -q 'mend: reader_group = vmail' "$T/talk"
}

@test "an ACL is not proposed for a number that is somebody's here" {
	views 'host vmail 5000:5000 -' 'odd vmail 5:5 0:2000:1,5:1000:1'
	emit compose odd >"$T/out"
	run -1 grep -e --acl "$T/out"
	grep -q 'no ACL: 1000 is somebody' "$T/out"
}

# The words of the podman command, one a line.
words() {
	bash -c 'podman() { printf "%s\n" "$@"; }; eval "$(cat)"'
}

@test "emitted podman is one command whose mounts are idmapped, root included" {
	three_views
	emit podman dovecot | words >"$T/out"
	diff "$T/out" - <<-END
		run
		--name
		dovecot
		--hostname
		dovecot
		-v
		$ROOM:$ROOM:ro,idmap=uids=0-0-1#5000-1000-1;gids=0-0-1#5000-1000-1
		-v
		$T/mail/vhosts:$T/mail/vhosts:idmap=uids=0-0-1#5000-1000-1;gids=0-0-1#5000-1000-1
		IMAGE
	END
	emit podman ns | words >"$T/out"
	[ "$(grep -A1 -x -e '--[ug]idmap' "$T/out" | tr '\n' ' ')" = \
		'--uidmap 0:200000:65536 --gidmap 0:200000:65536 ' ]
	grep -qF 'idmap=uids=0-200000-1#5000-201000-1;gids=0-200000-1#5000-201000-1' "$T/out"
	emit podman rootless | words >"$T/out"
	run -1 grep -e idmap -e uidmap "$T/out"
	emit podman dovecot --mounted | words >"$T/out"
	grep -qx "/run/vmail-idmap/dovecot/conf:$ROOM:ro" "$T/out"
	run -2 emit podman rootless --mounted
}

# The sections and keys a unit may have; prints KEY=VALUE.
unit() { # SECTION=KEY,KEY...
	awk -v known="$*" '
		BEGIN {
			n = split(known, sections, " ")
			for (i = 1; i <= n; i++) {
				split(sections[i], pair, "=")
				m = split(pair[2], keys, ",")
				for (j = 1; j <= m; j++)
					good[pair[1] "/" keys[j]] = 1
			}
		}
		/^#/ || /^$/ { next }
		/^\[.*\]$/ { section = substr($0, 2, length - 2); next }
		{
			key = substr($0, 1, index($0, "=") - 1)
			if (!((section "/" key) in good)) {
				print "strange: " section "/" key; exit 1
			}
			print section "/" $0
		}'
}

quadlet_unit() {
	unit Unit=Description Container=ContainerName,HostName,Image,UIDMap,GIDMap,GroupAdd,Volume \
		Install=WantedBy
}

@test "an emitted quadlet says what the podman command says" {
	three_views
	emit quadlet ns | quadlet_unit >"$T/out"
	grep -qx 'Container/UIDMap=0:200000:65536' "$T/out"
	grep -qx 'Container/GIDMap=0:200000:65536' "$T/out"
	grep -qx 'Container/HostName=ns' "$T/out"
	for view in dovecot ns rootless host; do
		emit podman "$view" | words | grep -A1 -x -e -v | grep : |
			diff - <(emit quadlet "$view" | quadlet_unit |
				sed -n 's,^Container/Volume=,,p')
	done
	emit quadlet rootless | grep -qF '/.config/containers/systemd'
}

@test "an emitted .nspawn has one range and folders that mount has idmapped" {
	three_views
	emit nspawn ns >"$T/text"
	unit Exec=Hostname,PrivateUsers Files=Bind,BindReadOnly <"$T/text" \
		>"$T/out"
	diff "$T/out" - <<-END
		Exec/Hostname=ns
		Exec/PrivateUsers=200000:65536
		Files/BindReadOnly=/run/vmail-idmap/ns/conf:$ROOM
		Files/Bind=/run/vmail-idmap/ns/mail:$T/mail/vhosts
	END
	grep -qF -- "systemd-nspawn -M ns --hostname=ns --private-users=200000:65536 --bind-ro=/run/vmail-idmap/ns/conf:$ROOM --bind=/run/vmail-idmap/ns/mail:$T/mail/vhosts -b" "$T/text"
	grep -q 'emit --for mount ns' "$T/text"
	emit nspawn dovecot | grep -qx 'PrivateUsers=no'
	emit nspawn host | grep -qx "BindReadOnly=$ROOM:$ROOM"
	run -1 emit nspawn rootless
	grep -q 'one range' "$T/talk"
}

@test "emitted mounts are a script and fstab lines that mount(8) reads alike" {
	three_views
	emit mount ns >"$T/text"
	bash -n "$T/text"
	grep -qxF "mount --bind -o 'ro,nosuid,nodev,noexec,X-mount.mkdir=0700,X-mount.idmap=u:0:200000:1 u:5000:201000:1 g:0:200000:1 g:5000:201000:1' $ROOM /run/vmail-idmap/ns/conf" "$T/text"
	grep -qxF "mount --bind -o 'nosuid,nodev,noexec,X-mount.mkdir=0700,X-mount.idmap=u:0:200000:1 u:5000:201000:1 g:0:200000:1 g:5000:201000:1' $T/mail/vhosts /run/vmail-idmap/ns/mail" "$T/text"
	grep -qF 'install -d -m 0700 /run/vmail-idmap' "$T/text"
	grep -qF "grep ' /run/vmail-idmap/ns/conf .*idmapped' /proc/self/mountinfo" "$T/text"
	sed -n 's/^#   \(.* none bind,\)/\1/p' "$T/text" >"$T/fstab"
	[ "$(findmnt --tab-file "$T/fstab" -n -o SOURCE,TARGET,OPTIONS -r \
		--target /run/vmail-idmap/ns/conf | sed 's/\\x20/ /g')" = \
		"$ROOM /run/vmail-idmap/ns/conf bind,ro,nosuid,nodev,noexec,X-mount.mkdir=0700,X-mount.idmap=u:0:200000:1 u:5000:201000:1 g:0:200000:1 g:5000:201000:1" ]
	emit mount host | grep -q 'nothing to map'
}

@test "an emitted pod runs with the numbers its volumes show" {
	three_views
	emit kubernetes dovecot | yaml >"$T/out"
	[ "$(jq -c '[.apiVersion, .kind, .metadata.name, .spec.hostname]' \
		"$T/out")" = '["v1","Pod","dovecot","dovecot"]' ]
	[ "$(jq -c '.spec.securityContext | [.runAsUser, .runAsGroup, .fsGroup]' \
		"$T/out")" = '[5000,5000,5000]' ]
	[ "$(jq '.spec | has("hostUsers")' "$T/out")" = false ]
	[ "$(jq -c '[.spec.volumes[].name]' "$T/out")" = \
		"$(jq -c '[.spec.containers[0].volumeMounts[].name]' "$T/out")" ]
	[ "$(jq -c '[.spec.volumes[].hostPath.path]' "$T/out")" = \
		"[\"$ROOM\",\"$T/mail/vhosts\"]" ]
	emit kubernetes dovecot --mounted | yaml >"$T/out"
	[ "$(jq -c '.spec | [.securityContext.runAsUser,
		.volumes[0].hostPath.path]' "$T/out")" = \
		'[1000,"/run/vmail-idmap/dovecot/conf"]' ]
	emit kubernetes ns | yaml >"$T/out"
	[ "$(jq -c '.spec | [.hostUsers, .securityContext.runAsUser]' \
		"$T/out")" = '[false,5000]' ]
	run -2 emit kubernetes ns --mounted
}

@test "a pod is not named as no pod can be" {
	views 'host vmail 5000:5000 -' 'My_Box.x vmail 1999:1999 -'
	emit kubernetes My_Box.x | yaml >"$T/out"
	[ "$(jq -c '[.metadata.name, (.spec | has("hostname"))]' "$T/out")" = \
		'["my-box-x",false]' ]
}

@test "no form ever says 0644, and a view's every identity is mapped" {
	views 'host vmail 5000:5000 -' 'host archive 6000:6000 -' \
		'box vmail 1000:1000 -' 'box archive 1001:1001 -'
	for form in compose podman quadlet nspawn mount kubernetes; do
		emit "$form" box | grep -v never >"$T/out"
		run -1 grep 0644 "$T/out"
	done
	emit podman box | grep -qF 'uids=0-0-1#5000-1000-1#6000-1001-1'
}

@test "a path that would mean something to an engine is refused" {
	three_views
	sed -i "s,^home = .*,home = /srv/mail box/%n," "$ROOM/vmail.conf"
	run -1 emit podman dovecot
	grep -q "bytes that mean something" "$T/talk"
}

@test "emit prints whole paths, however vmail.conf was named" {
	vmailadm -q idmap add box --ids 1000:1000
	cd "$BATS_TEST_TMPDIR"
	run -0 --separate-stderr "$VMAIL_BUILD/vmailadm" \
		--conf room/vmail.conf idmap emit --for mount box
	[[ $output == *" $ROOM "* ]]
	[[ $output != *" room "* ]]
}
