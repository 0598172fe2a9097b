#!/usr/bin/env bats
# The main job: a user made once by vmailadm is known to a real Dovecot.
# cases: 2.3-file 2.3-modules 2.4-file 2.4-modules

load dovecot

setup_file()
{
	bats_require_minimum_version 1.5.0
	dovecot_up "${VMAIL_CASE:-2.3-file}" "$BATS_FILE_TMPDIR/room"
}

teardown_file()
{
	dovecot_down
}

@test "a user made by useradd logs in over verified TLS, lists, appends and fetches" {
	add_user anna@example.test 'first Secret'
	printf 'Subject: hello\r\n\r\nfrom the test\r\n' |
		in_room tee /tmp/message >/dev/null
	run -0 imap anna@example.test 'first Secret' ''
	[[ $output == *INBOX* ]]
	imap anna@example.test 'first Secret' INBOX -T /tmp/message
	run -0 imap anna@example.test 'first Secret' 'INBOX;MAILINDEX=1'
	[[ $output == *"from the test"* ]]
	run -0 in_room stat -c '%u:%g' /var/mail/vhosts/example.test/anna/Maildir
	[ "$output" = 5000:5000 ]
}

@test "the login name is matched whatever its case" {
	add_user case@example.test 'case Secret'
	logs_in Case@Example.TEST 'case Secret'
}

@test "the certificate is really verified: another name is refused" {
	run -60 in_room curl --silent --max-time 30 \
		--cacert /etc/dovecot/tls/ca.pem \
		--resolve other.example.test:993:127.0.0.1 \
		imaps://other.example.test:993/
}

@test "a wrong password is refused, and the empty one, and an unknown user" {
	add_user bob@example.test 'bobs Secret'
	logs_in bob@example.test 'bobs Secret'
	refused bob@example.test 'bobs secret'
	refused bob@example.test ''
	refused nobody-here@example.test 'bobs Secret'
}

@test "passwd takes effect at the very next login" {
	add_user carla@example.test 'old Secret'
	logs_in carla@example.test 'old Secret'
	printf 'new Secret\n' | change passwd carla@example.test
	logs_in carla@example.test 'new Secret'
	refused carla@example.test 'old Secret'
}

@test "the second of two changes of equal length in one second is seen" {
	add_user dora@example.test 'password-0'
	logs_in dora@example.test 'password-0'
	local before after
	before=$(in_room stat -c %Y /etc/vmail/passwd)
	printf 'password-1\n' | in_room vmailadm passwd dora@example.test
	printf 'password-2\n' | change passwd dora@example.test
	after=$(in_room stat -c %Y /etc/vmail/passwd)
	[ "$after" -ge $((before + 2)) ]
	logs_in dora@example.test 'password-2'
	refused dora@example.test 'password-1'
	refused dora@example.test 'password-0'
}

@test "lock refuses the next login, unlock allows the one after" {
	add_user emil@example.test 'emils Secret'
	logs_in emil@example.test 'emils Secret'
	change lock emil@example.test
	refused emil@example.test 'emils Secret'
	change unlock emil@example.test
	logs_in emil@example.test 'emils Secret'
}

@test "userdel refuses the next login" {
	add_user fritz@example.test 'fritz Secret'
	logs_in fritz@example.test 'fritz Secret'
	change userdel fritz@example.test
	refused fritz@example.test 'fritz Secret'
}

@test "the record from the field logs in, and only with its password" {
	field_record | in_room tee -a /etc/vmail/passwd >/dev/null
	in_room vmailadm map
	# An edit by hand is seen in the next whole second.
	wait_for "logs_in test@kuma8088.com testtest"
	refused test@kuma8088.com test1234
}

field_record()
{
	cat "${VMAIL_SOURCE:?}/tests/data/field-record"
}

@test "an unprivileged process resolves the user and cannot see a hash" {
	add_user gina@example.test 'ginas Secret'
	run -0 in_room_as nobody getent passwd gina@example.test
	[ "$output" = "gina@example.test:*:5000:5000::/var/mail/vhosts/example.test/gina:/usr/sbin/nologin" ]
	run ! in_room_as nobody cat /etc/vmail/passwd
	run -1 in_room grep -c 'SHA512-CRYPT}\$6' /etc/vmail/passwd.cdb
}

@test "doveadm accepts every hash that we make" {
	local scheme hash
	for scheme in SHA512-CRYPT SHA256-CRYPT BLF-CRYPT CRYPT ARGON2ID \
		ARGON2I PLAIN; do
		hash=$(printf 'a Secret, 42\n' | in_room vmailadm hash -s $scheme)
		echo "$hash"
		in_room doveadm pw -t "$hash" -p 'a Secret, 42'
		run ! in_room doveadm pw -t "$hash" -p 'a Secret, 43'
	done
}

@test "we accept every hash that doveadm makes" {
	local scheme hash
	for scheme in SHA512-CRYPT SHA256-CRYPT BLF-CRYPT CRYPT ARGON2ID \
		ARGON2I PLAIN; do
		hash=$(in_room doveadm pw -s $scheme -p 'their Secret %d')
		echo "$hash"
		printf 'their Secret %%d\n' | in_room vmailadm hash --test "$hash"
		run -1 in_room vmailadm hash --test "$hash" <<<'their Secret %u'
	done
}
