"""Opening the file so that *committed* means *on the disk*, and nobody else writes it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from germane.domain.errors import GermaneError, StorageBusy, StorageFailed
from germane.storage.sqlite.sql import archive_schema, ledger_schema, profile_schema, schema
from germane.storage.sqlite.trouble import failure, missing, passes, writing

SCHEMA_VERSION = 6
_STEPS = {
    1: "ALTER TABLE dead_letter ADD COLUMN dismissed_ms INTEGER;",
    2: ledger_schema(),
    3: archive_schema(),
    4: f"""
        ALTER TABLE profile RENAME TO before;
        {profile_schema()}
        INSERT INTO profile SELECT tenant, person, body FROM before ORDER BY tenant, person;
        DROP TABLE before;
    """,  # noqa: S608 - fixed names
    5: f"""
        DROP INDEX entry_due; DROP INDEX entry_person; DROP INDEX entry_topic;
        ALTER TABLE entry RENAME TO before;
        {ledger_schema()}
        INSERT INTO entry SELECT * FROM before ORDER BY tenant, kind, key;
        DROP TABLE before;
    """,  # noqa: S608 - fixed names
}
"""From a version to the next."""
_SEEN_AS_NEW = {
    1: "CREATE TEMP VIEW dead_letter AS SELECT *, NULL AS dismissed_ms FROM main.dead_letter",
    2: "CREATE TEMP TABLE entry (tenant, kind, key, person, topic, status, due_ms, body)",
    3: "CREATE TEMP TABLE archived (file, month, first_seq, last_seq, rows, sha256, since)",
    4: "SELECT 1",  # the same to who reads it
    5: "SELECT 1",
}
"""For who only reads a file of an earlier version: what is not there yet is empty."""
CACHE_KIB = 65_536
PATIENCE_MS = 1_000
"""So long the first checkpoint waits for somebody who reads."""


class NewerData(GermaneError):
    """The data folder was written by a newer version of Germane."""

    code = "storage.newer_version"
    hint = "Upgrade Germane, or open a backup made by this version."


class FolderLock:
    """Held by the one process that writes a data folder."""

    def __init__(self, folder: Path) -> None:
        with writing(folder / "germane.db"):
            self._file = (folder / "germane.lock").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise StorageBusy(f"Another process has {folder} open.") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let others in."""
        self._file.close()


def open_writer(path: Path) -> sqlite3.Connection:
    """The one writing connection; creates the schema in a new file, brings an older one up to date.

    Raises:
        NewerData: the file's schema is of a later version.
        StorageReadOnly: this user may not write it.
        StorageDamaged: it is no database, or not as it was written.
        StorageFailed: it cannot be opened safely.
    """
    connection = _connect(path)
    try:
        with writing(path):
            _set_up(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA wal_autocheckpoint=0")  # a checkpoint inside a commit would stall it
    _settle(connection)
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        raise StorageFailed(f"SQLite will not sync commits here (journal {mode}, level {level}).")
    _migrate(connection)


def _settle(connection: sqlite3.Connection) -> None:
    """Move what the WAL holds into the main file before anything builds on it: after a sync that failed, the
    system may have it in memory alone, and a sync of the same pages would not write them."""
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        if not passes(error):
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience_ms}")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, and sees the newest commit at each statement.

    Raises:
        NotFound: the file is just being made, or its making was broken off: nothing is in it.
        NewerData: the file's schema is of a later version.
        StorageFailed: as ``open_writer``.
    """
    connection = _connect(path, reading=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            raise missing(path.parent)  # noqa: TRY301 - one way out closes the connection
        _known(version)
        for step in range(version, SCHEMA_VERSION):
            connection.execute(_SEEN_AS_NEW[step])
        connection.execute("PRAGMA query_only=ON")
    except sqlite3.Error as error:
        connection.close()
        raise failure(error, path, reading=True) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, *, reading: bool = False) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=10, check_same_thread=False, cached_statements=256
        )
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    except sqlite3.Error as error:
        raise failure(error, path, reading=reading) from error
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    _known(version)
    if version == 0:
        connection.executescript(
            f"BEGIN IMMEDIATE; {schema()} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
        )
        return
    for step in range(version, SCHEMA_VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {_STEPS[step]} PRAGMA user_version={step + 1}; COMMIT;"
        )


def _known(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise NewerData(found=version, known=SCHEMA_VERSION)
