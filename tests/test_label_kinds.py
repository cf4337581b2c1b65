"""Which labels can be used, and what is said of others."""

import datetime
import decimal
import enum
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_score

X, y = load_iris(return_X_y=True)
X, y = X[:100], y[:100]
DAYS = np.array(["2020-01-01", "2021-01-01"], "datetime64[D]")


def smoothed(**params):
    return SmoothedClassifier(GaussianNB(), n=200, random_state=0, **params)


def made(first, second, dtype=object):
    labels = np.empty(2, dtype)
    labels[:] = first, second
    return labels[y]


def pandas_of(kind):
    pd = pytest.importorskip("pandas")
    return {
        "category": lambda: pd.Series(made("a", "b"), dtype="category"),
        "numbers as category": lambda: pd.Series(y, dtype="category"),
        "string": lambda: pd.Series(made("a", "b"), dtype="string"),
        "Int64": lambda: pd.Series(y, dtype="Int64"),
        "boolean": lambda: pd.Series(y == 1, dtype="boolean"),
        "dates": lambda: pd.Series(DAYS[y]),
        "time zone": lambda: pd.Series(DAYS[y]).dt.tz_localize("UTC"),
        "periods": lambda: pd.Series(DAYS[y]).dt.to_period("D"),
        "dates as category": lambda: pd.Series(DAYS[y], dtype="category"),
        "intervals": lambda: pd.Series(pd.cut(y, [-1, 0, 1])),
        "missing string": lambda: pd.Series(made("a", None), dtype="string"),
        "missing number": lambda: pd.Series(made(0, None), dtype="Int64"),
    }[kind]()


class Colour(enum.Enum):
    RED = 0
    BLUE = 1


USABLE = {
    "int8": lambda: y.astype("int8"),
    "uint64": lambda: y.astype("uint64"),
    "bool": lambda: y == 1,
    "float16": lambda: y.astype("float16"),
    "longdouble": lambda: y.astype(np.longdouble),
    "negative": lambda: -y - 5,
    "strings": lambda: made("a", "b", "U1"),
    "objects": lambda: made("a", "b"),
    "category": lambda: pandas_of("category"),
    "numbers as category": lambda: pandas_of("numbers as category"),
    "string": lambda: pandas_of("string"),
    "Int64": lambda: pandas_of("Int64"),
    "boolean": lambda: pandas_of("boolean"),
    "polars": lambda: pytest.importorskip("polars").Series(made("a", "b", "U1")),
    "torch": lambda: pytest.importorskip("torch").tensor(y),
    "torch bool": lambda: pytest.importorskip("torch").tensor(y == 1),
}
OTHER = {
    "days": lambda: DAYS[y],
    "nanoseconds": lambda: DAYS.astype("datetime64[ns]")[y],
    "time deltas": lambda: (DAYS - DAYS[0])[y],
    "date objects": lambda: made(datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)),
    "dates": lambda: pandas_of("dates"),
    "time zone": lambda: pandas_of("time zone"),
    "periods": lambda: pandas_of("periods"),
    "dates as category": lambda: pandas_of("dates as category"),
    "intervals": lambda: pandas_of("intervals"),
    "complex": lambda: y + 1j,
    "records": lambda: np.array([(0,), (1,)], dtype=[("a", int)])[y],
    "tuples": lambda: made((0,), (1,)),
    "enum": lambda: made(Colour.RED, Colour.BLUE),
    "decimal": lambda: made(decimal.Decimal(0), decimal.Decimal(1)),
    "none": lambda: made(None, 1),
    "missing": lambda: made("a", np.nan),
    "mixed": lambda: made("a", 1),
    "missing string": lambda: pandas_of("missing string"),
}


@pytest.mark.parametrize("abstain", ["auto", None])
@pytest.mark.parametrize("kind", USABLE)
def test_usable(kind, abstain):
    labels = USABLE[kind]()
    g = smoothed(abstain_label=abstain).fit(X, labels)
    assert g.score(X, labels) > 0.9
    certificate = g.certify(X)
    correct = g.certified_correct(X, labels, 0.1)
    assert correct.mean() > 0.8
    score = certified_accuracy_score(labels, certificate, radius=0.1)
    assert score == pytest.approx(correct.mean(), abs=0.05)
    assert 0.8 < certificate.certified_accuracy_lower_bound(labels, radius=0.1) <= score


