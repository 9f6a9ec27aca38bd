# The README's two commands are `make demo` and `make test`; each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
AUDIT := .venv-audit
IN_PARALLEL := -n $(or $(WORKERS),3) --dist loadscope --no-loadscope-reorder
CORE := lambdas/shipper/*.py,lambdas/shipper/presets/*,lambdas/shipper/k8s/*
REST := lambdas/shipper/aws lambdas/shipper/handlers lambdas/shipper/cli stacks local
IN_FUNCTION := lambdas/requirements.txt
PINS := requirements.txt requirements-dev.txt lambdas/requirements.txt pyproject.toml
STAGES := local dev prod

.DEFAULT_GOAL := help
.PHONY: help demo stop test test-fast coverage soak soak-machine soak-letters sabotage mutants mutants-sample fuzz bench check lint format types synth diagram sbom audit-deps

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: $(READY) ## run the main job on the embedded AWS and search engine (KEEP=1, ENGINE=opensearch, OPENSEARCH_URL=...)
	@$(BIN)/python -m local.demo $(if $(KEEP),--keep)

stop: $(READY) ## end what `make demo KEEP=1` left running
	@$(BIN)/python -m local.stop

test: $(READY) .venv-checkov/.ready ## run all tests (WORKERS=3 of them at a time)
	$(BIN)/python -m pytest $(IN_PARALLEL)

test-fast: $(READY) .venv-checkov/.ready ## run the tests that start no servers
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not e2e"

coverage: $(READY) .venv-checkov/.ready ## the same, and whether they cover all branches of the core and nine tenths of the rest
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not e2e" --cov --cov-report=
	$(BIN)/coverage report --include='$(CORE)' --fail-under=100
	@for folder in $(REST); do $(BIN)/coverage report --include="$$folder/*" --fail-under=90 || exit 1; done

soak: $(READY) ## the deployed stack under load with all that goes wrong, 10 minutes (MINUTES=10, SEED=...)
	@$(BIN)/python -m tests.reliability.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

soak-machine: $(READY) ## the state machine for a million steps (STEPS=1000000, SEED=...)
	MACHINE_STEPS=$(or $(STEPS),1000000) $(if $(SEED),MACHINE_SEED=$(SEED)) $(BIN)/python -m pytest -s tests/reliability/test_machine.py

soak-letters: $(READY) ## replay 10,000 dead letters, killed at many points (LETTERS=10000)
	SOAK_LETTERS=$(or $(LETTERS),10000) $(BIN)/python -m pytest tests/e2e/test_dead_letters.py

sabotage: $(READY) ## put faults into a copy of the code, one at a time: which test sees each?
	@$(BIN)/python -m tests.reliability.sabotage

mutants: $(READY) .venv-mutants/.ready ## change the core in small ways: which tests see it? (MODULES="bulk model"; a quarter of an hour)
	@$(BIN)/python -m tests.reliability.mutants $(MODULES)

mutants-sample: $(READY) .venv-mutants/.ready ## some of them, drawn from all: a minute (SAMPLE=40, SEED=1)
	@$(BIN)/python -m tests.reliability.mutants --sample $(or $(SAMPLE),40) --seed $(or $(SEED),1)

fuzz: .venv-fuzz/.ready ## feed decode, envelope and transform what a fuzzer makes up (SECONDS=60, TARGETS=decode, KEEP=1)
	@PYTHONPATH=lambdas .venv-fuzz/bin/python -m tests.fuzz $(TARGETS) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KEEP),--keep)

bench: $(READY) ## measure speed, memory, the price of faults, delivery to a real OpenSearch (PARTS=price, SECONDS=1)
	@$(BIN)/python -m tests.bench $(PARTS) $(if $(SECONDS),--seconds $(SECONDS))

check: lint types synth test ## style, types, every stage, all tests

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

diagram: $(READY) ## draw docs/images/architecture.svg
	@$(BIN)/python -m local.diagram

sbom: $(AUDIT)/.ready ## write sbom.json: what runs in the functions, as CycloneDX
	@$(AUDIT)/bin/python -W ignore -m cyclonedx_py requirements $(IN_FUNCTION) --pyproject pyproject.toml \
	  --mc-type application --spec-version 1.6 --output-reproducible -o sbom.json

audit-deps: $(AUDIT)/.ready ## ask PyPI for known vulnerabilities of what runs in the functions (needs the internet)
	@PIP_AUDIT_LOGLEVEL=ERROR $(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --progress-spinner off \
	  -r $(IN_FUNCTION) || { echo "not clean: a package above is vulnerable, or PyPI could not be asked about it"; exit 1; }

# pip runs only when a pin changed.
$(READY): $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cwl-shipper needs Python 3.11 or later: run `make PYTHON=python3.13 $(MAKECMDGOALS)` with one that is")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages into $(VENV) (about a minute and a half the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Tools that want other versions than the project has.
.venv-%/.ready: requirements-%.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo "installing $< into $(@D) (up to half a minute the first time)"
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
