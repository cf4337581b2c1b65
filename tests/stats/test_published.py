"""Published counts give the published radii and certified accuracies."""

import numpy as np
import pandas as pd
import pytest

from sksmooth import certified_accuracy_score
from sksmooth.stats import lower_confidence_bound, radius_from_probabilities


def significant(value, digits):
    return np.array([float(f"{v:.{digits}g}") for v in value])


def test_every_published_radius_from_its_count(published):
    table = pd.read_csv(published / "cifar10_counts_radii.csv")
    assert len(table) == 2000
    p_lower = lower_confidence_bound(table["count"].to_numpy(), 100_000, 0.001)
    abstains = table["predict"] == -1
    np.testing.assert_array_equal(p_lower <= 0.5, abstains)
    radius = radius_from_probabilities(p_lower, sigma=table["sigma"].to_numpy())
    np.testing.assert_array_equal(
        significant(radius[~abstains], 5), table["exact_radius"][~abstains]
    )
    assert np.all(radius[abstains] == 0)


def test_certified_accuracies_from_published_counts(published):
    table = np.loadtxt(published / "topk_cifar10_sigma_0.25_counts.txt", dtype=int)
    counts, label = table[:, :-1], table[:, -1]
    assert np.all(counts.sum(axis=1) == 100_000)
    p_lower = lower_confidence_bound(counts.max(axis=1), 100_000, 0.001)
    radius = radius_from_probabilities(p_lower, sigma=0.25)
    prediction = np.where(radius > 0, counts.argmax(axis=1), -1)
    score = certified_accuracy_score(
        label, (prediction, radius), radius=[0, 0.25, 0.5, 0.75]
    )
    assert score.tolist() == [0.756, 0.6, 0.428, 0.258]


@pytest.mark.parametrize(
    ("log", "radii", "accuracies"),
    [
        (
            "certify_cifar10_resnet110_sigma_0.25.tsv",
            [0, 0.25, 0.5, 0.75],
            [0.748, 0.6, 0.428, 0.266],
        ),
        (
            "certify_imagenet_resnet50_sigma_0.50.tsv",
            [0, 0.5, 1, 1.5],
            [0.572, 0.458, 0.372, 0.286],
        ),
    ],
)
def test_certified_accuracies_from_published_logs(published, log, radii, accuracies):
    table = pd.read_csv(published / "cohen2019" / log, sep="\t")
    pair = table["predict"], table["radius"]
    score = certified_accuracy_score(table["label"], pair, radius=radii)
    assert score.tolist() == accuracies
