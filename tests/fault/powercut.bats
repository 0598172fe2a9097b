#!/usr/bin/env bats
# The power fails during commits, or the disk: file systems of their own on
# loop devices, shut down at each call of a commit that writes, mounted again.
# A cut either loses what no sync asked for, or keeps the names of files and
# loses their content (shutdown -f: the file system's journal made it to the
# disk, data did not).
# shellcheck disable=SC2034,SC2154

setup() {
	load fault_room
	SCRATCH=$BATS_TEST_TMPDIR
	DISK=$SCRATCH/disk
	TWIN=$SCRATCH/twin
	BELOW=$SCRATCH/below
	IMAGE=$BELOW/image
	mkdir "$DISK" "$TWIN" "$BELOW"
	mount -t tmpfs -o mode=0755 twin "$TWIN"
	mount -t tmpfs below "$BELOW"
	CUTS=0 REQUESTS=''
}

teardown() {
	mended
	umount -R "$TWIN"
	! mountpoint -q "$DISK" || umount -R "$DISK"
	[ -z "$(losetup --associated "$IMAGE")" ]
	umount "$BELOW"
}

# A disk with a room on it, and the room's twin in memory: there everything is
# done first, to know what is right.
disk_with_room() { # SIZE MKFS...
	truncate -s "$1" "$IMAGE"
	"${@:2}" "$IMAGE"
	mount -o "$OPTIONS" "$IMAGE" "$DISK"
	ROOM=$DISK/room
	mkdir "$ROOM"
	fault_furnish
	cp -a "$ROOM/." "$TWIN"
	sed -i "s|^passwd_file.*|passwd_file = $TWIN/passwd|" "$TWIN/vmail.conf"
	KEPT=$(kept)
	sync -f "$ROOM"
}

on_twin() {
	local ROOM=$TWIN P=$TWIN/passwd
	"$@"
}

twin_follows() {
	cp -p "$P" "$TWIN/passwd"
	on_twin vmailadm -q map --force
}

# The file itself a mount point, so that the next change is made in place.
alone() {
	[ "$PLACE" != mount ] || mount --bind "$P" "$P"
}

together() {
	[ "$PLACE" != mount ] || umount "$P"
}

# The change that the power will interrupt.
next_command() { # NAME
	local text
	INPUT=$QUICK
	case $1 in
	passwd)
		WORDS=(passwd --hash-stdin second@x.y)
		text=$(<"$P")
		[[ $text == *"$OTHER"* ]] || INPUT=$OTHER
		;;
	usermod)
		printf -v text 'Cut %04d' "$CUTS"
		WORDS=(usermod -c "$text" second@x.y)
		;;
	useradd) WORDS=(useradd -M --hash-stdin "new$CUTS@x.y") ;;
	userdel)
		vmailadm -q useradd -M --hash-stdin "gone$CUTS@x.y" <<<"$QUICK"
		WORDS=(userdel "gone$CUTS@x.y")
		;;
	esac
	printf '%s\n' "$INPUT" >"$SCRATCH/input"
}

# The writing calls of a commit, as "NAME NTH", from the first sync on - before
# it there is nothing to be lost - and its end.
learn_writes() {
	twin_follows
	on_twin alone
	on_twin swept_command strace -f -qq -e trace=%file,%desc \
		-o "$SCRATCH/trace"
	on_twin together
	awk '{
		name = $2
		sub(/\(.*/, "", name)
		nth[name]++
		from += name == "fsync"
		if (from && name ~ /fsync|pwrite|trunc|utime|link|rename/)
			print name, nth[name]
	} END { print "end" }' "$SCRATCH/trace" >"$SCRATCH/writes"
}

# The command up to that call, or its end, on a disk that writes nothing before
# it must.
stopped_at() { # CALL [NTH]
	local status=0 right=0 trace=(-e trace=sync_file_range)
	if [ "$1" != end ]; then
		right=137
		trace=(-e trace="sync_file_range,$1"
			-e inject="$1:signal=KILL:when=$2")
	fi
	swept_command strace -f -qq -o "$SCRATCH/trace" "${trace[@]}" \
		-e inject=sync_file_range:retval=0 2>/dev/null || status=$?
	[ "$status" -eq "$right" ]
}

power_cut() { # COMMAND
	together
	xfs_io -x -c "$1" "$DISK"
	umount "$DISK"
	mount -o "$OPTIONS" "$IMAGE" "$DISK"
}

fail() {
	echo "$*"
	cat "$SCRATCH/said"
	ls -la "$ROOM"
	return 1
}

# Sets TEXT, MAPPED and FRESH, and RIGHT: what the map of this file holds.
look_twice() {
	twin_follows
	on_twin look
	RIGHT=$MAPPED
	look
}

