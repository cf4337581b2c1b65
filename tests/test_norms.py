"""Classifiers under other noises: votes, norms that are told, and what refuses."""

import pickle

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    GaussianAugmenter,
    SmoothedClassifier,
    average_certified_radius_score,
    certified_accuracy_score,
    certified_accuracy_scorer,
    certified_accuracy_scorers,
)
from sksmooth.logs import read_log, write_log
from sksmooth.noise import Laplace, Uniform

from .helpers import Fixed, OpaqueLogisticRegression

X, y = load_iris(return_X_y=True)
NAMES = ["laplace", "uniform"]


def smooth(noise, base=None, **params):
    settings = {
        "method": "monte_carlo",
        "sigma": 0.4,
        "n": 300,
        "n0": 50,
        "random_state": 0,
        **params,
    }
    base = GaussianNB() if base is None else base
    return SmoothedClassifier(base, noise=noise, **settings)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    return smooth(request.param).fit(X, y)


def same(one, other):
    assert one.counts.tobytes() == other.counts.tobytes()
    assert one.radius.tobytes() == other.radius.tobytes()


class TestVotes:
    @pytest.mark.parametrize("noise", NAMES)
    @pytest.mark.parametrize(
        "base", [GaussianNB(), RandomForestClassifier(5, random_state=0)], ids=repr
    )
    @pytest.mark.parametrize("shared", [False, True])
    def test_same_in_any_batch_order_and_worker(self, noise, base, shared):
        g = smooth(noise, base, n=150, shared_noise=shared).fit(X, y)
        some = X[::5]
        whole = g.certify(some)
        for batch_size in (1, 7, 1000):
            same(whole, g.set_params(batch_size=batch_size).certify(some))
        g.set_params(batch_size="auto")
        back = g.certify(some[::-1])
        assert np.array_equal(back.counts[::-1], whole.counts)
        same(g.certify(some[3:5]), whole.select(slice(3, 5)))
        with parallel_config("threading"):
            same(whole, g.set_params(n_jobs=2).certify(some))

    def test_in_a_store(self, fitted, tmp_path):
        whole = fitted.certify(X[:20])
        path = tmp_path / "votes.sqlite"
        fitted.certify(X[:10], store=path)
        same(whole, fitted.certify(X[:20], store=path))
        other = "laplace" if fitted.noise == "uniform" else "uniform"
        g = pickle.loads(pickle.dumps(fitted)).set_params(noise=other)
        with pytest.raises(ValueError, match="noise"):
            g.certify(X[:10], store=path)

    def test_frames(self, fitted):
        frame = pd.DataFrame(X, columns=list("abcd"))
        sigma = {"a": 0.4, "b": 0.8, "*": 0}
        g = smooth(fitted.noise, sigma=sigma).fit(frame, y)
        certificate = g.certify(frame[:20])
        assert certificate.n_noisy == 2
        assert "l1 radius" in repr(certificate)
        array = smooth(fitted.noise, sigma=[0.4, 0.8, 0, 0]).fit(X, y)
        assert array.certify(X[:20]).n_noisy == 2
        assert np.all(certificate.half_axes[:, 2:] == 0)
        np.testing.assert_array_equal(
            certificate.half_axes[:, 1], certificate.radius * 0.8
        )

    def test_fit_adds_the_same_noise(self, fitted):
        """Uniform noise has an end; Laplace noise goes beyond that of the normal."""
        seen = []

        class Watching(GaussianNB):
            def fit(self, X, y):
                seen.append(X)
                return super().fit(X, y)

        smooth(fitted.noise, Watching(), n_copies=20).fit(X, y)
        noise = seen[0] - np.tile(X, (20, 1))
        assert noise.std() == pytest.approx(0.4, rel=0.05)
        kurtosis = np.mean(noise**4) / np.mean(noise**2) ** 2
        assert kurtosis == pytest.approx(1.8 if fitted.noise == "uniform" else 6, 0.2)

    @pytest.mark.parametrize("noise", NAMES)
    def test_a_linear_model_gets_the_noise_itself(self, noise):
        """Score space is for normal noise; votes there would be those of another g."""
        f = LogisticRegression(max_iter=1000).fit(X, y)
        opaque = OpaqueLogisticRegression(max_iter=1000).fit(X, y)
        same(smooth(noise, f).certify(X[::10]), smooth(noise, opaque).certify(X[::10]))

    @pytest.mark.parametrize("noise", NAMES)
    def test_a_net_gets_the_noise_itself(self, noise):
        """Nor is it drawn behind a first layer."""
        torch = pytest.importorskip("torch")
        from sksmooth.torch import ModuleClassifier

        torch.manual_seed(0)
        module = torch.nn.Sequential(
            torch.nn.Linear(4, 2), torch.nn.ReLU(), torch.nn.Linear(2, 3)
        )
        f = ModuleClassifier(module, classes=[0, 1, 2])
        x = X[::10].astype(np.float32)
        plain = smooth(noise, f).certify(x)
        pushed = smooth(noise, f, net_options={"push_forward": False}).certify(x)
        same(plain, pushed)
        assert len(np.unique(plain.counts)) > 3
        shared = smooth(noise, f, shared_noise=True).certify(x)
        assert shared.counts.sum() == plain.counts.sum()

    @pytest.mark.parametrize("kind", [Laplace(), Uniform()])
    def test_what_the_host_makes_for_a_device(self, kind):
        """A CPU that says it is none gets the same numbers by way of the host."""
        torch = pytest.importorskip("torch")
        from sksmooth.votes.voters._net_noise import PlainNoise

        device = torch.device("cpu")
        assert kind.bind(0.5).on_device((4,), torch.float32, device) is None
        outs = []
        for on_host in (True, False):
            maker = PlainNoise(kind.bind(0.5), (4,), torch.float32, device)
            maker.on_host = on_host
            maker = maker.on(X.astype(np.float32))
            out = torch.empty((50, 4))
            maker.fill(3, maker.open(b"k" * 32), out)
            shared, placed = torch.empty((50, 4)), torch.empty((50, 4))
            maker.draw(maker.open(b"k" * 32), shared)
            maker.place(3, shared, placed)
            assert torch.equal(out, placed)
            outs.append(out)
        assert torch.equal(*outs)

    @pytest.mark.parametrize("noise", NAMES)
    def test_a_scaler_before_a_net(self, noise):
        torch = pytest.importorskip("torch")
        from sklearn.preprocessing import StandardScaler

        from sksmooth.torch import ModuleClassifier

        torch.manual_seed(0)
        f = ModuleClassifier(torch.nn.Linear(4, 3), classes=[0, 1, 2])
        x = X[::10].astype(np.float32)
        both = make_pipeline(StandardScaler().fit(x), f)
        g = smooth(noise, both, n=20_000, n0=10)
        direct = g.certify(x).counts / 20_000
        asked = Fixed(lambda Z: both.predict(Z), (0, 1, 2))
        asked = smooth(noise, asked, n=20_000, n0=10).certify(x).counts / 20_000
        assert np.abs(direct - asked).max() < 0.02  # 5.6 standard errors

    @pytest.mark.parametrize("noise", NAMES)
    def test_missing_values_stay(self, noise):
        holes = X.copy()
        holes[::3, 1] = np.nan
        g = smooth(noise, DecisionTreeClassifier(random_state=0)).fit(holes, y)
        assert g.certify(holes[:10]).counts.sum() == 3000


