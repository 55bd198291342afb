"""Every binding of the blobs keeps the same contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from germane.domain.ports import Blobs
from germane.storage import blobs as module
from germane.storage.blobs import FolderBlobs
from germane.testing import BlobsContract


class TestFolder(BlobsContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> FolderBlobs:
        return FolderBlobs(tmp_path / "blobs")

    def damage(self, blobs: Blobs, name: str, version: str) -> None:
        assert isinstance(blobs, FolderBlobs)
        path = blobs._folder / name / version / "data.bin"
        path.write_bytes(bytes([*path.read_bytes()[:-1], 1]) + b"\x01")

    def test_survives_opening_again(self, tmp_path: Path, blobs: FolderBlobs) -> None:
        """It is on the disk."""
        blobs.put("a", "1", b"x", {"n": 1})
        found = FolderBlobs(tmp_path / "blobs").newest("a")
        assert found is not None
        assert (found[0], found[1]["n"]) == (b"x", 1)

    @pytest.mark.parametrize(
        "manifest", [b"", b"{", b"[]", b'"text"', b'{"sha256": 7}', b"\xff", b"null"]
    )
    def test_a_broken_manifest_is_passed_over(
        self, tmp_path: Path, blobs: FolderBlobs, manifest: bytes
    ) -> None:
        """Whatever stands in it."""
        blobs.put("a", "1", b"good", {})
        blobs.put("a", "2", b"bad", {})
        (tmp_path / "blobs/a/2/manifest.json").write_bytes(manifest)
        assert blobs.newest("a") == (b"good", json.loads(self.manifest(tmp_path, "1")))
        (tmp_path / "blobs/a/2/manifest.json").unlink()
        assert blobs.newest("a") is not None

    @pytest.mark.parametrize("stops_at", [1, 2])
    def test_stopped_in_the_middle(
        self,
        tmp_path: Path,
        blobs: FolderBlobs,
        monkeypatch: pytest.MonkeyPatch,
        stops_at: int,
    ) -> None:
        """What was never finished is not seen, and the next prune clears it away."""
        blobs.put("a", "1", b"whole", {})
        calls, write = 0, module._write

        def stopping(path: Path, data: bytes) -> None:
            nonlocal calls
            calls += 1
            if calls == stops_at:
                raise OSError("no space left")
            write(path, data)

        with monkeypatch.context() as patch:
            patch.setattr(module, "_write", stopping)
            with pytest.raises(OSError, match="no space"):
                blobs.put("a", "2", b"half", {})
        found = blobs.newest("a")
        assert found is not None
        assert found[0] == b"whole"
        assert len(list((tmp_path / "blobs/a").iterdir())) == 2
        blobs.prune("a", 2)
        assert [each.name for each in (tmp_path / "blobs/a").iterdir()] == ["1"]

    def manifest(self, tmp_path: Path, version: str) -> bytes:
        """As it was written."""
        return (tmp_path / "blobs/a" / version / "manifest.json").read_bytes()
