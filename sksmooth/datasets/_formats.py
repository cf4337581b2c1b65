"""Formats of the files: idx for images and their labels, text for a table."""

import io
import struct

import numpy as np

TABLE_FILE = "spambase.data"


def idx_files(part):
    """Return the names of the images and the labels of one part, train or t10k."""
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def parse_idx(content):
    """Return the uint8 array in an idx file."""
    n_dims = content[3]
    shape = struct.unpack_from(f">{n_dims}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dims).reshape(shape)


def write_idx(array):
    """Return the idx file of a uint8 array."""
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + np.ascontiguousarray(array, np.uint8).tobytes()


def idx_from_openml(data, target, n_train=60_000):
    images = np.asarray(data).astype(np.uint8).reshape(-1, 28, 28)
    labels = np.asarray(target).astype(int).astype(np.uint8)
    files = {}
    for part, rows in (("train", slice(n_train)), ("t10k", slice(n_train, None))):
        for name, array in zip(idx_files(part), (images, labels), strict=True):
            files[name] = write_idx(array[rows])
    return files


def parse_table(content):
    return np.loadtxt(io.BytesIO(content), delimiter=",", ndmin=2)


def write_table(table):
    rows = (",".join(f"{value:g}" for value in row) for row in table)
    return ("\n".join(rows) + "\n").encode()


def table_from_openml(data, target):
    table = np.column_stack([data, np.asarray(target).astype(float)])
    return {TABLE_FILE: write_table(table)}
