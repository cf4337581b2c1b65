"""Texts under deletion of tokens, through SmoothedClassifier and SmoothedRegressor."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline

from sksmooth import (
    SmoothedClassifier,
    SmoothedRegressor,
    certified_accuracy_score,
    certified_accuracy_scorer,
)
from sksmooth.models._nets import fold
from sksmooth.noise import DeleteTokens
from sksmooth.votes._texts import Texts

RNG = np.random.default_rng(0)
WORDS = np.array([f"w{k}" for k in range(30)])
Y = np.arange(30) % 2
TEXTS = [
    " ".join(RNG.choice(WORDS[10 * c : 10 * c + 20], RNG.integers(1, 15))) for c in Y
]
BASE = make_pipeline(CountVectorizer(), MultinomialNB())


def smooth(f=BASE, X=TEXTS, **settings):
    own = {"noise": DeleteTokens(0.6), "n": 60, "n0": 20, "random_state": 0}
    return SmoothedClassifier(f, **own | settings).fit(X, Y)


G = smooth()
COUNTS = G.certify(TEXTS[:8]).counts


def other(**settings):
    return clone(G).set_params(**settings).fit(TEXTS, Y)


class Scores(ClassifierMixin, BaseEstimator):
    """Is a weighted sum of counts above .2?"""

    def fit(self, X, y):
        self.classes_, self.seen_ = np.unique(y), list(X)
        return self

    def predict(self, X):
        weights = {"a": 1, "b": 2, "c": -1.5}
        total = [sum(weights[token] for token in text.split()) for text in X]
        return (np.array(total) > 0.2).astype(int)


def test_probability_of_a_linear_classifier():
    """Of a, b, c each stays or not: 5 of 8 subsets are above."""
    g = SmoothedClassifier(
        Scores(), noise=DeleteTokens(0.5), n=4_000, stopping="fixed", random_state=0
    ).fit(["a b c", "c"], [1, 0])
    share = g.predict_proba(["a  b c\n"])[0, 1]
    assert abs(share - 0.625) < 4.5 * np.sqrt(0.625 * 0.375 / 4_000)
    np.testing.assert_array_equal(g.predict_proba([""]), [[1, 0]])


def test_certificate():
    certificate = G.certify(TEXTS[:8])
    noise = DeleteTokens(0.6).bind(1.0)
    assert certificate.norm == "edits" and certificate.n_noisy is None
    np.testing.assert_array_equal(certificate.radius, noise.radius(certificate.p_lower))
    np.testing.assert_array_equal(certificate.radius_for("edits"), certificate.radius)
    assert set(certificate.radius) == {0}  # .6^1 is too near to 1/2 for 60 votes
    clear = [" ".join(part) for part in (WORDS[:10], WORDS[20:])]
    near = other(noise=DeleteTokens(0.7), n=200).certify(clear)
    assert near.radius.tolist() == [1, 1] and near.prediction.tolist() == [0, 1]
    assert "median certified edits radius" in repr(near)
    assert "a token is inserted" in " ".join(str(near.statement()).split())


def test_scores_need_to_be_told_edits():
    certificate, y = G.certify(TEXTS[:8]), Y[:8]
    assert 0 < certified_accuracy_score(y, certificate, radius=0, norm="edits") <= 1
    assert certificate.certified_accuracy_lower_bound(y, norm="edits") >= 0
    for norm, message in (
        (None, "say which norm you mean, norm='edits'"),
        ("l1", "no oth"),
    ):
        with pytest.raises(ValueError, match=message):
            certified_accuracy_score(y, certificate, radius=0, norm=norm)
    scorer = certified_accuracy_scorer(0, norm="edits")
    assert (
        scorer(G, TEXTS[:8], y)
        == G.certified_correct(TEXTS[:8], y, 0, norm="edits").mean()
    )
    assert G.max_certifiable_radius(norm="edits") == 0
    with pytest.raises(ValueError, match="choose a larger p_del"):
        G.required_samples(2, norm="edits")


@pytest.mark.parametrize(
    "kind", [np.array, lambda X: np.array(X, object), tuple, pd.Series, pl.Series]
)
def test_kinds_of_lists(kind):
    np.testing.assert_array_equal(G.certify(kind(TEXTS[:8])).counts, COUNTS)


def test_same_votes_for_any_company_and_batch(tmp_path):
    np.testing.assert_array_equal(G.certify(TEXTS[4:6]).counts, COUNTS[4:6])
    np.testing.assert_array_equal(G.certify(TEXTS[7::-1]).counts[::-1], COUNTS)
    np.testing.assert_array_equal(other(batch_size=7).certify(TEXTS[:8]).counts, COUNTS)
    with parallel_config(backend="threading"):
        found = other(n_jobs=2).certify(TEXTS[:8])
    np.testing.assert_array_equal(found.counts, COUNTS)
    for _ in range(2):
        found = G.certify(TEXTS[:8], store=tmp_path / "votes")
        np.testing.assert_array_equal(found.counts, COUNTS)
    spaces = [text.replace(" ", "\n ") for text in TEXTS[:8]]
    np.testing.assert_array_equal(G.certify(spaces).counts, COUNTS)


def test_shared_noise():
    g = other(shared_noise=True)
    counts = g.certify(TEXTS[:8]).counts
    np.testing.assert_array_equal(g.certify(TEXTS[4:6]).counts, counts[4:6])
    assert not np.array_equal(counts, COUNTS)
    g.set_params(batch_size=7)
    np.testing.assert_array_equal(g.certify(TEXTS[:8]).counts, counts)


def test_fit_trains_on_copies():
    """Each a part of its text, in order; equal texts have different ones."""
    X = ["a b c", "a b c", "c a"] * 10
    seen = smooth(Scores(), X, n_copies=4).estimator_.seen_
    assert len(seen) == 120
    assert set(seen[2::3]) == {"", "a", "c", "c a"}
    assert set(seen[::3]) == {"", "a", "b", "c", "a b", "a c", "b c", "a b c"}
    assert seen[0:120:3] != seen[1:120:3]
    assert smooth(Scores(), X, n_copies=0).estimator_.seen_ == X


def test_lists_of_tokens():
    X = [text.split() for text in TEXTS]
    f = make_pipeline(CountVectorizer(analyzer=tuple), MultinomialNB())
    g = smooth(f, X)
    votes = g.certify(X[:8])
    np.testing.assert_array_equal(
        g.certify(list(map(tuple, X[:8]))).counts, votes.counts
    )
    with pytest.raises(ValueError, match="holds texts, but .* on lists of tokens"):
        g.predict(TEXTS)
    with pytest.raises(ValueError, match="holds lists of tokens, but .* on texts"):
        G.predict(X)


def test_tokenizer():
    """A token may hold blanks; f gets those that are left, joined by one."""
    noise = DeleteTokens(0.5, tokenizer=lambda text: text.split("; "))
    seen = smooth(Scores(), ["a b; c"] * 30, noise=noise).estimator_.seen_
    assert set(seen) == {"", "a b", "c", "a b c"}


def test_regressor():
    f = make_pipeline(CountVectorizer(), Ridge())
    g = SmoothedRegressor(f, noise=DeleteTokens(0.9), n=50, random_state=0)
    found = g.fit(TEXTS, Y.astype(float)).certify_interval(TEXTS[:3], 1, norm="edits")
    assert np.all(found.lower <= found.prediction) and np.all(np.isfinite(found.upper))


def test_a_fitted_classifier():
    f = clone(BASE).fit(TEXTS, Y)
    g = SmoothedClassifier(f, noise=DeleteTokens(0.6), n=60, random_state=0)
    assert g.certify(TEXTS[:3]).n == 60


@pytest.mark.parametrize(
    "X, message",
    [
        ("one text", "put it into a list"),
        (pd.DataFrame({"text": TEXTS}), "pass the column"),
        (np.eye(2), "takes texts, as a list"),
        ([], "0 sample"),
        (["a", None], "input 1 of X is None.*by an empty one"),
        (["a", ["b"]], "input 1 of X is .'b'.*needs a text"),
        ([["a"], "b"], "input 1 of X is 'b'.*a list of tokens"),
        ([1.5], "input 0 of X is 1.5"),
    ],
)
def test_what_is_no_text(X, message):
    with pytest.raises(ValueError, match=message):
        clone(G).fit(X, np.arange(len(X)) % 2)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"grid": "auto"}, "noise that can be rounded"),
        ({"sigma": [0.1, 0.2]}, "leave sigma one number"),
        ({"sigma": {"a": 0.1}}, "leave sigma one number"),
        ({"method": "exact"}, "use method='monte_carlo'"),
        ({"method": "analytic"}, "use method='monte_carlo'"),
        ({"categorical_features": [0]}, "leave categorical_features out"),
        ({"noise_param": "countvectorizer__min_df"}, "is of another kind"),
        ({"net_options": {"mode": "frozen"}}, "does not end in a neural net"),
        ({"noise": DeleteTokens(0.5, tokenizer=len)}, "needs a list of strings"),
    ],
)
def test_what_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        other(**settings).certify(TEXTS[:2])


def test_numbers_after_texts_and_back():
    g = clone(G).fit(TEXTS, Y)
    X = RNG.normal(size=(30, 4))
    g.set_params(estimator=GaussianNB(), noise="gaussian")
    with pytest.raises(ValueError, match="fitted on inputs of shape"):
        g.predict(X)
    assert g.fit(X, Y).n_features_in_ == 4
    g.set_params(estimator=BASE, noise=DeleteTokens(0.6))
    with pytest.raises(ValueError, match="holds texts, but .* on numbers"):
        g.predict(TEXTS)
    assert not hasattr(g.fit(TEXTS, Y), "n_features_in_")
    np.testing.assert_array_equal(g.certify(TEXTS[:8]).counts, COUNTS)


def test_a_net_is_not_given_marks():
    """What stands for tokens is not what a net takes."""
    inputs = Texts.from_texts(TEXTS, 1.0, DeleteTokens())
    assert fold((), inputs) == (
        None,
        "it is given texts, and noise deletes their tokens",
    )