def test_new_strings_of_numpy():
    dtypes = pytest.importorskip("numpy.dtypes")
    if not hasattr(dtypes, "StringDType"):
        pytest.skip("NumPy 2 has them")
    labels = np.array(["a", "b"], dtype=dtypes.StringDType())[y]
    g = smoothed().fit(X, labels)
    assert g.classes_.dtype == "<U1"
    assert g.certified_correct(X, labels, 0.1).mean() > 0.8
    assert certified_accuracy_score(labels, g.certify(X)) > 0.8


@pytest.mark.parametrize("abstain", ["auto", None])
@pytest.mark.parametrize("kind", OTHER)
def test_others_are_refused_in_words(kind, abstain):
    labels = OTHER[kind]()
    with pytest.raises(ValueError, match="all numbers or|Complex") as told:
        smoothed(abstain_label=abstain).fit(X, labels)
    assert len(str(told.value)) < 400


@pytest.mark.parametrize("kind", ["days", "time deltas", "complex", "records"])
def test_others_are_no_truth_either(kind):
    g = smoothed().fit(X, y)
    labels = OTHER[kind]()
    c = g.certify(X)
    for call in (
        lambda: g.certified_correct(X, labels, 0.1),
        lambda: certified_accuracy_score(labels, c),
        lambda: c.certified_accuracy_lower_bound(labels),
    ):
        with pytest.raises(ValueError, match="must hold|1d array"):
            call()


def test_what_the_error_recommends():
    labels = np.asarray(DAYS[y]).astype(str)
    g = smoothed().fit(X, labels)
    assert set(g.predict(X)) <= {"2020-01-01", "2021-01-01", "abstain"}


def test_classes_of_a_fitted_base():
    f = DecisionTreeClassifier(random_state=0).fit(X, y)
    f.classes_ = DAYS
    with pytest.raises(ValueError, match="classes_ must hold labels that are all num"):
        SmoothedClassifier(f).predict(X)


@pytest.mark.parametrize("dispatch", [False, True])
def test_torch_with_scipys_array_api(dispatch):
    """SciPy reads the variable when it is imported: in another process."""
    pytest.importorskip("torch")
    program = f"""
        import numpy as np, sklearn, torch
        from sklearn.datasets import load_iris
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.linear_model import LogisticRegression
        from sklearn.naive_bayes import GaussianNB
        from sksmooth import *

        X, y = load_iris(return_X_y=True)
        Xt = torch.tensor(X)
        with sklearn.config_context(array_api_dispatch={dispatch}):
            for base in (GaussianNB(), LogisticRegression()):
                for labels in (torch.tensor(y), torch.tensor(y).float()):
                    for x in (X, Xt):
                        g = SmoothedClassifier(base, n=200, random_state=0)
                        g.fit(x, labels)
                        assert type(g.predict(x)) is np.ndarray
                        assert g.score(x, labels) > .9
                        correct = g.certified_correct(x, labels, .1).mean()
                        assert correct > .8
                        c = g.certify(x)
                        score = certified_accuracy_score(labels, c, radius=.1)
                        assert abs(score - correct) < .05
                        assert average_certified_radius_score(labels, c) > .1
                        proved = c.certified_accuracy_lower_bound(labels, radius=.1)
                        assert proved <= score
                        weight = torch.ones(150)
                        assert certified_accuracy_scorer(.1)(
                            g, x, labels, sample_weight=weight
                        ) == correct
                        g.fit(x, labels, sample_weight=weight)
            if {dispatch}:
                f = LinearDiscriminantAnalysis().fit(Xt.float(), torch.tensor(y))
                g = SmoothedClassifier(f, n=200)
                try:
                    g.predict(X.astype("float32"))
                except ValueError as error:
                    assert "fitted on tensors has to" in str(error)
                else:
                    assert type(f.classes_) is np.ndarray
        print("all right")
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.strip() == "all right", done.stderr[-2000:]
