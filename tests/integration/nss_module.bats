#!/usr/bin/env bats
# libnss_vmail.so.2 as a file: what it exports, what it needs, what is not in
# it.

load nss_room

setup_file() {
	bats_require_minimum_version 1.5.0
}

exports() {
	nm --dynamic --defined-only --format=just-symbols "$LIBRARY" | sort
}

@test "it exports exactly the functions that glibc asks for" {
	run -0 diff <(exports) <(printf '_nss_vmail_%s\n' \
		endgrent endpwent getgrent_r getgrgid_r getgrnam_r getpwent_r \
		getpwnam_r getpwuid_r initgroups_dyn setgrent setpwent)
}

@test "it needs libc and nothing else" {
	run -0 sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' \
		<(readelf --wide --dynamic "$LIBRARY")
	[ "$output" = libc.so.6 ]
}

@test "it is called libnss_vmail.so.2, stays loaded, and is bound at once" {
	run -0 readelf --wide --dynamic --program-headers "$LIBRARY"
	[[ $output == *'soname: [libnss_vmail.so.2]'* ]]
	[[ $output == *NODELETE* ]]
	[[ $output =~ FLAGS_1.*NOW ]]
	[[ $output == *GNU_RELRO* ]]
	[[ $output =~ GNU_STACK\ .*\ RW\  ]]
}

@test "it has no thread-local storage, constructor or destructor" {
	run -0 readelf --wide --program-headers --sections "$LIBRARY"
	[[ ! $output =~ $'\n'\ +TLS ]]
	[[ $output != *.tdata* ]]
	[[ $output != *.tbss* ]]
	[[ $output != *.init* ]]
	[[ $output != *.fini* ]]
	[[ $output != *.ctors* ]]
}

# What it may take from libc: memory and strings, files, errno.
allowed() {
	sed 's/$/@/' <<-'END'
		__errno_location
		__explicit_bzero_chk
		__memcpy_chk
		__memmove_chk
		__memset_chk
		__open_2
		__pread_chk
		__stack_chk_fail
		close
		explicit_bzero
		fcntl
		fcntl64
		fstat
		fstat64
		getpid
		memchr
		memcmp
		bcmp
		memcpy
		memmem
		memmove
		memrchr
		memset
		open
		open64
		pread
		pread64
		sched_yield
		stat
		stat64
		statfs
		statfs64
		strchr
		strcmp
		strerrordesc_np
		strlen
		strnlen
		strrchr
		uname
	END
}

@test "it takes no heap, stdio, locale, log, lock or user database from libc" {
	run -0 nm --dynamic --undefined-only "$LIBRARY"
	[[ $output == *' U pread'* ]]
	run ! grep -vFf <(allowed | sed 's/^/ U /') <(echo "$output")
}
