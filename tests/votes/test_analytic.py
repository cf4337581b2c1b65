"""method="analytic": bounds on the probabilities of linear classifiers."""

import mpmath
import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.exact._bivariate import joint_below
from sksmooth.exact._multiclass import Rivals, analytic_bounds
from sksmooth.models._unwrap import unwrap
from sksmooth.noise import Gaussian
from sksmooth.votes._rows import Inputs

X, y = load_iris(return_X_y=True)


def linear(weights, offset=None):
    """A linear classifier with these scores."""
    f = LogisticRegression()
    f.coef_ = np.array(weights, float)
    f.intercept_ = np.zeros(len(f.coef_)) if offset is None else np.array(offset, float)
    f.classes_, f.n_features_in_ = np.arange(len(f.coef_)), f.coef_.shape[1]
    return f


def bounds(f, x, sigma=1.0):
    return analytic_bounds(f, f.classes_, Inputs.from_array(np.array(x), sigma))


def true_probabilities(scores):
    """P(score + N(0, I) is the highest) for each class, by integration."""
    t, step = np.linspace(-9, 9, 301, retstep=True)
    density = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    found = []
    for c in range(scores.shape[-1]):
        others = np.delete(scores, c, axis=-1)
        ahead = scores[..., c, None] - others
        below = np.ones((*scores.shape[:-1], len(t)))
        for j in range(others.shape[-1]):
            below *= ndtr(t + ahead[..., j, None])
        found.append((density * below).sum(axis=-1) * step)
    return np.stack(found, axis=-1)


def joint(u, v, rho):
    """P(X <= u, Y <= v) with 18 digits or so, relative."""
    mpmath.mp.dps = 22
    u, v, rho = mpmath.mpf(u), mpmath.mpf(v), mpmath.mpf(rho)
    s = mpmath.sqrt((1 - rho) * (1 + rho))

    def density(w):
        return mpmath.exp(u * w - w * w / 2) * mpmath.ncdf((v - rho * (u - w)) / s)

    # Relative to its largest value, which may be tiny.
    turn = u - v / rho  # where the other factor rises from 0 to 1
    ends = {turn + k * s / abs(rho) for k in range(-8, 9, 2)}
    ends = sorted({w for w in ends if 0 < w < 12} | set(mpmath.linspace(0, 12, 7)))
    scale = max(density(end) for end in mpmath.linspace(0, 12, 49))
    integral = mpmath.quad(lambda w: density(w) / scale, ends)
    return integral * scale * mpmath.exp(-u * u / 2) / mpmath.sqrt(2 * mpmath.pi)


class TestBivariate:
    def test_is_below_and_close(self):
        rng = np.random.default_rng(0)
        n = 10
        u, v = -(10 ** rng.uniform(-2, 0.9, (2, n)))
        rho = np.tanh(rng.uniform(-2, 6, n))
        found = joint_below(u, v, rho)
        for one, *case in zip(found, u, v, rho, strict=True):
            exact = joint(*case)
            assert one <= exact
            # Relative to what it is taken off from.
            assert exact - one <= 1e-12 * ndtr(max(case[:2]))
        independent = joint_below(u, v, 0.0)
        np.testing.assert_allclose(
            independent, ndtr(u) * ndtr(v), atol=1e-13, rtol=1e-9
        )

    def test_edges(self):
        # 1/4 + arcsin(rho) / (2 pi) at 0.
        rho = np.array([-0.9, 0.0, 0.5, 0.999_999])
        expected = 0.25 + np.arcsin(rho) / (2 * np.pi)
        found = joint_below(0.0, 0.0, rho)
        assert np.all(found <= expected) and np.all(found > expected - 2e-8)
        for case in (
            (-1, -np.inf, 0.5),
            (-40, -1, 0.5),
            (-1, -1, -np.inf),
            (-1, -1, -1),
        ):
            assert joint_below(*case) == 0
        # Nearly the same number: no more than either, and nearly that.
        almost = joint_below(-3.0, -3.0, 1 - 1e-12)
        assert ndtr(-3) * (1 - 1e-5) < almost < ndtr(-3)


