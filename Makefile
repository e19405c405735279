# The commands of this project. `make` alone lists them.
#
# Every target builds the same packages with the same flags (below), so that no target rebuilds what another has built.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/butterfly-bot/target

# rustup's own folder comes first: its cargo is the one that the user chose, though a fresh shell may not know it yet.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

# Where it exists, builds share a folder that outlives this checkout.
export CARGO_TARGET_DIR ?= $(shell [ -d "$(CACHE)" ] && echo "$(CACHE)" || echo "$(CURDIR)/target")

# mold links in a tenth of the time. Read anew by each recipe, because `setup` may just have installed it; the question
# goes to the compiler, because gcc knows the option only since version 12.
export RUSTFLAGS ?= $(shell cc -fuse-ld=mold -Wl,--version 2>/dev/null | grep -q mold && echo "-C link-arg=-fuse-ld=mold")

.PHONY: help setup run test bench build release fmt lint clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: build ## install what is missing, build, and start the assistant
	@.config/start "$(CARGO_TARGET_DIR)/debug"

test: NEEDS := tests
test: setup ## build everything and run all tests
	@echo "Building all programs and tests into $(CARGO_TARGET_DIR); the first build takes minutes."
	@cargo build --workspace --bins --tests
	@if cargo nextest --version >/dev/null 2>&1; \
	 then cargo nextest run --workspace --no-fail-fast; \
	 else cargo test --workspace --no-fail-fast; fi

bench: release ## measure against the baselines and write docs/benchmarks.md
	@"$(CARGO_TARGET_DIR)/release/butterfly-bench"

build: setup ## build all programs (dev profile)
	@echo "Building into $(CARGO_TARGET_DIR); the first build takes minutes, later ones seconds."
	@cargo build --workspace --bins

release: setup ## build all programs for packages and benchmarks
	@echo "Building the release programs into $(CARGO_TARGET_DIR); this takes longer than the dev profile."
	@cargo build --release --workspace --bins

fmt: setup ## format all sources
	@cargo fmt --all

lint: setup ## check format and clippy, warnings denied (and licences, where cargo-deny is)
	@cargo fmt --version >/dev/null 2>&1 || { echo "rustfmt is missing: rustup component add rustfmt" >&2; exit 1; }
	@cargo clippy --version >/dev/null 2>&1 || { echo "clippy is missing: rustup component add clippy" >&2; exit 1; }
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources; fi

clean: ## delete all that was built
	@echo "Deleting $(CARGO_TARGET_DIR)"
	@cargo clean

# cargo tells the crates of two checkouts apart by their files' times alone: in a shared folder it would take what the
# other one built last for ours. So whoever comes from another checkout builds our crates anew, and keeps the dependencies.
setup:
	@.config/setup $(NEEDS)
	@mkdir -p "$(CARGO_TARGET_DIR)" && cd "$(CARGO_TARGET_DIR)" && \
	 if [ "$$(cat .checkout 2>/dev/null)" != "$(CURDIR)" ]; then \
	   rm -rf */.fingerprint/butterfly-* && echo "$(CURDIR)" > .checkout; \
	 fi
