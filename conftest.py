"""What is not imported to look for doctests: Sphinx's files, and torch's without it."""

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
        "sksmooth/_votes/_device_noise.py",
        "sksmooth/_votes/_net_modes.py",
        "tests/nets.py",
    ]
