"""What the displays take from the JSON file beside a log, and what they refuse."""

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sksmooth import CertifiedAccuracyDisplay, ProbabilityDisplay, SmoothedClassifier
from sksmooth.logs import read_log, write_log
from sksmooth.noise import Laplace
from sksmooth.stats import max_certifiable_radius

pd = pytest.importorskip("pandas")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

X, y = load_iris(return_X_y=True)
X, y = X[::3], y[::3]
BY_FEATURE = [0.1, 0.2, 0.3, 0.4]
accuracy_of = CertifiedAccuracyDisplay.from_log
probability_of = ProbabilityDisplay.from_log


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def run(tmp_path):
    """Return a function that certifies, and returns certificate and log."""

    def certified(f=None, *, norm=None, **params):
        params = {"sigma": 0.3, "n": 200, "random_state": 0, **params}
        g = SmoothedClassifier(GaussianNB() if f is None else f, **params).fit(X, y)
        certificate = g.certify(X)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.tsv"
        write_log(certificate, y, path, norm=norm)
        return certificate, path

    return certified


def bare(path):
    log = read_log(path)
    log.attrs.clear()
    return log


def same_axes(of_log, of_certificate):
    assert of_log.name == of_certificate.name
    assert of_log.ax_.get_xlabel() == of_certificate.ax_.get_xlabel()
    assert of_log.max_radius == of_certificate.max_radius


class TestCertifiedAccuracy:
    @pytest.mark.parametrize("sigma", [0.3, BY_FEATURE])
    def test_settings_of_the_run(self, run, sigma):
        certificate, path = run(sigma=sigma, alpha=0.01)
        drawn = CertifiedAccuracyDisplay.from_certificate(certificate, y)
        for log in (path, read_log(path)):
            same_axes(accuracy_of(log), drawn)
        assert accuracy_of(path).name.startswith("sigma ")
        told = {"sigma": 0.3 if sigma == 0.3 else 1.0, "n": 200, "alpha": 0.01}
        same_axes(accuracy_of(path, **told), drawn)

    def test_laplace(self, run):
        certificate, path = run(noise=Laplace(), norm="l1")
        drawn = accuracy_of(path)
        assert drawn.ax_.get_xlabel() == r"$\ell_1$ radius (units of X)"
        assert (drawn.norm, drawn.max_radius) == ("l1", None)
        assert "n = 200\nalpha = 0.001, 50 inputs" in drawn.name
        with pytest.raises(ValueError, match="norm='l2', but .* says norm='l1'"):
            accuracy_of(path, norm="l2")
        with pytest.raises(ValueError, match="leave it out"):
            accuracy_of(path, sigma=0.3)

    def test_radii_in_another_norm_than_that_of_the_noise(self, run):
        _, path = run(noise=Laplace(), norm="l2")
        assert accuracy_of(path).norm == "l2"
        with pytest.raises(ValueError, match="sigma tells how far .* only under Gaus"):
            accuracy_of(path, sigma=0.3)

    def test_another_bound_has_no_ceiling(self, run):
        _, path = run(bound="joint")
        assert accuracy_of(path).max_radius is None
        with pytest.raises(ValueError, match="had Gaussian.., bound='joint'"):
            accuracy_of(path, sigma=0.3)

    def test_certain(self, run):
        f = LogisticRegression().fit(X, y > 0)
        g = SmoothedClassifier(f, method="exact").fit(X, y > 0)
        path = run()[1]
        write_log(g.certify(X), (y > 0).astype(int), path)
        drawn = accuracy_of(path, rho=0.01)
        assert drawn.name == "sigma = 0.25, exact, 50 inputs"
        np.testing.assert_array_equal(drawn.lower_bound, drawn.accuracy)

    @pytest.mark.parametrize(
        ("told", "said"),
        [
            ({"sigma": 0.9}, "sigma=0.9, but what stands beside the log says sigma=0"),
            ({"n": 100_000}, "n=100000, but .* says n=200: leave n out"),
            ({"alpha": 0.01}, "alpha=0.01, but .* says alpha=0.001: leave alpha"),
            ({"norm": "l1"}, "norm='l1', but .* says norm='l2'"),
            ({"unit": "units of sigma"}, "unit='units of sigma', but .*'units of X'"),
        ],
    )
    def test_contradictions(self, run, told, said):
        _, path = run()
        with pytest.raises(ValueError, match=said):
            accuracy_of(path, **told)

    def test_alpha_of_a_lower_bound(self, run):
        _, path = run(noise=Laplace(), norm="l1")
        with pytest.raises(ValueError, match="says alpha=0.001"):
            accuracy_of(path, alpha=0.01, rho=0.1)
        drawn, told = accuracy_of(path, rho=0.1), accuracy_of(path, rho=0.1, alpha=1e-3)
        np.testing.assert_array_equal(drawn.lower_bound, told.lower_bound)

    def test_without_a_file_beside(self, run):
        _, path = run()
        drawn = accuracy_of(bare(path))
        assert (drawn.name, drawn.max_radius) == ("50 inputs", None)
        assert drawn.ax_.get_xlabel() == r"$\ell_2$ radius (units of the log)"
        most = max_certifiable_radius(100_000, 0.3, 0.001)
        assert accuracy_of(bare(path), sigma=0.3).max_radius == most

    def test_several(self, run):
        (_, a), (_, b) = run(), run(sigma=0.5, n=300)
        drawn = accuracy_of({"a": a, "b": b, "c": bare(a)})
        assert drawn.name == ["a", "b", "c"]
        assert drawn.max_radius == [
            max_certifiable_radius(200, 0.3, 0.001),
            max_certifiable_radius(300, 0.5, 0.001),
            None,
        ]
        with pytest.raises(ValueError, match="beside log 'b' says sigma=0.5"):
            accuracy_of({"a": a, "b": b}, sigma=0.3)

    def test_several_in_different_measures(self, run):
        _, gaussian = run()
        _, laplace = run(noise=Laplace(), norm="l1")
        _, by_feature = run(sigma=BY_FEATURE)
        _, by_another = run(sigma=BY_FEATURE[::-1])
        for other in (gaussian, bare(gaussian)):
            with pytest.raises(ValueError, match="l2 of log 'a', l1 of log 'b'"):
                accuracy_of({"a": other, "b": laplace})
        for other in (gaussian, bare(gaussian), by_another):
            logs = {"a": other, "b": by_feature}
            with pytest.raises(ValueError, match="units of the same sigma"):
                accuracy_of(logs)
        drawn = accuracy_of({"a": by_another, "b": by_feature}, unit="own sigmas")
        assert drawn.ax_.get_xlabel() == r"$\ell_2$ radius (own sigmas)"
        assert accuracy_of({"a": by_feature, "b": by_feature}).unit == "units of sigma"


