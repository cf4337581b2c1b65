"""Workers: the same votes from all of them, the model sent once, one thread each."""

import os
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info

from sksmooth import SmoothedClassifier
from sksmooth.votes.run import _workers as _parallel
from sksmooth.votes.run._store import Ledger
from sksmooth.votes.run._workers import Chunks, Parcel
from tests.helpers import COMPANY

X, y = load_iris(return_X_y=True)
# Fitted with joblib, also in a worker that is restarted and imports this module.
FOREST = RandomForestClassifier(5, random_state=0).fit(X, y)


def smooth(base=FOREST, **params):
    return SmoothedClassifier(
        base,
        **{
            "method": "monte_carlo",
            "sigma": 0.3,
            "n": 400,
            "random_state": 0,
            **params,
        },
    )


def sizes(chunks, seconds_of):
    """Cut rows while a chunk of k rows takes ``seconds_of(k)``."""
    got = []
    for rows in chunks:
        got.append(len(rows))
        chunks.took(len(rows), seconds_of(len(rows)))
    return got


def test_chunks_hold_every_row_once():
    rows = np.random.default_rng(0).permutation(1000)
    for first_look in (25, 100_000):
        for pace in (1e-6, 0.01, 1.0, 1e6):
            chunks = Chunks(rows, 2, first_look)
            got = []
            for some in chunks:
                got.append(some)
                chunks.took(len(some), len(some) * pace)
            np.testing.assert_array_equal(np.concatenate(got), rows)


def test_chunks_take_two_seconds_and_less_at_the_end():
    got = sizes(Chunks(np.arange(50_000), 2, 100), lambda k: k / 100)
    assert got[0] == 100_000 // 100  # before the pace is known
    assert set(got[1:200]) == {200}  # two seconds
    assert got[-20] < 100
    assert min(got[:-1]) == 10  # a tenth of a second
    assert sizes(Chunks(np.arange(640), 2, 25), lambda k: k)[0] == 640 // 32
    # one input may take longer than that
    assert set(sizes(Chunks(np.arange(100), 2, 100_000), lambda k: 30 * k)) == {1}
    # tiny ones are not worth being handed out
    assert len(sizes(Chunks(np.arange(150), 2, 25), lambda k: k * 1e-5)) < 5


class Fussy(DecisionTreeClassifier):
    """Raises if there is more than one thread for a worker; tells who unpickled it."""

    log = None

    def __setstate__(self, state):
        super().__setstate__(state)
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{os.getpid()}\n")

    def predict(self, X):
        threads = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
        if "torch" in sys.modules:
            threads["torch"] = sys.modules["torch"].get_num_threads()
        if set(threads.values()) - {1}:
            raise RuntimeError(f"more than one thread: {threads}")
        if joblib.effective_n_jobs(-1) != 1:
            raise RuntimeError("a worker may start workers of its own")
        return super().predict(X)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_worker_gets_one_thread_and_one_model(backend, tmp_path, request):
    torch = pytest.importorskip("torch")
    base = Fussy(random_state=0).fit(X, y)
    expected = smooth(DecisionTreeClassifier(random_state=0).fit(X, y)).certify(X)
    base.log = str(tmp_path / "log")
    torch.set_num_threads(3)
    request.addfinalizer(lambda: torch.set_num_threads(1))
    before = threadpool_info(), 3
    with joblib.parallel_config(backend=backend):
        got = smooth(base, n_jobs=2).certify(X)
    np.testing.assert_array_equal(got.counts, expected.counts)
    assert (threadpool_info(), torch.get_num_threads()) == before
    # A new thread begins with the setting of the process.
    with ThreadPoolExecutor() as executor:
        assert executor.submit(torch.get_num_threads).result() == before[1]
    if backend == "threading":
        assert not os.path.exists(base.log)
        return
    # once for each draw of votes in each worker, not for each of dozens of chunks
    opened = Path(base.log).read_text().split()
    assert len(set(opened)) <= 2
    assert str(os.getpid()) not in opened
    assert all(opened.count(worker) <= 2 for worker in set(opened))


