#!/usr/bin/env bats
# How the command listens and speaks: options, forms of output, statuses.
# shellcheck disable=SC2154

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	furnish
}

@test "without a command the usage goes to stderr, with status 2" {
	run -2 --separate-stderr "$VMAIL_BUILD/vmailadm"
	[ -z "$output" ]
	[[ $stderr == *"usage: vmailadm"* ]]
}

@test "help of the whole and of each command goes to stdout, with status 0" {
	run -0 --separate-stderr "$VMAIL_BUILD/vmailadm" --help
	[ -z "$stderr" ]
	names=$(sed -nE 's/^  ([a-z]+) .*/\1/p' <<<"$output")
	[ "$(wc -w <<<"$names")" -ge 14 ]
	for name in $names; do
		run -0 --separate-stderr "$VMAIL_BUILD/vmailadm" "$name" -h
		[ -z "$stderr" ]
		[[ $output == "usage: vmailadm $name "* ]]
	done
}

@test "the version is shown" {
	run -0 "$VMAIL_BUILD/vmailadm" --version
	[[ $output == vmailadm\ [0-9]* ]]
}

@test "an unknown command or option is a usage error with a hint" {
	run -2 vmailadm usradd x
	[[ $output == *"did you mean useradd?"* ]]
	run -2 vmailadm useradd --generat-e x
	[[ $output == *"did you mean --generate?"* ]]
	run -2 vmailadm list -Z
	[[ $output == *"no such option: -Z"* ]]
	run -2 vmailadm list --do=x --col=user --nothing
	[[ $output == *"no such option: --nothing"* ]]
}

@test "an option that could be two is a usage error" {
	run -2 vmailadm useradd --password x@y.z
	[[ $output == *"ambiguous: --password"* ]]
}

@test "what comes in a later version is a usage error now" {
	local words
	for words in 'useradd --quota=1G u@x.y' 'useradd --expire=+1d u@x.y' \
		'useradd --services=imap u@x.y' \
		'useradd --allow-nets=::1 u@x.y' \
		'lock --until=+1d u@x.y' 'lock --reason=no u@x.y' \
		'lock --services=imap u@x.y' 'auth --service=imap u@x.y' \
		'auth --from=::1 u@x.y' 'passwd -e u@x.y' \
		'usermod -l new@x.y -m u@x.y' 'hash --bench' \
		'check --dovecot=2.4' 'map --dates' 'map example.org'; do
		# shellcheck disable=SC2086
		run -2 vmailadm $words </dev/null
	done
	unchanged
}

@test "options stand before and after the command and its operands, clustered and cut short" {
	for words in '--json list -o user test@*' 'list test@* -ouser --json' \
		'-q list --outp=json --columns=user -- test@*' \
		'list -qouser --json test@*' \
		'list --columns user test@* --output json'; do
		# shellcheck disable=SC2086
		run -0 vmailadm $words
		[ "$output" = "[{\"user\": \"$FIELD_USER\"}]" ]
	done
}

@test "behind -- nothing is an option" {
	run -3 vmailadm show -- --json
	[[ $output == *"--json: no such user"* ]]
	run -3 vmailadm show -- -nobody@x.y
	run -3 vmailadm -- show --json
}

@test "operands are counted" {
	run -2 vmailadm show
	[[ $output == *"missing: USER"* ]]
	run -2 vmailadm show a@x.y b@x.y
	[[ $output == *"one too many: 'b@x.y'"* ]]
	run -2 vmailadm init now
	run -2 vmailadm userdel
}

@test "bad values of global options are usage errors" {
	run -2 vmailadm list --output=xml
	run -2 vmailadm list --json --output=csv
	run -2 vmailadm list --wait=-1
	run -2 vmailadm list --wait=1s
	run -2 vmailadm list --wait
	run -2 vmailadm list --json=yes
}

