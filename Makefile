# Keystead. Two commands do everything: `make run` serves an example directory, `make test` runs every test.
#
# The first build compiles RocksDB (about 15 minutes on two cores); later ones take seconds.

DATA         ?= data
CERTIFICATES ?= certs
LDAP_PORT    ?= 3389
LDAPS_PORT   ?= 3636
SUFFIX       ?= dc=example,dc=com

KEYSTEAD = $(or $(CARGO_TARGET_DIR),target)/release/keystead

.PHONY: help run build test clients check check-parts core bench parts timing clean build-tools test-tools bench-tools

help:
	@echo 'make run      build, make an example directory in ./$(DATA) on first use, and serve it'
	@echo 'make test     run every test, with the real LDAP clients'
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
bench: build bench-tools
	cargo build --release --locked --manifest-path bench/ldapload/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)/bench
	bench/compare --entries $(or $(ENTRIES),100000) --rounds $(or $(ROUNDS),3) --seconds $(or $(SECONDS),4)

# What reading, writing, filters, decisions about access, plans and commits cost. The store is built with the RocksDB of the server.
parts: build-tools
	CRITERION_HOME=$(abspath $(or $(CARGO_TARGET_DIR),target))/criterion cargo bench --locked --manifest-path bench/parts/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)/bench
	cargo run --release --locked --manifest-path bench/store/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)

# What only the benches use is compiled, so that it does not rot.
check-parts: build-tools
	cargo clippy --locked --all-targets --manifest-path bench/parts/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)/bench -- -D warnings

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