class Where(Fussy):
    """Writes down in which process it predicts."""

    def predict(self, X):
        with open(self.log, "a") as file:
            file.write(f"{os.getpid()}\n")
        return super(Fussy, self).predict(X)


def test_workers_are_processes_for_a_predict_that_is_not_known(tmp_path):
    base = Where(random_state=0).fit(X, y)
    base.log = str(tmp_path / "log")
    smooth(base, n_jobs=2).certify(X)
    asked = Path(base.log).read_text().split(maxsplit=len(COMPANY))
    *company, votes = asked
    assert company == [str(os.getpid())] * len(COMPANY)  # before the workers start
    assert votes
    assert str(os.getpid()) not in votes.split()


@pytest.mark.parametrize("kind", ["linear", "MLP", "trees", "net"])
def test_workers_are_threads_where_votes_are_compiled_code(kind, monkeypatch):
    if kind == "net":
        pytest.importorskip("skorch")
        from tests.nets import halfspace_module

        torch_module = pytest.importorskip("sksmooth.torch")
        base = torch_module.ModuleClassifier(halfspace_module([1.0, -1.0, 0.0, 2.0]))
    elif kind == "trees":
        pytest.importorskip("numba")
        base = FOREST
    elif kind == "linear":
        base = LogisticRegression(max_iter=2000).fit(X, y)
    else:
        base = MLPClassifier((5,), tol=10.0, random_state=0).fit(X, y)
    expected = smooth(base).certify(X)
    kinds = []

    def run_chunks(*args):
        kinds.append(_parallel.shares_memory())
        return _parallel.run_chunks(*args)

    monkeypatch.setattr("sksmooth.votes._voting.run_chunks", run_chunks)
    got = smooth(base, n_jobs=2).certify(X)
    np.testing.assert_array_equal(got.counts, expected.counts)
    assert kinds == [True, True]  # to select a class, and to estimate
    kinds.clear()
    with joblib.parallel_config(backend="loky"):
        got = smooth(base, n_jobs=2).certify(X)
    np.testing.assert_array_equal(got.counts, expected.counts)
    assert kinds == [False, False]


def test_a_parcel_is_opened_once_and_holds_arrays_beside_the_pickle():
    content = {"a": np.arange(200_000.0), "b": FOREST}
    parcel = Parcel(content)
    assert [len(buffer) for buffer in parcel.buffers] == [1_600_000]
    assert len(parcel.pickle) < 100_000
    opened = parcel.content()
    np.testing.assert_array_equal(opened["a"], content["a"])
    np.testing.assert_array_equal(opened["b"].predict(X), FOREST.predict(X))
    assert parcel.content() is opened
    Parcel([]).content()
    assert parcel.content() is not opened


def test_a_base_with_workers_of_its_own():
    base = RandomForestClassifier(5, random_state=0, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        smooth(base, n_jobs=2).predict(X), smooth().predict(X)
    )


def test_errors_of_a_worker_reach_the_caller():
    base = Raising(random_state=0).fit(X, y)
    with pytest.raises(RuntimeError, match="Raising.predict failed.*no such leaf"):
        smooth(base, n_jobs=2).predict(X)


class Raising(DecisionTreeClassifier):
    def predict(self, X):
        raise KeyError("no such leaf")


def test_errors_in_handing_out_reach_the_caller(tmp_path, monkeypatch):
    """They happen in a thread of joblib's: the run must not wait forever."""

    def damaged(self, row, read=Ledger.read):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the store is damaged")
        return read(self, row)

    monkeypatch.setattr(Ledger, "read", damaged)
    with (
        joblib.parallel_config(backend="threading"),
        pytest.raises(RuntimeError, match="the store is damaged"),
    ):
        smooth(n_jobs=2).certify(X, store=tmp_path / "votes.sqlite")


