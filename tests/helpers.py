"""Small classifiers with known behaviour."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.models._forest import Walk
from sksmooth.votes._recognise import recognise
from sksmooth.votes._voting import Voting
from sksmooth.votes.voters._trees import TreesVoter

# Rows in the batches that show whether answers depend on the company: two with some,
# and one without.
COMPANY = [33, 33, 16]


class OpaqueLogisticRegression(LogisticRegression):
    """A linear classifier that must be voted on by calling `predict`."""

    def predict(self, X):
        return super().predict(X)


class Fixed(ClassifierMixin, BaseEstimator):
    """A prefit classifier given by a function of X."""

    def __init__(self, function, classes=(0, 1)):
        self.function = function
        self.classes = classes

    def fit(self, X, y):
        return self

    @property
    def classes_(self):
        return np.asarray(self.classes)

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.function(X)


def behind_company(batches):
    """Set aside the batches that are asked for before the first vote.

    They tell whether answers depend on the company: once a call, of a base whose
    `predict` is not known.

    Parameters
    ----------
    batches : list
        All that `predict` was given, or how many rows, in order.

    Returns
    -------
    votes : list
    """
    rows = [one if isinstance(one, int) else len(one) for one in batches]
    assert rows[: len(COMPANY)] == COMPANY
    return batches[len(COMPANY) :]


def asked(forest):
    """Return the columns and the thresholds of the nodes of a sum of trees."""
    if isinstance(forest, Walk):  # with a bit for missing values
        return forest.feature % 2**31, forest.threshold.astype(float)
    threshold = forest.limit
    if forest.grid is not None:
        threshold = forest.grid.limits[forest.feature, forest.limit]
    return forest.used[forest.feature], threshold.astype(float)


def beside(numbers):
    """Return numbers and their neighbours in float64 and float32.

    And what is halfway between two float32, where rounding to even decides.
    """
    numbers = np.asarray(numbers, float)
    single = numbers.astype(np.float32)
    above = np.nextafter(single, np.float32(np.inf))
    below = np.nextafter(single, np.float32(-np.inf))
    return np.concatenate(
        [
            numbers,
            np.nextafter(numbers, np.inf),
            np.nextafter(numbers, -np.inf),
            above,
            below,
            (single.astype(float) + above) / 2,
            (single.astype(float) + below) / 2,
        ]
    )


def halfspace(weights, offset=0.0):
    """A fitted linear classifier for classes 0 and 1 with given weights."""
    f = LogisticRegression()
    f.coef_ = np.atleast_2d(np.asarray(weights, dtype=float))
    f.intercept_ = np.atleast_1d(float(offset))
    f.classes_ = np.array([0, 1])
    f.n_features_in_ = f.coef_.shape[1]
    return f


def sign_rule(weights, offset=0.0):
    """The same classifier, behind an opaque `predict`."""
    weights = np.asarray(weights, dtype=float)
    return Fixed(lambda X: (X @ weights + offset > 0).astype(int))


def points_at_distance(weights, offset, distance, n_points, seed=0):
    """Distinct points of the halfspace's positive side at exactly this distance."""
    rng = np.random.default_rng(seed)
    weights = np.asarray(weights, dtype=float)
    length = np.linalg.norm(weights)
    X = rng.normal(size=(n_points, len(weights)))
    X -= np.outer((X @ weights + offset) / length - distance, weights / length)
    return X


def votes_of_a_tree():
    """Vote counts of some points of the iris data; for any process to compute."""
    X, y = load_iris(return_X_y=True)
    X, y = X[::10], y[::10]
    f = DecisionTreeClassifier(random_state=0)
    g = SmoothedClassifier(
        f, method="monte_carlo", sigma=0.5, n=50, random_state=0
    ).fit(X, y)
    return g.certify(X).counts.tolist()


def count_votes(
    estimator, classes, inputs, rule, *, purpose, entropy, store=None, **settings
):
    """Votes of one draw; `settings` are those of Voting.

    Whether answers depend on other inputs is not asked: that would be more batches.
    """
    voting = Voting(
        estimator, classes, inputs, entropy=entropy, purposes=(purpose,), **settings
    )
    vars(voting)["_depends_on_company"] = False
    return voting.draw(purpose, rule, store)


def first_equal(inputs):
    """The place of the first row that is equal to each row."""
    return Voting(None, np.arange(2), inputs, entropy=0).first_equal().tolist()


def make_voter(estimator, classes, inputs, net_options=None):
    """The voter for a classifier, put on some inputs; for many votes, of trees."""
    voter = recognise(estimator, classes, inputs, net_options).voter
    if isinstance(voter, TreesVoter):
        voter.expect(10**9)
    return voter.on(inputs)
