"""No room, or a disk that refuses: what is promised stays, and what can go on does."""

from __future__ import annotations

import logging
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import pytest
from msgspec.structs import replace

from germane.domain.errors import StorageDamaged, StorageFailed
from germane.domain.record import Txn
from germane.storage.sqlite import SqliteStore, checkpoint
from germane.storage.sqlite.checksums import connected
from germane.storage.sqlite.erasing import LOOSE
from germane.storage.sqlite.trouble import StorageFull, of_damage, of_sync, passes, writing
from germane.testing.store_contract import a_record
from germane.testing.world import START_MS


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_start_without_room_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The file that is to be written anew is left as it is, and so is its mark, for the next start."""
    store = SqliteStore.open(tmp_path)
    records = [replace(a_record(n), body=b"x" * 3_000) for n in range(1, 400)]
    store.commit(Txn(records=records, meta={LOOSE: b"\x01"}))
    store.close()
    with (
        largest_file((tmp_path / "germane.db").stat().st_size // 2),
        caplog.at_level(logging.WARNING),
    ):
        store = SqliteStore.open(tmp_path)
        assert store.meta(LOOSE) is not None
        assert list(store.read(0)) == records
        store.close()
    assert "the next start tries again" in caplog.text
    store = SqliteStore.open(tmp_path)
    assert store.meta(LOOSE) is None
    assert list(store.read(0)) == records
    store.close()


class Refusing:
    """A connection whose disk refuses the next commit."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *arguments: Any) -> Any:
        """All but a commit."""
        if sql == "COMMIT":
            raise apsw.IOError("disk I/O error")
        return self._connection.execute(sql, *arguments)


def an_error(name: str) -> apsw.Error:
    """As SQLite raises it."""
    code = apsw.mapping_extended_result_codes.get(name) or apsw.mapping_result_codes[name]
    error = apsw.exception_for(int(code))
    error.extendedresult = int(code)
    return error


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SQLITE_FULL", "storage.full"),
        ("SQLITE_READONLY", "storage.read_only"),
        ("SQLITE_READONLY_DIRECTORY", "storage.read_only"),
        ("SQLITE_CANTOPEN", "storage.read_only"),
        ("SQLITE_CORRUPT", "storage.damaged"),
        ("SQLITE_CORRUPT_INDEX", "storage.damaged"),
        ("SQLITE_NOTADB", "storage.damaged"),
        ("SQLITE_ERROR", "storage.damaged"),
        ("SQLITE_IOERR_DATA", "storage.damaged"),
        ("SQLITE_IOERR_WRITE", "storage.failed"),
        ("SQLITE_IOERR_FSYNC", "storage.failed"),
        ("SQLITE_BUSY", "storage.failed"),
    ],
)
def test_what_sqlite_says_as_one_of_ours(tmp_path: Path, name: str, code: str) -> None:
    """By its name, the long one where there is one."""
    with pytest.raises(StorageFailed) as told, writing(tmp_path / "germane.db"):
        raise an_error(name)
    assert told.value.code == code


def test_what_passes_and_what_must_end_writing() -> None:
    """A full disk and a reader pass; a sync that failed and a damaged page do not."""
    busy, full, sync, page = map(
        an_error, ("SQLITE_BUSY_SNAPSHOT", "SQLITE_FULL", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DATA")
    )
    assert [passes(x) for x in (busy, full, sync, page)] == [True, True, False, False]
    assert [of_sync(x) for x in (busy, full, sync, page)] == [False, False, True, False]
    assert [of_damage(x) for x in (busy, full, sync, page)] == [False, False, False, True]


def test_a_damaged_file_is_not_written_anew(tmp_path: Path) -> None:
    """A page that cannot be read is no want of room: the start says what it is."""
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(records=[a_record(n) for n in range(1, 400)], meta={LOOSE: b"\x01"}))
    store.close()
    path = tmp_path / "germane.db"
    with closing(connected(path)) as database:
        page = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'log'").get
    data = bytearray(path.read_bytes())
    data[page * 4096 - 100] ^= 1
    path.write_bytes(data)
    with pytest.raises(StorageDamaged, match="not as it was written"):
        SqliteStore.open(tmp_path)


def test_text_that_is_none(tmp_path: Path) -> None:
    """A database without checksums may have such."""
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(records=[a_record(1)]))
    store.close()
    with closing(connected(tmp_path / "germane.db")) as database:
        database.execute("UPDATE log SET person = CAST(x'ff41' AS TEXT)")
    store = SqliteStore.open(tmp_path)
    with pytest.raises(StorageDamaged):
        list(store.read(0))
    with pytest.raises(StorageDamaged):
        store.seal(START_MS + 1)
    store.close()


