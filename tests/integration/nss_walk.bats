#!/usr/bin/env bats
# The walk of getpwent: the one thing that has state.

load nss_room

setup_file() {
	bats_require_minimum_version 1.5.0
	nss_build
}

all=(alice@example.org bob@example.org test@kuma8088.com)
the_end='NOTFOUND ENOENT'

gives() { # SCRIPT LINE...
	run -0 room "$1"
	shift
	diff <(printf '%s\n' "$@") <(echo "$output")
}

listed() { # SCRIPT LINE...: where listing is allowed
	gives "conf 'nss_enumerate = yes'; $1" "${@:2}"
}

@test "mailboxes are not listed" {
	gives 'getent -s vmail passwd; probe walk rest' "$the_end"
}

@test "nss_enumerate = yes lists each mailbox once" {
	listed 'getent -s vmail passwd | cut -d: -f1,3' \
		alice@example.org:5000 bob@example.org:5123 test@kuma8088.com:5000
}

@test "nss_enumerate lists nothing where nss_mailboxes = no" {
	gives 'conf "nss_enumerate = yes" "nss_mailboxes = no"; probe walk rest' \
		"$the_end"
}

@test "groups are not listed" {
	listed 'getent -s vmail group; probe ask group vmail' 'vmail:*:5000:'
}

@test "getpwent without setpwent works" {
	listed 'probe walk rest' "${all[@]}" "$the_end"
}

@test "setpwent begins anew" {
	listed 'probe walk next set rest set next' "${all[0]}" 'set SUCCESS' \
		"${all[@]}" "$the_end" 'set SUCCESS' "${all[0]}"
}

@test "endpwent twice is fine" {
	listed 'probe walk end next end end rest' 'end SUCCESS' "${all[0]}" \
		'end SUCCESS' 'end SUCCESS' "${all[@]}" "$the_end"
}

@test "ERANGE does not advance" {
	listed 'probe walk small next small small next rest' \
		'TRYAGAIN ERANGE' "${all[0]}" 'TRYAGAIN ERANGE' 'TRYAGAIN ERANGE' \
		"${all[1]}" "${all[2]}" "$the_end"
}

@test "a lookup in between does not disturb the walk" {
	listed 'probe walk next test@kuma8088.com rest' "${all[0]}" \
		'test@kuma8088.com:*:5000:5000::/srv/test:/usr/sbin/nologin' \
		"${all[1]}" "${all[2]}" "$the_end"
}

@test "a mailbox that has no number here, and a second one of its name, are passed over" {
	listed 'commit "a@x.y:x:0:0::/r::" "b@x.y:x:nosuch:::/r:" \
			"c@x.y:x:5200:5200::/1::" "d@x.y:x:70000:::/r:" \
			"c@x.y:x:5201:5201::/2::" "e@x.y:x:5202:5202::/r::"
		probe walk rest; getent -s vmail passwd | cut -d: -f1,6' \
		c@x.y e@x.y "$the_end" c@x.y:/1 e@x.y:/r
}

@test "a map that is replaced during a walk: it goes on in the old one" {
	listed 'mkfifo /mnt/go; probe walk next wait rest </mnt/go >/mnt/out &
		exec 7>/mnt/go
		until [ -s /mnt/out ]; do sleep 0.01; done
		commit "new@example.org:x::::/n::"
		echo >&7; wait $!; cat /mnt/out' "${all[@]}" "$the_end"
}

@test "a program that closes all descriptors: the walk goes on, and leaves theirs alone" {
	listed 'probe walk next take next mine end mine' "${all[0]}" "${all[1]}" \
		'end SUCCESS'
}

@test "a descriptor lost and the map replaced: the walk has failed, it does not begin again" {
	listed 'mkfifo /mnt/go; probe walk next take wait rest set rest mine \
			</mnt/go >/mnt/out &
		exec 7>/mnt/go
		until [ -s /mnt/out ]; do sleep 0.01; done
		commit "new@example.org:x::::/n::"
		echo >&7; wait $!; cat /mnt/out' "${all[0]}" 'UNAVAIL ESTALE' \
		'set SUCCESS' new@example.org "$the_end"
}

@test "a file that lies elsewhere is walked through its header" {
	gives 'mkdir -m 755 /mnt/elsewhere; mv passwd /mnt/elsewhere/users
		conf "passwd_file = /mnt/elsewhere/users" "nss_enumerate = yes"
		probe walk rest' "${all[@]}" "$the_end"
}

@test "a walk without a map, or with a bad one, is unavailable" {
	listed 'mv passwd.cdb map; probe walk rest; : >passwd.cdb
		probe walk rest' 'UNAVAIL ENOENT' 'UNAVAIL EBADMSG'
}
