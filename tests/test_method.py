"""What method="auto" takes, and that it is the same as naming it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.models._forest import largest_float32
from sksmooth.noise import Split

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3))
TWO = (X[:, 0] + 0.5 * X[:, 1] > 0.2).astype(int)
THREE = TWO + (X[:, 2] > 0.8)


def stumps(n=20):
    return GradientBoostingClassifier(max_depth=1, n_estimators=n, random_state=0)


def fixed_tree(**params):
    return DecisionTreeClassifier(random_state=0, **params)


def g_of(f, **params):
    params = {"sigma": 0.4, "n": 200, "n0": 50, "random_state": 0, **params}
    return SmoothedClassifier(f, **params)


EXACT = {
    "logistic": (LogisticRegression(), TWO),
    "ridge": (RidgeClassifier(), TWO),
    "scaled": (make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()), TWO),
    "searched": (GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2), TWO),
    "tree": (fixed_tree(max_depth=4), THREE),
    "scaled tree": (make_pipeline(StandardScaler(), fixed_tree()), THREE),
    "boosting": (stumps(), TWO),
    "AdaBoost": (AdaBoostClassifier(n_estimators=5, random_state=0), TWO),
}

VOTES = {
    "three classes": (LogisticRegression(), THREE),
    "three classes of stumps": (stumps(3), THREE),
    "deeper": (GradientBoostingClassifier(max_depth=2, n_estimators=3), TWO),
    "forest": (RandomForestClassifier(3, random_state=0), TWO),
    "Bayes": (GaussianNB(), TWO),
    "unknown step": (
        make_pipeline(FunctionTransformer(np.cbrt), LogisticRegression()),
        TWO,
    ),
}


def same(one, other):
    for name in ("prediction", "radius", "p_lower", "counts", "n_used", "bound"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("f, y", EXACT.values(), ids=EXACT)
@pytest.mark.parametrize("fitted", [False, True])
def test_exact_where_that_applies(f, y, fitted):
    if fitted:
        g = g_of(FrozenEstimator(f.fit(X, y)))
        h = g_of(f, method="exact")
    else:
        g, h = (g_of(f, method=method).fit(X, y) for method in ("auto", "exact"))
        assert np.isfinite(g_of(f).max_certifiable_radius())  # f is not known yet
        assert g.required_samples(100.0) == 0
    assert g.max_certifiable_radius() == np.inf
    certificate = g.certify(X)
    assert certificate.bound == "exact" and certificate.alpha == 0
    same(certificate, h.certify(X))
    np.testing.assert_array_equal(g.predict(X), h.predict(X))
    np.testing.assert_array_equal(g.predict_proba(X), h.predict_proba(X))
    radii = [0, 0.3]
    correct = g.certified_correct(X, y, radii)
    np.testing.assert_array_equal(correct, h.certified_correct(X, y, radii))
    same(certificate, certificate.recertify(alpha=0.1))
    same(certificate, certificate.recertify(bound="joint"))


@pytest.mark.parametrize("f, y", VOTES.values(), ids=VOTES)
def test_votes_elsewhere(f, y):
    g, h = (g_of(f, method=method).fit(X, y) for method in ("auto", "monte_carlo"))
    same(g.certify(X), h.certify(X))
    np.testing.assert_array_equal(g.predict(X), h.predict(X))
    assert g.certify(X[:2]).bound == "cohen"
    assert g.max_certifiable_radius() == h.max_certifiable_radius() < np.inf


@pytest.mark.parametrize("f, y", [EXACT["logistic"], EXACT["tree"]])
def test_a_grid_and_listed_copies_force_votes(f, y):
    g = g_of(f, grid="auto").fit(X, y)
    assert g.certify(X[:4]).bound == "cohen"
    assert np.isfinite(g.max_certifiable_radius())
    with pytest.raises(ValueError, match="Set grid=None"):
        g.set_params(method="exact").certify(X[:4])
    cells = np.clip(np.rint(X * 2 + 5), 0, 10) / 10
    listed = g_of(f, noise=Split(4, 0.1)).fit(cells, y).certify(cells[:4])
    assert np.all(listed.n_used == listed.n)


def table():
    return pd.DataFrame(
        {
            "number": X[:, 0],
            "count": rng.integers(0, 9, len(X)),
            "flag": X[:, 1] > 0,
            "kind": pd.Categorical(rng.choice(list("abc"), len(X))),
        }
    )


def test_kinds_of_columns_that_are_not_numbers_force_votes():
    frame, tree = table(), fixed_tree(max_depth=3)
    sigma = {"number": 0.4, "*": 0}
    numbers = frame[["number"]]
    assert g_of(tree, sigma=sigma).fit(numbers, TWO).certify(numbers).bound == "exact"
    fixed = frame[["number", "count"]]  # a count without noise is a number
    assert g_of(tree, sigma=sigma).fit(fixed, TWO).certify(fixed).bound == "exact"
    flags = frame[["number", "flag"]]  # and so is a flag, if it cannot be missing
    assert g_of(tree, sigma=sigma).fit(flags, TWO).certify(flags).bound == "exact"
    frame["flag"] = frame["flag"].astype("boolean")
    for columns, params in {
        ("number", "flag"): {"sigma": sigma},
        ("number", "count"): {"sigma": {"number": 0.4, "count": 1.0}},
    }.items():
        part = frame[list(columns)]
        g = g_of(tree, **params).fit(part, TWO)
        assert g.certify(part).bound == "cohen"
        assert np.isfinite(g.max_certifiable_radius())
        # The kind was settled in `fit`: what comes as an array does not change it.
        assert g.certify(part.astype(float)).bound == "cohen"
        with pytest.raises(ValueError, match="method='monte_carlo'"):
            g.set_params(method="exact").certify(part)
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), remainder="passthrough"
    )
    f = make_pipeline(encoder, LogisticRegression())
    g = g_of(f, sigma={"number": 0.4, "*": 0}).fit(frame, TWO)
    assert g.certify(frame).bound == "cohen"


def test_columns_of_counts_have_no_short_cuts():
    """Their noise is rounded, and the votes of f are those of f(round(x + noise))."""
    frame = table()[["number", "count"]]
    y = frame["number"] + frame["count"] > 4
    sigma = {"number": 0.3, "count": 0.3}
    plain = LogisticRegression()
    behind = make_pipeline(FunctionTransformer(np.positive), LogisticRegression())
    shares = [
        g_of(f, sigma=sigma, method="monte_carlo", stopping="fixed")
        .fit(frame, y)
        .predict_proba(frame)
        for f in (plain, behind)
    ]
    np.testing.assert_array_equal(*shares)


def test_store_and_tolerance_are_accepted_and_not_used(tmp_path):
    f = LogisticRegression().fit(X, TWO)
    g, path = g_of(f, random_state=None), tmp_path / "votes.sqlite"
    same(g.certify(X, radius_tol=0.1, store=path), g.certify(X))
    g.predict(X, store=path), g.predict_proba(X, store=path)
    g.certified_correct(X, TWO, 0.1, store=path)
    assert not path.exists()
    for wrong in (-1, [0.1, 0.2]):
        with pytest.raises(ValueError, match="radius_tol must be"):
            g.certify(X, radius_tol=wrong)
    with pytest.raises(ValueError, match="draws no votes that a store could keep"):
        g_of(f, method="exact").certify(X, store=path)


class Flipped(GradientBoostingClassifier):
    def _raw_predict(self, X):
        return -super()._raw_predict(X)


class Cut(DecisionTreeClassifier):
    def _validate_X_predict(self, X, check_input):
        return super()._validate_X_predict(np.clip(X, -0.1, 0.1), check_input)


class Named(DecisionTreeClassifier):
    """Does in `fit` what it likes, and predicts as a tree."""

    def fit(self, X, y):
        return super().fit(np.round(X, 1), y)


@pytest.mark.parametrize(
    "f, bound",
    [
        (Flipped(max_depth=1, n_estimators=3), "cohen"),
        (Cut(max_depth=3), "cohen"),
        (Named(max_depth=3), "exact"),
    ],
)
def test_a_subclass_that_predicts_in_its_own_way_is_voted_on(f, bound):
    certificate = g_of(f.fit(X, TWO), sigma=1e-9).certify(X[:5])
    assert certificate.bound == bound
    np.testing.assert_array_equal(certificate.prediction, f.predict(X[:5]))


@pytest.mark.parametrize("last", [LogisticRegression(), fixed_tree(max_depth=1)])
@pytest.mark.parametrize("as_frame", [False, True])
def test_what_float32_decides_without_noise(last, as_frame):
    """Steps compute in float32 there, and no noise makes up for that."""
    points = np.random.default_rng(1).normal(size=(200, 2)) * 10 + 100
    points = points.astype(np.float32)
    f = make_pipeline(StandardScaler(), last).fit(points, points[:, 1] > 103)
    if as_frame:
        f.fit(pd.DataFrame(points, columns=["a", "b"]), points[:, 1] > 103)
    if last.__class__ is LogisticRegression:
        last.coef_[0, 0] = 0
        cut = -last.intercept_[0] / last.coef_[0, 1]
    else:
        cut = last.tree_.threshold[0]
    here = np.float32(cut * f[0].scale_[1] + f[0].mean_[1])
    near = here + np.arange(-40, 41) * np.spacing(here)
    some = np.column_stack([np.full(81, 100), near]).astype(np.float32)
    if as_frame:
        some = pd.DataFrame(some, columns=["a", "b"])
    certificate = g_of(f, sigma=[1.0, 0.0]).certify(some)
    assert certificate.bound == "exact"
    own, certified = f.predict(some), certificate.certified
    assert 20 < certified.sum() < 81
    np.testing.assert_array_equal(certificate.prediction[certified], own[certified])


def test_options_for_a_net_are_for_a_net():
    g = g_of(LogisticRegression().fit(X, TWO), net_options={"mode": "eager"})
    for ask in g.predict, g.predict_proba, g.certify:
        with pytest.raises(ValueError, match="does not end in a neural net"):
            ask(X)


def test_probabilities_that_are_not_known_are_voted_on():
    """Of a linear classifier under Laplace noise only the radii are exact."""
    f = LogisticRegression().fit(X, TWO)
    g, h = (g_of(f, noise="laplace", method=m) for m in ("auto", "monte_carlo"))
    same(g.certify(X), h.certify(X))
    np.testing.assert_array_equal(g.predict_proba(X), h.predict_proba(X))
    assert np.isfinite(g.max_certifiable_radius(norm="l1"))
    tree = fixed_tree().fit(X, TWO)
    assert g_of(tree, noise="laplace").certify(X).bound == "exact"
    with pytest.raises(ValueError, match="only its radii"):
        g_of(f, noise="laplace", method="exact").predict_proba(X)


@pytest.mark.filterwarnings("ignore:sigma is small")
def test_boxes_of_a_tree_are_those_it_has_now():
    f = fixed_tree().fit(X, THREE)
    g = g_of(f, sigma=1e-6)
    np.testing.assert_array_equal(g.predict(X), f.predict(X))
    f.tree_.threshold[:] += 0.5
    np.testing.assert_array_equal(g.predict(X), f.predict(X))
    f.fit(X[::2], THREE[::2])
    np.testing.assert_array_equal(g.predict(X), f.predict(X))


class TestGaps:
    """A value that is missing goes one way at each split, in every copy."""

    Z = np.where(rng.random(X.shape) < 0.4, np.nan, X)
    Z[:2] = np.nan

    @pytest.mark.parametrize("trained_with", [True, False])
    @pytest.mark.parametrize("noise", ["gaussian", "uniform"])
    def test_probabilities(self, trained_with, noise):
        """What f does on the slice without the missing columns, asked cell by cell."""
        tree = fixed_tree()
        f = tree.fit(self.Z if trained_with else X, THREE)
        g = g_of(f, noise=noise)
        shares, bound = g.predict_proba(self.Z), g._noise
        cuts = [
            np.unique(largest_float32(f.tree_.threshold[f.tree_.feature == j]))
            for j in range(3)
        ]
        for z, share in zip(self.Z, shares, strict=True):
            points, masses = [], []
            for value, of_one in zip(z, cuts, strict=True):
                if np.isnan(value):
                    points.append([np.nan])
                    masses.append([1.0])
                    continue
                # float32(z) <= cut is z below the middle to the next float32.
                after = np.nextafter(of_one, np.float32(np.inf))
                middle = (of_one.astype(float) + after) / 2
                points.append([*of_one, np.inf])
                steps = (middle - value) / 0.4
                below = np.array([np.mean(bound.cdf_bounds(t, t)) for t in steps])
                masses.append(np.diff([0.0, *below, 1.0]))
            cells = np.stack(np.meshgrid(*points, indexing="ij"), -1).reshape(-1, 3)
            mass = np.prod(np.meshgrid(*masses, indexing="ij"), axis=0).ravel()
            cells = np.where(np.isposinf(cells), 1e30, cells)
            expected = np.bincount(f.predict(cells), mass, minlength=3)
            np.testing.assert_allclose(share, expected, atol=1e-12)

    def test_each_row_is_certified_as_it_is_alone(self):
        f = fixed_tree().fit(self.Z, THREE)
        g = g_of(f)
        together = g.certify(self.Z)
        alone = [g.certify(z[None]).radius[0] for z in self.Z]
        np.testing.assert_array_equal(together.radius, alone)
        # Nothing to perturb, nothing that could change.
        nothing = np.isnan(self.Z).all(axis=1)
        assert nothing.any() and np.all(np.isinf(together.radius[nothing]))
        # The other way round, what cannot be predicted for this gap has probability 0.
        assert np.all(g.predict_proba(self.Z)[nothing].max(axis=1) == 1)

    def test_where_only_gaps_go(self):
        """A side of a split that no number reaches is there for gaps alone."""
        column = np.array([[-1.0], [1], [-1], [1], [np.nan], [np.nan]] * 3)
        f = DecisionTreeClassifier().fit(column, [0, 1, 0, 1, 2, 2] * 3)
        g = g_of(f, sigma=0.1)
        certificate = g.certify([[-1.0], [1.0], [np.nan]])
        # Older versions of scikit-learn do not split what differs in gaps alone.
        expected = f.predict([[-1.0], [1.0], [np.nan]])
        np.testing.assert_array_equal(certificate.prediction, expected)
        assert np.isinf(certificate.radius).tolist() == [False, False, True]
        assert g.predict_proba([[-1.0]])[0, 2] == 0


class TestLeaderOnly:
    """`predict` of many stumps settles clear cases by mean and variance."""

    W = rng.normal(size=(150, 8))
    f = stumps(300).fit(W, (W @ rng.normal(size=8) > 0))

    def test_predicts_what_is_certified(self):
        g = g_of(self.f, sigma=0.3)
        np.testing.assert_array_equal(g.predict(self.W), g.certify(self.W).prediction)

    @pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
    def test_rough_bounds_hold(self, sigma):
        inputs = g_of(self.f, sigma=sigma)._ready(self.W).voting.inputs
        settings = self.f, self.f.classes_, inputs
        exact, _ = exact_probabilities(*settings)
        rough, upper = exact_probabilities(*settings, leader_only=True)
        settled = (rough == 0).any(axis=1)
        assert settled.any()
        assert np.all(upper + 1e-3 >= exact)
        np.testing.assert_array_equal(rough.argmax(axis=1), exact.argmax(axis=1))
        assert np.all(exact[settled].min(axis=1) <= upper[settled].min(axis=1) + 1e-3)
