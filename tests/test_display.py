import subprocess
import sys
from functools import partial

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sksmooth import (
    CertifiedAccuracyDisplay,
    IntervalCertificate,
    IntervalDisplay,
    NoisyInputsDisplay,
    ProbabilityDisplay,
    SmoothedClassifier,
    SmoothedDecisionDisplay,
    SmoothedRegressor,
    VotesDisplay,
    average_certified_radius_score,
    certified_accuracy_score,
)
from sksmooth.logs import read_log, write_log
from sksmooth.noise import Gaussian, Split
from sksmooth.stats import max_certifiable_radius

from .helpers import halfspace

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

X, y = load_iris(return_X_y=True)
PAIR = ([0, 1, 1, -1, 2, 2], [0.9, 0.4, 0.7, 0.0, 0.4, 0.1])
TRUE = [0, 1, 0, 1, 2, 2]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def smoothed(**params):
    g = SmoothedClassifier(GaussianNB(), **{"n": 500, "random_state": 0, **params})
    return g.fit(X, y)


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


# Certified accuracy


def test_steps_are_exact():
    display = CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE)
    np.testing.assert_array_equal(display.radius, [0, 0.1, 0.4, 0.9])
    np.testing.assert_array_equal(display.accuracy, np.array([4, 4, 3, 1]) / 6)
    line = display.line_
    np.testing.assert_array_equal(line.get_xdata(), [0, 0.1, 0.4, 0.9, 0.9])
    np.testing.assert_array_equal(line.get_ydata(), np.array([4, 4, 3, 1, 0]) / 6)
    # Left of a point the curve has the height of that point, as R >= r has it.
    assert line.get_drawstyle() == "steps-pre"
    assert line.get_label() == "ACR = 0.30"
    assert (display.band_, display.ceiling_) == (None, None)
    assert display.ax_.get_xlabel() == r"$\ell_2$ radius (units of X)"
    assert display.ax_.get_ylabel() == "Certified accuracy"


def test_predictions_come_in_the_order_of_scores():
    one = CertifiedAccuracyDisplay.from_predictions(TRUE, PAIR, name="g")
    other = CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE, name="g")
    np.testing.assert_array_equal(one.line_.get_xydata(), other.line_.get_xydata())
    assert one.line_.get_label() == other.line_.get_label() == "g (ACR = 0.30)"
    several = CertifiedAccuracyDisplay.from_predictions(TRUE, {"a": PAIR, "b": PAIR})
    assert several.name == ["a", "b"]
    with pytest.raises(ValueError, match="rho needs a Certificate"):
        CertifiedAccuracyDisplay.from_predictions(TRUE, PAIR, rho=0.1)


def as_log(certificate):
    prediction, radius = certificate
    return pd.DataFrame({"label": y, "predict": prediction, "radius": radius})


def test_curve_is_the_score():
    g = smoothed()
    c = g.certify(X)
    display = CertifiedAccuracyDisplay.from_estimator(g, X, y)
    np.testing.assert_array_equal(
        display.accuracy, certified_accuracy_score(y, c, radius=display.radius)
    )
    between = (display.radius[1:] + display.radius[:-1]) / 2
    np.testing.assert_array_equal(
        display.accuracy[1:], certified_accuracy_score(y, c, radius=between)
    )
    area = average_certified_radius_score(y, c)
    assert display.line_.get_label() == (
        f"sigma = 0.25, n = {g.n:,}\nalpha = 0.001, 150 inputs (ACR = {area:.2f})"
    )
    of_log = CertifiedAccuracyDisplay.from_log(as_log(c), sigma=0.25, n=g.n)
    assert of_log.name == display.name
    assert CertifiedAccuracyDisplay.from_log(as_log(c)).name == "150 inputs"
    split = smoothed(noise=Split(4, 0.1)).certify(X.round(1))
    drawn = CertifiedAccuracyDisplay.from_certificate(split, y, norm="l1")
    assert drawn.name.startswith(f"{split.noise!r}, ") and "sigma" not in drawn.name


def test_band_is_the_bound():
    g = smoothed(alpha=0.05)
    c = g.certify(X)
    display = CertifiedAccuracyDisplay.from_certificate(c, y, rho=0.01)
    expected = [
        c.certified_accuracy_lower_bound(y, radius=r, rho=0.01) for r in display.radius
    ]
    np.testing.assert_array_equal(display.lower_bound, expected)
    assert np.all(display.lower_bound < display.accuracy)
    corners = display.band_.get_paths()[0].vertices
    for point in zip(display.radius, display.lower_bound, strict=True):
        assert np.any(np.all(corners == point, axis=1))
    said = "proved of these inputs, at each radius by itself\nwith probability 0.99"
    assert said in legend(display)
    title = display.ax_.get_legend().get_title().get_text()
    assert title == "149 of 150 inputs distinct"
    once = CertifiedAccuracyDisplay.from_certificate(
        c.select(c.distinct), y[c.distinct], rho=0.01
    )
    assert once.ax_.get_legend().get_title().get_text() == ""


@pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
def test_ceiling_is_reached_and_never_passed(bound):
    g = smoothed(bound=bound, n=50)
    c = g.certify(X)
    display = CertifiedAccuracyDisplay.from_certificate(c, y)
    assert display.max_radius == c.radius.max()
    assert display.ceiling_.get_xdata() == [display.max_radius] * 2
    if bound == "cohen":
        assert display.max_radius == max_certifiable_radius(50, 0.25, 0.001)
    assert legend(display)[1:] == ["most that the votes could certify"]
    assert display.plot(plot_ceiling=False).ceiling_ is None


def test_names_without_areas():
    draw = partial(CertifiedAccuracyDisplay.from_certificate, label_acr=False)
    assert legend(draw({"f": PAIR, "g": PAIR}, TRUE)) == ["f", "g"]
    assert draw(PAIR, TRUE).ax_.get_legend() is None


def test_legend_covers_the_ceilings():
    display = CertifiedAccuracyDisplay.from_certificate(smoothed().certify(X), y)
    frame = display.ax_.get_legend().get_frame()
    assert frame.get_alpha() == 1
    assert display.ax_.get_legend().get_zorder() > display.ceiling_.get_zorder()


def test_ceiling_of_votes_that_stop_early():
    g = smoothed(n=5_000)
    c = g.certify(X, radius_tol=0.1)
    display = CertifiedAccuracyDisplay.from_certificate(c, y)
    expected = max_certifiable_radius(5_000, 0.25, 0.0005)
    assert display.max_radius == pytest.approx(expected, rel=1e-12)


def test_several_curves(tmp_path):
    certificates = {s: smoothed(sigma=s).certify(X) for s in (0.25, 0.5)}
    display = CertifiedAccuracyDisplay.from_certificate(certificates, y)
    assert len(display.line_) == len(display.ceiling_) == 2
    assert len({line.get_color() for line in display.line_}) == 2
    assert [text.split(" ")[0] for text in legend(display)[:2]] == ["0.25", "0.5"]
    estimators = {"a": smoothed(), "b": smoothed(sigma=0.5)}
    same = CertifiedAccuracyDisplay.from_estimator(estimators, X, y, name=["c", "d"])
    for one, other in zip(display.line_, same.line_, strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
    assert [text[:2] for text in legend(same)[:2]] == ["c ", "d "]


def test_axes_are_shared():
    _, ax = plt.subplots()
    g = smoothed()
    first = CertifiedAccuracyDisplay.from_estimator(g, X, y, ax=ax, rho=0.1)
    second = CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE, ax=ax, name="pair")
    assert first.ax_ is second.ax_ is ax
    assert first.figure_ is ax.figure
    assert first.line_.get_color() != second.line_.get_color()
    assert len(legend(second)) == 4
    again = first.plot(name="again", curve_kwargs={"c": "red", "lw": 3})
    assert again is first
    assert again.ax_ is not ax
    assert (again.line_.get_color(), again.line_.get_linewidth()) == ("red", 3)
    assert again.line_.get_label().startswith("again (ACR")


def test_many_curves_have_different_colors():
    display = CertifiedAccuracyDisplay.from_certificate(
        dict.fromkeys(range(9), PAIR),
        TRUE,
        curve_kwargs=[{"linewidth": k} for k in range(9)],
    )
    assert len({line.get_color() for line in display.line_}) == 9
    assert [line.get_linewidth() for line in display.line_] == list(range(9))


@pytest.mark.parametrize(
    ("make", "n_given", "artists"),
    [
        (CertifiedAccuracyDisplay.from_estimator, 3, "curve_kwargs"),
        (ProbabilityDisplay.from_estimator, 3, "curve_kwargs"),
        (ProbabilityDisplay.from_certificate, 2, "curve_kwargs"),
        (VotesDisplay.from_certificate, 1, "bar_kwargs"),
        (IntervalDisplay.from_estimator, 2, "band_kwargs"),
    ],
)
def test_wrong_keywords_are_told_before_anything_is_done(make, n_given, artists):
    with pytest.raises(TypeError, match=rf"goes into {artists}={{'linestyle': ...}}"):
        make(*[None] * n_given, linestyle="--")


