# The front door. Each target installs what it needs from Debian, then does what its line below says.
SHELL := /bin/bash
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
DATA ?=
TARGET ?= Conversion
PORT ?= 8000
SEED ?=
LONG ?=
MODEL ?= run/models
PLATFORM ?=
SOURCE ?=
CONNECTION ?=

.PHONY: help setup build run test lint bench prove asan tsan function image package clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10
	@echo
	@echo "make run DATA=customers.csv TARGET=Conversion trains on your own data; PORT=8000 chooses the port."

setup: ## Install the Debian packages that a build needs
	@tools/setup.sh build

build: setup ## Build the program: build/release/dropscore
	@cmake --preset release -DDROPSCORE_TESTS=OFF
	@cmake --build --preset release --parallel $(JOBS)

run: build ## Train, start everything on 127.0.0.1:$(PORT), score the sample, stay up
	@tools/run.sh "$(DATA)" "$(TARGET)" "$(PORT)"

test: ## Build everything and run every test
	@tools/setup.sh test
	@python3 tools/check_rooms.py
	@cmake --preset release -DDROPSCORE_TESTS=ON
	@cmake --build --preset release --parallel $(JOBS)
	@python3 tools/check_rooms.py --built build/release
	@ctest --preset release --parallel $(JOBS) --output-junit tests.xml || { tools/failed_tests.py build/release/tests.xml; exit 1; }

asan tsan: ## The tests under address + undefined, or thread, sanitizers
	@tools/setup.sh test
	@cmake --preset $@
	@cmake --build --preset $@ --parallel $(JOBS)
	@ctest --preset $@ --parallel $(JOBS) --output-junit tests.xml || { tools/failed_tests.py build/$@/tests.xml; exit 1; }

lint: ## clang-format and clang-tidy over every source
	@tools/setup.sh lint
	@tools/lint.sh

bench: ## Measure against the peers; one table, and JSON in bench/results (LONG=1: memory at 10 GB too)
	@tools/setup.sh bench
	@cmake --preset bench && cmake --build --preset bench --parallel $(JOBS)
	@python3 bench/run.py $(if $(LONG),--long)

prove: build ## The long proofs: gigabyte files, kill campaigns (SEED=n repeats a campaign)
	@tools/setup.sh prove
	@cmake --preset release -DDROPSCORE_TESTS=ON
	@cmake --build --preset release --parallel $(JOBS) --target transfer
	@SEED=$(SEED) tools/prove.sh

function: ## The function app to deploy: build/function.zip (MODEL=folder, SOURCE=event-grid, CONNECTION=setting)
	@tools/setup.sh build
	@tools/function_app.sh "$(MODEL)" $(if $(filter event-grid,$(SOURCE)),--event-grid) $(if $(CONNECTION),--connection "$(CONNECTION)")

image: ## The container image: build/image/dropscore.oci.tar (MODEL=folder bakes a model in; PLATFORM=linux/arm64)
	@tools/setup.sh image
	@tools/image.sh $(if $(filter command line environment,$(origin MODEL)),--model "$(MODEL)") $(if $(PLATFORM),--platform "$(PLATFORM)")

package: build ## The Debian package, with service, manual page and completions: build/package/dropscore_VERSION_ARCH.deb
	@tools/setup.sh package
	@tools/package.sh

clean: ## Remove what was built
	rm -rf build
