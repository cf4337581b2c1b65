"""Trees and sums of trees, in the form that the compiled kernel takes."""

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from .._sklearn import boosting_start, hist_boosting
from ._boosters import booster, is_booster
from ._forest import (
    ABOVE_ZERO,
    HIGHEST_MEAN,
    NOT_BELOW_ZERO,
    Model,
    Tree,
    flatten,
    largest_float32,
)

# To read so many takes some milliseconds, as some hundred votes do by `predict`.
_MANY_NODES = 10_000


def is_sum_of_trees(chain):
    """Is this a classifier of trees that are known, without steps before it?"""
    if chain.steps or chain.own:
        return False
    return type(chain.last) in _MAKERS or is_booster(chain.last)


def takes_long_to_read(f):
    """Do trees of scikit-learn have so many nodes that few votes are not worth it?"""
    if type(f) not in _MAKERS or type(f) is HistGradientBoostingClassifier:
        return False
    trees = np.ravel(getattr(f, "estimators_", [f]))
    return sum(tree.tree_.node_count for tree in trees) > _MANY_NODES


def compiled(chain):
    """Return the Model of a Chain, or None if its trees cannot be compiled.

    For steps that get a matrix.
    """
    f = chain.last
    if chain.own or not {"predict_proba", "decision_function"}.isdisjoint(vars(f)):
        return None  # which predict may ask
    if is_booster(f):
        return booster(f, chain.steps)
    make = _MAKERS.get(type(f))
    if make is None or getattr(f, "n_outputs_", 1) != 1:
        return None
    n_features = getattr(f, "n_features_in_", None)
    if n_features is None:
        return None
    forest, rule, divisor = make(f)
    if forest is None:
        return None
    return Model(
        chain.steps,
        f,
        f.classes_,
        n_features,
        forest,
        rule,
        divisor,
        takes_missing=make is _hist_boosted,
    )


def _single(f):
    return _mean([f])


def _averaged(f):
    # Where trees vote at the same time, the order of the sum is not known.
    return _mean(f.estimators_)


def _mean(trees):
    n_classes = len(trees[0].classes_)
    parts = [_nodes(tree.tree_, tree.tree_.value[:, 0, :n_classes]) for tree in trees]
    forest = flatten(parts, [0] * len(parts), np.zeros(n_classes))
    return forest, HIGHEST_MEAN, float(len(parts))


def _boosted(f):
    start, stages = boosting_start(f), f.estimators_
    parts = [
        _nodes(tree.tree_, f.learning_rate * tree.tree_.value[:, 0, :1])
        for tree in stages.ravel()
    ]
    n_columns = stages.shape[1]
    rule = NOT_BELOW_ZERO if n_columns == 1 else HIGHEST_MEAN
    return flatten(parts, _in_turn(parts, n_columns), start), rule, 1.0


def _hist_boosted(f):
    start, stages = hist_boosting(f)
    parts = []
    for nodes in (nodes for stage in stages for nodes in stage):
        left, right = (
            np.where(nodes["is_leaf"], -1, nodes[side].astype(np.int64))
            for side in ("left", "right")
        )
        parts.append(
            Tree(
                left=left,
                right=right,
                feature=nodes["feature_idx"],
                threshold=nodes["num_threshold"],
                value=nodes["value"][:, None],
                missing=nodes["missing_go_to_left"] == 0,
            )
        )
    n_columns = len(stages[0])
    rule = ABOVE_ZERO if n_columns == 1 else HIGHEST_MEAN
    return flatten(parts, _in_turn(parts, n_columns), start), rule, 1.0


_MAKERS = {
    DecisionTreeClassifier: _single,
    ExtraTreeClassifier: _single,
    RandomForestClassifier: _averaged,
    ExtraTreesClassifier: _averaged,
    GradientBoostingClassifier: _boosted,
    HistGradientBoostingClassifier: _hist_boosted,
}


def _in_turn(parts, n_columns):
    return np.arange(len(parts)) % n_columns


def _nodes(tree, value):
    """Return the Tree; scikit-learn's trees compare float32."""
    threshold = largest_float32(tree.threshold)
    left, right = tree.children_left, tree.children_right
    return Tree(left, right, tree.feature, threshold, value)
