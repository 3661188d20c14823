# Everything a developer runs. `make help` lists it; `make lint test` is what CI runs.
.DEFAULT_GOAL := help
.PHONY: help run test check bench torture lint translations lock

# The system's own where it will do: distributions build theirs with optimisations, and one that was
# built without, as pyenv does unless told otherwise, is a third slower in everything below.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
  2>/dev/null && echo /usr/bin/python3 || echo python3)
# Processes the tests are spread over; each has a Postgres server of its own.
WORKERS ?= 2
# e.g. make test ARGS="tests/surveys -k publish"
ARGS ?=
# e.g. make bench ONLY=submit_api; SCALE=0.1 for a tenth of the time
ONLY ?=
# e.g. make torture ROUNDS=20
ROUNDS ?= 100
# e.g. make lock UPGRADE=--upgrade
UPGRADE ?=

RUN_STAMP := .venv/.run-stamp
DEV_STAMP := .venv/.dev-stamp
# Tests and measurements start Honne often; some environments let it write no bytecode by itself.
COMPILE := .venv/bin/python -m compileall -q app
PIP_INSTALL := .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes
LOCK := uv pip compile --quiet --generate-hashes --universal --no-emit-index-url --no-header $(UPGRADE)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(RUN_STAMP) ## start Honne with its own Postgres and the demo workspace (PORT=, HONNE_DATA_DIR=, DATABASE_URL=)
	@exec .venv/bin/python -m app.cli demo

test: $(DEV_STAMP) ## run the tests, installing a browser where there is none (ARGS=, WORKERS=)
	@.venv/bin/python -m tests.browser.chromium
	@$(COMPILE)
	@PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(DEV_STAMP) ## style, types, import contracts and missing translations
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python -m app.foundation.translation check

check: lint test ## lint and test, as CI does

bench: $(DEV_STAMP) ## measure; each measurement prints a ratio (ONLY=, SCALE=)
	@$(COMPILE)
	@.venv/bin/python -m bench $(ONLY)

torture: $(DEV_STAMP) ## kill, starve and fill up a running Honne, as root; nothing may be lost (ROUNDS=, ARGS=)
	@$(COMPILE)
	@ROUNDS=$(ROUNDS) .venv/bin/python -m pytest -m torture -p no:randomly tests/torture $(ARGS)

translations: $(DEV_STAMP) ## bring the catalogues in app/locales up to date with the source
	@.venv/bin/python -m app.foundation.translation update

lock: ## pin the requirements with their hashes; needs uv (UPGRADE=--upgrade)
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

# The project itself is not installed: a .pth file makes it importable, so no build tool is needed.
$(RUN_STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Honne needs Python 3.11 or newer; name one with make PYTHON=python3.12 …' >&2; exit 1; }
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo 'Installing the requirements into .venv …' >&2
	@$(PIP_INSTALL) -r requirements.txt
	@.venv/bin/python -c 'import os, sysconfig; open(sysconfig.get_path("purelib") + "/honne.pth", "w").write(os.getcwd() + "\n")'
	@printf '#!/bin/sh\nexec "%s/.venv/bin/python" -P -m app.cli "$$@"\n' "$(CURDIR)" > .venv/bin/honne
	@chmod +x .venv/bin/honne
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@echo 'Installing the development requirements into .venv …' >&2
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