class TestGrid:
    @pytest.mark.parametrize("noise", NAMES)
    def test_what_rounding_takes_off_in_l1(self, noise):
        g = smooth(noise, grid=0.125).fit(X, y)
        inputs = X[:30] + 0.01
        certificate, plain = g.certify(inputs), g.certify(np.rint(inputs * 8) / 8)
        own = np.abs(inputs - np.rint(inputs * 8) / 8).sum(axis=1)
        half = 4 * 0.125 / 2
        np.testing.assert_allclose(certificate.radius_loss, own + half, rtol=1e-12)
        assert np.all(certificate.radius_loss >= own + half)
        np.testing.assert_allclose(plain.radius_loss, half, rtol=1e-12)
        assert np.array_equal(certificate.counts, plain.counts)
        reach = smooth(noise).fit(X, y).max_certifiable_radius(norm="l1") - half
        assert g.max_certifiable_radius(norm="l1") == pytest.approx(reach)

    @pytest.mark.parametrize("noise", [Laplace(), Uniform()])
    def test_no_radius_reaches_another_answer(self, noise):
        """One feature, a coarse grid and a threshold: g is known everywhere."""
        step, sigma = 0.25, 0.5
        g = smooth(
            noise,
            Fixed(lambda Z: (Z[:, 0] > 0.1).astype(int)),
            sigma=sigma,
            n=2000,
            grid=step,
            alpha=1e-9,
        )
        inputs = np.linspace(-1, 1.2, 45)[:, None]
        prediction, radius = g.certify(inputs)
        # Rounded inputs from 0.25 on are class 1: from 0.125 on (a tie is to even).
        edge = 0.125
        certain = radius > 0
        distance = np.abs(inputs[:, 0] - edge)
        assert np.all(radius[certain] <= distance[certain] + 1e-9)
        assert np.all(prediction[certain] == (inputs[certain, 0] > edge))
        assert certain.sum() > 20


