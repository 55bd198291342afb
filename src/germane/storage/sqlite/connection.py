"""Opening the file so that *committed* means *on the disk*, and nobody else writes it."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

import apsw

from germane.domain.errors import (
    GermaneError,
    StorageBusy,
    StorageDamaged,
    StorageFailed,
    StorageReadOnly,
)
from germane.storage.sqlite.checkpoint import cut
from germane.storage.sqlite.checksums import ask_for, checks, connected
from germane.storage.sqlite.sql import archive_schema, ledger_schema, profile_schema, schema
from germane.storage.sqlite.trouble import failure, missing, no_room, passes, writing

SCHEMA_VERSION = 7
CHECKED = 7
"""From this version on each page carries a checksum: the step to it writes the whole file anew."""
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
    6: "SELECT 1",
}
"""For who only reads a file of an earlier version: what is not there yet is empty."""
_PENDING = (
    "CREATE INDEX IF NOT EXISTS dead_letter_pending ON dead_letter (replayed_ms, dismissed_ms) "
    "WHERE replayed_ms IS NULL AND dismissed_ms IS NULL"
)
"""So that those that wait are counted without reading them. Earlier versions do well with it, too."""
PATIENCE_MS = 1_000
"""So long the first checkpoint waits for somebody who reads."""
ONCE_MS = 10_000
"""So long the one after the file was written anew."""
_log = logging.getLogger(__name__)


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


def open_writer(path: Path) -> apsw.Connection:
    """The one writing connection; creates the schema in a new file, brings an older one up to date.

    Raises:
        NewerData: the file's schema is of a later version.
        StorageReadOnly: this user may not write it.
        StorageDamaged: it is no database, or not as it was written.
        StorageFailed: it cannot be opened safely.
        StorageBusy: it was written anew, and somebody reads it as it was.
    """
    connection = _connect(path)
    try:
        _may_be_written(connection, path)
        with writing(path):
            _set_up(connection)
            if _version(connection) < CHECKED:
                _write_anew(connection)
                connection.close()  # the next one reads from the file itself that pages are checked
                connection = _connect(path)
                _set_up(connection)
            _verify(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _may_be_written(connection: apsw.Connection, path: Path) -> None:
    """SQLite opens a file that may only be read without a word, and refuses the first write much later.

    Raises:
        StorageReadOnly: it did.
    """
    if connection.readonly("main"):
        raise StorageReadOnly(
            f"{path} is not open to writing by this user.",
            hint=f"Give this user the right to write it (chmod u+w {path}, or chown it), and see that its disk "
            "is not mounted read-only. Then start again.",
        )


def _set_up(connection: apsw.Connection) -> None:
    if _version(connection) == 0:
        ask_for(connection)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA wal_autocheckpoint=0")  # a checkpoint inside a commit would stall it
    _settle(connection)
    mode = connection.execute("PRAGMA journal_mode").get
    level = connection.execute("PRAGMA synchronous").get
    if (mode, level) != ("wal", 2):
        raise StorageFailed(f"SQLite will not sync commits here (journal {mode}, level {level}).")
    _migrate(connection)
    try:
        connection.execute(_PENDING)
    except apsw.Error as error:
        if not no_room(error):  # the next start makes it; until then, counting takes longer
            raise


def _settle(connection: apsw.Connection) -> None:
    """Move what the WAL holds into the main file before anything builds on it: after a sync that failed, the
    system may have it in memory alone, and a sync of the same pages would not write them."""
    try:
        cut(connection, patience_ms=PATIENCE_MS)
    except apsw.Error as error:
        if not passes(error):
            raise


def open_reader(path: Path) -> apsw.Connection:
    """A connection that only reads, and sees the newest commit at each statement.

    Raises:
        NotFound: the file is just being made, or its making was broken off: nothing is in it.
        NewerData: the file's schema is of a later version.
        StorageBusy, StorageFailed: as ``open_writer``.
    """
    connection = _connect(path, reading=True)
    try:
        version = _version(connection)
        if version == 0:
            raise missing(path.parent)  # noqa: TRY301 - one way out closes the connection
        _known(version)
        _verify(connection, path)
        for step in range(version, SCHEMA_VERSION):
            connection.execute(_SEEN_AS_NEW[step])
        connection.execute("PRAGMA query_only=ON")
    except apsw.Error as error:
        connection.close()
        raise failure(error, path, reading=True) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, *, reading: bool = False) -> apsw.Connection:
    try:
        return connected(path)
    except apsw.Error as error:
        raise failure(error, path, reading=reading) from error


def _migrate(connection: apsw.Connection) -> None:
    version = _version(connection)
    _known(version)
    if version == 0:
        version = SCHEMA_VERSION if checks(connection) else CHECKED - 1  # an earlier one began it
        connection.execute(f"BEGIN IMMEDIATE; {schema()} PRAGMA user_version={version}; COMMIT;")
        return
    for step in range(version, CHECKED - 1):
        connection.execute(
            f"BEGIN IMMEDIATE; {_STEPS[step]} PRAGMA user_version={step + 1}; COMMIT;"
        )


def _write_anew(connection: apsw.Connection) -> None:
    """A file of an earlier version, so that its pages carry checksums. Without room for that it stays as it is,
    and the next start tries again."""
    _log.info("the database is written anew, once, so that each page carries a checksum")
    try:
        ask_for(connection)
        connection.execute("VACUUM")
        connection.execute(f"PRAGMA user_version={CHECKED}")
        cut(connection, patience_ms=ONCE_MS)
    except apsw.Error as error:
        if not no_room(error):
            raise
        _log.warning(
            "there is no room to write the database anew: its pages carry no checksums yet"
        )


def _verify(connection: apsw.Connection, path: Path) -> None:
    """Pages are checked, if they can be.

    Raises:
        StorageBusy: what was written anew is still in the WAL.
        StorageDamaged: the file should have checksums, and says that it has none.
    """
    if _version(connection) < CHECKED or checks(connection):
        return
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size > 0:
        raise StorageBusy(
            f"{path} was just written anew, and that cannot take the place of what was there: another process "
            "reads it, or the disk is full.",
            hint="Wait until the other one is through (an export, a backup), or make room; then try again.",
        )
    raise StorageDamaged(f"{path} is damaged: its first page is not as it was written.")


def _version(connection: apsw.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").get
    return found


def _known(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise NewerData(found=version, known=SCHEMA_VERSION)
