#!/usr/bin/env bats
# Who is answered, and with what: mailboxes and identities by name and number.

load nss_room

setup_file() {
	bats_require_minimum_version 1.5.0
	nss_build
}

home=/var/mail/vhosts/example.org
alice="alice@example.org:*:5000:5000::$home/alice:/usr/sbin/nologin"
bob='bob@example.org:*:5123:5123:Bob:/srv/bob:/usr/sbin/nologin'
vmail='vmail:*:5000:5000:vmail:/nonexistent:/usr/sbin/nologin'

# OUTPUT of SCRIPT, word for word.
gives() { # SCRIPT LINE...
	run -0 room "$1"
	shift
	diff <(printf '%s\n' "$@") <(echo "$output")
}

@test "getent finds a mailbox by its name, as every program would" {
	gives 'getent passwd alice@example.org bob@example.org' "$alice" "$bob"
}

@test "a mailbox with a number of its own is found by it" {
	gives 'getent passwd 5123; stat -c %U:%g /mnt/lib
		touch /mnt/mail; chown 5123:5000 /mnt/mail
		stat -c %U:%G /mnt/mail' "$bob" root:0 bob@example.org:vmail
}

@test "the owner's number is the identity's, never a mailbox's" {
	gives 'getent -s vmail passwd 5000 vmail' "$vmail" "$vmail"
}

@test "number(name(n)) = n and name(number(s)) = s for the identity and a mailbox" {
	gives 'for n in 5000 5123; do
		s=$(getent -s vmail passwd "$n" | cut -d: -f1)
		getent -s vmail passwd "$s" | cut -d: -f3
	done
	for s in vmail bob@example.org; do
		n=$(getent -s vmail passwd "$s" | cut -d: -f3)
		getent -s vmail passwd "$n" | cut -d: -f1
	done' 5000 5123 vmail bob@example.org
}

@test "the password is * and the shell nologin, whatever the file says" {
	gives 'getent passwd bob@example.org | cut -d: -f2,7' '*:/usr/sbin/nologin'
}

@test "an empty home is the configured one" {
	gives 'conf "home = /m/%d/%n/%u"; probe ask name alice@example.org' \
		'alice@example.org:*:5000:5000::/m/example.org/alice/alice@example.org:/usr/sbin/nologin'
}

@test "the configured home is never left by way of a name" {
	gives 'conf "home = /m/%n"
		commit "..@example.org:x::::::" "a/b@example.org:x::::::"
		probe ask name ..@example.org a/b@example.org' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT'
}

@test "a name is lower-cased before it is looked up" {
	gives 'probe ask name Bob@EXAMPLE.org' "$bob"
}

@test "a stranger is not found" {
	gives 'probe ask name nobody@example.org alice bob@example.or
		probe ask uid 5124
		probe ask group strangers
		probe ask gid 5124' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT'
}

@test "names that nobody can have are refused before any system call" {
	gives 'for n in "" "#a" "a:b" ":vmail" ":uid:5123" $'\''a\nb'\'' $'\''a\tb'\''; do
		probe ask name "$n"; calls name "$n"
	done
	probe long 255; probe long 1000000
	strace -o /mnt/calls /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 long 255 \
		>/dev/null
	sed -n "/asking/,/asked/p" /mnt/calls | grep -cv "\"/ask" || true' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 0
}

@test "a name of 254 bytes is looked up, one of 255 is not" {
	gives 'n=$(printf "%0242d" 0)@example.org
		commit "$n:x::::/h::" "0$n:x::::/h::"
		probe ask name "$n" "0$n" | sed "s/00*/0/"' \
		"0@example.org:*:5000:5000::/h:/usr/sbin/nologin" \
		'NOTFOUND ENOENT'
}

@test "uid 0 is never answered" {
	gives 'commit "r@example.org:x:0:0::/r::" "s@example.org:x:5123:0::/r::" \
			"t@example.org:x:00:5000::/r::" "u@example.org:x:root:::/r:"
		probe ask name r@example.org s@example.org t@example.org u@example.org
		probe ask uid 0; calls uid 0; probe ask uid 4294967295; probe ask gid 0
		sed -i s/5000:5000/0:0/ /etc/passwd
		probe ask name vmail alice@example.org; probe ask group vmail' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT'
}

@test "on the host, ids out of the valid range are never answered" {
	gives 'commit "a@x.y:x:499:5000::/r::" "b@x.y:x:60001:5000::/r::" \
			"c@x.y:x:5123:100::/r::" "d@x.y:x:65534:5000::/r::" \
			"e@x.y:x:500:60000::/r::"
		probe ask name a@x.y b@x.y c@x.y d@x.y e@x.y
		probe ask uid 499 60001 65534 500 5123' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'NOTFOUND ENOENT' 'e@x.y:*:500:60000::/r:/usr/sbin/nologin' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' \
		'e@x.y:*:500:60000::/r:/usr/sbin/nologin' 'NOTFOUND ENOENT'
}

