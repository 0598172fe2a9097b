# podman as it runs anywhere that root runs, a container included: runc, no
# systemd, no network, and everything it keeps in a folder of the test's own.
# shellcheck shell=bash disable=SC2154

load story

image_engine() { # FOLDER
	export IMAGE_FOLDER=$1 IMAGE_CGROUP=vmail-image-$$
	mkdir -p "$IMAGE_FOLDER/tmp"
	cat >"$IMAGE_FOLDER/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "none"
	END
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' \
		>"$IMAGE_FOLDER/policy.json"
}

# Ends what runs, and takes away what control groups it has left.
image_engine_stop() {
	podman rm --force --all --time 0 >/dev/null || true
	find /sys/fs/cgroup -depth -type d -path "*/$IMAGE_CGROUP*" \
		-exec rmdir {} + || true
}

# In the namespaces of the host, which is a room.
podman() {
	story_outside env CONTAINERS_CONF="$IMAGE_FOLDER/containers.conf" \
		TMPDIR="$IMAGE_FOLDER/tmp" podman \
		--root "$IMAGE_FOLDER/root" --runroot "$IMAGE_FOLDER/run" \
		--storage-driver overlay "$@"
}

# Debian with a mail server, as an image that the engine has: without what no
# mail server needs.
image_base() { # NAME
	tar --directory "$ROOTS/bookworm.base" --exclude=./usr/lib/gcc \
		--exclude=./usr/include --exclude=./usr/share/{doc,man,locale} \
		--exclude=./var/{cache,lib/apt/lists} --create --file=- . |
		podman import --quiet - "$1"
}

image_build() { # NAME BASE [OPTION...]
	local name=$1 base=$2
	shift 2
	podman build --network none --pull=never \
		--signature-policy "$IMAGE_FOLDER/policy.json" \
		--file "$VMAIL_SOURCE/packaging/container/Containerfile" \
		--build-arg "BASE=$base" --tag "$name" "$@" \
		"$ROOTS/bookworm.debs" </dev/null
}

# A container of that image, with the host's folders and a Dovecot in it.
image_start() { # NAME IMAGE [OPTION...]
	local name=$1 image=$2
	shift 2
	podman run --cgroup-parent "$IMAGE_CGROUP" --detach --name "$name" \
		--network none \
		--volume "$STORY/image.conf:/etc/dovecot/conf.d/99-vmail.conf:ro" \
		--volume "$STORY/tls:/etc/dovecot/tls:ro" "$@" "$image" \
		sh -c 'sed -i "s/^!include auth-system/#&/" \
			/etc/dovecot/conf.d/10-auth.conf && exec dovecot -F' \
		</dev/null >/dev/null
	wait_for \
		"podman exec $name bash -c '</dev/tcp/127.0.0.1/993'" || {
		podman logs "$name"
		return 1
	}
}

image_conf() {
	{
		in_room vmailadm config dovecot --dovecot 2.3 --style modules
		printf 'ssl = required\nauth_failure_delay = 0\n'
		printf 'ssl_cert = </etc/dovecot/tls/tls.crt\n'
		printf 'ssl_key = </etc/dovecot/tls/tls.key\n'
		printf 'log_path = /dev/stderr\n'
	} >"$STORY/image.conf"
}

# imap NAME USER PASSWORD PATH [CURL OPTION...]: over TLS, certificate verified.
image_imap() {
	local name=$1 user=$2 password=$3 path=$4
	shift 4
	printf 'user = "%s:%s"\n' "$user" "$password" |
		podman exec --interactive "$name" curl --silent --show-error \
			--max-time 30 --cacert /etc/dovecot/tls/ca.pem \
			--resolve "$STORY_HOST:993:127.0.0.1" \
			--config - "imaps://$STORY_HOST:993/$path" "$@"
}