def test_wrong_keywords_of_plot():
    display = CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE)
    with pytest.raises(TypeError, match="'plot_ceilings': did you mean plot_ceiling"):
        display.plot(plot_ceilings=False)
    with pytest.raises(TypeError, match="image_kwargs={'interpolation': ...}. It"):
        NoisyInputsDisplay.from_image(None, sigma=1, interpolation="none")
    with pytest.raises(TypeError, match="plot got an unexpected.* 'rh'"):
        CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE, rh=0.1)


def test_infinite_radii_do_not_end():
    pair = ([0, 1, 1], [0.5, np.inf, np.inf])
    display = CertifiedAccuracyDisplay.from_certificate(pair, [0, 1, 1], name="exact")
    np.testing.assert_array_equal(display.line_.get_xdata(), [0, 0.5, 0.55])
    np.testing.assert_array_equal(display.line_.get_ydata(), [1, 1, 2 / 3])
    assert legend(display) == ["exact (ACR infinite)"]
    pair = ([1], [np.inf])
    display = CertifiedAccuracyDisplay.from_certificate(pair, [1])
    np.testing.assert_array_equal(display.line_.get_xydata(), [[0, 1], [1, 1]])


def test_exact_certificates():
    g = SmoothedClassifier(DecisionTreeClassifier(random_state=0), method="exact")
    _, first = np.unique(X, axis=0, return_index=True)
    g.fit(X, y)
    display = CertifiedAccuracyDisplay.from_estimator(g, X[first], y[first], rho=0.001)
    assert display.ceiling_ is None
    np.testing.assert_array_equal(display.lower_bound, display.accuracy)


def test_nothing_certified():
    display = CertifiedAccuracyDisplay.from_certificate(([-1, -1], [0.0, 0.0]), [0, 1])
    np.testing.assert_array_equal(display.line_.get_xydata(), [[0, 0], [0, 0]])


def test_sigma_of_each_feature_is_the_unit():
    g = smoothed(sigma=[0.1, 0.2, 0.3, 0.4])
    display = CertifiedAccuracyDisplay.from_estimator(g, X, y)
    assert display.ax_.get_xlabel() == r"$\ell_2$ radius (units of sigma)"
    assert legend(display)[0].startswith("sigma by feature, n = 500\nalpha")
    with pytest.raises(ValueError, match="draw them separately"):
        CertifiedAccuracyDisplay.from_estimator({"a": g, "b": smoothed()}, X, y)


def test_from_log(tmp_path):
    c, path = smoothed().certify(X), tmp_path / "log"
    write_log(c, y, path)
    kwargs = {"sigma": {"a": 0.25}, "n": 500, "alpha": {"a": 0.001, "b": 0.01}}
    display = CertifiedAccuracyDisplay.from_log(
        {"a": path, "b": pd.DataFrame({"label": [1], "predict": [1], "radius": [0.5]})},
        rho=0.001,
        **kwargs,
    )
    expected = CertifiedAccuracyDisplay.from_certificate(c, y)
    np.testing.assert_allclose(display.radius[0], expected.radius, rtol=1e-5)
    np.testing.assert_array_equal(display.accuracy[0], expected.accuracy)
    assert display.max_radius == [expected.max_radius, None]
    np.testing.assert_array_equal(display.lower_bound[1], [0, 0])
    alone = as_log(c)  # beside which nothing stands
    with pytest.raises(ValueError, match="the log has a radius of .* reach 0.2"):
        CertifiedAccuracyDisplay.from_log(alone, sigma=0.1, n=500)
    pair = {"a": path, "b": path}
    for display in (CertifiedAccuracyDisplay, ProbabilityDisplay):
        with pytest.raises(TypeError, match="sigma must be a number, or a dict"):
            display.from_log(pair, sigma=[0.25, 0.5])
        with pytest.raises(TypeError, match="the log must be a file or .*into a dict"):
            display.from_log([path, path], sigma=0.25)
        with pytest.raises(ValueError, match="sigma must have the names of the logs"):
            display.from_log(pair, sigma={"a": 0.25, "c": 0.5})
    with pytest.raises(ValueError, match="alpha must have the names"):
        CertifiedAccuracyDisplay.from_log(pair, sigma=0.25, alpha={"a": 0.1})
    with pytest.raises(TypeError, match="alpha must be a number"):
        CertifiedAccuracyDisplay.from_log(pair, sigma=0.25, alpha=[0.1, 0.1])
    with pytest.raises(ValueError, match="has no name: pass n as a number"):
        CertifiedAccuracyDisplay.from_log(path, sigma=0.25, n={"a": 500})
    with pytest.raises(ValueError, match="the log has idx 0 more than once"):
        CertifiedAccuracyDisplay.from_log(pd.concat([read_log(path)] * 2), rho=0.1)
    with pytest.raises(TypeError, match="several Certificates need names"):
        CertifiedAccuracyDisplay.from_certificate([c, c], y)
    empty = pd.DataFrame({"label": [], "predict": [], "radius": []})
    with pytest.raises(ValueError, match="log 'x' has no rows"):
        CertifiedAccuracyDisplay.from_log({"x": empty})


