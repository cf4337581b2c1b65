"""Reads the trees of an XGBClassifier from the model that it exports as JSON."""

import json
import math

import numpy as np

from ._exported import SINGLE, Exported
from ._forest import Tree

# How much closer to each other sums may be than their probabilities, in float32, tell
# apart; those are what the label is made of.
_FUZZ = 1e-5

# The labels of one column are told by these: whether the sum is positive, but for fuzz.
_BINARY = {"binary:logistic", "binary:hinge"}
_MULTI = {"multi:softprob", "multi:softmax"}


def read_xgboost(f):
    """Return what an XGBClassifier exports, or None if that is no sum of such trees.

    x is rounded to float32, as the trees are, and goes to the left if x < condition.
    """
    if f.booster not in (None, "gbtree") or f.missing is None:
        return None
    if not math.isnan(f.missing):  # then another number means that a value is missing
        return None
    booster = f.get_booster()
    try:  # predict stops there, too
        booster = booster[: f.best_iteration + 1]
    except AttributeError:  # nothing stopped the training early
        pass
    learner = json.loads(booster.save_raw(raw_format="json"))["learner"]
    shape, model = learner["learner_model_param"], learner["gradient_booster"]
    objective, n_classes = learner["objective"]["name"], int(f.n_classes_)
    n_columns = max(1, int(shape["num_class"]))
    multi = objective in _MULTI and n_columns == n_classes > 2
    if not multi and not (objective in _BINARY and n_columns == 1 and n_classes == 2):
        return None
    if model["name"] != "gbtree" or int(shape.get("num_target", 1)) != 1:
        return None
    nodes = model["model"]["trees"]
    if not nodes or any(_is_other(tree) for tree in nodes):
        return None
    return Exported(
        trees=[_tree(tree) for tree in nodes],
        column=np.array(model["model"]["tree_info"]),
        n_columns=n_columns,
        n_features=int(shape["num_feature"]),
        classes=np.arange(n_classes),
        scores=lambda X: f.predict(X, output_margin=True),
        unit=SINGLE,
        fuzz=_FUZZ,
    )


def _is_other(tree):
    """Has a tree splits on categories, or vectors in its leaves?"""
    return any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1


def _tree(tree):
    left = np.array(tree["left_children"])
    condition = np.array(tree["split_conditions"], np.float32)
    return Tree(
        left=left,
        right=np.array(tree["right_children"]),
        feature=np.array(tree["split_indices"]),
        # x < condition is x <= the next lower number.
        threshold=np.nextafter(condition, np.float32(-np.inf)),
        value=condition[:, None].astype(float),
        missing=np.array(tree["default_left"]) == 0,
    )
