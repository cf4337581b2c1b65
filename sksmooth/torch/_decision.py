"""DecisionAttack: an attack on any smoothed classifier, by its answers alone."""

import copy

import numpy as np
from sklearn.base import BaseEstimator

from .._containers import check_no_pixels, plain
from .._labels import as_labels, label_indices
from ..noise import find_noise
from ..noise._sigma import is_one_number
from ._ascent import check_clip, check_inside
from ._attacked_net import as_floats


class DecisionAttack(BaseEstimator):
    """HopSkipJump of ART against any smoothed classifier, by its answers alone.

    For bases without a gradient: trees, neighbours, pipelines. HopSkipJump walks along
    the boundary of g towards x. What it found is then moved on to the distance epsilon
    along the line from x, where g may be surer; of the two points, the one is returned
    that g gets wrong. It needs thousands of answers of g for an input.

    Needs ``pip install adversarial-robustness-toolbox``. For radii in l2, in the units
    of X: not for noise whose radius is in another norm, nor for sigma with several
    values.

    Parameters
    ----------
    epsilon : float or array-like of shape (n_inputs,), default=0.5
        Radius of the l2 ball, in the units of X.

    max_iter : int, default=10
        Iterations, each a step along the boundary.

    max_eval : int, default=200
        Most answers for the direction of a step.

    init_size : int, default=100
        Most random points that are tried to find one that g gets wrong.

    n : int, default=200
        Most votes for an answer that the attack asks for. g decides with its own.

    clip : tuple of (float, float), default=None
        Range of the input, as (0, 1) for pixels. None is the range of X, and epsilon
        more on both sides.

    See Also
    --------
    SmoothedPGD : Stronger and cheaper, for nets.
    empirical_robust_accuracy : Share of inputs that withstand an attack.

    References
    ----------
    J. Chen, M. I. Jordan, M. J. Wainwright (2020), "HopSkipJumpAttack: A
    Query-Efficient Decision-Based Attack", arXiv:1904.02144.

    Examples
    --------
    >>> from sksmooth.torch import DecisionAttack
    >>> attack = DecisionAttack(epsilon=1.0, clip=(0, 1))
    >>> X_attacked = attack.generate(g, X, y)  # doctest: +SKIP
    """

    def __init__(
        self, epsilon=0.5, *, max_iter=10, max_eval=200, init_size=100, n=200, clip=None
    ):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.max_eval = max_eval
        self.init_size = init_size
        self.n = n
        self.clip = clip

    def generate(self, g, X, y):
        """Return the worst inputs that were found near X.

        Parameters
        ----------
        g : SmoothedClassifier
            Fitted.

        X : array-like or tensor of shape (n_inputs, *shape)
            Numbers.

        y : array-like of shape (n_inputs,)
            True labels.

        Returns
        -------
        X_attacked : ndarray of shape (n_inputs, *shape)
            Within epsilon of X.

        Raises
        ------
        ImportError
            If ART is not installed.

        ValueError
            If the radii of g are no l2 distances in the units of X, y holds another
            label than g knows, or X leaves `clip`.
        """
        try:
            from art.attacks.evasion import HopSkipJump
            from art.estimators.classification import BlackBoxClassifier
        except ImportError as error:
            raise ImportError(
                "DecisionAttack needs ART: pip install adversarial-robustness-toolbox."
            ) from error
        _check_radii(g)
        X = plain(X)
        check_no_pixels(np.asarray(X), is_net=False)
        X = as_floats(X)
        y, classes = as_labels(y, "y"), np.asarray(g.classes_)
        target = label_indices(y, classes)
        if len(target) != len(X) or (target < 0).any():
            raise ValueError(
                f"y must have a label of {classes.tolist()!r} for each of the {len(X)} "
                "inputs."
            )
        clip = check_clip(self.clip)
        check_inside(X, clip)
        if clip is None:
            most = np.max(self.epsilon)
            clip = (X.min() - most, X.max() + most)
        asked = copy.copy(g).set_params(n=self.n, abstain_label=None)
        eye = np.eye(len(classes), dtype=np.float32)

        def answers(points):
            found = asked.predict(np.asarray(points, X.dtype))
            return eye[label_indices(found, classes)]

        attack = HopSkipJump(
            BlackBoxClassifier(answers, X.shape[1:], len(classes), clip),
            max_iter=self.max_iter,
            max_eval=self.max_eval,
            init_eval=min(100, self.max_eval),
            init_size=self.init_size,
            verbose=False,
        )
        found = attack.generate(X, eye[target])
        column = (-1, *[1] * (X.ndim - 1))
        shift = np.asarray(found, float) - X
        length = np.linalg.norm(shift.reshape(len(X), -1), axis=1).reshape(column)
        # Where a sum is rounded, it does not leave the ball.
        epsilon = (1 - 1e-6) * np.asarray(self.epsilon, float).reshape(column)
        scale = epsilon / np.where(length > 0, length, np.inf)
        near, far = (
            (X + shift * s).clip(*clip).astype(X.dtype)
            for s in (np.minimum(scale, 1), scale)
        )
        answer = g.predict(far)
        is_wrong = (answer != y) & (answer != g.abstain_label_)
        return np.where(is_wrong.reshape(column), far, near)


def _check_radii(g):
    """Raise a ValueError unless radii of g are l2 distances in the units of X."""
    if g.categorical_features is not None:
        raise ValueError(
            "DecisionAttack moves numbers, but g has categorical_features: try changes "
            "of categories one by one."
        )
    kind = find_noise(g.noise)
    if kind.bound.norm != "l2" or not is_one_number(g.sigma):
        raise ValueError(
            "DecisionAttack moves inputs in l2, in the units of X, but the radii of g "
            f"are others: noise={g.noise!r}, sigma={g.sigma!r}."
        )
