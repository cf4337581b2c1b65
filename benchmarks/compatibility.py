"""Which road votes take with each model, and what 1,000 of them cost.

    pip install -e ".[test]" -c constraints.txt catboost
    python benchmarks/compatibility.py [MODEL ...] [--seconds 0.3] [--repeats 3]

Prints the table of docs/compatibility.md. What it says of a model is found out by
trying: on tables of two and of three classes, with gaps, and with a column of
categories. Milliseconds are of process time, one thread, votes on inputs of
breast_cancer after training on all of it, as medians of the repeats.

The models are all classifiers of scikit-learn, those of other libraries for tables,
Pipelines, and nets. Those whose library is not installed are left out.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators
from threadpoolctl import threadpool_limits

from sksmooth import SmoothedClassifier
from sksmooth.votes import _voting
from sksmooth.votes.voters._predict import AnyVoter

SIGMA, VOTES = 0.5, 10_000

ROADS = {
    "LinearVoter": "linear",
    "MLPVoter": "mlp",
    "TreesVoter": "trees",
    "TorchVoter": "net",
    "AnyVoter": "predict",
}

# Classifiers of scikit-learn that predict several labels at a time.
NOT_FOR = {"ClassifierChain", "MultiOutputClassifier"}


class Model(NamedTuple):
    """How a classifier is made, and what there is to say about it."""

    make: Callable
    remark: str = ""
    library: str = "sklearn"
    is_trained: bool = False


def around(**params):
    """What needs another classifier, around a linear one."""
    make = lambda kind: kind(LogisticRegression(), **params)  # noqa: E731
    return make, "around `LogisticRegression`"


def _team(kind):
    members = [("linear", LogisticRegression()), ("tree", DecisionTreeClassifier())]
    return kind(members)


def _binned(kind):
    bins = KBinsDiscretizer(5, encode="ordinal", strategy="uniform")
    return make_pipeline(bins, kind(min_categories=5))


TEAM = _team, "of `LogisticRegression` and a tree"
NOT_NEGATIVE = (
    lambda kind: make_pipeline(MinMaxScaler(clip=True), kind()),
    "takes no negative numbers: behind `MinMaxScaler(clip=True)`",
)

# How classifiers of scikit-learn are made that are not made by a call alone.
SPECIAL = {
    "BaggingClassifier": around(random_state=0),
    "CalibratedClassifierCV": around(),
    "FixedThresholdClassifier": around(),
    "OneVsOneClassifier": around(),
    "OneVsRestClassifier": around(),
    "OutputCodeClassifier": around(random_state=0),
    "SelfTrainingClassifier": around(),
    "TunedThresholdClassifierCV": around(),
    "StackingClassifier": TEAM,
    "VotingClassifier": TEAM,
    "ComplementNB": NOT_NEGATIVE,
    "MultinomialNB": NOT_NEGATIVE,
    "CategoricalNB": (_binned, "takes whole numbers: behind `KBinsDiscretizer`"),
    "NuSVC": (lambda kind: kind(nu=0.1), ""),
    "RadiusNeighborsClassifier": (
        lambda kind: kind(radius=10.0, outlier_label="most_frequent"),
        "needs an `outlier_label` among the classes: a far copy has no neighbours",
    ),
}


def scikit_learn():
    """Return a Model for each classifier of scikit-learn, and for some variants."""
    found = {}
    for name, kind in all_estimators(type_filter="classifier"):
        if name not in NOT_FOR:
            make, remark = SPECIAL.get(name, (lambda kind: kind(), ""))
            found[name] = Model(partial(make, kind), remark)
    tree = DecisionTreeClassifier(random_state=0)
    return {
        **found,
        'SVC(kernel="linear")': Model(lambda: SVC(kernel="linear")),
        "GradientBoostingClassifier(max_depth=1)": Model(
            lambda: GradientBoostingClassifier(max_depth=1)
        ),
        "StandardScaler, LogisticRegression": Model(
            lambda: make_pipeline(StandardScaler(), LogisticRegression())
        ),
        "StandardScaler, DecisionTreeClassifier": Model(
            lambda: make_pipeline(StandardScaler(), clone(tree))
        ),
    }


def _other(library, name, module=None, **params):
    def make():
        return getattr(import_module(module or library), name)(**params)

    return Model(make, library=library)


def _resampled(last):
    def make():
        sampler = import_module("imblearn.under_sampling").RandomUnderSampler()
        sampler.set_params(random_state=0)
        combined = import_module("imblearn.pipeline").make_pipeline
        return combined(StandardScaler(), sampler, last())

    return Model(make, "imbalanced-learn's Pipeline", "imblearn")


def other_libraries():
    """Return Models for tables that are not scikit-learn's."""
    quiet = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
    return {
        "XGBClassifier": _other("xgboost", "XGBClassifier", n_jobs=1),
        'XGBClassifier(booster="dart")': _other(
            "xgboost", "XGBClassifier", n_jobs=1, booster="dart"
        ),
        "XGBRFClassifier": _other("xgboost", "XGBRFClassifier", n_jobs=1),
        "LGBMClassifier": _other("lightgbm", "LGBMClassifier", n_jobs=1, verbose=-1),
        "CatBoostClassifier": _other("catboost", "CatBoostClassifier", **quiet),
        "StandardScaler, sampler, LogisticRegression": _resampled(LogisticRegression),
        "StandardScaler, sampler, HistGradientBoostingClassifier": _resampled(
            lambda: HistGradientBoostingClassifier(random_state=0)
        ),
        "BalancedRandomForestClassifier": _other(
            "imblearn",
            "BalancedRandomForestClassifier",
            module="imblearn.ensemble",
            random_state=0,
        ),
    }


