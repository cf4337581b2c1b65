"""Noise drawn behind the first layer is the noise that would arrive there."""

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from torch import nn  # noqa: E402

from sksmooth.models._first_layer import first_linear, reduced  # noqa: E402
from sksmooth.torch import GaussianNoise, ModuleClassifier  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from sksmooth.votes.voters._net import TorchVoter  # noqa: E402
from sksmooth.votes.voters._net_noise import MixedNoise, PlainNoise  # noqa: E402
from sksmooth.votes.voters._predict import AnyVoter  # noqa: E402
from tests.helpers import make_voter  # noqa: E402
from tests.nets import MLP, classifier  # noqa: E402
from tests.votes.test_linear import chi_square_p_value  # noqa: E402
from tests.votes.test_torch import (  # noqa: E402
    CLASSES,
    fitted,
    votes,
    votes_by_predict,
)

X, y = load_iris(return_X_y=True)
X = X.astype(np.float32)
WIDE = np.random.default_rng(0).normal(size=(150, 30)).astype(np.float32)
WIDE[:, :4] = X


def narrow(n_features=30, width=5, seed=0, bias=True):
    """A net whose first layer has fewer outputs than inputs."""
    torch.manual_seed(seed)
    first = nn.Linear(n_features, width, bias=bias)
    return nn.Sequential(first, nn.ReLU(), nn.Linear(width, 3)).eval()


def voter_of(estimator, inputs, options=None):
    return make_voter(estimator, CLASSES, inputs, options)


class UnitVectors:
    """A stream of "noise" that shows the map that noise goes through."""

    def standard_normal(self, out):
        out[:] = np.eye(*out.shape)


def mean_and_map(voter, row):
    """Return what a copy is without noise, and what each normal adds to it."""
    rank = voter.noise.factor.shape[0]
    voter.allocate(rank + 1)  # the last row of an eye of this shape is 0
    voter.fill(0, rank + 1, row, UnitVectors())
    batch = voter._batch.double().numpy()
    return batch[-1], batch[:-1] - batch[-1]


class TestExactly:
    """What the rest of the net is fed has the mean and covariance of W (x + n) + b."""

    @pytest.mark.parametrize("sigma", [0.5, "by feature"])
    @pytest.mark.parametrize("width", [1, 5, 29])
    @pytest.mark.parametrize("bias", [True, False])
    def test_mean_and_covariance(self, sigma, width, bias):
        if sigma == "by feature":
            sigma = np.random.default_rng(1).random(30)
            sigma[:7] = 0
        if width == 29 and np.ndim(sigma):
            pytest.skip("23 noisy features: nothing to gain from 29")
        module = narrow(width=width, bias=bias).double()
        voter = voter_of(ModuleClassifier(module), Inputs.from_array(WIDE, sigma))
        W = module[0].weight.detach().numpy()
        b = module[0].bias.detach().numpy() if bias else 0
        for row in (0, 77):
            mean, steps = mean_and_map(voter, row)
            np.testing.assert_allclose(mean, W @ WIDE[row] + b, rtol=1e-12, atol=1e-13)
            covariance = (W * np.square(sigma)) @ W.T
            np.testing.assert_allclose(
                steps.T @ steps, covariance, rtol=1e-11, atol=1e-13
            )

    @pytest.mark.parametrize("whiten", [False, True])
    @pytest.mark.parametrize("linear", [False, True])
    def test_behind_steps_that_mix_features(self, whiten, linear):
        steps = [StandardScaler(), PCA(9, whiten=whiten)]
        first = nn.Linear(9, 5) if linear else nn.Tanh()
        module = nn.Sequential(first, nn.Tanh(), nn.Linear(5 if linear else 9, 3))
        f = make_pipeline(*steps, ModuleClassifier(module.double()))
        wide = WIDE.astype(float)
        f[:-1].fit(wide)
        sigma = np.random.default_rng(1).random(30)
        voter = voter_of(f, Inputs.from_array(wide, sigma))
        assert voter.noise.factor.shape == ((5, 5) if linear else (9, 9))

        def fed(x):  # by scikit-learn and torch
            z = torch.from_numpy(f[:-1].transform(x))
            return (first(z) if linear else z).detach().numpy()

        zero = fed(np.zeros((1, 30)))
        A = (fed(np.eye(30)) - zero).T
        mean, steps = mean_and_map(voter, 42)
        np.testing.assert_allclose(mean, fed(wide[42:43])[0], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            steps.T @ steps, (A * sigma**2) @ A.T, rtol=1e-9, atol=1e-9
        )

    @pytest.mark.parametrize("shape", [(30, 5), (5, 30), (30, 1), (4, 4)])
    def test_factors_of_any_rank(self, shape):
        A = np.random.default_rng(0).normal(size=shape)
        for factor in (A, np.zeros(shape), A[:, :1] * np.ones(shape)):
            R = reduced(factor)
            assert R.shape == (min(shape), shape[1])
            np.testing.assert_allclose(R.T @ R, factor.T @ factor, atol=1e-12)

    def test_equal_and_empty_rows_of_the_weights(self):
        module = narrow().double()
        with torch.no_grad():
            module[0].weight[2] = module[0].weight[1]
            module[0].weight[3] = 0
        voter = voter_of(ModuleClassifier(module), Inputs.from_array(WIDE, 0.5))
        mean, steps = mean_and_map(voter, 0)
        np.testing.assert_allclose(steps[:, 1], steps[:, 2], atol=1e-15)
        np.testing.assert_array_equal(steps[:, 3], 0)
        assert mean[3] == module[0].bias[3].item()


