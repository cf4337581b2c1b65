"""Votes in a file, so that a run can be interrupted, continued and shared.

One SQLite file, in write-ahead mode: what is committed survives a kill at any moment,
and several processes may read and write at once. A row of the table holds all votes of
one input for one question, never a part of them. It is found by a hash of the input's
noise key and of what the stopping rule depends on, from which the noise cannot be
told. Every row carries a checksum, and the file a fingerprint of the run.
"""

import os
import sqlite3
import threading
import time
import zlib
from contextlib import contextmanager
from hashlib import blake2b
from numbers import Integral

import numpy as np

_APPLICATION_ID = 0x736B736D  # "sksm"
_SCHEMA = 1
_TABLES = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE votes (id BLOB PRIMARY KEY, n_used INTEGER NOT NULL, "
    "counts BLOB NOT NULL, value BLOB NOT NULL, checksum BLOB NOT NULL)",
)
_INSERT = "INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?, ?)"
_SELECT = "SELECT id, n_used, counts, value, checksum FROM votes"

# Seconds between two commits, if that many votes are complete.
_COMMIT_SECONDS = 1.0

# How long to wait for another process that is writing.
_PATIENCE = 60


class VoteStore:
    """An open store of votes.

    Parameters
    ----------
    path : path-like
        Created if it does not exist.

    settings : dict of str to str, default=None
        See ``fingerprint``; must be those that the store was created with. None
        takes a store that exists as it is.

    Raises
    ------
    ValueError
        If the file is not a store, or holds votes of another run.

    RuntimeError
        If the store is damaged, or cannot be opened.
    """

    def __init__(self, path, settings=None):
        # In full: to SQLite "" and ":memory:" are stores that nobody finds again.
        self.path = os.path.abspath(path)
        # joblib asks for tasks in threads of its own.
        self._lock = threading.RLock()
        with self._errors():
            self._db = sqlite3.connect(
                self.path,
                timeout=_PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._errors():
                self._open(settings)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._db.close()

    def _open(self, settings):
        if settings is not None and self._is_blank():
            # Kept in the file, for all who open it.
            self._db.execute("PRAGMA journal_mode=WAL")
            with self._transaction():
                if self._is_blank():  # no other process was faster
                    for table in _TABLES:
                        self._db.execute(table)
                    self._db.executemany(
                        "INSERT INTO settings VALUES (?, ?)", settings.items()
                    )
                    self._db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
                    self._db.execute(f"PRAGMA user_version={_SCHEMA}")
        self._db.execute("PRAGMA synchronous=FULL")
        self._check()
        self.settings = dict(self._db.execute("SELECT name, value FROM settings"))
        if settings is not None:
            _check_same(self.path, self.settings, settings)

    def _is_blank(self):
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return not tables and self._pragma("application_id") == 0

    def _pragma(self, name):
        return self._db.execute(f"PRAGMA {name}").fetchone()[0]

    def _check(self):
        if self._pragma("application_id") != _APPLICATION_ID:
            raise ValueError(f"{self.path} is no store of votes.")
        if self._pragma("user_version") != _SCHEMA:
            raise ValueError(
                f"{self.path} was written by another version of sksmooth: its layout "
                f"is {self._pragma('user_version')}, this version knows {_SCHEMA}."
            )
        found = self._pragma("quick_check")
        if found != "ok":
            raise self._damaged(found)

    def _damaged(self, how):
        return RuntimeError(
            f"the store {self.path} is damaged ({how}) and cannot be used. Restore a "
            "copy, or delete it and its -wal file and start again."
        )

    @contextmanager
    def _errors(self):
        """Say what errors of SQLite mean for the run."""
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise self._damaged(error) from error
            raise RuntimeError(
                f"the store {self.path} cannot be read or written: {error}. What was "
                "committed before is kept; the same call continues from there."
            ) from error

    @contextmanager
    def _transaction(self):
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk has made SQLite roll back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def read(self, name):
        """Return (counts, n_used, value) as bytes, int and bytes; None if not there."""
        with self._errors():
            found = self._db.execute(f"{_SELECT} WHERE id = ?", (name,)).fetchone()
        return None if found is None else self._checked(found)

    def _checked(self, found):
        """Return a row of the table without its name, if its checksum is right."""
        name, n_used, counts, value, checksum = found
        if _checksum(name, n_used, counts, value) != checksum:
            raise self._damaged("the checksum of an input's votes is wrong")
        return zlib.decompress(counts), n_used, value

    def write(self, rows):
        """Commit rows (name, counts, n_used, value) at once: all or none.

        Rows that are there already stay as they are.
        """
        rows = [
            (name, int(n_used), zlib.compress(counts, 1), value)
            for name, counts, n_used, value in rows
        ]
        rows = [(*row, _checksum(*row)) for row in rows]
        with self._errors(), self._transaction():
            self._db.executemany(_INSERT, rows)

    def absorb(self, other):
        """Take over the rows of another store; return how many were new."""
        before = self._db.total_changes
        with other._errors():
            rows = other._db.execute(_SELECT)
        while True:
            with other._errors():
                some = rows.fetchmany(1000)
                for row in some:
                    other._checked(row)
            if not some:
                return self._db.total_changes - before
            with self._errors(), self._transaction():
                self._db.executemany(_INSERT, some)


def _checksum(name, n_used, counts, value):
    text = blake2b(digest_size=8)
    for part in (name, repr(n_used).encode(), counts, value):
        text.update(len(part).to_bytes(8, "little") + part)
    return text.digest()


def _check_same(path, stored, settings):
    names = sorted(stored.keys() | settings.keys())
    differ = [name for name in names if stored.get(name) != settings.get(name)]
    if differ:
        raise ValueError(
            f"the store {path} holds votes of another run: "
            + "; ".join(
                f"{name} is {stored.get(name)} there and {settings.get(name)} here"
                for name in differ
            )
            + ". Use another file for this run, or the settings of that one."
        )


class Ledger:
    """The inputs of one draw of votes in a store.

    Parameters
    ----------
    store : VoteStore

    keys : list of bytes
        The noise key of each input, see ``stream_key``.

    rule : int or stopping rule

    votes : Votes
        The arrays to read from and into.
    """

    def __init__(self, store, keys, rule, votes):
        self.store, self.votes = store, votes
        if isinstance(rule, Integral):
            questions = [repr(int(rule)).encode()] * len(keys)
        else:
            questions = rule.questions()
        self.names = [
            blake2b(key, key=blake2b(question).digest(), digest_size=32).digest()
            for key, question in zip(keys, questions, strict=True)
        ]
        self._finished, self._committed = [], time.monotonic()

    def missing(self):
        """Read what is there, and return the rows that are not, in random order.

        Random, so that processes with the same task work on different rows.
        """
        missing = [row for row in range(len(self.names)) if not self.read(row)]
        return np.random.default_rng().permutation(missing).astype(int)

    def read(self, row):
        """Read the votes of an input; return whether they are there."""
        found = self.store.read(self.names[row])
        if found is None:
            return False
        votes, (counts, n_used, value) = self.votes, found
        expected = 0 if votes.value is None else votes.value[row].nbytes
        counts = np.frombuffer(counts, "<i8")
        if (
            len(counts) != votes.counts.shape[1]
            or counts.min() < 0
            or counts.sum() != n_used
            or len(value) != expected
        ):
            raise self.store._damaged("votes do not add up")
        votes.counts[row], votes.n_used[row] = counts, n_used
        if expected:
            one = np.frombuffer(value, votes.value.dtype)
            votes.value[row] = one.reshape(votes.value.shape[1:])
        return True

    def finished(self, rows):
        """Note that the votes of some inputs are complete; commit now and then."""
        self._finished.extend(rows)
        if time.monotonic() - self._committed >= _COMMIT_SECONDS:
            self.commit()

    def commit(self):
        """Write what is complete."""
        if self._finished:
            self.store.write([self._row(row) for row in self._finished])
            self._finished = []
        self._committed = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.commit()  # also what was complete when something went wrong

    def _row(self, row):
        votes = self.votes
        value = b"" if votes.value is None else votes.value[row].tobytes()
        counts = votes.counts[row].astype("<i8").tobytes()
        return self.names[row], counts, votes.n_used[row], value


def merge_stores(paths, out):
    """Merge stores of votes, of parts of the same run, into one.

    Parameters
    ----------
    paths : sequence of path-like
        Stores that ``certify(X, store=path)`` and the like have written with the same
        model, sigma, random state and kind of X; on other machines, say.

    out : path-like
        The store that gets the votes of all of them. Created if it does not exist.

    Returns
    -------
    n_rows : int
        Inputs whose votes `out` did not have before, counting each of several draws
        of one input.

    Raises
    ------
    FileNotFoundError
        If one of `paths` does not exist.

    ValueError
        If a file is not a store, or two hold votes of different runs; the message
        tells how they differ.

    RuntimeError
        If a store is damaged or cannot be written. What was merged before is kept.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sksmooth import SmoothedClassifier, merge_stores
    >>> X, y = load_iris(return_X_y=True)
    >>> f = LogisticRegression(max_iter=1_000).fit(X, y)
    >>> g = SmoothedClassifier(f, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, second, both = (Path(folder, name) for name in "12b")
    ...     _ = g.predict(X[:100], store=first)
    ...     _ = g.predict(X[90:], store=second)
    ...     merge_stores([first, second], both)
    149
    """
    paths = [os.fspath(path) for path in paths]
    for path in paths:
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no store {path}")
    n_rows = 0
    for path in paths:
        with (
            VoteStore(path) as source,
            VoteStore(out, source.settings) as target,
        ):
            n_rows += target.absorb(source)
    return n_rows
