"""A store knows the model again that wrote it, and no other."""

import collections
import functools
import io
import pickle
import random
import subprocess
import sys
import threading
import weakref

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401, I001
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    ShuffleSplit,
)
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, merge_stores
from sksmooth.votes.run._contents import hash_contents
from sksmooth.votes.run._fingerprint import hash_estimator

X, y = load_iris(return_X_y=True)
X.flags.writeable = False
TREE = DecisionTreeClassifier(random_state=0)
CHEAP = {"sigma": 0.3, "n": 60, "n0": 20, "random_state": 0}


def smooth(base, **params):
    return SmoothedClassifier(base, **{**CHEAP, "method": "monte_carlo", **params})


class Counts(DecisionTreeClassifier):
    """Counts its calls, next to what it answers by."""

    def fit(self, X, y):
        self.state_ = {"shift": np.zeros(4), "calls": 0}
        self.log_, self.last_ = [], None
        return super().fit(X, y)

    def predict(self, X):
        self.state_["calls"] += 1
        self.log_.append(len(X))
        self.last_ = X.copy()
        return super().predict(X + self.state_["shift"])


class CountsInAnArray(DecisionTreeClassifier):
    """Keeps a weight and a counter in one array."""

    def fit(self, X, y):
        self.numbers_ = np.array([1.0, 0.0])
        return super().fit(X, y)

    def predict(self, X):
        self.numbers_[1] += 1
        return super().predict(X * self.numbers_[0])


class Grows(DecisionTreeClassifier):
    """Keeps a weight among parts, and attributes, that become more."""

    def fit(self, X, y):
        self.parts_, self.scale_ = {"weight": 1.0}, 1.0
        return super().fit(X, y)

    def predict(self, X):
        name = f"call {len(self.parts_)}"
        self.parts_[name] = X
        setattr(self, name, len(X))
        return super().predict(X * self.parts_["weight"] * self.scale_)


class Remembers(DecisionTreeClassifier):
    """Keeps answers, in a dict and in one that forgets."""

    def fit(self, X, y):
        self.answers_, self.latest_ = {}, collections.OrderedDict()
        return super().fit(X, y)

    def predict(self, X):
        answer = super().predict(X)
        self.answers_[X.tobytes()] = self.latest_[X.tobytes()] = answer
        while len(self.latest_) > 2:
            self.latest_.popitem(last=False)
        return answer


class BuildsLate(DecisionTreeClassifier):
    """Builds what it answers by when it is first asked."""

    def fit(self, X, y):
        self.first_ = y[0]
        return super().fit(X, y)

    @functools.cached_property
    def table(self):
        return np.roll(self.classes_, self.first_)

    def predict(self, X):
        return self.table[super().predict(X)]


class ReplacesOnce(LogisticRegression):
    """Changes its weights in place when it is first asked."""

    def predict(self, X):
        if not hasattr(self, "scale_"):
            self.scale_ = np.abs(self.coef_).max()
            self.coef_ = self.coef_ / self.scale_
            self.intercept_ = self.intercept_ / self.scale_
        return super().predict(X)


class Draws(DecisionTreeClassifier):
    """Draws numbers, of every kind, that its answers do not depend on."""

    def fit(self, X, y):
        self.one_, self.two_ = np.random.RandomState(0), np.random.default_rng(0)
        self.three_, self.four_ = random.Random(0), np.random.PCG64(0)
        return super().fit(X, y)

    def predict(self, X):
        self.one_.normal(size=len(X))
        self.two_.normal(size=len(X))
        self.three_.random()
        self.four_.random_raw(1)
        return super().predict(X)


class Slots:
    __slots__ = ("calls", "weight")

    def __init__(self):
        self.calls, self.weight = 0, 1.0


class HasSlots(DecisionTreeClassifier):
    def fit(self, X, y):
        self.part_ = Slots()
        return super().fit(X, y)

    def predict(self, X):
        self.part_.calls += 1
        return super().predict(self.part_.weight * X)


class HidesState(DecisionTreeClassifier):
    """Cannot be pickled but for what it says of itself."""

    def __getstate__(self):
        state = super().__getstate__()
        return {k: v for k, v in state.items() if k not in ("lock", "me")}

    def predict(self, X):
        self.lock, self.me = threading.Lock(), weakref.ref(self)
        return super().predict(X)


