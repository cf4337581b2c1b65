"""Some of the certificates, names of rows and columns."""

from dataclasses import fields

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sksmooth import Certificate, SmoothedClassifier, certified_accuracy_score
from sksmooth.logs import write_log
from sksmooth.noise import Noise

X, y = load_iris(return_X_y=True)
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
# As many inputs as classes, and as columns, so that no dimension is taken for another.
ROWS = np.r_[0, 60, 0, 110, 60, 0, 149]


def smoothed(base=None, **params):
    return SmoothedClassifier(
        GaussianNB() if base is None else base, n=300, random_state=0, **params
    )


KINDS = {
    "cohen": {},
    "joint": {"bound": "joint"},
    "multiclass": {"bound": "multiclass"},
    "shared": {"shared_noise": True},
    "grid": {"grid": "auto"},
    "sigma of each": {"sigma": [0.2, 0.3, 0.1, 0.4]},
    "exact": {"method": "exact", "base": DecisionTreeClassifier(random_state=0)},
}


def assert_equal(a, b, but=()):
    for field in fields(Certificate):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if field.name in but:
            continue
        if one is None or other is None:
            assert one is other, field.name
        elif isinstance(one, Noise):
            assert type(one) is type(other) and one.get_params() == other.get_params()
        else:
            np.testing.assert_array_equal(one, other, err_msg=field.name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "rows",
    [
        slice(2, None),
        slice(None, None, -1),
        slice(-3, None),
        [5, 2, 2, 0],
        np.array([-1, -6]),
        np.array([False, True, True, False, False, True, True]),
        [False, False, True, False, False, True, False],
        np.array([[1], [4]]),
        range(1, 4),
        [],
        slice(0),
    ],
    ids=str,
)
def test_as_if_these_had_been_certified_alone(kind, rows):
    """All fields, `first_equal` among them: noise is keyed by content."""
    g = smoothed(**KINDS[kind]).fit(X, y)
    c = g.certify(X[ROWS])
    some = c.select(rows)
    if len(some.radius) == 0:
        assert len(some.first_equal) == len(some.to_frame()) == 0
        assert "0 inputs" in repr(some)
        return
    rows = np.ravel(rows) if not isinstance(rows, slice) else rows
    assert_equal(some, g.certify(X[ROWS[rows]]))
    np.testing.assert_array_equal(some.radius, c.radius[rows])
    assert not some.radius.flags.writeable


def test_every_field_of_inputs_is_selected():
    """A field that is added has to be thought of."""
    g = smoothed(grid="auto").fit(X, y)
    pd = pytest.importorskip("pandas")
    c = g.certify(pd.DataFrame(X[:8]))
    some = c.select([3])
    for field in fields(Certificate):
        value = getattr(c, field.name)
        if np.ndim(value) and len(value) == 8:
            assert len(getattr(some, field.name)) == 1, field.name


def test_equal_inputs_stay_equal():
    c = smoothed().fit(X, y).certify(X[ROWS])
    assert c.first_equal.tolist() == [0, 1, 0, 3, 1, 0, 6]
    assert c.select([2, 5, 4, 4]).first_equal.tolist() == [0, 0, 2, 2]
    assert c.select([6, 6]).distinct.tolist() == [True, False]
    again = c.select([5, 4, 2]).select([2, 0])
    assert again.first_equal.tolist() == [0, 0]


@pytest.mark.parametrize("shared_noise", [False, True])
def test_claims_about_a_selection(shared_noise):
    g = smoothed(shared_noise=shared_noise, alpha=0.05).fit(X, y)
    X2, y2 = np.vstack([X, X[:70]]), np.r_[y, y[:70]]
    c, rows = g.certify(X2), np.r_[60:220]
    some = c.select(rows)
    alone = g.certify(X2[rows])
    radii = np.linspace(0, 0.6, 7)
    np.testing.assert_array_equal(
        some.certified_accuracy_lower_bound(y2[rows], radius=radii),
        alone.certified_accuracy_lower_bound(y2[rows], radius=radii),
    )
    assert np.all(
        some.certified_accuracy_lower_bound(y2[rows], radius=radii)
        <= certified_accuracy_score(y2[rows], some, radius=radii)
    )
    assert_equal(some.recertify(alpha=0.01), alone.recertify(alpha=0.01))
    assert_equal(c.recertify(alpha=0.01).select(rows), alone.recertify(alpha=0.01))


