import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, merge_stores
from sksmooth.noise._streams import stream_key
from sksmooth.votes.run import _fingerprint, _store
from sksmooth.votes.run._fingerprint import hash_estimator
from sksmooth.votes.run._store import VoteStore
from sksmooth.votes.run._workers import Chunks
from tests.helpers import COMPANY, Fixed

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0).fit(X, y)


class Counting(DecisionTreeClassifier):
    """Counts, in its class, the inputs that it is asked about."""

    n_asked = 0

    def predict(self, X):
        type(self).n_asked += len(X)
        return super().predict(X)


@pytest.fixture
def counting():
    Counting.n_asked = 0
    return Counting(random_state=0).fit(X, y)


def smooth(base=TREE, **params):
    return SmoothedClassifier(
        base,
        **{
            "method": "monte_carlo",
            "sigma": 0.3,
            "n": 200,
            "n0": 20,
            "random_state": 0,
            **params,
        },
    )


def assert_equal(one, other):
    for name in ("prediction", "radius", "counts", "selection_counts", "n_used"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


METHODS = {
    "certify": lambda g, **store: g.certify(X, **store).counts,
    "radius_tol": lambda g, **store: g.certify(X, radius_tol=0.1, **store).p_lower,
    "predict": lambda g, **store: g.predict(X, **store),
    "predict_proba": lambda g, **store: g.predict_proba(X, **store),
    "certified_correct": lambda g, **s: g.certified_correct(X, y, [0.1, 0.3], **s),
    "multiclass": lambda g, **store: clone_with(
        g, bound="multiclass"
    ).certified_correct(X, y, 0.1, **store),
}


def clone_with(g, **params):
    return SmoothedClassifier(**{**g.get_params(deep=False), **params})


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_drawn_twice(method, counting, tmp_path):
    g = smooth(counting)
    path = tmp_path / "votes.sqlite"
    expected = METHODS[method](g)
    np.testing.assert_array_equal(METHODS[method](g, store=path), expected)
    Counting.n_asked = 0
    np.testing.assert_array_equal(METHODS[method](g, store=path), expected)
    assert Counting.n_asked == 0


def test_a_part_counts_for_the_whole(counting, tmp_path):
    g, path = smooth(counting), tmp_path / "votes.sqlite"
    rows = np.unique(X, axis=0)
    g.certify(rows[40:70], store=path)
    stored = g.certify(rows[::-1], store=path)
    # and once a call whether answers depend on the company
    assert Counting.n_asked == len(rows) * 220 + 2 * sum(COMPANY)
    assert_equal(stored, g.certify(rows[::-1]))


def test_votes_serve_any_alpha_and_bound(counting, tmp_path):
    path = tmp_path / "votes.sqlite"
    smooth(counting).certify(X, store=path)
    Counting.n_asked = 0
    for bound in ("cohen", "joint", "multiclass"):
        g = smooth(counting, alpha=0.05, bound=bound)
        stored = g.certify(X, store=path)
        assert Counting.n_asked == 0
        assert_equal(stored, g.certify(X))
        Counting.n_asked = 0


def test_other_questions_are_other_votes(tmp_path):
    """A rule with another alpha, radius or label must not get the old answer."""
    path = tmp_path / "votes.sqlite"
    for alpha in (0.001, 0.2):
        for radius in (0.05, 0.5, [0.05, 0.5]):
            for labels in (y, (y + 1) % 3):
                g = smooth(alpha=alpha)
                np.testing.assert_array_equal(
                    g.certified_correct(X, labels, radius, store=path),
                    g.certified_correct(X, labels, radius),
                )
        np.testing.assert_array_equal(g.predict(X, store=path), g.predict(X))
        for tolerance in (0.01, 0.3):
            stored = g.certify(X, radius_tol=tolerance, store=path)
            assert_equal(stored, g.certify(X, radius_tol=tolerance))
    for n in (50, 300):
        g = smooth(n=n)
        assert_equal(g.certify(X, store=path), g.certify(X))


def test_a_store_works_with_workers(tmp_path):
    path = tmp_path / "votes.sqlite"
    expected = smooth().certify(X)
    smooth().certify(X[:30], store=path)
    assert_equal(smooth(n_jobs=2).certify(X, store=path), expected)
    assert_equal(smooth().certify(X, store=path), expected)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"sigma": 0.4}, "sigma is 0.3 there and 0.4 here"),
        ({"sigma": np.array([0.3, 0.3, 0.3, 0.0])}, "sigma is 0.3 there"),
        ({"random_state": 1}, "the fingerprint of random_state is [0-9a-f]{32} there"),
        (
            {"base": DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)},
            "the fingerprint of estimator is",
        ),
        (
            {"X": X.astype(np.float32)},
            r"X is float64 of shape \(4,\) there",
        ),
    ],
)
def test_another_run_is_refused(change, what, tmp_path):
    path = tmp_path / "votes.sqlite"
    change = dict(change)
    rows = change.pop("X", X)
    smooth().certify(X[:5], store=path)
    with pytest.raises(ValueError, match=f"holds votes of another run: {what}"):
        smooth(**change).certify(rows[:5], store=path)


