"""Pages carry checksums: also in a file of before, once it was written anew; what is not so is told."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from germane.app.deep import flaws
from germane.domain.errors import StorageDamaged
from germane.domain.record import Txn
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import checks, connected
from germane.testing.store_contract import a_record

RESERVED = 20
"""Where the header of a database says how many bytes of each page are kept for checksums."""
KEYS = "sqlite_autoindex_profile_1"
RECORDS = [a_record(n) for n in range(1, 60)]


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


def test_a_database_of_before_is_written_anew(folder: Path) -> None:
    """By the first that writes; who reads reads it as it is, and a deep check says how it stands."""
    path = folder / "germane.db"
    with closing(sqlite3.connect(path)) as connection:
        everything = "\n".join(connection.iterdump())
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(f"{everything} PRAGMA user_version=6;")
    assert path.read_bytes()[RESERVED] == 0
    reader = SqliteStore.open(folder, mode="read")
    assert list(reader.read(0)) == RECORDS
    reader.close()
    assert "carry no checksums" in flaws(folder)[0]
    store = SqliteStore.open(folder)
    assert list(store.read(0)) == RECORDS
    store.commit(Txn(records=[a_record(60)]))
    store.close()
    with closing(connected(path)) as connection:
        assert checks(connection)
    assert flaws(folder) == []


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
    assert "germane.db is damaged: " in told
    assert "unable to get the page" in told


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
