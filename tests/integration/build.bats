#!/usr/bin/env bats
# What the build makes, where it goes, and what prepares and runs the tests.

setup_file() {
	bats_require_minimum_version 1.5.0
}

products=(vmailadm pam_vmail.so libnss_vmail.so.2)

in_source() {
	make --no-print-directory -C "$VMAIL_SOURCE" BUILD="$VMAIL_BUILD" "$@"
}

@test "the products lie in the build folder" {
	for product in "${products[@]}"; do
		[ -f "$VMAIL_BUILD/$product" ]
	done
	[ -x "$VMAIL_BUILD/vmailadm" ]
}

@test "every product is hardened: relro, bind-now, no executable stack, no text relocation, no rpath" {
	for product in "${products[@]}"; do
		run -0 readelf --wide --program-headers --dynamic \
			"$VMAIL_BUILD/$product"
		[[ $output =~ GNU_RELRO ]]
		[[ $output =~ (BIND_NOW|FLAGS.*NOW) ]]
		[[ $output =~ GNU_STACK\ [^$'\n']*\ RW\  ]]
		[[ ! $output =~ TEXTREL ]]
		[[ ! $output =~ (RPATH|RUNPATH) ]]
	done
}

@test "every product guards its stack, and fortify is on where it can be" {
	for product in "${products[@]}"; do
		nm --dynamic --undefined-only "$VMAIL_BUILD/$product" |
			grep -q __stack_chk_fail
	done
	for product in vmailadm pam_vmail.so; do
		nm --dynamic --undefined-only "$VMAIL_BUILD/$product" |
			grep -q '_chk@'
	done
}

@test "the command is position independent" {
	run -0 readelf --wide --file-header --dynamic "$VMAIL_BUILD/vmailadm"
	[[ $output =~ DYN ]]
	[[ $output =~ FLAGS_1.*PIE ]]
}

expected_files() {
	local arch=$1
	cat <<-END
		644 etc/pam.d/vmail-imap
		644 etc/pam.d/vmail-pop3
		644 etc/pam.d/vmail-sieve
		644 etc/pam.d/vmail-smtp
		644 etc/pam.d/vmail-submission
		644 usr/lib/$arch/libnss_vmail.so.2
		644 usr/lib/$arch/security/pam_vmail.so
		644 usr/lib/sysusers.d/vmail.conf
		644 usr/lib/systemd/system/vmail-map.path
		644 usr/lib/systemd/system/vmail-map.service
		755 usr/sbin/vmailadm
	END
	printf '644 usr/share/%s\n' bash-completion/completions/vmailadm \
		zsh/vendor-completions/_vmailadm man/man5/vmail.conf.5 \
		man/man5/vmail_passwd.5 man/man8/libnss_vmail.8 \
		man/man8/pam_vmail.8 man/man8/vmailadm.8
}

# Does a function with that statement, of a block p, compile at all?
compiles() { # STATEMENT
	printf '%s\n' '#include "common/admin/secret.h"' \
		"void f(char *p, struct vmail_secret *s, void *v);" \
		"void f(char *p, struct vmail_secret *s, void *v) { $1; }" |
		${CC:-cc} -std=c11 -D_GNU_SOURCE -I"$VMAIL_SOURCE" -w \
			-fsyntax-only -x c -
}

@test "a block of secrets in the place of its pointer's address does not compile" {
	compiles 'vmail_wipe_free(&p, 3)'
	compiles 'vmail_wipe_free(&s, sizeof(*s))'
	run ! compiles 'vmail_wipe_free(p, 3)'
	run ! compiles 'vmail_wipe_free(s, sizeof(*s))'
	run ! compiles 'vmail_wipe_free(v, 3)'
}

