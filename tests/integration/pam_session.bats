# Sessions: a missing home, with the argument mkhome.

load pam_room

setup_file() { pam_build; }

setup() {
	pam_room
	service "conf=$ETC/vmail.conf" mkhome
	mkdir "$T/mail"
	chmod 755 "$T/mail"
	# The numbers of this system are the host's: a host view says so.
	printf 'host vmail 5000:5000 -\n' >"$ETC/views"
	chmod 644 "$ETC/views"
	answers
}

@test "mkhome makes the home, 0700, for the user's ids, in a folder of the owner's" {
	users "jo@example.org:$QUICK:5123:5124::$T/mail/example.org/jo:"
	client jo@example.org open_session
	says open_session PAM_SUCCESS
	[ "$(stat -c '%a %u:%g' "$T/mail/example.org/jo")" = '700 5123:5124' ]
	[ "$(stat -c '%a %u:%g' "$T/mail/example.org")" = '711 5000:5000' ]
	client jo@example.org open_session close_session
	says open_session PAM_SUCCESS
	says close_session PAM_SUCCESS
}

@test "an empty home is the configured one, empty ids are the owner's" {
	client jo@example.org open_session
	says open_session PAM_SUCCESS
	[ "$(stat -c '%a %u:%g' "$T/mail/example.org/jo")" = '700 5000:5000' ]
}

@test "what is in a home stays" {
	users "jo@example.org:$QUICK:5000:5000::$T/mail/jo:"
	client jo@example.org open_session
	says open_session PAM_SUCCESS
	touch "$T/mail/jo/kept"
	chmod 750 "$T/mail/jo"
	client jo@example.org open_session
	says open_session PAM_SUCCESS
	[ -e "$T/mail/jo/kept" ]
	[ "$(stat -c %a "$T/mail/jo")" = 750 ]
}

@test "without mkhome a session makes nothing and succeeds" {
	service "conf=$ETC/vmail.conf"
	client jo@example.org open_session close_session user=no@example.org \
		open_session
	[ "$(grep -c 'session PAM_SUCCESS' <<<"$output")" -eq 3 ]
	[ -z "$(ls -A "$T/mail")" ]
}

@test "a link on the way is not followed" {
	mkdir "$T/elsewhere"
	chown 5000:5000 "$T/elsewhere"
	ln -s "$T/elsewhere" "$T/mail/example.org"
	client jo@example.org open_session
	says open_session PAM_SESSION_ERR
	[ -z "$(ls -A "$T/elsewhere")" ]
	rm "$T/mail/example.org"
	ln -s "$T/elsewhere" "$T/mail/jo"
	users "jo@example.org:$QUICK:5000:5000::$T/mail/jo:"
	client jo@example.org open_session
	says open_session PAM_SESSION_ERR
	[ "$(stat -c %u "$T/elsewhere")" = 5000 ]
	logged home
}

@test "a home that is a file, not absolute, climbing or without a number is a session error" {
	touch "$T/mail/file"
	for fields in "5000:5000::$T/mail/file" '5000:5000::mail/jo' \
		"5000:5000::$T/mail/../mail/jo" "5000:5000::/" \
		"nobody-here:5000::$T/mail/jo" "70000:5000::$T/mail/jo" \
		"100:5000::$T/mail/jo"; do
		users "jo@example.org:$QUICK:$fields:"
		client jo@example.org open_session
		says open_session PAM_SESSION_ERR
		[ -f "$T/mail/file" ]
		[ ! -e "$T/mail/jo" ]
	done
}

@test "mkhome for an unknown user makes nothing" {
	client no@example.org open_session
	says open_session PAM_USER_UNKNOWN
	[ -z "$(ls -A "$T/mail")" ]
	never_logged no@example.org
}

@test "mkhome with an unavailable file or a broken views is a session error" {
	mv "$ETC/passwd" "$ETC/kept"
	client jo@example.org open_session
	says open_session PAM_SESSION_ERR
	mv "$ETC/kept" "$ETC/passwd"
	chmod 666 "$ETC/views"
	client jo@example.org open_session
	says open_session PAM_SESSION_ERR
	[ -z "$(ls -A "$T/mail")" ]
}
