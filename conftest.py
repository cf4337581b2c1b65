"""For doctests, too: what is not imported to look for them, and no word on numba."""

import sys
from importlib.util import find_spec

import pytest

collect_ignore_glob = [
    "docs/*.py",
    "docs/_ext/*",
    "docs/_build/*",
    "docs/auto_examples/*",
]
if find_spec("torch") is None:
    collect_ignore_glob += [
        "sksmooth/torch/*",
        "sksmooth/models/_torch_net.py",
        "sksmooth/models/_close_calls.py",
        "sksmooth/models/_net_choice.py",
        "sksmooth/models/_net_memory.py",
        "sksmooth/models/_net_modes.py",
        "sksmooth/models/_net_errors.py",
        "sksmooth/models/_net_outputs.py",
        "sksmooth/models/_net_engines.py",
        "sksmooth/models/_first_layer.py",
        "sksmooth/noise/_on_device.py",
        "sksmooth/votes/voters/_net*.py",
        "tests/nets.py",
        "tests/gpu_nets.py",
        "docs/pitfalls.md",
        "docs/tutorials/images.md",
    ]
if find_spec("numba") is None:
    collect_ignore_glob += [
        "sksmooth/noise/*_kernel.py",
        "sksmooth/votes/voters/*_kernel.py",
    ]
if find_spec("click") is None:
    collect_ignore_glob += ["sksmooth/cli/_*.py"]


@pytest.fixture(autouse=True)
def no_figures_are_left(request):
    """Matplotlib counts those that are open, and warns of more than 20: a page may."""
    if request.node.path.suffix == ".md" and find_spec("matplotlib") is not None:
        from matplotlib import rcParams

        rcParams["figure.max_open_warning"] = 0
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
        pyplot.rcParams["figure.max_open_warning"] = 20


@pytest.fixture(autouse=True)
def no_word_on_numba():
    """Where it is not installed, all tests together are work for which it is missed."""
    if "sksmooth._compiled" in sys.modules:
        sys.modules["sksmooth._compiled"]._said = True
