# Keystead. Two commands do everything: `make run` serves an example directory, `make test` runs every test.
#
# The first build compiles RocksDB (about 15 minutes on two cores); later ones take seconds.

DATA         ?= data
CERTIFICATES ?= certs
LDAP_PORT    ?= 3389
LDAPS_PORT   ?= 3636
SUFFIX       ?= dc=example,dc=com

TARGET   = $(or $(CARGO_TARGET_DIR),target)
KEYSTEAD = $(TARGET)/release/keystead
DIST     = $(TARGET)/dist/keystead

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man/man1
UNITDIR ?= $(PREFIX)/lib/systemd/system

.PHONY: help run build dist install test clients check check-parts core bench parts timing clean build-tools test-tools bench-tools

help:
	@echo 'make run      build, make an example directory in ./$(DATA) on first use, and serve it'
	@echo 'make test     run every test, with the real LDAP clients'
	@echo 'make dist     build what is to be installed: optimised as a whole, which takes some minutes more'
	@echo 'make install  install what `make dist` has built below PREFIX, $(PREFIX), with man pages and a systemd service'
	@echo 'make clients  install the clients in other languages, with which make test then tests as well'
	@echo 'make check    formatting, lints and documentation, as the project wants them'
	@echo 'make core     the tests of the pure core only: seconds, without RocksDB'
	@echo 'make bench    compare the speed with slapd, on this machine'
	@echo 'make parts    measure the parts one by one: codec, filters, access rules, store'
	@echo 'make timing   does the time of a refusal tell why, and is a password left in memory? on a quiet machine'

run: build
	@test -e $(DATA)/keystead.toml || $(KEYSTEAD) init --example --data $(DATA) --suffix $(SUFFIX) \
	  --certificates $(CERTIFICATES) --listen ldap://127.0.0.1:$(LDAP_PORT) --listen ldaps://127.0.0.1:$(LDAPS_PORT) \
	  --listen ldapi://ldapi
	@exec $(KEYSTEAD) serve --config $(DATA)/keystead.toml --show-examples

build: build-tools
	cargo build --release --locked

# RocksDB is taken from the build of `make build`, so that it is not compiled once more.
dist: build
	@rocksdb=$$(ls -t $(TARGET)/release/build/librocksdb-sys-*/out/librocksdb.a | head -n 1) && \
	  ROCKSDB_LIB_DIR=$$(cd "$${rocksdb%/*}" && pwd) ROCKSDB_STATIC=1 cargo build --profile dist --locked

# It builds nothing, so that root need not have a compiler. DESTDIR is put in front, for packages.
install:
	@test -x $(DIST) || { echo 'Run `make dist` first, as somebody else than root.' >&2; exit 1; }
	install -D -m 755 $(DIST) $(DESTDIR)$(BINDIR)/keystead
	@pages=$$(mktemp -d) && $(DIST) manual --to "$$pages" >/dev/null && \
	  install -d $(DESTDIR)$(MANDIR) && install -m 644 "$$pages"/*.1 $(DESTDIR)$(MANDIR)/ && \
	  install -D -m 644 "$$pages/keystead.bash" $(DESTDIR)$(PREFIX)/share/bash-completion/completions/keystead && \
	  install -D -m 644 "$$pages/_keystead" $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_keystead && \
	  install -D -m 644 "$$pages/keystead.fish" $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/keystead.fish && \
	  rm -r "$$pages"
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@BINDIR@|$(BINDIR)|' packaging/keystead.service > $(DESTDIR)$(UNITDIR)/keystead.service
	install -D -m 644 packaging/keystead.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/keystead.conf

test: build-tools test-tools
	cargo test --release --locked

clients:
	@scripts/need clients

core:
	cargo test --locked --no-default-features

check: build-tools
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --release --locked --no-deps

# ENTRIES, ROUNDS and SECONDS may be given: `make bench ENTRIES=10000 ROUNDS=1`.
bench: dist bench-tools
	cargo build --release --locked --manifest-path bench/ldapload/Cargo.toml --target-dir $(TARGET)/bench
	bench/compare --entries $(or $(ENTRIES),100000) --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),4)

# What reading, writing, filters, decisions about access, plans and commits cost. The store is built with the RocksDB of the server.
parts: build-tools
	CRITERION_HOME=$(abspath $(or $(CARGO_TARGET_DIR),target))/criterion cargo bench --locked --manifest-path bench/parts/Cargo.toml --target-dir $(TARGET)/bench
	cargo run --release --locked --manifest-path bench/store/Cargo.toml --target-dir $(TARGET)

# What only the benches use is compiled, so that it does not rot.
check-parts: build-tools
	cargo clippy --locked --all-targets --manifest-path bench/parts/Cargo.toml --target-dir $(TARGET)/bench -- -D warnings

# Whether the time of 200 refused binds of each kind tells why they were refused, and whether the memory of a running server holds
# passwords that were sent. Each says whether it HOLDS, is VIOLATED, or cannot be told; then make fails.
timing: build
	bench/timing/binds.py $(KEYSTEAD) $(or $(BINDS),200)
	bench/timing/memory.py $(KEYSTEAD)

clean:
	cargo clean

build-tools:
	@scripts/need build

test-tools:
	@scripts/need test

bench-tools:
	@scripts/need bench