nothing_torn() { # WHERE
	local file
	look_twice
	case $TEXT in
	"$NEW")
		[ "$SECOND" -gt "$BEFORE" ] || fail "$1: the time did not grow"
		;;
	"$ACKED")
		[[ $1 != end* ]] || fail "$1: a change that was done is lost"
		;;
	'') fail "$1: the file is empty" ;;
	*) fail "$1: the file is neither the old one nor the new one" ;;
	esac
	for file in "$P-" "$P.cdb"; do
		[ -s "$file" ] || fail "$1: $file is empty"
	done
	[ "$(kept)" = "$KEPT" ] || fail "$1: owner, mode or ACL"
	[ "$FRESH:$MAPPED" = "yes:$RIGHT" ] || [ "$FRESH" = no ] ||
		fail "$1: the map is wrong and not known to be stale"
	listed | diff - <(on_twin listed) || fail "$1: the list is wrong"
	vmailadm auth last@x.y <<<testtest >"$SCRATCH/auth" ||
		fail "$1: a user is lost"
}

# A change, and the next one interrupted. The first is also the next one of
# the cut before.
prepare() { # COMMAND
	CUTS=$((CUTS + 1))
	[ $((CUTS % 2)) -eq 0 ] || vmailadm -q map
	vmailadm -q usermod -c "Last $CUTS" last@x.y
	[ -z "$(leftovers)" ] || fail "$(leftovers)"
	next_command "$1"
	look_twice
	[ "$FRESH:$MAPPED" = "yes:$RIGHT" ]
	ACKED=$TEXT BEFORE=$SECOND
	on_twin swept_command
	NEW=$(<"$TWIN/passwd")$'\n'
}

one_cut() { # COMMAND CALL SHUTDOWN
	prepare "$1"
	alone
	# shellcheck disable=SC2086
	stopped_at $2
	power_cut "$3"
	[ "$PLACE" != mount ] || vmailadm -q map
	nothing_torn "$2 of $1 $PLACE, $3"
}

cuts_of() { # COMMAND PLACE
	local call shutdown
	PLACE=$2
	CUTS=$((CUTS + 1))
	next_command "$1"
	learn_writes
	while read -r call <&4; do
		for shutdown in shutdown 'shutdown -f'; do
			one_cut "$1" "$call" "$shutdown"
		done
	done 4<"$SCRATCH/writes"
}

all_cuts() {
	cuts_of passwd rename
	cuts_of useradd rename
	cuts_of useradd mount # longer
	cuts_of userdel mount # shorter
	cuts_of usermod mount # of the same length
	[ "$CUTS" -ge 60 ]
	vmailadm -q map
	[ -z "$(leftovers)" ]
	vmailadm check
}

@test "power cuts on ext4: nothing acknowledged is lost, nothing torn" {
	OPTIONS=loop,noauto_da_alloc # it would sync renamed files by itself
	disk_with_room 320M mkfs.ext4 -q -F
	all_cuts
}

@test "power cuts on xfs: nothing acknowledged is lost, nothing torn" {
	OPTIONS=loop
	disk_with_room 320M mkfs.xfs -q
	all_cuts
}

# Of the memory below the loop device all pages are taken but for a few: writing
# to more of its blocks fails. Page by page, because the loop driver takes half
# a write for a whole one.
leave() { # PAGES
	local loop
	loop=$(losetup --associated "$IMAGE" --noheadings --output NAME)
	REQUESTS=/sys/block/${loop#/dev/}/queue/max_sectors_kb
	WIDTH=$(<"$REQUESTS")
	echo 4 >"$REQUESTS"
	fstrim "$DISK"
	dd if=/dev/zero of="$BELOW/ballast" bs=4k status=none 2>/dev/null ||
		truncate -s "-$(($1 * 4096))" "$BELOW/ballast"
}

# The disk is as good as new. A loop device keeps the setting for the next one.
mended() {
	[ -z "$REQUESTS" ] || echo "$WIDTH" >"$REQUESTS"
	REQUESTS=''
	rm -f "$BELOW/ballast"
}

# Sets OUTCOME: "end" where the change must last, "" where it must not be
# there, "warned" where both may be.
under_errors() { # COMMAND PAGES
	local status=0
	prepare "$1"
	sync -f "$DISK"
	leave "$2"
	swept_command || status=$?
	OUTCOME=end
	! grep -qe 'not all that goes with it' -e 'a power cut may undo it' \
		"$SCRATCH/said" || OUTCOME=warned
	[ "$status" -eq 0 ] || OUTCOME=''
	vmailadm auth last@x.y <<<testtest >"$SCRATCH/auth" ||
		fail "a user is lost while the disk fails"
	mended
	power_cut shutdown
	nothing_torn "$OUTCOME of $1 with $2 pages"
	[ -n "$OUTCOME" ] || [ "$TEXT" = "$ACKED" ] ||
		fail "status $status, and the file is new"
}

@test "errors of the disk below ext4: the change fails, or it lasts" {
	local command pages failed
	OPTIONS=loop,noauto_da_alloc
	PLACE=rename
	mount -o remount,size=16m "$BELOW"
	disk_with_room 32M mkfs.ext4 -q -F -b 4096 -E \
		nodiscard,lazy_itable_init=0,lazy_journal_init=0
	for command in passwd useradd userdel; do
		failed=0
		for ((pages = 0; pages < 100; pages++)); do
			under_errors "$command" "$pages"
			[ "$OUTCOME" != end ] || break
			failed=$((failed + 1))
		done
		[ "$failed" -ge 3 ]
		[ "$OUTCOME" = end ]
	done
}
