"""Nets inside other classifiers are treated like nets at the end of a Pipeline."""

import sys
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.models._find_nets import (  # noqa: E402
    nets_in,  # noqa: E402
    with_nets,  # noqa: E402
)
from sksmooth.torch import GaussianNoise, ModuleClassifier  # noqa: E402
from tests.nets import classifier  # noqa: E402

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)  # float64


class Net(torch.nn.Module):
    def __init__(self, n_outputs=3, sigma=2.0):
        super().__init__()
        self.layers = torch.nn.Sequential(
            GaussianNoise(sigma, in_eval=True), torch.nn.Linear(4, n_outputs)
        )

    def forward(self, x):
        return self.layers(x)


class Own(ClassifierMixin, BaseEstimator):
    """Somebody's classifier around another, kept in a dict."""

    def __init__(self, inner):
        self.inner = inner

    def fit(self, X, y):
        self.parts_ = {"first": [clone(self.inner).fit(X, y)]}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.parts_["first"][0].predict(X)


def net(**params):
    return classifier(Net, max_epochs=5, lr=0.1, **params)


def logistic():
    return LogisticRegression(max_iter=500)


WRAPS = {
    "calibrated": lambda f: CalibratedClassifierCV(f, cv=2),
    "calibrated once": lambda f: CalibratedClassifierCV(f, cv=2, ensemble=False),
    "voting": lambda f: VotingClassifier([("a", f), ("b", logistic())], voting="soft"),
    "stacking": lambda f: StackingClassifier([("a", f), ("b", logistic())], cv=2),
    "bagging": lambda f: BaggingClassifier(f, n_estimators=2, random_state=0),
    "one against the rest": lambda f: OneVsRestClassifier(
        clone(f).set_params(module__n_outputs=2)
    ),
    "a search": lambda f: GridSearchCV(f, {"lr": [0.1]}, cv=2),
    "a pipeline": lambda f: make_pipeline(
        StandardScaler(), CalibratedClassifierCV(make_pipeline(StandardScaler(), f))
    ),
    "somebody's own": Own,
}


def number_of_calls(function):
    """Return how many functions that are written in Python a function calls."""
    names = []
    sys.setprofile(lambda frame, event, arg: names.append((event, frame.f_code)))
    try:
        function()
    finally:
        sys.setprofile(None)
    # Not the function itself; comprehensions are calls in some versions only.
    named = [
        code for event, code in names if code.co_name[0] != "<" and event == "call"
    ]
    return len(named)


@pytest.fixture(params=WRAPS)
def wrap(request):
    return WRAPS[request.param]


def smoothed(estimator):
    return SmoothedClassifier(estimator, sigma=0.25, n=100, n0=20, random_state=0)


def test_the_same_twice_and_torch_as_before(wrap):
    """In float64; seeded while trained, without noise of its own while it votes."""
    counts, drawn = [], []
    for seed in (1, 2):
        torch.manual_seed(seed)
        g = smoothed(wrap(net())).fit(X, y)
        counts.append(g.certify(X[::10]).counts)
        drawn.append(torch.rand(1).item())
        torch.manual_seed(seed)
        assert torch.rand(1).item() == drawn[-1]
    np.testing.assert_array_equal(*counts)
    # The layers are as they were, and still make the net's own predict random.
    nets = [f for f in nets_in(g.estimator_) if hasattr(f, "module_")]
    assert nets
    for one in nets:
        assert one.module_.layers[0].in_eval
        rows = X.astype("f4")
        assert not np.array_equal(one.predict_proba(rows), one.predict_proba(rows))


def test_votes_are_those_of_nets_without_the_layer(wrap):
    g = smoothed(wrap(net())).fit(X, y)
    expected = g.certify(X[::10]).counts
    for one in nets_in(g.estimator_):
        if hasattr(one, "module_"):
            one.module_.layers[0].sigma = 0
    np.testing.assert_array_equal(g.certify(X[::10]).counts, expected)