def test_another_version_of_the_noise_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "votes.sqlite"
    smooth().predict(X[:5], store=path)
    now = _fingerprint.VERSION
    monkeypatch.setattr(_fingerprint, "VERSION", now + 1)
    with pytest.raises(ValueError, match=f"version is {now} there and {now + 1} here"):
        smooth().predict(X[:5], store=path)


def test_noise_cannot_be_told_from_a_store(tmp_path):
    """Neither the entropy nor any key of a stream is in the file."""
    path = tmp_path / "votes.sqlite"
    g = smooth().fit(X, y)
    g.certify(X[:3], store=path)
    content = path.read_bytes()
    assert g.entropy_.to_bytes(16, "little") not in content
    for row in X[:3]:
        for purpose in ("select", "estimate"):
            assert stream_key(g.entropy_, purpose, row.tobytes()) not in content


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_noise_that_changes_is_refused(random_state, tmp_path):
    path = tmp_path / "votes.sqlite"
    g = smooth(random_state=random_state)
    with pytest.raises(ValueError, match="pass an int, or call fit"):
        g.predict(X, store=path)
    assert not path.exists()
    g.fit(X, y)
    np.testing.assert_array_equal(g.predict(X, store=path), g.predict(X))
    again = pickle.loads(pickle.dumps(g))
    np.testing.assert_array_equal(again.predict(X, store=path), g.predict(X))


def test_an_exact_method_has_nothing_to_store(tmp_path):
    g = smooth(method="exact")
    for call in (g.predict, g.predict_proba, g.certify):
        with pytest.raises(ValueError, match="draws no votes that a store could keep"):
            call(X, store=tmp_path / "votes.sqlite")


def test_a_model_that_cannot_be_told_from_others_is_refused(tmp_path):
    g = smooth(Fixed(lambda X: np.zeros(len(X), int)))
    with pytest.raises(ValueError, match="cannot be pickled.*no lambda"):
        g.predict(X, store=tmp_path / "votes.sqlite")


def test_the_hash_of_a_model_survives_pickling_and_use():
    for model in (TREE, HistGradientBoostingClassifier(max_iter=2).fit(X, y)):
        expected = hash_estimator(model)
        model.predict(X)
        assert hash_estimator(model) == expected
        assert hash_estimator(pickle.loads(pickle.dumps(model))) == expected


def test_the_hash_of_a_net_is_that_of_what_it_answers():
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    def net(scale=1.0, extra=None):
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout())
        with torch.no_grad():
            module[0].weight *= scale
        module.extra = extra
        return ModuleClassifier(module, classes=[0, 1, 2])

    expected = hash_estimator(net())
    assert hash_estimator(net()) == expected
    trained = net()
    trained.module.eval()
    trained.module(torch.zeros(1, 4)).sum().backward()
    assert hash_estimator(trained) == expected
    assert hash_estimator(net(scale=1.001)) != expected
    assert hash_estimator(net(extra=1.5)) != expected
    relabelled = net()
    relabelled.classes = [0, 2, 1]
    assert hash_estimator(relabelled) != expected


