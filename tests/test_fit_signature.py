"""What others see of `fit`, and what reaches the base through it."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import has_fit_parameter

from sksmooth import SmoothedClassifier

X, y = load_iris(return_X_y=True)
WEIGHTED = [GaussianNB(), LogisticRegression(), DecisionTreeClassifier()]
UNWEIGHTED = [
    KNeighborsClassifier(),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(StandardScaler(), KNeighborsClassifier()),
    GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [3]}, cv=2),
    FrozenEstimator(KNeighborsClassifier().fit(X, y)),
    OneVsRestClassifier(KNeighborsClassifier()),
]


def smoothed(base, **params):
    return SmoothedClassifier(base, n=100, random_state=0, **params)


def name_of(base):
    return type(base).__name__


@pytest.mark.parametrize("base", WEIGHTED, ids=name_of)
def test_weights_are_claimed_where_the_base_takes_them(base):
    for g in (smoothed(base), smoothed(smoothed(base))):
        assert has_fit_parameter(g, "sample_weight")
        assert list(inspect.signature(g.fit).parameters) == [
            "X",
            "y",
            "sample_weight",
            "params",
        ]


@pytest.mark.parametrize("base", UNWEIGHTED, ids=name_of)
def test_weights_are_not_claimed_where_the_base_does_not(base):
    for g in (smoothed(base), smoothed(smoothed(base)), clone(smoothed(base))):
        assert not has_fit_parameter(g, "sample_weight")
        assert list(inspect.signature(g.fit).parameters) == ["X", "y", "params"]


def test_the_signature_follows_the_base():
    g = smoothed(KNeighborsClassifier())
    assert not has_fit_parameter(g, "sample_weight")
    g.set_params(estimator=GaussianNB())
    assert has_fit_parameter(g, "sample_weight")
    assert "sample_weight" in inspect.signature(SmoothedClassifier.fit).parameters
    assert SmoothedClassifier.fit.__doc__ == g.fit.__doc__
    assert smoothed(KNeighborsClassifier()).fit.__doc__ == g.fit.__doc__
    assert g.fit.__name__ == "fit"
    fit = pickle.loads(pickle.dumps(g)).fit
    assert has_fit_parameter(fit.__self__, "sample_weight")


@pytest.mark.parametrize("base", [None, 3, object()], ids=["none", "number", "object"])
def test_what_is_no_estimator_is_refused_by_name(base):
    with pytest.raises((TypeError, ValueError), match="'estimator' parameter|class"):
        SmoothedClassifier(base).fit(X, y)


class Subclass(SmoothedClassifier):
    def fit(self, X, y, **params):
        return super().fit(X, y, **params)


def test_a_subclass_may_call_it():
    assert Subclass(KNeighborsClassifier(), n=100).fit(X, y).score(X, y) > 0.5
    weighted = Subclass(GaussianNB(), n=100).fit(X, y, sample_weight=np.ones(150))
    assert weighted.score(X, y) > 0.5


@pytest.mark.parametrize("how", ["positional", "keyword"])
def test_weights_that_nothing_takes(how):
    g = smoothed(KNeighborsClassifier())
    args = ([np.ones(150)], {}) if how == "positional" else ([], {})
    if how == "keyword":
        args = ([], {"sample_weight": np.ones(150)})
    with pytest.raises(ValueError, match="KNeighborsClassifier.fit takes no sample_w"):
        g.fit(X, y, *args[0], **args[1])
    assert smoothed(KNeighborsClassifier()).fit(X, y, None).score(X, y) > 0.5


# What each does with a base without sample_weight, it does with the wrapped one. (A
# frozen one knows neither scaled inputs nor other labels.)
@pytest.mark.parametrize(
    "base", [f for f in UNWEIGHTED if not isinstance(f, FrozenEstimator)], ids=name_of
)
@pytest.mark.parametrize(
    "ensemble",
    [
        lambda f: BaggingClassifier(f, n_estimators=2, random_state=0),
        lambda f: CalibratedClassifierCV(f, cv=2),
        lambda f: VotingClassifier([("a", f), ("b", GaussianNB())], voting="soft"),
        lambda f: StackingClassifier([("a", f), ("b", GaussianNB())], cv=2),
        lambda f: make_pipeline(StandardScaler(), f),
        lambda f: OneVsRestClassifier(f),
    ],
    ids=["bagging", "calibrated", "voting", "stacking", "pipeline", "one-vs-rest"],
)
@pytest.mark.parametrize("routing", [False, True])
def test_ensembles(base, ensemble, routing):
    with config_context(enable_metadata_routing=routing):
        assert ensemble(smoothed(base)).fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("base", WEIGHTED, ids=name_of)
def test_boosting_uses_the_weights(base):
    boosted = AdaBoostClassifier(smoothed(base), n_estimators=2, random_state=0)
    assert boosted.fit(X, y).score(X, y) > 0.8


def test_boosting_says_what_it_lacks():
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        AdaBoostClassifier(smoothed(KNeighborsClassifier())).fit(X, y)
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        AdaBoostClassifier(KNeighborsClassifier()).fit(X, y)


@pytest.mark.parametrize("base", WEIGHTED + UNWEIGHTED, ids=name_of)
@config_context(enable_metadata_routing=True)
def test_fit_with_routing_and_nothing_to_route(base):
    assert smoothed(base).fit(X, y).score(X, y) > 0.3


class Remembers(ClassifierMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None):
        self.weight_, self.classes_ = sample_weight, np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


@pytest.mark.parametrize(
    "convert",
    [
        lambda w: w,
        list,
        lambda w: w[:, None],
        lambda w: pytest.importorskip("pandas").Series(w, index=range(500, 650)),
        lambda w: pytest.importorskip("pandas").DataFrame({"w": w}),
        lambda w: pytest.importorskip("polars").Series(w),
        lambda w: pytest.importorskip("torch").tensor(w),
    ],
    ids=["array", "list", "column", "series", "frame", "polars", "torch"],
)
@pytest.mark.parametrize("routing", [False, True])
def test_weights_in_any_container(convert, routing):
    weight = np.random.default_rng(0).random(150)
    with config_context(enable_metadata_routing=routing):
        base = Remembers()
        if routing:
            base.set_fit_request(sample_weight=True)
        g = smoothed(base, n_copies=2).fit(X, y, sample_weight=convert(weight))
    assert g.estimator_.weight_.shape == (300,)
    np.testing.assert_array_equal(np.sort(g.estimator_.weight_)[::2], np.sort(weight))


@pytest.mark.parametrize("bad", [1.0, np.ones((150, 2)), np.ones((1, 150)), [[1], []]])
def test_weights_of_another_shape(bad):
    with pytest.raises(ValueError, match="sample_weight should be a 1d array"):
        smoothed(GaussianNB()).fit(X, y, sample_weight=bad)
