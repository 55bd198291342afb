"""What lies beside the database: sealed history and the archive, with the rows that name their files.

A file is durable before a row names it, and goes when no row does: a crash between the two leaves it to the
next start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from germane.domain.erasure import Erasure
from germane.domain.errors import StorageFailed
from germane.domain.record import Record, Txn
from germane.domain.retirement import ARCHIVE, Piece, Retirement
from germane.storage.codec import dedupe_key
from germane.storage.history import History, Part, merged, reaches
from germane.storage.sqlite.trouble import foreign
from germane.storage.sqlite.writing import write

_PART = 6
"""Columns of a file; the archive has one more."""
Rows = Callable[[str], list[Any]]


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file that takes another one's place, durable already."""

    table: str
    before: Part
    after: Part | None
    """``None``: nothing is left of it."""
    more: tuple[str, ...] = ()
    """What else a row of the table has."""


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What an erasure would change, written before it is committed; no row names it."""

    gone: frozenset[int]
    files: list[Any]
    """All rows at that time."""
    changed: list[Renamed]


class Past:
    """Two folders of Parquet files, and what changes in them together with the database."""

    def __init__(self, folder: Path, sql: dict[str, str], rows: Rows) -> None:
        """``rows`` answers a statement by its name."""
        self._folder = folder
        self._sql = sql
        self._rows = rows
        self._of = {
            "sealed": History(folder / "history"),
            "archived": History(folder / "archive"),
        }
        self._left: list[tuple[str, str]] = []
        """(table, file) that no row names, once what is staged is durable."""
        self._lock = threading.Lock()
        """One at a time writes files that are to take others' place: each would give them the same names."""
        self._ahead: _Ahead | None = None
        self._naming = False
        """New files are being named, and are not to be written over."""

    def discard_unknown(self, last_seq: int) -> None:
        """Remove files that a crash left before they were named, or when they were no more. The log has their
        records, or has let them go.

        Raises:
            ForeignHistory: there are records of which the log, which ends at ``last_seq``, knows nothing.
        """
        known = {table: {row[0] for row in self._rows(table)} for table in self._of}
        for each in self._unnamed(known, last_seq):
            each.unlink()

    def without_log(self) -> None:
        """Raises ForeignHistory: there are records, where there is no database."""
        self._unnamed({table: set() for table in self._of}, 0)

    def _unnamed(self, known: dict[str, set[str]], last_seq: int) -> list[Path]:
        left = [path for table in self._of for path in self._of[table].unknown(known[table])]
        if any(reaches(each, last_seq) for each in left):
            raise foreign(self._folder, last_seq)
        return left

    # -- reading ---------------------------------------------------------------------------------

    def read(
        self, after: int, last: int, *, archived: bool, without: Collection[str] = ()
    ) -> Iterator[Record]:
        """Records with ``after < seq <= last``, in order; of one that is in both, the archive's. ``without``:
        names of pieces that are passed over."""
        found = self._read("sealed", after, last, without)
        if not archived:
            yield from found
            return
        known = 0
        for record in merged(self._read("archived", after, last, without), found):
            if record.seq != known:
                yield record
            known = record.seq

    def _read(
        self, table: str, after: int, last: int, without: Collection[str]
    ) -> Iterator[Record]:
        begins = ARCHIVE if table == "archived" else ""
        rows = [
            x[:_PART]
            for x in self._rows(table)
            if x[3] > after and x[2] <= last and f"{begins}{x[0]}" not in without
        ]
        return self._of[table].read(rows, after, last)

    def files(self, *, archived: bool) -> list[Any]:
        """The rows of all files that are read."""
        return [*self._rows("sealed"), *(self._rows("archived") if archived else ())]

    def has(self, files: list[Any], *, archived: bool) -> bool:
        """Whether these are still the files: nothing was sealed, erased or retired meanwhile."""
        return self.files(archived=archived) == files

    def find(self, seq: int) -> Record | None:
        """One sealed record by its offset."""
        while True:
            files = self.files(archived=False)
            try:
                return self._of["sealed"].find(seq, files)
            except StorageFailed:  # a file that was written anew in this very moment, perhaps
                if self.has(files, archived=False):
                    raise

    def pieces(self, table: str) -> list[Piece]:
        """What is sealed, or archived, file by file."""
        begins = ARCHIVE if table == "archived" else ""
        return [Piece(f"{begins}{x[0]}", x[1], x[4], x[2], x[3]) for x in self._rows(table)]

    def piece(self, name: str) -> list[Record]:
        """The records of one file."""
        table, part, _ = self._part(name)
        if part is None:
            return []
        return list(self._of[table].read([part], 0, part.last_seq))

    def damaged(self, *, quick: bool = False) -> list[Piece]:
        """Files that are missing or not what was written. All are read; of a ``quick`` look only the ends."""
        found = []
        for table, history in self._of.items():
            sound = history.seems_sound if quick else history.sound
            bad = {row[0] for row in self._rows(table) if not sound(Part(*row[:_PART]))}
            begins = ARCHIVE if table == "archived" else ""
            found += [x for x in self.pieces(table) if x.name.removeprefix(begins) in bad]
        return found

    def _part(self, name: str) -> tuple[str, Part | None, tuple[str, ...]]:
        """Table, file, and what else its row has."""
        table = "archived" if name.startswith(ARCHIVE) else "sealed"
        file = name.removeprefix(ARCHIVE)
        row = next((row for row in self._rows(table) if row[0] == file), None)
        return (table, Part(*row[:_PART]), tuple(row[_PART:])) if row else (table, None, ())

    def archive(self) -> dict[str, int]:
        """Month -> how many records are in the archive."""
        found: dict[str, int] = {}
        for row in sorted(self._rows("archived"), key=lambda each: each[1]):
            found[row[1]] = found.get(row[1], 0) + row[4]
        return found

    # -- changing, inside the caller's transaction -----------------------------------------------

    def write_ahead(self, erasure: Erasure) -> None:
        """Write what ``without`` would, in any thread, so that this has only to be named. Nothing is written
        while another erasure is on its way: ``without`` does it then."""
        gone = frozenset(erasure.seqs)
        with self._lock:
            if self._naming:
                return
            self._drop_ahead()
            files = self.files(archived=True)
            self._ahead = _Ahead(gone, files, self._without(gone))

    def without(self, erasure: Erasure) -> list[Renamed]:
        """Files that hold what is erased, each with a durable one that does not."""
        gone = frozenset(erasure.seqs)
        if not gone:
            return []
        with self._lock:
            self._naming, ahead = True, self._ahead
            if ahead is not None and ahead.gone == gone and self.has(ahead.files, archived=True):
                self._ahead = None
                return ahead.changed
            self._drop_ahead()
            return self._without(gone)

    def _without(self, gone: frozenset[int]) -> list[Renamed]:
        return [each for table in self._of for each in self._changed(table, gone, {})]

    def _drop_ahead(self) -> None:
        """Nobody will name it."""
        ahead, self._ahead = self._ahead, None
        for each in ahead.changed if ahead is not None else ():
            if each.after is not None:
                self._of[each.table].drop([each.after.file])

    def derived(self, anew: Mapping[int, bytes]) -> list[Renamed]:
        """Sealed files of which something was derived anew."""
        with self._lock:
            self._drop_ahead()
            return self._changed("sealed", frozenset(), anew)

    def _changed(
        self, table: str, gone: frozenset[int], derived: Mapping[int, bytes]
    ) -> list[Renamed]:
        rows = self._rows(table)
        more = {row[0]: tuple(row[_PART:]) for row in rows}
        found = self._of[table].changed([row[:_PART] for row in rows], gone, derived)
        return [Renamed(table, before, after, more[before.file]) for before, after in found]

    def name(self, writer: apsw.Connection, changed: Sequence[Renamed]) -> None:
        """Name new files in the place of old ones. These stay until it is durable; a crash leaves them to
        the next start."""
        for each in changed:
            writer.execute(self._sql[f"drop_{each.table}"], (each.before.file,))
            if each.after is not None:
                writer.execute(self._sql[f"add_{each.table}"], (*each.after.row(), *each.more))
            self._left.append((each.table, each.before.file))

    def settle(self) -> None:
        """It is durable: remove what no row names any more."""
        for table, file in self._left:
            self._of[table].drop([file])
        self._left, self._naming = [], False

    def forget(self) -> None:
        """It was rolled back: the database still names all of them."""
        self._left, self._naming = [], False

    # -- steps of their own ----------------------------------------------------------------------

    def seal(self, writer: apsw.Connection, before_ms: int, limit: int) -> int:
        """Move records of events older than ``before_ms`` into history; how many were moved."""
        rows: list[Any] = writer.execute(self._sql["sealable"], (before_ms, limit)).fetchall()
        if not rows:
            return 0
        parts = self._of["sealed"].write([Record(*row) for row in rows])
        writer.execute("BEGIN IMMEDIATE")
        writer.executemany(self._sql["add_sealed"], [part.row() for part in parts])
        writer.executemany(self._sql["drop_record"], [(row[0],) for row in rows])
        writer.execute("COMMIT")
        return len(rows)

    def retire(self, writer: apsw.Connection, what: Retirement) -> None:
        """See ``domain.ports.Store``."""
        with self._lock:
            self._drop_ahead()
            self._retire(writer, what)

    def _retire(self, writer: apsw.Connection, what: Retirement) -> None:
        table, part, more = self._part(what.piece)
        if part is None:
            return
        assert table == "sealed" or not what.archived, "it is there already"
        records = self.piece(what.piece)
        changed = [Renamed(table, *self._of[table].retired(part, what), more)]
        parts = self._of["archived"].write([x for x in records if x.seq in what.archived])
        writer.execute("BEGIN IMMEDIATE")
        writer.executemany(self._sql["add_archived"], [(*each.row(), what.month) for each in parts])
        self.name(writer, changed)
        if table == "sealed":
            self._drop_where(writer, [x for x in records if x.seq in what.leaves])
        self._drop_ids(writer, [x for x in records if x.seq in what.gone])
        writer.execute("COMMIT")
        self.settle()

    def expire(self, writer: apsw.Connection, before: str) -> int:
        """See ``domain.ports.Store``."""
        parts = [Part(*row[:_PART]) for row in self._rows("archived") if row[_PART] < before]
        if not parts:
            return 0
        self._drop_all(writer, parts)
        return sum(part.rows for part in parts)

    def give_up(self, writer: apsw.Connection, piece: str) -> None:
        """See ``domain.ports.Store``."""
        table, part, _ = self._part(piece)
        assert table == "archived", "the log cannot do without its history"
        if part is not None:
            self._drop_all(writer, [part])

    def set_aside(self, writer: apsw.Connection, names: Sequence[str], txn: Txn) -> None:
        """Damaged files of history move out of the way, then the log goes on without them: one transaction.
        A crash between the two leaves them missing, which they were as good as."""
        history = self._of["sealed"]
        for name in names:
            table, part, _ = self._part(name)
            assert table == "sealed", "what the archive has is given up"
            if part is not None:
                history.put_aside(part)
        writer.execute("BEGIN IMMEDIATE")
        writer.executemany(self._sql["drop_sealed"], [(name,) for name in names])
        write(writer, self._sql, txn)
        writer.execute("COMMIT")

    def _drop_all(self, writer: apsw.Connection, parts: Sequence[Part]) -> None:
        """Drop files of the archive, with the message ids of what can still be read."""
        archive = self._of["archived"]
        sound = [part for part in parts if archive.sound(part)]
        records = list(archive.read(sound, 0, max((part.last_seq for part in sound), default=0)))
        writer.execute("BEGIN IMMEDIATE")
        self.name(writer, [Renamed("archived", part, None) for part in parts])
        self._drop_ids(writer, records)
        writer.execute("COMMIT")
        self.settle()

    def _drop_where(self, writer: apsw.Connection, gone: Sequence[Record]) -> None:
        """Where decisions are that are in the log no more."""
        keys = [
            (dedupe_key(x.tenant, x.message_id.removeprefix("decision:")),)
            for x in gone
            if x.kind == "decision"
        ]
        writer.executemany(self._sql["drop_decision"], keys)

    def _drop_ids(self, writer: apsw.Connection, records: Sequence[Record]) -> None:
        keys = [(dedupe_key(x.tenant, x.message_id), x.seq) for x in records]
        writer.executemany(self._sql["drop_dedupe"], keys)
