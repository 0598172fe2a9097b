#!/usr/bin/env bats
# init, map and config.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
}

@test "init makes what is missing, says each, and a second one does nothing" {
	rm -r "$P" "$P.cdb" "$ROOM/.lock" "$ROOM/apppw" "$ROOM/deny" \
		"$ROOM/views"
	echo 'host vmail 5000:5000 -' >"$ROOM/views"
	run -0 vmailadm --dry-run init
	[ ! -e "$P" ]
	[ ! -e "$ROOM/.lock" ]
	for file in passwd passwd.cdb .lock apppw deny; do
		[[ $'\n'$output$'\n' == *$'\n'"would make $ROOM/$file"$'\n'* ]]
	done
	run -0 vmailadm init
	for file in passwd passwd.cdb .lock apppw deny; do
		[[ $'\n'$output$'\n' == *$'\n'"made $ROOM/$file"$'\n'* ]]
	done
	[ "$(stat -c %a "$P")" = 640 ]
	[ "$(stat -c %a "$P.cdb")" = 644 ]
	[ "$(stat -c %a "$ROOM/.lock")" = 600 ]
	stat -c '%n %Y %Z %s %i' "$ROOM"/* >"$BATS_TEST_TMPDIR/a"
	run -0 vmailadm init
	[ -z "$output" ]
	stat -c '%n %Y %Z %s %i' "$ROOM"/* | cmp - "$BATS_TEST_TMPDIR/a"
	run -0 vmailadm check
	told longpassword useradd a@x.y
}

@test "a quiet init says nothing, and no tool's warning is passed on" {
	export ROOM VMAIL_BUILD
	run -0 in_private_etc '"$VMAIL_BUILD/vmailadm" -q init
		getent -s files passwd vmail | grep -q :5000:5000:'
	[ -z "$output" ]
}

# A machine's own /etc for the account and the default paths.
in_private_etc() {
	unshare --mount --propagation private bash -euc '
		mkdir -p "$ROOM/upper" "$ROOM/work"
		mount -t tmpfs private "$ROOM/mail"
		mkdir "$ROOM/mail/upper" "$ROOM/mail/work"
		mount -t overlay private -o lowerdir=/etc,upperdir="$ROOM/mail/upper",workdir="$ROOM/mail/work" /etc
		rm -rf /etc/vmail
		sed -i -e /^vmail:/d -e /:5000:/d /etc/passwd /etc/group \
			/etc/shadow /etc/gshadow
		'"$1"
}

@test "init on a bare system makes folder, settings, account, group and views" {
	export ROOM VMAIL_BUILD
	run -0 in_private_etc '
		umask 077
		"$VMAIL_BUILD/vmailadm" --dry-run init
		test ! -e /etc/vmail
		"$VMAIL_BUILD/vmailadm" init
		grep -E "^vmail:" /etc/passwd /etc/group
		cat /etc/vmail/views
		stat -c "%n %a" /etc/vmail /etc/vmail/*
		"$VMAIL_BUILD/vmailadm" init
		"$VMAIL_BUILD/vmailadm" --json check'
	[[ $output == *"would make account vmail, uid 5000"* ]]
	[[ $output == *"made group vmail, gid 5000"* ]]
	[[ $output == *"/etc/passwd:vmail:x:5000:5000:"*"/usr/sbin/nologin"* ]]
	[[ $output == *"/etc/group:vmail:x:5000:"* ]]
	[[ $output == *"host vmail 5000:5000 -"* ]]
	[[ $output == *"/etc/vmail 755"* ]]
	[[ $output == *"/etc/vmail/passwd.cdb 644"* ]]
	[[ $output == *"/etc/vmail/vmail.conf 644"* ]]
	[[ $output == *$'\n[]'* ]]
}

@test "init takes another number where 5000 is somebody's, and the group that is there" {
	export ROOM VMAIL_BUILD
	run -0 in_private_etc '
		echo "somebody:x:5000:5000::/:/bin/sh" >>/etc/passwd
		echo "somebody:x:5000:" >>/etc/group
		echo "vmail:x:5007:" >>/etc/group
		"$VMAIL_BUILD/vmailadm" init
		grep ^vmail: /etc/passwd
		cat /etc/vmail/views'
	[[ $output == *"vmail:x:5007:5007:"* ]]
	[[ $output == *"host vmail 5007:5007 -"* ]]
	[[ $output != *"made group"* ]]
}

@test "init without the tools for an account says what to run" {
	export ROOM VMAIL_BUILD
	run -1 in_private_etc '
		mount -t tmpfs private /usr/sbin
		"$VMAIL_BUILD/vmailadm" init'
	[[ $output == *"/usr/sbin/groupadd"*"mend: groupadd -r -g 5000 vmail;"* ]]
}

@test "init refuses to fill an empty file that has a backup" {
	cp "$P" "$P-"
	: >"$P"
	run -1 vmailadm init
	[ ! -s "$P" ]
	rm "$P-"
	run -0 vmailadm init
	[ -s "$P" ]
}

@test "map rebuilds after a change by hand, and leaves alone what is current" {
	echo "hand@x.y:$QUICK::::/h::" >>"$P"
	run -0 vmailadm map
	[[ $output == rebuilt* ]]
	run -0 cdb -q "$P.cdb" hand@x.y
	was=$(stat -c %i "$P.cdb")
	run -0 vmailadm map
	[[ $output == *current* ]]
	[ "$(stat -c %i "$P.cdb")" = "$was" ]
	run -0 vmailadm --force map
	[ "$(stat -c %i "$P.cdb")" != "$was" ]
}

@test "map sees whatever is no longer current: settings, views, a lost file, a leftover" {
	vmailadm -q map
	echo 'nss_enumerate = yes' >>"$ROOM/vmail.conf"
	run -0 vmailadm map
	[[ $output == rebuilt* ]]
	echo 'other vmail 1000:1000 -' >>"$ROOM/views"
	run -0 vmailadm map
	[[ $output == rebuilt* ]]
	rm "$ROOM/deny"
	run -0 vmailadm map
	[[ $output == rebuilt* ]]
	[ -e "$ROOM/deny" ]
	: >"$P.cdb.tmp"
	run -0 vmailadm map
	no_leftovers
	rm "$P.cdb"
	run -0 vmailadm map
	[ -e "$P.cdb" ]
	run -0 vmailadm map
	[[ $output == *current* ]]
}

@test "config show has every setting, as a table, as an object and as csv" {
	run -0 vmailadm --json config show
	[ "$(jq -r .crypt_rounds <<<"$output")" = 1000 ]
	keys=$(jq -r 'keys[]' <<<"$output")
	run -0 vmailadm config show
	for key in $keys; do
		grep -q "^$key " <<<"$output"
	done
	run -0 vmailadm --output=csv config show
	[ "${#lines[@]}" = 2 ]
}

@test "a setting that is wrong is said with file and line, whatever the command" {
	echo 'nonsense = 1' >>"$ROOM/vmail.conf"
	n=$(wc -l <"$ROOM/vmail.conf")
	for command in list check init map; do
		run -1 vmailadm $command
		[[ $output == "vmailadm: $ROOM/vmail.conf:$n: "* ]]
	done
	run -1 "$VMAIL_BUILD/vmailadm" --conf "$ROOM/none" list
	[[ $output == *"$ROOM/none: no such file"* ]]
}

@test "config dovecot prints what was run: the file, for 2.3" {
	run -0 vmailadm config dovecot --dovecot=2.3
	diff - <(printf '%s\n' "$output") <<-END
	passdb {
	  driver = passwd-file
	  deny = yes
	  args = username_format=%Lu/%Ls $ROOM/deny
	}
	passdb {
	  driver = passwd-file
	  args = scheme=CRYPT username_format=%Lu/%Ls/%{sha256;truncate=64:password} $ROOM/apppw
	}
	passdb {
	  driver = passwd-file
	  args = scheme=CRYPT username_format=%Lu $ROOM/passwd
	}
	userdb {
	  driver = passwd-file
	  args = username_format=%Lu $ROOM/passwd
	  default_fields = uid=vmail gid=vmail home=$ROOM/mail/%Ld/%Ln
	}
	mail_location = maildir:~/Maildir
	END
}

@test "config dovecot prints what was run: the file, for 2.4" {
	run -0 vmailadm config dovecot --dovecot=2.4 --style=file
	diff - <(printf '%s\n' "$output") <<-END
	passdb vmail-deny {
	  driver = passwd-file
	  deny = yes
	  passwd_file_path = $ROOM/deny
	  auth_username_format = %{user | lower}/%{protocol | lower}
	}
	passdb vmail-app {
	  driver = passwd-file
	  passwd_file_path = $ROOM/apppw
	  passdb_default_password_scheme = CRYPT
	  auth_username_format = %{user | lower}/%{protocol | lower}/%{password | sha256 | hexlify | substr(0,16)}
	}
	passdb vmail {
	  driver = passwd-file
	  passwd_file_path = $ROOM/passwd
	  passdb_default_password_scheme = CRYPT
	  auth_username_format = %{user | lower}
	}
	userdb vmail {
	  driver = passwd-file
	  passwd_file_path = $ROOM/passwd
	  auth_username_format = %{user | lower}
	  userdb_fields {
	    uid:default = vmail
	    gid:default = vmail
	    home:default = $ROOM/mail/%{user | domain | lower}/%{user | username | lower}
	  }
	}
	mail_driver = maildir
	mail_path = ~/Maildir
	mail_inbox_path =
	protocol lmtp {
	  auth_username_format = %{user | lower}
	}
	END
}

@test "config dovecot prints what was run: the modules" {
	run -0 vmailadm config dovecot --style=modules
	diff - <(printf '%s\n' "$output") <<-'END'
	passdb {
	  driver = pam
	  args = vmail-%s
	}
	userdb {
	  driver = passwd
	}
	mail_location = maildir:~/Maildir
	END
	echo 'dovecot = 2.4' >>"$ROOM/vmail.conf"
	run -0 vmailadm config dovecot --style=modules
	diff - <(printf '%s\n' "$output") <<-'END'
	passdb pam {
	  passdb_pam_service_name = vmail-%{protocol}
	}
	userdb passwd {
	}
	mail_driver = maildir
	mail_path = ~/Maildir
	mail_inbox_path =
	protocol lmtp {
	  auth_username_format = %{user | lower}
	}
	END
}

@test "config dovecot refuses what the configuration cannot hold" {
	sed -i '/^home/d' "$ROOM/vmail.conf"
	echo 'home = /srv/100%%/%u' >>"$ROOM/vmail.conf"
	run -0 vmailadm config dovecot --dovecot=2.3
	[[ $output == *"home=/srv/100%%/%Lu"* ]]
	run -1 vmailadm config dovecot --dovecot=2.4
	sed -i 's/^home.*/home = \/srv\/a b\/%u/' "$ROOM/vmail.conf"
	run -1 vmailadm config dovecot --dovecot=2.3
	run -2 vmailadm config dovecot --dovecot=2.2
	run -2 vmailadm config dovecot --style=sql
	run -2 vmailadm config nss --style=file
	run -2 vmailadm config postfix
}