class SortsLate(DecisionTreeClassifier):
    """Holds a sparse matrix, which some methods sort in place, and a frame."""

    def fit(self, X, y):
        data, places = [3.0, 1.0, 2.0], [2, 0, 1]
        self.matrix_ = sparse.csr_matrix((data, places, [0, 3]), shape=(1, 3))
        self.frame_ = pd.DataFrame({"a": [1.0], "b": ["x"]})
        self.frame_["c"] = pd.Categorical(["u"], categories=["v", "u"])
        return super().fit(X, y)

    def predict(self, X):
        self.matrix_.sort_indices()
        self.frame_.loc[:, ["a"]].to_numpy()
        return super().predict(X)


def search(kind, **params):
    return kind(TREE, {"max_depth": [2, 3]}, cv=3, **params)


ALL = {
    "kd_tree": KNeighborsClassifier(algorithm="kd_tree"),
    "ball_tree": KNeighborsClassifier(algorithm="ball_tree"),
    "radius": RadiusNeighborsClassifier(5.0, algorithm="ball_tree"),
    "brute": KNeighborsClassifier(algorithm="brute"),
    "neighbours in a Pipeline": make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "neighbours in Bagging": BaggingClassifier(
        KNeighborsClassifier(), 2, random_state=0
    ),
    "neighbours calibrated": CalibratedClassifierCV(KNeighborsClassifier(), cv=2),
    "Voting": VotingClassifier([("a", KNeighborsClassifier()), ("b", TREE)]),
    "Stacking": StackingClassifier([("a", KNeighborsClassifier()), ("b", TREE)], cv=2),
    "SVC": SVC(),
    "GaussianProcess": GaussianProcessClassifier(),
    "MLP": MLPClassifier([5], max_iter=300, tol=0.1, random_state=0),
    "forest": RandomForestClassifier(3, n_jobs=2, random_state=0),
    "grid": search(GridSearchCV),
    "randomized": RandomizedSearchCV(
        TREE, {"max_depth": stats.randint(1, 4)}, n_iter=2, cv=3, random_state=0
    ),
    "halving": search(HalvingGridSearchCV, random_state=0),
    "grid of neighbours": GridSearchCV(
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        {"kneighborsclassifier__n_neighbors": [3, 5]},
        cv=ShuffleSplit(2, random_state=np.random.RandomState(0)),
    ),
    "counts": Counts(random_state=0),
    "counts in a Pipeline": make_pipeline(StandardScaler(), Counts(random_state=0)),
    "counts in an array": CountsInAnArray(random_state=0),
    "remembers": Remembers(random_state=0),
    "builds late": BuildsLate(random_state=0),
    "replaces once": ReplacesOnce(max_iter=1000),
    "draws": Draws(random_state=0),
    "slots": HasSlots(random_state=0),
    "hides state": HidesState(random_state=0),
    "sorts late": SortsLate(random_state=0),
    "function": make_pipeline(FunctionTransformer(np.log1p), TREE),
}


@pytest.mark.parametrize("name", ALL)
def test_a_store_knows_its_model(name, tmp_path):
    """Used in between or not, loaded from a file, or trained again."""
    new = clone(ALL[name]).fit(X, y)
    file = pickle.dumps(new)
    path = tmp_path / "votes.sqlite"
    expected = smooth(new).certify(X[:8], store=path).counts

    def check(model, rows=slice(0, 8)):
        counts = smooth(model).certify(X[rows], store=path).counts
        np.testing.assert_array_equal(counts[:8], expected)

    check(new)
    new.predict(X)
    new.predict(X[:3])
    check(new, slice(0, 10))
    check(pickle.loads(file))
    check(pickle.loads(pickle.dumps(new)))
    again = clone(ALL[name]).fit(X, y)
    again.predict(X[:20])
    check(again)
    # A store that a used model has begun takes a new one, and they can be merged.
    other = tmp_path / "other.sqlite"
    smooth(again).certify(X[8:20], store=other)
    smooth(pickle.loads(file)).certify(X[8:20], store=other)
    assert merge_stores([path, other], tmp_path / "all.sqlite") == 2 * 20


@pytest.mark.parametrize("name", ALL)
def test_a_store_refuses_other_models(name, tmp_path):
    """Of the same kind and parameters, trained on a little less."""
    path = tmp_path / "votes.sqlite"
    new, other = clone(ALL[name]).fit(X, y), clone(ALL[name]).fit(X[1::2], y[1::2])
    smooth(new).certify(X[:4], store=path)
    for _ in range(2):
        with pytest.raises(ValueError, match="estimator is [0-9a-f]{40} there and"):
            smooth(other).certify(X[:4], store=path)
        other.predict(X[:5])


