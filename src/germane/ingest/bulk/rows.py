"""Rows out of files, in bounded memory, each with the line it came from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from germane.domain.encodings import is_utf16
from germane.domain.errors import ImportFailed
from germane.ingest.bulk.records import MAX_FIELD, QUOTES, Record, records
from germane.ingest.surrogates import without_halves

BATCH = 5_000
SEPARATORS = (",", ";", "\t", "|")
"""Of columns in a CSV."""


_NO_TEXT = {
    b"PK\x03\x04": (
        "an Excel workbook, or another ZIP archive",
        "Save the sheet as CSV UTF-8, or take the file out of the archive.",
    ),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "Save the sheet as CSV UTF-8."),
    b"PAR1": ("a Parquet file", "Let its name end with .parquet."),
    b"\x1f\x8b": ("packed with gzip", "Let its name end with .gz: {path}.gz"),
}
"""How files begin that are no text -> what they are, and what to do."""


class Row(NamedTuple):
    """One row: where it begins (in text the line, as editors count them, so the first row of a CSV has
    number 2; in Parquet the row, from 1), its values, or what is wrong with it."""

    number: int
    values: dict[str, Any]
    problem: str = ""


class Columns(NamedTuple):
    """Names of the columns, and whether more may turn up later (JSONL)."""

    names: tuple[str, ...]
    open: bool


def columns_of(path: Path) -> Columns:
    """The columns of a file.

    Raises:
        ImportFailed: it is missing, empty, of no known format, or has two columns of one name.
    """
    if not path.exists():
        raise ImportFailed(f"There is no file {path}.", hint=f"Paths begin at {Path.cwd()}.")
    if path.is_dir():
        raise ImportFailed(f"{path} is a folder.", hint="Name the files in it.")
    kind = _format(path)
    if kind == "parquet":
        import pyarrow.parquet as pq

        with _guarded(path), pq.ParquetFile(path) as file:
            return Columns(_different(path, file.schema_arrow.names), open=False)
    _look(path)
    if kind == "csv":
        with _text(path) as file, _guarded(path):
            header = _header(path, records(path, file, separator_of(path)))
        if not any(header):
            raise ImportFailed(f"{path} is empty.", hint="Leave it out, or export it again.")
        if header[0].lower().startswith("sep="):
            raise ImportFailed(
                f"{path}: line 1 is for Excel alone ({header[0]!r}).", hint="Take that line out."
            )
        return Columns(_different(path, header), open=False)
    names: dict[str, None] = {}
    for row in rows_of(path):
        if not row.problem:
            names |= dict.fromkeys(row.values)
        if row.number >= 100:
            break
    if not names:
        raise ImportFailed(
            f"{path} begins with no JSON objects.",
            hint="It takes one object a line: {...}. Of an array: jq -c '.[]' IN > OUT",
        )
    return Columns(tuple(names), open=True)


def has_column(path: Path, name: str) -> bool:
    """Whether any row of a file has it; it is read until one does."""
    return any(name in row.values for row in rows_of(path) if not row.problem)


def _different(path: Path, names: list[str]) -> tuple[str, ...]:
    """The names, if each is there once: of two columns with one name, one would be lost."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        name = twice[0]
        numbers = " and ".join(str(n) for n, each in enumerate(names, 1) if each == name)
        what = f"are both named {name!r}" if name else "have no name"
        raise ImportFailed(
            f"{path}: columns {numbers} {what}.", hint="Give each column a name of its own."
        )
    return tuple(names)


def separator_of(path: Path) -> str:
    """What separates the columns of a CSV: the one mark that its header has outside of quotes; of
    more than one, the only one by which header and first row have as many columns.

    Raises:
        ImportFailed: it cannot be told.
    """
    with _text(path) as file, _guarded(path):
        header = re.sub(r'"[^"]*"', "", file.readline(MAX_FIELD))
    found = [mark for mark in SEPARATORS if mark in header]
    if len(found) <= 1:
        return found[0] if found else SEPARATORS[0]
    fitting = [mark for mark in found if len(set(_widths(path, mark))) == 1]
    if len(fitting) == 1:
        return fitting[0]
    raise ImportFailed(
        f"{path}: the columns may be separated by {' or '.join(map(repr, found))}.",
        hint="Put names that hold one of these between quotes, or save the file with commas.",
    )


def _widths(path: Path, mark: str) -> tuple[int, int]:
    """Columns of the header and of the first row, if that is what separates them; if they cannot be read
    that way, two numbers that differ."""
    with _text(path) as file, _guarded(path):
        found = records(path, file, mark)
        try:
            header = _header(path, found)
            return len(header), len(next((row.values for row in found if not row.problem), header))
        except ImportFailed:
            return 0, 1


def count_rows(path: Path) -> int | None:
    """How many rows, where it is cheap to know (for the progress bar)."""
    if _format(path) == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    if _packed(path):
        return None
    with path.open("rb") as file:
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    return max(lines - (1 if _format(path) == "csv" else 0), 0)


def rows_of(path: Path) -> Iterator[Row]:
    """All rows in order. A row that cannot be read comes with its problem.

    Raises:
        ImportFailed: the file as a whole cannot be read.
    """
    match _format(path):
        case "parquet":
            yield from _parquet(path)
        case "csv":
            yield from _csv(path)
        case _:
            yield from _jsonl(path)