@test "config pam and config nss print lines that fit" {
	run -0 vmailadm config pam
	[ "${#lines[@]}" = 4 ]
	for line in "${lines[@]}"; do
		[[ $line =~ ^(auth|account|password|session)\ +required\ +pam_vmail.so\ conf=$ROOM/vmail.conf$ ]]
	done
	run -0 vmailadm config nss
	[ "$output" = $'passwd: files systemd vmail\ngroup: files systemd vmail' ]
}

@test "the map is no header, by whatever path vmail.conf was named" {
	ln -s "$ROOM" "$BATS_TEST_TMPDIR/alias"
	for conf in "$BATS_TEST_TMPDIR/alias/vmail.conf" room/vmail.conf; do
		cd "$BATS_TEST_TMPDIR"
		printf 'testtest\n' | "$VMAIL_BUILD/vmailadm" --conf "$conf" \
			passwd "second@kuma8088.com"
		touch "$P"
		run -0 "$VMAIL_BUILD/vmailadm" --conf "$conf" map
		run -0 --separate-stderr "$VMAIL_BUILD/vmailadm" \
			--conf "$conf" check
		[[ $output != *map-stale* ]]
		[ -n "$(cdb -q "$ROOM/passwd.cdb" second@kuma8088.com)" ]
	done
}