@test "a number that two mailboxes have is nobody's" {
	gives 'commit "a@x.y:x:5200:5200::/r::" "b@x.y:x:5200:5200::/r::"
		probe ask uid 5200' 'NOTFOUND ENOENT'
}

@test "a mailbox without a domain is answered, one with an account's name is not" {
	gives 'commit "carol:x:5200:5200::/c::" "daemon:x:5201:5201::/d::" \
			"vmail:x:5202:5202::/e::"
		probe ask name carol daemon vmail; probe ask uid 5200 5201 5202' \
		'carol:*:5200:5200::/c:/usr/sbin/nologin' 'NOTFOUND ENOENT' \
		"$vmail" 'carol:*:5200:5200::/c:/usr/sbin/nologin' \
		'NOTFOUND ENOENT' 'NOTFOUND ENOENT'
}

# A NUL byte, a megabyte, odd ids, too few colons.
bad_lines='bad() {
	printf "z@x.y:a\0b::::::\n"
	head -c 1000000 /dev/zero | tr "\0" x; echo
	printf "%s\n" "y@x.y:x:0x10:::::" "alice@example.org" ":::" "#" "" \
		"w@x.y:x:-1:-1::::" "a@x.y:x:0:0::/first::"
	printf "a@x.y:x:5200:5200::/second::\n"
	printf "bob@example.org:x:5123:5123:Bob:/srv/bob::\n"
}
'

@test "one bad line hides nobody" {
	gives "$bad_lines"'bad >passwd.new; chmod 640 passwd.new
		/mnt/nss_map passwd.new
		probe ask name bob@example.org a@x.y
		echo >>passwd
		probe ask name bob@example.org a@x.y' \
		"$bob" 'a@x.y:*:5200:5200::/second:/usr/sbin/nologin' \
		"$bob" 'a@x.y:*:5200:5200::/second:/usr/sbin/nologin'
}

@test "the first of two equal names wins" {
	gives 'commit "a@x.y:x:5200:5200::/1::" "a@x.y:x:5201:5201::/2::"
		probe ask name a@x.y; echo >>passwd; probe ask name a@x.y' \
		'a@x.y:*:5200:5200::/1:/usr/sbin/nologin' \
		'a@x.y:*:5200:5200::/1:/usr/sbin/nologin'
}

@test "the identity's group is known by name and number, and has no members" {
	gives 'getent -s vmail group vmail 5000' 'vmail:*:5000:' 'vmail:*:5000:'
}

@test "a mailbox is in its own group and in no other" {
	gives 'id alice@example.org; id -G bob@example.org
		probe initgroups alice@example.org' \
		'uid=5000(vmail) gid=5000(vmail) groups=5000(vmail)' 5123 \
		'NOTFOUND ENOENT'
}

@test "an initgroups line goes on to the sources behind us" {
	gives 'echo "initgroups: vmail files" >>/etc/nsswitch.conf
		sed -i "s/^mail:.*/&bob@example.org/" /etc/group
		id -Gn bob@example.org 2>/dev/null | grep -ow mail || true' mail
}

@test "an identity that only views names has the number its account has here" {
	gives 'echo "host archive 5600:5601 -" >>views; commit
		probe ask name archive; probe ask uid 5600; probe ask group archive
		probe ask gid 5601' \
		'archive:*:5600:5601:vmail:/nonexistent:/usr/sbin/nologin' \
		'archive:*:5600:5601:vmail:/nonexistent:/usr/sbin/nologin' \
		'archive:*:5601:' 'archive:*:5601:'
}

@test "another number in /etc/passwd counts at once, whatever the map remembers" {
	room '
		[[ $(probe ask name alice@example.org) == *:5000:5000:* ]]
		stamp=$(stat -c "%y %s %i" /etc/passwd)
		sed "s/^vmail:x:5000:5000:/vmail:x:6000:6000:/" /etc/passwd >/mnt/new
		# The same size, time and inode: only its time of change differs.
		time=$(stat -c %y /etc/passwd)
		cat /mnt/new >/etc/passwd
		touch -d "$time" /etc/passwd
		[ "$(stat -c "%y %s %i" /etc/passwd)" = "$stamp" ]
		[[ $(probe ask name alice@example.org) == *:6000:6000:* ]]
		[[ $(probe ask uid 6000) == vmail:* ]]
		[[ $(probe ask uid 5000 || true) == NOTFOUND* ]]
	'
}