def test_votes_that_stopped_early(tmp_path):
    c = smoothed().fit(X, y).certify(X, radius_tol=0.3)
    some = c.select(slice(10, 40))
    strict = c.recertify(alpha=0.01)
    assert_equal(some.recertify(alpha=0.01), strict.select(slice(10, 40)))
    assert "saved" in repr(some)
    assert "0 inputs" in repr(c.select([]))
    write_log(some, y[10:40], tmp_path / "log")


@pytest.mark.parametrize("row", [3, -1, np.int64(2), np.uint8(0)])
def test_one_input(row):
    c = smoothed().fit(X, y).certify(X[ROWS])
    one = c.select(row)
    assert one.radius.tolist() == [c.radius[row]]
    assert one.first_equal.tolist() == [0]


def test_masks_and_positions_of_other_kinds():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    c = smoothed().fit(X, y).certify(X[ROWS])
    mask = c.radius > 0.2
    other_index = pd.Series(mask, index=range(90, 97))
    for same in (mask, mask.tolist(), other_index, pl.Series(mask)):
        assert_equal(c.select(same), c.select(np.flatnonzero(mask)))
    assert_equal(c.select(pd.Index([1, 2])), c.select([1, 2]))
    torch = pytest.importorskip("torch")
    assert_equal(c.select(torch.tensor([1, 2])), c.select([1, 2]))


@pytest.mark.parametrize(
    ("rows", "error", "match"),
    [
        (7, IndexError, "no input 7: there are 7"),
        ([0, -8], IndexError, "no input -8"),
        ([True, False], IndexError, "one entry for each of the 7 inputs, got 2"),
        (1.0, TypeError, "cannot select inputs by 1.0"),
        ([0.0, 1.0], TypeError, "by a slice, by positions or by a mask"),
        (["a"], TypeError, "certificate.index.get_indexer"),
        (True, TypeError, "cannot select"),
        (None, TypeError, "cannot select"),
        ([[0, 1]], TypeError, "cannot select"),
        ("a", TypeError, "cannot select"),
    ],
)
def test_no_selection(rows, error, match):
    c = smoothed().fit(X, y).certify(X[ROWS])
    with pytest.raises(error, match=match):
        c.select(rows)


@pytest.mark.parametrize("key", [0, -1, slice(2), "radius", [0, 1]], ids=str)
def test_an_index_could_mean_two_things(key):
    c = smoothed().fit(X, y).certify(X[ROWS])
    with pytest.raises(TypeError, match=r"unpacks .* certificate.select\(rows\)"):
        c[key]
    prediction, radius = c
    assert prediction is c.prediction
    assert list(c)[1] is radius is c.radius
    assert np.asarray(c, dtype=object).ndim == 0


