"""Votes in a file, so that a run can be interrupted, continued and shared.

One SQLite file: what is committed survives a kill at any moment, and several processes
may read and write by turns. A row of the table holds all votes of one input for one
question, never a part of them. It is found by a hash of the input's noise key and of
what the stopping rule depends on, from which the noise cannot be told. Every row
carries a checksum, and the file a fingerprint of the run.
"""

import os
import sqlite3
import threading
import time
import zlib
from contextlib import contextmanager
from dataclasses import fields
from hashlib import blake2b
from numbers import Integral

import numpy as np

from ...noise._proof import Proof, told
from ._store_file import (
    APPLICATION_ID,
    LAYOUT,
    begins_like_a_store,
    checksum,
    connect,
    create,
    damage_within,
    is_blank,
    is_damage,
    pragma,
    read_settings,
    write_settings,
)

_INSERT = "INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?, ?)"
_ROW = "id, n_used, counts, value, checksum"
_SELECT = f"SELECT {_ROW} FROM votes WHERE id = ?"
_NEXT = f"SELECT rowid, {_ROW} FROM votes WHERE rowid > ? ORDER BY rowid LIMIT 1000"

# Names of the settings that tell the model: as it came, and once it has predicted.
_MODEL, _IN_USE = "estimator", "estimator in use"

# What is told of noise and is no more than a name of it; see `_fingerprint`.
_NOISE, _IN_WORDS = "noise", "noise in words"

# Settings that are hashes: the value itself may be a secret, or is too long.
_HASHES = ("random_state", _MODEL)

# Seconds between two commits, if that many votes are complete.
_COMMIT_SECONDS = 1.0

# Characters of a setting that a message shows.
_SHOWN = 300


