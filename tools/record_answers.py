"""Record what the package answers, to see that a change of its inside changes nothing.

    python tools/record_answers.py before.json
    ... change the inside ...
    python tools/record_answers.py after.json --against before.json

Every way of voting, bound, method and container is there, with fixed seeds. An entry is
a hash of all bits of an answer; equal hashes mean equal bits, on one machine with the
same packages.
"""

import argparse
import inspect
import json
import sys
import warnings
from functools import partial
from hashlib import sha256

import numpy as np
import pandas as pd
import polars as pl
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier

IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIGITS = tuple(part[:400] for part in load_digits(return_X_y=True))
DIGITS = DIGITS[0] / 16, DIGITS[1]
ONE_A_FEATURE = np.array([0.3, 0.5, 0.0, 0.2])
FIELDS = ("prediction", "radius", "p_lower", "p_upper", "selected", "counts")
FIELDS += ("selection_counts", "n_used", "looks", "first_equal", "radius_loss")


def smoothed(estimator, **params):
    """Return the classifier, whatever its parameter of shared noise is called."""
    known = inspect.signature(SmoothedClassifier).parameters
    if params.pop("shared", False):
        params |= {"shared_noise": True} if "shared_noise" in known else {}
        params |= {} if "shared_noise" in known else {"noise": "shared"}
    votes = {"method": "monte_carlo", "n": 300, "n0": 50}
    params = {**votes, "random_state": 0, "sigma": 0.4, **params}
    return SmoothedClassifier(estimator, **params)


def digest(*arrays):
    """Return a hash of the bits of some arrays."""
    text = sha256()
    for array in arrays:
        array = None if array is None else np.ascontiguousarray(array)
        text.update(b"None" if array is None else repr(array.dtype).encode())
        text.update(b"" if array is None else repr(array.shape).encode())
        if array is not None:
            is_text = array.dtype.kind in "OU"
            text.update(repr(array.tolist()).encode() if is_text else array.tobytes())
    return text.hexdigest()[:16]


def certificate(g, X, **kwargs):
    found = g.certify(X, **kwargs)
    return digest(*(getattr(found, name) for name in FIELDS))


def answers(g, X, y):
    """Yield (name of the call, hash of what it returns)."""
    yield "certify", certificate(g, X)
    yield "predict", digest(g.predict(X))
    yield "predict_proba", digest(g.predict_proba(X))
    yield "correct", digest(g.certified_correct(X, y, [0.0, 0.1, 0.3]))


def networks():
    """Yield nets as (name, estimator, X, y), X in float32."""
    import torch
    from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier

    from sksmooth.torch import GaussianNoise, ModuleClassifier

    def skorch(*layers, kind=NeuralNetClassifier, **params):
        torch.manual_seed(0)
        module = torch.nn.Sequential(*[make() for make in layers])
        params |= {"max_epochs": 20, "lr": 0.3, "verbose": 0, "train_split": None}
        return kind(module, **params)

    def linear(*shape):
        return partial(torch.nn.Linear, *shape)

    loss = {"criterion": torch.nn.CrossEntropyLoss}
    X, y = IRIS[0].astype(np.float32), IRIS[1]
    mlp = partial(skorch, linear(4, 8), torch.nn.ReLU, linear(8, 3))
    yield "skorch MLP", mlp(**loss), X, y
    yield "scaler, skorch MLP", make_pipeline(StandardScaler(), mlp(**loss)), X, y
    pca = make_pipeline(PCA(4, whiten=True), mlp(**loss))
    yield "PCA, skorch MLP", pca, X, y
    uneven = make_pipeline(QuantileTransformer(n_quantiles=20), mlp(**loss))
    yield "quantiles, skorch MLP", uneven, X, y
    noisy = skorch(partial(GaussianNoise, 0.3), linear(4, 3), **loss)
    yield "skorch with a noise layer", noisy, X, y
    binary = skorch(linear(4, 1), kind=NeuralNetBinaryClassifier)
    yield "skorch, one logit", binary, X, (y > 0).astype(int)
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten()
    )
    module = module.append(torch.nn.Linear(144, 10)).eval()
    images = DIGITS[0].reshape(-1, 1, 8, 8).astype(np.float32)
    conv = ModuleClassifier(module, classes=np.arange(10))
    yield "convolutions", FrozenEstimator(conv), images, DIGITS[1]


