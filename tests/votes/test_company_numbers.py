"""Steps that look at the batch, but seldom change a label: their numbers tell."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats.mstats import winsorize
from sklearn import decomposition, preprocessing
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, FeatureAgglomeration, KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    RandomForestClassifier,
    RandomTreesEmbedding,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import AdditiveChi2Sampler, Nystroem, RBFSampler
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.manifold import Isomap
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    NeighborhoodComponentsAnalysis,
)
from sklearn.neural_network import BernoulliRBM, MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sksmooth import SmoothedClassifier, SmoothedRegressor
from sksmooth.noise import DeleteTokens
from sksmooth.votes._company import depends_on_company
from sksmooth.votes._company_answers import scores_of, transform_of
from sksmooth.votes._company_batches import calm_batches, some_rows, two_batches
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._recognise import recognise
from sksmooth.votes._rows import Inputs
from sksmooth.votes._texts import Texts
from sksmooth.votes._values import Valuing
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=list("abcd"))


def depends_on(f, inputs):
    recognised = recognise(f, f.classes_, inputs.take(slice(16)))
    return depends_on_company(recognised, f.classes_, inputs)


def depends(f, X=X, sigma=0.25):
    return depends_on(f, Inputs.from_array(np.asarray(X, float), sigma))


def value_depends(f, X=X, sigma=0.25):
    inputs = Inputs.from_array(X, sigma)
    recognised = Valuing(f, inputs, entropy=0).recognised
    return depends_on_company(recognised, None, inputs)


def far_to_mean(X):
    mean, spread = X.mean(axis=0), X.std(axis=0)
    return np.where(np.abs(X - mean) > 3 * spread, mean, X)


def far_to_median(X):
    low, middle, high = np.percentile(X, [25, 50, 75], axis=0)
    far = (X > high + 3 * (high - low)) | (X < low - 3 * (high - low))
    return np.where(far, middle, X)


STEPS = {
    "clip at percentiles": lambda X: np.clip(X, *np.percentile(X, [1, 99], axis=0)),
    "clip the highest": lambda X: np.minimum(X, np.percentile(X, 99, axis=0)),
    "clip the lowest": lambda X: np.maximum(X, np.percentile(X, 1, axis=0)),
    "far from the mean": far_to_mean,
    "outside the quartiles": far_to_median,
    "winsorize": lambda X: np.asarray(winsorize(X.copy(), (0.02, 0.02), axis=0)),
    "a little of the mean": lambda X: X + 0.003 * X.mean(axis=0),
    "by how many there are": lambda X: X * (1 + 0.001 * len(X)),
}
LAST = [
    LogisticRegression(max_iter=500),
    KNeighborsClassifier(),
    DecisionTreeClassifier(max_depth=2, random_state=0),
]
CLIP = FunctionTransformer(STEPS["clip at percentiles"])
LINEAR = LogisticRegression(max_iter=500)


class Clipping(ClassifierMixin, BaseEstimator):
    """Clips a batch by what is in it, inside."""

    def __init__(self, with_scores="predict_proba"):
        self.with_scores = with_scores

    def fit(self, X, y):
        self.model_ = LogisticRegression(max_iter=500).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(far_to_mean(X))

    def __getattr__(self, name):
        if name.startswith("_") or name != self.with_scores:
            raise AttributeError(name)
        return lambda X: getattr(self.model_, name)(far_to_mean(X))


class ClippingRegressor(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.model_ = LinearRegression().fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(far_to_mean(X))


class TestFaults:
    @pytest.mark.parametrize("last", LAST, ids=lambda f: type(f).__name__)
    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize("n_inputs", [1, 150])
    def test_step(self, step, last, n_inputs):
        step = FunctionTransformer(STEPS[step])
        f = make_pipeline(StandardScaler(), step, last).fit(X, y)
        assert depends(f, X[75 : 75 + n_inputs])

    @pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0, 10.0])
    @pytest.mark.parametrize("step", list(STEPS)[:6])
    def test_other_noise_on_one_feature(self, step, sigma):
        f = make_pipeline(FunctionTransformer(STEPS[step]), LAST[2]).fit(X[:, 2:3], y)
        assert depends(f, X[:, 2:3], sigma)

    WHERE = {
        "some columns": ColumnTransformer([("clip", CLIP, [2, 3])]),
        "beside others": make_union(StandardScaler(), CLIP),
        "further in": make_pipeline("passthrough", make_pipeline(CLIP)),
        "before a sparse step": make_pipeline(
            CLIP, FunctionTransformer(csr_array, accept_sparse=True)
        ),
    }

    @pytest.mark.parametrize("where", WHERE)
    def test_where_the_step_stands(self, where):
        assert depends(make_pipeline(self.WHERE[where], LAST[2]).fit(X, y))

    INSIDE = {
        "search": GridSearchCV(make_pipeline(CLIP, LINEAR), {}, cv=2),
        "calibrated": CalibratedClassifierCV(make_pipeline(CLIP, LINEAR), cv=2),
        "one against all": OneVsRestClassifier(make_pipeline(CLIP, LINEAR)),
        "stack": StackingClassifier([("f", make_pipeline(CLIP, LINEAR))]),
        "vote": VotingClassifier(
            [("f", make_pipeline(CLIP, LINEAR)), ("g", LAST[1])], voting="soft"
        ),
        "predict_proba": Clipping(),
        "decision_function": Clipping("decision_function"),
        "in a pipeline": make_pipeline(StandardScaler(), Clipping()),
    }

    @pytest.mark.parametrize("inside", INSIDE)
    def test_inside_the_classifier(self, inside):
        assert depends(self.INSIDE[inside].fit(X, y))

    def test_imbalanced_pipeline(self):
        imblearn = pytest.importorskip("imblearn")
        sampler = imblearn.over_sampling.RandomOverSampler(random_state=0)
        f = imblearn.pipeline.make_pipeline(sampler, CLIP, LAST[2]).fit(X, y)
        assert depends(f)
        f = imblearn.pipeline.make_pipeline(sampler, StandardScaler(), LAST[1])
        assert not depends(f.fit(X, y))

    @pytest.mark.parametrize("columns", ["numbers", "words"])
    def test_frames(self, columns):
        frame = FRAME if columns == "numbers" else FRAME.assign(e="word")

        def clipped(frame):
            low, high = frame["c"].quantile([0.01, 0.99])
            return frame.assign(c=frame["c"].clip(low, high))

        for function in (clipped, lambda frame: frame.assign(c=frame["c"].abs())):
            f = make_pipeline(
                FunctionTransformer(function),
                FunctionTransformer(lambda frame: frame[list("abcd")]),
                LAST[2],
            ).fit(frame, y)
            assert depends_on(
                f, FrameInputs.from_frame(frame, dict.fromkeys("abcd", 0.25) | {"*": 0})
            ) == (function is clipped)

    @pytest.mark.parametrize("last", [LinearRegression(), DecisionTreeRegressor()])
    def test_regressors(self, last):
        target = X[:, 0]
        assert value_depends(make_pipeline(CLIP, last).fit(X, target))
        assert value_depends(ClippingRegressor().fit(X, target))

    def test_target_of_a_regressor(self):
        f = make_pipeline(FunctionTransformer(far_to_mean), LinearRegression())
        f = TransformedTargetRegressor(f, func=np.log, inverse_func=np.exp)
        assert value_depends(f.fit(X, X[:, 0]))

    def test_words_that_a_step_returns(self):
        """They are no numbers, but other words all the same."""

        def words(X):
            far = np.abs(X - X.mean(axis=0)) > 3 * X.std(axis=0)
            return np.where(far, "far", "near").astype(object)

        def same(X):
            return np.where(X > 5, "far", "near").astype(object)

        def lists(X):  # of tokens
            return [row.tolist() for row in same(X)]

        last = Fixed(lambda W: np.array([row[0] == "far" for row in W]).astype(int))
        for function in (words, same, lists):
            f = make_pipeline(FunctionTransformer(function), last)
            assert depends(f) == (function is words)

    def test_what_is_done(self):
        f = make_pipeline(CLIP, LAST[2]).fit(X, y)
        g = SmoothedClassifier(f, sigma=0.25, n=200, random_state=0)
        with pytest.raises(ValueError, match="no certificate holds here"):
            g.certify(X)
        r = SmoothedRegressor(make_pipeline(CLIP, Ridge()).fit(X, y), sigma=0.25)
        with pytest.raises(ValueError, match="no certificate holds here"):
            r.certify_interval(X, 0.1)

    def test_texts(self):
        texts = ["one two two six", "six ten one", "two two", "ten six one one"] * 10
        labels = [0, 1, 0, 1] * 10

        def by_largest(counts):
            return counts / counts.max()

        inputs = Texts.from_texts(texts, 1.0, DeleteTokens(0.5))
        by_largest = FunctionTransformer(by_largest, accept_sparse=True)
        same = FunctionTransformer(lambda X: X.sign(), accept_sparse=True)
        many = HashingVectorizer(norm=None, alternate_sign=False)  # columns
        for counts in (CountVectorizer(), TfidfVectorizer(norm=None), many):
            f = make_pipeline(counts, by_largest, LinearSVC())
            assert depends_on(f.fit(texts, labels), inputs)
            for last in (LinearSVC(), LAST[1]):
                f = make_pipeline(counts, same, TfidfTransformer(), last)
                assert not depends_on(f.fit(texts, labels), inputs)


def positive(step):
    return make_pipeline(FunctionTransformer(np.abs), step)


def gaps(X):
    X = X.copy()
    X[::3, 1] = X[1::5, 2] = np.nan
    return X


LEGITIMATE = {
    "StandardScaler": StandardScaler(),
    "MinMaxScaler": preprocessing.MinMaxScaler(clip=True),
    "RobustScaler": preprocessing.RobustScaler(),
    "QuantileTransformer": preprocessing.QuantileTransformer(n_quantiles=50),
    "PowerTransformer": preprocessing.PowerTransformer(),
    "Normalizer": preprocessing.Normalizer(),
    "Binarizer": preprocessing.Binarizer(threshold=3.0),
    "PolynomialFeatures": preprocessing.PolynomialFeatures(3),
    "KBinsDiscretizer": preprocessing.KBinsDiscretizer(3),
    "SplineTransformer": preprocessing.SplineTransformer(),
    "OneHotEncoder": make_pipeline(
        FunctionTransformer(np.round),
        preprocessing.OneHotEncoder(handle_unknown="ignore"),
    ),
    "TargetEncoder": make_pipeline(
        FunctionTransformer(np.round), preprocessing.TargetEncoder()
    ),
    "OrdinalEncoder": make_pipeline(
        FunctionTransformer(np.round),
        preprocessing.OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1
        ),
    ),
    "PCA": decomposition.PCA(2, whiten=True),
    "IncrementalPCA": decomposition.IncrementalPCA(3),
    "SparsePCA": decomposition.SparsePCA(2, max_iter=20),
    "KernelPCA": decomposition.KernelPCA(5, kernel="rbf"),
    "FastICA": decomposition.FastICA(2, random_state=0),
    "FactorAnalysis": decomposition.FactorAnalysis(2),
    "DictionaryLearning": decomposition.DictionaryLearning(3, max_iter=5),
    # With its default `tol` it stops where the batch as a whole has converged.
    "NMF": positive(decomposition.NMF(3, tol=1e-9, max_iter=5000)),
    "LatentDirichletAllocation": positive(
        decomposition.LatentDirichletAllocation(
            2, max_iter=2, max_doc_update_iter=20, random_state=0
        )
    ),
    "TruncatedSVD": decomposition.TruncatedSVD(2),
    "LinearDiscriminantAnalysis": LinearDiscriminantAnalysis(),
    "RBFSampler": RBFSampler(random_state=0),
    "Nystroem": Nystroem(n_components=40, random_state=0),
    "AdditiveChi2Sampler": positive(AdditiveChi2Sampler()),
    "SelectKBest": SelectKBest(k=2),
    "GaussianRandomProjection": GaussianRandomProjection(3, random_state=0),
    "FeatureAgglomeration": FeatureAgglomeration(2),
    "RandomTreesEmbedding": RandomTreesEmbedding(20, random_state=0),
    "NeighborhoodComponentsAnalysis": NeighborhoodComponentsAnalysis(max_iter=20),
    "KNeighborsTransformer": KNeighborsTransformer(),
    "Isomap": Isomap(n_components=2, n_neighbors=20),
    "BernoulliRBM": make_pipeline(
        preprocessing.MinMaxScaler(clip=True), BernoulliRBM(8, random_state=0)
    ),
    "KMeans": KMeans(4, n_init=1, random_state=0),
    "Birch": Birch(n_clusters=3),
    "ColumnTransformer": ColumnTransformer(
        [("a", StandardScaler(), [0, 1]), ("b", decomposition.PCA(1), [2, 3])]
    ),
    "FeatureUnion": FeatureUnion(
        [("a", decomposition.PCA(2)), ("b", SelectKBest(k=1))]
    ),
    "float32": make_pipeline(
        FunctionTransformer(lambda X: X.astype("f4")), decomposition.PCA(3)
    ),
    "a function of rows": FunctionTransformer(lambda X: X / X.sum(axis=1)[:, None]),
    "frames": FunctionTransformer(
        lambda X: pd.DataFrame(X).assign(word="word")[[0, 1]]
    ),
    "random": FunctionTransformer(lambda X: X + np.random.normal(size=X.shape)),
    "seldom random": FunctionTransformer(
        lambda X: X + (np.random.random_sample(X.shape) < 0.01)
    ),
}
CLASSIFIERS = {
    "SVC": SVC(),
    "SVC, probability": SVC(kernel="poly", probability=True, random_state=0),
    "KNeighborsClassifier": KNeighborsClassifier(3, weights="distance"),
    "brute": KNeighborsClassifier(1, algorithm="brute"),
    "GaussianProcess": GaussianProcessClassifier(optimizer=None),
    "MLP": MLPClassifier((8,), max_iter=50, random_state=0),
    "GaussianNB": GaussianNB(),
    "forest behind PCA": make_pipeline(
        decomposition.PCA(), RandomForestClassifier(10, random_state=0)
    ),
    "AdaBoost": AdaBoostClassifier(n_estimators=5),
    "Bagging": BaggingClassifier(KNeighborsClassifier(), 5, random_state=0),
    "Stacking": StackingClassifier(
        [("a", KNeighborsClassifier()), ("b", GaussianNB())], cv=2
    ),
    "Voting": VotingClassifier(
        [("a", KNeighborsClassifier()), ("b", GaussianNB())], voting="soft"
    ),
    "hard Voting": VotingClassifier([("a", LAST[2]), ("b", GaussianNB())]),
    "Calibrated": CalibratedClassifierCV(SVC(), cv=2),
    "OneVsOne": OneVsOneClassifier(SVC()),
    "OneVsRest": OneVsRestClassifier(GaussianNB()),
}


def fitted(f, X=X, y=y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f.fit(X, y)


class TestNoFalseAlarm:
    @pytest.mark.parametrize("step", LEGITIMATE)
    @pytest.mark.parametrize("n_inputs", [1, 150])
    def test_step(self, step, n_inputs):
        # Without a step of the user's own, scikit-learn's are not looked at closely.
        foreign = FunctionTransformer(lambda X: X)
        for last in LAST[:2]:
            f = fitted(make_pipeline(foreign, LEGITIMATE[step], last))
            assert not depends(f, X[75 : 75 + n_inputs])
            assert not depends(f, X[75 : 75 + n_inputs], 2.0)

    @pytest.mark.parametrize("f", CLASSIFIERS)
    def test_classifier(self, f):
        f = fitted(CLASSIFIERS[f])
        for sigma in (0.1, 2.0):
            assert not depends(f, sigma=sigma)
            assert not depends(f, X[:1], sigma)
        assert not depends(fitted(make_pipeline(FunctionTransformer(np.tanh), f)))

    @pytest.mark.parametrize(
        "imputer",
        [
            SimpleImputer(add_indicator=True),
            KNNImputer(),
            KNNImputer(weights="distance", add_indicator=True),
            IterativeImputer(max_iter=5),
            IterativeImputer(sample_posterior=True, max_iter=2),
            make_union(SimpleImputer(), MissingIndicator(features="all")),
        ],
        ids=str,
    )
    def test_imputer(self, imputer):
        foreign = FunctionTransformer(lambda X: X)
        f = fitted(make_pipeline(foreign, imputer, LAST[1]), gaps(X))
        assert not depends(f, gaps(X))
        assert not depends(f, X)

    @pytest.mark.parametrize(
        "f",
        [KNeighborsRegressor(), make_pipeline(decomposition.PCA(2), Ridge())],
        ids=str,
    )
    def test_regressor(self, f):
        assert not value_depends(f.fit(X, X[:, 0]))
        log = TransformedTargetRegressor(f, func=np.log, inverse_func=np.exp)
        assert not value_depends(log.fit(X, X[:, 0]))


class TestWhatIsLookedAtClosely:
    """What is scikit-learn's own is not: for few votes that would take long."""

    class Own(StandardScaler):
        pass

    def test_steps(self):
        own = [StandardScaler(), decomposition.KernelPCA(2), TfidfVectorizer()]
        others = [
            FunctionTransformer(np.abs),
            self.Own(),
            decomposition.NMF(2),
            decomposition.KernelPCA(2, kernel=np.dot),
        ]
        replaced = StandardScaler()
        replaced.transform = np.abs
        for steps, expected in ((own, False), ([*others, replaced], True)):
            for step in steps:
                inside = FeatureUnion([("a", step)])
                nested = make_pipeline("passthrough", make_pipeline(inside))
                for one in (step, nested):
                    f = make_pipeline(StandardScaler(), one, SVC())
                    assert (transform_of(f) is not None) == expected
        assert transform_of(SVC()) is None

    def test_ends(self):
        for f in (SVC(), MLPClassifier((8, 8)), GaussianNB(), BaggingClassifier()):
            assert scores_of(make_pipeline(FunctionTransformer(np.abs), f)) is None
        metric = KNeighborsClassifier(metric=np.dot)
        for f in (Clipping().fit(X, y), SVC(kernel=np.dot), metric):
            assert scores_of(f) is not None
        f = BaggingClassifier(make_pipeline(CLIP, LINEAR)).fit(X, y)
        assert scores_of(f) == f.predict_proba

    def test_company_of_an_outlier(self):
        """It is small where inputs are large."""
        for width, n_rows in ((1, 129), (2**15, 32), (2**20, 3)):
            inputs = Inputs.from_array(np.ones((2, width), "f4"), 0.25)
            batch, _ = two_batches(inputs, some_rows(inputs)[1], 2)
            for calm, place in calm_batches(batch, inputs):
                assert len(calm.values) == len(calm.rows) == n_rows
                copy = batch.values[batch.asked][place]
                np.testing.assert_array_equal(calm.values[calm.asked], copy[None])
                assert np.all(np.delete(calm.values, calm.asked, axis=0) == 1)
