"""What is not imported to look for doctests: Sphinx's files, what is not installed."""

from importlib.util import find_spec

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
        "sksmooth/models/_net_engines.py",
        "sksmooth/models/_first_layer.py",
        "sksmooth/noise/_on_device.py",
        "sksmooth/votes/voters/_net*.py",
        "tests/nets.py",
        "docs/pitfalls.md",
    ]
if find_spec("numba") is None:
    collect_ignore_glob += [
        "sksmooth/noise/*_kernel.py",
        "sksmooth/votes/voters/*_kernel.py",
    ]
if find_spec("click") is None:
    collect_ignore_glob += ["sksmooth/cli/_*.py"]