def cases():
    """Yield (name, classifier to fit, X, y)."""
    X, y = IRIS
    two = y > 0
    logistic = LogisticRegression(max_iter=500)
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    forest = RandomForestClassifier(7, max_depth=5, random_state=0)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    mlp = MLPClassifier((16,), max_iter=60, random_state=0)
    bases = {
        "logistic": logistic,
        "scaler, logistic": scaled,
        "PCA, LDA": make_pipeline(PCA(3), LinearDiscriminantAnalysis()),
        "selector, ridge": make_pipeline(SelectKBest(k=3), RidgeClassifier()),
        "linear SVC": LinearSVC(),
        "MLP": mlp,
        "min-max, MLP": make_pipeline(MinMaxScaler(), mlp),
        "tree": tree,
        "forest": forest,
        "scaler, forest": make_pipeline(StandardScaler(), forest),
        "boosting": GradientBoostingClassifier(n_estimators=8, random_state=0),
        "histogram boosting": HistGradientBoostingClassifier(max_iter=8),
        "naive Bayes": GaussianNB(),
        "neighbours": KNeighborsClassifier(5),
        "quantiles, naive Bayes": make_pipeline(
            QuantileTransformer(n_quantiles=20), GaussianNB()
        ),
    }
    for name, base in bases.items():
        yield name, smoothed(base), X, y
        yield f"{name}, shared", smoothed(base, shared=True), X, y
    kinds = {"logistic": logistic, "MLP": mlp, "forest": forest, "Bayes": GaussianNB()}
    for name, base in kinds.items():
        for bound in ("joint", "multiclass"):
            yield f"{name}, {bound}", smoothed(base, bound=bound), X, y
        yield f"{name}, fixed", smoothed(base, stopping="fixed"), X, y
        yield f"{name}, grid", smoothed(base, grid="auto"), X, y
        one = smoothed(base, sigma=ONE_A_FEATURE)
        yield f"{name}, sigma by feature", one, X, y
        both = smoothed(base, sigma=ONE_A_FEATURE, grid=2.0**-12, shared=True)
        yield f"{name}, grid, by feature, shared", both, X, y
        yield f"{name}, float32", smoothed(base), X.astype(np.float32), y
        yield f"{name}, two workers", smoothed(base, n_jobs=2), X, y
        yield f"{name}, small batches", smoothed(base, batch_size=77), X, y
        yield f"{name}, text labels", smoothed(base), X, np.array(["a", "b", "c"])[y]
    stumps = AdaBoostClassifier(n_estimators=9, random_state=0)
    for name, base in {
        "logistic": logistic,
        "scaler, logistic": scaled,
        "tree": tree,
        "scaler, tree": make_pipeline(StandardScaler(), tree),
        "stumps": stumps,
        "boosted stumps": GradientBoostingClassifier(
            n_estimators=9, max_depth=1, random_state=0
        ),
    }.items():
        yield f"exact: {name}", smoothed(base, method="exact"), X, two.astype(int)
        one = smoothed(base, method="exact", sigma=ONE_A_FEATURE)
        yield f"exact: {name}, by feature", one, X, two.astype(int)
    frame = pd.DataFrame(X, columns=list("abcd"))
    mixed = frame.assign(kind=pd.Categorical(np.where(two, "x", "y")))
    numbers = make_pipeline(_FirstColumns(), GaussianNB())
    sigma = [*ONE_A_FEATURE, 0]
    for shared in (False, True):
        name = ", shared" * shared
        yield f"frame{name}", smoothed(logistic, shared=shared), frame, y
        yield f"polars{name}", smoothed(logistic, shared=shared), pl.DataFrame(X), y
        g = smoothed(numbers, sigma=sigma, shared=shared)
        yield f"mixed frame{name}", g, mixed, y
    g = smoothed(numbers, sigma=sigma, grid="auto")
    yield "mixed frame, grid", g, mixed, y
    yield "forest of a frame", smoothed(forest), frame, y
    images = smoothed(LogisticOfImages(), sigma=0.2)
    yield "images", images, DIGITS[0].reshape(-1, 8, 8), DIGITS[1]
    yield "digits", smoothed(logistic, sigma=0.2), *DIGITS
    yield "cancer", smoothed(make_pipeline(StandardScaler(), mlp), sigma=5.0), *CANCER


class _FirstColumns(StandardScaler):
    """Scales the first four columns of a frame, and drops the others."""

    def fit(self, X, y=None):
        return super().fit(X.iloc[:, :4].to_numpy(float))

    def transform(self, X):
        return super().transform(X.iloc[:, :4].to_numpy(float))


class LogisticOfImages(LogisticRegression):
    """A classifier of inputs of more than one dimension."""

    def fit(self, X, y):
        return super().fit(X.reshape(len(X), -1), y)

    def predict(self, X):
        return super().predict(X.reshape(len(X), -1))


def record():
    """Return {case and call: hash}."""
    found = {}
    warnings.simplefilter("ignore")
    for name, g, X, y in cases():
        print(name, file=sys.stderr)
        g.fit(X, y)
        some = np.arange(0, len(y), len(y) // 12)
        part = X.iloc[some] if isinstance(X, pd.DataFrame) else X[some]
        for call, value in answers(g, part, y[some]):
            found[f"{name}: {call}"] = value
        if (g.bound, g.method) == ("cohen", "monte_carlo"):
            found[f"{name}: tolerance"] = certificate(g, part, radius_tol=0.05)
    for name, base, X, y in networks():
        print(name, file=sys.stderr)
        options = {
            "": {},
            "shared": {"shared": True},
            "grid": {"grid": "auto"},
            "two workers": {"n_jobs": 2},
            "frozen": {"net_options": {"mode": "frozen"}},
            "not pushed": {"net_options": {"push_forward": False}},
        }
        for kind, params in options.items():
            g = smoothed(base, **params).fit(X, y)
            some = np.arange(0, len(y), len(y) // 12)
            try:
                for call, value in answers(g, X[some], y[some]):
                    found[f"{name}, {kind}: {call}"] = value
            except ValueError as error:
                found[f"{name}, {kind}"] = f"ValueError: {error}"
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--against")
    arguments = parser.parse_args()
    found = record()
    with open(arguments.out, "w") as file:
        json.dump(found, file, indent=1)
    print(f"{len(found)} answers of {len({k.split(':')[0] for k in found})} cases")
    if arguments.against:
        with open(arguments.against) as file:
            before = json.load(file)
        names = sorted(found.keys() | before.keys())
        differ = [name for name in names if found.get(name) != before.get(name)]
        print("\n".join(f"{n}: {before.get(n)} -> {found.get(n)}" for n in differ))
        raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
