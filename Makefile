# What a contributor runs. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help test torture mutants lint fmt openapi for-speed bench bench-bookings bench-device-keys bench-events bench-flood bench-growth bench-soak demo

# Only tests have failpoints; what is built to be used has none.
FOR_TESTS := --locked --features failpoints

help: ## this list
	@grep -hE '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

# Most tests wait for databases, sockets and processes: more of them at a time than there are processors.
export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))

test: ## everything a change must pass; installs what the tests need
	scripts/install-test-tools
	cargo fmt --check
	cargo clippy $(FOR_TESTS) --all-targets -- -D warnings
	cargo test $(FOR_TESTS)
	scripts/lint-openapi

torture: ## a thousand kills on each database and twenty failovers, with a check of every promise
	TORTURE_CYCLES=$${TORTURE_CYCLES:-1000} KEYLEND_TEST_FAILOVERS=$${KEYLEND_TEST_FAILOVERS:-20} \
	  cargo test $(FOR_TESTS) --release --test it -- torture failover --nocapture --test-threads 2

mutants: ## change the code that decides in one place at a time; a test must notice; takes hours
	scripts/mutants

lint: ## formatting, clippy, the API document
	cargo fmt --check
	cargo clippy $(FOR_TESTS) --all-targets -- -D warnings
	scripts/lint-openapi

fmt: ## format the sources
	cargo fmt

openapi: ## write openapi.yaml from the code
	cargo run --quiet --locked -- openapi > target/openapi.yaml
	mv target/openapi.yaml openapi.yaml

bench: for-speed ## Keylend, the same unlock in Go and Node, and what bounds them, in one run
	scripts/bench

bench-bookings: for-speed ## unlocks while thousands of grants end, and what a hold costs
	scripts/bench-bookings

bench-device-keys: for-speed ## unlocks with keys that are bound to a phone, a proof for each
	scripts/bench-device-keys

bench-events: for-speed ## unlocks while ten webhook endpoints and a stream are told of each
	scripts/bench-events

bench-flood: for-speed ## other people's unlocks while strangers crowd the door
	scripts/bench-flood

bench-growth: for-speed ## unlocks with 1,000 to 1,000,000 grants and entries; takes half an hour
	scripts/bench-growth

bench-soak: for-speed ## unlocks for twenty minutes, with what the service takes each minute
	scripts/bench-soak

# One call builds all that is measured, so the dependencies are compiled once.
for-speed:
	cargo build --locked --profile dist --features jemalloc --bins --example floors

demo: ## the service and a simulated vehicle cloud, telling their story
	cargo run --release --locked -- demo
