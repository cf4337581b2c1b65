import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import skops.io
from scipy import stats
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from sksmooth import (
    Certificate,
    GaussianAugmenter,
    SmoothedClassifier,
    certified_accuracy_scorer,
)
from sksmooth.stats import lower_confidence_bound, rank_verification_pvalue
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)


def smoothed(estimator, **params):
    return SmoothedClassifier(
        estimator, **{"method": "monte_carlo", "n": 500, "random_state": 0, **params}
    )


class TestAnswers:
    """What predict, predict_proba and certify return, from the votes."""

    g = smoothed(GaussianNB(), sigma=0.6, n=400, stopping="fixed").fit(X, y)

    def test_predict(self):
        shares = self.g.predict_proba(X)
        assert shares.shape == (150, 3)
        counts = np.rint(400 * shares).astype(int)
        np.testing.assert_array_equal(counts / 400, shares)
        np.testing.assert_array_equal(counts.sum(axis=1), 400)
        ordered = np.sort(counts, axis=1)
        p_values = rank_verification_pvalue(ordered[:, -1], ordered[:, -2])
        expected = np.where(p_values <= 0.001, counts.argmax(axis=1), -1)
        np.testing.assert_array_equal(self.g.predict(X), expected)
        assert 0 < np.mean(expected == -1) < 1

    def test_certify(self):
        certificate = self.g.certify(X)
        assert isinstance(certificate, Certificate)
        prediction, radius = certificate
        counts, selected = certificate.counts, certificate.selected
        assert np.all(counts.sum(axis=1) == 400)
        # estimation votes are fresh: not those of predict
        assert not np.array_equal(counts / 400, self.g.predict_proba(X))
        p_lower = lower_confidence_bound(counts[np.arange(150), selected], 400, 0.001)
        np.testing.assert_array_equal(certificate.p_lower, p_lower)
        certified = p_lower > 0.5
        assert 0 < certified.mean() < 1
        np.testing.assert_allclose(
            radius, np.where(certified, 0.6 * stats.norm.ppf(p_lower), 0), rtol=1e-12
        )
        np.testing.assert_array_equal(prediction, np.where(certified, selected, -1))
        np.testing.assert_array_equal(certificate.certified, certified)

    def test_selection_uses_its_own_votes(self):
        """With one selection vote the selected class is often not the top class."""
        g = smoothed(GaussianNB(), sigma=2.0, n=400, n0=1).fit(X, y)
        certificate = g.certify(X)
        assert np.any(certificate.selected != certificate.counts.argmax(axis=1))

    def test_score_counts_an_abstention_as_wrong(self):
        prediction = self.g.predict(X)
        assert self.g.score(X, y) == np.mean(prediction == y)
        assert self.g.score(X, y) < np.mean(
            prediction[prediction != -1] == y[prediction != -1]
        )

    def test_never_abstaining(self):
        g = clone(self.g).set_params(abstain_label=None).fit(X, y)
        assert g.abstain_label_ is None
        shares = g.predict_proba(X)
        np.testing.assert_array_equal(g.predict(X), shares.argmax(axis=1))
        certificate = g.certify(X)
        np.testing.assert_array_equal(certificate.prediction, certificate.selected)
        assert np.any(certificate.radius == 0)

    def test_a_lower_bound_of_one_half_abstains(self):
        """alpha = 1/2 and one vote: p_lower is 1/2 to the last bit, or just below."""
        g = smoothed(Fixed(lambda X: np.zeros(len(X), int)), n=1, alpha=0.5)
        with pytest.warns(UserWarning, match="n is too small for alpha"):
            prediction, radius = g.certify(X)
        assert np.all(prediction == -1)
        assert np.all(radius == 0)

    def test_repeated_calls_agree_and_change_nothing(self):
        before = pickle.dumps(self.g)
        first = self.g.certify(X)
        second = self.g.certify(X)
        np.testing.assert_array_equal(first.counts, second.counts)
        self.g.predict(X)
        self.g.certified_correct(X, y, 0.1)
        assert pickle.dumps(self.g) == before

    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize("batch_size", [33, "auto"])
    def test_same_certificates_however_they_are_computed(self, n_jobs, batch_size):
        expected = self.g.certify(X)
        g = clone(self.g).set_params(n_jobs=n_jobs, batch_size=batch_size).fit(X, y)
        order = np.random.default_rng(0).permutation(150)[:40]
        certificate = g.certify(X[order])
        np.testing.assert_array_equal(certificate.counts, expected.counts[order])
        np.testing.assert_array_equal(certificate.radius, expected.radius[order])
        np.testing.assert_array_equal(g.predict(X[order]), self.g.predict(X)[order])

    def test_random_state(self):
        again = clone(self.g).fit(X, y)
        assert again.entropy_ == self.g.entropy_ < 2**128
        other = clone(self.g).set_params(random_state=1).fit(X, y)
        assert other.entropy_ != self.g.entropy_
        fresh = clone(self.g).set_params(random_state=None)
        assert fresh.fit(X, y).entropy_ != fresh.fit(X, y).entropy_
        generator = np.random.RandomState(5)
        drawn = clone(self.g).set_params(random_state=generator)
        assert drawn.fit(X, y).entropy_ != drawn.fit(X, y).entropy_