def test_published_logs_stay_below_their_ceiling(published):
    folder = published / "cohen2019"
    logs = {
        s: folder / f"certify_cifar10_resnet110_sigma_{s}.tsv"
        for s in ("0.12", "0.25", "0.50", "1.00")
    }
    kwargs = {"sigma": {s: float(s) for s in logs}}
    alpha = {s: 0.001 if s == "0.12" else 0.01 for s in logs}
    display = CertifiedAccuracyDisplay.from_log(logs, alpha=alpha, **kwargs)
    assert [accuracy[0] for accuracy in display.accuracy] == [
        0.814,
        0.748,
        0.652,
        0.472,
    ]
    with pytest.raises(ValueError, match="log '0.25' has a radius of 0.978"):
        CertifiedAccuracyDisplay.from_log(logs, **kwargs)


def test_bad_certified_accuracy():
    make = CertifiedAccuracyDisplay
    with pytest.raises(ValueError, match="rho needs a Certificate"):
        make.from_certificate(PAIR, TRUE, rho=0.1)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        make.from_certificate(PAIR, TRUE[:2])
    with pytest.raises(ValueError, match="1 curves, but 2 names"):
        make.from_certificate(PAIR, TRUE).plot(name=["a", "b"])
    with pytest.raises(ValueError, match="1 curves, but 2 curve_kwargs"):
        make.from_certificate(PAIR, TRUE, curve_kwargs=[{}, {}])
    with pytest.raises(TypeError, match="GaussianNB has no method `certify`"):
        make.from_estimator(GaussianNB().fit(X, y), X, y)
    with pytest.raises(NotFittedError):
        make.from_estimator(SmoothedClassifier(GaussianNB()), X, y)
    projected = smoothed().certify(X).recertify(n=10_000)
    with pytest.raises(ValueError, match="projection certifies nothing"):
        make.from_certificate(projected, y, rho=0.1)


def test_accuracy_under_attack_is_dashed():
    attacked = {"g": ([0.5, 0.0], [0.25, 0.9]), "f": ([0, 0.5], [1.0, 0.0])}
    display = CertifiedAccuracyDisplay.from_certificate(
        {"g": PAIR, "h": PAIR}, TRUE, label_acr=False, under_attack=attacked
    )
    g, f = display.attacked_
    np.testing.assert_array_equal(g.get_xydata(), [[0, 0.9], [0.5, 0.25]])
    # What is broken at a radius is broken to the right of it.
    assert (g.get_drawstyle(), g.get_linestyle()) == ("steps-post", "--")
    assert g.get_color() == display.line_[0].get_color()
    others = {line.get_color() for line in display.line_}
    assert f.get_color() not in others
    assert legend(display) == ["g", "h", "g, under attack", "f, under attack"]
    assert display.ax_.get_ylabel() == "Robust accuracy"
    assert len(display.plot().attacked_) == 2
    alone = CertifiedAccuracyDisplay.from_certificate(
        PAIR, TRUE, under_attack=([0, 1], [0.5, 0.5])
    )
    assert legend(alone) == ["ACR = 0.30", "under attack"]
    assert alone.attacked_[0].get_color() == alone.line_.get_color()
    with pytest.raises(ValueError, match="must not grow with the radius"):
        alone.plot(under_attack=([0, 1], [0.5, 0.6]))
    with pytest.raises(ValueError, match="2 radii, but 1 of accuracy under attack"):
        alone.plot(under_attack=([0, 1], [0.5]))


# Probabilities of the true class


