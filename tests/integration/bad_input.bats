#!/usr/bin/env bats
# What is wrong before a command begins: names, files, locks, disks, lines. A
# clear error with its status, nothing lost, nothing left behind.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
}

teardown() {
	no_leftovers
}

# Every command that changes, on the user of the field record.
changes() {
	printf '%s\n' "useradd -M --generate new@x.y" \
		"usermod -c Somebody $FIELD_USER" "userdel $FIELD_USER" \
		"passwd --generate $FIELD_USER" "lock $FIELD_USER" \
		"unlock $FIELD_USER" "map --force"
}

# Every command that reads the file.
readings() {
	printf '%s\n' list "show $FIELD_USER" "auth $FIELD_USER" check
}

# STATUS TEXT KIND: all commands of that kind end so, say so, at once, and
# print nothing as if it were a result.
all_end() {
	local words
	while read -r words; do
		echo "# $words" >&2
		# shellcheck disable=SC2086
		run "-$1" --separate-stderr timeout 20 "$VMAIL_BUILD/vmailadm" \
			--conf "$ROOM/vmail.conf" --wait=0 $words <<<testtest
		if [ "$words" = check ]; then # its findings are its result
			[[ $output == *"$2"* ]]
			continue
		fi
		[[ $stderr == *"$2"* ]]
		[ -z "$output" ]
	done < <("$3")
}

# All that can be known of the room without reading it by name.
snapshot() {
	find "$ROOM" -printf '%p %y %i %n %m %U:%G %s %T@ %C@ %l\n' | sort
	find "$ROOM" -type f -exec cksum {} + | sort
}

nothing_happens() { # COMMAND...
	snapshot >"$BATS_TEST_TMPDIR/then"
	"$@"
	snapshot | diff "$BATS_TEST_TMPDIR/then" -
}

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

bad_names() {
	local long
	long=$(printf 'n%.0s' {1..250})
	printf '%s\0' a:b@x.y a/b@x.y 'a b@x.y' $'a\tb@x.y' $'a\nb@x.y' \
		$'a@x.y\n' $'a\rb@x.y' $'a\x7f@x.y' $'a\x01@x.y' a@x/y a@x:y \
		.. ../b@x.y a..b@x.y a@x..y a@.. 12345 0 "$long@x.yz" @x.y a@ @ \
		a@b@c '#a@x.y' .a@x.y a@.x a@x. ''
}

@test "names that may not be are refused before anything is touched" {
	refused() {
		local name
		while IFS= read -r -d '' name; do
			printf '# <%q>\n' "$name" >&2
			run -2 told longpassword useradd -- "$name"
			[[ $output == *"not a name"* ]]
			run -2 vmailadm usermod -l "$name" -- "$FIELD_USER"
			[[ $output == *"not a name"* ]]
		done < <(bad_names)
		run -2 told longpassword useradd -- -a@x.y
		[[ $output == *"not a name"* ]]
	}
	nothing_happens refused
}

@test "a name of 254 bytes is added, one of 255 is refused" {
	local name
	name=$(printf 'n%.0s' {1..250})
	run -2 told longpassword useradd -M -d /srv/n "${name}@x.yz"
	[[ $output == *"longer than 254 bytes"* ]]
	unchanged
	told longpassword useradd -M -d /srv/n "${name}@x.y"
	run -0 told longpassword auth "${name}@x.y"
}

@test "names nobody can have are no users, whatever the command" {
	refused() {
		local name words
		for name in $'a\nb@x.y' a:b@x.y '' "$(printf 'n%.0s' {1..300})"; do
			for words in show lock unlock userdel; do
				run vmailadm $words -- "$name"
				[ "$status" -eq 2 ] || [ "$status" -eq 3 ]
				[ -n "$output" ]
			done
			run -1 told testtest auth -- "$name"
		done
	}
	nothing_happens refused
}

@test "an empty file is refused, and what to do is said" {
	: >"$P"
	nothing_happens all_end 1 empty changes
	nothing_happens all_end 1 empty readings
	run -1 vmailadm list
	[[ $output == *"restore the backup"* ]]
}

