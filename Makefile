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

# The window is built where one can be opened, by itself: what it needs of the packages that it shares with the rest must
# not make the rest be built again.
ifneq ($(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s))),)
WINDOW := desktop
endif
REST := --workspace --exclude butterfly-desktop

.PHONY: help setup run test bench build release screenshots fmt lint clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: build ## install what is missing, build, and start the assistant
	@.config/start "$(CARGO_TARGET_DIR)/debug"

test: NEEDS := desktop tests
test: setup ## build everything and run all tests
	@echo "Building all programs and tests into $(CARGO_TARGET_DIR); the first build takes minutes."
	@cargo build -p butterfly-desktop --bins --tests
	@cargo build $(REST) --bins --tests
	@if cargo nextest --version >/dev/null 2>&1; \
	 then run="cargo nextest run"; else run="cargo test"; fi; \
	 $$run -p butterfly-desktop --no-fail-fast; desktop=$$?; \
	 $$run $(REST) --no-fail-fast && exit $$desktop

bench: release ## measure against the baselines and write docs/benchmarks.md
	@.config/setup desktop tests
	@cargo build --release -p butterfly-desktop --examples
	@"$(CARGO_TARGET_DIR)/release/butterfly-bench"

build: NEEDS := $(WINDOW)
build: setup ## build all programs (dev profile); the window where there is a display
	@echo "Building into $(CARGO_TARGET_DIR); the first build takes minutes, later ones seconds."
	@cargo build $(REST) --bins
	@if [ -n "$(WINDOW)" ]; then cargo build -p butterfly-desktop --bins; fi

release: NEEDS := desktop
release: setup ## build all programs for packages and benchmarks
	@echo "Building the release programs into $(CARGO_TARGET_DIR); this takes longer than the dev profile."
	@cargo build --release $(REST) --bins
	@cargo build --release -p butterfly-desktop --bins

screenshots: NEEDS := desktop tests
screenshots: setup ## make a picture of every view, in both themes, into docs/images
	@cargo build $(REST) --bins
	@cargo build -p butterfly-desktop --bins
	@"$(CARGO_TARGET_DIR)/debug/butterfly-screenshots" docs/images

fmt: setup ## format all sources
	@cargo fmt --all

lint: NEEDS := desktop
lint: setup ## check format and clippy, warnings denied (and licences, where cargo-deny is)
	@cargo fmt --version >/dev/null 2>&1 || { echo "rustfmt is missing: rustup component add rustfmt" >&2; exit 1; }
	@cargo clippy --version >/dev/null 2>&1 || { echo "clippy is missing: rustup component add clippy" >&2; exit 1; }
	cargo fmt --all --check
	cargo clippy -p butterfly-desktop --all-targets -- -D warnings
	cargo clippy $(REST) --all-targets -- -D warnings
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
