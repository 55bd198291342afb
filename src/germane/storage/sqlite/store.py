"""``domain.ports.Store`` on one SQLite file."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import apsw
import msgspec

from germane.domain.decision import Decision
from germane.domain.erasure import Erasure
from germane.domain.errors import StorageDamaged, StorageFailed
from germane.domain.event import DeadLetter
from germane.domain.item import Item
from germane.domain.ledger import Entry
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.retirement import Piece, Retirement
from germane.storage import codec
from germane.storage.history import merged
from germane.storage.placing import no_restore_under_way
from germane.storage.sqlite.checkpoint import Checkpointer
from germane.storage.sqlite.checksums import checks
from germane.storage.sqlite.connection import FolderLock, open_reader, open_writer
from germane.storage.sqlite.erasing import AT_ONCE_BYTES, LOOSE, scrubbed, written_anew
from germane.storage.sqlite.past import Past
from germane.storage.sqlite.rewinding import rewound
from germane.storage.sqlite.sql import queries
from germane.storage.sqlite.trouble import (
    StorageFull,
    failure,
    make_folder,
    missing,
    name_of,
    of_sync,
    passes,
    writing,
)
from germane.storage.sqlite.writing import pages_of, undo, write, write_state

PAGE = 2_000
MARKS = 500
"""Values of one statement, at most."""
LAST = 2**62
_HIGHEST = chr(0x10FFFF)
"""No key is above it."""
Value = TypeVar("Value")


class _Moved(Exception):
    """Sealed files are others than they were when a read began."""


class SqliteStore:
    """Log, state, catalogue, identities, decisions and dead letters in ``germane.db``.

    One thread at a time commits; any thread may read.
    """

    def __init__(self, folder: Path, *, writable: bool) -> None:
        self._folder = folder
        self._path = folder / "germane.db"
        self._lock: FolderLock | None = None
        self._writer: apsw.Connection | None = None
        self._readers = threading.local()
        self._all_readers: list[apsw.Connection] = []
        self._failed: StorageFailed | None = None
        self._checkpointer: Checkpointer | None = None
        self._sql = queries()
        self._past = Past(folder, self._sql, self._rows)
        self._pages = 0
        self._unscrubbed = False
        no_restore_under_way(folder)
        if writable:
            make_folder(folder)
            self._lock = FolderLock(folder)
            try:
                if not self._path.exists():  # or a database would be made
                    self._past.without_log()
                self._writer = open_writer(self._path)
                with writing(self._path):
                    written_anew(self._writer)
                self._checkpointer = Checkpointer(self._path, self._fail)
                self._past.discard_unknown(self.last_seq())
            except BaseException:
                self.close()
                raise
        elif not self._path.exists():
            raise missing(folder)

    @classmethod
    def open(cls, folder: Path, *, mode: Literal["serve", "read"] = "serve") -> SqliteStore:
        """Open a data folder; ``serve`` creates it and takes it for this process alone.

        Raises:
            StorageBusy: another process writes it.
            NotFound: it is to be read and does not exist.
            ForeignHistory: there is sealed history of another log.
        """
        return cls(Path(folder), writable=mode == "serve")

    # -- writing ---------------------------------------------------------------------------------

    def commit(self, txn: Txn) -> None:
        """One durable transaction.

        Raises:
            StorageFull: there is no room; the store stays usable.
            StorageFailed: anything else; the store refuses everything from now on (law 10).
        """
        self.stage(txn)
        self.sync()

    def write_ahead(self, erasure: Erasure) -> None:
        """Write the sealed files that an erasure needs, in any thread, beside who commits.

        Raises:
            StorageFull: there is no room.
            StorageFailed: a file of history cannot be read or written.
        """
        if self._failed is not None:
            raise self._failed
        with writing(self._path):
            self._past.write_ahead(erasure)

    def stage(self, txn: Txn) -> None:
        """Write a transaction, all but its end: no reader sees it, and nothing of it is durable.

        Raises:
            StorageFull: there is no room; nothing is staged.
            StorageFailed: as in ``commit``.
        """
        if self._failed is not None:
            raise self._failed
        writer = self._writer
        assert writer is not None, "the store was opened for reading"
        with writing(self._path):
            changed = self._past.without(txn.erasure) if txn.erasure is not None else []
        try:
            writer.execute("BEGIN IMMEDIATE")
            write(writer, self._sql, txn)
            self._past.name(writer, changed)
        except apsw.Error as error:
            self._roll_back(writer, error)
        except BaseException:
            undo(writer)
            raise
        self._pages = pages_of(txn)
        self._unscrubbed = self._unscrubbed or txn.erasure is not None

    def sync(self) -> None:
        """End the staged transaction: it is durable when this returns. Raises like ``commit``."""
        writer = self._writer
        assert writer is not None, "the store was opened for reading"
        if self._failed is not None:  # since it was staged
            undo(writer)
            self._past.forget()
            raise self._failed
        try:
            writer.execute("COMMIT")
        except apsw.Error as error:
            self._roll_back(writer, error)
        self._moved(writer)
        self._scrub(writer)

    def _scrub(self, writer: apsw.Connection) -> None:
        """After an erasure: leave no byte of it. Where a read holds that up, it is tried again after the next
        commits, and at the end."""
        self._past.settle()
        if not self._unscrubbed:
            return
        try:
            self._unscrubbed = not scrubbed(writer)
        except apsw.Error as error:
            if not passes(error):
                self._fail(error)

    def scrub(self, *, large: bool = False) -> bool:
        """Write the file anew if bytes may be left in it; a large one only if told. Whether none are left."""
        writer = self._writer
        assert writer is not None, "the store was opened for reading"
        try:
            if large or self._path.stat().st_size <= AT_ONCE_BYTES:
                written_anew(writer)
                self._unscrubbed = True
        except apsw.Error as error:  # told by the next commit
            self._fail(error)
        self._scrub(writer)
        return not self._unscrubbed and self.meta(LOOSE) is None

    def _roll_back(self, writer: apsw.Connection, error: apsw.Error) -> None:
        full = name_of(error) == "SQLITE_FULL"
        self._past.forget()
        try:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
        except apsw.Error:
            full = False
        if full:
            raise StorageFull() from error
        raise self._fail(error) from error

    def _fail(self, error: apsw.Error) -> StorageFailed:
        """From now on everything that writes is refused (law 10)."""
        self._failed = self._failed or failure(error, self._path)
        return self._failed

    def _moved(self, writer: apsw.Connection) -> None:
        """Let the WAL be moved into the main file, now and then."""
        assert self._checkpointer is not None
        try:
            self._checkpointer.wrote(self._pages, writer)
        except apsw.Error as error:
            if not passes(error):
                self._fail(error)

    def replace_state(self, txns: Iterable[Txn]) -> None:
        """Swap all that is derived, in one transaction."""
        writer = self._writer
        assert writer is not None, "the store was opened for reading"
        try:
            with writing(self._path), self._reading_by(writer):
                self._swap_state(writer, txns)
        except BaseException as error:
            undo(writer)
            self._past.forget()
            self._stop_after(error)
            raise

    @contextlib.contextmanager
    def _reading_by(self, writer: apsw.Connection) -> Iterator[None]:
        """This thread sees what is written and not committed yet."""
        before = self._reader()
        self._readers.connection = writer
        try:
            yield
        finally:
            self._readers.connection = before

    def _stop_after(self, error: BaseException) -> None:
        """Of a step of its own: it is undone, but a sync that failed may have been of more than that."""
        cause = error.__cause__
        if isinstance(cause, apsw.Error) and of_sync(cause):
            self._fail(cause)

    def _swap_state(self, writer: apsw.Connection, txns: Iterable[Txn]) -> None:
        writer.execute("BEGIN IMMEDIATE")
        for table in ("profile", "identity", "item", "entry", "decision"):
            writer.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
        sealed: dict[int, bytes] = {}
        for txn in txns:
            write_state(writer, self._sql, txn)
            derived = {record.seq: record.derived for record in txn.records}
            hot = self._hot_among(writer, derived)
            writer.executemany(self._sql["set_derived"], [(derived[seq], seq) for seq in hot])
            sealed |= {seq: derived[seq] for seq in derived.keys() - hot}
        self._past.name(writer, self._past.derived(sealed))
        writer.execute("COMMIT")
        self._unscrubbed = True
        self._scrub(writer)

    def _hot_among(self, writer: apsw.Connection, seqs: Mapping[int, bytes]) -> set[int]:
        """Those of the offsets, which are close together, that are not sealed."""
        if not seqs:
            return set()
        found = writer.execute(self._sql["hot"], (min(seqs), max(seqs)))
        return {row[0] for row in found if row[0] in seqs}

    def seal(self, before_ms: int, *, limit: int = 50_000) -> int:
        """Move records of events older than ``before_ms`` into Parquet; how many were moved.

        The file is durable before the rows go, and rows go in the transaction that names the file.
        """
        return self._apart(lambda writer: self._past.seal(writer, before_ms, limit))

    def retire(self, what: Retirement) -> None:
        """Move records of a sealed file into the archive, or drop them; of the archive's, drop them."""
        assert self.last_seq() not in what.leaves, "or its offset would be given again"
        self._apart(lambda writer: self._past.retire(writer, what))

    def expire(self, before: str) -> int:
        """Drop what retired before a month; how many records went."""
        return self._apart(lambda writer: self._past.expire(writer, before))

    def give_up(self, piece: str) -> None:
        """Drop a damaged file of the archive."""
        self._apart(lambda writer: self._past.give_up(writer, piece))

    def set_aside(self, pieces: Sequence[str], txn: Txn) -> None:
        """Go on without damaged files of history, which move where nothing reads them. ``txn``: what is
        recorded of it, at once; what it erases are the offsets that only they had."""
        self._apart(lambda writer: self._past.set_aside(writer, pieces, txn))
        self._unscrubbed = True

    def rewind(self, seq: int, offsets: Mapping[int, int], until_ms: int) -> None:
        """After all records beyond ``seq`` were erased: forget that they were there. ``offsets``: the highest
        one that is left, by slot; dead letters are as they were at ``until_ms``."""
        self._apart(lambda writer: rewound(writer, seq, offsets, until_ms))

    def _apart(self, step: Callable[[apsw.Connection], Value]) -> Value:
        """A step that is its own transaction."""
        writer = self._writer
        assert writer is not None, "the store was opened for reading"
        if self._failed is not None:
            raise self._failed
        try:
            with writing(self._path):
                return step(writer)
        except BaseException as error:
            undo(writer)
            self._past.forget()
            self._stop_after(error)
            raise

    # -- reading ---------------------------------------------------------------------------------

    def last_seq(self) -> int:
        """Highest log offset, sealed history included."""
        return int(self._one("last_seq")[0])

    def seen(self, tenant: str, message_ids: Sequence[str]) -> set[str]:
        """Those of the message ids that are in the log or were."""
        keys = {codec.dedupe_key(tenant, each): each for each in message_ids}
        return {keys[row[0]] for row in self._each("seen", [*keys])}

    def profile(self, tenant: str, person: str) -> Profile | None:
        """A person's committed state."""
        row = self._one("profile", tenant, person)
        return self._read(codec.decode_profile, row[0]) if row else None

    def profiles(self, tenant: str, *, after: str = "", limit: int = 1000) -> list[Profile]:
        """A page of people in order of their key."""
        rows = self._rows("profiles", tenant, after, limit)
        return [self._read(codec.decode_profile, row[0]) for row in rows]

    def profiles_among(self, tenant: str, people: Sequence[str]) -> dict[str, Profile]:
        """Those of the people who are known."""
        rows = self._each("profiles_among", people, tenant)
        return {person: self._read(codec.decode_profile, body) for person, body in rows}

    def people_of(self, tenant: str, externals: Sequence[str]) -> dict[str, str]:
        """Who each external key belongs to."""
        return dict(self._each("people_of", externals, tenant))

    def person_of(self, tenant: str, external: str) -> str | None:
        """The person an external key now belongs to."""
        row = self._one("person_of", tenant, external)
        return row[0] if row else None

    def externals_of(self, tenant: str, people: Collection[str]) -> dict[str, str]:
        """Every key that leads to one of the people."""
        return dict(self._each("externals_of", [*people], tenant))

    def items(self, tenant: str) -> Iterator[Item]:
        """The catalogue in order of the item id."""
        for row in self._rows("items", tenant):
            yield self._read(codec.decode_item, row[0])

    def decision(self, tenant: str, decision_id: str) -> Decision | None:
        """A logged decision by id, sealed or not."""
        found = self._one("decision", codec.dedupe_key(tenant, decision_id))
        if not found:
            return None
        row = self._one("record", found[0])
        if row:
            return self._read(codec.decode_decision, row[8])
        record = self._past.find(found[0])
        return self._read(codec.decode_decision, record.body) if record is not None else None

    def entry(self, tenant: str, kind: str, key: str) -> Entry | None:
        """One entry of the ledger."""
        row = self._one("entry", tenant, kind, key)
        return Entry(*row) if row else None

    def entries_among(self, tenant: str, kind: str, keys: Sequence[str]) -> list[Entry]:
        """Those of the keys that are there."""
        return [Entry(*row) for row in self._each("entries_among", keys, tenant, kind)]

    def entries(
        self,
        tenant: str,
        kind: str,
        *,
        topic: str | None = None,
        status: str = "",
        after: str = "",
        limit: int = 1000,
        newest: bool = False,
    ) -> list[Entry]:
        """A page of entries in order of the key, or the highest key first."""
        assert topic is not None or not status, "a status is looked for inside a topic"
        name = "newest" if newest else "entries"
        bound = after or (_HIGHEST if newest else "")
        if status:
            rows = self._rows(f"{name}_by_status", tenant, kind, topic, status, bound, limit)
        elif topic is not None:
            rows = self._rows(f"{name}_by_topic", tenant, kind, topic, bound, limit)
        else:
            rows = self._rows(name, tenant, kind, bound, limit)
        return [Entry(*row) for row in rows]

    def entries_of(self, tenant: str, person: str, kind: str, *, limit: int = 1000) -> list[Entry]:
        """A person's entries, the highest key first."""
        return [Entry(*row) for row in self._rows("entries_of", tenant, person, kind, limit)]

    def entries_of_each(
        self, tenant: str, people: Sequence[str], kind: str, *, limit: int
    ) -> list[Entry]:
        """The entries of several people."""
        rows = self._each("entries_of_each", people, tenant, kind, most=limit)
        return [Entry(*row) for row in rows]

    def due(self, tenant: str, kind: str, until_ms: int, *, limit: int = 1000) -> list[Entry]:
        """Entries that are due, the longest waiting first."""
        return [Entry(*row) for row in self._rows("due", tenant, kind, until_ms, limit)]

    def next_due(self, tenant: str, kind: str) -> int:
        """When the next one is due, in ms; 0: none is."""
        row = self._one("next_due", tenant, kind)
        return int(row[0]) if row else 0

    def entry_counts(self, tenant: str, kind: str) -> dict[tuple[str, str], int]:
        """(topic, status) -> how many."""
        return {(row[0], row[1]): int(row[2]) for row in self._rows("entry_counts", tenant, kind)}

    def record(self, seq: int) -> Record | None:
        """One log record by its offset, sealed or not."""
        row = self._one("record", seq)
        return Record(*row) if row else self._past.find(seq)

    def read(
        self,
        after: int,
        *,
        until: int | None = None,
        archived: bool = False,
        without: Collection[str] = (),
    ) -> Iterator[Record]:
        """The log in order: sealed history and the database as one, and the archive if wanted. Where records
        are moved meanwhile, in whatever process, it goes on from where they are. ``without``: names of pieces
        that are passed over."""
        last = LAST if until is None else until
        while True:
            files = self._past.files(archived=archived)
            same = partial(self._past.has, files, archived=archived)
            past = self._past.read(after, last, archived=archived, without=without)
            try:
                for record in merged(past, self._hot(after, last, same)):
                    yield record
                    after = record.seq
                return
            except _Moved:
                continue
            except StorageFailed:  # a file that an erasure has written anew, perhaps
                if same():
                    raise

    def pieces(self, *, archived: bool = False) -> list[Piece]:
        """The sealed files, or those of the archive."""
        return self._past.pieces("archived" if archived else "sealed")

    def damaged(self, *, quick: bool = False) -> list[Piece]:
        """Files that are missing or not what was written; a ``quick`` look sees what is missing or cut off."""
        return self._past.damaged(quick=quick)

    @property
    def checked(self) -> bool:
        """Whether pages carry checksums: those of a folder that was written long ago do not yet."""
        return checks(self._reader())

    def flaws(self) -> list[str]:
        """What is not as it was written in the database, all of which is read; a sentence each."""
        if not self.checked:
            return [
                f"{self._path.name}: its pages carry no checksums; the next start writes it anew."
            ]
        try:
            found = [row[0] for row in self._ask("PRAGMA integrity_check")]
        except StorageDamaged as error:
            return [error.message]
        bad = [" ".join(each.split()) for each in found if each != "ok"]
        return [f"{self._path.name} is damaged: {each.rstrip('.')}." for each in bad]

    def piece(self, name: str) -> list[Record]:
        """The records of a sealed file."""
        return self._past.piece(name)

    def archive(self) -> dict[str, int]:
        """Month -> how many records are in the archive."""
        return self._past.archive()

    def _hot(self, after: int, last: int, same: Callable[[], bool]) -> Iterator[Record]:
        """What is not sealed; each page together with all that is. Raises _Moved: it is not, some was sealed
        since."""
        while True:
            rows = self._rows("records", after, last, PAGE)
            if not same():
                raise _Moved
            if not rows:
                return
            for row in rows:
                yield Record(*row)
            after = rows[-1][0]

    def letters(
        self, *, after: int = 0, limit: int = 100, pending_only: bool = True
    ) -> list[DeadLetter]:
        """Dead letters in order of their id."""
        rows = self._rows("letters", after, int(pending_only), limit)
        return [DeadLetter(*row) for row in rows]

    def pending_letters(self) -> int:
        """How many dead letters wait."""
        return int(self._one("pending_letters")[0])

    def letter(self, letter_id: int) -> DeadLetter | None:
        """One dead letter."""
        row = self._one("letter", letter_id)
        return DeadLetter(*row) if row else None

    def counts(self) -> dict[str, int]:
        """Rows by kind; records include sealed ones."""
        names = {
            "records": "log",
            "profiles": "profile",
            "items": "item",
            "decisions": "decision",
            "letters": "dead_letter",
            "entries": "entry",
        }
        found = {
            name: int(self._ask(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - fixed names
            for name, table in names.items()
        }
        found["records"] += sum(row[4] for row in self._rows("sealed"))
        return found

    def meta(self, key: str) -> bytes | None:
        """A named value."""
        row = self._one("meta", key)
        return bytes(row[0]) if row else None

    def state_hash(self) -> str:
        """SHA-256 over the state in canonical order."""
        stream = {
            name: self._stream(f"hash_{name}")
            for name in ("profiles", "identities", "items", "entries", "offsets")
        }
        return codec.state_digest(
            ((t, p, self._read(codec.canonical_profile, b)) for t, p, b in stream["profiles"]),
            stream["identities"],
            ((t, i, self._read(codec.canonical, b)) for t, i, b in stream["items"]),
            ((*row[:-1], self._read(codec.canonical, row[-1])) for row in stream["entries"]),
            stream["offsets"],
        )

    def moved(self) -> str:
        """Changes whenever records were sealed or erased: what was read meanwhile may lack some."""
        return codec.digest_of([row[5] for row in self._rows("sealed")])

    def close(self) -> None:
        """Fold the WAL into the file and let the folder go."""
        for reader in self._all_readers:
            reader.close()
        self._all_readers.clear()
        self._readers = threading.local()
        if self._checkpointer is not None:
            self._checkpointer.close()
            self._checkpointer = None
        if self._writer is not None:
            if self._writer.in_transaction:  # staged, and never synced: nobody was promised it
                undo(self._writer)
            if self._failed is None:
                with contextlib.suppress(apsw.Error):  # the WAL has it durably, and stays
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _reader(self) -> apsw.Connection:
        """This thread's reading connection."""
        reader = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = open_reader(self._path)
            self._all_readers.append(reader)
        return reader

    def _rows(self, name: str, *arguments: Any) -> list[Any]:
        return self._ask(self._sql[name], arguments)

    def _each(
        self, name: str, wanted: Sequence[Any], *arguments: Any, most: int = LAST
    ) -> list[Any]:
        """The rows of a statement that ends in ``IN``, for any number of values."""
        found: list[Any] = []
        for start in range(0, len(wanted), MARKS):
            part = wanted[start : start + MARKS]
            sql = f"{self._sql[name]} ({','.join('?' * len(part))}) LIMIT ?"
            found += self._ask(sql, (*arguments, *part, most - len(found)))
        return found

    def _one(self, name: str, *arguments: Any) -> Any:
        try:
            return self._reader().execute(self._sql[name], arguments).fetchone()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise failure(error, self._path, reading=True) from error

    def _ask(self, sql: str, arguments: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._reader().execute(sql, arguments).fetchall()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise failure(error, self._path, reading=True) from error

    def _stream(self, name: str) -> Iterator[Any]:
        try:
            yield from self._reader().execute(self._sql[name])
        except (apsw.Error, UnicodeDecodeError) as error:
            raise failure(error, self._path, reading=True) from error

    def _read(self, decode: Callable[[bytes], Value], data: bytes) -> Value:
        """What a blob holds."""
        try:
            return decode(data)
        except (msgspec.DecodeError, TypeError) as error:  # a damaged row may hold another type
            raise StorageDamaged(f"{self._path} is damaged: {error}.") from error
