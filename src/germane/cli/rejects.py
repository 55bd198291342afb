"""The file of rows that an import could not use."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from germane.cli.summary import Summary, place
from germane.domain.errors import ImportFailed

if TYPE_CHECKING:
    from germane.ingest.bulk import Row, Unusable


class Rejects:
    """Rows with their place and the reason; there is no file when all could be used.

    It is opened before anything is imported: a place that cannot be written is told then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count = 0
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """
        Raises:
            ImportFailed: the file cannot be written.
        """
        try:
            self._file = self.path.open("w", encoding="utf-8")
        except OSError as error:
            raise self._refused(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._count:
            sys.stderr.write(f"Rows that could not be used: {self.path}\n")
        else:
            self.path.unlink(missing_ok=True)

    def write(self, source: Path, row: Row, reason: str) -> None:
        """One row, where it stands, and why it cannot be used.

        Raises:
            ImportFailed: the disk is full, for example.
        """
        assert self._file is not None, "it is opened before rows are read"
        line = {
            "file": source.name,
            place(source): row.number,
            "reason": reason,
            "values": row.values,
        }
        try:
            self._file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        except OSError as error:
            raise self._refused(error) from None
        self._count += 1

    def _refused(self, error: OSError) -> ImportFailed:
        return ImportFailed(
            f"{self.path}, for the rows that cannot be used, cannot be written: {error.strerror}.",
            hint="Name a place for it: --rejects FILE.",
        )


def refuse(
    source: Path, rows: list[Row], problem: Unusable, bad: Rejects | Nowhere, summary: Summary
) -> None:
    """Rows of one thing that cannot be used: each is counted, and kept with its reason."""
    for row in rows:
        why = problem.of(row)
        summary.reject(source, row, why)
        bad.write(source, row, str(why))


class Nowhere:
    """Takes rows and keeps none: a dry run writes nothing."""

    def write(self, source: Path, row: Row, reason: str) -> None:
        """Nothing."""


def place_of(source: Path) -> Path:
    """Beside the source; in the current folder when nothing may be written there."""
    name = source.name + ".rejects.jsonl"
    return source.with_name(name) if os.access(source.parent, os.W_OK) else Path(name)
