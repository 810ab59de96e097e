# make assay   bring up the embedded cluster, assay it, write the report, take it down (KEEP=1 leaves it up)
# make test    the project's own tests, the embedded cluster included
PYTHON ?= python3
MODE ?= flannel-vxlan
BIN := .venv/bin

.PHONY: assay setup test test-fast test-lab lint coverage lock clean

assay: setup
	$(BIN)/netassay run --lab $(MODE) $(if $(KEEP),--keep-lab)

setup: .venv/.installed

.venv/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "netassay needs Python 3.11 or newer; try PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test: lint test-fast test-lab

# No cluster, no root, under a minute: the inner loop.
test-fast: setup
	$(BIN)/pytest tests -m "not lab and not browser and not tools" -n 2

test-lab: setup
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }
	$(BIN)/pytest tests -m "lab or browser or tools"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# docs/coverage.md: what the best suites check, and by which of ours.
coverage: setup
	$(BIN)/python -m docs.coverage

# The locks name hashes and no registry host.
lock: setup
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --no-emit-options --extra lab --extra dev -o requirements/dev.txt pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --no-emit-options -c requirements/dev.txt -o requirements/run.txt pyproject.toml

clean:
	rm -rf build dist .tox .mypy_cache .ruff_cache .pytest_cache
