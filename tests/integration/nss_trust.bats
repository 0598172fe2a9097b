#!/usr/bin/env bats
# What is not there, not fresh or not to be trusted; and what a process without
# rights can see.

load nss_room

setup_file() {
	bats_require_minimum_version 1.5.0
	nss_build
}

home=/var/mail/vhosts/example.org
alice="alice@example.org:*:5000:5000::$home/alice:/usr/sbin/nologin"
bob='bob@example.org:*:5123:5123:Bob:/srv/bob:/usr/sbin/nologin'
vmail='vmail:*:5000:5000:vmail:/nonexistent:/usr/sbin/nologin'

gives() { # SCRIPT LINE...
	run -0 room "$1"
	shift
	diff <(printf '%s\n' "$@") <(echo "$output")
}

@test "a process without rights resolves users and can see no hash" {
	gives 'nobody getent passwd alice@example.org 5123 vmail | cut -d: -f1
		nobody cat passwd 2>&1 | grep -o "Permission denied" || true
		grep -c SECRET passwd.cdb || true' \
		alice@example.org bob@example.org vmail 'Permission denied' 0
}

@test "with a fresh map the passwd-file is not even opened" {
	gives 'strace -f -o /mnt/calls getent passwd alice@example.org >/dev/null
		grep -c "open.*\"/etc/vmail/passwd\"" /mnt/calls || true' 0
}

@test "a stale map: who may read the file sees the new user, others the old answer" {
	gives 'passwd_file "alice@example.org:{PLAIN}SECRET:5300:5300::/new::" \
			"carol@example.org:{PLAIN}SECRET::::/c::"
		probe ask name alice@example.org carol@example.org bob@example.org
		nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask name \
			alice@example.org carol@example.org bob@example.org
		strace -f -o /mnt/calls setpriv --reuid=65534 --regid=65534 \
			--clear-groups /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask \
			name alice@example.org >/dev/null
		grep "open.*\"/etc/vmail/passwd\"" /mnt/calls | grep -o "E[A-Z]*" | tail -1' \
		'alice@example.org:*:5300:5300::/new:/usr/sbin/nologin' \
		'carol@example.org:*:5000:5000::/c:/usr/sbin/nologin' \
		'NOTFOUND ENOENT' "$alice" 'NOTFOUND ENOENT' "$bob" EACCES
}

@test "by a stale map nobody gets the number of somebody else" {
	gives 'passwd_file "bob@example.org:x:5400:5400::/b::" \
			"dave@example.org:x:5123:5123::/d::"
		probe ask uid 5123' 'NOTFOUND ENOENT'
}

@test "a scan leaves no hash in the memory of the program" {
	run -0 room 'passwd_file "a@x.y:{PLAIN}SECRET::::/a::" \
			"b@x.y:{PLAIN}SECRET::::/b::" "c@x.y:{PLAIN}SECRET::::/c::"
		for n in a@x.y b@x.y c@x.y nobody@x.y; do
			probe stack name "$n" SECRET
		done'
	[ "${#lines[@]}" -eq 4 ]
}

@test "without a map the identity is known, and mailboxes to who may read the file" {
	gives 'rm passwd.cdb
		probe ask name vmail bob@example.org nobody@example.org
		probe ask uid 5000 5123; probe ask group vmail; probe ask gid 5000
		nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask name \
			vmail bob@example.org nobody@example.org' \
		"$vmail" "$bob" 'NOTFOUND ENOENT' "$vmail" 'UNAVAIL ENOENT' \
		'vmail:*:5000:' 'vmail:*:5000:' "$vmail" 'UNAVAIL ENOENT' \
		'UNAVAIL ENOENT'
}

@test "without a map vmail.conf decides, and a bad one makes everybody unavailable" {
	gives 'rm passwd.cdb; echo "home = /m/%n" >vmail.conf
		probe ask name alice@example.org
		echo "colour = blue" >>vmail.conf; probe ask name vmail
		chmod 666 vmail.conf; probe ask name vmail' \
		'alice@example.org:*:5000:5000::/m/alice:/usr/sbin/nologin' \
		'UNAVAIL EBADMSG' 'UNAVAIL EACCES'
}

