"""Reads the trees of a CatBoostClassifier from the model that it saves as JSON."""

import json
import tempfile
from pathlib import Path

import numpy as np

from ._exported import DOUBLE, Exported, tree_of_dicts
from ._forest import Tree

# How much closer to each other sums may be than what the label is made of.
_FUZZ = 1e-9

_BINARY, _MULTI = {"Logloss", "CrossEntropy"}, {"MultiClass", "MultiClassOneVsAll"}

# Where a missing value goes, to the right of a border or not. "AsIs": none was seen.
_MISSING = {"AsIs": False, "AsFalse": False, "AsTrue": True}


def read_catboost(f):
    """Return what a CatBoostClassifier exports; None if that is no sum of such trees.

    x is rounded to float32, as borders are, and goes to the right if x > border.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        f.save_model(str(path), format="json")
        model = json.loads(path.read_text("utf-8"))
    info = model["model_info"]
    if "binclass_probability_threshold" in info or model.keys() & {"ctr_data"}:
        return None
    columns = model["features_info"].pop("float_features", [])
    if any(model["features_info"].values()):  # of categories, or of text
        return None
    scale, bias = model["scale_and_bias"]
    n_columns, classes = len(bias), np.asarray(f.classes_)
    loss = info["params"]["loss_function"]["type"]
    multi = loss in _MULTI and n_columns == len(classes) > 2
    if not multi and not (loss in _BINARY and n_columns == 1 and len(classes) == 2):
        return None
    nodes = [*model.get("oblivious_trees", ()), *model.get("trees", ())]
    if scale != 1 or not nodes:
        return None
    places = np.array([one["flat_feature_index"] for one in columns])
    missing = np.array([_MISSING[one["nan_value_treatment"]] for one in columns])
    trees = []
    for tree in nodes:
        if "splits" in tree:
            left, right, value, splits = _oblivious(tree, n_columns)
        else:
            left, right, value, splits = tree_of_dicts(
                tree, lambda node: node.get("value"), _split
            )
        if any(split["split_type"] != "FloatFeature" for _, split in splits):
            return None
        column, border = np.zeros(len(left), int), np.zeros(len(left), np.float32)
        for place, split in splits:
            column[place] = split["float_feature_index"]
            border[place] = split["border"]
        levels = None
        if "splits" in tree:
            levels = 2 ** np.arange(len(tree["splits"])) - 1
        feature, gaps = places[column], missing[column]
        trees.append(Tree(left, right, feature, border, value, gaps, levels))
    return Exported(
        trees=trees,
        column=np.zeros(len(trees), int),  # they add to all
        n_columns=n_columns,
        n_features=len(f.feature_names_),  # n_features_in_ is 0 after load_model
        classes=classes,
        scores=lambda X: f.predict(X, prediction_type="RawFormulaVal"),
        unit=DOUBLE,
        fuzz=_FUZZ,
        takes_missing=any(one["has_nans"] for one in columns),
    )


def _oblivious(tree, width):
    """Return what ``tree_of_dicts`` does of a tree that asks the same in a level.

    Its first split gives the lowest bit of the number of the leaf.
    """
    depth = len(tree["splits"])
    n_inner, n_nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    left = np.full(n_nodes, -1)
    left[:n_inner] = 2 * np.arange(n_inner) + 1
    right = np.where(left < 0, -1, left + 1)
    value = np.zeros((n_nodes, width))
    value[n_inner:] = np.reshape(tree["leaf_values"], (-1, width))
    splits = [
        (node, split)
        for level, split in enumerate(reversed(tree["splits"]))
        for node in range(2**level - 1, 2 ** (level + 1) - 1)
    ]
    return left, right, value, splits


def _split(node):
    return node["left"], node["right"], node["split"]
