# The same commands for a newcomer, a developer and CI. Everything lives in this folder; `make clean` takes it away.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready
ARGS   ?=
JOBS   ?= auto
FUZZ_S ?= 60
CHART  := tests/unit/chart
FUZZER := .cache/fuzz/atheris-3.0.0

# Compiled once, whatever the shell says: a run of the tests starts hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test test-alerts test-cluster soak bench fuzz check made fmt lock clean

help:  ## list the verbs
	@echo "rtms-pipeline"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12 make …   use another Python (3.11 or newer) for the first set-up"

demo: $(READY)  ## run a simulated meeting through the whole pipeline and check every number
	@$(PY) -m deploy.local demo $(ARGS)

up: $(READY)  ## start the whole pipeline and keep it up until Ctrl-C
	@$(PY) -m deploy.local up

test: $(READY)  ## run all tests on their own Kafka and ClickHouse (ARGS="-k name" for some, JOBS=1 for one by one)
	@$(PY) -m scripts.chart.tools
	@$(PY) -m scripts.chart.definitions
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-alerts: $(READY)  ## play every alert in a current promtool, which is built once
	@$(PY) -m scripts.chart.tools
	@$(PY) -m scripts.chart.promtool
	@$(PY) -m pytest $(CHART)/test_alerts.py $(ARGS)

test-cluster: $(READY)  ## run the chart on a real Kubernetes of its own, with meetings (root on Linux; ARGS="--only upgrade")
	@$(PY) -m tests.cluster $(ARGS)

soak: $(READY)  ## ten meetings, one of an hour, and every fault there is (it prints how to repeat it)
	@$(PY) -m tests.soak $(ARGS)

bench: $(READY)  ## measure against named rivals (ARGS="--only wire" for a part)
	@$(PY) -m tests.bench $(ARGS)

fuzz: $(READY) $(FUZZER)  ## a minute of bent messages for the protocol core (FUZZ_S=600 for ten)
	@PYTHONPATH=$(FUZZER) $(PY) -m tests.fuzz .cache/fuzz/corpus -max_total_time=$(FUZZ_S)

check: $(READY)  ## lint, formatting, types, who imports whom, sizes, what is made from the settings, the chart
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(PY) scripts/budget.py
	@$(PY) -m scripts.chart --check
	@$(PY) -m scripts.chart.tools
	@$(PY) -m scripts.chart.definitions
	@$(PY) -m pytest -q -n $(JOBS) --dist loadfile $(CHART)

made: $(READY)  ## write what is made from settings and values: the chart's schema and README, reference, dashboards
	@$(PY) -m scripts.chart

fmt: $(READY)  ## format and sort imports
	@$(VENV)/bin/ruff check --fix --quiet . || true
	@$(VENV)/bin/ruff format .

lock: $(READY)  ## resolve pyproject.toml again and write requirements.lock
	@$(PY) scripts/lock.py

clean:  ## delete everything made here: environment, caches, local data
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis run demo-output build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The fuzzer is large and needed by nobody else; it has wheels for Linux on x86-64 only.
$(FUZZER):
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target $@ atheris==3.0.0 \
	  || { rm -rf $@; exit 1; }

# Done once, and again when a lock changes; the second time nothing is fetched that is already there.
$(READY): requirements.lock deploy/local/kafka.lock.json
	@PYTHON=$(PYTHON) scripts/setup
