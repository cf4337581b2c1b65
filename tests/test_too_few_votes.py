"""n too small for alpha: said once, with the n that would do, before any vote."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.stats._planning import (
    can_name_class,
    fewest_samples,
    fewest_samples_to_name,
)
from sksmooth.stats._sequential import sample_sizes
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)
PHRASE = "n is too small for alpha: "


def unanimous(n, n_classes=3, **params):
    """All votes agree, which is the most that any votes can do."""
    base = Fixed(lambda batch: np.ones(len(batch), int), classes=range(n_classes))
    return SmoothedClassifier(base, method="monte_carlo", n=n, random_state=0, **params)


def said(call):
    """Return what the call warns of: one text, or none."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        call()
    assert len(record) <= 1
    assert all(warning.category is UserWarning for warning in record)
    return "".join(str(warning.message) for warning in record)


def least(text):
    """Return the n that a warning names."""
    assert text.startswith(PHRASE)
    return int(text.split("; n = ")[1].removesuffix(" would do."))


QUESTIONS = {
    "predict": lambda g: g.predict(X[:2]) != -1,
    "certify": lambda g: g.certify(X[:2]).certified,
    "tolerance": lambda g: g.certify(X[:2], radius_tol=0.1).certified,
    "correct": lambda g: g.certified_correct(X[:2], [1, 1], 0.0),
    "scorer": lambda g: certified_accuracy_scorer(0.0)(g, X[:2], [1, 1]) > 0,
}


@pytest.mark.parametrize("alpha", [0.3, 0.001, 1e-15])
@pytest.mark.parametrize("stopping", ["sequential", "fixed"])
@pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("question", QUESTIONS)
def test_says_so_exactly_where_no_votes_are_an_answer(
    question, n_classes, bound, stopping, alpha
):
    if question == "tolerance" and bound != "cohen":
        return
    ask = QUESTIONS[question]
    params = {"bound": bound, "stopping": stopping, "alpha": alpha}
    needed = least(said(lambda: ask(unanimous(1, n_classes, **params))))
    for n in {2, needed - 2, needed - 1, needed, needed + 1} - {-1, 0, 1}:
        g = unanimous(n, n_classes, **params)
        text = said(partial(ask, g))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert np.all(ask(g)) == (text == "") == (n >= needed)
        assert text == "" or least(text) == needed


def test_points_to_the_line_that_asked():
    for ask in (unanimous(3).predict, unanimous(3).certify):
        with pytest.warns(UserWarning, match=PHRASE) as record:
            ask(X)
        assert record[0].filename == __file__
    with pytest.warns(UserWarning, match=PHRASE) as record:
        unanimous(3).certified_correct(X, y, 0.0)
    assert record[0].filename == __file__


def test_the_text():
    assert said(lambda: unanimous(10).predict(X)) == (
        "n is too small for alpha: with n=10 and alpha=0.001 predict always abstains, "
        "whatever the votes; n = 11 would do."
    )
    assert said(lambda: unanimous(9).certify(X)) == (
        "n is too small for alpha: with n=9 and alpha=0.001 certify always abstains, "
        "whatever the votes; n = 10 would do."
    )
    assert said(lambda: unanimous(9).certified_correct(X, y, [0.0, 0.1])) == (
        "n is too small for alpha: with n=9 and alpha=0.001 no radius can be "
        "certified, not even 0, whatever the votes; n = 17 would do."  # for 0.1
    )


def test_what_always_has_an_answer_says_nothing():
    assert said(lambda: unanimous(3).predict_proba(X)) == ""
    assert said(lambda: unanimous(3, abstain_label=None).predict(X)) == ""
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    exact = SmoothedClassifier(tree, n=1, method="exact")
    for question, ask in QUESTIONS.items():
        if question != "tolerance":
            assert said(lambda ask=ask: ask(exact)) == ""