class TestBounds:
    def test_reference_values(self):
        selected, rest, runner_up = bounds(
            linear(np.eye(3)), [[2, 1, 0], [3, 1, 0], [5, 1, 1]]
        )
        np.testing.assert_array_equal(selected, 0)
        np.testing.assert_allclose(
            rest, [0.27124898, 0.08845789, 0.00450348], atol=1e-8
        )
        np.testing.assert_allclose(
            -ndtri(rest)[[0, 2]], [0.60903993, 2.61179003], atol=1e-8
        )
        np.testing.assert_allclose(runner_up, ndtr([-1 / 2**0.5, -(2**0.5), -(8**0.5)]))

    def test_three_classes_are_exact(self):
        # Two rivals: one pair, and the union is what the bound says.
        scores = np.random.default_rng(0).normal(0, 1.5, (200, 3))
        selected, rest, _ = bounds(linear(np.eye(3)), scores)
        exact = true_probabilities(scores)
        wins = exact[np.arange(200), selected]
        np.testing.assert_allclose(rest, 1 - wins, atol=1e-12)
        np.testing.assert_array_equal(selected, exact.argmax(axis=1))

    @pytest.mark.parametrize("n_classes", [4, 10, 40])
    def test_above_the_truth_and_below_the_sum(self, n_classes):
        scores = np.random.default_rng(1).normal(0, 1.2, (40, n_classes))
        scores[:, 0] += 2
        selected, rest, runner_up = bounds(linear(np.eye(n_classes)), scores)
        exact = true_probabilities(scores)
        wins = np.take_along_axis(exact, selected[:, None], axis=1)
        np.put_along_axis(exact, selected[:, None], 0, axis=1)
        assert np.all(rest >= 1 - wins[:, 0] - 1e-12)
        assert np.all(runner_up >= exact.max(axis=1) - 1e-12)
        ahead = np.take_along_axis(scores, selected[:, None], axis=1) - scores
        sums = ndtr(-ahead / 2**0.5).sum(axis=1) - 0.5
        assert np.all(rest < np.minimum(sums, 1) + 1e-12)
        clear = sums < 0.5
        assert np.mean(rest[clear] / sums[clear]) < 0.95

    def test_rounding_is_on_the_safe_side(self):
        # Three classes, so that the bound is the truth: it may not fall below that of
        # the stored numbers, however steps in front have rounded.
        rng = np.random.default_rng(2)
        for _ in range(4):
            scaler = StandardScaler().fit(rng.normal(1e4, 3, (20, 2)))
            f = linear(rng.normal(size=(3, 2)), rng.normal(size=3))
            x = scaler.mean_ + scaler.scale_ * rng.normal(0, 4, 2)
            sigma = np.array([1.3, 0.4])
            selected, rest, _ = bounds(make_pipeline(scaler, f), x[None], sigma)
            mpmath.mp.dps = 22
            exact = [mpmath.mpf(float(v)) for v in scaler.scale_]
            w = [
                [mpmath.mpf(float(v)) / s for v, s in zip(row, exact, strict=True)]
                for row in f.coef_
            ]
            moved = [
                mpmath.mpf(float(a)) - mpmath.mpf(float(m))
                for a, m in zip(x, scaler.mean_, strict=True)
            ]
            own = int(selected[0])
            u, vectors = [], []
            for c in {0, 1, 2} - {own}:
                less = [a - b for a, b in zip(w[own], w[c], strict=True)]
                ahead = sum(a * b for a, b in zip(less, moved, strict=True))
                ahead += mpmath.mpf(float(f.intercept_[own])) - mpmath.mpf(
                    float(f.intercept_[c])
                )
                vector = [a * mpmath.mpf(s) for a, s in zip(less, sigma, strict=True)]
                size = mpmath.sqrt(sum(a * a for a in vector))
                u.append(-ahead / size)
                vectors.append([a / size for a in vector])
            rho = sum(a * b for a, b in zip(*vectors, strict=True))
            rivals = Rivals(
                unwrap(make_pipeline(scaler, f)), own, Gaussian().bind(sigma)
            )
            assert rho - 1e-6 < rivals._correlations(np.arange(2))[0, 1] <= rho
            truth = mpmath.ncdf(u[0]) + mpmath.ncdf(u[1]) - joint(*u, rho)
            assert rest[0] >= truth
            assert rest[0] <= truth * (1 + 1e-6) + 1e-12

    def test_pairs_of_each_input(self, monkeypatch):
        """With very many rivals the pairs of each input are looked at by themselves."""
        X, y = load_digits(return_X_y=True)
        f = LinearDiscriminantAnalysis().fit(X, y)
        X = X[y == 3][:30]
        noise = Gaussian().bind(np.linspace(0, 3, 64))
        together = Rivals(unwrap(f), 3, noise).bounds(X)
        monkeypatch.setattr("sksmooth.exact._multiclass._FEW_RIVALS", 0)
        apart = Rivals(unwrap(f), 3, noise).bounds(X)
        np.testing.assert_allclose(apart, together, rtol=1e-9)
        assert np.any(together[0] > together[1] * 1.01)

    def test_equal_weights(self):
        weights = [[1, 0], [1, 0], [0, 1]]
        x = [[1.0, 0.5]]
        # The first of equal scores is predicted, so the second never is.
        assert bounds(linear(weights), x)[0] == 0
        np.testing.assert_allclose(bounds(linear(weights), x)[1], ndtr(-0.5 / 2**0.5))
        # Here the other is never predicted, whatever the noise.
        selected, rest, _ = bounds(linear(weights, [0, 1, 0]), x)
        assert selected == 1
        np.testing.assert_allclose(rest, ndtr(-1.5 / 2**0.5))
        # Asked about the second of equal ones, the first wins for sure.
        rivals = Rivals(unwrap(linear(weights)), 1, Gaussian().bind(np.ones(2)))
        np.testing.assert_array_equal(rivals.bounds(np.array(x)), [[1.0], [1.0]])
        # No noise where classes differ: no other class can be.
        _, rest, _ = bounds(linear([[1, 0], [0, 0], [-1, 0]]), x, np.array([0.0, 1.0]))
        assert rest == 0

    def test_equal_weights_behind_a_scaler(self):
        f = linear([[1 / 3, 0.1], [1 / 3, 0.1], [0, 1]], [0.5, 0, 0])
        g = make_pipeline(StandardScaler().fit(X[:, :2]), f)
        rivals = Rivals(unwrap(g), 0, Gaussian().bind(np.ones(2)))
        assert rivals.model.level.is_0.tolist() == [True, False]

    def test_no_attack_at_the_boundary(self):
        rng = np.random.default_rng(3)
        scores = rng.normal(0, 1, (30, 4)) + [3, 0, 0, 0]
        g = SmoothedClassifier(linear(np.eye(4)), sigma=1.0, method="analytic")
        found = g.certify(scores)
        far = np.flatnonzero(found.radius > 0)
        assert len(far) > 20
        for i in far:
            # Towards each rival, all of them, and anywhere.
            towards = np.eye(4) - np.eye(4)[found.prediction[i]]
            ways = np.concatenate(
                [towards, [towards.sum(axis=0)], rng.normal(size=(40, 4))]
            )
            ways = ways[np.any(ways != 0, axis=1)]
            ways /= np.linalg.norm(ways, axis=1, keepdims=True)
            moved = true_probabilities(scores[i] + ways * found.radius[i])
            assert np.all(moved.argmax(axis=1) == found.prediction[i])
        # With one rival that matters, the radius is the distance.
        one = g.certify(np.array([[1.0, 0, -50, -50]])).radius[0]
        assert 0.999_999 < one * 2**0.5 < 1


