"""What is not installed is not imported to look for doctests."""

from importlib.util import find_spec

collect_ignore_glob = []
if find_spec("torch") is None:
    collect_ignore_glob = [
        "sksmooth/torch/*",
        "sksmooth/_votes/_torch*.py",
        "sksmooth/_votes/_device_noise.py",
        "sksmooth/_votes/_net_modes.py",
        "tests/nets.py",
    ]
if find_spec("click") is None:
    collect_ignore_glob += ["sksmooth/cli/_*.py"]
