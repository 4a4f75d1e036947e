# Each target sets up what it needs: a virtual environment in .venv and the dependencies.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint docs results clean

help:
	@echo "make demo     train a network on handwritten digits and write a report into demo/ (needs no torch)"
	@echo "make test     run all tests (installs torch to compare with)"
	@echo "make lint     run ruff, mypy and import-linter"
	@echo "make docs     write docs/operations.md and the stubs for type checkers from the records"
	@echo "make results  run all experiments, one after another, into results/; skips what is done with this code"

demo: .venv/demo
	$(BIN)/python -m experiments run mnist_backprop --epochs 5 --out demo
	@echo "Now open demo/mnist_backprop/report.md"

test: .venv/test
	$(BIN)/python -m pytest -n 2

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

docs: .venv/demo
	$(BIN)/python -m minigrad.ops.docs
	$(BIN)/python -m minigrad.nn.stubs

results: .venv/demo
	$(BIN)/python -m experiments run all --skip-done --out results
	$(BIN)/python -m experiments report --out results

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python setup.cfg constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[data,plots]"
	@touch $@

.venv/test: .venv/bin/python setup.cfg constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[data,plots,parity,test,dev]"
	@touch $@ .venv/demo

clean:
	rm -rf .venv demo build *.egg-info
