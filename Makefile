PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup study systems test docs fix format lint types tests coverage clean

setup: $(STAMP)

# NeuroBench pins old versions of what we use; the part of it that the tests compare with needs none of them.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "torch>=2.11,<2.14"
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --no-deps neurobench==2.3.0
	touch $(STAMP)

study: setup
	$(BIN)/spikefront run studies/quickstart.toml

systems: setup
	$(BIN)/python -m benchmarks.systems

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

test: setup format lint types tests

format:
	$(BIN)/ruff format --check .

lint:
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

tests:
	$(BIN)/pytest -n 2 -m "not slow" --durations=10

# Tracing every line makes the tests half as long again.
coverage: setup
	$(BIN)/pytest -n 2 -m "not slow" --cov --cov-report=term

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build *.egg-info core/*.egg-info .mypy_cache .pytest_cache .ruff_cache
