#!/usr/bin/env bats
# Who is uid 1000 where: the host, an image, a system without an account, user
# namespaces, one in another, a chroot; which view a system is, by its file and
# its host name; guests of the host.

load nss_room

setup_file() {
	bats_require_minimum_version 1.5.0
	nss_build
}

gives() { # SCRIPT LINE...
	run -0 room "$tools$1"
	shift
	diff <(printf '%s\n' "$@") <(echo "$output")
}

# The usual views; a /run of the room's own; lookups of each kind.
tools='
	mount -t tmpfs -o mode=0755 run /run
	mkdir -m 755 /run/vmail
	printf "%s\n" "dovecot vmail 1000:1000 -" \
		"rootless vmail 1000:1000 0:1000:1,1:100000:65536" >>views
	commit
	named() { # FLAG... -- NAME...: NAME=UID:GID, or - where unknown
		local flags=()
		while [ "$1" != -- ]; do flags+=("$1"); shift; done
		shift
		for n; do
			a=$(/mnt/nss_probe "${flags[@]}" /mnt/lib/libnss_vmail.so.2 \
				ask name "$n") || true
			case $a in
			"NOTFOUND ENOENT") echo "$n=-" ;;
			"$n:"*) echo "$n=$(cut -d: -f3,4 <<<"$a")" ;;
			*) echo "$n: $a" ;;
			esac
		done
	}
	numbered() { # FLAG... -- NUMBER...: NUMBER=USER/GROUP
		local flags=()
		while [ "$1" != -- ]; do flags+=("$1"); shift; done
		shift
		for n; do
			u=$(/mnt/nss_probe "${flags[@]}" /mnt/lib/libnss_vmail.so.2 \
				ask uid "$n") || true
			g=$(/mnt/nss_probe "${flags[@]}" /mnt/lib/libnss_vmail.so.2 \
				ask gid "$n") || true
			[ "$u" != "NOTFOUND ENOENT" ] || u=-
			[ "$g" != "NOTFOUND ENOENT" ] || g=-
			echo "$n=${u%%:*}/${g%%:*}"
		done
	}
	no_account() { sed -i /^vmail:/d /etc/passwd /etc/group; }
	image() {
		sed -i s/^vmail:x:5000:5000/vmail:x:1000:1000/ /etc/passwd
	}
'

alice=alice@example.org
bob=bob@example.org

@test "on the host: 5000, and the namespace's 1000 by its own name" {
	gives 'named -- vmail '$alice' '$bob' vmail-rootless vmail-dovecot
		numbered -- 5000 5123 100999 100998 101000 1000 65534
		getent passwd 100999; getent group 100999 vmail-rootless
		touch /mnt/f; chown 100999:100999 /mnt/f; stat -c %U:%G /mnt/f' \
		vmail=5000:5000 $alice=5000:5000 $bob=5123:5123 \
		vmail-rootless=100999:100999 vmail-dovecot=- \
		5000=vmail/vmail 5123=$bob/- 100999=vmail-rootless/vmail-rootless \
		100998=-/- 101000=-/- 1000=-/- 65534=-/- \
		'vmail-rootless:*:100999:100999:vmail:/nonexistent:/usr/sbin/nologin' \
		'vmail-rootless:*:100999:' 'vmail-rootless:*:100999:' \
		vmail-rootless:vmail-rootless
}

@test "on a host without an account the answers are the same" {
	gives 'no_account; named -- vmail '$alice' vmail-rootless
		numbered -- 5000 100999' \
		vmail=5000:5000 $alice=5000:5000 vmail-rootless=100999:100999 \
		5000=vmail/vmail 100999=vmail-rootless/vmail-rootless
}

@test "in an image whose vmail is 1000 there are no guests of the host" {
	gives 'image; named -- vmail '$alice' '$bob' vmail-rootless
		numbered -- 1000 5000 5123 100999' \
		vmail=1000:1000 $alice=1000:1000 $bob=5123:5123 vmail-rootless=- \
		1000=vmail/vmail 5000=-/- 5123=$bob/- 100999=-/-
}

rootless='-n 0:1000:1,1:100000:65536'

@test "in a rootless container (inside 1000, host 100999): the image's account" {
	gives 'image; named '"$rootless"' -- vmail '$alice' '$bob' vmail-rootless
		numbered '"$rootless"' -- 1000 5000 100999 5123 65534' \
		vmail=1000:1000 $alice=1000:1000 $bob=- vmail-rootless=- \
		1000=vmail/vmail 5000=-/- 100999=-/- 5123=-/- 65534=-/-
}