def test_a_grid_may_leave_nothing():
    """A coarse grid takes off more than a few votes reach."""
    g = unanimous(12, grid=0.125)
    g.fit(X, np.arange(len(X)) % 3)
    needed = least(said(lambda: g.certify(X[:2])))
    assert needed > 12
    rounded = np.round(X[:2] / 0.125) * 0.125
    assert said(lambda: g.set_params(n=needed).certify(rounded)) == ""
    assert np.all(g.certify(rounded).certified)
    assert least(said(lambda: g.set_params(n=needed - 1).certify(rounded))) == needed


def test_radii_beyond_reach():
    g = unanimous(100)
    text = said(lambda: g.certified_correct(X, y, [0.0, 3.0, 0.9]))
    assert text.startswith("radius 3 can never be certified: ")
    assert said(lambda: g.certified_correct(X, y, [0.0, 0.3])) == ""
    assert said(lambda: g.certified_correct(X, y, [])) == ""


def test_the_scorer_says_it_once():
    scorer = certified_accuracy_scorer(0.0)
    with pytest.warns(UserWarning, match=PHRASE) as record:
        cross_val_score(
            SmoothedClassifier(DecisionTreeClassifier(), method="monte_carlo", n=9),
            X,
            y,
            scoring=scorer,
        )
    assert len(record) == 1


def test_is_silenced_by_its_first_words():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", PHRASE)
        unanimous(3).predict(X)
        unanimous(3).certify(X)


@pytest.mark.parametrize("method", ["predict", "certify", "certified_correct"])
def test_an_alpha_beyond_the_bounds_is_refused_before_votes_are_drawn(method):
    calls = []
    base = Fixed(lambda batch: calls.append(len(batch)) or np.ones(len(batch), int))
    g = SmoothedClassifier(base, method="monte_carlo", n=1000, alpha=1e-16)
    args = (X, y, 0.1) if method == "certified_correct" else (X,)
    with pytest.raises(ValueError, match="alpha below 1e-15 is beyond"):
        getattr(g, method)(*args)
    assert not calls


@pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
@pytest.mark.parametrize("stopping", ["sequential", "fixed"])
def test_the_lowest_alpha_is_taken_by_all(bound, stopping):
    """Looks and classes get parts of it, which are lower still."""
    g = unanimous(10_000, alpha=1e-15, bound=bound, stopping=stopping)
    for question, ask in QUESTIONS.items():
        if question != "tolerance" or bound == "cohen":
            assert np.all(ask(g))
    assert g.required_samples(0.5, known_label=True) <= 10_000
    assert g.max_certifiable_radius(known_label=True) > 0.5


def test_fewest_samples():
    for answer in (1, 2, 3, 100, 2**53):
        assert fewest_samples(lambda n, answer=answer: n >= answer) == answer
    assert fewest_samples(lambda n: False) is None


@pytest.mark.parametrize("alpha", [0.5, 0.001, 1e-9, 1e-15, 1e-60])
def test_fewest_samples_to_name_a_class(alpha):
    """2^(1 - n) <= alpha / looks at some look, in exact numbers."""
    assert 2.0 ** (1 - fewest_samples_to_name(alpha)) <= alpha
    assert 2.0 ** (2 - fewest_samples_to_name(alpha)) > alpha
    n = fewest_samples_to_name(alpha, first=25)
    assert can_name_class(sample_sizes(n, 25), alpha)
    assert not any(can_name_class(sample_sizes(m, 25), alpha) for m in range(1, n))


def test_the_n_that_is_named_is_for_the_radius_that_is_asked():
    X, y = np.zeros((4, 2)), np.zeros(4, int)
    for n in (1, 10):
        g = SmoothedClassifier(Fixed(lambda X: np.zeros(len(X), int)), n=n)
        g.set_params(sigma=0.25, random_state=0)
        with pytest.warns(UserWarning, match="n = 40 would do"):
            assert not g.certified_correct(X, y, 0.25).any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert g.set_params(n=40).certified_correct(X, y, 0.25).all()
