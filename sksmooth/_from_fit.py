"""What `fit` leaves on an estimator."""

from contextlib import contextmanager


class FromFit:
    """An attribute that `fit` stores and that, before `fit`, a fitted base lends."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, wrapper, owner=None):
        if wrapper is None:
            return self
        if self.name in vars(wrapper):
            return vars(wrapper)[self.name]
        if "estimator_" not in vars(wrapper) and wrapper.__sklearn_is_fitted__():
            try:
                return getattr(wrapper.estimator, self.name)
            except Exception:  # of any kind: it may be a property of a foreign class
                if self.name == "classes_":  # which is needed; it says what is wrong
                    raise
        raise AttributeError(
            f"{type(wrapper).__name__!r} object has no attribute {self.name!r}"
        )

    def __set__(self, wrapper, value):
        vars(wrapper)[self.name] = value

    def __delete__(self, wrapper):
        vars(wrapper).pop(self.name, None)


@contextmanager
def all_or_nothing(estimator):
    """Give `estimator` its attributes back if what is done with it raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