@test "list shows users in the order of the file, by pattern and by domain" {
	line "other@example.org:$QUICK::::/srv/mail/other::"
	run -0 vmailadm list --output=csv -o user
	[ "$output" = $'user\n'"$FIELD_USER"$'\nsecond@kuma8088.com\nother@example.org' ]
	run -0 vmailadm list --output=csv -o user 's*' 'o*'
	[ "$output" = $'user\nsecond@kuma8088.com\nother@example.org' ]
	for domain in example.org Example.ORG; do
		run -0 vmailadm list --output=csv -o user --domain=$domain
		[ "$output" = $'user\nother@example.org' ]
	done
	run -0 vmailadm list --domain=8088.com
	[ -z "$output" ]
	run -2 vmailadm list -o user,password
	[[ $output == *"no such column: 'password'"* ]]
}

@test "list in JSON is one array, empty where nobody fits" {
	run -0 vmailadm --json list
	[ "$(jq -r 'map(.user) | join(" ")' <<<"$output")" = \
		"$FIELD_USER second@kuma8088.com" ]
	run -0 vmailadm --json list nobody
	[ "$output" = '[]' ]
}

@test "show in JSON is one object with the keys of a user, and no hash" {
	line "anna@example.org:$QUICK:::Anna \"A\", Ä:::mail=x pass=geheim"
	run -0 --separate-stderr vmailadm --json show ANNA@example.org
	jq -e --arg home "$ROOM/mail/example.org/anna" '. == {
		user: "anna@example.org", domain: "example.org", uid: 5000,
		gid: 5000, gecos: "Anna \"A\", Ä", home: $home, shell: "",
		scheme: "SHA512-CRYPT", locked: false,
		extra: "mail=x pass=***"}' <<<"$output"
	[[ $output != *saltsalt* ]]
}

@test "text that is not UTF-8 makes JSON that can be read, and csv quotes" {
	line "$(printf 'odd@example.org:{CRYPT}*:::\xff,"x":/odd::')"
	run -0 vmailadm --json show odd@example.org
	[ "$(jq -r .gecos <<<"$output")" = '\xff,"x"' ]
	vmailadm --output=csv list -o gecos 'odd*' |
		cmp - <(printf 'gecos\n"\xff,""x"""\n')
}

@test "a number that this system does not have is null" {
	line "odd@example.org:$QUICK:nosuchuser:::/odd::"
	run -0 vmailadm --json show odd@example.org
	[ "$(jq -c '[.uid, .gid]' <<<"$output")" = '[null,null]' ]
}

@test "a name is matched whole, as it stands first and lower-cased second" {
	line "Odd@Example.org:{CRYPT}*:::upper:/odd::"
	line "odd@example.org:{CRYPT}*:::lower:/odd::"
	[ "$(vmailadm --json show Odd@Example.org | jq -r .gecos)" = upper ]
	[ "$(vmailadm --json show ODD@EXAMPLE.ORG | jq -r .gecos)" = lower ]
	run -3 vmailadm show odd@example
	run -3 vmailadm show dd@example.org
}

@test "each status is its own: 3 no such user, 4 exists, 5 busy, 6 unsafe" {
	run -3 vmailadm show nobody@kuma8088.com
	run -4 told longpassword useradd "$FIELD_USER"
	exec 9<>"$ROOM/.lock"
	"${CC:-cc}" -D_GNU_SOURCE -o "$BATS_TEST_TMPDIR/hold" -x c - <<-'END'
		#include <fcntl.h>
		int main(void)
		{
			struct flock l = { .l_type = F_WRLCK, .l_len = 1 };
			return fcntl(9, F_OFD_SETLK, &l) != 0;
		}
	END
	"$BATS_TEST_TMPDIR/hold"
	run -5 vmailadm --wait=0 lock "$FIELD_USER"
	[[ $output == *"busy"* ]]
	[[ $output == *"mend: "*"--wait"* ]]
	exec 9>&-
	chmod 0666 "$P"
	run -6 vmailadm lock "$FIELD_USER"
	[[ $output == *"not trusted"* ]]
}

