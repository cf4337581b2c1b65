"""From classifiers, certificates and logs to a display of certified accuracy."""

from ..noise import find_noise
from ..noise._norms import known_norm, told_norm
from ._curves import (
    Curve,
    by_name,
    common_unit,
    curve_of_log,
    curves_of_certificates,
    name_of_certificate,
    name_of_log,
    number_by_name,
)
from ._runs import (
    common_log_unit,
    common_norm,
    name_of_run,
    read,
    run_of,
    settings_of_log,
    title_of,
)
from ._style import import_pyplot


class FromCertificates:
    """The ways to make a ``CertifiedAccuracyDisplay``, which has the fields."""

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        norm=None,
        changes=0,
        rho=None,
        name=None,
        unit=None,
        ax=None,
        **kwargs,
    ):
        """Certify inputs and plot certified accuracy against radius.

        Parameters
        ----------
        estimator : SmoothedClassifier, or dict of str to SmoothedClassifier
            Fitted; several are drawn into one plot under the names given.

        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs.

        y : array-like of shape (n_inputs,)
            True labels.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radii. None is l2, and an error where a certificate is in
            another.

        changes : int, pair of int, or list of them, default=0
            Categories that may change as well; for SparseFlip, (additions, deletions)
            of ones. A list draws a curve for each.

        rho : float, default=None
            Draw the lower bound that holds with probability 1 - rho at each radius.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict or, for one curve, its
            settings: sigma, n, alpha and the number of inputs.

        unit : str, default=None
            What radii are measured in; None takes "units of X" or "units of sigma".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        NotFittedError, ValueError, RuntimeError
            As `certify`.

        TypeError
            If an estimator has no `certify`, or a keyword is wrong.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> display = CertifiedAccuracyDisplay.from_estimator(g, X, y, rho=0.001)
        >>> print(display.line_.get_label())
        sigma = 0.25, n = 1,000
        alpha = 0.001, 150 inputs (ACR = 0.49)
        """
        import_pyplot(cls, "from_estimator", kwargs)
        estimators = by_name(estimator)
        for each in estimators.values():
            if not hasattr(each, "certify"):
                raise TypeError(
                    f"{type(each).__name__} has no method `certify`: wrap it in "
                    "SmoothedClassifier."
                )
            if hasattr(each, "noise"):  # so is a norm that is needed
                told_norm(norm, find_noise(each.noise).bind(1.0).norm)
        certificates = {key: each.certify(X) for key, each in estimators.items()}
        settings = {"norm": norm, "changes": changes, "rho": rho}
        settings |= {"name": name, "unit": unit, "ax": ax}
        return cls.from_certificate(certificates, y, **settings, **kwargs)

    @classmethod
    def from_certificate(
        cls,
        certificate,
        y,
        *,
        norm=None,
        changes=0,
        rho=None,
        name=None,
        unit=None,
        ax=None,
        **kwargs,
    ):
        """Plot the certified accuracy of certificates against radius.

        Parameters
        ----------
        certificate : Certificate, pair (prediction, radius), or dict of them
            What `certify` returned; the keys of a dict name the curves.

        y : array-like of shape (n_inputs,)
            True labels.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radii. None is l2, and an error where a certificate is in
            another.

        changes : int, pair of int, or list of them, default=0
            Categories that may change as well; for SparseFlip, (additions, deletions)
            of ones. A list draws a curve for each.

        rho : float, default=None
            Draw the lower bound that holds with probability 1 - rho at each radius.
            For Certificates only.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict or, for one
            Certificate, its settings: sigma, n, alpha and the number of inputs.

        unit : str, default=None
            What radii are measured in; None takes "units of X" or "units of sigma".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If lengths differ, if `rho` is given for a pair or a projection, or if some
            radii are in units of sigma and others are not, or in units of another
            sigma and no `unit` is told; if `ax` has curves of another norm or unit.

        Notes
        -----
        What `recertify` has projected to another number of votes is drawn, and its name
        says that it is projected, not certified.

        Examples
        --------
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> certificate = ([0, 1, 1, -1], [0.9, 0.4, 0.7, 0.0])
        >>> display = CertifiedAccuracyDisplay.from_certificate(
        ...     certificate, [0, 1, 0, 1], name="g"
        ... )
        >>> display.radius, display.accuracy
        (array([0. , 0.4, 0.9]), array([0.5 , 0.5 , 0.25]))
        """
        import_pyplot(cls, "from_certificate", kwargs)
        named = by_name(certificate)
        curves = curves_of_certificates(y, named, rho, norm, changes)
        if name is None and set(curves) == {None}:
            name = name_of_certificate(named[None])
        unit, norm = common_unit(named.values(), unit), norm or "l2"
        return cls._from_curves(curves, rho, name, unit, norm).plot(ax, **kwargs)

    @classmethod
    def from_predictions(cls, y_true, certificate, **kwargs):
        """Plot certificates, the arguments in the order of scikit-learn's displays.

        The same as :meth:`from_certificate` but for the order.

        Parameters
        ----------
        y_true : array-like of shape (n_inputs,)
            True labels.

        certificate : Certificate, pair (prediction, radius), or dict of them
            What `certify` returned; the keys of a dict name the curves.

        **kwargs : dict
            Passed on to :meth:`from_certificate`.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Examples
        --------
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> y_true, y_pred, radius = [0, 1, 0, 1], [0, 1, 1, -1], [0.9, 0.4, 0.7, 0.0]
        >>> display = CertifiedAccuracyDisplay.from_predictions(
        ...     y_true, (y_pred, radius), name="g"
        ... )
        >>> display.line_.get_label()
        'g (ACR = 0.33)'
        """
        return cls.from_certificate(certificate, y_true, **kwargs)

    @classmethod
    def from_log(
        cls,
        log,
        *,
        sigma=None,
        n=None,
        alpha=None,
        rho=None,
        norm=None,
        name=None,
        unit=None,
        ax=None,
        **kwargs,
    ):
        """Plot the certified accuracy of logs in the Cohen log format against radius.

        A log itself does not tell how it was made; the JSON file does that `write_log`
        and the command line put beside it. What it says is taken for granted, and need
        not be told; for other logs, `sigma`, `n`, `alpha` and `norm` have to.

        Parameters
        ----------
        log : path-like, pandas.DataFrame, or dict of them
            A file, or what :func:`sksmooth.logs.read_log` returned; the keys of a dict
            name the curves.

        sigma : float or dict of float, default=None
            Noise level, under the keys of `log` if they differ. None takes that of the
            run, and marks no largest radius where it is not known, or where it does
            not tell how far votes reach: that takes Gaussian noise, bound="cohen",
            stopping="fixed" and no categories.

        n : int or dict of int, default=None
            Votes per input, under the keys of `log` if they differ; for the largest
            radius. None takes that of the run, or 100,000.

        alpha : float or dict of float, default=None
            Failure probability per input, under the keys of `log` if they differ; for
            the largest radius and `rho`. None takes that of the run, or 0.001.

        rho : float, default=None
            Draw the lower bound that holds with probability 1 - rho at each radius, if
            no two inputs of a log are equal.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radii; leave out `sigma` unless it is l2. None takes that of the
            run, or l2.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict or, for one log,
            the settings that are known and the number of inputs.

        unit : str, default=None
            What radii are measured in; None takes "units of X", "units of sigma" or
            "tokens", as the run says, or "units of the log".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib or pandas is not installed.

        TypeError
            If `sigma`, `n` or `alpha` is a list, or a keyword is wrong.

        ValueError
            If a log has no rows, no radii, or cannot be read, or has an `idx` more than
            once; if it has more radius than `sigma`, `n` and `alpha` allow, or both a
            `sigma` and another norm; if what is told is not what stands beside a log;
            if norms or units differ.

        Examples
        --------
        >>> import pandas as pd
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> log = pd.DataFrame(
        ...     {"label": [0, 1, 0], "predict": [0, 1, 1], "radius": [0.3, 0.9, 0.5]}
        ... )
        >>> display = CertifiedAccuracyDisplay.from_log(log, sigma=0.25)
        >>> display.accuracy.round(2), round(display.max_radius, 3)
        (array([0.67, 0.67, 0.33]), 0.953)
        """
        import_pyplot(cls, "from_log", kwargs)
        known_norm(norm)
        named = by_name(log)
        told = {
            "sigma": number_by_name(sigma, named, "sigma", optional=True),
            "n": number_by_name(n, named, "n"),
            "alpha": number_by_name(alpha, named, "alpha"),
        }
        frames = {key: read(each, title_of(key)) for key, each in named.items()}
        runs = {key: run_of(frame) for key, frame in frames.items()}
        norm, unit = common_norm(runs, norm), common_log_unit(runs, unit)
        if norm != "l2" and any(s is not None for s in told["sigma"].values()):
            raise ValueError("sigma tells how far l2 radii reach: leave it out.")
        curves = {}
        for key, frame in frames.items():
            given = {setting: by_key[key] for setting, by_key in told.items()}
            known = settings_of_log(runs[key], title_of(key), rho=rho, **given)
            curves[key] = curve_of_log(frame, title_of(key), rho=rho, **known)
        if name is None and set(curves) == {None}:
            curve, run = curves[None], runs[None]
            name = name_of_run(run, curve) if run else name_of_log(curve, **known)
        return cls._from_curves(curves, rho, name, unit, norm).plot(ax, **kwargs)

    @classmethod
    def _from_curves(cls, curves, rho, name, unit, norm):
        if name is None and None not in curves:
            name = [str(key) for key in curves]
        columns = map(list, zip(*curves.values(), strict=True))
        if len(curves) == 1:
            columns = (value for (value,) in columns)
            name = name[0] if isinstance(name, list) else name
        fields = dict(zip(Curve._fields, columns, strict=True))
        return cls(**fields, rho=rho, name=name, unit=unit, norm=norm)
