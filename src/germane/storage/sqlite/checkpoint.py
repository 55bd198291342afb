"""Moving the WAL into the main file beside the commits, so that no commit has to wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from germane.storage.sqlite.checksums import connected
from germane.storage.sqlite.trouble import passes

PAGES = 1_000
"""Pages (4 kB each) written since the last move that are worth another."""
BUSY_S = 10.0
"""Patience when the thread begins: others may be opening the file."""
TURN = 4_000
"""Pages in the WAL from which on it is to begin anew."""
FEW = 500
"""So many pages the writer moves itself, so that the WAL begins anew; more (an import's) are the thread's."""
BOUND_BYTES = 256 * 1024 * 1024
"""A WAL that grew to this, because readers held it, is moved by the writer itself."""
AGAIN_S = 0.01
"""Between two tries at cutting the WAL."""


def cut(connection: apsw.Connection, *, patience_ms: int) -> bool:
    """Move the WAL into the main file and cut it to nothing; whether that could be done. A read that lasts
    (a backup) keeps it from being cut, and so does another move that runs: they are waited for no longer
    than ``patience_ms``, tried anew since SQLite itself waits for readers but not for another move."""
    before_ms = connection.execute("PRAGMA busy_timeout").get
    connection.execute(f"PRAGMA busy_timeout={patience_ms}")
    until_s = time.monotonic() + patience_ms / 1_000
    try:
        while busy := connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:
            if time.monotonic() >= until_s:
                break
            time.sleep(AGAIN_S)
    finally:
        connection.execute(f"PRAGMA busy_timeout={before_ms}")
    return not busy


def moved(connection: apsw.Connection) -> int:
    """Move what can be moved without waiting for anybody; how many pages the WAL has, moved or not."""
    pages = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()[0][1]
    assert isinstance(pages, int)
    return pages


class Checkpointer:
    """A thread with a connection of its own that runs passive checkpoints when it is told to."""

    def __init__(self, path: Path, failed: Callable[[apsw.Error], object]) -> None:
        """``failed`` is told, in the thread, what cannot be tried again: a sync that failed, say."""
        self._path = path
        self._failed = failed
        self._written = 0
        self._turn = False
        """The WAL is long, and nearly all of it was moved."""
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="germane-checkpoint", daemon=True)
        self._thread.start()

    def wrote(self, pages: int, writer: apsw.Connection) -> None:
        """So many pages more are in the WAL. Called by the writer after a commit.

        The WAL begins anew with the first commit that finds all of it moved. Where commits follow one another
        there is always one that came while the rest was moved: so now and then the writer moves the last few
        pages itself.
        """
        self._written += pages
        if self._turn and self._written < FEW:
            self._turn = False
            moved(writer)
        if self._written < PAGES:
            return
        self._written = 0
        if self._path.with_name(self._path.name + "-wal").stat().st_size > BOUND_BYTES:
            cut(writer, patience_ms=0)
        self._wanted.set()

    def close(self) -> None:
        """End the thread; what is in the WAL stays there."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            connection = connected(self._path, BUSY_S)
            try:
                self._move(connection)
            finally:
                connection.close()
        except apsw.Error as error:
            self._failed(error)

    def _move(self, connection: apsw.Connection) -> None:
        connection.execute("PRAGMA synchronous=FULL")
        connection.set_busy_timeout(0)  # a checkpoint waits for nobody
        while self._wanted.wait() and not self._closing:
            self._wanted.clear()
            try:
                self._turn = moved(connection) > TURN
            except apsw.Error as error:
                if not passes(error):  # else it is moved later: the WAL has it durably
                    raise