@test "a full disk on standard output is a failure" {
	vmailadm list >"$BATS_TEST_TMPDIR/out"
	run -1 --separate-stderr bash -c '"$@" >/dev/full' - \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" list
	[[ $stderr == *"standard output"* ]]
	run -1 bash -c '"$@" >/dev/full' - \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" --json list
	run -1 bash -c '"$@" >&-' - \
		"$VMAIL_BUILD/vmailadm" --conf "$ROOM/vmail.conf" list
}

@test "closed standard descriptors are never taken for files" {
	run -1 bash -c '"$@" <&- >&- 2>&-' - "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" passwd "$FIELD_USER" --generate
	run bash -c '"$@" <&- >&- 2>&-' - "$VMAIL_BUILD/vmailadm" \
		--conf "$ROOM/vmail.conf" lock nobody@x.y
	[ "$(wc -l <"$P")" = "$(wc -l <"$BATS_TEST_TMPDIR/before")" ]
	run ! grep -q nobody@x.y "$P"
}

@test "bytes that would control a terminal are escaped" {
	run -2 vmailadm show $'a\e[2J'
	[[ $output == *'a\x1b[2J'* ]]
	line "$(printf 'odd@example.org:{CRYPT}*:::\e[2J:/odd::')"
	run -0 vmailadm list -o user,gecos
	[[ $output != *$'\e'* ]]
}

@test "only root may change anything, and hash needs nobody" {
	local open
	open=$(mktemp -d)
	chmod 0755 "$open"
	cp "$ROOM/vmail.conf" "$open"
	as_nobody() {
		setpriv --reuid=65534 --clear-groups "$VMAIL_BUILD/vmailadm" \
			--conf "$open/vmail.conf" "$@"
	}
	for words in 'init' 'map' "lock $FIELD_USER" "passwd $FIELD_USER"; do
		# shellcheck disable=SC2086
		run -6 as_nobody $words </dev/null
		[[ $output == *"only root may" ]]
	done
	run -0 as_nobody hash <<<password
	rm -r "$open"
	[[ $output == '{SHA512-CRYPT}$6$rounds=1000$'* ]]
	unchanged
}

@test "no command that only reads changes a byte or a time of the folder" {
	stat -c '%n %Y %Z %s %i' "$ROOM"/* "$ROOM"/.lock >"$BATS_TEST_TMPDIR/a"
	vmailadm list
	vmailadm show "$FIELD_USER"
	told testtest auth "$FIELD_USER"
	vmailadm check
	vmailadm config show
	stat -c '%n %Y %Z %s %i' "$ROOM"/* "$ROOM"/.lock |
		cmp - "$BATS_TEST_TMPDIR/a"
}

@test "a dry run of every changing command says what it would do and changes nothing" {
	stat -c '%n %Y %Z %s %i' "$ROOM"/* >"$BATS_TEST_TMPDIR/a"
	run -0 vmailadm --dry-run useradd new@x.y </dev/null
	[[ $output == "would add new@x.y, home $ROOM/mail/x.y/new" ]]
	run -0 vmailadm --dry-run usermod -c x "$FIELD_USER"
	[[ $output == "would change $FIELD_USER" ]]
	run -0 vmailadm --dry-run userdel -r second@kuma8088.com
	[[ $output == "would remove second@kuma8088.com and $ROOM/mail/second" ]]
	run -0 vmailadm --dry-run passwd "$FIELD_USER" </dev/null
	[[ $output == "would change the password of $FIELD_USER" ]]
	run -0 vmailadm --dry-run lock "$FIELD_USER"
	[[ $output == "would lock $FIELD_USER" ]]
	run -0 vmailadm --dry-run --force map
	[[ $output == "would rebuild"* ]]
	run -4 vmailadm --dry-run useradd "$FIELD_USER" </dev/null
	run -3 vmailadm --dry-run userdel nobody@x.y
	stat -c '%n %Y %Z %s %i' "$ROOM"/* | cmp - "$BATS_TEST_TMPDIR/a"
	unchanged
}

@test "--settle returns in a later second of the wall clock than the change" {
	told longpassword --settle passwd "$FIELD_USER"
	now=$(date +%s)
	changed=$(stat -c %Z "$P")
	[ "$now" -gt "$changed" ]
}