def test_merge(counting, tmp_path):
    parts = [tmp_path / f"{k}.sqlite" for k in range(3)]
    out = tmp_path / "all.sqlite"
    g = smooth(counting, n0=30)
    rows = np.unique(X, axis=0)
    for k, path in enumerate(parts):
        g.certify(rows[k::3], store=path)
    assert merge_stores(parts[:2], out) == 2 * (len(rows[::3]) + len(rows[1::3]))
    assert merge_stores(parts, out) == 2 * len(rows[2::3])
    Counting.n_asked = 0
    stored = g.certify(rows, store=out)
    assert Counting.n_asked == 0
    assert_equal(stored, g.certify(rows))


def test_what_cannot_be_merged(tmp_path):
    first, second, out = (tmp_path / name for name in "abc")
    smooth().predict(X[:3], store=first)
    smooth(sigma=0.5).predict(X[:3], store=second)
    with pytest.raises(ValueError, match="sigma is 0.3 there and 0.5 here"):
        merge_stores([first, second], out)
    with pytest.raises(FileNotFoundError, match="there is no store"):
        merge_stores([first, tmp_path / "d"], out)
    (tmp_path / "e").write_bytes(b"")
    with pytest.raises(ValueError, match="is not a store of votes"):
        merge_stores([tmp_path / "e"], out)