@test "a missing file is refused, and init is named" {
	rm "$P"
	nothing_happens all_end 1 missing changes
	nothing_happens all_end 1 missing readings
	run -1 vmailadm lock "$FIELD_USER"
	[[ $output == *"mend: vmailadm init"* ]]
}

@test "a file of another owner, or that others may write, is not trusted" {
	chown 12345 "$P"
	nothing_happens all_end 6 "owner 12345" changes
	chown 0 "$P"
	for mode in 0660 0642 0666; do
		chmod "$mode" "$P"
		nothing_happens all_end 6 "mode $mode" changes
	done
	chmod 0640 "$P"
	chmod 0777 "$ROOM"
	nothing_happens all_end 6 "not trusted" changes
	chmod 0755 "$ROOM"
	run -0 vmailadm lock "$FIELD_USER"
}

@test "what is not trusted is not read either, and check says what is wrong" {
	for words in 'chown 12345' 'chmod 0660' 'chmod 0642'; do
		$words "$P"
		for reading in list "show $FIELD_USER" "auth $FIELD_USER"; do
			# shellcheck disable=SC2086
			run -6 --separate-stderr vmailadm $reading <<<testtest
			[[ $stderr == *"not trusted"* ]]
			[ -z "$output" ]
		done
		run -1 vmailadm --json check
		[[ $output == *'"owner"'* || $output == *'"writable"'* ]]
		chown 0 "$P"
		chmod 0640 "$P"
	done
}

@test "a symlink, a directory, a FIFO are refused at once" {
	mv "$P" "$ROOM/real"
	ln -s real "$P"
	nothing_happens all_end 6 "symbolic link" changes
	rm "$P"
	mkdir "$P"
	nothing_happens all_end 6 "directory" changes
	rmdir "$P"
	mkfifo -m 640 "$P"
	nothing_happens all_end 6 "not a regular file" changes
	rm "$P"
	mv "$ROOM/real" "$P"
	ln "$P" "$ROOM/other"
	nothing_happens all_end 6 "hard link" changes
}

@test "reading a symlink, a directory or a FIFO is refused at once" {
	mv "$P" "$ROOM/real"
	for make in 'ln -s real' mkdir 'mkfifo -m 640'; do
		$make "$P"
		for reading in list "show $FIELD_USER" "auth $FIELD_USER"; do
			# shellcheck disable=SC2086
			run -6 timeout 20 "$VMAIL_BUILD/vmailadm" \
				--conf "$ROOM/vmail.conf" $reading <<<testtest
		done
		run -1 timeout 20 "$VMAIL_BUILD/vmailadm" \
			--conf "$ROOM/vmail.conf" check
		rm -d "$P"
	done
}

@test "a lock file that is none is refused, and never followed" {
	rm "$ROOM/.lock"
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$ROOM/.lock"
	nothing_happens all_end 6 .lock changes
	[ ! -e "$BATS_TEST_TMPDIR/elsewhere" ]
	rm "$ROOM/.lock"
	mkfifo "$ROOM/.lock"
	nothing_happens all_end 6 .lock changes
	rm "$ROOM/.lock"
	mkdir "$ROOM/.lock"
	nothing_happens all_end 1 .lock changes
	rmdir "$ROOM/.lock"
	run -0 vmailadm lock "$FIELD_USER"
	[ "$(stat -c %a "$ROOM/.lock")" = 600 ]
}

