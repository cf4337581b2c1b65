# make demo      examples/plot_quickstart.py: a table and a plot, in about a minute
# make test      all tests and doctests
# make lint      style, format and docstrings
# make docs      the documentation, in docs/_build/html, and its doctests
# make gallery   the same with all examples run
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
INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt $(PIP_FLAGS)
INPUTS = pyproject.toml constraints.txt

SPHINX = rm -rf docs/_build docs/api/generated && \
    MPLBACKEND=Agg $(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html

.PHONY: demo test lint docs gallery clean

demo: $(VENV)/.plot-installed
	MPLBACKEND=Agg $(BIN)/python examples/plot_quickstart.py

test: $(VENV)/.test-installed
	$(BIN)/python -m $(PYTEST)

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python .ci/check_docstrings.py

# The landing page shows the picture of the first example.
docs: $(VENV)/.docs-installed examples/certified_accuracy.png
	$(BIN)/python -m pytest -q docs sksmooth README.md
	$(SPHINX) -D plot_gallery=0
	$(BIN)/python .ci/check_site.py docs/_build/html

gallery: $(VENV)/.docs-installed examples/certified_accuracy.png
	$(SPHINX)
	$(BIN)/python .ci/check_site.py docs/_build/html

examples/certified_accuracy.png: examples/plot_quickstart.py | $(VENV)/.docs-installed
	MPLBACKEND=Agg $(BIN)/python examples/plot_quickstart.py

clean:
	rm -rf $(VENV) docs/_build docs/auto_examples docs/api/generated

# pip itself is not in constraints.txt: the one that comes with Python will do.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sksmooth needs Python 3.11 or later: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.%-installed: $(INPUTS) | $(BIN)/python
	$(INSTALL) --editable '.[$*]'
	@touch $@
