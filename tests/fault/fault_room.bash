# Shared by crash.bats and powercut.bats: a room with a group and an ACL to
# lose, how to tell old from new and fresh from stale, and the sweep: a fault
# at each system call of a command.
# shellcheck shell=bash disable=SC2034

FAULT_ROOM=${BASH_SOURCE[0]}
# shellcheck source=tests/integration/cli_room.bash
source "${FAULT_ROOM%/*}/../integration/cli_room.bash"

# Of the password changed, and of another length.
OTHER='{SHA512-CRYPT}$6$rounds=1000$s$8mXROiwevoTDFGvLClFKOSkw/SwN.g6ADtJX/9U21hWcHVroiMK786F8/7rJiWbMB6ODSrOTtCqEveI6mF20s.'

# Into the folder $ROOM, which is there and empty: some users, two of them of
# one number, and a time so far ahead that a commit cannot just take now.
fault_furnish() {
	umask 022
	P=$ROOM/passwd
	{
		echo "passwd_file = $P"
		echo 'home = /srv/mail/%d/%n'
		echo 'scheme = SHA512-CRYPT'
		echo 'crypt_rounds = 1000'
		echo 'reader_group = 4243'
	} >"$ROOM/vmail.conf"
	echo 'host vmail 5000:5000 -' >"$ROOM/views"
	vmailadm -q init >"$ROOM.init"
	{
		echo "$FIELD"
		echo "second@x.y:$QUICK::::/srv/second::"
		echo "number@x.y:$QUICK:5123:5000::/srv/number::"
		echo '# two of one number'
		echo "twin1@x.y:$QUICK:5200:5000::/srv/twin1::"
		echo "twin2@x.y:$QUICK:5200:5000::/srv/twin2::"
		echo "last@x.y:$QUICK::::/srv/last::"
	} >>"$P"
	setfacl -m u:4242:r "$P"
	vmailadm -q map
	touch -d "@$((EPOCHSECONDS + 3600))" "$P"
}

# Owner, mode and ACL of the passwd-file.
kept() {
	getfacl -np "$P"
}

# What a command may leave behind only if it was killed, and none after it.
leftovers() {
	local file
	for file in "$ROOM"/*.tmp "$ROOM"/*.journal; do
		! [ -e "$file" ] || echo "left behind: ${file##*/}"
	done
}

# The public map: its stamp, then names and numbers with what is said of
# them, but for the offsets, which are hints.
map_text() {
	cdb -d "$P.cdb" | LC_ALL=C sed -n \
		-e 's/^+[0-9]*,[0-9]*::vmail->\([0-9]*\( [0-9]*\)\{4\}\) .*/ \1/p' \
		-e 's/^+[0-9]*,[0-9]*:\(:uid:[0-9]*\)->/\1 /p' \
		-e 's/^+[0-9]*,[0-9]*:\([^:>]*\)->\(.*\):[0-9]*$/\1 \2/p' |
		LC_ALL=C sort
}

# Sets TEXT, the file; SECOND and LINKS of it; MAPPED, what the map holds; and
# FRESH: does the map's stamp say that it is this file's?
look() {
	local size inode time stamp mapped
	TEXT='' MAPPED=''
	IFS= read -rd '' TEXT <"$P" || true
	read -r size inode LINKS time < <(stat -c '%s %i %h %.9Y' "$P")
	SECOND=${time%.*}
	printf -v stamp '1 %020d %020d %s %020d' "$size" "$SECOND" \
		"${time#*.}" "$inode"
	{
		read -r mapped
		IFS= read -rd '' MAPPED || true
	} < <(map_text)
	FRESH=no
	[ "$mapped" != "$stamp" ] || FRESH=yes
}

