"""Rows handed out to workers: in chunks, each with one thread, the model sent once."""

import os
import pickle
import sys
import threading
import time
from contextlib import closing, contextmanager
from itertools import islice
from typing import NamedTuple

import cloudpickle
import numpy as np
from joblib import parallel_config
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

# Long enough to make nothing of what it costs to hand out a chunk, short enough that
# little is lost with one.
_CHUNK_SECONDS = 2.0

# Bytes of an array from which on joblib maps it into memory.
_LARGE = 1_000_000

# Votes in a first chunk, before anything is known about their pace.
_FIRST_VOTES = 100_000


class Chunks:
    """Rows in chunks of about two seconds, shorter ones towards the end.

    Parameters
    ----------
    rows : ndarray of int
        Where they stand.

    n_jobs : int
        Workers.

    first_look : int
        The fewest votes that an input needs.
    """

    def __init__(self, rows, n_jobs, first_look):
        self.rows, self.n_jobs = rows, n_jobs
        self._first = max(1, _FIRST_VOTES // first_look)
        self._start, self._n_rows, self._seconds = 0, 0, 0.0

    def __iter__(self):
        while self._start < len(self.rows):
            start = self._start
            self._start += self._size()
            yield self.rows[start : self._start]

    def _size(self):
        left = len(self.rows) - self._start
        if not self._n_rows:
            size = min(self._first, len(self.rows) // (16 * self.n_jobs))
        else:
            pace = self._n_rows / max(self._seconds, 1e-6)
            # So that no worker waits long for the last one ...
            fair = left // (4 * self.n_jobs)
            # ... but tiny chunks are no gain.
            size = min(_CHUNK_SECONDS * pace, max(fair, 0.1 * pace))
        return max(1, min(round(size), left))

    def took(self, n_rows, seconds):
        """Learn what a chunk took, to size those that follow."""
        self._n_rows += n_rows
        self._seconds += seconds


def shares_memory():
    """Are the workers of the active backend threads of this process?"""
    return getattr(get_active_backend()[0], "supports_sharedmem", False)


def run_chunks(work, shared, chunk, chunks, skip):
    """Count votes of all chunks in the workers of joblib's backend.

    Parameters
    ----------
    work : callable
        ``work(shared, rows, chunk)`` returns the votes of a chunk; importable by name.

    shared : object
        Sent to each worker once.

    chunk : callable
        ``chunk(rows)`` returns what a worker gets for some rows.

    chunks : Chunks

    skip : callable
        Told a row, says whether its votes are not needed any more.

    Yields
    ------
    rows : ndarray of int
        Those of a chunk that were not skipped; chunks come in any order.

    votes : Votes
    """
    shared = Here(shared) if shares_memory() else Parcel(shared)
    failures = []

    def tasks():
        # joblib asks for most tasks in a thread of its own, where an exception would
        # be lost and the run would wait forever.
        try:
            for rows in chunks:
                rows = rows[[not skip(row) for row in rows]]
                if len(rows):
                    # As one argument: dask leaves a large array with one worker alone,
                    # and the run is lost with that worker; a tuple goes with the task.
                    yield delayed(_work)(work, shared, (rows, chunk(rows)))
        except Exception as error:
            failures.append(error)

    backend, _ = get_active_backend()
    options = {"n_jobs": chunks.n_jobs, "batch_size": 1}
    # Before the first worker starts, which would otherwise set the limit by itself.
    with _one_thread_in_workers(), _lost_tasks_are_errors(backend):
        if backend.supports_return_generator:
            results = Parallel(**options, return_as="generator_unordered")(tasks())
        else:
            results = _in_rounds(Parallel(**options), tasks(), 4 * chunks.n_jobs)
        # Closed at once when interrupted: that stops the workers.
        with closing(results):
            for rows, votes, seconds in results:
                chunks.took(len(rows), seconds)
                yield rows, votes
    if failures:
        raise failures[0]


class _Lost(NamedTuple):
    """What a task returns that no worker could finish."""

    error: Exception


@contextmanager
def _lost_tasks_are_errors(backend):
    """Let a run end with an error where each worker that got some task has died.

    joblib's backend for dask notes that in the task's future, but does not call back,
    and so the run would wait forever.
    """
    if type(backend).__name__ != "DaskDistributedBackend":
        yield
        return
    submit, retrieve = backend.submit, backend.retrieve_result_callback

    def submit_and_watch(func, callback=None):
        def tell(future):
            if not future.cancelled() and future.exception() is not None:
                callback(_Lost(future.exception()))

        future = submit(func, callback)
        future.add_done_callback(tell)
        return future

    def retrieve_or_raise(out):
        if isinstance(out, _Lost):
            raise out.error
        return retrieve(out)

    backend.submit = submit_and_watch
    backend.retrieve_result_callback = retrieve_or_raise
    try:
        yield
    finally:
        del backend.submit, backend.retrieve_result_callback


def _in_rounds(parallel, tasks, size):
    """Yield results of a backend that returns them only all at once."""
    with parallel:
        while some := list(islice(tasks, size)):
            yield from parallel(some)


def _work(work, shared, rows_and_chunk):
    """Count the votes of one chunk; what a worker does."""
    start = time.perf_counter()
    rows, chunk = rows_and_chunk
    # What is imported to open the model may run tasks, too. In a worker of dask they
    # would let the next chunk start, which waits for the model: neither would go on.
    with parallel_config("sequential"):
        # Before the threads are limited, for the libraries that it loads.
        content = shared.content()
        with shared.one_thread():
            votes = work(content, rows, chunk)
    return rows, votes, time.perf_counter() - start


class Here:
    """An object for workers that are threads of this process."""

    def __init__(self, content):
        self._content = content
        # If it is imported later, nobody would put its setting back.
        self._has_torch = "torch" in sys.modules

    def content(self):
        """Return the object."""
        return self._content

    @contextmanager
    def one_thread(self):
        """Let what a worker uses have one thread."""
        with threadpool_limits(1):
            if self._has_torch:
                _one_torch_thread()
            yield


class Parcel:
    """An object that is pickled once and unpickled once in every process.

    Its large arrays travel next to the pickle, so that joblib can map them into the
    memory of all workers instead of copying them.
    """

    def __init__(self, content):
        large = []

        def stays(buffer):
            if buffer.raw().nbytes < _LARGE:
                return True
            large.append(np.frombuffer(buffer.raw(), np.uint8))
            return False

        self.token = os.urandom(16)
        data = cloudpickle.dumps(content, protocol=5, buffer_callback=stays)
        self.pickle, self.buffers = np.frombuffer(data, np.uint8), large

    def content(self):
        """Return the object."""
        with _OPENING:
            if self.token not in _OPENED:
                _OPENED.clear()  # one run at a time, else models would pile up
                _OPENED[self.token] = pickle.loads(self.pickle, buffers=self.buffers)
            return _OPENED[self.token]

    def one_thread(self):
        """Let what a worker uses have one thread."""
        return one_thread()


_OPENED = {}
_OPENING = threading.Lock()


@contextmanager
def one_thread():
    """Let BLAS, OpenMP and torch use one thread: the cores are for the workers."""
    with _torch_threads_kept(), threadpool_limits(1):
        _one_torch_thread()
        yield


@contextmanager
def _one_thread_in_workers():
    """Limit the threads of workers that are threads, which share their settings.

    Held by the thread that waits for them: what it has set they leave as it is, and
    torch's setting it puts back. Each worker would put back what another has set.
    """
    if not shares_memory():
        yield
        return
    with _torch_threads_kept(), threadpool_limits(1, user_api="blas"):
        yield


@contextmanager
def _torch_threads_kept():
    """Put back how many threads torch uses, if it is imported already."""
    n_threads = getattr(sys.modules.get("torch"), "get_num_threads", lambda: None)()
    try:
        yield
    finally:
        if n_threads is not None:
            sys.modules["torch"].set_num_threads(n_threads)


def _one_torch_thread():
    getattr(sys.modules.get("torch"), "set_num_threads", lambda n: None)(1)