def test_files_that_are_no_stores(tmp_path):
    path = tmp_path / "votes.sqlite"
    path.write_bytes(b"idx\tlabel\tpredict\n" * 100)
    with pytest.raises(RuntimeError, match="is damaged .*not a database"):
        smooth().predict(X, store=path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE votes (id)")
    other.close()
    with pytest.raises(ValueError, match="is not a store of votes"):
        smooth().predict(X, store=path)
    path.unlink()
    smooth().predict(X[:1], store=path)
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version=7")
    other.close()
    with pytest.raises(ValueError, match="another version of sksmooth: .* is 7"):
        smooth().predict(X, store=path)
    with pytest.raises(RuntimeError, match="cannot be read or written: unable"):
        smooth().predict(X, store=tmp_path / "no" / "folder")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store as bytes, and the votes in it."""
    path = tmp_path_factory.mktemp("store") / "votes.sqlite"
    expected = smooth().certify(X, store=path)
    return path.read_bytes(), expected


@pytest.mark.parametrize("share", [0.001, 0.01, 0.2, 0.5, 0.8, 0.97])
def test_a_truncated_store_is_reported(share, stored, tmp_path):
    content, _ = stored
    path = tmp_path / "votes.sqlite"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RuntimeError, match="is damaged"):
        smooth().certify(X, store=path)


def test_a_corrupted_store_is_never_silently_used(stored, tmp_path):
    """Changed bytes are reported, or they were none that matter."""
    content, expected = stored
    path = tmp_path / "votes.sqlite"
    n_reported = 0
    for place in np.random.default_rng(0).integers(len(content), size=60):
        damaged = bytearray(content)
        for one in range(place, min(place + 16, len(content))):
            damaged[one] ^= 0x55
        path.write_bytes(damaged)
        try:
            assert_equal(smooth().certify(X, store=path), expected)
        except (RuntimeError, ValueError) as error:
            assert str(path) in str(error)
            n_reported += 1
        for left in tmp_path.iterdir():
            left.unlink()
    assert n_reported > 20


def test_votes_that_do_not_add_up(tmp_path, monkeypatch):
    """Also with a right checksum."""
    path = tmp_path / "votes.sqlite"
    g = smooth()
    monkeypatch.setattr(
        VoteStore,
        "write",
        lambda self, rows, write=VoteStore.write: write(
            self, [(name, counts, n + 1, value) for name, counts, n, value in rows]
        ),
    )
    g.predict(X[:1], store=path)
    with pytest.raises(RuntimeError, match="votes do not add up"):
        g.predict(X[:1], store=path)


def test_a_full_disk_loses_nothing_committed(tmp_path, monkeypatch):
    path = tmp_path / "votes.sqlite"
    monkeypatch.setattr(_store, "_COMMIT_SECONDS", 0)
    g = smooth(batch_size=500)
    expected = g.certify(X)

    class Full(VoteStore):
        def _open(self, settings):
            super()._open(settings)
            self._db.execute("PRAGMA max_page_count=10")

    with monkeypatch.context() as small:
        small.setattr("sksmooth._classifier.VoteStore", Full)
        with pytest.raises(RuntimeError, match="disk is full.*is kept"):
            g.certify(X, store=path)
    n_rows = count_rows(path)
    assert 0 < n_rows < 2 * len(X)
    assert_equal(g.certify(X, store=path), expected)


def count_rows(path):
    db = sqlite3.connect(path, timeout=60)
    try:
        return db.execute("SELECT count(*) FROM votes").fetchone()[0]
    finally:
        db.close()


def test_what_is_complete_is_kept_when_the_base_fails(tmp_path):
    path = tmp_path / "votes.sqlite"
    base = Failing(random_state=0).fit(X, y)
    with pytest.raises(RuntimeError, match="the 9th batch"):
        smooth(base, batch_size=100).predict_proba(X, store=path)
    # Three calls find out whether company matters; then five batches of 100, in which
    # an input has at least 25 votes. How many are begun at a time depends on the pace.
    assert 1 <= count_rows(path) <= 20
    assert_equal(
        smooth(base, batch_size=100).certify(X[:2], store=path),
        smooth().certify(X[:2]),
    )


class Failing(DecisionTreeClassifier):
    n_calls = 0

    def predict(self, X):
        type(self).n_calls += 1
        if type(self).n_calls == 9:
            raise OSError("the 9th batch")
        return super().predict(X)


def test_two_processes_share_the_work(counting, tmp_path, monkeypatch):
    """What another has finished in the meantime is not drawn."""
    path = tmp_path / "votes.sqlite"
    monkeypatch.setattr(_store, "_COMMIT_SECONDS", 0)
    g = smooth(counting, batch_size=200)
    rows = np.unique(X, axis=0)
    expected = g.predict_proba(rows)
    alone, Counting.n_asked = Counting.n_asked, 0
    other = smooth()  # of another class: the store must not mind here
    monkeypatch.setattr(_fingerprint, "hash_estimator", lambda estimator: "same")
    interrupted = []

    def predict(self, X):
        if Counting.n_asked > alone / 3 and not interrupted:
            interrupted.append(True)
            other.predict_proba(rows, store=path)
        Counting.n_asked += len(X)
        return DecisionTreeClassifier.predict(self, X)

    monkeypatch.setattr(Counting, "predict", predict)
    np.testing.assert_array_equal(g.predict_proba(rows, store=path), expected)
    assert interrupted
    # the batch in flight, and inputs that were under way
    assert Counting.n_asked < 2 * alone / 3


KILLED = """
import os, random, signal, sys, time
from tests.votes import test_store as t
from sksmooth.votes.run import _store

path, log = sys.argv[1:]
_store._COMMIT_SECONDS = 0

class Logging(t.DecisionTreeClassifier):
    left = None
    def predict(self, X):
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, b"%d\\n" % len(X))
        os.close(file)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.left:
            type(self).left -= 1
        return super().predict(X)

base = Logging(random_state=0).fit(t.X, t.y)
g = t.smooth(base, batch_size=64)
random.seed(0)
for k in range(20):
    child = os.fork()
    if not child:
        # half of them die in the middle of a batch, half at any moment
        Logging.left = random.randrange(1, 60) if k % 2 else None
        g.certify(t.X, store=path)
        os._exit(0)
    if k % 2 == 0:
        time.sleep(random.random() * 0.2)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