class VoteStore:
    """An open store of votes.

    Parameters
    ----------
    path : path-like
        Created if it does not exist.

    settings : dict of str to str, default=None
        See ``fingerprint``; must be those that the store was created with. None
        takes a store that exists as it is.

    model : Model, default=None
        Asked if the votes there seem to be of another model, and when votes have
        been written.

    read_only : bool, default=False
        Leave the file as it is: then it has to be there, with all votes asked for.

    Attributes
    ----------
    read_only : bool
        Whether that is so, or the file or its folder may not be written.

    Raises
    ------
    ValueError
        If the file is not a store, or holds votes of another run.

    RuntimeError
        If the store is damaged, or cannot be opened.
    """

    def __init__(self, path, settings=None, model=None, read_only=False):
        # In full: to SQLite "" and ":memory:" are stores that nobody finds again.
        self.path = os.path.abspath(path)
        # joblib asks for tasks in threads of its own.
        self._lock = threading.RLock()
        self._model, self._has_written = model, False
        with self._errors():
            self._db, self.read_only = connect(self.path, read_only)
        try:
            with self._errors():
                self._open(settings)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            if self._has_written and self._model and self._model.has_changed():
                self._note_in_use(self._model.in_use())
        finally:
            self._db.close()

    def _note_in_use(self, name):
        """Keep by what the model can be told from others after it has predicted."""
        if name is not None:
            with self._errors(), self._transaction():
                write_settings(self._db, {_IN_USE: name})

    def _open(self, settings):
        if settings is not None and is_blank(self._db) and not self.read_only:
            with self._transaction():
                if is_blank(self._db):  # no other process was faster
                    create(self._db, settings)
        self._db.execute("PRAGMA synchronous=FULL")
        self.settings = self._check()
        if settings is not None:
            self._check_same(settings)

    def _check(self):
        """Return the settings in the file, after looking for damage."""
        if pragma(self._db, "application_id") != APPLICATION_ID:
            raise ValueError(f"{self.path} is not a store of votes.")
        if pragma(self._db, "user_version") != LAYOUT:
            raise ValueError(
                f"{self.path} was written by another version of sksmooth: its layout "
                f"is {pragma(self._db, 'user_version')}, this version knows {LAYOUT}."
            )
        found = damage_within(self._db)
        if found is not None:
            raise self._damaged(found)
        return read_settings(self._db)

    def _check_same(self, settings):
        """Raise a ValueError if the settings are not those of the store."""
        stored = self.settings
        names = stored.keys() | settings.keys()
        differ = {name for name in names if stored.get(name) != settings.get(name)}
        differ -= {_IN_USE, _IN_WORDS}
        if differ == {_MODEL} and not _known_as(stored) & _known_as(settings):
            in_use = self._model.in_use() if self._model else None
            settings = {**settings, _IN_USE: in_use or settings[_MODEL]}
        if _known_as(stored) & _known_as(settings):
            differ.discard(_MODEL)
        if differ:
            raise ValueError(
                f"the store {self.path} holds votes of another run: "
                + "; ".join(
                    _difference(name, stored, settings) for name in sorted(differ)
                )
                + ". Use another file for this run, or the settings of the stored run."
            )
        if _IN_USE in settings and _IN_USE not in stored and not self.read_only:
            self._note_in_use(settings[_IN_USE])

    def _damaged(self, how):
        advice = "Restore a copy, or delete it and start again."
        if not begins_like_a_store(self.path):  # so it may be somebody's data
            advice = "If it never was a store of votes, name another file."
        return RuntimeError(
            f"the store {self.path} is damaged ({how}) and cannot be used. {advice}"
        )

    @contextmanager
    def _errors(self):
        """Say what errors of SQLite mean for the run."""
        try:
            with self._lock:
                yield
        # Of text that SQLite tells in a message, too, if it is none.
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if is_damage(error):
                raise self._damaged(error) from error
            raise RuntimeError(
                f"the store {self.path} cannot be read or written: {error}"
                f"{self._advice()}"
            ) from error

    def _advice(self):
        folder = os.path.dirname(self.path)
        if os.path.isdir(self.path):
            return ". It is a folder: name a file in it."
        if not os.path.isdir(folder):
            return f". There is no folder {folder}: create it first."
        if not os.path.exists(self.path):
            return "."
        return (
            ". What was committed before is kept; the same call continues from there."
        )

    @contextmanager
    def _transaction(self):
        with self._db:  # which commits, or takes everything back
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def read(self, name):
        """Return (counts, n_used, value), compressed bytes, int and bytes, or None."""
        with self._errors():
            found = self._db.execute(_SELECT, (name,)).fetchone()
        return None if found is None else self._checked(found)

    def _checked(self, found):
        """Return a row of the table without its name, if its checksum is right."""
        types = [type(part) for part in found]
        if types != [bytes, int, bytes, bytes, bytes]:
            raise self._damaged("an input's votes are of another type")
        *row, noted = found
        if checksum(*row) != noted:
            raise self._damaged("the checksum of an input's votes is wrong")
        return row[2], row[1], row[3]

    def write(self, rows):
        """Commit rows (name, counts, n_used, value) at once: all or none.

        Rows that are there already stay as they are.
        """
        rows = [
            (name, int(n_used), zlib.compress(counts, 1), value)
            for name, counts, n_used, value in rows
        ]
        rows = [(*row, checksum(*row)) for row in rows]
        with self._errors(), self._transaction():
            self._db.executemany(_INSERT, rows)
        self._has_written = True

    def absorb(self, other):
        """Take over the rows of another store; return how many were new."""
        before, last = self._db.total_changes, -1
        while True:
            with other._errors():
                # Not one long question: while it is answered, nobody can write.
                some = other._db.execute(_NEXT, (last,)).fetchall()
                for _, *row in some:
                    other._checked(row)
            if not some:
                return self._db.total_changes - before
            with self._errors(), self._transaction():
                self._db.executemany(_INSERT, [row for _, *row in some])
            last = some[-1][0]


def _known_as(settings):
    """Return the hashes by which a model is known."""
    return {settings[name] for name in (_MODEL, _IN_USE) if name in settings}


