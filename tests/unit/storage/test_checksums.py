"""Pages carry checksums: also in a file of before, once it was written anew; what is not so is told."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from germane.app.deep import flaws
from germane.domain.errors import StorageBusy, StorageDamaged
from germane.domain.record import Txn
from germane.storage.backup import make
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore, checksums
from germane.storage.sqlite import connection as opening
from germane.storage.sqlite.checksums import checks, connected
from germane.storage.sqlite.connection import CHECKED
from germane.testing.store_contract import a_record
from tests.unit.storage.test_trouble import largest_file

RESERVED = 20
"""Where the header of a database says how many bytes of each page are kept for checksums."""
KEYS = "sqlite_autoindex_profile_1"
COUNT = 600
RECORDS = [a_record(n) for n in range(1, COUNT + 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With some records."""
    store = SqliteStore.open(tmp_path / "data")
    store.commit(Txn(records=RECORDS))
    store.close()
    return tmp_path / "data"


def flip(path: Path, place: int) -> None:
    """Change a byte."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.fixture
def of_before(folder: Path) -> Path:
    """As the version before checksums left it."""
    path = folder / "germane.db"
    with closing(sqlite3.connect(path)) as connection:
        everything = "\n".join(connection.iterdump())
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(f"{everything} PRAGMA user_version={CHECKED - 1};")
    assert path.read_bytes()[RESERVED] == 0
    return folder


def is_checked(folder: Path) -> bool:
    """Whether its pages carry checksums, all of which are right."""
    with closing(connected(folder / "germane.db")) as connection:
        return checks(connection) and connection.execute("PRAGMA integrity_check").get == "ok"


def test_a_new_database(folder: Path) -> None:
    """Has them from its first page on; also where an earlier version began one and was broken off."""
    assert is_checked(folder)
    path = folder / "germane.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    assert path.read_bytes()[RESERVED] == 0
    SqliteStore.open(folder).close()
    assert is_checked(folder)


def test_a_database_of_before_is_written_anew(of_before: Path) -> None:
    """By the first that writes; who reads reads it as it is, and a deep check says how it stands."""
    reader = SqliteStore.open(of_before, mode="read")
    assert list(reader.read(0)) == RECORDS
    reader.close()
    (flaw,) = flaws(of_before)
    assert "carry no checksums" in flaw.text
    assert flaw.hint.startswith("Start the server")
    store = SqliteStore.open(of_before)
    assert list(store.read(0)) == RECORDS
    store.commit(Txn(records=[a_record(COUNT + 1)]))
    store.close()
    assert is_checked(of_before)
    assert flaws(of_before) == []


def test_without_room_it_stays_as_it_is(of_before: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What it has can be read and written; the next start tries again."""
    with largest_file(40_000):
        store = SqliteStore.open(of_before)
    store.commit(Txn(records=[a_record(COUNT + 1)]))
    store.close()
    assert "no room to write the database anew" in caplog.text
    assert not is_checked(of_before)
    store = SqliteStore.open(of_before)
    assert list(store.read(0)) == [*RECORDS, a_record(COUNT + 1)]
    store.close()
    assert is_checked(of_before)


def test_nobody_goes_on_while_it_is_read_as_it_was(
    of_before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file's own header says that pages are not checked, until what was written anew takes its place."""
    monkeypatch.setattr(opening, "ONCE_MS", 0)
    monkeypatch.setattr(opening, "PATIENCE_MS", 0)
    with closing(connected(of_before / "germane.db")) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM log").get == len(RECORDS)
        for mode in ("serve", "serve", "read"):
            with pytest.raises(StorageBusy, match="just written anew"):
                SqliteStore.open(of_before, mode=mode).counts()  # type: ignore[arg-type]
    store = SqliteStore.open(of_before)
    assert list(store.read(0)) == RECORDS
    store.close()
    assert is_checked(of_before)


def test_a_backup_of_what_is_in_the_wal(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages get their checksums in the copy, also those that are written before all are there."""
    monkeypatch.setattr(checksums, "CACHE_KIB", 16)
    store = SqliteStore.open(folder)
    store.commit(Txn(records=[a_record(n) for n in range(COUNT + 1, COUNT + 500)]))
    store.commit(Txn(records=[a_record(n) for n in range(COUNT + 500, COUNT + 900)]))
    assert (folder / "germane.db-wal").stat().st_size > 100_000
    made = make(folder, tmp_path / "backups", version="1", now_ms=lambda: 0)
    store.close()
    assert is_checked(made.path)


def test_a_backup_of_a_database_of_before(
    of_before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is of that version, and reads as it did."""
    monkeypatch.setattr(checksums, "CACHE_KIB", 16)
    made = make(of_before, tmp_path / "backups", version="1", now_ms=lambda: 0)
    assert made.manifest.schema == CHECKED - 1
    assert (made.path / "germane.db").read_bytes()[RESERVED] == 0
    reader = SqliteStore.open(made.path, mode="read")
    assert list(reader.read(0)) == RECORDS
    reader.close()


@pytest.mark.parametrize("mode", ["serve", "read"])
def test_a_header_that_says_there_are_none(folder: Path, mode: str) -> None:
    """One byte would turn the checks off: the file does not open."""
    flip(folder / "germane.db", RESERVED)
    with pytest.raises(StorageDamaged, match=r"germane\.db is damaged"):
        SqliteStore.open(folder, mode=mode).counts()  # type: ignore[arg-type]


def test_a_page_that_changed_answers_nothing(folder: Path) -> None:
    """Not even that there is no such row; and what lies on other pages is still there."""
    path = folder / "germane.db"
    with closing(connected(path)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (KEYS,)).get
    flip(path, page * 4096 - 100)
    store = SqliteStore.open(folder)
    with pytest.raises(StorageDamaged, match="a page of it is not as it was written"):
        store.profile("main", "u:nobody")
    assert list(store.read(0)) == RECORDS
    store.close()
    (told,) = flaws(folder)
    assert "germane.db is damaged: " in told.text
    assert "unable to get the page" in told.text
    assert told.hint == StorageDamaged.hint


@pytest.mark.parametrize("file", ["data.bin", "manifest.json"])
def test_a_model_that_is_passed_over_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str
) -> None:
    """Whether its bytes or its manifest changed; once."""
    blobs = FolderBlobs(tmp_path / "models")
    blobs.put("trees", "1", b"older", {"seq": 1})
    blobs.put("trees", "2", b"newer", {"seq": 2})
    path = tmp_path / "models" / "trees" / "2" / file
    flip(path, path.read_bytes().index(b"e"))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            found = blobs.newest("trees")
            assert found is not None
            assert found[0] == b"older"
    assert [each.getMessage().split()[0] for each in caplog.records] == ["models/trees/2"]
    assert blobs.damaged() == ["trees/2"]