class TestFittedBase:
    """Wraps any fitted classifier, without fit."""

    f = LogisticRegression(max_iter=5000).fit(X, y)

    def test_works_at_once(self):
        g = smoothed(self.f, sigma=0.1)
        check_is_fitted(g)
        assert g.score(X, y) > 0.9
        assert g.certify(X).certified.mean() > 0.9
        assert g.n_features_in_ == 4
        assert g.abstain_label_ == -1
        np.testing.assert_array_equal(g.classes_, [0, 1, 2])
        assert not hasattr(g, "estimator_")
        assert not hasattr(g, "feature_names_in_")
        np.testing.assert_array_equal(g.predict(X), g.predict(X))

    def test_shape_is_checked_against_the_base(self):
        with pytest.raises(ValueError, match="X has 3 features, but SmoothedClass"):
            smoothed(self.f).predict(X[:, :3])

    def test_base_without_n_features(self):
        base = Fixed(lambda X: np.zeros(len(X), int))
        g = smoothed(base)
        assert np.all(g.predict(X) == 0)
        with pytest.raises(AttributeError):
            g.n_features_in_  # noqa: B018

    def test_unfitted(self):
        for name in ("predict", "certify", "predict_proba"):
            with pytest.raises(NotFittedError):
                getattr(smoothed(LogisticRegression()), name)(X)
        assert not hasattr(smoothed(LogisticRegression()), "classes_")
        assert not hasattr(smoothed(LogisticRegression()), "abstain_label_")

    def test_frozen_base_is_not_trained(self):
        before = self.f.coef_.copy()
        g = smoothed(FrozenEstimator(self.f), sigma=0.1).fit(X[:120], 2 - y[:120])
        np.testing.assert_array_equal(g.estimator_.coef_, before)
        np.testing.assert_array_equal(
            g.predict_proba(X),
            smoothed(self.f, sigma=0.1).predict_proba(X),
        )

    def test_fit_trains_a_clone(self):
        f = LogisticRegression(max_iter=5000)
        g = smoothed(f).fit(X, y)
        assert not hasattr(f, "coef_")
        assert g.estimator_ is not f

    def test_refit_on_arrays_after_a_base_fitted_on_a_frame(self):
        base = GaussianNB().fit(pd.DataFrame(X, columns=list("abcd")), y)
        g = smoothed(base)
        np.testing.assert_array_equal(g.feature_names_in_, list("abcd"))
        g.fit(X, y)
        assert not hasattr(g, "feature_names_in_")


class Recorder(LogisticRegression):
    """Remembers what fit was given."""

    def fit(self, X, y, sample_weight=None, groups=None, note=None):
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        self.groups_, self.note_ = groups, note
        return super().fit(X, y, sample_weight)