# The commands that are swept: their words, their standard input, and a
# question - user and password - that tells whether they were done.
command_of() { # NAME
	INPUT=$QUICK
	ASKED='second@x.y testtest'
	case $1 in
	passwd)
		WORDS=(passwd --hash-stdin second@x.y)
		INPUT=$OTHER
		;;
	useradd)
		WORDS=(useradd -M --hash-stdin new@x.y)
		ASKED='new@x.y testtest'
		;;
	usermod) WORDS=(usermod -c 'Some Body' second@x.y) ;;
	userdel)
		WORDS=(userdel number@x.y)
		ASKED='number@x.y testtest'
		;;
	lock) WORDS=(lock second@x.y) ;;
	map) WORDS=(map --force) ;;
	*) return 1 ;;
	esac
}

# Everything as it was before the command: the map fresh, or of a file that was
# there before; the file its folder's or, for commits in place, a mount point.
reset() {
	! [ "$PLACE" = mount ] || umount "$P" 2>/dev/null || true
	rm -f "$P"* "$ROOM"/{apppw,deny}*
	cp -a "$BASE/." "$ROOM"
	[ "$MAP" = stale ] || vmailadm -q map --force
	! [ "$PLACE" = mount ] || mount --bind "$P" "$P"
}

swept_command() {
	"$@" "$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" "${WORDS[@]}" \
		<"$SCRATCH/input" >"$SCRATCH/said" 2>&1
}

listed() {
	vmailadm list --output=csv -o user,uid,gecos,locked
}

asked() {
	vmailadm auth "${ASKED% *}" <<<"${ASKED#* }" >"$SCRATCH/auth" 2>&1
}

# How the next one changes the file.
next_change() {
	vmailadm -q lock last@x.y
}

# What is right in that state, by asking where nothing is wrong.
learn() { # STATE
	look
	TEXTS[$1]=$TEXT
	MAPS[$1]=$MAPPED
	LISTS[$1]=$(listed)
	asked
	ANSWERS[$1]=$?
	next_change 2>"$SCRATCH/next"
	look
	NEXTS[$1]=$TEXT
}

# The calls from the first look at the room on, as "NAME NTH": that is how
# strace counts them.
learn_calls() {
	swept_command strace -f --seccomp-bpf -qq -e trace=%file,%desc \
		-o "$SCRATCH/trace" || return
	awk -v conf="\"$ROOM/vmail.conf\"" '{
		name = $2
		sub(/\(.*/, "", name)
		nth[name]++
		from += name != "execve" && index($0, conf)
		if (from)
			print name, nth[name]
	}' "$SCRATCH/trace" >"$SCRATCH/calls"
}

wrong() {
	{
		echo "$NAME, $CALL, $FAULT, then $NEXT: $*"
		sed 's/^/    /' "$SCRATCH/said"
	} >>"$SCRATCH/wrong"
}

# Runs the command with the fault; only a fault that took place counts.
inject() {
	local call=${CALL% *} nth=${CALL#* } trace='' filter=--seccomp-bpf
	# With the filter strace 6.1 delivers no signal.
	[ "$FAULT" != signal=KILL ] || filter=-f
	{
		swept_command strace -f "$filter" -qq -o "$SCRATCH/trace" \
			-e trace="$call" -e inject="$call:$FAULT:when=$nth"
		STATUS=$?
	} 2>/dev/null
	IFS= read -rd '' trace <"$SCRATCH/trace"
	case $trace in
	*'(INJECTED)'* | *'+++ killed by SIGKILL'*) ;;
	*)
		wrong "no fault took place"
		return 1
		;;
	esac
}

# The command's word on what it did.
judge_status() {
	echo "$FAULT $STATE" >>"$BATS_TEST_TMPDIR/seen"
	case $FAULT:$STATUS:$STATE in
	signal=KILL:137:*) ;;
	signal=KILL:*) wrong "killed, and status $STATUS" ;;
	*:torn) wrong "status $STATUS, and the file is torn" ;;
	*:0:old) [ "$NAME" = map ] || wrong "status 0, and the file is old" ;;
	*:0:new) ;;
	*:new) wrong "status $STATUS, and the file is new" ;;
	esac
}