def nets():
    """Return Models of skorch and torch."""
    if find_spec("skorch") is None:
        return {}
    import torch
    from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
    from torch import nn

    from sksmooth.torch import ModuleClassifier

    class Net(nn.Module):
        def __init__(self, n_outputs=2):
            super().__init__()
            layers = nn.LazyLinear(64), nn.ReLU(), nn.Linear(64, n_outputs)
            self.layers = nn.Sequential(*layers)

        def forward(self, x):
            return self.layers(x)

    class OwnPredict(NeuralNetClassifier):
        def predict(self, X):
            return super().predict(X)

    def net(kind=NeuralNetClassifier, **params):
        settings = {"train_split": None, "verbose": 0, "max_epochs": 3, "lr": 0.1}
        if kind is not NeuralNetBinaryClassifier:
            settings["criterion"] = nn.CrossEntropyLoss
        return kind(Net, **settings, **params)

    def module(n_features=10):
        layers = nn.Linear(n_features, 64), nn.ReLU(), nn.Linear(64, 2)
        return ModuleClassifier(nn.Sequential(*layers))

    torch.manual_seed(0)
    return {
        "NeuralNetClassifier": Model(net, "skorch"),
        "NeuralNetBinaryClassifier": Model(
            partial(net, NeuralNetBinaryClassifier, module__n_outputs=1), "skorch"
        ),
        "StandardScaler, NeuralNetClassifier": Model(
            lambda: make_pipeline(StandardScaler(), net()), "skorch"
        ),
        "NeuralNetClassifier, predict overridden": Model(
            partial(net, OwnPredict), "skorch"
        ),
        "CalibratedClassifierCV(NeuralNetClassifier)": Model(
            lambda: CalibratedClassifierCV(net()), "skorch"
        ),
        "ModuleClassifier": Model(
            module, "any torch module, trained already", is_trained=True
        ),
    }


def models():
    """Return all Models whose library is installed, by name."""
    others = other_libraries().items()
    there = {name: model for name, model in others if find_spec(model.library)}
    return {**scikit_learn(), **there, **nets()}


def tables(every=3):
    """Return (X, y) of two classes and of three, with as many columns."""
    pairs = []
    for load in (load_breast_cancer, load_wine):
        X, y = load(return_X_y=True)
        X = StandardScaler().fit_transform(X[::every, :10])
        pairs.append((X.astype(np.float32), y[::every]))
    return pairs


class Facts(NamedTuple):
    """What there is to know of a model."""

    votes: str  # the road; "a, b": of two classes, of more
    exact: str
    gaps: str
    categories: str  # the road with a column of categories


def facts(model):
    """Find out what holds for a Model, by trying."""
    return Facts(*votes_and_exact(model), *gaps_and_categories(model))


def votes_and_exact(model, every=3):
    """Return two of the facts; `every` says which rows to train on."""
    pairs = tables(every)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, and the like
        smoothed = [_fitted(model, X, y) for X, y in pairs]
        cases = [(g, X[:1]) for g, (X, _) in zip(smoothed, pairs, strict=True) if g]
        roads = dict.fromkeys(_road(*case) for case in cases)
        exact = [_answers(*case, "exact") for case in cases]
        if not exact[0]:
            return ", ".join(roads), "no"
        if all(exact):
            return ", ".join(roads), "yes"
        more = "; analytic" * _answers(*cases[-1], "analytic")
        return ", ".join(roads), f"two classes{more}"


