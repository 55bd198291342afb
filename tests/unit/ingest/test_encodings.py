"""Files of rows that are no UTF-8: told by what they are."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from germane.domain.errors import ImportFailed
from germane.ingest.bulk import columns_of

TEXT = "item_id\ttitle\na\tCafé\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["c.csv", "c.jsonl", "c.csv.gz"])
def test_utf_16(tmp_path: Path, name: str, encoding: str) -> None:
    """With or without its mark, packed or not."""
    raw, path = TEXT.encode(encoding), tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    with pytest.raises(ImportFailed, match="is UTF-16, not UTF-8") as refused:
        columns_of(path)
    assert "iconv -f UTF-16 -t UTF-8" in refused.value.hint


def test_another_encoding(tmp_path: Path) -> None:
    """Is most likely the one of Windows."""
    path = tmp_path / "c.csv"
    path.write_bytes(TEXT.encode("cp1252"))
    with pytest.raises(ImportFailed, match="is not UTF-8") as refused:
        columns_of(path)
    assert "iconv -f WINDOWS-1252" in refused.value.hint
    path.write_text(TEXT, encoding="utf-8-sig")
    assert columns_of(path).names == ("item_id", "title")