@test "who may not read the file is told so, and learns nothing" {
	local open
	open=$(mktemp -d)
	chmod 0755 "$open"
	cp -p "$ROOM"/* "$open" 2>/dev/null || true
	sed -i "s|^passwd_file.*|passwd_file = $open/passwd|" "$open/vmail.conf"
	for reading in list "show $FIELD_USER" "auth $FIELD_USER"; do
		# shellcheck disable=SC2086
		run -6 --separate-stderr as_nobody "$VMAIL_BUILD/vmailadm" \
			--conf "$open/vmail.conf" $reading <<<testtest
		[[ $stderr == *"Permission denied"* ]]
		[[ $stderr == *"mend: "*root* ]]
		[ -z "$output" ]
	done
	run as_nobody cat "$open/passwd"
	[ "$status" -ne 0 ]
	rm -r "$open"
}

# Everything in the room on a file system of its own with that many pages.
small_disk() { # PAGES
	cp -a "$ROOM" "$BATS_TEST_TMPDIR/kept"
	mount -t tmpfs -o "mode=0755,size=$(($1 * 4))k" small "$ROOM"
	cp -a "$BATS_TEST_TMPDIR/kept/." "$ROOM"
	rm -r "$BATS_TEST_TMPDIR/kept"
}

# Leaves that many pages free.
fill_up() { # PAGES
	rm -f "$ROOM/ballast"
	dd if=/dev/zero of="$ROOM/ballast" bs=4k status=none 2>/dev/null || true
	truncate -s "-$(($1 * 4096))" "$ROOM/ballast"
}

@test "a full disk: nothing is changed, and a retry with room works" {
	small_disk 96
	run -0 told testtest auth "$FIELD_USER"
	for words in "usermod -c Somebody $FIELD_USER" "lock $FIELD_USER" \
		"useradd -M --generate new@x.y" "userdel $FIELD_USER" \
		"passwd --generate second@kuma8088.com"; do
		cp -p "$P" "$BATS_TEST_TMPDIR/before"
		for pages in $(seq 0 40); do
			fill_up "$pages"
			# shellcheck disable=SC2086
			run --separate-stderr vmailadm $words
			[ "$status" -ne 0 ] || break
			[ "$status" -eq 1 ]
			[[ $stderr == *"No space left"* ]]
			[[ $stderr == *"mend: make room"* ]]
			# Nothing is said to be done that is not.
			[[ ! $stderr =~ (locked|changed|added|removed)\  ]]
			[ -z "$output" ]
			unchanged
			no_leftovers
			run -0 vmailadm show second@kuma8088.com
		done
		[ "$pages" -gt 0 ]
		[ "$status" -eq 0 ]
		run -1 cmp "$BATS_TEST_TMPDIR/before" "$P"
		cp -p "$BATS_TEST_TMPDIR/before" "$P"
		rm "$ROOM/ballast"
		vmailadm -q map
	done
	umount "$ROOM"
}

@test "a read-only file system: nothing is changed, and reading works" {
	mount --bind "$ROOM" "$ROOM"
	mount -o remount,bind,ro "$ROOM"
	nothing_happens all_end 1 "Read-only file system" changes
	run -1 vmailadm lock "$FIELD_USER"
	[[ $output == *"mend: "*read-only* ]]
	run -0 told testtest auth "$FIELD_USER"
	run -0 vmailadm list
	run -0 vmailadm show "$FIELD_USER"
	umount "$ROOM"
}

@test "a lock that somebody holds: busy after the wait, and done when it ends" {
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_TEST_TMPDIR/hold" -x c - <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <unistd.h>
		/* FILE: locks its first byte until the standard input ends. */
		int main(int argc, char **argv)
		{
			struct flock l = { .l_type = F_WRLCK, .l_len = 1 };
			int fd = open(argv[argc - 1], O_RDWR);
			char c;
			if (fcntl(fd, F_OFD_SETLK, &l) != 0)
				return 1;
			write(1, "held\n", 5);
			while (read(0, &c, 1) > 0)
				;
			return 0;
		}
	END
	for file in "$ROOM/.lock" "$P"; do
		coproc HOLD { exec "$BATS_TEST_TMPDIR/hold" "$file"; }
		read -r held <&"${HOLD[0]}"
		[ "$held" = held ]
		nothing_happens all_end 5 "busy" changes
		run -5 vmailadm --wait=1 lock "$FIELD_USER"
		[[ $output == *"another program is changing it"* ]]
		[[ $output == *"mend: "*"--wait"* ]]
		run -0 vmailadm list
		run -0 told testtest auth "$FIELD_USER"
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" --wait=60 \
			lock "$FIELD_USER" &
		waiting=$!
		eval "exec ${HOLD[1]}>&-"
		wait "$waiting"
		run -0 vmailadm unlock "$FIELD_USER"
		unchanged
	done
}

