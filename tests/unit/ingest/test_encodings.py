"""Files of rows that are no UTF-8: told by what they are."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from germane.domain.errors import ImportFailed
from germane.ingest.bulk import columns_of, rows_of

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


def read(path: Path) -> None:
    """To its end."""
    columns_of(path)
    list(rows_of(path))


@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz", "c.jsonl"])
def test_the_line_that_is_in_another_encoding(tmp_path: Path, name: str) -> None:
    """However far down it stands; files are read in pieces."""
    row = b'{"item_id": "a"}\n' if name.endswith(".jsonl") else b"item_id,title\n"
    raw, path = row * 9_000 + b"caf\xe9\n" + row, tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    with pytest.raises(ImportFailed, match=r"is not UTF-8 \(line 9,001\)"):
        list(rows_of(path))


@pytest.mark.parametrize(
    ("name", "raw", "what", "remedy"),
    [
        ("c.csv", b"PK\x03\x04\x14", "is an Excel workbook, or another ZIP", "as CSV UTF-8"),
        ("c.csv", b"\xd0\xcf\x11\xe0\xa1", "is an Excel workbook", "as CSV UTF-8"),
        ("c.csv", b"PAR1\x15", "is a Parquet file", "end with .parquet"),
        ("c.csv", gzip.compress(b"a,b\n", mtime=0), "is packed with gzip", "c.csv.gz"),
        ("c.jsonl", gzip.compress(b"{}\n", mtime=0), "is packed with gzip", "c.jsonl.gz"),
        ("c.csv.gz", b"a,b\n1,2\n", "is not packed with gzip", "take .gz off"),
        ("c.csv.gz", gzip.compress(b"a,b\n", mtime=0)[:-9], "cannot be read", "export it again"),
        ("c.parquet", b"a,b\n1,2\n", "is not a readable Parquet file", "of another format"),
        ("c.csv", b"", "is empty", "export it again"),
        ("c.csv", b"\n\n  \n", "is empty", "export it again"),
        ("c.csv", b"sep=;\na;b\n1;2\n", "line 1 is for Excel alone", "Take that line out"),
        ("c.csv", b'[{"a":1,"b":2}]', "line 1: a quote", "It looks like JSON"),
        ("c.csv", b'a,"b" x,c\n', "line 1: a quote", "write a quote inside"),
        ("c.jsonl", b'[{"a": 1}]', "begins with no JSON objects", "jq -c"),
        ("c.json", b'[{"a": 1}]', "is of no known format", "one object a line"),
    ],
)
def test_a_file_that_is_something_else(
    tmp_path: Path, name: str, raw: bytes, what: str, remedy: str
) -> None:
    """It is told what it is, and what to do."""
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(ImportFailed, match=what) as refused:
        read(path)
    assert remedy in refused.value.hint
    assert name in refused.value.message


def test_damaged_inside(tmp_path: Path) -> None:
    """What is packed, and does not unpack to its end."""
    path = tmp_path / "c.csv.gz"
    raw = bytearray(gzip.compress(b"a,b\n" + os.urandom(9_000).hex().encode()))
    raw[3_000:3_200] = bytes(200)
    path.write_bytes(raw)
    with pytest.raises(ImportFailed, match=r"c\.csv\.gz") as refused:
        list(rows_of(path))
    assert "export it again" in refused.value.hint


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    """Whatever its name ends with."""
    with pytest.raises(ImportFailed, match="is a folder") as refused:
        columns_of(tmp_path)
    assert refused.value.hint == "Name the files in it."
    with pytest.raises(ImportFailed, match="There is no file") as refused:
        columns_of(tmp_path / "none.txt")
    assert str(Path.cwd()) in refused.value.hint