def test_progress_of_workers(capsys):
    with joblib.parallel_config(backend="threading"):
        smooth(n_jobs=2, verbose=1).predict(X)
        said = capsys.readouterr().err
        assert "150/150" in said
        assert "votes/s" in said
        smooth(n_jobs=2).predict(X)
    assert capsys.readouterr() == ("", "")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of dask."""
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        # of the libraries below it, not of ours
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


def same_bytes(one, other):
    for name in ("prediction", "radius", "counts", "selection_counts", "n_used"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_dask_gives_the_same_bytes(cluster, tmp_path):
    expected = smooth().certify(X)
    with joblib.parallel_config(backend="dask"):
        same_bytes(smooth().certify(X), expected)
        path = tmp_path / "votes.sqlite"
        smooth().certify(X[:20], store=path)
        same_bytes(smooth().certify(X, store=path), expected)
        correct = smooth().certified_correct(X, y, [0.1, 0.3])
    np.testing.assert_array_equal(correct, smooth().certified_correct(X, y, [0.1, 0.3]))


class Mortal(DecisionTreeClassifier):
    """Kills the first worker that gets to the middle of its rows."""

    def fit(self, X, y):
        self.home = os.getpid()
        return super().fit(X, y)

    def predict(self, X):
        if os.getpid() == self.home:
            # Before the votes, to see whether answers depend on the company; or with a
            # single worker left, after the other one was killed.
            done = len(X) in COMPANY or os.path.exists(self.marker)
            assert done, "this was to be done by a worker"
            return super().predict(X)
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return super().predict(X)
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def long_chunks(monkeypatch):
    """Chunks of 1,000 inputs: arrays that dask would keep with one worker alone."""
    monkeypatch.setattr(Chunks, "_size", lambda self: 1000)
    return X[0] + np.random.default_rng(0).normal(size=(3000, 4))


@pytest.mark.filterwarnings("ignore")  # what dask says about the loss
def test_dask_retries_what_a_killed_worker_had(cluster, tmp_path, long_chunks):
    cluster.wait_for_workers(2, timeout=100)
    base = Mortal(random_state=0).fit(X, y)
    base.marker = str(tmp_path / "killed")
    with joblib.parallel_config(backend="dask"):
        got = smooth(base, n=50, n0=10).certify(long_chunks)
    assert os.path.exists(base.marker)
    base = DecisionTreeClassifier(random_state=0).fit(X, y)
    same_bytes(got, smooth(base, n=50, n0=10).certify(long_chunks))


class Deadly(DecisionTreeClassifier):
    """Kills every worker."""

    def fit(self, X, y):
        self.home = os.getpid()
        return super().fit(X, y)

    def predict(self, X):
        assert os.getpid() != self.home, "this was to be done by a worker"
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.filterwarnings("ignore")
def test_dask_gives_up_what_kills_every_worker(cluster):
    """Else the run would wait forever: joblib is not told by dask's future."""
    from distributed import KilledWorker

    # The last test has killed one; with a single one left, this process would do the
    # work, and be killed itself.
    cluster.wait_for_workers(2, timeout=100)
    cluster.run_on_scheduler(_allow_no_failures)
    try:
        with (
            joblib.parallel_config(backend="dask"),
            pytest.raises(KilledWorker),
        ):
            smooth(Deadly(random_state=0).fit(X, y)).certify(X)
    finally:
        cluster.run_on_scheduler(_allow_failures)


def _allow_no_failures(dask_scheduler):
    dask_scheduler.allowed_failures = 0


def _allow_failures(dask_scheduler):
    dask_scheduler.allowed_failures = 3


def test_workers_that_die_end_the_run():
    with pytest.raises(TerminatedWorkerError):
        smooth(Deadly(random_state=0).fit(X, y), n_jobs=2).certify(X)
    # and the next run has new ones
    same_bytes(smooth(n_jobs=2).certify(X), smooth().certify(X))
