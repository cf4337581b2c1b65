"""The key of all noise, `entropy_`, is shown nowhere."""

import contextlib
import io
import re

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.fixes import parse_version

from sksmooth import GaussianAugmenter, SmoothedClassifier, certified_accuracy_scorer
from sksmooth import _sklearn as private

X, y = load_iris(return_X_y=True)


def smoothed(**params):
    params = {"n": 200, "random_state": None, **params}
    return SmoothedClassifier(
        make_pipeline(GaussianAugmenter(random_state=None), GaussianNB()), **params
    )


def secrets_of(estimator):
    """All entropies below a fitted estimator, wherever they are held."""
    found, seen, todo = set(), set(), [estimator]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, BaseEstimator):
            found |= {v for k, v in vars(one).items() if "entropy" in k}
            todo += vars(one).values()
        elif isinstance(one, (list, tuple)):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
    return found


def leaks(secret, text):
    """Is a part of the number in the text, as digits or as a float?"""
    texts = (str(secret), hex(secret)[2:], f"{secret:.4g}", f"{float(secret):.3g}")
    return any(part in text for t in texts for part in {t, t[:8], t[-8:]})


FITTED = {
    "alone": lambda: smoothed().fit(X, y),
    "pipeline": lambda: make_pipeline(StandardScaler(), smoothed()).fit(X, y),
    "search": lambda: GridSearchCV(
        smoothed(), {"sigma": [0.2]}, cv=2, scoring=certified_accuracy_scorer(0.1)
    ).fit(X, y),
    "search in pipeline": lambda: make_pipeline(
        StandardScaler(), GridSearchCV(smoothed(), {"sigma": [0.2]}, cv=2)
    ).fit(X, y),
    "pipeline in search": lambda: GridSearchCV(
        make_pipeline(StandardScaler(), smoothed()),
        {"smoothedclassifier__sigma": [0.2]},
        cv=2,
    ).fit(X, y),
    "bagging": lambda: BaggingClassifier(smoothed(), n_estimators=2).fit(X, y),
    "voting": lambda: VotingClassifier([("a", smoothed())], voting="soft").fit(X, y),
    "stacking": lambda: StackingClassifier([("a", smoothed())], cv=2).fit(X, y),
    "frozen": lambda: FrozenEstimator(smoothed().fit(X, y)),
    "in itself": lambda: SmoothedClassifier(smoothed().fit(X, y), n=20).fit(X, y),
}


@pytest.mark.parametrize("name", FITTED)
def test_no_representation_shows_it(name):
    model = FITTED[name]()
    found = secrets_of(model)
    assert found
    with sklearn.config_context(print_changed_only=False):
        texts = [repr(model), str(model)]
    texts += [repr(model), model._repr_html_(), estimator_html_repr(model)]
    bundle = model._repr_mimebundle_()
    texts += bundle.values()
    for secret in found:
        assert not any(leaks(secret, text) for text in texts)
    assert "entropy_" not in model._repr_html_()


def test_the_test_would_see_it():
    g = smoothed().fit(X, y)
    assert secrets_of(make_pipeline(g)) == {g.entropy_}
    assert leaks(g.entropy_, f"entropy_ {g.entropy_}")
    short = f"{str(g.entropy_)[:18]}...{str(g.entropy_)[-19:]}"
    assert leaks(g.entropy_, short)
    if parse_version(sklearn.__version__) >= parse_version("1.9"):
        # The private method that scikit-learn calls for the HTML, and its others.
        listed = BaseEstimator._get_fitted_attr_html(g)
        assert "entropy_" in listed
        assert {"classes_", "n_features_in_"} <= set(g._get_fitted_attr_html())
        assert set(listed) - set(g._get_fitted_attr_html()) == {"entropy_"}
    assert "KeepsSecrets" in private.__all__


def test_the_augmenter_keeps_none():
    step = GaussianAugmenter(random_state=None).fit(X)
    step.fit_transform(X)
    assert not [name for name in vars(step) if "entropy" in name]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_neither_progress_nor_errors_tell_it(n_jobs, tmp_path):
    g = smoothed(verbose=1, n_jobs=n_jobs).fit(X, y)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        certificate = g.certify(X, store=tmp_path / "votes")
        g.predict(X)
    errors = []
    for provoke in (
        lambda: g.predict(X[:, :2]),
        lambda: g.certify(np.full((3, 4), np.nan)),
        lambda: g.set_params(sigma=0.4).certify(X, store=tmp_path / "votes"),
        lambda: g.fit(X, y[:3]),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            provoke()
        errors.append(str(caught.value))
    for text in (said.getvalue(), *errors, repr(certificate)):
        assert not leaks(g.entropy_, text)


def test_the_html_is_otherwise_as_it_was():
    html = smoothed().fit(X, y)._repr_html_()
    assert re.search(r"SmoothedClassifier", html)
    if parse_version(sklearn.__version__) >= parse_version("1.9"):
        assert "n_features_in_" in html
        assert "classes_" in html
