"""Put a site that was built under its version, beside those of other versions.

    python tools/place_site.py docs/_build/html site 0.1.0

The newest release is also under "stable", to which the root leads (to "dev" before the
first release). versions.json lists what there is, newest first.
"""

import json
import re
import shutil
import sys
from pathlib import Path

_ROOT = """\
<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={start}/">
<title>sksmooth</title>
<a href="{start}/">sksmooth</a>
"""


def place(built, site, name):
    """Copy the site `built` to the folder `name` of `site`, replacing what is there."""
    site = Path(site)
    if name != "dev" and not _release(name):
        raise SystemExit(f"{name!r} is neither dev nor a version such as 0.1.0")
    _copy(built, site / name)
    releases = [path.name for path in site.iterdir() if _release(path.name)]
    releases.sort(key=_release, reverse=True)
    if releases and releases[0] == name:
        _copy(built, site / "stable")
    versions = [*releases, *(["dev"] if (site / "dev").is_dir() else [])]
    (site / "versions.json").write_text(json.dumps(versions) + "\n", encoding="utf-8")
    start = "stable" if releases else "dev"
    (site / "index.html").write_text(_ROOT.format(start=start), encoding="utf-8")
    (site / ".nojekyll").touch()  # folders that begin with _ are part of the site


def _release(name):
    """Return a version as a tuple of numbers, or None."""
    return (
        tuple(map(int, name.split("."))) if re.fullmatch(r"\d+(\.\d+)+", name) else None
    )


def _copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"Use: python {sys.argv[0]} BUILT SITE NAME")
    place(*sys.argv[1:])