@test "in a rootless container without an account: its host name, its file, or nothing" {
	gives 'no_account; named '"$rootless"' -- vmail '$alice'
		unshare --uts bash -c "$(declare -f named numbered)
			hostname rootless
			named '"$rootless"' -- vmail '$alice'
			numbered '"$rootless"' -- 1000 65534"
		echo rootless >/run/vmail/view
		named '"$rootless"' -- vmail '$alice'
		numbered '"$rootless"' -- 1000' \
		vmail=- $alice=- vmail=1000:1000 $alice=1000:1000 1000=vmail/vmail \
		65534=-/- vmail=1000:1000 $alice=1000:1000 1000=vmail/vmail
}

@test "in a namespace of a namespace uid_map is not believed, an account is" {
	gives 'no_account
		outer="-n 0:0:1,1000:5000:1,2000:5123:1"
		inner="-n 0:0:1,1000:1000:1,3000:2000:1"
		named $outer -- vmail '$bob'
		named $outer $inner -- vmail '$bob'
		named $outer -n 0:0:1,700:1000:1 -- vmail '$bob'
		numbered $outer -n 0:0:1,700:1000:1 -- 700 1000 65534
		echo vmail:x:700:700::/:/bin/false >>/etc/passwd
		named $outer -n 0:0:1,700:1000:1 -- vmail '$alice' '$bob'
		numbered $outer -n 0:0:1,700:1000:1 -- 700' \
		vmail=1000:1000 $bob=2000:2000 vmail=- $bob=- vmail=- $bob=- \
		700=-/- 1000=-/- 65534=-/- vmail=700:700 $alice=700:700 $bob=- \
		700=vmail/vmail
}

@test "an id that the namespace does not hold is not found, never 65534" {
	gives 'no_account
		named -n 0:0:1,1000:5000:1 -- vmail '$bob'
		named -n 0:100000:65536 -- vmail '$alice' '$bob'
		numbered -n 0:100000:65536 -- 65534 65535 5000' \
		vmail=1000:1000 $bob=- vmail=- $alice=- $bob=- 65534=-/- 65535=-/- \
		5000=-/-
}

@test "in a chroot without /proc the view's file and the host name are asked, too" {
	gives 'jail() {
			mkdir -p /mnt/jail/etc/vmail /mnt/jail/run/vmail
			cp /etc/passwd /etc/group /mnt/jail/etc
			mount --bind /etc/vmail /mnt/jail/etc/vmail
		}
		no_account; jail
		in="-c /mnt/jail"
		named $in -- vmail '$bob'
		echo dovecot >/mnt/jail/run/vmail/view; named $in -- vmail '$bob'
		numbered $in -- 1000 5000
		rm /mnt/jail/run/vmail/view
		unshare --uts bash -c "$(declare -f named)
			hostname dovecot; named -c /mnt/jail -- vmail '$alice'"' \
		vmail=5000:5000 $bob=5123:5123 vmail=1000:1000 $bob=5123:5123 \
		1000=vmail/vmail 5000=-/- vmail=1000:1000 $alice=1000:1000
}

@test "the view in /run/vmail/view comes before the account" {
	gives 'echo dovecot >/run/vmail/view
		named -- vmail '$alice' test@kuma8088.com '$bob' vmail-rootless
		numbered -- 1000 5000 5123 100999
		getent -s vmail group vmail
		echo host >/run/vmail/view; image; named -- vmail vmail-rootless' \
		vmail=1000:1000 $alice=1000:1000 test@kuma8088.com=1000:1000 \
		$bob=5123:5123 vmail-rootless=- 1000=vmail/vmail 5000=-/- \
		5123=$bob/- 100999=-/- 'vmail:*:1000:' vmail=5000:5000 \
		vmail-rootless=100999:100999
}

@test "a view's file that is not root's alone, or names no view, is passed over" {
	gives 'v=/run/vmail/view
		echo dovecot >$v; chmod 664 $v; named -- vmail
		chmod 646 $v; named -- vmail
		chmod 644 $v; named -- vmail
		chown 1000 $v; named -- vmail
		rm $v; mkdir $v; named -- vmail; rmdir $v
		ln -s /mnt/link $v; echo dovecot >/mnt/link; named -- vmail; rm $v
		mkfifo $v; named -- vmail; rm $v
		echo stranger >$v; named -- vmail
		echo dovecot dovecot >$v; named -- vmail
		printf dovecot >$v; named -- vmail' \
		vmail=5000:5000 vmail=5000:5000 vmail=1000:1000 vmail=5000:5000 \
		vmail=5000:5000 vmail=5000:5000 vmail=5000:5000 vmail=5000:5000 \
		vmail=5000:5000 vmail=1000:1000
}

@test "a view's file that may not be read leaves who needs it without an answer" {
	gives 'echo dovecot >/run/vmail/view; chmod 600 /run/vmail/view
		for n in vmail '$alice' '$bob'; do
			nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask name $n
		done | cut -d: -f1' 'UNAVAIL EACCES' 'UNAVAIL EACCES' $bob
}