def change(model, how):
    how(model)
    return model


def set_weights(model):
    model.coef_ = model.coef_[:, ::-1].copy()


@pytest.mark.parametrize(
    ("model", "how"),
    [
        (Counts(random_state=0), lambda f: f.state_.update(shift=np.ones(4))),
        (Counts(random_state=0), lambda f: f.state_["shift"].__setitem__(2, 1e-300)),
        (CountsInAnArray(random_state=0), lambda f: f.numbers_.__setitem__(0, 2)),
        (Grows(random_state=0), lambda f: f.parts_.update(weight=2.0)),
        (Grows(random_state=0), lambda f: setattr(f, "scale_", 2.0)),
        (HasSlots(random_state=0), lambda f: setattr(f.part_, "weight", 1.5)),
        (ReplacesOnce(max_iter=1000), set_weights),
        (BuildsLate(random_state=0), lambda f: setattr(f, "first_", 1)),
        (SortsLate(random_state=0), lambda f: f.matrix_.data.__setitem__(0, 4)),
        (SortsLate(random_state=0), lambda f: f.frame_.__setitem__("b", ["y"])),
        (
            SortsLate(random_state=0),
            lambda f: setattr(f.frame_, "columns", ["d", "b", "c"]),
        ),
        (Draws(random_state=0), lambda f: setattr(f, "one_", np.random.default_rng(0))),
        (KNeighborsClassifier(), lambda f: setattr(f, "_fit_X", f._fit_X + 1)),
    ],
)
@pytest.mark.parametrize("used", [False, True])
def test_what_changes_with_every_call_hides_nothing_else(model, how, used, tmp_path):
    path = tmp_path / "votes.sqlite"
    new = clone(model).fit(X, y)
    smooth(new).certify(X[:4], store=path)
    other = clone(model).fit(X, y)
    if used:
        other.predict(X[:7])
    how(other)
    with pytest.raises(ValueError, match="estimator is"):
        smooth(other).certify(X[:4], store=path)


def test_only_what_is_not_told_by_the_hash_alone_is_tried(tmp_path, monkeypatch):
    """A model that does not change is not asked for anything."""
    path = tmp_path / "votes.sqlite"
    f = clone(TREE).fit(X, y)
    g = smooth(f)
    g.certify(X[:4], store=path)
    monkeypatch.setattr(
        "sksmooth.votes.run._fingerprint.Model.in_use",
        lambda self: pytest.fail("asked"),
    )
    g.certify(X[:6], store=path)
    with pytest.raises(ValueError, match="sigma is 0.3 there and 0.4 here"):
        smooth(clone(TREE).fit(X[1:], y[1:]), sigma=0.4).certify(X[:4], store=path)


@pytest.mark.parametrize("name", ["kd_tree", "forest", "grid", "Voting", "counts"])
def test_hashes_of_files(name):
    model = clone(ALL[name]).fit(X, y)
    expected = hash_estimator(model)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    assert hash_estimator(joblib.load(file)) == expected
    skops = pytest.importorskip("skops.io")
    data = skops.dumps(model)
    types = skops.get_untrusted_types(data=data)
    assert hash_estimator(skops.loads(data, trusted=types)) == expected


def test_arrays_that_are_mapped_into_memory(tmp_path):
    model = clone(ALL["brute"]).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(mapped._fit_X, np.memmap)
    assert hash_estimator(mapped) == hash_estimator(model)


def test_how_a_model_computes_does_not_count(tmp_path):
    quick = make_pipeline(StandardScaler(), KNeighborsClassifier(n_jobs=2)).fit(X, y)
    cached = make_pipeline(
        StandardScaler(), KNeighborsClassifier(), memory=joblib.Memory(tmp_path)
    ).fit(X, y)
    assert hash_estimator(quick) == hash_estimator(cached)
    other = make_pipeline(StandardScaler(), KNeighborsClassifier(4)).fit(X, y)
    assert hash_estimator(quick) != hash_estimator(other)


def test_numpys_global_generator_does_not_count():
    f = MLPClassifier([3], max_iter=300, tol=0.1).fit(X, y)
    expected = hash_estimator(f)
    np.random.normal(size=10)
    assert hash_estimator(f) == expected


