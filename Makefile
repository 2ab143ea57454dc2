# `make help` lists the targets. All output goes into .build/ and target/.

SHELL := /bin/sh
CARGO ?= cargo
# A filter or any other argument for `cargo test`: make test ARGS=layers
ARGS ?=
# How many tests run at the same time. Most of them wait most of their time.
THREADS ?= 4

# Lints the code while it compiles it, as `cargo clippy --all-targets -- -D warnings` does, so that `make test` compiles
# everything once. clippy's compiler reads its arguments from CLIPPY_ARGS, as `cargo clippy` gives them to it.
LINTED = RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__

.DEFAULT_GOAL := help
.PHONY: backup-test help test test-tools lint fmt check-compose run dev demo demo-walk clients faults bench screenshots figures clean check-api schemathesis fuzz sbom notices advisories check-manifests check-deploy check-compose rules

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: test-tools rules ## Check and test everything. ARGS=name runs the tests whose names contain it.
	$(LINTED) $(CARGO) test --no-run --all-targets
	@if [ -z "$(ARGS)" ]; then $(MAKE) --no-print-directory check-api && .build/emulator/bin/python tools/faults/faults.py --short; fi
	@$(LINTED) RUST_TEST_THREADS=$(THREADS) tools/with-services $(CARGO) test $(ARGS)

# What is tested from outside of the program; each is short here.
check-api:
	@tools/check-clients
	@tools/check-dev
	@tools/canary
	@.build/emulator/bin/python tools/backup_test.py --rounds 3
	@tools/check-deploy
	@tools/schemathesis 8 1

check-manifests: ## Give the service real tables and JSON files as manifests.
	@$(CARGO) build
	@tools/check-manifests

schemathesis: ## Test the API by its OpenAPI document, as each kind of caller. SECONDS=n for each.
	@$(CARGO) build
	@tools/schemathesis $(or $(SECONDS),300)

fuzz: ## Give random input to each parser of outside input, for ten minutes.
	@SALLYPORT_FUZZ_SECONDS=$(or $(SECONDS),20) $(CARGO) test --lib it::fuzz -- --test-threads=1

check-deploy: ## Run or lint everything in deploy/, and the commands of docs/deploy.md. ARGS="proxies" runs one part.
	@$(CARGO) build
	@tools/check-deploy $(ARGS)

sbom: ## Write the software bill of materials (CycloneDX) to .build/sbom.cdx.json.
	@tools/sbom

notices: ## Write the licences of everything in the binary to .build/THIRD-PARTY-NOTICES.txt.
	@tools/notices

test-tools: ## Install the test tools: AWS emulator, AWS CLI, linters, PostgreSQL, Chromium, generators of clients, cargo-deny.
	@tools/install

lint: rules ## Check formatting, clippy, dependency rules, docker-compose.yml.
	$(CARGO) clippy --all-targets -- -D warnings

# All of it but clippy.
rules: check-compose
	$(CARGO) fmt --check
	@tools/install cargo-deny
	@$(CARGO) fetch --locked --quiet
	@.build/cargo-deny/bin/cargo-deny --offline check bans licenses sources

advisories: ## Check the dependencies against the RustSec database. Needs github.com.
	@tools/install cargo-deny
	@.build/cargo-deny/bin/cargo-deny check advisories

check-compose:
	@tools/install compose
	@.build/compose/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

fmt: ## Format the code.
	$(CARGO) fmt

run: ## Start the service with the settings from your environment.
	$(CARGO) run -- serve

demo: ## Start the service with an emulated AWS and sample files, until Ctrl-C. PORT=n sets its port. ARGS="--origin URL --webhook URL".
	@tools/install emulator
	@$(CARGO) build
	@.build/emulator/bin/python demo/demo.py $(ARGS)

dev: ## The same by `sallyport dev`, as a product's developer starts it. ARGS="--origin URL --webhook URL --data FOLDER".
	@$(CARGO) build
	@$${CARGO_TARGET_DIR:-target}/debug/sallyport dev $(ARGS)

clients: ## Build the Python and the TypeScript client into .build.
	@$(CARGO) build
	@tools/build-clients

demo-walk: ## Run the main workflow over the API, step by step, and check every response.
	@tools/install emulator
	@$(CARGO) build
	@.build/emulator/bin/python demo/walk.py

faults: ## Kill the service 500 times and break what it needs; verify its promises. ARGS="--rounds 50".
	@tools/install emulator postgres
	@$(CARGO) build
	@.build/emulator/bin/python tools/faults/faults.py $(ARGS)

backup-test: ## Back the service up while it works, kill it, restore and compare, 100 times on each database. ROUNDS=n.
	@tools/install emulator postgres
	@$(CARGO) build
	@.build/emulator/bin/python tools/backup_test.py --rounds $(or $(ROUNDS),100)

bench: ## Run the benchmarks and write docs/benchmarks.md. ARGS="--bench start" runs one. QUICK=1: two minutes, compares ratios.
	@QUICK=$(QUICK) CARGO="$(CARGO)" tools/bench $(ARGS)

screenshots: test-tools ## Create the pictures in docs/screenshots. EVERY=1: of every page, in .build.
	@tools/screenshots

figures: test-tools ## Measure the pages and write docs/benchmarks-pages.md. Takes minutes.
	@tools/page-figures

clean: ## Remove .build/ and target/.
	rm -rf .build target
