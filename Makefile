# The everyday verbs. CMake does the work (CMakePresets.json); tools/setup.sh installs what is missing first.

PREFIX ?= /usr/local
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := release
.PHONY: release debug sanitize thread coverage demo test bench bench-peers docs format install check-all check-aarch64 setup clean help

release debug: ## Build everything into build/release (the default) or build/debug
	@tools/setup.sh build
	@tools/build.sh $@

sanitize thread coverage: ## Build with address and undefined-behaviour or thread sanitizers, or counting lines
	@tools/setup.sh build check
	@tools/build.sh $@

demo: ## Fetch the real MiniLM, embed two sentences, prove the vectors equal to Transformers'
	@tools/demo.sh

test: release ## Build and run all tests
	@tools/test.sh release

bench: ## Build and measure: models beside their peers and the goals, kernels, tokenizers (ARGS="--rounds 15" ...)
	@tools/setup.sh build bench
	@tools/bench.sh $(ARGS)

bench-peers: ## Install the peers that bench measures, several GB, into build/compare/venv
	@tools/setup.sh bench
	@bench/compare/run.sh --install

docs: ## Generate the reference of the public headers into build/docs/html
	@tools/setup.sh docs
	@tools/docs.sh

format: ## Format all C++ sources in place
	@tools/setup.sh check
	@tools/check_format.sh --fix

install: ## Install into PREFIX (/usr/local), stripped
	@tools/setup.sh build
	@tools/build.sh release accelerate_program ipfs_accelerate
	@cmake --install build/release --prefix "$(PREFIX)" --strip

check-all: ## What CI leaves out: thread sanitizer, longer fuzzing, 64-bit Arm, clang-tidy on everything, coverage
	@tools/check_all.sh

check-aarch64: ## Cross-build for 64-bit Arm and run the kernel and operation tests in an emulator
	@tools/check_aarch64.sh

setup: ## Install every Debian package that any verb here needs
	@tools/setup.sh all

clean: ## Remove build/
	@rm -rf build

help: ## This list
	@sed -n 's/^\([a-z][a-z -]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r verbs what; do \
	  printf '  make %-26s %s\n' "$$verbs" "$$what"; done