SCRIPT = """
import sys
sys.path.insert(0, {path!r})
from tests.votes.test_fingerprint import *
from sksmooth.votes.run._fingerprint import hash_estimator
values = dict(s={{"a", "b", "c", "dd"}}, f=frozenset("xyz"), k={{("u", 1): {{1.5}}}})
print(hash_contents(values).hex(), [hash_estimator(clone(ALL[k]).fit(X, y)) for k in
      ("kd_tree", "grid", "SVC", "counts", "sorts late", "function")])
"""


def test_hashes_are_the_same_in_every_process():
    said = set()
    for seed in "1", "2":
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(path=sys.path[0])],
            env={**__import__("os").environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr
        said.add(run.stdout)
    assert len(said) == 1


def nested(depth, end):
    for _ in range(depth):
        end = [end]
    return end


def ring(*values):
    first = node = {"value": values[0]}
    for value in values[1:]:
        node["next"] = {"value": value}
        node = node["next"]
    node["next"] = first
    return first


DIFFERENT = [
    *(None, True, 1, 1.0, 1j, "1", b"1", bytearray(b"1"), np.int64(1), np.float64(1)),
    *(
        0.0,
        -0.0,
        float("nan"),
        2**70,
        "\ud800",
        (),
        [],
        {},
        set(),
        frozenset(),
        Ellipsis,
    ),
    *([1], (1,), {1}, {1: 1}, [[1]], [1, 1], [[1], 1], {1: {1: 1}}, {"1": 1}),
    *({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2, "b": 1}, ["a", 1, "b", 2]),
    *(nested(20_000, 1), nested(20_000, 2), nested(20_001, 1)),
    *(ring(1, 2), ring(1, 2, 1), ring(1), ring(2, 1)),
    *(
        np.ones(2),
        np.ones(2, "f4"),
        np.ones(2, ">f8"),
        np.ones((1, 2)),
        np.ones((2, 1)),
    ),
    *(
        np.ones(0),
        np.ones((0, 2)),
        np.array(1.0),
        np.array(["a"]),
        np.array(["a", "b"]),
    ),
    *(np.array([1, "a"], object), np.array([1, None], object)),
    *(np.zeros(2, [("a", "i4"), ("b", "f4")]), np.zeros(2, [("b", "i4"), ("a", "f4")])),
    *(np.datetime64("2020"), np.datetime64("2020-01-01"), np.ma.array([1.0], mask=[1])),
    *(np.ma.array([1.0], mask=[0]), np.matrix([[1.0]])),
    *(np.log, np.log1p, np.dtype("f4"), np.dtype("f8"), len, dict, stats.norm),
    *(functools.partial(max, 1), functools.partial(max, 2), functools.partial(min, 1)),
    *(collections.deque([1]), collections.deque([1], 5), collections.OrderedDict(a=1)),
    *(collections.defaultdict(int, a=1), collections.Counter("a"), slice(1), range(3)),
    *(np.random.RandomState(0), np.random.RandomState(1), np.random.default_rng(0)),
    *(random.Random(0), random.Random(1), np.random.PCG64(0), np.random.SFC64(0)),
    *(
        sparse.eye(2, format="csr"),
        sparse.eye(2, format="csc"),
        sparse.eye(3, format="csr"),
    ),
    *(pd.Series([1.0]), pd.Series([1.0], name="a"), pd.Series([1.0], index=[1])),
    *(pd.Series(["a"], dtype="category"), pd.Series(pd.Categorical(["a"], ["b", "a"]))),
    *(pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1]})),
    *(pd.Index([1]), pd.Index([1], name="a"), pd.array([1, None], "Int64")),
    *(
        DecisionTreeClassifier(),
        DecisionTreeClassifier(max_depth=1),
        Counts(random_state=0),
    ),
    *(FrozenEstimator(TREE), X[0].tolist().index, X[1].tolist().index),
]


def test_different_things_have_different_hashes():
    hashes = [hash_contents(one) for one in DIFFERENT]
    assert len(set(hashes)) == len(DIFFERENT)
    # What is found in one place is not taken for what is in another.
    assert len({hash_contents([one]) for one in DIFFERENT} - set(hashes)) > 90


def test_equal_things_have_equal_hashes():
    shared = [1.5]
    for one, other in [
        ([shared, shared], [[1.5], [1.5]]),
        (np.ones((3, 2), order="F"), np.ones((3, 2))),
        (np.arange(6)[::2], np.array([0, 2, 4])),
        (ring(1, 2), ring(1, 2)),
        (set("abcdef"), set("fedcba")),
        (nested(20_000, 1), nested(20_000, 1)),
        (np.random.RandomState(3), np.random.RandomState(3)),
    ]:
        assert hash_contents(one) == hash_contents(other)
    # Space between the fields of a structured array may hold anything.
    padded = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"]}, align=True)
    one, other = (np.frombuffer(fill * 16, padded).copy() for fill in (b"\0", b"\1"))
    one["a"], one["b"] = other["a"], other["b"]
    assert hash_contents(one) == hash_contents(other)


