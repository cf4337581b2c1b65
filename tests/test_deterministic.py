"""The bounds of benchmarks/deterministic.py against points all over the balls."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

PATH = Path(__file__).parents[1] / "benchmarks" / "deterministic.py"


@pytest.fixture(scope="module")
def bench():
    if not PATH.exists():
        pytest.skip("benchmarks are only in a checkout")
    spec = importlib.util.spec_from_file_location("deterministic", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random_layers(*widths):
    rng = np.random.default_rng(0)
    return [
        (torch.from_numpy(rng.normal(size=(m, n)) / n**0.5), torch.from_numpy(b))
        for n, m in zip(widths, widths[1:], strict=False)
        for b in [rng.normal(0, 0.3, m)]
    ]


def outputs(layers, x):
    for k, (weight, bias) in enumerate(layers):
        x = (x.relu() if k else x) @ weight.T + bias
    return x


def answers(layers, x):
    return outputs(layers, x).argmax(dim=-1)


@pytest.mark.parametrize("widths", [(2, 8, 3), (2, 8, 8, 3), (2, 6, 6, 6, 4)])
def test_no_point_of_a_certified_ball_is_answered_otherwise(bench, widths):
    """And beyond the smallest distance at which one is, nothing is certified."""
    layers = random_layers(*widths)
    x = torch.from_numpy(np.random.default_rng(1).normal(0, 2, (15, 2)))
    layers[-1][1].sub_(outputs(layers, x).mean(dim=0))  # for all classes to appear
    y = answers(layers, x)
    crown = bench.crown_radii(layers, x, y)
    lipschitz = bench.lipschitz_radii(layers, x, y)
    angle = torch.linspace(0, 2 * np.pi, 181).double()
    ring = torch.stack([angle.cos(), angle.sin()], dim=1)
    length = torch.linspace(0, 4, 401).double()
    points = x[:, None, None] + length[:, None, None] * ring
    differs = (answers(layers, points) != y[:, None, None]).any(dim=2)
    distance = torch.where(differs.any(1), length[differs.int().argmax(1)], 4.0)
    assert (crown <= distance + 1e-9).all()
    assert (lipschitz <= distance + 1e-9).all()
    assert distance.mean() < 3
    assert crown.mean() > 0.3 * distance.mean()
    assert crown.mean() > lipschitz.mean()


def test_a_linear_net_is_exact(bench):
    layers = random_layers(5, 3)
    ((weight, bias),) = layers
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(20, 5)))
    y = answers(layers, x)
    z = x @ weight.T + bias
    distance = [
        min(
            ((z[i, k] - z[i, c]) / (weight[k] - weight[c]).norm()).item()
            for c in range(3)
            if c != k
        )
        for i, k in enumerate(y.tolist())
    ]
    got = bench.crown_radii(layers, x, y)
    np.testing.assert_allclose(got, np.minimum(distance, 4), atol=1e-3)
    assert (got.numpy() <= np.array(distance) + 1e-12).all()
    assert not bench.crown_radii(layers, x, (y + 1) % 3).any()
    assert not bench.lipschitz_radii(layers, x, (y + 1) % 3).any()
