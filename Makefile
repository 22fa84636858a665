# `make` alone lists what can be made. Everything is built with --release, so that dependencies are built once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check api bench soak servers doc mutants fuzz build examples

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ksnapshot
# Outside the clone, so that clones share it.
export CARGO_TARGET_DIR := $(CACHE)/target
# A failed test names its place by itself; traces of every error on the way would hide it.
export RUST_BACKTRACE := 0

help: # list the targets
	@sed -n 's/^\([a-z]*\):[^#]*# \(.*\)/  make \1\t\2/p' Makefile | sort | expand -t 18

demo: # see it work: dump, list, verify and restore a PostgreSQL made for the purpose
	@tests/demo.sh

test: servers check build examples # all tests, on real servers
	rc=0; cargo test --release --workspace --no-fail-fast || rc=$$?; tests/testbed/settled; exit $$rc

examples: # a third party's dumper, outside of the workspace, and whether it keeps every promise
	cargo test --release --manifest-path examples/sqlite/Cargo.toml
	cargo build --release --manifest-path examples/sqlite/Cargo.toml

check: # format, lints, documentation, the public API, licenses
	@tests/testbed/install
	@tests/testbed/cargo-deny
	cargo fmt --all --check
	cargo fmt --manifest-path tests/fuzz/Cargo.toml --check
	cargo fmt --manifest-path tests/api/Cargo.toml --check
	@cargo fetch --quiet --locked --manifest-path tests/fuzz/Cargo.toml || { \
	echo 'tests/fuzz has a lock file of its own: cargo fetch --manifest-path tests/fuzz/Cargo.toml writes it' >&2; exit 1; }
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo clippy --release -p ksnapshot-tests --test soak -- -D warnings
	cargo clippy --release -p ksnapshot-storage --all-targets -- -D warnings # without the other clouds
	RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --document-private-items
	@tests/api/run --check
	$(CACHE)/testbed/bin/cargo-deny check bans licenses sources

api: # list what the crates make public, in docs/api
	@tests/api/run

bench: servers build # races against peers on the same data; benches/README.md keeps the table
	rc=0; cargo run --release -p ksnapshot-benches || rc=$$?; tests/testbed/settled; exit $$rc

soak: servers build # long runs; tell what they found in docs/soak.md
	rc=0; cargo test --release -p ksnapshot-tests --test soak -- --nocapture || rc=$$?; \
	tests/testbed/settled; exit $$rc
	@echo 'Tell date, commit, duration and what was found in docs/soak.md.'

mutants: servers # each fault of docs/faults.md has a patch that turns its test red
	rc=0; tests/mutants.sh || rc=$$?; tests/testbed/settled; exit $$rc

fuzz: # look for bytes that break the laws of reading, 60 s for each; TIME=600 for longer
	tests/fuzz/run $(or $(TIME),60)

servers: # fetch every server and tool that tests start (once)
	@tests/testbed/servers

doc: # the documentation of the crates
	cargo doc --release --workspace --no-deps
	@echo "open $(CARGO_TARGET_DIR)/doc/ksnapshot_core/index.html"

build:
	cargo build --release -p ksnapshot-cli
