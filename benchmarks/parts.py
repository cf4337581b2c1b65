"""What the parts of a vote cost: noise, counting, models.

    pip install -e ".[bench]" -c constraints.txt
    pytest benchmarks/parts.py

Times of one thread, by pytest-benchmark; each call handles a batch. `--benchmark-save`
and `--benchmark-compare` show what a change did.
"""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import nn

from sksmooth import _compiled
from sksmooth.noise import Gaussian
from sksmooth.noise._streams import open_stream, stream_key
from sksmooth.torch import ModuleClassifier
from sksmooth.votes._rows import Inputs
from sksmooth.votes._voting import Voting

KEY = stream_key(0, "estimate", b"")
VOTES = 100_000


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """Let compiled code be used from the start."""
    monkeypatch.setattr(_compiled, "_work", 2**62)


@pytest.fixture(params=["compiled", "NumPy"])
def by(request, monkeypatch):
    """Who draws the noise."""
    if request.param == "NumPy":
        monkeypatch.setattr("sksmooth.noise._normals.module_if_worth", lambda *_: None)


@pytest.mark.benchmark(group="10,000 streams opened")
def test_open(benchmark):
    keys = [stream_key(0, "estimate", bytes([k % 256])) for k in range(10_000)]
    benchmark(lambda: [open_stream(key) for key in keys])


@pytest.mark.benchmark(group="a million normals added to inputs")
@pytest.mark.parametrize("grid", [None, 2.0**-18], ids=["plain", "grid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [30, 784])
@pytest.mark.usefixtures("by")
def test_noise(benchmark, grid, dtype, width):
    out = np.empty((10**6 // width, width), dtype)
    x, stream = np.zeros(width, dtype), open_stream(KEY)
    benchmark(Gaussian().bind(0.25, grid).copies, x, stream, out)


@pytest.mark.benchmark(group="a million normals by torch")
def test_torch_normals(benchmark):
    out, generator = torch.empty(10**6), torch.Generator().manual_seed(0)
    benchmark(lambda: out.normal_(generator=generator))


def linear():
    X, y = load_digits(return_X_y=True)
    return LogisticRegression(max_iter=5000).fit(X, y), X, 4.0


def trees(kind):
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    return kind(random_state=0).fit(X, y), X, 0.5


def mlp():
    layers = nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)
    X = np.random.default_rng(0).random((100, 784), dtype=np.float32)
    return ModuleClassifier(nn.Sequential(*layers)), X, 0.25


MODELS = {
    "linear": linear,
    "forest": lambda: trees(RandomForestClassifier),
    "hist": lambda: trees(HistGradientBoostingClassifier),
    "mlp": mlp,
}


@pytest.mark.benchmark(group=f"{VOTES:,} votes")
@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_votes(benchmark, model, shared_noise):
    f, X, sigma = MODELS[model]()
    inputs = Inputs.from_array(X[:50], sigma)

    def votes():
        voting = Voting(f, f.classes_, inputs, entropy=0, shared_noise=shared_noise)
        voting.draw("estimate", VOTES // 50)

    benchmark(votes)


@pytest.mark.benchmark(group=f"{VOTES:,} rows without noise, by predict")
@pytest.mark.parametrize("model", MODELS)
def test_predict(benchmark, model):
    f, X, sigma = MODELS[model]()
    noise = np.random.default_rng(0).standard_normal((VOTES, X.shape[1]), X.dtype)
    benchmark(f.predict, X[:1] + X.dtype.type(sigma) * noise)


@pytest.mark.benchmark(group="10,000 votes of a small net, by batch size")
@pytest.mark.parametrize("batch_size", ["auto", 1_000, 100])
def test_batches(benchmark, batch_size):
    layers = nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)
    f = ModuleClassifier(nn.Sequential(*layers))
    inputs = Inputs.from_array(np.zeros((1, 64), np.float32), 0.25)

    def votes():
        voting = Voting(f, f.classes_, inputs, entropy=0, batch_size=batch_size)
        voting.draw("estimate", 10_000)

    benchmark(votes)
