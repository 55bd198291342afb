"""An export is whole, or what was there before stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from germane.cli import exporting
from germane.domain.errors import GermaneError, StorageDamaged


def broken() -> Iterator[dict[str, Any]]:
    """Rows of a log that is damaged behind the first."""
    yield {"a": 1}
    raise StorageDamaged


@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
def test_an_export_that_breaks_off(tmp_path: Path, name: str) -> None:
    """Leaves the file of before, and nothing else."""
    out = tmp_path / name
    assert exporting._to_file(iter([{"a": 1}, {"a": 2}]), out) == 2
    before = out.read_bytes()
    with pytest.raises(StorageDamaged):
        exporting._to_file(broken(), out)
    assert (out.read_bytes(), list(tmp_path.iterdir())) == (before, [out])


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Is told with what to do."""
    with pytest.raises(GermaneError) as caught:
        exporting._to_file(iter([]), tmp_path / "no" / "x.jsonl")
    assert "cannot be written: No such file or directory." in caught.value.message
    assert "in a folder that is there" in caught.value.hint