@test "install lays exactly the files that belong to it, uninstall takes exactly these" {
	local dest=$BATS_TEST_TMPDIR/dest
	in_source install DESTDIR="$dest"
	(cd "$dest" && find . -type f -printf '%m %P\n' | sort -k 2) \
		>"$BATS_TEST_TMPDIR/installed"
	expected_files "$(cc -print-multiarch)" | sort -k 2 |
		diff - "$BATS_TEST_TMPDIR/installed"
	touch "$dest/etc/pam.d/other" "$dest/usr/sbin/other"
	in_source uninstall DESTDIR="$dest"
	run -0 find "$dest" -type f -printf '%P\n'
	[ "$(sort <<<"$output")" = $'etc/pam.d/other\nusr/sbin/other' ]
}

# A compiler that only knows what it is asked here.
compiler() {
	cat >"$BATS_TEST_TMPDIR/cc" <<-END
		#!/bin/sh
		case \$1 in
		-print-multiarch) $1 ;;
		-print-multi-os-directory) $2 ;;
		esac
	END
	chmod +x "$BATS_TEST_TMPDIR/cc"
}

libdir() {
	run -0 in_source --dry-run uninstall CC="$BATS_TEST_TMPDIR/cc" "$@"
	[[ $output =~ \'([^\']*)/libnss_vmail.so.2\' ]]
	echo "${BASH_REMATCH[1]}"
}

@test "the folder for libraries is the compiler's to say: multiarch, lib64, lib" {
	compiler 'echo armel-any' 'echo ../lib'
	[ "$(libdir)" = /usr/lib/armel-any ]
	compiler : 'echo ../lib64'
	[ "$(libdir)" = /usr/lib64 ]
	compiler 'exit 1' 'exit 1'
	[ "$(libdir)" = /usr/lib ]
	[ "$(libdir PREFIX=/opt/vmail)" = /opt/vmail/lib ]
	[ "$(libdir libdir=/srv/l)" = /srv/l ]
}

@test "a build elsewhere writes nothing into the source" {
	local src=$BATS_TEST_TMPDIR/src
	mkdir "$src"
	"$VMAIL_SOURCE/packaging/source" | tar -x -C "$src"
	(cd "$src" && find . -type f -printf '%P %T@\n' | sort) \
		>"$BATS_TEST_TMPDIR/before"
	make -s -C "$src" -j2 BUILD="$BATS_TEST_TMPDIR/out" CFLAGS=-O1
	for product in "${products[@]}"; do
		[ -f "$BATS_TEST_TMPDIR/out/$product" ]
	done
	(cd "$src" && find . -type f -printf '%P %T@\n' | sort) |
		diff "$BATS_TEST_TMPDIR/before" -
}

@test "clean takes the build folder away and nothing else" {
	mkdir -p "$BATS_TEST_TMPDIR/b/deep" "$BATS_TEST_TMPDIR/other"
	in_source clean BUILD="$BATS_TEST_TMPDIR/b"
	[ ! -e "$BATS_TEST_TMPDIR/b" ]
	[ -d "$BATS_TEST_TMPDIR/other" ]
}

@test "help names every target a user may want" {
	run -0 in_source help
	for target in all check check-fast bench lint format install \
		uninstall deb demo clean help; do
		[[ $output =~ (^|$'\n')\ \ $target\  ]]
	done
}

# packaging/deps among fake tools: dpkg-query knows no package but gcc, and
# apt-get writes down how it was called; its first install fails.
fake_tools() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/dpkg-query" <<-'END'
		#!/bin/sh
		case $4 in gcc) echo installed ;; *) exit 1 ;; esac
	END
	cat >"$BATS_TEST_TMPDIR/bin/apt-get" <<-END
		#!/bin/sh
		echo "\$*" >>$BATS_TEST_TMPDIR/calls
		[ \$(wc -l <$BATS_TEST_TMPDIR/calls) -gt 1 ]
	END
	printf '#!/bin/sh\necho %s\n' "$1" >"$BATS_TEST_TMPDIR/bin/id"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
}

deps() {
	PATH=$BATS_TEST_TMPDIR/bin:$PATH "$VMAIL_SOURCE/packaging/deps" "$@"
}

