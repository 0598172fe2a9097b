# What pam_vmail.so shows the linker, and how it takes its arguments.

load pam_room

setup_file() { pam_build; }
setup() { pam_room; }

@test "it exports exactly the six entry points of PAM" {
	run nm -D --defined-only --format=posix "$MODULE"
	exported=$(awk '{ print $1 }' <<<"$output" | sort)
	wanted=$(printf 'pam_sm_%s\n' acct_mgmt authenticate chauthtok \
		close_session open_session setcred)
	diff <(echo "$wanted") <(echo "$exported")
}

@test "it needs libpam, libcrypt, libsodium and libc, and nothing else" {
	needed=$(readelf -d "$MODULE" |
		sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*\]/\1/p' | sort)
	diff <(printf '%s\n' libc libcrypt libpam libsodium) <(echo "$needed")
}

@test "it calls nothing that a guest must leave alone" {
	nm -D --undefined-only --format=posix "$MODULE" |
		sed 's/[@ ].*//' | sort -u >"$T/undefined"
	printf '%s\n' exit _exit quick_exit abort raise kill atexit \
		printf fprintf vprintf vfprintf dprintf puts fputs fputc putc \
		putchar fwrite fread fopen fopen64 fdopen freopen fclose \
		fflush fgets fgetc getc getline getdelim popen system tmpfile \
		stdin stdout stderr perror open_memstream \
		__printf_chk __fprintf_chk __vfprintf_chk __vprintf_chk \
		signal sigaction sigprocmask pthread_sigmask alarm setitimer \
		ualarm umask setlocale uselocale newlocale setenv putenv \
		unsetenv clearenv secure_getenv getenv openlog closelog \
		syslog vsyslog __syslog_chk __vsyslog_chk chdir fchdir chroot \
		fork vfork clone posix_spawn posix_spawnp execve execv execvp \
		execl waitpid pthread_create dlopen \
		getpwnam getpwnam_r getpwuid getpwuid_r getpwent getgrnam \
		getgrnam_r getgrgid getgrgid_r getgrent getspnam getspnam_r \
		getgrouplist initgroups getaddrinfo gethostbyname \
		gethostbyname_r gethostbyaddr getnameinfo res_query socket \
		strtok rand random srand srandom localtime gmtime ctime \
		asctime strerror setuid seteuid setresuid setgid setegid \
		setresgid setgroups mlock mlockall prctl setrlimit |
		sort -u >"$T/never"
	run comm -12 "$T/undefined" "$T/never"
	[ -z "$output" ] || { echo "$output"; false; }
	# The list would find something: libpam's log is called.
	grep -qx pam_syslog "$T/undefined"
}

@test "it has no variable that a call could change" {
	# crtbegin's two, which are in every shared object.
	changing=$(objdump -t "$MODULE" | awk '$4 == ".data" || $4 == ".bss"' |
		awk '$NF != "completed.0" && $NF != "__dso_handle" &&
			$NF != "__TMC_END__" && $NF != ".data" && $NF != ".bss"')
	[ -z "$changing" ] || { echo "$changing"; false; }
}

@test "success is said in one place of the source" {
	cd "$VMAIL_SOURCE"
	run grep -nE '(return|=|\?|:) *PAM_SUCCESS' pam/*.c
	grep -v '== *PAM_SUCCESS\|!= *PAM_SUCCESS' <<<"$output" >"$T/said"
	[ "$(wc -l <"$T/said")" -eq 1 ]
	grep -q '^pam/rc.c:' "$T/said"
}

@test "an unknown argument is logged and is a service error at every entry point" {
	service "conf=$ETC/vmail.conf" nullok
	answers testtest testtest testtest
	client jo@example.org authenticate setcred acct_mgmt open_session \
		close_session chauthtok
	for step in authenticate setcred acct_mgmt open_session \
		close_session chauthtok; do
		says "$step" PAM_SERVICE_ERR
		says "$step" asked=0
	done
	logged nullok
	[ "$(grep -c nullok "$T/log")" -eq 6 ]
}

@test "a bad configuration is a service error at every entry point, with its line" {
	conf 'colour = blue'
	answers testtest testtest testtest
	client jo@example.org authenticate setcred acct_mgmt open_session \
		close_session chauthtok
	for step in authenticate setcred acct_mgmt open_session \
		close_session chauthtok; do
		says "$step" PAM_SERVICE_ERR
	done
	logged "$ETC/vmail.conf:5"
}

@test "a named configuration that is missing, unsafe or of an unknown scheme is a service error" {
	service "conf=$ETC/other.conf"
	login jo@example.org testtest
	says authenticate PAM_SERVICE_ERR
	service "conf=$ETC/vmail.conf"
	chmod 666 "$ETC/vmail.conf"
	login jo@example.org testtest
	says authenticate PAM_SERVICE_ERR
	conf
	sed -i 's/^scheme.*/scheme = ROT13/' "$ETC/vmail.conf"
	login jo@example.org testtest
	says authenticate PAM_SERVICE_ERR
	sed -i 's/^scheme.*/scheme = SHA512-CRYPT/' "$ETC/vmail.conf"
	sed -i "s,^passwd_file.*,passwd_file = $ETC/x%d/passwd," "$ETC/vmail.conf"
	login jo@example.org testtest
	says authenticate PAM_SERVICE_ERR
	conf
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
}

@test "the arguments of the manual are all taken" {
	service "conf=$ETC/vmail.conf" nodelay debug mkhome use_first_pass \
		try_first_pass use_authtok
	answers
	client jo@example.org setcred
	says setcred PAM_SUCCESS
	for word in conf= nodelay debug mkhome use_first_pass \
		try_first_pass use_authtok; do
		grep -q "^\.It Cm $word" "$VMAIL_SOURCE/pam/pam_vmail.8"
	done
}

@test "debug logs what each call answers, and no secret" {
	service "conf=$ETC/vmail.conf" debug
	login jo@example.org testtest
	says authenticate PAM_SUCCESS
	logged '<7> pam_vmail(mail:auth): authenticate: Success'
	never_logged testtest
}