class TestProbability:
    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"sigma": BY_FEATURE},
            {"noise": Laplace(), "norm": "l1"},
            {"bound": "multiclass"},
        ],
    )
    def test_is_what_was_proved(self, run, params):
        certificate, path = run(**params)
        certified = certificate.certified & (certificate.prediction == y)
        proved = np.where(certified, certificate.p_lower, 0)
        for log in (path, read_log(path)):
            drawn = probability_of(log).probability
            assert np.all(drawn <= proved)
            np.testing.assert_allclose(drawn, proved, atol=2e-6)

    def test_rows_in_another_order(self, run):
        certificate, path = run()
        certified = certificate.certified & (certificate.prediction == y)
        proved = np.where(certified, certificate.p_lower, 0)
        order = np.random.default_rng(0).permutation(len(y))
        for log in (
            read_log(path).iloc[order],
            read_log(path).iloc[order].reset_index(drop=True),
        ):
            found = probability_of(log).probability
            np.testing.assert_allclose(found, proved[order], atol=1e-5)
        some = read_log(path)[10:]
        np.testing.assert_allclose(
            probability_of(some).probability, proved[10:], atol=1e-5
        )

    @pytest.mark.parametrize(
        "params", [{"noise": Laplace(), "norm": "l1"}, {"bound": "multiclass"}]
    )
    def test_radii_that_do_not_tell(self, run, params):
        _, path = run(**params)
        with pytest.raises(ValueError, match="only under Gaussian noise"):
            probability_of(read_log(path)[1:])

    @pytest.mark.parametrize("sigma", [0.3, BY_FEATURE])
    def test_contradictions(self, run, sigma):
        _, path = run(sigma=sigma)
        level = 0.3 if sigma == 0.3 else 1.0
        assert len(probability_of(path, sigma=level).probability) == 50
        with pytest.raises(ValueError, match=f"sigma=0.9, but .* says sigma={level}"):
            probability_of({"a": path}, sigma=0.9)

    def test_without_a_file_beside(self, run):
        _, path = run()
        with pytest.raises(ValueError, match="nothing stands beside log 'a'"):
            probability_of({"a": bare(path)})
        np.testing.assert_allclose(
            probability_of(bare(path), sigma=0.3).probability,
            probability_of(path).probability,
            atol=1e-5,
        )
