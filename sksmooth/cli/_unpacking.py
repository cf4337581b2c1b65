"""How much a compressed file is before it is unpacked: a few KB can be many GB."""

import math
import os
import zipfile

# What a file can hold that is unpacked once more when it is read.
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def check_unpacked(path, n_bytes, limit):
    """Refuse to unpack a file that is many times its size.

    Parameters
    ----------
    path : str

    n_bytes : int
        What would have to be held in memory.

    limit : float
        In bytes. A file that itself is larger may be as large in memory.

    Raises
    ------
    ValueError
        If there is more in the file.
    """
    size = os.path.getsize(path)
    if n_bytes > max(limit, size):
        raise ValueError(
            f"{path} unpacks to {_told(n_bytes)} from {_told(size)}, above the limit "
            f"of {_told(limit)} for compressed files. If that is what it should hold, "
            f"allow it with --unpack-limit {math.ceil(n_bytes / 1e8) / 10:g} (in GB)."
        )


def zip_size(file, members=None):
    """Return the unpacked size of a ZipFile, or of some of its members, in bytes."""
    infos = file.infolist() if members is None else map(file.getinfo, members)
    return sum(info.file_size for info in infos)


def nested_zip_size(file):
    """Return the unpacked size of the zip files inside a ZipFile, in bytes.

    Its own size has been found to be small: members are read to look into them.
    """
    total = 0
    for info in file.infolist():
        with file.open(info) as member:
            if member.read(4) in ZIP_STARTS:
                member.seek(0)
                with zipfile.ZipFile(member) as inner:
                    total += zip_size(inner)
    return total


def _told(n_bytes):
    for unit, size in [("GB", 1e9), ("MB", 1e6), ("KB", 1e3)]:
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{n_bytes:.0f} bytes"
