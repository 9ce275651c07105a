# Every task of this project, by name. `make help` lists them.
#
# Needs Python 3.11 or newer and make; everything else lands in .venv and node_modules.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.NOTPARALLEL:

PORT ?= 8000
MINUTES ?= 30
ARGS ?=
PYTHON ?=
UV ?= uv

PY := .venv/bin/python
RUNTIME := .venv/.requirements.stamp
DEV := .venv/.requirements-dev.stamp
NODE := node_modules/.package-lock.stamp
LIGHTHOUSE := tests/lighthouse/node_modules/.package-lock.stamp
BABEL := $(PY) -m babel.messages.frontend
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/django.po)
COMPILED := $(CATALOGUES:.po=.mo)

# Settings of a real site that happen to be exported in this shell must not reach the demo or the tests:
# sample accounts would be loaded into its database.
unexport $(filter-out HAVRE_TEST_%,$(filter HAVRE_% DATABASE_URL% REDIS_URL%,$(.VARIABLES)))

PIP_INSTALL := $(PY) -m pip install --quiet --quiet --disable-pip-version-check --require-hashes
DEVELOPMENT := HAVRE_DEVELOPMENT=1
DEMO := $(DEVELOPMENT) HAVRE_DATA_DIR=var/demo $(PY) manage.py
COMPILE := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: .venv ## Make .venv from the lock file and compile the translations
	@$(MAKE) --silent --no-print-directory $(RUNTIME) $(COMPILED)

.PHONY: demo
demo: setup ## Start a whole Havre with sample data on 127.0.0.1 (PORT=8000); Ctrl-C ends it
	@$(DEMO) migrate --verbosity 0
	@$(DEMO) seed_demo
	@exec env $(DEMO) serve --host 127.0.0.1 --port $(PORT)

.PHONY: demo-reset
demo-reset: setup ## Throw the data of the demo away
	@$(DEMO) reset_demo

.PHONY: test
test: setup $(DEV) ## Run every test but those with a target of their own (ARGS='-k note' passes through to pytest)
	@exec $(PY) -m tests $(ARGS)

.PHONY: check
check: setup $(DEV) $(NODE) ## Run the linters, the types and the architecture contracts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(MAKE) --no-print-directory types arch

.PHONY: types
types: setup $(DEV) $(NODE) ## Check the types of Python and of the browser code
	$(DEVELOPMENT) .venv/bin/mypy .
	node_modules/.bin/tsc --project tsconfig.json

.PHONY: arch
arch: setup $(DEV) ## Check which room may import which
	$(DEVELOPMENT) .venv/bin/lint-imports

.PHONY: messages
messages: setup ## Bring the translation catalogues up to date with the texts in the code
	@$(PY) -m ops.messages
	@$(MAKE) --silent --no-print-directory setup

.PHONY: protocol
protocol: setup ## Write the files that are generated from the wire protocol
	$(DEVELOPMENT) $(PY) manage.py export_protocol

.PHONY: bench
bench: setup $(DEV) ## Measure delivery beside a bare reference
	@exec $(PY) -m bench $(ARGS)

.PHONY: bench-crypto
bench-crypto: setup $(DEV) ## Measure sealing beside the bare primitives; fails when a target is missed
	@exec $(PY) -m bench.crypto

.PHONY: bench-screening
bench-screening: setup $(DEV) ## Measure the screening of one message; fails when its target is missed
	@exec $(PY) -m bench.screening

.PHONY: bench-board
bench-board: setup $(DEV) ## Measure the board with 200 conversations in a browser four times slower; fails on a miss
	@exec env $(DEVELOPMENT) $(PY) -m bench.board

.PHONY: screening
screening: setup $(DEV) ## Measure the screening rules on the labelled messages and write docs/screening.md
	@exec $(PY) -m tests.screening.measure --write

.PHONY: exit
exit: setup $(DEV) ## Prove the quick exit in both browsers (some 10 minutes) and write down what was seen
	@HAVRE_TEST_EXIT=1 $(PY) -m tests -p tests.support.proofs tests/browser/exit $$($(PY) -m tests.support.promises) $(ARGS)