class TestDistribution:
    @pytest.mark.parametrize("sigma", [1.0, "by feature"])
    @pytest.mark.parametrize("mode", ["eager", "frozen"])
    def test_votes(self, sigma, mode):
        if sigma == "by feature":
            sigma = np.linspace(0, 2, 30)
        f = ModuleClassifier(narrow())
        inputs = Inputs.from_array(WIDE, sigma)
        a = votes_by_predict(f, inputs, 2000)
        b = votes(f, inputs, 2000, net_options={"mode": mode})
        assert chi_square_p_value(a, b) > 1e-3
        off = {"mode": mode, "push_forward": False}
        c = votes(f, inputs, 2000, net_options=off)
        assert not np.array_equal(b, c)
        assert chi_square_p_value(b, c) > 1e-3

    @pytest.mark.parametrize("shape", [(2, 3, 5), (30,)])
    def test_a_module_that_flattens_images(self, shape):
        module = nn.Sequential(GaussianNoise(9.0), nn.Flatten(), *narrow(width=4))
        f = ModuleClassifier(nn.Sequential(nn.Identity(), module))
        images = Inputs.from_array(WIDE.reshape(-1, *shape), np.full(shape, 0.7))
        assert voter_of(f, images).noise.factor.shape == (4, 4)
        a, b = votes_by_predict(f, images, 2000), votes(f, images, 2000)
        assert chi_square_p_value(a, b) > 1e-3

    @pytest.mark.parametrize("n_components", [2, 3])
    def test_a_skorch_net_behind_pca(self, n_components):
        net = classifier(module__n_features=n_components, iterator_valid__batch_size=-1)
        f = fitted(make_pipeline(StandardScaler(), PCA(n_components), net))
        inputs = Inputs.from_array(X[::2], [0.9, 0.5, 0.0, 1.5])
        assert isinstance(voter_of(f, inputs), TorchVoter)
        a, b = votes_by_predict(f, inputs, 300), votes(f, inputs, 3000)
        assert chi_square_p_value(a, b) > 1e-3
        off = {"push_forward": False}
        assert isinstance(voter_of(f, inputs, off), AnyVoter)
        b = votes(f, inputs, 300, net_options=off, entropy=4)
        np.testing.assert_array_equal(b, a)

    def test_a_net_that_is_nothing_but_its_first_layer(self):
        """The votes of two halfspaces are binomial with a known probability."""
        module, n, sigma = nn.Linear(30, 2), 5_000, 0.5
        f = ModuleClassifier(module)
        counts = votes(f, WIDE, n, sigma, classes=np.arange(2))
        w = (module.weight[1] - module.weight[0]).detach().numpy().astype(float)
        c = (module.bias[1] - module.bias[0]).item()
        p = stats.norm.cdf((WIDE @ w + c) / (sigma * np.linalg.norm(w)))
        z = (counts[:, 1] - n * p) / np.sqrt(n * p * (1 - p))
        inside = (p > 0.01) & (p < 0.99)
        assert stats.kstest(z[inside], "norm").pvalue > 1e-3
        assert abs(z[inside]).max() < 4.5

    def test_same_votes_however_they_are_drawn(self):
        f = ModuleClassifier(narrow())
        expected = votes(f, WIDE)
        for batch_size in (7, 10_000):
            got = votes(f, WIDE, batch_size=batch_size)
            np.testing.assert_array_equal(got, expected)
        with joblib.parallel_config(backend="threading"):
            np.testing.assert_array_equal(votes(f, WIDE, n_jobs=2), expected)
        np.testing.assert_array_equal(votes(f, WIDE[40:50]), expected[40:50])


class Wrapped(nn.Module):
    """As most modules are written."""

    def __init__(self):
        super().__init__()
        self.net = narrow()

    def forward(self, inputs):
        """Docstrings do not matter."""
        return self.net(inputs)


class DoesMore(Wrapped):
    def forward(self, inputs):
        return self.net(inputs) + 0


class TakesAnything(Wrapped):
    def forward(self, *inputs):
        return self.net(inputs)


class TakesMoreByName(Wrapped):
    def forward(self, **inputs):
        return self.net(inputs)