# A file whose lines 2, 4, 6 and 8 nobody can read.
spoil() {
	{
		head -n 1 "$P"
		printf 'nul@x.y:{CRYPT}\0*::::::\n'
		echo "first@x.y:$QUICK::::$ROOM/mail/first::"
		echo 'zero@x.y:{CRYPT}*:0:0::/srv/zero::'
		echo "second@x.y:$QUICK::::$ROOM/mail/second::"
		printf 'mega@x.y:'
		head -c 1048576 /dev/zero | tr '\0' m
		echo
		echo "third@x.y:$QUICK::::$ROOM/mail/third::"
		echo 'root@x.y:{CRYPT}*:-1:5000::/srv/root::'
		echo "last@x.y:$QUICK::::$ROOM/mail/last::"
	} >"$ROOM/spoilt"
	cat "$ROOM/spoilt" >"$P"
	rm "$ROOM/spoilt"
	vmailadm -q map
	cp -p "$P" "$BATS_TEST_TMPDIR/before"
}

# The bytes of the lines that nobody can read.
odd_lines() {
	LC_ALL=C sed -n '/^\(nul\|zero\|mega\|root\)@/p' "$1" | cksum
}

@test "malformed lines hide nobody, and check names each" {
	spoil
	run -0 vmailadm list -o user --output=csv
	[ "${lines[*]}" = "user first@x.y second@x.y third@x.y last@x.y" ]
	for user in first second third last; do
		run -0 vmailadm show "$user@x.y"
		run -0 told testtest auth "$user@x.y"
	done
	run -1 told testtest auth zero@x.y
	run findings
	for line in 2 4 6 8; do
		[[ $output == *"ERROR malformed:$line"* ]]
	done
	run -1 vmailadm check
	[[ $output == *"malformed"*"passwd"*" 2 "*"NUL"* ]]
	unchanged
}

@test "malformed lines stop no change and go back byte for byte" {
	spoil
	local odd
	odd=$(odd_lines "$P")
	told longpassword passwd second@x.y
	told longpassword useradd -M new@x.y
	vmailadm lock third@x.y
	vmailadm usermod -c Somebody last@x.y
	vmailadm userdel first@x.y
	[ "$(odd_lines "$P")" = "$odd" ]
	run -0 vmailadm list -o user --output=csv
	[ "${lines[*]}" = "user second@x.y third@x.y last@x.y new@x.y" ]
	run -0 told longpassword auth second@x.y
	run -0 told longpassword auth new@x.y
	vmailadm unlock third@x.y
	rm "$P.cdb"
	run -0 told testtest auth third@x.y
	told longpassword passwd third@x.y
	[ "$(odd_lines "$P")" = "$odd" ]
}

@test "the name of a malformed line is taken, and it can be mended or removed" {
	spoil
	run -4 told longpassword useradd -M zero@x.y
	[[ $output == *"in a malformed line"* ]]
	[[ $output == *"mend: vmailadm check"* ]]
	unchanged
	vmailadm usermod -u '' -g '' zero@x.y
	told longpassword passwd zero@x.y
	run -0 told longpassword auth zero@x.y
	vmailadm userdel root@x.y
	run -0 bash -c "! grep -aq ^root@x.y: '$P'"
}

@test "settings and views that are wrong change nothing, with file and line" {
	echo 'no_such_key = 1' >>"$ROOM/vmail.conf"
	nothing_happens all_end 1 "vmail.conf:7:" changes
	sed -i '$d' "$ROOM/vmail.conf"
	chmod 0666 "$ROOM/vmail.conf"
	nothing_happens all_end 6 "vmail.conf" changes
	chmod 0644 "$ROOM/vmail.conf"
	chmod 0666 "$ROOM/views"
	run -6 vmailadm useradd -M --generate new@x.y
	[[ $output == *"views"*"not trusted"* ]]
	chmod 0644 "$ROOM/views"
	echo 'host vmail what:ever -' >>"$ROOM/views"
	run -0 vmailadm useradd -q -M --generate new@x.y
	run findings
	[[ $output == *"views-line:2"* || $output == *"malformed:2"* ]]
}
