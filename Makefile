# Two commands to know: `make demo` and `make test`. Everything is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP ?= $(BIN)/python -m pip --disable-pip-version-check
# More than there are cores: many tests start processes and wait for them.
TEST_PROCESSES ?= 6
DEBIAN := nginx-light redis-server prometheus prometheus-alertmanager wrk nghttp2-client curl chromium

# The suite starts hundreds of processes; each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test nightly check check-style check-types check-imports check-generated collect fix prices image image-test image-sizes network-test bench bench-drift bench-outcomes soak clean debian

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What is used is compiled when it is imported first; all of it would take minutes.
INSTALL := install --no-compile -c constraints.txt

# uv would install where VIRTUAL_ENV, CONDA_PREFIX or UV_SYSTEM_PYTHON say.
$(VENV)/.demo $(VENV)/.dev: export UV_PYTHON = $(abspath $(BIN)/python)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing monitor and what the demo needs into $(VENV); the first time takes some minutes."
	$(PIP) $(INSTALL) -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing monitor and what its tests need into $(VENV); the first time takes some minutes."
	$(PIP) $(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.demo

debian: ## the programs that some tests drive (only as root on Debian; elsewhere those tests skip)
	@sh tests/install-debian.sh $(DEBIAN)

$(BIN)/helm: tests/install-helm.sh | $(VENV)/.dev
	@sh tests/install-helm.sh $(BIN)

demo: $(VENV)/.demo ## the guided end-to-end run; ends by itself
	$(BIN)/monitor demo

test: $(VENV)/.dev debian $(BIN)/helm ## the whole suite
	$(BIN)/python -m pytest --numprocesses=$(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder

nightly: export HYPOTHESIS_PROFILE = nightly
nightly: export FAULT_ORDERS ?= 5000
nightly: export FAULT_SEEDS ?= 50
nightly: export FAILOVERS ?= 20
nightly: $(VENV)/.dev debian $(BIN)/helm ## the suite with many more examples and orders of faults; takes hours
	$(BIN)/python -m pytest --numprocesses=$(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder --timeout=14400

check: check-style check-types check-imports check-generated ## format, lint, types, import contracts, staleness of generated files

check-style: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check-types: $(VENV)/.dev
	$(BIN)/mypy

check-imports: $(VENV)/.dev
	$(BIN)/lint-imports

check-generated: $(VENV)/.dev
	$(BIN)/python -m dashboards.build --check
	$(BIN)/python -m monitor.prices.build --check
	$(BIN)/python -m monitor.deploy.build --check

collect: $(VENV)/.dev ## import every test, and the largest that some import later; what `test` needs is compiled then
	@$(BIN)/python -m pytest --collect-only --quiet --quiet
	@$(BIN)/python -W ignore -c 'import anthropic, evidently, moto.server, openai, schemathesis, sklearn.ensemble'

fix: $(VENV)/.dev ## format, fix what can be fixed, write generated files anew
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m dashboards.build
	$(BIN)/python -m monitor.deploy.build

prices: $(VENV)/.dev ## the bundled price table, from the pinned genai-prices
	$(BIN)/python -m monitor.prices.build

image: ## the container image, monitor:local, with podman or docker; deploy/image.sh says what can be chosen
	deploy/image.sh

image-test: $(VENV)/.dev debian ## run that image read-only, as any user, bounded, without a store; needs an engine
	@$(BIN)/python -m tests.deploy.engine

network-test: $(VENV)/.dev ## client, sidecar, model and store as hosts of a network that is slow, loses and breaks; writes tests/bench/NETWORK.md
	@sh tests/install-debian.sh iproute2
	@$(BIN)/python -m tests.network

image-sizes: $(VENV)/.dev ## what that image holds, by package; writes deploy/README.md
	$(BIN)/python tests/bench/image_sizes.py

bench: $(VENV)/.dev debian ## proxy and the whole beside nginx and Envoy, start, recorder, privacy; writes tests/bench/*.md
	$(BIN)/python -m tests.bench

bench-drift: $(VENV)/.dev ## false alarms and delays beside the peers; writes tests/bench/DRIFT.md
	$(BIN)/python tests/bench/bench_drift.py

bench-outcomes: $(VENV)/.dev ## evidence on outcomes beside usual tests; writes tests/bench/OUTCOMES.md
	$(BIN)/python tests/bench/bench_outcomes.py

soak: $(VENV)/.dev ## ten minutes of load; fails when memory grows; writes tests/bench/SOAK.md
	$(BIN)/python -m tests.bench.soak

clean: ## remove what was made
	rm -rf $(VENV) .monitor build dist *.egg-info
