# `make` prints this list. Every target makes the .venv it needs; nothing else has to be installed first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
# GNU make splits on blanks, so every path here is relative: a checkout under "my folder/" works.

.DEFAULT_GOAL := help
.PHONY: help install services bench test matrix check format benchmarks clean

help: ## print this list
	@echo "polyfaas: one service, four providers, measured. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r t d; do printf '%-18s %s\n' "$$t" "$$d"; done

install: $(STAMP) ## make the .venv with everything in it

$(STAMP): requirements.lock requirements-runtimes.lock requirements-rie.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "polyfaas needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@# Azure's worker declares Python 3.13 but runs on 3.11; the Lambda emulator ships inside another tool's wheel.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --requirement requirements-runtimes.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/share/aws-sam-cli --requirement requirements-rie.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

bench: $(STAMP) ## the main job: T, L and Q on four real runtimes, compared (DATA=file.csv ROWS=n ARGS=...)
	$(BIN)/polyfaas bench $(if $(DATA),--data "$(DATA)") $(if $(ROWS),--rows $(ROWS)) $(ARGS)

services: $(STAMP) ## install the servers that the tests run against: Debian's, npm's, PyPI's (STRICT=1: all, or fail)
	@$(BIN)/python -m tests.services.install $(if $(STRICT),--strict)

test: check services ## make check and services, then every test (starts all four real runtimes)
	$(BIN)/python -m pytest $(ARGS)

matrix: $(STAMP) services ## what each store and database can do, by the contract suites, into docs/data-tier.md
	$(BIN)/python -m pytest tests/test_store_*.py tests/test_database_*.py --matrix docs/data-tier.md

check: $(STAMP) ## lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks: $(STAMP) services ## speed and memory against the alternatives (minutes)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.lock
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/data_tier.py
	$(BIN)/python benchmarks/profiler.py
	$(BIN)/python benchmarks/adapters.py
	$(BIN)/python benchmarks/export.py

clean: ## remove the .venv, results and caches
	rm -rf .venv results build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
