"""What each kind of noise does with each option: the table in docs/noises.md, run."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.logs import write_log
from sksmooth.noise import DeleteTokens, SparseFlip, Split

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(40, 3))
Y = (NUMBERS[:, 0] > 0).astype(int)

# Each kind, and data for it; "flips" are Gaussian noise and a category.
KINDS = {
    "gaussian": ({}, NUMBERS),
    "laplace": ({"noise": "laplace"}, NUMBERS),
    "uniform": ({"noise": "uniform"}, NUMBERS),
    "flips": (
        {"categorical_features": [3], "flip": 0.3},
        np.column_stack([NUMBERS, RNG.integers(0, 3, 40)]),
    ),
    "split": ({"noise": Split(8, 1)}, np.rint(4 * NUMBERS)),
    "sparse": (
        {"noise": SparseFlip(0.05, 0.5)},
        np.column_stack([Y, RNG.integers(0, 2, (40, 5))]).astype(float),
    ),
    "deletion": (
        {"noise": DeleteTokens(0.5)},
        np.array([f"{label} word and others" * 3 for label in Y.astype(str)]),
    ),
}

# What tables have, and texts have not: test_texts.py says what becomes of it.
OF_TABLES = {
    *("categorical_features", "array sigma", "frames", "gaps", "sparse matrix"),
    *("net", "push_forward", "frozen", "SmoothedPGD"),
}


def data(kind):
    return KINDS[kind][1]


def base(kind, f=None):
    if kind == "deletion":
        return make_pipeline(CountVectorizer(), f or MultinomialNB())
    return f or GaussianNB()


def smooth(kind, f=None, X=None, **settings):
    own = {"sigma": 0.5, "n": 50, "n0": 10, "random_state": 0, **KINDS[kind][0]}
    g = SmoothedClassifier(base(kind, f), **own | settings)
    return g.fit(data(kind) if X is None else X, Y)


def certify(kind, X=None, **settings):
    X = data(kind) if X is None else X
    return smooth(kind, X=X, **settings).certify(X[:6])


@cache
def fitted(kind):
    return smooth(kind)


@cache
def certificate(kind):
    return fitted(kind).certify(data(kind)[:6])


def voted(**settings):
    """Vote otherwise with what is fitted."""

    def run(kind):
        g, X = smooth(kind), data(kind)[:6]
        g.set_params(**settings).predict(X)
        return g.certify(X)

    return run


def of_certificate(method, *args, **kwargs):
    return lambda kind: getattr(certificate(kind), method)(*args, **kwargs)


def asked(method, *args, **kwargs):
    return lambda kind: getattr(fitted(kind), method)(*args, **kwargs)


def stored(kind, path):
    one = fitted(kind).certify(data(kind)[:6], store=path)
    np.testing.assert_array_equal(one.counts, certificate(kind).counts)
    return fitted(kind).certify(data(kind)[:6], store=path)


def by_workers(kind):
    with parallel_config(backend="threading"):
        return voted(n_jobs=2)(kind)


def with_levels(kind):
    levels = np.full(data(kind).shape[1], 0.5)
    if kind == "flips":
        levels[3] = 0
    return certify(kind, sigma=levels)


def in_a_frame(kind):
    frame = pd.DataFrame(data(kind)).add_prefix("column")
    own = {"categorical_features": ["column3"]} if kind == "flips" else {}
    return certify(kind, frame, **own)


def with_gaps(kind):
    X = data(kind).copy()
    X[::5, 1] = np.nan
    return certify(kind, X, f=make_pipeline(SimpleImputer(), GaussianNB()))


def without_fit(kind):
    f = base(kind).fit(data(kind), Y)
    g = SmoothedClassifier(f, n=50, n0=10, random_state=0, **KINDS[kind][0])
    return g.certify(data(kind)[:6])


def a_net(kind):
    pytest.importorskip("skorch")
    from .nets import MLP, classifier

    X = data(kind).astype(np.float32)
    return classifier(MLP, module__n_features=X.shape[1], module__n_outputs=2), X


def with_a_net(**settings):
    def run(kind):
        f, X = a_net(kind)
        return certify(kind, X, f=f, **settings)

    return run


def attacked(kind):
    f, X = a_net(kind)
    from sksmooth.torch import SmoothedPGD

    g = smooth(kind, f, X)
    return SmoothedPGD(0.1, steps=1, n_noise=2).generate(g, X[:6], Y[:6])


def automatic(kind):
    one = certify(kind, f=DecisionTreeClassifier())
    assert (one.bound == "exact") == (kind not in ("flips", "sparse", "deletion"))
    return one


def logged(kind, path):
    return write_log(certificate(kind), Y[:6], path)


def with_categories(kind):
    """Flips of a column, beside the noise on others."""
    X = np.column_stack([data(kind), np.arange(40) % 3])
    if kind == "sparse":
        X[:, -1] %= 2
    column = X.shape[1] - 1
    one = certify(kind, X, categorical_features=[column])
    return one.radius_for(changes=1)


TELL = "are l1 radii.*say which norm you mean"
L1 = dict.fromkeys(("laplace", "uniform", "split"), TELL)
TOLD = {**L1, "deletion": "are edits radii.*say which norm you mean"}
NO_OTHER = {"deletion": "no other norm"}
NO_CATEGORIES = "there are no categorical features"


def all_but(*kinds, error):
    return {kind: error for kind in KINDS if kind not in kinds}


# Rows: what is done, and the kinds that refuse it, with a part of what they say.
OPTIONS = {
    "auto": (automatic, {}),
    "exact": (
        lambda kind: certify(kind, f=DecisionTreeClassifier(), method="exact"),
        {
            "flips": "takes no categorical features",
            "split": "all copies vote",
            "sparse": "distribution of the noise on one axis",
            "deletion": "distribution of the noise on one axis",
        },
    ),
    "exact, linear": (
        lambda kind: certify(kind, f=LogisticRegression(), method="exact"),
        all_but("gaussian", "laplace", "uniform", error="method='exact'"),
    ),
    "grid": (
        voted(grid="auto"),
        dict.fromkeys(("split", "sparse", "deletion"), "that can be rounded"),
    ),
    "shared_noise": (voted(shared_noise=True), {}),
    "joint": (voted(bound="joint"), {}),
    "multiclass": (voted(bound="multiclass"), {}),
    "fixed": (voted(stopping="fixed"), {}),
    "radius_tol": (
        lambda kind: fitted(kind).certify(data(kind)[:6], radius_tol=0.1),
        {},
    ),
    "store": (stored, {}),
    "n_jobs": (by_workers, {}),
    "n_copies": (lambda kind: smooth(kind, n_copies=3), {}),
    "noise_param": (
        lambda kind: smooth(kind, noise_param="var_smoothing"),
        {
            **all_but("gaussian", error="is of another kind"),
            "flips": "here categories are flipped, too",
        },
    ),
    "categorical_features": (
        with_categories,
        {
            "split": "lists its copies",
            "sparse": "together with changes of categories",
        },
    ),
    "array sigma": (
        with_levels,
        {"split": "leave sigma a single number", "sparse": "flips every feature"},
    ),
    "frames": (in_a_frame, {}),
    "gaps": (with_gaps, {}),
    "sparse matrix": (
        lambda kind: certify(kind, csr_matrix(data(kind)), f=LogisticRegression()),
        all_but("sparse", error="Sparse data was passed"),
    ),
    "without fit": (without_fit, {"flips": "fit learns which values"}),
    "net": (with_a_net(), {}),
    "push_forward": (with_a_net(net_options={"push_forward": True}), {}),
    "frozen": (
        with_a_net(net_options={"mode": "frozen"}),
        {"flips": "flips are of codes"},
    ),
    "SmoothedPGD": (
        attacked,
        {
            **all_but("gaussian", error="draws Gaussian noise, but"),
            "flips": "g has categorical_features",
        },
    ),
    "l1": (of_certificate("radius_for", "l1"), NO_OTHER),
    "l2": (of_certificate("radius_for", "l2"), NO_OTHER),
    "linf": (of_certificate("radius_for", "linf"), NO_OTHER),
    "changes=1": (
        of_certificate("radius_for", changes=1),
        {**all_but("flips", error=NO_CATEGORIES), "sparse": "additions, deletions"},
    ),
    "changes=(1, 0)": (
        of_certificate("radius_for", changes=(1, 0)),
        {**all_but("sparse", error=NO_CATEGORIES), "flips": "whole number of categor"},
    ),
    "max_certifiable_radius": (asked("max_certifiable_radius"), TOLD),
    "max_certifiable_radius in l1": (
        asked("max_certifiable_radius", norm="l1"),
        NO_OTHER,
    ),
    "certified_correct": (
        lambda kind: fitted(kind).certified_correct(data(kind)[:6], Y[:6], 0.0),
        TOLD,
    ),
    "write_log": (logged, TOLD),
    "recertify": (of_certificate("recertify", alpha=0.01), {}),
    "projection": (of_certificate("recertify", n=20), {"split": "no votes to project"}),
    "lower bound": (
        of_certificate("certified_accuracy_lower_bound", Y[:6], norm="l1"),
        NO_OTHER,
    ),
}


@pytest.mark.parametrize(
    "option, kind",
    [
        (option, kind)
        for option in OPTIONS
        for kind in KINDS
        if kind != "deletion" or option not in OF_TABLES
    ],
)
def test_what_a_kind_of_noise_does_with_an_option(option, kind, tmp_path):
    run, refused = OPTIONS[option]
    args = (kind, tmp_path / "file") if option in ("store", "write_log") else (kind,)
    if kind not in refused:
        run(*args)
        return
    with pytest.raises((ValueError, TypeError), match=refused[kind]):
        run(*args)
