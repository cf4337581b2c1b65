"""Deterministic certificates of a small net beside smoothing: radii and cost.

    python benchmarks/deterministic.py [digits | mnist] [--widths 32 32] [--epochs E]
        [--every K] [--n 10000] [--picture FILE]

The same small ReLU net, once trained on clean data and once under noise, and the same
test inputs under

- the global Lipschitz margin: (z_y - largest other z) / (sqrt(2) L) for logits z, with
  the product L of the layers' spectral norms (Tsuzuku, Sato, Sugiyama 2018,
  arXiv:1802.04034);
- CROWN: linear bounds propagated backward through the layers (Zhang, Weng, Chen, Hsieh,
  Daniel 2018, arXiv:1811.00866), in l2 balls, the largest by bisection;
- smoothing with n votes.

The first two are about the net f itself and hold with certainty (up to rounding, which
they ignore); smoothing is about g and holds with probability 1 - alpha each. Prints
certified accuracy by l2 radius, as figure 7 of Cohen et al. shows it, and what a
certificate costs: milliseconds, and passes of one input through the net, where a
backward bound counts as one for each of its rows.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.datasets import fetch_mnist
from sksmooth.torch import GaussianNoise, ModuleClassifier

BISECTIONS = 16


def layers_of(module):
    """Return the weights and biases of a ReLU net, in double precision."""
    linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
    return [(m.weight.detach().double(), m.bias.detach().double()) for m in linear]


def lipschitz_radii(layers, x, y):
    """Return certified radii of inputs by the Lipschitz constant, 0 if wrong."""
    z, constant = x, 1.0
    for k, (weight, bias) in enumerate(layers):
        z = (z.relu() if k else z) @ weight.T + bias
        constant *= torch.linalg.matrix_norm(weight, 2)
    place = y[:, None]
    others = z.scatter(1, place, -torch.inf).amax(dim=1)
    margin = z.gather(1, place)[:, 0] - others
    return (margin / (2**0.5 * constant)).clamp_min(0)


def lower_bounds(layers, before, rows, x, epsilon):
    """Return lower bounds of linear functions of a net's output, in l2 balls.

    Parameters
    ----------
    layers : list of (weight, bias)

    before : list of (lower, upper)
        Bounds of the values before each ReLU, each of shape (n_inputs, width).

    rows : tensor of shape (n_inputs, n_functions, n_outputs)

    x : tensor of shape (n_inputs, n_features)

    epsilon : tensor of shape (n_inputs,)

    Returns
    -------
    bounds : tensor of shape (n_inputs, n_functions)
    """
    constant = 0.0
    for k in reversed(range(len(layers))):
        weight, bias = layers[k]
        constant = constant + rows @ bias
        rows = rows @ weight
        if k:
            low, high = (bound[:, None] for bound in before[k - 1])
            # relu(v) >= lean * v, and <= steep * (v - low) where it may be either.
            open_ = (low < 0) & (high > 0)
            steep = torch.where(open_, high / (high - low), (low >= 0).double())
            lean = torch.where(open_, (high > -low).double(), steep)
            down = rows.clamp_max(0)
            offset = torch.where(open_, -low * steep, 0.0)
            constant = constant + (down * offset).sum(dim=2)
            rows = rows.clamp_min(0) * lean + down * steep
    value = (rows * x[:, None]).sum(dim=2) + constant
    return value - epsilon[:, None] * rows.norm(dim=2)


def margins(layers, x, y, epsilon):
    """Return lower bounds, by CROWN, of z_y - z_c in balls for all other classes c."""
    before = []
    for k in range(1, len(layers)):
        eye = torch.eye(len(layers[k - 1][1])).double().expand(len(x), -1, -1)
        low, minus_high = (
            lower_bounds(layers[:k], before, sign * eye, x, epsilon) for sign in (1, -1)
        )
        before.append((low, -minus_high))
    n_classes = len(layers[-1][1])
    eye = torch.eye(n_classes).double()
    rows = eye[y][:, None] - eye
    others = torch.arange(n_classes) != y[:, None]
    rows = rows[others].reshape(len(x), n_classes - 1, n_classes)
    return lower_bounds(layers, before, rows, x, epsilon)


def crown_radii(layers, x, y, most=4.0):
    """Return certified radii of inputs by CROWN and bisection, 0 if wrong."""
    low, high = torch.zeros(len(x)).double(), torch.full((len(x),), most).double()
    right = (margins(layers, x, y, low) > 0).all(dim=1)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        holds = (margins(layers, x, y, middle) > 0).all(dim=1)
        low = torch.where(holds, middle, low)
        high = torch.where(holds, high, middle)
    return low * right


def smoothed_radii(g, X, y):
    """Return certified radii of inputs by votes, 0 if wrong."""
    prediction, radius = g.certify(X)
    return np.where(prediction == y, radius, 0)


class Net(nn.Module):
    def __init__(self, widths, sigma=0.0):
        super().__init__()
        parts = [GaussianNoise(sigma)]
        for n_in, n_out in zip(widths, widths[1:], strict=False):
            parts += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*parts[:-1])

    def forward(self, x):
        return self.layers(x)


def load(name, every):
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = (X / 16).astype(np.float32)
        X, X_test, y, y_test = train_test_split(
            X, y, train_size=1280, stratify=y, random_state=0
        )
    else:
        (X, y), (X_test, y_test) = (
            fetch_mnist(subset=subset, return_X_y=True) for subset in ("train", "test")
        )
    X, X_test = (a.reshape(len(a), -1) for a in (X, X_test))
    return X, y, X_test[::every], y_test[::every]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="?", choices=["digits", "mnist"])
    parser.add_argument("--widths", nargs="+", type=int, default=[32, 32])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--every", type=int)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--sigma", type=float, default=0.25)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    name = options.name or "digits"
    epochs = options.epochs or (60 if name == "digits" else 10)
    every = options.every or (2 if name == "digits" else 50)
    torch.set_num_threads(1)
    X, y, X_test, y_test = load(name, every)
    widths = [X.shape[1], *options.widths, 10]
    radii = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0])
    net = "-".join(map(str, widths))
    print(f"{name}: ReLU net {net}, {epochs} epochs, {len(y_test)} test inputs")
    print(f"smoothing: sigma = {options.sigma}, n = {options.n:,}, alpha = 0.001")
    print("certified accuracy at l2 radius")
    heads = "".join(f"{r:7.2f}" for r in radii)
    print(f"{'trained on':12} {'certified by':12}{heads}   mean R  ms each  passes")
    curves = {}
    for title, sigma in [("clean data", 0.0), ("noise", options.sigma)]:
        torch.manual_seed(0)
        net = NeuralNetClassifier(
            Net,
            module__widths=widths,
            module__sigma=sigma,
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=0.003,
            batch_size=64,
            max_epochs=epochs,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        ).fit(X, y)
        layers = layers_of(net.module_)
        x, labels = torch.from_numpy(X_test).double(), torch.from_numpy(y_test)
        g = SmoothedClassifier(
            ModuleClassifier(net.module_),
            sigma=options.sigma,
            n=options.n,
            random_state=0,
        )

        # Balls that are tried, and rows of bounds in each, both signs.
        rows = (1 + BISECTIONS) * (2 * sum(options.widths) + 9)
        ways = {
            "Lipschitz": (partial(lipschitz_radii, layers, x, labels), 1),
            "CROWN": (partial(crown_radii, layers, x, labels), rows),
            "smoothing": (partial(smoothed_radii, g, X_test, y_test), options.n + g.n0),
        }
        for way, (certify, passes) in ways.items():
            start = time.process_time()
            radius = np.asarray(certify())
            ms = 1e3 * (time.process_time() - start) / len(radius)
            curves[f"{way}, {title}"] = radius
            cells = "".join(f"{np.mean(radius > r):7.3f}" for r in radii)
            cells += f"  {radius.mean():7.3f} {ms:8.2f} {passes:7}"
            print(f"{title:12} {way:12}{cells}", flush=True)
    if options.picture:
        draw(curves, options.picture)


def draw(curves, path):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    colors = {"Lipschitz": "C2", "CROWN": "C0", "smoothing": "C1"}
    for title, radius in curves.items():
        style = "-" if title.endswith("noise") else ":"
        ordered = np.sort(radius)
        share = 1 - np.arange(len(ordered)) / len(ordered)
        color = colors[title.partition(",")[0]]
        ax.plot(ordered, share, style, color=color, label=title)
    ax.set(xlabel="l2 radius", ylabel="certified accuracy", xlim=0, ylim=(0, 1))
    ax.legend()
    plt.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