class TestIndex:
    @pytest.fixture(params=["names", "numbers", "repeated", "dates", "several"])
    def frame(self, request):
        pd = pytest.importorskip("pandas")
        index = {
            "names": [f"row {k}" for k in range(150)],
            "numbers": np.arange(150)[::-1] * 10,
            "repeated": np.arange(150) // 2,
            "dates": pd.date_range("2020", periods=150),
            "several": pd.MultiIndex.from_product([range(15), range(10)]),
        }[request.param]
        return pd.DataFrame(X, columns=NAMES, index=index)

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_frame_keeps_it(self, frame, kind):
        import pandas as pd

        c = smoothed(**KINDS[kind]).fit(frame, y).certify(frame)
        table = c.to_frame()
        pd.testing.assert_index_equal(table.index, frame.index)
        np.testing.assert_array_equal(table["radius"], c.radius)
        rows = [140, 3, 3]
        pd.testing.assert_index_equal(
            c.select(rows).to_frame().index, frame.index[rows]
        )
        if kind != "exact":
            pd.testing.assert_index_equal(
                c.recertify(alpha=0.01).to_frame().index, frame.index
            )

    def test_where_fit_saw_none(self, frame):
        import pandas as pd

        for g in (smoothed(GaussianNB().fit(frame, y)), smoothed().fit(frame, y)):
            table = g.certify(frame.iloc[5:9]).to_frame()
            pd.testing.assert_index_equal(table.index, frame.index[5:9])
            assert g.certify(frame.iloc[5:9]).feature_names.tolist() == NAMES

    def test_labels_by_join(self, frame):
        labels = frame.assign(y=y)["y"]
        table = smoothed().fit(frame, y).certify(frame).to_frame()
        assert (table["prediction"] == labels).mean() > 0.9


def test_other_frames_have_none():
    pl = pytest.importorskip("polars")
    c = smoothed().fit(X, y).certify(X[:5])
    assert c.index is c.feature_names is None
    assert c.select([3, 4]).to_frame().index.tolist() == [0, 1]
    frame = pl.DataFrame(X, schema=NAMES)
    c = smoothed().fit(frame, y).certify(frame)
    assert c.index is None
    assert c.feature_names.tolist() == NAMES


class TestSigmaInWords:
    def text(self, sigma, columns=NAMES):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(X[:, : len(columns)], columns=columns)
        return repr(smoothed(sigma=sigma).fit(frame, y).certify(frame[:5]))

    def test_by_name(self):
        assert "sigma=0.5, n=300" in self.text(0.5)
        assert "sigma={'petal length': 0.3, others: 0}, n=" in self.text([0, 0, 0.3, 0])
        text = self.text([0.1, 0.25, 1, 1e-3])
        assert (
            "sigma={'sepal length': 0.1, 'sepal width': 0.25, 'petal length': 1, "
            "'petal width': 0.001}, n="
        ) in text

    def test_it_stays_short(self):
        pd = pytest.importorskip("pandas")
        names = [f"a rather long name of column number {k}" for k in range(200)]
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(rng.normal(size=(30, 200)), columns=names)
        labels = np.arange(30) % 2
        sigma = np.r_[np.full(150, 0.5), np.zeros(50)]
        text = repr(smoothed(sigma=sigma).fit(frame, labels).certify(frame[:3]))
        assert "146 more, others: 0}" in text
        assert "'a rather long...number 3': 0.5" in text
        assert max(map(len, text.splitlines())) < 220

    def test_columns_without_names(self):
        sigma = [0.1, 0.2, 0.0, 0.4]
        c = smoothed(sigma=sigma).fit(X, y).certify(X[:5])
        assert "sigma=<array of shape (4,)>" in repr(c)
        assert "sigma={0: 0.1, " in self.text(sigma, columns=range(4)).replace("'", "")


class TestMasksOfPandas:
    @pytest.fixture
    def pd(self):
        return pytest.importorskip("pandas")

    def test_its_own_names_have_to_be_those_of_the_rows(self, pd):
        names = [f"row {k}" for k in range(30)]
        frame = pd.DataFrame(X[::5], index=names, columns=list("abcd"))
        c = smoothed().fit(frame, y[::5]).certify(frame)
        mask = pd.Series(y[::5] == 2, index=names)
        assert c.select(mask).index.tolist() == names[20:]
        assert c.select(mask.reset_index(drop=True)).index.tolist() == names[20:]
        for other in (mask[::-1], mask.rename(lambda name: name.upper())):
            with pytest.raises(IndexError, match="mask.reindex.certificate.index"):
                c.select(other)

    def test_rows_without_names(self, pd):
        c = smoothed().fit(X, y).certify(X[::5])
        mask = pd.Series(y[::5] == 2, index=range(100, 130))
        assert len(c.select(mask).radius) == 10
