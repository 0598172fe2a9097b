#!/usr/bin/env bats
# A guest in foreign programs: system calls, stack, heap, buffers, threads,
# forks, chroots and namespaces.

load nss_room

setup_file() {
	bats_require_minimum_version 1.5.0
	nss_build
}

bob='bob@example.org:*:5123:5123:Bob:/srv/bob:/usr/sbin/nologin'

gives() { # SCRIPT LINE...
	run -0 room "$1"
	shift
	diff <(printf '%s\n' "$@") <(echo "$output")
}

@test "a mailbox with a number of its own costs seven system calls, a stranger six" {
	gives 'commit "bob@example.org:x:5123:5123:Bob:/srv/bob::" \
			$(seq -f "u%.0f@example.org:x:5123:5123::/srv/u::" 500)
		calls name bob@example.org; echo; calls name nobody@example.org' \
		openat newfstatat pread64 newfstatat pread64 pread64 close '' \
		openat newfstatat pread64 newfstatat pread64 close
}

@test "the owner's account is not read while /etc/passwd is what the map knows" {
	room '
		for question in "name alice@example.org" "uid 5123" "uid 5000"; do
			calls $question >/mnt/counted
			! grep -q "etc/passwd\"" <(grep openat /mnt/calls) ||
				{ cat /mnt/calls; exit 1; }
		done
		[ "$(calls name alice@example.org | wc -l)" = 8 ]
		[ "$(calls uid 5123 | wc -l)" = 8 ]
		sed -i "s/^vmail:x:5000:5000:/vmail:x:5001:5001:/" /etc/passwd
		calls name alice@example.org >/mnt/counted
		grep -q "openat.*/etc/passwd\"" /mnt/calls
	'
}

@test "every descriptor is closed at exec" {
	run -0 room 'echo >>passwd
		for ask in "name bob@example.org" "uid 5123" "name vmail"; do
			strace -o /mnt/calls /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 \
				ask $ask >/dev/null
			sed -n "/asking/,/asked/p" /mnt/calls | grep open | grep -v CLOEXEC ||
				true
		done'
	[ -z "$output" ]
}

# The greatest of all kinds of lookup, in bytes.
deepest() { # SCRIPT
	run -0 room "$1"
	while read -r bytes answer; do
		echo "$bytes: $answer"
		[ "$bytes" -le 8192 ]
	done <<<"$output"
}

@test "a lookup needs at most 8 KiB of stack" {
	deepest 'for n in bob@example.org alice@example.org vmail nobody@x.y; do
		probe stack name $n
	done
	probe stack uid 5123; probe stack uid 5000; probe stack uid 5124
	probe stack group vmail; probe stack gid 5000; probe stack gid 5124'
}

@test "a lookup by a scan needs at most 8 KiB of stack" {
	deepest 'echo >>passwd
	for n in bob@example.org alice@example.org vmail nobody@x.y; do
		probe stack name $n
	done
	probe stack uid 5123; probe stack uid 5124'
}

@test "a lookup with views in their file needs at most 8 KiB of stack" {
	deepest 'for i in $(seq 1 100); do echo "image$i vmail 1000:1000 -"; done \
		>>views; commit; echo >>passwd
	probe stack name bob@example.org; probe stack name vmail
	probe stack uid 5123; probe stack gid 5000'
}

@test "a lookup through a header needs at most 8 KiB of stack" {
	deepest 'mkdir -m 755 /mnt/elsewhere; mv passwd /mnt/elsewhere/users
	conf "passwd_file = /mnt/elsewhere/users"
	probe stack name bob@example.org; probe stack uid 5123'
}

@test "a lookup without a map needs at most 8 KiB of stack" {
	deepest 'rm passwd.cdb; echo "home = /m/%n" >vmail.conf
	probe stack name bob@example.org; probe stack name alice@example.org
	probe stack name vmail; probe stack uid 5000; probe stack uid 5123'
}

@test "the walk of getpwent needs at most 8 KiB of stack" {
	deepest 'conf "nss_enumerate = yes"; probe stack next -'
}

@test "no function touches the heap" {
	gives 'conf "nss_enumerate = yes"
		probe noheap bob@example.org 5123 vmail 5000
		echo >>passwd; probe noheap alice@example.org 5000 vmail 5000' \
		never never
}