def test_fitted_elsewhere_and_in_workers():
    f = WRAPS["calibrated"](net()).fit(X.astype("f4"), y)
    g = smoothed(f)
    expected = g.certify(X[::10]).counts
    np.testing.assert_array_equal(g.certify(X[::10]).counts, expected)
    g.set_params(n_jobs=2)
    np.testing.assert_array_equal(g.certify(X[::10]).counts, expected)


class TestTheSearch:
    def test_finds_them_fitted_and_unfitted(self, wrap):
        f = wrap(net())
        assert len(nets_in(f)) == 1
        assert len(nets_in(f.fit(X.astype("f4"), y))) >= 2

    def test_frozen_ones_and_modules(self):
        module = ModuleClassifier(torch.nn.Linear(4, 3))
        f = VotingClassifier([("a", FrozenEstimator(module)), ("b", net())])
        assert nets_in(f) == [module, f.estimators[1][1]]
        assert nets_in(f, frozen=False) == [f.estimators[1][1]]

    def test_nothing_else(self):
        f = GradientBoostingClassifier(n_estimators=3).fit(X, y)
        for thing in (f, None, 3, "net", [1] * 1000, {"a": np.arange(3)}, Net, Net()):
            assert nets_in(thing) == []
            assert with_nets(thing, lambda net: None) is thing

    def test_what_holds_itself(self):
        f = Own(net())
        f.me, f.others = f, [f]
        assert len(nets_in(f)) == 1
        assert with_nets(f, lambda net: "another").inner == "another"

    def test_only_what_holds_a_net_is_new(self):
        f = VotingClassifier([("a", net()), ("b", logistic())])
        f.fit(X.astype("f4"), y)
        state = dict(vars(f))
        twin = with_nets(f, lambda net: "another")
        assert vars(f) == state
        assert type(twin) is VotingClassifier
        assert twin.estimators_[0] == twin.estimators[0][1] == "another"
        assert twin.estimators_[1] is f.estimators_[1]
        assert twin.le_ is f.le_
        assert with_nets(f, lambda net: net) is f

    def test_containers_of_all_kinds(self):
        Pair = namedtuple("Pair", "a b")
        one = net()
        for kind, part in {
            "late": [0] * 1000 + [one],
            "deep": ({"a": [[(one,)]]},),
            "dict": OrderedDict(a=1, b=[one]),
            "pair": Pair(None, one),
            "array": np.array([*"abc", one, None], object),
            "array of no dimension": np.array(one, object),
            "list of arrays": [np.arange(3), np.array([None, one], object)],
            "somebody's own in a list": [logistic(), Own(one)],
        }.items():
            f = Own(None)
            f.part = part
            assert nets_in(f) == [one], kind
            twin = with_nets(f, lambda net: "another")
            assert nets_in(twin) == []
            assert type(twin.part) is type(part)
            assert nets_in(f) == [one]

    @pytest.mark.parametrize("n_trees", [3, 300])
    def test_looks_into_few_things(self, n_trees):
        """As many in a forest as there are kinds of trees, not trees."""
        forest = RandomForestClassifier(n_trees, max_depth=1).fit(X, y)
        f = make_pipeline(StandardScaler(), logistic()).fit(X, y)
        for one in (forest, f):
            nets_in(one)  # what kinds may hold is found out once
            assert number_of_calls(lambda one=one: nets_in(one)) <= 10

    def test_arrays_of_estimators(self):
        f = Own(net())
        f.table = np.array([[f.inner, None], [logistic(), f.inner]], object)
        twin = with_nets(f, lambda net: "another")
        assert twin.table.shape == (2, 2)
        assert twin.table[0, 0] == twin.table[1, 1] == "another"
        assert twin.table[1, 0] is f.table[1, 0]


def test_a_net_that_is_random_votes_alike_and_apart():
    """Seeded by entropy and purpose: the same again, other numbers to select by."""

    class Random(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.linear(x) + 3 * torch.randn(len(x), 3)

    f = ModuleClassifier(Random(), classes=[0, 1, 2])
    one, other = (smoothed(f).set_params(n0=100).certify(X[:20]) for _ in "ab")
    np.testing.assert_array_equal(one.counts, other.counts)
    assert not np.array_equal(one.counts, one.selection_counts)