def test_a_rebuild_that_is_not_durable_keeps_the_sealed_files(tmp_path: Path) -> None:
    """The database still names the old ones: no later commit drops them."""
    store = SqliteStore.open(tmp_path)
    records = [a_record(n) for n in range(1, 10)]
    store.commit(Txn(records=records))
    store.seal(START_MS + 1)
    writer = store._writer
    store._writer = Refusing(writer)  # type: ignore[assignment,arg-type]
    with pytest.raises(StorageFailed):
        store.replace_state([Txn(records=[replace(records[0], derived=b"new")])])
    store._writer = writer
    store.commit(Txn(meta={"later": b"1"}))
    assert list(store.read(0)) == records
    store.close()


def test_a_file_in_the_place_of_the_archive_is_named(tmp_path: Path) -> None:
    """Not the data folder, which is fine."""
    (tmp_path / "archive").write_text("")
    with (
        pytest.raises(StorageFailed, match=r"archive cannot be a folder of it"),
        writing(tmp_path / "germane.db"),
    ):
        (tmp_path / "archive" / "events").mkdir()


class Listening:
    """A connection that keeps what it was told."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.told: list[str] = []

    def execute(self, statement: str) -> Any:
        """As SQLite does."""
        self.told.append(statement)
        return self._connection.execute(statement)


def test_a_long_read_holds_up_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WAL that is too long, and cannot be cut while somebody reads: the writer tries, and does not wait."""
    monkeypatch.setattr(checkpoint, "BOUND_BYTES", 1)
    monkeypatch.setattr(checkpoint, "PAGES", 1)
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(records=[a_record(1)]))
    reader = connected(tmp_path / "germane.db")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM log").get == 1
    store.commit(Txn(records=[a_record(2)]))
    writer = Listening(store._writer)  # type: ignore[arg-type]
    store._checkpointer.wrote(1, writer)  # type: ignore[union-attr, arg-type]
    assert writer.told[1:3] == ["PRAGMA busy_timeout=0", "PRAGMA wal_checkpoint(TRUNCATE)"]
    assert writer.execute("PRAGMA busy_timeout").get == 10_000
    assert (tmp_path / "germane.db-wal").stat().st_size > 0
    reader.close()
    assert checkpoint.cut(store._writer, patience_ms=1_000)  # type: ignore[arg-type]
    assert (tmp_path / "germane.db-wal").stat().st_size == 0
    store.close()


def test_the_wal_begins_anew_while_commits_follow_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always a commit that came while the rest was moved: the writer moves the last one itself."""
    monkeypatch.setattr(checkpoint, "PAGES", 10**9)  # the thread is not told to move anything
    monkeypatch.setattr(checkpoint, "TURN", 20)
    store = SqliteStore.open(tmp_path)
    of_its_own = store._checkpointer
    assert of_its_own is not None
    mover, pages = connected(tmp_path / "germane.db"), []
    for number in range(1, 201):
        store.stage(Txn(records=[a_record(number)]))
        pages.append(checkpoint.moved(mover))
        of_its_own._turn = pages[-1] > checkpoint.TURN  # as the thread says it
        of_its_own._written = 0  # as it is when the thread is told to move
        store.sync()
    assert 20 < max(pages) < 40
    assert sum(later < sooner for sooner, later in pairwise(pages)) > 10
    mover.close()
    store.close()


MOVING = """
import fcntl, sys, time
with open(sys.argv[1], "r+b") as shared:
    fcntl.lockf(shared, fcntl.LOCK_EX, 1, 121)  # SQLite's WAL_CKPT_LOCK, held by whoever moves the WAL
    print("moving", flush=True)
    time.sleep(float(sys.argv[2]))
"""
"""Another process that moves the WAL for so long."""


@pytest.mark.parametrize(
    ("moving_s", "patience_ms", "done"), [(0.3, 10_000, True), (20, 200, False)]
)
def test_a_cut_waits_for_another_move(
    tmp_path: Path, moving_s: float, patience_ms: int, done: bool
) -> None:
    """SQLite says "busy" at once when another runs a checkpoint, whatever the patience."""
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(records=[a_record(1)]))
    shared = str(tmp_path / "germane.db-shm")
    with subprocess.Popen(
        [sys.executable, "-c", MOVING, shared, str(moving_s)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "moving\n"
        assert checkpoint.cut(store._writer, patience_ms=patience_ms) is done
        other.kill()
    store.close()


def test_a_full_disk_says_what_to_do_to_whoever_meets_it() -> None:
    """A server goes on by itself; whoever typed a command has to type it again."""
    assert "A server goes on" in StorageFull.hint
    assert "run it again" in StorageFull.hint