def test_distribution_is_certified_accuracy_by_probability():
    """Right of 1/2, what lies above p is what is certified at sigma Phi^-1(p)."""
    g = smoothed(sigma=0.5)
    c = g.certify(X)
    display = ProbabilityDisplay.from_certificate(c, y)
    p, share = display.line_.get_data()
    assert display.line_.get_drawstyle() == "steps-post"
    assert (p[0], p[-1], share[-1]) == (0, 1, 1)
    above = p[1:] > 0.5
    radius = 0.5 * norm.ppf(p[1:][above])
    finite = np.isfinite(radius)
    # Up to p the curve has the height of the value before: R >= r, as certified.
    np.testing.assert_allclose(
        1 - share[:-1][above][finite],
        certified_accuracy_score(y, c, radius=(1 - 1e-9) * radius[finite]),
        rtol=1e-12,
    )
    not_certified = 1 - certified_accuracy_score(y, c, radius=0)
    assert share[p <= 0.5][-1] == pytest.approx(not_certified)
    wrong = c.selected != y
    assert wrong.any() and (display.probability[wrong] == 0).all()
    np.testing.assert_array_equal(display.probability[~wrong], c.p_lower[~wrong])
    same = ProbabilityDisplay.from_predictions(y, {"a": c, "b": c})
    assert legend(same) == ["a", "b"]
    np.testing.assert_array_equal(same.line_[1].get_xydata(), np.c_[p, share])


def test_distribution_by_hand():
    display = ProbabilityDisplay(probability=np.array([0.0, 0.75, 0.75, 1.0])).plot(
        name="g"
    )
    np.testing.assert_array_equal(
        display.line_.get_xydata(), [[0, 0.25], [0.75, 0.75], [1, 1]]
    )
    assert display.half_.get_xdata() == [0.5, 0.5]
    second = ProbabilityDisplay(probability=[np.array([0.5])], name=["f"])
    second.plot(display.ax_, curve_kwargs={"lw": 3})
    np.testing.assert_array_equal(second.line_.get_xydata(), [[0, 0], [0.5, 1], [1, 1]])
    assert second.line_.get_color() != display.line_.get_color()
    for bad in ([], [1.1], [np.nan]):
        with pytest.raises(ValueError, match="one number from 0 to 1"):
            ProbabilityDisplay(probability=np.array(bad)).plot()


def test_distribution_of_logs_and_of_the_certificates_behind_them(tmp_path):
    g = {0.25: smoothed(), 0.5: smoothed(sigma=0.5)}
    c = {sigma: each.certify(X) for sigma, each in g.items()}
    for sigma in c:
        write_log(c[sigma], y, tmp_path / str(sigma))
    logs = {sigma: tmp_path / str(sigma) for sigma in c}
    read = ProbabilityDisplay.from_log(logs, sigma={sigma: sigma for sigma in c})
    made = ProbabilityDisplay.from_estimator(g, X, y, name=["a", "b"])
    assert legend(read) == ["0.25", "0.5"] and legend(made) == ["a", "b"]
    for k, each in enumerate(c.values()):
        certified = (each.prediction == y) & (each.radius > 0)
        expected = np.where(certified, made.probability[k], 0)
        np.testing.assert_allclose(read.probability[k], expected, atol=1e-5)
    with pytest.raises(ValueError, match="sigma must be positive"):
        ProbabilityDisplay.from_log(logs, sigma=0.0)
    with pytest.raises(TypeError, match="a tuple knows no probabilities"):
        ProbabilityDisplay.from_certificate(PAIR, TRUE)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        ProbabilityDisplay.from_certificate(c[0.25], y[:2])


# Decision regions


def test_regions_and_balls_of_a_halfspace():
    """g of a halfspace is the halfspace; the balls touch its border at most."""
    g = SmoothedClassifier(halfspace([1.0, 0.0]), sigma=0.5, method="exact")
    corners = np.array([[-1.0, -1], [1, 1]])
    centers = np.array([[0.5, 0.0], [-0.25, 0.5], [0.0, 0.0]])
    display = SmoothedDecisionDisplay.from_estimator(
        g, corners, centers=centers, grid_resolution=5, margin=0.0
    )
    np.testing.assert_array_equal(display.xx0[0], np.linspace(-1, 1, 5))
    np.testing.assert_array_equal(display.xx1[:, 0], np.linspace(-1, 1, 5))
    np.testing.assert_array_equal(display.response, np.tile([0, 0, -1, 1, 1], (5, 1)))
    np.testing.assert_array_equal(
        display.surface_.get_array().ravel(), display.response.ravel()
    )
    assert [tuple(ball.center) for ball in display.balls_] == [(0.5, 0), (-0.25, 0.5)]
    sizes = [(ball.width, ball.height) for ball in display.balls_]
    np.testing.assert_allclose(sizes, [(1, 1), (0.5, 0.5)], rtol=1e-9)
    assert [line.get_marker() for line in display.points_] == ["o", "o", "x"]
    assert display.points_[0].get_color() == display.colors_[1]
    assert display.ax_.get_aspect() == 1
    assert legend(display) == [
        "g(x) = 0",
        "g(x) = 1",
        "abstains",
        "certified ball",
        "no certificate",
    ]


