"""A backup beside a writer: one moment, whole or not there, and what is wrong is named."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from germane.domain.errors import NotFound, StorageDamaged, StorageFailed, WrongUse
from germane.domain.record import Txn
from germane.storage.backup import (
    BackupDamaged,
    Made,
    NewerBackup,
    NoBackup,
    copied,
    damaged,
    found_in,
    make,
    making,
    prune,
    read,
)
from germane.storage.backup.making import MAKING, BackupBusy, _alone
from germane.storage.backup.manifest import NAME
from germane.storage.files import NoRoom
from germane.storage.history import HistoryDamaged
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import connected
from germane.storage.sqlite.connection import NewerData
from germane.testing.store_contract import a_record
from germane.testing.world import START_MS
from tests.unit.storage.test_trouble import largest_file

OLD_MS = START_MS - 200 * 86_400_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a log, a part of it sealed; nobody has it open."""
    store = SqliteStore.open(tmp_path / "data")
    sealed = [a_record(n, at_ms=OLD_MS) for n in range(1, 30)]
    store.commit(Txn(records=[*sealed, *(a_record(n) for n in range(30, 60))]))
    assert store.seal(START_MS) == 29
    store.close()
    return tmp_path / "data"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where backups are kept."""
    return tmp_path / "backups"


_clock = count(START_MS, 1_000)


def backed_up(data: Path, place: Path, advance: Callable[..., None] = lambda *_: None) -> Made:
    """One more."""
    return make(data, place, version="1.2", now_ms=lambda: next(_clock), advance=advance)


def records_in(folder: Path) -> list[int]:
    """The offsets of its log."""
    store = SqliteStore.open(folder, mode="read")
    found = [each.seq for each in store.read(0)]
    store.close()
    return found


def put_back(made: Made, folder: Path) -> Path:
    """Copied, and compared."""
    copied(made.path, made.manifest, folder)
    return folder


def parquet(folder: Path) -> Path:
    """Its sealed file."""
    (found,) = (folder / "history").rglob("*.parquet")
    return found


def test_it_is_of_one_moment(data: Path, place: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """What is committed and sealed while it is made is not in it, and nothing of before is missing."""
    monkeypatch.setattr(making, "PAGES", 1)
    store = SqliteStore.open(data)
    seqs = count(60)

    def meanwhile(*_: int) -> None:
        store.commit(Txn(records=[a_record(next(seqs), at_ms=OLD_MS)]))
        store.seal(START_MS)

    made = backed_up(data, place, meanwhile)
    last = store.last_seq()
    store.close()
    assert made.manifest.offset < last
    assert records_in(put_back(made, tmp_path / "other")) == [*range(1, made.manifest.offset + 1)]
    assert records_in(data) == [*range(1, last + 1)]


def test_a_file_that_goes_meanwhile(
    data: Path, place: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """History that is written anew between two looks: the backup is of a later moment."""
    store = SqliteStore.open(data)
    named = making._named_now
    what = iter([lambda: store.commit(Txn(erasure=an_erasure(3)))])

    def looked(folder: Path) -> dict[str, str]:
        found = named(folder)
        next(what, lambda: None)()
        return found

    monkeypatch.setattr(making, "_named_now", looked)
    made = backed_up(data, place)
    store.close()
    assert 3 not in records_in(put_back(made, tmp_path / "other"))
    assert damaged(made.path, made.manifest) == []
    assert [x.path for x in made.manifest.files if x.path.endswith(".1.parquet")]


def an_erasure(seq: int) -> Any:
    """Of one record."""
    from germane.domain.erasure import Erasure

    return Erasure("default", (), (seq,))


def test_broken_off(data: Path, place: Path) -> None:
    """Stopped, it leaves nothing; killed, what it left is none, and goes with the next one."""

    def stopped(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backed_up(data, place, stopped)
    assert sorted(x.name for x in place.iterdir()) == [".lock"]
    first = backed_up(data, place)
    shutil.copytree(first.path, place / MAKING)
    (place / MAKING / NAME).unlink()
    assert found_in(place) == [first.path]
    with pytest.raises(NoBackup, match="no whole backup"):
        read(place / MAKING)
    second = backed_up(data, place)
    assert found_in(place) == [first.path, second.path]
    assert not (place / MAKING).exists()


def test_no_room(data: Path, place: Path) -> None:
    """It says so, leaves nothing, and the earlier ones are whole; and it looks before it begins."""
    first = backed_up(data, place)
    with largest_file(50_000), pytest.raises(NoRoom, match="no room"):
        backed_up(data, place)
    assert sorted(x.name for x in place.iterdir()) == [".lock", first.path.name]
    assert damaged(first.path, first.manifest) == []


def test_no_room_is_seen_before(data: Path, place: Path, monkeypatch: Any) -> None:
    """With the numbers."""
    usage = shutil.disk_usage(data)._replace(free=1 << 12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoRoom, match="MB are to be written"):
        backed_up(data, place)


def test_sealed_history_is_shared(
    data: Path, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is linked to the earlier backup's file, after that was looked over; a damaged one is copied anew."""
    first, second = backed_up(data, place), backed_up(data, place)
    assert (first.linked, second.linked) == (0, 1)
    assert parquet(first.path).stat().st_ino == parquet(second.path).stat().st_ino
    assert parquet(data).stat().st_ino != parquet(second.path).stat().st_ino
    parquet(second.path).write_bytes(b"x" * parquet(data).stat().st_size)
    with caplog.at_level(logging.WARNING):
        third = backed_up(data, place)
    assert third.linked == 0
    assert "copied anew" in caplog.text
    assert damaged(third.path, third.manifest) == []
    assert damaged(second.path, second.manifest) == [parquet(data).relative_to(data).as_posix()]


