"""Is the write-ahead log of an SQLite file what was written to it?

SQLite takes a log up to its first frame that is wrong, and drops the rest without a
word: that is how it finds where a crash has cut a commit short. Damage looks the same
to it. Here the two are told apart. A commit that was cut short is the last thing in a
log; the file format is at https://www.sqlite.org/fileformat2.html#walformat.
"""

import time

import numpy as np

_MAGIC, _VERSION = 0x377F0682, 3007000
_HEADER, _FRAME = 32, 24

# A log is used again from its start, with a first salt that is one higher, and frames
# from before may be left at its end.
_MAX_USES = 2**20

# Another process may be writing just now.
_ATTEMPTS, _PAUSE = 6, 0.05


def find_damage(path):
    """Say what is wrong with the log of the SQLite file `path`; None if nothing is."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        index = _read(f"{path}-shm", 136)
        found = _look_at(_read(f"{path}-wal"), index)
        if found is None:
            return None
        if index != _read(f"{path}-shm", 136):
            found = None  # written to in between: nothing is known
    return found


def _read(path, size=-1):
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except FileNotFoundError:
        return b""


def _look_at(log, index):
    header = np.frombuffer(log[:_HEADER], ">u4").tolist() if len(log) >= 32 else []
    expected = _committed(index, header)
    n_whole = 0
    if header:
        magic, version, page_size, _, *salts, first, second = header
        order = ">u4" if magic & 1 else "<u4"
        state = _checksum(log[:24], order)
        if magic & ~1 != _MAGIC or version != _VERSION or state != (first, second):
            return "the header of its -wal file is wrong"
        size = _FRAME + page_size
        frames = [
            log[start : start + size]
            for start in range(_HEADER, len(log) - size + 1, size)
        ]
        for frame in frames:
            *_, one, two, first, second = np.frombuffer(frame[:24], ">u4").tolist()
            state = _checksum(frame[:8], order, state)
            state = _checksum(frame[24:], order, state)
            if [one, two] != salts or state != (first, second):
                break
            n_whole += 1
        for frame in frames[n_whole:]:
            if not _is_left_over(frame, salts):
                return f"frame {n_whole + 1} of its -wal file is wrong"
    if n_whole < expected:
        return f"its -wal file holds {n_whole} of {expected} frames"
    return None


def _is_left_over(frame, salts):
    """Is a frame from before the log was last started again, or was never written?"""
    one, two = np.frombuffer(frame[8:16], ">u4").tolist()
    older = 0 < (salts[0] - one) % 2**32 < _MAX_USES and two != salts[1]
    return older or not any(frame)


def _committed(index, header):
    """Return how many frames of the log are committed, as far as its index tells.

    SQLite does not need the index after a crash, and does not care what it holds; but
    where it is whole and of this log, what it says is so.
    """
    if len(index) < 136 or index[:48] != index[48:96]:
        return 0
    fields = np.frombuffer(index[:48], "=u4").tolist()
    if fields[0] != _VERSION or _checksum(index[:40], "=u4") != tuple(fields[10:12]):
        return 0
    salts = np.frombuffer(index[32:40], ">u4").tolist()
    n_frames, copied = fields[4], int(np.frombuffer(index[96:100], "=u4")[0])
    if not header:  # lost; what has been copied to the main file is not
        return n_frames if copied < n_frames else 0
    return n_frames if salts == header[4:6] else 0


def _checksum(data, order, state=(0, 0)):
    one, two = state
    words = iter(np.frombuffer(data, order).tolist())
    for first, second in zip(words, words, strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
