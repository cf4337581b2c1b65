"""Base classifiers that misbehave, and inputs of every kind that still must work."""

import multiprocessing
import pickle
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, _compiled
from tests.helpers import Fixed, behind_company, votes_of_a_tree

X, y = load_iris(return_X_y=True)
X.flags.writeable = False  # whatever a test does to it is an error
GRIDS = [None, "auto"]


def smoothed(estimator, **params):
    defaults = {
        "method": "monte_carlo",
        "n": 300,
        "n0": 20,
        "sigma": 0.5,
        "random_state": 0,
    }
    return SmoothedClassifier(estimator, **{**defaults, **params})


def assert_same(certificate, other):
    for name in ("prediction", "radius", "counts", "selection_counts"):
        np.testing.assert_array_equal(getattr(certificate, name), getattr(other, name))


class FailsLater:
    """Answers well, but at one call does something else."""

    def __init__(self, call, instead):
        self.call, self.instead, self.calls = call, instead, 0

    def __call__(self, batch):
        self.calls += 1
        good = (batch[:, 0] > 5.8).astype(int)
        return self.instead(good) if self.calls == self.call else good


def raise_it(good):
    raise OSError("the licence server is down")


class TestFailingLater:
    """At the 7th batch: an error, and no certificate from what was counted before."""

    @pytest.mark.parametrize(
        ("instead", "error", "message"),
        [
            (raise_it, RuntimeError, "Fixed.predict failed.*licence server is down"),
            (lambda good: np.where(good, np.nan, 0), ValueError, "returned nan"),
            (lambda good: good[:-1], ValueError, r"shape \(\d+,\) for \d+ inputs"),
            (lambda good: good + 1, ValueError, "returned 2, which is not one of"),
            (lambda good: None, ValueError, r"shape \(\) for \d+ inputs"),
            (lambda good: good.astype(str), ValueError, "which is not one of"),
        ],
    )
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_is_an_error(self, instead, error, message, n_jobs):
        base = Fixed(FailsLater(7, instead))
        g = smoothed(base, batch_size=50, n_jobs=n_jobs)
        before = dict(vars(g))
        with joblib.parallel_config(backend="threading"):
            with pytest.raises(error, match=message):
                g.certify(X)
            assert vars(g) == before
            # the fault has passed: all answers are there, and as ever
            good = Fixed(FailsLater(0, None))
            assert_same(g.certify(X), smoothed(good).certify(X))

    def test_of_the_interpreter_reaches_the_user(self):
        def stop(good):
            raise KeyboardInterrupt

        g = smoothed(Fixed(FailsLater(3, stop)), batch_size=50)
        with pytest.raises(KeyboardInterrupt):
            g.certify(X)


class TestNotDeterministic:
    def test_a_coin_that_is_tossed_anew_is_a_class_probability(self):
        """f may be random: p is over its coins, too. Here .8 everywhere."""
        rng = np.random.default_rng(0)
        base = Fixed(lambda batch: (rng.random(len(batch)) < 0.8).astype(int))
        g = smoothed(base, alpha=0.1, n=200, sigma=1.0)
        points = np.random.default_rng(1).normal(size=(1000, 2))
        c = g.certify(points)
        false = int(np.sum(c.p_lower > np.where(c.selected == 1, 0.8, 0.2)))
        assert 0 < false <= stats.binom.ppf(1 - 1e-6, 1000, 0.1)


