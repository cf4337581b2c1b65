"""The order of the examples in the gallery: those to read first, then by name."""

FIRST = [
    f"plot_{name}.py"
    for name in (
        "quickstart",
        "votes",
        "decision_regions",
        "choosing_sigma",
        "sigma_tradeoff",
        "fashion_mnist",
        "own_loss",
        "attack",
        "deterministic",
        "imagenet",
        "samples",
        "alpha",
        "guarantees",
        "prediction",
        "noise_mismatch",
        "resolution",
        "linear_sanity",
        "norms",
        "exact_trees",
        "regression",
        "forest_attack",
        "spam_filter",
        "data_frame",
        "mixed_table",
        "sparse_flags",
        "floating_point",
    )
]


class ReadingOrder:
    """Sort key for sphinx-gallery, which makes one for each folder of examples."""

    def __init__(self, src_dir):
        self.src_dir = src_dir

    def __call__(self, file_name):
        place = FIRST.index(file_name) if file_name in FIRST else len(FIRST)
        return place, file_name

    def __repr__(self):
        return "reading order"  # part of the configuration that Sphinx compares
