# The README's two commands are `make demo` and `make test`; each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHECKOV := .venv-checkov
CHECKOV_READY := $(CHECKOV)/.ready
PINS := requirements.txt requirements-dev.txt lambdas/requirements.txt pyproject.toml
STAGES := local dev prod

.DEFAULT_GOAL := help
.PHONY: help demo stop test test-fast soak bench check lint format types synth

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(READY) ## run the main job on the embedded AWS and search engine (KEEP=1, ENGINE=opensearch, OPENSEARCH_URL=...)
	@$(BIN)/python -m local.demo $(if $(KEEP),--keep)

stop: $(READY) ## end what `make demo KEEP=1` left running
	@$(BIN)/python -m local.stop

test: $(READY) $(CHECKOV_READY) ## run all tests
	$(BIN)/python -m pytest

test-fast: $(READY) ## run the tests that start no servers
	$(BIN)/python -m pytest -m "not e2e"

soak: $(READY) ## replay 10,000 dead letters, killed at many points (LETTERS=10000)
	SOAK_LETTERS=$(or $(LETTERS),10000) $(BIN)/python -m pytest tests/e2e/test_dead_letters.py

bench: $(READY) ## measure speed, memory, the price of faults, delivery to a real OpenSearch (PARTS=price, SECONDS=1)
	@$(BIN)/python -m tests.bench $(PARTS) $(if $(SECONDS),--seconds $(SECONDS))

check: lint types synth test ## all that CI checks

lint: $(READY) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## rewrite in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## static types
	$(BIN)/mypy

synth: $(READY) ## synthesise every stage
	@for stage in $(STAGES); do echo "cdk synth -c stage=$$stage"; \
	  $(BIN)/python -m local.cdk synth --quiet -c stage=$$stage || exit 1; done

# pip runs only when a pin changed.
$(READY): $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cwl-shipper needs Python 3.11 or later: run `make PYTHON=python3.13 $(MAKECMDGOALS)` with one that is")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages into $(VENV) (about a minute and a half the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# A tool that wants other versions than the project has.
$(CHECKOV_READY): requirements-checkov.txt | $(READY)
	@test -x $(CHECKOV)/bin/python || $(PYTHON) -m venv $(CHECKOV)
	@echo "installing checkov into $(CHECKOV) (about half a minute the first time)"
	@$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-checkov.txt
	@touch $@