@test "the host name comes behind the account and before the host's number" {
	gives 'unshare --uts bash -c "$(declare -f named numbered no_account)
		hostname dovecot; named -- vmail
		no_account; named -- vmail '$alice' '$bob' vmail-rootless
		numbered -- 1000 5000
		hostname host; named -- vmail
		hostname Dovecot; named -- vmail"' \
		vmail=5000:5000 vmail=1000:1000 $alice=1000:1000 $bob=5123:5123 \
		vmail-rootless=- 1000=vmail/vmail 5000=-/- vmail=5000:5000 \
		vmail=5000:5000
}

@test "bad lines of views hide no other, and say nothing" {
	gives '{
		printf "%s\n" "host vmail 0:0 -" "host vmail 4294967295:1 -" \
			"overlap vmail 1000:1000 0:200000:2000,1000:300000:9" \
			"wrap vmail 1000:1000 0:200000:2000,5000:4294967290:10" \
			"zero vmail 1000:1000 0:200000:2000,5000:1:0" "bad" \
			"long vmail 1000:1000 0:200000:2000,5000:1:1 more"
		cat views
		printf "%s\n" "host vmail 6000:6000 -" \
			"rootless vmail 1000:1000 0:200000:2000"
	} >views.new; mv views.new views; commit
	named -- vmail vmail-rootless vmail-overlap vmail-wrap vmail-zero vmail-long
	numbered -- 5000 6000 100999 201000' \
		vmail=5000:5000 vmail-rootless=100999:100999 vmail-overlap=- \
		vmail-wrap=- vmail-zero=- vmail-long=- 5000=vmail/vmail 6000=-/- \
		100999=vmail-rootless/vmail-rootless 201000=-/-
}

@test "views that do not fit the map: the same answers, from their file" {
	gives 'for i in $(seq 1 200); do
			echo "guest$i vmail 1000:1000 0:$((i * 100000 + 200000)):65536"
		done >>views; commit
		grep -ao "views=file" passwd.cdb
		named -- vmail '$alice' vmail-rootless vmail-guest1 vmail-guest200 \
			vmail-guest201 vmail-dovecot
		numbered -- 5000 100999 301000 20201000 20201001 5123
		echo dovecot >/run/vmail/view; named -- vmail '$alice' vmail-guest1
		rm /run/vmail/view; no_account
		unshare --uts bash -c "$(declare -f named)
			hostname guest77; named -- vmail '$alice'"' \
		views=file vmail=5000:5000 $alice=5000:5000 \
		vmail-rootless=100999:100999 vmail-guest1=301000:301000 \
		vmail-guest200=20201000:20201000 vmail-guest201=- vmail-dovecot=- \
		5000=vmail/vmail 100999=vmail-rootless/vmail-rootless \
		301000=vmail-guest1/vmail-guest1 \
		20201000=vmail-guest200/vmail-guest200 20201001=-/- 5123=$bob/- \
		vmail=1000:1000 $alice=1000:1000 vmail-guest1=- vmail=1000:1000 \
		$alice=1000:1000
}

@test "in a views file, too, the second line of a view says nothing" {
	gives 'for i in $(seq 1 200); do
			echo "guest$i vmail 1000:1000 0:$((i * 100000 + 200000)):65536"
		done >>views
		echo "guest1 vmail 1000:1000 0:90000000:2000" >>views; commit
		numbered -- 90001000 301000' 90001000=-/- \
		301000=vmail-guest1/vmail-guest1
}

@test "nobody looks which view this is where it does not matter" {
	gives 'looks() { calls "$@" >/mnt/counted; grep -c run/vmail /mnt/calls || true; }
		looks name '$bob'; looks uid 5123; looks uid 100999; looks uid 777
		looks name '$alice'; looks uid 5000; looks name vmail
		echo "host vmail 5000:5000 -" >views; commit
		looks name '$alice'; looks uid 5000; looks name vmail' \
		0 0 2 0 1 2 1 0 0 0
}

@test "a lookup with guests and a view's file needs at most 8 KiB of stack" {
	run -0 room "$tools"'
		stacks() {
			for n in vmail '$alice' '$bob' vmail-rootless vmail-x; do
				probe stack name $n; probe stack group $n
			done
			for n in 5000 5123 100999 777; do
				probe stack uid $n; probe stack gid $n
			done
		}
		stacks; echo dovecot >/run/vmail/view; stacks; no_account; stacks
		rm /run/vmail/view
		for i in $(seq 1 200); do echo "g$i vmail 1000:1000 0:$i:5,7:900:2"; done \
			>>views; commit; stacks; echo dovecot >/run/vmail/view; stacks'
	[ "$(grep -cE '^[0-9]+ ' <<<"$output")" -eq 90 ]
	local bad=
	while read -r bytes answer; do
		echo "$bytes $answer"
		[ "$bytes" -le 8192 ] || bad=1
	done < <(grep -E '^[0-9]+ ' <<<"$output")
	[ -z "$bad" ]
}