@test "in an image whose vmail is 1000, the host's 5000 is 1000" {
	gives 'sed -i s/vmail:x:5000:5000/vmail:x:1000:1000/ /etc/passwd
		probe ask name vmail alice@example.org test@kuma8088.com
		probe ask uid 1000 5000; probe ask group vmail' \
		'vmail:*:1000:1000:vmail:/nonexistent:/usr/sbin/nologin' \
		"alice@example.org:*:1000:1000::$home/alice:/usr/sbin/nologin" \
		'test@kuma8088.com:*:1000:1000::/srv/test:/usr/sbin/nologin' \
		'vmail:*:1000:1000:vmail:/nonexistent:/usr/sbin/nologin' \
		'NOTFOUND ENOENT' 'vmail:*:1000:'
}

# More lines than the map's header holds.
many_views='many() {
	printf "long vmail 1000:1000 0:1:1%0600d\n" 0
	for i in $(seq 1 100); do echo "image$i vmail 1000:1000 -"; done
	echo "image1 archive 1001:1001 -"
	echo "host archive 5600:5601 -"
}
'

@test "views that do not fit the map are read from their file" {
	gives "$many_views"'many >>views; commit
		grep -ao "views=file" passwd.cdb
		probe ask name archive alice@example.org bob@example.org
		probe ask uid 5600 5123; probe ask gid 5601' \
		views=file 'archive:*:5600:5601:vmail:/nonexistent:/usr/sbin/nologin' \
		"$alice" "$bob" \
		'archive:*:5600:5601:vmail:/nonexistent:/usr/sbin/nologin' "$bob" \
		'archive:*:5601:'
}

@test "views that are not to be trusted, or too many, make everybody unavailable" {
	gives "$many_views"'many >>views; commit; chmod 666 views
		probe ask name bob@example.org
		chmod 644 views
		for i in $(seq 1 90); do echo "host identity$i 5000:5000 -"; done >>views
		probe ask name bob@example.org' 'UNAVAIL EACCES' 'UNAVAIL EBADMSG'
}

@test "nss_mailboxes = no leaves the identity alone" {
	gives 'conf "nss_mailboxes = no"
		probe ask name vmail bob@example.org; probe ask uid 5123
		rm passwd.cdb; probe ask name vmail bob@example.org' \
		"$vmail" 'NOTFOUND ENOENT' 'NOTFOUND ENOENT' "$vmail" \
		'NOTFOUND ENOENT'
}

@test "a passwd-file that lies elsewhere is found through its header" {
	gives 'mkdir -m 755 /mnt/elsewhere; mv passwd /mnt/elsewhere/users
		conf "passwd_file = /mnt/elsewhere/users"
		probe ask name vmail bob@example.org nobody@example.org
		probe ask uid 5123 5000
		rm /mnt/elsewhere/users.cdb
		probe ask name vmail bob@example.org' \
		"$vmail" "$bob" 'NOTFOUND ENOENT' "$bob" "$vmail" "$vmail" \
		'UNAVAIL ENOENT'
}

@test "one file per domain: a name is answered by its domain's map, a number never" {
	room '
		printf "%s\n" "passwd_file = /etc/vmail/domains/%d/passwd" \
			"nss_enumerate = yes" >vmail.conf
		rm -f passwd passwd.cdb
		"$VMAIL_BUILD/vmailadm" -q init
		useradd() {
			"$VMAIL_BUILD/vmailadm" -q useradd -M --generate "$@" >/dev/null
		}
		useradd anna@a.org
		useradd -u 5123 -g 5123 -d /srv/bob bob@b.org
		[ "$(probe ask name anna@a.org)" = \
			"anna@a.org:*:5000:5000::/var/mail/vhosts/a.org/anna:/usr/sbin/nologin" ]
		[ "$(probe ask name Bob@B.org)" = \
			"bob@b.org:*:5123:5123::/srv/bob:/usr/sbin/nologin" ]
		[[ $(probe ask uid 5000) == vmail:* ]]
		for question in "uid 5123" "name bob@a.org" "name anna@c.org" \
			"name anna" "name x@.." "name x@../vmail" "name x@a.org/"; do
			answer=$(probe ask $question) || true
			[[ $answer == NOTFOUND* ]] || { echo "$question: $answer"; exit 1; }
		done
		[[ $(nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 \
			ask name anna@a.org) == anna@a.org:* ]]
		rm domains/a.org/passwd
		[[ $(probe ask name anna@a.org || true) == UNAVAIL* ]]
		rm domains/a.org/passwd.cdb
		[[ $(probe ask name anna@a.org || true) == UNAVAIL* ]]
		rm -r domains/a.org
		[[ $(probe ask name anna@a.org || true) == NOTFOUND* ]]
		[[ $(probe ask name bob@b.org) == bob@b.org:* ]]
	'
}