class TestNorms:
    def test_a_norm_has_to_be_told(self, fitted, tmp_path):
        certificate = fitted.certify(X[:9])
        assert certificate.norm == "l1"
        refusing = [
            lambda **norm: fitted.certified_correct(X[:9], y[:9], 0.1, **norm),
            lambda **norm: fitted.max_certifiable_radius(**norm),
            lambda **norm: fitted.required_samples(0.1, **norm),
            lambda **norm: certified_accuracy_score(y[:9], certificate, **norm),
            lambda **norm: average_certified_radius_score(y[:9], certificate, **norm),
            lambda **norm: certified_accuracy_scorer(0.1, **norm)(fitted, X, y),
            lambda **norm: certified_accuracy_scorers([0.1], **norm)(fitted, X, y),
            lambda **norm: certificate.certified_accuracy_lower_bound(y[:9], **norm),
            lambda **norm: write_log(certificate, y[:9], tmp_path / "log", **norm),
        ]
        for call in refusing:
            with pytest.raises(ValueError, match="norm='l1'"):
                call()
            with pytest.raises(ValueError, match="norm must be one of l1, l2, linf"):
                call(norm="l3")
            for norm in ("l1", "l2", "linf"):
                call(norm=norm)
        with pytest.raises(ValueError, match="norm must be one of"):
            certificate.radius_for("l3")

    def test_gaussian_noise_asks_nothing(self):
        g = smooth("gaussian").fit(X, y)
        certificate = g.certify(X[:9])
        assert certificate.norm == "l2"
        score = certified_accuracy_score(y[:9], certificate, radius=0.5)
        assert score == certified_accuracy_score(
            y[:9], certificate, radius=0.5, norm="l2"
        )
        np.testing.assert_array_equal(certificate.radius_for("l1"), certificate.radius)
        np.testing.assert_allclose(
            certificate.radius_for("linf"), certificate.radius / 2
        )
        assert g.max_certifiable_radius(norm="linf") == pytest.approx(
            g.max_certifiable_radius() / 2
        )

    @pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
    @pytest.mark.parametrize("noise", ["gaussian", *NAMES])
    def test_all_answers_agree(self, noise, norm):
        g = smooth(noise, stopping="fixed").fit(X, y)
        certificate = g.certify(X)
        reach = g.max_certifiable_radius(norm=norm)
        radii = reach * np.array([0.1, 0.45, 0.9])
        correct = g.certified_correct(X, y, radii, norm=norm)
        ours = certificate.selected == y
        reached = certificate.radius_for(norm)[:, None] >= radii
        # Both use the same votes; selection may have missed the label.
        assert np.array_equal(correct[ours], reached[ours])
        scores = certified_accuracy_scorers(radii, norm=norm)(g, X, y)
        np.testing.assert_allclose(list(scores.values()), correct.mean(axis=0))
        share = certified_accuracy_score(y, certificate, radius=radii, norm=norm)
        lower = certificate.certified_accuracy_lower_bound(y, radius=radii, norm=norm)
        assert np.all(lower <= share)
        assert certificate.radius_for(norm).max() <= reach * (1 + 1e-12)
        assert g.required_samples(reach * (1 - 1e-9), norm=norm) == 300
        assert g.required_samples(reach * (1 + 1e-3), norm=norm) > 300
        with pytest.warns(UserWarning, match="can never be certified"):
            g.certified_correct(X[:2], y[:2], reach * 1.01, norm=norm)

    def test_before_the_number_of_features_is_known(self):
        g = smooth("laplace")
        assert g.max_certifiable_radius(norm="l1") > 0
        with pytest.raises(ValueError, match="call fit"):
            g.max_certifiable_radius(norm="linf")
        with pytest.raises(ValueError, match="call fit"):
            smooth("laplace", sigma={"a": 1.0, "*": 2.0}).required_samples(
                0.1, norm="l2"
            )
        # Of a base that does not know it either, X does.
        f = Fixed(lambda Z: (Z[:, 0] > 0).astype(int))
        assert smooth("laplace", f).certified_correct(X, y, 0.01, norm="linf").any()

    def test_a_search_over_kinds_of_noise(self):
        search = GridSearchCV(
            smooth("gaussian"),
            {"noise": ["gaussian", "laplace", Uniform()], "sigma": [0.2, 0.4]},
            scoring=certified_accuracy_scorer(0.2, norm="l1"),
            cv=3,
            error_score="raise",
        ).fit(X, y)
        assert search.cv_results_["mean_test_score"].min() > 0.5
        assert repr(search.scoring) == "certified_accuracy_scorer(0.2, norm='l1')"

    def test_changes_of_categories(self, fitted):
        certificate = fitted.certify(X[:2])
        assert np.array_equal(certificate.radius_for(), certificate.radius)
        for changes in (1, -1, True):
            with pytest.raises(ValueError, match="categor"):
                certificate.radius_for(changes=changes)

    def test_an_unknown_number_of_features(self, fitted):
        from dataclasses import replace

        certificate = replace(fitted.certify(X[:2]), n_noisy=None)
        assert np.array_equal(certificate.radius_for("l1"), certificate.radius)
        with pytest.raises(ValueError, match="n_noisy"):
            certificate.radius_for("l2")

    def test_pairs_have_the_norm_that_is_told(self):
        pair = [0, 1], [0.5, 0.2]
        assert certified_accuracy_score([0, 1], pair, radius=0.3, norm="linf") == 0.5
        with pytest.raises(ValueError, match="norm must be one of"):
            certified_accuracy_score([0, 1], pair, norm="max")

    def test_a_log_in_a_norm(self, fitted, tmp_path):
        certificate, path = fitted.certify(X[:20]), tmp_path / "log.tsv"
        write_log(certificate, y[:20], path, norm="linf")
        radius = read_log(path)["radius"].to_numpy()
        exact = certificate.radius_for("linf")
        assert np.all(radius <= exact)
        np.testing.assert_allclose(radius, exact, rtol=1e-5)