def test_damaged_history(data: Path, place: Path) -> None:
    """What is not what was written is no part of a backup: an earlier one's is taken, or it is named."""
    file = parquet(data)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(HistoryDamaged, match=r"history/events/.*parquet is changed") as told:
        backed_up(data, place)
    assert "retention --verify" in told.value.hint
    file.unlink()
    with pytest.raises(HistoryDamaged, match="is missing"):
        backed_up(data, place)
    assert found_in(place) == []
    file.write_bytes(whole)
    backed_up(data, place)
    file.unlink()
    made = backed_up(data, place)
    assert (made.linked, damaged(made.path, made.manifest)) == (1, [])


def test_a_damaged_database(data: Path, place: Path) -> None:
    """It takes no good backup's place."""
    with (data / "germane.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)
    with pytest.raises(StorageDamaged, match="is damaged"):
        backed_up(data, place)
    assert found_in(place) == []


def test_a_newer_database(data: Path, place: Path) -> None:
    """Nobody knows what it names."""
    with closing(connected(data / "germane.db")) as database:
        database.execute("PRAGMA user_version=99")
    with pytest.raises(NewerData):
        backed_up(data, place)


def test_places_that_are_none(data: Path, place: Path, tmp_path: Path) -> None:
    """A file, the data folder or a folder in it, another data folder, a backup; and where there is no data."""
    (tmp_path / "file").write_text("")
    first = backed_up(data, place)
    for wrong, why in (
        (tmp_path / "file", "is a file"),
        (data, "is in the data folder"),
        (data / "backups", "is in the data folder"),
        (first.path, "a backup itself"),
    ):
        with pytest.raises(WrongUse, match=why):
            backed_up(data, wrong)
    with pytest.raises(NotFound):
        backed_up(tmp_path / "nothing", place)
    assert not (data / "backups").exists()


def test_one_at_a_time(data: Path, place: Path) -> None:
    """And none is removed while one is made."""
    backed_up(data, place)
    with _alone(place):
        with pytest.raises(BackupBusy):
            backed_up(data, place)
        with pytest.raises(BackupBusy):
            prune(place, 1)
    assert len(found_in(place)) == 1


def test_the_newest_are_kept(data: Path, place: Path) -> None:
    """What they share with those that go stays."""
    made = [backed_up(data, place) for _ in range(4)]
    assert prune(place, 2) == [each.path.name for each in made[:2]]
    assert found_in(place) == [each.path for each in made[2:]]
    assert damaged(made[3].path, made[3].manifest) == []
    assert prune(place, 2) == []


def test_a_clock_that_was_ahead(data: Path, place: Path) -> None:
    """What was made last is the newest one, whatever it is called; backups of earlier versions come before all
    that are counted."""
    ahead = make(data, place, version="1", now_ms=lambda: START_MS + 30 * 86_400_000)
    manifest = ahead.path / NAME
    manifest.write_bytes(manifest.read_bytes().replace(b'"number": 1', b'"else": 1'))
    assert read(ahead.path).number == 0
    mended = [
        make(data, place, version="1", now_ms=lambda at=at: START_MS + at)  # type: ignore[misc]
        for at in (9_000, 0)
    ]
    (place / "20260101T000000Z").mkdir()  # it was broken off while it was removed
    assert [each.manifest.number for each in mended] == [1, 2]
    whole = [each for each in found_in(place) if (each / NAME).exists()]
    assert whole == [ahead.path, *(each.path for each in mended)]
    assert prune(place, 1) == [each.path.name for each in (ahead, mended[0])]
    assert read(mended[1].path) == mended[1].manifest


def test_two_of_one_second(data: Path, place: Path) -> None:
    """Each has its name."""
    made = [make(data, place, version="1", now_ms=lambda: START_MS) for _ in range(2)]
    assert [each.path.name for each in made] == ["20251124T100000Z", "20251124T100000Z.1"]
    assert found_in(place) == [each.path for each in made]


def test_only_its_owner_may_read_it(data: Path, place: Path) -> None:
    """It has the secrets of the data folder."""
    made = backed_up(data, place)
    assert made.path.stat().st_mode & 0o077 == 0
    assert {x.stat().st_mode & 0o077 for x in made.path.rglob("*") if x.is_file()} == {0}


def test_what_is_damaged_is_named(data: Path, place: Path, tmp_path: Path) -> None:
    """Of another size, of other bytes, missing; nothing of it counts."""
    made = backed_up(data, place)
    database = made.path / "germane.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:-1] + b"!")
    assert damaged(made.path, made.manifest) == ["germane.db"]
    with pytest.raises(BackupDamaged, match=r"germane\.db is missing or changed"):
        put_back(made, tmp_path / "one")
    database.unlink()
    parquet(made.path).write_bytes(b"")
    assert len(damaged(made.path, made.manifest)) == 2
    with pytest.raises(BackupDamaged, match=r"germane\.db, history/.* are missing") as told:
        put_back(made, tmp_path / "two")
    assert told.value.details["files"][0] == "germane.db"
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"format": 2, "files": "another form"}, NewerBackup),
        ({"schema": 99}, NewerBackup),
        ({"files": [{"path": "../../etc/passwd", "bytes": 1, "sha256": ""}]}, BackupDamaged),
        ({"files": [{"path": "/etc/passwd", "bytes": 1, "sha256": ""}]}, BackupDamaged),
        ({"offset": "many"}, BackupDamaged),
        ({"format": None}, BackupDamaged),
    ],
)
def test_manifests(
    data: Path, place: Path, changed: dict[str, Any], error: type[StorageFailed]
) -> None:
    """Of a newer version, or not what this one writes."""
    made = backed_up(data, place)
    said = msgspec.to_builtins(made.manifest) | changed
    (made.path / NAME).write_bytes(msgspec.json.encode(said))
    with pytest.raises(error, match=r"newer|damaged"):
        read(made.path)


def test_half_a_manifest(data: Path, place: Path) -> None:
    """It was not written by us to its end, or a disk has lost some; the next backup goes on without it."""
    made = backed_up(data, place)
    assert read(made.path) == made.manifest
    whole = (made.path / NAME).read_bytes()
    (made.path / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupDamaged):
        read(made.path)
    assert backed_up(data, place).linked == 0


def test_models_of_this_log(data: Path, place: Path) -> None:
    """What was learned from what is not in the backup is left out of it."""
    from germane.storage.blobs import FolderBlobs

    blobs = FolderBlobs(data / "models")
    for seq in (40, 59, 60):
        blobs.put("shared", f"{seq:016d}", b"learned", {"seq": seq})
    made = backed_up(data, place)
    assert [x.version for x in FolderBlobs(made.path / "models").versions("shared")] == [
        f"{59:016d}",
        f"{40:016d}",
    ]
    assert made.manifest.offset == 59
