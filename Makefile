# kata-mock: every command a person or CI needs. `make help` lists them.
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
SETUP := node --import tsx --conditions=@kata-mock/source guest-image/setup.ts
SOURCES := $(shell find posix pci ttrpc oci-spec cdi contracts devices vfio-user agent-ext runtime-hook tools \
	\( -name node_modules -o -name dist \) -prune -o -type f \( -name '*.ts' -o -name '*.json' -o -name '*.[ch]' \) -print 2>/dev/null)
RESULTS := build/results
VITEST := node_modules/.bin/vitest run --reporter=default --reporter=json

.PHONY: help demo test unit vm check bench fuzz build setup packages testpackages image clean distclean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: setup ## all set-up, then the main job: a container that reads /dev/mock0
	@$(SUDO) bin/kata-mock demo

test: setup testpackages ## all set-up, then every test
	@rm -rf $(RESULTS)
	@status=0; $(MAKE) --no-print-directory -k check unit vm || status=$$?; \
	node tools/summary.mjs $(RESULTS) $$status

unit: build ## tests that need no VM and no root
	@$(VITEST) --outputFile.json=$(RESULTS)/unit.json

vm: setup ## tests that boot real VMs
	@$(SUDO) $(VITEST) --config test/vitest.config.ts --outputFile.json=$(RESULTS)/vm.json

check: node_modules/.stamp ## types, style, drift of generated files, unused code
	@npm run --silent check

bench: setup ## every benchmark: a table, and JSON in build/bench
	@npm run --silent bench

fuzz: build ## the long fuzz runs
	@npm run --silent fuzz --workspaces --if-present

packages: ## install the Debian packages that are missing
	@mkdir -p build
	@$(SUDO) sh guest-image/install-packages.sh

testpackages: ## install the Debian packages that only tests need
	@$(SUDO) sh guest-image/install-packages.sh --optional test/packages

setup: packages build image ## everything `demo` and `test` need

build: dist/.stamp ## compile and bundle the programs

image: build ## QEMU, kernel, module and guest image
	@$(SUDO) $(SETUP) all

node_modules/.stamp: package.json package-lock.json
	@echo "installing npm packages"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

dist/.stamp: node_modules/.stamp $(SOURCES)
	@npm run --silent build
	@touch $@

clean: ## remove what the other targets made, outside the tree too
	@if [ -d node_modules ]; then \
	  if [ -x bin/kata-mock ] && [ -d dist/kata-mock ]; then $(SUDO) bin/kata-mock prune; fi; \
	  $(SUDO) $(SETUP) clean; fi
	@if [ -d /run/kata-mock ]; then \
	  if [ -z "$$($(SUDO) find /run/kata-mock -mindepth 2 ! -name .lock -print -quit)" ]; then $(SUDO) rm -rf /run/kata-mock; \
	  else echo "kept: /run/kata-mock, since a VM of another clone uses it"; fi; fi
	@$(SUDO) rm -rf build dist node_modules coverage
	@rm -rf posix/dist pci/dist ttrpc/dist oci-spec/dist cdi/dist contracts/dist devices/dist vfio-user/dist agent-ext/dist runtime-hook/dist