class TestCertified:
    def test_it_is_a_field(self, fitted):
        from dataclasses import replace

        certificate = fitted.certify(X)
        assert np.array_equal(certificate.certified, certificate.radius > 0)
        some = certificate.select([3, 70, 5])
        assert np.array_equal(some.certified, certificate.certified[[3, 70, 5]])
        strict = certificate.recertify(alpha=1e-15)
        assert np.array_equal(strict.certified, strict.radius > 0)
        assert strict.certified.sum() < certificate.certified.sum()
        closed = replace(some, radius=np.zeros(3), certified=np.array([True, False, 1]))
        with pytest.raises(ValueError, match="read-only"):
            certificate.certified[0] = False
        score = certified_accuracy_score(some.prediction, closed, norm="l1")
        assert score == pytest.approx(2 / 3)

    def test_recertify_knows_the_noise(self, fitted):
        certificate = fitted.certify(X[:20])
        again = certificate.recertify(alpha=0.01)
        expected = fitted.set_params(alpha=0.01).certify(X[:20])
        fitted.set_params(alpha=0.001)
        same(again, expected)

    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    def test_bounds(self, fitted, bound):
        g = pickle.loads(pickle.dumps(fitted)).set_params(bound=bound)
        certificate = g.certify(X[:20])
        noise = fitted._noise
        if bound == "multiclass":
            expected = noise.radius(certificate.p_lower, certificate.p_upper)
        else:
            expected = noise.radius(certificate.p_lower)
        assert np.array_equal(certificate.radius, expected)

    def test_stopping_early(self, fitted):
        certificate = fitted.certify(X[:20], radius_tol=1.0)
        expected = fitted._noise.radius(certificate.p_lower)
        assert np.array_equal(certificate.radius, expected)
        assert certificate.n_used.min() < 300