class TestFit:
    def test_noisy_copies(self):
        g = smoothed(Recorder(max_iter=5000), sigma=0.3, n_copies=4).fit(X, y)
        noise = g.estimator_.X_ - np.tile(X, (4, 1))
        np.testing.assert_array_equal(g.estimator_.y_, np.tile(y, 4))
        unique = np.unique(noise[:, 0])
        assert stats.kstest(unique / 0.3, "norm").pvalue > 1e-3

    def test_no_copies_trains_on_clean_data(self):
        g = smoothed(Recorder(max_iter=5000), n_copies=0).fit(X, y)
        np.testing.assert_array_equal(g.estimator_.X_, X)

    def test_weights_follow_the_copies(self):
        weight = np.arange(150.0) + 1
        g = smoothed(Recorder(max_iter=5000), n_copies=2)
        g.fit(X, y, sample_weight=weight, groups=list(y), note="kept")
        np.testing.assert_array_equal(g.estimator_.sample_weight_, np.tile(weight, 2))
        np.testing.assert_array_equal(g.estimator_.groups_, np.tile(y, 2))
        assert g.estimator_.note_ == "kept"

    def test_weights_of_the_wrong_length(self):
        g = smoothed(Recorder(max_iter=5000), n_copies=2)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            g.fit(X, y, sample_weight=np.ones(300))

    def test_weights_for_a_pipeline(self):
        pipeline = make_pipeline(StandardScaler(), Recorder())
        g = smoothed(pipeline)
        with pytest.raises(ValueError, match="takes no sample_weight.*name it"):
            g.fit(X, y, sample_weight=np.ones(150))
        weight = np.arange(150.0) + 1
        g.fit(X, y, recorder__sample_weight=weight)
        np.testing.assert_array_equal(g.estimator_[-1].sample_weight_, weight)

    def test_metadata_routing(self):
        weight, groups = np.arange(150.0) + 1, y.copy()
        with sklearn.config_context(enable_metadata_routing=True):
            base = Recorder().set_fit_request(sample_weight=True, groups=True)
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            g = smoothed(make_pipeline(scaler, base), n_copies=2)
            g.fit(X, y, sample_weight=weight, groups=groups)
            recorder = g.estimator_[-1]
            np.testing.assert_array_equal(recorder.sample_weight_, np.tile(weight, 2))
            np.testing.assert_array_equal(recorder.groups_, np.tile(groups, 2))
            with pytest.raises(ValueError, match="note"):
                g.fit(X, y, note="not requested")
            g = smoothed(Recorder().set_fit_request(sample_weight=False))
            with pytest.raises(TypeError, match="not routed to any object"):
                g.fit(X, y, sample_weight=weight)

    def test_noise_param(self):
        base = make_pipeline(GaussianAugmenter(random_state=0), Recorder(max_iter=5000))
        g = smoothed(
            base, sigma=0.7, noise_param="gaussianaugmenter__sigma", n_copies=3
        )
        g.fit(X, y)
        assert g.estimator_[0].sigma == 0.7
        assert base[0].sigma == 0.25
        assert g.estimator_[-1].X_.shape == X.shape
        assert 0.6 < np.std(g.estimator_[-1].X_ - X) < 0.8

    def test_noise_param_that_does_not_exist(self):
        with pytest.raises(ValueError, match="Invalid parameter 'sigma'"):
            smoothed(GaussianNB(), noise_param="sigma").fit(X, y)

    def test_noise_param_of_a_frozen_base(self):
        g = smoothed(FrozenEstimator(GaussianNB().fit(X, y)), noise_param="sigma")
        with pytest.raises(ValueError, match="FrozenEstimator is not trained"):
            g.fit(X, y)

    def test_a_failing_fit_changes_nothing(self):
        g = smoothed(GaussianNB()).fit(X, y)
        before = pickle.dumps(g)
        with pytest.raises(ValueError, match="NaN"):
            g.fit(np.full((10, 2), np.nan), y[:10])
        with pytest.raises(ValueError, match="at least two classes"):
            g.fit(X[:, :2], np.zeros(150))
        assert pickle.dumps(g) == before

    def test_fit_does_not_change_the_users_array(self):
        mine = X.copy()
        base = make_pipeline(StandardScaler(copy=False), GaussianNB())
        smoothed(base, n_copies=0).fit(mine, y)
        np.testing.assert_array_equal(mine, X)

    def test_frozen_base_that_does_not_fit_the_data(self):
        with pytest.raises(NotFittedError):
            smoothed(FrozenEstimator(GaussianNB())).fit(X, y)
        frozen = FrozenEstimator(GaussianNB().fit(X[:, :3], y))
        with pytest.raises(RuntimeError, match="X has 4 features"):
            smoothed(frozen).fit(X, y)
        frozen = FrozenEstimator(GaussianNB().fit(X, y))
        with pytest.raises(ValueError, match=r"y holds .*3.*, which the frozen"):
            smoothed(frozen).fit(X, y + 1)

    def test_sample_weight_is_like_repetition(self):
        repeats = np.array([1, 2, 3] * 50)
        a = smoothed(LogisticRegression(tol=1e-10, max_iter=5000))
        b = clone(a)
        a.fit(X, y, sample_weight=repeats)
        b.fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
        np.testing.assert_allclose(a.estimator_.coef_, b.estimator_.coef_, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "label", "kind"),
    [
        ([0, 1, 2], -1, "i"),
        ([-5, 0, 7], -6, "i"),
        (np.array([1, 2, 3], np.uint8), -1, "i"),
        ([0.0, 1.0, 2.0], -1, "f"),
        ([-2.0, 1.0, 3.0], -3, "f"),
        (["a", "b", "c"], "abstain", "U"),
        (np.array(["a", "b", "c"], object), "abstain", "OU"),
    ],
)
def test_abstain_label(classes, label, kind):
    classes = np.asarray(classes)
    g = smoothed(GaussianNB(), sigma=1.0, n=100).fit(X, classes[y])
    prediction = g.predict(X)
    assert g.abstain_label_ == label
    assert prediction.dtype.kind in kind
    assert set(prediction.tolist()) == {*classes.tolist(), label}
    assert g.score(X, classes[y]) == np.mean(prediction == classes[y])
    assert g.certify(X).prediction.dtype.kind in kind