BASES = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "lda": LinearDiscriminantAnalysis(),
    "ridge": RidgeClassifier(),
    "pca": make_pipeline(StandardScaler(), PCA(3), LogisticRegression()),
    "centroids": NearestCentroid(),
    "frozen": FrozenEstimator(LinearDiscriminantAnalysis().fit(X, y)),
    "search": GridSearchCV(RidgeClassifier(), {"alpha": [1.0]}, cv=2),
}


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("sigma", [0.4, [0.5, 0.0, 0.3, 0.6]], ids=["one", "columns"])
def test_against_votes(name, sigma):
    settings = {"sigma": sigma, "n": 20_000, "random_state": 0, "n_copies": 3}
    g = SmoothedClassifier(BASES[name], method="analytic", **settings).fit(X, y)
    votes = clone(g).set_params(method="monte_carlo", stopping="fixed").fit(X, y)
    found, rows = g.certify(X), np.arange(150)
    shares = votes.predict_proba(X)
    # The bound is below the probability, and the votes are near it.
    assert np.all(found.p_lower <= shares[rows, found.selected] + 0.02)
    others = shares.copy()
    others[rows, found.selected] = 0
    assert np.all(found.p_upper >= others.max(axis=1) - 0.02)
    # Three classes: the bound is tight.
    assert np.all(found.p_lower >= shares[rows, found.selected] - 0.02)
    assert np.all(found.radius >= votes.certify(X).radius * (1 - 1e-9))


