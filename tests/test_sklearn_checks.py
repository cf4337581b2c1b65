"""scikit-learn's own checks, and the reasons for those that cannot hold."""

from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import GaussianAugmenter, SmoothedClassifier, SmoothedRegressor


def smoothed(estimator, **params):
    return SmoothedClassifier(estimator, **{"sigma": 0.1, "n": 200, "n0": 20, **params})


@parametrize_with_checks(
    [
        smoothed(LogisticRegression(), abstain_label=None),
        smoothed(LogisticRegression(), abstain_label=None, n_copies=2),
        smoothed(DecisionTreeClassifier(random_state=0), abstain_label=None),
        smoothed(LogisticRegression(), abstain_label=None, grid="auto"),
        smoothed(LogisticRegression(), abstain_label=None, noise="uniform"),
        smoothed(LogisticRegression(), abstain_label=None, method="monte_carlo"),
    ]
)
def test_without_abstention(estimator, check):
    check(estimator)


def regressing(estimator, **params):
    return SmoothedRegressor(estimator, **{"sigma": 0.1, "n": 100, **params})


def abstaining_failures(estimator):
    """Checks that an estimator which may abstain cannot pass, with the reason."""
    reason = (
        "the check wants predict to be the argmax of predict_proba for every input, "
        "but where the vote is a close call predict abstains"
    )
    return {"check_classifiers_train": reason}


@parametrize_with_checks(
    [
        smoothed(LogisticRegression(), method="monte_carlo"),
        smoothed(DecisionTreeClassifier(random_state=0), method="monte_carlo"),
    ],
    expected_failed_checks=abstaining_failures,
)
def test_with_abstention(estimator, check):
    check(estimator)


def augmenter_failures(estimator):
    """Checks that a transformer which adds noise only in training cannot pass."""
    reason = (
        "the check wants fit_transform(X) to equal fit(X).transform(X), but only "
        "fit_transform adds noise"
    )
    return {
        "check_transformer_general": reason,
        "check_transformer_data_not_an_array": reason,
    }


@parametrize_with_checks(
    [GaussianAugmenter()], expected_failed_checks=augmenter_failures
)
def test_augmenter(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        regressing(LinearRegression()),
        regressing(DecisionTreeRegressor(random_state=0), method="monte_carlo"),
    ]
)
def test_regressor(estimator, check):
    check(estimator)