def test_abstain_label_of_boolean_classes():
    g = smoothed(GaussianNB(), sigma=0.6, n=100).fit(X, y == 1)
    prediction = g.predict(X)
    assert prediction.dtype == np.int64
    assert set(prediction) == {-1, 0, 1}
    assert g.score(X, y == 1) == np.mean(prediction == (y == 1))


@pytest.mark.parametrize(
    ("labels", "abstain_label", "message"),
    [
        (y, 1, "must differ from every class"),
        (y, "unknown", "not of the kind of the classes"),
        (y, np.nan, "must differ from every class"),
        (np.array(["a", "abstain", "b"])[y], "auto", "must differ from every class"),
        (np.array(["a", "b", "c"])[y], -1, "not of the kind of the classes"),
        (y == 1, 1, "must differ from every class"),
    ],
)
def test_bad_abstain_label(labels, abstain_label, message):
    with pytest.raises(ValueError, match=message):
        smoothed(GaussianNB(), abstain_label=abstain_label).fit(X, labels)
    fitted = GaussianNB().fit(X, labels)
    with pytest.raises(ValueError, match=message):
        smoothed(fitted, abstain_label=abstain_label).predict(X)


def test_own_abstain_label():
    g = smoothed(GaussianNB(), sigma=1.0, n=50, abstain_label=99).fit(X, y)
    assert set(g.predict(X)) == {0, 1, 2, 99}