class TestInPlace:
    """What the base does to its input must reach neither X nor other copies."""

    @pytest.mark.parametrize("grid", GRIDS)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_arrays(self, grid, dtype):
        def spoil(batch):
            answer = (batch[:, 0] > 5.8).astype(int)
            batch[:] = np.nan
            return answer

        mine = X.astype(dtype)
        before = mine.copy()
        gentle = Fixed(lambda batch: (batch[:, 0] > 5.8).astype(int))
        for method in ("certify", "predict_proba"):
            got = getattr(smoothed(Fixed(spoil), grid=grid), method)(mine)
            expected = getattr(smoothed(gentle, grid=grid), method)(mine)
            if method == "certify":
                assert_same(got, expected)
            else:
                np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(mine, before)

    @pytest.mark.parametrize("with_code", [False, True])
    def test_frames(self, with_code):
        def spoil(frame):
            answer = (frame["a"].to_numpy() > 5.8).astype(int)
            for column in frame.columns:
                frame.loc[:, column] = 0
            return answer

        frame = pd.DataFrame(X, columns=list("abcd"))
        sigma = 0.5
        if with_code:
            frame["k"] = np.arange(150) % 4
            sigma = [0.5] * 4 + [0.0]
        before = frame.copy()
        smoothed(Fixed(spoil), sigma=sigma).certify(frame)
        pd.testing.assert_frame_equal(frame, before)

    @pytest.mark.parametrize("method", ["monte_carlo", "exact"])
    @pytest.mark.parametrize("last", [LogisticRegression(), DecisionTreeClassifier()])
    def test_steps_that_work_in_place(self, last, method):
        base = make_pipeline(StandardScaler(copy=False), last)
        base.fit(X.copy(), y == 1)
        mine = X.copy()
        smoothed(base, method=method).predict(mine)
        smoothed(base, n_copies=0).fit(mine, y)
        smoothed(base, n_copies=2).fit(mine, y)
        np.testing.assert_array_equal(mine, X)

    def test_steps_that_work_in_place_before_a_net(self):
        torch = pytest.importorskip("torch")
        from sksmooth.torch import ModuleClassifier

        class Spoils(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(4, 2)

            def forward(self, x):
                logits = self.linear(x)
                x.zero_()
                return logits

        mine = X.astype(np.float32)
        scaler = StandardScaler(copy=False).fit(mine.copy())
        net = ModuleClassifier(Spoils(), classes=[0, 1])
        for base in (net, make_pipeline(scaler, net)):
            for params in ({}, {"grid": "auto"}, {"net_options": {"mode": "auto"}}):
                if params.get("grid") and base is not net:
                    continue  # asked through predict, which warns of nothing new
                smoothed(base, **params).predict(mine)
        np.testing.assert_array_equal(mine, X.astype(np.float32))


class TestLeaks:
    def test_a_base_that_keeps_what_it_is_given_keeps_one_buffer(self):
        kept = []
        base = Fixed(lambda Z: kept.append(Z) or np.zeros(len(Z), int))
        smoothed(base, n=5000, batch_size=500).certify(X[:10])
        # The first two are small: do answers depend on the batch?
        kept = behind_company(kept)
        assert len(kept) > 90
        owners = {id(Z if Z.base is None else Z.base) for Z in kept}
        assert len(owners) <= 2  # one for selection, one for estimation

    def test_calls_leave_nothing_behind(self, monkeypatch):
        # Compiled code is loaded at once, not in the middle of what is measured.
        monkeypatch.setattr(_compiled, "_work", 2**62)
        monkeypatch.setattr(_compiled, "_said", True)
        g = smoothed(DecisionTreeClassifier(random_state=0)).fit(X, y)

        def calls(times):
            for _ in range(times):
                g.certify(X[:20])
                g.predict(X[:20])
                g.certified_correct(X[:20], y[:20], 0.2)

        calls(2)  # fills caches
        tracemalloc.start()
        calls(1)
        before, _ = tracemalloc.get_traced_memory()
        calls(10)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert after - before < 100_000


@settings(derandomize=True, deadline=None, max_examples=40)
@given(exponent=st.integers(-900, 900), grid=st.sampled_from(GRIDS))
def test_units_do_not_matter(exponent, grid):
    """From 1e-271 to 1e271: sigma scaled by a power of two, the same votes around 0."""
    unit = 2.0**exponent
    base = Fixed(lambda Z: (Z[:, 0] > 2 * np.abs(Z[:, 1])).astype(int))
    zero = np.zeros((1, 2))
    c = smoothed(base, n=50, grid=grid).certify(zero)
    d = smoothed(base, n=50, grid=grid, sigma=0.5 * unit).certify(zero)
    assert c.radius > 0
    np.testing.assert_array_equal(c.counts, d.counts)
    np.testing.assert_allclose(d.radius, c.radius * unit, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:sigma is small for the units of X")
@pytest.mark.parametrize("sigma", [1e-12, 1e12])
def test_noise_far_below_or_above_the_inputs(sigma):
    """Hardly any noise: f itself, certain. Far too much: nothing but abstentions."""
    base = DecisionTreeClassifier(random_state=0).fit(X, y)
    c = smoothed(base, sigma=sigma).certify(X)
    if sigma < 1:
        np.testing.assert_array_equal(c.prediction, base.predict(X))
        assert np.all(c.radius > sigma)
    else:
        # every copy is far out: the same three shares for all inputs
        assert np.ptp(c.counts / 300, axis=0).max() < 0.2


class TestKindsOfInput:
    base = GaussianNB().fit(X, y)
    expected = smoothed(base).certify(X)

    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(
        order=st.sampled_from("CF"),
        dtype=st.sampled_from(["<f8", ">f8"]),
        writeable=st.booleans(),
        step=st.sampled_from([1, 2, -1]),
        jobs=st.sampled_from([1, 2]),
    )
    def test_layouts(self, order, dtype, writeable, step, jobs):
        room = np.zeros((150 * abs(step), 4), dtype, order)
        mine = room[::step]
        mine[:] = X
        mine.flags.writeable = writeable
        with joblib.parallel_config(backend="threading"):
            assert_same(smoothed(self.base, n_jobs=jobs).certify(mine), self.expected)
        np.testing.assert_array_equal(mine, X)

    @pytest.mark.parametrize(
        "kind", [lambda Z: Z.astype(object), np.ndarray.tolist, pd.DataFrame]
    )
    def test_containers(self, kind):
        assert_same(smoothed(self.base).certify(kind(X)), self.expected)

    @pytest.mark.parametrize("grid", GRIDS)
    def test_memory_map(self, tmp_path, grid):
        np.save(tmp_path / "X.npy", X)
        before = (tmp_path / "X.npy").read_bytes()
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        g = smoothed(self.base, grid=grid)
        expected = g.certify(X)
        assert_same(g.certify(mapped), expected)
        with joblib.parallel_config(backend="threading"):
            assert_same(g.set_params(n_jobs=2).certify(mapped), expected)
        assert (tmp_path / "X.npy").read_bytes() == before

    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_short_floats_are_the_numbers_they_stand_for(self, dtype):
        """Iris has one decimal: rounding it moves radii by less than 0.01."""
        mine = X.astype(dtype)
        c = smoothed(self.base, n=3000).certify(mine)
        d = smoothed(self.base, n=3000).certify(mine.astype(float))
        if dtype == np.float16:  # smoothed in float64
            assert_same(c, d)
        else:  # has its own noise
            assert not np.array_equal(c.counts, d.counts)
            both = c.certified & d.certified
            assert both.mean() > 0.9
            np.testing.assert_array_equal(c.prediction[both], d.prediction[both])
            assert np.abs(c.radius - d.radius)[both].max() < 0.3

    def test_integers_and_booleans_are_numbers(self):
        whole = np.rint(X).astype(int)
        base = GaussianNB().fit(whole, y)
        expected = smoothed(base).certify(whole.astype(float))
        for dtype in (np.int8, np.int64, np.uint16):
            assert_same(smoothed(base).certify(whole.astype(dtype)), expected)
        base = GaussianNB().fit(X > 3, y)
        expected = smoothed(base).certify((X > 3) * 1.0)
        assert_same(smoothed(base).certify(X > 3), expected)


class TestKindsOfLabel:
    """The same votes, whatever the classes are called."""

    @pytest.mark.parametrize(
        "names",
        [
            np.array(["c", "a", "b"]),
            np.array(["ç", "", "a b\n"], dtype=object),
            np.array([-7, -3, 10**12]),
            np.array([2.0, -1.0, 1e9]),
            np.array([3, 1, 2], np.uint8),
        ],
        ids=str,
    )
    def test_names(self, names):
        expected = smoothed(GaussianNB()).fit(X, y).certify(X)
        g = smoothed(GaussianNB()).fit(X, names[y])
        c = g.certify(X)
        order = np.argsort(names)  # GaussianNB sorts its classes
        np.testing.assert_array_equal(c.counts, expected.counts[:, order])
        np.testing.assert_array_equal(c.radius, expected.radius)
        sure = c.certified
        np.testing.assert_array_equal(
            c.prediction[sure], names[expected.prediction[sure]]
        )
        assert np.all(c.prediction[~sure] == g.abstain_label_)
        correct = g.certified_correct(X, names[y], 0.1)
        assert correct.mean() > 0.8

    def test_booleans(self):
        expected = smoothed(GaussianNB()).fit(X, (y == 1) * 1).certify(X)
        c = smoothed(GaussianNB()).fit(X, y == 1).certify(X)
        np.testing.assert_array_equal(c.counts, expected.counts)
        assert set(c.prediction) <= {-1, 0, 1}


class TestManyAtATime:
    def test_two_threads_share_an_instance(self):
        g = smoothed(DecisionTreeClassifier(random_state=0)).fit(X, y)
        expected = g.certify(X), g.predict(X)
        with ThreadPoolExecutor(4) as pool:
            certificates = [pool.submit(g.certify, X) for _ in range(4)]
            predictions = [pool.submit(g.predict, X) for _ in range(4)]
        for one in certificates:
            assert_same(one.result(), expected[0])
        for one in predictions:
            np.testing.assert_array_equal(one.result(), expected[1])

    def test_forked_and_spawned_processes_agree(self):
        """In a process of its own, which has no threads that a fork could lose."""
        code = (
            "import multiprocessing\n"
            "from tests.helpers import votes_of_a_tree\n"
            "if __name__ == '__main__':\n"
            "    known = multiprocessing.get_all_start_methods()\n"
            "    for method in ('fork', 'spawn'):\n"
            "        if method in known:\n"
            "            with multiprocessing.get_context(method).Pool(1) as pool:\n"
            "                print(pool.apply(votes_of_a_tree))\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        known = {"fork", "spawn"} & set(multiprocessing.get_all_start_methods())
        assert run.stdout.splitlines() == [str(votes_of_a_tree())] * len(known)


class TestPickles:
    g = smoothed(GaussianNB()).fit(X, y)

    def test_of_this_version(self):
        copy = pickle.loads(pickle.dumps(self.g))
        assert vars(copy).keys() == vars(self.g).keys()
        assert_same(copy.certify(X), self.g.certify(X))
        assert_same(clone(copy).fit(X, y).certify(X), self.g.certify(X))

    def test_of_another_version(self):
        state = {**self.g.__getstate__(), "_sksmooth_version": "0.0.7"}
        copy = object.__new__(SmoothedClassifier)
        message = "SmoothedClassifier from version 0.0.7 of sksmooth when using"
        with pytest.warns(InconsistentVersionWarning, match=message):
            copy.__setstate__(state)
        assert_same(copy.certify(X), self.g.certify(X))

    @pytest.mark.parametrize("made_by", ["0.0.7", None])
    def test_of_a_version_that_knew_less(self, made_by):
        state = self.g.__getstate__()
        del state["grid"], state["_sksmooth_version"]
        if made_by:
            state["_sksmooth_version"] = made_by
        copy = object.__new__(SmoothedClassifier)
        message = f"{made_by or 'unknown'}; .*no parameter 'grid'.*or fit again"
        with pytest.raises(ValueError, match=message):
            copy.__setstate__(state)

    def test_of_a_certificate(self):
        c = self.g.certify(X)
        copy = pickle.loads(pickle.dumps(c))
        assert_same(copy, c)
        assert_same(copy.recertify(alpha=0.01), c.recertify(alpha=0.01))


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_of_float32_are_like_float32_arrays(library):
    mine = X.astype(np.float32)
    frame = library.DataFrame({f"x{j}": mine[:, j] for j in range(4)})
    base = Fixed(lambda Z: (np.asarray(Z)[:, 0] > 5.8).astype(int))
    for grid in GRIDS:
        g = smoothed(base, grid=grid)
        assert_same(g.certify(frame), g.certify(mine))
