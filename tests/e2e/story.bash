# A host and its containers. The host is a room (room.bash) with the three
# packages installed and vmail = 5000; the containers are runc's, over the same
# cached Debian root, with vmail = 1000, a Dovecot that reads /etc/vmail
# itself, and two folders of the host's mounted. The host sees the processes of
# its containers in /proc, as any does.
# shellcheck shell=bash disable=SC2154

load room

STORY_HOST=mail.example.test
# Where containers lie: everybody, mapped or not, gets there.
STORY_PLACE=/mnt
story_guests=()

# /etc/vmail and the mail homes lie on a file system that knows ACLs and id
# maps; an overlay knows no id maps.
story_host() { # FOLDER
	local etc=etc/vmail mail=var/mail
	export STORY=$1
	room_start bookworm "$STORY" || return 1
	story_certificate "$STORY/tls"
	story_outside mount -t proc proc /proc
	story_outside mount -t tmpfs -o mode=0755 story "$STORY_PLACE"
	story_outside cp -a "$ROOM_ROOT/$etc" "$STORY_PLACE/before"
	story_outside mount -t tmpfs -o mode=0755 etc "$ROOM_ROOT/$etc"
	story_outside cp -a "$STORY_PLACE/before/." "$ROOM_ROOT/$etc/"
	story_outside mount -t tmpfs -o mode=0755 mail "$ROOM_ROOT/$mail"
	in_room install -d -m 0711 -o vmail -g vmail /$mail/vhosts
	in_room vmailadm map
}

story_stop() {
	local name
	for name in ${story_guests[@]+"${story_guests[@]}"}; do
		story_outside runc --root "$STORY_PLACE/$name/run" delete \
			--force "vmail-$$-$name" || true
	done
	story_guests=()
	room_stop
}

# In the room's namespaces, but with the machine's own root: there are the
# engine and the cached roots.
story_outside() {
	nsenter --target "$ROOM_PID" --mount --net --pid "$@" 3>&-
}

# A later mount(8) than Debian 12's, which passes X-mount.idmap over.
story_mount() {
	local root=$ROOTS/trixie loader
	loader=$(echo "$root"/usr/lib/*-linux-*/ld-linux-*.so.*)
	story_outside "$loader" --library-path "${loader%/*}" \
		"$root/usr/bin/mount" "$@"
}

# FOLDER at POINT, its ids as MAP shows them, and really so.
story_idmapped() { # MAP FOLDER POINT
	story_outside mkdir -p "$3"
	story_mount --bind -o "X-mount.idmap=$1" "$2" "$3"
	story_outside grep -q " $3 .*idmapped" /proc/self/mountinfo
}

# An authority of our own and a certificate for STORY_HOST alone.
story_certificate() { # FOLDER
	mkdir "$1"
	(
		cd "$1" || exit
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 \
			-subj /CN=test-ca -keyout ca.key -out ca.pem
		openssl req -newkey rsa:2048 -nodes -subj "/CN=$STORY_HOST" \
			-keyout tls.key -out tls.csr
		openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -days 2 \
			-CAcreateserial -out tls.crt \
			-extfile <(echo "subjectAltName=DNS:$STORY_HOST")
	) >/dev/null 2>&1
}

# A container with /etc/vmail from ETC, read-only, and the mail homes from
# MAIL, both as the host's outside names them; FILTER changes runc's
# configuration, LOWER is its image.
story_guest() { # NAME ETC MAIL [FILTER [LOWER]]
	local dir=$STORY_PLACE/$1 etc=$2 mail=$3 filter=${4:-.}
	local lower=${5:-$ROOTS/bookworm}
	story_guests+=("$1")
	story_outside mkdir -p "$dir"/{rw,root}
	story_outside mount -t tmpfs -o mode=0755 rw "$dir/rw"
	story_outside mkdir "$dir"/rw/{upper,work}
	story_outside mount -t overlay -o \
"lowerdir=$lower,upperdir=$dir/rw/upper,workdir=$dir/rw/work" \
		root "$dir/root"
	story_image | story_outside bash -c 'cd "$1" && bash -e' - "$dir/root"
	story_outside cp -r "$STORY/tls" "$dir/root/etc/dovecot/tls"
	story_outside find "$dir/root" -xdev -uid 0 -exec \
		chown -h --reference="$dir/root/usr" {} +
	story_outside sh -c 'cd "$1" && runc spec' - "$dir"
	story_outside cat "$dir/config.json" |
		story_config "$etc" "$mail" "$filter" >"$STORY/$1.json"
	story_outside cp "$STORY/$1.json" "$dir/config.json"
	story_outside runc --root "$dir/run" run --detach --bundle "$dir" \
		--pid-file "$dir/pid" "vmail-$$-$1" </dev/null >"$STORY/$1.log" 2>&1 || {
		cat "$STORY/$1.log"
		return 1
	}
	wait_for "story_inside $1 bash -c '</dev/tcp/127.0.0.1/993'" || {
		story_outside cat "$dir/root/var/log/dovecot.log" "$STORY/$1.log"
		return 1
	}
}

