import warnings

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    SmoothedClassifier,
    average_certified_radius_score,
    certified_accuracy_score,
    certified_accuracy_scorer,
    certified_accuracy_scorers,
)
from sksmooth.votes._voting import Voting

X, y = load_iris(return_X_y=True)
PAIR = ([0, 1, 1, -1, 2], [0.9, 0.4, 0.7, 0.0, 0.4])
TRUE = [0, 1, 0, 1, 2]


def smoothed(**params):
    defaults = {"n": 500, "stopping": "fixed", "random_state": 0}
    return SmoothedClassifier(GaussianNB(), **{**defaults, **params})


def test_certified_accuracy():
    score = certified_accuracy_score
    assert score(TRUE, PAIR) == 0.6
    assert score(TRUE, PAIR, radius=0.4) == 0.6
    assert score(TRUE, PAIR, radius=0.4000001) == 0.2
    assert score(TRUE, PAIR, radius=1.0) == 0
    radii = np.array([[0, 0.4], [0.5, 2.0]])
    np.testing.assert_allclose(score(TRUE, PAIR, radius=radii), [[0.6, 0.6], [0.2, 0]])
    weight = [1, 2, 3, 4, 5]
    assert score(TRUE, PAIR, sample_weight=weight) == pytest.approx(8 / 15)


def test_average_certified_radius_is_the_area_under_the_curve():
    score = average_certified_radius_score(TRUE, PAIR)
    assert score == pytest.approx(1.7 / 5)
    radii = np.linspace(0, 1, 100_001)[1:]
    curve = certified_accuracy_score(TRUE, PAIR, radius=radii)
    assert curve.mean() == pytest.approx(score, abs=1e-4)
    weight = [1, 2, 3, 4, 5]
    weighted = average_certified_radius_score(TRUE, PAIR, sample_weight=weight)
    assert weighted == pytest.approx((0.9 + 0.8 + 2.0) / 15)


def test_without_abstention_an_uncertified_answer_does_not_count():
    """abstain_label=None names a class with radius 0: not certified at radius 0."""
    assert certified_accuracy_score([0, 1], ([0, 1], [0.0, 0.1])) == 0.5


@pytest.mark.parametrize("radius", [-0.1, np.nan, np.inf, [0.1, -1]])
def test_bad_radius(radius):
    message = "must be a finite number >= 0"
    with pytest.raises(ValueError, match=message):
        certified_accuracy_score(TRUE, PAIR, radius=radius)
    with pytest.raises(ValueError, match=message):
        certified_accuracy_scorer(radius)
    with pytest.raises(ValueError, match=message):
        certified_accuracy_scorers(np.atleast_1d(radius))


def test_bad_arguments():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        certified_accuracy_score(TRUE[:3], PAIR)
    with pytest.raises(ValueError, match="labels of different kinds"):
        certified_accuracy_score(["a"] * 5, PAIR)
    with pytest.raises(ValueError, match="use certified_accuracy_scorers"):
        certified_accuracy_scorer([0.1, 0.2])
    with pytest.raises(ValueError, match="use certified_accuracy_scorer for one"):
        certified_accuracy_scorers(0.1)
    with pytest.raises(ValueError, match="non-empty"):
        certified_accuracy_scorers([])
    with pytest.raises(ValueError, match="must differ"):
        certified_accuracy_scorers([0.1, 0.1])


def test_scorer_equals_the_score():
    g = smoothed().fit(X, y)
    expected = certified_accuracy_score(y, g.certify(X), radius=[0.1, 0.3])
    assert certified_accuracy_scorer(0.1)(g, X, y) == expected[0]
    assert certified_accuracy_scorers([0.1, 0.3])(g, X, y) == {
        "certified_accuracy_0.1": expected[0],
        "certified_accuracy_0.3": expected[1],
    }
    weight = np.arange(150)
    weighted = certified_accuracy_scorer(0.1)(g, X, y, sample_weight=weight)
    assert weighted == certified_accuracy_score(
        y, g.certify(X), radius=0.1, sample_weight=weight
    )


