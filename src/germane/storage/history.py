"""Sealed history: log records as Parquet, by the month of their event.

A file is written beside its place, synced, and renamed; it counts only once the database names it,
in the transaction that drops its rows. A file that no row names is left over from a crash and goes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from heapq import merge as heap_merge
from pathlib import Path
from typing import Any, NamedTuple

from germane.domain.errors import StorageFailed
from germane.domain.months import month_label, month_of
from germane.domain.record import Record

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


class HistoryDamaged(StorageFailed):
    """A file of sealed history is not what was written."""

    code = "storage.history_damaged"
    hint = "Restore the file from a backup; nothing is read from it as it is."


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
        import pyarrow as pa
        import pyarrow.parquet as pq

        first, last = rows[0].seq, rows[-1].seq
        name = f"{kind}/month={month}/part-{first:012d}-{last:012d}.parquet"
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
        pq.write_table(table, temporary, compression="zstd")
        _sync(temporary)
        digest = sha256(temporary.read_bytes()).hexdigest()
        temporary.rename(path)
        for folder in (path.parent, path.parent.parent, self._folder, self._folder.parent):
            _sync(folder)
        return Part(name, month, first, last, len(rows), digest)

    def read(self, sealed: Iterable[Sequence[Any]], after: int, last: int) -> Iterator[Record]:
        """Records of these files with ``after < seq <= last``, in log order.

        Raises:
            HistoryDamaged: a file is missing or changed.
        """
        streams = [self._stream(Part(*row), after, last) for row in sealed]
        yield from heap_merge(*streams, key=_seq)

    def _stream(self, part: Part, after: int, last: int) -> Iterator[Record]:
        import pyarrow.parquet as pq

        self._check(part)
        with pq.ParquetFile(self._folder / part.file) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                columns = [batch.column(name).to_pylist() for name in COLUMNS]
                for row in zip(*columns, strict=True):
                    if after < row[0] <= last:
                        yield Record(*row)

    def find(self, seq: int, sealed: Iterable[Sequence[Any]]) -> Record | None:
        """One record by its offset."""
        for row in sealed:
            if row[2] <= seq <= row[3]:
                for record in self._stream(Part(*row), seq - 1, seq):
                    return record
        return None

    def discard_unknown(self, known: set[str]) -> None:
        """Remove files that a crash left before they were named."""
        for path in self._folder.glob("*/month=*/part-*"):
            if path.relative_to(self._folder).as_posix() not in known:
                path.unlink()

    def _check(self, part: Part) -> None:
        if part.file in self._checked:
            return
        path = self._folder / part.file
        if not path.exists() or sha256(path.read_bytes()).hexdigest() != part.sha256:
            raise HistoryDamaged(f"{part.file} is missing or was changed.", file=part.file)
        self._checked.add(part.file)


def merged(first: Iterator[Record], second: Iterator[Record]) -> Iterator[Record]:
    """Two streams in log order as one."""
    return heap_merge(first, second, key=_seq)


def _seq(record: Record) -> int:
    return record.seq


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
