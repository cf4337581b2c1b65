"""Shared noise: the same votes as independent noise, one input at a time."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.noise import Gaussian
from sksmooth.stats import certified_accuracy_lower_bound
from sksmooth.stats._sequential import CertifyKnownLabel
from sksmooth.votes._count import Asked, Votes
from sksmooth.votes._rows import Inputs
from sksmooth.votes._shared import count_shared
from sksmooth.votes._voter import CopyingVoter
from tests.helpers import Fixed, OpaqueLogisticRegression, count_votes, halfspace

X, y = load_iris(return_X_y=True)
CLASSES = np.arange(3)
BASES = [
    DecisionTreeClassifier(random_state=0).fit(X, y),
    LogisticRegression(max_iter=1000).fit(X, y),
    LogisticRegression(max_iter=1000).fit(X[50:], y[50:]),
]


def votes(estimator, X=X, n=137, sigma=0.3, rule=None, **settings):
    settings = {"entropy": 3, "purpose": "estimate", "shared_noise": True, **settings}
    inputs = Inputs.from_array(X, sigma)
    return count_votes(
        estimator, estimator.classes_, inputs, n if rule is None else rule, **settings
    )


@pytest.mark.parametrize("estimator", BASES, ids=["tree", "linear", "two classes"])
def test_same_votes_however_they_are_drawn(estimator):
    expected = votes(estimator).counts
    assert np.all(expected.sum(axis=1) == 137)
    for batch_size in (1, 7, 137, 10_000):
        counts = votes(estimator, X[::15], batch_size=batch_size).counts
        np.testing.assert_array_equal(counts, expected[::15])
    np.testing.assert_array_equal(votes(estimator, n_jobs=2).counts, expected)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(votes(estimator, X[order]).counts, expected[order])
    np.testing.assert_array_equal(votes(estimator, X[17:18]).counts, expected[17:18])
    assert not np.array_equal(votes(estimator, entropy=4).counts, expected)
    assert not np.array_equal(votes(estimator, purpose="select").counts, expected)
    independent = votes(estimator, shared_noise=False).counts
    assert not np.array_equal(independent, expected)


def test_the_noise_is_the_same_for_all_inputs():
    seen = []

    def label(batch):
        seen.append(batch.copy())
        return np.zeros(len(batch), int)

    X = np.array([[0.0, 0.0], [8.0, 16.0], [-32.0, 64.0]])
    votes(Fixed(label), X, n=50, sigma=np.array([1.0, 0.25]), batch_size=40)
    assert [len(batch) for batch in seen] == [40, 40, 40, 30]
    copies = np.concatenate(seen)
    # 40 copies of each, and then ten of each
    blocks = np.split(copies, [40, 80, 120, 130, 140])
    for block, x in zip(blocks, np.tile(X, (2, 1)), strict=True):
        first = blocks[0] if len(block) == 40 else blocks[3]
        np.testing.assert_allclose(block - x, first, atol=1e-13)
    noise = np.concatenate([blocks[0], blocks[3]])
    assert len(np.unique(noise)) == noise.size
    assert stats.kstest(noise[:, 0], "norm").pvalue > 0.01
    assert stats.kstest(noise[:, 1] * 4, "norm").pvalue > 0.01


@pytest.mark.parametrize("batch_size", [10, 64, 1000])
def test_batches_are_full_while_inputs_stop(batch_size):
    """What waits for room at one look goes into batches with votes of the next."""
    sizes, tree = [], BASES[0]

    def label(batch):
        sizes.append(len(batch))
        return tree.predict(batch)

    rule = CertifyKnownLabel(
        looks=np.array([20, 47, 80, 161, 400]),
        alpha=0.05,
        radii=np.array([0.1, 0.3]),
        noise=Gaussian().bind(0.3),
        label=y,
    )
    got = votes(Fixed(label, CLASSES), rule=rule, batch_size=batch_size)
    assert len(np.unique(got.n_used)) >= 4
    assert sum(sizes) == got.n_used.sum()
    assert max(sizes) == batch_size
    partial = [size for size in sizes if size < batch_size]
    # the end, and where all that is left was in the batch
    assert len(partial) <= 2
    expected = votes(tree, rule=rule)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_noise_on_a_grid_is_the_same_and_added_exactly(dtype):
    seen = []

    def label(batch):
        seen.append(batch.copy())
        return np.zeros(len(batch), int)

    rng = np.random.default_rng(0)
    inputs = Inputs.from_array((50 * rng.normal(size=(3, 2))).astype(dtype), 0.3)
    inputs, _ = inputs.on_grid(2.0**-10)
    settings = {"entropy": 3, "purpose": "estimate", "shared_noise": True}
    count_votes(Fixed(label), CLASSES, inputs, 40, batch_size=40, **settings)
    noise = np.array(
        [b.astype(float) - x for b, x in zip(seen, inputs.values, strict=True)]
    )
    assert noise.shape == (3, 40, 2)
    np.testing.assert_array_equal(noise[1:], noise[:1].repeat(2, axis=0))
    np.testing.assert_array_equal(noise, np.round(noise * 2**10) / 2**10)
    assert 0.2 < noise.std() < 0.4


@pytest.mark.parametrize("estimator", BASES, ids=["tree", "linear", "two classes"])
def test_stopping_leaves_the_votes_as_they_are(estimator):
    looks = np.array([20, 40, 80, 160])
    rule = CertifyKnownLabel(
        looks=looks,
        alpha=0.05,
        radii=np.array([0.1, 0.3]),
        noise=Gaussian().bind(0.3),
        label=(y - 1) % len(estimator.classes_),
    )
    stopped = votes(estimator, rule=rule)
    assert len(np.unique(stopped.n_used)) >= 3
    for n in looks:
        here = stopped.n_used == n
        expected = votes(estimator, n=int(n)).counts[here]
        np.testing.assert_array_equal(stopped.counts[here], expected)
    for settings in ({"batch_size": 33}, {"n_jobs": 2}):
        again = votes(estimator, rule=rule, **settings)
        for a, b in zip(again, stopped, strict=True):
            np.testing.assert_array_equal(a, b)


def test_each_input_has_the_votes_of_independent_noise_in_law():
    """One input at a time, over many seeds: the exact binomial law."""
    f = halfspace([3.0, -4.0], 0.5)
    X = np.array([[0.0, 0.0], [0.3, 0.1], [0.0, 0.3]])
    n, seeds = 400, 300
    p = stats.norm.cdf((X @ f.coef_[0] + 0.5) / (0.5 * 5))
    for shared_noise in (True, False):
        counts = np.array(
            [
                votes(f, X, n, 0.5, entropy=seed, shared_noise=shared_noise).counts[
                    :, 1
                ]
                for seed in range(seeds)
            ]
        )
        z = (counts - n * p) / np.sqrt(n * p * (1 - p))
        for column in z.T:
            assert stats.kstest(column, "norm").pvalue > 0.001
        correlation = np.corrcoef(z.T)[0, 1]
        assert (correlation > 0.5) == shared_noise


def test_linear_votes_are_those_of_predict_in_law():
    f = OpaqueLogisticRegression(max_iter=1000).fit(X, y)
    g = LogisticRegression()
    vars(g).update(vars(f))
    a = votes(f, X[::5], 3000, 1.0).counts
    b = votes(g, X[::5], 3000, 1.0, entropy=4).counts
    # Within an input the votes are independent: compare input by input.
    p_values = []
    for pair in zip(a, b, strict=True):
        table = np.array(pair)
        table = table[:, table.sum(axis=0) >= 10]
        if table.shape[1] > 1:
            p_values.append(stats.chi2_contingency(table, correction=False).pvalue)
    assert len(p_values) > 10
    assert min(p_values) * len(p_values) > 1e-3


def test_more_than_255_classes():
    n = 300
    f = LogisticRegression()
    f.coef_, f.intercept_ = np.zeros((n, 1)), -(np.arange(n) ** 2) / 2.0
    f.coef_[:, 0] = np.arange(n)  # class k is best at x = k
    f.classes_, f.n_features_in_ = np.arange(n), 1
    X = np.array([[0.0], [77.0], [256.0], [299.0]])
    for shared_noise in (True, False):
        counts = votes(f, X, 50, 0.1, shared_noise=shared_noise).counts
        assert counts.argmax(axis=1).tolist() == [0, 77, 256, 299]
        assert counts.max(axis=1).tolist() == [50] * 4


def test_frames_share_their_noise():
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["b"] = frame["b"].round().astype(int)
    f = make_pipeline(StandardScaler(), GaussianNB()).fit(frame, y)
    g = SmoothedClassifier(
        f,
        method="monte_carlo",
        sigma=[0.5, 0.0, 0.5, 0.2],
        shared_noise=True,
        n=300,
        random_state=0,
    )
    whole = g.certify(frame)
    part = g.certify(frame[40:70])
    np.testing.assert_array_equal(part.counts, whole.counts[40:70])


def test_nets_share_their_noise():
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    net = skorch.NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU()), classes=[0, 1, 2]
    ).initialize()
    x = X[::10].astype(np.float32)
    expected = votes(net, x, sigma=1.0).counts
    for settings in ({"batch_size": 7}, {"batch_size": 1000}, {"n_jobs": 2}):
        counts = votes(net, x, sigma=1.0, **settings).counts
        np.testing.assert_array_equal(counts, expected)
    for row in (3, 14):
        counts = votes(net, x[[row]], sigma=1.0).counts
        np.testing.assert_array_equal(counts, expected[[row]])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "certify"])
def test_answers_do_not_depend_on_the_other_inputs(method):
    f = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    g = SmoothedClassifier(
        f, method="monte_carlo", shared_noise=True, n=400, random_state=0
    ).fit(X, y)
    whole = np.stack([*getattr(g, method)(X)])
    for rows in ([3], [149, 20], list(range(100, 30, -7))):
        part = np.stack([*getattr(g, method)(X[rows])])
        expected = whole[:, rows] if method == "certify" else whole[rows]
        np.testing.assert_array_equal(part, expected)


def test_overflow_is_an_error():
    g = SmoothedClassifier(
        Fixed(lambda X: np.zeros(len(X), int)), shared_noise=True, random_state=0
    )
    with pytest.raises(ValueError, match="overflows float32"):
        g.set_params(sigma=1e38).certify(np.full((3, 2), 3e38, np.float32))


def certificate(alpha, n=1000, **settings):
    g = SmoothedClassifier(
        GaussianNB(), alpha=alpha, n=n, shared_noise=True, random_state=0, **settings
    ).fit(X, y)
    return g.certify(X)


@pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
def test_the_claim_about_a_test_set_holds_under_any_dependence(bound):
    c = certificate(0.05, bound=bound)
    assert c.shared_noise is True
    m, rho = int(c.distinct.sum()), 0.01
    strict = c.recertify(alpha=rho / m)
    assert strict.shared_noise is True
    assert (strict.radius < c.radius).any()
    for radius in (0.0, 0.2, 0.4):
        right = (strict.prediction == y) & (strict.radius >= radius) & strict.certified
        share = c.certified_accuracy_lower_bound(y, radius=radius, rho=rho)
        assert share == right.sum() / len(y)
        once = c.certified_accuracy_lower_bound(
            y, radius=radius, rho=rho, sample_weight=c.distinct
        )
        assert once == (right & c.distinct).sum() / m
        assert share == strict.certified_accuracy_lower_bound(y, radius=radius, rho=rho)
        # An alpha below rho / m is kept.
        lower = c.recertify(alpha=rho / m / 10)
        kept = lower.certified_accuracy_lower_bound(y, radius=radius, rho=rho)
        assert kept <= share
    several = c.certified_accuracy_lower_bound(y, radius=[0.0, 0.4], rho=rho)
    assert several.shape == (2,)


def test_a_claim_from_votes_that_stopped_early():
    g = SmoothedClassifier(GaussianNB(), n=2000, shared_noise=True, random_state=0)
    c = g.fit(X, y).certify(X, radius_tol=0.05)
    assert len(c.looks) > 1
    strict = c.recertify(alpha=0.001 / c.distinct.sum())
    right = (strict.prediction == y) & (strict.radius >= 0.2)
    share = c.certified_accuracy_lower_bound(y, radius=0.2)
    assert share == right.sum() / len(y)
    once = c.certified_accuracy_lower_bound(y, radius=0.2, sample_weight=c.distinct)
    assert once == (right & c.distinct).sum() / c.distinct.sum()


@pytest.mark.parametrize(("m", "alpha", "rho"), [(8, 0.021, 0.05), (12, 0.003, 0.04)])
def test_the_bound_under_any_dependence_is_sharp(m, alpha, rho):
    """The worst dependence: w of the m - t wrong inputs are found together."""
    found = np.arange(m + 1)
    bound = certified_accuracy_lower_bound(
        found, m, alpha=alpha, rho=rho, independent=False
    )
    # t falls short of C = t + w with probability (m - t) alpha / w at most.
    for t in range(m):
        for w in range(1, m - t + 1):
            probability = min(1, (m - t) * alpha / w)
            assert (bound[t + w] <= t) == (probability > rho)
    assert np.all(np.diff(bound) >= 0)
    assert np.all(bound <= found)


def test_the_bound_for_independent_failures_is_none_for_others():
    """All m inputs fail together: with probability alpha, not alpha to the m."""
    m, alpha, rho = 200, 0.05, 0.01
    assert certified_accuracy_lower_bound(m, m, alpha=alpha, rho=rho) > 0
    below = {"alpha": rho / m * (1 - 1e-12), "rho": rho, "independent": False}
    every = np.arange(m + 1)
    np.testing.assert_array_equal(
        certified_accuracy_lower_bound(every, m, **below), every
    )
    assert not certified_accuracy_lower_bound(
        every, m, alpha=alpha, rho=rho, independent=False
    ).any()


def test_false_certificates_under_shared_noise():
    """Inputs at exactly the radius that is claimed: each may fail, all at once."""
    f = halfspace([1.0, 0.0])
    sigma, radius, rho = 0.5, 0.2, 0.05
    rng = np.random.default_rng(0)
    X = np.column_stack([np.full(30, radius * (1 - 1e-9)), rng.normal(size=30)])
    y = np.ones(30)
    naive = proved = 0
    runs = 400
    for seed in range(runs):
        g = SmoothedClassifier(
            f,
            method="monte_carlo",
            sigma=sigma,
            alpha=0.05,
            n=500,
            shared_noise=True,
            random_state=seed,
        )
        c = g.certify(X)
        # No input truly has this radius, so any share above 0 is a false claim.
        found = int((c.radius >= radius).sum())
        naive += certified_accuracy_lower_bound(found, 30, alpha=0.05, rho=rho) > 0
        proved += c.certified_accuracy_lower_bound(y, radius=radius, rho=rho) > 0
    assert stats.binom.sf(proved - 1, runs, rho) > 0.001
    # All have the same votes: the claim for independent noise fails at rate alpha,
    # far more often than for failures of 30 that have nothing to do with each other.
    assert naive >= 5
    assert stats.binom.sf(naive - 1, runs, 0.05) > 0.001


def test_leaving_out_what_cannot_win_leaves_the_votes_as_they_are(monkeypatch):
    """Many inputs, so that leads are looked at; one at a time, so that they are not."""
    rng = np.random.default_rng(0)
    f = LogisticRegression()
    f.coef_, f.intercept_ = rng.normal(size=(6, 4)), rng.normal(size=6)
    f.coef_[4] = f.coef_[2]  # always ties if the intercepts are equal
    f.intercept_[4] = f.intercept_[2]
    f.classes_, f.n_features_in_ = np.arange(6), 4
    for scale, sigma in ((3.0, 0.5), (1.0, 0.01), (0.0, 1.0)):
        x = scale * rng.normal(size=(200, 4))
        x[:20] += 1e8 * rng.normal(size=(20, 4))
        together = votes(f, x, 300, sigma).counts
        for batch_size in (64, 1000):
            counts = votes(f, x, 300, sigma, batch_size=batch_size).counts
            np.testing.assert_array_equal(counts, together)
        alone = [votes(f, x[[row]], 300, sigma).counts[0] for row in range(0, 200, 5)]
        np.testing.assert_array_equal(alone, together[::5])
        assert not together[:, 4].any()
        assert np.all(together.sum(axis=1) == 300)
    # Only noise in a direction that changes no score: every contender ties or not,
    # in all copies alike.
    f.coef_[:, 0] = 0
    counts = votes(f, x, 50, np.array([1.0, 0, 0, 0])).counts
    np.testing.assert_array_equal(counts.argmax(axis=1), f.predict(x))
    assert np.all(counts.max(axis=1) == 50)


@CopyingVoter.register
class FromTable:
    """A voter whose vote number i on a row is ``table[row, i]``."""

    def __init__(self, table, n_classes):
        self.table, self.n_classes = table, n_classes
        self.start, self.drawn, self.batch, self.sizes = 0, 0, [], []

    def draw(self, stream, size):
        self.start, self.drawn = self.drawn, self.drawn + size

    def place(self, start, stop, row, first):
        assert start == sum(map(len, self.batch))
        first += self.start
        assert first + stop - start <= self.drawn
        self.batch.append(self.table[row, first : first + stop - start])

    def tally(self, sizes):
        assert [len(part) for part in self.batch] == sizes.tolist()
        counts = [np.bincount(part, minlength=self.n_classes) for part in self.batch]
        self.sizes.append(sum(sizes))
        self.batch = []
        return np.array(counts)


class WhereToStop:
    """A rule that stops each row at a look of its own, and checks what it is told."""

    def __init__(self, looks, last, table, n_classes):
        self.looks, self.last, self.table = looks, last, table
        self.n_classes, self.asked = n_classes, np.zeros(len(last), int)

    def __call__(self, look, rows, counts):
        for k, row, count in zip(look, rows, counts, strict=True):
            assert k == self.asked[row]
            votes = self.table[row, : self.looks[k]]
            expected = np.bincount(votes, minlength=self.n_classes)
            np.testing.assert_array_equal(count, expected)
        self.asked[rows] += 1
        return np.zeros(len(rows)), look >= self.last[rows]


@pytest.mark.parametrize("seed", range(200))
def test_every_row_has_all_its_votes_when_the_rule_is_asked(seed):
    """Of any number of rows, looks and places in a batch; and each is reported once."""
    rng = np.random.default_rng(seed)
    n_rows, n_looks = rng.integers(1, 12), rng.integers(1, 6)
    looks = np.cumsum(rng.integers(1, 40, n_looks))
    table = rng.integers(0, 3, (n_rows, looks[-1]))
    last = rng.integers(0, n_looks, n_rows)
    rows = np.sort(rng.choice(n_rows, rng.integers(1, n_rows + 1), replace=False))
    counts, n_used = np.zeros((n_rows, 3), int), np.zeros(n_rows, int)
    voter, rule = FromTable(table, 3), WhereToStop(looks, last, table, 3)
    reported, drawn = [], []

    def report(rows, n_votes):
        reported.extend(rows)
        drawn.append(n_votes)

    block = int(rng.integers(1, 60))
    votes = Votes(counts, n_used, np.zeros(n_rows))
    count_shared(voter, rows, Asked(rule), votes, None, block, report)
    expected = np.zeros(n_rows, int)
    expected[rows] = looks[last[rows]]
    np.testing.assert_array_equal(n_used, expected)
    np.testing.assert_array_equal(counts.sum(axis=1), expected)
    assert sorted(reported) == rows.tolist()
    assert sum(drawn) == sum(voter.sizes) == expected.sum()
    assert max(voter.sizes) <= block