def test_ellipses_for_sigma_of_each_feature():
    g = SmoothedClassifier(GaussianNB(), sigma=[0.6, 0.2], n=500, random_state=0)
    g.fit(X[:, :2], y)
    display = SmoothedDecisionDisplay.from_estimator(
        g, X[:, :2], centers=X[:1, :2], grid_resolution=3
    )
    (ball,) = display.balls_
    radius = g.certify(X[:1, :2]).radius[0]
    assert (ball.width, ball.height) == pytest.approx((1.2 * radius, 0.4 * radius))
    assert "certified ellipse" in legend(display)
    assert display.ax_.get_aspect() == "auto"


def test_endless_balls_are_not_drawn():
    xx0, xx1 = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    display = SmoothedDecisionDisplay(
        xx0=xx0,
        xx1=xx1,
        response=np.zeros((2, 2), int),
        classes=np.array(["only"]),
        centers=np.array([[0.5, 0.5]]),
        half_axes=np.full((1, 2), np.inf),
        center_response=np.array([0]),
    ).plot()
    assert display.balls_ == []
    assert len(display.points_) == 1
    assert legend(display) == ["g(x) = only"]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_regions_from_frames(frame):
    names = np.array(["in", "out"])
    points, label = make_moons(60, noise=0.1, random_state=0)
    f = DecisionTreeClassifier(random_state=0)
    g = SmoothedClassifier(f, n=200, random_state=0)
    table = frame({"east": points[:, 0], "north": points[:, 1]})
    display = SmoothedDecisionDisplay.from_estimator(
        g.fit(table, names[label]), table, centers=table[:4], grid_resolution=4
    )
    assert display.ax_.get_xlabel() == "east"
    assert display.ax_.get_ylabel() == "north"
    assert set(display.response.ravel()) <= {-1, 0, 1}
    assert "g(x) = out" in legend(display)
    low = points.min(axis=0) - 0.1 * np.ptp(points, axis=0)
    assert (display.ax_.get_xlim()[0], display.ax_.get_ylim()[0]) == pytest.approx(low)
    plain = SmoothedDecisionDisplay.from_estimator(
        g.fit(points, label), points, grid_resolution=4, xlabel="a"
    )
    np.testing.assert_array_equal(plain.response, display.response)
    assert plain.ax_.get_xlabel() == "a"
    assert plain.ax_.get_ylabel() == "feature 1"


def test_bad_regions():
    make = SmoothedDecisionDisplay.from_estimator
    g = smoothed()
    with pytest.raises(ValueError, match=r"two features.*got shape \(150, 4\)"):
        make(g, X)
    with pytest.raises(ValueError, match=r"two features.*\(2, 3, 3\)"):
        make(g, np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match="centers must have two features"):
        make(halved(), X[:, :2], centers=X[:2], grid_resolution=2)
    with pytest.raises(ValueError, match="all numbers finite"):
        make(g, [[0.0, np.nan]])
    with pytest.raises(ValueError, match="grid_resolution must be at least 2"):
        make(g, X[:, :2], grid_resolution=1)
    with pytest.raises(NotFittedError):
        make(SmoothedClassifier(GaussianNB()), X[:, :2])
    with pytest.raises(ValueError, match="3 classes, but 2 names"):
        make(halved(), X[:, :2], grid_resolution=2, name=["a", "b"])


def halved():
    return SmoothedClassifier(GaussianNB().fit(X[:, :2], y), n=200, random_state=0)


# Votes


def test_votes():
    g = smoothed()
    c = g.certify(X)
    display = VotesDisplay.from_certificate(c, index=60, name=["a", "b", "c"])
    heights = [bar.get_height() for bar in display.bars_]
    np.testing.assert_array_equal(heights, c.counts[60] / 500)
    lower, upper = display.line_
    np.testing.assert_array_equal(lower.get_ydata(), [c.p_lower[60]] * 2)
    assert np.mean(lower.get_xdata()) == c.selected[60]
    assert np.nanmax(upper.get_ydata()) == np.nanmin(upper.get_ydata()) == c.p_upper[60]
    assert display.ax_.get_ylabel() == "Share of 500 votes"
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["a", "b", "c"]
    title = display.ax_.get_title()
    assert title.startswith("g(x) = b, certified within 0.")
    # Bounds and radii are rounded to the safe side.
    assert float(title.split()[-4]) <= c.radius[60]
    low, high = (float(text.split(": ")[1]) for text in legend(display))
    assert low <= c.p_lower[60] and high >= c.p_upper[60]
    _, ax = plt.subplots()
    same = VotesDisplay.from_estimator(g, X, index=60, ax=ax)
    assert same.ax_ is ax
    np.testing.assert_array_equal(same.share, display.share)