# The image, as a script that makes it of Debian's root, in its folder.
story_image() {
	cat <<-END
		sed -i 's/^vmail:x:5000:5000:/vmail:x:1000:1000:/' etc/passwd
		sed -i 's/^vmail:x:5000:/vmail:x:1000:/' etc/group
		rm -rf etc/vmail
		mkdir etc/vmail
		sed -i 's/^!include auth-system/#&/' etc/dovecot/conf.d/10-auth.conf
		cat >etc/dovecot/conf.d/99-vmail.conf <<'CONF'
		$(in_room vmailadm config dovecot --dovecot 2.3 --style file)
		ssl = required
		ssl_cert = </etc/dovecot/tls/tls.crt
		ssl_key = </etc/dovecot/tls/tls.key
		log_path = /var/log/dovecot.log
		auth_failure_delay = 0
		service auth {
		  user = vmail
		}
		service lmtp {
		  inet_listener lmtp {
		    address = 127.0.0.1
		    port = 24
		  }
		}
		CONF
	END
}

story_config() { # ETC MAIL FILTER
	jq --arg etc "$1" --arg mail "$2" '
		.root = {path: "root", readonly: false}
		| .process.terminal = false
		| .process.args = ["dovecot", "-F"]
		| .process.capabilities |= map_values(["CAP_CHOWN",
			"CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL",
			"CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID",
			"CAP_SYS_CHROOT"])
		| .mounts |= map(select(.type != "cgroup"))
		| .mounts += [
			{type: "bind", source: $etc, destination: "/etc/vmail",
				options: ["bind", "ro"]},
			{type: "bind", source: $mail,
				destination: "/var/mail/vhosts",
				options: ["bind", "rw"]}]
		| '"$3"
}

story_inside() { # NAME COMMAND...
	local name=$1
	shift
	story_outside runc --root "$STORY_PLACE/$name/run" exec "vmail-$$-$name" "$@"
}

# imap NAME USER PASSWORD PATH [CURL OPTION...]: over TLS, certificate verified.
story_imap() {
	local name=$1 user=$2 password=$3 path=$4
	shift 4
	printf 'user = "%s:%s"\n' "$user" "$password" |
		story_inside "$name" curl --silent --show-error --max-time 30 \
			--cacert /etc/dovecot/tls/ca.pem \
			--resolve "$STORY_HOST:993:127.0.0.1" \
			--config - "imaps://$STORY_HOST:993/$path" "$@"
}

# deliver NAME USER SUBJECT: a mail by LMTP, every answer awaited.
story_deliver() {
	story_inside "$1" bash -e -c '
		exec 5<>/dev/tcp/127.0.0.1/24
		expect() {
			local line
			while read -r line <&5; do
				case $line in
				$1-*) ;;
				$1\ *) return 0 ;;
				*) echo "LMTP: $line"; exit 1 ;;
				esac
			done
			exit 1
		}
		say() {
			printf "%s\r\n" "$@" >&5
		}
		expect 220
		say "LHLO localhost"
		expect 250
		say "MAIL FROM:<>"
		expect 250
		say "RCPT TO:<$1>"
		expect 250
		say DATA
		expect 354
		say "Subject: $2" "" "by LMTP" .
		expect 250
		say QUIT
	' deliver "$2" "$3"
}
