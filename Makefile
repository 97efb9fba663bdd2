# `make chat` opens the assistant, `make test` runs all checks. Each installs what it needs into .venv by itself.
#   PYTHON=python3.12   the Python to make .venv from
#   TORCH=torch==2.13.0 the build of torch to install (the default: a CPU build where the package index has one)
PYTHON ?= python3
BIN := .venv/bin
export TORCH

.NOTPARALLEL:
.PHONY: help chat test test-slow lint clean

help:
	@echo "make chat       install, start the API and the page, and print their addresses"
	@echo "make test       install what the tests need, and run lint and the tests (minutes)"
	@echo "make test-slow  the tests that train models or build packages (up to 40 minutes)"
	@echo "make lint       ruff and mypy alone"
	@echo "make clean      remove .venv and every cache of the tools"

chat: .python
	@$(PYTHON) .ci/install.py chat
	@$(BIN)/vlm up

test: lint
	$(BIN)/python -m pytest -n 2

test-slow: .python
	@$(PYTHON) .ci/install.py test
	$(BIN)/python -m pytest -m slow

lint: .python
	@$(PYTHON) .ci/install.py test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist

.PHONY: .python
.python:
	@command -v $(PYTHON) >/dev/null || { echo "error: there is no $(PYTHON) here: install Python 3.11 or later, or name one: make PYTHON=..." >&2; exit 1; }
