"""What of wrapping a base estimator is of classifiers: labels, and votes for them."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import get_tags

from ._check_base import check_classes, check_y
from ._from_fit import FromFit
from ._labels import check_abstain_label, label_indices
from ._smoother import BaseSmoother
from ._tensors import from_torch
from .exact._probabilities import is_exact
from .models._net_labels import check_net_labels, labels_for_nets
from .votes._voting import Voting


class ClassSmoother(ClassifierMixin, BaseSmoother):
    """Wraps the classifier `estimator`, fitted or not, whose votes are counted."""

    _wraps = "classifier"

    classes_ = FromFit()

    @property
    def abstain_label_(self):
        """What stands for "no prediction"; of the same kind as `classes_`."""
        return check_abstain_label(self.abstain_label, self.classes_)

    def score(self, X, y, sample_weight=None):
        """Return the share of inputs for which `predict` names the true class.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape)

        y : array-like of shape (n_inputs,)
            True labels. What abstains counts as wrong.

        sample_weight : array-like of shape (n_inputs,), default=None

        Returns
        -------
        score : float
        """
        # Tensors of a GPU are no arrays to scikit-learn.
        return super().score(X, from_torch(y), from_torch(sample_weight))

    def _check_y(self, y):
        y = check_y(y)
        check_abstain_label(self.abstain_label, np.unique(y))
        return y

    def _has_exact(self, estimator, noise):
        return is_exact(estimator, noise)

    def _check_base(self, estimator):
        check_classes(getattr(estimator, "classes_", None))
        check_net_labels(estimator)

    def _check_frozen(self, estimator, y):
        classes = check_classes(getattr(estimator, "classes_", None))
        unknown = np.flatnonzero(label_indices(y, classes) < 0)
        if len(unknown):
            raise ValueError(
                f"y holds {y[unknown[0]]!r}, which the frozen estimator does not know: "
                f"its classes are {classes.tolist()!r}."
            )

    def _y_for(self, estimator, y):
        return labels_for_nets(estimator, y)

    def _learn_targets(self, estimator, y, named):
        if named is None:
            check_net_labels(estimator)
            named = getattr(estimator, "classes_", np.unique(y))
        self.classes_ = check_classes(named)
        check_abstain_label(self.abstain_label, self.classes_)

    def _voting(self, estimator, inputs, **settings):
        return Voting(estimator, self.classes_, inputs, **settings)

    def _seems_fitted(self, estimator):
        return hasattr(estimator, "classes_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            base = get_tags(self.estimator).classifier_tags
            if base is not None:
                tags.classifier_tags.multi_class = base.multi_class
                tags.classifier_tags.poor_score = base.poor_score
        return tags
