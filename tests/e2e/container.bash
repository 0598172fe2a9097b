# Containers with a real Dovecot 2.3 in them, by runc, over the cached Debian
# root (tests/roots); the host's side is a folder of the test's own.
# shellcheck shell=bash disable=SC2154

# shellcheck disable=SC1091 # it is linted on its own
. "${BASH_SOURCE[0]%/*}/../jobs.bash"

containers=()

# A Dovecot that reads the passwd-file at FILE, in a container that has the
# given mounts (SOURCE:DESTINATION, a name of the host and one inside).
container_start() { # NAME FILE MOUNT...
	local name=$1 file=$2 dir=$BATS_TEST_TMPDIR/$1 mount
	shift 2
	mkdir -p "$dir/rw" "$dir/root"
	mount -t tmpfs -o mode=0755 "$name" "$dir/rw"
	mkdir "$dir/rw/upper" "$dir/rw/work"
	mount -t overlay -o "lowerdir=$ROOTS/bookworm,upperdir=$dir/rw/upper,workdir=$dir/rw/work" \
		"$name" "$dir/root"
	container_dovecot "$file" >"$dir/root/etc/dovecot/dovecot.conf"
	rm -rf "$dir/root/etc/vmail"
	(cd "$dir" && runc spec)
	container_config "$@" <"$dir/config.json" >"$dir/config.new"
	mv "$dir/config.new" "$dir/config.json"
	containers+=("$name")
	runc --root "$dir/run" run --detach --bundle "$dir" \
		--pid-file "$dir/pid" "vmail-$$-$name" </dev/null 3>&- \
		>"$dir/log" 2>&1 || {
		cat "$dir/log"
		return 1
	}
	wait_for "grep -q 'starting up' '$dir/log'" || {
		cat "$dir/log"
		return 1
	}
}

# A test may set passdb, userdb and auth_service to what stands in these blocks.
container_dovecot() { # FILE
	cat <<-END
		protocols = imap
		ssl = no
		log_path = /dev/stderr
		mail_location = maildir:~/Maildir
		passdb {
		  ${passdb:-driver = passwd-file
		  args = scheme=CRYPT username_format=%Lu $1}
		}
		userdb {
		  ${userdb:-driver = passwd-file
		  args = username_format=%Lu $1
		  default_fields = uid=5000 gid=5000}
		}
		service auth {
		  ${auth_service:-}
		}
	END
}

container_config() { # MOUNT...
	local mount filter
	filter='.root.path = "root" | .root.readonly = false
		| .process.terminal = false | .process.args = ["dovecot", "-F"]
		| .process.capabilities |= map_values(["CAP_CHOWN", "CAP_KILL",
			"CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETUID",
			"CAP_SETGID", "CAP_SYS_CHROOT", "CAP_NET_BIND_SERVICE"])'
	for mount in "$@"; do
		filter+=" | .mounts += [{type: \"bind\", source: \"${mount%%:*}\",
			destination: \"${mount#*:}\", options: [\"bind\", \"rw\"]}]"
	done
	jq "$filter"
}

in_container() { # NAME COMMAND...
	local name=$1
	shift
	runc --root "$BATS_TEST_TMPDIR/$name/run" exec "vmail-$$-$name" "$@" \
		</dev/null 3>&-
}

container_pid() { # NAME
	cat "$BATS_TEST_TMPDIR/$1/pid"
}

containers_stop() {
	local name dir
	for name in ${containers[@]+"${containers[@]}"}; do
		dir=$BATS_TEST_TMPDIR/$name
		runc --root "$dir/run" delete --force "vmail-$$-$name" || true
		umount -l "$dir/root" "$dir/rw" || true
	done
	containers=()
}

# By the auth process of the Dovecot in it.
logs_in() { # NAME USER PASSWORD
	run -0 in_container "$1" doveadm auth test "$2" "$3"
}

refused() { # NAME USER PASSWORD
	run -77 in_container "$1" doveadm auth test "$2" "$3"
}