def test_votes_are_drawn_once_for_all_radii(monkeypatch):
    calls = []
    draw = Voting.draw

    def counting(self, purpose, *args, **kwargs):
        calls.append(purpose)
        return draw(self, purpose, *args, **kwargs)

    monkeypatch.setattr(Voting, "draw", counting)
    g = smoothed().fit(X, y)
    certified_accuracy_scorers([0, 0.1, 0.2, 0.3])(g, X, y)
    assert calls == ["estimate"]


def test_multi_metric_search():
    search = GridSearchCV(
        smoothed(),
        {"sigma": [0.1, 0.3]},
        scoring=certified_accuracy_scorers([0, 0.2]),
        refit="certified_accuracy_0.2",
        cv=3,
    ).fit(X, y)
    for radius in ("0", "0.2"):
        assert f"mean_test_certified_accuracy_{radius}" in search.cv_results_
    assert search.best_params_ == {"sigma": 0.3}


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_cross_validation(n_jobs):
    scores = cross_val_score(
        smoothed(), X, y, scoring=certified_accuracy_scorer(0.1), cv=3, n_jobs=n_jobs
    )
    assert scores.min() > 0.5
    results = cross_validate(
        smoothed(), X, y, scoring=certified_accuracy_scorers([0.1]), cv=3, n_jobs=n_jobs
    )
    np.testing.assert_array_equal(results["test_certified_accuracy_0.1"], scores)


def test_metadata_routing():
    weight = np.arange(150.0)
    with sklearn.config_context(enable_metadata_routing=True):
        g = SmoothedClassifier(
            GaussianNB().set_fit_request(sample_weight=True), n=200, random_state=0
        )
        scorer = certified_accuracy_scorer(0.1).set_score_request(sample_weight=True)
        weighted = cross_val_score(
            g, X, y, scoring=scorer, cv=3, params={"sample_weight": weight}
        )
        scorer = certified_accuracy_scorer(0.1).set_score_request(sample_weight=False)
        plain = cross_val_score(
            g, X, y, scoring=scorer, cv=3, params={"sample_weight": weight}
        )
    assert not np.array_equal(weighted, plain)


@pytest.mark.parametrize(
    "estimator",
    [make_pipeline(StandardScaler(), smoothed()), GaussianNB()],
    ids=["pipeline", "plain"],
)
def test_estimator_without_certify(estimator):
    for scorer in (certified_accuracy_scorer(0.1), certified_accuracy_scorers([0.1])):
        with pytest.raises(TypeError, match="Put SmoothedClassifier outermost"):
            scorer(estimator.fit(X, y), X, y)


def test_warns_once_about_a_radius_that_cannot_be_reached():
    scorer = certified_accuracy_scorer(1.0)
    message = (
        r"radius 1 can never be certified: sigma=0.25, n=500 and alpha=0.001 reach "
        r"0.551 at most; n = 218105 would do"
    )
    with pytest.warns(UserWarning, match=message) as record:
        cross_val_score(smoothed(), X, y, scoring=scorer, cv=3)
    assert len(record) == 1
    with pytest.warns(UserWarning, match="choose a larger sigma"):
        certified_accuracy_scorers([0.1, 9.0])(smoothed().fit(X, y), X, y)


def test_no_warning_about_a_radius_that_can_be_reached():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        certified_accuracy_scorer(0.55)(smoothed().fit(X, y), X, y)
        # with an array of sigmas, radii are in units of sigma
        g = smoothed(sigma=[0.1, 0.1, 0.1, 0.0]).fit(X, y)
        certified_accuracy_scorer(2.0)(g, X, y)


def test_repr():
    assert repr(certified_accuracy_scorer(0.5)) == "certified_accuracy_scorer(0.5)"
    assert repr(certified_accuracy_scorers([0, 1])) == (
        "certified_accuracy_scorers([0.0, 1.0])"
    )
