"""Files that are written: whole or not at all, and what they were before."""

import os
import stat
import threading
from pathlib import Path

import pytest

from sksmooth._writing import write_file
from sksmooth.datasets import _files
from sksmooth.logs import write_log

LOG = ([1], [0.5]), [1]
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and FIFOs of POSIX")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield 0o027
    os.umask(old)


@pytest.mark.parametrize("content", ["ä\r\nb\n", b"\xff\x00"])
def test_content(tmp_path, content):
    write_file(tmp_path / "file", content)
    expected = content.encode() if isinstance(content, str) else content
    assert (tmp_path / "file").read_bytes() == expected


def test_new_files_are_as_the_user_wants_new_files(tmp_path, umask):
    write_file(tmp_path / "file", "")
    assert mode(tmp_path / "file") == 0o666 & ~umask


@pytest.mark.parametrize("before", [0o600, 0o644, 0o660, 0o777, 0o620])
def test_the_mode_stays(tmp_path, umask, before):
    path = tmp_path / "file"
    path.touch()
    path.chmod(before)
    os.utime(path, (0, 0))
    write_log(*LOG, path)
    assert mode(path) == before
    assert path.stat().st_size > 0 < path.stat().st_mtime


def test_a_private_file_is_private_at_every_moment(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.touch()
    path.chmod(0o600)
    fsync = os.fsync

    def look(handle):
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", look)
    write_file(path, "secret")
    assert seen == [0o600]


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
def test_the_owner_stays(tmp_path):
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 12, 34)
    path.chmod(0o640)
    write_file(path, "text")
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (12, 34, 0o640)


@pytest.mark.skipif(not ROOT, reason="only root may give files away")
@pytest.mark.parametrize(("before", "after"), [(0o640, 0o600), (0o664, 0o644)])
def test_another_group_gets_no_more_than_everybody(
    tmp_path, monkeypatch, before, after
):
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 12, 34)
    path.chmod(before)

    def refuse(*args):
        raise PermissionError("not yours to give")

    monkeypatch.setattr(os, "chown", refuse)
    write_file(path, "text")
    assert path.stat().st_gid != 34
    assert mode(path) == after


def test_a_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("precious")
    # As it is for all but root.
    monkeypatch.setattr(os, "access", lambda path, what: what != os.W_OK)
    with pytest.raises(PermissionError, match="file"):
        write_file(path, "text")
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["file"]


def write_and_read(path, write):
    """Return what comes out of a FIFO when something is written to `path`."""
    read = []
    reader = threading.Thread(target=lambda: read.append(Path(path).read_bytes()))
    reader.start()
    write()
    reader.join(timeout=60)
    return read[0]


def test_a_fifo_is_written_into(tmp_path):
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to("fifo")
    for path in (fifo, link):
        text = write_and_read(path, lambda path=path: write_log(*LOG, path))
        assert text.startswith(b"idx\tlabel")
    long = b"x" * 1_000_000
    assert write_and_read(fifo, lambda: write_file(fifo, long)) == long
    assert stat.S_ISFIFO(fifo.stat().st_mode) and link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link"]


def test_a_device_is_written_into(tmp_path):
    """A terminal, as making other devices is for root."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    write_file(path, "hello")
    assert os.read(master, 100) == b"hello"
    assert stat.S_ISCHR(os.stat(path).st_mode)
    os.close(master)
    os.close(slave)


def test_links_are_followed_wherever_they_lead(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link, far = tmp_path / "folder/file", tmp_path / "link", tmp_path / "far"
    link.symlink_to("folder/file")
    far.symlink_to(link)
    for content in ("new", "old"):  # made, then replaced
        write_file(far, content)
        assert target.read_text() == content
        assert far.is_symlink() and link.is_symlink()
        assert os.listdir(target.parent) == ["file"]


def test_names_as_long_as_the_system_takes(tmp_path):
    path = tmp_path / ("x" * 250)
    write_file(path, "text")
    assert path.read_text() == "text"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has /dev/full")
def test_errors_name_the_file(tmp_path):
    with pytest.raises(OSError, match="/dev/full"):
        write_log(*LOG, "/dev/full")
    with pytest.raises(FileNotFoundError, match="nowhere/file'$"):
        write_file(tmp_path / "nowhere/file", "")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        write_file(tmp_path, "")


def test_data_sets_are_kept_by_the_same_rules(tmp_path):
    class Dataset:
        folder = "set"

    path = tmp_path / "set/file"
    _files.keep(Dataset, "file", b"one", tmp_path)
    path.chmod(0o600)
    _files.keep(Dataset, "file", b"two", tmp_path)
    assert path.read_bytes() == b"two"
    assert mode(path) == 0o600