class TestRefusals:
    @pytest.mark.parametrize("noise", NAMES)
    def test_noise_param(self, noise):
        f = make_pipeline(GaussianAugmenter(), GaussianNB())
        g = smooth(noise, f, noise_param="gaussianaugmenter__sigma")
        with pytest.raises(ValueError, match="is of another kind: leave noise_param"):
            g.fit(X, y)


class TestDisplays:
    @pytest.fixture(autouse=True)
    def matplotlib(self):
        pytest.importorskip("matplotlib").use("agg")

    def test_accuracy(self, fitted):
        from sksmooth.display import CertifiedAccuracyDisplay

        with pytest.raises(ValueError, match="norm='l1'"):
            CertifiedAccuracyDisplay.from_estimator(fitted, X, y)
        certificate = fitted.certify(X)
        for norm, text in [("l1", "1"), ("l2", "2"), ("linf", r"\infty")]:
            display = CertifiedAccuracyDisplay.from_certificate(
                certificate, y, norm=norm, rho=0.01
            )
            assert display.ax_.get_xlabel().startswith(rf"$\ell_{text}$ radius")
            reach = fitted.max_certifiable_radius(norm=norm)
            assert display.max_radius == pytest.approx(reach)
            assert display.radius.max() <= display.max_radius

    def test_a_log(self, fitted, tmp_path):
        from sksmooth.display import CertifiedAccuracyDisplay

        write_log(fitted.certify(X[:20]), y[:20], tmp_path / "log", norm="l1")
        from_log = CertifiedAccuracyDisplay.from_log
        display = from_log(tmp_path / "log", norm="l1")
        assert display.ax_.get_xlabel().startswith(r"$\ell_1$")
        with pytest.raises(ValueError, match="leave it out"):
            from_log(tmp_path / "log", norm="l1", sigma=0.4)

    def test_votes(self, fitted):
        from sksmooth.display import VotesDisplay

        display = VotesDisplay.from_estimator(fitted, X)
        assert display.ax_.get_title().endswith("units of X (l1)")

    def test_regions(self, fitted):
        from sksmooth.display import SmoothedDecisionDisplay

        g = smooth(fitted.noise, sigma=[0.4, 0.2]).fit(X[:, :2], y)
        display = SmoothedDecisionDisplay.from_estimator(
            g, X[:, :2], centers=X[:3, :2], grid_resolution=5
        )
        ball, axes = display.balls_[0], display.half_axes[0]
        np.testing.assert_allclose(np.ptp(ball.get_xy(), axis=0), 2 * axes)
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert "certified l1 ball" in texts
