"""Records of a CSV, each with the line it begins in; quotes that do not fit are told, and swallow nothing."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from germane.domain.errors import ImportFailed

MAX_FIELD = 1_000_000
SHOWN = 1_000
"""Characters of a line that cannot be read that are shown."""
QUOTES = 'Close it; write a quote inside of a value twice, and the value in quotes: "24"" pan".'
_ENDLESS = "unexpected end of data"
"""How the reader says that a quote is open at the end of the file."""


class Record(NamedTuple):
    """One record: the line it begins in, the header being in line 1; its values; what is wrong with it."""

    number: int
    values: list[str]
    problem: str = ""
    line: str = ""
    """Where something is: how its first line begins."""


class _Lines:
    """Lines of a file; those of the record that is being read are kept."""

    def __init__(self, file: Iterable[str]) -> None:
        self._lines = iter(file)
        self.kept: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.kept.append(line)
        return line


def records(name: object, file: Iterable[str], mark: str) -> Iterator[Record]:
    """All of them, empty lines left out.

    Args:
        name: How the file is called in errors.
        file: Its lines, with their ends.
        mark: What separates columns.

    Raises:
        ImportFailed: a quote is never closed, or a value is longer than ``MAX_FIELD`` characters.
    """
    csv.field_size_limit(MAX_FIELD)
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=mark, strict=True)
    while True:
        begins, lines.kept = reader.line_num + 1, []
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num < begins:
                raise
            padded = _unpadded(lines.kept, mark)
            if padded is None:
                yield _misquoted(name, begins, reader.line_num, lines.kept[0], str(error))
                continue
            values = padded
        if values:
            yield Record(begins, values)


def _unpadded(lines: list[str], mark: str) -> list[str] | None:
    """A record with blanks between a quote that closes a value and what separates it from the next, which say
    nothing; ``None``: that is not what is wrong with it."""
    whole = "".join(lines)
    plain = re.sub(rf'"[ \t]+(?={re.escape(mark)}|\r?\n|\Z)', '"', whole)
    if plain == whole:
        return None
    try:
        (found,) = csv.reader(plain.splitlines(keepends=True), delimiter=mark, strict=True)
    except (csv.Error, ValueError):
        return None
    return found


def _misquoted(name: object, begins: int, ends: int, line: str, error: str) -> Record:
    where = f"the row that begins in line {begins:,}"
    if error == _ENDLESS:
        raise ImportFailed(
            f"{name}: in {where} a quote is opened and never closed, so that row would be all the rest of the "
            f"file, to line {ends:,}.",
            hint=QUOTES,
        )
    if error.startswith("field larger"):
        raise ImportFailed(
            f"{name}: in {where} a value has more than {MAX_FIELD:,} characters: is a quote opened there and "
            "not closed?",
            hint=QUOTES,
        )
    to = f": the row would be lines {begins:,} to {ends:,}" if ends > begins else ""
    problem = f"a quote is not closed, or stands inside of a value in quotes (write it twice){to}"
    return Record(begins, [], problem, line[:SHOWN])