certificate = g.certify(t.X, store=path)
print(certificate.counts.tolist(), certificate.selection_counts.tolist())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_twenty_times(tmp_path):
    path, log = tmp_path / "votes.sqlite", tmp_path / "log"
    run = subprocess.run(
        [sys.executable, "-c", KILLED, path, log],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    expected = smooth().certify(X)
    assert run.stdout.strip() == (
        f"{expected.counts.tolist()} {expected.selection_counts.tolist()}"
    )
    asked = sum(map(int, log.read_text().split()))
    once = 150 * (200 + 20)
    # an input that equals another may be read instead, once that one is committed
    least = len(np.unique(X, axis=0)) * (200 + 20)
    # each kill: a batch that is complete but not committed, one input under way
    assert least <= asked <= once + 20 * (64 + 200)


INTERRUPTED = """
import sys, time
from sklearn.tree import DecisionTreeClassifier
from tests.votes.test_store import Slow, X, smooth, y

base = Slow(random_state=0).fit(X, y)
g = smooth(base, batch_size=100, n_jobs=int(sys.argv[2]), verbose=1)
g.predict_proba(X, store=sys.argv[1])
"""


class Slow(DecisionTreeClassifier):
    def predict(self, X):
        time.sleep(0.2)
        return super().predict(X)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs groups of processes")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_stops_and_keeps_what_is_complete(n_jobs, tmp_path, monkeypatch):
    path = tmp_path / "votes.sqlite"
    run = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, path, str(n_jobs)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 300
    while not (path.exists() and has_rows(path)):
        assert run.poll() is None, run.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    # as a terminal does: to workers, too
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=300)
    assert run.returncode != 0
    assert "KeyboardInterrupt" in said
    assert "votes/s" in said
    n_rows = count_rows(path)
    assert 0 < n_rows < 150
    # what is there is used, and the result is what it would have been
    monkeypatch.setattr(Slow, "predict", DecisionTreeClassifier.predict)
    g = smooth(Slow(random_state=0).fit(X, y))
    np.testing.assert_array_equal(
        g.predict_proba(X, store=path), smooth().predict_proba(X)
    )


def has_rows(path):
    try:
        return count_rows(path) > 0
    except sqlite3.OperationalError:  # the table is not there yet
        return False


def test_frames_of_other_columns_are_refused(tmp_path):
    import pandas as pd

    path = tmp_path / "votes.sqlite"
    frame = pd.DataFrame(X, columns=list("abcd"))
    g = smooth(LogisticRegression(max_iter=1000)).fit(frame, y)
    expected = g.predict(frame)
    np.testing.assert_array_equal(g.predict(frame, store=path), expected)
    np.testing.assert_array_equal(g.predict(frame[::-1], store=path), expected[::-1])
    single = frame.astype({"a": np.float32})
    with pytest.raises(ValueError, match="columns is .*Float64.*Float32"):
        g.predict(single, store=path)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_store_that_nobody_would_find_again_is_none(path, tmp_path, monkeypatch):
    """To SQLite these names are stores that are gone when they are closed."""
    monkeypatch.chdir(tmp_path)
    if path:
        smooth().predict(X[:5], store=path)
        assert count_rows(tmp_path / path) == 5
    else:
        with pytest.raises(RuntimeError, match="unable to open"):
            smooth().predict(X[:5], store=path)


class Tiring(DecisionTreeClassifier):
    """Fails after a number of calls."""

    left = None

    def predict(self, X):
        if self.left == 0:
            raise OSError("enough")
        if self.left is not None:
            type(self).left -= 1
        return super().predict(X)


