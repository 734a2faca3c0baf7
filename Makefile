# Thin, and the same for a person and for CI. Needs Python 3.11+ and a package index.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CLIENT ?= aepmock.clients.reference:client
JOBS   ?= 2
# Apart from `make test`, which measuring would lengthen by about 30 %.
IN_PROCESS := $(addprefix tests/,contract judge strategies service transports reports plugin/test_fixtures.py)

.DEFAULT_GOAL := help
.PHONY: help judge test tests coverage suite mutants mutant-times false-positives lint contract docs docs-check bench clean

help: ## what there is to make
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

judge: $(VENV)/.ready ## judge the reference client on the mock; CLIENT=package.module:factory for yours
	$(BIN)/aepmock judge $(CLIENT)

test: tests suite ## everything: the kit's own tests, and the suite under every reading

tests: $(VENV)/.ready-test ## the kit's own tests
	$(BIN)/python -m pytest -q -n $(JOBS)

coverage: $(VENV)/.ready-test ## lines and branches that the tests within one process reach
	$(BIN)/python -m coverage run -m pytest -q $(IN_PROCESS)
	$(BIN)/python -m coverage report

suite: $(VENV)/.ready-test ## the suite over the reference client, under every reading
	$(BIN)/aepmock judge $(CLIENT) --readings all --jobs $(JOBS)

mutants: $(VENV)/.ready-test ## how many broken clients are convicted, and how many right ones accused
	$(BIN)/python -m tests.mutants

mutant-times: $(VENV)/.ready-test ## how long the verdict on a broken client takes, against the reference client
	$(BIN)/python -m tests.mutants --times

lint: $(VENV)/.ready-lint ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

false-positives: $(VENV)/.ready-test ## judge every correct client with ten seeds: none may be accused
	$(BIN)/python -m tests.correct_clients

contract: $(VENV)/.ready ## compile the contract's data
	$(BIN)/python -m tools.contract

docs: contract ## make the reference pages from the contract
	$(BIN)/python -m tools.docs docs

docs-check: $(VENV)/.ready ## fail if the compiled contract or a reference page is stale
	$(BIN)/python -m tools.contract --check
	$(BIN)/python -m tools.docs docs --check

bench: $(VENV)/.ready-test ## ratios against peers of the same run
	$(BIN)/python benchmarks/inprocess.py
	$(BIN)/python benchmarks/server.py

clean: ## throw the environment away
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "aepmock needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

$(VENV)/.ready-test: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

$(VENV)/.ready-lint: $(VENV)/.ready-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint]'
	@touch $@
