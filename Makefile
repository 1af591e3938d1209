# Every task of the project. `make` alone lists them.
#
# libtorch comes by itself (scripts/libtorch.sh): CUDA=1 takes the build with CUDA, a LIBTORCH that is set already is
# used as it is. All targets share the release profile: then libtorch's C++ bindings and the crates compile once for
# the programs and the tests, and the tests run what is shipped.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

LIBTORCH_KIND := $(if $(filter 1,$(CUDA)),cuda,cpu)
# An assignment of its own line, so that a failed set-up stops the recipe.
cargo := LIBTORCH="$$(scripts/libtorch.sh $(LIBTORCH_KIND))"; export LIBTORCH; cargo
# CI builds what Cargo.lock says; a developer who adds a crate may change it.
locked := $(if $(CI),--locked)
# Where the public files lie, see CONTRIBUTING.md.
DATA ?= ../shared/data
VERSION ?= balanced
programs := $(or $(CARGO_TARGET_DIR),target)/release

.PHONY: help setup build run test test-published check fmt clippy doc openapi openapi-check deny prepare train evaluate audit bench bench-peers soak siege lines rolling kills image wheel deb fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## fetch libtorch into the user's cache (CUDA=1: with CUDA) and print where it is
	@scripts/libtorch.sh $(LIBTORCH_KIND)

build: ## build mirador and mirador-train at target/release/
	@$(cargo) build --release $(locked) --bins

run: build ## serve the shipped weights (ARGS="--bind 0.0.0.0:8080")
	@exec $(programs)/mirador serve $(ARGS)

test: ## run every test (ARGS=name picks some)
	@$(cargo) test --release $(locked) $(ARGS)

test-published: ## the tests that need files of others, where they lie in ../shared
	@if [ -d ../shared/reference ] && [ -d ../shared/data ]; then $(cargo) test --release $(locked) -- --ignored; \
	else echo "NOT RUN: the published weights and public files are not in ../shared"; fi

check: test test-published fmt clippy doc openapi-check deny ## all that CI holds a change to

fmt: # house rule: formatting
	@cargo fmt --check

clippy: # house rule: no warning
	@$(cargo) clippy --release $(locked) --all-targets -- -D warnings
	@$(cargo) clippy --release $(locked) --manifest-path fuzz/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target) -- -D warnings

doc: # house rule: every link in the documentation leads somewhere
	@export RUSTDOCFLAGS="-D warnings"; $(cargo) doc --release $(locked) --no-deps

openapi: build ## write openapi/openapi.json anew
	@mkdir -p openapi
	@$(programs)/mirador openapi > openapi/openapi.json.new
	@mv openapi/openapi.json.new openapi/openapi.json

openapi-check: build # the committed contract is the served one
	@$(programs)/mirador openapi | diff -u openapi/openapi.json - || { echo "openapi/openapi.json is out of date: make openapi"; exit 1; }

# Advisories come from a database on the net; without it the rest still counts. Warnings (a crate in two versions) are
# for `cargo deny check` by hand.
deny: # licences, bans and sources of the crates
	@if ! cargo deny --version >/dev/null 2>&1; then \
		echo "skipped: cargo-deny is not installed (cargo install --locked cargo-deny)"; \
	else \
		cargo deny --log-level error check licenses bans sources; \
		if cargo deny fetch db >/dev/null 2>&1; then cargo deny --log-level error check --disable-fetch advisories; \
		else echo "skipped: the advisory database cannot be reached"; fi; \
	fi

data/target_sites.tsv: | build
	@$(programs)/mirador-train prepare target-sites --data $(DATA) --out $@

data/pre_mirnas.tsv: | build
	@$(programs)/mirador-train prepare pre-mirnas --data $(DATA) --out $@

data/expression.tsv: | build
	@$(programs)/mirador-train prepare expression --data $(DATA) --out $@

data/repression.tsv: | build
	@$(programs)/mirador-train prepare repression --data $(DATA) --out $@

data/all_target_sites.tsv: | build
	@$(programs)/mirador-train prepare all-target-sites --data $(DATA) --out $@

prepare: | data/target_sites.tsv data/all_target_sites.tsv data/pre_mirnas.tsv data/expression.tsv data/repression.tsv ## turn public files into training data, once (DATA=../shared/data)

