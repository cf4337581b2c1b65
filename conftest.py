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
        "sksmooth/_votes/_torch*.py",
        "sksmooth/_votes/_device_*.py",
        "sksmooth/_votes/_net_modes.py",
        "tests/nets.py",
        "docs/pitfalls.md",
    ]
if find_spec("numba") is None:
    collect_ignore_glob += ["sksmooth/_votes/*_kernel.py"]
if find_spec("click") is None:
    collect_ignore_glob += ["sksmooth/cli/_*.py"]
