# Keystead. Two commands do everything: `make run` serves an example directory, `make test` runs every test.
#
# The first build compiles RocksDB (about 15 minutes on two cores); later ones take seconds.

DATA         ?= data
CERTIFICATES ?= certs
LDAP_PORT    ?= 3389
LDAPS_PORT   ?= 3636
SUFFIX       ?= dc=example,dc=com
PREFIX       ?= /usr/local

KEYSTEAD = $(or $(CARGO_TARGET_DIR),target)/release/keystead

.PHONY: help run build test check core install clean build-tools test-tools

help:
	@echo 'make run      build, make an example directory in ./$(DATA) on first use, and serve it'
	@echo 'make test     run every test, with the real LDAP clients'
	@echo 'make check    formatting, lints and documentation, as the project wants them'
	@echo 'make core     the tests of the pure core only: seconds, without RocksDB'
	@echo 'make install  install the program, its schema and its manual pages under $(PREFIX)'

run: build
	@test -e $(DATA)/keystead.toml || $(KEYSTEAD) init --example --data $(DATA) --suffix $(SUFFIX) \
	  --certificates $(CERTIFICATES) --listen ldap://127.0.0.1:$(LDAP_PORT) --listen ldaps://127.0.0.1:$(LDAPS_PORT) \
	  --listen ldapi://ldapi
	@exec $(KEYSTEAD) serve --config $(DATA)/keystead.toml --show-examples

build: build-tools
	cargo build --release --locked

test: build-tools test-tools
	cargo test --release --locked

core:
	cargo test --locked --no-default-features

check: build-tools
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --release --locked --no-deps

clean:
	cargo clean

build-tools:
	@scripts/need build

test-tools:
	@scripts/need test
