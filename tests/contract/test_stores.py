"""Every binding of the store keeps the same contract."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain.erasure import Erasure
from germane.domain.errors import NotFound, StorageBusy, StorageFailed
from germane.domain.event import DeadLetter, Event
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.storage.codec import encode
from germane.storage.history import History, HistoryDamaged
from germane.storage.memory import MemoryStore
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import connected
from germane.storage.sqlite.trouble import ForeignHistory
from germane.testing import StoreContract, an_item
from germane.testing.store_contract import TENANT, a_decision, a_record, an_entry
from germane.testing.world import START_MS


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        opened = SqliteStore.open(tmp_path)
        yield opened
        opened.close()

    def test_survives_closing(self, tmp_path: Path, store: SqliteStore) -> None:
        """What was committed is there when the folder is opened again."""
        store.commit(Txn(records=[a_record(1)], profiles={(TENANT, "u:1"): Profile("u:1", seq=1)}))
        before = store.state_hash()
        store.close()
        again = SqliteStore.open(tmp_path)
        assert again.state_hash() == before
        assert [each.seq for each in again.read(0)] == [1]
        again.close()

    def test_commits_are_synced(self, tmp_path: Path, store: SqliteStore) -> None:
        """The writer is in WAL mode with full sync: there is no unsafe mode."""
        writer = store._writer
        assert writer is not None
        assert writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2

    def test_one_writer(self, tmp_path: Path, store: SqliteStore) -> None:
        """A second process cannot write the same folder, but can read it."""
        with pytest.raises(StorageBusy):
            SqliteStore.open(tmp_path)
        store.commit(Txn(meta={"a": b"1"}))
        reader = SqliteStore.open(tmp_path, mode="read")
        assert reader.meta("a") == b"1"
        reader.close()

    @pytest.mark.parametrize(
        "table", ["log", "dedupe", "slot_offset", "profile", "identity", "meta"]
    )
    def test_a_transaction_is_whole_or_not_at_all(
        self, tmp_path: Path, store: SqliteStore, table: str
    ) -> None:
        """If any of its statements fails, nothing of it remains, and the store stops (law 10)."""
        store.commit(Txn(records=[a_record(1)]))
        before = store.state_hash()
        writer = store._writer
        assert writer is not None
        writer.execute(
            f"CREATE TEMP TRIGGER broken BEFORE INSERT ON main.{table} "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        whole = Txn(
            records=[a_record(2)],
            profiles={(TENANT, "u:9"): Profile("u:9")},
            identities={(TENANT, "a:9"): "u:9"},
            meta={"k": b"v"},
        )
        with pytest.raises(StorageFailed):
            store.commit(whole)
        assert store.state_hash() == before
        assert store.seen(TENANT, ["m2"]) == set()
        assert store.meta("k") is None
        with pytest.raises(StorageFailed):
            store.commit(Txn(meta={"later": b""}))

    def test_a_newer_folder_is_refused(self, tmp_path: Path, store: SqliteStore) -> None:
        """Data of a later version is not opened by an older one."""
        store.close()
        connection = connected(tmp_path / "germane.db")
        connection.execute("PRAGMA user_version=99")
        connection.close()
        with pytest.raises(Exception, match="newer version"):
            SqliteStore.open(tmp_path)

    def test_a_folder_of_the_first_version(self, tmp_path: Path, store: SqliteStore) -> None:
        """It is read as it is, and brought up to date by the first that writes."""
        store.commit(Txn(letters=[DeadLetter(0, START_MS, "api", "c", "why", b"")]))
        people = [Profile(f"u:{number}", account="x" * 1_300) for number in range(100)]
        store.commit(Txn(profiles={(TENANT, each.person): each for each in people}))
        store.close()
        connection = connected(tmp_path / "germane.db")
        connection.execute(
            "ALTER TABLE profile RENAME TO now; CREATE TABLE profile (tenant TEXT NOT NULL, "
            "person TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tenant, person)) WITHOUT ROWID;"
            "INSERT INTO profile SELECT * FROM now; DROP TABLE now;"
        )
        connection.execute("DROP TABLE archived")
        connection.execute("DROP TABLE entry")
        connection.execute("DROP INDEX dead_letter_pending")
        connection.execute("ALTER TABLE dead_letter DROP COLUMN dismissed_ms")
        connection.execute("PRAGMA user_version=1")
        connection.close()
        reader = SqliteStore.open(tmp_path, mode="read")
        assert reader.archive() == {}
        assert reader.profile(TENANT, "u:7") == people[7]
        assert [each.pending for each in reader.letters()] == [True]
        assert reader.entries(TENANT, "message") == []
        reader.close()
        again = SqliteStore.open(tmp_path)
        assert again.profiles(TENANT) == sorted(people, key=lambda each: each.person)
        again.commit(Txn(dismissed_letters=[(1, START_MS)]))
        assert again.letters() == []
        again.commit(Txn(entries={(TENANT, "message", "k"): an_entry("k")}))
        assert again.entry(TENANT, "message", "k") == an_entry("k")
        again.close()

    def test_sealed_history_reads_like_the_log(self, tmp_path: Path, store: SqliteStore) -> None:
        """Records that moved to Parquet come back equal, in order; decisions are still found."""
        old = START_MS - 90 * MS_PER_DAY
        decision = a_decision()
        from germane.storage.codec import encode

        records = [a_record(n, at_ms=old + n * MS_PER_DAY) for n in range(1, 80)]
        records[4] = a_record(
            5, kind="decision", message_id="decision:d1", body=encode(decision), at_ms=old
        )
        store.commit(Txn(records=records, decisions=[(TENANT, decision)]))
        before = store.state_hash()
        moved = store.seal(START_MS - 40 * MS_PER_DAY)
        assert 30 < moved < 79
        assert list(store.read(0)) == records
        assert [each.seq for each in store.read(20, until=60)] == list(range(21, 61))
        assert store.decision(TENANT, "d1") == decision
        assert store.seen(TENANT, ["m3"]) == {"m3"}
        assert store.state_hash() == before
        assert store.last_seq() == 79
        months = {path.parent.name for path in (tmp_path / "history").rglob("*.parquet")}
        assert len(months) >= 2

    def test_records_that_are_sealed_between_two_pages(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who reads finds them in history."""
        monkeypatch.setattr("germane.storage.sqlite.store.PAGE", 3)
        records = [a_record(n) for n in range(1, 20)]
        store.commit(Txn(records=records))
        reading = store.read(0)
        found = [next(reading) for _ in range(3)]
        assert store.seal(START_MS + 1, limit=10) == 10
        found += [next(reading) for _ in range(3)]
        assert store.seal(START_MS + 1) == 9
        assert found + list(reading) == records

    def test_a_decision_in_a_file_that_is_written_anew(
        self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Just when somebody looks for it: it is found in the new one. What is damaged is still refused."""
        decision = a_decision()
        where = a_record(2, kind="decision", message_id="decision:d1", body=encode(decision))
        other = a_record(1, kind="decision", message_id="decision:d0", body=encode(decision))
        store.commit(Txn(records=[other, where], decisions=[(TENANT, decision)]))
        store.seal(START_MS + 1)
        look = History.find

        def late(history: History, *arguments: Any) -> Record | None:
            monkeypatch.undo()
            store.commit(Txn(records=[a_record(3)], erasure=Erasure(TENANT, (), (1,))))
            return look(history, *arguments)

        monkeypatch.setattr(History, "find", late)
        assert store.decision(TENANT, "d1") == decision
        store._past._of["sealed"]._checked.clear()
        for path in parquet(store._folder):
            path.write_bytes(b"no parquet")
        with pytest.raises(HistoryDamaged):
            store.decision(TENANT, "d1")

    def test_damaged_history_is_refused(self, tmp_path: Path, store: SqliteStore) -> None:
        """A changed file is an error, not an answer."""
        store.commit(Txn(records=[a_record(n) for n in range(1, 10)]))
        store.seal(START_MS + 1)
        path = next((tmp_path / "history").rglob("*.parquet"))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(HistoryDamaged):
            list(store.read(0))

    def test_a_crash_while_sealing_loses_and_doubles_nothing(
        self, tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file that was written and never named goes at the next start; its rows are still there."""
        records = [a_record(n) for n in range(1, 10)]
        store.commit(Txn(records=records))
        monkeypatch.setitem(store._sql, "add_sealed", "INSERT INTO nowhere VALUES (?)")
        with pytest.raises(StorageFailed):
            store.seal(START_MS + 1)
        assert list((tmp_path / "history").rglob("*.parquet"))
        store.close()
        again = SqliteStore.open(tmp_path)
        assert list((tmp_path / "history").rglob("*.parquet")) == []
        assert list(again.read(0)) == records
        again.close()

    @pytest.mark.parametrize("log", ["none", "empty", "older"])
    def test_history_of_another_log(self, tmp_path: Path, store: SqliteStore, log: str) -> None:
        """Nobody begins a log beside it, and none of its files goes."""
        store.commit(Txn(records=[a_record(1)]))
        shutil.copytree(tmp_path, tmp_path / "older", ignore=shutil.ignore_patterns("*.lock"))
        store.commit(Txn(records=[a_record(n) for n in range(2, 10)]))
        store.seal(START_MS + 1)
        store.close()
        files, database = parquet(tmp_path), tmp_path / "germane.db"
        database.rename(tmp_path / "kept")
        if log == "older":
            for each in ("germane.db", "germane.db-wal"):
                shutil.copy(tmp_path / "older" / each, tmp_path / each)
        elif log == "empty":
            connected(database).close()
        with pytest.raises(ForeignHistory):
            SqliteStore.open(tmp_path)
        assert parquet(tmp_path) == files
        assert database.exists() is (log != "none")
        for each in tmp_path.glob("germane.db*"):
            each.unlink()
        (tmp_path / "kept").rename(database)
        again = SqliteStore.open(tmp_path)
        assert len(list(again.read(0))) == 9
        again.close()

    def test_a_file_whose_name_promises_more_than_it_has(
        self, tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a log that went back to an earlier offset: what a crash leaves is a left-over all the same."""
        store.commit(Txn(records=[a_record(n) for n in range(1, 10)]))
        store.seal(START_MS + 1)
        store.commit(Txn(erasure=Erasure(TENANT, (), tuple(range(5, 10)))))
        store.rewind(4, {}, START_MS)
        monkeypatch.setitem(store._sql, "drop_sealed", "INSERT INTO nowhere VALUES (?)")
        with pytest.raises(StorageFailed):
            store.commit(Txn(records=[a_record(5)], erasure=Erasure(TENANT, (), (1,))))
        assert len(parquet(tmp_path)) == 2
        store.close()
        again = SqliteStore.open(tmp_path)
        assert [each.seq for each in again.read(0)] == [1, 2, 3, 4]
        assert len(parquet(tmp_path)) == 1
        again.close()

    def test_no_byte_of_the_erased_is_left(self, tmp_path: Path, store: SqliteStore) -> None:
        """Neither in the file nor in its WAL, also with rows that lie across many pages."""
        words = [f"canary{n:05d}" for n in range(300)]
        store.commit(Txn(records=[a_word(n, word) for n, word in enumerate(words, 1)]))
        assert all(b in raw(tmp_path) for b in (b"canary00007", b"canary00299"))
        gone = tuple(range(1, 301, 2))
        store.commit(Txn(records=[a_record(400)], erasure=Erasure(TENANT, (), gone)))
        assert store.scrub()
        left = raw(tmp_path)
        assert [n for n in gone if words[n - 1].encode() in left] == []
        assert all(words[n - 1].encode() in left for n in range(2, 301, 2))

    def test_nor_in_pages_that_were_balanced(
        self, tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Deleting alone would leave some; of a large file the next start leaves none."""
        monkeypatch.setattr("germane.storage.sqlite.store.AT_ONCE_BYTES", 0)
        words = [f"canary{n:05d}" for n in range(600)]
        for n, word in enumerate(words):  # in any order, and of any size
            named = f"{n * 7919 % 600:03d}{word}"
            entry = an_entry(named, person=f"u:{n}", body=encode({"n": word * (n % 90)}))
            store.commit(Txn(entries={(TENANT, "message", named): entry}))
        gone = [n for n in range(600) if n % 3]
        for n in gone:
            store.commit(Txn(erasure=Erasure(TENANT, (f"u:{n}",))))
        assert store.counts()["entries"] == 200
        assert not store.scrub()
        assert any(words[n].encode() in raw(tmp_path) for n in gone)
        store.close()
        again = SqliteStore.open(tmp_path)
        assert again.scrub()
        again.close()
        left = raw(tmp_path)
        assert [n for n in gone if words[n].encode() in left] == []
        assert all(words[n].encode() in left for n in range(0, 600, 3))

    def test_the_erased_are_in_no_sealed_file(self, tmp_path: Path, store: SqliteStore) -> None:
        """Files are written anew without them, and go where nothing is left; all others are untouched."""
        old, older = START_MS - 90 * MS_PER_DAY, START_MS - 200 * MS_PER_DAY
        records = [a_record(n, at_ms=older if n < 4 else old) for n in range(1, 10)]
        store.commit(Txn(records=[*records, a_record(10)]))
        store.seal(START_MS - MS_PER_DAY)
        before = {path.name: path.stat().st_mtime_ns for path in parquet(tmp_path)}
        store.commit(Txn(records=[a_record(11)], erasure=Erasure(TENANT, (), (1, 2, 3, 5))))
        assert [each.seq for each in store.read(0)] == [4, 6, 7, 8, 9, 10, 11]
        assert [path.name for path in parquet(tmp_path)] == [
            "part-000000000004-000000000009.1.parquet"
        ]
        assert store.counts()["records"] == 7
        store.commit(Txn(records=[a_record(12)], erasure=Erasure(TENANT, (), (10,))))
        assert len(parquet(tmp_path)) == 1
        store.commit(Txn(records=[a_record(13)], erasure=Erasure(TENANT, (), (4,))))
        assert [path.name for path in parquet(tmp_path)] == [
            "part-000000000004-000000000009.2.parquet"
        ]
        assert [each.seq for each in store.read(0)] == [6, 7, 8, 9, 11, 12, 13]
        assert len(before) == 2

    def test_a_commit_only_names_what_was_written_ahead(
        self, tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What nobody names goes: with the next one, or with the next start after a crash."""
        store.commit(Txn(records=[a_record(n) for n in range(1, 10)]))
        store.seal(START_MS + 1)
        one, two = (Erasure(TENANT, (), (n,)) for n in (1, 2))
        store.write_ahead(one)
        store.write_ahead(two)
        assert len(parquet(tmp_path)) == 2
        with monkeypatch.context() as patch:
            patch.setattr(History, "_put", None)
            store.commit(Txn(records=[a_record(10)], erasure=two))
        assert [each.seq for each in store.read(0)] == [1, *range(3, 11)]
        assert len(parquet(tmp_path)) == 1
        store.write_ahead(one)
        assert len(parquet(tmp_path)) == 2
        store.close()
        again = SqliteStore.open(tmp_path)
        assert len(parquet(tmp_path)) == 1
        assert [each.seq for each in again.read(0)] == [1, *range(3, 11)]
        again.close()

    def test_nothing_is_written_over_what_is_being_named(
        self, tmp_path: Path, store: SqliteStore
    ) -> None:
        """Another erasure that is written ahead between the two halves of a commit."""
        store.commit(Txn(records=[a_record(n) for n in range(1, 10)]))
        store.seal(START_MS + 1)
        one, two = (Erasure(TENANT, (), (n,)) for n in (1, 2))
        store.write_ahead(one)
        store.stage(Txn(records=[a_record(10)], erasure=one))
        store.write_ahead(two)
        store.sync()
        assert [each.seq for each in store.read(0)] == [*range(2, 11)]
        store.commit(Txn(records=[a_record(11)], erasure=two))
        assert [each.seq for each in store.read(0)] == [*range(3, 12)]
        assert len(parquet(tmp_path)) == 1

    def test_a_crash_while_erasing_changes_nothing(
        self, tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The new file was written and never named: it goes at the next start, and the old one counts."""
        records = [a_record(n) for n in range(1, 10)]
        store.commit(Txn(records=records))
        store.seal(START_MS + 1)
        monkeypatch.setitem(store._sql, "drop_sealed", "INSERT INTO nowhere VALUES (?)")
        with pytest.raises(StorageFailed):
            store.commit(Txn(records=[a_record(11)], erasure=Erasure(TENANT, (), (1,))))
        assert len(parquet(tmp_path)) == 2
        store.close()
        again = SqliteStore.open(tmp_path)
        assert len(parquet(tmp_path)) == 1
        assert list(again.read(0)) == records
        again.close()

    def test_a_read_that_holds_the_checkpoint_up(self, tmp_path: Path, store: SqliteStore) -> None:
        """What was erased leaves the WAL with the next commit after the read is over."""
        store.commit(Txn(records=[a_word(1, "canary00001")]))
        other = connected(tmp_path / "germane.db")
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM log").fetchone()
        store.commit(Txn(records=[a_record(2)], erasure=Erasure(TENANT, (), (1,))))
        assert not store.scrub()
        assert b"canary00001" in raw(tmp_path)
        other.execute("COMMIT")
        store.commit(Txn(records=[a_record(3)]))
        assert b"canary00001" not in raw(tmp_path)
        other.close()

    def test_what_is_derived_anew_is_in_sealed_files_too(
        self, tmp_path: Path, store: SqliteStore
    ) -> None:
        """A rebuild writes it wherever the record is."""
        records = [a_record(n) for n in range(1, 10)]
        store.commit(Txn(records=records))
        store.seal(START_MS + 1)
        hot = a_record(10)
        store.commit(Txn(records=[hot]))
        anew = [replace(each, derived=b"new") for each in (*records[:4], hot)]
        store.replace_state(iter([Txn(records=anew[:2]), Txn(records=anew[2:])]))
        assert list(store.read(0)) == [*anew[:4], *records[4:], anew[4]]
        names = [path.name for path in parquet(tmp_path)]
        store.replace_state(iter([Txn(records=anew)]))
        assert [path.name for path in parquet(tmp_path)] == names


def a_word(seq: int, word: str) -> Record:
    """A record that says a word, often."""
    event = Event(f"m{seq}", "track", START_MS, name=word, properties={"n": word * (seq % 7 * 150)})
    return a_record(seq, person=f"u:{word}", message_id=word, body=encode(event))


def raw(folder: Path) -> bytes:
    """Every byte of the database and its WAL."""
    return b"".join(path.read_bytes() for path in folder.glob("germane.db*"))


def parquet(folder: Path) -> list[Path]:
    """Sealed files."""
    return sorted((folder / "history").rglob("*.parquet"))


@st.composite
def transactions(draw: st.DrawFn) -> list[Txn]:
    """A history of small transactions."""
    found, seq = [], 0
    for _ in range(draw(st.integers(1, 8))):
        txn = Txn()
        for _ in range(draw(st.integers(0, 3))):
            seq += 1
            txn.records.append(a_record(seq, person=f"u:{draw(st.integers(1, 4))}"))
        for _ in range(draw(st.integers(0, 3))):
            name = f"u:{draw(st.integers(1, 4))}"
            value = draw(st.one_of(st.none(), st.floats(0, 1e6)))
            profile = None if value is None else Profile(name, seq=seq, evidence=value)
            txn.profiles[TENANT, name] = profile
        number = draw(st.integers(0, 5))
        txn.items[TENANT, f"i{number}"] = draw(st.sampled_from([None, an_item(number)]))
        txn.identities[TENANT, f"a:{number}"] = f"u:{draw(st.integers(1, 4))}"
        found.append(txn)
    return found


@given(history=transactions())
def test_bindings_agree(tmp_path_factory: pytest.TempPathFactory, history: list[Txn]) -> None:
    """Law 7: the same history gives the same state hash on every binding, one by one or in a group."""
    memory, grouped = MemoryStore(), MemoryStore()
    sqlite = SqliteStore.open(tmp_path_factory.mktemp("store"))
    whole = Txn()
    for txn in history:
        memory.commit(txn)
        sqlite.commit(txn)
        whole.absorb(txn)
    grouped.commit(whole)
    assert memory.state_hash() == sqlite.state_hash() == grouped.state_hash()
    sqlite.close()


def test_lock_names_its_holder(tmp_path: Path) -> None:
    """The lock file says which process has the folder."""
    store = SqliteStore.open(tmp_path)
    assert (tmp_path / "germane.lock").read_text() == str(os.getpid())
    store.close()


def test_a_database_whose_making_was_broken_off(tmp_path: Path) -> None:
    """Is none yet, not a damaged one; the next writer makes it."""
    connected(tmp_path / "germane.db").close()
    (tmp_path / "germane.db").touch()
    reader = SqliteStore.open(tmp_path, mode="read")
    with pytest.raises(NotFound):
        reader.counts()
    reader.close()
    SqliteStore.open(tmp_path).close()
    reader = SqliteStore.open(tmp_path, mode="read")
    assert reader.counts()["records"] == 0
    reader.close()
