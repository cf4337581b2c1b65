"""A base whose answers depend on the other inputs of a batch is no function of one."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    StandardScaler,
    scale,
)
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.models._by_rows import _BY_ROWS
from sksmooth.votes._company import depends_on_company
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._recognise import recognise
from sksmooth.votes._rows import Inputs
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)


def depends_on(f, inputs, net_options=None):
    recognised = recognise(f, f.classes_, inputs.take(slice(16)), net_options)
    return depends_on_company(recognised, f.classes_, inputs)


def depends(f, X=X, sigma=0.25, **settings):
    return depends_on(f, Inputs.from_array(np.asarray(X, float), sigma), **settings)


def behind(function, last):
    return make_pipeline(FunctionTransformer(function), last).fit(X, y)


STEPS = {
    "standardised": scale,
    "centred": lambda X: X - X.mean(axis=0),
    "from 0 to 1": lambda X: (X - X.min(axis=0)) / np.ptp(X, axis=0),
    "by the norm of all": lambda X: 20 * X / np.linalg.norm(X),
    "by the first": lambda X: X - X[:1],
    "by the last": lambda X: X - X[-1:],
    "by how many there are": lambda X: X * (1 + len(X) % 2),
}
LAST = [
    LogisticRegression(max_iter=500),
    KNeighborsClassifier(),
    DecisionTreeClassifier(random_state=0),
]


class TestAnyBase:
    @pytest.mark.parametrize("last", LAST, ids=lambda f: type(f).__name__)
    @pytest.mark.parametrize("step", STEPS)
    def test_steps_that_use_the_batch(self, step, last):
        f = behind(STEPS[step], last)
        assert depends(f)
        assert depends(make_pipeline(FunctionTransformer(), f))
        assert depends(FrozenEstimator(f))

    @pytest.mark.parametrize("row", [0, 70, 149])
    def test_one_input(self, row):
        assert depends(behind(scale, LAST[0]), X[row : row + 1])

    @pytest.mark.parametrize("last", LAST, ids=lambda f: type(f).__name__)
    @pytest.mark.parametrize("step", [np.abs, lambda X: X / X.sum(axis=1)[:, None]])
    def test_steps_that_do_not(self, step, last):
        assert not depends(behind(step, last))

    def test_what_is_done(self):
        g = SmoothedClassifier(behind(scale, LAST[0]), n=200, random_state=0)
        message = "no certificate holds here: Pipeline answers differently.*from a step"
        with pytest.raises(ValueError, match=message):
            g.certify(X)
        with pytest.raises(ValueError, match=message):
            g.certified_correct(X, y, 0.1)
        with pytest.raises(ValueError, match=message):
            certified_accuracy_scorer(0.1)(g, X, y)
        for ask in (g.predict, g.predict_proba):
            with pytest.warns(UserWarning, match="depends on the other") as warned:
                ask(X)
            assert len(warned) == 1
            assert warned[0].filename == __file__

    @pytest.mark.parametrize("grid", [None, 2.0**-8])
    @pytest.mark.parametrize("shape", [(20, 4), (3, 2**19), (2, 2**21)], ids=str)
    def test_what_is_asked(self, shape, grid):
        """Sixteen copies, with company around each and without; of large inputs fewer.

        Company is there before the first and behind the last of them, too.
        """
        seen = []

        def function(batch):
            seen.append(batch if batch.size < 2**10 else batch[:, ::1000].copy())
            return np.zeros(len(batch), int)

        values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        inputs = Inputs.from_array(values, 0.25)
        inputs, _ = inputs.on_grid(grid)
        f = Fixed(function)
        assert not depends_on(f, inputs)
        size = min(16, max(1, 2**20 // shape[1]))
        assert [len(batch) for batch in seen] == [2 * size + 1, 2 * size + 1, size]
        first, second, alone = seen
        np.testing.assert_array_equal(first[1::2], second[1::2])
        np.testing.assert_array_equal(first[1::2], alone)
        assert np.all(first[::2] != second[::2])
        if grid is not None:
            for batch in seen:
                np.testing.assert_array_equal(batch, np.rint(batch / grid) * grid)

    def test_nothing_is_asked_where_no_vote_is_drawn(self, tmp_path, monkeypatch):
        """All of them are in the store."""
        g = SmoothedClassifier(behind(np.abs, LAST[1]), n=100, random_state=0)
        rows = X[::10]
        expected = g.certify(rows, store=tmp_path / "votes").counts
        asked = []

        def record(*args):
            asked.append(True)
            return depends_on_company(*args)

        monkeypatch.setattr("sksmooth.votes._voting.depends_on_company", record)
        got = g.certify(rows, store=tmp_path / "votes").counts
        np.testing.assert_array_equal(got, expected)
        assert not asked
        g.certify(rows)  # selects, then estimates
        assert len(asked) == 1

    def test_columns_of_a_frame(self):
        frame = pd.DataFrame(X, columns=list("abcd"))
        step = FunctionTransformer(lambda t: t - t.mean())
        f = make_pipeline(step, KNeighborsClassifier()).fit(frame, y)
        with pytest.raises(ValueError, match="no certificate holds"):
            SmoothedClassifier(f, n=100, random_state=0).certify(frame)

    FILLED = {
        "mean": lambda t: t.fillna(t.mean()),
        "median": lambda t: t.fillna(t.median()),
        "from above": lambda t: t.ffill().bfill(),
        "from below": lambda t: t.bfill().ffill(),
        "between": lambda t: t.interpolate().bfill(),
    }

    @pytest.mark.parametrize("share", [0.3, 0.05, 0.01])
    @pytest.mark.parametrize("by", FILLED)
    @pytest.mark.parametrize("library", ["numpy", "NA", "polars"])
    def test_gaps_that_are_filled_from_the_batch(self, library, by, share):
        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
        labels = (table["a"] > 0).astype(int)
        table.loc[rng.permutation(300)[: int(300 * share)], "a"] = np.nan
        # A tree that is asked through `predict`: gaps are filled in before it.
        tree = DecisionTreeClassifier(max_depth=3, random_state=0)
        containers = {
            "numpy": lambda: table,
            "NA": lambda: table.astype("Float64"),
            "polars": lambda: pytest.importorskip("polars").from_pandas(table),
        }
        data = containers[library]()

        def step(function):
            def fill(t):
                t = t.to_pandas() if library == "polars" else t
                return function(t.astype(float))

            return make_pipeline(FunctionTransformer(fill), tree).fit(data, labels)

        def is_seen(f):
            inputs = FrameInputs.from_frame(data, 0.3)
            return depends_on(f, inputs)

        assert is_seen(step(self.FILLED[by]))
        assert not is_seen(step(lambda t: t.fillna(0)))

    @pytest.mark.parametrize("n_cities", [2, 3, 5])
    @pytest.mark.parametrize("seed", range(3))
    def test_categories_that_are_numbered_in_the_batch(self, n_cities, seed):
        def codes(table):
            return table.assign(city=table["city"].astype("category").cat.codes)

        cities = np.random.default_rng(seed).choice(list("uvwxy")[:n_cities], len(X))
        table = pd.DataFrame(X, columns=list("abcd")).assign(city=cities)
        last = DecisionTreeClassifier(max_depth=4, random_state=0)
        f = make_pipeline(FunctionTransformer(codes), last).fit(table, y)
        inputs = FrameInputs.from_frame(table, [0.25] * 4 + [0])
        assert depends_on(f, inputs)

    def test_what_fails_far_from_the_inputs(self):
        """There a logarithm is none, so company is asked for that is nearer."""

        class OfLogs(ClassifierMixin, BaseEstimator):
            def fit(self, X, y):
                self.last_ = LogisticRegression().fit(scale(np.log(X)), y)
                self.classes_ = self.last_.classes_
                return self

            def predict(self, X):
                return self.last_.predict(scale(np.log(X)))

        for sigma in (0.005, 0.02):
            assert depends(OfLogs().fit(X, y), sigma=sigma)
            assert not depends(behind(np.log, OfLogs().fit(X, y).last_), sigma=sigma)

    @pytest.mark.parametrize("voting", ["hard", "soft"])
    def test_members_that_vote(self, voting):
        def clip(X):
            return np.clip(X, *np.percentile(X, [1, 99], axis=0))

        for function, expected in [(clip, True), (np.tanh, False)]:
            member = make_pipeline(FunctionTransformer(function), LogisticRegression())
            f = VotingClassifier([("a", member)], voting=voting)
            for step in (FunctionTransformer(np.sqrt), StandardScaler()):
                model = make_pipeline(step, f).fit(X, y)
                assert depends(model, sigma=0.01) == expected

    def test_gaps_in_all_inputs(self):
        """Company is of each pattern then, so that nothing is missing everywhere."""
        rng = np.random.default_rng(0)
        values = rng.normal(size=(100, 2))
        labels = (values.sum(axis=1) > 0).astype(int)
        values[::2, 0] = values[1::2, 1] = np.nan

        def fill(X):
            return np.where(np.isnan(X), np.nanmean(X, axis=0), X)

        f = make_pipeline(FunctionTransformer(fill), KNeighborsClassifier())
        assert depends(f.fit(values, labels), values)
        f = make_pipeline(FunctionTransformer(np.nan_to_num), KNeighborsClassifier())
        assert not depends(f.fit(values, labels), values)

    def test_gaps_in_a_column_without_noise(self):
        rng = np.random.default_rng(0)
        table = pd.DataFrame({"a": rng.normal(size=100), "b": rng.normal(size=100)})
        labels = (table["b"] > 0).astype(int)
        table.loc[::10, "b"] = np.nan

        f = make_pipeline(
            FunctionTransformer(lambda t: t.fillna({"b": t["a"].mean()})),
            KNeighborsClassifier(),
        ).fit(table, labels)
        inputs = FrameInputs.from_frame(table, {"a": 0.3, "b": 0})
        assert depends_on(f, inputs)

    @pytest.mark.parametrize("p", [0.01, 0.03, 0.1, 0.5])
    @pytest.mark.parametrize("seed", range(10))
    def test_answers_that_are_seldom_random(self, p, seed):
        """That they were the same twice proves nothing."""
        rng = np.random.default_rng(seed)
        f = Fixed(lambda X: ((X[:, 0] > 5.8) ^ (rng.random(len(X)) < p)).astype(int))
        assert not depends(f)

    def test_random_answers_are_another_thing(self):
        """Their votes are independent, and certify the shares of the answers."""
        rng = np.random.default_rng(0)
        f = Fixed(lambda X: (X[:, 0] + rng.normal(size=len(X)) > 5.8).astype(int))
        assert not depends(f)
        f = Fixed(lambda X: (X[:, 0] + np.random.normal(size=len(X)) > 5.8).astype(int))
        before = np.random.get_state()[1].tolist()
        assert not depends(f)
        assert np.random.get_state()[1].tolist() == before

    def test_rounding_is_no_company(self):
        """Copies of points that are twice there, with two labels: all is a tie."""
        rng = np.random.default_rng(0)
        points = rng.normal(size=(40, 30))
        f = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
        f.fit(np.repeat(points, 2, axis=0), np.tile([0, 1], 40))
        assert not depends(f, points, 0.01)

    def test_what_fails_is_left_to_the_votes(self):
        def fails(X):
            raise KeyError("no such column")

        g = SmoothedClassifier(Fixed(fails), n=100)
        with pytest.raises(RuntimeError, match="no such column"):
            g.certify(X)

    def test_the_batch_of_the_user_is_left_alone(self):
        def in_place(X):
            X -= 1
            return (X[:, 0] > 4.8).astype(int)

        mine = X.copy()
        assert not depends(Fixed(in_place), mine)
        np.testing.assert_array_equal(mine, X)

    def test_trees_alone_are_not_asked(self, monkeypatch):
        f = LAST[2].fit(X, y)
        monkeypatch.setattr(type(f), "predict", None)
        assert not depends(f)
        assert not depends(FrozenEstimator(f))

    @pytest.mark.parametrize("last", LAST[::2], ids=lambda f: type(f).__name__)
    def test_known_steps_are_not_asked(self, last, monkeypatch):
        """But one that anybody may have written is, wherever it stands."""

        def asked(*args):
            raise ZeroDivisionError

        monkeypatch.setattr("sksmooth.votes._company._predict_depends", asked)

        def steps(*inner):
            codes = KBinsDiscretizer(3, encode="ordinal")
            return make_pipeline(
                ColumnTransformer([
                    ("codes", make_pipeline(codes, *inner), [0]),
                    ("scaled", StandardScaler(), [1, 2]),
                    ("left out", "drop", [3]),
                ], remainder="passthrough"),
                last,
            )  # fmt: skip

        assert not depends(steps("passthrough").fit(X, y))

        class Centred(StandardScaler):
            def transform(self, X):
                return X - X.mean(axis=0)

        for step in (FunctionTransformer(np.abs), Centred()):
            with pytest.raises(ZeroDivisionError):
                depends(steps(step).fit(X, y))
        f = steps().fit(X, y)
        f[0].named_transformers_["scaled"].transform = scale
        with pytest.raises(ZeroDivisionError):
            depends(f)

    @pytest.mark.parametrize(
        "step", sorted(_BY_ROWS, key=str), ids=lambda s: s.__name__
    )
    def test_known_steps_take_each_row_by_itself(self, step):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            step = step().fit(X, y)
            rows = [step.transform(X[row : row + 1]) for row in range(0, 150, 25)]
        together, alone = step.transform(X)[::25], rows
        if issparse(together):
            together, alone = together.toarray(), [row.toarray() for row in rows]
        np.testing.assert_allclose(together, np.vstack(alone), rtol=1e-12)


class TestNets:
    @pytest.fixture(autouse=True)
    def torch(self):
        torch = pytest.importorskip("torch")
        pytest.importorskip("skorch")
        torch.manual_seed(0)
        return torch

    @staticmethod
    def module(function, n_features=4):
        import torch

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(n_features, 3)

            def forward(self, x):
                return function(self.linear, x)

        return Net()

    FUNCTIONS = {
        "softmax": lambda f, x: f(x).softmax(dim=0),
        "mean": lambda f, x: f(x - x.mean(dim=0)),
        "a little of the mean": lambda f, x: f(x) + 0.01 * f(x).mean(dim=0),
        "the row before": lambda f, x: f(x) + f(x.roll(1, 0)),
        "the first row": lambda f, x: f(x - x[:1]),
        "the last row": lambda f, x: f(x - x[-1:]),
        "more than a few rows": lambda f, x: f(x) * (1 if len(x) > 20 else -1),
        "how many rows": lambda f, x: f(x * len(x)),
        "one row": lambda f, x: f(x) * (1 if len(x) > 1 else -1),
    }

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_functions_of_the_batch(self, function):
        from sksmooth.torch import ModuleClassifier

        module = self.module(self.FUNCTIONS[function])
        f = ModuleClassifier(module, classes=[0, 1, 2])
        assert depends(f)
        assert depends(f, X[:1])
        assert depends(make_pipeline(StandardScaler().fit(X), f))
        with pytest.raises(ValueError, match="In a net this comes from BatchNorm"):
            SmoothedClassifier(f, n=100).certify(X)

    @pytest.mark.parametrize("direct", [True, False])
    def test_batch_norm(self, direct, torch):
        """With statistics of the batch in eval mode; not in training mode only."""
        from sksmooth.torch import ModuleClassifier

        for tracks in (False, True):
            module = torch.nn.Sequential(
                torch.nn.Linear(4, 8),
                torch.nn.BatchNorm1d(8, track_running_stats=tracks),
                torch.nn.Linear(8, 3),
            )
            f = ModuleClassifier(module.train())
            if not direct:
                f = make_pipeline(FunctionTransformer(np.positive), f)
            assert depends(f) != tracks
            with warnings.catch_warnings():
                warnings.simplefilter("ignore" if not tracks else "error")
                SmoothedClassifier(f, n=50, random_state=0).predict(X[:3])

    class Inside(ClassifierMixin, BaseEstimator):
        """A classifier around a net."""

        def __init__(self, net):
            self.net = net
            self.classes_ = net.classes_

        def fit(self, X, y):
            return self

        def __sklearn_is_fitted__(self):
            return True

        def predict(self, X):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]

        def predict_proba(self, X):
            return self.net.predict_proba(X)

    @pytest.mark.parametrize("wrapped", ["step", "inside", "grid"])
    def test_a_net_that_is_not_asked_itself(self, wrapped):
        from sksmooth.torch import ModuleClassifier

        functions = [
            lambda f, x: f(x),
            lambda f, x: f(x) + 0.003 * f(x).mean(0),
            lambda f, x: f(x) + 0.01 * len(x) * f.bias,
        ]
        for place, function in enumerate(functions):
            module = self.module(function)
            f = ModuleClassifier(module, classes=[0, 1, 2])
            inputs = Inputs.from_array(X, 0.25)
            if wrapped == "step":
                f = make_pipeline(FunctionTransformer(np.tanh), f)
            elif wrapped == "inside":
                f = self.Inside(f)
            else:
                f = make_pipeline(StandardScaler().fit(X), f)
                inputs, _ = inputs.on_grid("auto")
            assert depends_on(f, inputs) == (place > 0)

    def test_images(self, torch):
        from sksmooth.torch import ModuleClassifier

        images = np.random.default_rng(0).normal(size=(3, 1, 6, 6)).astype("f4")
        for tracks in (False, True):
            module = torch.nn.Sequential(
                torch.nn.Conv2d(1, 4, 3),
                torch.nn.BatchNorm2d(4, track_running_stats=tracks),
                torch.nn.ReLU(),
                torch.nn.Flatten(),
                torch.nn.Linear(64, 3),
            )
            f = ModuleClassifier(module)
            for dtype in (None, "bfloat16"):
                assert depends(f, images, net_options={"dtype": dtype}) != tracks

    @pytest.mark.parametrize(
        "function",
        [
            lambda f, x: f(x),
            lambda f, x: f(x / x.norm(dim=1, keepdim=True)),
            lambda f, x: 1e6 * f(x) - 1e6 * f(x.flip(0)).flip(0) + 1e-4 * f(x),
            lambda f, x: f(x).squeeze(),
            lambda f, x: (f(x) * 1e4).sin(),
            lambda f, x: f(x) + 1e6,
            lambda f, x: f(x) / len(x) + len(x),
        ],
        ids=[
            "linear",
            "by row",
            "rounding only",
            "squeeze",
            "rounding is seen",
            "rounding to steps",
            "no winner changes",
        ],
    )
    @pytest.mark.parametrize("n_inputs", [1, 150])
    def test_functions_of_the_row(self, function, n_inputs):
        from sksmooth.torch import ModuleClassifier

        f = ModuleClassifier(self.module(function), classes=[0, 1, 2])
        assert not depends(f, X[:n_inputs])

    def test_a_skorch_net_in_training_mode(self, torch):
        """Votes are those of eval mode, in which dropout is off."""
        from tests.nets import MLP, classifier

        net = classifier(MLP, max_epochs=1).fit(X.astype("f4"), y)
        net.module_.train()
        assert not depends(net)
        assert net.module_.training

    def test_dropout_in_eval_mode_is_random(self, torch):
        from sksmooth.torch import ModuleClassifier

        dropout = torch.nn.functional.dropout
        module = self.module(lambda f, x: dropout(f(x), 0.5, training=True))
        before = torch.random.get_rng_state()
        assert not depends(ModuleClassifier(module, classes=[0, 1, 2]))
        assert torch.equal(torch.random.get_rng_state(), before)
