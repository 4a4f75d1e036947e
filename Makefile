# Each target sets up what it needs: a virtual environment in .venv and the dependencies.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-core lint docs results clean

help:
	@echo "make demo       train a network on handwritten digits and write a report into demo/ (needs no torch)"
	@echo "make test       run all tests (installs torch to compare with)"
	@echo "make test-core  run the tests that need no torch, without installing it"
	@echo "make lint       run ruff, mypy and import-linter"
	@echo "make docs       write docs/operations.md and the stubs for type checkers from the records"
	@echo "make results    run all experiments, one after another, into results/; skips what is done with this code"

demo: .venv/demo
	$(BIN)/python -m experiments run mnist_backprop --epochs 5 --out demo
	$(BIN)/python -m experiments page mnist_backprop --out demo

test: .venv/test
	$(BIN)/python -m pytest -n 2

test-core: .venv/core
	WITHOUT_TORCH=1 $(BIN)/python -m pytest -n 2 tests minigrad

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

docs: .venv/demo
	$(BIN)/python -m minigrad.ops.docs
	$(BIN)/python -m minigrad.nn.stubs

results: .venv/demo
	$(BIN)/python -m experiments run all --skip-done --seeds 5 --out results
	$(BIN)/python -m experiments report --out results

.venv/bin/python:
	@echo "Making a virtual environment in .venv ..."
	@$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python setup.cfg constraints.txt
	@echo "Installing NumPy and what reads data and draws figures into .venv ..."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[data,plots]"
	@touch $@

.venv/core: .venv/bin/python setup.cfg constraints.txt
	@echo "Installing what the tests need, without torch, into .venv ..."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[data,plots,test]"
	@touch $@ .venv/demo

.venv/test: .venv/bin/python setup.cfg constraints.txt
	@echo "Installing what all tests need, torch included (some 200 MB), into .venv ..."
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[data,plots,parity,test,dev]"
	@touch $@ .venv/demo .venv/core

clean:
	rm -rf .venv demo build *.egg-info
