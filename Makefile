# make demo, make test, make docs: everything they need goes into .venv-demo, .venv and .venv-docs,
# inside this folder.

PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= .venv-demo
DOCS_VENV ?= .venv-docs
BIN := $(VENV)/bin
# As many tests at a time as there are processors; WORKERS= runs one after the other.
WORKERS ?= -n auto --dist worksteal
STAMP := .ready-for-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
READY := $(VENV)/$(STAMP)
# The demo needs a fifth of what the tests need; where the tests' packages are, it uses them.
DEMO := $(if $(wildcard $(READY)),$(VENV),$(DEMO_VENV))

# Units and the engine; what starts a server is left out of it (--fast).
FAST_TESTS := $(filter-out tests/test_docs.py tests/test_examples.py tests/test_profiles.py \
	tests/test_tutorials.py, $(wildcard tests/test_*.py)) $(addprefix tests/, \
	language mapping people pipeline planning portfolio report sandbox sources sync targets)

# Compiled once, not in each of the tests' processes: a machine of containers may forbid to keep it.
unexport PYTHONDONTWRITEBYTECODE
# What is printed is buffered, as it is for most users: a test may not pass because it is not.
unexport PYTHONUNBUFFERED

.PHONY: help demo test test-fast test-all test-rest test-reliability test-reliability-long \
	lint types format language docs bench clean

help:
	@echo "make demo    tell the whole story on this machine (make demo FAST=1: without pauses)"
	@echo "make test    run the tests; of the long proofs, a fast sample"
	@echo "make test-fast  only what needs no server, for the one who edits;  make test-all: everything whole"
	@echo "make test-reliability  only the proofs under kills, faults, races and hostile input"
	@echo "make lint    check style;  make types: check types;  make format: mend the style"
	@echo "make language  bring the catalogues of texts up to date"
	@echo "make docs    build the docs as a site in build/site; a broken link is an error"
	@echo "make bench   measure, and print tables"
	@echo "make clean   remove everything that was made here"

# $(call install,FOLDER,WHAT,OPTIONS): pip's remarks go into a log, which matters if it fails.
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 1; }
@echo "Installing into $(1) ..."
@$(PYTHON) -m venv $(1)
@$(1)/bin/python -m pip install --disable-pip-version-check --no-input $(3) \
	--constraint constraints.txt --editable '$(2)' >$(1)/install.log 2>&1 || \
	{ grep -v '^WARNING' $(1)/install.log | tail -n 15 >&2; \
	echo "Packages could not be installed. All that pip said: $(1)/install.log" >&2; exit 1; }
@rm -f $(1)/.ready-for-*
@touch $(1)/$(STAMP)
endef

$(READY):
	$(call install,$(VENV),.[dev])

# Compiled as they are used: the demo loads a small part of what the packages hold.
$(DEMO_VENV)/$(STAMP):
	$(call install,$(DEMO_VENV),.[demo],--no-compile)

$(DOCS_VENV)/$(STAMP):
	$(call install,$(DOCS_VENV),.[docs],--no-compile)

demo: $(DEMO)/$(STAMP)
	@rm -rf .demo
	@$(DEMO)/bin/pipeline-sync demo --dir .demo $(if $(FAST),--fast)

test: $(READY)
	$(BIN)/python -m pytest -q $(WORKERS)

test-fast: $(READY)
	$(BIN)/python -m pytest -q $(WORKERS) --fast $(FAST_TESTS)

test-all: $(READY)
	RELIABILITY_PROFILE=whole $(BIN)/python -m pytest -q $(WORKERS)

# What make test-all tries and make test does not: every proof of which make test tries a sample.
test-rest: $(READY)
	RELIABILITY_PROFILE=whole $(BIN)/python -m pytest -q $(WORKERS) --sampled-only

test-reliability: $(READY)
	RELIABILITY_PROFILE=whole $(BIN)/python -m pytest -q $(WORKERS) tests/reliability tests/sync/run/test_crash.py

# 10,000 schedules of the state machine; each crash point killed with and without edits by
# people; 60,000 children in 400 projects.
test-reliability-long: $(READY)
	RELIABILITY_PROFILE=long nice -n 10 $(BIN)/python -m pytest -q \
		tests/reliability/kills tests/reliability/machine tests/reliability/races \
		tests/reliability/test_faults.py tests/reliability/tools \
		tests/targets/taiga/test_many_projects.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Not --quiet, with which --strict counts no warnings. NO_MKDOCS_2_WARNING: the theme's remark on a
# version that pyproject.toml rules out.
language: $(READY)
	$(BIN)/python -m tests.language.catalogues

docs: $(DOCS_VENV)/$(STAMP)
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict --clean
	@echo "Read it: build/site/index.html"

bench: $(READY)
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) $(DEMO_VENV) $(DOCS_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
