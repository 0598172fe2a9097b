#!/usr/bin/env bats
# The three Debian packages, in a Debian of their own: what they bring, that
# they work as they are, and that they leave as they came.
# cases: bookworm trixie

load ../e2e/room

setup_file() {
	bats_require_minimum_version 1.5.0
	export SUITE=${VMAIL_CASE:-bookworm}
	export DEBS=$ROOTS/$SUITE.debs
}

setup() {
	enter room
}

teardown() {
	room_stop
}

# A fresh Debian with our packages in /debs, not installed.
enter() {
	room_start "$SUITE.base" "$BATS_TEST_TMPDIR/$1"
	in_room mkdir /debs
	tar -C "$DEBS" -cf - . | in_room tar -C /debs -xf -
}

# install PACKAGE...
install() {
	local names=("${@/%/_*.deb}")
	in_room sh -e -c "cd /debs; dpkg -i ${names[*]}"
}

install_all() {
	install vmail libpam-vmail libnss-vmail
}

# Everything a package could leave behind: each path with its kind, mode and
# owner; dpkg's own records and what the system derives are not the packages'.
inventory() {
	in_room find / -xdev '(' -path /proc -o -path /dev -o -path /run \
		-o -path /tmp -o -path /debs -o -path /var/lib/dpkg \
		-o -path /var/log -o -path /var/cache ')' -prune \
		-o -printf '%p %y %m %u:%g\n' |
		grep -Ev '^/etc/(ld.so.cache|(passwd|group|g?shadow)-|.pwd.lock) ' |
		sort
}

nsswitch() {
	in_room grep -E "^$1:" /etc/nsswitch.conf
}

add_user() {
	printf 'a Secret of %s\n' "$1" | in_room vmailadm useradd "$1"
}

