"""Sealed files that are read as one log."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from germane.domain.months import MS_PER_DAY
from germane.domain.record import Record
from germane.storage.history import History, Part
from germane.testing.store_contract import a_record
from germane.testing.world import START_MS


@pytest.fixture
def history(tmp_path: Path) -> History:
    """An empty folder of them."""
    return History(tmp_path / "history")


def sealed(history: History, groups: int, *, months: int = 1) -> tuple[list[Record], list[Part]]:
    """Records in groups of ten, each in as many files as they have months."""
    ages = [(n, n % months * 31) for n in range(1, groups * 10 + 1)]
    records = [a_record(n, at_ms=START_MS - days * MS_PER_DAY) for n, days in ages]
    starts = range(0, len(records), 10)
    return records, [part for n in starts for part in history.write(records[n : n + 10])]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files are open, after each that was opened or closed."""
    seen, real = [0], pq.ParquetFile

    class Counted(real):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            seen.append(seen[-1] + 1)

        def __exit__(self, *arguments: object, **named: Any) -> None:
            super().__exit__(*arguments, **named)
            seen.append(seen[-1] - 1)

    monkeypatch.setattr(pq, "ParquetFile", Counted)
    return seen


@pytest.mark.parametrize("months", [1, 3])
def test_few_files_are_open_at_once(history: History, opened: list[int], months: int) -> None:
    """As many as overlap, and not as many as there are."""
    records, parts = sealed(history, 12, months=months)
    rows = [each.row() for each in reversed(parts)]
    assert list(history.read(rows, 0, 2**62)) == records
    assert max(opened) == months
    assert opened[-1] == 0


def test_a_part_of_the_log(history: History, opened: list[int]) -> None:
    """Between two offsets, where files overlap; what lies behind is not opened."""
    records, parts = sealed(history, 6, months=3)
    rows = [each.row() for each in parts]
    assert list(history.read(rows, 17, 43)) == records[17:43]
    some = history.read(rows, 0, 2**62)
    opened.clear()
    opened.append(0)
    assert [each.seq for each in islice(some, 4)] == [1, 2, 3, 4]
    assert opened == [0, 1, 2, 3]


def test_what_a_long_file_has_comes_in_its_place(history: History) -> None:
    """Between the records of many others, one of which is empty for who asks."""
    long = history.write([a_record(n) for n in (1, 4, 9)])
    others = [part for n in (2, 5, 7, 12) for part in history.write([a_record(n), a_record(n + 1)])]
    rows = [each.row() for each in (*others, *long)]
    assert [each.seq for each in history.read(rows, 0, 99)] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13]
    assert [each.seq for each in history.read(rows, 3, 12)] == [4, 5, 6, 7, 8, 9, 12]