class TestClassifier:
    g = SmoothedClassifier(
        BASES["logistic"], sigma=0.5, n=1_000, method="analytic", random_state=0
    ).fit(X, y)

    def test_only_certificates_are_without_votes(self):
        voting = clone(self.g).set_params(method="monte_carlo").fit(X, y)
        np.testing.assert_array_equal(self.g.predict(X), voting.predict(X))
        np.testing.assert_array_equal(self.g.predict_proba(X), voting.predict_proba(X))
        found = self.g.certify(X)
        assert (found.bound, found.alpha, found.n) == ("analytic", 0.0, 0)
        assert not found.counts.any()
        certain = found.recertify(alpha=1e-9)
        np.testing.assert_array_equal(certain.radius, found.radius)
        with pytest.raises(ValueError, match="analytic certificate has no votes"):
            found.recertify(n=10)
        np.testing.assert_array_equal(
            found.simultaneous(0.5, 0.001), found.radius >= 0.5
        )

    def test_known_labels_and_scores(self):
        found, radii = self.g.certify(X), np.array([0.0, 0.3, 0.9])
        expected = (found.selected == y) & (found.radius > 0)
        expected = expected[:, None] & (found.radius[:, None] >= radii)
        np.testing.assert_array_equal(self.g.certified_correct(X, y, radii), expected)
        score = certified_accuracy_scorer(0.3)(self.g, X, y)
        assert score == expected[:, 1].mean()
        assert self.g.max_certifiable_radius() == np.inf
        assert self.g.required_samples(5.0) == 0

    def test_two_classes_are_exact(self):
        X, y = load_breast_cancer(return_X_y=True)
        g = SmoothedClassifier(BASES["logistic"], sigma=1.0, method="analytic")
        g.fit(X, y)
        analytic = g.certify(X)
        exact = g.set_params(method="exact").certify(X)
        for name in ("prediction", "radius", "p_lower", "p_upper"):
            np.testing.assert_allclose(
                getattr(analytic, name), getattr(exact, name), rtol=1e-9
            )

    def test_a_store_keeps_the_votes_of_predict_only(self, tmp_path):
        path = tmp_path / "votes.sqlite"
        with pytest.raises(ValueError, match="draws no votes"):
            self.g.certify(X, store=path)
        with pytest.raises(ValueError, match="draws no votes"):
            self.g.certified_correct(X, y, 0.1, store=path)
        assert not path.exists()
        np.testing.assert_array_equal(
            self.g.predict(X, store=path), self.g.predict(X, store=path)
        )
        assert path.exists()

    @pytest.mark.parametrize(
        "base, params, words",
        [
            (
                DecisionTreeClassifier(),
                {},
                "not of DecisionTreeClassifier: use method='exact'",
            ),
            (GaussianNB(), {}, "not of GaussianNB: use method='monte_carlo'"),
            (
                BASES["lda"],
                {"noise": "laplace"},
                "under Laplace.* use method='monte_carlo'",
            ),
            (BASES["lda"], {"grid": "auto"}, "Set grid=None"),
            (
                BASES["lda"],
                {"sigma": np.full((4, 1), 0.5)[:, 0], "grid": 0.5},
                "Set grid",
            ),
        ],
    )
    def test_what_it_refuses(self, base, params, words):
        g = SmoothedClassifier(base, method="analytic", **params).fit(X, y)
        with pytest.raises(ValueError, match=words):
            g.certify(X)
