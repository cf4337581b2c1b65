"""Split noise in the classifier: all inputs of a small grid are asked."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.noise import Split
from sksmooth.noise._split import split_copies

from .helpers import Fixed, halfspace

X, Y = load_digits(n_class=3, return_X_y=True)


def same(one, other):
    for name in ("prediction", "radius", "counts", "n_used", "certified"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def smooth(f=None, levels=16, step=1.0, **settings):
    f = f or DecisionTreeClassifier(random_state=0)
    settings = {"noise": Split(levels, step), "random_state": 0, **settings}
    return SmoothedClassifier(f, **settings)


@pytest.mark.parametrize("levels, seed", [(1, 0), (3, 1), (4, 2), (5, 3)])
def test_no_input_within_a_radius_has_another_class(levels, seed):
    step, size = 0.25, 6
    tables = np.random.default_rng(seed).integers(0, 3, (9, 9))
    tables[:3] = 1  # so that there is a majority somewhere

    def f(X):
        steps = np.floor(X / step).astype(int)
        return tables[steps[:, 0] % 9, steps[:, 1] % 9]

    grid = np.array(list(product(range(size), repeat=2)))
    g = smooth(Fixed(f, (0, 1, 2)), levels, step)
    certificate = g.certify(grid * step)
    assert certificate.norm == "l1" and certificate.alpha == 0
    assert np.all(certificate.n_used == levels) and np.all(certificate.certified)
    distance = np.abs(grid[:, None] - grid[None]).sum(axis=2) * step
    differ = certificate.prediction[:, None] != certificate.prediction[None]
    nearest = np.where(differ, distance, np.inf).min(axis=1)
    assert np.all(certificate.radius < nearest)
    # Some are certified as far as they can be, and some inputs do differ.
    if levels > 1:
        assert np.any(np.isfinite(nearest))
        assert certificate.radius.max() >= step
    np.testing.assert_array_equal(g.predict(grid * step), certificate.prediction)
    np.testing.assert_array_equal(
        g.predict_proba(grid * step), certificate.counts / levels
    )


def test_every_copy_is_asked_once():
    seen = []

    def f(X):
        seen.append(X.copy())
        return np.zeros(len(X), int)

    x = np.array([[3.0, 7.0, 0.0]])
    smooth(Fixed(f), levels=8).certify(x)
    votes = np.concatenate(seen)[-8:]
    offsets = (np.random.SFC64(8).random_raw(3) % 8).astype(int)
    copies = split_copies(x.astype(int), offsets, 8, range(8))[0]
    assert sorted(votes.tolist()) == sorted(copies.tolist())


class TestInvariances:
    def test_batches_workers_order_stores_and_sharing(self, tmp_path):
        g = smooth().fit(X[:100], Y[:100])
        one = g.certify(X[100:130], store=tmp_path / "votes")
        same(g.certify(X[100:130], store=tmp_path / "votes"), one)
        same(g.set_params(batch_size=7).certify(X[100:130]), one)
        same(g.set_params(shared_noise=True).certify(X[100:130]), one)
        g.set_params(batch_size="auto")
        same(g.certify(X[100:130]), one)
        with parallel_config(backend="threading"):
            same(
                g.set_params(n_jobs=2)
                .certify(X[129:99:-1])
                .select(slice(None, None, -1)),
                one,
            )

    def test_it_is_one_function_of_the_input(self):
        """Neither alpha, n nor the seed have a part in it, once f is trained."""
        f = DecisionTreeClassifier(random_state=0).fit(X, Y)
        one = smooth(f).certify(X[:20])
        same(smooth(f, random_state=1, alpha=0.5, n=7, sigma=3.0).certify(X[:20]), one)
        assert one.recertify(alpha=0.1).radius.tolist() == one.radius.tolist()
        with pytest.raises(ValueError, match="no votes to project"):
            one.recertify(n=10)

    def test_missing_values_stay_missing(self):
        Z = X.copy()
        Z[::7, 5] = np.nan
        g = smooth().fit(Z, Y)
        assert np.all(g.certify(Z[:20]).n_used == 16)


class TestScores:
    def test_closed_balls_in_whole_steps(self):
        g = smooth(levels=30, step=1 / 16).fit(X / 16, Y)
        certificate = g.certify(X / 16)
        steps = certificate.radius * 16
        assert np.allclose(steps, np.rint(steps), rtol=1e-12)
        right = certificate.prediction == Y
        for k in range(1, 15):
            correct = g.certified_correct(X / 16, Y, k / 16, norm="l1")
            np.testing.assert_array_equal(correct, right & (np.rint(steps) >= k))
            between = g.certified_correct(X / 16, Y, (k - 0.5) / 16, norm="l1")
            np.testing.assert_array_equal(between, correct)

    def test_searches_over_levels(self):
        search = GridSearchCV(
            smooth(step=1),
            {"noise__levels": [2, 12]},
            cv=2,
            scoring=certified_accuracy_scorer(3, norm="l1"),
            error_score="raise",
        )
        with pytest.warns(UserWarning, match="radius 3 can never be certified"):
            search.fit(X[:100], Y[:100])
        assert search.best_params_ == {"noise__levels": 12}
        assert search.best_estimator_.max_certifiable_radius(norm="l1") >= 6
        assert search.best_estimator_.required_samples(5, norm="l1") == 0

    def test_norms(self):
        certificate = smooth().fit(X, Y).certify(X[:9])
        np.testing.assert_allclose(certificate.radius_for("l2"), certificate.radius / 8)


def test_values_off_the_grid_by_less_than_radii_can_notice():
    """With 1,200 levels a thousandth of a step adds up to more than one."""
    x = np.full((1, 4000), 5.0)
    f = Fixed(lambda X: np.zeros(len(X), int))
    smooth(f, levels=100).certify(x + 0.9e-3)
    smooth(f, levels=1200).certify(x + 0.2e-3)
    with pytest.raises(ValueError, match="not whole multiples"):
        smooth(f, levels=1200).certify(x + 0.9e-3)


class TestPlanning:
    def test_reaches_half_of_the_levels(self):
        for f in (GaussianNB(), halfspace([1.0, 2.0]), LogisticRegression()):
            g = smooth(f, np.int64(16))
            assert g.max_certifiable_radius(norm="l1") == pytest.approx(8)
            assert g.required_samples(8, norm="l1") == 0
            with pytest.raises(ValueError, match="choose more levels"):
                g.required_samples(9, norm="l1")

    def test_frames_of_integers_floats_and_flags(self):
        frame = pd.DataFrame(
            {"a": [1, 2, 3, 4], "b": [0.0, 1, 2, 3], "c": [True, False] * 2}
        )
        y = [0, 1, 0, 1]
        one = smooth(GaussianNB(), 4).fit(frame, y).certify(frame)
        same(smooth(GaussianNB(), 4).fit(frame.astype(float), y).certify(frame), one)


class TestErrors:
    def test_data_off_the_grid(self):
        g = smooth()
        with pytest.raises(ValueError, match="grid of step 1.0, but 1 of"):
            g.fit(X + np.eye(*X.shape) * (np.arange(len(X)) == 3)[:, None] * 0.5, Y)
        with pytest.raises(ValueError, match="not whole multiples"):
            g.fit(X, Y).predict(X[:2] + 0.25)

    @pytest.mark.parametrize(
        "settings, message",
        [
            ({"grid": "auto"}, "noise that can be rounded"),
            ({"sigma": np.ones(64)}, "leave sigma a single number"),
            ({"method": "exact"}, "Leave method out"),
            ({"categorical_features": [0]}, "lists its copies"),
            ({"noise": Split(0, 1)}, "levels must be a whole number"),
            ({"noise": Split(2.5, 1)}, "levels must be a whole number"),
            ({"noise": Split(2.0, 1)}, "levels must be a whole number"),
            ({"noise": Split(2, 0)}, "step must be a positive number"),
            ({"noise": Split(2, None)}, "step must be a positive number"),
        ],
    )
    def test_what_does_not_go_together(self, settings, message):
        with pytest.raises(ValueError, match=message):
            smooth(**settings).fit(X, Y).certify(X[:2])


def test_training_copies_are_copies():
    class Sees(GaussianNB):
        def fit(self, X, y):
            Sees.seen = X
            return super().fit(X, y)

    smooth(Sees(), levels=8, n_copies=3).fit(X[:50], Y[:50])
    offsets = (np.random.SFC64(8).random_raw(64) % 8).astype(int)
    copies = split_copies(X[:50].astype(int), offsets, 8, range(8))
    numbers = []
    for row in range(50):
        found = [
            copies[row].tolist().index(Sees.seen[row + 50 * k].tolist())
            for k in range(3)
        ]
        assert len(set(found)) == 3
        numbers.append(found[0])
    assert len(set(numbers)) == 8


def test_nets_behind_steps_are_asked_through_them():
    pytest.importorskip("skorch")
    from .nets import classifier

    f = make_pipeline(StandardScaler(), classifier(module__n_features=64))
    g = smooth(f, levels=4).fit(X.astype(np.float32), Y)
    some = X[:5].astype(np.float32)
    counts = g.certify(some).counts
    offsets = (np.random.SFC64(4).random_raw(64) % 4).astype(int)
    copies = split_copies(X[:5].astype(int), offsets, 4, range(4)).astype(np.float32)
    labels = g.estimator_.predict(copies.reshape(-1, 64)).reshape(5, 4)
    expected = [np.bincount(one, minlength=3) for one in labels]
    np.testing.assert_array_equal(counts, expected)
