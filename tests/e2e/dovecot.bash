# A running Dovecot in a room, on Debian's stock configuration and what
# `vmailadm config dovecot` prints, with a certificate that can be verified.
# CASE is VERSION-STYLE: 2.3-file, 2.3-modules, 2.4-file, 2.4-modules.

load room

DOVECOT_HOST=mail.example.test

dovecot_suite()
{
	case $1 in
	2.3) echo bookworm ;;
	2.4) echo trixie ;;
	esac
}

# dovecot_up CASE FOLDER
dovecot_up()
{
	DOVECOT_VERSION=${1%-*}
	DOVECOT_STYLE=${1#*-}
	export DOVECOT_VERSION DOVECOT_STYLE
	room_start "$(dovecot_suite "$DOVECOT_VERSION")" "$2" || return 1
	dovecot_certificate
	dovecot_configure
	dovecot_run
}

dovecot_down()
{
	room_stop
}

# An authority of our own and a certificate for DOVECOT_HOST alone.
dovecot_certificate()
{
	in_room sh -e -c '
		mkdir -p /etc/dovecot/tls && cd /etc/dovecot/tls
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca \
			-keyout ca.key -out ca.pem
		openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" \
			-keyout tls.key -out tls.csr
		printf "subjectAltName=DNS:%s\n" "$1" >ext
		openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -days 2 \
			-CAcreateserial -extfile ext -out tls.crt
	' certificate "$DOVECOT_HOST" >/dev/null 2>&1
}

dovecot_configure()
{
	local conf=/etc/dovecot/conf.d
	in_room sed -i 's/^!include auth-system/#&/' $conf/10-auth.conf
	{
		in_room vmailadm config dovecot --dovecot "$DOVECOT_VERSION" \
			--style "$DOVECOT_STYLE"
		case $DOVECOT_VERSION in
		2.3) printf 'ssl_cert = <%s\nssl_key = <%s\n' \
			/etc/dovecot/tls/tls.crt /etc/dovecot/tls/tls.key ;;
		2.4) printf 'ssl_server_cert_file = %s\nssl_server_key_file = %s\n' \
			/etc/dovecot/tls/tls.crt /etc/dovecot/tls/tls.key ;;
		esac
		printf 'ssl = required\nlog_path = /var/log/dovecot.log\n'
		# The tests fail logins on purpose; a real server keeps its delays.
		printf 'auth_failure_delay = 0\n'
	} >"$BATS_FILE_TMPDIR/99-vmail.conf"
	in_room tee $conf/99-vmail.conf <"$BATS_FILE_TMPDIR/99-vmail.conf" >/dev/null
}

dovecot_run()
{
	in_room dovecot -F -c /etc/dovecot/dovecot.conf 3>&- \
		</dev/null >"$BATS_FILE_TMPDIR/dovecot.out" 2>&1 &
	wait_for "in_room bash -c '</dev/tcp/127.0.0.1/993'" || {
		cat "$BATS_FILE_TMPDIR/dovecot.out" >&2
		in_room cat /var/log/dovecot.log >&2
		return 1
	}
}

# imap USER PASSWORD PATH [CURL OPTION...]: over TLS, certificate verified.
imap()
{
	local user=$1 password=$2 path=$3
	shift 3
	printf 'user = "%s:%s"\n' "$user" "$password" |
		in_room curl --silent --show-error --max-time 30 \
			--cacert /etc/dovecot/tls/ca.pem \
			--resolve "$DOVECOT_HOST:993:127.0.0.1" \
			--config - "imaps://$DOVECOT_HOST:993/$path" "$@"
}

logs_in()
{
	imap "$1" "$2" '' -X NOOP >/dev/null || {
		in_room tail -n 5 /var/log/dovecot.log
		return 1
	}
}

# Refused by the server (curl's 67), not failed on the way to it.
refused()
{
	local status=0
	imap "$1" "$2" '' -X NOOP >/dev/null 2>&1 || status=$?
	[ "$status" -eq 67 ] || {
		echo "curl: $status"
		in_room tail -n 5 /var/log/dovecot.log
		return 1
	}
}

# A change as its user would make it: where Dovecot reads the file itself, it
# is told to wait until Dovecot must see it.
change()
{
	case $DOVECOT_STYLE in
	file) in_room vmailadm --settle "$@" ;;
	modules) in_room vmailadm "$@" ;;
	esac
}

add_user()
{
	printf '%s\n' "$2" | change useradd "$1"
}