@test "every buffer length at every alignment gives the answer or ERANGE" {
	gives 'probe lengths name bob@example.org
		probe lengths name alice@example.org
		probe lengths name vmail
		probe lengths uid 5123; probe lengths uid 5000
		probe lengths group vmail; probe lengths gid 5000
		conf "nss_enumerate = yes"; probe walk small small next end' \
		49 74 45 49 45 16 16 'TRYAGAIN ERANGE' 'TRYAGAIN ERANGE' \
		alice@example.org 'end SUCCESS'
}

@test "errno's own address may be where the error goes" {
	gives 'probe errnop name bob@example.org; probe errnop name nobody@x.y
		probe errnop group nobody; : >passwd.cdb
		probe errnop name bob@example.org' \
		"$bob" 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'UNAVAIL EBADMSG'
}

@test "64 threads of root and 64 of nobody beside 60 commits: no user missing, none torn" {
	gives 'version() {
		printf "%s@x.y:x:5200:5200:$1:/srv/$1::\n" a b c d e f g h
		for i in $(seq 1 $(($1 % 7))); do echo "pad$i:x::::/p::"; done
	}
	mapfile -t lines < <(version 0); commit "${lines[@]}"
	mkfifo /mnt/hold /mnt/hold2
	probe threads a@x.y d@x.y h@x.y </mnt/hold &
	nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 threads \
		b@x.y e@x.y g@x.y </mnt/hold2 &
	exec 7>/mnt/hold 8>/mnt/hold2
	for n in $(seq 1 60); do
		mapfile -t lines < <(version $n); commit "${lines[@]}"
	done
	exec 7>&- 8>&-
	wait %1; wait %2' many many
}

@test "a child of a program with threads gets its answers, and never hangs" {
	gives 'commit "a@x.y:x:5200:5200:a:/srv/a::"
		conf "nss_enumerate = yes"; probe fork a@x.y' '0 of 200 failed'
}

@test "in a chroot without /proc" {
	gives 'mkdir -p /mnt/jail/etc; cp -a /etc/vmail /etc/passwd /etc/group /mnt/jail/etc
		mkdir -p /mnt/jail/etc/vmail; mount --bind /etc/vmail /mnt/jail/etc/vmail
		for a in "name bob@example.org vmail" "uid 5123" "gid 5000"; do
			/mnt/nss_probe -c /mnt/jail /mnt/lib/libnss_vmail.so.2 ask $a
		done' \
		"$bob" 'vmail:*:5000:5000:vmail:/nonexistent:/usr/sbin/nologin' \
		"$bob" 'vmail:*:5000:'
}

@test "in a setuid program" {
	gives 'cp /mnt/nss_probe /mnt/setuid; chmod 4755 /mnt/setuid
		nobody /mnt/setuid /mnt/lib/libnss_vmail.so.2 ask name bob@example.org' \
		"$bob"
}

# Inside 1000 is the host's 5000, inside 2000 the host's 5123; root is not
# mapped, and there is no account vmail.
@test "in a user namespace with an unmapped root, numbers are that namespace's" {
	gives 'sed -i /^vmail:/d /etc/passwd /etc/group
		inside() {
			/mnt/nss_probe -n 1000:5000:1,2000:5123:1 \
				/mnt/lib/libnss_vmail.so.2 ask "$@"
		}
		inside name vmail bob@example.org alice@example.org
		inside uid 1000 2000 5000 5123; inside gid 1000' \
		'vmail:*:1000:1000:vmail:/nonexistent:/usr/sbin/nologin' \
		'bob@example.org:*:2000:2000:Bob:/srv/bob:/usr/sbin/nologin' \
		'alice@example.org:*:1000:1000::/var/mail/vhosts/example.org/alice:/usr/sbin/nologin' \
		'vmail:*:1000:1000:vmail:/nonexistent:/usr/sbin/nologin' \
		'bob@example.org:*:2000:2000:Bob:/srv/bob:/usr/sbin/nologin' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'vmail:*:1000:'
}

@test "in a user namespace, what it cannot hold is not found, never 65534" {
	gives 'sed -i /^vmail:/d /etc/passwd /etc/group
		/mnt/nss_probe -n 1000:5000:1 /mnt/lib/libnss_vmail.so.2 ask name \
			vmail bob@example.org' \
		'vmail:*:1000:1000:vmail:/nonexistent:/usr/sbin/nologin' \
		'NOTFOUND ENOENT'
}

@test "in a user namespace that does not hold the owner's group nobody has a number" {
	gives 'sed -i /^vmail:/d /etc/passwd /etc/group
		/mnt/nss_probe -n 0:100000:65536 /mnt/lib/libnss_vmail.so.2 ask name \
			vmail bob@example.org' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT'
}
