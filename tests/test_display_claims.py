"""Displays claim no more than certificates do, and share axes only where they may."""

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB

from sksmooth import (
    CertifiedAccuracyDisplay,
    IntervalDisplay,
    ProbabilityDisplay,
    SmoothedClassifier,
    SmoothedRegressor,
    VotesDisplay,
)
from sksmooth.noise import Laplace

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

X, y = load_iris(return_X_y=True)
X, y = X[::5], y[::5]
PAIR = ([0, 1], [0.5, 0.25])
BY_FEATURE = [0.1, 0.2, 0.3, 0.4]
WORDS = "projected, not certified"
accuracy_of = CertifiedAccuracyDisplay.from_certificate


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def certified(**params):
    params = {"sigma": 0.3, "n": 500, "random_state": 0, **params}
    return SmoothedClassifier(GaussianNB(), **params).fit(X, y).certify(X)


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


class TestProjections:
    def setup_method(self):
        self.real = certified()
        self.projected = self.real.recertify(n=1_000_000)

    def test_accuracy(self):
        display = accuracy_of(self.projected, y)
        first, ceiling = legend(display)
        assert f"n = 1,000,000\nalpha = 0.001, 30 inputs, {WORDS} (ACR" in first
        assert ceiling == "most that so many votes could certify"
        assert display.ax_.get_ylabel() == "Projected accuracy"

    def test_whatever_the_name(self):
        display = accuracy_of(self.projected, y, name="g", label_acr=False)
        assert legend(display)[0] == f"g, {WORDS}"
        again = display.plot(name="h", label_acr=False)
        assert legend(again)[0] == f"h, {WORDS}"
        several = accuracy_of(self.projected, y, changes=[0], label_acr=False)
        assert legend(several)[0] == f"no category changed, {WORDS}"

    def test_beside_certificates(self):
        both = {"real": self.real, "more": self.projected}
        display = accuracy_of(both, y, label_acr=False)
        assert legend(display) == [
            "real",
            f"more, {WORDS}",
            "most that the votes could certify",
            "most that so many votes could certify",
        ]
        assert display.ax_.get_ylabel() == "Certified accuracy"
        twice = accuracy_of({"a": self.projected, "b": self.projected}, y)
        assert twice.ax_.get_ylabel() == "Projected accuracy"

    def test_on_axes_with_certificates(self):
        ax = accuracy_of(self.real, y).ax_
        assert accuracy_of(self.projected, y, ax=ax).ax_ is ax
        assert ax.get_ylabel() == "Certified accuracy"

    def test_probability(self):
        make = ProbabilityDisplay.from_certificate
        both = make({"real": self.real, "more": self.projected}, y)
        assert legend(both) == ["real", f"more, {WORDS}"]
        assert legend(make(self.projected, y)) == [WORDS]
        assert legend(make(self.projected, y, name="g")) == [f"g, {WORDS}"]

    def test_votes(self):
        display = VotesDisplay.from_certificate(self.projected)
        title = display.ax_.get_title()
        assert title.startswith("a projection: g(x) = 0 would be certified within 1.")
        assert display.ax_.get_ylabel() == "Share of 1,000,000 projected votes"
        assert display.projected
        display.radius, display.certified = 0.0, False
        assert display.plot().ax_.get_title().startswith("a projection: would abstain")


class TestCertifiedWithoutRadius:
    def test_categories_only(self):
        rng = np.random.default_rng(0)
        cells = rng.integers(0, 3, (60, 4)).astype(float)
        label = (cells[:, 0] > 0).astype(int)
        g = SmoothedClassifier(
            GaussianNB(), categorical_features=[0, 1, 2, 3], n=500, random_state=0
        )
        certificate = g.fit(cells, label).certify(cells[:10])
        index = int(np.flatnonzero(certificate.certified)[0])
        assert certificate.radius[index] == 0
        display = VotesDisplay.from_certificate(certificate, index=index)
        answer = certificate.prediction[index]
        assert display.ax_.get_title() == f"g(x) = {answer}, certified as it is"
        blue = matplotlib.colors.to_rgba("#0072B2")
        assert display.bars_[certificate.selected[index]].get_facecolor() == blue

    @pytest.mark.parametrize(
        ("radius", "certified", "title"),
        [
            (0.0, None, "Abstains: the bounds leave room for another class"),
            (0.0, False, "Abstains: the bounds leave room for another class"),
            (0.0, True, "g(x) = a, certified as it is"),
            (0.5, None, "g(x) = a, certified within 0.500 units of X"),
            (np.inf, True, "g(x) = a, certified within any radius"),
        ],
    )
    def test_titles(self, radius, certified, title):
        display = VotesDisplay(
            share=np.array([0.9, 0.1]),
            classes=np.array(["a", "b"]),
            selected=0,
            p_lower=0.8,
            p_upper=0.2,
            radius=radius,
            certified=certified,
        )
        assert display.plot().ax_.get_title() == title


class TestSharedAxes:
    def test_other_norms_and_units_are_refused(self):
        drawn = accuracy_of(certified(), y)
        before = len(drawn.ax_.lines)
        laplace = certified(noise=Laplace())
        for other, more in [
            (laplace, {"norm": "l1"}),
            (certified(sigma=BY_FEATURE), {}),
            (PAIR, {"unit": "cm"}),
        ]:
            label = PAIR[0] if other is PAIR else y
            with pytest.raises(ValueError, match="draw them on axes of their own"):
                accuracy_of(other, label, ax=drawn.ax_, **more)
        assert len(drawn.ax_.lines) == before
        assert drawn.ax_.get_xlabel() == r"$\ell_2$ radius (units of X)"
        accuracy_of(laplace, y, norm="l2", ax=drawn.ax_)

    def test_axes_that_were_cleared_or_labelled(self):
        ax = accuracy_of(PAIR, PAIR[0]).ax_
        ax.set_xlabel("how far")
        accuracy_of(PAIR, PAIR[0], ax=ax)
        ax.clear()
        accuracy_of(PAIR, PAIR[0], ax=ax, unit="cm")

    def test_units_of_unlike_sigmas(self):
        one, other = certified(sigma=BY_FEATURE), certified(sigma=BY_FEATURE[::-1])
        with pytest.raises(ValueError, match="sigmas, which differ"):
            accuracy_of({"a": one, "b": other}, y)
        told = accuracy_of({"a": one, "b": other}, y, unit="own sigmas")
        assert told.ax_.get_xlabel() == r"$\ell_2$ radius (own sigmas)"
        assert accuracy_of({"a": one, "b": one}, y).unit == "units of sigma"
        with pytest.raises(ValueError, match="draw them separately"):
            accuracy_of({"a": one, "b": certified()}, y, unit="mixed")

    def test_intervals(self):
        f = LinearRegression().fit(X, y)
        draw = IntervalDisplay.from_estimator
        ax = draw(SmoothedRegressor(f, n=200, random_state=0), X[:1]).ax_
        h = SmoothedRegressor(f, sigma=BY_FEATURE, n=200, random_state=0)
        with pytest.raises(ValueError, match="draw them on axes of their own"):
            draw(h, X[:1], ax=ax)