@test "deps as root installs what is missing, with fresh package lists only if needed" {
	fake_tools 0
	run -0 deps build
	run -0 cat "$BATS_TEST_TMPDIR/calls"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} =~ install.*libpam0g-dev ]]
	[[ ! ${lines[0]} =~ \ gcc( |$) ]]
	[[ ${lines[1]} =~ update$ ]]
	[ "${lines[2]}" = "${lines[0]}" ]
}

@test "deps as anybody else installs nothing and says the command" {
	fake_tools 1000
	run -1 deps build
	[[ $output =~ "apt-get install --no-install-recommends -y".*libpam0g-dev ]]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "deps refuses a purpose that it does not know" {
	run -2 deps built
}

# A tree of its own for tests/run.
runner() {
	RUNNER=$BATS_TEST_TMPDIR/tree
	mkdir -p "$RUNNER/tests/integration" "$RUNNER/tests/unit/core" \
		"$RUNNER/build/tests/unit/core"
	cp "$VMAIL_SOURCE/tests/run" "$RUNNER/tests/"
}

suite() {
	cat >"$RUNNER/tests/integration/$1.bats"
}

# Its last line and exit status for one suite (or all).
verdict() {
	local status=$1 line=$2
	shift 2
	run "-$status" env -u BATS_RUN_TMPDIR -u BATS_ROOT_PID \
		VMAIL_BUILD="$RUNNER/build" "$RUNNER/tests/run" "$@"
	echo "$output"
	[ "${lines[-1]}" = "$line" ]
}

@test "the runner counts what passed and what failed, over all suites" {
	runner
	printf '@test "a" { true; }\n@test "b" { true; }\n' | suite good
	printf '@test "a" { true; }\n@test "b" { false; }\n' | suite bad
	verdict 0 "2 passed, 0 failed" integration/good
	verdict 1 "1 passed, 1 failed" integration/bad
	verdict 1 "3 passed, 1 failed"
}

@test "the runner counts a skipped test as failed" {
	runner
	printf '@test "a" { true; }\n@test "b" { skip; }\n' | suite skips
	verdict 1 "1 passed, 1 failed"
}

@test "the runner counts a suite without tests, and a missing program, as failed" {
	runner
	printf '# nothing here\n' | suite none
	verdict 1 "0 passed, 1 failed"
	touch "$RUNNER/tests/unit/core/test_gone.c"
	verdict 1 "0 passed, 2 failed"
	verdict 1 "0 passed, 1 failed" no/such/suite
}

@test "the runner counts tests that were planned and never ran as failed" {
	runner
	touch "$RUNNER/tests/unit/core/test_dies.c"
	printf '#!/bin/sh\necho 1..4; echo ok 1 - a; kill -SEGV $$\n' \
		>"$RUNNER/build/tests/unit/core/test_dies"
	chmod +x "$RUNNER/build/tests/unit/core/test_dies"
	verdict 1 "1 passed, 3 failed"
}

@test "the runner counts a suite that passes and then ends badly as failed" {
	runner
	touch "$RUNNER/tests/unit/core/test_leaks.c"
	printf '#!/bin/sh\necho 1..1; echo ok 1 - a; exit 23\n' \
		>"$RUNNER/build/tests/unit/core/test_leaks"
	chmod +x "$RUNNER/build/tests/unit/core/test_leaks"
	verdict 1 "1 passed, 1 failed"
}

@test "the runner runs a suite once for each of its cases" {
	runner
	printf '# cases: one two\n@test "a" { [ "$VMAIL_CASE" = one ]; }\n' |
		suite cases
	verdict 1 "1 passed, 1 failed"
	verdict 0 "1 passed, 0 failed" integration/cases@one
}

@test "the runner leaves no mount behind" {
	runner
	mkdir "$BATS_TEST_TMPDIR/here"
	printf '@test "a" { mount -t tmpfs t %s; }\n' "$BATS_TEST_TMPDIR/here" |
		suite mounts
	verdict 0 "1 passed, 0 failed"
	run ! mountpoint -q "$BATS_TEST_TMPDIR/here"
}
