#!/usr/bin/env bats
# The manual page and the completions are held to the table that parses.

setup_file() {
	bats_require_minimum_version 1.5.0
}

setup() {
	load cli_room
	PATH=$VMAIL_BUILD:$PATH
	vmailadm --list-options >"$BATS_TEST_TMPDIR/list"
}

vmailadm() {
	"$VMAIL_BUILD/vmailadm" "$@"
}

# Every option as the page must have it: "COMMAND .It ...", sorted.
items_of_table() {
	awk -F '\t' '$3 != "" {
		name = "Fl -" substr($3, 3)
		if ($4 != "") name = name " Ns = Ns Ar " $4
		letter = ""
		if ($2 != "") letter = "Fl " substr($2, 2)
		if ($2 != "" && $4 != "") letter = letter " Ar " $4
		if (letter != "") letter = letter " , "
		print $1 " .It " letter name
	}' "$BATS_TEST_TMPDIR/list" | sort
}

items_of_page() {
	awk '
		/^\.Sh/ { command = ""; inside = ($2 == "OPTIONS" ||
			$2 == "COMMANDS") }
		/^\.Ss/ { command = $2 }
		inside && /^\.It Fl/ { print command " " $0 }
	' "$VMAIL_SOURCE/cli/vmailadm.8" | sort
}

@test "the manual page has exactly the options there are, each where it belongs" {
	[ "$(wc -l <"$BATS_TEST_TMPDIR/list")" -gt 40 ]
	diff <(items_of_table) <(items_of_page)
}

@test "the manual page has exactly the commands there are" {
	diff <(awk -F '\t' '$3 == "" { print $1 }' "$BATS_TEST_TMPDIR/list") \
		<(sed -nE 's/^\.Ss ([a-z-]+).*/\1/p' \
			"$VMAIL_SOURCE/cli/vmailadm.8")
}

@test "help shows every option of its command" {
	while IFS=$'\t' read -r command _ name _; do
		run -0 vmailadm ${command:+"$command"} --help
		[ -z "$name" ] || [[ $output == *"$name"* ]]
	done < <(tr '\t' '\t' <"$BATS_TEST_TMPDIR/list" |
		awk -F '\t' 'BEGIN { OFS = "\t" }
			$3 != "" { print $1 ? $1 : "init", "-", $3, "-" }')
}

complete_line() {
	(
		# shellcheck source=/dev/null
		source "$VMAIL_SOURCE/packaging/completions/vmailadm.bash"
		COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
		_vmailadm
		printf '%s\n' "${COMPREPLY[@]}"
	)
}

@test "bash completes every command and every option of each" {
	complete_line 'vmailadm ' | sort |
		diff <(awk -F '\t' '$3 == "" { print $1 }' \
			"$BATS_TEST_TMPDIR/list" | sort) -
	for command in useradd passwd config; do
		complete_line "vmailadm $command -" | sort |
			diff <(awk -F '\t' -v c="$command" '$3 != "" &&
				($1 == "" || $1 == c) { print $3 }' \
				"$BATS_TEST_TMPDIR/list" | sort) -
	done
}

@test "bash completes the values of options, however they are written" {
	[ "$(complete_line 'vmailadm list --output=j')" = json ]
	[ "$(complete_line 'vmailadm list --output c')" = csv ]
	[ "$(complete_line 'vmailadm config sh')" = show ]
	[ "$(complete_line 'vmailadm config --dovecot ' | tr '\n' ' ')" = \
		'2.3 2.4 ' ]
}

@test "bash completes domains, as operands and as values, each once" {
	vmailadm() {
		[ "$1" != list ] || {
			printf 'domain\nb.org\na.org\nb.org\n'
			return
		}
		"$VMAIL_BUILD/vmailadm" "$@"
	}
	for words in 'map ' 'edit ' 'with-lock --domain ' 'export --domain='; do
		[ "$(complete_line "vmailadm $words" | tr '\n' ' ')" = \
			'a.org b.org ' ]
	done
}

@test "bash completes the parts of idmap, their forms and the views" {
	furnish
	PATH=$BATS_TEST_TMPDIR:$PATH
	printf '%s\n' '#!/bin/sh' "exec '$VMAIL_BUILD/vmailadm' \
		--conf '$ROOM/vmail.conf' \"\$@\"" >"$BATS_TEST_TMPDIR/vmailadm"
	chmod +x "$BATS_TEST_TMPDIR/vmailadm"
	unset -f vmailadm
	[ "$(complete_line 'vmailadm idmap ' | tr '\n' ' ')" = \
		'list add del show of emit ' ]
	[ "$(complete_line 'vmailadm idmap e')" = emit ]
	[ "$(complete_line 'vmailadm idmap emit --for=q')" = quadlet ]
	[ "$(complete_line 'vmailadm idmap emit --for nsp')" = nspawn ]
	[ "$(complete_line 'vmailadm idmap --output ' | tr '\n' ' ')" = \
		'table json csv ' ]
	[ "$(complete_line 'vmailadm idmap emit --for mount h')" = host ]
	[ "$(complete_line 'vmailadm idmap del ')" = host ]
	[ "$(complete_line "vmailadm idmap of $$")" = "$$" ]
	[ -z "$(complete_line 'vmailadm idmap add ')" ]
	[ "$(complete_line 'vmailadm config ' | tr '\n' ' ')" = \
		'show dovecot pam nss ' ]
}

@test "the completion for zsh asks the program for every row" {
	grep -q 'vmailadm --list-options' \
		"$VMAIL_SOURCE/packaging/completions/_vmailadm"
	grep -qx '#compdef vmailadm' \
		"$VMAIL_SOURCE/packaging/completions/_vmailadm"
}
