"""Labels of nets: what skorch is trained on, and what its outputs stand for."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import SmoothedClassifier, certified_accuracy_scorer  # noqa: E402
from tests.nets import binary_classifier, classifier  # noqa: E402

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X).astype(np.float32)
setosa = (y == 0).astype(int)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def net(n_outputs=3, **params):
    torch.manual_seed(0)
    module = torch.nn.Linear(4, n_outputs)
    return classifier(module, max_epochs=60, lr=0.05, **params)


def binary_net():
    torch.manual_seed(0)
    return binary_classifier(torch.nn.Linear(4, 1), max_epochs=30, lr=0.5)


def smoothed(estimator, **params):
    return SmoothedClassifier(estimator, sigma=0.1, n=100, random_state=0, **params)


def matches(a, b):
    return a == pytest.approx(b, abs=0.05)


def is_right(g, labels, at_least=0.8, classes=None):
    labels = np.asarray(labels)
    expected = np.unique(labels).tolist() if classes is None else classes
    assert g.classes_.tolist() == expected
    rows, some = X[::5], labels[::5]
    assert np.mean(g.certify(rows).prediction == some) >= at_least - 0.1
    assert g.certified_correct(rows, some, 0.01).mean() >= at_least - 0.1
    return g.score(rows, some) >= at_least


class TestTrainedHere:
    @pytest.mark.parametrize("step", [None, StandardScaler(), Normalizer()], ids=str)
    @pytest.mark.parametrize("classes", [[2, 1, 0], [1, 2, 0], [0, 1, 2], [2, 0, 7, 1]])
    def test_the_order_of_classes(self, step, classes):
        """Behind a scaler nets are asked directly, behind a Normalizer by predict."""
        f = net(len(classes), classes=classes)
        g = smoothed(f if step is None else make_pipeline(step, f)).fit(X, y)
        low = 0.7 if isinstance(step, Normalizer) else 0.8
        assert is_right(g, y, low, classes)
        by_index = g.estimator_.predict(X)
        assert np.mean(np.array(classes)[by_index] == y) > low

    @pytest.mark.parametrize(
        "labels",
        [y + 1, 3 * y - 1, y == 1, y * 10.0, y.astype("f4"), y.astype("u1")],
        ids=["1, 2, 3", "-1, 2, 5", "bool", "float64", "float32", "uint8"],
    )
    def test_numbers_without_classes(self, labels):
        g = smoothed(net(len(np.unique(labels)))).fit(X, labels)
        assert is_right(g, labels, 0.65 if labels.dtype == bool else 0.8)

    def test_shifted_classes(self):
        some = y > 0
        g = smoothed(net(classes=[1, 2, 3])).fit(X[some], y[some])
        assert g.score(X[some], y[some]) > 0.85
        assert is_right(smoothed(net(classes=[1, 2, 3])).fit(X, y + 1), y + 1)
        floats = smoothed(net(classes=[3.0, 1.0, 2.0])).fit(X, y + 1)
        assert is_right(floats, y + 1, classes=[3, 1, 2])

    @pytest.mark.parametrize(
        "make",
        [
            lambda: pd.Series(y.astype(float)),
            lambda: pd.Series(y, dtype="Int64"),
            lambda: pd.Series(y, dtype="Float64"),
            lambda: pd.Series(y, dtype="category"),
            lambda: pd.Series(y, dtype=object),
            lambda: y.astype(object),
            lambda: pd.Series(y, dtype="int64[pyarrow]"),
            lambda: pd.Series(y, dtype="double[pyarrow]"),
            lambda: torch.tensor(y),
            lambda: torch.tensor(y, dtype=torch.float32),
        ],
    )
    def test_whole_numbers_of_any_type(self, make):
        try:
            labels = make()
        except ImportError:
            pytest.skip("no pyarrow")
        g = smoothed(net()).fit(X, labels)
        assert g.classes_.tolist() == [0, 1, 2]
        assert g.classes_.dtype.kind == "i"
        assert g.score(X, y) > 0.8

    @pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]", bool])
    def test_truth_values(self, dtype):
        try:
            labels = pd.Series(setosa == 1, dtype=dtype)
        except ImportError:
            pytest.skip("no pyarrow")
        for f in (net(2), binary_net()):
            g = smoothed(f).fit(X, labels)
            assert g.score(X, setosa) > 0.95

    @pytest.mark.parametrize(
        ("labels", "classes", "message"),
        [
            (y, [1, 2, 3], r"y holds 0, which is not one of the classes=\[1, 2, 3\]"),
            (y, ["a", "b", "c"], "y holds 0, which is not one of"),
            (NAMES[y], [0, 1, 2], "'setosa', which is not one of the classes"),
            (y, [0, 1, 1], r"classes=\[0, 1, 1\] .* must be different"),
        ],
    )
    def test_labels_that_are_not_known(self, labels, classes, message):
        with pytest.raises(ValueError, match=message):
            smoothed(net(classes=classes)).fit(X, labels)

    def test_a_net_that_answers_with_labels_by_itself(self):
        class Answers(type(net())):
            def predict(self, X):
                return self.classes_[super().predict(X)]

        class Trains(Answers):
            def fit(self, X, y, **params):
                self.labels_ = np.unique(y)
                return super().fit(X, np.searchsorted(self.labels_, y), **params)

            @property
            def classes_(self):
                return self.labels_

        params = net().get_params(deep=False)
        given = smoothed(Answers(**{**params, "classes": [2, 1, 0]})).fit(X, y)
        assert given.score(X, y) > 0.8
        own = smoothed(Trains(**params)).fit(X, 2 * y)
        assert own.classes_.tolist() == [0, 2, 4]
        assert own.score(X, 2 * y) > 0.8


class TestTwoClassesAndOneOutput:
    labels = pytest.mark.parametrize(
        "labels",
        [
            setosa,
            1 - setosa,
            setosa + 1,
            2 * setosa - 1,
            setosa * 1.5e3,
            setosa.astype("f4"),
            setosa == 1,
            np.array(["no", "yes"])[setosa],
            np.array([7, 3])[setosa],
        ],
        ids=lambda y: f"{y.dtype} {np.unique(y)}",
    )

    @labels
    @pytest.mark.parametrize("step", [None, StandardScaler(), Normalizer()], ids=str)
    def test_any_two_labels(self, labels, step):
        f = binary_net()
        g = smoothed(f if step is None else make_pipeline(step, f)).fit(X, labels)
        assert is_right(g, labels, 0.95)

    @labels
    def test_in_a_search_and_around_one(self, labels):
        search = GridSearchCV(
            smoothed(binary_net()),
            {"sigma": [0.1, 0.2]},
            scoring=certified_accuracy_scorer(0.05),
            cv=2,
        ).fit(X, labels)
        assert search.best_score_ > 0.95
        inside = GridSearchCV(binary_net(), {"lr": [0.1, 0.5]}, cv=2)
        assert is_right(smoothed(inside).fit(X, labels), labels, 0.95)

    def test_three_labels(self):
        with pytest.raises(ValueError, match=r"has two classes, but y holds 3: \[0, 1"):
            smoothed(binary_net()).fit(X, y)

    @pytest.mark.parametrize("wrap", [lambda f: f, FrozenEstimator])
    def test_trained_elsewhere(self, wrap):
        """It is scored as it scores itself, which knows the labels 0 and 1 only."""
        f = binary_net().fit(X, setosa.astype(np.float32))
        g = smoothed(wrap(f))
        if isinstance(g.estimator, FrozenEstimator):
            with pytest.raises(ValueError, match="y holds .*2.*, which the frozen"):
                g.fit(X, setosa + 1)
            g.fit(X, setosa)
        assert g.score(X, setosa) == f.score(X, setosa) == 1
        assert g.score(X, setosa + 1) == f.score(X, setosa + 1)


class TestTrainedElsewhere:
    """By skorch, for which labels are numbers of outputs whatever `classes` are."""

    @pytest.mark.parametrize("frozen", [False, True])
    @pytest.mark.parametrize("step", [StandardScaler(), Normalizer()], ids=str)
    @pytest.mark.parametrize(
        ("n_outputs", "classes", "labels"),
        [
            (3, [2, 1, 0], y),
            (3, [1, 2, 0], y),
            (3, [1, 2, 3], np.clip(y, 1, 2)),
            (5, [2, 1, 0, 4, 3], y),
        ],
    )
    def test_what_an_output_stands_for_is_not_known(
        self, n_outputs, classes, labels, step, frozen
    ):
        f = make_pipeline(step, net(n_outputs, classes=classes)).fit(X, labels)
        message = r"not clear what its output . stands.*set_params.classes=list.range"
        g = smoothed(FrozenEstimator(f) if frozen else f)
        with pytest.raises(ValueError, match=message):
            g.fit(X, labels) if frozen else g.certify(X)

    @pytest.mark.parametrize("labels", [y, np.clip(y, 1, 2), 2 * y])
    def test_what_the_message_says(self, labels):
        """Both ways out of it; the first gives what the net itself scores."""
        f = net(5, classes=[4, 3, 2, 1, 0]).fit(X, labels)
        with pytest.raises(ValueError, match=r"classes=list.range.5.."):
            smoothed(f).predict(X)
        f.set_params(classes=list(range(5)))
        assert matches(smoothed(f).score(X, labels), f.score(X, labels))

    def test_outputs_without_a_label(self):
        f = net().fit(X, np.clip(y, 1, 2))
        for estimator in (f, make_pipeline(Normalizer().fit(X), f)):
            with pytest.raises(ValueError, match=r"labels \[1, 2\].*range.3.."):
                smoothed(estimator).predict(X)
        f.set_params(classes=[0, 1, 2])
        some = np.clip(y, 1, 2)
        assert matches(smoothed(f).score(X, some), f.score(X, some))

    def test_plain_labels(self):
        for classes in (None, [0, 1, 2]):
            f = net(classes=classes).fit(X, y)
            assert matches(smoothed(f).score(X, y), f.score(X, y))

    @pytest.mark.parametrize(
        "classes", [[10, 20, 30], [3, 5, 7], [-1, 1, 9], [1, 2, 3], [2, 3, 1]]
    )
    def test_numbers_that_can_only_be_names(self, classes):
        """Trained on 0, 1, 2, of which not all are labels, or not trained by skorch."""
        f = net(classes=classes).fit(X, y)
        loaded = net(classes=classes).initialize()
        loaded.module_.load_state_dict(f.module_.state_dict())
        labels = np.array(classes)[y]
        for g in (smoothed(f), smoothed(loaded)):
            assert is_right(g, labels, classes=classes)

    def test_names(self):
        f = net(classes=NAMES[[2, 0, 1]].tolist()).fit(X, y)
        assert is_right(smoothed(f), NAMES[[2, 0, 1]][y], classes=list(f.classes))

    def test_a_permutation_without_training(self):
        with pytest.raises(ValueError, match="not clear what its output 0 stands for"):
            smoothed(net(classes=[2, 1, 0]).initialize()).predict(X)


class TestInsideAnotherClassifier:
    @pytest.mark.parametrize(
        "wrap",
        [
            lambda f: CalibratedClassifierCV(f, cv=2),
            lambda f: VotingClassifier([("a", f), ("b", LogisticRegression())]),
            lambda f: BaggingClassifier(f, n_estimators=3, random_state=0),
            lambda f: GridSearchCV(f, {"lr": [0.05]}, cv=2),
            lambda f: make_pipeline(StandardScaler(), GridSearchCV(f, {}, cv=2)),
        ],
    )
    @pytest.mark.parametrize(
        ("labels", "given"),
        [(y, True), (5.0 * y, False), (NAMES[y], True)],
        ids=["permuted", "floats", "names"],
    )
    def test_any_labels(self, wrap, labels, given):
        classes = np.unique(labels)[[2, 0, 1]].tolist() if given else None
        g = smoothed(wrap(net(classes=classes))).fit(X, labels)
        assert is_right(g, labels)

    @pytest.mark.parametrize("labels", [setosa, setosa + 1, 2 * setosa - 1])
    @pytest.mark.parametrize(
        "wrap", [CalibratedClassifierCV, TunedThresholdClassifierCV]
    )
    def test_two_classes_and_one_output(self, wrap, labels):
        g = smoothed(wrap(binary_net(), cv=2)).fit(X, labels)
        assert is_right(g, labels, 0.95)

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda f: VotingClassifier([("a", f), ("b", LogisticRegression())]),
            lambda f: StackingClassifier([("a", make_pipeline(Normalizer(), f))]),
            lambda f: StackingClassifier([("a", LogisticRegression())], f),
            BaggingClassifier,
            OneVsRestClassifier,
            OneVsOneClassifier,
            OutputCodeClassifier,
            lambda f: make_pipeline(StandardScaler(), BaggingClassifier(f)),
            lambda f: GridSearchCV(BaggingClassifier(f), {"n_estimators": [2]}, cv=2),
        ],
    )
    def test_one_output_where_integers_reach_it(self, wrap):
        message = "passes its labels on as integers.*NeuralNetBinaryClassifier.*two"
        for labels in (setosa, setosa.astype(np.float32), setosa + 1):
            with pytest.raises(ValueError, match=message):
                smoothed(wrap(binary_net())).fit(X, labels)

    def test_one_output_and_a_loss_that_takes_integers(self):
        class Casts(type(binary_net())):
            def get_loss(self, y_pred, y_true, *args, **params):
                return super().get_loss(y_pred, y_true.float(), *args, **params)

        params = binary_net().get_params(deep=False)
        f = BaggingClassifier(Casts(**params), n_estimators=2, random_state=0)
        assert is_right(smoothed(f).fit(X, setosa + 1), setosa + 1, 0.95)

    def test_columns_of_zeros_and_ones(self):
        g = smoothed(OneVsRestClassifier(net(2))).fit(X, y + 4)
        assert is_right(g, y + 4, 0.75)

    def test_parameters_that_name_a_label(self):
        f = FixedThresholdClassifier(net(2), pos_label=2)
        with pytest.raises(ValueError, match="pos_label=2 names a label.*pass such"):
            smoothed(f).fit(X, setosa + 1)
        assert smoothed(f.set_params(pos_label=0)).fit(X, setosa).score(X, setosa) > 0.9

    @pytest.mark.parametrize("labels", [y, y + 1, NAMES[y]], ids=["0", "1", "names"])
    def test_one_with_its_own_predict_in_a_search(self, labels):
        """Asked through `predict`, which knows no labels but the numbers."""

        class Own(type(net())):
            def predict(self, X):
                return super().predict(X)

        f = Own(**net().get_params(deep=False))
        g = smoothed(GridSearchCV(f, {"lr": [0.05]}, cv=2)).fit(X, labels)
        assert is_right(g, labels, 0.7)

    @pytest.mark.parametrize("classes", [None, [2, 0, 1], [1, 2, 3, 0]])
    @pytest.mark.parametrize("shift", [0, 1])
    def test_a_search_trained_elsewhere(self, classes, shift):
        """It answers with the labels that it was trained on, whatever `classes`."""
        if classes == [2, 0, 1] and shift:
            return
        f = net(3 + shift, classes=classes)
        f = GridSearchCV(f, {"lr": [0.05]}, cv=2).fit(X, y + shift)
        g = smoothed(f)
        rows = X[::5]
        found = g.certify(rows).prediction
        seen = found != g.abstain_label_
        assert seen.mean() > 0.8
        np.testing.assert_array_equal(found[seen], f.predict(rows)[seen])

    def test_classes_that_do_not_hold_a_label(self):
        f = GridSearchCV(net(classes=[0, 1, 2]), {}, cv=2)
        with pytest.raises(ValueError, match=r"y holds 3, which is not one of"):
            smoothed(f).fit(X, y + 1)

    def test_frozen_nets_are_left_alone(self):
        inside = FrozenEstimator(net(classes=[0, 1, 2]).fit(X, y))
        f = VotingClassifier([("a", inside), ("b", LogisticRegression())])
        assert is_right(smoothed(f).fit(X, y), y)
        assert inside.estimator.classes == [0, 1, 2]
