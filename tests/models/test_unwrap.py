"""Pipelines, FrozenEstimators and fitted searches are looked through, nothing else."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.models._find_nets import net_at_end
from sksmooth.models._linear import linear_scores
from sksmooth.models._mlp import mlp_layers
from sksmooth.models._trees import compiled, is_sum_of_trees
from sksmooth.models._unwrap import Chain, unwrap
from sksmooth.votes._rows import Inputs
from tests.helpers import make_voter

X, y = load_breast_cancer(return_X_y=True)
X, y = X[:120, :4].astype(np.float32), y[:120]
SCALER = StandardScaler()

LOGISTIC = LogisticRegression()
MLP = MLPClassifier((5,), max_iter=5, random_state=0)
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
STUMPS = GradientBoostingClassifier(n_estimators=5, max_depth=1, random_state=0)
FOREST = RandomForestClassifier(5, max_depth=3, random_state=0)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:The total space of parameters"),
]


class OwnPipeline(Pipeline):
    """A subclass may predict anything."""


class OwnFrozen(FrozenEstimator):
    """One that does."""

    def predict(self, X):
        return 1 - self.estimator.predict(X)


class OwnSearch(GridSearchCV):
    """One that does, behind one that is looked through."""

    def predict(self, X):
        return 1 - super().predict(X)


class NamedSearch(GridSearchCV):
    """One that predicts as scikit-learn's own does."""


def search(f, kind=GridSearchCV, **params):
    return kind(f, {}, cv=2, **params)


def nothing(f):
    steps = [("none", None), ("passthrough", "passthrough"), ("scaler", SCALER)]
    return Pipeline([*steps, ("last", "passthrough"), ("f", f)])


def fitted(f):
    return clone(f).fit(X, y)


# What is around the classifier, and the scalers that are in front of it.
AROUND = {
    "nothing": (lambda f: f, []),
    "pipeline": (lambda f: make_pipeline(SCALER, f), [StandardScaler]),
    "pipeline alone": (make_pipeline, []),
    "pipeline in pipeline": (
        lambda f: make_pipeline(SCALER, make_pipeline(MinMaxScaler(), f)),
        [StandardScaler, MinMaxScaler],
    ),
    "steps that do nothing": (nothing, [StandardScaler]),
    "frozen": (lambda f: FrozenEstimator(fitted(f)), []),
    "frozen twice": (lambda f: FrozenEstimator(FrozenEstimator(fitted(f))), []),
    "frozen around a pipeline": (
        lambda f: FrozenEstimator(fitted(make_pipeline(SCALER, f))),
        [StandardScaler],
    ),
    "frozen around a pipeline around frozen": (
        lambda f: FrozenEstimator(
            fitted(make_pipeline(SCALER, FrozenEstimator(fitted(f))))
        ),
        [StandardScaler],
    ),
    "grid": (search, []),
    "randomized": (
        lambda f: RandomizedSearchCV(f, {}, cv=2, n_iter=1, random_state=0),
        [],
    ),
    "halving": (lambda f: search(f, HalvingGridSearchCV, random_state=0), []),
    "subclass of a search": (lambda f: search(f, NamedSearch), []),
    "search around a pipeline": (
        lambda f: search(make_pipeline(SCALER, make_pipeline(MinMaxScaler(), f))),
        [StandardScaler, MinMaxScaler],
    ),
    "pipeline around a search around a pipeline": (
        lambda f: make_pipeline(SCALER, search(make_pipeline(MinMaxScaler(), f))),
        [StandardScaler, MinMaxScaler],
    ),
    "frozen around a search around a search": (
        lambda f: FrozenEstimator(fitted(search(search(make_pipeline(SCALER, f))))),
        [StandardScaler],
    ),
}


@pytest.fixture(params=AROUND)
def around(request):
    return AROUND[request.param]


class TestLooksThrough:
    def test_the_chain(self, around):
        wrap, steps = around
        f = wrap(LOGISTIC).fit(X, y)
        chain = unwrap(f)
        assert type(chain.last) is LogisticRegression
        assert [type(step) for step in chain.steps] == steps
        assert not chain.own
        Z = X
        for step in chain.steps:
            Z = step.transform(Z)
        np.testing.assert_array_equal(chain.last.predict(Z), f.predict(X))

    def test_linear_scores(self, around):
        f = around[0](LOGISTIC).fit(X, y)
        weights, offset = linear_scores(unwrap(f))
        score = X.astype(float) @ weights[0] + offset[0]
        np.testing.assert_array_equal((score > 0).astype(int), f.predict(X))
        bounded = linear_scores(unwrap(f), bounded=True)
        np.testing.assert_array_equal(bounded[0].value, weights)

    def test_layers(self, around):
        chain = unwrap(around[0](MLP).fit(X, y))
        layers = mlp_layers(chain)
        assert layers.weights.shape == (5, 4)
        Z = X.astype(float)
        for step in chain.steps:
            Z = step.transform(Z)
        expected = Z @ chain.last.coefs_[0] + chain.last.intercepts_[0]
        found = X.astype(float) @ layers.weights.T + layers.offset
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)

    def test_trees(self, around):
        wrap, steps = around
        for f in (TREE, FOREST, STUMPS):
            chain = unwrap(wrap(f).fit(X, y))
            model = compiled(chain)
            assert model.last is chain.last
            assert [type(step) for step in model.steps] == steps
            assert is_sum_of_trees(chain) == (not steps)

    @pytest.mark.parametrize("f", [LOGISTIC, TREE, STUMPS], ids=lambda f: str(f)[:8])
    def test_exact_probabilities(self, around, f):
        f = around[0](f).fit(X, y)
        chain = unwrap(f)
        inputs = Inputs.from_array(X[:20], 0.3)
        found = exact_probabilities(f, f.classes_, inputs)
        plain = make_pipeline(*chain.steps, chain.last)
        expected = exact_probabilities(plain, f.classes_, inputs)
        np.testing.assert_array_equal(found, expected)

    def test_a_net(self, around):
        pytest.importorskip("skorch")
        from tests.nets import classifier

        wrap, steps = around
        f = wrap(classifier(max_epochs=1, module__n_outputs=2)).fit(X, y)
        chain = unwrap(f)
        assert net_at_end(chain) is chain.last
        assert [type(step) for step in chain.steps] == steps
        voter = make_voter(f, np.unique(y), Inputs.from_array(X[:5], 0.5))
        assert type(voter).__name__ == "TorchVoter"

    @pytest.mark.parametrize(
        ("f", "voter"),
        [(LOGISTIC, "LinearVoter"), (MLP, "MLPVoter"), (FOREST, "TreesVoter")],
    )
    def test_what_a_search_found_votes_as_it_does_alone(self, f, voter):
        if f is FOREST:
            pytest.importorskip("numba")
        searched = search(make_pipeline(SCALER, f)).fit(X, y)
        alone = searched.best_estimator_
        inputs = Inputs.from_array(X[:5], 0.5)
        counts = []
        for one in (searched, alone):
            assert type(make_voter(one, one.classes_, inputs)).__name__ == voter
            g = SmoothedClassifier(one, sigma=0.5, n=200, n0=20, random_state=0)
            counts.append(g.certify(X[:5]).counts)
        np.testing.assert_array_equal(*counts)


