"""What an event and a decision cost in machine instructions does not creep up."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.counting import instructions

MOST = {"fold": 4_370_000, "decide": 4_790_000}
"""Measured with Python 3.11 (`python -m benchmarks.speed instructions`), and a tenth. Who makes a path dearer
on purpose raises its number, and says in the commit what for; who makes it cheaper lowers it."""


def test_instructions(tmp_path: Path) -> None:
    found = instructions(tmp_path, 100, 100)
    assert found.keys() == MOST.keys()
    assert {name: count for name, count in found.items() if count > MOST[name]} == {}
    assert min(found.values()) > 100_000  # it did count
