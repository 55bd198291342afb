"""Erasing: the statements that leave no row of a person, and what leaves no byte.

``secure_delete`` overwrites a deleted row where it was, but not what was left of it in a page that was balanced
before (measured: 12 of 666 rows). So the file is written anew (``VACUUM``), at once where it
is small, else by the next start. What the WAL held goes with the WAL, which is moved and cut to nothing.
"""

from __future__ import annotations

import logging

import apsw

from germane.domain.erasure import Erasure
from germane.storage.sqlite.checkpoint import cut
from germane.storage.sqlite.trouble import of_damage, of_sync

LOOSE = "storage.loose"
"""A named value, there while bytes of somebody who was erased may be left in the file."""
AT_ONCE_BYTES = 64 * 1024 * 1024
"""A file up to this size is written anew while serving: commits wait for a second or two."""
PATIENCE_MS = 100
"""So long a checkpoint waits for a read, each time."""
_log = logging.getLogger(__name__)
_GONE = "CREATE TEMP TABLE IF NOT EXISTS gone (seq INTEGER PRIMARY KEY)"
_BETWEEN = """INSERT OR IGNORE INTO temp.gone SELECT seq FROM log
WHERE seq > ? AND seq < ? AND tenant = ? AND person = ?"""
_OF_RECORDS = tuple(
    f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM temp.gone)"  # noqa: S608 - fixed names
    for table in ("log", "dedupe", "decision")
)
_OF_PEOPLE = tuple(
    f"DELETE FROM {table} WHERE tenant = ? AND person = ?"  # noqa: S608 - fixed names
    for table in ("profile", "identity", "entry")
)


def erase(connection: apsw.Connection, what: Erasure) -> None:
    """Delete the rows, inside the caller's transaction."""
    connection.execute(_GONE)
    connection.execute("DELETE FROM temp.gone")
    many = connection.executemany
    many("INSERT OR IGNORE INTO temp.gone VALUES (?)", [(seq,) for seq in what.seqs])
    people = [(what.tenant, each) for each in what.people]
    if what.before > what.after:
        many(_BETWEEN, [(what.after, what.before, *each) for each in people])
    for statement in _OF_RECORDS:
        connection.execute(statement)
    for statement in _OF_PEOPLE:
        many(statement, people)
    many("DELETE FROM dead_letter WHERE letter_id = ?", [(each,) for each in what.letters])
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, x'01')", (LOOSE,))


def written_anew(connection: apsw.Connection) -> None:
    """Write the whole file anew where bytes may be left in it. Without room for that the mark stays for the
    next start, and all else goes on; a damaged file or a sync that failed is another error, which is raised."""
    loose = connection.execute("SELECT 1 FROM meta WHERE key = ?", (LOOSE,)).fetchone()
    if loose is None:
        return
    try:
        connection.execute("VACUUM")
        connection.execute("DELETE FROM meta WHERE key = ?", (LOOSE,))
    except apsw.Error as error:
        if of_sync(error) or of_damage(error):
            raise
        _log.warning(
            "the database could not be written anew, so that bytes of somebody who was erased may be left "
            "in it; the next start tries again: %s",
            error,
        )


def scrubbed(connection: apsw.Connection) -> bool:
    """Move the WAL into the main file and cut it; whether that could be done: a long read holds it up."""
    return cut(connection, patience_ms=PATIENCE_MS)
