"""Blobs in a folder: ``NAME/VERSION/{data.bin, manifest.json}``; the newest intact one counts."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from germane.domain.errors import NotFound
from germane.domain.ports import Version
from germane.storage.files import sync

RETIRED = "retired"
"""A file of this name beside a blob: it is passed over."""


class FolderBlobs:
    """Implements ``domain.ports.Blobs``. Versions are compared as text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, version: str, data: bytes, manifest: dict[str, object]) -> None:
        """Write beside its place, sync, rename: a reader never sees half of it."""
        home = self._folder / name
        home.mkdir(parents=True, exist_ok=True)
        temporary = home / f".{version}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        whole = manifest | {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
        _write(temporary / "data.bin", data)
        _write(temporary / "manifest.json", json.dumps(whole, sort_keys=True).encode())
        place = home / version
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
        sync(home)

    def newest(self, name: str) -> tuple[bytes, dict[str, object]] | None:
        """The newest version that is not retired and whose bytes are what its manifest says."""
        for place in self._versions(name):
            found = None if _retired(place) else _read(place)
            if found is not None:
                return found
        return None

    def get(self, name: str, version: str) -> bytes | None:
        """One version's bytes, if they are what its manifest says."""
        found = next((x for x in self._versions(name) if x.name == version), None)
        whole = _read(found) if found is not None else None
        return whole[0] if whole is not None else None

    def versions(self, name: str) -> list[Version]:
        """Every intact one, newest first."""
        found = ((place, _read(place)) for place in self._versions(name))
        return [Version(x.name, whole[1], _retired(x)) for x, whole in found if whole is not None]

    def retire(self, name: str, version: str, *, retired: bool = True) -> None:
        """Set or take away the mark beside the blob.

        Raises:
            NotFound: there is no such version.
        """
        place = next((x for x in self._versions(name) if x.name == version), None)
        if place is None:
            raise NotFound(
                f"There is no {name} {version}.", hint="`germane models list` tells all."
            )
        mark = place / RETIRED
        if retired:
            _write(mark, b"")
        else:
            mark.unlink(missing_ok=True)
        sync(place)

    def prune(self, name: str, keep: int) -> None:
        """Drop all but the newest ``keep`` (retired ones go when as many newer ones stay), and what
        was never finished."""
        serving = 0
        for version in self._versions(name):
            if serving >= keep:
                shutil.rmtree(version, ignore_errors=True)
            serving += not _retired(version)
        for left in (self._folder / name).glob(".*"):
            shutil.rmtree(left, ignore_errors=True)

    def _versions(self, name: str) -> list[Path]:
        home = self._folder / name
        if not home.exists():
            return []
        return sorted((x for x in home.iterdir() if not x.name.startswith(".")), reverse=True)


def _retired(place: Path) -> bool:
    return (place / RETIRED).exists()


def _read(place: Path) -> tuple[bytes, dict[str, Any]] | None:
    """A version's bytes and manifest, if they fit each other."""
    try:
        manifest = json.loads((place / "manifest.json").read_bytes())
        data = (place / "data.bin").read_bytes()
    except (OSError, ValueError):
        return None
    if isinstance(manifest, dict) and manifest.get("sha256") == sha256(data).hexdigest():
        return data, manifest
    return None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
