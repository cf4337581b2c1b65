"""Reads the trees of an LGBMClassifier from what its Booster dumps."""

import numpy as np

from ._exported import DOUBLE, Exported, tree_of_dicts
from ._forest import Tree

# A value that is not further from zero is zero (kZeroThreshold, a float there).
_ZERO = float(np.float32(1e-35))

# How much closer to each other sums may be than their probabilities tell apart.
_FUZZ = 1e-9


def read_lightgbm(f):
    """Return what an LGBMClassifier exports, or None if that is no sum of such trees.

    x is float64, as the thresholds are, and goes to the left if x <= threshold.
    """
    if any("pred" in name for name in f.get_params()):  # as of pred_early_stop
        return None
    dump = f.booster_.dump_model()  # up to the best iteration, as predict
    kind, _, options = dump.get("objective", "").partition(" ")
    options = dict(option.split(":") for option in options.split())
    n_columns = dump["num_tree_per_iteration"]
    classes = np.asarray(f.classes_)
    if kind == "binary" and n_columns == 1 and len(classes) == 2:
        fuzz = _FUZZ / float(options["sigmoid"])
        if fuzz <= 0:
            return None
    elif kind == "multiclass" and n_columns == len(classes) > 2:
        fuzz = _FUZZ
    else:
        return None
    if dump["pandas_categorical"] or not dump["tree_info"]:
        return None
    trees = []
    if dump["average_output"]:  # what the label is made of, unlike the scores
        fuzz *= len(dump["tree_info"])
    for info in dump["tree_info"]:
        tree = _tree(info["tree_structure"])
        if tree is None:
            return None
        trees.append(tree)
    return Exported(
        trees=trees,
        column=np.arange(len(trees)) % n_columns,
        n_columns=n_columns,
        n_features=dump["max_feature_idx"] + 1,
        classes=classes,
        scores=lambda X: f.predict(X, raw_score=True),
        unit=DOUBLE,
        fuzz=fuzz,
    )


def _tree(root):
    """Return the Tree, or None with splits on categories or functions in leaves."""
    left, right, value, splits = tree_of_dicts(root, _leaf, _split)
    if np.any(np.isnan(value)):
        return None
    feature, missing = np.zeros(len(left), int), np.zeros(len(left), bool)
    threshold = np.zeros(len(left))
    for place, node in splits:
        kind, limit = node["missing_type"], node["threshold"]
        if node["decision_type"] != "<=" or kind not in ("None", "NaN"):
            return None
        feature[place] = node["split_feature"]
        if -_ZERO <= limit < _ZERO:  # for the values that are zero, as above
            limit = np.nextafter(-_ZERO, -1) if limit < 0 else _ZERO
        threshold[place] = limit
        # If no value was missing in training, NaN is zero.
        missing[place] = 0 > limit if kind == "None" else not node["default_left"]
    return Tree(left, right, feature, threshold, value, missing)


def _leaf(node):
    # Linear trees have a function of x there.
    return np.nan if "leaf_const" in node else node.get("leaf_value")


def _split(node):
    return node["left_child"], node["right_child"], node