def _format(path: Path) -> str:
    suffixes = [each.lower() for each in path.suffixes if each.lower() != ".gz"]
    known = {
        ".csv": "csv",
        ".tsv": "csv",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".parquet": "parquet",
    }
    kind = known.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise ImportFailed(
            f"{path} is of no known format.",
            hint="Use .csv, .tsv, .jsonl (one object a line; all also .gz) or .parquet.",
        )
    return kind


def _packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _csv(path: Path) -> Iterator[Row]:
    with _text(path) as file, _guarded(path):
        found = records(path, file, separator_of(path))
        header = _header(path, found)
        for number, values, problem, line in found:
            if problem:
                yield Row(number, {"line": line}, problem)
            elif len(values) != len(header):
                shown = dict(zip(header, values, strict=False))
                yield Row(number, shown, f"{len(values)} values for {len(header)} columns")
            else:
                yield Row(number, dict(zip(header, values, strict=True)))


def _header(path: Path, found: Iterator[Record]) -> list[str]:
    """Names of the columns, from the first of the records; none: the file is empty.

    Raises:
        ImportFailed: it cannot be read.
    """
    first = next(found, Record(1, []))
    if first.problem:
        hint = QUOTES
        if first.line.lstrip()[:1] in ("{", "["):
            hint = "It looks like JSON: name it .jsonl, with one object a line."
        raise ImportFailed(f"{path}, line {first.number}: {first.problem}.", hint=hint)
    return [name.strip() for name in first.values]


def _jsonl(path: Path) -> Iterator[Row]:
    with _text(path) as file, _guarded(path):
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(without_halves(line.encode()))
            except (ValueError, RecursionError) as error:
                yield Row(number, {"line": line[:1000]}, f"not valid JSON: {error}")
                continue
            if isinstance(value, dict):
                yield Row(number, value)
            else:
                yield Row(number, {"line": line[:1000]}, "not a JSON object")


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    number = 0
    with _guarded(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            names = batch.schema.names
            columns = [_cells(_plain_column(each)) for each in batch.columns]
            for cells in zip(*columns, strict=True):
                number += 1
                yield Row(number, dict(zip(names, cells, strict=True)))


def _cells(column: Any) -> list[Any]:
    """A column in what Python has; a time that its calendar does not have is the digits that it is."""
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError, KeyError):
        return [_cell(each) for each in column]


def _cell(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError, KeyError):
        return str(getattr(scalar, "value", ""))


def _plain_column(column: Any) -> Any:
    """Times to the microsecond (pandas writes nanoseconds everywhere), and byte strings as the text that they
    are in files of older writers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return pc.cast(column, pa.large_string())
        except pa.ArrowInvalid:  # no UTF-8: it stays as it is
            return column
    if getattr(kind, "unit", "") != "ns":
        return column
    if pa.types.is_timestamp(kind):
        return pc.cast(column, pa.timestamp("us", tz=kind.tz), safe=False)
    return pc.cast(
        column, pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us"), safe=False
    )


def _look(path: Path) -> None:
    """
    Raises:
        ImportFailed: it cannot be read, or is no text, or text in UTF-16.
    """
    with (
        _guarded(path),
        gzip.open(path) if _packed(path) else path.open("rb") as file,
    ):
        start = file.read(4)
    for mark, (what, hint) in _NO_TEXT.items():
        if start.startswith(mark):
            raise ImportFailed(f"{path} is {what}.", hint=hint.format(path=path))
    if is_utf16(start[:2]):
        raise ImportFailed(
            f"{path} is UTF-16, not UTF-8.",
            hint="Save it as UTF-8 (Excel: CSV UTF-8), or convert it: iconv -f UTF-16 -t UTF-8 IN > OUT",
        )


def _text(path: Path) -> io.TextIOBase:
    if _packed(path):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


class _guarded:  # noqa: N801 - reads as a verb at its place
    """Turns what a reader may raise into ImportFailed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UnicodeDecodeError):
            raise ImportFailed(
                f"{self._path} is not UTF-8 (line {_wrong_line(self._path):,}).",
                hint="Convert it first: iconv -f WINDOWS-1252 -t UTF-8 IN > OUT",
            ) from None
        if isinstance(error, gzip.BadGzipFile):
            raise ImportFailed(
                f"{self._path} is not packed with gzip, or damaged: {error}",
                hint="If it is not packed, take .gz off its name; else export it again.",
            ) from None
        if isinstance(error, csv.Error | OSError | EOFError | zlib.error):
            refused = isinstance(error, OSError)
            hint = "Look at its rights." if refused else "Copy or export it again."
            raise ImportFailed(f"{self._path} cannot be read: {error}", hint=hint) from None
        if isinstance(error, Exception) and type(error).__module__.startswith("pyarrow"):
            raise ImportFailed(
                f"{self._path} is not a readable Parquet file: {error}",
                hint="If it is of another format, let its name end so; else export it again.",
            ) from None


def _wrong_line(path: Path) -> int:
    """The first line that is not UTF-8."""
    with gzip.open(path) if _packed(path) else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0
