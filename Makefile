# Each target does all of its own set-up: a virtual environment in .venv, the dependencies, then the job.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint docs clean

help:
	@echo "make demo   train a network on handwritten digits and write a report into demo/ (no torch needed)"
	@echo "make test   run all tests (installs torch to compare with)"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make docs   write docs/operations.md anew from the records"

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
