"""scikit-learn's own tests of meta-estimators that route metadata, for ours."""

import inspect

import pytest

from sksmooth import SmoothedClassifier

upstream = pytest.importorskip(
    "sklearn.tests.test_metaestimators_metadata_routing",
    reason="scikit-learn was installed without its tests",
)


ROW = {
    "metaestimator": SmoothedClassifier,
    "estimator_name": "estimator",
    "estimator": "classifier",
    "init_args": {"sigma": 0.5, "n": 30, "alpha": 0.3, "random_state": 0},
    "X": upstream.X,
    "y": upstream.y,
    "estimator_routing_methods": ["fit"],
}
# Those that are run for every row of the table.
TESTS = {
    name: test
    for name, test in vars(upstream).items()
    if name.startswith("test_")
    and list(inspect.signature(test).parameters) == ["metaestimator"]
}


def test_the_table_is_where_it_was():
    """scikit-learn 1.6 to 1.9 have these eight, later ones perhaps more."""
    assert isinstance(upstream.METAESTIMATORS, list)
    assert {
        "test_default_request",
        "test_error_on_missing_requests_for_sub_estimator",
        "test_setting_request_on_sub_estimator_removes_error",
        "test_non_consuming_estimator_works",
        "test_metadata_is_routed_correctly_to_scorer",
        "test_metadata_is_routed_correctly_to_splitter",
        "test_metadata_routed_to_group_splitter",
    } <= set(TESTS)


@pytest.mark.parametrize("name", TESTS)
def test_routing(name):
    TESTS[name](ROW)