def test_many_paths_to_one_part():
    """Take no longer for it: 2^60 paths lead to the innermost list."""
    part = []
    for _ in range(60):
        part = [part, part]
    assert hash_contents(part) == hash_contents(part)
    everyone = [{"friends": []} for _ in range(40)]
    for one in everyone:
        one["friends"].extend(everyone)
    assert hash_contents(everyone) == hash_contents(
        pickle.loads(pickle.dumps(everyone))
    )


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (threading.Lock(), r"\.part_: cannot pickle"),
        (weakref.ref(TREE), r"\.part_: cannot pickle"),
        ({"f": [lambda X: X]}, r"\.part_\.f\[0\]: .*lambda"),
        ((one for one in "ab"), r"\.part_: cannot pickle 'generator'"),
        ([0, sys], r"\.part_\[1\]: cannot pickle 'module'"),
    ],
)
def test_what_cannot_be_pickled_is_named(part, why, tmp_path):
    f = clone(TREE).fit(X, y)
    f.part_ = part
    with pytest.raises(ValueError, match=f"DecisionTreeClassifier .*{why}.*no lambda"):
        smooth(f).predict(X[:2], store=tmp_path / "votes.sqlite")


def test_what_a_search_does_not_answer_by_need_not_be_pickled(tmp_path):
    f = GridSearchCV(
        TREE, {"max_depth": [2]}, scoring=lambda f, X, y: f.score(X, y), cv=2
    ).fit(X, y)
    g = smooth(f)
    path = tmp_path / "votes.sqlite"
    np.testing.assert_array_equal(g.predict(X[:5], store=path), g.predict(X[:5]))

    class Own(GridSearchCV):
        def predict(self, X):
            return super().predict(X)

    own = Own(TREE, {"max_depth": [2]}).fit(X, y)
    with pytest.raises(ValueError, match="Own cannot be pickled"):
        smooth(own).predict(X[:5], store=path)


def test_nets_anywhere_in_a_model():
    torch = pytest.importorskip("torch")
    pytest.importorskip("skorch")
    from tests.nets import classifier

    def voting(seed, fitted=True):
        torch.manual_seed(seed)
        net = classifier(max_epochs=2)
        f = VotingClassifier([("net", net), ("tree", TREE)])
        return f.fit(X.astype(np.float32), y)

    one, same, other = voting(0), voting(0), voting(1)
    expected = hash_estimator(one)  # not how long its training took
    assert hash_estimator(same) == expected != hash_estimator(other)
    one.predict(X.astype(np.float32))
    assert hash_estimator(one) == expected
    assert hash_estimator(pickle.loads(pickle.dumps(one))) == expected
    with torch.no_grad():
        next(one.estimators_[0].module_.parameters())[0] += 1e-3
    assert hash_estimator(one) != expected


def test_a_layer_counts_wherever_it_occurs():
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    linear, last = torch.nn.Linear(4, 4), torch.nn.Linear(4, 3)
    block = torch.nn.Sequential(linear, torch.nn.Tanh())
    pairs = [
        (torch.nn.Sequential(block, block, last), torch.nn.Sequential(block, last)),
        (torch.nn.ModuleList([last, last]), torch.nn.ModuleList([last])),
        (torch.nn.Sequential(linear, last), torch.nn.Sequential(last, linear)),
    ]
    for pair in pairs:
        one, other = (
            hash_estimator(ModuleClassifier(m, classes=range(3))) for m in pair
        )
        assert one != other
        assert one == hash_estimator(ModuleClassifier(pair[0], classes=range(3)))


def test_hooks_count_by_what_they_do():
    """Not by their handles, which are counted up in a process."""
    torch = pytest.importorskip("torch")
    from torch.nn.utils import spectral_norm

    from sksmooth.torch import ModuleClassifier

    def build(wrap):
        torch.manual_seed(0)
        module = wrap(torch.nn.Linear(4, 3)).eval()
        return hash_estimator(ModuleClassifier(module, classes=range(3)))

    assert build(spectral_norm) == build(spectral_norm) != build(lambda layer: layer)
