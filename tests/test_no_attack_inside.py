"""No point of a certified ball is answered otherwise, whatever the base is.

On the plane g is known: the classes of f are asked for once, on a fine grid of cells,
and the probability of each class at any x' is a sum of cells under a normal density. So
all of a certified ball can be looked at, and no attack could find more.
"""

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.datasets import make_moons
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier

SIGMA = 0.3
# Cells reach 5 sigma beyond all that is asked about.
EDGES = np.linspace(-4.5, 5.5, 301)
X, _ = make_moons(150, noise=0.25, random_state=0)
# Three classes, so that more than one can win elsewhere.
y = np.where(X[:, 1] > 0.6, 2, (X[:, 0] > 0.5).astype(int))
TESTED = X[:30]

BASES = {
    "linear": LogisticRegression(),
    "tree": DecisionTreeClassifier(max_depth=5, random_state=0),
    "forest": RandomForestClassifier(10, random_state=0),
    "boosted trees": HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    "MLP": MLPClassifier((8,), max_iter=300, tol=0.01, random_state=0),
    "neighbours": KNeighborsClassifier(3),
    "pipeline": make_pipeline(StandardScaler(), KNeighborsClassifier(3)),
}


def probabilities(f, n_classes, points):
    """Return the class probabilities of g at points, shape (n_points, n_classes).

    Off by less than what the cells weigh that a boundary goes through.
    """
    centers = (EDGES[1:] + EDGES[:-1]) / 2
    grid = np.stack(np.meshgrid(centers, centers, indexing="ij"), axis=-1)
    label = f.predict(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    west, south = (
        np.diff(ndtr((EDGES - points[:, [k]]) / SIGMA), axis=1) for k in (0, 1)
    )
    return np.stack(
        [np.sum(west @ (label == c) * south, axis=1) for c in range(n_classes)], axis=1
    )


def on_circles(x, radius, n=48):
    """Return points on circles, shape (n_inputs * n, 2)."""
    angle = np.arange(n) * 2 * np.pi / n
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (x[:, None] + radius[:, None, None] * ring).reshape(-1, 2)


@pytest.mark.parametrize("name", BASES)
def test_on_the_plane(name):
    """Of 30 inputs none is expected to be wrong at alpha = 0.001."""
    g = SmoothedClassifier(
        BASES[name], sigma=SIGMA, n=1_000, method="monte_carlo", random_state=0
    ).fit(X, y)
    certificate = g.certify(TESTED)
    certified = certificate.radius > 0
    assert certified.sum() >= 20
    x, found = TESTED[certified], certificate.selected[certified]
    radius = certificate.radius[certified]

    def broken(share):
        """Is another class sure to win somewhere on the circle, for each input?"""
        p = probabilities(g.estimator_, 3, on_circles(x, share * radius))
        p = p.reshape(len(x), -1, 3)
        own = np.take_along_axis(p, found[:, None, None], axis=2)[..., 0]
        np.put_along_axis(p, found[:, None, None], -1.0, axis=2)
        return ((p.max(axis=2) - own) > 0.01).any(axis=1)

    for share in (0.5, 1.0):
        assert not broken(share).any()
    # And it is not that nothing could be found: just outside there is something.
    assert broken(1.6).mean() > 0.2


def test_just_beyond_the_distance_of_a_linear_base_there_always_is_something():
    """Exact radii are distances: another class wins in 1.001 of it, not in 0.999."""
    f = LogisticRegression().fit(X, y == 1)
    g = SmoothedClassifier(f, sigma=SIGMA, method="exact")
    prediction, radius = g.certify(TESTED)
    normal = f.coef_[0] / np.linalg.norm(f.coef_)
    away = np.where(prediction, -1, 1)[:, None] * normal
    assert (radius > 0).all()
    for share in (0.999, 1.001):
        answer = g.predict(TESTED + share * radius[:, None] * away)
        assert ((answer != prediction) == (share > 1)).all()


def test_a_convolutional_net_of_skorch():
    """By an attack along its gradients: there are too many dimensions for a circle."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("skorch")
    from sklearn.datasets import load_digits

    from sksmooth.torch import SmoothedPGD
    from tests.nets import classifier

    class CNN(torch.nn.Sequential):
        def __init__(self):
            super().__init__(
                torch.nn.Conv2d(1, 8, 3, stride=2),
                torch.nn.ReLU(),
                torch.nn.Flatten(),
                torch.nn.Linear(72, 10),
            )

    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    g = SmoothedClassifier(
        classifier(CNN, max_epochs=8), sigma=0.25, n=500, random_state=0
    )
    g.fit(images[:600], labels[:600])
    x = images[600:635]
    prediction, radius = g.certify(x)
    x, found, radius = (a[radius > 0] for a in (x, prediction, radius))
    assert len(x) >= 20
    for share, most in [(1.0, 0.0), (3.0, 1.0)]:
        attack = SmoothedPGD(share * radius, steps=5, n_noise=8, random_state=0)
        answer = g.predict(attack.generate(g, x, found))
        wrong = np.mean((answer != found) & (answer != g.abstain_label_))
        assert wrong <= most
    assert wrong > 0.5