def test_votes_that_abstain():
    display = VotesDisplay.from_estimator(smoothed(), pd.DataFrame(X), index=70)
    assert display.radius == 0
    assert display.ax_.get_title().startswith("Abstains")


def test_votes_of_many_classes():
    share = np.arange(20) / 190
    display = VotesDisplay(
        share=share,
        classes=np.arange(20),
        selected=3,
        p_lower=0.01,
        p_upper=0.99,
        radius=0.0,
        n_used=190,
    ).plot(max_classes=4)
    labels = [t.get_text() for t in display.ax_.get_xticklabels()]
    assert labels == ["3", "19", "18", "17"]
    assert display.ax_.get_xlabel() == "Class (16 more not shown)"


def test_exact_probabilities():
    g = SmoothedClassifier(LogisticRegression().fit(X, y > 0), method="exact")
    display = VotesDisplay.from_estimator(g, X, index=3)
    np.testing.assert_array_equal(display.share, g.predict_proba(X[3:4])[0])
    assert display.ax_.get_ylabel() == "Probability"
    with pytest.raises(ValueError, match="an exact certificate has no votes"):
        VotesDisplay.from_certificate(g.certify(X))


def test_bad_votes():
    with pytest.raises(IndexError):
        VotesDisplay.from_certificate(smoothed().certify(X), index=150)
    with pytest.raises(ValueError, match="3 classes, but 1 names"):
        VotesDisplay.from_estimator(smoothed(), X, name=["a"])
    with pytest.raises(NotFittedError):
        VotesDisplay.from_estimator(SmoothedClassifier(GaussianNB()), X)


# Images


def test_noisy_images():
    image = np.linspace(0, 1, 12).reshape(3, 4)
    display = NoisyInputsDisplay.from_image(
        image, sigma=[0, 0.5, 1], n_copies=2, random_state=0
    )
    assert display.ax_.shape == (2, 3)
    # What has no noise is the same in every row, and is drawn once.
    assert len(display.images_) == 5
    shown = [[len(ax.images) for ax in row] for row in display.ax_]
    assert shown == [[1, 1, 1], [0, 1, 1]]
    assert not display.ax_[1, 0].axison
    for row in display.images:
        np.testing.assert_array_equal(row[0], image)
        np.testing.assert_allclose(row[2] - image, 2 * (row[1] - image))
    assert np.any(display.images[0, 1] != display.images[1, 1])
    np.testing.assert_array_equal(
        display.images_[3].get_array(), np.clip(display.images[1, 1], 0, 1)
    )
    titles = [ax.get_title() for ax in display.ax_.ravel()]
    assert titles == ["clean", "sigma = 0.5", "sigma = 1", "", "", ""]
    again = NoisyInputsDisplay.from_image(image, sigma=0.5, random_state=0)
    np.testing.assert_array_equal(again.images[0, 0], display.images[0, 1])


@pytest.mark.parametrize(
    ("shape", "given", "drawn"),
    [
        ((5, 4), None, (5, 4)),
        ((5, 4, 3), None, (5, 4, 3)),
        ((3, 5, 4), None, (5, 4, 3)),
        ((1, 5, 4), None, (5, 4)),
        ((5, 4, 1), None, (5, 4)),
        ((20,), (5, 4), (5, 4)),
    ],
)
def test_shapes_of_images(shape, given, drawn):
    image = np.full(shape, 255)
    display = NoisyInputsDisplay.from_image(
        image, sigma=[0], shape=given, value_range=(0, 255)
    )
    picture = display.images_[0].get_array()
    assert picture.shape == drawn
    assert np.all(picture == 1)


def test_axes_of_images():
    image = np.zeros((2, 2))
    _, axes = plt.subplots(1, 3)
    display = NoisyInputsDisplay.from_image(image, sigma=[0, 1], ax=axes[:2])
    assert display.ax_[0, 1] is axes[1]
    inside = NoisyInputsDisplay.from_image(image, sigma=[0, 1], ax=axes[2])
    assert inside.ax_.shape == (1, 2)
    assert inside.figure_ is axes[2].figure
    single = NoisyInputsDisplay.from_image(image, sigma=1, ax=axes[0], name=["n"])
    assert single.ax_[0, 0] is axes[0]
    assert axes[0].get_title() == "n"
    free = plt.figure().add_axes([0, 0, 1, 1])
    with pytest.raises(ValueError, match="must be part of a grid"):
        NoisyInputsDisplay.from_image(image, sigma=[0, 1], ax=free)
    with pytest.raises(ValueError, match="2 pictures need as many axes, got 3"):
        NoisyInputsDisplay.from_image(image, sigma=[0, 1], ax=axes)


