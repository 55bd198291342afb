"""Sealed history: log records as Parquet, by the month of their event.

A file is written beside its place, synced, and renamed; it counts only once the database names it,
in the transaction that drops its rows. A file that no row names is left over from a crash and goes.
"""

from __future__ import annotations

import os
import re
import shutil
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from heapq import heappop, heappush, heapreplace
from heapq import merge as heap_merge
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from germane.domain.errors import StorageFailed
from germane.domain.months import month_label, month_of
from germane.domain.record import Record
from germane.domain.retirement import Retirement
from germane.storage.syncing import make_durable_folder, sync

COLUMNS = (
    "seq",
    "tenant",
    "slot",
    "person",
    "kind",
    "message_id",
    "at_ms",
    "received_ms",
    "body",
    "derived",
)
BATCH = 2_000
ASIDE = "damaged"
"""Folder beside history: damaged files that were given up. Nothing reads them."""
_NAME = re.compile(r"part-\d+-(\d+)\.")
_MAGIC = b"PAR1"
"""A Parquet file begins with it and ends with it."""


class HistoryDamaged(StorageFailed):
    """A file of sealed history is not what was written."""

    code = "storage.history_damaged"
    hint = (
        "Copy the file from a backup; nothing is read from it as it is. If there is none, "
        "`germane retention --give-up-damaged` tells what going on without it would lose."
    )


_OF_ARCHIVE = (
    "Restore the file from a backup. If there is none, `germane retention --give-up-damaged` lets go what "
    "it had, for good: nothing is learned from the archive."
)


class Part(NamedTuple):
    """One sealed file."""

    file: str
    month: str
    first_seq: int
    last_seq: int
    rows: int
    sha256: str

    def row(self) -> tuple[str, str, int, int, int, str]:
        """As the database keeps it."""
        return (self.file, self.month, self.first_seq, self.last_seq, self.rows, self.sha256)


class History:
    """A folder of sealed files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: set[str] = set()

    def write(self, records: Sequence[Record]) -> list[Part]:
        """Write records (in log order) into one durable file a month and kind of record."""
        groups: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            kind = "decisions" if record.kind == "decision" else "events"
            groups.setdefault((kind, month_label(month_of(record.at_ms))), []).append(record)
        return [self._file(kind, month, rows) for (kind, month), rows in groups.items()]

    def _file(self, kind: str, month: str, rows: list[Record]) -> Part:
        first, last = rows[0].seq, rows[-1].seq
        name = f"{kind}/month={month}/part-{first:012d}-{last:012d}.parquet"
        return Part(name, month, first, last, len(rows), self._put(name, rows))

    def _put(self, name: str, rows: Sequence[Record]) -> str:
        """Write one file durably; its SHA-256."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {column: [getattr(r, column) for r in rows] for column in COLUMNS}
        binary = {"body": pa.binary(), "derived": pa.binary()}
        table = pa.table(
            {
                column: pa.array(values, type=binary.get(column))
                for column, values in columns.items()
            }
        )
        temporary = path.with_suffix(".tmp")
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
        sync(temporary)
        digest = sha256(temporary.read_bytes()).hexdigest()
        temporary.rename(path)
        for folder in (path.parent, path.parent.parent, self._folder, self._folder.parent):
            sync(folder)
        return digest

    def changed(
        self, sealed: Iterable[Sequence[Any]], gone: Collection[int], derived: Mapping[int, bytes]
    ) -> list[tuple[Part, Part | None]]:
        """Files that hold some of these offsets, each with what is to take its place: it is written, durable,
        and counts once the database names it. ``None``: nothing is left of it.

        Args:
            sealed: All files, as the database names them.
            gone: Offsets of records that go.
            derived: Offset -> what was derived anew.
        """
        wanted = sorted({*gone, *derived})
        found = []
        for part in (Part(*row) for row in sealed):
            place = bisect_left(wanted, part.first_seq)
            if place < len(wanted) and wanted[place] <= part.last_seq:
                found.append((part, self._again(part, gone, derived)))
        return [(part, after) for part, after in found if after != part]

    def _again(
        self, part: Part, gone: Collection[int], derived: Mapping[int, bytes]
    ) -> Part | None:
        """A file without what goes and with what was derived anew; itself where that changes nothing."""
        before = list(self._stream(part, 0, part.last_seq))
        after = [
            replace(each, derived=derived[each.seq]) if each.seq in derived else each
            for each in before
            if each.seq not in gone
        ]
        return part if after == before else self._instead(part, after)

    def _instead(self, part: Part, after: Sequence[Record]) -> Part | None:
        """A new file with other records; ``None`` where there are none."""
        if not after:
            return None
        name = _next_name(part.file)
        return part._replace(file=name, rows=len(after), sha256=self._put(name, after))

    def retired(self, part: Part, what: Retirement) -> tuple[Part, Part | None]:
        """A file, and what is to take its place when some of it retires: it is written and durable."""
        moved = what.archived | what.gone
        after = [
            replace(
                each,
                body=what.left.get(each.seq, each.body),
                derived=b"" if each.seq in moved else each.derived,
            )
            for each in self._stream(part, 0, part.last_seq)
            if each.seq not in what.leaves
        ]
        return part, self._instead(part, after)

    def drop(self, files: Iterable[str]) -> None:
        """Remove files that the database names no more."""
        for each in files:
            (self._folder / each).unlink(missing_ok=True)
            self._checked.discard(each)

    def read(self, sealed: Iterable[Sequence[Any]], after: int, last: int) -> Iterator[Record]:
        """Records of these files with ``after < seq <= last``, in log order. A file is open only while this has
        come to what it holds, however many there are.

        Raises:
            HistoryDamaged: a file is missing or changed.
        """
        parts = sorted((Part(*row) for row in sealed), key=lambda each: each.first_seq)
        return _in_order((each.first_seq, self._stream(each, after, last)) for each in parts)

    def _stream(self, part: Part, after: int, last: int) -> Iterator[Record]:
        import pyarrow.parquet as pq

        self._check(part)
        try:
            with pq.ParquetFile(self._folder / part.file, page_checksum_verification=True) as file:
                for batch in file.iter_batches(batch_size=BATCH):
                    columns = [batch.column(name).to_pylist() for name in COLUMNS]
                    for row in zip(*columns, strict=True):
                        if after < row[0] <= last:
                            yield Record(*row)
        except OSError as error:
            raise self._unread(part, error) from error

    def find(self, seq: int, sealed: Iterable[Sequence[Any]]) -> Record | None:
        """One record by its offset."""
        for row in sealed:
            if row[2] <= seq <= row[3]:
                for record in self._stream(Part(*row), seq - 1, seq):
                    return record
        return None

    def unknown(self, known: set[str]) -> list[Path]:
        """Files that no row names."""
        found = sorted(self._folder.glob("*/month=*/part-*"))
        return [x for x in found if x.relative_to(self._folder).as_posix() not in known]

    def sound(self, part: Part) -> bool:
        """Whether a file is there, and what was written."""
        path = self._folder / part.file
        try:
            return sha256(path.read_bytes()).hexdigest() == part.sha256
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unread(part, error) from error

    def seems_sound(self, part: Part) -> bool:
        """Whether a file is there, and has both its ends: a look that costs next to nothing."""
        try:
            with (self._folder / part.file).open("rb") as file:
                begins = file.read(len(_MAGIC))
                file.seek(-len(_MAGIC), os.SEEK_END)
                return begins == file.read() == _MAGIC
        except OSError:
            return False

    def put_aside(self, part: Part) -> bool:
        """Move a file out of the way, durably; whether there was one."""
        path = self._folder / part.file
        target = self._folder.parent / ASIDE / self._folder.name / part.file
        if not path.exists():
            return False
        make_durable_folder(target.parent, 0o700)
        path.rename(target)
        sync(target.parent)
        sync(path.parent)
        self._checked.discard(part.file)
        return True

    def _unread(self, part: Part, error: OSError) -> StorageFailed:
        file = f"{self._folder.name}/{part.file}"
        if error.errno is None:  # not the system's word, but a checksum inside the file
            return self._damaged(part)
        return StorageFailed(f"{file} could not be read: {error.strerror or error}.")

    def _check(self, part: Part) -> None:
        if part.file in self._checked:
            return
        if not self.sound(part):
            raise self._damaged(part)
        self._checked.add(part.file)

    def _damaged(self, part: Part) -> HistoryDamaged:
        file = f"{self._folder.name}/{part.file}"
        hint = _OF_ARCHIVE if self._folder.name == "archive" else ""
        return HistoryDamaged(f"{file} is missing or was changed.", hint=hint, file=file)