train: need-MODEL build ## train by recipes/MODEL/VERSION.json (MODEL=dmiso VERSION=balanced)
	@$(programs)/mirador-train train --model $(MODEL) --version $(VERSION) --data $(DATA) $(ARGS)

evaluate: need-MODEL need-FILE build ## score a labelled TSV (MODEL=dmiso@balanced FILE=data/target_sites.tsv ARGS="--only split=left_out")
	@$(programs)/mirador-train evaluate --model $(MODEL) $(FILE) $(ARGS)

audit: need-FILE build | data/target_sites.tsv ## the baselines on a labelled TSV  (FILE=my.tsv)
	@$(programs)/mirador-train audit --train data/target_sites.tsv $(FILE) $(ARGS)

bench: ## what serving costs and what batching gains
	@$(cargo) bench $(locked)

soak: ## half an hour of mixed load (MINUTES=30): memory and errors
	@$(cargo) bench $(locked) -- soak $(or $(MINUTES),30)

siege: ## five minutes of every attack at once beside honest pairs, in 1.5 GiB (SECONDS=300)
	@$(cargo) bench $(locked) -- siege $(or $(SECONDS),300)

lines: ## many rows through one connection (ROWS=10000000), ten minutes at most
	@$(cargo) bench $(locked) -- lines $(or $(ROWS),10000000)

rolling: ## restart two processes behind nginx under load (REQUESTS=100000; of containers IMAGE=mirador ENGINE=podman)
	@$(cargo) bench $(locked) -- rolling $(or $(REQUESTS),100000) $(if $(IMAGE),$(ENGINE) $(IMAGE))

# One that is there: docker, else podman's own builder, which keeps the health check in docker's format alone.
ENGINE ?= $(or $(notdir $(shell command -v docker)),podman)
image: ## build the container image `mirador` (ENGINE=podman; RUST_IMAGE=rust:1-bookworm@sha256:… pins its base)
	@DOCKER_BUILDKIT=1 $(ENGINE) build $(if $(findstring podman,$(ENGINE)),--format docker) -f docker/Dockerfile -t mirador \
		$(if $(RUST_IMAGE),--build-arg RUST_IMAGE=$(RUST_IMAGE)) \
		--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)" \
		--build-arg REVISION="$$(git rev-parse HEAD)" \
		--build-arg SOURCE="$$(git config --get remote.origin.url || echo unknown)" .

kills: ## kill the server in the midst of a job, again and again (KILLS=10 ROWS=100000): every row once, in order
	@export MIRADOR_TEST_KILLS=$(or $(KILLS),10) MIRADOR_TEST_ROWS=$(or $(ROWS),100000); \
	$(cargo) test --release $(locked) --test integration -- --nocapture a_job_outlasts_kills

bench-peers: ## the same network behind FastAPI and mosec (a scratch environment of 6 GB, once)
	@environment="$$(scripts/peers.sh)"; $(cargo) bench $(locked) -- peers "$$environment/bin/python"

# Coverage is all that is asked of the compiler; RUSTC_BOOTSTRAP lets a stable one give it.
fuzz: ## throw made-up bodies at every reader (SECONDS=60 for each; needs `cargo install cargo-fuzz`)
	@export RUSTC_BOOTSTRAP=1; LIBTORCH="$$(scripts/libtorch.sh $(LIBTORCH_KIND))"; export LIBTORCH; \
	export LD_LIBRARY_PATH="$$LIBTORCH/lib:$${LD_LIBRARY_PATH:-}"; \
	for reader in json csv lines tensors gzip; do \
		found="fuzz/target/corpus/$$reader"; mkdir -p "$$found"; \
		cargo fuzz run --sanitizer none $$reader "$$found" "fuzz/corpus/$$reader" -- \
			-max_total_time=$(or $(SECONDS),60) -rss_limit_mb=3000 -print_final_stats=1; \
	done

wheel: build ## pack the program, its weights and the Python client as a wheel at target/wheel/dist/
	@packages/wheel.sh

deb: build ## pack the program, libtorch and the weights as a Debian package at target/deb/ (needs `cargo install cargo-deb`)
	@LIBTORCH="$$(scripts/libtorch.sh cpu)"; export LIBTORCH; packages/deb.sh

clean: ## delete what was built; libtorch stays in the user's cache
	@cargo clean

# First among a target's needs: a forgotten setting is told before anything is built.
need-%:
	$(if $($*),,$(error $* is not set: `make help` shows an example))
