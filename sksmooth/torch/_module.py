"""ModuleClassifier: a trained torch module as a scikit-learn classifier."""

import warnings

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_array

from .._containers import plain
from .._labels import label_indices
from .._tensors import from_torch
from ..models._net_errors import about_axes, in_short, wrong_shape
from ..models._net_outputs import doubt
from ..models._torch_net import (
    eval_mode,
    first_output,
    home,
    private_copy,
)

# Has a user been told that `fit` trains nothing? A search calls it many times.
_said = False


class ModuleClassifier(ClassifierMixin, BaseEstimator):
    """A trained torch module as a classifier that is fitted already.

    Parameters
    ----------
    module : torch.nn.Module
        Maps a batch of shape (n_inputs, *shape) to one output per class, or to one
        output (of shape (n_inputs, 1) or (n_inputs,)) for two classes. Of a tuple the
        first element counts. Used in eval mode, whatever mode it is in; never changed.

    classes : array-like of shape (n_classes,), default=None
        The label that each output stands for. None takes 0, 1, ... for the outputs of
        the last linear layer or convolution.

    outputs : {"logits", "probabilities"}, default="logits"
        What the outputs are. Of one logit, a positive one means the second class; of
        one probability, one above 1/2. There is a warning where the outputs are seen
        not to be that: one "logit" that stays in [0, 1], "probabilities" that do not,
        or that do not add up to 1.

    device : str or torch.device, default=None
        Where to run; None is where the weights are. A module is copied, not moved.

    batch_size : int, default=256
        Inputs at a time in `predict` and `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.

    See Also
    --------
    sksmooth.SmoothedClassifier : Smooths this classifier without a call of `fit`.

    Notes
    -----
    `fit` trains nothing, and warns that it does not. Where it has to be called, as in a
    search, wrap this classifier in scikit-learn's FrozenEstimator.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.torch import ModuleClassifier
    >>> module = torch.nn.Linear(2, 2)
    >>> _ = torch.nn.init.eye_(module.weight), torch.nn.init.zeros_(module.bias)
    >>> f = ModuleClassifier(module, classes=["left", "right"])
    >>> f.predict([[3.0, 1.0], [0.0, 2.0]])
    array(['left', 'right'], dtype='<U5')
    >>> g = SmoothedClassifier(f, sigma=0.5, n=1000, random_state=0)
    >>> g.predict([[3.0, 1.0], [0.0, 2.0]])
    array(['left', 'right'], dtype='<U7')
    """

    def __init__(
        self, module, *, classes=None, outputs="logits", device=None, batch_size=256
    ):
        self.module = module
        self.classes = classes
        self.outputs = outputs
        self.device = device
        self.batch_size = batch_size

    @property
    def classes_(self):
        """The class labels, in the order of the outputs."""
        _check_module(self.module)
        if self.classes is None:
            return np.arange(_count_classes(self.module))
        classes = np.asarray(from_torch(self.classes))
        if classes.ndim != 1 or len(np.unique(classes)) != len(classes):
            raise ValueError(
                f"classes must be a list of different labels, got {self.classes!r}."
            )
        return classes

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X=None, y=None):
        """Train nothing: the module is trained.

        Parameters
        ----------
        X : array-like, default=None
            Ignored.

        y : array-like of shape (n_inputs,), default=None
            Checked for labels that the module does not know.

        Returns
        -------
        self : ModuleClassifier

        Raises
        ------
        ValueError
            If y holds a label that is not one of `classes_`.

        Warns
        -----
        UserWarning
            Once in a process: whoever calls `fit` may expect it to train.
        """
        if y is not None:
            y = np.asarray(from_torch(y))
            unknown = np.flatnonzero(label_indices(y, self.classes_) < 0)
            if len(unknown):
                raise ValueError(
                    f"y holds {y[unknown[0]]!r}, which the module does not know: its "
                    f"classes are {self.classes_.tolist()!r}."
                )
        global _said  # Python forgets what it has shown whenever filters are changed
        if _said:
            return self
        _said = True
        warnings.warn(
            "ModuleClassifier.fit trains nothing: its module is trained already. "
            "Leave out the call of fit; if something else has to call it, wrap the "
            "classifier in sklearn.frozen.FrozenEstimator.",
            UserWarning,
            stacklevel=2,
        )
        return self

    def predict_proba(self, X):
        """Return class probabilities.

        Parameters
        ----------
        X : array-like or tensor of shape (n_inputs, *shape)
            Converted to the dtype of the module's weights.

        Returns
        -------
        probabilities : ndarray of shape (n_inputs, n_classes)
            In the order of `classes_`.

        Raises
        ------
        ValueError
            If X holds NaN or infinity, or the module has another number of outputs
            than there are classes.
        """
        X = check_array(plain(X), allow_nd=True, dtype=[np.float32, np.float64])
        if self.outputs not in ("logits", "probabilities"):
            raise ValueError(
                f"outputs must be 'logits' or 'probabilities', got {self.outputs!r}."
            )
        n_classes = len(self.classes_)
        module = private_copy(self.module, self.device)
        device, dtype = home(module, self.device)
        parts = []
        with torch.inference_mode(), eval_mode(module):
            for start in range(0, len(X), self.batch_size):
                part = np.array(X[start : start + self.batch_size])
                part = torch.from_numpy(part).to(device, dtype)
                output = first_output(self._asked(module, part), type(self).__name__)
                if output.dtype.itemsize < 4:  # NumPy has no bfloat16
                    output = output.float()
                if not start:
                    self._check_outputs(module, part, output)
                shares = self._probabilities(output)
                if shares.shape != (len(part), n_classes):
                    name = type(self).__name__
                    raise wrong_shape(name, output, len(part), self.classes_)
                parts.append(shares.cpu().numpy())
        return np.concatenate(parts)

    def predict(self, X):
        """Return the class with the largest output.

        Parameters
        ----------
        X : array-like or tensor of shape (n_inputs, *shape)
            Converted to the dtype of the module's weights.

        Returns
        -------
        prediction : ndarray of shape (n_inputs,)

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _check_outputs(self, module, batch, output):
        name = type(self).__name__

        def ask(batch):
            return first_output(module(batch), name)

        found = doubt(name, self.outputs, batch, output, ask)
        if found is not None:
            warnings.warn(found, UserWarning, stacklevel=3)

    def _asked(self, module, batch):
        try:
            return module(batch)
        except RuntimeError as error:
            hint = about_axes(module, batch.shape)
            if not hint:
                raise
            text = in_short(error).removesuffix(".")
            raise RuntimeError(f"the module failed on X: {text}.{hint}") from error

    def _probabilities(self, output):
        if output.ndim == 1 or (output.ndim == 2 and output.shape[1] == 1):
            positive = output.reshape(-1)
            if self.outputs == "logits":
                return torch.stack([(-positive).sigmoid(), positive.sigmoid()], dim=1)
            return torch.stack([1 - positive, positive], dim=1)
        return output.softmax(dim=-1) if self.outputs == "logits" else output


def _check_module(module):
    """Raise a TypeError if this is no module, but something near to one."""
    if isinstance(module, torch.nn.Module):
        return
    if isinstance(module, type):
        name = module.__name__
        raise TypeError(
            f"module is the class {name} itself; a trained module is needed, as in "
            f"ModuleClassifier({name}(...))."
        )
    hint = ""
    if hasattr(module, "predict"):
        hint = " What has a `predict` may be a classifier already: smooth it directly."
    raise TypeError(
        f"module must be a torch.nn.Module, got an object of type "
        f"{type(module).__name__}.{hint}"
    )


def _count_classes(module):
    widths = [
        getattr(part, "out_features", None) or getattr(part, "out_channels", None)
        for part in module.modules()
    ]
    widths = [width for width in widths if width is not None]
    if not widths:
        raise ValueError(
            "the number of outputs of this module is not known: pass "
            "ModuleClassifier(module, classes=...)."
        )
    return max(2, widths[-1])
