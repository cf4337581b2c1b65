"""A `fit` that claims `sample_weight` only where the wrapped estimator takes it."""

from functools import wraps
from inspect import signature
from types import MethodType

from sklearn.utils.validation import has_fit_parameter


def takes_weights(estimator):
    """Has `estimator.fit` a parameter `sample_weight`?"""
    try:
        return has_fit_parameter(estimator, "sample_weight")
    except (TypeError, ValueError):  # nothing that could be called, or looked into
        return False


class FitOfWrapper:
    """The method `fit` of a meta-estimator, with a signature that tells the truth.

    Ensembles look into the signature for `sample_weight` and then pass weights of
    their own, as bagging does for bootstrap samples. On the class, and where
    `wrapper.estimator` takes weights, it is `method`; elsewhere it behaves alike and
    does not show the parameter.

    Parameters
    ----------
    method : function
        With the parameters `self`, `X`, `y`, `sample_weight` and ``**params``.
    """

    def __init__(self, method):
        self.method = method

        @wraps(method)
        def without(*args, **params):
            return method(*args, **params)

        shown = signature(method)
        without.__signature__ = shown.replace(
            parameters=[
                parameter
                for name, parameter in shown.parameters.items()
                if name != "sample_weight"
            ]
        )
        self.without = without

    def __get__(self, wrapper, owner=None):
        if wrapper is None:
            return self.method
        weighted = takes_weights(getattr(wrapper, "estimator", None))
        return MethodType(self.method if weighted else self.without, wrapper)