class TestLeavesAlone:
    """Labels of what is left alone are those of its own `predict`."""

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda f: OwnPipeline([("scaler", SCALER), ("f", f)]),
            lambda f: OwnFrozen(fitted(f)),
            lambda f: search(f, OwnSearch),
            lambda f: search(f, refit=False),
            lambda f: CalibratedClassifierCV(f, cv=2),
            lambda f: VotingClassifier([("f", f)]),
            lambda f: BaggingClassifier(f, n_estimators=2),
            lambda f: FixedThresholdClassifier(f),
        ],
    )
    @pytest.mark.parametrize("outside", [lambda f: f, FrozenEstimator, "pipeline"])
    def test_other_kinds(self, wrap, outside):
        f = inner = wrap(LOGISTIC).fit(X, y)
        f = Pipeline([("a", None), ("f", f)]) if outside == "pipeline" else outside(f)
        assert unwrap(f) == Chain((), inner, own=False, searched=False)

    def test_a_search_that_is_not_fitted(self):
        f = search(LOGISTIC)
        assert unwrap(f).last is f
        assert unwrap(make_pipeline(SCALER, f)).last is f

    def test_a_search_that_is_not_to_answer(self):
        f = search(LOGISTIC).fit(X, y).set_params(refit=False)
        assert not hasattr(f, "predict")
        assert unwrap(f).last is f

    @pytest.mark.parametrize("thing", [None, 3, "passthrough", LogisticRegression, X])
    def test_what_is_no_classifier(self, thing):
        assert unwrap(thing).last is thing
        assert net_at_end(unwrap(thing)) is None

    @pytest.mark.parametrize("f", [LOGISTIC, MLP, TREE, FOREST], ids=lambda f: str(f))
    @pytest.mark.parametrize("level", range(5))
    def test_predict_replaced_at_each_level(self, f, level):
        tree = fitted(search(make_pipeline(SCALER, f)))
        outer = FrozenEstimator(make_pipeline(MinMaxScaler().fit(X), tree))
        inner = tree.best_estimator_
        levels = [outer, outer.estimator, tree, inner, inner.steps[-1][1]]
        n_steps = [0, 0, 1, 1, 2]
        one = levels[level]
        one.predict = lambda X: np.ones(len(X), int)
        chain = unwrap(outer)
        assert (chain.last, len(chain.steps)) == (one, n_steps[level])
        assert chain.own
        assert linear_scores(chain) is None
        assert mlp_layers(chain) is None
        assert compiled(chain) is None
        assert not is_sum_of_trees(chain)
        assert net_at_end(chain) is None
        inputs = Inputs.from_array(X[:5], 0.5)
        with pytest.raises(ValueError, match="cannot compute the class probabilities"):
            exact_probabilities(outer, np.arange(2), inputs)
        assert type(make_voter(outer, np.arange(2), inputs)).__name__ == "AnyVoter"

    def test_predict_replaced_on_a_net(self):
        pytest.importorskip("skorch")
        from tests.nets import classifier

        f = classifier(max_epochs=1, module__n_outputs=2).fit(X, y)
        f.predict = lambda X: np.ones(len(X), int)
        assert net_at_end(unwrap(make_pipeline(SCALER, f))) is None

    @pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
    def test_what_predict_asks_replaced_on_trees(self, method):
        f = fitted(FOREST)
        setattr(f, method, lambda X: np.ones((len(X), 2)))
        assert compiled(unwrap(make_pipeline(SCALER, f))) is None

    def test_steps_that_are_not_affine(self):
        f = make_pipeline(SCALER, GaussianNB()).fit(X, y)
        chain = unwrap(f)
        assert linear_scores(chain) is mlp_layers(chain) is compiled(chain) is None
        scaler = fitted(SCALER)
        scaler.transform = lambda X: X
        for last in (LOGISTIC, MLP):
            chain = unwrap(make_pipeline(make_pipeline(scaler), fitted(last)))
            assert linear_scores(chain) is mlp_layers(chain) is None