def _difference(name, stored, settings):
    """Say how a setting differs, in words where there are some."""
    if name == _NOISE:
        words = [settings_of.get(_IN_WORDS) for settings_of in (stored, settings)]
        if None not in words and words[0] != words[1]:
            return f"noise is {_shown(words[0])} there and {_shown(words[1])} here"
    there, here = _shown(stored.get(name)), _shown(settings.get(name))
    what = f"the fingerprint of {name}" if name in _HASHES else name
    return f"{what} is {there} there and {here} here"


def _shown(text):
    text = str(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class VotesMissing(RuntimeError):
    """A store that may not be written lacks votes that were asked for."""


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
        self.looks = (
            {int(rule)} if isinstance(rule, Integral) else set(rule.looks.tolist())
        )
        self.names = [
            blake2b(key, key=blake2b(question).digest(), digest_size=32).digest()
            for key, question in zip(keys, _questions(rule, len(keys)), strict=True)
        ]
        self._finished, self._committed = [], time.monotonic()

    def missing(self):
        """Read what is there, and return the rows that are not, in random order.

        Random, so that processes with the same task work on different rows.
        """
        missing = [row for row in range(len(self.names)) if not self.read(row)]
        if missing and self.store.read_only:
            raise VotesMissing(
                f"the store {self.store.path} and its folder are not writable, and it "
                f"lacks votes of {len(missing)} of {len(self.names)} inputs. Make them "
                "writable, or copy the store to a folder in which you can write."
            )
        return np.random.default_rng().permutation(missing).astype(int)

    def read(self, row):
        """Read the votes of an input; return whether they are there."""
        found = self.store.read(self.names[row])
        if found is None:
            return False
        votes, (counts, n_used, value) = self.votes, found
        expected = 0 if votes.value is None else votes.value[row].nbytes
        counts = self._counts(counts)
        if (
            counts is None
            or n_used not in self.looks
            or not all(0 <= count <= n_used for count in counts.tolist())
            or sum(counts.tolist()) != n_used
            or len(value) != expected
            or not _is_value(value, votes.value)
        ):
            raise self.store._damaged("votes do not add up")
        votes.counts[row], votes.n_used[row] = counts, n_used
        if expected:
            one = np.frombuffer(value, votes.value.dtype)
            votes.value[row] = one.reshape(votes.value.shape[1:])
        return True

    def _counts(self, compressed):
        """Return the counts of an input, or None if they are not what was written."""
        # No more than there should be: a few bytes can stand for gigabytes.
        size = 8 * self.votes.counts.shape[1]
        unpacking = zlib.decompressobj()
        try:
            content = unpacking.decompress(compressed, size + 1)
        except zlib.error:
            return None
        if len(content) != size or not unpacking.eof or unpacking.unused_data:
            return None
        return np.frombuffer(content, "<i8")

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


def _questions(rule, n_inputs):
    """Return, for each input, bytes that are equal only where a rule asks the same."""
    if isinstance(rule, Integral):
        return [repr(int(rule)).encode()] * n_inputs
    values = {field.name: getattr(rule, field.name) for field in fields(rule)}
    own = [values.pop(name) for name in rule.per_input]
    columns = [[None] * n_inputs if one is None else one.tolist() for one in own]
    for name, one in values.items():
        if isinstance(one, Proof):
            level = np.asarray(one.sigma).tolist(), np.asarray(one.step).tolist()
            one = told(one.kind), level, *([one.changes] if one.changes else [])
        values[name] = one.tolist() if isinstance(one, np.ndarray) else one
    same = blake2b(f"{type(rule).__name__} {values!r}".encode()).digest()
    if not columns:
        return [same] * n_inputs
    return [same + repr(row).encode() for row in zip(*columns, strict=True)]


def _is_value(content, values):
    """Can the bytes be of an array of the type of `values`?"""
    if values is None:
        return not content
    if values.dtype == bool:
        return not set(content) - {0, 1}
    return bool(np.all(np.isfinite(np.frombuffer(content, values.dtype))))
