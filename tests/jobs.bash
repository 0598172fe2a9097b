# Processes that a test has started, and conditions it waits for.
# shellcheck shell=bash

all_succeeded() { # PID...
	local pid good=yes
	for pid in "$@"; do
		wait "$pid" || good=no
	done
	[ "$good" = yes ]
}

# Ten seconds at most.
wait_for() { # CONDITION
	local try
	for ((try = 0; try < 200; try++)); do
		! eval "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	echo "waited in vain for: $1" >&2
	return 1
}