class TestContainers:
    @pytest.mark.parametrize("library", [pd, pl])
    def test_frames(self, library):
        names = ["a", "b", "c", "d"]
        frame = library.DataFrame(dict(zip(names, X.T, strict=True)))
        g = smoothed(RandomForestClassifier(10, random_state=0), n=50).fit(frame, y)
        np.testing.assert_array_equal(g.feature_names_in_, names)
        np.testing.assert_array_equal(g.estimator_.feature_names_in_, names)
        from_array = smoothed(RandomForestClassifier(10, random_state=0), n=50)
        np.testing.assert_array_equal(
            g.predict_proba(frame), from_array.fit(X, y).predict_proba(X)
        )
        wrong = frame[["b", "a", "c", "d"]]
        with pytest.raises(ValueError, match="feature names should match"):
            g.predict(wrong)

    @pytest.mark.parametrize(
        "library",
        [
            pd,
            pytest.param(
                pl,
                marks=pytest.mark.skipif(
                    sklearn.__version__.startswith("1.6."),
                    reason="ColumnTransformer of scikit-learn 1.6 passes no column of "
                    "a polars frame through: it asks the frame for its size",
                ),
            ),
        ],
    )
    def test_columns_by_name(self, library):
        """A ColumnTransformer that selects by name, with columns out of reach."""
        columns = {f"x{j}": X[:, j] for j in range(4)}
        columns["colour"] = np.array(["red", "blue", "green"])[y]
        columns["count"] = np.arange(150)
        frame = library.DataFrame(columns)
        transform = make_column_transformer(
            (StandardScaler(), ["x0", "x1", "x2", "x3"]),
            (OneHotEncoder(), ["colour"]),
            ("passthrough", ["count"]),
        )
        base = make_pipeline(transform, DecisionTreeClassifier(random_state=0))
        sigma = [0.3, 0.3, 0.3, 0.3, 0, 0]
        g = smoothed(base, sigma=sigma, n=50).fit(frame, y)
        certificate = g.certify(frame[:20])
        assert certificate.half_axes.shape == (20, 6)
        assert np.all(certificate.half_axes[:, 4:] == 0)
        assert np.all(certificate.prediction == y[:20])
        with pytest.raises(ValueError, match=r"'colour' \(String\), 'count' \(Int64\)"):
            g.set_params(sigma=0.3).certify(frame)

    def test_frame_of_integers_is_like_an_integer_array(self):
        counts = np.rint(10 * X).astype(int)
        frame = pd.DataFrame(counts, columns=list("abcd"))
        g = smoothed(GaussianNB(), sigma=2.0).fit(frame, y)
        h = smoothed(GaussianNB(), sigma=2.0).fit(counts, y)
        np.testing.assert_array_equal(g.predict_proba(frame), h.predict_proba(counts))

    @pytest.mark.parametrize("prefit", [True, False])
    @pytest.mark.filterwarnings("always:X has feature names")
    def test_frame_for_a_base_fitted_on_an_array(self, prefit):
        base = GaussianNB()
        g = smoothed(base.fit(X, y)) if prefit else smoothed(base).fit(X, y)
        frame = pd.DataFrame(X, columns=list("abcd"))
        with pytest.warns(UserWarning, match="X has feature names, but"):
            shares = g.predict_proba(frame)
        np.testing.assert_array_equal(shares, g.predict_proba(X))

    def test_frames_with_numbers_for_names_reach_the_base(self):
        frame = pd.DataFrame(X)
        first = FunctionTransformer(lambda frame: frame.iloc[:, :2])
        g = smoothed(make_pipeline(first, GaussianNB())).fit(frame, y)
        assert g.predict(frame).shape == (150,)

    def test_prefit_base_that_tells_nothing_about_its_columns(self):
        frame = pd.DataFrame(X, columns=list("abcd"))
        select = make_column_transformer((StandardScaler(), ["a", "b"]))
        base = make_pipeline("passthrough", select, GaussianNB()).fit(frame, y)
        assert smoothed(base).predict(frame).shape == (150,)
        base = make_pipeline("passthrough", LogisticRegression(max_iter=5000))
        base.fit(frame, y)
        with pytest.raises(RuntimeError, match="feature names should match"):
            smoothed(base).predict(frame[list("dcba")])

    def test_array_for_a_base_fitted_on_a_frame_warns_once(self):
        g = smoothed(GaussianNB(), batch_size=100)
        g.fit(pd.DataFrame(X, columns=list("abcd")), y)
        with pytest.warns(UserWarning, match="not have valid feature names") as record:
            g.predict(X)
        assert len(record) == 1

    def test_images(self):
        images = np.random.default_rng(0).normal(size=(60, 3, 4, 5))
        images[:30] += 0.5
        labels = np.repeat([0, 1], 30)
        base = make_pipeline(
            FunctionTransformer(lambda a: a.reshape(len(a), -1)), GaussianNB()
        )
        g = smoothed(base).fit(images, labels)
        assert g.input_shape_ == (3, 4, 5)
        assert g.certify(images).certified.mean() > 0.5
        with pytest.raises(ValueError, match=r"shape \(3, 5, 4\).*shape \(3, 4, 5\)"):
            g.predict(images.transpose(0, 1, 3, 2))
        g = smoothed(base, sigma=np.array([0.0, 1.0, 0.5]).reshape(3, 1, 1))
        certificate = g.fit(images, labels).certify(images)
        assert certificate.half_axes.shape == (60, 3, 4, 5)
        np.testing.assert_allclose(
            certificate.half_axes[:, 2, 0, 0], 0.5 * certificate.radius
        )

    def test_float32_reaches_the_base(self):
        seen = []

        def label(batch):
            seen.append(batch.dtype)
            return np.zeros(len(batch), int)

        for dtype, expected in [("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("?", "f8")]:
            smoothed(Fixed(label)).predict(X.astype(dtype))
            assert set(seen) == {np.dtype(expected)}
            seen.clear()

    def test_torch_tensors_are_converted(self):
        torch = pytest.importorskip("torch")
        g = smoothed(GaussianNB()).fit(torch.from_numpy(X), torch.from_numpy(y))
        expected = g.predict_proba(X)
        tensor = torch.from_numpy(X).requires_grad_()
        np.testing.assert_array_equal(g.predict_proba(tensor), expected)
        half = tensor.to(torch.bfloat16)
        np.testing.assert_array_equal(
            g.predict_proba(half), g.predict_proba(half.detach().float().numpy())
        )


class TestScikitLearn:
    def test_nested_parameters_and_clone(self):
        g = smoothed(make_pipeline(StandardScaler(), LogisticRegression(C=3)))
        assert g.get_params()["estimator__logisticregression__C"] == 3
        g.set_params(estimator__logisticregression__C=5, sigma=2.0)
        copy = clone(g)
        assert copy.sigma == 2.0
        assert copy.estimator[-1].C == 5
        assert copy.estimator is not g.estimator

    def test_clone_with_an_array_of_sigmas(self):
        sigma = np.array([0.1, 0.2, 0.0, 0.4])
        g = clone(smoothed(GaussianNB(), sigma=sigma))
        np.testing.assert_array_equal(g.sigma, sigma)
        g.fit(X, y)

    @pytest.mark.parametrize("frozen", [False, True])
    def test_round_trips(self, frozen):
        f = make_pipeline(StandardScaler(), GaussianNB())
        g = smoothed(FrozenEstimator(f.fit(X, y)) if frozen else f).fit(X, y)
        expected = g.certify(X)
        for copy in (pickle.loads(pickle.dumps(g)), skops_round_trip(g)):
            certificate = copy.certify(X)
            np.testing.assert_array_equal(certificate.counts, expected.counts)
            np.testing.assert_array_equal(certificate.prediction, expected.prediction)
            assert copy.entropy_ == g.entropy_
            assert copy.input_shape_ == (4,)

    def test_html_repr_shows_the_base(self):
        html = smoothed(GaussianNB()).fit(X, y)._repr_html_()
        assert "SmoothedClassifier" in html
        assert "GaussianNB" in html

    def test_grid_search_over_sigma_and_the_base(self):
        g = smoothed(make_pipeline(StandardScaler(), LogisticRegression()), n=1000)
        search = GridSearchCV(
            g,
            {"sigma": [0.2, 0.5, 5.0], "estimator__logisticregression__C": [0.1, 10]},
            scoring=certified_accuracy_scorer(0.4),
            cv=3,
        ).fit(X, y)
        assert search.best_params_["sigma"] == 0.5
        assert search.best_estimator_.certify(X).certified.mean() > 0.7

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_cross_validation(self, n_jobs):
        scores = cross_val_score(smoothed(GaussianNB()), X, y, cv=3, n_jobs=n_jobs)
        assert scores.min() > 0.8

    def test_as_last_step_the_radius_is_in_transformed_units(self):
        raw = X * 1000
        inner = make_pipeline(StandardScaler(), smoothed(GaussianNB(), sigma=0.5))
        _, radius = inner.fit(raw, y)[-1].certify(inner[0].transform(raw))
        assert radius.max() < 3
        outer = smoothed(make_pipeline(StandardScaler(), GaussianNB()), sigma=500)
        _, radius = outer.fit(raw, y).certify(raw)
        assert radius.max() > 100


def skops_round_trip(g):
    data = skops.io.dumps(g)
    return skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))


def test_probability_of_abstaining_on_all_votes_equal():
    """The smallest n at which n equal votes are an answer: 2 * 2^-n <= alpha."""
    base = Fixed(lambda X: np.ones(len(X), int))
    for n in range(1, 15):
        g = smoothed(base, n=n, alpha=0.001, stopping="fixed")
        if Fraction(2, 2**n) <= Fraction(1, 1000):
            assert g.predict(X[:1])[0] == 1
        else:
            with pytest.warns(UserWarning, match="n is too small for alpha"):
                assert g.predict(X[:1])[0] == -1