# All old or all new, as its readers need it.
judge_file() {
	look
	case $TEXT in
	"${TEXTS[old]}") STATE=old ;;
	"${TEXTS[new]}") STATE=new ;;
	*) STATE=torn ;;
	esac
	[ -n "$TEXT" ] || wrong "the file is empty"
	# A killed commit in place leaves what ends it.
	[ "$STATE" != torn ] || [ -s "$P.journal" ] || wrong "the file is torn"
	[ "$STATE" = old ] || [ -e "$P.journal" ] ||
		[ "$SECOND" -gt "$BEFORE" ] ||
		wrong "the file's time did not grow"
	[ "$(kept)" = "$KEPT" ] || wrong "owner, mode or ACL: $(kept)"
}

# Readers, before anybody mends anything.
judge_readers() {
	local answer
	vmailadm auth last@x.y <<<testtest >"$SCRATCH/auth" 2>&1 ||
		wrong "another user is lost: $(<"$SCRATCH/auth")"
	[ "$STATE" != torn ] || return
	[ "$(listed)" = "${LISTS[$STATE]}" ] || wrong "the list is wrong"
	asked
	answer=$?
	# Who is not found beside a journal is not unknown, but asked for again.
	[ "$answer" = "${ANSWERS[$STATE]}" ] ||
		{ [ "$answer:${ANSWERS[$STATE]}" = 5:1 ] && [ -s "$P.journal" ]; } ||
		wrong "${ASKED% *} was answered $answer"
}

# Right, or known to be stale; and stale only where that can be.
judge_map() {
	local said=''
	if [ "$FRESH" = yes ]; then
		[ "$MAPPED" = "${MAPS[$STATE]}" ] ||
			wrong "the map is wrong and not known to be stale"
		return
	fi
	[ "$STATE:$MAP:$PLACE" != old:fresh:rename ] ||
		wrong "the file is as it was, but the map no longer fits"
	IFS= read -rd '' said <"$SCRATCH/said"
	[ "$STATUS" != 0 ] ||
		[[ $said == *'not all that goes with it'* ]] ||
		wrong "status 0 without a warning, and the map is stale"
}

# The next one finds nothing in its way, and leaves nothing behind.
judge_next() {
	local before=$SECOND was left
	if [ "$NEXT" = map ]; then
		vmailadm -q map >"$SCRATCH/next" 2>&1
	else
		next_change >"$SCRATCH/next" 2>&1
	fi || wrong "the next run failed: $(<"$SCRATCH/next")"
	left=$(leftovers)
	[ -z "$left" ] || wrong "after the next run: $left"
	look
	case $NEXT:$TEXT in
	"map:${TEXTS[old]}" | "change:${NEXTS[old]}") was=old ;;
	"map:${TEXTS[new]}" | "change:${NEXTS[new]}") was=new ;;
	*) was=neither ;;
	esac
	[ "$was" = "$STATE" ] || [ "$was:$STATE" = old:torn ] ||
		[ "$was:$STATE" = new:torn ] ||
		wrong "the file was $STATE and became $was"
	[ "$NEXT" = map ] || [ "$SECOND" -gt "$before" ] ||
		wrong "the file's time did not grow by the next run"
	[ "$was" != new ] || [ "$SECOND" -gt "$BEFORE" ] ||
		wrong "the file's time never grew"
	[ "$LINKS" = 1 ] || wrong "the file has $LINKS links"
	[ "$(kept)" = "$KEPT" ] || wrong "owner, mode or ACL: $(kept)"
	[ "$FRESH" = yes ] || wrong "the map is stale still"
	[ "$was" = neither ] || [ "$MAPPED" = "${MAPS[$was]}" ] ||
		wrong "the map is not the file's"
	vmailadm --json check >"$SCRATCH/check" 2>/dev/null ||
		wrong "check: $(<"$SCRATCH/check")"
}

