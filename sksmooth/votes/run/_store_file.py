"""The SQLite file of a store: how it is opened, laid out, and found to be damaged."""

import os
import sqlite3
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

APPLICATION_ID = 0x736B736D  # "sksm"

# Raise it when the tables change.
LAYOUT = 2

_TABLES = {
    "settings": "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, "
    "checksum BLOB NOT NULL)",
    "votes": "CREATE TABLE votes (id BLOB PRIMARY KEY, n_used INTEGER NOT NULL, "
    "counts BLOB NOT NULL, value BLOB NOT NULL, checksum BLOB NOT NULL)",
}

# Seconds to wait for another process that is writing.
_PATIENCE = 60

# Bytes of the largest text or blob that is read: a store has none of this size.
_LARGEST = 2**26

_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_FORMAT,
    # The statements are right: if there is no such table, the file is wrong.
    sqlite3.SQLITE_ERROR,
}


def connect(path, read_only=False):
    """Open an SQLite file, creating it if it does not exist and may be written.

    Returns
    -------
    db : sqlite3.Connection

    read_only : bool
        Whether it could be opened for reading only.
    """
    read_only = read_only or (
        os.path.exists(path)
        and not (os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK))
    )
    db = sqlite3.connect(
        f"{Path(path).as_uri()}?mode={'ro' if read_only else 'rwc'}",
        timeout=_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
    return db, read_only


def begins_like_a_store(path):
    """Does a file begin as SQLite's files do, or is there none, or nothing in it?"""
    with suppress(OSError), open(path, "rb") as file:
        return file.read(16) in (b"", b"SQLite format 3\x00")
    return True


def pragma(db, name):
    """Return the value of a setting of SQLite's."""
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def is_blank(db):
    """Is there nothing in the file yet?"""
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and pragma(db, "application_id") == 0


def create(db, settings):
    """Make an empty store of a blank file."""
    for table in _TABLES.values():
        db.execute(table)
    write_settings(db, settings)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={LAYOUT}")


def write_settings(db, settings):
    """Add settings; those that are there already stay as they are."""
    rows = [(name, text, checksum(name, text)) for name, text in settings.items()]
    db.executemany("INSERT OR IGNORE INTO settings VALUES (?, ?, ?)", rows)


def read_settings(db):
    """Return the settings, in which no damage has been found."""
    return dict(db.execute("SELECT name, value FROM settings"))


def damage_within(db):
    """Say what is wrong in the tables, but for single votes; None if nothing is."""
    found = {}
    for kind, name, text in db.execute("SELECT type, name, sql FROM sqlite_master"):
        if not str(name).startswith("sqlite_"):  # SQLite's own
            found[name] = text if kind == "table" else kind
    # Anything else, a view or a trigger, say, could do what it likes when it is used.
    if found != _TABLES:
        return "it does not hold the tables that a store has"
    state = pragma(db, "integrity_check(1)")
    if state != "ok":
        return state
    for name, text, noted in db.execute("SELECT * FROM settings"):
        if not (isinstance(name, str) and isinstance(text, str)):
            return "a setting is no text"
        if checksum(name, text) != noted:
            return "the checksum of its settings is wrong"
    return None


def checksum(*parts):
    """Return a checksum of texts, bytes and whole numbers."""
    text = blake2b(digest_size=8)
    for part in parts:
        if not isinstance(part, bytes):
            part = str(part).encode("utf-8", "surrogatepass")
        text.update(len(part).to_bytes(8, "little") + part)
    return text.digest()


def is_damage(error):
    """Does an error of SQLite's mean that the file is damaged?"""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python's own, for text that is none
        return isinstance(error, sqlite3.OperationalError | UnicodeDecodeError)
    return code & 0xFF in _DAMAGE
