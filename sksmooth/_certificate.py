"""What `certify` returns."""

from dataclasses import dataclass, field, replace

import numpy as np

from ._balls import CertifiedBalls
from ._claims import (
    certified_together,
    proved_share,
    recertified,
    votes_of_selected,
)
from ._columns import as_rows, make_read_only
from ._optional import optional
from ._statement import statement
from ._summary import round_down as round_down
from ._summary import summary
from .noise import Gaussian, Noise
from .stats._checks import check_radius

# One value (or one row of a table) for each input; `first_equal` is one, too.
_PER_INPUT = (
    "prediction",
    "radius",
    "p_lower",
    "p_upper",
    "selected",
    "counts",
    "selection_counts",
    "n_used",
    "radius_loss",
    "index",
    "certified",
)
_TABLES = ("counts", "selection_counts")

# Changed categories that a table of certificates tells about.
_MOST_CHANGES = 3


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(CertifiedBalls):
    """Classes and the radii inside which no perturbation changes them.

    Immutable, and iterable as the paper's pair::

        prediction, radius = g.certify(X)

    Parameters
    ----------
    prediction : ndarray of shape (n_inputs,)
        The class of each input, or the abstain label.

    radius : ndarray of float of shape (n_inputs,)
        Radius in the units of the input, l2 for Gaussian noise (see `norm`); 0 where
        nothing is certified, infinite where (by exact computation) no other class can
        ever win. If `sigma` is an array, the radius is in units of sigma: the certified
        set is ``{delta : ||delta_i / sigma_i|| < radius}`` over the features with
        sigma_i > 0, with delta_i = 0 for the others.

    p_lower : ndarray of float of shape (n_inputs,)
        Lower bound on the probability of the selected class under noise.

    p_upper : ndarray of float of shape (n_inputs,)
        Upper bound on the probability of every other class.

    selected : ndarray of int of shape (n_inputs,)
        Column of the class that `p_lower` bounds.

    counts : ndarray of int of shape (n_inputs, n_classes)
        Estimation votes by class; each row sums to `n_used`.

    selection_counts : ndarray of int of shape (n_inputs, n_classes) or None
        Votes that selected the class; None if `bound` is "joint".

    n_used : ndarray of int of shape (n_inputs,)
        Estimation votes taken; below `n` where drawing stopped early.

    n : int
        Estimation votes allowed per input; 0 for exact certificates.

    alpha : float
        Each certificate is wrong with at most this probability; 0 for exact ones.

    sigma : float or ndarray
        Noise level.

    bound : {"cohen", "joint", "multiclass", "exact", "analytic"}
        How `p_lower` and `p_upper` were found.

    classes : ndarray of shape (n_classes,)
        The class behind each column of `counts`.

    abstain_label : label or None
        The label that stands for "no prediction".

    first_equal : ndarray of int of shape (n_inputs,)
        Position of the first input that equals this one. Equal inputs have the same
        votes, so their certificates are not independent evidence.

    looks : ndarray of int
        Sample sizes at which drawing might have stopped; ``[n]`` if it could not.

    noise : Noise
        The kind of noise.

    shared_noise : bool
        Did all inputs have the same noise, and not each its own? Then several
        certificates can be wrong together.

    projected : bool
        True if `recertify` scaled the counts: an extrapolation, not a certificate.

    radius_loss : ndarray of float of shape (n_inputs,) or None
        The amount that rounding to a grid has taken off `radius`, in its units; None
        without a grid.

    index : pandas.Index of shape (n_inputs,) or None
        Names of the inputs, if they came as a pandas DataFrame.

    feature_names : ndarray of shape (n_features,) or None
        Names of the columns, if the inputs came as a data frame.

    n_noisy : int or None
        Number of features with noise; None if that is not known.

    certified : ndarray of bool of shape (n_inputs,), default=None
        Is there a certificate at all? None stands for: where the radius is above 0.

    is_distance : bool, default=False
        Are radii distances to where the classifier changes, instead of following from
        probabilities? True for exact certificates of linear classifiers in l1.

    categorical : tuple of int, default=None
        Places of the columns that are categories, in the order of ``noise.n_values``.
        None: ``noise.places``, if it has any.

    rounded : tuple of int, default=()
        Places of the columns whose noise is rounded to whole numbers.

    See Also
    --------
    SmoothedClassifier.certify : Makes certificates.

    Notes
    -----
    The adversary cannot change missing values of an input: the radius is a
    distance in the values that are present, to inputs with the same gaps.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.2.2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
    >>> certificate = g.fit(X, y).certify(X)
    >>> certificate
    Certificate(150 inputs: 146 certified, 4 not; median certified radius 0.615;
                sigma=0.25, n=1000, alpha=0.001)
    >>> prediction, radius = certificate
    """

    prediction: np.ndarray
    radius: np.ndarray
    p_lower: np.ndarray
    p_upper: np.ndarray
    selected: np.ndarray
    counts: np.ndarray
    selection_counts: np.ndarray | None
    n_used: np.ndarray
    n: int
    alpha: float
    sigma: float | np.ndarray
    bound: str
    classes: np.ndarray
    abstain_label: object
    first_equal: np.ndarray
    looks: np.ndarray
    noise: Noise = field(default_factory=Gaussian)
    shared_noise: bool = False
    projected: bool = False
    radius_loss: np.ndarray | None = None
    index: object = None
    feature_names: np.ndarray | None = None
    n_noisy: int | None = None
    certified: np.ndarray | None = None
    is_distance: bool = False
    categorical: tuple | None = None
    rounded: tuple = ()

    def __post_init__(self):
        if self.certified is None:
            object.__setattr__(self, "certified", np.asarray(self.radius) > 0)
        n_inputs = len(self.first_equal)
        for name in (*_PER_INPUT, "first_equal"):
            shape = np.shape(getattr(self, name))
            expected = (n_inputs, len(self.classes))[: 1 + (name in _TABLES)]
            if getattr(self, name) is not None and shape != expected:
                raise ValueError(f"{name} must have shape {expected}, got {shape}.")
        make_read_only(self)

    def __setstate__(self, state):
        vars(self).update(state)
        make_read_only(self)

    def __iter__(self):
        return iter((self.prediction, self.radius))

    def __getitem__(self, key):
        raise TypeError(
            "a Certificate cannot be indexed: as it unpacks into the pair (prediction, "
            "radius), [0] could mean the predictions or the first input. Use "
            "certificate.prediction or certificate.radius for one of the pair, and "
            "certificate.select(rows) for the certificates of some inputs."
        )

    @property
    def distinct(self):
        """Boolean ndarray of shape (n_inputs,): is this the first of equal inputs?"""
        return self.first_equal == np.arange(len(self.first_equal))

    def to_frame(self):
        """Return the certificates as a pandas DataFrame, one row per input.

        Returns
        -------
        frame : pandas.DataFrame
            Columns prediction, radius (in `norm`), p_lower, count (votes of the
            selected class) and n_used (all votes). If there are categories, also
            certified_changes and, for 1 to 3 changed categories, the radius, NaN where
            nothing is certified: radius_1_changed and so on. The index
            is that of the frame that was certified, if it was a pandas frame.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> g.certify(X[[0, 70, 149]]).to_frame().round(2)
           prediction  radius  p_lower  count  n_used
        0           0    0.62     0.99   1000    1000
        1          -1    0.00     0.45    503    1000
        2           2    0.12     0.69    736    1000
        """
        pd = optional("pandas", "Certificate.to_frame")
        columns = {
            "prediction": self.prediction,
            "radius": self.radius,
            "p_lower": self.p_lower,
            "count": votes_of_selected(self),
            "n_used": self.n_used,
        }
        most = getattr(self.noise, "n_changeable", 0)
        if most:
            columns["certified_changes"] = self.certified_changes
        for changes in range(1, min(most, _MOST_CHANGES) + 1):
            _, radius, certified = self._with_changes(changes)
            columns[f"radius_{changes}_changed"] = np.where(certified, radius, np.nan)
        return pd.DataFrame(columns, index=self.index)

    def select(self, rows):
        """Return the certificates of some of the inputs.

        Parameters
        ----------
        rows : slice, int, or array-like of int or of bool
            Positions, as in NumPy; or a mask of shape (n_inputs,). An int selects one
            input. A pandas mask is taken by position; if its index has names, they
            have to be those of the certificate.

        Returns
        -------
        certificate : Certificate
            Of these inputs, in this order.

        Raises
        ------
        IndexError
            If there is no such input, or if a mask does not have length n_inputs or has
            another index.

        TypeError
            If `rows` holds neither integers nor booleans.

        Notes
        -----
        Each certificate is unchanged. A claim about all of them together, such as
        `certified_accuracy_lower_bound`, holds for a selection that does not depend on
        the votes: by the inputs or their labels, but not by prediction or radius.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> certificate = g.certify(X)
        >>> certificate.select(y == 2)
        Certificate(50 inputs: 48 certified, 2 not; median certified radius 0.589;
                    sigma=0.25, n=1000, alpha=0.001)
        """
        rows = as_rows(rows, len(self.first_equal), self.index)
        fields = {name: getattr(self, name) for name in _PER_INPUT}
        chosen = {
            name: None if value is None else value[rows]
            for name, value in fields.items()
        }
        # The first of equal inputs may be gone: the next one takes its place.
        _, first, group = np.unique(
            self.first_equal[rows], return_index=True, return_inverse=True
        )
        return replace(self, **chosen, first_equal=first[group])

    def recertify(self, *, alpha=None, bound=None, n=None):
        """Certify again from the same votes, at another alpha, bound or sample size.

        Parameters
        ----------
        alpha : float, default=None
            Failure probability; None keeps it.

        bound : {"cohen", "joint", "multiclass"}, default=None
            None keeps it.

        n : int, default=None
            Number of votes to project to. The counts are scaled as if more (or
            fewer) votes had fallen into the same shares, so the result shows what to
            expect from `n` votes but certifies nothing; it is marked `projected`.

        Returns
        -------
        certificate : Certificate
            The same certificate if it is exact, because that holds at any level.

        Raises
        ------
        ValueError
            If the votes do not allow it: "joint" certificates have no selection votes,
            exact ones none to project, and votes drawn with a `radius_tol`, which might
            have stopped early, allow only the bound "cohen" and no projection.

        Notes
        -----
        Each of the resulting certificates is valid. But looking at several and then
        reporting the best one is a choice made on the same votes, which no alpha
        covers.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figure 8.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
        >>> certificate = g.fit(X, y).certify(X)
        >>> strict = certificate.recertify(alpha=1e-6)
        >>> bool((strict.radius <= certificate.radius).all())
        True
        """
        if alpha is None and bound is None and n is None:
            return self
        return replace(self, **recertified(self, alpha, bound, n))

    def certified_accuracy_lower_bound(
        self,
        y_true,
        *,
        radius=0.0,
        norm=None,
        changes=0,
        rho=0.001,
        sample_weight=None,
    ):
        """Certified accuracy that these certificates prove with probability 1 - rho.

        The share of certified inputs is itself an estimate, because each certificate
        may be wrong with probability `alpha`. This is the exact lower bound on the
        share that is truly certifiable; it never exceeds `certified_accuracy_score`.

        Inputs that are equal share their noise, so one error is an error for all of
        them. The errors that the number of `distinct` inputs allows for are therefore
        charged to the certified inputs that occur most often. If equal inputs have
        different labels, all of them count as wrong, because g can be right for only
        one.

        If all inputs shared their noise, the votes of the m distinct inputs are
        evaluated again at alpha = rho / m (unless alpha is lower): then, with
        probability 1 - rho, none of the certificates is wrong.

        Parameters
        ----------
        y_true : array-like of shape (n_inputs,)
            True labels.

        radius : float or array-like of float, default=0.0
            Radius, >= 0, in the units of the certified radii.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radius. None is l2, and an error where that is not the norm of
            the certificate.

        changes : int, default=0
            Categories that may change as well.

        rho : float, default=0.001
            Probability with which the bound may fail, at each radius by itself.

        sample_weight : array-like of shape (n_inputs,), default=None
            Sample weights; those of equal inputs add up. Inputs of weight 0 are left
            out: ``sample_weight=certificate.distinct`` counts equal inputs once.

        Returns
        -------
        share : float or ndarray of float
            The share of all inputs, by weight; it has the shape of `radius`.

        Raises
        ------
        ValueError
            If lengths differ, an argument is out of range, there are no inputs, or the
            certificate is a projection.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, appendix D.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier, certified_accuracy_score
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
        >>> certificate = g.fit(X, y).certify(X)
        >>> round(float(certified_accuracy_score(y, certificate, radius=0.5)), 3)
        0.72
        >>> round(certificate.certified_accuracy_lower_bound(y, radius=0.5), 3)
        0.713
        """
        radius = check_radius(radius)
        share = proved_share(self, y_true, radius, norm, changes, rho, sample_weight)
        return share if radius.ndim else float(share)

    def simultaneous(self, radius, alpha, *, norm=None, changes=0):
        """Tell which inputs are certified at a radius, all together at one level.

        Each certificate by itself may be wrong with probability `alpha`, so among
        thousands some are expected to be wrong. Here all of them are right together:
        with probability 1 - `alpha`, no other class wins within `radius` of any input
        that is returned. This uses Holm's procedure, with a p-value for each input.

        Parameters
        ----------
        radius : float
            Radius, >= 0, in the units of the certified radii; chosen before the votes
            are looked at.

        alpha : float
            Probability with which any of the claims may be wrong.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radius. None is l2, and an error where that is not the norm of
            the certificate.

        changes : int, default=0
            Categories that may change as well.

        Returns
        -------
        certified : ndarray of bool of shape (n_inputs,)
            False where the certificate abstains at its own `alpha`.

        Raises
        ------
        ValueError
            If an argument is out of range or not a single number, or the certificate
            is a projection.

        See Also
        --------
        certified_accuracy_lower_bound : How many of them are right, not which.
        sksmooth.stats.holm : The procedure.

        Notes
        -----
        This holds however the inputs depend on each other, so also with `shared_noise`.
        Equal inputs count as one. Leaving inputs out (`select`) makes it easier for the
        others; you may choose them by the inputs, their labels or their selection
        votes, but not by anything that comes from the estimation votes.

        References
        ----------
        S. Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
        >>> certificate = g.fit(X, y).certify(X)
        >>> int((certificate.radius >= 0.5).sum())  # each at level 0.001
        108
        >>> int(certificate.simultaneous(0.5, alpha=0.001).sum())
        105
        """
        return certified_together(self, radius, alpha, norm, changes)

    def statement(
        self, y_true=None, *, radius=0.0, norm=None, changes=0, rho=0.001, model=None
    ):
        """Say in words and numbers what is proved, for readers who did not run it.

        The text covers what is claimed and at which level, noise and votes,
        abstentions, certified accuracy and how much of it is proved, what is assumed,
        what is not proved, and versions.

        Parameters
        ----------
        y_true : array-like of shape (n_inputs,), default=None
            True labels; None leaves accuracy out.

        radius : float or array-like of float, default=0.0
            Radii, >= 0, at which to state the certified accuracy; chosen before the
            votes are looked at.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of all radii in the statement. None is the certificate's own, which the
            text names.

        changes : int or pair of int, default=0
            Categories that may change as well. For SparseFlip, (additions, deletions)
            of ones.

        rho : float, default=0.001
            Probability with which each bound on certified accuracy may fail.

        model : SmoothedClassifier or fitted classifier, default=None
            If given, the text names its kind and a fingerprint of the classifier that
            was smoothed, the one that stores of votes keep.

        Returns
        -------
        text : str
            In lines of up to 79 columns. Shares and radii are rounded down.

        Raises
        ------
        ValueError
            If the certificate is a projection, an argument is out of range, lengths
            differ, there are no inputs although there are labels, or the model cannot
            be pickled.

        See Also
        --------
        certified_accuracy_lower_bound : What is proved for these inputs.
        sksmooth.stats.population_accuracy_lower_bound : For the population behind them.

        Notes
        -----
        The versions are those of the process that writes the statement.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> certificate = g.certify(X[::2])
        >>> text = certificate.statement(y[::2], radius=[0, 0.5], model=g)
        >>> print(text[text.index("THE INPUTS") :])
        THE INPUTS
          75 inputs, 75 of them different. ...
        CERTIFIED ACCURACY
          radius   found  proved here  proved beyond
        ...
        """
        return statement(self, y_true, radius, norm, changes, rho, model)

    def __repr__(self):
        return summary(self)