# Everything of every file in the room that a change would change.
snapshot() {
	stat -c '%n %i %s %.9Y %.9Z %a %u:%g %h' "$ROOM"/* "$ROOM/.lock"
}

# Sets TOUCHED: where nothing was, the next run finds what the first one
# found, and nothing needs to be put back.
one_fault() {
	local left
	if [ "$TOUCHED" = yes ]; then
		reset
		RESTED=$(snapshot)
	fi
	inject || return
	TOUCHED=no STATE=old
	[ "$(snapshot)" = "$RESTED" ] || TOUCHED=yes
	if [ "$TOUCHED" = yes ]; then
		left=$(leftovers)
		# What could not be removed stays.
		[ -z "$left" ] || [ "$FAULT" = signal=KILL ] ||
			[ "${CALL% *}" = unlinkat ] || wrong "$left"
		judge_file
		judge_readers
		judge_map
		judge_next
	fi
	judge_status
}

# All faults of a call. Linux closes a file even where it says that it could
# not; strace would leave it open, and locked. What was killed is taken up by
# either next run.
all_faults() {
	local call=${CALL% *}
	NEXT=map FAULT=error=EIO
	[ "$call" = close ] || one_fault
	NEXT=change FAULT=error=ENOSPC
	[ "$call" = close ] || one_fault
	FAULT=retval=0 # nothing written, and no error
	[[ $call != @(pwrite64|copy_file_range) ]] || one_fault
	FAULT=signal=KILL
	one_fault
	if [ "$TOUCHED" = yes ]; then
		NEXT=map
		one_fault
	fi
}

# What is right before the command and after it, and which calls it makes.
learn_all() {
	reset
	look
	BEFORE=$SECOND KEPT=$(kept)
	[ "$FRESH:$MAP" = yes:fresh ] || [ "$FRESH:$MAP" = no:stale ] ||
		wrong "the map is not $MAP to begin with"
	learn old
	reset
	learn_calls || wrong "failed"
	look
	[ "$FRESH" = yes ] || wrong "the map is stale"
	learn new
}

# One of OF shares of a sweep, on a small disk of its own.
sweep_share() { # COMMAND MAP PLACE ME OF
	local i=0
	declare -gA TEXTS MAPS LISTS ANSWERS NEXTS
	NAME=$1 MAP=$2 PLACE=$3
	CALL=none FAULT=none NEXT=none TOUCHED=yes
	SCRATCH=$BATS_TEST_TMPDIR/share$4
	mkdir "$SCRATCH"
	mount -t tmpfs -o mode=0755 share "$SCRATCH"
	ROOM=$SCRATCH/room BASE=$SCRATCH/base
	mkdir "$ROOM"
	fault_furnish
	cp -a "$ROOM" "$BASE"
	command_of "$NAME"
	printf '%s\n' "$INPUT" >"$SCRATCH/input"
	learn_all
	while read -r CALL; do
		[ $((i++ % $5)) != "$4" ] || all_faults
	done <"$SCRATCH/calls"
	! [ -s "$SCRATCH/wrong" ] || {
		head -n 60 "$SCRATCH/wrong"
		return 1
	}
}

# A sweep, by as many as there are processors, each in a world of its own:
# with few processes, so that a command's calls are the same each time.
sweep() { # COMMAND MAP PLACE
	local me of shares=() good=yes
	of=$(nproc)
	export VMAIL_SOURCE VMAIL_BUILD BATS_TEST_TMPDIR BATS_TEST_DIRNAME
	for ((me = 0; me < of; me++)); do
		unshare --mount --propagation private --pid --fork \
			--kill-child --mount-proc bash -c \
			'source "$1" && shift && sweep_share "$@"' sweep \
			"$FAULT_ROOM" "$@" "$me" "$of" 3>&- &
		shares+=($!)
	done
	for me in "${shares[@]}"; do
		wait "$me" || good=no
	done
	[ "$good" = yes ]
}