def gaps_and_categories(model):
    """Return the other two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _gaps(model), _categories(model)


def _fitted(model, X, y, **params):
    """Return it, smoothed and trained; None if it cannot be."""
    g = SmoothedClassifier(
        model.make(), sigma=SIGMA, n=20, method="monte_carlo", random_state=0, **params
    )
    if model.is_trained:
        return None if params else g
    try:
        return g.fit(X, y)
    except Exception:  # of any kind: each library has its own
        return None


def _road(g, X):
    """Return the road that votes on rows of X take, "no" if there is none."""
    if g is None:
        return "no"
    found, recognise = [], _voting.recognise

    def spy(*args, **kwargs):
        found.append(recognise(*args, **kwargs))
        return found[-1]

    with patch.object(_voting, "recognise", spy):
        try:
            g.predict_proba(X[:2])
        except Exception:
            return "no"
    voter = found[0].voter
    voter.expect(10**6)  # boosters are read for many votes only
    road = ROADS[type(voter).__name__]
    return "predict" if road == "trees" and voter.model is None else road


def _answers(g, X, method):
    """Tell whether there are certificates without votes."""
    try:
        _prefit(g, method).certify(X)
    except ValueError:
        return False
    return True


def _prefit(g, method):
    """Return a smoothed classifier of what another one has trained, for all votes."""
    f = getattr(g, "estimator_", g.estimator)
    params = {"sigma": SIGMA, "n": VOTES, "stopping": "fixed", "random_state": 0}
    return SmoothedClassifier(f, method=method, **params)


def _gaps(model):
    """Return the road of rows with missing values."""
    X, y = tables()[0]
    holes = np.random.default_rng(0).random(X.shape) < 0.1
    X = np.where(holes, np.float32(np.nan), X)
    g = None if model.is_trained else _fitted(model, X, y)
    row = X[holes.any(axis=1)][:1]
    road = _road(g, row)
    return "predict" if road == "trees" and _asked(g, row) > 0.5 else road


def _asked(g, X):
    """Return the share of votes for which the model's own predict is asked."""
    rows, by_predict = [], AnyVoter._by_predict

    def spy(self, estimator, X, size):
        rows.append(size)
        return by_predict(self, estimator, X, size)

    with patch.object(AnyVoter, "_by_predict", spy):
        _prefit(g, "monte_carlo").predict_proba(X)
    return sum(rows) / VOTES


def _categories(model):
    """Return the road where a column is one of categories, behind an encoder."""
    X, y = tables()[0]
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    frame["c"] = np.where(np.arange(len(X)) % 3, "b", "a")
    encoder = OneHotEncoder(drop="if_binary", dtype=np.float32, sparse_output=False)
    encoder = make_column_transformer((encoder, ["c"]), remainder="passthrough")
    coded = model._replace(make=lambda: make_pipeline(encoder, model.make()))
    return _road(_fitted(coded, frame, y, categorical_features=["c"]), frame)


def milliseconds(model, options):
    """Return what 1,000 votes cost on breast_cancer."""
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X).astype(np.float32)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        if model.is_trained:
            g = SmoothedClassifier(model.make(X.shape[1]))
        else:
            g = SmoothedClassifier(model.make(), sigma=SIGMA, random_state=0).fit(X, y)
        g = _prefit(g, "monte_carlo")
        _seconds(g, X[:1])  # imports, compilation
        size = int(np.clip(options.seconds / _seconds(g, X[:1]), 1, len(X)))
        times = [_seconds(g, X[:size]) / size for _ in range(options.repeats)]
    return float(np.median(times)) / VOTES * 1e6


def _seconds(g, X):
    start = time.process_time()
    g.predict_proba(X)
    return time.process_time() - start


HEAD = ["model", "votes", "exact", "gaps", "categories", "ms", "remarks"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if find_spec("torch") is not None:
        import_module("torch").set_num_threads(1)
    print(f"| {' | '.join(HEAD)} |")
    print("| --- | --- | --- | --- | --- | ---: | --- |")
    for name, model in models().items():
        if options.models and not any(part in name for part in options.models):
            continue
        cost = f"{milliseconds(model, options):.2g}"
        cells = f"`{name}`", *facts(model), cost, model.remark
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
