#!/usr/bin/env bats
# The manual pages say what the programs do.

setup_file() {
	bats_require_minimum_version 1.5.0
}

pages() {
	(cd "$VMAIL_SOURCE" && ls {common/*,cli,pam,nss}/*.[58])
}

conf_page=common/core/vmail.conf.5

@test "every page is well-formed" {
	cd "$VMAIL_SOURCE"
	for page in $(pages); do
		mandoc -T lint -W warning "$page"
	done
}

@test "every page of ours that a page refers to is there" {
	cd "$VMAIL_SOURCE"
	# shellcheck disable=SC2046
	run -0 sed -nE 's/^\.Xr ([a-z_.]*vmail[a-z_.]*) ([58]).*/\1.\2/p' \
		$(pages)
	[ "${#lines[@]}" -gt 5 ]
	for name in "${lines[@]}"; do
		[[ $'\n'$(pages)$'\n' == *"/$name"$'\n'* ]]
	done
}

# The settings as the program knows them: KEY, tab, default.
settings() {
	: >"$BATS_TEST_TMPDIR/vmail.conf"
	"$VMAIL_BUILD/vmailadm" --conf "$BATS_TEST_TMPDIR/vmail.conf" --json \
		config show | jq -r 'to_entries[] | [.key, .value] | @tsv'
}

@test "vmail.conf(5) describes exactly the settings that there are" {
	settings | cut -f 1 | sort >"$BATS_TEST_TMPDIR/keys"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/keys")" -gt 15 ]
	sed -nE 's/^\.It Cm ([a-z_0-9]+) No =.*/\1/p' \
		"$VMAIL_SOURCE/$conf_page" | sort |
		diff "$BATS_TEST_TMPDIR/keys" -
}

# The description of one key: from its .It line, over those of keys described
# together with it, to the next one.
described() {
	awk -v key="$1" '
		/^\.It Cm / {
			if (said) { found = 0; said = 0 }
			if ($3 == key) found = 1
		}
		found && !/^\.It/ { said = 1 }
		found
		/^\.El/ { found = 0 }
	' "$VMAIL_SOURCE/$conf_page"
}

@test "vmail.conf(5) tells the default of every setting" {
	while IFS=$'\t' read -r key default; do
		run -0 described "$key"
		[[ ${output##*Default} == *"${default:-empty}"* ]] || {
			echo "$key: ${default:-empty} is not in: $output"
			false
		}
	done < <(settings)
}

@test "every page is installed with the package that it belongs to" {
	cd "$VMAIL_SOURCE/packaging/debian"
	for page in $(pages); do
		grep -qx "usr/share/man/man${page##*.}/${page##*/}" ./*.install
	done
}