def set_aside(folder: Path) -> list[Path]:
    """Files of a data folder that were given up and lie aside."""
    return sorted(each for each in (folder / ASIDE).rglob("*") if each.is_file())


def drop_aside(folder: Path) -> int:
    """Delete them, how many there were: nobody can say whom they tell of."""
    count = len(set_aside(folder))
    if (folder / ASIDE).exists():
        shutil.rmtree(folder / ASIDE)
        sync(folder)
    return count


def merged(first: Iterator[Record], second: Iterator[Record]) -> Iterator[Record]:
    """Two streams in log order as one."""
    return heap_merge(first, second, key=_seq)


def _in_order(streams: Iterable[tuple[int, Iterator[Record]]]) -> Iterator[Record]:
    """Streams in log order as one. Each comes with an offset that none of its records is below, the lowest
    first, and is asked for nothing before its turn."""
    waiting = deque(streams)
    heads: list[tuple[int, int, Record, Iterator[Record]]] = []
    while waiting or heads:
        while waiting and (not heads or waiting[0][0] <= heads[0][0]):
            _, stream = waiting.popleft()
            for record in stream:
                heappush(heads, (record.seq, len(waiting), record, stream))
                break
        if heads:
            yield from _from_first(heads, waiting[0][0] if waiting else None)


def _from_first(
    heads: list[tuple[int, int, Record, Iterator[Record]]], until: int | None
) -> Iterator[Record]:
    """Records of open streams, as long as all of them are open and no other one begins (``until``)."""
    while heads and (until is None or heads[0][0] < until):
        _, number, record, stream = heads[0]
        yield record
        following = next(stream, None)
        if following is None:
            heappop(heads)
        else:
            heapreplace(heads, (following.seq, number, following, stream))


def reaches(path: Path, last_seq: int) -> bool:
    """Whether a file holds a record beyond an offset. Its name may promise more than is left in it; one that
    cannot be read is taken at its word. What was not finished yet does not count."""
    named = _NAME.match(path.name)
    if path.suffix != ".parquet" or named is None or int(named[1]) <= last_seq:
        return False
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return any(
                seq > last_seq
                for batch in file.iter_batches(columns=["seq"])
                for seq in batch.column("seq").to_pylist()
            )
    except (OSError, ValueError):
        return True


def _next_name(file: str) -> str:
    """Of the file that takes a file's place: ``part-1-9.parquet``, ``part-1-9.1.parquet`` ..."""
    stem, _, number = file.removesuffix(".parquet").partition(".")
    return f"{stem}.{int(number or 0) + 1}.parquet"


def _seq(record: Record) -> int:
    return record.seq
