# The whole daily life of the project. `make demo` and `make test` are enough to begin with.

BIN := .venv/bin
READY := .venv/.ready
TOOLS := .venv/.tools
MAGE_READY := .venv-mage/.ready

# Python 3.13 where there is one (PATH, pyenv, uv), else any from 3.11 on.
FIND_PYTHON = for python in $(1) python3; do \
	command -v $$python >/dev/null 2>&1 && $$python -c 'import sys; sys.exit(not $(2))' 2>/dev/null \
	&& echo $$python && break; done
PYTHON ?= $(shell $(call FIND_PYTHON,python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3 \
	$(HOME)/.local/share/uv/python/cpython-3.13*/bin/python3 python3.12 python3.11,sys.version_info >= (3, 11)))
# What is imported is compiled then: a half of the time goes into files that nobody imports.
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --no-compile
INSTALL = $(BIN)/python $(PIP_INSTALL) -c constraints.txt
# Mage 0.9.80 itself runs on 3.10 to 3.12.
MAGE_PYTHON ?= $(shell $(call FIND_PYTHON,python3.11 $(HOME)/.pyenv/versions/3.11*/bin/python3 python3.10 \
	$(HOME)/.pyenv/versions/3.10*/bin/python3 python3.12,(3, 10) <= sys.version_info < (3, 13)))

# One more than there are cores: many tests wait for servers.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show these targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. Name one: make PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "installing into .venv with $(PYTHON), which takes a minute"
	@$(PYTHON) -m venv --clear .venv
	@$(INSTALL) -e '.[all]'
	@touch $@

$(TOOLS): $(READY)
	@echo "installing what tests and checks need"
	@$(INSTALL) -e '.[dev]'
	@touch $@

.PHONY: venv
venv: $(TOOLS) ## Make .venv with everything in it.

.PHONY: demo
demo: $(READY) ## Run the green pipeline on the sample months, against a local Postgres, GCS and BigQuery.
	@$(BIN)/mage-project local up
	@if $(BIN)/mage-project local env | grep -q BIGQUERY_EMULATOR_HOST; \
	then $(BIN)/mage-project run green_taxi_to_three_stores --local --var source=sample_data; \
	else echo 'BigQuery cannot run here (see above): the demo goes on with the two other stores.'; \
	$(BIN)/mage-project run green_taxi_etl --local --var source=sample_data; fi
	@printf '\nWhere to look now: in the tables, and in gs://nyc-taxi-lake/green_taxi, which is a folder here.\n\n'
	$(BIN)/mage-project local psql -c 'SELECT count(*) AS trips, count(DISTINCT lpep_pickup_date) AS days FROM mage.green_taxi'
	ls .mage_project/local/gcs/objects/nyc-taxi-lake/green_taxi | head -n 3
	@! $(BIN)/mage-project local env | grep -q BIGQUERY_EMULATOR_HOST || \
	{ eval "$$($(BIN)/mage-project local env)"; $(BIN)/python -m taxi.load_jobs ny_taxi.green_taxi; }
	@printf '\nThe servers run on. Stop them with: $(BIN)/mage-project local down\n'

.PHONY: course
course: $(READY) ## Run all pipelines of the course's module 2 on the sample months, against the local stack.
	@$(BIN)/mage-project local up
	@$(BIN)/python -m taxi.course
	@printf '\nThe servers run on. Stop them with: $(BIN)/mage-project local down\n'

.PHONY: test
test: $(TOOLS) ## Run every test.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: lint
lint: $(TOOLS) ## Check format, style and layers.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

.PHONY: types
types: $(TOOLS) ## Check types.
	@$(BIN)/mypy

.PHONY: bench
bench: $(TOOLS) $(MAGE_READY) ## Measure speed and memory against psql and real Mage; writes benchmarks/RESULTS.md.
	@$(BIN)/python benchmarks/bench.py

$(MAGE_READY): requirements.txt tests/conformance/constraints-mage.txt
	@test -n "$(MAGE_PYTHON)" || { echo "real Mage needs Python 3.10, 3.11 or 3.12; none was found: the tests against it are skipped" >&2; exit 2; }
	@echo "installing Mage 0.9.80 into .venv-mage with $(MAGE_PYTHON); it is 1.4 GB"
	@$(MAGE_PYTHON) -m venv --clear .venv-mage
	@.venv-mage/bin/python $(PIP_INSTALL) \
		-c tests/conformance/constraints-mage.txt mage-ai==0.9.80 duckdb -r requirements.txt
	@touch $@

.PHONY: mage-venv
mage-venv: $(MAGE_READY) ## Install real Mage, for the tests against it.

.PHONY: clean
clean: ## Stop the local stack and remove what was made (not the downloaded months).
	@test ! -x $(BIN)/mage-project || $(BIN)/mage-project local down
	@rm -rf .mage_project/local .mage_project/last_run .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