@pytest.mark.parametrize(
    ("image", "params", "message"),
    [
        (np.zeros(64), {}, r"got \(64,\): give a row of a table its shape"),
        (np.zeros((2, 2, 4)), {}, "image must have shape"),
        ([[np.nan]], {}, "NaN or infinity"),
        ([[0.0]], {"sigma": -1}, "sigma must be a finite number >= 0"),
        ([[0.0]], {"sigma": []}, "sigma a number or a list"),
        ([[0.0]], {"n_copies": 0}, "n_copies must be at least 1"),
        ([[0.0]], {"value_range": (1, 0)}, "value_range increasing"),
        ([[0.0]], {"name": ["a", "b"]}, "1 columns, but 2 names"),
    ],
)
def test_bad_images(image, params, message):
    with pytest.raises(ValueError, match=message):
        NoisyInputsDisplay.from_image(image, **{"sigma": 0.5, **params})


# Without matplotlib


def test_matplotlib_is_asked_for_by_name(monkeypatch):
    display = CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in [
        lambda: display.plot(),
        lambda: CertifiedAccuracyDisplay.from_certificate(PAIR, TRUE),
        lambda: CertifiedAccuracyDisplay.from_estimator(None, X, y),
        lambda: CertifiedAccuracyDisplay.from_log("no such file"),
        lambda: SmoothedDecisionDisplay.from_estimator(None, X),
        lambda: VotesDisplay.from_estimator(None, X),
        lambda: VotesDisplay.from_certificate(None),
        lambda: NoisyInputsDisplay.from_image(X, sigma=1),
    ]:
        with pytest.raises(
            ImportError, match="Display.* needs matplotlib: pip install"
        ):
            draw()


def test_import_does_not_import_matplotlib():
    code = "import sys, sksmooth; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# Intervals


def test_intervals_against_radius():
    f = DecisionTreeRegressor(random_state=0).fit(X[:, :1], X[:, 2])
    h = SmoothedRegressor(f, sigma=0.5)
    display = IntervalDisplay.from_estimator(h, X[[0, 99], :1], name=["a", "b"])
    certificate = h.certify_interval(X[[0, 99], :1], display.radius)
    assert display.radius[[0, -1]].tolist() == [0.0, 0.75]
    np.testing.assert_array_equal(display.lower, certificate.lower)
    assert legend(display) == ["a", "b"]
    assert display.ax_.get_xlabel() == r"$\ell_2$ radius (units of X)"
    for k, (band, line) in enumerate(zip(display.band_, display.line_, strict=True)):
        corners = band.get_paths()[0].vertices
        assert corners[:, 1].min() == certificate.lower[k].min()
        assert corners[:, 1].max() == certificate.upper[k].max()
        assert line.get_ydata().tolist() == [certificate.prediction[k]] * 2


def test_intervals_that_end():
    """Of two outputs the second; from where an end is infinite there is no band."""
    lower = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, -np.inf]]])
    certificate = IntervalCertificate(
        lower=lower,
        prediction=np.array([[0.0, 2.0]]),
        upper=lower + 3,
        radius=np.array([0.0, 1.0, 2.0]),
        norm="l1",
        changes=0,
        quantile=0.5,
        n=10,
        alpha=0.1,
        sigma=np.ones(3),
        method="monte_carlo",
        noise=Gaussian(),
        index=pd.Index(["x"]),
    )
    display = IntervalDisplay.from_certificate(certificate, output=1)
    assert display.band_[0].get_paths()[0].vertices[:, 0].max() == 1.0
    assert legend(display) == ["x"]
    assert display.ax_.get_xlabel() == r"$\ell_1$ radius (units of sigma)"
    with pytest.raises(ValueError, match="1 inputs, but 2 names"):
        display.plot(name=["a", "b"])


@pytest.mark.parametrize(
    ("n_inputs", "radius", "message"),
    [(2, 0.1, "several radii"), (7, [0.1, 0.2], "choose at most 6")],
)
def test_bad_intervals(n_inputs, radius, message):
    h = SmoothedRegressor(LinearRegression().fit(X, y))
    certificate = h.certify_interval(X[:n_inputs], radius)
    with pytest.raises(ValueError, match=message):
        IntervalDisplay.from_certificate(certificate)
