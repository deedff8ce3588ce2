# Quebu (缺补). `make` alone lists what can be asked for.
.DEFAULT_GOAL := help
.PHONY: help setup run demo test fuzz lint notebooks benchmark screenshots lock words clean

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
HOST   ?= 127.0.0.1
PORT   ?= 8000

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.run ## create the environment that runs the product

run: setup ## train on the bundled course list and serve on http://127.0.0.1:8000
	@test -e instance/registry/active || $(BIN)/quebu train --courses training_data/courses.csv --activate > /dev/null
	$(BIN)/quebu serve --host $(HOST) --port $(PORT)

demo: setup ## recommend for the bundled sample roster: print the first people, write the Excel result
	@test -e instance/registry/active || $(BIN)/quebu train --courses training_data/courses.csv --activate > /dev/null
	$(BIN)/quebu demo

test: $(VENV)/.dev ## run every check: lint, types, tests, notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

fuzz: $(VENV)/.dev ## ask the service at length whatever its document allows (the tests do it in short)
	FUZZ_EXAMPLES=1000 $(BIN)/pytest tests/service/test_fuzz.py

lint: $(VENV)/.dev ## format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy

notebooks: $(VENV)/.dev ## open the notebooks
	$(BIN)/jupyter lab notebooks

benchmark: $(VENV)/.dev ## measure quality and speed, as in benchmarks/README.md
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/plans.py
	$(BIN)/python benchmarks/feedback.py
	$(BIN)/python benchmarks/versions.py
	$(BIN)/python benchmarks/service.py
	$(BIN)/python benchmarks/console.py

screenshots: $(VENV)/.dev ## take the pictures of README.zh-CN.md anew
	$(BIN)/python docs/screenshots.py

lock: $(VENV)/.dev ## pin the packages of pyproject.toml again, with hashes
	for kind in run dask dev notebooks; do \
	  extra=$$(test $$kind = run || echo "--extra $$kind"); \
	  echo "setuptools>=77" | $(BIN)/uv pip compile pyproject.toml - $$extra --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements/$$kind.txt; \
	done

words: $(VENV)/.dev ## write the catalogue of the pages' words anew, and name what has no English yet
	$(BIN)/python -m service.translations.words

clean: ## remove the environment and the caches; trained versions in instance/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis quebu.egg-info build

$(VENV)/.run: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt requirements/notebooks.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/notebooks.txt
	@touch $@
