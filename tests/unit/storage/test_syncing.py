"""What has to be there after a power cut is synced, and so are the names that lead to it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from germane.storage.blobs import FolderBlobs
from germane.storage.lines import append
from germane.storage.sqlite.trouble import make_folder

Seen = list[tuple[Path, frozenset[str]]]
LINE = msgspec.defstruct("Line", ["a"])(1)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What was synced, in order; of folders with the names that were in it then."""
    seen: Seen = []

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append(
            (path, frozenset(x.name for x in path.iterdir()) if path.is_dir() else frozenset())
        )

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_the_data_folder_and_those_above_it(tmp_path: Path, synced: Seen) -> None:
    """Of which none was there."""
    make_folder(tmp_path / "a" / "data")
    assert (tmp_path, frozenset({"a"})) in synced
    assert (tmp_path / "a", frozenset({"data"})) in synced


def test_a_file_of_lines_that_is_new(tmp_path: Path, synced: Seen) -> None:
    """First what is in it, then its name."""
    append(tmp_path / "lines", [LINE])
    assert synced == [
        (tmp_path / "lines.new", frozenset()),
        (tmp_path, frozenset({"lines"})),
    ]


def test_a_file_of_lines_is_never_written_in_its_place(tmp_path: Path) -> None:
    """Of what is added to it, a power cut may leave single sectors, and so lines that cannot be read."""
    path, seen = tmp_path / "lines", tmp_path / "seen"
    append(path, [LINE])
    before = path.read_bytes()
    seen.hardlink_to(path)
    append(path, [LINE, LINE])
    assert seen.read_bytes() == before
    assert path.read_bytes() == before * 3
    path.write_bytes(before + b'{"a"')
    append(path, [LINE])
    assert path.read_bytes() == before * 2


def test_a_blob(tmp_path: Path, synced: Seen) -> None:
    """Its files and their names before it gets its own; then that, and the folders above."""
    FolderBlobs(tmp_path / "models").put("shared", "1", b"data", {})
    parts = frozenset({"data.bin", "manifest.json"})
    names = [each for _, each in synced]
    assert names.index(parts) < names.index(frozenset({"1"}))
    assert {tmp_path, tmp_path / "models", tmp_path / "models" / "shared"} <= {
        path for path, _ in synced
    }


def test_blobs_that_were_dropped(tmp_path: Path, synced: Seen) -> None:
    """They do not come back."""
    blobs = FolderBlobs(tmp_path)
    blobs.put("trees", "1", b"data", {})
    blobs.prune("trees", 0)
    assert synced[-1] == (tmp_path / "trees", frozenset())
