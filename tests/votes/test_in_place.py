"""Steps and classifiers that write to their input: it is theirs once, and ours again.

Votes have to be those of the same model without side effects, whatever comes out of the
steps, and the user's X stays as it is.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from tests.helpers import Fixed

X, y = make_classification(
    200, 4, n_informative=3, n_redundant=0, class_sep=1.5, random_state=0
)
X = 5 * X + 7


def shifted(X):
    X -= 7.0
    return X


def shifted_copy(X):
    return X - 7.0


class Sparse(TransformerMixin, BaseEstimator):
    """Makes X sparse, after it has written to it."""

    def __init__(self, copy=True):
        self.copy = copy

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy() if self.copy else X
        X -= 3.0
        return sparse.csr_array(X)


class Alternating(TransformerMixin, BaseEstimator):
    """Writes to X, and returns a frame for even numbers of rows, else an array."""

    def __init__(self, copy=True):
        self.copy = copy

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy() if self.copy else X
        X *= 2.0
        return X if len(X) % 2 else pd.DataFrame(X)


def scalers(copy):
    """Pairs of steps that differ in whether they write to their input."""
    function = FunctionTransformer(
        shifted_copy if copy else shifted, feature_names_out="one-to-one"
    )
    return [
        StandardScaler(copy=copy),
        MinMaxScaler(copy=copy),
        MaxAbsScaler(copy=copy),
        RobustScaler(copy=copy),
        Normalizer(copy=copy),
        Binarizer(threshold=7.0, copy=copy),
        PowerTransformer(copy=copy),
        QuantileTransformer(n_quantiles=50, copy=copy),
        SimpleImputer(copy=copy),
        function,
    ]


STEPS = {
    **{type(step).__name__: (step, other) for step, other in zip(
        scalers(True), scalers(False), strict=True
    )},
    "Sparse": (Sparse(), Sparse(copy=False)),
    "Alternating": (Alternating(), Alternating(copy=False)),
}  # fmt: skip


def in_frames(step):
    """Return the step, with frames as its output where it knows how."""
    return step.set_output(transform="pandas") if hasattr(step, "set_output") else step


def votes(f, **params):
    """Votes on some rows, which have to be left as they were."""
    kept = X[:8].copy()
    g = SmoothedClassifier(
        f, method="monte_carlo", sigma=1.0, n=200, n0=50, random_state=0, **params
    )
    counts = [g.certify(kept).counts, g.predict_proba(kept)]
    np.testing.assert_array_equal(kept, X[:8])
    return counts


def assert_same_votes(f, other, **params):
    for a, b in zip(votes(f, **params), votes(other, **params), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("frames", [False, True], ids=["arrays", "frames"])
@pytest.mark.parametrize("name", STEPS)
def test_steps_before_a_tree_run_once(name, frames):
    both = []
    for step in STEPS[name]:
        step = in_frames(step) if frames else step
        f = make_pipeline(step, DecisionTreeClassifier(max_depth=4, random_state=0))
        both.append(f.fit(X.copy(), y))
    np.testing.assert_array_equal(*(f.predict(X.copy()) for f in both))
    for shared_noise in (False, True):
        assert_same_votes(*both, shared_noise=shared_noise, batch_size=171)
    assert_same_votes(*both, grid="auto")


@pytest.mark.parametrize("last", [
    RandomForestClassifier(5, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, random_state=0),
    LogisticRegression(),
    MLPClassifier((5,), max_iter=20, random_state=0),
    KNeighborsClassifier(),
], ids=lambda f: type(f).__name__)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_steps_before_other_classifiers_run_once(last):
    both = []
    for copy in (True, False):
        first = in_frames(StandardScaler(copy=copy))
        second = in_frames(RobustScaler(copy=copy)).fit(first.fit_transform(X.copy()))
        f = make_pipeline(first, FrozenEstimator(second), clone(last))
        both.append(f.fit(X.copy(), y))
    for shared_noise in (False, True):
        assert_same_votes(*both, shared_noise=shared_noise)


def test_a_classifier_that_writes_to_its_input():
    def spoils(X):
        labels = (X[:, 0] > 7).astype(int)
        X[:] = np.nan
        return labels

    pure = Fixed(lambda X: (X[:, 0] > 7).astype(int))
    for shared_noise in (False, True):
        assert_same_votes(
            pure, Fixed(spoils), shared_noise=shared_noise, batch_size=171
        )


def test_in_place_while_training():
    kept = X.copy()
    for n_copies in (0, 1):
        f = make_pipeline(StandardScaler(copy=False), DecisionTreeClassifier())
        SmoothedClassifier(f, method="monte_carlo", n_copies=n_copies, n=50).fit(
            kept, y
        )
        np.testing.assert_array_equal(kept, X)


class Gaps(TransformerMixin, BaseEstimator):
    """Writes to X, and makes values missing, which the compiled trees do not take."""

    def __init__(self, copy=True):
        self.copy = copy

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy() if self.copy else X
        X *= 2.0
        X[X[:, 0] > 14.0, 1] = np.nan
        return X


@pytest.mark.parametrize("last", [
    DecisionTreeClassifier(max_depth=4, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, random_state=0),
], ids=lambda f: type(f).__name__)  # fmt: skip
def test_what_the_compiled_trees_do_not_take_has_been_through_the_steps_once(last):
    both = [make_pipeline(Gaps(copy), clone(last)).fit(X.copy(), y) for copy in (1, 0)]
    for shared_noise in (False, True):
        assert_same_votes(*both, shared_noise=shared_noise, batch_size=171)


def test_numbers_too_large_for_trees_are_reported():
    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    f = make_pipeline(FunctionTransformer(np.exp2), tree)
    g = SmoothedClassifier(f, method="monte_carlo", sigma=1.0, n=100, random_state=0)
    with pytest.raises(RuntimeError, match=r"Classifier.predict failed|Pipeline.pred"):
        g.predict(X[:3] + 500)


def test_an_error_in_a_step_is_reported_with_the_batch():
    f = make_pipeline(FunctionTransformer(), DecisionTreeClassifier()).fit(X, y)
    f[0].set_params(func=np.linalg.inv)
    with pytest.raises(RuntimeError, match="Pipeline.predict failed on a batch of"):
        SmoothedClassifier(f, method="monte_carlo", n=20, random_state=0).predict(X[:3])


def test_a_net_that_writes_to_its_input_in_other_modes():
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    class Shift(torch.nn.Module):
        def forward(self, x):
            return x.sub_(7.0)

    torch.manual_seed(0)
    net = torch.nn.Sequential(Shift(), torch.nn.Linear(4, 16), torch.nn.Linear(16, 3))
    rows = X.astype(np.float32)
    results = [
        SmoothedClassifier(
            ModuleClassifier(net), net_options={"mode": mode}, n=200, random_state=0
        ).certify(rows[:10])
        for mode in ("eager", "frozen")
    ]
    np.testing.assert_array_equal(*(result.counts for result in results))