@pytest.mark.parametrize("grid", [None, "auto"])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("method", ["certify", "radius_tol", "certified_correct"])
def test_shared_noise_continues(method, n_jobs, grid, tmp_path, monkeypatch):
    """Votes from before an interruption and after it are those of one run."""
    path = tmp_path / "votes.sqlite"
    base = Tiring(random_state=0).fit(X, y)
    params = {"shared_noise": True, "grid": grid, "n": 400}
    monkeypatch.setattr(Tiring, "left", 5)
    monkeypatch.setattr(Chunks, "_size", lambda self: 40)
    with pytest.raises(RuntimeError, match="enough"):
        METHODS[method](smooth(base, **params), store=path)
    assert 0 < count_rows(path) < 2 * len(np.unique(X, axis=0))
    monkeypatch.setattr(Tiring, "left", None)
    whole = smooth(base, n_jobs=n_jobs, **params)
    np.testing.assert_array_equal(
        METHODS[method](whole, store=path), METHODS[method](smooth(**params))
    )
    whole.shared_noise = False
    with pytest.raises(ValueError, match="shared_noise is True there and False here"):
        METHODS[method](whole, store=path)


def test_shared_noise_is_stored_chunk_by_chunk(counting, tmp_path, monkeypatch):
    """Not only when all inputs, which are settled together, are."""
    seen, path = [], tmp_path / "votes.sqlite"
    monkeypatch.setattr(_store, "_COMMIT_SECONDS", 0)
    monkeypatch.setattr(Chunks, "_size", lambda self: 40)

    def finished(self, rows, finished=_store.Ledger.finished):
        finished(self, rows)
        seen.append(count_rows(path))

    monkeypatch.setattr(_store.Ledger, "finished", finished)
    smooth(counting, shared_noise=True).certify(X, store=path)
    distinct = len(np.unique(X, axis=0))
    selected = seen[: len(seen) // 2]
    assert len(selected) == 4
    assert 35 <= selected[0] <= 40 < selected[1] < selected[2] < selected[3] == distinct
    assert seen[-1] == 2 * distinct


@pytest.mark.filterwarnings("ignore:radius 0.8 can never be certified")
def test_inputs_of_one_grid_point_share_votes_but_not_answers(counting, tmp_path):
    """They have other losses, which count in what is certified."""
    step = 0.125
    on_grid = np.rint(X / step) * step
    beside = on_grid + np.linspace(0, 0.49, 150)[:, None] * step
    for shared_noise in (False, True):
        path = tmp_path / str(shared_noise)
        g = smooth(counting, grid=step, shared_noise=shared_noise, n=2000)
        radii = np.linspace(0, 0.8, 40)
        differ = 0
        for some in (on_grid, beside, on_grid):
            correct = g.certified_correct(some, y, radii, store=path)
            fresh = g.certified_correct(some, y, radii)
            np.testing.assert_array_equal(correct, fresh)
            differ += correct.sum() * (1 if some is on_grid else -2)
        assert differ > 0
        g.certify(on_grid, store=path)
        Counting.n_asked = 0
        stored = g.certify(beside, store=path)
        assert Counting.n_asked == 0
        assert_equal(stored, g.certify(beside))
        for grid in (None, "auto", 2 * step):
            with pytest.raises(ValueError, match="grid is 0.125 there and"):
                smooth(counting, grid=grid, shared_noise=shared_noise).predict(
                    X, store=path
                )


def test_a_net_is_bound_to_what_votes_depend_on(tmp_path):
    """Not to the mode: whatever ran, votes are the same."""
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    x = X.astype(np.float32)[::10]
    f = ModuleClassifier(torch.nn.Linear(4, 3), classes=[0, 1, 2])
    path = tmp_path / "votes.sqlite"

    def net(**options):
        return smooth(f, net_options=options or None)

    expected = net(mode="eager").predict(x)
    np.testing.assert_array_equal(net(mode="eager").predict(x, store=path), expected)
    for options in ({}, {"mode": "frozen"}, {"mode": "auto"}, {"push_forward": True}):
        np.testing.assert_array_equal(net(**options).predict(x, store=path), expected)
    with pytest.raises(ValueError, match="'dtype': 'bfloat16'"):
        net(dtype="bfloat16").predict(x, store=path)
    with pytest.raises(ValueError, match="'push_forward': False"):
        net(push_forward=False).predict(x, store=path)
