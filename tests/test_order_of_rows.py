"""Where the inputs have names, values in another order are not taken by position."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB

pd = pytest.importorskip("pandas")

from sksmooth import (  # noqa: E402
    SmoothedClassifier,
    SmoothedRegressor,
    average_certified_radius_score,
    certified_accuracy_score,
    worst_case_absolute_error,
    worst_case_squared_error,
)
from sksmooth.logs import write_log  # noqa: E402

X, y = load_iris(return_X_y=True, as_frame=True)
SHUFFLED = X.sample(40, random_state=0)
LABELS = y.loc[SHUFFLED.index]


@pytest.fixture(scope="module")
def certificate():
    g = SmoothedClassifier(GaussianNB(), sigma=0.3, n=200, random_state=0)
    return g.fit(X, y).certify(SHUFFLED)


@pytest.fixture(scope="module")
def intervals():
    h = SmoothedRegressor(Ridge(), n=200, sigma=0.3, random_state=0).fit(X, y)
    return h.certify_interval(SHUFFLED, radius=0.1)


CLASSIFIED = {
    "accuracy": lambda y, c, path: certified_accuracy_score(y, c, radius=[0, 0.1]),
    "radius": lambda y, c, path: average_certified_radius_score(y, c),
    "bound": lambda y, c, path: c.certified_accuracy_lower_bound(y, radius=0.1),
    "statement": lambda y, c, path: c.statement(y, radius=0.1),
    "log": lambda y, c, path: write_log(c, y, path / "log.tsv"),
}


class TestOrder:
    @pytest.mark.parametrize("name", CLASSIFIED)
    def test_labels(self, name, certificate, tmp_path):
        ask = CLASSIFIED[name]
        expected = ask(LABELS.to_numpy(), certificate, tmp_path)
        same = ask(LABELS, certificate, tmp_path / ".")
        if name != "log":
            np.testing.assert_array_equal(same, expected)
        with pytest.raises(ValueError, match=r"loc\[certificate.index\]"):
            ask(LABELS.sort_index(), certificate, tmp_path)
        # Names that are no names of these inputs say nothing.
        ask(LABELS.reset_index(drop=True), certificate, tmp_path)

    @pytest.mark.parametrize(
        "score", [worst_case_absolute_error, worst_case_squared_error]
    )
    def test_targets(self, score, intervals):
        assert score(LABELS, intervals) == score(LABELS.to_numpy(), intervals)
        with pytest.raises(ValueError, match="in another order"):
            score(LABELS.sort_index(), intervals)

    def test_masks(self):
        """A counting index is one in another order where the inputs are shuffled."""
        g = SmoothedClassifier(GaussianNB(), n=200, random_state=0).fit(X, y)
        shuffled = X.sample(frac=1, random_state=0)
        c = g.certify(shuffled)
        with pytest.raises(IndexError, match="may be in another order"):
            c.select(y == 2)
        mask = (y == 2).reindex(c.index)
        assert len(c.select(mask).prediction) == 50
        assert len(c.select((y == 2).to_numpy()).prediction) == 50
        # Of other names: by position, as a list.
        c = g.certify(X[::2])
        counted = (y[::2] == 2).reset_index(drop=True)
        assert len(c.select(counted).prediction) == counted.sum()

    @pytest.mark.parametrize("dtype", ["boolean", "bool"])
    def test_nullable_masks(self, dtype, certificate):
        mask = (LABELS == 2).astype(dtype)
        chosen = certificate.select(mask)
        np.testing.assert_array_equal(
            chosen.radius, certificate.radius[(LABELS == 2).to_numpy()]
        )
        if dtype == "boolean":
            mask.iloc[0] = pd.NA
            with pytest.raises((TypeError, ValueError)):
                certificate.select(mask)


class TestSigma:
    """A Series of levels labelled by numbers, in a frame with columns named so."""

    def test_in_another_order(self):
        frame = X.set_axis([0, 1, 2, 3], axis=1)[[2, 0, 1, 3]]
        sigma = pd.Series([0.1, 0.2, 0.3, 0.4])
        g = SmoothedClassifier(GaussianNB(), sigma=sigma, n=100, random_state=0)
        with pytest.raises(ValueError, match="give it in their order"):
            g.fit(frame, y)
        g.set_params(sigma=sigma.reindex(frame.columns)).fit(frame, y)
        assert g.certify(frame[:2]).sigma.tolist() == [0.3, 0.1, 0.2, 0.4]

    def test_labels_that_say_nothing(self):
        sigma = pd.Series([0.1, 0.2, 0.3, 0.4])
        g = SmoothedClassifier(GaussianNB(), sigma=sigma, n=100, random_state=0)
        assert g.fit(X, y).certify(X[:2]).sigma.tolist() == [0.1, 0.2, 0.3, 0.4]
        frame = X.set_axis([0, 1, 2, 3], axis=1)
        assert g.fit(frame, y).certify(frame[:2]).sigma.tolist() == sigma.tolist()


class TestWeights:
    """What has the weight 0 plays no part, not even if it is infinite."""

    def test_radii(self):
        pair = ([0, 1], [0.1, np.inf])
        got = average_certified_radius_score([0, 1], pair, sample_weight=[1, 0])
        assert got == 0.1
        assert average_certified_radius_score([0, 1], pair) == np.inf

    def test_errors(self):
        ends = [1.0, -np.inf], [1.0, 1.0], [2.0, np.inf]
        for score in (worst_case_absolute_error, worst_case_squared_error):
            assert score([1.0, 1.0], ends, sample_weight=[1, 0]) == 1.0
            assert score([1.0, 1.0], ends) == np.inf


@pytest.mark.parametrize("shape", [(2, 3), (1, 6), (3, 2), (6, 1, 1)])
def test_targets_of_another_shape(shape):
    target = np.arange(6.0)
    ends = target, target, target + 1
    assert worst_case_absolute_error(target[:, None], ends) == 1
    with pytest.raises(ValueError, match="shape|inconsistent|dim"):
        worst_case_absolute_error(target.reshape(shape), ends)


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_copies_are_read_only(twin, certificate, intervals):
    assert not twin(certificate).radius.flags.writeable
    assert not twin(intervals).lower.flags.writeable


class TestAbstainLabels:
    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, float])
    @pytest.mark.parametrize("label", [0.5, -0.5, np.inf, -7])
    def test_stays_what_it_is(self, dtype, label):
        g = SmoothedClassifier(
            LogisticRegression(),
            sigma=1.0,
            n=50,
            method="monte_carlo",
            abstain_label=label,
            random_state=0,
        ).fit(X, (y == 1).astype(dtype))
        c = g.certify(X[::10])
        assert 0 < np.sum(~c.certified)
        assert (c.prediction[~c.certified] == label).all()
        assert (c.prediction[c.certified] != label).all()

    def test_labels_in_bytes(self):
        names = np.array(["a", "b", "c"])
        g = SmoothedClassifier(GaussianNB(), n=200, random_state=0).fit(X, names[y])
        in_bytes, c = names[y].astype("S"), g.certify(X)
        for ask in (
            lambda: certified_accuracy_score(in_bytes, c),
            lambda: c.certified_accuracy_lower_bound(in_bytes),
            lambda: g.certified_correct(X, in_bytes, 0.1),
        ):
            with pytest.raises(ValueError, match=r"np.asarray\(.*\).astype\(str\)"):
                ask()


def test_the_joint_bound_needs_no_votes_for_the_class():
    g = SmoothedClassifier(GaussianNB(), n=500, random_state=0).fit(X, y)
    c = g.certify(X[::3])
    assert "n0 = 100 votes selected the class" in c.statement()
    again = c.recertify(bound="joint").statement()
    assert "No votes of their own selected the class" in again


def test_intervals_say_that_categories_may_change():
    frame = X.assign(kind=pd.Categorical(np.where(y > 1, "b", "a")))
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    steps = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough"
    )
    h = SmoothedRegressor(
        make_pipeline(steps, Ridge()),
        sigma=0.5,
        n=500,
        categorical_features=["kind"],
        random_state=0,
    ).fit(frame, y)
    assert "changed" not in repr(h.certify_interval(frame[:3], 0.1))
    assert "1 changed" in repr(h.certify_interval(frame[:3], 0.1, changes=1))