.PHONY: stories
stories: setup $(DEV) ## Tell each level of danger in both languages in browsers, and call over two processes (a minute or two)
	@exec $(PY) -m tests tests/browser/test_levels.py tests/integration/test_calls.py $(ARGS)

.PHONY: slow-line
slow-line: setup $(DEV) ## Tell the story of the chat without script over a line that is slow, hangs and breaks
	@HAVRE_TEST_SLOW_LINE=1 $(PY) -m tests tests/browser/test_plain.py -k restart $(ARGS)

.PHONY: chaos
chaos: setup $(DEV) ## Break everything while people write, and count (some 15 minutes; ARGS='--only redis')
	@exec $(PY) -m tests.chaos $(ARGS)

.PHONY: calls
calls: setup $(DEV) ## Raise calls for help, kill workers under running clocks, and count (some 6 minutes)
	@exec $(PY) -m tests.chaos.long_calls $(ARGS)

.PHONY: soak
soak: setup $(DEV) ## Serve steadily for MINUTES=30 and see whether memory and files stay
	@exec $(PY) -m tests.chaos.soak --minutes $(MINUTES) $(ARGS)

.PHONY: screens
screens: setup $(DEV) ## Take every state of the visitor's page, and what staff see of danger, in both languages at both sizes, into docs/screens
	@exec env $(DEVELOPMENT) $(PY) -m tests.screens $(ARGS)

.PHONY: barriers
barriers: setup $(DEV) ## Look for barriers in every state in every language at both sizes; screenshots into var/screens
	@mkdir -p var/screens
	@HAVRE_TEST_SCREENS=$(CURDIR)/var/screens $(PY) -m tests tests/browser $(ARGS)
	@echo "The screenshots are in var/screens."

.PHONY: lighthouse
lighthouse: setup $(DEV) $(LIGHTHOUSE) ## Ask Lighthouse about the visitor's page (210 MB of packages the first time)
	@exec env $(DEVELOPMENT) $(PY) -m tests.lighthouse

.PHONY: lock
lock: ## Make both lock files again from pyproject.toml (needs uv; ARGS=--upgrade for newer versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv (pip install uv)" >&2; exit 1; }
	$(COMPILE) $(ARGS) -o requirements.lock
	$(COMPILE) $(ARGS) --group dev --constraint requirements.lock -o requirements-dev.lock

# An interrupted installation leaves no stamp behind, and the next make goes on with it.
$(RUNTIME): requirements.lock
	@echo "Installing what Havre needs into .venv"
	@$(PIP_INSTALL) --requirement requirements.lock
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing what the tests need into .venv"
	@$(PIP_INSTALL) --requirement requirements-dev.lock
	@touch $@

# A phony target, and a make of its own before the stamps are looked at: a .venv whose interpreter was removed or
# upgraded away exists but does not work, and is made again.
.PHONY: .venv
.venv:
	@if $(PY) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exit 0; fi; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then without="$$without $$version"; continue; fi; \
		echo "Making .venv with Python $$version"; \
		exec $$python -m venv --clear .venv; \
	done; \
	if [ -n "$$without" ]; then \
		for version in $$without; do \
			echo "Python $$version is here, but it lacks the venv module." >&2; \
			echo "On Debian and Ubuntu: apt-get install python$$version-venv" >&2; \
		done; \
	else \
		echo "Havre needs Python 3.11 or newer, and none was found as python3, python3.11 to python3.14 or python." >&2; \
		echo "Install one, or name it: make demo PYTHON=/path/to/python3" >&2; \
	fi; \
	exit 1

$(NODE): package-lock.json package.json .npmrc
	@command -v npm >/dev/null || { echo "This needs Node.js 20 and npm (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@npm ci --ignore-scripts --silent
	@touch $@

$(LIGHTHOUSE): tests/lighthouse/package-lock.json tests/lighthouse/package.json tests/lighthouse/.npmrc
	@cd tests/lighthouse && npm ci --ignore-scripts --silent
	@touch $@

%.mo: %.po $(RUNTIME)
	@$(BABEL) -q compile --input-file $< --output-file $@
