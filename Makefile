# vmail: one GNU Makefile, an object tree under BUILD, explicit lists.
# `make help` says what there is.
#
# On a fresh Debian only this program may be there: `make check` and its like
# first install what they need (packaging/deps) and then call make again. So
# nothing here asks the compiler before a recipe runs.

BUILD   ?= build
PREFIX  ?= /usr
DESTDIR ?=

CC      ?= cc
AR      ?= ar
CFLAGS  ?= -O2 -g
VERSION := 0.1.0

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wswitch-enum -Wformat=2 -Wvla -Wwrite-strings
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),, \
	-D_FORTIFY_SOURCE=2)
HARDEN = -fstack-protector-strong $(FORTIFY) -fstack-clash-protection \
	-fPIC -fvisibility=hidden
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DVMAIL_VERSION='"$(VERSION)"' -I. \
	$(WARN) $(HARDEN) $(WERROR) $(CPPFLAGS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs -Wl,--as-needed \
	$(LDFLAGS)

B := $(BUILD)

CORE := err text file conf entry extra cdb map torn db views nsmap account ids
ADMIN := secret policy auth store walk setup domains edits commit nameset \
	journal inplace maphead mapmake mappatch derive perm descend tree \
	lacking ondisk fixperms_rules fixperms_fix fixperms_home fixperms_acl \
	fixperms_files mounts procname inside access authprocs dovecotconf \
	viewsfile bulk \
	idmaps
SCHEME := scheme crypt setting sodium plain
PAM := pam_vmail login passwd session args rc log
NSS := passwd walk group source pack status
CLI := main domains opt say ask report table json csv world line userfields \
	newname newpass pathtext change locking twins homes userview account derived \
	snippets names check_files check_mounts check_access check_identities \
	check_derived check_lines check_password check_extras fixperms_homes \
	fixperms_ids fixperms_lines fixperms_say check_fix fixfield \
	feed batch newrecord jsonl jsonplain mask progress child \
	scratch rewrite idmap_facts idmap_list idmap_edit idmap_show idmap_of \
	idmap_sight idmap_emit idmap_forms idmap_yaml idmap_podman \
	idmap_mounts
CMD := init useradd usermod userdel passwd lock unlock list show auth hash \
	import export check fixperms map edit with_lock config idmap

CORE_OBJ := $(CORE:%=$(B)/common/core/%.o)
ADMIN_OBJ := $(ADMIN:%=$(B)/common/admin/%.o) \
	$(SCHEME:%=$(B)/common/scheme/%.o)
PAM_OBJ := $(PAM:%=$(B)/pam/%.o)
NSS_OBJ := $(NSS:%=$(B)/nss/%.o)
CLI_OBJ := $(CLI:%=$(B)/cli/%.o) $(CMD:%=$(B)/cli/cmd/%.o)

CORE_A := $(B)/libvmail-core.a
ADMIN_A := $(B)/libvmail-admin.a
PRODUCTS := $(B)/vmailadm $(B)/pam_vmail.so $(B)/libnss_vmail.so.2

## all: the three products (the default)
all: $(PRODUCTS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(CORE_A): $(CORE_OBJ)
$(ADMIN_A): $(ADMIN_OBJ)
$(CORE_A) $(ADMIN_A):
	@rm -f $@
	$(AR) rcsD $@ $^

$(B)/vmailadm: $(CLI_OBJ) $(ADMIN_A) $(CORE_A)
	$(CC) $(ALL_CFLAGS) -pie $(ALL_LDFLAGS) -o $@ $^ \
		-lcrypt -lsodium -ljansson -lsmartcols -lacl

$(B)/pam_vmail.so: $(PAM_OBJ) $(ADMIN_A) $(CORE_A) pam/pam_vmail.map
	$(CC) $(ALL_CFLAGS) -shared $(ALL_LDFLAGS) \
		-Wl,--version-script=pam/pam_vmail.map -o $@ \
		$(filter %.o %.a,$^) -lpam -lcrypt -lsodium

$(B)/libnss_vmail.so.2: $(NSS_OBJ) $(CORE_A) nss/libnss_vmail.map
	$(CC) $(ALL_CFLAGS) -shared -nostartfiles $(ALL_LDFLAGS) \
		-Wl,-z,nodelete -Wl,-soname,libnss_vmail.so.2 \
		-Wl,--version-script=nss/libnss_vmail.map -o $@ \
		$(filter %.o %.a,$^)

# Unit tests: one program a file, tests/unit/ROOM/test_NAME.c.
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%)

$(B)/tests/unit/%: tests/unit/%.c $(ADMIN_A) $(CORE_A)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(ADMIN_A) $(CORE_A) \
		-lcmocka -lcrypt -lsodium -lacl -lpam -ldl -lpthread

unit: $(UNIT)

# Fuzz targets: tests/fuzz/fuzz_NAME.c, with everything under sanitizers.
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJ := $(patsubst $(B)/%,$(B)/fuzz/obj/%, \
	$(CORE_OBJ) $(ADMIN_OBJ) $(NSS_OBJ) \
	$(filter-out $(B)/cli/main.o,$(CLI:%=$(B)/cli/%.o)))
FUZZ_CFLAGS = -std=c11 -D_GNU_SOURCE -DVMAIL_VERSION='"$(VERSION)"' -I. \
	-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -MMD -MP

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined \
		-c -o $@ $<

$(B)/fuzz/libvmail.a: $(FUZZ_OBJ)
	@rm -f $@
	$(AR) rcsD $@ $^

$(B)/fuzz/%: tests/fuzz/%.c $(B)/fuzz/libvmail.a
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $< \
		$(B)/fuzz/libvmail.a -lcrypt -lsodium -ljansson -lsmartcols -lacl

fuzz: $(FUZZ)

# Tests run as root: they need mount namespaces of their own and files that
# belong to root. They change nothing on the machine.
TEST_ENV = VMAIL_SOURCE='$(CURDIR)' VMAIL_BUILD='$(abspath $(B))'
RUN_TESTS = $(TEST_ENV) tests/run

## check: every test, with a real Dovecot 2.3 and 2.4 (installs what it needs)
check:
	packaging/deps build roots test
	+$(MAKE) all unit fuzz
	$(RUN_TESTS) $(SUITES)

## check-fast: the tests that need no daemon and no root file system
check-fast:
	packaging/deps build test
	+$(MAKE) all unit
	$(RUN_TESTS) --fast

## soak: the tests of faults, power cuts and many writers, again and again
SOAK = 10
soak:
	packaging/deps build roots test
	+$(MAKE) all
	for turn in $$(seq $(SOAK)); do \
		$(RUN_TESTS) fault integration/writers e2e/fire || exit 1; \
	done

## roots: the Debian root file systems that the tests use
roots:
	packaging/deps roots
	$(TEST_ENV) tests/roots bookworm trixie

## bench: figures, beside peers and physical floors (BENCH= what to measure)
bench:
	packaging/deps build bench
	+$(MAKE) all
	$(TEST_ENV) tests/bench/run --build $(abspath $(B)) $(BENCH)

## demo: the main job with a real Dovecot, shown step by step (DEMO=2.4)
demo:
	packaging/deps roots
	$(TEST_ENV) tests/roots $(if $(filter 2.4,$(DEMO)),trixie,bookworm)
	$(TEST_ENV) tests/e2e/demo $(DEMO)

## lint: warnings as errors, formatting, static checks, shell, manual pages
lint:
	packaging/deps build lint
	+$(TEST_ENV) MAKE='$(MAKE)' tests/lint

SOURCES = $(wildcard common/*/*.[ch] pam/*.[ch] nss/*.[ch] cli/*.[ch] \
	cli/cmd/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])

## format: clang-format over all C files
format:
	clang-format -i $(SOURCES)

## deb: the three Debian packages, into BUILD/deb
deb:
	packaging/deps build deb
	packaging/deb $(B)

# Where things go. The folder for libraries is the compiler's to say: a
# multiarch one on Debian, lib64 elsewhere; `make install libdir=...` overrides.
MULTIARCH = $(shell $(CC) -print-multiarch 2>/dev/null)
MULTILIB = $(notdir $(shell $(CC) -print-multi-os-directory 2>/dev/null))
libdir = $(PREFIX)/$(if $(MULTIARCH),lib/$(MULTIARCH),$(or $(MULTILIB),lib))
sbindir = $(PREFIX)/sbin
datadir = $(PREFIX)/share
mandir = $(datadir)/man
bashdir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/vendor-completions
unitdir = $(PREFIX)/lib/systemd/system
sysconfdir = /etc
PAM_SERVICES := imap pop3 smtp submission sieve

# One row a file: mode, source, place. install and uninstall read the same.
INSTALL_ROWS = \
	755|$(B)/vmailadm|$(sbindir)/vmailadm \
	644|$(B)/pam_vmail.so|$(libdir)/security/pam_vmail.so \
	644|$(B)/libnss_vmail.so.2|$(libdir)/libnss_vmail.so.2 \
	644|cli/vmailadm.8|$(mandir)/man8/vmailadm.8 \
	644|pam/pam_vmail.8|$(mandir)/man8/pam_vmail.8 \
	644|nss/libnss_vmail.8|$(mandir)/man8/libnss_vmail.8 \
	644|common/core/vmail.conf.5|$(mandir)/man5/vmail.conf.5 \
	644|common/core/vmail_passwd.5|$(mandir)/man5/vmail_passwd.5 \
	644|packaging/sysusers/vmail.conf|$(PREFIX)/lib/sysusers.d/vmail.conf \
	644|packaging/systemd/vmail-map.path|$(unitdir)/vmail-map.path \
	644|packaging/systemd/vmail-map.service|$(unitdir)/vmail-map.service \
	644|packaging/completions/vmailadm.bash|$(bashdir)/vmailadm \
	644|packaging/completions/_vmailadm|$(zshdir)/_vmailadm \
	$(PAM_SERVICES:%=644|packaging/pam.d/vmail|$(sysconfdir)/pam.d/vmail-%)

## install: into DESTDIR, under PREFIX (/usr)
install: all
	$(foreach row,$(INSTALL_ROWS),$(call install_row,$(subst |, ,$(row))))

define install_row
install -D -m $(word 1,$(1)) $(word 2,$(1)) '$(DESTDIR)$(word 3,$(1))'

endef

## uninstall: removes what install put there
uninstall:
	rm -f $(foreach row,$(INSTALL_ROWS), \
		'$(DESTDIR)$(lastword $(subst |, ,$(row)))')

## clean: removes BUILD
clean:
	rm -rf --one-file-system $(B)

## help: this list
help:
	@echo 'make [BUILD=build] [PREFIX=/usr] [DESTDIR=] TARGET'
	@sed -n 's/^## \([^:]*\): /  \1\t/p' Makefile | expand -t 16

-include $(shell find $(B) -name roots -prune -o -type f -name '*.d' \
	-print 2>/dev/null)

.PHONY: all unit fuzz check check-fast soak roots bench demo lint format deb \
	install uninstall clean help
.DELETE_ON_ERROR:
