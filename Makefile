# make assay   bring up the embedded cluster, assay it, write the report, take it down (KEEP=1 leaves it up)
# make test    the project's own tests, the embedded cluster included (but for its modes with Cilium: make test-cilium)
PYTHON ?= python3
MODE ?= flannel-vxlan
BIN := .venv/bin

.PHONY: assay setup test test-fast test-whole test-lab test-cilium chromium lint coverage lock clean

assay: .venv/.can-assay
	$(BIN)/netassay run --lab $(MODE) $(if $(KEEP),--keep-lab)

setup: .venv/.installed

# All that the project's own tests need too.
.venv/.installed: requirements/dev.txt pyproject.toml
	$(call install,dev)
	@touch $@ .venv/.can-assay

# What an assay in the embedded cluster needs, and no more: a fraction of the time.
.venv/.can-assay: requirements/lab.txt pyproject.toml
	$(call install,lab)
	@touch $@

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "netassay needs Python 3.11 or newer; try PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements/$(1).txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef

test: lint test-fast test-whole test-lab

# No cluster, no root, under a minute: the inner loop.
test-fast: setup
	$(BIN)/pytest tests -m "not lab and not browser and not tools and not whole" -n 2

# No cluster either, but minutes: whole runs of the program, long searches, pages in Chromium, the recipes for CI.
test-whole: setup chromium
	$(BIN)/pytest tests -m "(browser or tools or whole) and not lab" -n 2 --dist loadfile --durations=10

test-lab: setup chromium
	$(BIN)/pytest tests -m "lab and not cilium" --durations=30 --durations-min=10

# The lab's modes with Cilium, which takes as long to build as Kubernetes does: no part of `make test`.
test-cilium: setup
	$(BIN)/pytest tests -m cilium --durations=10

chromium:
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# docs/coverage.md: what the best suites check, and by which of ours.
coverage: setup
	$(BIN)/python -m docs.coverage

# The locks name hashes and no registry host; what an assay needs is locked as it is for the tests.
LOCKED := $(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-index-url \
  --no-emit-find-links --no-emit-trusted-host --no-emit-options
lock: setup
	$(LOCKED) --extra lab --extra dev -o requirements/dev.txt pyproject.toml
	$(LOCKED) -c requirements/dev.txt --extra lab --extra checkout -o requirements/lab.txt pyproject.toml
	$(LOCKED) -c requirements/dev.txt -o requirements/run.txt pyproject.toml

clean:
	rm -rf build dist .tox .mypy_cache .ruff_cache .pytest_cache