class Runs(Wrapped):
    async def forward(self, inputs):
        return self.net(inputs)


class Yields(Wrapped):
    def forward(self, inputs):
        yield self.net(inputs)


class Catches(Wrapped):
    def forward(self, inputs):
        try:
            return self.net(inputs)
        except ValueError:
            return inputs


class OtherCall(Wrapped):
    def __call__(self, x):
        return super().__call__(-x)


class OtherAttributes(Wrapped):
    def __getattr__(self, name):
        part = super().__getattr__(name)
        return part[1:] if name == "net" else part


class OtherSequential(nn.Sequential):
    def forward(self, x):
        return super().forward(-x)


class OtherLinear(nn.Linear):
    def forward(self, x):
        return super().forward(-x)


def hooked(module, part=lambda module: module):
    part(module).register_forward_pre_hook(lambda module, args: (-args[0],))
    return module


def patched(module):
    module.forward = lambda x: -x
    return module


class TestWhereItIsProved:
    @pytest.mark.parametrize("make", [narrow, Wrapped, lambda: MLP(30, 3)])
    def test_where_the_first_layer_is_found(self, make):
        module = make().eval()
        linear, rest = first_linear(module, (30,))
        x = torch.from_numpy(WIDE)
        torch.testing.assert_close(rest(linear(x)), module(x))

    @pytest.mark.parametrize(
        "make",
        [
            DoesMore,
            TakesAnything,
            TakesMoreByName,
            Runs,
            Yields,
            Catches,
            OtherCall,
            OtherAttributes,
            lambda: OtherSequential(*narrow()),
            lambda: nn.Sequential(OtherLinear(30, 5)),
            lambda: nn.Sequential(nn.ReLU(), *narrow()),
            lambda: nn.Sequential(nn.BatchNorm1d(30), *narrow()),
            lambda: nn.Sequential(nn.Flatten(0), *narrow()),
            lambda: hooked(narrow()),
            lambda: hooked(narrow(), lambda module: module[0]),
            lambda: hooked(Wrapped(), lambda module: module.net),
            lambda: patched(narrow()),
            lambda: nn.utils.parametrizations.weight_norm(nn.Linear(30, 5)),
            lambda: narrow(n_features=29),
            nn.Sequential,
        ],
    )
    def test_where_it_is_not(self, make):
        assert first_linear(make().eval(), (30,)) is None

    def test_hooks_for_all_modules(self):
        hook = nn.modules.module.register_module_forward_pre_hook(lambda *args: None)
        try:
            assert first_linear(narrow(), (30,)) is None
        finally:
            hook.remove()
        assert first_linear(narrow(), (30,)) is not None

    def test_a_linear_layer_along_the_last_axis_only(self):
        assert first_linear(nn.Linear(30, 5), (1, 30)) is None

    def test_where_it_saves_nothing_or_is_not_allowed(self, monkeypatch):
        f = ModuleClassifier(narrow())
        inputs = Inputs.from_array(WIDE, 0.5)
        assert isinstance(voter_of(f, inputs).noise, MixedNoise)
        five = np.zeros(30)
        five[:5] = 1
        wide = Inputs.from_array(WIDE[:, :4], 0.5)
        for estimator, some, options in (
            (f, inputs, {"push_forward": False}),
            (f, inputs, {"dtype": "bfloat16"}),
            (ModuleClassifier(narrow(4, 4)), wide, None),
            (ModuleClassifier(narrow().bfloat16()), inputs, None),
        ):
            assert type(voter_of(estimator, some, options).noise) is PlainNoise

    def test_a_net_that_infers_in_its_own_way(self):
        class OwnInfer(type(classifier())):
            def infer(self, x, **params):
                return super().infer(-x, **params)

        net = OwnInfer(MLP, module__n_features=30, classes=CLASSES).initialize()
        inputs = Inputs.from_array(WIDE, 0.5)
        torch.nn.init.constant_(net.module_.layers[1].weight, 1.0)
        assert type(voter_of(net, inputs).noise) is PlainNoise


class TestBadInput:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_weights_that_are_not_finite(self, value):
        module = narrow()
        torch.nn.init.constant_(module[0].weight, value)
        with pytest.raises(ValueError, match=r"NaN for noisy copies of input 0 "):
            votes(ModuleClassifier(module), WIDE)

    @pytest.mark.parametrize("far", [1e39, 1e37])
    def test_overflow(self, far):
        module = narrow()
        torch.nn.init.constant_(module[0].weight, 100.0)
        with pytest.raises(ValueError, match="overflows float32"):
            votes(ModuleClassifier(module), np.full((2, 30), far))

    def test_options_are_checked_behind_any_step(self):
        f = fitted(make_pipeline(PCA(2), classifier(module__n_features=2)))
        with pytest.raises(ValueError, match="cannot be used: PCA mixes features"):
            votes(f, X, net_options={"push_forward": False, "mode": "frozen"})