@test "where nothing is set up at all, users are unavailable, not unknown" {
	gives 'cd /; rm -r /etc/vmail
		probe ask name bob@example.org; probe ask uid 5123; probe ask name vmail' \
		'UNAVAIL ENOENT' 'UNAVAIL ENOENT' "$vmail"
}

@test "a passwd-file that is missing or empty makes users unavailable, not unknown" {
	gives 'rm passwd; probe ask name bob@example.org nobody@example.org
		nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask name bob@example.org
		: >passwd; chmod 640 passwd; probe ask name bob@example.org nobody@example.org
		nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask name bob@example.org' \
		'UNAVAIL ENOENT' 'UNAVAIL ENOENT' 'UNAVAIL ENOENT' 'UNAVAIL EIO' \
		'UNAVAIL EIO' 'UNAVAIL EIO'
}

@test "a map that others own or may write, a symlink, a directory, a FIFO: unavailable" {
	gives 'chmod 664 passwd.cdb; probe ask name bob@example.org
		chmod 646 passwd.cdb; probe ask uid 5123
		chmod 644 passwd.cdb; chown 5000 passwd.cdb; probe ask name bob@example.org
		chown 0 passwd.cdb; mv passwd.cdb map; ln -s map passwd.cdb
		probe ask name bob@example.org; probe ask group vmail
		rm passwd.cdb; mkdir passwd.cdb; probe ask name bob@example.org
		rmdir passwd.cdb; mkfifo passwd.cdb; probe ask name bob@example.org
		rm passwd.cdb; mv map passwd.cdb; probe ask name bob@example.org' \
		'UNAVAIL EACCES' 'UNAVAIL EACCES' 'UNAVAIL EACCES' 'UNAVAIL EACCES' \
		'UNAVAIL EACCES' 'UNAVAIL EACCES' 'UNAVAIL EACCES' "$bob"
}

@test "a map that may not be read: unavailable" {
	gives 'chmod 600 passwd.cdb
		nobody /mnt/nss_probe /mnt/lib/libnss_vmail.so.2 ask name bob@example.org' \
		'UNAVAIL EACCES'
}

@test "a map of a foreign version, an empty one, another file: unavailable" {
	gives 'cp passwd.cdb map
		printf 2 | dd of=passwd.cdb bs=1 seek=2062 conv=notrunc status=none
		probe ask name bob@example.org nobody@example.org; probe ask uid 5123
		cp map passwd.cdb; truncate -s 4095 passwd.cdb
		probe ask name bob@example.org
		: >passwd.cdb; probe ask name bob@example.org
		head -c 9000 /dev/urandom >passwd.cdb; probe ask name bob@example.org
		cp map passwd.cdb; probe ask name bob@example.org' \
		'UNAVAIL EBADMSG' 'UNAVAIL EBADMSG' 'UNAVAIL EBADMSG' \
		'UNAVAIL EBADMSG' 'UNAVAIL EBADMSG' 'UNAVAIL EBADMSG' "$bob"
}

@test "a map cut anywhere crashes nobody, and a user in it is never unknown" {
	gives 'echo "nss_enumerate = yes" >vmail.conf; commit
		probe truncated /etc/vmail/passwd.cdb bob@example.org' 'no crash'
}

@test "a map with any bytes crashes nobody" {
	gives 'echo "nss_enumerate = yes" >vmail.conf; commit
		probe damaged /etc/vmail/passwd.cdb bob@example.org' 'no crash'
}

@test "no descriptor left, no file to be opened: unavailable, never unknown" {
	gives 'cp passwd.cdb map
		strace -o /dev/null -e trace=openat -P /etc/vmail/passwd.cdb \
			-e inject=openat:error=EMFILE /mnt/nss_probe \
			/mnt/lib/libnss_vmail.so.2 ask name bob@example.org
		for e in EIO EINVAL ERANGE; do
			strace -o /dev/null -e trace=pread64 -P /etc/vmail/passwd.cdb \
				-e inject=pread64:error=$e /mnt/nss_probe \
				/mnt/lib/libnss_vmail.so.2 ask name bob@example.org
		done' 'UNAVAIL EMFILE' 'UNAVAIL EIO' 'UNAVAIL EIO' 'UNAVAIL EIO'
}

@test "a passwd-file that is being rewritten in place: try again" {
	gives 'echo >>passwd; probe rewritten /etc/vmail/passwd bob@example.org' \
		'TRYAGAIN EAGAIN'
}
