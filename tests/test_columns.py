"""One value for each input, in whatever container it comes; all else is refused."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sksmooth import (
    Certificate,
    SmoothedClassifier,
    average_certified_radius_score,
    certified_accuracy_score,
    certified_accuracy_scorer,
    certified_accuracy_scorers,
)
from sksmooth.display import CertifiedAccuracyDisplay, VotesDisplay
from sksmooth.logs import certified_accuracy_table, write_log

X, y = load_iris(return_X_y=True)
TRUE = np.array([0, 1, 0, 1])
PREDICTION = np.array([0, 1, 1, -1])
RADIUS = np.array([0.9, 0.4, 0.7, 0.0])
WEIGHT = np.array([1.0, 2.0, 3.0, 4.0])


def series(values):
    return pytest.importorskip("pandas").Series(values, index=[9, 3, 9, 0])


def nullable(values):
    return series(values).convert_dtypes()


def frame(values):
    return pytest.importorskip("pandas").DataFrame({"v": values}, index=[9, 3, 9, 0])


def polars_series(values):
    return pytest.importorskip("polars").Series(values)


def polars_frame(values):
    return pytest.importorskip("polars").DataFrame({"v": values})


def tensor(values):
    return pytest.importorskip("torch").tensor(values)


def tensor_with_gradient(values):
    torch = pytest.importorskip("torch")
    return torch.tensor(values.astype("float32"), requires_grad=True)


CONTAINERS = {
    "array": np.asarray,
    "list": np.ndarray.tolist,
    "tuple": lambda v: tuple(v.tolist()),
    "column": lambda v: v[:, None],
    "fortran column": lambda v: np.asfortranarray(v[:, None]),
    "list of lists": lambda v: v[:, None].tolist(),
    "objects": lambda v: v.astype(object),
    "every other": lambda v: np.repeat(v, 2)[::2],
    "series": series,
    "nullable series": nullable,
    "frame": frame,
    "polars series": polars_series,
    "polars frame": polars_frame,
    "tensor": tensor,
    "tensor column": lambda v: tensor(v[:, None]),
}
WRONG = {
    "row": lambda v: v[None],
    "table": lambda v: np.column_stack([v, v]),
    "square": lambda v: np.tile(v, (4, 1)),
    "cube": lambda v: v[:, None, None],
    "number": lambda v: v[0],
    "none": lambda v: None,
    "ragged": lambda v: [[1], [1, 2], [], [3]],
    "two columns": lambda v: frame(v).assign(w=1),
    "shorter": lambda v: v[:3],
    "one": lambda v: v[:1],
    "one in a column": lambda v: v[:1, None],
    "empty": lambda v: v[:0],
    "dict": lambda v: dict(enumerate(v)),
    "letters": lambda v: "0110",
    "complex": lambda v: v + 0j,
}


@pytest.mark.parametrize("name", CONTAINERS)
class TestContainers:
    def test_scores(self, name):
        convert = CONTAINERS[name]
        pair = convert(PREDICTION), convert(RADIUS)
        options = {"sample_weight": convert(WEIGHT)}
        score = certified_accuracy_score(convert(TRUE), pair, radius=[0.1, 0.5])
        np.testing.assert_array_equal(score, [0.5, 0.25])
        weighted = certified_accuracy_score(convert(TRUE), pair, radius=0.1, **options)
        assert weighted == pytest.approx(0.3)
        area = average_certified_radius_score(convert(TRUE), pair, **options)
        assert area == pytest.approx((0.9 + 0.8) / 10)

    def test_one_of_them_only(self, name):
        convert = CONTAINERS[name]
        for pair in ((convert(PREDICTION), RADIUS), (PREDICTION, convert(RADIUS))):
            assert certified_accuracy_score(TRUE, pair) == 0.5
            assert certified_accuracy_score(convert(TRUE), pair) == 0.5

    def test_log(self, name, tmp_path):
        convert = CONTAINERS[name]
        write_log((PREDICTION, RADIUS), TRUE, tmp_path / "a", time=WEIGHT)
        write_log(
            (convert(PREDICTION), convert(RADIUS)),
            convert(TRUE),
            tmp_path / "b",
            time=convert(WEIGHT),
            idx=None if name == "objects" else convert(np.arange(4)),
        )
        assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()

    def test_display(self, name):
        pytest.importorskip("matplotlib")
        convert = CONTAINERS[name]
        display = CertifiedAccuracyDisplay.from_predictions(
            convert(TRUE), (convert(PREDICTION), convert(RADIUS))
        )
        np.testing.assert_array_equal(display.radius, [0, 0.4, 0.9])
        np.testing.assert_array_equal(display.accuracy, [0.5, 0.5, 0.25])


@pytest.fixture(scope="module")
def fitted():
    return SmoothedClassifier(GaussianNB(), n=200, random_state=0).fit(X, y)


@pytest.mark.parametrize("name", CONTAINERS)
def test_methods(name, fitted):
    convert, some = CONTAINERS[name], [0, 60, 110, 149]
    labels = convert(y[some])
    c = fitted.certify(X[some])
    assert c.certified_accuracy_lower_bound(
        labels, sample_weight=convert(WEIGHT)
    ) == c.certified_accuracy_lower_bound(y[some], sample_weight=WEIGHT)
    np.testing.assert_array_equal(
        fitted.certified_correct(X[some], labels, 0.2),
        fitted.certified_correct(X[some], y[some], 0.2),
    )
    for scorer in (certified_accuracy_scorer(0.2), certified_accuracy_scorers([0.2])):
        assert scorer(fitted, X[some], labels, sample_weight=convert(WEIGHT)) == scorer(
            fitted, X[some], y[some], sample_weight=WEIGHT
        )


@pytest.mark.parametrize("name", WRONG)
class TestOtherShapes:
    def test_scores(self, name):
        wrong = WRONG[name]
        for score in (certified_accuracy_score, average_certified_radius_score):
            for bad in (
                (wrong(TRUE), (PREDICTION, RADIUS)),
                (TRUE, (wrong(PREDICTION), RADIUS)),
                (TRUE, (PREDICTION, wrong(RADIUS))),
                (TRUE, (wrong(PREDICTION), wrong(RADIUS))),
            ):
                with pytest.raises(
                    ValueError, match="1d array|shape|inconsistent numbers"
                ):
                    score(*bad)
            if name != "none":
                with pytest.raises(
                    ValueError, match="1d array|shape|inconsistent numbers|pos"
                ):
                    score(TRUE, (PREDICTION, RADIUS), sample_weight=wrong(WEIGHT))

    def test_the_rest(self, name, fitted, tmp_path):
        wrong, some = WRONG[name], [0, 60, 110, 149]
        c = fitted.certify(X[some])
        calls = [
            lambda: c.certified_accuracy_lower_bound(wrong(y[some])),
            lambda: fitted.certified_correct(X[some], wrong(y[some]), 0.1),
            lambda: certified_accuracy_scorer(0.1)(fitted, X[some], wrong(y[some])),
            lambda: write_log((wrong(PREDICTION), RADIUS), TRUE, tmp_path / "a"),
            lambda: write_log((PREDICTION, wrong(RADIUS)), TRUE, tmp_path / "a"),
            lambda: write_log((PREDICTION, RADIUS), wrong(TRUE), tmp_path / "a"),
            lambda: CertifiedAccuracyDisplay.from_certificate(c, wrong(y[some])),
        ]
        if name == "none":  # without labels there is another kind of log
            del calls[5]
        else:
            pair = PREDICTION, RADIUS
            weight = wrong(WEIGHT)
            calls += [
                lambda: c.certified_accuracy_lower_bound(y[some], sample_weight=weight),
                lambda: certified_accuracy_scorer(0.1)(
                    fitted, X[some], y[some], sample_weight=weight
                ),
                lambda: write_log(pair, TRUE, tmp_path / "a", idx=weight),
                lambda: write_log(pair, TRUE, tmp_path / "a", time=weight),
            ]
        for call in calls:
            with pytest.raises(
                ValueError, match="1d array|shape|inconsistent numbers|positive"
            ):
                call()
        assert not list(tmp_path.iterdir())


def test_squares_of_scores_were_no_scores():
    """(n, 1) against (n,) was compared each with each: four numbers for one."""
    pair = PREDICTION[:, None], RADIUS
    assert np.ndim(certified_accuracy_score(TRUE, pair)) == 0


@pytest.mark.parametrize(
    "bad",
    [
        PREDICTION,
        (PREDICTION,),
        (PREDICTION, RADIUS, RADIUS),
        "ab",
        {"prediction": PREDICTION, "radius": RADIUS},
        {"ab", "cd"},
        3,
        None,
    ],
    ids=lambda bad: type(bad).__name__,
)
def test_what_is_no_pair(bad, tmp_path):
    with pytest.raises(ValueError, match=r"or a pair \(prediction, radius\)"):
        certified_accuracy_score(TRUE, bad)
    with pytest.raises(ValueError, match=r"or a pair \(prediction, radius\)"):
        write_log(bad, TRUE, tmp_path / "a")


def test_a_frame_is_no_pair():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"prediction": PREDICTION, "radius": RADIUS})
    with pytest.raises(ValueError, match=r"got DataFrame of shape \(4, 2\)"):
        certified_accuracy_score(TRUE, table)
    columns = table["prediction"], table[["radius"]]
    assert certified_accuracy_score(TRUE, columns) == 0.5


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_weights_out_of_range(bad):
    with pytest.raises(ValueError, match="finite numbers >= 0, got .* for input 2"):
        certified_accuracy_score(
            TRUE, (PREDICTION, RADIUS), sample_weight=[1, 1, bad, 1]
        )
    with pytest.raises(ValueError, match="positive for at least one input"):
        certified_accuracy_score(TRUE, (PREDICTION, RADIUS), sample_weight=[0] * 4)


def test_radii_that_are_no_numbers():
    with pytest.raises(
        ValueError, match="radius should be a 1d array with one number for each"
    ):
        certified_accuracy_score(TRUE, (PREDICTION, list("abcd")))


def test_masked_values():
    masked = np.ma.array(TRUE, mask=[0, 0, 1, 0])
    with pytest.raises(ValueError, match="y_true has masked values"):
        certified_accuracy_score(masked, (PREDICTION, RADIUS))
    whole = np.ma.array(TRUE, mask=False)
    assert certified_accuracy_score(whole, (PREDICTION, RADIUS)) == 0.5


@pytest.mark.parametrize("missing", ["None", "nan", "NA"])
def test_a_missing_label_is_never_right(missing):
    pd = pytest.importorskip("pandas")
    value = {"None": None, "nan": np.nan, "NA": pd.NA}[missing]
    names = np.array(["a", "b", "b", "abstain"], dtype=object)
    for labels in (["a", value, "b", "b"], pd.Series(["a", value, "b", "b"])):
        pair = names, [0.9, 0.4, 0.7, 0.0]
        assert certified_accuracy_score(labels, pair) == 0.5


def test_a_gradient_is_no_hindrance():
    pair = PREDICTION, tensor_with_gradient(RADIUS)
    assert certified_accuracy_score(TRUE, pair) == 0.5


def test_no_inputs_have_no_score():
    with pytest.raises(ValueError, match="no inputs to score"):
        certified_accuracy_score([], ([], []))


def test_values_of_a_display():
    pytest.importorskip("matplotlib")
    radius, accuracy = np.array([0, 0.5]), np.array([1.0, 0.5])
    display = CertifiedAccuracyDisplay(radius=radius[:, None], accuracy=accuracy)
    assert display.plot().line_.get_xydata().shape == (3, 2)
    with pytest.raises(ValueError, match="2 radii, but 3 of accuracy"):
        CertifiedAccuracyDisplay(radius=radius, accuracy=RADIUS[:3]).plot()
    with pytest.raises(ValueError, match="radius should be a 1d array"):
        CertifiedAccuracyDisplay(radius=radius[None], accuracy=accuracy).plot()
    with pytest.raises(ValueError, match="2 radii, but 1 of lower_bound"):
        CertifiedAccuracyDisplay(
            radius=radius, accuracy=accuracy, lower_bound=accuracy[:1], rho=0.1
        ).plot()
    with pytest.raises(ValueError, match="share should be a 1d array"):
        VotesDisplay(
            share=np.ones((1, 2)) / 2,
            classes=np.array([0, 1]),
            selected=0,
            p_lower=0.6,
            p_upper=0.4,
            radius=0.1,
        ).plot()


def test_a_log_with_a_column_twice():
    pd = pytest.importorskip("pandas")
    columns = ["label", "predict", "radius", "radius"]
    log = pd.DataFrame([[0, 0, 0.5, 0.7]], columns=columns)
    with pytest.raises(ValueError, match="the column 'radius' twice"):
        certified_accuracy_table({"a": log}, [0.1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction", PREDICTION[:, None]),
        ("radius", RADIUS[:3]),
        ("p_lower", 0.5),
        ("counts", np.ones((4, 2), int)),
        ("selection_counts", np.ones((1, 2), int)),
        ("first_equal", np.zeros((4, 1), int)),
        ("radius_loss", np.zeros((4, 4))),
        ("index", range(3)),
    ],
)
def test_fields_of_a_certificate(name, value, fitted):
    c = fitted.certify(X[:4])
    fields = {**vars(c), "radius_loss": RADIUS}
    Certificate(**fields)
    with pytest.raises(ValueError, match="must have shape"):
        Certificate(**{**fields, name: value})