@test "the packages carry the version of the program" {
	install vmail
	run -0 in_room vmailadm --version
	local version=${output##* }
	for package in vmail libpam-vmail libnss-vmail; do
		run -0 dpkg-deb --field "$DEBS/$package"_*.deb Version
		[ "$output" = "$version" ]
	done
}

@test "lintian finds no error and no warning" {
	run -0 lintian --fail-on error,warning \
		--suppress-tags wrong-path-for-interpreter "$DEBS"/*.changes
	[[ ! $output =~ (^|$'\n')[EW]: ]]
}

@test "installed, they make the account, the files and the services, and nothing else is to be done" {
	install_all
	run -0 in_room getent passwd vmail
	[ "$output" = \
		"vmail:x:5000:5000:owner of virtual mail:/var/mail/vhosts:/usr/sbin/nologin" ]
	run -0 in_room getent group vmail
	[[ $output == vmail:*:5000: ]]
	run -0 in_room stat -c '%a %U' /etc/vmail /etc/vmail/passwd \
		/etc/vmail/vmail.conf
	[ "$output" = $'755 root\n640 root\n644 root' ]
	run -0 in_room sh -c 'cd /etc/pam.d; echo vmail-*'
	[ "$output" = \
		"vmail-imap vmail-pop3 vmail-sieve vmail-smtp vmail-submission" ]
	run -0 in_room vmailadm check
}

@test "every module that a service names is where PAM looks for it" {
	install_all
	local dir
	dir=$(in_room sh -c 'dirname /lib/*/security/pam_permit.so')
	in_room test -f "$dir/pam_vmail.so"
}

@test "a user that the installed command adds is an account on the system" {
	install_all
	add_user anna@example.test
	run -0 in_room_as nobody getent passwd anna@example.test
	[[ $output == anna@example.test:\*:5000:5000:* ]]
}

@test "the NSS module is asked after files, for users and groups alone" {
	in_room sed -i 's/^group:.*/group:\tfiles systemd ldap # ours/' \
		/etc/nsswitch.conf
	in_room cp /etc/nsswitch.conf /tmp/before
	install libnss-vmail
	run -0 nsswitch passwd
	[[ $output =~ ^passwd:\ +files\ vmail$ ]]
	run -0 nsswitch group
	[ "$output" = $'group:\tfiles systemd vmail ldap # ours' ]
	run -1 in_room sh -c 'grep vmail /etc/nsswitch.conf |
		grep -Ev "^(passwd|group):"'
}

@test "removing the NSS module leaves nsswitch.conf as it was, byte for byte" {
	in_room sed -i 's/^group:.*/group:\tfiles [SUCCESS=merge] systemd  #v/' \
		/etc/nsswitch.conf
	in_room cp /etc/nsswitch.conf /tmp/before
	install libnss-vmail
	run ! in_room cmp -s /tmp/before /etc/nsswitch.conf
	in_room dpkg --remove libnss-vmail
	in_room cmp /tmp/before /etc/nsswitch.conf
	in_room getent passwd root
}

@test "an upgrade does not put vmail back where somebody took it out" {
	install libnss-vmail
	in_room sed -i 's/ vmail//' /etc/nsswitch.conf
	in_room cp /etc/nsswitch.conf /tmp/mine
	install libnss-vmail
	in_room cmp /tmp/mine /etc/nsswitch.conf
}

@test "without nsswitch.conf the NSS module installs and says so" {
	in_room rm /etc/nsswitch.conf
	run -0 install libnss-vmail
	[[ $output == *"no /etc/nsswitch.conf"* ]]
	run -0 in_room dpkg --purge libnss-vmail
	in_room test ! -e /etc/nsswitch.conf
}

@test "a container can take the NSS module alone, with the folder mounted" {
	run -0 dpkg-deb --field "$DEBS"/libnss-vmail_*.deb Depends
	[[ $output =~ ^libc6\ \([^,]*$ ]]
	install_all
	add_user anna@example.test
	in_room tar -C /etc -cf - vmail >"$BATS_TEST_TMPDIR/vmail.tar"
	room_stop
	enter container
	install libnss-vmail
	in_room tar -C /etc -xf - <"$BATS_TEST_TMPDIR/vmail.tar"
	run -0 in_room_as nobody getent passwd anna@example.test vmail
	[[ $output == anna@example.test:\*:5000:5000:*vmail:\*:5000:5000:* ]]
}

@test "without systemd-sysusers the account is made all the same" {
	in_room rm /usr/bin/systemd-sysusers
	install vmail
	run -0 in_room getent passwd vmail
	[ "$output" = \
		"vmail:x:5000:5000:owner of virtual mail:/var/mail/vhosts:/usr/sbin/nologin" ]
	run -0 in_room getent group vmail
	[[ $output == vmail:*:5000: ]]
}

@test "where 5000 is somebody else's, the account gets another number" {
	in_room useradd --uid 5000 --user-group --no-create-home other
	for sysusers in there gone; do
		install vmail
		run -0 in_room id -u vmail
		[ "$output" -ne 5000 ]
		in_room grep -q "^host vmail $output:" /etc/vmail/views
		in_room dpkg --purge vmail
		in_room userdel vmail
		in_room rm -f /usr/bin/systemd-sysusers
	done
	[ "$sysusers" = gone ]
}

@test "an account vmail that is there keeps its number, and the files know it" {
	in_room useradd --uid 1234 --user-group --no-create-home vmail
	install_all
	run -0 in_room id -u vmail
	[ "$output" = 1234 ]
	in_room grep -q '^host vmail 1234:1234 -' /etc/vmail/views
	add_user anna@example.test
	run -0 in_room id -u anna@example.test
	[ "$output" = 1234 ]
}

@test "an upgrade leaves users, settings and changed service files as they are" {
	install_all
	add_user anna@example.test
	in_room sh -c 'echo "# mine" >>/etc/pam.d/vmail-imap
		echo "# mine" >>/etc/vmail/vmail.conf
		cd /etc && sha256sum vmail/passwd vmail/vmail.conf vmail/views \
			pam.d/vmail-imap nsswitch.conf >/tmp/sums'
	install_all
	in_room sh -c 'cd /etc && sha256sum --check --quiet /tmp/sums'
}

@test "a mistake in vmail.conf is said and holds up no upgrade" {
	install vmail
	in_room sh -c 'echo nonsense >>/etc/vmail/vmail.conf'
	run -0 install vmail
	[[ $output == *vmail.conf:*"run: vmailadm init"* ]]
}

@test "removing keeps the configuration, purging leaves no trace but the account" {
	local before
	before=$(inventory)
	install_all
	in_room dpkg --remove vmail libpam-vmail libnss-vmail
	in_room test -f /etc/vmail/vmail.conf -a -f /etc/vmail/passwd \
		-a -f /etc/pam.d/vmail-imap
	in_room getent -s files passwd vmail
	in_room dpkg --purge vmail libpam-vmail libnss-vmail
	diff <(echo "$before") <(inventory)
	in_room getent passwd vmail
}

@test "purging keeps users, and the files a mail server reads with them" {
	install_all
	add_user anna@example.test
	in_room sha256sum /etc/vmail/passwd >"$BATS_TEST_TMPDIR/sum"
	in_room dpkg --purge vmail libpam-vmail libnss-vmail
	in_room sha256sum --check --quiet <"$BATS_TEST_TMPDIR/sum"
	run -0 in_room ls -A /etc/vmail
	[ "$output" = $'apppw\ndeny\npasswd\npasswd-' ]
}

@test "purging the last user's file leaves no backup of hashes behind" {
	install_all
	add_user anna@example.test
	in_room vmailadm userdel anna@example.test
	in_room dpkg --purge vmail libpam-vmail libnss-vmail
	in_room test ! -e /etc/vmail
}
